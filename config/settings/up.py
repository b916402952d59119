"""The settings of `up`, which runs all the services and is none of them: it needs only its own command."""

from config import env

# The services read it too; errors in it are best reported before anything else.
DATA_DIR = env.data_dir()
INSTALLED_APPS = ["config.supervision"]
USE_TZ = True
# Its output is for people at this machine.
TIME_ZONE = None

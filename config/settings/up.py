"""The settings of `up`, which runs all the services and is none of them: it needs only its own command."""

from config import env

# The services read it too, and what is wrong with it is best said before anything else.
DATA_DIR = env.data_dir()
INSTALLED_APPS = ["config.supervision"]
USE_TZ = True
# What it prints is for whoever sits at this machine.
TIME_ZONE = None

"""The log service's settings."""

from config import env, logs
from config.services import SERVICES
from config.settings import base
from config.settings.base import *  # noqa: F403 -- a service's settings are the shared ones and its own

SERVICE = SERVICES["logsvc"]
PORT = env.port(SERVICE)
SECRET_KEY = env.secret("LOGSVC_SECRET_KEY")
ROOT_URLCONF = "logsvc.urls"
DATABASES = {"default": env.database(SERVICE)}
INSTALLED_APPS = ["logsvc.apps.LogsvcApp", "registry.client.django", *base.INSTALLED_APPS]

BODY_LIMIT_BYTES = 8 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT_BYTES
# Each way in that takes a token.
TOKEN_PATHS = [*base.TOKEN_PATHS, "/log"]
TOKEN_SCOPES = ["read", "read:", "write", "write:"]
TOKEN_LIMITS = {
    **base.TOKEN_LIMITS,
    "records_per_second": env.integer("LOGSVC_TOKEN_RECORDS_PER_SECOND", 5000, at_least=0),
    "streams": env.integer("LOGSVC_TOKEN_STREAMS", 200, at_least=0),
}
# The tokens with which the services of this system log; `provision` makes them known to the log service.
SERVICE_TOKENS = {name: env.secret(f"{name}_LOGSVC_TOKEN".upper()) for name in SERVICES}
RETENTION_DAYS = env.integer("LOGSVC_RETENTION_DAYS", 14)

CELERY_TASK_DEFAULT_QUEUE = "logsvc"
CELERY_REDBEAT_KEY_PREFIX = "logsvc:redbeat"
CELERY_BEAT_SCHEDULE = {"prune": {"task": "logsvc.tasks.prune", "schedule": 600.0}}

SILENCED_SYSTEM_CHECKS = [
    *base.SILENCED_SYSTEM_CHECKS,
    # It has no pages to be framed and no forms to be forged: every request carries a token.
    "security.W002",
    "security.W003",
]

ROLLCALL = env.membership(SERVICE, base.REGISTRY_URL)
LOGGING = logs.configuration(
    service="logsvc",
    token=env.secret("LOGSVC_LOGSVC_TOKEN"),
    spool_dir=base.DATA_DIR / "spool" / "logsvc",
)

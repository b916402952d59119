"""The log service's settings."""

from config import env, logs
from config.admin import theme as admin_theme
from config.services import SERVICES
from config.settings import base
from config.settings.base import *  # noqa: F403 -- a service's settings are the shared ones and its own

SERVICE = SERVICES["logsvc"]
PORT = env.port(SERVICE)
SECRET_KEY = env.secret("LOGSVC_SECRET_KEY")
ENCRYPTION_KEYS = env.encryption_keys(SERVICE)
ROOT_URLCONF = "logsvc.urls"
DATABASES = {"default": env.database(SERVICE)}
if DATABASES["default"]["ENGINE"] == "config.sqlite":
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        # Decided when the file is made: what retention deletes is given back to the file system piece by piece.
        "PRAGMA auto_vacuum=INCREMENTAL; "
        + DATABASES["default"]["OPTIONS"]["init_command"]
        # A page that many batches change is copied back from the write-ahead log once; 32 MB of it are recovered in a
        # fraction of a second. What is merged or deleted need not be overwritten besides.
        + " PRAGMA wal_autocheckpoint=8000; PRAGMA secure_delete=FAST;"
    )
# Where records are kept instead, such as http://user:password@host:8123/logs; all else stays in the database.
CLICKHOUSE_URL = env.optional_url("LOGSVC_CLICKHOUSE_URL")
INSTALLED_APPS = [
    "logsvc.apps.LogsvcApp",
    "registry.client.django",
    *base.INSTALLED_APPS,
    *base.ADMIN_APPS,
]
MIDDLEWARE = base.ADMIN_MIDDLEWARE
WHITENOISE_USE_FINDERS = True
APPEND_SLASH = True
UNFOLD = admin_theme.unfold(
    name="Log service",
    navigation="logsvc.admin.navigation.navigation",
    DASHBOARD_CALLBACK="logsvc.admin.overview.overview",
)
# The name under which an authenticator app lists the account.
OTP_TOTP_ISSUER = "Rollcall log service"
SESSION_COOKIE_NAME = "logsvc_session"
CSRF_COOKIE_NAME = "logsvc_csrf"
# With which the account `operator` signs in to the admin; shared with the web UI's demo accounts.
OPERATOR_PASSWORD = env.password("DEMO_OPERATOR_PASSWORD")

BODY_LIMIT_BYTES = 8 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT_BYTES
# `read` and `write` are the first release's names of `log:read` and `log:write`.
TOKEN_SCOPES = ["log:read", "log:write", "log:rules", "read", "write", "read:", "write:"]
# Each way in that takes a token.
TOKEN_PATHS = [*base.TOKEN_PATHS, "/api/", "/loki/", "/log"]
TOKEN_LIMITS = {
    **base.TOKEN_LIMITS,
    "records_per_second": env.integer("LOGSVC_TOKEN_RECORDS_PER_SECOND", 5000, at_least=0),
    "streams": env.integer("LOGSVC_TOKEN_STREAMS", 200, at_least=0),
}
NATIVE_LANES = [*base.NATIVE_LANES, "logsvc.api.native_ingest.lane", "logsvc.api.tail.lane"]
WEBSOCKET_LANES = ["logsvc.api.loki_tail.lane"]
# The tokens with which the services of this system log; `provision` makes them known to the log service.
SERVICE_TOKENS = {name: env.secret(f"{name}_LOGSVC_TOKEN".upper()) for name in SERVICES}
RETENTION_DAYS = env.integer("LOGSVC_RETENTION_DAYS", 14)
# The limit on the size of all records together, as they were sent; 0: no limit.
RETENTION_MEBIBYTES = env.integer("LOGSVC_RETENTION_MEBIBYTES", 0, at_least=0)
# Everything is archived before it is deleted; else what a retention rule says.
ARCHIVE_ALL = env.flag("LOGSVC_ARCHIVE")
ARCHIVE_DIR = env.text("LOGSVC_ARCHIVE_DIR", str(base.DATA_DIR / "archive"))

CELERY_TASK_DEFAULT_QUEUE = "logsvc"
CELERY_REDBEAT_KEY_PREFIX = "logsvc:redbeat"
CELERY_BEAT_SCHEDULE = {
    **base.HOUSEKEEPING,
    "prune": {"task": "logsvc.tasks.prune", "schedule": 600.0},
    "evaluate-alerts": {"task": "logsvc.tasks.evaluate_alerts", "schedule": 15.0, "options": {"expires": 15.0}},
    "send-alerts": {"task": "logsvc.tasks.send_alerts", "schedule": 5.0, "options": {"expires": 5.0}},
    "forget-alerts": {"task": "logsvc.tasks.forget_alerts", "schedule": 3600.0},
}
# The networks that an alert's webhook may go to; link-local, metadata and multicast addresses are refused always.
ALERT_NETWORKS = env.networks("LOGSVC_ALERT_NETWORKS", ("127.0.0.0/8", "::1/128"))

ROLLCALL = env.membership(SERVICE, base.REGISTRY_URL)
LOGGING = logs.configuration(
    service="logsvc",
    instance=env.instance(SERVICE),
    token=env.secret("LOGSVC_LOGSVC_TOKEN"),
    spool_dir=base.DATA_DIR / "spool" / "logsvc",
)

"""The registry's settings."""

from config import env, logs
from config.admin import theme as admin_theme
from config.services import SERVICES
from config.settings import base
from config.settings.base import *  # noqa: F403 -- a service's settings are the shared ones and its own

SERVICE = SERVICES["registry"]
PORT = env.port(SERVICE)
SECRET_KEY = env.secret("REGISTRY_SECRET_KEY")
# The first encrypts the secrets in the database, and all decrypt.
ENCRYPTION_KEYS = env.encryption_keys(SERVICE)
ROOT_URLCONF = "registry.urls"
DATABASES = {"default": env.database(SERVICE)}
if DATABASES["default"]["ENGINE"] == "config.postgresql":
    # Reads of large services would be compiled each time, which takes longer than they do.
    DATABASES["default"]["OPTIONS"]["options"] += " -c jit=off"
# The values that `registry.journal.log` makes; copies of another's would be taken for the same journal.
OWN_TO_EACH_DATABASE = {"registry_head": {"history": "lower(hex(randomblob(4)))"}}

INSTALLED_APPS = [
    "registry.apps.RegistryApp",
    *base.INSTALLED_APPS,
    *base.ADMIN_APPS,
    "unfold.contrib.filters",
]
MIDDLEWARE = base.ADMIN_MIDDLEWARE
NATIVE_LANES = [
    *base.NATIVE_LANES,
    "registry.api.native_reads.lane",
    "registry.api.native_writes.lane",
    "registry.api.watched.lane",
]
REST_FRAMEWORK = {**base.REST_FRAMEWORK, "DEFAULT_SCHEMA_CLASS": "registry.api.schema.Operation"}
WHITENOISE_USE_FINDERS = True
APPEND_SLASH = True
UNFOLD = admin_theme.unfold(
    name="Registry",
    navigation="registry.admin.navigation.navigation",
    DASHBOARD_CALLBACK="registry.admin.dashboard.dashboard",
)
# The name under which an authenticator app lists the account.
OTP_TOTP_ISSUER = "Rollcall registry"
SESSION_COOKIE_NAME = "registry_session"
CSRF_COOKIE_NAME = "registry_csrf"

# Sooner than a careful client gives up.
ANSWER_SECONDS = 4.0
# Not `/trial`, which waits for a receiver.
REPEATABLE_POSTS = ["/drain", "/registrations:batch", "/replay", "/resync", "/probe"]
# A batch of ten thousand registrations.
BODY_LIMIT_BYTES = 8 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT_BYTES

# `act-for`: the token's holder names the person it acts for, who is then the author of a change.
TOKEN_SCOPES = ["read", "read:", "operate", "act-for", "register:"]
TOKEN_LIMITS = {
    **base.TOKEN_LIMITS,
    "instances": env.integer("REGISTRY_TOKEN_INSTANCES", 2000, at_least=0),
    # Counted as registry/instances/allowance.py says.
    "changes_per_minute": env.integer("REGISTRY_TOKEN_CHANGES_PER_MINUTE", 600, at_least=0),
    # All that its instances require together.
    "requirements": env.integer("REGISTRY_TOKEN_REQUIREMENTS", 1000, at_least=0),
    # To one host (registry/instances/probe_rates.py).
    "probes_per_second": env.integer("REGISTRY_TOKEN_PROBES_PER_SECOND", 200, at_least=0),
    # To one host, and five times as many to all (registry/webhooks/token_rates.py).
    "webhooks_per_second": env.integer("REGISTRY_TOKEN_WEBHOOKS_PER_SECOND", 200, at_least=0),
    "streams": env.integer("REGISTRY_TOKEN_STREAMS", 1000, at_least=0),
}
# The tokens with which the services of this system come to the registry; `provision` makes them known to it.
SERVICE_TOKENS = {name: env.secret(f"{name}_REGISTRY_TOKEN".upper()) for name in SERVICES}
# With which the web UI operates the registry for a signed-in operator.
WEBUI_OPERATE_TOKEN = env.secret("WEBUI_OPERATE_TOKEN")
# With which the account `operator` signs in to the admin; shared with the web UI's demo accounts.
OPERATOR_PASSWORD = env.password("DEMO_OPERATOR_PASSWORD")

# The networks a heartbeat or a webhook may go to; link-local, metadata and multicast addresses are refused always.
ALLOWED_NETWORKS = env.networks("REGISTRY_ALLOWED_NETWORKS", ("127.0.0.0/8", "::1/128"))

# Addresses that are up as long as our own network is, such as a gateway's: when all are silent, the fault is ours.
CANARY_URLS = env.urls("REGISTRY_CANARY_URLS")
# The share of the fleet that may fall within a minute before the fault is taken to be ours.
PROTECTION_PERCENT = env.integer("REGISTRY_PROTECTION_PERCENT", 25, at_most=100)

JOURNAL_RETENTION_DAYS = env.integer("REGISTRY_JOURNAL_RETENTION_DAYS", 30)
TOMBSTONE_RETENTION_DAYS = env.integer("REGISTRY_TOMBSTONE_RETENTION_DAYS", 7)
HISTORY_RETENTION_DAYS = env.integer("REGISTRY_HISTORY_RETENTION_DAYS", 100)
DELIVERY_RETENTION_DAYS = env.integer("REGISTRY_DELIVERY_RETENTION_DAYS", 7)

WHEN_SERVING = [
    *base.WHEN_SERVING,
    "config.serving.wait_briefly",
    "config.sqlite.checkpoints.run_in_background",
    "registry.server.answer_in_time",
    "registry.tasks.stand_by_as_server",
    "registry.wakeups.run_in_background",
]
CELERY_TASK_DEFAULT_QUEUE = "registry"
CELERY_TASK_ROUTES = {"registry.tasks.sweep_heartbeats": {"queue": "registry.heartbeats"}}
CELERY_REDBEAT_KEY_PREFIX = "registry:redbeat"
CELERY_BEAT_SCHEDULE = {
    **base.HOUSEKEEPING,
    "sweep-heartbeats": {
        "task": "registry.tasks.sweep_heartbeats",
        "kwargs": {"is_tick": True},
        "schedule": 1.0,
        "options": {"expires": 5},
    },
    "sweep-notifications": {
        "task": "registry.tasks.sweep_notifications",
        "kwargs": {"is_tick": True},
        "schedule": 1.0,
        "options": {"expires": 5},
    },
    "prune": {"task": "registry.tasks.prune", "schedule": 3600.0},
}

ROLLCALL = {"REGISTRY_URL": base.REGISTRY_URL, "TOKEN": SERVICE_TOKENS["registry"]}
LOGGING = logs.configuration(
    service="registry",
    instance=env.instance(SERVICE),
    token=env.secret("REGISTRY_LOGSVC_TOKEN"),
    spool_dir=base.DATA_DIR / "spool" / "registry",
)

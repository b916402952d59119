"""Settings that all four services share. A service's own module starts with `from config.settings.base import *`."""

import socket

import django_stubs_ext

from config import env
from config.services import SERVICES

django_stubs_ext.monkeypatch()

BASE_DIR = env.BASE_DIR
DATA_DIR = env.data_dir()

DEBUG = False
ALLOWED_HOSTS = env.words("ROLLCALL_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = ["config.formats"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False

# By table and column: values that no two databases share, and the SQL that makes one (config/baseline.py).
OWN_TO_EACH_DATABASE: dict[str, dict[str, str]] = {}

INSTALLED_APPS = ["config.apps.ConfigApp", "config.tokens.apps.TokensApp", "rest_framework"]
# Added by a service with pages for people, and by one with an admin.
PAGES_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
# Only a service's serving process has an admin, which its URLs import.
ADMIN_APPS = [
    "unfold",
    "django.contrib.admin.apps.SimpleAdminConfig",
    *PAGES_APPS,
    "django_otp",
    "django_otp.plugins.otp_totp",
]

MIDDLEWARE = [
    "logsvc.client.requests.DjangoRequestIds",
    "django.middleware.security.SecurityMiddleware",
    "config.pages.PagesMiddleware",
    "config.problems.ProblemMiddleware",
    "django.middleware.common.CommonMiddleware",
]

ADMIN_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.static_files.StaticFilesMiddleware",
    "config.pages.PagesMiddleware",
    "config.problems.ProblemMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "config.sign_in.SignInMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# The lanes of a service's ASGI application that answer before Django does; see config/hybrid.py.
NATIVE_LANES = ["config.health.lane"]
# The same for WebSockets, which Django's handler does not know.
WEBSOCKET_LANES: list[str] = []
REQUEST_THREADS = env.integer("ROLLCALL_REQUEST_THREADS", 8, at_most=256)
BODY_LIMIT_BYTES = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT_BYTES
# Within which a PUT or a DELETE is answered, if only that it cannot be; None: when it is done.
ANSWER_SECONDS: float | None = None
# The ends of the addresses of which a POST is answered within that time, too: it may be sent again as a PUT may.
REPEATABLE_POSTS: list[str] = []
# The bytes that the bodies of all requests of a process may hold at one time.
BODY_BUFFER_BYTES = env.integer("ROLLCALL_BODY_BUFFER_MIB", 64, at_least=8) * 1024 * 1024
# Below these paths no body is read without a token.
TOKEN_PATHS = ["/v1/"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["config.tokens.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["config.tokens.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "config.tokens.refusals.exception_handler",
    "UNAUTHENTICATED_USER": None,
}

# The limits of a token that has none of its own; 0 is no limit. A service adds others.
TOKEN_LIMITS = {"requests_per_second": env.integer("ROLLCALL_TOKEN_REQUESTS_PER_SECOND", 500, at_least=0)}
# The proxies whose X-Forwarded-For is believed.
PROXY_NETWORKS = env.networks("ROLLCALL_PROXY_NETWORKS", ())

REDIS_URL = env.redis_url()

# Functions called once in a process that serves, as it begins.
WHEN_SERVING = ["config.file_limit.raise_limit", "config.in_force.publish"]
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A hanging connection fails instead, as when a peer is silently gone or a proxy forwards nothing.
REDIS_TIMEOUTS = {"socket_connect_timeout": 1, "socket_timeout": 5, "health_check_interval": 3}
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **REDIS_TIMEOUTS,
    "socket_keepalive": True,
    "socket_keepalive_options": {socket.TCP_KEEPIDLE: 5, socket.TCP_KEEPINTVL: 2, socket.TCP_KEEPCNT: 3},
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat.Scheduler"
# A standby, or the successor of a killed beat, tries the lock at every turn of the loop, and the lock must outlive a
# few turns. With the default of 300 s a crash would stop every schedule for five minutes.
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
# Every service with accounts schedules it beside its own.
HOUSEKEEPING = {"forget-sessions": {"task": "config.tasks.forget_sessions", "schedule": 3600.0}}
CELERY_REDBEAT_LOCK_TIMEOUT = 10

REGISTRY_URL = env.url("REGISTRY_URL", f"http://127.0.0.1:{env.port(SERVICES['registry'])}")

# Where people's browsers find each service, when that is not where the services find each other.
PUBLIC_URLS = {
    name: env.url(
        f"{service.variable_prefix}_PUBLIC_URL",
        REGISTRY_URL if name == "registry" else f"http://127.0.0.1:{env.port(service)}",
    )
    for name, service in SERVICES.items()
}

# On where people use HTTPS, through a proxy that terminates TLS and says so in X-Forwarded-Proto.
HTTPS = env.flag("ROLLCALL_HTTPS")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SILENCED_SYSTEM_CHECKS = [
    # A service cannot speak for the other hosts of its domain.
    "security.W005",
    "security.W021",
    # The proxy redirects to HTTPS; heartbeats, webhooks and the other services connect directly.
    "security.W008",
]
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
# The sessions of staff; others keep Django's two weeks.
STAFF_SESSION_SECONDS = 8 * 3600
AUTHENTICATION_BACKENDS = ["config.sign_in.GuardedBackend"]
ADMIN_PATH = "/admin/"
X_FRAME_OPTIONS = "DENY"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_files.VersionedStorage"},
}

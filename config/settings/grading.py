"""The grading service's settings."""

from config import env, logs
from config.admin import theme as admin_theme
from config.services import SERVICES
from config.settings import base
from config.settings.base import *  # noqa: F403 -- a service's settings are the shared ones and its own

SERVICE = SERVICES["grading"]
PORT = env.port(SERVICE)
SECRET_KEY = env.secret("GRADING_SECRET_KEY")
ROOT_URLCONF = "grading.urls"
DATABASES = {"default": env.database(SERVICE)}
INSTALLED_APPS = [
    "grading.apps.GradingApp",
    "registry.client.django",
    *base.INSTALLED_APPS,
    *base.ADMIN_APPS,
]
MIDDLEWARE = base.ADMIN_MIDDLEWARE
WHITENOISE_USE_FINDERS = True
UNFOLD = admin_theme.unfold(
    name="Grading",
    navigation="grading.admin.navigation.navigation",
    DASHBOARD_CALLBACK="grading.admin.overview.overview",
)
# Everybody who signs in here wants the admin.
LOGIN_REDIRECT_URL = "admin:index"
# The name under which an authenticator app lists the account.
OTP_TOTP_ISSUER = "Rollcall grading"
SESSION_COOKIE_NAME = "grading_session"
CSRF_COOKIE_NAME = "grading_csrf"
# With which the account `registrar` signs in to the admin.
REGISTRAR_PASSWORD = env.password("DEMO_REGISTRAR_PASSWORD")
# The plain addresses too take no body without a token.
TOKEN_PATHS = [*base.TOKEN_PATHS, "/students"]

# A bulk write of ten thousand grades, or a large file to import.
BODY_LIMIT_BYTES = 8 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT_BYTES
# `act-for`: the token's holder names the person it acts for, whose rights then decide.
TOKEN_SCOPES = ["read", "write", "act-for"]
# The token with which the web UI acts for the people signed in to it; `provision` makes it known here.
WEBUI_TOKEN = env.secret("WEBUI_GRADING_TOKEN")

CELERY_TASK_DEFAULT_QUEUE = "grading"
CELERY_REDBEAT_KEY_PREFIX = "grading:redbeat"
CELERY_BEAT_SCHEDULE = {
    **base.HOUSEKEEPING,
    "sweep-imports": {"task": "grading.tasks.sweep_imports", "schedule": 5.0, "options": {"expires": 5}},
    "prune": {"task": "grading.tasks.prune", "schedule": 3600.0},
}

ROLLCALL = env.membership(SERVICE, base.REGISTRY_URL)
LOGGING = logs.configuration(
    service="grading",
    instance=env.instance(SERVICE),
    token=env.secret("GRADING_LOGSVC_TOKEN"),
    spool_dir=base.DATA_DIR / "spool" / "grading",
)

"""The web UI's settings."""

from csp.constants import NONE, SELF

from config import env, logs
from config.admin import theme as admin_theme
from config.services import SERVICES
from config.settings import base
from config.settings.base import *  # noqa: F403 -- a service's settings are the shared ones and its own

SERVICE = SERVICES["webui"]
PORT = env.port(SERVICE)
SECRET_KEY = env.secret("WEBUI_SECRET_KEY")
# For the addresses of alerts, which hold passwords.
ENCRYPTION_KEYS = env.encryption_keys(SERVICE)
ROOT_URLCONF = "webui.urls"
DATABASES = {"default": env.database(SERVICE)}
INSTALLED_APPS = [
    "webui.apps.WebuiApp",
    "registry.client.django",
    *base.INSTALLED_APPS,
    *base.ADMIN_APPS,
    "django_htmx",
    "template_partials",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.static_files.StaticFilesMiddleware",
    "config.pages.PagesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "config.sign_in.SignInMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "webui.zones.ZoneMiddleware",
]
TEMPLATES = [
    *base.TEMPLATES,
    # Fragments of hundreds of rows; everything else is written in Django's own language.
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": True,
        "NAME": "jinja2",
        "OPTIONS": {"environment": "webui.fragments.environment"},
    },
]
WHITENOISE_USE_FINDERS = True
UNFOLD = admin_theme.unfold(
    name="Web UI",
    navigation="webui.admin.navigation.navigation",
    DASHBOARD_CALLBACK="webui.admin.overview.overview",
)
# The name under which an authenticator app lists the account.
OTP_TOTP_ISSUER = "Rollcall web UI"
SESSION_COOKIE_NAME = "webui_session"
CSRF_COOKIE_NAME = "webui_csrf"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
# A working day; a browser that was left open on Friday asks for the password on Monday.
SESSION_COOKIE_AGE = 12 * 3600
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
CSRF_FAILURE_VIEW = "webui.views.errors.answer_csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
# The languages that pages are written in: English, and whatever a catalogue is added for under webui/locale/.
LANGUAGES = [("en", "English")]
LANGUAGE_CODE = "en"
# However many people look at the same page, the other service is asked only once in this time.
ANSWERS_FRESH_SECONDS = 1.0
# No page waits longer than this for another service: a panel then shows the last answer.
UPSTREAM_SECONDS = env.integer("WEBUI_UPSTREAM_SECONDS", 2, at_most=60)
TOKEN_SCOPES: list[str] = []
GRADING_TOKEN = env.secret("WEBUI_GRADING_TOKEN")
LOGSVC_TOKEN = env.secret("WEBUI_LOGSVC_TOKEN")
# The token with which operators' actions are sent to the registry, in the name of the person who is signed in.
WEBUI_OPERATE_TOKEN = env.secret("WEBUI_OPERATE_TOKEN")
# The accounts of the demonstration; `provision` makes them.
DEMO_PASSWORDS = {
    name: env.password(f"DEMO_{name.upper()}_PASSWORD") for name in ("teacher", "assistant", "student", "operator")
}

CELERY_TASK_DEFAULT_QUEUE = "webui"
CELERY_REDBEAT_KEY_PREFIX = "webui:redbeat"
CELERY_BEAT_SCHEDULE = {
    **base.HOUSEKEEPING,
    "watch": {"task": "webui.tasks.watch", "schedule": 5.0, "options": {"expires": 5}},
}

ROLLCALL = env.membership(SERVICE, base.REGISTRY_URL)
LOGGING = logs.configuration(
    service="webui",
    instance=env.instance(SERVICE),
    token=LOGSVC_TOKEN,
    spool_dir=base.DATA_DIR / "spool" / "webui",
)

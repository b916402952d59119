"""All four services in one process, for the test suite and for mypy; a service's own tests also pass on its own."""

import atexit
import os
import shutil
import tempfile

# Before the services' settings are read: they must find neither this machine's data nor its Redis.
os.environ["ROLLCALL_DATA_DIR"] = _data_dir = tempfile.mkdtemp(prefix="rollcall-test-")
# Registered first, so that it comes last.
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)

from config.settings import grading, logsvc, registry, webui  # noqa: E402 -- see above
from config.settings.base import *  # noqa: E402, F403 -- the shared settings and those of each service

SERVICE = registry.SERVICE
PORT = registry.PORT
SECRET_KEY = "only-for-tests"
ENCRYPTION_KEYS = ["only-for-tests"]
ROOT_URLCONF = "registry.urls"
DATABASES = {"default": registry.DATABASES["default"]}

INSTALLED_APPS = list(
    dict.fromkeys([*registry.INSTALLED_APPS, *logsvc.INSTALLED_APPS, *grading.INSTALLED_APPS, *webui.INSTALLED_APPS])
)
MIDDLEWARE = list(dict.fromkeys([*registry.MIDDLEWARE, *webui.MIDDLEWARE]))
TEMPLATES = webui.TEMPLATES
REST_FRAMEWORK = registry.REST_FRAMEWORK
TOKEN_SCOPES = list(
    dict.fromkeys([*registry.TOKEN_SCOPES, *logsvc.TOKEN_SCOPES, *grading.TOKEN_SCOPES, *webui.TOKEN_SCOPES])
)
# Tests that reach a limit set it themselves.
TOKEN_LIMITS = dict.fromkeys([*registry.TOKEN_LIMITS, *logsvc.TOKEN_LIMITS], 0)
SERVICE_TOKENS = registry.SERVICE_TOKENS

# Settings of one service alone; named one by one, so that mypy sees them and no linter takes them for unused.
UNFOLD = registry.UNFOLD
ALLOWED_NETWORKS = registry.ALLOWED_NETWORKS
UPSTREAM_SECONDS = webui.UPSTREAM_SECONDS
WEBUI_OPERATE_TOKEN = registry.WEBUI_OPERATE_TOKEN
OPERATOR_PASSWORD = registry.OPERATOR_PASSWORD
CANARY_URLS = registry.CANARY_URLS
PROTECTION_PERCENT = registry.PROTECTION_PERCENT
JOURNAL_RETENTION_DAYS = registry.JOURNAL_RETENTION_DAYS
HISTORY_RETENTION_DAYS = registry.HISTORY_RETENTION_DAYS
TOMBSTONE_RETENTION_DAYS = registry.TOMBSTONE_RETENTION_DAYS
DELIVERY_RETENTION_DAYS = registry.DELIVERY_RETENTION_DAYS
RETENTION_DAYS = logsvc.RETENTION_DAYS
CLICKHOUSE_URL = logsvc.CLICKHOUSE_URL
ALERT_NETWORKS = logsvc.ALERT_NETWORKS
RETENTION_MEBIBYTES = logsvc.RETENTION_MEBIBYTES
ARCHIVE_ALL = logsvc.ARCHIVE_ALL
ARCHIVE_DIR = logsvc.ARCHIVE_DIR
WEBUI_TOKEN = grading.WEBUI_TOKEN
REGISTRAR_PASSWORD = grading.REGISTRAR_PASSWORD
GRADING_TOKEN = webui.GRADING_TOKEN
LOGSVC_TOKEN = webui.LOGSVC_TOKEN
# A test sees at once what it has changed.
ANSWERS_FRESH_SECONDS = 0.0
LOGIN_URL = webui.LOGIN_URL
LOGIN_REDIRECT_URL = webui.LOGIN_REDIRECT_URL
CONTENT_SECURITY_POLICY = webui.CONTENT_SECURITY_POLICY
DEMO_PASSWORDS = webui.DEMO_PASSWORDS

CELERY_BROKER_URL = "memory://"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True

# Tests that join a registry say so themselves.
ROLLCALL = {"REGISTRY_URL": "http://registry.test", "TOKEN": "rct_test"}
LOGGING = {"version": 1, "disable_existing_loggers": False}

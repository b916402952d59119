"""A Django project as anybody's, that joins the registry; tests/clients/registry/django/test_servers.py serves it."""

import os

SECRET_KEY = "only-for-tests"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "project.urls"
INSTALLED_APPS = ["registry.client.django"]
ROLLCALL = {
    "REGISTRY_URL": os.environ["REGISTRY_URL"],
    "TOKEN": os.environ["REGISTRY_TOKEN"],
    "SERVICE": "library",
    "INSTANCE": "library-1",
    "URL": f"http://127.0.0.1:{os.environ['PORT']}",
    "REQUIRES": ["grading"],
    "STATE_DIR": os.environ["STATE_DIR"],
}

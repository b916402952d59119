"""The Celery application of the service that DJANGO_SETTINGS_MODULE names."""

from celery import Celery

app = Celery("rollcall")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

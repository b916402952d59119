"""The Celery application of the service that DJANGO_SETTINGS_MODULE names."""

from celery import Celery
from django.conf import settings

app = Celery("rollcall")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Under the names that redbeat looks for: it finds the values of a namespace too, but takes them for forgotten, says so
# at every start, and leaves its connection without a time limit.
app.add_defaults(
    lambda: {
        "redbeat_redis_url": settings.REDIS_URL,
        "redbeat_redis_options": settings.CELERY_BROKER_TRANSPORT_OPTIONS,
    }
)
app.autodiscover_tasks()

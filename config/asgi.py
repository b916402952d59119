"""The application that serves the service DJANGO_SETTINGS_MODULE names; see config/hybrid.py for its lanes."""

from django.conf import settings
from django.utils.module_loading import import_string

from config.callers import caller_of
from config.hosts import Hosts
from config.hybrid import Hybrid
from config.tokens.admission import Admission
from config.tokens.gate import note_in_native_lane
from config.wsgi import application as django_application

application = Hybrid(
    django_application,
    lanes=[import_string(path) for path in settings.NATIVE_LANES],
    websocket_lanes=[import_string(path) for path in settings.WEBSOCKET_LANES],
    threads=settings.REQUEST_THREADS,
    body_limit_bytes=settings.BODY_LIMIT_BYTES,
    buffer_bytes=settings.BODY_BUFFER_BYTES,
    hosts=Hosts(settings.ALLOWED_HOSTS),
    admission=Admission(),
    answer_seconds=settings.ANSWER_SECONDS,
    repeatable_posts=settings.REPEATABLE_POSTS,
    on_problem=note_in_native_lane,
    caller_of=caller_of,
)

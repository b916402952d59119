"""Django's own log of what people did in an admin, for what its forms do not log by themselves."""

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest


def add(
    request: HttpRequest, subject: str, message: str, *, key: object, model: type[Model], removes: bool = False
) -> None:
    """`subject` is what was changed, as people name it; `key` its primary key, None for what has none."""
    assert isinstance(request.user, User), "nobody else is let into the admin"
    LogEntry.objects.create(
        user_id=request.user.pk,
        content_type=ContentType.objects.get_for_model(model),
        object_id=None if key is None else str(key),
        object_repr=subject[:200],
        action_flag=DELETION if removes else CHANGE,
        change_message=message,
    )

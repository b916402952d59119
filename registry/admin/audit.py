"""Django's own log of what people did in the admin; what changes the registry has an author in the journal too."""

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

from registry.models import Instance, InstanceKey, Protection

PROTECTION = "protection"


def author(request: HttpRequest) -> str:
    """The author of a change in the journal."""
    return f"admin:{request.user.get_username()}"


def key_of(target: InstanceKey) -> str | None:
    """The instance's key, read before it may be removed; None for a whole service and for an unknown instance."""
    key = Instance.objects.filter(service=target.service, name=target.instance).values_list("pk", flat=True).first()
    return None if key is None else str(key)


def log(
    request: HttpRequest,
    subject: str,
    message: str,
    *,
    key: str | None,
    removes: bool = False,
    model: type[Model] = Instance,
) -> None:
    """`subject` is an instance, a service, a kind of records or PROTECTION, as people name it."""
    assert isinstance(request.user, User), "nobody else is let into the admin"
    LogEntry.objects.create(
        user_id=request.user.pk,
        content_type=ContentType.objects.get_for_model(Protection if subject == PROTECTION else model),
        object_id=key,
        object_repr=subject[:200],
        action_flag=DELETION if removes else CHANGE,
        change_message=message,
    )

"""Django's own log of what somebody did in the admin; what changes the registry has an author in the journal too."""

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from registry.models import Instance, InstanceKey, Protection

PROTECTION = "protection"


def author(request: HttpRequest) -> str:
    """Who the journal is told it was."""
    return f"admin:{request.user.get_username()}"


def key_of(target: InstanceKey) -> str | None:
    """To be asked for before it may be removed; None for a whole service, and for what is not there."""
    key = Instance.objects.filter(service=target.service, name=target.instance).values_list("pk", flat=True).first()
    return None if key is None else str(key)


def log(request: HttpRequest, subject: str, message: str, *, key: str | None, removes: bool = False) -> None:
    """`subject` is an instance, a service, or PROTECTION, by the name that people know it by."""
    assert isinstance(request.user, User), "nobody else is let into the admin"
    model = Protection if subject == PROTECTION else Instance
    LogEntry.objects.create(
        user_id=request.user.pk,
        content_type=ContentType.objects.get_for_model(model),
        object_id=key,
        object_repr=subject,
        action_flag=DELETION if removes else CHANGE,
        change_message=message,
    )

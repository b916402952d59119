"""Django's own log of what people did in the admin; what changes the registry has an author in the journal too."""

from django.db.models import Model
from django.http import HttpRequest

from config.admin import log as admin_log
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
    admin_log.add(
        request, subject, message, key=key, model=Protection if subject == PROTECTION else model, removes=removes
    )

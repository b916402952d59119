"""Replaces the signing secret of an instance's webhooks for an operator."""

from datetime import datetime

from config.problems import Conflict
from registry.client.webhook import new_secret
from registry.database import retry
from registry.errors import UnknownInstance
from registry.instances.storage import ROTATION_OVERLAP
from registry.journal import log
from registry.models import Change, Instance, InstanceKey
from registry.wire import bodies


@retry.retried
def rotate(key: InstanceKey, *, reason: str, author: str, now: datetime) -> str:
    """Replace the instance's secret and return the new one, which is shown only once.

    For ROTATION_OVERLAP webhooks are signed with both. Raises UnknownInstance, Conflict when it takes no webhooks.
    """
    instance = Instance.objects.select_for_update().filter(service=key.service, name=key.instance).first()
    if instance is None:
        raise UnknownInstance(key.service, key.instance)
    if instance.notify_url is None:
        raise Conflict(f"{instance} takes no webhooks: register it with a notify_url.")
    before = bodies.offer_digest(instance)
    secret = new_secret()
    instance.previous_notify_secret = instance.notify_secret
    instance.previous_secret_until = now + ROTATION_OVERLAP
    instance.notify_secret = secret
    instance.save(update_fields=["notify_secret", "previous_notify_secret", "previous_secret_until"])
    words = f"changed: notify_secret{f' ({reason})' if reason else ''}"
    draft = log.Draft(change=Change.CHANGED, instance=instance, before=before, author=author, reason=words[:500])
    log.append([draft], now=now)
    return secret

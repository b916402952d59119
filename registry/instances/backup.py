"""Export and import of registrations and maintenance, as one JSON document."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.db import transaction
from msgspec import Meta, Struct

from config.parsers import check_keys
from config.problems import Invalid
from registry.instances import declaration, overrides, registration
from registry.models import Instance, Maintenance
from registry.models.sealing import opened
from registry.wire.bodies import instance_body, maintenance_body
from registry.wire.declaration import Declaration
from registry.wire.limits import Reason, ServiceName
from registry.wire.validation import invalid

FORMAT = "rollcall-registry-1"


class ArchivedMaintenance(Struct, frozen=True, kw_only=True):
    service: ServiceName
    instance: str = ""
    reason: Reason = ""
    author: str = ""
    until: Annotated[datetime, Meta(tz=True)] | None = None


class Archive(Struct, frozen=True, kw_only=True):
    format: str
    instances: list[dict[str, Any]] = []
    maintenance: list[ArchivedMaintenance] = []


def export(*, with_secrets: bool) -> dict[str, Any]:
    """Everything that was declared, without the verdicts. Without secrets, `notify_url` is left out too."""
    return {
        "format": FORMAT,
        "instances": [_declared(each, with_secrets=with_secrets) for each in Instance.objects.all()],
        "maintenance": [maintenance_body(each) for each in Maintenance.objects.all()],
    }


@transaction.atomic
def restore(document: bytes, *, author: str, now: datetime) -> dict[str, int]:
    """Register what the document holds: all of it, or nothing where anything is wrong. Idempotent.

    A registered instance keeps what the document leaves out: its `notify_url`, its secret and its incarnation.
    Returns how many instances were new, changed and unchanged. Raises Invalid, which names the member.
    """
    try:
        archive = msgspec.json.decode(document, type=Archive)
        check_keys(document, msgspec.json.decode(document))
    except msgspec.ValidationError as error:
        raise invalid(error, Archive) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"The file is not JSON: {error}.") from error
    if archive.format != FORMAT:
        raise Invalid(f"The file's format is {archive.format!r}, not {FORMAT!r}: give one made by export_registry.")
    counts = {"registered": 0, "changed": 0, "unchanged": 0}
    for index, members in enumerate(archive.instances):
        before = Instance.objects.filter(service=members.get("service"), name=members.get("instance")).first()
        try:
            key = declaration.instance_key(str(members.get("service", "")), str(members.get("instance", "")))
            declared = declaration.declaration(members if before is None else _kept(before, members))
        except Invalid as problem:
            errors = [{**each, "pointer": f"/instances/{index}{each['pointer']}"} for each in problem.errors or []]
            raise Invalid("Nothing was imported.", errors=errors) from problem
        registered = registration.register(key, declared, author=author, now=now)
        unchanged = before is not None and before.revision == registered.instance.revision
        counts["registered" if before is None else "unchanged" if unchanged else "changed"] += 1
    for each in archive.maintenance:
        if each.until is not None and each.until <= now:
            continue
        overrides.begin_maintenance(
            each.service, each.instance, until=each.until, reason=each.reason, author=each.author or author, now=now
        )
    return counts


def _declared(instance: Instance, *, with_secrets: bool) -> dict[str, Any]:
    body = instance_body(instance)
    names = [*Declaration.__struct_fields__, "service", "instance"]
    members = {name: body[name] for name in names if name in body}
    if with_secrets:
        members["notify_secret"] = _secret(instance)
    else:
        # Nothing could be signed without the secret: an instance gives both when it registers next.
        members.pop("notify_url")
    return members


def _secret(instance: Instance) -> str | None:
    return None if instance.notify_secret is None else opened(instance.notify_secret)


def _kept(instance: Instance, members: dict[str, Any]) -> dict[str, Any]:
    """The document's members, and what they leave out of a registered instance."""
    kept: dict[str, Any] = {"incarnation": instance.incarnation}
    if members.get("notify_url") is None:
        kept |= {"notify_url": instance.notify_url, "notify_secret": _secret(instance)}
    elif members["notify_url"] == instance.notify_url:
        kept["notify_secret"] = _secret(instance)
    return {**kept, **{name: value for name, value in members.items() if value is not None}}

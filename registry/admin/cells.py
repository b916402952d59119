"""The contents of table cells: links, badges, times and durations, and the addresses of pages."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config import escaping, masking
from config.admin.cells import moment as moment
from config.admin.cells import state as state
from config.admin.cells import table as table
from config.admin.cells import when as when
from registry.models import Delivery, Instance, InstanceKey
from registry.wire.limits import SHOWN_STATUSES

NOTHING = SafeString('<span class="rc-none"></span>')


def status(instance: Instance) -> SafeString:
    shown = state(instance.shown_status)
    return format_html("{} {}", shown, state("suspect")) if instance.is_suspect else shown


def statuses(counts: Mapping[str, int]) -> SafeString:
    found = [state(name, f"{counts[name]} {name}") for name in SHOWN_STATUSES if counts.get(name)]
    return joined(found) if found else state("missing", "no instance")


def service_link(service: str, *, is_down: bool = False) -> SafeString:
    link = format_html('<a class="rc-name" href="{}">{}</a>', service_url(service), service)
    return format_html("{} {}", link, state("critical", "down")) if is_down else link


def instance_link(instance: Instance) -> SafeString:
    return format_html('<a class="rc-name" href="{}">{}</a>', instance_url(instance.pk), instance.name)


def delivery_link(delivery: Delivery) -> SafeString:
    url = reverse("admin:registry_delivery_change", args=[delivery.pk])
    return format_html('<a class="rc-link rc-nowrap" href="{}">{}</a>', url, moment(delivery.at))


def subject_link(service: str, instance: str) -> SafeString:
    """An instance by its name, which may be registered no more: it leads to its service."""
    return format_html('<a class="rc-name" href="{}">{}/{}</a>', service_url(service), service, instance)


def code(value: Any) -> SafeString:
    """Text as it is, or anything else as JSON, in which members that sound like secrets are masked."""
    shown = value if isinstance(value, str) else json.dumps(masking.masked(value), indent=2, default=str)
    return format_html('<pre class="rc-code">{}</pre>', escaping.visible(shown, keep="\n"))


def visible(value: str) -> str:
    """Text of others, with the characters escaped that act on the display."""
    return escaping.visible(value)


def text(value: str) -> SafeString | str:
    """A cell that may be empty; an empty one takes no line on a narrow screen."""
    return value or NOTHING


def seconds(value: float) -> str:
    """A duration as people read it: 4 ms, 2.5 s, 3 min."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value == float("inf"):
        return "more than 30 s"
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.0f} min"


def joined(parts: Iterable[str]) -> SafeString:
    return format_html(
        '<span class="rc-states">{}</span>', format_html_join("", "<span>{}</span>", ((part,) for part in parts))
    )


def instances_url(**filters: str) -> str:
    """The list of instances, with these filters on."""
    return f"{reverse('admin:registry_instance_changelist')}?{urlencode(filters)}"


def services_url() -> str:
    return reverse("admin:registry_services")


def service_url(service: str) -> str:
    return reverse("admin:registry_service", args=[service])


def instance_url(key: int) -> str:
    return reverse("admin:registry_instance_change", args=[key])


def operation_url(name: str, targets: Iterable[InstanceKey] = (), **initial: object) -> str:
    """The page on which an operation is asked for; `initial` fills its form."""
    named = [("target", f"{each.service}/{each.instance}".rstrip("/")) for each in targets]
    return f"{reverse('admin:registry_operation', args=[name])}?{urlencode([*named, *initial.items()])}"

"""What stands in the cells of the admin's tables: links, labels and times."""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlencode

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from registry.models import Instance, InstanceKey, Status

VARIANTS = {
    Status.PASSING: "success",
    Status.WARNING: "warning",
    Status.CRITICAL: "danger",
    Status.STARTING: "info",
    "maintenance": "warning",
    "draining": "warning",
}


def label(text: str, variant: str = "") -> SafeString:
    return render_to_string(
        "unfold/helpers/label.html", {"text": text, "variant": variant, "size": "md", "class": "self-center"}
    )


def status(instance: Instance) -> SafeString:
    shown = label(instance.shown_status, VARIANTS[instance.shown_status])
    return format_html("{} {}", shown, label("suspect", "danger")) if instance.is_suspect else shown


def statuses(counts: dict[str, int]) -> SafeString:
    labels = [label(f"{counts[name]} {name}", variant) for name, variant in VARIANTS.items() if counts.get(name)]
    return joined(labels) if labels else label("no instance")


def service_link(service: str, *, is_down: bool = False) -> SafeString:
    link = format_html(
        '<a class="self-center text-primary-600 dark:text-primary-400" href="{}">{}</a>', service_url(service), service
    )
    return format_html("{} {}", link, label("down", "danger")) if is_down else link


def instance_link(instance: Instance) -> SafeString:
    return format_html(
        '<a class="self-center text-primary-600 dark:text-primary-400" href="{}">{}</a>',
        instance_url(instance.pk),
        instance.name,
    )


def joined(parts: Iterable[str]) -> SafeString:
    return format_html(
        '<span class="flex flex-wrap gap-2 self-center">{}</span>',
        format_html_join("", "<span>{}</span>", ((p,) for p in parts)),
    )


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


def when(at: datetime | None) -> SafeString:
    """For a narrow cell: it stays on one line."""
    return format_html('<span class="whitespace-nowrap">{}</span>', moment(at))


def moment(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"

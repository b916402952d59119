"""Instances as target groups of Prometheus' HTTP service discovery."""

import re
from typing import Any
from urllib.parse import urlsplit

from registry.models import Instance
from registry.outbound.urls import DEFAULT_PORTS

_NOT_IN_A_LABEL = re.compile(r"[^a-zA-Z0-9_]")


def group(instance: Instance) -> dict[str, Any]:
    """One target, with labels for its series and `__meta_rollcall_*` for relabelling only."""
    parts = urlsplit(instance.url)
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 80)
    host = parts.hostname or ""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    labels = {
        "service": instance.service,
        "instance": instance.name,
        "zone": instance.zone,
        "version": instance.version,
        "__scheme__": parts.scheme,
        "__meta_rollcall_service": instance.service,
        "__meta_rollcall_instance": instance.name,
        "__meta_rollcall_url": instance.url,
        "__meta_rollcall_status": instance.shown_status,
        # As in Prometheus' own discoveries: a comma at both ends, so that `.*,blue,.*` matches one tag.
        "__meta_rollcall_tags": f",{','.join(instance.tags)}," if instance.tags else "",
    }
    for name, value in sorted(instance.metadata.items()):
        labels["__meta_rollcall_metadata_" + _NOT_IN_A_LABEL.sub("_", name)] = value
    return {"targets": [target], "labels": labels}

"""Instances as target groups of Prometheus' HTTP service discovery."""

import logging
import re
from collections.abc import Iterable
from typing import Any

from registry.models import Instance
from registry.outbound import urls

_NOT_IN_A_LABEL = re.compile(r"[^a-zA-Z0-9_]")

logger = logging.getLogger(__name__)


def groups(instances: Iterable[Instance]) -> list[dict[str, Any]]:
    """A group for each, but for those whose URL names no target: they must not keep the others from being scraped."""
    found = []
    for instance in instances:
        try:
            found.append(group(instance))
        except ValueError as error:
            logger.warning("%s is no target for Prometheus: %s", instance, error)
    return found


def group(instance: Instance) -> dict[str, Any]:
    """One target, with labels for its series and `__meta_rollcall_*` for relabelling only. Raises ValueError."""
    origin = urls.parse(instance.url).origin
    labels = {
        "service": instance.service,
        "instance": instance.name,
        "zone": instance.zone,
        "version": instance.version,
        "__scheme__": origin.scheme,
        "__meta_rollcall_service": instance.service,
        "__meta_rollcall_instance": instance.name,
        "__meta_rollcall_url": instance.url,
        "__meta_rollcall_status": instance.shown_status,
        # As in Prometheus' own discoveries: a comma at both ends, so that `.*,blue,.*` matches one tag.
        "__meta_rollcall_tags": f",{','.join(instance.tags)}," if instance.tags else "",
    }
    # When several names give the same label, the one that is that label counts, else the first in order.
    for name in sorted(instance.metadata, key=lambda name: (_NOT_IN_A_LABEL.search(name) is not None, name)):
        labels.setdefault("__meta_rollcall_metadata_" + _NOT_IN_A_LABEL.sub("_", name), instance.metadata[name])
    return {"targets": [str(origin)], "labels": labels}

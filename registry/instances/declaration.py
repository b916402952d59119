"""Checks what a service declares when it registers, before anything is written."""

import re
from functools import lru_cache
from typing import Any

from django.conf import settings
from msgspec import Struct

from config.problems import Invalid
from registry.models import InstanceKey
from registry.outbound.address_policy import AddressPolicy
from registry.outbound.own_endpoints import OwnEndpoints
from registry.wire.declaration import Declaration
from registry.wire.limits import (
    INSTANCE_PATTERN,
    INSTANCE_RULE,
    LONGEST_URL,
    SECRET_BYTES,
    SERVICE_PATTERN,
    SERVICE_RULE,
    Reason,
)
from registry.wire.signature import key_of
from registry.wire.validation import convert


class _Reasoned(Struct):
    reason: Reason


_SERVICE = re.compile(SERVICE_PATTERN)
_INSTANCE = re.compile(INSTANCE_PATTERN)


def instance_key(service: str, instance: str) -> InstanceKey:
    """The key of an instance. Raises Invalid when one of the two is not a name."""
    check_names(service=service, instance=instance)
    return InstanceKey(service=service, instance=instance)


def check_reason(reason: str) -> str:
    """The reason, when it is short and plain enough to be stored. Raises Invalid."""
    return convert({"reason": reason}, _Reasoned).reason


def check_names(**names: str) -> None:
    """Check the names in an address: `service` and `instance`. Raises Invalid, which names each that is wrong."""
    wrong = []
    for member, value in names.items():
        pattern, rule = (_SERVICE, SERVICE_RULE) if member == "service" else (_INSTANCE, INSTANCE_RULE)
        if not pattern.match(value):
            wrong.append({"pointer": f"/{member}", "detail": f"{value!r} is no name: {rule}."})
    if wrong:
        raise Invalid("This names no instance.", errors=wrong)


def declaration(members: Any) -> Declaration:
    """Check a decoded body. Raises Invalid, which names each wrong URL and secret, or the first wrong member."""
    declared = convert(members, Declaration)
    policy = address_policy()
    urls = {"/url": declared.url, "/heartbeat/url": declared.heartbeat.url, "/notify_url": declared.notify_url}
    refusals = {pointer: policy.check_url(url) for pointer, url in urls.items() if url is not None}
    if "?" in declared.url:
        refusals["/url"] = "Callers append a path to it, so it has no query: leave out '?' and what follows."
    wrong = [(pointer, refusal) for pointer, refusal in refusals.items() if refusal]
    if len(declared.heartbeat_url) > LONGEST_URL:
        with_path = f"With `/healthz` it is longer than {LONGEST_URL} characters"
        wrong.append(("/url", f"{with_path}: shorten it, or send the heartbeat's `url`."))
    if declared.notify_url is not None and len(key_of(declared.notify_secret or "")) not in SECRET_BYTES:
        needed = "A notify_url needs a notify_secret: 'whsec_' and 24 to 64 random bytes in base64."
        wrong.append(("/notify_secret", needed))
    if wrong:
        errors = [{"pointer": pointer, "detail": detail} for pointer, detail in wrong]
        raise Invalid("See `errors` for each member.", errors=errors)
    return declared


def address_policy() -> AddressPolicy:
    """The policy that judges addresses when they are declared, and again when they are called."""
    return _policy(tuple(settings.ALLOWED_NETWORKS))


@lru_cache(maxsize=8)
def _policy(networks: tuple[str, ...]) -> AddressPolicy:
    return AddressPolicy(networks, OwnEndpoints().known)

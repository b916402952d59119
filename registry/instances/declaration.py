"""What a service declares of itself when it registers, checked whole before anything is written."""

import re
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from django.conf import settings
from msgspec import Meta, Struct

from config.problems import Invalid
from registry.models import InstanceKey
from registry.outbound import own_endpoints
from registry.outbound.address_policy import AddressPolicy
from registry.wire.signature import key_of
from registry.wire.validation import NAME_PATTERN, NAME_RULE, invalid

NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
SECRET_BYTES = range(24, 65)

Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
LONGEST_URL = 500
LONGEST_REASON = 500
Url = Annotated[str, Meta(min_length=1, max_length=LONGEST_URL)]
Label = Annotated[str, Meta(max_length=100)]
Shape = TypeVar("Shape", bound=Struct)


class HeartbeatDeclaration(Struct, frozen=True, kw_only=True):
    kind: Literal["http", "tcp", "ttl"] = "tcp"
    url: Url | None = None
    interval_seconds: Annotated[float, Meta(ge=1, le=3600)] = 10.0
    timeout_seconds: Annotated[float, Meta(ge=0.1, le=60)] = 5.0
    warn_after_seconds: Annotated[float, Meta(ge=0.001, le=60)] | None = None
    failures_before_critical: Annotated[int, Meta(ge=1, le=100)] = 3
    successes_before_passing: Annotated[int, Meta(ge=1, le=100)] = 1
    deregister_after_seconds: Annotated[float, Meta(ge=1, le=31_536_000)] | None = None


class Declaration(Struct, frozen=True, kw_only=True):
    """The body of a registration (docs/protocol.md)."""

    url: Url
    requires: Annotated[list[Name], Meta(max_length=200)] = []
    notify_url: Url | None = None
    notify_secret: Annotated[str, Meta(max_length=120)] | None = None
    heartbeat: HeartbeatDeclaration = HeartbeatDeclaration()
    tags: Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=32)] = []
    incarnation: Annotated[str, Meta(max_length=64)] = ""
    zone: Label = ""
    version: Label = ""
    weight: Annotated[int, Meta(ge=0, le=1000)] = 100
    metadata: Annotated[
        dict[Annotated[str, Meta(min_length=1, max_length=64)], Annotated[str, Meta(max_length=512)]],
        Meta(max_length=64),
    ] = {}

    @property
    def heartbeat_url(self) -> str:
        if self.heartbeat.url is not None:
            return self.heartbeat.url
        return f"{self.url.rstrip('/')}/healthz" if self.heartbeat.kind == "http" else self.url


def instance_key(service: str, instance: str) -> InstanceKey:
    """Raises Invalid when one of the two is no name."""
    check_names(service=service, instance=instance)
    return InstanceKey(service=service, instance=instance)


def check_reason(reason: str) -> str:
    """Raises Invalid when it is longer than is kept of one."""
    if len(reason) > LONGEST_REASON:
        detail = f"It is longer than {LONGEST_REASON} characters: shorten it."
        raise Invalid("See `errors` for each member.", errors=[{"pointer": "/reason", "detail": detail}])
    return reason


def check_names(**names: str) -> None:
    """Raises Invalid naming each, by what it should name, that is no name."""
    wrong = [
        {"pointer": f"/{member}", "detail": f"{value!r} is no name: {NAME_RULE}."}
        for member, value in names.items()
        if not NAME.fullmatch(value)
    ]
    if wrong:
        raise Invalid("This names no instance.", errors=wrong)


def declaration(members: Any) -> Declaration:
    """Check a decoded body. Raises Invalid naming every URL or secret that is wrong, or the first wrong member."""
    declared = convert(members, Declaration)
    wrong = [*_wrong_urls(declared), *_wrong_length(declared), *_wrong_secret(declared)]
    if wrong:
        raise Invalid("See `errors` for each member.", errors=wrong)
    return declared


def convert(members: Any, kind: type[Shape]) -> Shape:
    """A decoded body as a struct. Raises Invalid naming the first wrong member."""
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        raise invalid(error, kind) from error


def address_policy() -> AddressPolicy:
    """By which addresses are judged when they are declared and again when they are called."""
    return _policy(tuple(settings.ALLOWED_NETWORKS), own_endpoints.own)


_policy = lru_cache(maxsize=8)(AddressPolicy)


def _wrong_urls(declared: Declaration) -> list[dict[str, str]]:
    policy = address_policy()
    urls = {"/url": declared.url, "/heartbeat/url": declared.heartbeat.url, "/notify_url": declared.notify_url}
    refusals = {pointer: policy.check_url(url) for pointer, url in urls.items() if url is not None}
    return [{"pointer": pointer, "detail": refusal} for pointer, refusal in refusals.items() if refusal]


def _wrong_length(declared: Declaration) -> list[dict[str, str]]:
    if len(declared.heartbeat_url) <= LONGEST_URL:
        return []
    detail = f"With `/healthz` it is longer than {LONGEST_URL} characters: shorten it, or send the heartbeat's `url`."
    return [{"pointer": "/url", "detail": detail}]


def _wrong_secret(declared: Declaration) -> list[dict[str, str]]:
    if declared.notify_url is None:
        return []
    if declared.notify_secret is not None and len(key_of(declared.notify_secret)) in SECRET_BYTES:
        return []
    return [
        {
            "pointer": "/notify_secret",
            "detail": "A notify_url needs a notify_secret: 'whsec_' and 24 to 64 random bytes in base64.",
        }
    ]

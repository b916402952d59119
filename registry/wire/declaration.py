"""The body of a registration, as a client sends it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from registry.wire.limits import PROSE_PATTERN, Incarnation, Label, ServiceName, Tag, Url

Kind = Literal["auto", "http", "tcp", "ttl"]


class HeartbeatDeclaration(Struct, frozen=True, kw_only=True):
    kind: Kind = "auto"
    url: Url | None = None
    interval_seconds: Annotated[float, Meta(ge=1, le=3600)] = 10.0
    timeout_seconds: Annotated[float, Meta(ge=0.1, le=60)] = 5.0
    warn_after_seconds: Annotated[float, Meta(ge=0.001, le=60)] | None = None
    failures_before_critical: Annotated[int, Meta(ge=1, le=100)] = 3
    successes_before_passing: Annotated[int, Meta(ge=1, le=100)] = 1
    deregister_after_seconds: Annotated[float, Meta(ge=1, le=31_536_000)] | None = None
    watch: bool = False
    # In an answer: the registry chose the kind. Sent back, it leaves the kind to the registry as `auto` does.
    chosen: bool = False


class Declaration(Struct, frozen=True, kw_only=True):
    url: Url
    requires: Annotated[list[ServiceName], Meta(max_length=200)] = []
    notify_url: Url | None = None
    notify_secret: Annotated[str, Meta(max_length=120)] | None = None
    heartbeat: HeartbeatDeclaration = HeartbeatDeclaration()
    tags: Annotated[list[Tag], Meta(max_length=32)] = []
    incarnation: Incarnation = ""
    zone: Label = ""
    version: Label = ""
    weight: Annotated[int, Meta(ge=0, le=1000)] = 100
    metadata: Annotated[
        dict[Tag, Annotated[str, Meta(max_length=512, pattern=PROSE_PATTERN)]],
        Meta(max_length=64),
    ] = {}

    @property
    def heartbeat_url(self) -> str:
        if self.heartbeat.url is not None:
            return self.heartbeat.url
        return f"{self.url.rstrip('/')}/healthz" if self.heartbeat.kind == "http" else self.url

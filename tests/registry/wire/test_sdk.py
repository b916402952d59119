"""The SDK cannot import the server: here both, and the API's description, are held to the same shapes."""

import dataclasses
from typing import Any

import msgspec
import pytest
from django.test import Client
from msgspec import Struct

from registry.client import wire
from registry.client.decoding import decode
from registry.wire import answers, declaration

# The class that the SDK decodes, and the struct that encodes it; the SDK ignores members that it does not know.
DECODED: list[tuple[Any, type[Struct]]] = [
    (wire.Provider, answers.Provider),
    (wire.Instance, answers.RegisteredInstance),
    (wire.Registered, answers.Registration),
    (wire.Resolution, answers.Providers),
    (wire.InstanceList, answers.InstanceList),
    (wire.ServiceSummary, answers.ServiceSummary),
    (wire.ServiceList, answers.ServiceList),
    (wire.Notification, answers.Webhook),
    (wire.Change, answers.ProvidersChange),
    (wire.Subscriber, answers.Subscriber),
    (wire.Removed, answers.Removed),
]
SHAPES = pytest.mark.parametrize(("sdk", "server"), DECODED, ids=lambda each: each.__name__)


def members(sdk: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(sdk)}


@SHAPES
def test_every_member_that_the_sdk_reads_is_answered(sdk: Any, server: type[Struct]) -> None:
    assert members(sdk) <= set(server.__struct_fields__)


@SHAPES
def test_every_member_that_the_sdk_reads_is_described(db: None, client: Client, sdk: Any, server: type[Struct]) -> None:
    schemas = client.get("/v1/openapi.json").json()["components"]["schemas"]

    described = schemas[server.__name__]
    assert members(sdk) <= set(described["properties"])
    assert set(described["required"]) == {
        field.encode_name for field in msgspec.structs.fields(server) if field.required
    }


def test_an_answer_of_the_server_is_decoded_member_by_member() -> None:
    answered = answers.Provider(
        service="logsvc",
        instance="Telegraf_1",
        url="http://10.0.0.7:8002",
        status="warning",
        suspect=True,
        zone="a",
        version="2",
        weight=7,
        tags=["blue"],
        metadata={"team": "x"},
    )

    decoded = decode(wire.Provider, msgspec.to_builtins(answered))

    assert {**dataclasses.asdict(decoded), "tags": list(decoded.tags)} == msgspec.to_builtins(answered)


def test_the_sdk_declares_what_the_server_checks_with_the_same_defaults() -> None:
    declared = wire.Registration(service="s", instance="i", url="http://10.0.0.7:9000")

    assert members(wire.Registration) - {"service", "instance"} == set(declaration.Declaration.__struct_fields__)
    assert members(wire.Heartbeat) == set(declaration.HeartbeatDeclaration.__struct_fields__)
    checked = msgspec.convert(declared.body(), declaration.Declaration)
    assert checked == declaration.Declaration(url=declared.url)


def test_what_the_sdk_registers_reaches_the_server_unchanged() -> None:
    declared = wire.Registration(
        service="s",
        instance="i",
        url="http://10.0.0.7:9000",
        requires=("logsvc",),
        notify_url="http://10.0.0.7:9000/notify",
        notify_secret="whsec_x",
        heartbeat=wire.Heartbeat(kind="http", url="http://10.0.0.7:9000/up", warn_after_seconds=1.5),
        tags=("blue",),
        zone="a",
        version="2",
        weight=7,
        metadata={"team": "x"},
        incarnation="run",
    )

    checked = msgspec.to_builtins(msgspec.convert(declared.body(), declaration.Declaration))

    assert {name: value for name, value in checked["heartbeat"].items() if value is not None} == declared.body()[
        "heartbeat"
    ]
    assert {name: checked[name] for name in checked if name != "heartbeat"} == {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in declared.body().items()
        if name != "heartbeat"
    }

"""The settings block says who joins; what is wrong with it is said in sentences."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from registry.client import Heartbeat
from registry.client.django import configuration
from tests.clients.registry.django.conftest import ROLLCALL

DISCOVERING = {"REGISTRY_URL": "http://registry.test", "TOKEN": "rct_x"}
JOINING = {**ROLLCALL, "STATE_DIR": "/tmp/state"}  # noqa: S108 -- a name, never made


def test_the_defaults_of_a_registration_follow_its_url(block: dict[str, Any], tmp_path: Path) -> None:
    block["URL"] = "http://testserver/"
    configured = configuration.read()
    registration = configured.registration
    assert registration is not None
    assert registration.url == "http://testserver"
    assert registration.notify_url == "http://testserver/rollcall/notify"
    assert registration.heartbeat == Heartbeat(kind="http", url="http://testserver/healthz", interval_seconds=5.0)
    assert registration.requires == ("grading",)
    assert configured.state_dir == tmp_path


def test_everything_a_registration_may_say_can_be_said(block: dict[str, Any]) -> None:
    block |= {
        "HEARTBEAT": {"kind": "ttl", "interval_seconds": 3},
        "NOTIFY_URL": None,
        "TAGS": ("blue",),
        "ZONE": "a",
        "VERSION": "1.2",
        "WEIGHT": 7,
        "METADATA": {"team": "red"},
    }
    registration = configuration.read().registration
    assert registration is not None
    assert registration.heartbeat == Heartbeat(kind="ttl", interval_seconds=3.0)
    assert registration.notify_url is None
    assert (registration.tags, registration.zone, registration.version) == (("blue",), "a", "1.2")
    assert (registration.weight, registration.metadata) == (7, {"team": "red"})


def test_without_a_service_a_project_only_discovers(settings: Settings) -> None:
    settings.ROLLCALL = DISCOVERING
    assert configuration.read().registration is None


@pytest.mark.parametrize("block", [None, [], "http://registry"])
def test_a_block_that_is_none_is_asked_for(block: Any) -> None:
    (fault,) = configuration.faults(block)
    assert "REGISTRY_URL and TOKEN" in fault


@pytest.mark.parametrize("key", ["REGISTRY_URL", "TOKEN", "INSTANCE", "URL", "STATE_DIR"])
def test_a_missing_member_is_named(key: str) -> None:
    assert configuration.faults({**JOINING, key: ""}) == [f"ROLLCALL lacks {key}: add it."]


def test_a_misspelt_member_is_named() -> None:
    assert configuration.faults({**JOINING, "REQUIRE": ["logsvc"]}) == ["ROLLCALL['REQUIRE'] is no setting: remove it."]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"REGISTRY_URL": "registry:8001"}, "'registry:8001'"),
        ({"REGISTRY_URL": 8001}, "cannot be"),
        ({"TOKEN": "two words"}, "token"),
        ({"URL": "nowhere"}, "'nowhere'"),
        ({"REQUIRES": "logsvc"}, "/requires should be a list"),
        ({"WEIGHT": "7"}, "/weight should be int"),
        ({"HEARTBEAT": {"interval_seconds": "often"}}, "/heartbeat/interval_seconds should be float"),
        ({"STATE_DIR": 7}, "cannot be"),
    ],
)
def test_a_value_that_cannot_be_is_named(members: dict[str, Any], message: str) -> None:
    (fault,) = configuration.faults({**JOINING, **members})
    assert message in fault


def test_reading_a_faulty_block_says_all_that_is_wrong(settings: Settings) -> None:
    settings.ROLLCALL = {"SERVICE": "webui"}
    with pytest.raises(ImproperlyConfigured, match=r"INSTANCE.*REGISTRY_URL.*STATE_DIR.*TOKEN.*URL"):
        configuration.read()

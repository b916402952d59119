"""docs/architecture.md tells two ways in at most eight stops, each by the names of real functions."""

import re
from importlib import import_module

import pytest

from config.env import BASE_DIR

WAY = re.compile(r"^\*\*A (\w+)'s way\*\*.*?:\n\n(.*?)\n\n", re.DOTALL | re.MULTILINE)
STOP = re.compile(r"^\d\. ", re.MULTILINE)
NAMED = re.compile(r"`([a-z_]+(?:\.\w+)+)`")
WAYS = {way: STOP.split(stops)[1:] for way, stops in WAY.findall((BASE_DIR / "docs" / "architecture.md").read_text())}


def test_a_registration_and_a_heartbeat_have_at_most_eight_stops() -> None:
    assert sorted(WAYS) == ["heartbeat", "registration"]
    assert all(1 < len(stops) <= 8 for stops in WAYS.values())


@pytest.mark.parametrize("way", WAYS)
def test_every_stop_begins_with_the_name_of_a_function_that_there_is(way: str) -> None:
    assert [stop for stop in WAYS[way] if not NAMED.match(stop)] == []
    assert [name for name in NAMED.findall(" ".join(WAYS[way])) if not callable(found(f"registry.{name}"))] == []


def found(name: str) -> object:
    """The object that a dotted name stands for, in whichever module."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value: object = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            value = getattr(value, attribute, None)
        return value
    return None

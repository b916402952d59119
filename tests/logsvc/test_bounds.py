import json
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from logsvc import bounds
from logsvc.bounds import Notes
from tests.logsvc.strategies import any_json, steady


def depth(value: Any) -> int:
    match value:
        case dict():
            return 1 + max(map(depth, value.values()), default=0)
        case list():
            return 1 + max(map(depth, value), default=0)
    return 0


def kept(members: dict[str, Any]) -> tuple[dict[str, Any], Notes]:
    notes = Notes()
    return bounds.attributes(members, notes, given_bytes=len(json.dumps(members))), notes


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    notes = Notes()

    assert bounds.text("x" * 101, "service", notes, at_most=100) == "x" * 99 + "…"
    long = bounds.text("x" * 40_000, "message", notes, at_most=bounds.BODY_LENGTH)

    assert len(long) == bounds.BODY_LENGTH
    assert long.endswith("x… (40000 characters)")
    assert notes == ["service: cut from 101 characters to 100.", "message: cut from 40000 characters to 32768."]


def test_attributes_have_bounds_in_every_direction_and_each_cut_is_said() -> None:
    nested: dict[str, Any] = {}
    for _ in range(50):
        nested = {"a": nested}
    members, notes = kept(
        {"deep": nested, "list": list(range(2000)), "text": "x" * 20_000, "many": {str(n): n for n in range(2000)}}
    )

    assert depth(members) == bounds.ATTRIBUTE_DEPTH
    assert members["list"] == list(range(500))
    assert len(members["text"]) == bounds.ATTRIBUTE_LENGTH
    assert len(members["many"]) == 500
    assert [note.partition(":")[0] for note in notes] == ["deep.a.a.a.a.a.a.a", "list", "text", "attributes many"]


def test_attributes_that_are_too_large_together_lose_the_largest() -> None:
    members, notes = kept({"small": 1, **{f"m{n}": "x" * 8000 for n in range(40)}})

    assert members["small"] == 1
    assert len(json.dumps(members)) <= bounds.ATTRIBUTES_BYTES + 1000
    assert "left out" in notes[-1]


def test_numbers_that_not_every_database_holds_become_text() -> None:
    members, notes = kept({"big": 2**64 - 1, "fits": 2**63 - 1, "float": 0.1})

    assert members == {"big": "18446744073709551615", "fits": 2**63 - 1, "float": 0.1}
    assert notes == ["big: a number out of range was kept as text."]


@steady
@given(st.dictionaries(st.text(), any_json))
def test_any_attributes_become_such_as_can_be_kept(members: dict[str, Any]) -> None:
    found, _ = kept(members)

    assert depth(found) <= bounds.ATTRIBUTE_DEPTH
    assert "\\u0000" not in json.dumps(found).replace("\\\\", "")
    assert kept(found) == (found, [])


def test_a_uid_is_kept_where_it_is_a_uuid_and_otherwise_stands_for_its_text() -> None:
    given = UUID("6f1c6bd0-c1a1-4f0c-9c1d-8f7b6a5e4d3c")

    assert bounds.uid(given.hex) == bounds.uid(str(given)) == given.hex
    assert bounds.uid("line-1") == bounds.uid("line-1") != bounds.uid("line-2")
    assert bounds.uid(None) == ""


def test_ids_of_traces_are_hex_in_any_case_and_none_where_they_are_not_valid() -> None:
    assert bounds.hex_id("4BF92F3577B34DA6A3CE929D0E0E4736", 32) == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert [bounds.hex_id(given, 16) for given in ("0" * 16, "x" * 16, "ab", "")] == ["", "", "", ""]

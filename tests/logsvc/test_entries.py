import json
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from logsvc import entries
from tests.logsvc.strategies import any_json, steady


def depth(value: Any) -> int:
    match value:
        case dict():
            return 1 + max(map(depth, value.values()), default=0)
        case list():
            return 1 + max(map(depth, value), default=0)
    return 0


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    assert entries.text("x" * 101, at_most=100) == "x" * 99 + "…"
    long = entries.text("x" * 40_000, at_most=entries.MESSAGE_LENGTH)
    assert len(long) == entries.MESSAGE_LENGTH
    assert long.endswith("x… (40000 characters)")


def test_a_text_that_fits_is_kept_as_it_is() -> None:
    assert entries.text("x" * 100, at_most=100) == "x" * 100


def test_attributes_have_bounds_in_every_direction() -> None:
    nested: dict[str, Any] = {}
    for _ in range(50):
        nested = {"a": nested}
    kept = entries.attributes(
        {"deep": nested, "list": list(range(2000)), "text": "x" * 20_000, "many": {str(n): n for n in range(2000)}}
    )

    assert depth(kept) == entries.ATTRIBUTE_DEPTH
    assert kept["list"][-2:] == [499, "…"]
    assert len(kept["text"]) == entries.ATTRIBUTE_LENGTH
    assert len(kept["many"]) == 500


def test_more_members_than_are_kept_are_counted() -> None:
    kept = entries.attributes({str(number): number for number in range(700)})

    assert len(kept) == 501
    assert kept["…"] == "700 members"


@steady
@given(st.dictionaries(st.text(), any_json))
def test_any_attributes_become_such_as_can_be_kept(members: dict[str, Any]) -> None:
    kept = entries.attributes(members)

    assert depth(kept) <= entries.ATTRIBUTE_DEPTH
    assert "\\u0000" not in json.dumps(kept).replace("\\\\", "")
    assert entries.attributes(kept) == kept


def test_a_uid_is_kept_where_it_is_a_uuid_and_otherwise_stands_for_its_text() -> None:
    given = UUID("6f1c6bd0-c1a1-4f0c-9c1d-8f7b6a5e4d3c")

    assert entries.uid(given.hex) == entries.uid(str(given)) == given
    assert entries.uid("line-1") == entries.uid("line-1") != entries.uid("line-2")
    assert entries.uid(None) != entries.uid(None)

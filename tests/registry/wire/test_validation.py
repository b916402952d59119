from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.escaping import is_invisible
from config.problems import Invalid
from registry.api.parameters import MaintenanceBody
from registry.discovery import queries
from registry.instances.batch import Batch
from registry.instances.declaration import check_reason
from registry.wire.declaration import Declaration
from registry.wire.limits import LONGEST_REASON
from registry.wire.validation import convert

URL = "http://127.0.0.1:9000"


def fault(call: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        call()
    assert caught.value.errors is not None
    (entry,) = caught.value.errors
    return entry


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({}, "/url", "It is required."),
        ({"url": 3}, "/url", "Expected `str`, got `int`"),
        ([], "/", "Expected `object`, got `array`"),
        ({"url": URL, "heartbeat": {"kind": "pigeon"}}, "/heartbeat/kind", "'pigeon' is none of auto, http, tcp, ttl."),
        ({"url": URL, "requires": ["a", "B"]}, "/requires/1", "This names no service: a service's name is a lower"),
        ({"url": URL, "metadata": {"": "x"}}, "/metadata", "Of each name in it: Expected `str` of length >= 1"),
        ({"url": URL, "metadata": {"a": 3}}, "/metadata", "Expected `str`, got `int`"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_change(body: Any, pointer: str, detail: str) -> None:
    found = fault(lambda: convert(body, Declaration))

    assert found["pointer"] == pointer
    assert found["detail"].startswith(detail)


def test_a_choice_that_is_none_names_those_there_are_also_where_it_may_be_left_out() -> None:
    found = fault(lambda: queries.parse(queries.Instances, "status=sick"))

    assert found == {
        "pointer": "/status",
        "detail": "'sick' is none of critical, draining, maintenance, passing, starting, warning.",
    }
    assert (
        fault(lambda: convert({"mode": "most", "instances": [{}]}, Batch))["detail"] == "'most' is none of all, each."
    )


def test_a_time_to_wait_is_shown_by_example() -> None:
    found = fault(lambda: queries.parse(queries.Instances, "after=0&wait=soon"))

    assert found == {"pointer": "/wait", "detail": "This is no time to wait: write it as 30s, 500ms or 1.5m."}


def test_what_a_body_itself_says_is_kept() -> None:
    found = fault(lambda: queries.parse(queries.Instances, "wait=30s"))

    assert found["detail"].startswith("`wait` needs `after`")


UNSEEN = ["\u00ad", "\u200b", "\u200c", "\u200d", "\u200e", "\u2060", "\u3164", "\ufeff", "\U000e0061"]


@pytest.mark.parametrize(
    "character", ["\n", "\t", "\x1b", "\x00", "\x7f", "\u202e", "\u2066", "\u2028", "\ud83d", *UNSEEN]
)
@pytest.mark.parametrize(
    ("member", "pointer"),
    [
        ("zone", "/zone"),
        ("version", "/version"),
        ("tags", "/tags/0"),
        ("metadata", "/metadata"),
        ("incarnation", "/incarnation"),
    ],
)
def test_what_a_terminal_or_a_page_would_obey_is_refused(member: str, pointer: str, character: str) -> None:
    text = f"a{character}b"
    value = {"tags": [text], "metadata": {"key": text}}.get(member, text)

    found = fault(lambda: convert({"url": URL, member: value}, Declaration))

    assert found["pointer"].startswith(pointer)
    assert "control character" in found["detail"]


@pytest.mark.parametrize("character", UNSEEN)
def test_what_nobody_sees_is_refused_in_a_reason_and_what_an_emoji_needs_is_not(character: str) -> None:
    with pytest.raises(Invalid, match="See `errors`"):
        check_reason(f"new{character} disk")

    assert check_reason("new disk \N{WARNING SIGN}\N{VARIATION SELECTOR-16}") == "new disk \u26a0\ufe0f"


@pytest.mark.parametrize("member", ["zone", "tags"])
def test_two_labels_never_differ_in_what_nobody_sees_alone(member: str) -> None:
    label = "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}"
    value = {"tags": [label]}.get(member, label)

    assert fault(lambda: convert({"url": URL, member: value}, Declaration))["pointer"].startswith(f"/{member}")


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_ordinary_text_of_any_language_is_a_reason(text: str) -> None:
    plain = "".join(character for character in text if not is_invisible(character))[:LONGEST_REASON]

    assert check_reason(plain) == plain


@pytest.mark.parametrize(
    "until", ["2126-10-25T02:30:00", "2126-10-25T02:30:60Z", "2126-10-25T24:00:00Z", "2126-10-25", "02:30", ""]
)
def test_a_time_without_a_zone_is_refused(until: str) -> None:
    assert fault(lambda: convert({"until": until}, MaintenanceBody))["pointer"] == "/until"


def test_the_doubled_hour_of_autumn_is_two_moments() -> None:
    summer, winter = (
        convert({"until": f"2126-10-25T02:30:00+{hours}:00"}, MaintenanceBody).until for hours in ("02", "01")
    )

    assert summer is not None
    assert winter is not None
    assert winter - summer == timedelta(hours=1)

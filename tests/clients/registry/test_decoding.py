"""Answers are decoded into frozen dataclasses, or into an error that names the member which does not fit."""

import contextlib
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.client.decoding import decode
from registry.client.errors import UnexpectedAnswerError
from registry.client.wire import Heartbeat, Instance, Notification, Provider, Resolution

PROVIDER = {"service": "grading", "instance": "grading-1", "url": "http://g.test"}
GRADING = Provider(service="grading", instance="grading-1", url="http://g.test")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["revision", "providers"]), inner),
)


def test_members_that_are_not_declared_are_ignored() -> None:
    assert decode(Provider, {**PROVIDER, "colour": "blue"}) == GRADING


def test_members_left_out_have_their_defaults() -> None:
    assert decode(Provider, PROVIDER).weight == 100


def test_lists_of_objects_become_tuples_of_dataclasses() -> None:
    resolution = decode(Resolution, {"revision": 7, "providers": {"grading": [PROVIDER], "logsvc": []}})
    assert resolution.providers == {"grading": (GRADING,), "logsvc": ()}


def test_times_and_whole_numbers_for_floats_are_taken() -> None:
    instance = decode(
        Instance,
        {
            **PROVIDER,
            "status_since": "2026-11-23T12:00:00Z",
            "registered_at": "2026-11-23T12:00:00.5Z",
            "revision": 1,
            "heartbeat": {"kind": "ttl", "interval_seconds": 3, "deregister_after_seconds": None},
        },
    )
    assert instance.status_since == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert instance.heartbeat == Heartbeat(kind="ttl", interval_seconds=3.0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "/ should be an object"),
        ({"revision": "7", "providers": {}}, "/revision should be int"),
        ({"revision": True, "providers": {}}, "/revision should be int"),
        ({"revision": 7}, "/providers is missing"),
        ({"revision": 7, "providers": []}, "/providers should be an object"),
        ({"revision": 7, "providers": {"a": {}}}, "/providers/a should be a list"),
        ({"revision": 7, "providers": {"a": [{**PROVIDER, "url": None}]}}, "/providers/a/0/url should be str"),
    ],
)
def test_the_member_that_does_not_fit_is_named(value: Any, message: str) -> None:
    with pytest.raises(UnexpectedAnswerError, match=message):
        decode(Resolution, value)


def test_a_time_that_is_none_is_named() -> None:
    with pytest.raises(UnexpectedAnswerError, match="/timestamp should be a time"):
        decode(Notification, {"type": "t", "timestamp": "noon", "data": {}})


@given(JSON)
def test_whatever_arrives_nothing_but_the_one_error_is_raised(value: Any) -> None:
    with contextlib.suppress(UnexpectedAnswerError):
        assert isinstance(decode(Resolution, value), Resolution)


@given(st.builds(Provider, tags=st.lists(st.text()).map(tuple), metadata=st.dictionaries(st.text(), st.text())))
def test_what_is_decoded_again_is_the_same(provider: Provider) -> None:
    assert decode(Provider, {**asdict(provider), "tags": list(provider.tags)}) == provider

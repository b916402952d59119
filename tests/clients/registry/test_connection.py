"""Each call says what docs/protocol.md says, and each failure is one error that says whether to retry."""

import json

import httpx2
import pytest

from registry.client import (
    Heartbeat,
    InvalidError,
    NotFoundError,
    ProblemError,
    Registry,
    RollcallError,
    UnauthenticatedError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
)
from tests.clients.registry.fake import TOKEN, FakeRegistry, problem, registration


def test_a_registration_s_answer_holds_the_instance_and_its_providers(registry: FakeRegistry) -> None:
    registry.offer("grading", "grading-1")
    answer = registry.client().register(registration(tags=["blue"]))
    assert answer.instance.status == "starting"
    assert answer.instance.tags == ("blue",)
    assert [provider.url for provider in answer.providers["grading"]] == ["http://grading-1.test"]
    assert answer.revision == 2


def test_a_registration_sends_what_says_something_and_no_nulls(registry: FakeRegistry) -> None:
    registry.client().register(registration(heartbeat=Heartbeat(kind="ttl")))
    body = json.loads(registry.requests[0].content)
    assert body["heartbeat"]["kind"] == "ttl"
    assert None not in [*body.values(), *body["heartbeat"].values()]
    assert not {"service", "instance", "notify_url"} & set(body)


def test_deregistering_twice_is_no_error(registry: FakeRegistry) -> None:
    client = registry.client()
    client.register(registration())
    client.deregister("webui", "webui-1")
    client.deregister("webui", "webui-1")
    assert registry.registered() == set()


def test_a_beat_says_nothing_or_reports_illness(registry: FakeRegistry) -> None:
    client = registry.client()
    client.register(registration())
    client.beat("webui", "webui-1")
    client.beat("webui", "webui-1", status="critical", reason="disk full")
    assert registry.beats == [None, {"status": "critical", "reason": "disk full"}]


def test_instances_are_filtered_by_the_registry(registry: FakeRegistry) -> None:
    registry.offer("grading", "grading-1", zone="a")
    registry.offer("grading", "grading-2", zone="b")
    found = registry.client().instances("grading", zone="b", status="passing")
    assert [instance.instance for instance in found.instances] == ["grading-2"]


def test_services_are_listed(registry: FakeRegistry) -> None:
    registry.offer("grading", "grading-1")
    assert [summary.service for summary in registry.client().services().services] == ["grading"]


def test_an_unchanged_answer_is_not_sent_again(registry: FakeRegistry) -> None:
    client = registry.client()
    client.register(registration())
    first = client.providers("webui", "webui-1")
    assert client.providers("webui", "webui-1") is first
    assert registry.requests[-1].headers["If-None-Match"] == '"1"'
    registry.offer("grading", "grading-1")
    assert client.providers("webui", "webui-1").revision == 2


def test_an_unchanged_answer_is_true_of_the_revision_that_it_is_repeated_at(registry: FakeRegistry) -> None:
    client = registry.client()
    client.register(registration())
    client.providers("webui", "webui-1")
    repeated = httpx2.Response(304, headers={"Rollcall-Revision": "9"})
    registry.mishaps = [lambda request: repeated]
    assert client.providers("webui", "webui-1").revision == 9


def test_an_unchanged_instance_keeps_the_revision_of_its_last_change(registry: FakeRegistry) -> None:
    client = registry.client()
    registry.offer("grading", "grading-1")
    first = client.instance("grading", "grading-1")
    repeated = httpx2.Response(304, headers={"Rollcall-Revision": "9"})
    registry.mishaps = [lambda request: repeated]
    assert client.instance("grading", "grading-1") is first


def test_registering_forgets_what_was_answered_before(registry: FakeRegistry) -> None:
    client = registry.client()
    for _ in range(2):
        client.register(registration())
        client.providers("webui", "webui-1")
    assert "If-None-Match" not in registry.requests[-1].headers


def test_a_wait_is_asked_for_and_given_its_time(registry: FakeRegistry) -> None:
    client = registry.client()
    client.register(registration())
    assert client.providers("webui", "webui-1", after=1, wait_seconds=0.25).revision == 1
    (waited,) = registry.polls
    assert dict(waited.url.params) == {"after": "1", "wait": "250ms"}
    assert waited.extensions["timeout"] == {"connect": 5.0, "read": 5.25, "write": 5.0, "pool": 5.0}


def test_names_cannot_lead_to_another_address(registry: FakeRegistry) -> None:
    with pytest.raises(NotFoundError):
        registry.client().providers("../services", "x?y")
    assert registry.requests[0].url.raw_path == b"/v1/instances/..%2Fservices/x%3Fy/providers"


def test_a_registry_that_is_away_is_worth_another_try(registry: FakeRegistry) -> None:
    registry.is_away = True
    with pytest.raises(UnreachableError, match=r"http://registry\.test does not answer: refused") as caught:
        registry.client().services()
    assert caught.value.retryable


def test_an_unknown_token_is_not(registry: FakeRegistry) -> None:
    client = Registry("http://registry.test", "rct_wrong", transport=registry.transport())
    with pytest.raises(UnauthenticatedError, match="Because") as caught:
        client.services()
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("status", "code", "kind", "retryable"),
    [
        (404, "not-found", NotFoundError, False),
        (503, "unavailable", UnavailableError, True),
        (418, "of-tomorrow", ProblemError, False),
        (429, "of-tomorrow", ProblemError, True),
        (502, "of-tomorrow", ProblemError, True),
    ],
)
def test_a_problem_s_type_decides_which_error(
    registry: FakeRegistry, status: int, code: str, kind: type[ProblemError], retryable: bool
) -> None:
    registry.mishaps = [lambda request: problem(status, code)]
    with pytest.raises(kind) as caught:
        registry.client().services()
    assert caught.value.retryable is retryable
    assert caught.value.status == status


def test_an_invalid_registration_names_its_members(registry: FakeRegistry) -> None:
    entry = {"pointer": "/weight", "detail": "Expected `int` <= 1000"}
    registry.mishaps = [lambda request: problem(422, "invalid", errors=[entry])]
    with pytest.raises(InvalidError, match="/weight: Expected `int` <= 1000") as caught:
        registry.client().register(registration(weight=5000))
    assert caught.value.errors == (entry,)


@pytest.mark.parametrize(
    ("response", "retryable"),
    [
        (httpx2.Response(200, text="<html>It works!</html>"), False),
        (httpx2.Response(200, json={"services": "none"}), False),
        (httpx2.Response(302, headers={"Location": "http://elsewhere.test"}), False),
        (httpx2.Response(502, text="Bad gateway"), True),
        (httpx2.Response(304), True),
    ],
)
def test_what_is_no_registry_s_answer_is_said_to_be_none(
    registry: FakeRegistry, response: httpx2.Response, retryable: bool
) -> None:
    registry.mishaps = [lambda request: response]
    with pytest.raises(UnexpectedAnswerError) as caught:
        registry.client().services()
    assert caught.value.retryable is retryable
    assert isinstance(caught.value, RollcallError)


@pytest.mark.parametrize(
    "url",
    ["", "registry:8001", "ftp://registry", "http://", "http://[", "http://a:b", "http://a..b", f"http://{'a' * 64}"],
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Registry(url, "rct_x")


def test_a_token_may_come_from_a_file_that_ends_in_a_new_line(registry: FakeRegistry) -> None:
    client = Registry("http://registry.test", f"{TOKEN}\n", transport=registry.transport())
    assert client.services().services == ()


@pytest.mark.parametrize("token", ["", "\n", "two words", "new\nline", "tökén"])
def test_a_token_that_is_none_is_refused_at_once(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        Registry("http://registry.test", token)


def test_closing_twice_and_before_the_first_call_is_no_error(registry: FakeRegistry) -> None:
    with registry.client() as client:
        client.close()

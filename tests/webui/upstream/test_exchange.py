import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from django.utils import timezone

from registry.client.django import discovery
from webui.upstream import exchange
from webui.upstream.breaker import PAUSE, Breaker
from webui.upstream.exchange import Question, Refused, UpstreamDown

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Handler = Callable[[httpx2.Request], httpx2.Response]
ADDRESSES = ["http://one.test", "http://two.test"]


@dataclass(frozen=True, kw_only=True)
class Greeting:
    text: str


@dataclass
class Line:
    """Stands between the web UI and its upstreams: answers with `handler`, at `now`."""

    handler: Handler
    now: datetime = NOW
    offered: list[str] = field(default_factory=list)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line(handler=lambda request: httpx2.Response(200, json={"text": "hello", "more": 1}))
    client = httpx2.Client(transport=httpx2.MockTransport(lambda request: line.handler(request)))
    monkeypatch.setattr(exchange, "client", lambda: client)
    monkeypatch.setattr(exchange, "addresses", lambda service: ADDRESSES)
    breaker = Breaker(lambda service: line.offered)
    monkeypatch.setattr(exchange, "breaker", lambda: breaker)
    monkeypatch.setattr(timezone, "now", lambda: line.now)
    return line


def ask(method: str = "GET") -> Greeting:
    question = Question(service="grading", path="/v1/greeting", token="secret", method=method)
    return exchange.ask(question, Greeting)


def down() -> UpstreamDown:
    with pytest.raises(UpstreamDown) as caught:
        ask()
    return caught.value


def raise_(error: Exception) -> httpx2.Response:
    raise error


def test_an_answer_is_typed_and_unknown_members_are_ignored(line: Line) -> None:
    assert ask() == Greeting(text="hello")


def test_the_token_is_sent(line: Line) -> None:
    line.handler = lambda request: httpx2.Response(200, json={"text": request.headers["authorization"]})
    assert ask().text == "Bearer secret"


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_instance_that_refuses_the_connection_is_passed_over_for_another(line: Line, method: str) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "one.test":
            raise httpx2.ConnectError("refused")
        return httpx2.Response(200, json={"text": request.url.host})

    line.handler = answer
    assert ask(method).text == "two.test"


def test_what_may_have_been_done_is_not_asked_of_another_instance(line: Line) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        raise httpx2.ReadError("reset")

    line.handler = answer
    with pytest.raises(UpstreamDown):
        ask("PUT")
    assert asked == ["one.test"]


def test_a_read_that_is_broken_off_is_tried_again_on_the_only_instance(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        if len(asked) == 1:
            raise httpx2.RemoteProtocolError("disconnected")
        return httpx2.Response(200, json={"text": "hello"})

    monkeypatch.setattr(exchange, "addresses", lambda service: ADDRESSES[:1])
    line.handler = answer
    assert ask() == Greeting(text="hello")


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(500),
        httpx2.Response(503, json={"detail": "database away"}),
        httpx2.Response(401, json={"detail": "no such token"}),
        httpx2.Response(200, json={"words": "hello"}),
        httpx2.Response(200, content=b"<html>"),
        httpx2.Response(302, headers={"location": "http://elsewhere.test"}),
    ],
)
def test_an_unusable_answer_is_an_outage(line: Line, answer: httpx2.Response) -> None:
    line.handler = lambda request: answer
    assert down().service == "grading"


def test_a_service_without_instances_is_down(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "addresses", lambda service: [])
    assert down().reason == "no instance of it is offered"


def test_an_outage_keeps_the_time_of_its_first_failure_until_an_answer_ends_it(line: Line) -> None:
    working = line.handler
    line.handler = lambda request: raise_(httpx2.ConnectError("refused"))
    assert down().since == NOW
    line.now = NOW + timedelta(minutes=5)
    assert down().since == NOW
    line.handler = working
    ask()
    line.handler = lambda request: raise_(httpx2.ConnectError("refused"))
    assert down().since == NOW + timedelta(minutes=5)


def test_a_service_that_hangs_is_asked_once_in_a_while_and_not_by_everybody(line: Line) -> None:
    asked: list[datetime] = []

    def hang(request: httpx2.Request) -> httpx2.Response:
        asked.append(line.now)
        raise httpx2.ReadTimeout("no answer")

    line.handler = hang
    for seconds in (0, 1, 2, 4, 5):
        line.now = NOW + timedelta(seconds=seconds)
        assert down().since == NOW
    assert asked == [NOW, NOW + timedelta(seconds=4)]


def test_a_clock_set_back_keeps_nobody_from_asking_a_service_that_hung(line: Line) -> None:
    working = line.handler
    line.handler, line.now = lambda request: raise_(httpx2.ReadTimeout("no answer")), NOW + timedelta(hours=1)
    down()
    line.handler, line.now = working, NOW
    assert ask() == Greeting(text="hello")


def test_a_hanging_service_that_answers_again_is_back_at_once(line: Line) -> None:
    working = line.handler
    line.handler = lambda request: raise_(httpx2.ReadTimeout("no answer"))
    down()
    line.handler, line.now = working, NOW + PAUSE
    assert ask() == ask()


def test_a_hanging_service_is_asked_at_once_when_the_registry_offers_it_anew(line: Line) -> None:
    working = line.handler
    line.handler = lambda request: raise_(httpx2.ReadTimeout("no answer"))
    down()
    line.handler, line.offered = working, ["http://three.test"]
    assert ask() == Greeting(text="hello")


def test_an_answer_that_trickles_in_for_too_long_is_given_up(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 100, 3))
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    assert down().reason == "it does not answer in time"


def test_a_refusal_says_what_to_change(line: Line) -> None:
    body = {"detail": "See `errors`.", "errors": [{"pointer": "/score", "detail": "Write a number."}]}
    line.handler = lambda request: httpx2.Response(422, json=body)
    with pytest.raises(Refused) as caught:
        ask()
    assert (caught.value.status, caught.value.detail) == (422, "Write a number.")


@pytest.mark.parametrize("content", [b"", b"no", b"[1]", b'{"errors": 3}', b'{"errors": ["no"]}'])
def test_a_refusal_without_a_readable_problem_still_has_words(line: Line, content: bytes) -> None:
    line.handler = lambda request: httpx2.Response(404, content=content)
    with pytest.raises(Refused) as caught:
        ask()
    assert caught.value.detail


def test_the_registry_is_where_the_settings_say(settings: object) -> None:
    assert exchange.addresses("registry") == ["http://registry.test"]


def test_the_chosen_instance_is_asked_before_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Offered:
        url: str

    monkeypatch.setattr(discovery, "choose", lambda service: Offered("http://two.test"))
    monkeypatch.setattr(discovery, "instances", lambda service: [Offered(url) for url in ADDRESSES])
    assert exchange.addresses("grading") == ["http://two.test", "http://one.test"]
    monkeypatch.setattr(discovery, "choose", lambda service: None)
    assert exchange.addresses("grading") == []

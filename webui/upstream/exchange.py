"""One question to another service: bounded in time, answered in typed form, or refused with a reason."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import httpx2
import msgspec
from django.conf import settings
from django.utils import timezone

from registry.client.django import discovery

REGISTRY = "registry"
TIMEOUT = httpx2.Timeout(3.0, connect=1.0)
# A service that hangs is left alone for this long, lest every thread of ours hang with it.
PAUSE_AFTER_TIMEOUT = timedelta(seconds=3)
MAX_ADDRESSES = 2

Answer = TypeVar("Answer")


class UpstreamDown(Exception):
    """The service cannot be asked; `since` is when this process first noticed."""

    def __init__(self, service: str, *, since: datetime, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.service = service
        self.since = since
        self.reason = reason


class Refused(Exception):
    """The service answered, and will not do it; `detail` says what to change, `body` is its whole answer."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body
        self.detail = _detail(body) or f"The answer was {status}."
        super().__init__(self.detail)


@dataclass(frozen=True, kw_only=True)
class _Fault:
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """Of RFC 9457, what a person is told."""

    detail: str = ""
    errors: list[_Fault] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Question:
    service: str
    path: str
    token: str
    method: str = "GET"
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    body: Any = None


@dataclass(frozen=True, kw_only=True)
class _Outage:
    since: datetime
    reason: str
    # None: it fails quickly, so that asking costs little.
    ask_again_at: datetime | None


_outages: dict[str, _Outage] = {}
_outages_lock = threading.Lock()


def ask(question: Question, answer: type[Answer]) -> Answer:
    """Raises UpstreamDown when no instance gives a usable answer, Refused when one answers 4xx."""
    _spare(question.service, now=timezone.now())
    response = _send(question)
    if response.status_code >= 500 or response.is_redirect:
        raise _down(question.service, f"it answers {response.status_code}")
    if response.status_code == 401:
        raise _down(question.service, "it does not take the web UI's token")
    _outages.pop(question.service, None)
    if response.status_code >= 400:
        raise Refused(response.status_code, response.content)
    try:
        return msgspec.json.decode(response.content, type=answer)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _down(question.service, f"its answer cannot be read: {error}") from error


def addresses(service: str) -> list[str]:
    """Where the service can be asked, the best choice first; empty when nobody offers it."""
    if service == REGISTRY:
        return [settings.REGISTRY_URL]
    chosen = discovery.choose(service)
    if chosen is None:
        return []
    others = [instance.url for instance in discovery.instances(service)]
    return list(dict.fromkeys([chosen.url, *others]))


@cache
def client() -> httpx2.Client:
    return httpx2.Client(timeout=TIMEOUT, trust_env=False)


def _send(question: Question) -> httpx2.Response:
    reason = "no instance of it is offered"
    for address in _attempts(question):
        try:
            return client().request(
                question.method,
                address.rstrip("/") + question.path,
                params=question.params,
                headers={"Authorization": f"Bearer {question.token}", **(question.headers or {})},
                json=question.body,
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            reason = "it cannot be reached"
        except httpx2.TimeoutException as error:
            raise _down(question.service, "it does not answer in time", pause=PAUSE_AFTER_TIMEOUT) from error
        except httpx2.TransportError:
            reason = "it broke the connection off"
            if question.method != "GET":
                # It may have been done: asking another instance could do it twice.
                break
    raise _down(question.service, reason)


def _attempts(question: Question) -> list[str]:
    """A read gets a second try also where there is one instance: it may have restarted since it was asked last."""
    found = addresses(question.service)[:MAX_ADDRESSES]
    return found * 2 if len(found) == 1 and question.method == "GET" else found


def _spare(service: str, *, now: datetime) -> None:
    """Fail at once while the service hangs; one caller after each pause tries again for all."""
    with _outages_lock:
        outage = _outages.get(service)
        if outage is None or outage.ask_again_at is None:
            return
        if now < outage.ask_again_at:
            raise UpstreamDown(service, since=outage.since, reason=outage.reason)
        _outages[service] = replace(outage, ask_again_at=now + PAUSE_AFTER_TIMEOUT)


def _down(service: str, reason: str, *, pause: timedelta | None = None) -> UpstreamDown:
    now = timezone.now()
    with _outages_lock:
        known = _outages.get(service)
        since = known.since if known else now
        _outages[service] = _Outage(since=since, reason=reason, ask_again_at=now + pause if pause else None)
    return UpstreamDown(service, since=since, reason=reason)


def _detail(body: bytes) -> str:
    """What each wrong member lacks, where the problem says so; else what it says of the whole."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return " ".join(fault.detail for fault in problem.errors if fault.detail) or problem.detail

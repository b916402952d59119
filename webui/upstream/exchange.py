"""One question to another service: bounded in time, answered in typed form, or refused with a reason."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import httpx2
import msgspec
from django.apps import apps
from django.conf import settings
from django.utils import timezone

from config import shapes
from registry.client.django import discovery
from webui.upstream.breaker import Breaker

REGISTRY = "registry"
CONNECT_SECONDS = 1.0
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
    """The members of RFC 9457 that a person is told."""

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
    # Bytes to send as they are, such as a file, in place of `body`.
    content: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(question: Question, answer: type[Answer]) -> Answer:
    """Raises UpstreamDown when no instance gives a usable answer in time, Refused when one answers 4xx."""
    reply = fetch(question)
    try:
        decoded: Answer = shapes.decoder(answer).decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _down(question.service, f"its answer cannot be read: {error}") from error
    return decoded


def fetch(question: Question) -> Reply:
    """Ask as `ask` does, for an answer that is taken as it is: a file, or none at all."""
    outage = breaker().refusal(question.service, now=timezone.now())
    if outage is not None:
        raise UpstreamDown(question.service, since=outage.since, reason=outage.reason)
    reply = _send(question)
    if reply.status >= 500 or 300 <= reply.status < 400:
        raise _down(question.service, f"it answers {reply.status}")
    if reply.status == 401:
        raise _down(question.service, "it does not take the web UI's token")
    breaker().close(question.service)
    if reply.status >= 400:
        raise Refused(reply.status, reply.body)
    return reply


def addresses(service: str) -> list[str]:
    """The addresses to ask the service at, the best choice first; empty if it has no provider."""
    if service == REGISTRY:
        return [settings.REGISTRY_URL]
    chosen = discovery.choose(service)
    if chosen is None:
        return []
    others = [instance.url for instance in discovery.instances(service)]
    return list(dict.fromkeys([chosen.url, *others]))


def client() -> httpx2.Client:
    """This process's connections, which the app owns."""
    app: Any = apps.get_app_config("webui")
    owned: httpx2.Client = app.client
    return owned


def connect() -> httpx2.Client:
    return httpx2.Client(timeout=httpx2.Timeout(settings.UPSTREAM_SECONDS, connect=CONNECT_SECONDS), trust_env=False)


def breaker() -> Breaker:
    """This process's breaker, which the app owns."""
    app: Any = apps.get_app_config("webui")
    owned: Breaker = app.breaker
    return owned


def offered(service: str) -> list[str]:
    """The addresses at which the registry's client says that the service is offered."""
    return [] if service == REGISTRY else [instance.url for instance in discovery.instances(service)]


def _send(question: Question) -> Reply:
    reason = "no instance of it is offered"
    deadline = time.monotonic() + settings.UPSTREAM_SECONDS
    for address in _attempts(question):
        try:
            return _send_to(address, question, deadline=deadline)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            reason = "it cannot be reached"
        except httpx2.TimeoutException as error:
            raise _down(question.service, "it does not answer in time", hangs=True) from error
        except httpx2.TransportError:
            reason = "it broke the connection off"
            if question.method != "GET":
                # It may have been done: asking another instance could do it twice.
                break
    raise _down(question.service, reason)


def _send_to(address: str, question: Question, *, deadline: float) -> Reply:
    """Raises httpx2.ReadTimeout also for an answer that trickles in for longer than the limit."""
    with client().stream(
        question.method,
        address.rstrip("/") + question.path,
        params=question.params,
        headers={"Authorization": f"Bearer {question.token}", **(question.headers or {})},
        json=question.body,
        content=question.content,
    ) as response:
        chunks = []
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            if time.monotonic() > deadline:
                raise httpx2.ReadTimeout("the answer takes too long", request=response.request)
        return Reply(status=response.status_code, headers=dict(response.headers), body=b"".join(chunks))


def _attempts(question: Question) -> list[str]:
    """A read gets a second try also where there is one instance: it may have restarted since it was asked last."""
    found = addresses(question.service)[:MAX_ADDRESSES]
    return found * 2 if len(found) == 1 and question.method == "GET" else found


def _down(service: str, reason: str, *, hangs: bool = False) -> UpstreamDown:
    outage = breaker().open(service, reason, now=timezone.now(), hangs=hangs)
    return UpstreamDown(service, since=outage.since, reason=outage.reason)


def _detail(body: bytes) -> str:
    """The fault of each member, where the problem names them; else the problem's own detail."""
    try:
        problem = shapes.decoder(_Problem).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return " ".join(fault.detail for fault in problem.errors if fault.detail) or problem.detail

"""The calls of docs/protocol.md, apart from how they travel: what to send, and what an answer means."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx2

from . import errors, wire
from .decoding import decode

T = TypeVar("T")
PROBLEM = "application/problem+json"
REVISION_HEADER = "Rollcall-Revision"
MOST_KEPT = 64


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request; `read` makes a result of the answer's JSON.

    `wait_seconds` is how long the registry may take on top of the usual, waiting for a change after `after`.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    params: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    after: int | None = None
    wait_seconds: float = 0.0

    @property
    def query(self) -> dict[str, str]:
        if self.after is None:
            return self.params
        return {**self.params, "after": str(self.after), "wait": f"{round(self.wait_seconds * 1000)}ms"}

    @property
    def key(self) -> str:
        return f"{self.path}?{sorted(self.params.items())}"


def register(registration: wire.Registration) -> Call[wire.Registered]:
    path = _instance_path(registration.service, registration.instance)
    return Call(method="PUT", path=path, read=_reader(wire.Registered), body=registration.body())


def deregister(service: str, instance: str, *, incarnation: str | None = None) -> Call[None]:
    params = {"incarnation": incarnation} if incarnation else {}
    return Call(method="DELETE", path=_instance_path(service, instance), read=_nothing, params=params)


def drain(service: str, instance: str, *, seconds: float, reason: str = "") -> Call[wire.Instance]:
    body = {"seconds": seconds, "reason": reason}
    path = f"{_instance_path(service, instance)}/drain"
    return Call(method="POST", path=path, read=_reader(wire.Instance), body=body)


def beat(service: str, instance: str, *, status: str | None = None, reason: str = "") -> Call[None]:
    body = {"status": status, "reason": reason} if status else None
    return Call(method="PUT", path=f"{_instance_path(service, instance)}/heartbeat", read=_nothing, body=body)


def instance(service: str, instance: str) -> Call[wire.Instance]:
    return Call(method="GET", path=_instance_path(service, instance), read=_reader(wire.Instance))


def instances(
    service: str, *, after: int | None = None, wait_seconds: float = 0.0, **filters: str | None
) -> Call[wire.InstanceList]:
    params = {name: value for name, value in filters.items() if value is not None}
    path = f"/v1/services/{_segment(service)}/instances"
    read = _reader(wire.InstanceList)
    return Call(method="GET", path=path, read=read, params=params, after=after, wait_seconds=wait_seconds)


def providers(
    service: str, instance: str, *, after: int | None = None, wait_seconds: float = 0.0
) -> Call[wire.Resolution]:
    path = f"/v1/instances/{_segment(service)}/{_segment(instance)}/providers"
    return Call(method="GET", path=path, read=_reader(wire.Resolution), after=after, wait_seconds=wait_seconds)


def services() -> Call[wire.ServiceList]:
    return Call(method="GET", path="/v1/services", read=_reader(wire.ServiceList))


class Answers:
    """Makes results of answers, and keeps the latest few with their ETag, so that a 304 means the result it repeats."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def request(self, client: httpx2.Client | httpx2.AsyncClient, call: Call[Any]) -> httpx2.Request:
        timeout = httpx2.Timeout(client.timeout)
        if call.after is not None and timeout.read is not None:
            timeout.read += call.wait_seconds
        request = client.build_request(
            call.method, call.path, params=call.query or None, json=call.body, timeout=timeout
        )
        kept = self._kept.get(call.key) if call.method == "GET" else None
        if kept is not None:
            request.headers["If-None-Match"] = kept[0]
        return request

    def result(self, call: Call[T], response: httpx2.Response) -> T:
        if response.status_code == 304:
            try:
                kept: Any = self._kept[call.key][1]
            except KeyError as error:
                raise errors.UnexpectedAnswerError("304 for what was never asked before.", retryable=True) from error
            revision = response.headers.get(REVISION_HEADER, "")
            # A list names the revision that it is true of, an instance that of its last change.
            is_list = not isinstance(kept, wire.Instance)
            has_moved = is_list and revision.isdecimal() and int(revision) != kept.revision
            repeated: T = replace(kept, revision=int(revision)) if has_moved else kept
            return repeated
        if not response.is_success:
            raise _failure(response)
        result = call.read(_json(response) if response.content else None)
        if call.method == "GET" and "ETag" in response.headers:
            with self._lock:
                self._kept[call.key] = (response.headers["ETag"], result)
                self._kept.move_to_end(call.key)
                if len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
        return result

    def forget(self) -> None:
        """Drop the kept answers: the registry may have begun a new history."""
        with self._lock:
            self._kept.clear()


def unreachable(url: str, error: httpx2.RequestError) -> errors.UnreachableError:
    return errors.UnreachableError(
        f"The registry at {url} does not answer: {str(error).rstrip('.') or type(error).__name__}."
    )


def _failure(response: httpx2.Response) -> errors.RollcallError:
    body = _json(response) if response.headers.get("Content-Type", "").startswith(PROBLEM) else None
    if isinstance(body, dict):
        return errors.from_problem(body, status=response.status_code)
    return errors.UnexpectedAnswerError(
        f"{response.request.method} {response.request.url} was answered with {response.status_code} and no problem: "
        f"{response.text[:200]!r}. Is this the registry's address?",
        retryable=response.status_code >= 500 or response.status_code == 429,
    )


def _json(response: httpx2.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise errors.UnexpectedAnswerError(
            f"{response.request.url} did not answer with JSON: {response.text[:200]!r}. Is this the registry's address?"
        ) from error


def _reader(cls: type[T]) -> Callable[[Any], T]:
    return lambda value: decode(cls, value)


def _nothing(value: Any) -> None:
    return None


def _instance_path(service: str, instance: str) -> str:
    return f"/v1/services/{_segment(service)}/instances/{_segment(instance)}"


def _segment(name: str) -> str:
    return quote(name, safe="")

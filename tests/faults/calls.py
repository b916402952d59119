"""Asking the registry, as a service does that is written without the SDK: what is answered, or how it failed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.faults.history import Answer, Failure, History, Key, Told, Unanswered

# As long as a careful client waits. A server that has accepted and cannot answer must close before.
CALL_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int | None
    failure: Failure | None
    body: Any
    revision: int | None
    sent_at: float
    ended_at: float


class Registry:
    """The client's side of one registry, shared by all services of a run."""

    def __init__(self, url: str, token: str, history: History) -> None:
        self._history = history
        # When the newest request was sent of those that were answered.
        self.answered_at = 0.0
        self._client = httpx2.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            limits=httpx2.Limits(max_connections=400, max_keepalive_connections=100),
            timeout=CALL_SECONDS,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, seconds: float = CALL_SECONDS
    ) -> Reply:
        """Never raises for what the network or the registry does."""
        sent_at = time.time()
        status: int | None = None
        failure: Failure | None = None
        found: Any = None
        revision: int | None = None
        try:
            response = await self._client.request(method, path, json=body, timeout=seconds)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            failure = Failure.TIMEOUT if isinstance(error, httpx2.ConnectTimeout) else Failure.REFUSED
        except httpx2.TimeoutException:
            failure = Failure.TIMEOUT
        except httpx2.TransportError:
            failure = Failure.CLOSED
        else:
            status = response.status_code
            self.answered_at = max(self.answered_at, sent_at)
            found = response.json() if response.content else None
            if "rollcall-revision" in response.headers:
                revision = int(response.headers["rollcall-revision"])
        ended_at = time.time()
        if failure is Failure.TIMEOUT:
            self._history.unanswered.append(Unanswered(method=method, path=path, sent_at=sent_at, ended_at=ended_at))
        return Reply(status=status, failure=failure, body=found, revision=revision, sent_at=sent_at, ended_at=ended_at)

    async def providers(self, key: Key, *, after: int | None = None, wait_seconds: float = 10.0) -> Reply:
        """Everything that an instance requires; with `after`, once something of it has changed since."""
        query = "" if after is None else f"?after={after}&wait={wait_seconds:.0f}s"
        seconds = CALL_SECONDS if after is None else wait_seconds + CALL_SECONDS
        reply = await self.call("GET", f"/v1/instances/{key[0]}/{key[1]}/providers{query}", seconds=seconds)
        if reply.status == 200:
            self.note(reply, f"the providers of {key[1]}")
        return reply

    def note(self, reply: Reply, what: str) -> None:
        """Keep the revision of an answer that is made from the database."""
        revision = reply.body["revision"] if reply.revision is None else reply.revision
        self._history.answers.append(
            Answer(sent_at=reply.sent_at, ended_at=reply.ended_at, revision=revision, what=what)
        )

    def note_webhook(self, told: Told) -> None:
        """Later requests must be answered at its revision at least. The time of its sending is unknown."""
        what = f"the webhook {told.webhook_id}"
        self._history.answers.append(Answer(sent_at=0.0, ended_at=told.at, revision=told.to_revision, what=what))


def path(key: Key) -> str:
    return f"/v1/services/{key[0]}/instances/{key[1]}"

"""Sends batches of lines to the log service, and acts on its answers."""

import contextlib
import gzip
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any

# httpx2 imports it when the first client is made, in our thread: a fork meanwhile would leave the child a half of it.
import httpcore2  # noqa: F401 -- see above
import httpx2

from .complaints import Complaints
from .spool import Batch, Spool

BATCH_BYTES = 1024 * 1024
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 10.0
LONGEST_RETRY_AFTER_SECONDS = 300.0
_TIMEOUT = httpx2.Timeout(5.0, connect=2.0)

INGEST_PATH = "/api/v1/logs"

Locate = Callable[[], str | None]
# Logs how many records of each level were dropped.
NoticeDrop = Callable[[Mapping[int, int]], object]


class Verdict(Enum):
    KEPT = auto()
    TOO_LARGE = auto()
    # The batch will never be accepted.
    REFUSED = auto()
    # The service is away, or the token, the address or the allowed host is wrong; all can be mended: nothing is lost.
    LATER = auto()


def judge(status: int) -> Verdict:
    """Decide by the HTTP status what to do with a batch."""
    if 200 <= status < 300:
        return Verdict.KEPT
    if status == 413:
        return Verdict.TOO_LARGE
    return Verdict.REFUSED if status in (415, 422) else Verdict.LATER


class Delivery:
    """Sends the spool's lines. Belongs to one thread."""

    def __init__(
        self,
        spool: Spool,
        *,
        locate: Locate,
        token: str,
        notice_drop: NoticeDrop,
        complaints: Complaints,
        transport: httpx2.BaseTransport | None = None,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self._spool = spool
        self._locate = locate
        self._notice_drop = notice_drop
        self._complaints = complaints
        self._client = httpx2.Client(
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/x-ndjson",
                "Content-Encoding": "gzip",
            },
            timeout=_TIMEOUT,
            transport=transport,
            trust_env=False,
        )
        self._batch_bytes = batch_bytes
        self._failures = 0
        # One of its own: the program that logs may have seeded the global one, and count on what that yields.
        self._random = random.Random()

    def begin_again(self) -> None:
        """Forget the failures: the service is reported to be back."""
        self._failures = 0

    def run(self, *, until: Callable[[], bool]) -> float | None:
        """Send batch after batch, at least one. None when nothing is left or `until` says so; else how many seconds to
        wait, because the service cannot take any now."""
        while batch := self._spool.batch(self._batch_bytes):
            pause = self._deliver(batch)
            if pause is not None:
                return pause
            if until():
                break
        return None

    def close(self) -> None:
        self._client.close()

    def _deliver(self, batch: Batch) -> float | None:
        """Send one batch; returns how many seconds to wait when it could not be sent now."""
        answer = None
        if address := self._locate():
            body = gzip.compress(batch.body, compresslevel=1)
            with contextlib.suppress(httpx2.HTTPError, httpx2.InvalidURL):
                answer = self._client.post(f"{address.rstrip('/')}{INGEST_PATH}", content=body)
        verdict = Verdict.LATER if answer is None else judge(answer.status_code)
        if verdict is Verdict.TOO_LARGE and batch.lines > 1:
            self._batch_bytes = len(batch.body) // 2
            return None
        if answer is None or verdict is Verdict.LATER:
            return self._pause(answer)
        self._failures = 0
        self._spool.acknowledge(batch)
        if verdict is not Verdict.KEPT:
            self._complaints.say(
                f"answer {answer.status_code}",
                f"the log service will not take {batch.lines} records: {answer.status_code} ({_detail(answer)})",
            )
        else:
            rejected = _json(answer).get("rejected")
            if isinstance(rejected, list) and rejected and isinstance(rejected[0], dict):
                self._complaints.say("rejected", f"the log service rejects records: {rejected[0].get('detail')}")
        if dropped := self._spool.take_dropped():
            self._notice_drop(dropped)
        return None

    def _pause(self, answer: httpx2.Response | None) -> float:
        self._failures += 1
        if answer is not None and answer.status_code < 500 and answer.status_code not in (408, 425, 429):
            self._complaints.say(
                f"answer {answer.status_code}",
                f"the log service answers {answer.status_code} ({_detail(answer)}): records wait until that is mended",
            )
        pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures - 1, 10), LONGEST_PAUSE_SECONDS)
        asked = _retry_after(answer.headers.get("Retry-After", "")) if answer is not None else 0.0
        return max(pause * self._random.uniform(0.5, 1.0), asked)


def _detail(answer: httpx2.Response) -> str:
    return str(_json(answer).get("detail") or answer.reason_phrase)[:500]


def _json(answer: httpx2.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(value: str) -> float:
    """The seconds that either form of the header says; 0 for none."""
    if value.isascii() and value.isdigit():
        seconds = float(value[:9])
    else:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)

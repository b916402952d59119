"""Reads request bodies, with a deadline, a least rate, and a limit on what all of them hold in memory."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from config.problems import BodyTooLarge, IncompleteBody, RequestTimeout, Unavailable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

# The time before the least rate counts, and the longest that any body may take.
GRACE_SECONDS = 5.0
MOST_SECONDS = 60.0
LEAST_BYTES_PER_SECOND = 20_000
# The share of the limit for requests without a token, which leave room for those with one.
ANONYMOUS_SHARE = 0.25
# The share of each token, which leaves room for others; and the least that a token may have.
TOKEN_SHARE = 0.5
LEAST_OF_A_TOKEN_BYTES = 8 * 1024 * 1024
# The scope's member that returns the whole body where it has come and is short, else None; config/http/ puts it there.
WHOLE = "rollcall.body"
BUSY = "Too many bodies are being received at once: ask again, or send less at once."


class Buffer:
    """The bytes that the bodies of one process hold. It lives on one event loop."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.held_bytes = 0
        self.anonymous_bytes = 0
        self.token_bytes: Counter[bytes] = Counter()
        self._most_of_a_token = max(int(limit_bytes * TOKEN_SHARE), LEAST_OF_A_TOKEN_BYTES)

    def has_room(self, count: int, *, token: bytes = b"") -> bool:
        """Whether the body of a request with this token (empty: none) may grow by this much."""
        if token and self.token_bytes[token] + count > self._most_of_a_token:
            return False
        return self.held_bytes + count <= self.limit_bytes


class Intake:
    """One request's part of the buffer; its maker calls `release` when the request is over."""

    def __init__(self, buffer: Buffer, *, is_anonymous: bool, token: bytes = b"") -> None:
        self._buffer = buffer
        self._token = token
        self._is_anonymous = is_anonymous
        self._held_bytes = 0

    def take(self, count: int) -> None:
        """Raises Unavailable when the buffer is full."""
        buffer = self._buffer
        is_full = not buffer.has_room(count, token=self._token)
        if self._is_anonymous:
            is_full |= buffer.anonymous_bytes + count > buffer.limit_bytes * ANONYMOUS_SHARE
        if is_full:
            refusal = Unavailable(BUSY)
            refusal.headers["Retry-After"] = "1"
            raise refusal
        self._add(count)

    def release(self) -> None:
        self._add(-self._held_bytes)

    def _add(self, count: int) -> None:
        self._held_bytes += count
        self._buffer.held_bytes += count
        if self._is_anonymous:
            self._buffer.anonymous_bytes += count
        if self._token and count:
            held = self._buffer.token_bytes
            held[self._token] += count
            if not held[self._token]:
                del held[self._token]


def has_body(scope: Scope) -> bool:
    return any(
        (name == b"content-length" and value != b"0") or name == b"transfer-encoding"
        for name, value in scope["headers"]
    )


async def read(scope: Scope, receive: Receive, *, limit_bytes: int, intake: Intake | None = None) -> bytes:
    """The request's whole body.

    Raises BodyTooLarge, IncompleteBody when the client went away or closed its side before the end, RequestTimeout when
    it is too slow, and Unavailable when the buffer is full.
    """
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    # A body that has arrived already needs no timer.
    whole: bytes | None = scope[WHOLE]() if WHOLE in scope else None
    if whole is not None:
        if len(whole) > limit_bytes:
            raise BodyTooLarge(limit_bytes)
        if intake is not None:
            intake.take(len(whole))
        return whole
    loop = asyncio.get_running_loop()
    began, chunks, size, more = loop.time(), [], 0, True
    while more:
        seconds = min(GRACE_SECONDS + size / LEAST_BYTES_PER_SECOND, MOST_SECONDS)
        try:
            async with asyncio.timeout_at(began + seconds):
                message = await receive()
        except TimeoutError as error:
            raise RequestTimeout(
                f"{size} bytes of the body came within {seconds:.0f} s: send it faster, or less at once."
            ) from error
        if message["type"] == "http.disconnect":
            raise IncompleteBody
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit_bytes:
            raise BodyTooLarge(limit_bytes)
        if intake is not None:
            intake.take(len(chunk))
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)

"""Slow bodies, on a loop whose clock is turned by hand."""

import asyncio
import time
from typing import Any

import pytest

from config import bodies
from config.bodies import Buffer, Intake
from config.problems import IncompleteBody, RequestTimeout, Unavailable

MIB = 1024 * 1024


class Trickle:
    """A client that sends `size` bytes every `pause_seconds`."""

    def __init__(self, *, size: int, pause_seconds: float, most: int) -> None:
        self._size, self._pause_seconds, self._left = size, pause_seconds, most

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(self._pause_seconds)
        self._left -= self._size
        return {"type": "http.request", "body": b"x" * self._size, "more_body": self._left > 0}


class HastyLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer instead of waiting for it."""

    ahead = 0.0

    def time(self) -> float:
        return time.monotonic() + self.ahead

    def _run_once(self) -> None:
        scheduled, ready = self._scheduled, self._ready  # type: ignore[attr-defined]
        if scheduled and not ready:
            self.ahead += max(0.0, scheduled[0].when() - self.time())
        super()._run_once()  # type: ignore[misc]


def read(client: Trickle) -> bytes:
    with asyncio.Runner(loop_factory=HastyLoop) as runner:
        return runner.run(bodies.read({"headers": []}, client.receive, limit_bytes=10**8))


def test_a_body_that_comes_fast_enough_is_read_whole() -> None:
    assert len(read(Trickle(size=25_000, pause_seconds=1, most=1_000_000))) == 1_000_000


@pytest.mark.parametrize("pause_seconds", [1, 10_000])
def test_a_body_that_trickles_is_given_up(pause_seconds: float) -> None:
    with pytest.raises(RequestTimeout):
        read(Trickle(size=100, pause_seconds=pause_seconds, most=1_000_000))


def test_no_body_takes_for_ever() -> None:
    with pytest.raises(RequestTimeout, match="within 60 s"):
        read(Trickle(size=25_000, pause_seconds=1, most=10**8))


def test_bodies_are_received_up_to_the_very_limit_of_all() -> None:
    buffer = Buffer(10)
    first, second = (Intake(buffer, is_anonymous=False) for _ in range(2))
    first.take(4)
    second.take(6)

    assert not buffer.has_room(1)
    with pytest.raises(Unavailable):
        second.take(1)
    first.release()
    assert buffer.has_room(4)
    assert not buffer.has_room(5)


def test_one_tokens_bodies_leave_room_for_those_of_others() -> None:
    buffer = Buffer(64 * MIB)
    intakes = [Intake(buffer, is_anonymous=False, token=b"evil") for _ in range(5)]
    for intake in intakes[:4]:
        intake.take(8 * MIB)

    with pytest.raises(Unavailable):
        intakes[4].take(1)
    assert not buffer.has_room(1, token=b"evil")
    assert buffer.has_room(32 * MIB, token=b"good")
    Intake(buffer, is_anonymous=False, token=b"good").take(8 * MIB)
    intakes[0].release()
    intakes[4].take(8 * MIB)


def test_a_small_buffer_still_takes_a_whole_body_of_one_token() -> None:
    Intake(Buffer(8 * MIB), is_anonymous=False, token=b"only").take(8 * MIB)


def test_a_body_that_breaks_off_is_incomplete() -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(IncompleteBody):
        asyncio.run(bodies.read({"headers": [(b"content-length", b"5")]}, gone, limit_bytes=10))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], False),
        ([(b"content-length", b"0")], False),
        ([(b"content-length", b"5")], True),
        ([(b"transfer-encoding", b"chunked")], True),
    ],
)
def test_what_announces_a_body(headers: list[tuple[bytes, bytes]], expected: bool) -> None:
    assert bodies.has_body({"headers": headers}) is expected

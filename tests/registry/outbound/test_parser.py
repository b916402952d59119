"""Answers, well-formed and not, in one piece and in many."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.outbound.parser import MAX_HEAD_BYTES, MAX_HEADERS, MAX_READ_BYTES, Answer, BrokenAnswerError
from registry.outbound.types import Error

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\ntrailer: x\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK


def answer_to(*pieces: bytes, is_head_only: bool = False, max_body_bytes: int = 1024) -> Answer:
    answer = Answer()
    answer.begin(is_head_only=is_head_only, max_body_bytes=max_body_bytes)
    for piece in pieces:
        answer.feed(piece)
    return answer


def error_of(*pieces: bytes) -> Error:
    with pytest.raises(BrokenAnswerError) as caught:
        answer_to(*pieces)
    return caught.value.error


@pytest.mark.parametrize("received", [OK, CHUNKED, INTERIM])
def test_an_answer_is_the_same_however_it_is_cut(received: bytes) -> None:
    for place in range(len(received) + 1):
        answer = answer_to(received[:place], received[place:])
        assert (answer.status, answer.body, answer.is_complete) == (200, b"ok", True)
        assert answer.leaves_connection_fit
    bytewise = answer_to(*(received[place : place + 1] for place in range(len(received))))
    assert (bytewise.status, bytewise.body, bytewise.is_complete) == (200, b"ok", True)


@pytest.mark.parametrize(
    "received",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n",
        b"\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ],
)
def test_answers_without_a_body_are_whole_at_once(received: bytes) -> None:
    answer = answer_to(received)
    assert answer.is_complete
    assert answer.leaves_connection_fit


def test_the_answer_to_a_head_describes_a_body_and_has_none() -> None:
    answer = answer_to(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", is_head_only=True)
    assert answer.is_complete
    assert answer.leaves_connection_fit
    answer.begin(is_head_only=False, max_body_bytes=9)
    assert answer.feed(OK)
    assert answer.body == b"ok"


@pytest.mark.parametrize(
    "received",
    [
        OK + b"x",
        OK + OK,
        OK + b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ],
)
def test_a_connection_that_said_more_or_that_it_ends_is_not_used_again(received: bytes) -> None:
    answer = answer_to(received)
    assert (answer.status, answer.body, answer.is_complete) == (200, b"ok", True)
    assert not answer.leaves_connection_fit


def test_a_body_after_the_answer_to_a_head_makes_the_connection_unfit() -> None:
    answer = answer_to(OK, is_head_only=True)
    assert answer.is_complete
    assert not answer.leaves_connection_fit


def test_a_switch_of_protocols_is_an_answer_and_the_end() -> None:
    for upgrade in (b"connection: upgrade\r\nupgrade: x\r\n", b""):
        answer = answer_to(b"HTTP/1.1 101 Switching\r\n" + upgrade + b"\r\nx")
        assert answer.is_complete
        assert answer.status == 101
        assert not answer.leaves_connection_fit


@pytest.mark.parametrize(
    ("head", "ends"),
    [
        (b"", True),
        (b"transfer-encoding: gzip\r\n", True),
        (b"content-length: 9\r\n", False),
        (b"transfer-encoding: gzip, chunked\r\n", False),
    ],
)
def test_only_a_body_of_no_stated_length_ends_with_the_connection(head: bytes, *, ends: bool) -> None:
    assert answer_to(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n").ends_with_connection() is ends


def test_half_a_head_does_not_end_with_the_connection() -> None:
    assert not answer_to(b"HTTP/1.1 200 OK\r\n").ends_with_connection()


@pytest.mark.parametrize(
    "received",
    [
        b"\x16\x03\x01garbage",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 banana\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\n\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\n\r\n",
    ],
)
def test_what_is_not_http_is_malformed(received: bytes) -> None:
    assert error_of(received) is Error.MALFORMED


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\n", *[b"x: y\r\n"] * (MAX_HEADERS + 1)],
        [b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * (MAX_HEADERS + 1) + b"\r\n"],
        [b"HTTP/1.1 200 OK\r\nx: ", *[b"y" * 1000] * 17],
        [b"HTTP/1.1 200 OK\r\nx: " + b"y" * MAX_HEAD_BYTES + b"\r\ncontent-length: 0\r\n\r\n"],
        [b"\r\n" * 1000] * 10,
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * 100,
    ],
)
def test_headers_without_end_are_cut_off(pieces: list[bytes]) -> None:
    assert error_of(*pieces) is Error.TOO_LARGE_HEADERS


def test_a_large_body_does_not_count_as_headers() -> None:
    body = b"\r\n" * (MAX_HEAD_BYTES // 2)
    answer = answer_to(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body, max_body_bytes=9)
    assert answer.is_complete
    assert answer.body == body[:9]


def test_a_body_without_end_is_read_no_further_than_the_cap() -> None:
    answer = answer_to(b"HTTP/1.1 200 OK\r\n\r\n", max_body_bytes=5)
    pieces = 0
    while not answer.feed(b"x" * 4096):
        pieces += 1
    assert pieces * 4096 <= MAX_READ_BYTES
    assert answer.status == 200
    assert answer.body == b"xxxxx"
    assert not answer.leaves_connection_fit


@given(st.lists(st.binary(max_size=200), max_size=20), st.booleans())
def test_any_bytes_at_all_are_an_answer_or_are_refused(pieces: list[bytes], is_head_only: bool) -> None:
    answer = Answer()
    answer.begin(is_head_only=is_head_only, max_body_bytes=10)
    with suppress(BrokenAnswerError):
        any(answer.feed(piece) for piece in (b"HTTP/1.1 200 OK\r\n", *pieces))
    assert len(answer.body) <= 10


@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=8))
def test_however_a_body_is_chunked_and_cut_it_is_the_same(body: bytes, cuts: list[int]) -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:100], body[100:]) if part)
    received = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    places = [0, *sorted(cuts), len(received)]
    answer = answer_to(*(received[start:end] for start, end in pairwise(places)))
    assert answer.is_complete
    assert answer.body == body

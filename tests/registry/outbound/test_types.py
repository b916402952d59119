"""Requests as bytes, and outcomes as they are read."""

import pytest

from registry.outbound.types import Error, Outcome, Request, Timeouts, final_head


def test_a_get_is_a_few_lines() -> None:
    assert Request(url="http://a:8000/healthz").encoded == (
        b"GET /healthz HTTP/1.1\r\nhost: a:8000\r\nuser-agent: rollcall-registry\r\naccept: */*\r\n\r\n"
    )


def test_a_post_says_how_long_its_body_is() -> None:
    request = Request(method="POST", url="http://a/", headers=(("Content-Type", "application/json"),), body=b"{}")
    head, _, body = request.encoded.partition(b"\r\n\r\n")
    assert b"\r\ncontent-length: 2" in head
    assert b"\r\nContent-Type: application/json" in head
    assert body == b"{}"


def test_an_empty_post_has_a_length_too() -> None:
    assert b"content-length: 0\r\n" in Request(method="POST", url="http://a/").encoded


def test_what_is_not_to_be_kept_alive_says_so() -> None:
    assert b"connection: close\r\n" in Request(url="http://a/", keep_alive=False).encoded


def test_ones_own_headers_replace_the_usual_ones() -> None:
    encoded = Request(url="http://a/", headers=(("User-Agent", "me"), ("Accept", "text/plain"))).encoded
    assert encoded.lower().count(b"user-agent:") == 1
    assert encoded.lower().count(b"accept:") == 1


@pytest.mark.parametrize(
    "headers",
    [(("a\r\nb", "c"),), (("a", "b\r\nc: d"),), (("a", "b\nc"),), (("", "b"),), (("a b", "c"),), (("a", "☃"),)],
)
def test_a_header_that_would_smuggle_another_is_refused(headers: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ValueError, match="header"):
        Request(url="http://a/", headers=headers)


def test_a_method_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="method"):
        Request(method="GET / HTTP/1.1\r\n", url="http://a/")


def test_one_limit_can_hold_for_all_phases() -> None:
    assert Timeouts.within(3) == Timeouts(resolve=3, connect=3, first_byte=3, total=3)


def test_an_outcome_finds_a_header_when_asked() -> None:
    outcome = Outcome(head=b"HTTP/1.1 429 Slow\r\nRetry-After:  120 \r\nx: a\r\nX: b\r\n\r\nretry-after: 5")
    assert outcome.header("retry-after") == "120"
    assert outcome.header("X") == "a"
    assert outcome.header("429 Slow") is None
    assert Outcome().header("x") is None


def test_headers_of_interim_answers_do_not_count() -> None:
    received = b"\r\nHTTP/1.1 103 Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\ndate: b\r\n\r\nbody\r\n\r\nmore"
    assert final_head(received) == b"HTTP/1.1 200 OK\r\ndate: b"


@pytest.mark.parametrize(
    ("outcome", "is_success"),
    [
        (Outcome(status=200), True),
        (Outcome(status=299), True),
        (Outcome(status=301), False),
        (Outcome(status=503), False),
        (Outcome(), True),
        (Outcome(error=Error.CONNECTION_REFUSED), False),
        (Outcome(status=200, error=Error.CLOSED_EARLY), False),
    ],
)
def test_success_is_a_whole_2xx_answer_or_an_open_connection(outcome: Outcome, *, is_success: bool) -> None:
    assert outcome.is_success is is_success


def test_our_own_faults_are_told_from_the_peers() -> None:
    assert {error for error in Error if error.is_ours} == {Error.LOCAL_LIMIT, Error.CLIENT_CLOSED}

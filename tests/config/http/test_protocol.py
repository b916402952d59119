"""The server's side of HTTP/1.1, asked with raw bytes."""

import json
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.http.protocol import (
    HEAD_SECONDS,
    IDLE_SECONDS,
    LINGERING_SECONDS,
    MOST_HEAD_BYTES,
    MOST_HEADERS,
    MOST_URL_BYTES,
    MOST_WAITING,
)
from tests.config.http.served import LONG, SECONDS, Served, read_all, read_answer, read_answers, served
from tests.ipv6 import needs_ipv6
from tests.waiting import until


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as running:
        yield running


def request(path: str, *lines: bytes, method: str = "GET", body: bytes = b"") -> bytes:
    head = [f"{method} {path} HTTP/1.1".encode(), b"Host: x", *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def last(path: str, *lines: bytes, method: str = "GET", body: bytes = b"") -> bytes:
    return request(path, *lines, b"Connection: close", method=method, body=body)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def told(answer: bytes) -> Any:
    return json.loads(body(answer))


def test_a_request_is_passed_on_as_it_came(server: Served) -> None:
    asked = last("/echo?a=%20b&c", b"X-One: 1", b"X-one:  two ", b"Content-Length: 3", method="PUT", body=b"abc")
    heard = told(server.ask(asked))
    assert (heard["method"], heard["path"], heard["query"], heard["version"]) == ("PUT", "/echo", "a=%20b&c", "1.1")
    assert [value for name, value in heard["headers"] if name == "x-one"] == ["1", "two"]
    assert (heard["body"], heard["client"]) == ("abc", "127.0.0.1")


@needs_ipv6
def test_a_client_over_ipv4_has_such_an_address_also_where_both_are_served() -> None:
    with served(host="::") as running:
        assert told(running.ask(last("/echo")))["client"] == "127.0.0.1"


def test_a_path_is_decoded(server: Served) -> None:
    assert told(server.ask(last("/%65cho")))["path"] == "/echo"
    assert told(server.ask(last("http://elsewhere.test/echo")))["path"] == "/echo"


@pytest.mark.parametrize("address", ["/", "http://elsewhere.test", "http://elsewhere.test?a"])
def test_the_root_may_be_left_out_of_a_whole_address(server: Served, address: str) -> None:
    server.application.asked.clear()
    assert status(server.ask(last(address))) == 401
    assert server.application.asked == ["/"]


def test_a_body_in_chunks_is_one_body_and_its_trailers_say_nothing(server: Served) -> None:
    chunks = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nAuthorization: Bearer stolen\r\n\r\n"
    heard = told(server.ask(last("/echo", b"Transfer-Encoding: chunked", method="POST", body=chunks)))
    assert heard["body"] == "abcde"
    assert "authorization" not in dict(heard["headers"])


def test_a_connection_is_kept(server: Served) -> None:
    with server.connect() as connection:
        for number in range(3):
            connection.sendall(request("/echo", b"Content-Length: 1", method="POST", body=b"%d" % number))
            assert told(read_answer(connection))["body"] == str(number)


def test_a_long_body_comes_whole(server: Served) -> None:
    asked = last("/echo", b"Content-Length: %d" % len(LONG), method="POST", body=LONG)
    assert told(server.ask(asked))["body"] == LONG.decode()


def test_a_long_answer_comes_whole(server: Served) -> None:
    assert body(server.ask(last("/long"))) == LONG


def test_an_answer_in_two_parts_comes_whole_also_where_its_request_is_recognized(server: Served) -> None:
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(request("/long-apart", b"X-Unique: apart"))
            assert body(read_answer(connection)) == b"begun" + LONG


def test_an_answer_in_two_parts_comes_whole_also_by_a_task_and_between_others(server: Served) -> None:
    asked = [request("/now"), request("/long-apart", b"Content-Length: 1", body=b"a"), request("/now")]
    with server.connect() as connection:
        connection.sendall(b"".join(asked))
        answers = read_answers(connection, 3)
    assert [body(answer) for answer in answers] == [b"now", b"begun" + LONG, b"now"]
    assert body(server.ask(b"GET /long-apart HTTP/1.0\r\n\r\n")) == b"begun" + LONG


def test_a_head_of_an_answer_in_two_parts_states_its_whole_length(server: Served) -> None:
    answer = server.ask(last("/long-apart", method="HEAD"))
    assert b"\r\ncontent-length: %d\r\n" % len(b"begun" + LONG) in answer
    assert body(answer) == b""


def test_an_answer_of_unknown_length_comes_in_chunks(server: Served) -> None:
    answer = server.ask(last("/stream"))
    assert b"\r\ntransfer-encoding: chunked\r\n" in answer
    assert body(answer) == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


def test_over_http_1_0_it_ends_with_the_connection(server: Served) -> None:
    answer = server.ask(b"GET /stream HTTP/1.0\r\n\r\n")
    assert b"transfer-encoding" not in answer
    assert body(answer) == b"onetwo"


def test_http_1_0_needs_no_host_and_closes(server: Served) -> None:
    answer = server.ask(b"GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert b"\r\nconnection: close\r\n" in answer
    assert told(answer)["version"] == "1.0"


@pytest.mark.parametrize("path", ["/long", "/stream"])
def test_a_head_has_no_body(server: Served, path: str) -> None:
    assert body(server.ask(last(path, method="HEAD"))) == b""


def test_http_1_0_is_never_told_to_go_on(server: Served) -> None:
    asked = b"PUT /echo HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\na"
    assert told(server.ask(asked))["body"] == "a"


def test_an_answer_without_content_states_no_length(server: Served) -> None:
    assert b"content-length" not in server.ask(last("/empty"))


def test_an_answer_has_a_date(server: Served) -> None:
    assert re.search(rb"\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", server.ask(last("/now")))


def test_a_client_that_asks_first_is_told_to_go_on(server: Served) -> None:
    with server.connect() as connection:
        connection.sendall(request("/echo", b"Content-Length: 2", b"Expect: 100-continue", method="PUT"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ab")
        assert told(read_answer(connection))["body"] == "ab"


def test_who_has_not_asked_is_not_told_to_go_on(server: Served) -> None:
    with server.connect() as connection:
        connection.sendall(request("/in-vain"))
        read_answer(connection)
        connection.sendall(request("/echo", b"Content-Length: 1", b"Expect: 100-continue", method="PUT", body=b"a"))
        assert told(read_answers(connection, 2)[1])["body"] == "a"
        connection.sendall(request("/in-vain"))
        assert body(read_answer(connection)) == b"in-vain"


def test_what_fails_amid_an_answer_is_cut_off(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    assert body(server.ask(request("/breaks"))) == b"4\r\npart\r\n"
    assert "GET /breaks failed" in caplog.text


def test_an_answer_cannot_put_in_a_header(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    assert server.ask(request("/injects")) == b""
    assert "holds the end of a line" in caplog.text


def test_a_request_that_is_not_answered_is_closed(server: Served) -> None:
    assert server.ask(request("/silent")) == b""


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET /echo\r\n\r\n",
        b"GET /echo HTTP/1.1\nHost: x\n\n",
        b"GET /echo HTTP/2.0\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHo st: x\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT /echo HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"FROB /echo HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\nab",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\na",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\na",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_connection_closed(server: Served, garbage: bytes) -> None:
    answer = server.ask(garbage)
    assert status(answer) == 400
    assert b"\r\nconnection: close\r\n" in answer
    assert told(answer)["type"] == "urn:rollcall:problem:malformed-request"


def test_a_body_in_an_unknown_encoding_is_refused(server: Served) -> None:
    answer = server.ask(request("/echo", b"Transfer-Encoding: xchunked", method="POST", body=b"0\r\n\r\n"))
    assert (status(answer), body(answer)) == (400, b"incomplete")


@pytest.mark.parametrize(
    "chunks", [b"zz\r\nabc\r\n", b"3\r\nabcd\r\n", b"3\nabc\r\n", b"-1\r\n", b"3\r\nabc", b"3 \r\nab"]
)
def test_a_body_that_breaks_off_or_is_malformed_is_incomplete(server: Served, chunks: bytes) -> None:
    asked = request("/echo", b"Transfer-Encoding: chunked", method="POST", body=chunks)
    answer = server.ask(asked, ends=True)
    assert (status(answer), body(answer)) == (400, b"incomplete")
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize("begun", [b"0\r\nX: ", b"1;x="])
def test_a_body_without_end_is_incomplete(server: Served, begun: bytes) -> None:
    asked = request("/echo", b"Transfer-Encoding: chunked", method="POST", body=begun)
    answer = server.ask(asked, *[LONG[:4096]] * (4 * MOST_HEAD_BYTES // 4096))
    assert (status(answer), body(answer)) == (400, b"incomplete")


def test_a_client_that_has_closed_its_side_is_answered(server: Served) -> None:
    assert told(server.ask(request("/echo"), ends=True))["path"] == "/echo"
    assert body(server.ask(request("/now"), ends=True)) == b"now"
    assert body(server.ask(request("/soon"), ends=True)) == b"soon"
    assert server.ask(request("/soon") + request("/echo") * 3, ends=True).count(b"HTTP/1.1 200") == 4


def test_who_waits_is_told_that_the_client_is_gone(server: Served) -> None:
    server.application.gone.clear()
    server.application.asked.clear()
    server.connect().close()
    with server.connect() as connection:
        connection.sendall(request("/hang"))
        until(lambda: "/hang" in server.application.asked)
    until(lambda: server.application.gone == ["/hang"])


def test_requests_that_come_together_are_answered_in_order(server: Served) -> None:
    asked = [
        request("/echo?1"),
        request("/now"),
        request("/soon"),
        request("/echo?2"),
        request("/now"),
        last("/echo?3"),
    ]
    answer = server.ask(b"".join(asked))
    assert re.findall(rb'"query": "(\d)"|\r\n\r\n(now|soon)', answer) == [
        *((b"1", b""), (b"", b"now"), (b"", b"soon"), (b"2", b""), (b"", b"now"), (b"3", b"")),
    ]


def test_too_many_of_them_are_refused_after_the_others(server: Served) -> None:
    answer = server.ask(request("/echo") * (MOST_WAITING + 2))
    assert answer.count(b"HTTP/1.1 200") == MOST_WAITING + 1
    assert answer.count(b"HTTP/1.1 400") == 1


def test_what_comes_after_a_request_that_closes_is_not_answered(server: Served) -> None:
    assert server.ask(last("/now") + request("/now")).count(b"HTTP/1.1") == 1


def test_an_error_after_a_request_waits_for_its_answer(server: Served) -> None:
    answer = server.ask(request("/echo") + b"nonsense\r\n\r\n")
    assert [each[:3] for each in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"400"]


def test_an_address_may_be_so_long(server: Served) -> None:
    assert status(server.ask(last("/echo?" + "a" * (MOST_URL_BYTES - 6)))) == 200
    refused = server.ask(last("/echo?" + "a" * (MOST_URL_BYTES - 5)))
    assert (status(refused), told(refused)["limit_bytes"]) == (414, MOST_URL_BYTES)


def test_there_may_be_so_many_headers(server: Served) -> None:
    most = [b"X: %d" % number for number in range(MOST_HEADERS - 2)]
    assert status(server.ask(last("/echo", *most))) == 200
    refused = server.ask(last("/echo", *most, b"X: one more"))
    assert (status(refused), told(refused)["limit"]) == (431, MOST_HEADERS)


def test_a_header_without_end_is_refused(server: Served) -> None:
    answer = server.ask(b"GET /echo HTTP/1.1\r\nX: ", *[b"a" * 4096] * (4 * MOST_HEAD_BYTES // 4096))
    assert status(answer) == 431


def test_an_answer_before_the_body_ends_the_connection_and_is_read(server: Served) -> None:
    asked = request("/other", b"Content-Length: %d" % (8 * len(LONG)), method="POST")
    answer = server.ask(asked, *[LONG[:65_536]] * 40, ends=True)
    assert (status(answer), body(answer)) == (401, b"unread")
    assert b"\r\nconnection: close\r\n" in answer


def test_who_sends_on_is_cut_off(server: Served) -> None:
    asked = request("/other", b"Content-Length: 99999999999", method="POST")
    with server.connect() as connection:
        connection.sendall(asked)
        assert status(read_answer(connection)) == 401
        with pytest.raises(OSError, match=r"reset|Broken pipe|aborted"):
            send_all(connection, 10_000 * 65_536)


def test_who_neither_sends_nor_closes_is_cut_off(server: Served) -> None:
    with server.connect() as connection:
        connection.sendall(request("/other", b"Content-Length: 5", method="POST"))
        assert status(read_answer(connection)) == 401
        server.age(LINGERING_SECONDS / 2)
        connection.sendall(b"a")
        server.age(LINGERING_SECONDS * 2)
        assert is_cut_off(connection)


@pytest.mark.parametrize("begun", [b"", b"GET /echo HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_on_which_no_request_comes_is_closed(server: Served, begun: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(begun)
        # Once this is answered, the server has read the other too.
        server.ask(last("/echo"))
        server.age(HEAD_SECONDS / 2)
        server.age(HEAD_SECONDS * 2)
        assert is_cut_off(connection)


def test_a_connection_is_kept_longer_after_an_answer(server: Served) -> None:
    with server.connect() as connection:
        for path in ("/now", "/echo"):
            connection.sendall(request(path))
            read_answer(connection)
            server.age(HEAD_SECONDS * 2)
        connection.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\n")
        server.ask(last("/echo"))
        server.age(HEAD_SECONDS / 2)
        connection.sendall(b"\r\n")
        read_answer(connection)
        server.age(IDLE_SECONDS * 2)
        assert is_cut_off(connection)


def test_a_request_that_takes_long_to_answer_is_not(server: Served) -> None:
    server.application.asked.clear()
    with server.connect() as connection:
        connection.sendall(request("/hang"))
        until(lambda: "/hang" in server.application.asked)
        connection.sendall(b"GET /echo HTTP/1.1\r\n")
        # Once this is answered, the server has read the other too.
        server.ask(last("/echo"))
        server.age(HEAD_SECONDS * 10)
        connection.shutdown(socket.SHUT_WR)
        assert body(read_all(connection)) == b"late"


def test_an_answer_whose_client_is_gone_keeps_nobody_else_waiting() -> None:
    with served() as running:
        with running.connect() as connection:
            connection.sendall(request("/endless"))
            assert connection.recv(10)
        try:
            assert running.ask(last("/now"))
        finally:
            running.application.gone.append("/endless")


@pytest.mark.parametrize("path", ["/long", "/endless"])
def test_who_reads_slowly_is_waited_for_and_who_reads_nothing_is_not(server: Served, path: str) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(SECONDS)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(request(path))
        assert connection.recv(10)
        # What is still to be sent differs from the last look as long as there was reading.
        for _ in range(10):
            server.age(IDLE_SECONDS * 2)
            read_some(connection, 100_000)
        server.age(IDLE_SECONDS * 4)
        server.age(IDLE_SECONDS * 8)
        server.application.gone.append(path)
        with pytest.raises((ConnectionError, EOFError)):
            read_some(connection, 4 * len(LONG))


@pytest.mark.parametrize("path", ["/long", "/long-now", "/long-apart"])
def test_what_the_clients_of_one_token_leave_unread_is_bounded(path: str) -> None:
    def unread(running: Served, token: bytes) -> socket.socket:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(SECONDS)
        connection.connect(("127.0.0.1", running.port))
        connection.sendall(request(path, b"Authorization: Bearer " + token))
        return connection

    with served() as running, ExitStack() as stack:
        stack.enter_context(unread(running, b"evil"))
        size = until(lambda: running.state.unread[b"evil"])
        running.state.most_unread_bytes = size // 2
        refused = told(running.ask(last("/echo", b"Authorization: Bearer  evil")))
        other = told(running.ask(last("/echo", b"Authorization: Bearer good")))
        stack.close()
        until(lambda: not running.state.unread)
        again = told(running.ask(last("/echo", b"Authorization: Bearer evil")))
        # One that was asked for before that is cut off when it comes.
        with unread(running, b"evil") as late:
            assert is_cut_off(late)
            until(lambda: running.connections == 0)

    assert (refused["status"], refused["limit"]) == (429, "unread_bytes")
    assert other["path"] == again["path"] == "/echo"


def test_a_request_that_comes_again_is_recognized(server: Served) -> None:
    asked = request("/now", b"X-Unique: recognized")
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(asked)
            assert body(read_answer(connection)) == b"now"
    assert asked in server.recognized
    assert body(server.ask(asked, last("/now"))).startswith(b"now")


@pytest.mark.parametrize("path", ["/echo", "/other"])
def test_what_needs_the_application_is_not(server: Served, path: str) -> None:
    asked = request(path, b"X-Unique: asked")
    server.ask(asked + last("/now"))
    assert asked not in server.recognized


def test_bytes_of_a_body_are_never_taken_for_a_request(server: Served) -> None:
    inner = request("/now", b"X-Unique: inner")
    with server.connect() as connection:
        connection.sendall(inner)
        read_answer(connection)
        assert inner in server.recognized
        connection.sendall(request("/echo", b"Content-Length: %d" % len(inner), method="POST"))
        connection.sendall(inner)
        assert told(read_answer(connection))["body"] == inner.decode()


def test_what_was_waited_for_in_vain_goes_the_ordinary_way(server: Served) -> None:
    asked = request("/in-vain")
    for _ in range(2):
        answer = server.ask(asked + last("/now"))
        assert [each[:3] for each in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200"]


def test_a_wait_that_fails_is_answered_with_its_problem(server: Served) -> None:
    assert status(server.ask(request("/fails"), ends=True)) == 503


def test_a_change_is_answered_without_the_application_where_all_of_it_comes_at_once(server: Served) -> None:
    server.application.asked.clear()
    server.application.stored.clear()
    pieces = b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(request("/now"))
        assert body(read_answer(connection)) == b"now"
        for asked in (
            request("/stored", b"Content-Length: 3", method="PUT", body=b"abc"),
            request("/stored", b"Transfer-Encoding: chunked", method="POST", body=pieces),
            request("/stored", method="DELETE"),
        ):
            connection.sendall(asked)
            read_answer(connection)
            assert asked not in server.recognized
    assert (server.application.stored, server.application.asked) == ([b"abc", b"abc", b""], [])


@pytest.mark.parametrize(
    "parts",
    [
        (request("/stored", b"Content-Length: 3", b"Connection: close", method="PUT"), b"abc"),
        (last("/stored", b"Content-Length: 3", method="PUT", body=b"abc"),),
        (b"PUT /stored HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",),
        (request("/stored", b"Content-Length: 3", b"Expect: 100-continue", b"Connection: close", method="PUT"), b"abc"),
        (last("/stored", b"Content-Length: 3", b"Upgrade: h2c", method="PUT", body=b"abc"),),
    ],
)
def test_any_other_goes_the_ordinary_way(server: Served, parts: tuple[bytes, ...]) -> None:
    server.application.asked.clear()
    assert server.ask(*parts).endswith(b"\r\n\r\nabc")
    assert server.application.asked == ["/stored"]


@pytest.mark.parametrize("path", ["/refused", "/fails"])
def test_a_change_that_is_refused_is_answered_with_its_problem(server: Served, path: str) -> None:
    with server.connect() as connection:
        for _ in range(2):
            connection.sendall(request(path, b"Content-Length: 2", method="PUT", body=b"{}"))
            assert status(read_answer(connection)) == 503


def test_changes_that_come_together_are_answered_one_after_the_other(server: Served) -> None:
    changes = [request("/stored", b"Content-Length: 1", method="PUT", body=b"%d" % number) for number in range(5)]
    with server.connect() as connection:
        connection.sendall(b"".join(changes))
        assert [body(answer) for answer in read_answers(connection, 5)] == [b"0", b"1", b"2", b"3", b"4"]


def test_a_change_whose_client_went_away_is_stored_and_one_half_closed_is_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = request("/kept", b"Content-Length: 1", method="PUT", body=b"a")
    with served() as running:
        with running.connect() as gone:
            gone.sendall(kept)
            until(lambda: running.application.stored == [b"a"])
            # Its end is a reset.
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(lambda: not running.connections)
        with running.connect() as half_closed:
            half_closed.sendall(kept)
            half_closed.shutdown(socket.SHUT_WR)
            until(lambda: len(running.application.stored) == 2)
            running.application.released.set()
            assert body(read_all(half_closed)) == b"kept"
    assert not caplog.records


def test_a_stop_waits_for_a_change() -> None:
    with served() as running, running.connect() as waiting:
        waiting.sendall(request("/kept", method="DELETE"))
        until(lambda: running.application.stored == [b""])
        running.stop()
        running.application.released.set()
        assert b"\r\nconnection: close\r\n" in read_all(waiting)


def test_who_goes_away_while_waiting_hinders_nobody(server: Served) -> None:
    with server.connect() as connection:
        connection.sendall(request("/held"))
    server.application.released.set()
    assert status(server.ask(last("/echo"))) == 200


def test_any_number_of_upgrades_may_come_together(server: Served) -> None:
    offers = request("/now", b"Connection: Upgrade", b"Upgrade: h2c") * 1000
    assert server.ask(offers + last("/now")).count(b"HTTP/1.1 200") == 1001


def test_an_upgrade_over_http_1_0_leaves_it_there(server: Served) -> None:
    answer = server.ask(b"GET /stream HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert body(answer) == b"onetwo"


def test_an_upgrade_that_is_not_offered_is_ignored(server: Served) -> None:
    upgrade = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
    with server.connect() as connection:
        for path in ("/echo", "/now"):
            connection.sendall(request(path, *upgrade))
            assert status(read_answer(connection)) == 200
        connection.sendall(request("/echo", *upgrade, b"Content-Length: 2", method="PUT", body=b"ab"))
        assert told(read_answer(connection))["body"] == "ab"
        connection.sendall(last("/echo"))
        assert told(read_answer(connection))["path"] == "/echo"


def test_a_stop_answers_what_has_come_and_closes_the_others() -> None:
    with served() as running, running.connect() as idle, running.connect() as busy, running.connect() as waiting:
        for connection in (idle, busy):
            connection.sendall(request("/now"))
            read_answer(connection)
        busy.sendall(request("/hang"))
        waiting.sendall(request("/held"))
        until(lambda: "/hang" in running.application.asked and running.application.awaited)
        running.stop()
        assert read_all(idle) == b""
        running.application.released.set()
        assert status(read_answer(waiting)) == 401
        busy.shutdown(socket.SHUT_WR)
        assert body(read_all(busy)) == b"late"


PIECES = st.sampled_from(
    [
        request("/now"),
        request("/soon"),
        request("/echo?1"),
        request("/echo?2", b"Content-Length: 3", body=b"abc"),
        request("/echo", b"Transfer-Encoding: chunked", method="POST", body=b"3\r\nabc\r\n0\r\n\r\n"),
        request("/echo", b"Content-Length: 4", method="POST", body=b"\r\n\r\n"),
        request("/stored", b"Content-Length: 3", method="PUT", body=b"abc"),
        request("/stored", b"Transfer-Encoding: chunked", method="POST", body=b"3\r\nabc\r\n0\r\n\r\n"),
        request("/stored", method="DELETE"),
    ]
)


@given(pieces=st.lists(PIECES, min_size=1, max_size=6), data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_requests_are_cut_their_answers_are_the_same(
    server: Served, pieces: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(pieces)
    cuts = sorted({0, len(whole), *data.draw(st.lists(st.integers(0, len(whole)), max_size=4))})
    with server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start, end in pairwise(cuts):
            connection.sendall(whole[start:end])
        found = list(map(dateless, read_answers(connection, len(pieces))))
    assert found == [alone(server, piece) for piece in pieces]


def alone(server: Served, piece: bytes) -> bytes:
    with server.connect() as connection:
        connection.sendall(piece)
        return dateless(read_answer(connection))


def dateless(answer: bytes) -> bytes:
    return re.sub(rb"\r\ndate: [^\r]*", b"", answer)


def send_all(connection: socket.socket, count: int) -> None:
    for _ in range(0, count, 65_536):
        connection.sendall(LONG[:65_536])


def is_cut_off(connection: socket.socket) -> bool:
    try:
        while connection.recv(1000):
            pass
    except ConnectionResetError:
        return True
    return True


def read_some(connection: socket.socket, count: int) -> int:
    received = 0
    while received < count:
        part = connection.recv(65_536)
        if not part:
            raise EOFError
        received += len(part)
    return received

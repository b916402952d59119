"""Peers that mean harm: each ends in an outcome, in time, and harms nobody else's."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from time import perf_counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.outbound.address_policy import AddressPolicy
from registry.outbound.client import Client, Error, Exchange, Outcome, Request, Timeouts
from registry.outbound.timer_wheel import Timed, Wheel
from tests.registry.outbound.peers import answering, answering_always, peer, read_request, say_nothing
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
QUICK = Timeouts(resolve=0.1, connect=0.1, first_byte=0.1, total=0.25)
# In which a busy machine has begun to answer, too.
BEGUN = Timeouts(total=1.0)


class Recorded(Wheel):
    """Keeps what the client bounds its waiting by, which no busy machine changes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        # Seconds that were left when each deadline was set, and between the exchange's start and it.
        self.left: list[float] = []
        self.since_start: list[float] = []

    def add(self, timed: Timed, at: float) -> None:
        assert isinstance(timed, Exchange)
        self.left.append(at - perf_counter())
        self.since_start.append(at - timed.started)
        super().add(timed, at)


@pytest.fixture
async def recorded() -> Recorded:
    return Recorded(asyncio.get_running_loop())


@pytest.fixture
async def watched(policy: AddressPolicy, recorded: Recorded) -> AsyncIterator[Client]:
    client = Client(policy, timers=recorded)
    yield client
    await client.close()


async def test_a_peer_that_never_answers_is_given_up_at_the_first_bytes_limit(
    watched: Client, recorded: Recorded
) -> None:
    async with peer(say_nothing) as serving:
        outcome = await watched.send(Request(url=serving.url, timeouts=Timeouts(first_byte=0.1)))
    assert outcome.error is Error.TIMEOUT
    assert outcome.detail == f"127.0.0.1:{serving.port} did not begin to answer within 0.1 s."
    assert outcome.latency_ms >= 100
    assert recorded.left[-1] <= 0.1


async def test_a_peer_that_drips_its_answer_is_given_up_at_the_total(watched: Client, recorded: Recorded) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 10_000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.01)

    async with peer(drip) as serving:
        outcome = await watched.send(Request(url=serving.url, timeouts=BEGUN))
    assert outcome.error is Error.TIMEOUT
    assert outcome.status is None
    assert outcome.detail == f"127.0.0.1:{serving.port} did not end its answer within 1 s."
    assert outcome.latency_ms >= 1000
    assert max(recorded.since_start) == pytest.approx(1.0)


async def test_a_body_that_never_ends_in_time_is_a_timeout_with_its_status(client: Client) -> None:
    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\ndata: 1")
        await reader.read()

    async with peer(stream) as serving:
        outcome = await client.send(Request(url=serving.url, timeouts=BEGUN))
    assert (outcome.error, outcome.status, outcome.body) == (Error.TIMEOUT, 200, b"data: 1")
    assert not outcome.is_success


async def test_headers_without_end_are_refused(client: Client) -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n")
            await writer.drain()
            await asyncio.sleep(0)

    async with peer(chatter) as serving:
        outcome = await client.send(Request(url=serving.url))
        await asyncio.wait_for(serving.closed.wait(), PATIENCE_SECONDS)
    assert outcome.error is Error.TOO_LARGE_HEADERS


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n", b"x" * 1000),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", b"y" * 1000),
    ],
)
async def test_of_a_body_without_end_the_status_counts_and_the_connection_is_closed(
    client: Client, head: bytes, piece: bytes
) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(head)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    async with peer(flood) as serving:
        outcome = await client.send(Request(url=serving.url, max_body_bytes=4))
        await asyncio.wait_for(serving.closed.wait(), PATIENCE_SECONDS)
    assert outcome.status == 200
    assert len(outcome.body) <= 4


async def test_a_peer_that_resets_the_connection_is_said_to(client: Client) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async with peer(reset) as serving:
        outcome = await client.send(Request(url=serving.url))
    assert outcome.error is Error.RESET
    assert outcome.detail == f"127.0.0.1:{serving.port} reset the connection before it answered."


async def test_a_peer_that_closes_at_once_closed_early(client: Client) -> None:
    async with peer(answering()) as serving:
        outcome = await client.send(Request(url=serving.url))
    assert outcome.error in (Error.CLOSED_EARLY, Error.RESET)


async def test_a_peer_that_half_closes_before_it_answers_closed_early(client: Client) -> None:
    async def half_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write_eof()
        await reader.read()

    async with peer(half_close) as serving:
        outcome = await client.send(Request(url=serving.url))
        await asyncio.wait_for(serving.closed.wait(), PATIENCE_SECONDS)
    assert outcome.error is Error.CLOSED_EARLY


async def test_a_peer_that_half_closes_after_its_answer_has_answered(client: Client) -> None:
    async def answer_and_half_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        writer.write_eof()
        await reader.read()

    async with peer(answer_and_half_close) as serving:
        for _ in range(2):
            assert (await client.send(Request(url=serving.url))).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nok",
    ],
)
async def test_a_body_cut_short_is_no_whole_answer(client: Client, answer: bytes) -> None:
    async with peer(answering(answer)) as serving:
        outcome = await client.send(Request(url=serving.url))
    assert (outcome.error, outcome.status, outcome.body) == (Error.CLOSED_EARLY, 200, b"ok")


async def test_garbage_is_malformed(client: Client) -> None:
    async with peer(answering(b"\x16\x03\x01\x02\x00garbage")) as serving:
        outcome = await client.send(Request(url=serving.url))
    assert outcome.error is Error.MALFORMED
    assert outcome.detail.startswith(f"127.0.0.1:{serving.port} did not answer in HTTP: ")


async def test_a_peer_that_speaks_first_is_not_believed(client: Client) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()

    async with peer(greet) as serving:
        outcome = await client.send(Request(url=serving.url))
    assert outcome.error is Error.MALFORMED


async def test_a_peer_that_does_not_read_is_given_up(client: Client) -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with peer(ignore) as serving:
        request = Request(method="POST", url=serving.url, body=b"x" * 50_000_000, timeouts=QUICK)
        assert (await client.send(request)).error is Error.TIMEOUT


async def test_an_answer_before_the_request_was_read_counts_and_ends_the_connection(client: Client) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await asyncio.Event().wait()

    async with peer(refuse) as serving:
        for _ in range(2):
            outcome = await client.send(Request(method="POST", url=serving.url, body=b"x" * 50_000_000))
            assert outcome.status == 413
        assert serving.connections == 2


async def test_a_port_that_accepts_nothing_is_a_connect_timeout(watched: Client, recorded: Recorded) -> None:
    with socket.socket() as full, socket.socket() as queued:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queued.connect(full.getsockname())
        port = full.getsockname()[1]
        outcome = await watched.send(Request(url=f"http://127.0.0.1:{port}/", timeouts=QUICK))
        probe = await watched.connect("127.0.0.1", port, QUICK)
    assert outcome.error is Error.CONNECT_TIMEOUT
    assert probe.error is Error.CONNECT_TIMEOUT
    assert max(recorded.left) <= QUICK.connect


async def test_hostile_peers_delay_no_other(policy: AddressPolicy) -> None:
    client = Client(policy)
    async with peer(say_nothing) as silent, peer(answering_always(OK)) as serving:
        patient = Timeouts.within(10 * PATIENCE_SECONDS)
        running = asyncio.gather(*(client.send(Request(url=silent.url, timeouts=patient)) for _ in range(50)))
        await asyncio.sleep(0)
        assert (await client.send(Request(url=serving.url))).status == 200
        assert not running.done()
        await client.close()
        assert {outcome.error for outcome in await running} == {Error.CLIENT_CLOSED}


async def test_running_out_of_files_is_our_fault_and_not_the_peers(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    async with peer(answering_always(OK)) as serving:
        with monkeypatch.context() as patched:
            patched.setattr("registry.outbound.epoll.socket.SocketType", fail)
            outcome = await client.send(Request(url=serving.url))
        assert outcome.error is Error.LOCAL_LIMIT
        assert outcome.error.is_ours
        assert (await client.send(Request(url=serving.url))).status == 200


async def test_an_answer_that_came_while_our_process_stood_still_is_no_timeout(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        client.start(Request(url=url, timeouts=Timeouts.within(0.1)), ended.set_result)
        # The peer answers in time, and nobody here looks until long after.
        accepted, _ = listening.accept()
        with accepted:
            accepted.sendall(OK)
            stand_still(seconds=0.4)
            assert (await ended).status == 200


def stand_still(*, seconds: float) -> None:
    until = perf_counter() + seconds
    while perf_counter() < until:
        pass


PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.0 503 No\r\n",
            b"content-length: 3\r\n",
            b"transfer-encoding: chunked\r\n",
            b"connection: close\r\n",
            b"\r\n",
            b"3\r\nabc\r\n",
            b"0\r\n\r\n",
        ]
    ),
)


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"use_uvloop": True})], ids=["uvloop"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=8), closes=st.booleans())
async def test_whatever_a_peer_sends_an_outcome_comes_in_time(pieces: list[bytes], *, closes: bool) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await read_request(reader)
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
        if not closes:
            await reader.read()

    recorded = Recorded(asyncio.get_running_loop())
    client = Client(AddressPolicy(["127.0.0.0/8"]), timers=recorded)
    async with peer(babble) as serving:
        for _ in range(2):
            outcome = await client.send(Request(url=serving.url, timeouts=Timeouts.within(0.06)))
            assert isinstance(outcome, Outcome)
            assert (outcome.error is None) is (outcome.detail == "")
            assert outcome.error is not None or outcome.status is not None
    assert max(recorded.since_start) <= 0.06 + 1e-6
    await client.close()

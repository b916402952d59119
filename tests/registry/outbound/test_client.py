"""Requests over real connections, on both event loops."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter

import pytest

from registry.outbound.address_policy import AddressPolicy
from registry.outbound.client import Client, Error, Origin, Outcome, Request, Timeouts
from tests.registry.outbound.hand_wheel import HandWheel
from tests.registry.outbound.peers import Handle, answering, answering_always, peer, read_request, say_nothing
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def test_an_answer_comes_with_its_status_body_and_time(client: Client) -> None:
    async with peer(answering_always(OK)) as serving:
        outcome = await client.send(Request(url=serving.url))
    assert (outcome.status, outcome.body, outcome.error) == (200, b"ok", None)
    assert outcome.is_success
    assert 0 < outcome.latency_ms < 1000 * PATIENCE_SECONDS


async def test_the_peer_is_sent_the_whole_request(client: Client) -> None:
    requests: list[bytes] = []
    body = b"x" * 3_000_000
    request = Request(method="POST", url="", body=body)
    async with peer(answering_always(OK, requests)) as serving:
        request = Request(method="POST", url=serving.url, body=body, headers=(("webhook-id", "msg_1"),))
        assert (await client.send(request)).status == 200
    assert requests == [request.encoded]
    assert b"webhook-id: msg_1\r\n" in requests[0]


async def test_a_connection_is_kept_and_used_again(client: Client) -> None:
    async with peer(answering_always(OK)) as serving:
        outcomes = [await client.send(Request(url=serving.url)) for _ in range(3)]
        assert serving.connections == 1
    assert [outcome.reused for outcome in outcomes] == [False, True, True]


async def test_simultaneous_requests_have_a_connection_each(client: Client) -> None:
    async with peer(answering_always(OK)) as serving:
        await asyncio.gather(*(client.send(Request(url=serving.url)) for _ in range(5)))
        assert serving.connections == 5
        await asyncio.gather(*(client.send(Request(url=serving.url)) for _ in range(5)))
        assert serving.connections == 5


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ],
)
async def test_a_connection_that_is_unfit_is_not_used_again(client: Client, answer: bytes) -> None:
    async with peer(answering_always(answer)) as serving:
        for _ in range(2):
            assert (await client.send(Request(url=serving.url))).body == b"ok"
        assert serving.connections == 2


async def test_a_connection_is_not_kept_when_that_is_asked(client: Client) -> None:
    async with peer(answering_always(OK)) as serving:
        for _ in range(2):
            assert (await client.send(Request(url=serving.url, keep_alive=False))).status == 200
        assert serving.connections == 2


async def test_what_an_idle_connection_says_unasked_is_no_answer(client: Client) -> None:
    said = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await said.wait()
        writer.write(b"HTTP/1.1 500 Evil\r\ncontent-length: 0\r\n\r\n")
        await reader.read()

    async with peer(handle) as serving:
        assert (await client.send(Request(url=serving.url))).status == 200
        said.set()
        await serving.closed.wait()
        assert (await client.send(Request(url=serving.url))).status == 200
        assert serving.connections == 2


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [204, 301, 304, 404, 429, 503])
async def test_any_status_is_an_outcome_and_no_redirect_is_followed(client: Client, method: str, status: int) -> None:
    answer = (
        b"HTTP/1.1 %d X\r\nlocation: http://169.254.169.254/\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n" % status
    )
    async with peer(answering_always(answer)) as serving:
        for _ in range(2):
            outcome = await client.send(Request(method=method, url=serving.url))
            assert (outcome.status, outcome.error) == (status, None)
            assert outcome.header("retry-after") == "7"
        assert serving.connections == 1


async def test_a_body_that_ends_with_the_connection_is_whole(client: Client) -> None:
    async with peer(answering(b"HTTP/1.1 200 OK\r\n\r\nall of it")) as serving:
        outcome = await client.send(Request(url=serving.url))
    assert (outcome.status, outcome.body, outcome.error) == (200, b"all of it", None)


async def test_of_a_long_body_the_beginning_is_kept(client: Client) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100_000
    async with peer(answering_always(answer)) as serving:
        for _ in range(2):
            outcome = await client.send(Request(url=serving.url, max_body_bytes=10))
            assert outcome.body == b"x" * 10
        assert serving.connections == 1


async def test_a_request_that_meets_the_peers_close_is_sent_again_once(client: Client) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        # The next request is read, and never answered.
        await read_request(reader)

    async with peer(handle) as serving:
        first = await client.send(Request(url=serving.url))
        second = await client.send(Request(url=serving.url))
        assert serving.connections == 2
    assert (first.status, second.status, second.reused) == (200, 200, False)


async def test_a_request_is_not_sent_a_third_time(client: Client) -> None:
    seen = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        if len(seen) == 1:
            writer.write(OK)
            seen.append(await read_request(reader))

    async with peer(handle) as serving:
        assert (await client.send(Request(url=serving.url))).status == 200
        outcome = await client.send(Request(url=serving.url))
    assert outcome.error is Error.CLOSED_EARLY
    assert len(seen) == 3


@pytest.fixture
async def wheel() -> HandWheel:
    return HandWheel()


@pytest.fixture
async def turned(policy: AddressPolicy, wheel: HandWheel) -> AsyncIterator[Client]:
    """A client whose deadlines pass when the test says."""
    client = Client(policy, max_connections=3, timers=wheel)
    yield client
    await client.close()


class Seen:
    """The requests that peers have read, of which the test hears."""

    def __init__(self) -> None:
        self.count = 0
        self._read: asyncio.Queue[bytes] = asyncio.Queue()

    def note(self, request: bytes) -> None:
        self.count += 1
        self._read.put_nowait(request)

    async def next(self) -> bytes:
        return await asyncio.wait_for(self._read.get(), PATIENCE_SECONDS)


def falling_silent(seen: Seen) -> Handle:
    """A peer behind a firewall that has forgotten the connection: its second request is never answered."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.note(await read_request(reader))
        writer.write(OK)
        seen.note(await read_request(reader))
        await reader.read()

    return handle


async def test_a_kept_connection_that_has_fallen_silent_is_replaced_within_the_same_request(
    turned: Client, wheel: HandWheel
) -> None:
    seen = Seen()
    async with peer(falling_silent(seen)) as serving:
        request = Request(url=serving.url, timeouts=Timeouts.within(60), asks_again=True)
        await turned.send(request)
        await seen.next()
        for _ in range(2):
            sending = asyncio.create_task(turned.send(request))
            await seen.next()
            before = perf_counter()
            assert wheel.turn() == pytest.approx(30)
            outcome = await sending
            await seen.next()
            assert (outcome.status, outcome.error, outcome.reused) == (200, None, False)
            # Counted from when it was asked again.
            assert outcome.latency_ms <= 1000 * (perf_counter() - before)
        assert serving.connections == 3


async def test_what_is_not_to_be_asked_twice_waits_for_its_answer(turned: Client, wheel: HandWheel) -> None:
    seen = Seen()
    async with peer(falling_silent(seen)) as serving:
        request = Request(url=serving.url, timeouts=Timeouts.within(60))
        await turned.send(request)
        sending = asyncio.create_task(turned.send(request))
        for _ in range(2):
            await seen.next()
        assert wheel.turn() == pytest.approx(60)
        assert (await sending).error is Error.TIMEOUT
    assert seen.count == 2


async def test_a_slow_answer_on_a_kept_connection_counts_though_it_was_asked_again(
    turned: Client, wheel: HandWheel
) -> None:
    seen = Seen()
    asked_again = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_first = not seen.count
        seen.note(await read_request(reader))
        if not is_first:
            asked_again.set()
            await reader.read()
            return
        writer.write(OK)
        seen.note(await read_request(reader))
        await asked_again.wait()
        writer.write(OK)
        await reader.read()

    async with peer(handle) as serving:
        request = Request(url=serving.url, timeouts=Timeouts.within(60), asks_again=True)
        await turned.send(request)
        sending = asyncio.create_task(turned.send(request))
        for _ in range(2):
            await seen.next()
        wheel.turn()
        outcome = await asyncio.wait_for(sending, PATIENCE_SECONDS)
    assert (outcome.status, outcome.reused) == (200, True)
    assert seen.count == 3


async def test_a_peer_that_hangs_is_not_waited_for_longer_because_it_was_asked_again(
    turned: Client, wheel: HandWheel
) -> None:
    seen = Seen()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_first = not seen.count
        seen.note(await read_request(reader))
        if is_first:
            writer.write(OK)
            seen.note(await read_request(reader))
        await reader.read()

    async with peer(handle) as serving:
        request = Request(url=serving.url, timeouts=Timeouts.within(60), asks_again=True)
        await turned.send(request)
        sending = asyncio.create_task(turned.send(request))
        for _ in range(2):
            await seen.next()
        wheel.turn()
        await seen.next()
        assert wheel.turn() == pytest.approx(60)
        outcome = await sending
    assert outcome.error is Error.TIMEOUT
    assert "60 s" in outcome.detail
    assert seen.count == 3


async def test_a_close_amid_the_answer_is_not_tried_again(client: Client) -> None:
    async with peer(answering(OK, b"HTTP/1.1 200 OK\r\ncontent-le")) as serving:
        assert (await client.send(Request(url=serving.url))).status == 200
        outcome = await client.send(Request(url=serving.url))
        assert serving.connections == 1
    assert outcome.error is Error.CLOSED_EARLY
    assert outcome.reused


async def test_the_close_of_an_idle_connection_is_told_at_once(policy: AddressPolicy) -> None:
    told: asyncio.Queue[tuple[Origin, float]] = asyncio.Queue()
    client = Client(policy, on_peer_closed=lambda origin, idle_seconds: told.put_nowait((origin, idle_seconds)))
    async with peer(answering_always(OK)) as serving:
        assert (await client.send(Request(url=serving.url))).status == 200
        serving.hang_up()
        origin, idle_seconds = await asyncio.wait_for(told.get(), PATIENCE_SECONDS)
        assert origin == Origin("http", "127.0.0.1", serving.port)
        assert 0 <= idle_seconds < PATIENCE_SECONDS
    await client.close()


async def test_a_close_that_a_request_meets_is_told_too(policy: AddressPolicy) -> None:
    told: list[tuple[Origin, float]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)

    client = Client(policy, on_peer_closed=lambda origin, idle_seconds: told.append((origin, idle_seconds)))
    async with peer(handle) as serving:
        for _ in range(2):
            assert (await client.send(Request(url=serving.url))).status == 200
    await client.close()

    ((origin, idle_seconds),) = told
    assert origin == Origin("http", "127.0.0.1", serving.port)
    assert 0 <= idle_seconds < PATIENCE_SECONDS


async def test_our_own_closes_are_not_told_as_the_peers(policy: AddressPolicy) -> None:
    told: list[Origin] = []
    client = Client(policy, max_connections=1, on_peer_closed=lambda origin, idle_seconds: told.append(origin))
    async with peer(answering_always(OK)) as one, peer(answering_always(OK)) as other:
        for serving in (one, other, one):
            assert (await client.send(Request(url=serving.url))).status == 200
        await client.close()
    assert told == []


async def test_a_fault_of_those_who_are_told_disturbs_nobody(policy: AddressPolicy) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of the caller's")

    client = Client(policy, on_peer_closed=fail)
    async with peer(answering_always(OK)) as serving:
        client.start(Request(url=serving.url), fail)
        assert (await client.send(Request(url=serving.url))).status == 200
        serving.hang_up()
        assert (await client.send(Request(url=serving.url))).status == 200
    await client.close()


async def test_connections_are_bounded_and_the_one_used_longest_ago_makes_room(policy: AddressPolicy) -> None:
    client = Client(policy, max_connections=2)
    async with (
        peer(answering_always(OK)) as one,
        peer(answering_always(OK)) as two,
        peer(answering_always(OK)) as three,
    ):
        for serving in (one, two, three, two, one):
            assert (await client.send(Request(url=serving.url))).status == 200
        assert (one.connections, two.connections, three.connections) == (2, 1, 1)
        await client.close()


async def test_requests_beyond_the_bound_wait_for_room(policy: AddressPolicy) -> None:
    client = Client(policy, max_connections=3)
    async with peer(answering_always(OK)) as one, peer(answering_always(OK)) as other:
        requests = [Request(url=serving.url) for serving in (one, other) for _ in range(20)]
        outcomes = await asyncio.gather(*map(client.send, requests))
        await client.close()
    assert [outcome.status for outcome in outcomes] == [200] * 40


async def test_the_clock_of_a_request_that_waits_for_room_has_not_started(
    policy: AddressPolicy, wheel: HandWheel
) -> None:
    client, seen = Client(policy, max_connections=1, timers=wheel), Seen()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.note(await read_request(reader))
        await reader.read()

    async with peer(hang) as silent, peer(answering_always(OK)) as serving:
        slow = asyncio.create_task(client.send(Request(url=silent.url)))
        await seen.next()
        waiting = asyncio.create_task(client.send(Request(url=serving.url)))
        await asyncio.sleep(0)
        before = perf_counter()
        wheel.turn()
        assert (await slow).error is Error.TIMEOUT
        outcome = await waiting
        assert outcome.latency_ms <= 1000 * (perf_counter() - before)
    await client.close()
    assert outcome.status == 200


async def test_a_connection_idle_for_too_long_is_closed(policy: AddressPolicy) -> None:
    client = Client(policy, idle_seconds=0.02)
    async with peer(answering_always(OK)) as serving:
        assert (await client.send(Request(url=serving.url))).status == 200
        await asyncio.wait_for(serving.closed.wait(), PATIENCE_SECONDS)
    await client.close()


async def test_a_tcp_probe_opens_a_connection_and_closes_it(client: Client) -> None:
    async with peer(say_nothing) as serving:
        outcome = await client.connect("127.0.0.1", serving.port, Timeouts())
        await asyncio.wait_for(serving.closed.wait(), PATIENCE_SECONDS)
    assert outcome.is_success
    assert outcome.status is None


async def test_a_tcp_probe_of_a_closed_port_is_refused(client: Client) -> None:
    async with peer(say_nothing) as gone:
        pass
    outcome = await client.connect("127.0.0.1", gone.port, Timeouts())
    assert outcome.error is Error.CONNECTION_REFUSED
    assert outcome.detail == f"127.0.0.1:{gone.port} refused the connection."


async def test_a_refused_address_is_not_connected_to(client: Client) -> None:
    for outcome in (
        await client.send(Request(url="http://169.254.169.254/latest/")),
        await client.connect("10.0.0.1", 80, Timeouts()),
        await client.connect("0", 80, Timeouts()),
    ):
        assert outcome.error is Error.REFUSED_ADDRESS
        assert "REGISTRY_ALLOWED_NETWORKS" in outcome.detail


async def test_a_url_that_cannot_be_called_is_an_outcome_too(client: Client) -> None:
    outcome = await client.send(Request(url="gopher://127.0.0.1/"))
    assert outcome.error is Error.BAD_URL
    assert "http" in outcome.detail


async def test_a_cancelled_request_frees_its_connection(policy: AddressPolicy) -> None:
    client = Client(policy, max_connections=1)
    async with peer(say_nothing) as silent, peer(answering_always(OK)) as serving:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.send(Request(url=silent.url)), 0.05)
        assert (await client.send(Request(url=serving.url))).status == 200
        await asyncio.wait_for(silent.closed.wait(), PATIENCE_SECONDS)
    await client.close()


async def test_closing_the_client_ends_what_is_under_way(policy: AddressPolicy) -> None:
    client = Client(policy, max_connections=1)
    async with peer(say_nothing) as silent:
        running = asyncio.create_task(client.send(Request(url=silent.url)))
        waiting = asyncio.create_task(client.send(Request(url=silent.url)))
        await asyncio.sleep(0)
        await client.close()
        assert [(await task).error for task in (running, waiting)] == [Error.CLIENT_CLOSED] * 2
        assert (await client.send(Request(url=silent.url))).error is Error.CLIENT_CLOSED


async def test_who_starts_the_next_at_each_outcome_does_not_exhaust_the_stack(client: Client) -> None:
    done = asyncio.Event()
    outcomes: list[Outcome] = []

    def go_on(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if len(outcomes) == 3000:
            done.set()
        else:
            client.start(Request(url="http://10.0.0.1/"), go_on)

    client.start(Request(url="http://10.0.0.1/"), go_on)
    assert outcomes == []
    await asyncio.wait_for(done.wait(), PATIENCE_SECONDS)


async def test_an_outcome_is_never_told_before_the_start_has_returned(client: Client) -> None:
    outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
    async with peer(say_nothing) as serving:
        client.start_connect("127.0.0.1", serving.port, Timeouts(), outcomes.put_nowait)
        client.start(Request(url="nonsense"), outcomes.put_nowait)
        client.start(Request(url="http://10.0.0.1/"), outcomes.put_nowait)
        assert outcomes.empty()
        assert {(await outcomes.get()).error for _ in range(3)} == {None, Error.BAD_URL, Error.REFUSED_ADDRESS}
        await asyncio.wait_for(serving.closed.wait(), PATIENCE_SECONDS)

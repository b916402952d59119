"""The prober against a peer on loopback that dies or only closes."""

import asyncio
import socket
import time
from collections.abc import Callable, Collection, Iterable

import pytest

from registry.health.probe import FAILED, Due, Finding, Result
from registry.health.prober import Prober
from registry.outbound.address_policy import AddressPolicy
from registry.outbound.client import Outcome
from tests.ipv6 import needs_ipv6
from tests.registry.health.claims import due
from tests.registry.outbound.peers import Handle, peer, read_request
from tests.waiting import PATIENCE_SECONDS

# Long after whatever is waited for.
LATER_SECONDS = 10 * PATIENCE_SECONDS
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


async def serve_forever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await read_request(reader):
        writer.write(OK)


POLICY = AddressPolicy(["127.0.0.0/8"])


def prober(*claims: list[Due]) -> Prober:
    """A prober whose alarms find these claims, in turn, and then none; what it claims nobody probes."""
    return Prober(POLICY, on_alarm=lambda claimed: None, claim=in_turn(claims))


def in_turn(claims: Iterable[list[Due]]) -> Callable[[Collection[int]], list[Due]]:
    left = iter(claims)
    return lambda ids: next(left, [])


async def probe_when_due(prober: Prober, claimed: Due) -> Result:
    """Probe when it is due, as the pipeline does."""
    outcome: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
    prober.start(claimed, outcome.set_result)
    return prober.conclude(claimed, await outcome)


class Alarms:
    """Probes what the prober raises an alarm about, as the pipeline would."""

    def __init__(self, *claims: list[Due]) -> None:
        self.claims = list(claims)
        self.prober = Prober(POLICY, on_alarm=self._take, claim=lambda ids: self.claims.pop(0) if self.claims else [])
        self.results: asyncio.Queue[Result] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    def _take(self, claimed: list[Due]) -> None:
        self._tasks |= {asyncio.create_task(self._probe(each)) for each in claimed}

    async def _probe(self, claimed: Due) -> None:
        self.results.put_nowait(await probe_when_due(self.prober, claimed))


def test_a_process_that_dies_between_two_probes_is_found_dead_at_once() -> None:
    async def scenario() -> Result:
        async with peer(serve_forever) as serving:
            claimed = due(url=serving.url)
            alarms = Alarms([claimed])
            assert (await alarms.prober.probe(claimed)).finding is Finding.SUCCESS
        # Nothing but the alarm would have it probed again.
        result = await asyncio.wait_for(alarms.results.get(), PATIENCE_SECONDS)
        await alarms.prober.close()
        return result

    result = asyncio.run(scenario())

    assert result.finding is Finding.DEAD
    assert "its process is gone" in result.detail


@needs_ipv6
def test_a_tcp_heartbeat_at_an_address_of_ipv6_passes_while_it_listens() -> None:
    async def scenario() -> list[Finding]:
        policy = AddressPolicy(["::1/128"])
        asking = Prober(policy, on_alarm=lambda claimed: None, claim=in_turn([]))
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as listening:
            claimed = due(url=f"http://[::1]:{listening.getsockname()[1]}", kind="tcp")
            found = [(await asking.probe(claimed)).finding]
        found.append((await asking.probe(claimed)).finding)
        await asking.close()
        return found

    first, then = asyncio.run(scenario())
    assert first is Finding.SUCCESS
    assert then in FAILED


async def close_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close each connection after its answer, as a server without keep-alive does."""
    await read_request(reader)
    writer.write(b"HTTP/1.0 200 OK\r\n\r\n")


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await reader.read()


@pytest.mark.skipif(not hasattr(socket, "AF_NETLINK"), reason="who listens is asked of Linux")
@pytest.mark.parametrize(("kind", "handle"), [("tcp", say_nothing), ("http", close_each)])
def test_who_holds_no_connection_and_stops_listening_here_is_found_dead_at_once(kind: str, handle: Handle) -> None:
    async def scenario() -> Result:
        met = asyncio.Event()

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            met.set()
            await handle(reader, writer)

        async with peer(meet) as serving:
            claimed = due(url=serving.url, kind=kind)
            alarms = Alarms([claimed])
            assert (await alarms.prober.probe(claimed)).finding is Finding.SUCCESS
            # A connection that the kernel has accepted and the server has not would be left over.
            await asyncio.wait_for(met.wait(), PATIENCE_SECONDS)
        result = await asyncio.wait_for(alarms.results.get(), PATIENCE_SECONDS)
        await alarms.prober.close()
        return result

    assert asyncio.run(scenario()).finding is Finding.DEAD


def test_the_close_of_a_silent_connection_that_was_asked_for_is_an_alarm_and_a_greeting_is_none() -> None:
    async def scenario() -> Result:
        met: asyncio.Queue[None] = asyncio.Queue()

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            met.put_nowait(None)
            await greet(reader, writer)

        async with peer(meet) as serving:
            claimed = due(url=serving.url, kind="tcp", is_watched=True)
            alarms = Alarms([claimed._replace(is_watched=False)])
            await alarms.prober.probe(claimed)
            async with asyncio.timeout(PATIENCE_SECONDS):
                # The probe's and the one that is held.
                await met.get()
                await met.get()
                serving.hang_up()
                result = await alarms.results.get()
                await met.get()
            await alarms.prober.close()
            return result

    assert asyncio.run(scenario()).finding is Finding.SUCCESS


def answering(status: bytes) -> Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await read_request(reader):
            writer.write(b"HTTP/1.1 %b\r\ncontent-length: 0\r\n\r\n" % status)

    return handle


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)


@pytest.mark.parametrize(
    ("handle", "failures", "finding", "kind"),
    [
        (serve_forever, 0, Finding.SUCCESS, "http"),
        (close_each, 0, Finding.SUCCESS, "http"),
        (answering(b"404 Not Found"), 0, Finding.SUCCESS, "http"),
        (answering(b"302 Found"), 0, Finding.SUCCESS, "http"),
        (answering(b"429 Too Many Requests"), 0, Finding.WARNING, "http"),
        (answering(b"503 Service Unavailable"), 0, Finding.SUCCESS, "tcp"),
        (greet, 0, Finding.SUCCESS, "tcp"),
        # It may be a proxy before a server that is about to begin.
        (hang_up, 0, Finding.FAILURE, ""),
        (hang_up, 1, Finding.SUCCESS, "tcp"),
    ],
    ids=["200", "closing", "404", "302", "429", "503", "SSH", "closes at first", "closes again"],
)
def test_the_first_probe_that_reaches_an_instance_chooses_its_kind(
    handle: Handle, failures: int, finding: Finding, kind: str
) -> None:
    async def scenario() -> Result:
        async with peer(handle) as serving:
            choosing = prober()
            result = await choosing.probe(due(url=serving.url, kind="auto", is_kind_chosen=True, failures=failures))
            await choosing.close()
            return result

    result = asyncio.run(scenario())

    assert (result.finding, result.chosen_kind) == (finding, kind)


def test_where_nobody_listens_no_kind_is_chosen() -> None:
    async def scenario() -> Result:
        async with peer(serve_forever) as gone:
            pass
        choosing = prober()
        result = await choosing.probe(due(url=gone.url, kind="auto", is_kind_chosen=True, failures=2))
        await choosing.close()
        return result

    result = asyncio.run(scenario())

    assert (result.finding, result.chosen_kind) == (Finding.FAILURE, "")


@pytest.mark.parametrize(("is_kind_chosen", "finding"), [(True, Finding.SUCCESS), (False, Finding.FAILURE)])
def test_a_chosen_http_heartbeat_asks_for_an_answer_and_a_declared_one_for_success(
    is_kind_chosen: bool, finding: Finding
) -> None:
    async def scenario() -> Result:
        async with peer(answering(b"401 Unauthorized")) as serving:
            asking = prober()
            result = await asking.probe(due(url=serving.url, kind="http", is_kind_chosen=is_kind_chosen))
            await asking.close()
            return result

    assert asyncio.run(scenario()).finding is finding


def test_a_server_that_only_closed_is_probed_again_and_found_passing() -> None:
    async def scenario() -> Result:
        async with peer(serve_forever) as serving:
            claimed = due(url=serving.url)
            alarms = Alarms([claimed])
            await alarms.prober.probe(claimed)
            serving.hang_up()
            result = await asyncio.wait_for(alarms.results.get(), PATIENCE_SECONDS)
            await alarms.prober.close()
            return result

    assert asyncio.run(scenario()).finding is Finding.SUCCESS


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_a_first_refusal_is_looked_at_again_at_once_and_not_after_an_interval(kind: str) -> None:
    async def scenario() -> list[Result]:
        async with peer(serve_forever) as gone:
            first = due(url=gone.url, kind=kind)
        second = first._replace(failures=1)
        alarms = Alarms([second], [second._replace(failures=2)])
        results = [await alarms.prober.probe(first)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            results += [await alarms.results.get() for _ in range(2)]
        # The third in a row has made it critical: the next comes after its interval.
        assert not alarms.claims
        await alarms.prober.close()
        return results

    found = asyncio.run(scenario())

    assert [each.finding for each in found] == [Finding.FAILURE] * 3


def test_an_alarm_while_the_process_ends_is_left_to_whoever_comes_next() -> None:
    async def scenario() -> None:
        ending = prober()
        await ending.close()
        # As when a connection closes while the interpreter ends, which has shut every executor down before.
        ending.raise_alarm([7])
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    asyncio.run(scenario())


def test_what_is_claimed_and_not_due_yet_is_probed_at_once_when_its_process_dies() -> None:
    async def scenario() -> Result:
        waiting_prober = prober()
        async with peer(serve_forever) as serving:
            claimed = due(url=serving.url)
            await waiting_prober.probe(claimed)
            early = claimed._replace(due_at=time.time() + LATER_SECONDS)
            waiting = asyncio.create_task(probe_when_due(waiting_prober, early))
            await asyncio.sleep(0)
        result = await asyncio.wait_for(waiting, PATIENCE_SECONDS)
        await waiting_prober.close()
        return result

    assert asyncio.run(scenario()).finding is Finding.DEAD


def test_what_is_held_at_the_time_of_the_alarm_is_claimed_as_soon_as_it_is_free() -> None:
    async def scenario() -> Result:
        async with peer(serve_forever) as serving:
            claimed = due(url=serving.url)
            alarms = Alarms([], [], [claimed])
            await alarms.prober.probe(claimed)
        result = await asyncio.wait_for(alarms.results.get(), PATIENCE_SECONDS)
        await alarms.prober.close()
        return result

    assert asyncio.run(scenario()).finding is Finding.DEAD


def test_what_is_being_claimed_at_the_time_of_the_alarm_is_probed_as_soon_as_it_arrives() -> None:
    async def scenario() -> Result:
        loop, has_been_tried = asyncio.get_running_loop(), asyncio.Event()

        def claim_nothing(ids: Collection[int]) -> list[Due]:
            loop.call_soon_threadsafe(has_been_tried.set)
            return []

        alarmed = Prober(POLICY, on_alarm=lambda claimed: None, claim=claim_nothing)
        async with peer(serve_forever) as serving:
            claimed = due(url=serving.url)
            await alarmed.probe(claimed)
        await has_been_tried.wait()
        early = claimed._replace(due_at=time.time() + LATER_SECONDS)
        result = await asyncio.wait_for(probe_when_due(alarmed, early), PATIENCE_SECONDS)
        await alarmed.close()
        return result

    assert asyncio.run(scenario()).finding is Finding.DEAD


def test_a_service_in_a_crash_loop_is_found_dead_at_once_each_time() -> None:
    async def scenario() -> list[Finding]:
        found = []
        alarms = Alarms()
        async with peer(serve_forever) as serving:
            port = serving.port
            claimed = due(url=serving.url)
            alarms.claims.append([claimed])
            await alarms.prober.probe(claimed)
        found.append((await asyncio.wait_for(alarms.results.get(), PATIENCE_SECONDS)).finding)
        for _ in range(4):
            async with peer(serve_forever, port=port) as serving:
                alarms.claims.append([claimed])
                assert (await alarms.prober.probe(claimed)).finding is Finding.SUCCESS
            found.append((await asyncio.wait_for(alarms.results.get(), PATIENCE_SECONDS)).finding)
        await alarms.prober.close()
        return found

    assert asyncio.run(scenario()) == [Finding.DEAD] * 5


def second_answer(begun: bytes, is_asked: asyncio.Event) -> Handle:
    """Answers the first request, and begins to answer the second."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)
        writer.write(begun)
        is_asked.set()
        await asyncio.Event().wait()

    return handle


def test_a_process_that_dies_while_it_is_probed_is_found_dead_by_that_probe() -> None:
    async def scenario() -> Result:
        dying, is_asked = prober(), asyncio.Event()
        async with peer(second_answer(b"", is_asked)) as serving:
            claimed = due(url=serving.url)
            await dying.probe(claimed)
            under_way = asyncio.create_task(dying.probe(claimed))
            await is_asked.wait()
        serving.hang_up()
        result = await asyncio.wait_for(under_way, PATIENCE_SECONDS)
        await dying.close()
        return result

    assert asyncio.run(scenario()).finding is Finding.DEAD


def test_a_process_that_dies_amid_its_answer_is_probed_again_at_once() -> None:
    async def scenario() -> list[Finding]:
        is_asked = asyncio.Event()
        async with peer(second_answer(b"HTTP/1.1 200 OK\r\n", is_asked)) as serving:
            claimed = due(url=serving.url)
            alarms = Alarms([claimed])
            await alarms.prober.probe(claimed)
            under_way = asyncio.create_task(alarms.prober.probe(claimed))
            await is_asked.wait()
        serving.hang_up()
        async with asyncio.timeout(PATIENCE_SECONDS):
            results = [await under_way, await alarms.results.get()]
        await alarms.prober.close()
        return [each.finding for each in results]

    assert asyncio.run(scenario()) == [Finding.FAILURE, Finding.DEAD]


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_a_refusal_without_a_close_before_it_is_a_failure_like_any_other(kind: str) -> None:
    async def scenario() -> Result:
        async with peer(serve_forever) as serving:
            url = serving.url
        probing = prober()
        result = await probing.probe(due(url=url, kind=kind))
        await probing.close()
        return result

    assert asyncio.run(scenario()).finding is Finding.FAILURE


def test_a_beat_that_did_not_come_is_a_failure() -> None:
    async def scenario() -> Result:
        probing = prober()
        result = await probing.probe(due(kind="ttl"))
        await probing.close()
        return result

    result = asyncio.run(scenario())

    assert (result.finding, result.detail) == (Finding.FAILURE, "no beat within 10 s")

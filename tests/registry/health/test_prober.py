"""The prober against a peer on loopback that dies or only closes."""

import asyncio
import time

import pytest

from registry.health import leases
from registry.health.leases import Due
from registry.health.prober import Prober
from registry.health.results import Result
from registry.health.verdict import Finding
from registry.models import Status
from registry.outbound.client import Outcome
from tests.registry.outbound.peers import Handle, peer, read_request
from tests.waiting import PATIENCE_SECONDS

# Long after whatever is waited for.
LATER_SECONDS = 10 * PATIENCE_SECONDS
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


async def serve_forever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await read_request(reader):
        writer.write(OK)


def due(url: str, *, kind: str = "http") -> Due:
    return Due(
        instance_id=1,
        due_at=0.0,
        passed_at=None,
        verdict=Status.PASSING,
        failures=0,
        successes=0,
        penalty=0.0,
        penalty_at=0.0,
        is_damped=False,
        service="billing",
        instance="billing-1",
        kind=kind,
        url=url,
        interval_seconds=10.0,
        timeout_seconds=2.0,
        warn_after_seconds=None,
        failures_before_critical=3,
        successes_before_passing=1,
        status=Status.PASSING,
        is_suspect=False,
        lease_until=0.0,
    )


async def probe_when_due(prober: Prober, claimed: Due) -> Result:
    """As the pipeline would."""
    outcome: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
    prober.start(claimed, outcome.set_result)
    return prober.conclude(claimed, await outcome)


class Alarms:
    """Probes what the prober raises an alarm about, as the pipeline would."""

    def __init__(self) -> None:
        self.prober = Prober(on_alarm=self._take)
        self.results: asyncio.Queue[Result] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    def _take(self, claimed: list[Due]) -> None:
        self._tasks |= {asyncio.create_task(self._probe(each)) for each in claimed}

    async def _probe(self, claimed: Due) -> None:
        self.results.put_nowait(await probe_when_due(self.prober, claimed))


def claim_alarmed(monkeypatch: pytest.MonkeyPatch, claimed: Due) -> None:
    monkeypatch.setattr(leases, "claim_now", lambda ids, now: [claimed])


def test_a_process_that_dies_between_two_probes_is_found_dead_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> Result:
        alarms = Alarms()
        async with peer(serve_forever) as serving:
            claimed = due(serving.url)
            claim_alarmed(monkeypatch, claimed)
            assert (await alarms.prober.probe(claimed)).finding is Finding.SUCCESS
        # Nothing but the alarm would have it probed again.
        result = await asyncio.wait_for(alarms.results.get(), PATIENCE_SECONDS)
        await alarms.prober.close()
        return result

    result = asyncio.run(scenario())

    assert result.finding is Finding.DEAD
    assert "its process is gone" in result.detail


def test_a_server_that_only_closed_is_probed_again_and_found_passing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> Result:
        alarms = Alarms()
        async with peer(serve_forever) as serving:
            claimed = due(serving.url)
            claim_alarmed(monkeypatch, claimed)
            await alarms.prober.probe(claimed)
            serving.hang_up()
            result = await asyncio.wait_for(alarms.results.get(), PATIENCE_SECONDS)
            await alarms.prober.close()
            return result

    assert asyncio.run(scenario()).finding is Finding.SUCCESS


def test_an_alarm_while_the_process_ends_is_left_to_whoever_comes_next() -> None:
    async def scenario() -> None:
        prober = Prober(on_alarm=lambda claimed: None)
        # As the interpreter does with every executor before it ends.
        prober._claimer.shutdown()
        prober._raise_alarm([7])
        assert prober._claiming is not None
        await prober._claiming
        await prober.close()

    asyncio.run(scenario())


def test_what_is_claimed_and_not_due_yet_is_probed_at_once_when_its_process_dies() -> None:
    async def scenario() -> Result:
        prober = Prober(on_alarm=lambda claimed: None)
        async with peer(serve_forever) as serving:
            claimed = due(serving.url)
            await prober.probe(claimed)
            early = claimed._replace(due_at=time.time() + LATER_SECONDS)
            waiting = asyncio.create_task(probe_when_due(prober, early))
            await asyncio.sleep(0)
        result = await asyncio.wait_for(waiting, PATIENCE_SECONDS)
        await prober.close()
        return result

    assert asyncio.run(scenario()).finding is Finding.DEAD


def test_what_is_held_at_the_time_of_the_alarm_is_claimed_as_soon_as_it_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> Result:
        alarms = Alarms()
        async with peer(serve_forever) as serving:
            claimed = due(serving.url)
            answers = [[claimed], [], []]
            monkeypatch.setattr(leases, "claim_now", lambda ids, now: answers.pop())
            await alarms.prober.probe(claimed)
        result = await asyncio.wait_for(alarms.results.get(), PATIENCE_SECONDS)
        await alarms.prober.close()
        return result

    assert asyncio.run(scenario()).finding is Finding.DEAD


def test_what_is_being_claimed_at_the_time_of_the_alarm_is_probed_as_soon_as_it_arrives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> Result:
        prober = Prober(on_alarm=lambda claimed: None)
        loop, has_been_tried = asyncio.get_running_loop(), asyncio.Event()

        def claim_nothing(ids: set[int], now: float) -> list[Due]:
            loop.call_soon_threadsafe(has_been_tried.set)
            return []

        monkeypatch.setattr(leases, "claim_now", claim_nothing)
        async with peer(serve_forever) as serving:
            claimed = due(serving.url)
            await prober.probe(claimed)
        await has_been_tried.wait()
        early = claimed._replace(due_at=time.time() + LATER_SECONDS)
        result = await asyncio.wait_for(probe_when_due(prober, early), PATIENCE_SECONDS)
        await prober.close()
        return result

    assert asyncio.run(scenario()).finding is Finding.DEAD


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


def test_a_process_that_dies_while_it_is_probed_is_found_dead_by_that_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> Result:
        monkeypatch.setattr(leases, "claim_now", lambda ids, now: [])
        prober, is_asked = Prober(on_alarm=lambda claimed: None), asyncio.Event()
        async with peer(second_answer(b"", is_asked)) as serving:
            claimed = due(serving.url)
            await prober.probe(claimed)
            under_way = asyncio.create_task(prober.probe(claimed))
            await is_asked.wait()
        serving.hang_up()
        result = await asyncio.wait_for(under_way, PATIENCE_SECONDS)
        await prober.close()
        return result

    assert asyncio.run(scenario()).finding is Finding.DEAD


def test_a_process_that_dies_amid_its_answer_is_probed_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> list[Finding]:
        alarms, is_asked = Alarms(), asyncio.Event()
        async with peer(second_answer(b"HTTP/1.1 200 OK\r\n", is_asked)) as serving:
            claimed = due(serving.url)
            claim_alarmed(monkeypatch, claimed)
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
        prober = Prober(on_alarm=lambda claimed: None)
        result = await prober.probe(due(url, kind=kind))
        await prober.close()
        return result

    assert asyncio.run(scenario()).finding is Finding.FAILURE


def test_a_beat_that_did_not_come_is_a_failure() -> None:
    async def scenario() -> Result:
        prober = Prober(on_alarm=lambda claimed: None)
        result = await prober.probe(due("http://127.0.0.1:1", kind="ttl"))
        await prober.close()
        return result

    result = asyncio.run(scenario())

    assert (result.finding, result.detail) == (Finding.FAILURE, "no beat within 10 s")

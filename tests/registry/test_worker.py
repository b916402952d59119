import socket
import time

import pytest
from django.db import OperationalError
from django.utils import timezone

from registry import wakeups
from registry.health import protection, watchdog
from registry.health.probe import Due
from registry.health.watchdog import Part, Signer
from registry.health.worker import HeartbeatWorker
from registry.models import Delivery, Instance, Protection, Status
from registry.worker import STALLED_SECONDS, Listener, StandIn, Worker
from tests import factories
from tests.factories import SECRET
from tests.registry.taken import Taken
from tests.waiting import until


class Counted(Worker):
    """A worker that only counts its sweeps."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Part] = []
        self.why: str | None = None

    def probe(self) -> None:
        self.made.append(Part.HEARTBEATS)

    def tell(self) -> None:
        self.made.append(Part.WEBHOOKS)

    def stalled(self) -> str | None:
        return self.why


def stand_in(worker: Worker, ended: list[bool]) -> StandIn:
    return StandIn(worker, patience_seconds=3.0, end_process=lambda: ended.append(True), began_at=1000.0)


@pytest.mark.django_db
def test_sweeps_that_nobody_makes_are_made_by_whoever_is_alive() -> None:
    worker, signer = Counted(), Signer(every_seconds=0)
    signer.leave(Part.HEARTBEATS, now=1000.0)
    signer.leave(Part.WEBHOOKS, now=1002.0)
    look = stand_in(worker, []).look

    assert look(now=1002.9) == []
    assert look(now=1003.0) == worker.made == [Part.HEARTBEATS]


@pytest.mark.django_db
def test_a_sign_that_was_left_before_the_clock_was_set_back_hides_nobody_s_absence() -> None:
    worker, signer = Counted(), Signer(every_seconds=0)
    for part in (Part.HEARTBEATS, Part.WEBHOOKS):
        signer.leave(part, now=1003.0 + 3600)

    assert stand_in(worker, []).look(now=1003.0) == [Part.HEARTBEATS, Part.WEBHOOKS]


@pytest.mark.django_db
def test_a_fresh_registry_s_workers_are_given_time_to_begin() -> None:
    worker = Counted()
    look = stand_in(worker, []).look

    assert look(now=1002.0) == []
    assert look(now=1003.0) == [Part.HEARTBEATS, Part.WEBHOOKS]


@pytest.mark.django_db
def test_a_process_whose_loops_make_no_progress_ends_itself() -> None:
    worker, ended = Counted(), list[bool]()
    standing = stand_in(worker, ended)
    standing.look(now=1000.0)
    assert ended == []

    worker.why = "No probe has come to an end for 180 s"
    standing.look(now=1000.0)

    assert ended == [True]


@pytest.mark.django_db
def test_the_tasks_leave_signs_of_the_work_itself() -> None:
    worker = Worker()

    worker.sweep_heartbeats(is_tick=True)
    worker.sweep_notifications()
    worker.end()

    ages = {part: watchdog.age_seconds(part, now=time.time()) for part in Part}
    assert {part for part, age in ages.items() if age is not None} == {Part.BEAT, Part.HEARTBEATS, Part.WEBHOOKS}


def test_a_worker_whose_probes_never_end_says_so() -> None:
    worker, pipeline = Worker(), Taken[Due]()
    assert worker.stalled() is None

    worker.heartbeats = HeartbeatWorker(Signer(), pipeline=pipeline)
    assert worker.stalled() is None
    pipeline.stalled_seconds = STALLED_SECONDS + 1

    assert worker.stalled() == "No probe has come to an end for 180 s"


@pytest.mark.django_db
def test_a_sweep_soon_after_another_claims_and_leaves_the_rest_to_later_ones() -> None:
    pipeline = Taken[Due]()
    heartbeats = HeartbeatWorker(Signer(), pipeline=pipeline)
    now = timezone.now()
    at = now.timestamp()

    def swept(*, at: float) -> float | None:
        heartbeats.sweep(now=at)
        return Protection.objects.get().swept_at

    assert swept(at=at) == at
    factories.register("billing", now=now)
    assert swept(at=at + 0.2) == at
    assert [due.instance for due in pipeline.taken] == ["billing-1"]
    assert swept(at=at + 0.6) == at + 0.6
    # The clock was set back.
    assert swept(at=at - 60) == at - 60


@pytest.mark.django_db
def test_a_gap_is_noted_by_the_first_sweep_that_can_before_anything_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeats = HeartbeatWorker(Signer(), pipeline=Taken[Due]())
    at = time.time()

    def away(*, is_cut_off: bool, now: float) -> None:
        raise OperationalError

    heartbeats.sweep(now=at - 60)
    with monkeypatch.context() as patched:
        patched.setattr(protection, "tick", away)
        with pytest.raises(OperationalError):
            heartbeats.sweep(now=at)
    heartbeats.sweep(now=at + 0.1)

    assert Protection.objects.get().resumed_at == at + 0.1


@pytest.mark.django_db(transaction=True)
def test_a_worker_probes_what_is_due_and_writes_what_it_found() -> None:
    worker = Worker()
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        factories.register("billing", now=timezone.now(), url=url, heartbeat={"kind": "tcp"})
        worker.sweep_heartbeats()

        until(lambda: Instance.objects.get().status == Status.PASSING)

    until(lambda: watchdog.age_seconds(Part.PROBES, now=time.time()) is not None)
    worker.end()


@pytest.mark.django_db(transaction=True)
def test_a_worker_tells_who_lags_and_writes_what_came_of_it() -> None:
    worker = Worker()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    now = timezone.now()
    factories.register("webui", now=now, requires=["billing"], notify_url=f"http://{address}/", notify_secret=SECRET)
    factories.passing("billing", now=now)

    worker.sweep_notifications()

    until(Delivery.objects.exists)
    assert Delivery.objects.get().error == f"{address} refused the connection."
    worker.end()


@pytest.mark.django_db
def test_a_listener_makes_the_sweep_that_was_called_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    calls = iter([wakeups.NOTIFICATIONS, None])
    monkeypatch.setattr(wakeups, "taken", lambda tasks: next(calls))
    sweeps = {wakeups.HEARTBEATS: lambda: made.append("probed"), wakeups.NOTIFICATIONS: lambda: made.append("told")}
    listener = Listener(sweeps, [wakeups.HEARTBEATS, wakeups.NOTIFICATIONS])
    assert listener.look() == wakeups.NOTIFICATIONS
    assert listener.look() is None
    assert made == ["told"]

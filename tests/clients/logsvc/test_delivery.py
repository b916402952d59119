"""The fate of a batch, by the answer to it."""

import logging
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from logsvc.client import delivery as deliveries
from logsvc.client.complaints import Complaints
from logsvc.client.delivery import BATCH_BYTES, Delivery, Verdict, judge
from logsvc.client.spool import Spool
from tests.clients.logsvc.edge import ADDRESS, Edge


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, max_bytes=1_000_000, complaints=Complaints())


@pytest.fixture
def delivery(edge: Edge, spool: Spool) -> Delivery:
    return make(edge, spool)


def make(edge: Edge, spool: Spool, *, batch_bytes: int = BATCH_BYTES) -> Delivery:
    return Delivery(
        spool,
        locate=lambda: f"{ADDRESS}/",
        token="rct_x",
        notice_drop=lambda dropped: None,
        complaints=Complaints(),
        transport=edge.transport,
        batch_bytes=batch_bytes,
    )


def put(spool: Spool, *messages: str) -> None:
    for message in messages:
        spool.append(b'{"uid": "%b", "message": "%b"}\n' % (message.encode(), message.encode()), logging.INFO)


def run(delivery: Delivery) -> float | None:
    return delivery.run(until=lambda: False)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, Verdict.KEPT) for status in (200, 202, 204)),
        *((status, Verdict.REFUSED) for status in (415, 422)),
        (413, Verdict.TOO_LARGE),
        *((status, Verdict.LATER) for status in (302, 400, 401, 403, 404, 408, 429, 500, 502, 503, 504)),
    ],
)
def test_only_what_nobody_can_mend_is_given_up(status: int, verdict: Verdict) -> None:
    assert judge(status) is verdict


def test_all_that_waits_is_sent_in_one_go(edge: Edge, spool: Spool) -> None:
    put(spool, "one", "two", "three")

    assert run(make(edge, spool, batch_bytes=70)) is None
    assert edge.messages == ["one", "two", "three"]
    assert len(edge.requests) == 2


def test_sending_ends_after_a_batch_when_it_is_told_to(edge: Edge, spool: Spool) -> None:
    put(spool, "one", "two")

    make(edge, spool, batch_bytes=1).run(until=lambda: True)

    assert edge.messages == ["one"]


def test_pauses_grow_up_to_a_bound_and_end_with_success(edge: Edge, spool: Spool, delivery: Delivery) -> None:
    put(spool, "one")
    edge.status = 0

    pauses = [run(delivery) for _ in range(12)]
    edge.status = 200
    assert run(delivery) is None
    edge.status = 0
    put(spool, "two")

    longest = [min(0.25 * 2**number, 10) for number in range(12)]
    assert all(pause and at_most / 2 <= pause <= at_most for pause, at_most in zip(pauses, longest, strict=True))
    first = run(delivery)
    assert first
    assert first <= 0.25


@pytest.mark.parametrize(
    ("value", "at_least", "at_most"),
    [
        ("7", 7, 7),
        ("999999999999", 300, 300),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0.25),
        ("Wed, 21 Oct 2015 07:28:00", 0, 0.25),
        ("Wed, 21 Oct 99999999999 07:28:00 GMT", 0, 0.25),
        ("soon", 0, 0.25),
        ("-5", 0, 0.25),
    ],
)
def test_retry_after_is_honoured_within_bounds(
    edge: Edge, spool: Spool, delivery: Delivery, value: str, at_least: float, at_most: float
) -> None:
    put(spool, "one")
    edge.status, edge.headers = 503, {"Retry-After": value}

    pause = run(delivery)

    assert pause is not None
    assert at_least <= pause <= at_most


def test_retry_after_may_be_a_date(edge: Edge, spool: Spool, delivery: Delivery) -> None:
    put(spool, "one")
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    edge.status, edge.headers = 503, {"Retry-After": in_a_minute}

    pause = run(delivery)

    assert pause is not None
    assert 30 <= pause <= 61


def test_a_batch_that_is_too_large_is_sent_in_parts(edge: Edge, spool: Spool, delivery: Delivery) -> None:
    edge.limit = 100
    put(spool, *map(str, range(40)))

    assert run(delivery) is None
    assert edge.messages == list(map(str, range(40)))


def test_a_single_record_that_is_too_large_is_given_up_with_a_word(
    edge: Edge, spool: Spool, delivery: Delivery, capsys: pytest.CaptureFixture[str]
) -> None:
    edge.limit = 100
    put(spool, "small", "x" * 200, "too")

    assert run(delivery) is None
    assert edge.messages == ["small", "too"]
    assert capsys.readouterr().err == "logsvc.client: the log service will not take 1 records: 413 (too large)\n"


def test_a_refused_batch_is_given_up_and_said_once(
    edge: Edge, spool: Spool, delivery: Delivery, capsys: pytest.CaptureFixture[str]
) -> None:
    edge.status, edge.body = 422, {"detail": "no"}
    for message in ("one", "two"):
        put(spool, message)
        assert run(delivery) is None

    assert spool.batch(1000) is None
    assert capsys.readouterr().err == "logsvc.client: the log service will not take 1 records: 422 (no)\n"


def test_a_token_that_is_not_known_yet_costs_no_record(
    edge: Edge, spool: Spool, delivery: Delivery, capsys: pytest.CaptureFixture[str]
) -> None:
    put(spool, "one")
    edge.status, edge.body = 401, {"detail": "The token is not known here."}
    assert run(delivery) is not None
    assert run(delivery) is not None
    edge.status = 200
    assert run(delivery) is None

    assert edge.messages == ["one"]
    expected = "the log service answers 401 (The token is not known here.): records wait until that is mended"
    assert capsys.readouterr().err == f"logsvc.client: {expected}\n"


def test_a_service_that_is_merely_away_is_nothing_to_complain_of(
    edge: Edge, spool: Spool, delivery: Delivery, capsys: pytest.CaptureFixture[str]
) -> None:
    put(spool, "one")
    for edge.status in (0, 429, 500, 503):
        run(delivery)

    assert capsys.readouterr().err == ""


def test_rejected_lines_are_said_once(
    edge: Edge, spool: Spool, delivery: Delivery, capsys: pytest.CaptureFixture[str]
) -> None:
    edge.body = {"accepted": 0, "rejected": [{"line": 1, "detail": "JSON is malformed"}]}
    for message in ("one", "two"):
        put(spool, message)
        run(delivery)

    assert capsys.readouterr().err == "logsvc.client: the log service rejects records: JSON is malformed\n"


@pytest.mark.parametrize("body", [[], {"rejected": 5}, {"rejected": ["x"]}])
def test_an_answer_of_another_shape_is_none_to_fall_over(
    edge: Edge, spool: Spool, delivery: Delivery, body: object
) -> None:
    edge.body = body  # type: ignore[assignment]  # what no server should answer
    put(spool, "one")

    assert run(delivery) is None
    assert spool.batch(1000) is None


@pytest.mark.parametrize("address", [None, "", "nonsense", "http://[", "ftp://x"])
def test_without_a_usable_address_records_wait(edge: Edge, spool: Spool, address: str | None) -> None:
    delivery = Delivery(
        spool, locate=lambda: address, token="x", notice_drop=lambda dropped: None, complaints=Complaints()
    )
    put(spool, "one")

    pause = run(delivery)
    delivery.close()

    assert pause is not None
    assert pause <= deliveries.FIRST_PAUSE_SECONDS
    assert spool.batch(1000) is not None


def test_sending_leaves_the_programs_own_random_numbers_alone(edge: Edge, spool: Spool, delivery: Delivery) -> None:
    state = random.getstate()
    put(spool, "one")
    edge.status = 0
    run(delivery)

    assert random.getstate() == state

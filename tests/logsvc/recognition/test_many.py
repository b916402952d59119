"""Many records of each kind, without a store."""

from datetime import UTC, datetime

import pytest

from logsvc.recognition.formats import Circumstances
from logsvc.recognition.reader import Origin, Reader
from tests.logsvc.recognition import generating

RECORDS_OF_A_KIND = 25_000


@pytest.mark.parametrize("kind", generating.KINDS)
def test_of_200_000_records_of_eight_kinds_each_has_its_time_and_level(kind: str) -> None:
    given = list(generating.events(kind, RECORDS_OF_A_KIND))
    lines = (line for text, _, _ in given for line in text.split("\n"))
    now = datetime(2026, 11, 29, tzinfo=UTC)
    reader = Reader(origin=Origin(service=kind), circumstances=Circumstances(now=now), received_ns=1)

    read = [(each.time_ns // 10**9, each.severity) for each in reader.read(lines)]

    assert read == [(int(time.timestamp()), severity) for _, time, severity in given]

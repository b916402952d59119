"""Public samples (samples/README.md) have the times and levels that they say, and no others."""

from datetime import UTC, datetime
from itertools import chain, cycle, islice
from pathlib import Path

import pytest

from logsvc import timestamps
from logsvc.recognition.formats import Circumstances
from logsvc.recognition.reader import Origin, Reader
from logsvc.record import Record

SAMPLES = Path(__file__).parent / "samples"
UNSPECIFIED, DEBUG, INFO, WARN, ERROR = 0, 5, 9, 13, 17


def read(lines: list[str]) -> list[Record]:
    circumstances = Circumstances(now=datetime(2026, 11, 29, tzinfo=UTC))
    return list(Reader(origin=Origin(service=""), circumstances=circumstances, received_ns=1).read(lines))


def lines(name: str) -> list[str]:
    return (SAMPLES / f"{name}.log").read_text(encoding="utf-8").splitlines()


EXPECTED = {
    "bunyan": ("2023-03-24T14:26:16.243000Z", [DEBUG, INFO, DEBUG]),
    "darwin": ("2025-12-13T11:35:28.000000Z", [UNSPECIFIED] * 3),
    "docker": ("2018-09-21T02:56:06.978292233Z", [INFO]),
    "elasticsearch": ("2018-05-17T08:29:12.177000Z", [INFO]),
    "glog": ("2026-05-17T15:04:22.619632Z", [ERROR, INFO, INFO, WARN, INFO, INFO, ERROR]),
    "java": ("2025-01-24T07:00:30.139000Z", [INFO] * 4),
    "logfmt": ("2021-09-15T21:17:10.220731Z", [ERROR, WARN, INFO, INFO]),
    "nginx-access": ("2017-05-29T19:02:48.000000Z", [INFO] * 6),
    "nginx-error": ("2016-10-25T14:49:34.000000Z", [ERROR] * 3),
    "sshd": ("2026-02-21T21:54:44.000000Z", [UNSPECIFIED] * 10),
}


def test_every_sample_is_expected() -> None:
    assert {path.stem for path in SAMPLES.glob("*.log")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_times_and_levels_are_those_that_the_lines_say(name: str) -> None:
    first, severities = EXPECTED[name]
    records = read(lines(name))

    assert timestamps.wire(records[0].time_ns) == first
    assert [record.severity for record in records] == severities


def test_the_first_of_several_addresses_is_the_client() -> None:
    assert [record.attributes["client.address"] for record in read(lines("nginx-access"))] == [
        "172.17.0.1",
        "10.0.0.2",
        "85.181.35.98",
        "10.5.102.222",
        "2a03:0000:10ff:f00f:0000:0000:0:8000",
        "127.0.0.1",
    ]


def test_an_event_of_several_lines_is_one_record() -> None:
    first, second, _ = read(lines("darwin"))

    assert first.body.endswith(">>\n\t>")
    assert (second.service, second.host) == ("GoogleSoftwareUpdateAgent", "a-mac-with-esc-key")


def test_lines_of_all_kinds_mixed_in_one_file_are_each_recognised() -> None:
    mixed = list(chain.from_iterable(lines(name) for name in EXPECTED))
    expected = [severity for _, severities in EXPECTED.values() for severity in severities]

    records = read(list(islice(cycle(mixed), 20 * len(mixed))))

    assert [record.severity for record in records] == expected * 20
    assert len({record.uid for record in records}) == len(records)

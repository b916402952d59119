"""Recognition of a line of each format. The lines are modelled on public samples of these formats."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logsvc.recognition.formats import TEXT_FORMATS, Circumstances
from logsvc.recognition.reader import Origin, Reader
from logsvc.record import Record

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
RECEIVED_NS = 1_795_953_600_000_000_000


def read(*lines: str, zone: str = "UTC") -> list[Record]:
    reader = Reader(
        origin=Origin(service=""),
        circumstances=Circumstances(now=NOW, zone=ZoneInfo(zone)),
        received_ns=RECEIVED_NS,
    )
    return list(reader.read(lines))


def when(record: Record) -> str:
    return datetime.fromtimestamp(record.time_ns / 1e9, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")


SAMPLES = [
    # line, time, severity, service, logger, body
    (
        "Nov 28 23:59:58 web-1 sshd[4242]: Failed password for root from 203.0.113.7 port 4711 ssh2",
        "2026-11-28T23:59:58.000",
        0,
        "sshd",
        "",
        "Failed password for root from 203.0.113.7 port 4711 ssh2",
    ),
    (
        "<11>Dec  1 06:00:00 web-1 su(pam_unix)[7]: session opened",
        "2025-12-01T06:00:00.000",
        17,
        "su",
        "",
        "session opened",
    ),
    (
        '<165>1 2026-11-29T08:00:00.003Z web-1 evntslog - ID47 [ex@32473 iut="3"] An application event',
        "2026-11-29T08:00:00.003",
        11,
        "evntslog",
        "",
        "An application event",
    ),
    (
        "2026-11-29T09:00:00.123456+01:00 web-1 systemd[1]: Started nginx.service.",
        "2026-11-29T08:00:00.123",
        0,
        "systemd",
        "",
        "Started nginx.service.",
    ),
    (
        '203.0.113.7 - ada [29/Nov/2026:09:00:00 +0100] "GET /grades?x=1 HTTP/1.1" 502 157 "-" "curl/8.5"',
        "2026-11-29T08:00:00.000",
        17,
        "",
        "",
        None,
    ),
    ('203.0.113.7 - - [29/Nov/2026:08:00:00 +0000] "GET / HTTP/1.1" 404 9', "2026-11-29T08:00:00.000", 9, "", "", None),
    (
        "2026/11/29 08:00:00 [error] 31#31: *7 connect() failed (111: Connection refused)",
        "2026-11-29T08:00:00.000",
        17,
        "",
        "",
        "*7 connect() failed (111: Connection refused)",
    ),
    (
        "[Sun Nov 29 08:00:00.123456 2026] [proxy:warn] [pid 7] AH01144: No protocol handler",
        "2026-11-29T08:00:00.123",
        13,
        "",
        "proxy",
        "[pid 7] AH01144: No protocol handler",
    ),
    ("[Sun Nov 29 08:00:00 2026] [notice] caught SIGTERM", "2026-11-29T08:00:00.000", 11, "", "", "caught SIGTERM"),
    (
        "2026-11-29 08:00:00,978 INFO [main] org.example.app.Master: Created master",
        "2026-11-29T08:00:00.978",
        9,
        "",
        "org.example.app.Master",
        "Created master",
    ),
    (
        "2026-11-29 08:00:00.123  WARN 4711 --- [nio-8080-exec-1] o.e.GradeController : slow query",
        "2026-11-29T08:00:00.123",
        13,
        "",
        "o.e.GradeController",
        "slow query",
    ),
    (
        "2026-11-29 08:00:00,747 - INFO  [QuorumPeer[myid=1]:FastLeaderElection@774] - Notification time out: 3200",
        "2026-11-29T08:00:00.747",
        9,
        "",
        "",
        "Notification time out: 3200",
    ),
    (
        "2026-11-29 08:00:00.008 25746 INFO nova.compute [req-1] Deleting instance",
        "2026-11-29T08:00:00.008",
        9,
        "",
        "",
        None,
    ),
    (
        "2026-11-29 08:00:00,123 - grading.api - ERROR - no grade for Ada",
        "2026-11-29T08:00:00.123",
        17,
        "",
        "grading.api",
        "no grade for Ada",
    ),
    ("2026-11-29T08:00:00.5Z ERROR connection lost", "2026-11-29T08:00:00.500", 17, "", "", "connection lost"),
    (
        "W1128 23:00:00.123456       1 reflector.go:324] watch ended",
        "2026-11-28T23:00:00.123",
        13,
        "",
        "reflector.go:324",
        "watch ended",
    ),
    (
        "26/11/29 08:00:00 ERROR executor.Executor: Exception in task",
        "2026-11-29T08:00:00.000",
        17,
        "",
        "executor.Executor",
        "Exception in task",
    ),
    (
        "261129 080000 148 WARN dfs.DataNode$DataXceiver: Got exception",
        "2026-11-29T08:00:00.000",
        13,
        "",
        "dfs.DataNode$DataXceiver",
        "Got exception",
    ),
    (
        "7:M 29 Nov 2026 08:00:00.123 # Can't save in background: fork",
        "2026-11-29T08:00:00.123",
        13,
        "",
        "",
        "Can't save in background: fork",
    ),
    (
        '2026-11-29 08:00:00.123 UTC [4711] ada@grades ERROR:  relation "x" does not exist',
        "2026-11-29T08:00:00.123",
        17,
        "",
        "",
        'relation "x" does not exist',
    ),
    (
        'time=2026-11-29T08:00:00Z level=warning msg="disk \\"full\\"" service=grading',
        "2026-11-29T08:00:00.000",
        13,
        "grading",
        "",
        'disk "full"',
    ),
    (
        '{"@timestamp": "2026-11-29T08:00:00.5Z", "log.level": "ERROR", "message": "x", "service.name": "grading"}',
        "2026-11-29T08:00:00.500",
        17,
        "grading",
        "",
        "x",
    ),
    (
        '{"level": 40, "time": 1795939200250, "msg": "slow", "hostname": "h"}',
        "2026-11-29T08:00:00.250",
        13,
        "",
        "",
        "slow",
    ),
    (
        '{"severity": "info", "ts": 1795939200.25, "msg": "x", "logger": "a.b"}',
        "2026-11-29T08:00:00.250",
        9,
        "",
        "a.b",
        "x",
    ),
    (
        "2026-11-29T08:00:00.123456789Z stderr F E1129 07:00:00.000001 1 x.go:1] refused",
        "2026-11-29T08:00:00.123",
        17,
        "",
        "x.go:1",
        "refused",
    ),
    (
        '{"log":"plain text\\n","stream":"stdout","time":"2026-11-29T08:00:00.123Z"}',
        "2026-11-29T08:00:00.123",
        0,
        "",
        "",
        "plain text",
    ),
]


@pytest.mark.parametrize(("line", "time", "severity", "service", "logger", "body"), SAMPLES)
def test_times_and_levels_are_recognised(
    line: str, time: str, severity: int, service: str, logger: str, body: str | None
) -> None:
    (record,) = read(line)

    assert (when(record), record.severity, record.service) == (time, severity, service)
    if body is not None:
        assert (record.logger, record.body) == (logger, body)


@pytest.mark.parametrize(
    "line",
    [
        "ERROR is a word, and this is no log line",
        "2026-13-45 08:00:00 ERROR there is no such month",
        "Nov 31 08:00:00 host sshd[1]: no such day",
        "level=error without a text",
        '{"a": 1}',
        "12:00:00 INFO only a clock",
        "<999>1 2026-11-29T08:00:00Z h a - - - no such priority",
    ],
)
def test_what_is_not_unmistakable_is_kept_as_it_is(line: str) -> None:
    (record,) = read(line)

    assert (record.body, record.severity, record.time_ns) == (line, 0, RECEIVED_NS)


def test_a_line_without_a_time_has_that_of_the_line_before() -> None:
    first, second = read("2026-11-29T08:00:00Z INFO one", "two")

    assert second.time_ns == first.time_ns
    assert second.body == "two"


def test_times_without_an_offset_are_of_the_given_zone() -> None:
    summer, winter = read("2026-07-01 08:00:00 INFO a", "2026-11-29 08:00:00 INFO b", zone="Europe/Zurich")

    assert (when(summer), when(winter)) == ("2026-07-01T06:00:00.000", "2026-11-29T07:00:00.000")


def test_javas_stack_trace_is_one_record() -> None:
    first, second = read(
        "2026-11-29 08:00:00,123 ERROR [main] org.example.Grades: cannot save",
        "java.lang.IllegalStateException: no course",
        "\tat org.example.Grades.save(Grades.java:42)",
        "\tat org.example.Main.main(Main.java:7)",
        "Caused by: java.sql.SQLException: closed",
        "\t... 2 more",
        "2026-11-29 08:00:01,000 INFO [main] org.example.Grades: on",
    )

    assert (first.body, second.body) == ("cannot save", "on")
    assert first.attributes["exception.type"] == "java.lang.IllegalStateException"
    assert first.attributes["exception.message"] == "no course"
    assert first.attributes["exception.stacktrace"].count("\n") == 4


def test_pythons_traceback_is_one_record_also_through_kubernetes() -> None:
    lines = [
        "2026-11-29 08:00:00,123 - grading - ERROR - failed",
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in <module>',
        "    1 / 0",
        "ZeroDivisionError: division by zero",
        "2026-11-29 08:00:01,000 - grading - INFO - on",
    ]
    wrapped = [f"2026-11-29T08:00:0{number}.000000000Z stderr F {line}" for number, line in enumerate(lines)]

    for first, second in (read(*lines), read(*wrapped)):
        assert (first.body, second.body) == ("failed", "on")
        assert first.attributes["exception.type"] == "ZeroDivisionError"
        assert first.attributes["exception.message"] == "division by zero"


def test_kubernetes_parts_are_joined_by_stream() -> None:
    first, second = read(
        "2026-11-29T08:00:00.000000001Z stdout P one ",
        "2026-11-29T08:00:00.000000002Z stderr F other",
        "2026-11-29T08:00:00.000000003Z stdout F line",
    )

    assert (first.body, second.body) == ("other", "one line")
    assert second.time_ns % 10 == 3


def test_members_become_attributes_under_their_names() -> None:
    (access,) = read('h - ada [29/Nov/2026:08:00:00 +0000] "PUT /x HTTP/1.1" 500 9 "-" "curl/8"')
    (syslog,) = read('<165>1 2026-11-29T08:00:00Z h app 7 ID [ex@1 a="b\\"c" d="]"] x')
    (line,) = read('{"msg": "x", "order": 7, "trace_id": "4BF92F3577B34DA6A3CE929D0E0E4736"}')

    assert access.attributes == {
        "client.address": "h",
        "http.response.status_code": 500,
        "http.request.method": "PUT",
        "url.path": "/x",
        "http.response.body.size": 9,
        "user_agent.original": "curl/8",
        "user.name": "ada",
    }
    assert syslog.attributes["ex@1.a"] == 'b"c'
    assert syslog.attributes["process.pid"] == 7
    assert line.attributes == {"order": 7}
    assert line.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_same_file_has_the_same_uids_and_equal_lines_have_different_ones() -> None:
    again = [record.uid for record in read("a", "a", "b")]

    assert again == [record.uid for record in read("a", "a", "b")]
    assert len(set(again)) == 3


@given(st.lists(st.text(st.characters(exclude_characters="\n")), max_size=8), st.sampled_from(list(TEXT_FORMATS)))
def test_any_text_becomes_records_that_lose_none_of_it(lines: list[str], name: str) -> None:
    records = read(*lines)

    kept = "\n".join([record.body + str(record.attributes.get("exception.stacktrace", "")) for record in records])
    assert all(word in kept or not word.isalnum() for line in lines if line.isalnum() for word in line.split())
    TEXT_FORMATS[name](" ".join(lines), Circumstances(now=NOW))

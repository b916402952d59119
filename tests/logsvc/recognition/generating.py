"""Log files of many kinds, as large as wanted, in the formats of public samples; each line differs."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
# Which levels a kind's events have, by their place: 17 is an error, 0 none that is said.
_PYTHON = {0: ("INFO", 9), 1: ("WARNING", 13), 2: ("ERROR", 17), 3: ("DEBUG", 5)}


def syslog(number: int, time: datetime) -> tuple[str, int]:
    return f"{time:%b %e %H:%M:%S} web-{number % 7} sshd[{number}]: Accepted publickey for ada port {number}", 0


def rfc5424(number: int, time: datetime) -> tuple[str, int]:
    return f'<{16 * 8 + 3}>1 {time:%Y-%m-%dT%H:%M:%S}Z web-1 app {number} ID1 [a@1 n="{number}"] cannot connect', 17


def json_lines(number: int, time: datetime) -> tuple[str, int]:
    level, severity = _PYTHON[number % 4]
    stamp = f"{time:%Y-%m-%dT%H:%M:%S}.{number % 1000:03d}Z"
    return f'{{"timestamp": "{stamp}", "level": "{level}", "message": "order {number}", "order": {number}}}', severity


def java(number: int, time: datetime) -> tuple[str, int]:
    head = f"{time:%Y-%m-%d %H:%M:%S},{number % 1000:03d} ERROR [worker-{number % 9}] org.example.Shop: order {number}"
    trace = "java.lang.IllegalStateException: closed\n\tat org.example.Shop.pay(Shop.java:7)\n\t... 12 more"
    return f"{head}\n{trace}", 17


def nginx(number: int, time: datetime) -> tuple[str, int]:
    status = (200, 304, 404, 502)[number % 4]
    line = f'203.0.113.{number % 250} - - [{time:%d/%b/%Y:%H:%M:%S} +0000] "GET /orders/{number} HTTP/1.1" {status} 17'
    return f'{line} "-" "curl/8.5"', 17 if status == 502 else 9


def kubernetes(number: int, time: datetime) -> tuple[str, int]:
    wrapped = f"{time:%Y-%m-%dT%H:%M:%S}.{number % 10**9:09d}Z stderr F"
    return f"{wrapped} W{time:%m%d %H:%M:%S}.000001       1 reflector.go:324] watch {number} ended", 13


def spark(number: int, time: datetime) -> tuple[str, int]:
    return f"{time:%y/%m/%d %H:%M:%S} INFO executor.Executor: Finished task {number}", 9


def logfmt(number: int, time: datetime) -> tuple[str, int]:
    return f'time={time:%Y-%m-%dT%H:%M:%S}Z level=warn msg="slow query" order={number}', 13


KINDS: dict[str, Callable[[int, datetime], tuple[str, int]]] = {
    "syslog": syslog,
    "rfc5424": rfc5424,
    "json": json_lines,
    "java": java,
    "nginx": nginx,
    "kubernetes": kubernetes,
    "spark": spark,
    "logfmt": logfmt,
}


def events(kind: str, count: int) -> Iterator[tuple[str, datetime, int]]:
    """Text, time to the second, and severity of each."""
    for number in range(count):
        time = START + timedelta(seconds=number)
        text, severity = KINDS[kind](number, time)
        yield text, time, severity

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from registry.models import Heartbeat, Instance
from tests import factories
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def server_url() -> Iterator[str]:
    """Takes connections; the kernel does, for as long as the socket listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def explained(*arguments: str) -> str:
    return checked(*arguments)[0]


def checked(*arguments: str) -> tuple[str, Any]:
    """The output and the exit code."""
    output = StringIO()
    code: Any = 0
    try:
        call_command("check_service", *arguments, stdout=output)
    except SystemExit as exit_:
        code = exit_.code
    return output.getvalue(), code


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"status": "passing"}, 0),
        ({"status": "warning"}, 1),
        ({"status": "critical"}, 2),
        ({"status": "starting"}, 3),
        ({"status": "passing", "is_in_maintenance": True}, 1),
        ({"status": "critical", "draining_until": datetime(2100, 1, 1, tzinfo=UTC)}, 1),
    ],
)
def test_its_exit_code_is_that_of_a_nagios_plugin(now: datetime, members: dict[str, Any], code: int) -> None:
    factories.register("billing", now=now, url="http://127.0.0.1:9", heartbeat={"kind": "ttl"})
    Instance.objects.update(**members)

    assert checked("billing", "billing-1")[1] == code
    assert checked("billing")[1] == code
    assert checked("billing", "--json")[1] == code


@pytest.mark.parametrize(
    "members",
    [
        {"status": "critical"},
        {"status": "starting"},
        {"status": "passing", "is_in_maintenance": True},
        {"status": "passing", "draining_until": datetime(2100, 1, 1, tzinfo=UTC)},
    ],
)
def test_a_service_of_which_only_some_instances_are_offered_is_a_warning(
    now: datetime, members: dict[str, Any]
) -> None:
    for number, status in ((1, {"status": "passing"}), (2, members)):
        factories.register("billing", f"billing-{number}", now=now, heartbeat={"kind": "ttl"})
        Instance.objects.filter(name=f"billing-{number}").update(**status)

    assert checked("billing")[1] == 1


def test_a_service_that_is_down_because_of_another_is_critical(now: datetime) -> None:
    factories.register("billing", now=now, requires=["mail"], heartbeat={"kind": "ttl"})
    Instance.objects.update(status="critical")

    assert checked("billing")[1] == 2


@pytest.mark.parametrize("arguments", [("nobody",), ("billing", "nobody")])
def test_no_answer_is_unknown_and_never_critical(now: datetime, arguments: tuple[str, ...]) -> None:
    factories.register("billing", now=now)

    with pytest.raises(CommandError) as refused:
        call_command("check_service", *arguments)

    assert refused.value.returncode == 3


def test_it_says_what_the_probe_found_and_what_follows_and_writes_nothing(now: datetime, server_url: str) -> None:
    factories.passing("billing", now=now, url=server_url, heartbeat={"kind": "tcp"})
    before = Heartbeat.objects.values().get()

    said = explained("billing")

    assert said.startswith("billing/billing-1: passing\n  It is passing since 2026-11-23 12:00:00 UTC: probed.\n")
    assert "accepts connections (" in said
    assert "That is success 2 in a row, of 1 for passing: its verdict would be passing." in said
    assert Heartbeat.objects.values().get() == before


def test_a_failure_is_counted_towards_its_threshold(now: datetime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    factories.passing("billing", now=now, url=url)

    said = explained("billing", "billing-1")

    assert "failure 1 in a row, of 3 for critical: not yet enough." in said


def test_an_instance_that_beats_by_itself_is_not_probed(now: datetime) -> None:
    factories.register("cron", now=now, heartbeat={"kind": "ttl"})

    assert "It beats by itself every 10 s" in explained("cron")


def test_instances_are_waited_for_together(now: datetime) -> None:
    heartbeat = {"kind": "http", "timeout_seconds": PATIENCE_SECONDS}
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as threads, ExitStack() as opened:
        server.settimeout(PATIENCE_SECONDS)
        threads.submit(answer_when_all_have_asked, server, 8, opened)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        for number in range(8):
            factories.passing("billing", f"billing-{number}", now=now, url=url, heartbeat=heartbeat)

        said = explained("billing")

    assert said.count("answered 200") == 8


def answer_when_all_have_asked(server: socket.socket, count: int, opened: ExitStack) -> None:
    connections = [opened.enter_context(server.accept()[0]) for _ in range(count)]
    for each in connections:
        each.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


def test_what_is_not_there_is_named(now: datetime) -> None:
    with pytest.raises(CommandError, match="check the name"):
        explained("nothing")
    with pytest.raises(CommandError, match="no instance 'b'"):
        explained("nothing", "b")

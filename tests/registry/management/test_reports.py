"""The reports of commands to scripts: with --json, one value on stdout."""

import json
import socket
from contextlib import suppress
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.tokens import issuing
from registry.models import Heartbeat, Instance, Maintenance
from registry.wire.bodies import instance_body, timestamp
from tests import factories
from tests.calling import Call, caller

pytestmark = pytest.mark.django_db

# Where nobody listens.
RECEIVER = ("--notify-url", "http://127.0.0.1:1/n", "--notify-secret", "whsec_" + "A" * 32)


def reported(*arguments: str) -> Any:
    output = StringIO()
    # check_service answers by its exit code too.
    with suppress(SystemExit):
        call_command(*arguments, "--json", stdout=output)
    return json.loads(output.getvalue())


def register(name: str, *arguments: str) -> Any:
    return reported("register_service", name, "http://127.0.0.1:9000", *arguments)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    return caller(capsys)


def test_an_instance_is_reported_as_the_api_answers_it() -> None:
    registered = register("billing", "--requires", "logsvc")
    assert registered == instance_body(Instance.objects.get())

    drained = reported("drain", "billing", "billing-1", "--seconds", "60")
    assert drained == instance_body(Instance.objects.get())
    assert drained["status"] == "draining"


def test_all_that_were_deregistered_are_reported() -> None:
    register("billing", "--instance", "billing-1")
    register("billing", "--instance", "billing-2")

    assert reported("deregister_service", "billing") == [
        {"service": "billing", "instance": "billing-1"},
        {"service": "billing", "instance": "billing-2"},
    ]


def test_maintenance_is_reported_with_whom_it_affects() -> None:
    register("billing")
    register("webui", "--requires", "billing")

    begun = reported("maintenance", "billing", "--reason", "disk", "--minutes", "5")

    assert (begun["service"], begun["instance"], begun["reason"]) == ("billing", "", "disk")
    assert begun["until"] == timestamp(Maintenance.objects.get(service="billing").until)
    assert (begun["instances"], begun["required_by"]) == (["billing-1"], ["webui"])
    assert reported("maintenance", "biling")["instances"] == []
    ended = {"service": "billing", "instance": "", "ended": True}
    assert reported("maintenance", "billing", "--end") == ended
    assert reported("maintenance", "billing", "--end") == {**ended, "ended": False}


def test_a_check_reports_what_was_found_and_what_would_follow(now: datetime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    factories.passing("billing", now=now, url=url)

    (checked,) = reported("check_service", "billing")

    assert checked.items() >= instance_body(Instance.objects.get()).items()
    assert checked["due_at"] == timestamp(datetime.fromtimestamp(Heartbeat.objects.get().due_at, UTC))
    assert checked["probe"]["finding"] == "failure"
    assert url.removeprefix("http://") in checked["probe"]["detail"]
    assert checked["probe"]["before"] == {"verdict": "passing", "failures": 0, "successes": 1, "damped": False}
    assert checked["probe"]["after"] == {"verdict": "passing", "failures": 1, "successes": 0, "damped": False}


def test_what_beats_by_itself_is_reported_without_a_probe(now: datetime) -> None:
    factories.register("cron", now=now, heartbeat={"kind": "ttl"})

    assert reported("check_service", "cron", "cron-1")[0]["probe"] is None


def test_how_many_dependents_are_told_again_is_reported() -> None:
    register("webui", "--requires", "logsvc", *RECEIVER)

    for arguments in (["webui", "webui-1", "--since", "0"], ["webui", "webui-1"], ["--all"]):
        assert reported("replay_notifications", *arguments) == {"dependents": 1}
    assert reported("begin_history") == {"dependents": 1}


def test_a_trial_in_vain_is_reported_and_ends_with_exit_code_1(call: Call) -> None:
    register("webui", "--requires", "logsvc", *RECEIVER)

    said = call("replay_notifications", "webui", "webui-1", "--trial", "--json")

    attempt = json.loads(said.out)
    assert (said.code, attempt["succeeded"], attempt["status_code"]) == (1, False, None)
    assert attempt["error"] in said.err
    assert attempt["duration_ms"] == round(attempt["duration_ms"], 1)
    assert len(said.err.splitlines()) == 1


def test_an_import_reports_its_counts(tmp_path: Path) -> None:
    register("billing")
    archive = StringIO()
    call_command("export_registry", stdout=archive)
    (tmp_path / "registry.json").write_text(archive.getvalue())

    counts = reported("import_registry", str(tmp_path / "registry.json"))

    assert counts == {"registered": 0, "changed": 0, "unchanged": 1}


def test_a_token_that_was_revoked_is_reported_as_it_is_listed() -> None:
    issuing.create(name="ci", scopes=["read"])

    revoked = reported("revoke_token", "ci")

    assert revoked["revoked_at"] is not None
    assert [revoked] == reported("list_tokens")


def test_what_is_refused_prints_nothing_for_scripts(call: Call) -> None:
    said = call("drain", "billing", "billing-1", "--json")

    assert (said.code, said.out) == (2, "")
    with pytest.raises(CommandError):
        reported("deregister_service", "billing")

"""`run_service` runs a program as an instance, and says what is wrong with its own command line."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from registry.client import Registry
from registry.management.commands import run_service
from tests.clients.registry.fake import TOKEN, FakeRegistry
from tests.clients.registry.test_sidecar import until_a_beat

# It beats once: the next beat comes when no test runs any more.
ARGUMENTS = ["billing", "--url", "http://127.0.0.1:9000", "--interval", "3600"]


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> FakeRegistry:
    fake = FakeRegistry()
    monkeypatch.setattr(run_service, "Registry", lambda url, token: Registry(url, token, transport=fake.transport()))
    monkeypatch.setenv("ROLLCALL_TOKEN", TOKEN)
    return fake


def run(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as caught:
        call_command("run_service", *arguments)
    return caught.value.code


def test_a_program_runs_as_an_instance_and_its_exit_code_is_the_command_s(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    program = f"{until_a_beat(registry, tmp_path / 'beat')}; exit 3"
    assert run(*ARGUMENTS, "--requires", "logsvc", "--tag", "blue", "--", "sh", "-c", program) == 3
    assert [request.method for request in registry.requests] == ["PUT", "PUT", "DELETE"]
    assert registry.requests[0].url.path == "/v1/services/billing/instances/billing-1"


def test_the_program_s_own_options_are_left_to_it() -> None:
    assert run(*ARGUMENTS, "--", "sh", "-c", 'test "$1" = --url', "sh", "--url") == 0


def test_the_token_may_come_from_a_file(
    tmp_path: Path, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROLLCALL_TOKEN")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    program = until_a_beat(registry, tmp_path / "beat")
    assert run(*ARGUMENTS, "--token-file", str(tmp_path / "token"), "--", "sh", "-c", program) == 0
    assert registry.calls()[-1].startswith("DELETE")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Billing!", "--url", "http://127.0.0.1:9000"], "service: "),
        (["billing", "--url", "nowhere"], "--url: "),
        ([*ARGUMENTS, "--heartbeat", "hope"], "--heartbeat: "),
        ([*ARGUMENTS, "--requires", "Logsvc"], "--requires: "),
        ([*ARGUMENTS, "--registry", "nowhere"], "'nowhere'"),
        ([*ARGUMENTS, "--token-file", "/nowhere/to/be/found"], "No such file"),
    ],
)
def test_a_mistake_in_the_command_line_is_one_sentence(
    arguments: list[str], message: str, registry: FakeRegistry
) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        call_command("run_service", *arguments, "--", "true")
    assert caught.value.returncode == 2
    assert registry.requests == []


def test_a_missing_token_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROLLCALL_TOKEN")
    with pytest.raises(CommandError, match="set ROLLCALL_TOKEN or --token-file") as caught:
        call_command("run_service", *ARGUMENTS, "--", "true")
    assert caught.value.returncode == 2


def test_a_program_that_cannot_be_run_ends_as_in_a_shell(tmp_path: Path, registry: FakeRegistry) -> None:
    with pytest.raises(CommandError, match="cannot be run: No such file") as caught:
        call_command("run_service", *ARGUMENTS, "--", "/nowhere/to/be/found")
    assert caught.value.returncode == 127
    (tmp_path / "text").write_text("no program")
    with pytest.raises(CommandError, match="cannot be run: Permission denied") as caught:
        call_command("run_service", *ARGUMENTS, "--", str(tmp_path / "text"))
    assert caught.value.returncode == 126
    assert registry.requests == []

"""A command does what it is given or says in one sentence what to change, and then has written nothing."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from django.db import connections
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.tokens.models import Token
from registry.models import Instance, JournalEntry, Maintenance
from tests import factories
from tests.calling import Call, caller, refused
from tests.examples import examples

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:9000"
HUGE = "9" * 40
NOT_UTF8 = "\udcff"
REFUSED = [
    ["check_service"],
    ["check_service", "nobody"],
    ["check_service", "logsvc", "nobody"],
    ["check_service", NOT_UTF8],
    ["create_token"],
    ["create_token", "ci"],
    ["create_token", "ci", "--scope"],
    ["create_token", "ci", "--scope", "everything"],
    ["create_token", "ci", "--scope", "register:No Such"],
    ["create_token", "", "--scope", "read"],
    ["create_token", "two words", "--scope", "read"],
    ["create_token", "x" * 101, "--scope", "read"],
    ["create_token", NOT_UTF8, "--scope", "read"],
    ["deregister_service"],
    ["deregister_service", "nobody"],
    ["deregister_service", "logsvc", "nobody"],
    ["deregister_service", "Not A Name", "x"],
    ["deregister_service", "logsvc", "--reason", NOT_UTF8],
    ["drain"],
    ["drain", "logsvc"],
    ["drain", "logsvc", "nobody"],
    ["drain", "logsvc", "logsvc-1", "--seconds", "soon"],
    ["drain", "logsvc", "logsvc-1", "--seconds", "-1"],
    ["drain", "logsvc", "logsvc-1", "--seconds", "nan"],
    ["drain", "logsvc", "logsvc-1", "--seconds", "inf"],
    ["drain", "logsvc", "logsvc-1", "--seconds", "1e1"],
    ["drain", "logsvc", "logsvc-1", "--seconds", HUGE],
    ["export_registry", "registry.json"],
    ["import_registry"],
    ["import_registry", "/no/such/file"],
    ["import_registry", "/"],
    ["list_services", "--yaml"],
    ["list_services", "one", "two"],
    ["list_services", NOT_UTF8],
    ["list_tokens", "--all"],
    ["maintenance"],
    ["maintenance", "Not A Name"],
    ["maintenance", "logsvc", "--minutes", "0"],
    ["maintenance", "logsvc", "--minutes", "nan"],
    ["maintenance", "logsvc", "--minutes", "-inf"],
    ["maintenance", "logsvc", "--minutes", HUGE],
    ["maintenance", "logsvc", "--minutes", "1_0"],
    ["maintenance", "logsvc", "--reason", NOT_UTF8],
    ["prepare", "--yaml"],
    ["provision", "now"],
    ["register_service"],
    ["register_service", "billing"],
    ["register_service", "Billing", URL],
    ["register_service", "b" * 64, URL],
    ["register_service", "billing", URL, "--instance", "two words"],
    ["register_service", "billing", "none"],
    ["register_service", "billing", ""],
    ["register_service", "billing", "ftp://127.0.0.1"],
    ["register_service", "billing", "http://"],
    ["register_service", "billing", "http://127.0.0.1:99999"],
    ["register_service", "billing", "http://[::1"],
    ["register_service", "billing", "http://169.254.169.254"],
    ["register_service", "billing", f"http://{NOT_UTF8}"],
    ["register_service", "billing", URL, "--requires"],
    ["register_service", "billing", URL, "--requires", "No Such"],
    ["register_service", "billing", URL, "--heartbeat", "pigeon"],
    ["register_service", "billing", URL, "--heartbeat-url", "http://169.254.169.254/"],
    ["register_service", "billing", URL, "--interval", "often"],
    ["register_service", "billing", URL, "--interval", "0"],
    ["register_service", "billing", URL, "--interval", "nan"],
    ["register_service", "billing", URL, "--interval", "inf"],
    ["register_service", "billing", URL, "--interval", "\uff11\uff10"],
    ["register_service", "billing", URL, "--notify-url", "none"],
    ["register_service", "billing", URL, "--notify-url", URL, "--notify-secret", "hunter2"],
    ["register_service", "billing", URL, "--tag", NOT_UTF8],
    ["register_service", "billing", URL, "--zone", NOT_UTF8],
    ["register_service", "billing", URL, "--zone", "z" * 10_000],
    ["register_service", "billing", URL, "--service-version", "v" * 10_000],
    ["replay_notifications"],
    ["replay_notifications", "logsvc"],
    ["replay_notifications", "nobody", "nobody-1"],
    ["replay_notifications", "nobody", "nobody-1", "--since", "0"],
    ["replay_notifications", "logsvc", "logsvc-1", "--since", "lately"],
    ["replay_notifications", "logsvc", "logsvc-1", "--since", "-1"],
    ["replay_notifications", "logsvc", "logsvc-1", "--since", "1_0"],
    ["replay_notifications", "logsvc", "logsvc-1", "--since", HUGE],
    ["revoke_token"],
    ["revoke_token", "nobody"],
    ["revoke_token", NOT_UTF8],
    ["run_service"],
    ["run_service", "billing", "--url", URL],
    ["run_service", "billing", "--url", URL, "--drain", "1e1", "true"],
    ["run_service", "billing", "--url", URL, "--token-file", "/no/such/file", "true"],
    ["run_service", "billing", "--url", URL, "--token-file", "/", "true"],
    ["run_service", "billing", "--url", URL, "--registry", "none", "--token-file", "TOKEN", "true"],
    ["run_service", "billing", "--url", "none", "--token-file", "TOKEN", "true"],
    ["run_service", "Billing", "--url", URL, "--token-file", "TOKEN", "true"],
    ["run_service", "billing", "--url", URL, "--token-file", "NOT_UTF8", "true"],
    ["serve", "--port", "0"],
    ["serve", "--port", "http"],
    ["serve", "--host", "localhost"],
    ["serve", "--host", "192.0.2.1", "--port", "65535"],
    ["watch_services", "--after", "lately"],
    ["watch_services", "--until", HUGE],
    ["watch_services", "--until", "\u0661"],
    ["watch_services", "--after", HUGE, "--until", "1"],
    ["watch_services", "--after", "-1", "--until", "0"],
    ["nonsense"],
    [""],
]
ARCHIVES = [
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"{",
    b"[" * 100_000,
    b"\xff",
    b'{"instances": 1}',
    b'{"instances": [null]}',
    b'{"instances": [{"service": "billing"}]}',
    b'{"version": 1e999}',
    b'{"format": "none", "format": "rollcall-registry-1", "instances": []}',
    b'{"a": "\\ud800"}',
]


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "close_all", lambda: None)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], now: datetime) -> Call:
    factories.passing("logsvc", now=now)
    return caller(capsys)


@pytest.fixture(autouse=True)
def _nothing_is_written(call: Call) -> Iterator[None]:
    before = _kept()
    yield
    assert _kept() == before


@pytest.mark.parametrize("arguments", REFUSED, ids=lambda arguments: ascii(" ".join(arguments))[1:70])
def test_what_cannot_be_done_is_refused_in_one_sentence(call: Call, tmp_path: Path, arguments: list[str]) -> None:
    files = {"TOKEN": b"rct_x", "NOT_UTF8": b"\xff"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    # Nothing that keeps a check from an answer says "critical" to monitoring.
    code = 3 if arguments[0] == "check_service" else 2
    assert refused(call(*(str(tmp_path / each) if each in files else each for each in arguments)), code=code)


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: ascii(archive[:40]))
def test_what_is_no_archive_is_refused_in_one_sentence(call: Call, tmp_path: Path, archive: bytes) -> None:
    (tmp_path / "archive").write_bytes(archive)

    assert refused(call("import_registry", str(tmp_path / "archive")))


@given(name=st.text(max_size=80), url=st.text(max_size=80), requires=st.text(max_size=80))
@example(name="-", url=URL, requires="")
@example(name="billing", url="//", requires="-x")
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_words_make_half_a_registration(call: Call, name: str, url: str, requires: str) -> None:
    said = call("register_service", "--json", f"--requires={requires}", "--", name, url)

    assert refused(said)


def _kept() -> list[int]:
    return [model.objects.count() for model in (Instance, JournalEntry, Maintenance, Token)]

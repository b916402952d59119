"""Messages against a real SMTP server and a real HTTP server of this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from apprise import Apprise
from apprise.plugins.pagerduty import PAGERDUTY_API_LOOKUP, PagerDutyRegion
from apprise.plugins.slack import NotifySlack

from tests.ports import free_port
from webui import delivery
from webui.models import Channel, Incident, Kind, Message, Severity

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def message(url: str, kind: Kind = Kind.BEGAN) -> Message:
    incident = Incident(pk=7, service="logsvc", state="critical", severity=Severity.CRITICAL, began_at=NOW)
    channel = Channel(name="on call", url=url)
    return Message(
        channel=channel,
        incident=incident,
        kind=kind,
        title="logsvc is critical",
        body="Affected: webui",
        written_at=NOW,
    )


def deliver_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send what is for an https address by http: the listener here has no certificate."""
    post = requests.post

    def post_plainly(url: str, **options: Any) -> requests.Response:
        return post(url.replace("https://", "http://", 1), **options)

    monkeypatch.setattr(requests, "post", post_plainly)


@contextmanager
def listening(status: int = 200, answer: bytes = b"{}") -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    taken: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def take(self) -> None:
            taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_PUT = take  # noqa: N815 -- the names http.server looks for

        def log_request(self, code: object = "-", size: object = "-") -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.server_port, taken
    finally:
        server.shutdown()
        server.server_close()


def test_a_webhook_is_told_what_happened() -> None:
    with listening() as (port, taken):
        assert delivery.send(message(f"json://127.0.0.1:{port}/hook")) == ""
    [(path, body)] = taken
    told = json.loads(body)
    assert path.rstrip("/") == "/hook"
    assert (told["title"], told["message"], told["type"]) == ("logsvc is critical", "Affected: webui", "failure")


def test_ntfy_is_told_in_its_own_form() -> None:
    with listening() as (port, taken):
        assert delivery.send(message(f"ntfy://127.0.0.1:{port}/alerts", Kind.ENDED)) == ""
    told = json.loads(taken[0][1])
    assert (told["topic"], told["title"]) == ("alerts", "logsvc is critical")


def test_slack_is_told_in_its_own_form(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(answer=b"ok") as (port, taken):
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{port}/services")
        assert delivery.send(message("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops")) == ""
    [(path, body)] = taken
    told = json.loads(body)
    assert path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    assert told["channel"] == "#ops"
    [attached] = told["attachments"]
    assert (attached["title"], attached["text"]) == ("logsvc is critical", "Affected: webui")


def test_what_speaks_as_slack_does_is_told_at_its_own_address() -> None:
    with listening() as (port, taken):
        assert delivery.send(message(f"mmost://127.0.0.1:{port}/3ccdd113474722377935511fc85d3dd4")) == ""
    [(path, body)] = taken
    assert path == "/hooks/3ccdd113474722377935511fc85d3dd4"
    assert "Affected: webui" in json.loads(body)["text"]


def test_teams_is_told_in_its_own_form(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as (port, taken):
        deliver_plainly(monkeypatch)
        assert delivery.send(message(f"workflow://127.0.0.1:{port}/643e1234/sig-5678")) == ""
    [(path, body)] = taken
    assert path.startswith("/workflows/643e1234/triggers/manual/paths/invoke")
    [card] = json.loads(body)["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "logsvc is critical" in json.dumps(card["content"])
    assert "Affected: webui" in json.dumps(card["content"])


def test_what_pagerduty_is_told_at_the_end_resolves_what_it_was_told_at_the_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with listening(status=202) as (port, taken):
        monkeypatch.setitem(PAGERDUTY_API_LOOKUP, PagerDutyRegion.US, f"http://127.0.0.1:{port}/v2/enqueue")
        for kind in (Kind.BEGAN, Kind.REMINDER, Kind.ENDED):
            assert delivery.send(message("pagerduty://integrationkey@apikey/rollcall/logsvc", kind)) == ""
    told = [json.loads(body) for _, body in taken]
    assert {path for path, _ in taken} == {"/v2/enqueue"}
    assert [each["event_action"] for each in told] == ["trigger", "trigger", "resolve"]
    assert {each["dedup_key"] for each in told} == {"rollcall-7-2026-11-23T12:00:00Z"}
    assert {each["routing_key"] for each in told} == {"integrationkey"}
    assert "logsvc is critical" in told[0]["payload"]["summary"]


def test_an_address_that_names_its_own_incident_keeps_it() -> None:
    incident = message("json://x").incident
    assert "dedup=mine" in delivery.address_for("pagerduty://key@api/a/b?dedup=mine", incident)
    assert delivery.address_for("json://x/?a=b", incident) == "json://x/?a=b"


def test_a_person_is_told_by_email() -> None:
    mails: list[bytes] = []

    class Mailbox:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            mails.append(envelope.content if isinstance(envelope.content, bytes) else b"")
            return "250 OK"

    controller: Any = Controller(Mailbox(), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        url = f"mailto://127.0.0.1:{controller.port}?from=rollcall@example.com&to=ada@example.com&mode=insecure"
        assert delivery.send(message(url)) == ""
    finally:
        controller.stop()
    mail = message_from_bytes(mails[0], policy=default)
    assert (mail["Subject"], "ada@example.com" in mail["To"]) == ("logsvc is critical", True)
    assert "Affected: webui" in mail.as_string()


def test_what_is_not_taken_is_said() -> None:
    with listening(status=500) as (port, _):
        said = delivery.send(message(f"json://127.0.0.1:{port}/"))
    assert said.startswith("Failed to send")
    assert "500" in said
    assert delivery.send(message("json://127.0.0.1:1/")) != ""


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "syslog://", "dbus://", "http://x", "json://", "mailto://", "nonsense"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert delivery.problem_of(url) != ""
    assert delivery.send(message(url)) != ""


def test_every_way_to_send_that_is_offered_is_one_that_apprise_knows() -> None:
    plugins = Apprise().details()["schemas"]
    known = {name for each in plugins for name in (*(each["protocols"] or ()), *(each["secure_protocols"] or ()))}
    assert known >= delivery.SCHEMES

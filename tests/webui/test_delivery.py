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
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.ports import free_port
from webui import delivery
from webui.models import Channel, Incident, Kind, Message, Severity

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def message(url: str, kind: Kind = Kind.BEGAN) -> Message:
    incident = Incident(service="logsvc", state="critical", severity=Severity.CRITICAL, began_at=NOW)
    channel = Channel(name="on call", url=url)
    return Message(
        channel=channel,
        incident=incident,
        kind=kind,
        title="logsvc is critical",
        body="Affected: webui",
        written_at=NOW,
    )


@contextmanager
def listening(status: int = 200) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    taken: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def take(self) -> None:
            taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

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
        assert "500" in delivery.send(message(f"json://127.0.0.1:{port}/"))
    assert delivery.send(message("json://127.0.0.1:1/")) != ""


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "syslog://", "dbus://", "http://x", "json://", "mailto://", "nonsense"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert delivery.problem_of(url) != ""
    assert delivery.send(message(url)) != ""

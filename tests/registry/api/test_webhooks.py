import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from standardwebhooks import Webhook

from registry.models import Cursor
from tests import factories
from tests.registry.conftest import ClientOf

pytestmark = pytest.mark.django_db

WEBUI = "/v1/services/webui/instances/webui-1"


class Receiver(BaseHTTPRequestHandler):
    """Verifies what it is sent with the public library, and answers with what it verified."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        Webhook(factories.SECRET).verify(body, {name.lower(): value for name, value in self.headers.items()})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body[:40])

    def log_message(self, *arguments: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/notify"
        server.shutdown()
        thread.join()


def test_a_trial_is_sent_verified_and_logged(client_of: ClientOf, receiver: str, now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"], notify_url=receiver, notify_secret=factories.SECRET)
    client = client_of("read", "operate")

    attempt = client.post(f"{WEBUI}/trial").json()
    (delivery,) = client.get(f"{WEBUI}/deliveries").json()["deliveries"]

    assert (attempt["succeeded"], attempt["status_code"]) == (True, 200)
    assert attempt["answer"].startswith('{"type":"registry.test"')
    assert delivery["webhook_id"] == attempt["webhook_id"]


def test_a_trial_that_fails_says_why(client_of: ClientOf, now: datetime) -> None:
    factories.register(
        "webui", now=now, requires=["logsvc"], notify_url="http://127.0.0.1:1/n", notify_secret=factories.SECRET
    )

    attempt = client_of("operate").post(f"{WEBUI}/trial").json()

    assert not attempt["succeeded"]
    assert "refused" in attempt["error"]


def test_replay_and_resync_set_the_cursor_back(client_of: ClientOf, now: datetime) -> None:
    start = factories.register("webui", now=now, requires=["logsvc"]).revision
    factories.passing("logsvc", now=now)
    Cursor.objects.update(notified_revision=3, scanned_revision=3)
    client = client_of("operate")

    assert client.post(f"{WEBUI}/replay", {"since": start}, format="json").status_code == 202
    assert Cursor.objects.get().notified_revision == start
    assert client.post(f"{WEBUI}/replay", {"since": 99}, format="json").json()["head"] == 3
    assert client.post(f"{WEBUI}/replay", {}, format="json").status_code == 422
    assert client.post(f"{WEBUI}/replay", {"since": 1, "delivery": 1}, format="json").status_code == 422
    assert client.post(f"{WEBUI}/replay", {"delivery": 99}, format="json").status_code == 404
    assert client.post(f"{WEBUI}/resync").json() == {"dependents": 1}
    assert client.post("/v1/resync").json() == {"dependents": 1}
    assert Cursor.objects.get().needs_resync


def test_only_an_operator_tells_again(client_of: ClientOf, now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"])
    client = client_of("read", "register:*")

    for path in (f"{WEBUI}/replay", f"{WEBUI}/resync", f"{WEBUI}/trial", "/v1/resync"):
        assert client.post(path).status_code == 403


def test_deliveries_are_read_in_pages(client_of: ClientOf, receiver: str, now: datetime) -> None:
    factories.register("webui", now=now, requires=["logsvc"], notify_url=receiver, notify_secret=factories.SECRET)
    client = client_of("read", "operate")
    for _ in range(3):
        client.post(f"{WEBUI}/trial")

    first = client.get(f"{WEBUI}/deliveries?limit=2").json()
    second = client.get(f"{WEBUI}/deliveries?before={first['next']}").json()

    assert len(first["deliveries"]) == 2
    assert len(second["deliveries"]) == 1
    assert second["next"] is None
    assert client.get(f"{WEBUI}/deliveries?limit=x").status_code == 422


def test_the_deliveries_to_all_dependents_are_read_together_or_by_service(client_of: ClientOf, now: datetime) -> None:
    for service in ("webui", "grading"):
        factories.register(
            service, now=now, requires=["logsvc"], notify_url="http://127.0.0.1:1/n", notify_secret=factories.SECRET
        )
        client_of("operate", name=service).post(f"/v1/services/{service}/instances/{service}-1/trial")
    client = client_of("read")

    newest = client.get("/v1/deliveries").json()["deliveries"]
    (only,) = client.get("/v1/deliveries?service=webui").json()["deliveries"]

    assert [each["service"] for each in newest] == ["grading", "webui"]
    assert (only["service"], only["instance"]) == ("webui", "webui-1")

"""Alerts on their way: signed, tried again, taken once."""

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks.webhooks import Webhook

from config.problems import Conflict
from logsvc.alerts import addresses, messages
from logsvc.alerts.post import Answer, post, refusal
from logsvc.models import AlertMessage
from tests.logsvc.alerts.test_rules import make_rule

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LOOPBACK = ("127.0.0.0/8", "::1/128")


class Receiver:
    """Answers as told, and remembers what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: list[tuple[str, str]] = []
        self.received: list[tuple[Mapping[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append((dict(self.headers), body))
                self.send_response(outer.status)
                for name, value in outer.headers:
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/alerts?x=1"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def only() -> AlertMessage:
    return AlertMessage.objects.get()


@pytest.mark.django_db
def test_the_public_library_verifies_what_is_sent(receiver: Receiver) -> None:
    rule = make_rule(url=receiver.url)
    now = datetime.now(UTC)
    messages.add(rule, "logs.alert.test", {"x": "é"}, now=now)

    assert messages.send_due(now=now) == 1

    ((headers, body),) = receiver.received
    assert Webhook(rule.secret or "").verify(body.decode(), dict(headers)) == json.loads(body)
    assert json.loads(body)["type"] == "logs.alert.test"
    assert (only().delivered_at, only().due_at, only().status) == (now, None, 200)
    assert messages.send_due(now=now) == 0


@pytest.mark.django_db
def test_a_message_is_tried_again_with_the_same_id_until_it_is_taken(receiver: Receiver) -> None:
    receiver.status = 500
    messages.add(make_rule(url=receiver.url), "logs.alert.test", {}, now=NOW)
    now = NOW
    for attempt in range(3):
        assert messages.send_due(now=now) == 0
        assert messages.send_due(now=now) == 0
        due = only().due_at
        assert due is not None
        pause = messages.PAUSES_SECONDS[attempt]
        assert 0.8 * pause <= (due - now).total_seconds() <= 1.2 * pause
        now = due
    receiver.status = 204
    assert messages.send_due(now=now) == 1

    assert len({(headers["webhook-id"], body) for headers, body in receiver.received}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in receiver.received}) == 4
    assert only().attempts == 4


@pytest.mark.django_db
def test_it_is_given_up_after_a_day_and_at_once_where_nobody_wants_it() -> None:
    rule = make_rule()
    messages.add(rule, "logs.alert.test", {}, now=NOW)
    messages.send_due(now=NOW + timedelta(days=1), post=lambda *_, **__: Answer(error="refused"))
    assert (only().due_at, only().error) == (None, "refused")

    AlertMessage.objects.all().delete()
    messages.add(rule, "logs.alert.test", {}, now=NOW)
    messages.send_due(now=NOW, post=lambda *_, **__: Answer(status=410))

    rule.refresh_from_db()
    assert only().due_at is None
    assert not rule.is_enabled
    assert "410" in rule.trouble


@pytest.mark.django_db
def test_a_message_that_waited_for_a_day_while_its_rule_was_disabled_is_given_up(receiver: Receiver) -> None:
    rule = make_rule(url=receiver.url)
    messages.add(rule, "logs.alert.firing", {}, now=NOW)
    rule.is_enabled = False
    rule.save()

    messages.forget_old(now=NOW + timedelta(hours=23))
    assert only().due_at == NOW
    messages.forget_old(now=NOW + timedelta(hours=25))
    rule.is_enabled = True
    rule.save()

    assert messages.send_due(now=NOW + timedelta(days=20)) == 0
    assert receiver.received == []
    assert (only().due_at, only().delivered_at, only().error) == (None, None, "The rule was disabled.")


@pytest.mark.django_db
def test_a_message_that_is_settled_is_forgotten_after_a_month_and_no_other() -> None:
    rule = make_rule()
    settled = messages.add(rule, "logs.alert.firing", {}, now=NOW)
    settled.due_at = None
    settled.save()
    waiting = messages.add(rule, "logs.alert.resolved", {}, now=NOW)

    messages.forget_old(now=NOW + timedelta(days=29))
    assert AlertMessage.objects.count() == 2
    messages.forget_old(now=NOW + timedelta(days=31))
    assert only() == waiting


@pytest.mark.django_db
def test_a_message_whose_sender_died_is_sent_by_another() -> None:
    messages.add(make_rule(), "logs.alert.test", {}, now=NOW)

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> Answer:
        raise Killed

    with pytest.raises(Killed):
        messages.send_due(now=NOW, post=die)
    assert messages.send_due(now=NOW, post=lambda *_, **__: Answer(status=200)) == 0
    assert messages.send_due(now=NOW + messages.LEASE, post=lambda *_, **__: Answer(status=200)) == 1


@pytest.mark.django_db
def test_a_receiver_that_asks_for_an_impossible_time_leaves_the_other_messages_settled() -> None:
    rule = make_rule()
    for _ in range(2):
        messages.add(rule, "logs.alert.test", {}, now=NOW)
    odd = Answer(status=200, retry_after="Mon, 23 Nov 99999999999 12:00:00 GMT")

    assert messages.send_due(now=NOW, post=lambda *_, **__: odd) == 2
    assert not AlertMessage.objects.exclude(due_at=None).exists()


@pytest.mark.parametrize(
    ("retry_after", "attempts", "lowest", "highest"),
    [
        ("120", 1, 120, 120),
        (format_datetime(NOW + timedelta(seconds=120), usegmt=True), 1, 120, 120),
        ("9999", 1, 3600, 3600),
        ("99999999", 1, 4, 6),
        ("soon", 9, 2880, 4320),
    ],
)
def test_a_receiver_may_ask_for_time(retry_after: str, attempts: int, lowest: int, highest: int) -> None:
    assert lowest <= messages.next_pause(attempts, retry_after, now=NOW).total_seconds() <= highest


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 302, [("Location", "http://169.254.169.254/")]

    assert post(receiver.url, b"{}", {}, allowed=LOOPBACK) == Answer(status=302)
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "100.100.100.200", "168.63.129.16", "0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1",
        "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::a9fe:a9fe", "fec0::1",
        "fd00:ec2::254", "192.0.0.192", "ff02::1", "::", "nonsense",
    ],
)  # fmt: skip
def test_some_addresses_are_never_called(address: str) -> None:
    assert addresses.refusal(address, allowed=("0.0.0.0/0", "::/0")) is not None


def test_others_are_called_where_their_network_is_allowed() -> None:
    assert addresses.refusal("10.1.2.3", allowed=("10.0.0.0/8",)) is None
    assert addresses.refusal("::ffff:10.1.2.3", allowed=("10.0.0.0/8",)) is None
    assert addresses.refusal("::1", allowed=LOOPBACK) is None
    assert "LOGSVC_ALERT_NETWORKS" in (addresses.refusal("10.1.2.3", allowed=LOOPBACK) or "")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/", "http://", "http://user:pw@127.0.0.1/", "http://127.0.0.1/#x", "http://127.0.0.1/ x",
        "http://127.0.0.1:99999/", "http://0x7f000001.example\\@169.254.169.254/", "http://2852039166/", "http://[fe80::1]/",
        "http://10.0.0.1/", "http://[::ffff:a9fe:a9fe]/", "http://127.0.0.1:0/", "http://a..b/", f"http://{'a' * 64}/",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_called_is_refused_when_it_is_given_and_when_it_is_called(url: str) -> None:
    assert refusal(url, allowed=LOOPBACK)
    assert post(url, b"", {}, allowed=LOOPBACK).status is None


def test_a_name_is_judged_by_what_it_resolves_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", ("169.254.169.254", port))]

    monkeypatch.setattr("socket.getaddrinfo", resolve)

    assert refusal("http://innocent.example/", allowed=LOOPBACK) is None
    assert "never called" in post("http://innocent.example/", b"", {}, allowed=LOOPBACK).error


@pytest.mark.django_db
@pytest.mark.parametrize("created_at", [NOW, NOW + timedelta(hours=1)])
def test_a_message_that_a_clock_ahead_has_put_off_is_sent(created_at: datetime) -> None:
    ahead = NOW + timedelta(hours=1)
    messages.add(make_rule(), "logs.alert.test", {}, now=created_at)
    for _ in messages.PAUSES_SECONDS:
        AlertMessage.objects.update(due_at=ahead)
        messages.send_due(now=ahead, post=lambda *_, **__: Answer(error="refused"))

    assert messages.send_due(now=NOW, post=lambda *_, **__: Answer(error="refused")) == 0
    due = only().due_at
    assert due is not None
    assert NOW < due <= NOW + messages.LONGEST_PAUSE


@pytest.mark.django_db
def test_nobodys_messages_wait_for_all_of_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    many = make_rule(name="many", owner="many", url="http://127.0.0.1:9/many")
    few = make_rule(name="few", owner="few", url="http://127.0.0.1:9/few")
    for number in range(messages.WAITING_AT_MOST):
        messages.add(many, "logs.alert.firing", {}, now=NOW + timedelta(seconds=number))
    messages.add(few, "logs.alert.firing", {}, now=NOW + timedelta(minutes=1))
    sent: list[str] = []

    def note(url: str, *_: object, **__: object) -> Answer:
        sent.append(url[-4:])
        return Answer(status=200)

    monkeypatch.setattr(messages, "ROUNDS_SECONDS", -1.0)
    messages.send_due(now=NOW + timedelta(minutes=1), post=note)
    assert sorted(sent) == ["/few", *["many"] * messages.OF_ONE_OWNER]

    monkeypatch.setattr(messages, "ROUNDS_SECONDS", 5.0)
    messages.send_due(now=NOW + timedelta(minutes=1), post=note)
    assert len(sent) == messages.WAITING_AT_MOST + 1


@pytest.mark.django_db
def test_a_rule_has_so_many_messages_on_their_way_and_the_oldest_give_way() -> None:
    rule, other = make_rule(), make_rule(name="other")
    first = messages.add(rule, "logs.alert.firing", {}, now=NOW)
    messages.add(other, "logs.alert.firing", {}, now=NOW)
    for _ in range(messages.WAITING_AT_MOST):
        messages.add(rule, "logs.alert.firing", {}, now=NOW)

    first.refresh_from_db()
    assert first.due_at is None
    assert "newer messages" in first.error
    waiting = AlertMessage.objects.filter(due_at__isnull=False)
    assert (waiting.filter(rule=rule).count(), waiting.filter(rule=other).count()) == (messages.WAITING_AT_MOST, 1)


@pytest.mark.django_db
def test_one_test_of_a_rule_is_on_its_way_at_one_time() -> None:
    rule = make_rule()
    messages.add_test(rule, now=NOW)
    with pytest.raises(Conflict):
        messages.add_test(rule, now=NOW)
    messages.add_test(make_rule(name="other"), now=NOW)

    messages.send_due(now=NOW, post=lambda *_, **__: Answer(status=200))
    messages.add_test(rule, now=NOW)


@pytest.mark.django_db
def test_the_newest_messages_of_a_rule_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    rule, other = make_rule(), make_rule(name="other")
    monkeypatch.setattr(messages, "KEPT_OF_A_RULE", 3)
    made = [messages.add(rule, "logs.alert.firing", {}, now=NOW).pk for _ in range(5)]
    kept = messages.add(other, "logs.alert.firing", {}, now=NOW).pk
    AlertMessage.objects.exclude(pk=made[0]).update(due_at=None)

    messages.forget_old(now=NOW)

    # The first is still to be sent.
    assert set(AlertMessage.objects.values_list("pk", flat=True)) == {made[0], *made[2:], kept}

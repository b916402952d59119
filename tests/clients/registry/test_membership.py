"""A member's thread does the work; its code reads, chooses, waits and hears."""

import asyncio
import json
import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx2
import pytest

from registry.client import (
    AsyncRegistry,
    Membership,
    NoProviderError,
    NotRequiredError,
    Provider,
    Registration,
    new_secret,
    sign,
)
from registry.client.receiver import PROVIDERS_CHANGED, Answer
from tests.clients.registry.fake import TOKEN, FakeRegistry, problem, registration
from tests.waiting import PATIENCE_SECONDS, until

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ADDRESS = "/v1/services/webui/instances/webui-1"


def webhook(secret: str, since: int, to: int, *added: str, removed: Sequence[str] = ()) -> tuple[dict[str, str], bytes]:
    providers = [{"service": "grading", "instance": name, "url": f"http://{name}.test"} for name in added]
    data = {
        "subscriber": {"service": "webui", "instance": "webui-1"},
        "from_revision": since,
        "to_revision": to,
        "added": providers,
        "removed": [{"service": "grading", "instance": name, "reason": "critical"} for name in removed],
    }
    body = json.dumps({"type": PROVIDERS_CHANGED, "timestamp": NOW.isoformat(), "data": data}).encode()
    stamp = int(NOW.timestamp())
    signature = sign(secret=secret, message_id="msg_1", timestamp=stamp, body=body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(stamp), "webhook-signature": signature}, body


def tell(me: Membership, since: int, to: int, *added: str, removed: Sequence[str] = ()) -> Answer:
    secret = me.registration.notify_secret
    assert secret is not None
    return me.receive(*webhook(secret, since, to, *added, removed=removed), now=NOW)


def notified() -> Registration:
    return registration(notify_url="http://webui.test/rollcall/notify")


def test_a_service_joins_and_leaves_with_a_with(registry: FakeRegistry) -> None:
    registry.offer("grading", "grading-1")
    with registry.client().registered(registration()) as me:
        assert [provider.instance for provider in me.wait_for("grading", timeout=PATIENCE_SECONDS)] == ["grading-1"]
        chosen = me.choose("grading")
        assert chosen is not None
        assert chosen.url == "http://grading-1.test"
        # Said once all else of the answer is known.
        until(lambda: me.is_registered)
        assert me.revision == 2
    assert registry.registered() == {"grading/grading-1"}
    assert not me.is_registered


def test_starting_does_not_wait_for_the_registry(registry: FakeRegistry) -> None:
    released = threading.Event()

    def slow(request: httpx2.Request) -> httpx2.Response:
        released.wait(PATIENCE_SECONDS)
        raise httpx2.ReadTimeout("timed out", request=request)

    registry.mishaps = [slow]
    with registry.client().registered(registration()) as me:
        assert me.revision is None
        assert me.providers("grading") == ()
        assert me.choose("grading") is None
        released.set()
        until(lambda: me.is_registered)


def test_what_a_fork_could_catch_half_done_is_done_before_the_thread_begins(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_in: list[threading.Thread] = []

    class Client(httpx2.Client):
        def __init__(self, **options: Any) -> None:
            made_in.append(threading.current_thread())
            super().__init__(**options)

    monkeypatch.setattr(httpx2, "Client", Client)
    with registry.client().registered(registration()) as me:
        until(lambda: me.is_registered)
    assert made_in == [threading.current_thread()]


def test_the_block_is_left_even_when_it_fails(registry: FakeRegistry) -> None:
    def fail() -> None:
        with registry.client().registered(registration()) as me:
            until(lambda: me.is_registered)
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail()
    assert registry.registered() == set()


def test_asking_for_a_service_that_is_not_required_says_what_to_do(registry: FakeRegistry) -> None:
    me = registry.client().registered(registration())
    with me.client() as client:
        for ask in (me.providers, me.choose, lambda service: client.get(f"rollcall://{service}/v1/records")):
            with pytest.raises(NotRequiredError, match="name it in the registration's `requires`"):
                ask("logsvc")


def test_waiting_in_vain_ends_with_an_error_that_is_worth_a_retry(registry: FakeRegistry) -> None:
    with registry.client().registered(registration()) as me, pytest.raises(NoProviderError, match="grading") as caught:
        me.wait_for("grading", timeout=0.05)
    assert caught.value.retryable


def test_waiting_in_vain_says_why_the_registry_could_not_be_asked(registry: FakeRegistry) -> None:
    registry.mishaps = [lambda request: problem(401, "unauthenticated", detail="The token is not known here.")] * 9
    with registry.client().registered(registration()) as me:
        until(lambda: me.trouble is not None)
        with pytest.raises(NoProviderError, match=r"within 0\.01 s\. The token is not known here\."):
            me.wait_for("grading", timeout=0.01)


def test_a_webhook_is_known_at_once(registry: FakeRegistry) -> None:
    with registry.client().registered(notified()) as me:
        until(lambda: me.is_registered)
        assert tell(me, 1, 5, "grading-1").status == 204
        assert [provider.instance for provider in me.providers("grading")] == ["grading-1"]
        assert tell(me, 5, 6, removed=["grading-1"]).status == 204
        assert me.choose("grading") is None
    assert "GET" not in {request.method for request in registry.requests}


def test_a_webhook_that_left_a_gap_makes_it_ask_for_the_whole(registry: FakeRegistry) -> None:
    with registry.client().registered(notified()) as me:
        until(lambda: me.is_registered)
        registry.offer("grading", "grading-1")
        registry.offer("grading", "grading-2")
        assert tell(me, 2, 3, "grading-2").status == 204
        until(lambda: len(me.providers("grading")) == 2)


def test_a_forged_webhook_changes_nothing(registry: FakeRegistry) -> None:
    with registry.client().registered(notified()) as me:
        until(lambda: me.is_registered)
        assert me.receive(*webhook(new_secret(), 1, 5, "grading-666"), now=NOW).status == 401
        assert me.providers("grading") == ()


def test_one_without_a_notify_url_takes_no_webhook(registry: FakeRegistry) -> None:
    me = registry.client().registered(registration())
    assert me.receive(*webhook(new_secret(), 1, 5), now=NOW).status == 404


def test_a_listener_hears_what_is_known_and_then_every_change(registry: FakeRegistry) -> None:
    heard: list[list[str]] = []

    def listen(providers: Sequence[Provider]) -> None:
        heard.append([provider.instance for provider in providers])
        raise RuntimeError("a listener's fault is its own")

    with registry.client().registered(notified()) as me:
        me.on_change("grading", listen)
        until(lambda: heard == [[]])
        tell(me, 1, 5, "grading-1")
        until(lambda: heard == [[], ["grading-1"]])
        tell(me, 5, 9)
        tell(me, 9, 10, "grading-2")
        until(lambda: heard == [[], ["grading-1"], ["grading-1", "grading-2"]])


def test_a_restart_while_the_registry_is_away_still_finds_its_providers(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.offer("grading", "grading-1")
    with registry.client().registered(registration(), state_dir=tmp_path) as me:
        me.wait_for("grading", timeout=PATIENCE_SECONDS)
    registry.is_away = True
    with registry.client().registered(registration(), state_dir=tmp_path) as me:
        assert [provider.instance for provider in me.providers("grading")] == ["grading-1"]
        assert me.choose("grading") is not None


def test_the_secret_survives_a_restart(registry: FakeRegistry, tmp_path: Path) -> None:
    secrets = {
        registry.client().registered(notified(), state_dir=tmp_path).registration.notify_secret for _ in range(2)
    }
    assert len(secrets) == 1
    assert len({registry.client().registered(notified()).registration.notify_secret for _ in range(2)}) == 2


def test_what_one_worker_is_told_the_others_know(registry: FakeRegistry, tmp_path: Path) -> None:
    one, other = (registry.client().registered(notified(), state_dir=tmp_path) for _ in range(2))
    with one, other:
        until(lambda: one.is_registered or other.is_registered)
        until(lambda: one.revision == other.revision == 1)
        until(lambda: all(each.run for each in (one, other)))
        tell(one, 1, 5, "grading-1")
        until(lambda: len(other.providers("grading")) == 1)
    assert registry.registered() == set()
    # The one that stays longer may have come to register in the other's place.
    assert [method for method, _ in groupby(request.method for request in registry.requests)] == ["PUT", "DELETE"]


def test_a_forked_child_reads_and_takes_webhooks_and_leaves_the_life_to_its_parent(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    with registry.client().registered(notified(), state_dir=tmp_path) as me:
        until(lambda: me.revision == 1)
        child = os.fork()
        if child == 0:
            known = tell(me, 1, 5, "grading-1").status == 204 and len(me.providers("grading")) == 1
            os._exit(0 if known else 1)
        assert os.waitpid(child, 0)[1] == 0
        until(lambda: len(me.providers("grading")) == 1)
        assert registry.registered() == {"webui/webui-1"}


def test_one_that_is_handed_over_stays_registered(registry: FakeRegistry) -> None:
    me = registry.client().registered(registration())
    me.start()
    until(lambda: me.is_registered)
    me.hand_over()
    assert registry.registered() == {"webui/webui-1"}
    with me:
        until(lambda: me.is_registered)
    assert registry.registered() == set()


def test_one_that_drains_is_offered_no_more_before_it_is_deregistered(registry: FakeRegistry) -> None:
    with registry.client().registered(notified(), drain_seconds=0.05) as me:
        until(lambda: me.is_registered)
        me.drain()
        assert registry.calls()[1:] == [f"POST {ADDRESS}/drain", f"DELETE {ADDRESS}"]
    assert len(registry.requests) == 3


def test_an_asynchronous_one_drains_as_well(registry: FakeRegistry) -> None:
    async def serve() -> None:
        async with AsyncRegistry("http://registry.test", TOKEN, transport=registry.transport()).registered(
            notified(), drain_seconds=0.05
        ) as me:
            await asyncio.to_thread(until, lambda: me.is_registered)
            await me.drain()

    asyncio.run(serve())
    assert registry.calls()[1:] == [f"POST {ADDRESS}/drain", f"DELETE {ADDRESS}"]


def test_a_fault_does_not_end_the_thread(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.client.membership.AFTER_FAULT_SECONDS", 0.0)

    def fault(request: httpx2.Request) -> httpx2.Response:
        raise ZeroDivisionError

    registry.mishaps = [fault]
    with registry.client().registered(registration()) as me:
        until(lambda: me.is_registered)


def test_an_asynchronous_service_joins_and_leaves_with_an_async_with(registry: FakeRegistry) -> None:
    registry.offer("grading", "grading-1")

    async def serve() -> None:
        async with AsyncRegistry("http://registry.test", TOKEN, transport=registry.transport()) as client:
            async with client.registered(registration()) as me:
                assert len(await me.wait_for("grading", timeout=PATIENCE_SECONDS)) == 1
                assert me.choose("grading") is not None
                assert (await client.instances("webui")).instances[0].instance == "webui-1"
                with pytest.raises(NotRequiredError):
                    await me.wait_for("logsvc", timeout=PATIENCE_SECONDS)
            assert registry.registered() == {"grading/grading-1"}

    asyncio.run(serve())


def test_waiting_asynchronously_in_vain_ends_with_the_same_error(registry: FakeRegistry) -> None:
    async def serve() -> None:
        client = AsyncRegistry("http://registry.test", TOKEN, transport=registry.transport())
        async with client.registered(registration()) as me:
            with pytest.raises(NoProviderError):
                await me.wait_for("grading", timeout=0.05)

    asyncio.run(serve())

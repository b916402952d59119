"""An instance that takes no webhooks knows a change as soon as it has happened."""

import asyncio
import threading
from itertools import pairwise
from time import monotonic

import httpx2
import pytest

from registry.client import AsyncRegistry, Registry
from registry.client.backoff import FIRST_RETRY_SECONDS
from registry.client.cache import Cache
from registry.client.life import Life
from tests.clients.registry.fake import TOKEN, FakeRegistry, problem, registration
from tests.clients.registry.test_life import gap
from tests.clients.registry.test_membership import notified, tell
from tests.waiting import PATIENCE_SECONDS, until

# Until the next regular question: longer than any test waits for a change.
NEVER_SECONDS = 10 * PATIENCE_SECONDS


def test_a_change_is_known_as_soon_as_it_has_happened(registry: FakeRegistry) -> None:
    heard: list[int] = []
    with registry.client().registered(registration(), verify_seconds=NEVER_SECONDS) as me:
        until(lambda: me.is_registered)
        me.on_change("grading", lambda providers: heard.append(len(providers)))
        until(lambda: heard == [0])
        registry.offer("grading", "grading-1")
        until(lambda: heard == [0, 1])
        registry.withdraw("grading", "grading-1")
        until(lambda: heard == [0, 1, 0])
        assert me.choose("grading") is None


def test_one_that_is_told_by_webhook_does_not_wait_at_the_registry(registry: FakeRegistry) -> None:
    with registry.client().registered(notified()) as me:
        until(lambda: me.is_registered)
    assert registry.polls == []


def test_one_that_no_webhook_reaches_waits_at_the_registry_until_one_does(
    registry: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    with registry.client().registered(notified(), verify_seconds=0.2) as me:
        until(lambda: me.is_registered)
        registry.offer("grading", "grading-1")
        until(lambda: len(registry.polls) > 1)
        registry.offer("grading", "grading-2")
        until(lambda: len(me.providers("grading")) == 2)
        assert caplog.text.count("can the registry reach http://webui.test/rollcall/notify?") == 1
        assert me.revision == 3
        # This message is not true at the registry, which must not be asked any more.
        registry.is_away = True
        tell(me, 3, 4, "grading-3")
        assert len(me.providers("grading")) == 3
        until(lambda: "rollcall-follow" not in [thread.name for thread in threading.enumerate()])


def test_one_that_is_told_of_some_changes_and_finds_others_trusts_its_webhooks(registry: FakeRegistry) -> None:
    lived = Life(registry.client(), notified(), Cache(), verify_seconds=30.0)
    lived.step(0.0)
    registry.offer("grading", "grading-1")
    lived.learn(gap())
    lived.step(40.0)
    assert not lived.is_untold
    registry.offer("grading", "grading-2")
    lived.step(80.0)
    assert lived.is_untold


def test_it_registers_again_as_soon_as_the_registry_has_forgotten_it(registry: FakeRegistry) -> None:
    with registry.client().registered(registration(), verify_seconds=NEVER_SECONDS) as me:
        until(lambda: me.is_registered)
        for _ in range(2):
            registry.lose_everything()
            until(lambda: registry.registered() == {"webui/webui-1"})
            registry.offer("grading", "grading-1")
            until(lambda: len(me.providers("grading")) == 1)


def test_it_goes_on_after_an_outage(registry: FakeRegistry) -> None:
    with registry.client().registered(registration(), verify_seconds=NEVER_SECONDS) as me:
        until(lambda: me.is_registered)
        registry.is_away = True
        until(lambda: len(registry.polls) > 1)
        registry.offer("grading", "grading-1")
        assert me.providers("grading") == ()
        registry.is_away = False
        until(lambda: len(me.providers("grading")) == 1)


def test_a_registry_that_answers_at_once_is_asked_ever_less_often(registry: FakeRegistry) -> None:
    """A registry that is served without its lane for long polls answers so."""
    asked = threading.Semaphore(0)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if "after" in request.url.params:
            asked.release()
            request = httpx2.Request("GET", str(request.url.copy_with(query=None)), headers=request.headers)
        return registry.answer(request)

    with Registry("http://registry.test", TOKEN, transport=httpx2.MockTransport(answer)).registered(registration()):
        for _ in range(5):
            assert asked.acquire(timeout=PATIENCE_SECONDS)
        extra = sum(asked.acquire(timeout=0.1) for _ in range(5))
    assert extra < 5


def test_a_refusal_is_no_reason_to_storm(registry: FakeRegistry) -> None:
    refused_at: list[float] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if "after" not in request.url.params:
            return registry.answer(request)
        refused_at.append(monotonic())
        return problem(401, "unauthenticated")

    with Registry("http://registry.test", TOKEN, transport=httpx2.MockTransport(answer)).registered(registration()):
        until(lambda: len(refused_at) > 3)
    pauses = [later - earlier for earlier, later in pairwise(refused_at)]
    assert all(pause >= 0.8 * FIRST_RETRY_SECONDS * 2**number for number, pause in enumerate(pauses))


def test_a_proxy_that_cuts_the_waiting_off_costs_no_provider_and_is_said_once(
    registry: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    cut = threading.Semaphore(0)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.params.get("after") == str(registry.revision):
            cut.release()
            return httpx2.Response(504, html="<h1>504 Gateway Time-out</h1>")
        return registry.answer(request)

    registry.offer("grading", "grading-1")
    with Registry("http://registry.test", TOKEN, transport=httpx2.MockTransport(answer)).registered(
        registration()
    ) as me:
        for _ in range(2):
            assert cut.acquire(timeout=PATIENCE_SECONDS)
            assert len(me.providers("grading")) == 1
        registry.offer("grading", "grading-2")
        until(lambda: len(me.providers("grading")) == 2)
    assert caplog.text.count("cannot wait 20 s at the registry") == 1


async def _follow(registry: FakeRegistry) -> None:
    async with AsyncRegistry("http://registry.test", TOKEN, transport=registry.transport()).registered(
        registration(), verify_seconds=NEVER_SECONDS
    ) as me:
        registry.offer("grading", "grading-1")
        await me.wait_for("grading", timeout=PATIENCE_SECONDS)
        registry.offer("grading", "grading-2")
        until(lambda: len(me.providers("grading")) == 2)


def test_an_asynchronous_service_follows_as_well(registry: FakeRegistry) -> None:
    asyncio.run(_follow(registry))

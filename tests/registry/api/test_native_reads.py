import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from rest_framework.test import APIClient

from config.tokens import issuing
from config.tokens.models import Token
from registry.instances import registration
from registry.journal import log
from registry.models import Head, InstanceKey
from registry.webhooks import replay
from tests import factories
from tests.config.asgi import Client
from tests.registry.discovery.desk import Desk

BILLING = "/v1/services/billing/instances"


def names(client: Client) -> list[str]:
    return [each["instance"] for each in json.loads(client.body)["instances"]]


def header(client: Client, name: bytes) -> str:
    return dict(client.headers)[name].decode()


@pytest.fixture
def register(now: datetime) -> Callable[..., Callable[[], Any]]:
    return lambda service, instance=None, **members: partial(factories.register, service, instance, now=now, **members)


@pytest.mark.parametrize(
    "address",
    [
        "/v1/services",
        "/v1/services?limit=1&cursor=billing",
        "/v1/services/billing",
        BILLING,
        f"{BILLING}?tag=blue&zone=a&status=starting&version=1&limit=1",
        f"{BILLING}?cursor=billing-1",
        f"{BILLING}/billing-1",
        "/v1/instances/billing/billing-1/providers",
        "/v1/prometheus/targets",
        "/v1/prometheus/targets?service=billing&service=logsvc",
    ],
)
def test_the_lane_answers_as_django_does(desk: Desk, now: datetime, address: str) -> None:
    factories.register("billing", now=now, tags=["blue"], zone="a", version="1", requires=["logsvc"])
    factories.passing("billing", "billing-2", now=now)
    factories.passing("logsvc", now=now)
    client = APIClient()
    expected = client.get(address, HTTP_AUTHORIZATION=f"Bearer {desk.token}")
    assert expected.status_code == 200

    async def scenario(desk: Desk) -> None:
        answer = await desk.get(address)
        assert (answer.status, answer.body) == (200, expected.content)
        assert header(answer, b"rollcall-revision") == expected["Rollcall-Revision"] == "5"
        assert header(answer, b"etag") == expected["ETag"]
        assert header(answer, b"content-type") == "application/json"

    desk.run(scenario)


def test_an_answer_is_kept_until_its_service_changes(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(register("billing"))
        await desk.look()
        assert names(await desk.get(BILLING)) == ["billing-1"]
        await desk.do(register("other"))
        await desk.look()
        answer = await desk.get(BILLING)
        assert desk.made == 1
        assert json.loads(answer.body)["revision"] == 2
        await desk.do(register("billing", "billing-2"))
        await desk.look()
        assert names(await desk.get(BILLING)) == ["billing-1", "billing-2"]
        assert desk.made == 2

    desk.run(scenario)


def test_what_was_known_of_another_history_is_forgotten(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(register("billing"))
        await desk.look()
        tags = [header(await desk.get(BILLING), b"etag") for _ in range(2)]
        await desk.do(log.begin_history)
        await desk.look()
        again = await desk.get(BILLING, if_none_match=tags[1])
        assert tags[0] == tags[1] != header(again, b"etag")
        assert again.status == 200

    desk.run(scenario)


def test_what_was_announced_here_is_seen_by_the_next_read(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        assert names(await desk.get(BILLING)) == []
        await desk.do(register("billing"))
        desk.reader.revisions.hear(1)
        assert names(await desk.get(BILLING)) == ["billing-1"]

    desk.run(scenario)


def test_a_consistent_read_sees_what_nobody_announced(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        assert names(await desk.get(BILLING)) == []
        await desk.do(register("billing"))
        assert names(await desk.get(BILLING)) == []
        assert names(await desk.get(f"{BILLING}?consistent")) == ["billing-1"]

    desk.run(scenario)


def test_a_dependent_that_asks_for_the_whole_is_never_answered_from_the_past(
    desk: Desk, register: Callable[..., Any], now: datetime
) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(register("billing", requires=["logsvc"]))
        address = "/v1/instances/billing/billing-1/providers"
        assert json.loads((await desk.get(address)).body)["providers"] == {"logsvc": []}
        await desk.do(lambda: factories.passing("logsvc", now=now))
        found = json.loads((await desk.get(address)).body)
        assert found["revision"] == 3
        assert len(found["providers"]["logsvc"]) == 1

    desk.run(scenario)


def test_a_client_that_has_it_is_told_so_until_the_service_changes(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(register("billing"))
        await desk.look()
        tag = header(await desk.get(BILLING), b"etag")
        await desk.do(register("other"))
        await desk.look()
        again = await desk.get(BILLING, if_none_match=tag)
        assert (again.status, again.body) == (304, b"")
        assert header(again, b"etag") != tag
        assert (await desk.get(f"{BILLING}?zone=a", if_none_match=tag)).status == 200
        await desk.do(register("billing", "billing-2"))
        await desk.look()
        assert (await desk.get(BILLING, if_none_match=tag)).status == 200

    desk.run(scenario)


def test_a_writer_reads_its_own_write_by_its_revision(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        assert names(await desk.get(BILLING)) == []
        await desk.do(register("billing"))
        assert names(await desk.get(f"{BILLING}?at_least=1")) == ["billing-1"]

    desk.run(scenario)


def test_a_revision_on_its_way_is_waited_for(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        client = Client()
        waiting = desk.begin(f"{BILLING}?at_least=1", client)
        while not desk.reader.revisions.awaited():
            await desk.look()
        await desk.do(register("billing"))
        await desk.look()
        await waiting
        assert names(client) == ["billing-1"]

    desk.run(scenario)


def test_a_revision_that_does_not_come_is_a_503_that_says_when_to_ask_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.discovery.reader.AT_LEAST_SECONDS", 0.01)

    async def scenario(desk: Desk) -> None:
        answer = await desk.get(f"{BILLING}?at_least=9")
        assert answer.status == 503
        assert header(answer, b"retry-after") == "1"
        assert json.loads(answer.body)["type"] == "urn:rollcall:problem:not-there-yet"

    desk.run(scenario)


def test_a_revoked_token_is_refused_at_the_next_look(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        assert (await desk.get(BILLING)).status == 200
        await desk.do(lambda: issuing.revoke(name="reader", now=now))
        await desk.look()
        answer = await desk.get(BILLING)
        assert answer.status == 401
        assert header(answer, b"www-authenticate") == "Bearer"

    desk.run(scenario)


def test_a_token_that_may_read_less_is_refused_at_the_next_look(desk: Desk) -> None:
    async def scenario(desk: Desk) -> None:
        for _ in range(2):
            assert (await desk.get(BILLING)).status == 200
        await desk.do(lambda: Token.objects.filter(name="reader").update(scopes=["register:billing"]))
        await desk.look()
        assert (await desk.get(BILLING)).status == 403

    desk.run(scenario)


def test_a_kept_answer_is_refused_to_who_may_not_read(desk: Desk) -> None:
    other = issuing.create(name="other", scopes=["register:billing"])

    async def scenario(desk: Desk) -> None:
        assert (await desk.get(BILLING)).status == 200
        assert (await desk.get(BILLING, token=other)).status == 403
        assert (await desk.get(BILLING, token="nonsense")).status == 401
        assert (await desk.get("/v1/instances/billing/b/providers", token=other)).status == 404
        assert (await desk.get("/v1/instances/logsvc/l/providers", token=other)).status == 403

    desk.run(scenario)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("status=well", "/status"),
        ("limit=0", "/limit"),
        ("limit=x", "/limit"),
        ("cursor=Not%20a%20name", "/cursor"),
        ("after=-1", "/after"),
        ("after=0&wait=soon", "/wait"),
        ("after=0&wait=901s", "/wait"),
        ("wait=1s", "/"),
        ("at_least=99999999999999999999", "/at_least"),
        ("consistent=perhaps", "/consistent"),
        ("limit=null", "/limit"),
        ("limit=", "/limit"),
        ("stauts=passing", "/stauts"),
    ],
)
def test_a_wrong_parameter_is_named(desk: Desk, query: str, pointer: str) -> None:
    async def scenario(desk: Desk) -> None:
        answer = await desk.get(f"{BILLING}?{query}")
        assert answer.status == 422
        assert json.loads(answer.body)["errors"][0]["pointer"] == pointer

    desk.run(scenario)


@pytest.mark.parametrize("status", ["passing", None])
def test_what_a_wait_ends_with_is_the_state_after_the_change(
    desk: Desk, register: Callable[..., Any], status: str | None
) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(register("billing"))
        await desk.look()
        client = Client()
        waiting = desk.begin(f"{BILLING}?after=1&wait=60s{f'&status={status}' if status else ''}", client)
        await desk.until_waiting()
        await desk.do(register("other"))
        await desk.look()
        await desk.settle()
        assert client.received == []
        await desk.do(register("billing", "billing-2"))
        await desk.look()
        await waiting
        assert json.loads(client.body)["revision"] == 3
        assert len(names(client)) == (0 if status else 2)

    desk.run(scenario)


def test_a_wait_for_what_has_happened_already_is_none(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(register("billing"))
        await desk.look()
        assert names(await desk.get(f"{BILLING}?after=0&wait=300s")) == ["billing-1"]

    desk.run(scenario)


def test_a_wait_in_vain_ends_with_the_state_and_the_newest_revision(desk: Desk) -> None:
    async def scenario(desk: Desk) -> None:
        answer = await desk.get(f"{BILLING}?after=0&wait=10ms")
        assert (answer.status, json.loads(answer.body)["revision"]) == (200, 0)

    desk.run(scenario)


PROVIDERS = "/v1/instances/billing/billing-1/providers"


def test_a_dependent_that_waits_hears_of_what_it_requires_and_of_nothing_else(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(partial(factories.register, "billing", now=now, requires=["logsvc"]))
        await desk.look()
        client = Client()
        waiting = desk.begin(f"{PROVIDERS}?after=1&wait=60s", client)
        await desk.until_waiting()
        await desk.do(partial(factories.register, "other", now=now))
        await desk.look()
        await desk.settle()
        assert client.received == []
        await desk.do(partial(factories.passing, "logsvc", now=now))
        await desk.look()
        await waiting
        assert [each["instance"] for each in json.loads(client.body)["providers"]["logsvc"]] == ["logsvc-1"]

    desk.run(scenario)


def test_a_dependent_that_waits_hears_at_once_that_it_was_deregistered(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(partial(factories.register, "billing", now=now))
        await desk.look()
        client = Client()
        waiting = desk.begin(f"{PROVIDERS}?after=1&wait=60s", client)
        await desk.until_waiting()
        key = InstanceKey(service="billing", instance="billing-1")
        await desk.do(partial(registration.deregister, key, author="tester", now=now))
        await desk.look()
        await waiting
        assert client.status == 404

    desk.run(scenario)


def test_a_wait_in_vain_costs_a_304_however_long_it_is(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(partial(factories.register, "billing", now=now))
        await desk.look()
        tag = header(await desk.get(PROVIDERS), b"etag")
        for after in (1, 1, 2):
            waited = await desk.get(f"{PROVIDERS}?after={after}&wait=1ms", if_none_match=tag)
            assert waited.status == 304
        assert desk.made == 2

    desk.run(scenario)


def test_hundreds_who_wait_share_one_making(desk: Desk, register: Callable[..., Any]) -> None:
    async def scenario(desk: Desk) -> None:
        clients = [Client() for _ in range(300)]
        waiting = [desk.begin(f"{BILLING}?after=0", client) for client in clients]
        await desk.until_waiting(300)
        await desk.do(register("billing"))
        await desk.look()
        for each in waiting:
            await each
        assert [names(client) for client in clients] == [["billing-1"]] * 300
        assert desk.made == 1

    desk.run(scenario)


def test_a_client_that_is_gone_is_waited_for_no_longer(desk: Desk) -> None:
    async def scenario(desk: Desk) -> None:
        client = Client(stays=False)
        await desk.begin(f"{BILLING}?after=0&wait=300s", client)
        assert client.received == []
        assert desk.reader.revisions.awaited() == []

    desk.run(scenario)


def test_a_token_revoked_during_a_wait_ends_it(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        client = Client()
        waiting = desk.begin(f"{BILLING}?after=0&wait=300s", client)
        await desk.until_waiting()
        await desk.do(lambda: issuing.revoke(name="reader", now=now))
        await desk.look()
        await waiting
        assert client.status == 401

    desk.run(scenario)


def test_more_waits_than_a_process_can_hold_are_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.discovery.reader.MOST_WAITING", 0)

    async def scenario(desk: Desk) -> None:
        assert (await desk.get(f"{BILLING}?after=0")).status == 503

    desk.run(scenario)


def restore(*, now: datetime) -> None:
    """Put back the revision as a restored copy of the database would, of before most of its changes."""
    registration.deregister(InstanceKey(service="billing", instance="billing-1"), author="x", now=now)
    Head.objects.update(revision=1)


def test_a_database_restored_from_a_copy_makes_everything_be_read_anew(
    desk: Desk, register: Callable[..., Any], now: datetime
) -> None:
    async def scenario(desk: Desk) -> None:
        for number in range(3):
            await desk.do(register("billing", f"b-{number}"))
        await desk.do(register("billing"))
        await desk.look()
        tag = header(await desk.get(BILLING), b"etag")
        await desk.do(partial(restore, now=now))
        await desk.look()
        answer = await desk.get(f"{BILLING}?after=4&wait=300s", if_none_match=tag)
        assert answer.status == 200
        assert json.loads(answer.body)["revision"] == 1
        assert names(answer) == ["b-0", "b-1", "b-2"]

    desk.run(scenario)


def test_what_was_kept_of_a_database_is_given_up_when_a_copy_is_restored(
    desk: Desk, register: Callable[..., Any], now: datetime
) -> None:
    async def scenario(desk: Desk) -> None:
        for name in ("b-1", "billing-1"):
            await desk.do(register("billing", name))
        await desk.look()
        assert names(await desk.get(BILLING)) == ["b-1", "billing-1"]
        await desk.do(partial(restore, now=now))
        await desk.look()
        assert names(await desk.get(BILLING)) == ["b-1"]

    desk.run(scenario)


@pytest.mark.parametrize("is_looked_at", [True, False])
def test_a_tag_of_another_history_is_never_answered_304(
    desk: Desk, register: Callable[..., Any], now: datetime, is_looked_at: bool
) -> None:
    """Not even when the restored database has passed the tag's revision before anybody looked at it."""

    def restore() -> None:
        registration.deregister(InstanceKey(service="billing", instance="billing-1"), author="x", now=now)
        replay.begin_history()

    async def scenario(desk: Desk) -> None:
        await desk.do(register("billing", "b-1"))
        await desk.do(register("billing"))
        await desk.look()
        tags = [header(await desk.get(address), b"etag") for address in (BILLING, "/v1/services")]
        await desk.do(restore)
        await desk.do(register("other"))
        if is_looked_at:
            await desk.look()
        answers = [
            await desk.get(f"{address}?at_least=4", if_none_match=tag)
            for address, tag in zip((BILLING, "/v1/services"), tags, strict=True)
        ]
        assert [answer.status for answer in answers] == [200, 200]
        assert names(answers[0]) == ["b-1"]
        again = await desk.get(f"{BILLING}?at_least=4", if_none_match=header(answers[0], b"etag"))
        assert again.status == 304

    desk.run(scenario)


def test_a_page_of_another_history_than_is_known_is_made_again_after_a_look(
    desk: Desk, register: Callable[..., Any]
) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(register("billing"))
        await desk.look()
        await desk.do(replay.begin_history)
        tag = header(await desk.get(BILLING), b"etag")
        await desk.look()
        assert desk.made == 2
        assert header(await desk.get(BILLING), b"etag") == tag

    desk.run(scenario)


def test_other_addresses_and_methods_are_left_to_django(desk: Desk) -> None:
    async def scenario(desk: Desk) -> None:
        for address in ("/v1/journal", "/v1/services/Bad/instances", "/admin/"):
            assert (await desk.get(address)).status == 500

    desk.run(scenario)


@pytest.mark.parametrize("query", ["status=passing&status=critical", "zone=a&zone=a", "wait=1s&after=0&after=1"])
def test_a_filter_that_is_given_twice_is_refused(desk: Desk, query: str) -> None:
    async def scenario(desk: Desk) -> None:
        assert (await desk.get(f"{BILLING}?{query}")).status == 422

    desk.run(scenario)


def test_a_name_with_nul_is_not_taken_for_the_one_without(desk: Desk) -> None:
    async def scenario(desk: Desk) -> None:
        assert (await desk.get("/v1/events?service=a%00b")).status == 422
        assert (await desk.get(f"{BILLING}?zone=%00")).status == 422

    desk.run(scenario)


def test_two_tokens_are_none(desk: Desk) -> None:
    async def scenario(desk: Desk) -> None:
        for address in (BILLING, "/v1/events"):
            for tokens in (f"{desk.token}\nBearer x", f"x\nBearer {desk.token}"):
                assert (await desk.get(address, token=tokens)).status == 401

    desk.run(scenario)

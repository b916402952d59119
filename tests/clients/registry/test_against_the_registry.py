"""The client and the registry itself, in one process: they speak the same protocol."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from django.test import Client
from pytest_django import Settings

from config.tokens import issuing
from registry.client import ForbiddenError, Heartbeat, InvalidError, NotFoundError, Registry, UnauthenticatedError
from registry.client.cache import Cache
from registry.client.life import Life
from tests.clients.registry.fake import registration

pytestmark = pytest.mark.django_db
URL = "http://127.0.0.1"


@pytest.fixture
def served(settings: Settings) -> Iterator[Registry]:
    settings.ROOT_URLCONF = "registry.urls"
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    token = issuing.create(name="tester", scopes=["read", "register:*"])
    with Registry(URL, token, transport=httpx2.MockTransport(ask)) as registry:
        yield registry


def ask(request: httpx2.Request) -> httpx2.Response:
    """Answer through Django's test client, which leaves the test's transaction open."""
    answer = Client(raise_request_exception=False).generic(
        request.method,
        str(request.url.copy_with(scheme=None, netloc=b"")),
        request.content,
        content_type=request.headers.get("Content-Type", ""),
        headers={name: value for name, value in request.headers.items() if name != "content-type"},
    )
    return httpx2.Response(answer.status_code, content=answer.content, headers=dict(answer.headers))


def declared(**members: object) -> dict[str, Any]:
    return {"url": "http://127.0.0.1:9000", "heartbeat": Heartbeat(kind="ttl", interval_seconds=3.0), **members}


def test_a_service_registers_beats_is_found_and_deregisters(served: Registry) -> None:
    answer = served.register(
        registration(
            requires=["logsvc"],
            tags=["blue"],
            zone="a",
            version="1.2",
            weight=7,
            metadata={"team": "red"},
            notify_url="http://127.0.0.1:9000/rollcall/notify",
            notify_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            **declared(),
        )
    )
    assert answer.providers == {"logsvc": ()}
    assert (answer.instance.status, answer.instance.weight, answer.instance.tags) == ("starting", 7, ("blue",))
    served.beat("webui", "webui-1")
    found = served.instances("webui", status="passing", tag="blue", zone="a").instances
    assert [(each.instance, each.heartbeat.kind, each.metadata) for each in found] == [
        ("webui-1", "ttl", {"team": "red"})
    ]
    served.deregister("webui", "webui-1")
    served.deregister("webui", "webui-1")
    assert served.instances("webui").instances == ()


def test_a_dependent_is_answered_with_its_providers(served: Registry) -> None:
    served.register(registration(service="grading", instance="grading-1", requires=(), **declared()))
    served.beat("grading", "grading-1")
    answer = served.register(registration(**declared()))
    assert [each.url for each in answer.providers["grading"]] == ["http://127.0.0.1:9000"]
    again = served.providers("webui", "webui-1")
    assert again.providers == answer.providers
    assert served.providers("webui", "webui-1").revision == again.revision
    summary = {each.service: each for each in served.services().services}
    assert summary["grading"].required_by == ("webui",)
    assert summary["grading"].passing == 1


def test_one_that_drains_is_offered_no_more(served: Registry) -> None:
    served.register(registration(service="grading", instance="grading-1", requires=(), **declared()))
    served.beat("grading", "grading-1")
    served.register(registration(**declared()))
    served.drain("grading", "grading-1", seconds=30.0, reason="update")
    assert served.providers("webui", "webui-1").providers == {"grading": ()}


def test_a_life_ends_where_it_began(served: Registry) -> None:
    lived = Life(served, registration(**declared()), Cache(), verify_seconds=30.0)
    for now in range(5):
        lived.step(float(now))
    assert lived.is_registered
    assert [each.status for each in served.instances("webui").instances] == ["passing"]
    lived.end()
    assert served.instances("webui").instances == ()


def test_a_run_that_was_deregistered_does_not_come_back_and_the_next_does(served: Registry) -> None:
    lived = Life(served, registration(**declared()), Cache(), verify_seconds=30.0)
    lived.step(0.0)
    served.deregister("webui", "webui-1")
    for now in range(5, 50, 5):
        lived.step(float(now))
    assert served.instances("webui").instances == ()
    Life(served, registration(**declared()), Cache(), verify_seconds=30.0).step(0.0)
    assert len(served.instances("webui").instances) == 1


def test_what_the_registry_refuses_is_told_apart(served: Registry) -> None:
    with pytest.raises(InvalidError, match="/weight"):
        served.register(registration(**declared(weight=5000)))
    with pytest.raises(InvalidError, match="url"):
        served.register(registration(**declared(url="nowhere")))
    with pytest.raises(NotFoundError):
        served.beat("webui", "webui-1")
    with pytest.raises(NotFoundError):
        served.providers("webui", "webui-1")
    transport = httpx2.MockTransport(ask)
    with pytest.raises(UnauthenticatedError):
        Registry(URL, "rct_unknown", transport=transport).services()
    reader = Registry(URL, issuing.create(name="reader", scopes=["read"]), transport=transport)
    with pytest.raises(ForbiddenError):
        reader.register(registration(**declared()))

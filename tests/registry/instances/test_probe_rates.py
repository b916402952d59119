from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from config.tokens.limits import Limits
from registry.models import Instance
from tests.registry.conftest import ClientOf

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_of: ClientOf, settings: Settings, limits: Limits) -> APIClient:
    settings.TOKEN_LIMITS = {"probes_per_second": 3}
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128", "10.0.0.0/8"]
    return client_of("register:*")


def put(client: APIClient, name: str, url: str, *, interval: float = 1, kind: str = "http", **members: Any) -> Any:
    heartbeat = {"kind": kind, "interval_seconds": interval}
    body = {"url": url, "heartbeat": heartbeat, **members}
    return client.put(f"/v1/services/victim/instances/{name}", body, format="json")


def test_what_one_token_registers_asks_one_host_no_more_often_than_its_limit(client: APIClient, limits: Limits) -> None:
    statuses = [put(client, f"v-{n}", f"http://10.0.0.7:{9000 + n}/{n}").status_code for n in range(4)]
    refused = put(client, "v-4", "http://10.0.0.7/")
    elsewhere = put(client, "v-4", "http://10.0.0.8/")

    assert (statuses, refused.status_code, elsewhere.status_code) == ([201] * 3 + [429], 429, 201)
    problem = refused.json()
    assert (problem["limit"], problem["allowed"]) == ("probes_per_second", 3)
    assert "would ask 10.0.0.7 4 times a second" in problem["detail"]
    assert "`interval_seconds`" in problem["detail"]
    assert refused["Retry-After"] == "60"
    assert limits.refused()["tester", "probes_per_second"] == 2


def test_a_host_is_one_however_it_is_spelt(client: APIClient) -> None:
    hosts = ("Victim.example", "victim.example.", "victim.EXAMPLE:81", "victim.example")

    assert [put(client, f"v-{n}", f"http://{host}/").status_code for n, host in enumerate(hosts)] == [201] * 3 + [429]


def test_it_is_the_rate_that_counts_and_who_beats_by_itself_is_not_probed(client: APIClient) -> None:
    assert {put(client, f"v-{n}", "http://10.0.0.7/", interval=10).status_code for n in range(30)} == {201}
    assert put(client, "v-30", "http://10.0.0.7/", interval=10).status_code == 429
    assert put(client, "v-30", "http://10.0.0.7/", kind="ttl").status_code == 201
    assert put(client, "v-30", "http://10.0.0.7/", kind="tcp", interval=60).status_code == 429


def test_an_update_is_refused_only_where_it_asks_for_more(client: APIClient, settings: Settings) -> None:
    for n in range(3):
        put(client, f"v-{n}", "http://10.0.0.7/")
    put(client, "v-3", "http://10.0.0.8/")
    settings.TOKEN_LIMITS = {"probes_per_second": 1}

    assert put(client, "v-0", "http://10.0.0.7/").status_code == 200
    assert put(client, "v-0", "http://10.0.0.7/other", version="2").status_code == 200
    assert put(client, "v-1", "http://10.0.0.7/", interval=2).status_code == 200
    assert put(client, "v-1", "http://10.0.0.7/", interval=1.5).status_code == 429
    assert put(client, "v-3", "http://10.0.0.7/").status_code == 429
    assert Instance.objects.get(name="v-1").interval_seconds == 2
    assert Instance.objects.get(name="v-3").url == "http://10.0.0.8"


def test_a_batch_is_bounded_too(client: APIClient) -> None:
    many = [
        {"service": "victim", "instance": f"v-{n}", "url": "http://10.0.0.7", "heartbeat": {"interval_seconds": 1}}
        for n in range(5)
    ]

    refused = client.post("/v1/registrations:batch", {"instances": many}, format="json")
    each = client.post("/v1/registrations:batch", {"instances": many, "mode": "each"}, format="json")

    assert refused.status_code == 429
    assert [result["status"] for result in each.json()["results"]] == [201] * 3 + [429] * 2


def test_another_token_has_a_limit_of_its_own(client: APIClient, client_of: ClientOf) -> None:
    for n in range(4):
        put(client, f"v-{n}", "http://10.0.0.7/")

    assert put(client_of("register:*", name="another"), "v-9", "http://10.0.0.7/").status_code == 201


def test_many_names_of_one_host_are_bounded_together(client: APIClient) -> None:
    hosts = [f"n{number}.victim.example" for number in range(16)]
    statuses = [put(client, f"v-{number}", f"http://{host}/").status_code for number, host in enumerate(hosts)]
    refused = put(client, "v-16", "http://another.example/")

    assert statuses == [201] * 15 + [429]
    assert "would ask all hosts together 16 times a second" in refused.json()["detail"]
    assert put(client, "v-16", "http://another.example/", interval=60).status_code == 429
    assert put(client, "v-0", "http://moved.example/").status_code == 200
    assert put(client, "v-0", f"http://{hosts[0]}/", interval=2).status_code == 200
    assert put(client, "v-16", "http://another.example/", interval=2).status_code == 201

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from config.tokens.limits import Limits
from registry.models import Requirement
from tests.registry.conftest import ClientOf

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_of: ClientOf, settings: Settings, limits: Limits) -> APIClient:
    settings.TOKEN_LIMITS = {"requirements": 5}
    return client_of("register:*")


def put(client: APIClient, name: str, *requires: str) -> Any:
    body = {"url": "http://127.0.0.1:9000", "requires": requires}
    return client.put(f"/v1/services/shop/instances/{name}", body, format="json")


def test_what_one_token_registers_requires_no_more_services_together_than_its_limit(
    client: APIClient, limits: Limits
) -> None:
    statuses = [put(client, "s-1", "a", "b", "c").status_code, put(client, "s-2", "d", "e").status_code]
    refused = put(client, "s-3", "a", "f")
    updated = put(client, "s-1", "a", "b", "c", "f")

    assert (statuses, refused.status_code, updated.status_code) == ([201, 201], 429, 429)
    assert (refused.json()["limit"], refused.json()["allowed"]) == ("requirements", 5)
    assert "6 services" in refused.json()["detail"]
    assert limits.refused()["tester", "requirements"] == 2
    assert set(Requirement.objects.values_list("service", flat=True)) == set("abcde")


def test_services_that_somebody_requires_already_are_no_more_to_show(client: APIClient, client_of: ClientOf) -> None:
    assert put(client, "s-1", *"abcde").status_code == 201
    assert put(client_of("register:*", name="another"), "t-1", *"fghij").status_code == 201

    assert put(client, "s-2", *"abcdefghij").status_code == 201
    assert put(client, "s-3", "k").status_code == 429


def test_a_batch_that_requires_too_many_is_refused(client: APIClient) -> None:
    many = [
        {"service": "shop", "instance": f"s-{n}", "url": "http://127.0.0.1:1", "requires": [f"g{n}", f"h{n}"]}
        for n in range(4)
    ]

    refused = client.post("/v1/registrations:batch", {"instances": many}, format="json")
    each = client.post("/v1/registrations:batch", {"instances": many, "mode": "each"}, format="json")

    assert refused.status_code == 429
    assert [result["status"] for result in each.json()["results"]] == [201, 201, 429, 429]

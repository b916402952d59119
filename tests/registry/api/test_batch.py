from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from registry.models import Cursor, Heartbeat, Instance, JournalEntry, Requirement
from tests import factories
from tests.registry.conftest import ClientOf

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_of: ClientOf) -> APIClient:
    return client_of("register:*")


def entry(number: int = 1, **members: Any) -> dict[str, Any]:
    return {"service": "billing", "instance": f"billing-{number}", "url": "http://127.0.0.1:9000", **members}


def post(client: APIClient, *instances: dict[str, Any], **members: Any) -> Any:
    return client.post("/v1/registrations:batch", {"instances": instances, **members}, format="json")


def test_a_fleet_registers_with_one_call_and_one_revision_each(client: APIClient) -> None:
    told = {"requires": ["logsvc"], "notify_url": "http://127.0.0.1:1/n", "notify_secret": factories.SECRET}
    response = post(client, *(entry(number, **told) for number in range(50)))

    body = response.json()
    assert response.status_code == 200
    assert [each["revision"] for each in body["results"]] == list(range(1, 51))
    assert body["revision"] == 50
    assert body["providers"] == {"logsvc": []}
    assert Instance.objects.count() == Heartbeat.objects.count() == Requirement.objects.count() == 50
    assert set(Cursor.objects.values_list("notified_revision", flat=True)) == {50}
    assert list(Instance.objects.order_by("pk").values_list("revision", flat=True)) == list(range(1, 51))


def test_again_changes_nothing_and_what_differs_is_changed(client: APIClient) -> None:
    post(client, entry(1), entry(2))

    results = post(client, entry(1), entry(2, weight=3), entry(3)).json()["results"]

    assert [each["status"] for each in results] == [200, 200, 201]
    assert JournalEntry.objects.count() == 4


def test_all_or_nothing_names_everything_that_is_wrong(client: APIClient) -> None:
    response = post(client, entry(1), entry(2, url=5), entry(1), {"service": "x"})

    assert response.status_code == 422
    assert [each["pointer"] for each in response.json()["errors"]] == ["/instances/1/url", "/instances/3/instance"]
    assert not Instance.objects.exists()


def test_an_instance_named_twice_is_refused(client: APIClient) -> None:
    response = post(client, entry(1), entry(1, weight=2))

    assert response.json()["errors"] == [
        {"pointer": "/instances/1", "detail": "billing/billing-1 is named twice: send it once."}
    ]
    assert not Instance.objects.exists()


def test_each_for_itself_stores_those_that_are_right(client_of: ClientOf) -> None:
    client = client_of("register:billing")

    response = post(client, entry(1), entry(2, url="nonsense"), {**entry(3), "service": "other"}, mode="each")

    assert [each["status"] for each in response.json()["results"]] == [201, 422, 403]
    assert Instance.objects.get().name == "billing-1"


@pytest.mark.parametrize("body", [{}, {"instances": []}, {"instances": "x"}, {"instances": [1]}, [], {"mode": "some"}])
def test_a_batch_that_is_none_is_refused(client: APIClient, body: Any) -> None:
    assert client.post("/v1/registrations:batch", body, format="json").status_code == 422


def test_a_batch_costs_as_many_statements_as_a_single_registration(client: APIClient) -> None:
    with CaptureQueriesContext(connection) as single:
        post(client, entry(0))
    with CaptureQueriesContext(connection) as batch:
        post(client, *(entry(number) for number in range(1, 200)))

    assert len(batch) == len(single)


def test_a_fleet_may_require_any_number_of_services(client: APIClient, settings: Settings) -> None:
    settings.TOKEN_LIMITS = {}
    fleet = [entry(number, requires=[f"s{number}-{i}" for i in range(100)]) for number in range(20)]

    with factories.few_parameters():
        response = post(client, *fleet)

    assert response.status_code == 200
    assert len(response.json()["providers"]) == 2000


@pytest.mark.parametrize("mode", ["all", "each"])
def test_a_batch_of_which_the_token_may_change_nothing_is_forbidden(client_of: ClientOf, mode: str) -> None:
    body = {
        "mode": mode,
        "instances": [{"service": "billing", "instance": "billing-1", "url": "http://127.0.0.1:9000"}],
    }

    answer = client_of("register:logsvc").post("/v1/registrations:batch", body, format="json")

    assert answer.status_code == 403

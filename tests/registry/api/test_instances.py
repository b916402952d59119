import json
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from config.tokens.limits import Limits
from registry.models import Instance, JournalEntry, Tombstone
from tests import factories
from tests.examples import examples
from tests.registry.conftest import ClientOf

pytestmark = pytest.mark.django_db

BILLING = "/v1/services/billing/instances/billing-1"


@pytest.fixture
def client(client_of: ClientOf) -> APIClient:
    return client_of("read", "register:*")


def put(client: APIClient, body: Any, path: str = BILLING) -> Any:
    return client.put(path, body, format="json")


def test_registering_answers_the_instance_its_providers_and_the_revision(client: APIClient) -> None:
    response = put(client, {"url": "http://127.0.0.1:9000", "requires": ["logsvc"]})

    assert response.status_code == 201
    body = response.json()
    assert body["revision"] == 1
    assert body["providers"] == {"logsvc": []}
    assert body["instance"]["status"] == "starting"
    assert body["instance"]["heartbeat"]["url"] == "http://127.0.0.1:9000"
    assert body["instance"]["registered_by"] == "tester"
    assert put(client, {"url": "http://127.0.0.1:9000", "requires": ["logsvc"]}).status_code == 200


def test_a_secret_is_never_shown(client: APIClient) -> None:
    body = {"url": "http://127.0.0.1:1", "notify_url": "http://127.0.0.1:1/n", "notify_secret": "whsec_" + "A" * 32}
    assert put(client, body).status_code == 201

    assert "whsec" not in client.get(BILLING).content.decode()


def test_deregistering_answers_204_also_when_it_is_not_there(client: APIClient) -> None:
    put(client, {"url": "http://127.0.0.1:9000"})

    assert client.delete(BILLING).status_code == 204
    assert client.delete(BILLING).status_code == 204
    assert client.get(BILLING).status_code == 404


def test_beats_with_and_without_a_body(client: APIClient) -> None:
    put(client, {"url": "http://127.0.0.1:9000", "heartbeat": {"kind": "ttl"}})

    assert client.put(f"{BILLING}/heartbeat").status_code == 204
    assert client.get(BILLING).json()["status"] == "passing"
    assert put(client, {"status": "critical", "reason": "disk"}, f"{BILLING}/heartbeat").status_code == 204
    assert client.get(BILLING).json()["status_reason"] == "disk"
    assert put(client, {"status": "fine"}, f"{BILLING}/heartbeat").status_code == 422


def test_services_say_who_requires_whom_also_of_those_that_are_not_there(client: APIClient) -> None:
    put(client, {"url": "http://127.0.0.1:9000", "requires": ["logsvc"]})

    billing, logsvc = client.get("/v1/services").json()["services"]

    assert (billing["service"], billing["starting"], billing["requires"]) == ("billing", 1, ["logsvc"])
    assert (logsvc["service"], logsvc["instances"], logsvc["required_by"]) == ("logsvc", 0, ["billing"])
    assert client.get("/v1/services/logsvc").json() == logsvc
    assert client.get("/v1/services/nobody").json()["type"] == "urn:rollcall:problem:not-found"


def test_instances_are_filtered(client: APIClient) -> None:
    put(client, {"url": "http://127.0.0.1:1", "tags": ["blue"], "zone": "a"})
    put(client, {"url": "http://127.0.0.1:2"}, "/v1/services/billing/instances/billing-2")

    def names(query: str) -> list[str]:
        answer = client.get(f"/v1/services/billing/instances{query}").json()
        return [each["instance"] for each in answer["instances"]]

    assert names("") == ["billing-1", "billing-2"]
    assert names("?tag=blue") == names("?zone=a") == ["billing-1"]
    assert names("?status=passing") == []
    assert client.get("/v1/services/billing/instances?status=well").status_code == 422


def test_the_journal_is_read_in_pages(client: APIClient) -> None:
    for number in range(3):
        put(client, {"url": "http://127.0.0.1:9000"}, f"/v1/services/s/instances/s-{number}")

    first = client.get("/v1/journal?limit=2").json()
    second = client.get(f"/v1/journal?after={first['next']}").json()

    assert [each["revision"] for each in first["entries"]] == [1, 2]
    assert [each["revision"] for each in second["entries"]] == [3]
    assert second["next"] is None
    assert client.get("/v1/journal?limit=0").json()["errors"][0]["pointer"] == "/limit"


def test_providers_may_be_read_by_who_may_register_the_instance(client_of: ClientOf) -> None:
    client = client_of("register:billing")
    put(client, {"url": "http://127.0.0.1:9000", "requires": ["logsvc"]})

    assert client.get("/v1/instances/billing/billing-1/providers").json() == {
        "revision": 1,
        "providers": {"logsvc": []},
    }
    assert client.get("/v1/instances/other/other-1/providers").status_code == 403
    assert client.get("/v1/services").status_code == 403


@pytest.mark.parametrize("scopes", [["read"], ["register:other"], ["register:bill"]])
def test_a_token_changes_only_what_its_scope_covers(client_of: ClientOf, scopes: list[str]) -> None:
    client = client_of(*scopes)

    assert put(client, {"url": "http://127.0.0.1:9000"}).status_code == 403
    assert client.delete(BILLING).status_code == 403
    assert not JournalEntry.objects.exists()


def test_a_prefix_scope_covers_what_begins_so(client_of: ClientOf) -> None:
    assert put(client_of("register:bill*"), {"url": "http://127.0.0.1:9000"}).status_code == 201


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic abc"])
def test_without_a_valid_token_nothing_is_answered(header: str) -> None:
    client = APIClient()
    if header:
        client.credentials(HTTP_AUTHORIZATION=header)

    response = client.get("/v1/services")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/"),
        ({"url": 5}, "/url"),
        ({"url": "nonsense"}, "/url"),
        ({"url": "ftp://127.0.0.1/"}, "/url"),
        ({"url": "http://169.254.169.254/"}, "/url"),
        ({"url": "http://8.8.8.8/"}, "/url"),
        ({"url": "http://127.0.0.1:1", "requires": ["Not A Name"]}, "/requires"),
        ({"url": "http://127.0.0.1:1", "heartbeat": {"interval_seconds": 0}}, "/heartbeat/interval_seconds"),
        ({"url": "http://127.0.0.1:1", "heartbeat": {"kind": "script"}}, "/heartbeat/kind"),
        ({"url": "http://127.0.0.1:1", "notify_url": "http://127.0.0.1:1/n"}, "/notify_secret"),
        ({"url": "http://127.0.0.1:1", "weight": -1}, "/weight"),
        ({"url": "http://127.0.0.1:1", "metadata": {"a": 1}}, "/metadata"),
    ],
)
def test_a_wrong_member_is_named_and_nothing_is_written(client: APIClient, body: Any, pointer: str) -> None:
    response = put(client, body)

    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["pointer"].startswith(pointer)
    assert not Instance.objects.exists()


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[" * 50_000, b'"\\ud800"', b'{"url": "\\u0000"}'])
def test_what_is_no_json_is_refused(client: APIClient, raw: bytes) -> None:
    response = client.put(BILLING, raw, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["type"] == "urn:rollcall:problem:bad-request"


@pytest.mark.parametrize("address", ["/v1/graph", "/v1/journal"])
def test_an_answer_that_may_not_be_json_is_refused_with_a_type_of_its_own(client: APIClient, address: str) -> None:
    refused = client.get(address, headers={"accept": "text/html"})

    assert refused.status_code == 406
    assert (refused["Content-Type"], refused.json()["type"]) == (
        "application/problem+json",
        "urn:rollcall:problem:not-acceptable",
    )


def test_another_media_type_is_refused(client: APIClient) -> None:
    response = client.put(BILLING, b"url=x", content_type="application/x-www-form-urlencoded")

    assert response.status_code == 415
    assert response.json()["detail"].endswith("Send the body with Content-Type: application/json.")


@pytest.mark.parametrize(
    "path", ["/v1/services/Bad/instances/a", "/v1/services/a/instances/-x", "/v1/services/a/instances/" + "x" * 256]
)
def test_an_address_that_holds_no_names_is_refused(client: APIClient, path: str) -> None:
    response = put(client, {"url": "http://127.0.0.1:9000"}, path)

    assert response.status_code == 422
    assert "is no name: " in response.json()["errors"][0]["detail"]


def test_a_wrong_method_and_a_wrong_address_are_problems(client: APIClient) -> None:
    wrong_method = client.post("/v1/services").json()

    assert wrong_method["type"] == "urn:rollcall:problem:method-not-allowed"
    assert wrong_method["detail"].endswith("Use one of GET, HEAD, OPTIONS.")
    assert client.get("/v1/nothing").json()["type"] == "urn:rollcall:problem:not-found"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
members = st.sampled_from(
    ["url", "requires", "notify_url", "notify_secret", "heartbeat", "tags", "zone", "version", "weight", "metadata"]
)


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=json_values | st.dictionaries(members, json_values), valid_url=st.booleans())
def test_no_json_body_is_a_fault_of_the_service(client: APIClient, body: Any, valid_url: bool) -> None:
    if valid_url and isinstance(body, dict):
        body["url"] = "http://127.0.0.1:9000"

    response = client.put(BILLING, json.dumps(body).encode(), content_type="application/json")

    assert response.status_code in (200, 201, 400, 422)


def test_every_answer_says_up_to_which_revision_it_is_true(client: APIClient) -> None:
    assert put(client, {"url": "http://127.0.0.1:9000"})["Rollcall-Revision"] == "1"
    assert client.get(BILLING)["Rollcall-Revision"] == "1"
    assert client.delete(BILLING)["Rollcall-Revision"] == "2"
    assert client.get("/v1/journal")["Rollcall-Revision"] == "2"


def test_asked_for_more_than_the_journal_keeps_the_answer_is_a_resync(client: APIClient) -> None:
    for number in range(4):
        put(client, {"url": "http://127.0.0.1:9000"}, f"/v1/services/s/instances/s-{number}")
    JournalEntry.objects.filter(revision__lte=2).delete()

    answer = client.get("/v1/journal?after=1")

    assert answer.status_code == 410
    assert answer.json()["type"] == "urn:rollcall:problem:resync"
    assert (answer.json()["oldest"], answer.json()["head"]) == (3, 4)
    assert [each["revision"] for each in client.get("/v1/journal?after=2").json()["entries"]] == [3, 4]
    assert [each["revision"] for each in client.get("/v1/journal").json()["entries"]] == [3, 4]


def test_the_journal_is_filtered_by_services(client: APIClient) -> None:
    for service in "abc":
        put(client, {"url": "http://127.0.0.1:9000"}, f"/v1/services/{service}/instances/i")

    entries = client.get("/v1/journal?service=a&service=c").json()["entries"]

    assert [each["service"] for each in entries] == ["a", "c"]


def test_services_and_instances_come_in_pages(client: APIClient) -> None:
    for name in ("a", "b", "c"):
        put(client, {"url": "http://127.0.0.1:9000"}, f"/v1/services/billing/instances/{name}")
        put(client, {"url": "http://127.0.0.1:9000"}, f"/v1/services/{name}/instances/i")
    for path, key, member in (
        ("/v1/services/billing/instances", "instances", "instance"),
        ("/v1/services", "services", "service"),
    ):
        first = client.get(f"{path}?limit=2").json()
        second = client.get(f"{path}?limit=2&cursor={first['next']}").json()
        assert [each[member] for each in first[key]] == ["a", "b"]
        assert next(each[member] for each in second[key] if each[member] != "billing") == "c"
        assert second["next"] is None


def test_a_revision_that_is_not_there_yet_is_a_503(client: APIClient) -> None:
    assert client.get("/v1/services?at_least=1").status_code == 503


def test_a_token_registers_no_more_instances_than_its_quota(
    client: APIClient, settings: Settings, limits: Limits
) -> None:
    settings.TOKEN_LIMITS = {"instances": 2}
    body = {"url": "http://127.0.0.1:9000"}
    statuses = [
        put(client, body, f"/v1/services/billing/instances/billing-{number}").status_code for number in (1, 2, 3)
    ]

    again = put(client, body | {"version": "2"}, "/v1/services/billing/instances/billing-1")
    refused = put(client, body, "/v1/services/billing/instances/billing-4")

    assert (statuses, again.status_code) == ([201, 201, 429], 200)
    assert refused.json()["limit"] == "instances"
    assert refused["Retry-After"] == "60"
    assert limits.refused()["tester", "instances"] == 2


def test_a_token_changes_no_more_than_its_limit_and_may_always_deregister(
    client: APIClient, settings: Settings, limits: Limits
) -> None:
    # Ten minutes' worth may come at once.
    settings.TOKEN_LIMITS = {"changes_per_minute": 1}
    body = {"url": "http://127.0.0.1:9000"}
    for number in range(10):
        answer = put(client, body | {"version": str(number), "incarnation": f"run-{number}"})
        assert answer.status_code in (200, 201)

    same = put(client, body | {"version": "9", "incarnation": "run-9"})
    changed = put(client, body | {"version": "10", "incarnation": "run-10"})
    new = put(client, body, "/v1/services/billing/instances/billing-2")

    assert (same.status_code, changed.status_code, new.status_code) == (200, 429, 429)
    assert (changed.json()["limit"], changed.json()["allowed"]) == ("changes_per_minute", 1)
    assert changed["Retry-After"] == "60"
    assert limits.refused()["tester", "changes_per_minute"] == 2
    assert Instance.objects.get().version == "9"
    # The run that goes on was not buried for the one that was refused.
    assert not Tombstone.objects.filter(incarnation="run-9").exists()
    assert client.delete(BILLING).status_code == 204
    assert JournalEntry.objects.count() == 11


@pytest.mark.usefixtures("limits")
def test_what_a_change_makes_the_journal_keep_counts(client: APIClient, settings: Settings) -> None:
    settings.TOKEN_LIMITS = {"changes_per_minute": 1}
    large = {f"k{number}": "v" * 512 for number in range(64)}

    first = put(client, {"url": "http://127.0.0.1:9000", "metadata": large})
    second = put(client, {"url": "http://127.0.0.1:9000", "metadata": large | {"k0": "w"}})

    assert (first.status_code, second.status_code) == (201, 429)


@pytest.mark.usefixtures("limits")
def test_a_batch_counts_as_one_and_costs_nothing_where_it_is_refused(client: APIClient, settings: Settings) -> None:
    settings.TOKEN_LIMITS = {"changes_per_minute": 1}
    many = [{"service": "billing", "instance": f"b-{number}", "url": "http://127.0.0.1:1"} for number in range(20)]
    post = partial(client.post, "/v1/registrations:batch", format="json")

    four = post({"instances": many[:4]})
    refused = post({"instances": many[4:12]})
    each = post({"instances": many[4:12], "mode": "each"})
    six = post({"instances": many[4:10]})

    assert (four.status_code, refused.status_code, six.status_code) == (200, 429, 200)
    assert refused.json()["limit"] == "changes_per_minute"
    assert {result["status"] for result in each.json()["results"]} == {429}


@pytest.mark.usefixtures("limits")
def test_runs_that_are_not_there_are_deregistered_no_more_often_than_the_limit(
    client: APIClient, settings: Settings
) -> None:
    settings.TOKEN_LIMITS = {"changes_per_minute": 1}

    statuses = [client.delete(f"{BILLING}?incarnation=run-{number}").status_code for number in range(12)]

    assert statuses == [204] * 10 + [429] * 2
    assert Tombstone.objects.count() == 10


@pytest.mark.usefixtures("limits")
def test_beats_that_change_nothing_are_free_and_others_count(client: APIClient, settings: Settings) -> None:
    settings.TOKEN_LIMITS = {"changes_per_minute": 1}
    put(client, {"url": "http://127.0.0.1:9000", "heartbeat": {"kind": "ttl"}})
    for number in range(9):
        client.post(f"{BILLING}/drain", {"seconds": 60 + number}, format="json")

    beats = [client.put(f"{BILLING}/heartbeat").status_code for _ in range(2)]
    drained = client.post(f"{BILLING}/drain", {"seconds": 90}, format="json")

    assert (beats, drained.status_code) == ([429, 429], 429)
    settings.TOKEN_LIMITS = {}
    assert client.put(f"{BILLING}/heartbeat").status_code == 204
    settings.TOKEN_LIMITS = {"changes_per_minute": 1}
    assert client.put(f"{BILLING}/heartbeat").status_code == 204
    # That it is ill is believed in any case: the next word to the contrary counts.
    assert client.put(f"{BILLING}/heartbeat", {"status": "critical"}, format="json").status_code == 204


def test_a_token_that_reads_one_service_reads_no_other(client_of: ClientOf, now: datetime) -> None:
    factories.passing("billing", now=now)
    factories.passing("logsvc", now=now)
    client = client_of("read:billing", name="narrow")

    for path in ("", "/instances", "/instances/billing-1", "/heartbeats", "/history"):
        assert client.get(f"/v1/services/billing{path}").status_code == 200, path
        assert client.get(f"/v1/services/logsvc{path.replace('billing', 'logsvc')}").status_code == 403, path
    for path in ("/v1/services", "/v1/graph", "/v1/board", "/v1/journal", "/v1/prometheus/targets"):
        assert client.get(path).status_code == 403, path
    assert client.get("/v1/prometheus/targets?service=billing").status_code == 200

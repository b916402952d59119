"""Saved searches and alert rules over the API, and what one token can do to another's."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.logsvc import factories

pytestmark = pytest.mark.django_db

RULE = {"name": "errors", "query": "level>=error", "threshold": 5, "url": "http://127.0.0.1:9/x"}


def send(client: APIClient, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
    answer = getattr(client, method)(f"/api/v1/{path}", body, format="json")
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


@pytest.fixture
def keeper(db: None) -> APIClient:
    return factories.caller("keeper", "log:read", "log:rules")


@pytest.mark.parametrize(
    ("kind", "body"), [("searches", {"name": "errors", "query": "level>=error", "description": "x"}), ("rules", RULE)]
)
def test_one_is_made_read_changed_and_deleted(keeper: APIClient, kind: str, body: dict[str, Any]) -> None:
    made = send(keeper, "post", kind, body, status=201)
    path = f"{kind}/{made['id']}"

    assert made.items() >= body.items()
    assert made["owner"] == "keeper"
    assert [each["id"] for each in send(keeper, "get", kind)[kind]] == [made["id"]]
    assert send(keeper, "put", path, body | {"query": "service:x"})["query"] == "service:x"
    assert send(keeper, "get", path)["query"] == "service:x"
    send(keeper, "post", kind, body, status=409)
    send(keeper, "delete", path, status=204)
    send(keeper, "get", path, status=404)


def test_a_rules_secret_is_shown_once_and_kept_over_a_change(keeper: APIClient) -> None:
    made = send(keeper, "post", "rules", RULE, status=201)
    path = f"rules/{made['id']}"

    assert made["secret"].startswith("whsec_")
    assert "secret" not in send(keeper, "put", path, RULE)
    assert "secret" not in send(keeper, "get", path)


def test_a_test_message_is_queued(keeper: APIClient) -> None:
    path = f"rules/{send(keeper, 'post', 'rules', RULE, status=201)['id']}"

    assert send(keeper, "post", f"{path}/test", status=202)["type"] == "logs.alert.test"
    assert len(send(keeper, "get", path)["messages"]) == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"query": "level>=nonsense"}, "/query"),
        ({"url": "http://169.254.169.254/"}, "/url"),
        ({"url": "nonsense"}, "/url"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"window_seconds": 5}, "/window_seconds"),
        ({"quiet_seconds": -1}, "/quiet_seconds"),
        ({"threshold": 2**40}, "/threshold"),
        ({"secret": "whsec_short"}, "/secret"),
        ({"condition": "fewer-than", "threshold": 0}, "/threshold"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong(keeper: APIClient, change: dict[str, Any], pointer: str) -> None:
    problem = send(keeper, "post", "rules", RULE | change, status=422)

    assert [each["pointer"] for each in problem["errors"]] == [pointer]


@pytest.mark.parametrize("body", [[], {}, {"name": 1}, RULE | {"unknown": 1}, RULE | {"condition": "x"}, "text"])
def test_a_body_of_another_shape_is_refused(keeper: APIClient, body: Any) -> None:
    send(keeper, "post", "rules", body, status=422)


def test_rules_want_a_scope_of_their_own(reader: APIClient, keeper: APIClient) -> None:
    path = f"rules/{send(keeper, 'post', 'rules', RULE, status=201)['id']}"

    send(reader, "post", "rules", RULE, status=403)
    send(reader, "put", path, RULE, status=403)
    send(reader, "delete", path, status=403)
    send(reader, "post", f"{path}/test", status=403)
    assert send(reader, "get", path)["name"] == "errors"
    send(factories.caller("writer", "log:write"), "get", "rules", status=403)


def test_a_token_of_one_team_sees_and_changes_nothing_of_anothers(keeper: APIClient) -> None:
    shop = factories.caller("shop", "read:shop", "log:rules")
    search = send(keeper, "post", "searches", {"name": "secret plans"}, status=201)["id"]
    rule = send(keeper, "post", "rules", RULE, status=201)["id"]

    for path in (f"searches/{search}", f"rules/{rule}", "rules/99999999999999999999"):
        for method in ("get", "put", "delete"):
            send(shop, method, path, RULE, status=404)
    assert send(shop, "get", "searches") == {"searches": []}
    assert send(shop, "get", "rules") == {"rules": []}
    assert send(shop, "post", "rules", RULE, status=201)["owner"] == "shop"

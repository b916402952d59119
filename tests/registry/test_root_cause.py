"""One rule for the root cause: the API, the admin's dashboard and the web UI's board say the same."""

import re
from datetime import datetime

import msgspec
import pytest
from django.test import Client

from tests import factories
from tests.registry.admin.conftest import in_role, text_of
from tests.registry.conftest import ClientOf
from webui import board
from webui.upstream.registry import Graph, Service

pytestmark = pytest.mark.django_db


def said(client_of: ClientOf, client: Client) -> tuple[dict[str, list[str]], list[str], str]:
    """The causes by service, and the web UI's and the admin's sentences, once the API's two answers agree."""
    reader = client_of("read")
    graph = reader.get("/v1/graph").json()
    causes = {each["service"]: each["causes"] for each in graph["services"]}
    rows = reader.get("/v1/board").json()["services"]
    assert {each["service"]: each["causes"] for each in rows} == causes
    judged = board.judge(
        [msgspec.convert(each, Service, strict=False) for each in rows], msgspec.convert(graph, Graph, strict=False)
    )
    assert {row.name: list(row.causes) for row in judged.rows} == causes
    sentences = [
        f"{each.services[0].name} {each.state}; also down: {each.also_down}; degraded: {each.degraded}"
        for each in judged.causes
    ]
    page = text_of(in_role(client, "operator", "ann"), "/admin/")
    return causes, sentences, " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_what_fails_behind_a_requirement_that_passes_is_no_cause(
    client_of: ClientOf, client: Client, now: datetime
) -> None:
    a = factories.passing("a", now=now, requires=["b"])
    factories.passing("b", now=now, requires=["c"])
    c = factories.passing("c", now=now)
    for each in (a, c):
        factories.judge(each, succeeded=False, now=now, times=3)

    causes, board, dashboard = said(client_of, client)

    assert causes == {"a": [], "b": ["c"], "c": []}
    assert board == [
        "c critical; also down: (); degraded: ('b',)",
        "a critical; also down: (); degraded: ()",
    ]
    assert "a is critical" in dashboard
    assert "c is critical" in dashboard


def test_a_hundred_services_that_nobody_registered_are_one_sentence_where_one_service_requires_them(
    client_of: ClientOf, client: Client, now: datetime
) -> None:
    ghosts = [f"ghost-{number:03}" for number in range(100)]
    factories.passing("shop", now=now, requires=ghosts)

    causes, board, dashboard = said(client_of, client)

    assert causes == {"shop": ghosts, **{each: [] for each in ghosts}}
    assert board == ["ghost-000 missing; also down: (); degraded: ('shop',)"]
    assert "and 88 more are missing (required, but no instance of it is registered): affects shop ." in dashboard
    assert dashboard.count("are missing") == 1


def test_what_fails_itself_is_its_own_cause_and_the_missing_requirement_is_said_beside_it(
    client_of: ClientOf, client: Client, now: datetime
) -> None:
    shop = factories.passing("shop", now=now, requires=["bank"])
    factories.judge(shop, succeeded=False, now=now, times=3)

    causes, board, dashboard = said(client_of, client)

    assert causes == {"bank": [], "shop": []}
    assert board == [
        "shop critical; also down: (); degraded: ()",
        "bank missing; also down: (); degraded: ()",
    ]
    assert client_of("read", name="another").get("/v1/graph").json()["unmet"] == {"shop": ["bank"]}
    assert "shop is critical" in dashboard
    assert "bank is missing" in dashboard
    assert "(required, but no instance of it is registered): affects shop ." in dashboard

from datetime import datetime

import pytest

from tests import factories
from tests.registry.conftest import ClientOf

pytestmark = pytest.mark.django_db


def test_the_graph_says_which_service_explains_what_fails_and_who_is_affected(
    client_of: ClientOf, now: datetime
) -> None:
    logsvc = factories.passing("logsvc", now=now)
    grading = factories.passing("grading", now=now, requires=["logsvc"])
    factories.passing("webui", now=now, requires=["grading", "mail"])
    for instance in (logsvc, grading):
        factories.judge(instance, succeeded=False, now=now, times=3)

    body = client_of("read").get("/v1/graph").json()

    assert body["down"] == ["grading", "logsvc", "mail"]
    assert body["roots"] == [["logsvc"], ["mail"]]
    assert body["affected"]["logsvc"] == ["grading", "webui"]
    assert body["unmet"] == {"grading": ["logsvc"], "webui": ["grading", "mail"]}
    assert body["cycles"] == []
    assert {"service": "grading", "offers": False, "requires": ["logsvc"]} in body["services"]

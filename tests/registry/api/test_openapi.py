"""The API is what its description says: asked anything that it allows or forbids, it answers as described."""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, Phase, settings
from rest_framework.test import APIClient
from schemathesis.config import SchemathesisConfig

from config.tokens import issuing
from registry.wire import answers
from tests import factories
from tests.one_connection import one_connection
from tests.registry.conftest import ClientOf

pytestmark = pytest.mark.django_db


# A request may be refused for what a schema can't say: that an address is not to be called, that an instance is not
# there. A string with U+0000 is no string to a database. A revision that has not come yet is a 503, as described.
CONFIGURATION = SchemathesisConfig.from_dict(
    {
        "generation": {"allow-x00": False},
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", 404, 409, 410, 422, 503]},
            "not_a_server_error": {"expected-statuses": ["2xx", "4xx", 503]},
        },
    }
)
# Beside all that Schemathesis derives from the description. More than the suite has time for: OPENAPI_EXAMPLES=100.
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "5"))

# The stream never ends, and is answered before Django; a trial sends to other machines.
schema = (
    schemathesis.openapi.from_wsgi("/v1/openapi.json", WSGIHandler(), config=CONFIGURATION)
    .exclude(path="/v1/events")
    .exclude(path_regex="/trial$")
)


@schema.hook
def filter_query(context: Any, query: Any) -> bool:
    """Drop parameters that are lost on the way: those without a name, and unknown ones without a value."""
    return not query or all(name and value not in ([], {}, None) for name, value in query.items())


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 5,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_keeps_to_its_description(case: Any, token: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    with one_connection():
        yield


@pytest.fixture
def token(db: None, now: datetime) -> str:
    """A token that may do everything, with a few instances to find."""
    factories.passing("logsvc", now=now)
    factories.register("billing", requires=["logsvc"], now=now)
    return issuing.create(name="anybody", scopes=["read", "operate", "register:*"])


@pytest.fixture
def client(client_of: ClientOf) -> APIClient:
    return client_of("read", "operate", "register:*")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/services", answers.ServiceList),
        ("/v1/services/logsvc", answers.ServiceSummary),
        ("/v1/services/logsvc/instances", answers.InstanceList),
        ("/v1/services/logsvc/instances/logsvc-1", answers.RegisteredInstance),
        ("/v1/services/billing/instances/billing-1/deliveries", answers.Deliveries),
        ("/v1/instances/billing/billing-1/providers", answers.Providers),
        ("/v1/prometheus/targets", list[answers.TargetGroup]),
        ("/v1/journal", answers.Journal),
        ("/v1/graph", answers.Graph),
        ("/v1/services/logsvc/history", answers.History),
        ("/v1/services/logsvc/instances/logsvc-1/history?by=hour", answers.History),
        ("/v1/protection", answers.Protection),
    ],
)
def test_an_answer_has_the_members_that_are_described_and_no_others(
    client: APIClient, now: datetime, path: str, kind: Any
) -> None:
    factories.passing("logsvc", now=now)
    factories.register("billing", requires=["logsvc"], now=now)

    answered = client.get(path).json()

    # An undescribed member would be lost on the way.
    assert json.loads(msgspec.json.encode(msgspec.convert(_without_times(answered), kind))) == _without_times(answered)


def test_the_description_is_there_without_a_token(db: None) -> None:
    described = APIClient().get("/v1/openapi.json").json()

    assert described["openapi"].startswith("3.1")
    operations = [each for path in described["paths"].values() for each in path.values()]
    names = [each["operationId"] for each in operations]
    assert len(names) == len(set(names))
    assert described["components"]["schemas"]["Declaration"]["required"] == ["url"]


def _without_times(value: Any) -> Any:
    """All times as one, since there are several ways to write the same."""
    if isinstance(value, dict):
        return {name: _without_times(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_without_times(each) for each in value]
    is_time = isinstance(value, str) and len(value) == 24 and value.endswith("Z")
    return "2026-11-23T12:00:00Z" if is_time else value

"""The API is described whole, and answers anything that its description allows or forbids without a failure."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, override_settings
from django.urls import URLPattern
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from config.tokens import issuing
from logsvc.api import openapi, urls
from logsvc.ingest import ndjson
from logsvc.ingest.formats import FORMATS
from registry.client.django.apps import JOINING
from tests.logsvc import factories
from tests.one_connection import one_connection

pytestmark = pytest.mark.django_db
# Beside all that Schemathesis derives from the description. More than the suite has time for: OPENAPI_EXAMPLES=100.
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "5"))
# The examples of Hypothesis are enough: listing every border of every parameter takes ten times as long.
CONFIGURATION = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
# A schema cannot describe queries, times, levels and which ids exist: any refusal is right, no failure is.
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance]


@schemathesis.serializer(*sorted(ndjson.MEDIA_TYPES - {"application/json"}))
def as_it_is(context: Any, value: Any) -> bytes:
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")


schema = schemathesis.openapi.from_dict(openapi.describe(), config=CONFIGURATION)
# Nothing here is served, and so joins no registry.
with override_settings(MIDDLEWARE=[name for name in django_settings.MIDDLEWARE if name != JOINING]):
    schema.app = WSGIHandler()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 5,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_that_is_asked_or_sent_is_a_failure(case: Any, token: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)


def test_every_address_is_described(client: Client) -> None:
    described = client.get("/v1/openapi.json").json()["paths"]
    patterns = [str(each.pattern) for each in urls.urlpatterns if isinstance(each, URLPattern)]
    addresses = {"/" + re.sub(r"<\w+:(\w+)>", r"{\1}", pattern) for pattern in patterns}

    assert described.keys() == addresses - {"/v1/openapi.json"}
    assert {path for path, methods in described.items() if "requestBody" in methods.get("post", {})} >= FORMATS.keys()


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    with one_connection():
        yield


@pytest.fixture
def token(db: None) -> str:
    """A token that may do everything, with a few records to find."""
    factories.keep_each(["one error", "another"], attributes={"order": 7}, instance="a")
    return issuing.create(name="fuzz", scopes=["log:read", "log:write", "log:rules"])

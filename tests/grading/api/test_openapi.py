"""The API's description."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_every_address_is_described_with_what_it_takes(client: Client) -> None:
    answer = client.get("/v1/openapi.json")
    assert answer.status_code == 200
    described = answer.json()
    patch = described["paths"]["/v1/grades/{grade_id}"]["patch"]
    assert patch["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/GradePatch"}
    members = described["components"]["schemas"]["GradePatch"]["properties"]
    assert set(members) == {"score", "status", "excused", "late_deduction", "comment", "confirmed", "within_points"}
    operations = [each for path in described["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)

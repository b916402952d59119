import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db


def fail(*arguments: Any) -> None:
    raise OperationalError("connection timeout expired")


@pytest.mark.parametrize(
    ("urls", "address"), [("registry.urls", "/admin/"), ("webui.urls", "/admin/"), ("webui.urls", "/courses")]
)
def test_a_database_that_is_away_is_said_on_a_page_and_in_one_line_of_the_log(
    urls: str, address: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ROOT_URLCONF = urls
    client = Client(headers={"Accept": "text/html"})
    client.force_login(User.objects.create_superuser("ann"))

    with caplog.at_level(logging.WARNING, "config"), connection.execute_wrapper(fail):
        answer = client.get(address)

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer["Cache-Control"] == "no-store"
    assert "database" in answer.content.decode()
    assert [record.exc_info for record in caplog.records if record.name == "config.pages"] == [None]

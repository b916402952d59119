"""Refused batches are not logged about."""

import logging

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from logsvc.storage.current import store
from tests.logsvc.factories import ndjson, post, post_text


def test_a_refused_batch_is_not_logged_about(writer: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    refused = [
        post(APIClient(), ndjson({"message": "no token"})),
        writer.post("/v1/logs", "{}", content_type="text/html"),
        post_text(writer, b"line", "?level=loud"),
        post(writer, b"", host="evil.example"),
    ]

    assert [response.status_code for response in refused] == [401, 415, 422, 400]
    assert caplog.records == []


def test_other_refused_requests_are_logged_about(writer: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    writer.get("/v1/records")

    assert [record.name for record in caplog.records] == ["django.request"]


def test_a_database_that_is_away_is_logged_about_and_the_sender_is_told_to_come_back(
    writer: APIClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(store(), "append", fail)

    response = post(writer, ndjson({"message": "one"}))

    assert response.status_code == 503
    assert response["Retry-After"] == "2"
    assert response.json()["type"] == "urn:rollcall:problem:unavailable"
    assert {record.levelno for record in caplog.records} == {logging.ERROR}

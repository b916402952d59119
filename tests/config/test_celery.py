from types import SimpleNamespace

import pytest
from celery import signals
from celery.fixups import django as fixups
from django.core import checks
from django.db import connection

from config.celery import app


class Running:
    """A task as its signals have it."""

    request = SimpleNamespace(is_eager=False)


@pytest.mark.django_db(transaction=True)
def test_a_task_has_the_connection_of_the_one_before_and_django_looks_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: looked.append(True))
    fixup = fixups.DjangoWorkerFixup(app)  # type: ignore[attr-defined]  # the stubs lack it
    connection.ensure_connection()
    before, task = connection.connection, Running()

    fixup.on_task_prerun(sender=task)
    signals.task_prerun.send(sender=task)
    fixup.on_task_postrun(sender=task)

    assert connection.connection is before
    assert looked


def test_a_worker_begins_without_the_checks_for_which_it_would_import_every_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[bool] = []
    monkeypatch.setattr(checks, "run_checks", lambda: made.append(True))
    fixups.DjangoWorkerFixup(app).validate_models()  # type: ignore[attr-defined]  # the stubs lack it
    assert made == []

"""A server joins when it builds its handler; nothing else does."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core import mail
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.utils.autoreload import file_changed

from registry.client.django import joining
from registry.client.django.apps import JOINING
from tests.clients.registry.fake import FakeRegistry
from tests.waiting import until

REGISTERED = {"webui/webui-1"}


@pytest.fixture
def _served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a test runner there is no such attribute."""
    monkeypatch.delattr(mail, "outbox")


@pytest.mark.usefixtures("_served")
@pytest.mark.parametrize("handler", [WSGIHandler, ASGIHandler])
def test_building_a_server_s_handler_joins(registry: FakeRegistry, handler: type) -> None:
    handler()
    until(lambda: registry.registered() == REGISTERED)


@pytest.mark.usefixtures("_served")
def test_a_second_handler_in_the_same_process_does_not_join_again(registry: FakeRegistry) -> None:
    WSGIHandler()
    first = joining.membership()
    WSGIHandler()
    assert joining.membership() is first
    until(lambda: registry.registered() == REGISTERED)
    joining.leave()
    assert [request.method for request in registry.requests] == ["PUT", "DELETE"]


def test_a_test_client_does_not_join(registry: FakeRegistry) -> None:
    Client().get("/rollcall/notify")
    assert joining.membership() is None
    assert registry.requests == []


@pytest.mark.usefixtures("_served")
def test_a_management_command_does_not_join(registry: FakeRegistry) -> None:
    call_command("check")
    assert joining.membership() is None
    assert registry.requests == []


@pytest.mark.usefixtures("_served")
def test_a_project_that_only_discovers_does_not_join(registry: FakeRegistry, block: dict[str, Any]) -> None:
    del block["SERVICE"]
    WSGIHandler()
    assert joining.membership() is None


@pytest.mark.usefixtures("_served")
def test_a_faulty_block_keeps_the_server_from_starting(block: dict[str, Any]) -> None:
    del block["URL"]
    with pytest.raises(ImproperlyConfigured, match="ROLLCALL lacks URL"):
        WSGIHandler()


@pytest.mark.usefixtures("_served")
def test_a_state_directory_that_cannot_be_made_is_named(block: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    block["STATE_DIR"] = tmp_path / "file"
    with pytest.raises(ImproperlyConfigured, match=r"ROLLCALL\['STATE_DIR'\].*Set it to another directory"):
        WSGIHandler()


@pytest.mark.usefixtures("_served")
def test_the_middleware_is_no_part_of_the_handler() -> None:
    with pytest.raises(MiddlewareNotUsed):
        joining.JoiningMiddleware(lambda request: HttpResponse())


def test_the_app_puts_its_middleware_in_place_by_itself() -> None:
    assert configured.MIDDLEWARE[0] == JOINING


@pytest.mark.usefixtures("_served")
def test_a_reload_after_a_change_of_code_is_not_seen_by_the_registry(registry: FakeRegistry) -> None:
    WSGIHandler()
    until(lambda: registry.registered() == REGISTERED)
    file_changed.send(sender=None, file_path=Path("views.py"))
    joining.leave()
    assert [request.method for request in registry.requests] == ["PUT"]


@pytest.mark.usefixtures("_served")
def test_a_changed_template_changes_nothing(registry: FakeRegistry) -> None:
    WSGIHandler()
    until(lambda: registry.registered() == REGISTERED)
    file_changed.send(sender=None, file_path=Path("page.html"))
    joining.leave()
    assert [request.method for request in registry.requests] == ["PUT", "DELETE"]

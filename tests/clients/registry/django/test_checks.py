"""`manage.py check` says what a project lacks to join, and nothing where it lacks nothing."""

from typing import Any

from django.core.checks.registry import registry as registered_checks
from django.http import HttpResponse
from django.urls import path
from pytest_django import Settings

from registry.client.django.checks import check_configuration, check_reachability

urlpatterns = [path("elsewhere", lambda request: HttpResponse())]


def found() -> list[str]:
    return [str(message.id) for message in [*check_configuration(), *check_reachability()]]


def test_nothing_is_wrong_with_a_project_that_can_join() -> None:
    assert found() == []


def test_the_checks_are_among_django_s() -> None:
    assert {check_configuration, check_reachability} <= set(registered_checks.get_checks())


def test_a_missing_block_is_an_error(settings: Settings) -> None:
    del settings.ROLLCALL
    assert found() == ["rollcall.E001"]


def test_every_fault_of_the_block_is_an_error(block: dict[str, Any]) -> None:
    del block["URL"], block["INSTANCE"]
    assert found() == ["rollcall.E001", "rollcall.E001"]


def test_a_project_that_refuses_its_own_address_is_warned(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["example.com"]
    (message,) = check_reachability()
    assert (message.id, message.hint) == ("rollcall.W001", "Add 'testserver' to ALLOWED_HOSTS.")


def test_a_project_without_the_include_is_warned(settings: Settings, block: dict[str, Any]) -> None:
    settings.ROOT_URLCONF = "tests.clients.registry.django.test_checks"
    (message,) = check_reachability()
    assert message.id == "rollcall.W002"
    assert 'include("registry.client.django.urls")' in str(message.hint)
    block["NOTIFY_URL"] = None
    assert found() == []


def test_a_project_that_only_discovers_lacks_nothing(settings: Settings) -> None:
    settings.ROLLCALL = {"REGISTRY_URL": "http://registry.test", "TOKEN": "rct_x"}
    settings.ALLOWED_HOSTS = []
    assert found() == []

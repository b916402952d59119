"""The web UI's tests run on its own addresses, over upstreams that are faked at the HTTP edge."""

import copy
import functools
import json
from collections.abc import Callable, Iterator

import httpx2
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client, override_settings
from pytest_django import Settings

from tests.webui.faked.call import Call
from tests.webui.faked.grading import Grading
from tests.webui.faked.world import World
from webui import last_good
from webui.roles import Role
from webui.upstream import exchange
from webui.upstream.breaker import Breaker

SignIn = Callable[..., Client]


@pytest.fixture(scope="package", autouse=True)
def _webui_urls() -> Iterator[None]:
    """For all tests together: after each change Django compiles every address anew."""
    with override_settings(ROOT_URLCONF="webui.urls"):
        yield


@pytest.fixture(autouse=True)
def _webui_settings(settings: Settings) -> None:
    settings.CSRF_FAILURE_VIEW = "webui.views.errors.answer_csrf_failure"
    settings.REGISTRY_URL = "http://registry.test"
    settings.ANSWERS_FRESH_SECONDS = 0.0


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(last_good, "answers", functools.cache(last_good.for_all))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[World]:
    world = World()
    with httpx2.Client(transport=httpx2.MockTransport(lambda request: _answer(world, request))) as client:
        monkeypatch.setattr(exchange, "client", lambda: client)
        monkeypatch.setattr(exchange, "addresses", lambda service: [f"http://{service}.test"])
        breaker = Breaker(lambda service: [])
        monkeypatch.setattr(exchange, "breaker", lambda: breaker)
        monkeypatch.setattr(last_good, "personal_answers", functools.cache(last_good.for_each_person))
        # A busy machine may take its time.
        settings.UPSTREAM_SECONDS = 60
        yield world


@pytest.fixture(scope="module")
def course(module_db: None) -> Grading:
    """A course in grading, taught by `teacher`, as it is before any test of the module."""
    grading = Grading()
    grading.make_course()
    return grading


@pytest.fixture
def math(world: World, course: Grading, db: None) -> Grading:
    """The course, in the world of one test."""
    grading: Grading = world.grading
    grading.students, grading.assignments = copy.deepcopy((course.students, course.assignments))
    return grading


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """A browser in which a person of these roles has signed in."""

    def make(username: str, *roles: Role) -> Client:
        return _with_session(_session_of(username, *roles))

    return make


@pytest.fixture(scope="module")
def _teachers_session(module_db: None) -> str:
    return _session_of("teacher", Role.TEACHER)


@pytest.fixture(scope="module")
def _assistants_session(module_db: None) -> str:
    return _session_of("assistant", Role.ASSISTANT)


@pytest.fixture(scope="module")
def _students_session(module_db: None) -> str:
    return _session_of("student", Role.STUDENT)


@pytest.fixture(scope="module")
def _operators_session(module_db: None) -> str:
    return _session_of("operator", Role.OPERATOR)


@pytest.fixture
def teacher(_teachers_session: str, db: None) -> Client:
    return _with_session(_teachers_session)


@pytest.fixture
def assistant(_assistants_session: str, db: None) -> Client:
    return _with_session(_assistants_session)


@pytest.fixture
def student(_students_session: str, db: None) -> Client:
    return _with_session(_students_session)


@pytest.fixture
def operator(_operators_session: str, db: None) -> Client:
    return _with_session(_operators_session)


def _session_of(username: str, *roles: Role) -> str:
    # One of the module may be there already, of another role.
    user = User.objects.filter(username=username).first() or User.objects.create_user(username=username)
    user.groups.set(Group.objects.get_or_create(name=role)[0] for role in roles)
    client = Client()
    client.force_login(user)
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


def _with_session(key: str) -> Client:
    client = Client()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = key
    return client


def _answer(world: World, request: httpx2.Request) -> httpx2.Response:
    service = request.url.host.removesuffix(".test")
    if service in world.down:
        raise httpx2.ConnectError("Connection refused", request=request)
    call = Call(
        service=service,
        method=request.method,
        path=request.url.path,
        query=dict(request.url.params),
        headers=dict(request.headers),
        body=_json(request),
        content=request.content,
    )
    status, body = world.answer(call)
    if isinstance(body, bytes):
        return httpx2.Response(status, content=body)
    return httpx2.Response(status, json=body)


def _json(request: httpx2.Request) -> object:
    is_json = request.headers.get("content-type") == "application/json"
    return json.loads(request.content) if request.content and is_json else None

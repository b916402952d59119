"""The web UI answers any input with a page, a problem or nothing at all, and never with a failure."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from tests import hostile
from tests.hostile import Request
from tests.webui.conftest import SignIn
from tests.webui.faked.grading import Grading
from tests.webui.faked.world import World
from webui.roles import Role

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = pytest.mark.django_db

_GRADE = "/courses/math-1/cells"
ADDRESSES: list[tuple[str, tuple[str, ...], str]] = [
    ("/", (), "GET"),
    ("/sign-in", ("next",), "POST"),
    ("/sign-out", ("next",), "POST"),
    ("/courses", (), "GET"),
    ("/courses/math-1", ("q", "section", "category", "work", "order"), "GET"),
    ("/courses/math-1/pulse", ("seen",), "GET"),
    ("/courses/math-1/students/1/what-if", ("a1",), "GET"),
    ("/courses/math-1/history", ("student", "assignment", "batch", "before"), "GET"),
    ("/courses/math-1/files", (), "POST"),
    ("/courses/math-1/setup/categories/new", (), "POST"),
    ("/courses/math-1/undo", ("change", "batch"), "POST"),
    (_GRADE, (), "POST"),
    ("/status", ("seen", "rows", "group", "open"), "GET"),
    ("/theme", ("next", "theme"), "POST"),
    ("/logs", ("service", "level", "q", "before"), "GET"),
    ("/rollcall/notify", (), "POST"),
    ("/nowhere", (), "GET"),
]
# What answers those who have not signed in.
FOR_STRANGERS = ("/", "/sign-in", "/sign-out", "/theme", "/rollcall/notify", "/nowhere")
SOUND = b"cell=g1-1&score=1&version=0"
FORM = "application/x-www-form-urlencoded"
# Each form with the fields that are read of it.
FORMS: dict[str, dict[str, bytes]] = {
    "/sign-in": {"username": b"nobody", "password": b"x", "next": b"/"},
    _GRADE: {"cell": b"g1-1", "score": b"1", "version": b"0", "left": b"", "above": b""},
    "/courses/math-1/undo": {"change": b"1"},
    "/courses/math-1/undo?batch": {"batch": b"1"},
}


@pytest.fixture
def client(math: Grading, sign_in: SignIn) -> Client:
    """A client of somebody who may see every page; a failure is answered as it would be."""
    math.kept = {}
    client = sign_in("teacher", *Role)
    client.raise_request_exception = False
    return client


def failures(client: Client, requests: Iterable[Request], headers: Mapping[str, str] | None = None) -> list[str]:
    found = []
    for request in requests:
        answer = request.send(client, headers or {})
        if answer.status_code >= 500 or (answer.status_code >= 400 and not _explains(answer, request)):
            found.append(f"{request}: {answer.status_code} {answer.content[:200]!r}")
    return found


def _explains(answer: "Answer", request: Request) -> bool:
    """Whether a refusal says why: by a page with a heading, a word beside the field, or a problem; a method that is not
    taken needs none.
    """
    signs = (b"<h1", b'class="unsaved"', b'"detail"')
    return answer.status_code == 405 or request.method == "HEAD" or any(sign in answer.content for sign in signs)


@pytest.fixture(scope="module")
def sent() -> set[str]:
    """Sent by this module already: where all of a path is replaced, nothing is left of the address."""
    return set()


@pytest.mark.parametrize(("path", "parameters", "method"), ADDRESSES, ids=[path for path, _, _ in ADDRESSES])
def test_no_request_fails(client: Client, path: str, parameters: tuple[str, ...], method: str, sent: set[str]) -> None:
    make = hostile.requests if path in (_GRADE, "/rollcall/notify") else hostile.own_requests
    made = make(path, parameters=parameters, method=method, sound=SOUND, content_type=FORM)
    anew = {repr(each): each for each in made if repr(each) not in sent}
    sent.update(anew)

    assert failures(client, anew.values()) == []


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["a form", "a part"])
def test_no_form_fails(client: Client, path: str, headers: Mapping[str, str]) -> None:
    words = [word.encode("utf-8", "replace") for word in hostile.QUERY_VALUES]
    forms = [FORMS[path] | {name: word} for name in FORMS[path] for word in words]
    bodies = [b"&".join(b"%s=%s" % (name.encode(), value) for name, value in form.items()) for form in forms]
    posted = (Request(path=path, method="POST", body=each, content_type=FORM) for each in bodies)

    assert failures(client, posted, headers) == []


def test_no_stranger_makes_it_fail(world: World) -> None:
    stranger = Client(enforce_csrf_checks=True, raise_request_exception=False)
    for path, parameters, method in ADDRESSES:
        if path in FOR_STRANGERS:
            make = hostile.requests if path in ("/", "/sign-in") else hostile.own_requests
            requests = make(path, parameters=parameters[:1], method=method, content_type=FORM)
        else:
            # Refused before anything is read of it.
            requests = (Request(path=path, method=each, body=SOUND, content_type=FORM) for each in hostile.METHODS)
        assert failures(stranger, requests) == []

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from config.static_files import StaticFilesMiddleware

STYLES = "/static/admin/css/base.css"


@pytest.fixture
def middleware(settings: Settings) -> StaticFilesMiddleware:
    settings.WHITENOISE_AUTOREFRESH = False
    settings.WHITENOISE_USE_FINDERS = True
    return StaticFilesMiddleware(page)


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"a page")


def asked(middleware: StaticFilesMiddleware, path: str) -> bytes:
    answer = middleware(RequestFactory().get(path))
    content = b"".join(answer)
    answer.close()
    return content


def test_no_file_is_looked_for_until_one_is_asked_for(
    middleware: StaticFilesMiddleware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finders, "get_finders", lambda: pytest.fail("looked for files"))
    assert asked(middleware, "/v1/services") == b"a page"


def test_each_of_those_that_ask_first_is_given_its_file(middleware: StaticFilesMiddleware) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: asked(middleware, STYLES), range(8)))
    [styles] = found
    assert b"--primary" in styles or b"body" in styles


def test_a_file_that_is_not_there_is_left_to_the_pages(middleware: StaticFilesMiddleware) -> None:
    assert asked(middleware, "/static/nothing.css") == b"a page"

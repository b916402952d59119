from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.test import RequestFactory
from pytest_django import Settings

from config import static_files

STYLES = "unfold/fonts/inter/styles.css"
FONT = "unfold/fonts/inter/Inter-Bold.woff2"


@pytest.fixture
def serve(settings: Settings) -> static_files.StaticFilesMiddleware:
    settings.WHITENOISE_USE_FINDERS = True
    settings.WHITENOISE_AUTOREFRESH = False

    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponseNotFound()

    return static_files.StaticFilesMiddleware(answer)


def ask(serve: static_files.StaticFilesMiddleware, address: str) -> tuple[int, str | None]:
    response = serve(RequestFactory().head(address))
    return response.status_code, response.get("Cache-Control")


def test_a_file_and_what_it_names_beside_itself_are_kept_for_ever(serve: static_files.StaticFilesMiddleware) -> None:
    address = staticfiles_storage.url(STYLES)

    assert ask(serve, address) == (200, "max-age=31536000, public, immutable")
    assert ask(serve, address.replace(STYLES, FONT)) == (200, "max-age=31536000, public, immutable")


@pytest.mark.parametrize("digest", ["", "0123456789ab/"])
def test_a_file_is_also_answered_under_an_address_of_another_release_for_a_minute(
    serve: static_files.StaticFilesMiddleware, digest: str
) -> None:
    assert ask(serve, f"/static/{digest}{STYLES}") == (200, "max-age=60, public")


@pytest.mark.parametrize("name", ["nothing.css", "../manage.py", "0123456789ab/rollcall/mark.svg", ""])
def test_what_is_no_file_is_left_to_the_pages(serve: static_files.StaticFilesMiddleware, name: str) -> None:
    assert ask(serve, staticfiles_storage.url("") + name) == (404, None)


def test_no_file_is_looked_for_until_one_is_asked_for(
    serve: static_files.StaticFilesMiddleware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finders, "get_finders", lambda: pytest.fail("looked for files"))

    assert ask(serve, "/v1/services") == (404, None)


def test_each_of_those_that_ask_first_is_given_its_file(serve: static_files.StaticFilesMiddleware) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: ask(serve, f"/static/{STYLES}"), range(8)))

    assert found == {(200, "max-age=60, public")}


def test_the_addresses_change_with_the_content_of_any_file(settings: Settings, tmp_path: Path) -> None:
    settings.STATICFILES_DIRS = [tmp_path]
    digests = {static_files.digest_of_all()}
    for name, content in (("a.css", "a"), ("a.css", "b"), ("b.css", "b")):
        tmp_path.joinpath(name).write_text(content)
        digests.add(static_files.digest_of_all())
    assert len(digests) == 4
    assert static_files.digest_of_all() in digests


def test_the_library_for_charts_is_left_out_as_no_page_has_any_of_the_theme_s(settings: Settings) -> None:
    found = finders.find("unfold/js/chart/chart.js")

    assert found is not None
    assert Path(found).is_relative_to(settings.BASE_DIR)
    templates = [path.read_text() for path in settings.BASE_DIR.glob("*/templates/**/*.html")]
    assert templates
    assert not any("<canvas" in text or "unfold/components/chart" in text for text in templates)

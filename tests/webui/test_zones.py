import pytest
from django.http import HttpRequest, HttpResponse

from webui import zones
from webui.zones import ZoneMiddleware


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [("Asia/Tokyo", "Asia/Tokyo"), ("UTC", "UTC"), (None, None), ("", None), ("Mars/Olympus", None), ("../etc", None)],
)
def test_the_readers_zone_is_what_the_cookie_names_if_there_is_such_a_zone(
    cookie: str | None, expected: str | None
) -> None:
    seen: list[object] = []

    def answer(request: HttpRequest) -> HttpResponse:
        zone = zones.reader()
        seen.append(zone and zone.key)
        return HttpResponse()

    request = HttpRequest()
    request.COOKIES = {} if cookie is None else {zones.COOKIE: cookie}
    ZoneMiddleware(answer)(request)
    assert seen == [expected]
    assert zones.reader() is None

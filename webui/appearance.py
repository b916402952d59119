"""Light, dark, or as the system says: what the person has chosen, kept in a cookie of this browser."""

from enum import StrEnum

from django.http import HttpRequest

COOKIE = "webui_theme"
COOKIE_SECONDS = 365 * 24 * 3600


class Theme(StrEnum):
    LIGHT = "light"
    DARK = "dark"
    SYSTEM = "system"


_NAMES = frozenset(Theme)


def read(text: str) -> Theme:
    """Read the theme from the cookie; a value that names none leaves it to the system."""
    return Theme(text) if text in _NAMES else Theme.SYSTEM


def chosen(request: HttpRequest | None) -> Theme:
    return Theme.SYSTEM if request is None else read(request.COOKIES.get(COOKIE, ""))

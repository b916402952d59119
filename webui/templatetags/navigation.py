"""The frame of every page: the person who is signed in, and the pages that are theirs."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from webui import appearance
from webui.appearance import Theme
from webui.roles import LEARNING, STAFF, TEACHING, Role, roles_of

register = template.Library()


@dataclass(frozen=True, kw_only=True)
class Page:
    name: str
    title: str
    icon: str
    # The keys that lead there, one after the other.
    key: str
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class OtherSite:
    url: str
    title: str
    icon: str


@dataclass(frozen=True, kw_only=True)
class Navigation:
    person: str
    pages: tuple[Page, ...]
    # Pages that the head of the page does not show, but that keys lead to.
    further: tuple[Page, ...] = ()
    elsewhere: tuple[OtherSite, ...] = ()


# The page of the navigation that an address belongs to, by how the address's name begins.
_SECTIONS = {
    "course": "courses",
    "student": "courses",
    "assignment": "courses",
    "grade": "courses",
    "import": "courses",
    "service": "status",
    "graph": "status",
    "log": "logs",
    "alert": "alerts",
    "public": "alerts",
}


@register.simple_tag(takes_context=True)
def navigation(context: dict[str, Any]) -> Navigation:
    request: HttpRequest | None = context.get("request")
    if request is None or not hasattr(request, "user") or not request.user.is_authenticated:
        return Navigation(person="", pages=())
    match = request.resolver_match
    name = match.url_name or "" if match else ""
    roles = roles_of(request.user)
    current = _SECTIONS.get(name.partition("-")[0], name)
    return Navigation(
        person=request.user.get_username(),
        pages=_made(_pages(roles), current),
        further=_made(_further(roles), current),
        elsewhere=_elsewhere(roles, is_staff=getattr(request.user, "is_staff", False)),
    )


@register.simple_tag(takes_context=True)
def theme_attribute(context: dict[str, Any]) -> SafeString | str:
    """The attribute that makes the page light or dark whatever the system says."""
    theme = appearance.chosen(context.get("request"))
    return "" if theme is Theme.SYSTEM else format_html(' data-bs-theme="{}"', theme)


@register.simple_tag(takes_context=True)
def themes(context: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Each choice of colours, its name, and whether it is the one chosen."""
    chosen = appearance.chosen(context.get("request"))
    words = {Theme.LIGHT: _("Light"), Theme.DARK: _("Dark"), Theme.SYSTEM: _("As the system")}
    return [(theme, word, theme is chosen) for theme, word in words.items()]


def _made(titles: list[tuple[str, str, str, str]], current: str) -> tuple[Page, ...]:
    return tuple(
        Page(name=name, title=title, icon=icon, key=key, is_current=name == current)
        for name, title, icon, key in titles
    )


def _pages(roles: frozenset[Role]) -> list[tuple[str, str, str, str]]:
    titles = []
    if roles & TEACHING:
        titles.append(("courses", _("Courses"), "books", "g c"))
    elif roles & LEARNING:
        title = _("My grades") if Role.STUDENT in roles else _("Grades")
        titles.append(("courses", title, "books", "g c"))
    if roles & STAFF:
        titles.append(("status", _("Status"), "activity", "g s"))
    if Role.OPERATOR in roles:
        titles += [("logs", _("Logs"), "file-text", "g l"), ("alerts", _("Alerts"), "bell", "g a")]
    return titles


def _further(roles: frozenset[Role]) -> list[tuple[str, str, str, str]]:
    titles = [("graph", _("Dependencies"), "sitemap", "g d")] if roles & STAFF else []
    if Role.OPERATOR in roles:
        titles.append(("public-settings", _("Public page"), "world", "g p"))
    return titles


def _elsewhere(roles: frozenset[Role], *, is_staff: bool) -> tuple[OtherSite, ...]:
    """The admins: its own is for staff alone, of whom the web UI knows; the others have accounts of their own."""
    titles = {}
    if Role.OPERATOR in roles:
        titles = {
            "registry": _("Registry's admin"),
            "logsvc": _("Log service's admin"),
            "grading": _("Grading's admin"),
        }
    if is_staff:
        titles["webui"] = _("Web UI's admin")
    return tuple(
        OtherSite(url=f"{settings.PUBLIC_URLS[name]}{settings.ADMIN_PATH}", title=title, icon="external-link")
        for name, title in titles.items()
    )

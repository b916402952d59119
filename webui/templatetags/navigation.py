"""What the head of every page needs: who is signed in, and which pages are theirs."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.http import HttpRequest

from webui.roles import STAFF, Role, roles_of

register = template.Library()


@dataclass(frozen=True, kw_only=True)
class Page:
    name: str
    title: str
    icon: str
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class Navigation:
    person: str
    pages: tuple[Page, ...]


_BELOW = {"course": "courses", "student": "courses", "grade": "courses"}


@register.simple_tag(takes_context=True)
def navigation(context: dict[str, Any]) -> Navigation:
    request: HttpRequest | None = context.get("request")
    if request is None or not hasattr(request, "user") or not request.user.is_authenticated:
        return Navigation(person="", pages=())
    match = request.resolver_match
    name = match.url_name or "" if match else ""
    return Navigation(person=request.user.get_username(), pages=_pages(roles_of(request.user), _BELOW.get(name, name)))


def _pages(roles: frozenset[Role], current: str) -> tuple[Page, ...]:
    titles = []
    if Role.TEACHER in roles:
        titles.append(("courses", "Courses", "books"))
    elif Role.STUDENT in roles:
        titles.append(("courses", "My grades", "books"))
    if roles & STAFF:
        titles += [("status", "Status", "activity"), ("logs", "Logs", "file-text")]
    return tuple(
        Page(name=name, title=title, icon=f"webui/icons/{icon}.svg", is_current=name == current)
        for name, title, icon in titles
    )

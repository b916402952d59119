"""Permissions: a person's groups, and the pages these open."""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from webui.requests import current_page, is_htmx


class Role(StrEnum):
    """The name of a group."""

    TEACHER = "teachers"
    ASSISTANT = "assistants"
    STUDENT = "students"
    OBSERVER = "observers"
    OPERATOR = "operators"


TEACHING = frozenset({Role.TEACHER, Role.ASSISTANT})
# They see posted grades: their own, or in grading's word those of the students whom they observe.
LEARNING = frozenset({Role.STUDENT, Role.OBSERVER})
# They see how the services are.
STAFF = TEACHING | {Role.OPERATOR}
Person = AbstractBaseUser | AnonymousUser
View = Callable[..., HttpResponse]


def roles_of(person: Person) -> frozenset[Role]:
    """The person's roles, asked of the database once for each request."""
    if not isinstance(person, User) or not person.is_active:
        return frozenset()
    known: frozenset[Role] | None = person.__dict__.get("roles")
    if known is None:
        # Written, as every page asks it: compiled, it takes five times as long.
        groups = Group.objects.raw(
            "SELECT auth_group.id, auth_group.name FROM auth_user_groups "
            "JOIN auth_group ON auth_group.id = auth_user_groups.group_id WHERE auth_user_groups.user_id = %s",
            [person.pk],
        )
        known = person.__dict__["roles"] = frozenset(Role(each.name) for each in groups if each.name in set(Role))
    return known


def opens_to(*roles: Role) -> Callable[[View], View]:
    """The view is for people of these roles; others are asked to sign in, or told that it is not for them."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _ask_to_sign_in(request)
            if roles and not roles_of(request.user).intersection(roles):
                raise PermissionDenied(_("This page is for %(roles)s.") % {"roles": ", ".join(sorted(roles))})
            response = view(request, *args, **kwargs)
            # The next person at this machine must not find another's grades in the browser's memory.
            add_never_cache_headers(response)
            patch_vary_headers(response, ["HX-Request", "HX-Target"])
            return response

        return guarded

    return decorate


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    if not is_htmx(request):
        return redirect_to_login(request.get_full_path())
    # Swapped into the page as it stands, the sign-in form would appear in the middle of a table.
    return HttpResponseClientRedirect(redirect_to_login(current_page(request)).url)

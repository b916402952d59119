"""What a token must be allowed for a view to answer."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config.problems import Forbidden, Unauthenticated
from config.tokens.issuing import Holder


class HasScope(BasePermission):
    """The view's `scopes` say, method by method, which scope is needed; `"*"` is any other method.

    A view that names no scope for a method leaves that decision to itself, and still needs a valid token.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, Holder):
            raise Unauthenticated("Send the header `Authorization: Bearer <token>`.")
        scopes: dict[str, str] = getattr(view, "scopes", {})
        needed = scopes.get(request.method or "", scopes.get("*"))
        if needed is not None and not request.user.may(needed):
            raise Forbidden(f"The token {request.user.name!r} lacks the scope {needed!r}.")
        return True

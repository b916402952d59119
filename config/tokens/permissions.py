"""Checks a token's scopes before a view answers."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config.problems import Forbidden, Unauthenticated
from config.tokens.holder import Holder


class HasScope(BasePermission):
    """The view's `scopes` say, method by method, which scope is needed; `"*"` is any other method.

    `read` is that scope without restriction. `read:` is that scope for some service: the view then answers for those of
    `Holder.may_for` alone. `read:{service}` is that scope for the service which the address names. A view that names no
    scope for a method leaves that decision to itself, and still needs a valid token.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, Holder):
            raise Unauthenticated("Send the header `Authorization: Bearer <token>`.")
        scopes: dict[str, str] = getattr(view, "scopes", {})
        needed = scopes.get(request.method or "", scopes.get("*"))
        if needed is None:
            return True
        holder = request.user
        scope, separator, service = needed.format(**view.kwargs).partition(":")
        if not separator:
            is_allowed = holder.may(scope)
        else:
            is_allowed = holder.may_for(scope, service) if service else holder.may_some(scope)
        if not is_allowed:
            raise lacking(holder, f"{scope}{separator}{service}".rstrip(":"))
        return True


def lacking(holder: Holder, scope: str) -> Forbidden:
    """The refusal of a token that lacks a scope."""
    refusal = Forbidden(f"The token {holder.name!r} lacks the scope {scope!r}.")
    refusal.who = holder.name
    return refusal

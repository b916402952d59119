"""Making, finding and revoking tokens."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from config.problems import Invalid, NotFound, Unauthenticated
from config.tokens.models import Token

PREFIX = "rct_"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who a request comes from: the token's name and what it may do."""

    name: str
    scopes: frozenset[str]
    is_authenticated: bool = True

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def may_register(self, service: str) -> bool:
        """`register:grading` covers just that service, `register:team-*` all that begin so, `register:*` all."""
        return any(_covers(scope.removeprefix("register:"), service) for scope in self.scopes if ":" in scope)


def create(*, name: str, scopes: list[str], token: str | None = None) -> str:
    """Keep a token under a name of its own, which one that was revoked gives up, and return it: the only time it is
    seen whole.

    `token` is given where both sides of a connection were provisioned with it; otherwise it is made. Raises Invalid
    when the name is taken or malformed, or a scope is none that `settings.TOKEN_SCOPES` allows.
    """
    if not settings.TOKEN_SCOPES:
        raise Invalid("This service takes no tokens: make one at the service that is to take it.")
    if not NAME.fullmatch(name):
        raise Invalid(f"The name {name!r} is not one: use letters, digits, '.', '_' and '-', at most 100.")
    if not scopes:
        raise Invalid(f"The token needs at least one --scope: {allowed_scopes()}.")
    for scope in scopes:
        _check_scope(scope)
    token = token or PREFIX + secrets.token_urlsafe(32)
    _keep(name, token, scopes)
    return token


def ensure(*, name: str, scopes: list[str], token: str) -> None:
    """Make the token of that name be this one with these scopes: what provisioning calls at every start."""
    Token.objects.update_or_create(
        name=name,
        defaults={"prefix": token[:8], "digest": digest(token), "scopes": sorted(set(scopes)), "revoked_at": None},
    )


def revoke(*, name: str, now: datetime) -> Token:
    """Idempotent. Raises NotFound when there is no token of that name."""
    token = Token.objects.filter(name=name).first()
    if token is None:
        raise NotFound(f"There is no token named {name!r}: see list_tokens.")
    if token.revoked_at is None:
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
    return token


def holder(token: str) -> Holder:
    """Who holds `token`. Raises Unauthenticated when nobody does, or no longer."""
    kept = Token.objects.filter(digest=digest(token)).first()
    if kept is None:
        raise Unauthenticated("The token is not known here: make one with the create_token command.")
    if kept.revoked_at is not None:
        raise Unauthenticated(f"The token {kept.name!r} was revoked: make another with the create_token command.")
    return Holder(name=kept.name, scopes=frozenset(kept.scopes))


def holders(digests: Iterable[str]) -> dict[str, Holder]:
    """The holders of those of the tokens that are known and not revoked, by digest."""
    kept = Token.objects.filter(digest__in=list(digests), revoked_at=None).only("digest", "name", "scopes")
    return {each.digest: Holder(name=each.name, scopes=frozenset(each.scopes)) for each in kept}


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def allowed_scopes() -> str:
    return ", ".join(
        f"{scope}<service or prefix*>" if scope.endswith(":") else scope for scope in settings.TOKEN_SCOPES
    )


@transaction.atomic
def _keep(name: str, token: str, scopes: list[str]) -> None:
    Token.objects.filter(name=name, revoked_at__isnull=False).delete()
    if Token.objects.filter(name=name).exists():
        raise Invalid(f"There is a token named {name!r} already: choose another name, or revoke that one first.")
    Token.objects.create(name=name, prefix=token[:8], digest=digest(token), scopes=sorted(set(scopes)))


def _check_scope(scope: str) -> None:
    """`settings.TOKEN_SCOPES` lists the scopes; one that ends in `:` takes a service's name or a prefix and `*`."""
    for allowed in settings.TOKEN_SCOPES:
        if allowed == scope:
            return
        target = scope.removeprefix(allowed)
        if allowed.endswith(":") and target != scope and re.fullmatch(r"[a-z][a-z0-9-]{0,62}\*?|\*", target):
            return
    raise Invalid(f"{scope!r} is not a scope: use {allowed_scopes()}.")


def _covers(pattern: str, service: str) -> bool:
    return service.startswith(pattern[:-1]) if pattern.endswith("*") else service == pattern

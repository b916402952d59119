"""Making, finding, changing and revoking tokens."""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from config.problems import Invalid, NotFound, Unauthenticated
from config.tokens import audit
from config.tokens.holder import Holder as Holder
from config.tokens.models import AuditKind, Token

PREFIX = "rct_"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# A service's name, or a prefix and `*`.
SERVICES = re.compile(r"[a-z0-9][a-z0-9._-]{0,254}\*?|\*")
COMMAND = "create_token"
UNLIMITED_IN_TIME = (
    "SELECT name, scopes, limits FROM tokens_token WHERE digest = %s AND revoked_at IS NULL AND expires_at IS NULL"
)


def create(
    *,
    name: str,
    scopes: list[str],
    token: str | None = None,
    expires_at: datetime | None = None,
    limits: Mapping[str, int] | None = None,
    author: str = COMMAND,
    address: str = "",
) -> str:
    """Store a token under a name of its own, which a revoked one gives up, and return it, the only time it is shown.

    `token` is given when both sides of a connection were provisioned with it; otherwise it is made. Raises Invalid
    when the name is taken or malformed, a scope is not in `settings.TOKEN_SCOPES`, a limit not in
    `settings.TOKEN_LIMITS`, or the expiry has passed.
    """
    now = timezone.now()
    check(name=name, scopes=scopes, limits=limits or {}, expires_at=expires_at, now=now)
    token = token or PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        Token.objects.filter(name=name, revoked_at__isnull=False).delete()
        if Token.objects.filter(name=name).exists():
            raise Invalid(f"There is a token named {name!r} already: choose another name, or revoke that one first.")
        kept = Token.objects.create(
            name=name,
            prefix=token[:8],
            digest=digest(token),
            scopes=sorted(set(scopes)),
            expires_at=expires_at,
            limits=dict(limits or {}),
        )
        audit.record_change(AuditKind.CREATED, who=name, author=author, what=_described(kept), address=address, now=now)
    return token


def change(
    *,
    name: str,
    scopes: list[str],
    expires_at: datetime | None,
    limits: Mapping[str, int],
    author: str,
    address: str = "",
    now: datetime,
) -> None:
    """Give a token other scopes, another expiry and other limits. Raises Invalid, and NotFound."""
    check(name=name, scopes=scopes, limits=limits, expires_at=expires_at, now=now)
    with transaction.atomic():
        changed = Token.objects.filter(name=name).update(
            scopes=sorted(set(scopes)), expires_at=expires_at, limits=dict(limits)
        )
        if not changed:
            raise NotFound(f"There is no token named {name!r}: see list_tokens.")
        described = _described(Token.objects.get(name=name))
        audit.record_change(AuditKind.CHANGED, who=name, author=author, what=described, address=address, now=now)


def ensure(*, name: str, scopes: list[str], token: str) -> None:
    """Give the token of that name this secret and these scopes; provisioning calls it at every start."""
    wanted = {"prefix": token[:8], "digest": digest(token), "scopes": sorted(set(scopes)), "revoked_at": None}
    with transaction.atomic():
        if Token.objects.filter(name=name, **wanted).exists():
            return
        kept, is_new = Token.objects.update_or_create(name=name, defaults=wanted)
        kind = AuditKind.CREATED if is_new else AuditKind.CHANGED
        audit.record_change(kind, who=name, author="provision", what=_described(kept), now=timezone.now())


def revoke(*, name: str, now: datetime, author: str = "revoke_token", address: str = "", reason: str = "") -> Token:
    """Idempotent. Raises NotFound when there is no token of that name."""
    with transaction.atomic():
        token = Token.objects.filter(name=name).first()
        if token is None:
            raise NotFound(f"There is no token named {name!r}: see list_tokens.")
        if token.revoked_at is None:
            token.revoked_at = now
            token.save(update_fields=["revoked_at"])
            what = f"revoked: {reason}" if reason else "revoked"
            audit.record_change(AuditKind.REVOKED, who=name, author=author, what=what, address=address, now=now)
    return token


def holder(token: str) -> Holder:
    """The holder of `token`. Raises Unauthenticated for an unknown, revoked or expired token."""
    hashed = digest(token)
    # By SQL, as each request asks this where no process keeps tokens, and Django takes ten times as long to compose it.
    with connection.cursor() as cursor:
        cursor.execute(UNLIMITED_IN_TIME, [hashed])
        if (found := cursor.fetchone()) is not None:
            name, scopes, limits = found
            return Holder(name=name, scopes=frozenset(json.loads(scopes)), limits=json.loads(limits))
    kept = Token.objects.filter(digest=hashed).first()
    if kept is None:
        # The service is named, because a wrong port leads to another service, which refuses the token in the same way.
        service = settings.SERVICE.name
        raise Unauthenticated(
            f"The token is not known to {service}: make one with `manage.py {service} create_token`, or ask the "
            "service that it is for."
        )
    if kept.revoked_at is not None:
        raise _refused(kept, "was revoked")
    if kept.expires_at is not None and kept.expires_at <= timezone.now():
        raise _refused(kept, "has expired")
    return holder_of(kept)


def holders(digests: Iterable[str]) -> dict[str, Holder]:
    """The holders of the valid ones among these tokens, by digest."""
    is_valid = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    kept = Token.objects.filter(is_valid, digest__in=list(digests)).only("digest", "name", "scopes", "limits")
    return {each.digest: holder_of(each) for each in kept}


def holder_of(kept: Token) -> Holder:
    return Holder(name=kept.name, scopes=frozenset(kept.scopes), limits=kept.limits)


def check(
    *, name: str, scopes: list[str], limits: Mapping[str, int], expires_at: datetime | None, now: datetime
) -> None:
    """Check a token's name, scopes, limits and expiry. Raises Invalid."""
    if not settings.TOKEN_SCOPES:
        raise Invalid("This service takes no tokens: make one at the service that is to take it.")
    if not NAME.fullmatch(name):
        raise Invalid(f"The name {name!r} is not one: use letters, digits, '.', '_' and '-', at most 100.")
    if not scopes:
        raise Invalid(f"The token needs at least one --scope: {allowed_scopes()}.")
    for scope in scopes:
        # One that ends in `:` takes a service's name or a prefix and `*`.
        kind, _, service = scope.partition(":")
        is_open = f"{kind}:" in settings.TOKEN_SCOPES and SERVICES.fullmatch(service) is not None
        if not is_open and (scope.endswith(":") or scope not in settings.TOKEN_SCOPES):
            raise Invalid(f"{scope!r} is not a scope: use {allowed_scopes()}.")
    for limit, value in limits.items():
        if limit not in settings.TOKEN_LIMITS or not 0 <= value < 2**31:
            raise Invalid(
                f"{limit}={value} is not a limit: use one of {', '.join(settings.TOKEN_LIMITS)} "
                "with a whole number, 0 for no limit."
            )
    if expires_at is not None and expires_at <= now:
        raise Invalid("The token would have expired already: let it end in the future.")


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def allowed_scopes() -> str:
    return ", ".join(
        f"{scope}<service or prefix*>" if scope.endswith(":") else scope for scope in settings.TOKEN_SCOPES
    )


def _refused(kept: Token, reason: str) -> Unauthenticated:
    refusal = Unauthenticated(f"The token {kept.name!r} {reason}: make another with the create_token command.")
    refusal.who = kept.name
    return refusal


def _described(token: Token) -> str:
    limits = "".join(f", {name} {value}" for name, value in sorted(token.limits.items()))
    expiry = f", until {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else ""
    return f"{' '.join(token.scopes)}{limits}{expiry}"

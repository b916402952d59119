"""Request headers: the acting person, the version of a grade that they saw, and the key of a repeatable request."""

import re
from urllib.parse import unquote_to_bytes

from rest_framework.request import Request

from config.problems import Forbidden, Problem
from config.tokens.issuing import Holder
from grading.access import Actor
from grading.models import Grade

_USERNAME = re.compile(r"[\w.@+-]{1,150}")
_VERSION = re.compile(r'"(0|[1-9][0-9]{0,8})"')


def actor(request: Request, holder: Holder) -> Actor:
    """A token with the scope `act-for` never acts for itself, and no other acts for anybody. Raises Forbidden."""
    header = request.headers.get("Rollcall-Act-For", "")
    if not holder.may("act-for"):
        if header:
            raise Forbidden(f"The token {holder.name!r} lacks the scope 'act-for': leave `Rollcall-Act-For` out.")
        return Actor.token(holder.name, via=_via(request, holder))
    if not header:
        raise Forbidden(
            f"The token {holder.name!r} acts for people: say for whom with the header `Rollcall-Act-For: <username>`."
        )
    return Actor.person(_username(header), via=_via(request, holder))


def expected_version(request: Request) -> int | None:
    """From `If-Match: "<version>"` or `If-None-Match: *`; None when there is neither."""
    if_match, if_none_match = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if if_match is not None and if_none_match is not None:
        raise Problem("Send either `If-Match` or `If-None-Match`, not both.")
    if if_none_match is not None:
        if if_none_match.strip() != "*":
            raise Problem("The only `If-None-Match` that a grade takes is `*`: store it unless there is one.")
        return 0
    return None if if_match is None else _version(if_match)


def etag(grade: Grade | None) -> str:
    return f'"{grade.version if grade else 0}"'


def idempotency_key(request: Request) -> str | None:
    """Raises Problem for a key that is empty, too long or not printable ASCII."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise Problem("`Idempotency-Key` takes 1 to 255 printable ASCII characters without blanks, such as a UUID.")
    return key


def _via(request: Request, holder: Holder) -> str:
    return f"{holder.name} {request.META.get('REMOTE_ADDR', '')}".strip()


def _version(header: str) -> int:
    """`*` would allow overwriting what was never seen, so it is none."""
    match = _VERSION.fullmatch(header.strip())
    if match is None:
        raise Problem('`If-Match` names one version of the grade, such as `If-Match: "3"`: send the one you saw.')
    return int(match[1])


def _username(header: str) -> str:
    """Beyond ASCII it comes as UTF-8, percent-encoded or as it is."""
    try:
        username = unquote_to_bytes(header.strip().encode("latin-1")).decode()
    except UnicodeError:
        username = ""
    if not _USERNAME.fullmatch(username):
        raise Problem("`Rollcall-Act-For` names no person: send a username of letters, digits and . @ + - _ only.")
    return username

"""Request headers: the acting person, the version of a grade that they saw, and the key of a repeatable request."""

import re

from rest_framework.request import Request

from config.problems import Forbidden, Problem
from config.tokens import acting
from config.tokens.issuing import Holder
from grading.access import Actor
from grading.models import Grade

_VERSION = re.compile(r'"(0|[1-9][0-9]{0,8})"')


def actor(request: Request, holder: Holder) -> Actor:
    """A token with the scope `act-for` never acts for itself, and no other acts for anybody. Raises Forbidden."""
    username = acting.person(request, holder=holder)
    via = f"{holder.name} {request.META.get('REMOTE_ADDR', '')}".strip()
    if username is not None:
        return Actor.person(username, via=via)
    if holder.may(acting.SCOPE):
        raise Forbidden(
            f"The token {holder.name!r} acts for people: say for whom with the header `{acting.HEADER}: <username>`."
        )
    return Actor.token(holder.name, via=via)


def expected_version(request: Request) -> int | None:
    """The version from `If-Match: "<version>"` or `If-None-Match: *`; None when there is neither."""
    if_match, if_none_match = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if if_match is not None and if_none_match is not None:
        raise Problem("Send either `If-Match` or `If-None-Match`, not both.")
    if if_none_match is not None:
        if if_none_match.strip() != "*":
            raise Problem("The only `If-None-Match` that a grade takes is `*`: store it unless there is one.")
        return 0
    if if_match is None:
        return None
    # `*` would allow overwriting what was never seen, so it is no version.
    match = _VERSION.fullmatch(if_match.strip())
    if match is None:
        raise Problem('`If-Match` names one version of the grade, such as `If-Match: "3"`: send the one you saw.')
    return int(match[1])


def etag(grade: Grade | None) -> str:
    return f'"{grade.version if grade else 0}"'


def idempotency_key(request: Request) -> str | None:
    """Raises Problem for a key that is empty, too long or not printable ASCII."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise Problem("`Idempotency-Key` takes 1 to 255 printable ASCII characters without blanks, such as a UUID.")
    return key

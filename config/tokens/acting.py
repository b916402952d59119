"""`Rollcall-Act-For`: the person for whom a token acts, named only by tokens with the scope `act-for`."""

import re
from urllib.parse import unquote_to_bytes

from rest_framework.request import Request

from config.escaping import is_invisible
from config.problems import Forbidden, Problem
from config.tokens.issuing import Holder

HEADER = "Rollcall-Act-For"
SCOPE = "act-for"
_USERNAME = re.compile(r"[\w.@+-]{1,150}")


def person(request: Request, *, holder: Holder) -> str | None:
    """The person's username; None when the token acts for itself.

    Beyond ASCII it comes as UTF-8, percent-encoded or as it is. Raises Forbidden for a token without the scope, Problem
    for what is not a username.
    """
    header = request.headers.get(HEADER, "")
    if not header:
        return None
    if not holder.may(SCOPE):
        raise Forbidden(f"The token {holder.name!r} lacks the scope '{SCOPE}': leave `{HEADER}` out.")
    try:
        username = unquote_to_bytes(header.strip().encode("latin-1")).decode()
    except UnicodeError:
        username = ""
    # Some invisible characters count as letters.
    if not _USERNAME.fullmatch(username) or any(map(is_invisible, username)):
        raise Problem(f"`{HEADER}` names no person: send a username of letters, digits and . @ + - _ only.")
    return username

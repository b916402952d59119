"""Request bodies, decoded straight into drafts: a number becomes a Decimal without ever being a binary float."""

import re
from typing import Any, TypeVar

import msgspec
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from config import parsers
from config.problems import Invalid
from grading.drafts import MemberError

Draft = TypeVar("Draft")

# How msgspec says where: "Expected `str`, got `int` - at `$.categories[0].title`".
_PLACED = re.compile(r"(?P<detail>.*) - at `\$(?P<path>[^`]*)`", re.DOTALL)

# Shown to people who type grades, too.
_PLAINER = {"Invalid decimal string": "Expected a number, such as 9.5."}


class UndecodedParser(BaseParser):
    """Leaves the bytes of a JSON body to `decode`, which knows what they are to become."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream.read()


def decode(request: Request, draft: type[Draft]) -> Draft:
    """The request's body as a draft; members it does not know are left out. Raises Problem or Invalid."""
    body = request.data if isinstance(request.data, bytes) else b""
    parsers.decode(body)
    try:
        return msgspec.json.decode(body, type=draft)
    except msgspec.ValidationError as error:
        raise Invalid("See `errors` for each member.", errors=[_fault(error)]) from error


def _fault(error: msgspec.ValidationError) -> dict[str, str]:
    match = _PLACED.fullmatch(str(error))
    detail, path = (match["detail"], match["path"]) if match else (str(error), "")
    detail = _PLAINER.get(detail, f"{detail}.")
    pointer = re.sub(r"\.|\[(\d+)\]", r"/\1", path)
    cause = error.__cause__
    if isinstance(cause, MemberError):
        return {"pointer": f"{pointer}/{cause.member}", "detail": cause.detail}
    return {"pointer": pointer or "/", "detail": detail}

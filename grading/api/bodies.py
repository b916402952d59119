"""Request bodies, decoded straight into drafts: a number becomes a Decimal without ever being a binary float."""

import re
from typing import Any, TypeVar

import msgspec
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from config import parsers
from config.problems import Invalid
from grading.drafts import RULES, MemberError
from grading.models import Kind, Scheme

Draft = TypeVar("Draft")

# How msgspec says where: "Expected `str`, got `int` - at `$.categories[0].title`".
_PLACED = re.compile(r"(?P<detail>.*) - at `\$(?P<path>[^`]*)`", re.DOTALL)

# Shown to people who type grades, too.
_PLAINER = {
    "Invalid decimal string": "Expected a number, such as 9.5.",
    **{f"Expected `str` matching regex {pattern!r}": rule for pattern, rule in RULES.items()},
}
_MISSING = re.compile(r"Object missing required field `(?P<name>.+)`")
_CHOICES = {"kind": Kind.values, "scheme": Scheme.values}


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
    pointer = re.sub(r"\.|\[(\d+)\]", r"/\1", path)
    if missing := _MISSING.fullmatch(detail):
        return {"pointer": f"{pointer}/{missing['name']}", "detail": "It is required."}
    if detail.startswith("Invalid enum value "):
        choices = ", ".join(_CHOICES[pointer.rpartition("/")[2]])
        return {"pointer": pointer, "detail": f"{detail.removeprefix('Invalid enum value ')} is none of {choices}."}
    detail = _PLAINER.get(detail, f"{detail}.")
    cause = error.__cause__
    if isinstance(cause, MemberError):
        return {"pointer": f"{pointer}/{cause.member}", "detail": cause.detail}
    return {"pointer": pointer or "/", "detail": detail}

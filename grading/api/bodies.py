"""Request bodies, decoded straight into drafts: a number becomes a Decimal without ever being a binary float."""

import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from config import parsers, shapes
from config.problems import Invalid
from grading.drafts import AMOUNT_RULE, FEW, MANY, PLAIN_AMOUNT, RULES, MemberError
from grading.models import Kind, Role, Scheme, State, Status

Draft = TypeVar("Draft")

# The form of msgspec's messages: "Expected `str`, got `int` - at `$.categories[0].title`".
_PLACED = re.compile(r"(?P<detail>.*) - at `\$(?P<path>[^`]*)`", re.DOTALL)

# Shown to people who type grades, too.
_PLAINER = {
    "Invalid decimal string": AMOUNT_RULE,
    **{f"Expected `array` of length <= {most}": f"Expected at most {most} of them." for most in (FEW, MANY)},
    **{f"Expected `str` matching regex {pattern!r}": rule for pattern, rule in RULES.items()},
}
_MISSING = re.compile(r"Object missing required field `(?P<name>.+)`")
_CHOICES = {
    "kind": Kind.values,
    "scheme": Scheme.values,
    "role": Role.values,
    "state": State.values,
    "status": Status.values,
}
_AMOUNTS = frozenset({"score", "points", "weight", "late_deduction", "least_percent"})


class UndecodedParser(BaseParser):
    """Leaves the bytes of a JSON body to `decode`, which knows what they are to become."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream.read()


def decode(request: Request, draft: type[Draft]) -> Draft:
    """The request's body as a draft; members it does not know are left out. Raises Problem or Invalid."""
    body = request.data if isinstance(request.data, bytes) else b""
    parsers.decode(body)
    faults = list(_amount_faults(_WRITTEN.decode(body)))
    if faults:
        raise Invalid("See `errors` for each member.", errors=faults)
    try:
        return shapes.decoder(draft).decode(body)
    except msgspec.ValidationError as error:
        raise Invalid("See `errors` for each member.", errors=[_fault(error)]) from error


class _Written(str):
    """A number with a fraction or an exponent, as it was written."""

    __slots__ = ()


_WRITTEN = msgspec.json.Decoder(float_hook=_Written)


def _amount_faults(value: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    """Amounts that are no plain numbers, by the text that was sent: Python reads "1_0" and "1e1" as numbers, too."""
    if isinstance(value, list):
        for index, member in enumerate(value):
            yield from _amount_faults(member, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, member in value.items():
            place = f"{pointer}/{name}"
            if name not in _AMOUNTS or isinstance(member, list | dict):
                yield from _amount_faults(member, place)
            elif (
                isinstance(member, str | int)
                and not isinstance(member, bool)
                and not PLAIN_AMOUNT.fullmatch(str(member))
            ):
                yield {"pointer": place, "detail": AMOUNT_RULE}


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

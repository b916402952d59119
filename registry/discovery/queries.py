"""The query parameters of reads, checked; the API's description is made from these structs too."""

from functools import cache, lru_cache
from typing import TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct, inspect

from config import shapes
from config.problems import Invalid
from registry.wire.limits import InstanceName, Label, Limit, Revision, ServiceName, ShownStatus, Tag, Wait
from registry.wire.validation import invalid

LONGEST_WAIT_SECONDS = 300.0
USUAL_WAIT = "30s"
# The longest query that is kept interpreted.
MOST_KNOWN_LENGTH = 1024
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}


class Nothing(Struct, frozen=True, kw_only=True):
    """No parameters."""


class Read(Struct, frozen=True, kw_only=True):
    """`consistent` reads the database whatever is in memory; `at_least` asks for that revision or a later one."""

    consistent: bool = False
    at_least: Revision | None = None


class Services(Read, frozen=True, kw_only=True):
    limit: Limit | None = None
    cursor: ServiceName | None = None


class Waiting(Read, frozen=True, kw_only=True):
    """`after` and `wait` make the read wait for a change."""

    after: Revision | None = None
    wait: Wait | None = None

    def __post_init__(self) -> None:
        if self.wait is not None and self.after is None:
            raise ValueError("`wait` needs `after`: the revision after which a change is waited for")

    @property
    def wait_seconds(self) -> float:
        return seconds(self.wait or USUAL_WAIT)


class Instances(Waiting, frozen=True, kw_only=True):
    """`after` and `wait` wait for a change of the service; `cursor` is the `next` of the page before."""

    status: ShownStatus | None = None
    tag: Tag | None = None
    zone: Label | None = None
    version: Label | None = None
    limit: Limit | None = None
    cursor: InstanceName | None = None


class Targets(Read, frozen=True, kw_only=True):
    """`service` may be given several times."""

    service: tuple[ServiceName, ...] = ()
    tag: Tag | None = None
    zone: Label | None = None
    version: Label | None = None


class Events(Struct, frozen=True, kw_only=True):
    """`service` may be given several times; `after` is the last revision that was seen."""

    service: tuple[ServiceName, ...] = ()
    after: Revision | None = None


Query = TypeVar("Query", bound=Struct)


def parse(kind: type[Query], query: str) -> Query:
    """Raises Invalid, which names each wrong or unknown parameter: a misspelt filter would find everything."""
    return (_known if len(query) <= MOST_KNOWN_LENGTH else _parse)(kind, query)


def _parse(kind: type[Query], query: str) -> Query:
    given = parse_qs(query, keep_blank_values=True, errors="replace")
    known = kind.__struct_fields__
    if unknown := [name for name in given if name not in known]:
        detail = f"There is no such parameter: {'use ' + ', '.join(known) if known else 'this takes none'}."
        errors = [{"pointer": f"/{name}", "detail": detail} for name in unknown]
        raise Invalid("See `errors` for each member.", errors=errors)
    members: dict[str, str | list[str]] = {}
    several = _several(kind)
    wrong = []
    for name, values in given.items():
        if len(values) > 1 and name not in several:
            wrong.append({"pointer": f"/{name}", "detail": "It is given more than once: give it once."})
        elif any("\0" in value for value in values):
            wrong.append({"pointer": f"/{name}", "detail": "It holds the character U+0000: leave it out."})
        elif name == "consistent" and values == [""]:
            members[name] = "true"
        else:
            members[name] = values if name in several else values[0]
    if wrong:
        raise Invalid("See `errors` for each member.", errors=wrong)
    shapes.decoder(kind)
    try:
        converted = msgspec.convert(members, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error, kind) from error
    # None stands for a parameter that was not given; `null` may not say so.
    nulls = [name for name in members if getattr(converted, name) is None]
    # msgspec also takes `1e1` and `-0` for whole numbers.
    odd = [name for name, value in members.items() if type(getattr(converted, name)) is int and not _is_digits(value)]
    if odd:
        errors = [{"pointer": f"/{name}", "detail": "Write a whole number in digits alone."} for name in odd]
        raise Invalid("See `errors` for each member.", errors=errors)
    if nulls:
        errors = [{"pointer": f"/{name}", "detail": f"{members[name]!r} is no value: leave it out."} for name in nulls]
        raise Invalid("See `errors` for each member.", errors=errors)
    return converted


def _is_digits(value: str | list[str]) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdecimal()


_known = lru_cache(maxsize=4096)(_parse)


@cache
def _several(kind: type[Struct]) -> frozenset[str]:
    """The parameters that may be given more than once. Cached: to describe a type takes longer than to read a page."""
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return frozenset(each.name for each in described.fields if isinstance(each.type, inspect.VarTupleType))


def seconds(wait: str) -> float:
    """`30s`, `500ms`, `1.5m`, or a bare number of seconds. Raises Invalid when it is longer than is waited for."""
    number = wait.rstrip("ms")
    found = float(number) * _UNITS[wait.removeprefix(number)]
    if found > LONGEST_WAIT_SECONDS:
        detail = f"At most {LONGEST_WAIT_SECONDS:g} s are waited: ask again after that."
        raise Invalid("See `errors` for each member.", errors=[{"pointer": "/wait", "detail": detail}])
    return found

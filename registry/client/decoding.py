"""Decodes JSON values into frozen dataclasses: unknown members are ignored, the types of the others are checked."""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from .errors import UnexpectedAnswerError

T = TypeVar("T")
Decoder = Callable[[Any, str], Any]


def decode(cls: type[T], value: object) -> T:
    """Decode a value. Raises UnexpectedAnswerError, which names the wrong member by its JSON pointer."""
    decoded: T = _decoder(cast(Hashable, cls))(value, "")
    return decoded


@functools.cache
def _decoder(annotation: Any) -> Decoder:
    if dataclasses.is_dataclass(annotation):
        return _object_decoder(cast(type, annotation))
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        (given,) = (argument for argument in arguments if argument is not types.NoneType)
        decoder = _decoder(given)
        return lambda value, pointer: None if value is None else decoder(value, pointer)
    if origin is Sequence:
        return _sequence_decoder(arguments[0])
    if origin is Mapping:
        decoder = _decoder(arguments[1])

        def decode_mapping(value: Any, pointer: str) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise _mismatch("an object", value, pointer)
            return {name: decoder(member, f"{pointer}/{name}") for name, member in value.items()}

        return decode_mapping
    if annotation is datetime:
        return _decode_datetime

    def decode_scalar(value: Any, pointer: str) -> Any:
        if annotation is float and type(value) is int:
            return float(value)
        if type(value) is not annotation:
            raise _mismatch(annotation.__name__, value, pointer)
        return value

    return decode_scalar


def _object_decoder(cls: type) -> Decoder:
    hints = typing.get_type_hints(cls)
    fields = []
    for field in dataclasses.fields(cls):
        is_required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        fields.append((field.name, _decoder(hints[field.name]), is_required))

    def decode_object(value: Any, pointer: str) -> Any:
        if not isinstance(value, dict):
            raise _mismatch("an object", value, pointer)
        members = {}
        for name, decoder, is_required in fields:
            if name in value:
                members[name] = decoder(value[name], f"{pointer}/{name}")
            elif is_required:
                raise UnexpectedAnswerError(f"{pointer}/{name} is missing")
        return cls(**members)

    return decode_object


def _sequence_decoder(annotation: Any) -> Decoder:
    decoder = _decoder(annotation)

    def decode_sequence(value: Any, pointer: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _mismatch("a list", value, pointer)
        return tuple(decoder(item, f"{pointer}/{index}") for index, item in enumerate(value))

    return decode_sequence


def _decode_datetime(value: Any, pointer: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _mismatch("a time", value, pointer) from error


def _mismatch(expected: str, value: object, pointer: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(f"{pointer or '/'} should be {expected}, and is {str(value)[:60]!r}")

"""A record's terms in the full-text index: its words, and a tag for each value that a query can match exactly."""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from logsvc import severity
from logsvc.query.matching import value_text
from logsvc.query.words import fold, words
from logsvc.record import Record, exception_text

# Between body and exception, so that no phrase reaches from the one into the other.
BREAK = "___"
LEVEL_TAGS = tuple(f"l{number}" for number in range(len(severity.RANGES)))
NO_TAG = "none"
# Longer texts are seldom the same, and take memory.
_REMEMBERED_LENGTH = 100


def tag(kind: str, value: str) -> str:
    """A token for any text: one word of letters and digits, whatever the text holds."""
    return kind + blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


cached_tag = lru_cache(maxsize=20_000)(tag)


def level_tag(number: int) -> str:
    return LEVEL_TAGS[min((number + 3) // 4, len(LEVEL_TAGS) - 1)]


def tag_text(record: Record) -> str:
    """The tags of a record with blanks between them."""
    found = [_names(record.severity, record.service, record.instance, record.host, record.logger, record.token)]
    if record.trace_id:
        found.append("t" + record.trace_id)
    if record.span_id:
        found.append("p" + record.span_id)
    for name, value in record.attributes.items():
        kind = type(value)
        text = value if kind is str else str(value) if kind is int else value_text(value)
        if len(text) <= _REMEMBERED_LENGTH:
            found.append(_attribute(name, text))
        else:
            found += (cached_tag("e", name), attribute_tag(name, text))
        if kind is dict:
            for path, inner in _leaves(value, f"{name}."):
                found += (cached_tag("e", path), attribute_tag(path, value_text(inner)))
    return " ".join(found)


@lru_cache(maxsize=20_000)
def _attribute(name: str, text: str) -> str:
    """The tags of a name and of its value; most values come again, such as a status, a method or a user."""
    return f"{cached_tag('e', name)} {attribute_tag(name, text)}"


@lru_cache(maxsize=20_000)
def _names(severity: int, service: str, instance: str, host: str, logger: str, token: str) -> str:
    """The tags of a record's level and names, which many records share."""
    found = [level_tag(severity), tag("s", service)]
    if instance:
        found += (tag("n", instance), instance_tag(service, instance))
    if logger:
        found.append(tag("g", logger))
    if token:
        found.append(tag("k", token))
    if host:
        found.append(tag("h", host))
    return " ".join(found)


def instance_tag(service: str, instance: str) -> str:
    return cached_tag("i", f"{service}\0{instance}")


def attribute_tag(path: str, text: str) -> str:
    folded = text.lower() if text.isascii() else fold(text)
    return "a" + blake2b(f"{path}\0{folded}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def texts(record: Record) -> Iterator[str]:
    """Body and exception, each folded."""
    yield fold(record.body)
    exception = exception_text(record)
    if exception:
        yield fold(exception)


def ordered_words(record: Record) -> list[str]:
    """The words in order, with an empty one between body and exception."""
    found: list[str] = []
    for text in texts(record):
        found += ["", *words(text)] if found else words(text)
    return found


def word_text(record: Record) -> str:
    """The words with blanks between them. A plain ASCII text stands for itself: the index splits it the same way."""
    exception = exception_text(record)
    if record.body.isascii() and exception.isascii():
        return f"{record.body} {BREAK} {exception}" if exception else record.body
    return f" {BREAK} ".join(" ".join(words(text)) for text in texts(record))


def _leaves(members: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        path = prefix + name
        yield path, value
        if type(value) is dict:
            yield from _leaves(value, f"{path}.")

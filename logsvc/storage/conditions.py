"""Compiles a query to conditions on the full-text index: they miss no match, and `is_exact` means no false ones."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

from logsvc import severity
from logsvc.query import ast
from logsvc.query.matching import level_bounds, matches
from logsvc.query.words import LONGEST_WORD, fold, words
from logsvc.record import Record
from logsvc.storage import terms


@dataclass(frozen=True)
class Tag:
    name: str


@dataclass(frozen=True)
class Phrase:
    words: tuple[str, ...]
    is_prefix: bool


@dataclass(frozen=True)
class Every:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Some:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Without:
    part: "Node"


SHORTEST_PREFIX = 3
# More services than this are not named one by one: what looks for them reads record by record.
SERVICES_AT_MOST = 1000
Node: TypeAlias = Tag | Phrase | Every | Some | Without
NOTHING = Tag(terms.NO_TAG)
ANYTHING = Some(tuple(map(Tag, terms.LEVEL_TAGS)))


@dataclass(frozen=True)
class Condition:
    """A condition on the index; `node` is None when the index cannot narrow the search."""

    node: Node | None
    is_exact: bool


def compile_query(query: ast.Query, services: Callable[[], Collection[str]]) -> Condition:
    """Compile a query; `services` gives the names of all services that have records."""
    match query:
        case ast.Everything():
            return Condition(None, True)
        case ast.All(parts):
            found = [compile_query(part, services) for part in parts]
            nodes = tuple(each.node for each in found if each.node is not None)
            return Condition(Every(nodes) if nodes else None, all(each.is_exact for each in found))
        case ast.AnyOf(parts):
            found = [compile_query(part, services) for part in parts]
            if any(each.node is None for each in found):
                return Condition(None, any(each.node is None and each.is_exact for each in found))
            nodes = tuple(each.node for each in found if each.node is not None)
            return Condition(Some(nodes) if nodes else NOTHING, all(each.is_exact for each in found))
        case ast.Not(part):
            inner = compile_query(part, services)
            if not inner.is_exact:
                return Condition(None, False)
            return Condition(NOTHING if inner.node is None else Without(inner.node), True)
        case ast.Words():
            return _words(query)
        case ast.LevelIs():
            low, high = level_bounds(query)
            ranges = [each for each in severity.RANGES if low <= each <= high]
            return Condition(Some(tuple(Tag(terms.level_tag(each)) for each in ranges)) if ranges else NOTHING, True)
        case ast.Equals():
            return _equals(query, services)
        case ast.AttributeIs(name, _, True) | ast.HasAttribute(name):
            return Condition(Tag(terms.cached_tag("e", name)), isinstance(query, ast.HasAttribute))
        case ast.AttributeIs(name, value):
            return Condition(Tag(terms.attribute_tag(name, value)), True)
        case ast.MatchesPattern(field=ast.Field.SERVICE):
            return _services(query, services)
    return Condition(None, False)


def narrow(condition: Condition, tag: str) -> Node:
    """Require a tag in addition to the condition."""
    return Tag(tag) if condition.node is None else Every((Tag(tag), condition.node))


def is_countable(query: ast.Query) -> bool:
    """Whether service and level alone decide, so that counts need no record."""
    match query:
        case ast.All(parts) | ast.AnyOf(parts):
            return all(map(is_countable, parts))
        case ast.Not(part):
            return is_countable(part)
        case ast.Equals(field=field) | ast.MatchesPattern(field=field):
            return field is ast.Field.SERVICE
    return isinstance(query, ast.Everything | ast.LevelIs)


def named_services(query: ast.Query) -> frozenset[str] | None:
    """The services of which alone a record can match, where the query names each of them; else None."""
    match query:
        case ast.Equals(ast.Field.SERVICE, value, False):
            return frozenset({value})
        case ast.All(parts):
            named = [found for part in parts if (found := named_services(part)) is not None]
            return frozenset.intersection(*named) if named else None
        case ast.AnyOf(parts):
            some = [found for part in parts if (found := named_services(part)) is not None]
            return frozenset().union(*some) if len(some) == len(parts) else None
    return None


def representative(service: str, level: str) -> Record:
    """A record of that service and level, for queries that look at nothing else."""
    return Record(time_ns=0, observed_ns=0, service=service, body="", severity=severity.Severity[level])


def _words(query: ast.Words) -> Condition:
    folded = fold(query.text)
    wanted = words(folded)
    if not wanted:
        return Condition(None, False)
    is_plain = folded == " ".join(wanted)
    if any(len(word) >= LONGEST_WORD for word in wanted):
        # Cut in the index: each for itself, as the beginning of a word.
        return Condition(Every(tuple(Phrase((word,), True) for word in wanted)), False)
    if query.is_prefix and wanted[-1].isascii() and len(wanted[-1]) < SHORTEST_PREFIX:
        # An index would merge the lists of all words that begin so; many records have one, and reading soon finds some.
        return Condition(Phrase(tuple(wanted[:-1]), False) if wanted[:-1] else None, False)
    return Condition(Phrase(tuple(wanted), query.is_prefix), is_plain)


_KINDS = {
    ast.Field.SERVICE: "s",
    ast.Field.INSTANCE: "n",
    ast.Field.HOST: "h",
    ast.Field.LOGGER: "g",
    ast.Field.TOKEN: "k",
}


def _equals(query: ast.Equals, services: Callable[[], Collection[str]]) -> Condition:
    if query.is_prefix or not query.value:
        return _services(query, services) if query.field is ast.Field.SERVICE else Condition(None, False)
    match query.field:
        case ast.Field.TRACE | ast.Field.SPAN:
            letter = "t" if query.field is ast.Field.TRACE else "p"
            if not (query.value.isascii() and query.value.isalnum()):
                return Condition(NOTHING, True)
            return Condition(Tag(letter + query.value.lower()), query.value.islower() or query.value.isdecimal())
        case ast.Field.UID:
            return Condition(None, False)
    return Condition(Tag(terms.cached_tag(_KINDS[query.field], query.value)), True)


def _services(query: ast.Query, services: Callable[[], Collection[str]]) -> Condition:
    found = [name for name in services() if matches(query, representative(name, "INFO"))]
    if len(found) > SERVICES_AT_MOST:
        return Condition(None, False)
    return Condition(Some(tuple(Tag(terms.cached_tag("s", name)) for name in found)) if found else NOTHING, True)

"""The services that a token may log for, and those whose records it may read."""

from dataclasses import dataclass

from config.tokens.holder import Holder
from config.tokens.permissions import lacking
from logsvc.query import ast
from logsvc.query.ast import Query


@dataclass(frozen=True)
class Services:
    """A set of services: all, or those that a pattern covers; `team-*` covers all that begin so."""

    are_all: bool
    patterns: tuple[str, ...] = ()

    def __contains__(self, service: object) -> bool:
        if self.are_all:
            return True
        return isinstance(service, str) and any(
            service.startswith(pattern[:-1]) if pattern.endswith("*") else service == pattern
            for pattern in self.patterns
        )

    def restrict(self, query: Query) -> Query:
        """The query, for these services alone."""
        if self.are_all:
            return query
        allowed = ast.AnyOf(
            tuple(
                ast.Equals(ast.Field.SERVICE, pattern.removesuffix("*"), pattern.endswith("*"))
                for pattern in self.patterns
            )
        )
        return ast.both(allowed, query)


def writable(holder: Holder) -> Services:
    """Raises Forbidden for a token that may write nothing."""
    return _services(holder, "write")


def readable(holder: Holder) -> Services:
    """Raises Forbidden for a token that may read nothing."""
    return _services(holder, "read")


def own_service(holder: Holder, services: Services) -> str:
    """The service of a record that names none: the token's name, which is the service's by custom, else the only one
    that the token may log for; "" where neither says.
    """
    if holder.name in services:
        return holder.name
    exact = [pattern for pattern in services.patterns if not pattern.endswith("*")]
    return exact[0] if len(exact) == 1 else ""


def _services(holder: Holder, verb: str) -> Services:
    if holder.may(f"log:{verb}") or holder.may(verb):
        return Services(are_all=True)
    patterns = holder.patterns(verb)
    if not patterns:
        raise lacking(holder, f"log:{verb}")
    return Services(are_all=False, patterns=patterns)

"""The holder of a token: its name and scopes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Holder:
    name: str
    scopes: frozenset[str]
    # Its own limits, which override settings.TOKEN_LIMITS.
    limits: Mapping[str, int] = field(default_factory=dict)
    is_authenticated: bool = True

    def may(self, scope: str) -> bool:
        """Whether it holds that scope without restriction: `read`, or `read:*`."""
        return scope in self.scopes or f"{scope}:*" in self.scopes

    def may_for(self, scope: str, service: str) -> bool:
        """Whether it may do so for that service: `read` and `read:*` cover all, `read:team-*` those that begin so."""
        return scope in self.scopes or any(
            service.startswith(pattern[:-1]) if pattern.endswith("*") else service == pattern
            for pattern in self._patterns.get(scope, ())
        )

    def may_some(self, scope: str) -> bool:
        """Whether it may do so for any service at all; the view then answers only for those of `may_for`."""
        return scope in self.scopes or scope in self._patterns

    def patterns(self, scope: str) -> tuple[str, ...]:
        """The services and prefixes that the scope covers, for a query that is to find only these; `*` is all."""
        return ("*",) if self.may(scope) else tuple(sorted(self._patterns.get(scope, ())))

    def may_register(self, service: str) -> bool:
        return self.may_for("register", service)

    @cached_property
    def _patterns(self) -> Mapping[str, Sequence[str]]:
        """The services and prefixes that each restricted scope names."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for each in self.scopes:
            scope, colon, pattern = each.partition(":")
            if colon:
                found[scope].append(pattern)
        return found

"""Searches of the log as people write them: narrowed by a click, completed as they are typed, and kept by name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth.models import User

from webui.models import SavedSearch
from webui.upstream.logs import Span

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
FIELDS = ("level>=", "level:", "service:", "instance:", "host:", "logger:", "trace:", "span:", "token:", "attr.")
RANGES = {"15m": timedelta(minutes=15), "1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
DEFAULT_RANGE = "24h"
SAVED_AT_MOST = 50
_TERM = re.compile(r'-?(?:level\s*[<>=:]+|attr\."[^"]*":|[A-Za-z_][\w.\/@-]*:)?(?:"(?:[^"\\]|\\.)*"\*?|[^\s()"]+)')
_BARE = re.compile(r'"[^"]*"\*?|[^\s:"()<>=-][^\s:"()<>=]*')


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search as a page's address says it: a query, and one of the ranges or two times."""

    query: str = ""
    range: str = DEFAULT_RANGE
    start: str = ""
    end: str = ""

    @property
    def span(self) -> Span:
        if self.start or self.end:
            return Span(start=self.start, end=self.end)
        return Span(start=f"-{self.range}" if self.range in RANGES else "")

    @property
    def is_open_ended(self) -> bool:
        """Whether records that arrive now belong to it."""
        return not self.end

    @property
    def wide(self) -> str:
        """The address without its two times."""
        return self.address(**{"from": "", "to": ""})

    @property
    def longest(self) -> str:
        return self.address(**{"from": "", "to": "", "range": "all"})

    def address(self, **changes: str) -> str:
        members = {"q": self.query, "range": self.range, "from": self.start, "to": self.end} | changes
        if members["from"] or members["to"] or members["range"] == DEFAULT_RANGE:
            members["range"] = ""
        return urlencode({name: value for name, value in members.items() if value})

    def narrowed(self, field: str, value: str, *, exclude: bool = False) -> str:
        """The address with one more condition; a level means that one alone."""
        condition = f"{'-' if exclude else ''}{field}:{quoted(value)}"
        return self.address(q=self.query if condition in self.query.split() else f"{self.query} {condition}".strip())

    def zoomed(self, start: datetime, *, seconds: int) -> str:
        end = start + timedelta(seconds=seconds)
        return self.address(**{"from": _wire(start), "to": _wire(end)})


def quoted(value: str) -> str:
    """Quote a text so that the query language takes it for one value."""
    if re.fullmatch(r"[\w./@:-]+", value) and not value.startswith("-"):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def words(query: str) -> list[str]:
    """The words that the query looks for in the text itself, to be marked where they are found."""
    found = []
    for match in _TERM.finditer(query):
        term = match[0]
        if term in ("AND", "OR", "NOT") or term.startswith("-") or not _BARE.fullmatch(term):
            continue
        found.append(term.strip('"*'))
    return [word for word in found if word]


def completions(query: str, *, known: Mapping[str, Sequence[str]]) -> list[str]:
    """Whole queries that the typed one may become, by its last word; `known` are values of fields."""
    before, last = re.fullmatch(r"(.*?)(\S*)", query, re.DOTALL).groups()  # type: ignore[union-attr]  # matches all
    sign, word = ("-", last[1:]) if last.startswith("-") else ("", last)
    field = word.partition(":")[0]
    if word.startswith(f"{field}:") and field in known:
        options = [f"{field}:{quoted(value)}" for value in known[field]]
    elif match := re.match(r"level\s*(>=|<=|[:<>=])", word):
        options = [f"{match[0]}{level}" for level in LEVELS]
    else:
        options = list(FIELDS)
    return [f"{before}{sign}{option}" for option in options if option.startswith(word) and option != word]


def save(user: User, *, name: str, address: str) -> None:
    """Keep the search under the name, in place of another of that name. Raises ValueError when there are too many."""
    others = SavedSearch.objects.filter(user=user).exclude(name=name)
    if others.count() >= SAVED_AT_MOST:
        raise ValueError(SAVED_AT_MOST)
    SavedSearch.objects.update_or_create(user=user, name=name, defaults={"address": address})


def _wire(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")

"""The first page of an admin, whose parts each service names: what is wrong, figures, and the newest of what matters.

The registry's, which is the dashboard of the system, has a template of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from config.admin import cells


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`state` colours it; the page at `url` shows what was counted."""

    title: str
    value: str
    url: str = ""
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A table, or the words that stand in place of an empty one."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    nothing: str
    url: str = ""

    @property
    def table(self) -> SafeString:
        return cells.table(self.headers, self.rows)


def context(*, wrong: Sequence[str], figures: Sequence[Figure], panels: Sequence[Panel]) -> dict[str, Any]:
    """The context of the index's template; `wrong` has a sentence for each thing that somebody should look at."""
    return {"overview": "rollcall/overview.html", "wrong": wrong, "figures": figures, "panels": panels}


def at_most(count: int, most: int) -> str:
    """A count that was stopped at `most`."""
    return f"{most:,} and more" if count >= most else f"{count:,}"

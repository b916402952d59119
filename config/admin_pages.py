"""Pages of an admin's lists that may hold millions of rows."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet

# Beyond that many rows a list is to be narrowed by a search: nobody turns so many pages.
MOST_LISTED = 10_000


class BoundedPaginator(Paginator[Any]):
    """Counts no further than what is listed: to count millions of rows takes longer than to show a page of them."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by().values("pk")[:MOST_LISTED].count()

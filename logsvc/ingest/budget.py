"""The memory that bodies may take while they come in and wait."""

from logsvc.ingest.writer import Overloaded


class Budget:
    """Lives on one event loop."""

    def __init__(self, limit_bytes: int) -> None:
        self._free = limit_bytes

    def take(self, size_bytes: int) -> "Share":
        """Raises Overloaded."""
        share = Share(self)
        share.grow(size_bytes)
        return share

    def change(self, size_bytes: int) -> None:
        if size_bytes > self._free:
            raise Overloaded
        self._free -= size_bytes


class Share:
    """What one request has taken; it is given back at the end of the context."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._taken = 0

    def grow(self, size_bytes: int) -> None:
        """Take up to `size_bytes` in all. Raises Overloaded."""
        more = max(size_bytes - self._taken, 0)
        self._budget.change(more)
        self._taken += more

    def __enter__(self) -> "Share":
        return self

    def __exit__(self, *error: object) -> None:
        self._budget.change(-self._taken)
        self._taken = 0

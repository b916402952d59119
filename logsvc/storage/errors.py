"""Errors of a store that cannot do something for now."""

from config.problems import Unavailable


class Full(Unavailable):
    """The disk has no room: nothing was stored of what was sent."""

    code = "store-full"
    title = "The log service's disk is full"

    def __init__(self) -> None:
        super().__init__("Nothing was stored: send it again when there is room.")
        self.headers["Retry-After"] = "30"


class Busy(Unavailable):
    """A query took too long."""

    code = "search-too-slow"
    title = "The search took too long"

    def __init__(self) -> None:
        super().__init__("Narrow the time range, or ask for whole words, a service or a level.")


class Away(Unavailable):
    """The database cannot be reached, or is overloaded."""

    def __init__(self) -> None:
        super().__init__("The log service's database is away or overloaded: send it again.")
        self.headers["Retry-After"] = "2"

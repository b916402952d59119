"""Bounds how many instances one token has registered."""

from collections.abc import Sequence

from config.problems import Problem
from registry.database import statements
from registry.instances.storage import Entry


def beyond(newcomers: Sequence[Entry]) -> dict[int, Problem]:
    """The new instances beyond what their token may have registered, by the entry's identity."""
    quotas = {entry.author: entry.allowance.instances for entry in newcomers if entry.allowance is not None}
    counts = {author: count(author, most=quota) for author, quota in quotas.items() if quota}
    refused: dict[int, Problem] = {}
    for entry in newcomers:
        if entry.allowance is None or entry.author not in counts:
            continue
        if counts[entry.author] >= quotas[entry.author]:
            refused[id(entry)] = entry.allowance.refuse_instance()
        else:
            counts[entry.author] += 1
    return refused


def count(owner: str, *, most: int) -> int:
    """The number of instances that a token has registered; of more than `most`, that many."""
    counted = "SELECT COUNT(*) FROM (SELECT 1 FROM registry_instance WHERE registered_by = %s LIMIT %s) AS owned"
    ((found,),) = statements.fetch(counted, [owner, most])
    return int(found)

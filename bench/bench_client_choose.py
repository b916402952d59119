"""Picks per second of a provider, beside the plainest ways to pick one from a list; bench/README.md says more."""

import itertools
import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

import httpx2

from registry.client import Chooser, Provider, Registration, Registry

PICKS = 500_000
ROUNDS = 3
FLEETS = (2, 10, 100, 1000)
CHANGES_PER_SECOND = 100

Pick = Callable[[], object]


def main() -> None:
    print(f"{'providers':>9} {'membership':>13} {'chooser':>13} {'changing':>13} {'random.choice':>13} {'cycle':>13}")
    for size in FLEETS:
        rates = rates_of(fleet(size))
        print(f"{size:>9} " + " ".join(f"{each / 1e6:>9.2f} M/s" for each in rates))


def rates_of(providers: Sequence[Provider]) -> list[float]:
    chooser = Chooser()
    chooser.update({"grading": providers})
    registration = Registration(service="webui", instance="webui-1", url="http://webui.test", requires=["grading"])
    with Registry("http://registry.test", "rct_x", transport=registry_of(providers)).registered(registration) as me:
        me.wait_for("grading", timeout=10)
        of_membership = rate(partial(me.choose, "grading"))
    return [
        of_membership,
        rate(partial(chooser.choose, "grading")),
        rate_while_changing(chooser, providers),
        rate(partial(random.choice, providers)),
        rate(itertools.cycle(providers).__next__),
    ]


def rate(pick: Pick) -> float:
    """Picks per second, the cost of the loop included: the median of a few rounds."""
    return statistics.median(_round(pick) for _ in range(ROUNDS))


def rate_while_changing(chooser: Chooser, providers: Sequence[Provider]) -> float:
    """While a thread changes the providers and reports failures, a hundred times a second."""
    ended = threading.Event()

    def change() -> None:
        while not ended.wait(1 / CHANGES_PER_SECOND):
            chooser.update({"grading": providers[1:]})
            chooser.update({"grading": providers})
            chooser.report_failure(random.choice(providers))

    thread = threading.Thread(target=change)
    thread.start()
    try:
        return rate(partial(chooser.choose, "grading"))
    finally:
        ended.set()
        thread.join()


def registry_of(providers: Sequence[Provider]) -> httpx2.MockTransport:
    """Answers every registration with these providers."""
    instance = {
        "service": "webui",
        "instance": "webui-1",
        "url": "http://webui.test",
        "status_since": "2026-11-23T12:00:00Z",
        "registered_at": "2026-11-23T12:00:00Z",
        "revision": 1,
    }
    body = {"instance": instance, "revision": 1, "providers": {"grading": [asdict(each) for each in providers]}}
    return httpx2.MockTransport(lambda request: httpx2.Response(200, json=body))


def fleet(size: int) -> tuple[Provider, ...]:
    return tuple(
        Provider(service="grading", instance=f"grading-{number}", url=f"http://10.0.0.{number}", weight=50 + number % 3)
        for number in range(size)
    )


def _round(pick: Pick) -> float:
    started = time.perf_counter()
    for _ in itertools.repeat(None, PICKS):
        pick()
    return PICKS / (time.perf_counter() - started)


if __name__ == "__main__":
    main()

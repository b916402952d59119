"""Asks a server of pages, signed in, for one page after another, and says how long each took and what it cost."""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

ROUNDS, LEAST_ROUNDS = 40, 15
# A page that is slow, as on a busy machine, is asked for less often.
SECONDS = 4.0
WIDTH = 40


def signed_in(url: str, username: str, password: str) -> httpx2.Client:
    """A browser without a screen, which keeps its connection and its cookies."""
    client = httpx2.Client(base_url=url, trust_env=False, follow_redirects=True, timeout=60)
    client.get("/sign-in")
    form = {"username": username, "password": password, "csrfmiddlewaretoken": client.cookies["webui_csrf"]}
    assert client.post("/sign-in", data=form, headers={"Referer": f"{url}/sign-in"}).url.path != "/sign-in"
    client.headers["X-CSRFToken"] = client.cookies["webui_csrf"]
    client.cookies["webui_zone"] = "Europe/Berlin"
    return client


def print_head(title: str) -> None:
    figures = "".join(f"{name:>{width}}" for name, width in (("median", 8), ("p95", 8), ("CPU", 8), ("goal", 8)))
    print(f"\n{title:{WIDTH}}{figures} of it{'kB':>8}   in ms")


def report(name: str, ask: Callable[[], httpx2.Response], *, goal_ms: float) -> None:
    """The first answer, which warms caches, does not count; neither does what else the machine has to do, in CPU."""
    ask()
    taken_ms: list[float] = []
    before = servers_seconds()
    ends_at = time.perf_counter() + SECONDS
    while len(taken_ms) < LEAST_ROUNDS or (len(taken_ms) < ROUNDS and time.perf_counter() < ends_at):
        begun = time.perf_counter()
        answer = ask()
        taken_ms.append(1000 * (time.perf_counter() - begun))
        assert answer.status_code == 200, (name, answer.status_code)
    processor_ms = 1000 * (servers_seconds() - before) / len(taken_ms)
    p95 = statistics.quantiles(taken_ms, n=20, method="inclusive")[-1]
    figures = f"{statistics.median(taken_ms):8.1f}{p95:8.1f}{processor_ms:8.1f}{goal_ms:8.0f}{p95 / goal_ms:6.0%}"
    print(f"{name:{WIDTH}}{figures}{len(answer.content) / 1000:8.0f}", flush=True)


def servers_seconds() -> float:
    """The processor time that the servers of this process have taken so far; waiting does not count."""
    parents, taken = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
        taken[int(path.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    own = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in own} - own:
        own |= more
    return sum(taken[each] for each in own - {os.getpid()})

"""From `./manage.py up` to all services passing: the first start on an empty directory, and the second.

`bench_start [ROUNDS] [CHECKOUT ...]`: in alternating rounds with each checkout named, all with this Python, or with
this one alone. For each the seconds, the processors' time of all processes until then, and the memory of each once they
have been idle for a moment (PSS: a page that several share counts for each of them in part).
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from bench.stack import ROOT, free_port
from config.services import SERVICES

ROUNDS = 3
READY = "Ctrl-C stops everything"
LONGEST_SECONDS = 240.0
IDLE_SECONDS = 5.0
REGISTRY = ("registry", "registry-worker", "redis")
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    arguments = sys.argv[1:]
    rounds = int(arguments.pop(0)) if arguments and arguments[0].isdecimal() else ROUNDS
    checkouts = [Path(each).resolve() for each in arguments] or [ROOT]
    figures: dict[Path, dict[str, list[float]]] = {checkout: defaultdict(list) for checkout in checkouts}
    load = os.getloadavg()[0]
    for _ in range(rounds):
        for checkout in checkouts:
            with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory:
                for start in ("first", "second"):
                    _measure(checkout, Path(directory), start, figures[checkout])
    print(f"medians of {rounds} rounds; load {load:.1f} before and {os.getloadavg()[0]:.1f} after")
    print(f"| | {' | '.join(checkout.name for checkout in checkouts)} |\n|---|{'---|' * len(checkouts)}")
    for name in figures[checkouts[0]]:
        medians = [statistics.median(figures[checkout].get(name) or [0.0]) for checkout in checkouts]
        shown = " | ".join(f"{median:.1f} ({median / medians[0]:.2f})" for median in medians if medians[0])
        print(f"| {name} | {shown} |")


def _measure(checkout: Path, directory: Path, start: str, figures: dict[str, list[float]]) -> None:
    began = time.monotonic()
    with _up(checkout, directory) as (process, output):
        while READY not in output.read_text():
            if process.poll() is not None or time.monotonic() - began > LONGEST_SECONDS:
                raise SystemExit(output.read_text())
            time.sleep(0.02)
        figures[f"{start} start, s"].append(time.monotonic() - began)
        processes = _processes(process.pid, directory)
        spent = {name: _processor_seconds(each) for name, each in processes.items()}
        figures[f"{start} start, processors' s"].append(sum(spent.values()))
        for name, seconds in spent.items():
            figures[f"{start} start, processors' s of {name}"].append(seconds)
        if start == "second":
            time.sleep(IDLE_SECONDS)
            sizes = {name: _megabytes(each) for name, each in processes.items()}
            figures["registry's processes, MiB"].append(sum(sizes.get(name, 0.0) for name in REGISTRY))
            figures["all processes, MiB"].append(sum(sizes.values()))
            for name, size in sizes.items():
                figures[f"{name}, MiB"].append(size)
    print(f"{checkout.name}: {start} {figures[f'{start} start, s'][-1]:.1f} s", file=sys.stderr, flush=True)


@contextmanager
def _up(checkout: Path, directory: Path) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    ports = {f"{name.upper()}_PORT": str(free_port()) for name in SERVICES}
    output = directory / "up.out"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=checkout,
            env={**os.environ, **ports, "ROLLCALL_DATA_DIR": str(directory / "data"), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, output
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _processes(up: int, directory: Path) -> dict[str, Path]:
    """The processes of the system by name, as the supervisor knows them."""
    transport = SupervisorTransport(serverurl=f"unix://{directory / 'data' / 'supervisord.sock'}")
    with ServerProxy("http://localhost", transport=transport) as proxy:
        supervisor: Any = proxy.supervisor
        pids = {info["name"]: info["pid"] for info in supervisor.getAllProcessInfo() if info["pid"]}
        pids = {"up": up, "supervisor": supervisor.getPID(), **pids}
        transport.close()
    return {name: Path(f"/proc/{pid}") for name, pid in pids.items()}


def _processor_seconds(process: Path) -> float:
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    # utime, stime, and those of the children that were waited for.
    return sum(map(int, fields[11:15])) / TICKS


def _megabytes(process: Path) -> float:
    lines = (process / "smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    main()

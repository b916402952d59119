"""Cost of a logging call with LogHandler, beside a plain log file; also while another thread computes.

`emit()` alone is the handler's share; the whole call also makes the record. The log service is away meanwhile, and the
spool is on the disk of the temporary directory. Each way is run in turn, and the median of its rounds counts. Processor
time is that of the thread that logs, whatever else the machine does.
"""

import gc
import logging
import math
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from logsvc.client import LogHandler
from logsvc.client.segment import AppendingWriter, MappedWriter, Writer

RECORDS = 10_000
RECORDS_BESIDE_A_BUSY_THREAD = 300
ROUNDS = 5
LIMIT_MICROSECONDS = 10
COPIES = 500
LINE = b"x" * 259 + b"\n"

Run = Callable[[logging.Handler, int, Callable[[], float]], float]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory:
        handlers = made(Path(directory))
        compare("whole call, processor time", handlers, log_many, RECORDS, time.thread_time)
        compare("emit() alone, processor time", handlers, emit_many, RECORDS, time.thread_time)
        with busy_thread():
            name = "whole call beside a busy thread, time on the clock"
            compare(name, handlers, log_many, RECORDS_BESIDE_A_BUSY_THREAD, time.perf_counter)
            compare_copies(Path(directory))
        report_slowest(handlers["LogHandler"])
        for handler in handlers.values():
            handler.close()


def made(directory: Path) -> dict[str, logging.Handler]:
    def log_handler(name: str, is_mapped: bool) -> LogHandler:
        return LogHandler(
            service="bench", token="none", endpoint=lambda: None, spool_dir=directory / name, is_mapped=is_mapped
        )

    plain = logging.FileHandler(directory / "plain.log")
    plain.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return {
        "logging.FileHandler": plain,
        "LogHandler, is_mapped=False": log_handler("written", is_mapped=False),
        "LogHandler": log_handler("mapped", is_mapped=True),
    }


def compare(what: str, handlers: dict[str, logging.Handler], run: Run, count: int, clock: Callable[[], float]) -> None:
    spent = {name: median(run(handler, count, clock) for _ in range(ROUNDS)) for name, handler in handlers.items()}
    print(f"{what}, microseconds")
    for name, seconds in spent.items():
        ratio = spent["logging.FileHandler"] / seconds
        print(f"  {name:<30} {seconds / count * 1_000_000:9.1f}  {ratio:7.1f} times as quick")


def compare_copies(directory: Path) -> None:
    """Measure the copying alone."""
    writers: dict[str, Writer] = {
        "write": AppendingWriter(directory / "appended", COPIES * len(LINE)),
        "mapping": MappedWriter(directory / "mapped.ndjson", COPIES * len(LINE)),
    }
    print("a line of 260 bytes beside a busy thread, time on the clock, microseconds")
    for name, writer in writers.items():
        began = time.perf_counter()
        for number in range(COPIES):
            writer.write(number * len(LINE), LINE)
        print(f"  {name:<30} {(time.perf_counter() - began) / COPIES * 1_000_000:9.1f}")
        writer.close(0)


def log_many(handler: logging.Handler, count: int, clock: Callable[[], float]) -> float:
    logger = logging.getLogger("bench")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    began = clock()
    for number in range(count):
        logger.info("grade %d was added for student %s", number, "Ada Lovelace")
    spent = clock() - began
    logger.removeHandler(handler)
    return spent


def records(count: int) -> list[logging.LogRecord]:
    message = "grade %d was added for student %s"
    return [
        logging.LogRecord("bench", logging.INFO, __file__, 1, message, (number, "Ada Lovelace"), None)
        for number in range(count)
    ]


def emit_many(handler: logging.Handler, count: int, clock: Callable[[], float]) -> float:
    given = records(count)
    began = clock()
    for record in given:
        handler.emit(record)
    return clock() - began


def report_slowest(handler: logging.Handler) -> None:
    given = records(RECORDS)
    spent = []
    gc.disable()
    for record in given:
        began = time.perf_counter_ns()
        handler.emit(record)
        spent.append((time.perf_counter_ns() - began) / 1000)
    gc.enable()
    spent.sort()
    within = sum(each < LIMIT_MICROSECONDS for each in spent) / len(spent)
    print(f"LogHandler.emit(), microseconds: p50 {spent[len(spent) // 2]:.1f}, p99 {spent[len(spent) * 99 // 100]:.1f}")
    print(f"  slowest {spent[-1]:.0f}; {within:.2%} under {LIMIT_MICROSECONDS}")


@contextmanager
def busy_thread() -> Iterator[None]:
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            math.factorial(20)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


if __name__ == "__main__":
    main()

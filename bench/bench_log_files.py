"""Log files of many kinds: public samples (tests/logsvc/recognition/samples) over and over, by `ingest_logs`.

200,000 records into SQLite in a directory that is thrown away; or as many as the argument says.
"""

import os
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "tests/logsvc/recognition/samples"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory:
        os.environ |= {"ROLLCALL_DATA_DIR": directory, "DJANGO_SETTINGS_MODULE": "config.settings.logsvc"}
        ingest(Path(directory), count)


def ingest(directory: Path, count: int) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    samples = sorted(SAMPLES.glob("*.log"))
    files = [repeated(sample, directory / sample.name, count // len(samples)) for sample in samples]
    for file in files:
        began, spent = time.perf_counter(), time.process_time()
        lines = sum(1 for _ in file.open("rb"))
        print(f"{file.stem:<14} {lines:>7,} lines: ", end="", flush=True)
        call_command("ingest_logs", str(file), no_progress=True)
        seconds, spent = time.perf_counter() - began, time.process_time() - spent
        print(f"{'':<14} {lines / seconds:>9,.0f} lines a second, {spent / lines * 1e6:.0f} us of a processor for each")


def repeated(sample: Path, path: Path, count: int) -> Path:
    """`count` lines of a sample, again and again from its beginning."""
    lines = sample.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(islice(cycle(lines), count)))
    return path


if __name__ == "__main__":
    main()

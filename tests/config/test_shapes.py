"""Decoding one type for the first time in many threads at once, in a process that would end by it."""

import subprocess
import sys

FIRST_USES = """
import sys, threading
from dataclasses import make_dataclass
import msgspec
from config import shapes

sys.setswitchinterval(1e-6)
for number in range(300):
    inner = make_dataclass(f"Inner{number}", [(f"i{field}", int) for field in range(20)])
    kind = make_dataclass(f"Outer{number}", [(f"o{field}", list[inner]) for field in range(10)])
    body = msgspec.json.encode({f"o{field}": [{f"i{each}": 1 for each in range(20)}] for field in range(10)})
    together = threading.Barrier(8)

    def first_use():
        together.wait()
        DECODE

    threads = [threading.Thread(target=first_use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_a_type_is_decoded_by_many_threads_at_its_first_use() -> None:
    script = FIRST_USES.replace("DECODE", "shapes.decoder(kind).decode(body)")
    subprocess.run([sys.executable, "-c", script], check=True)

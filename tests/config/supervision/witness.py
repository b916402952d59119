"""A program that says how it finds its process, and ends as it is told."""

import atexit
import json
import os
import signal
import sys
import threading


def handler(number: signal.Signals) -> str:
    found = signal.getsignal(number)
    return found.__name__ if callable(found) and not isinstance(found, signal.Handlers) else str(found)


STARTED_WITH = {
    "argv": sys.argv[1:],
    "program": os.path.basename(sys.argv[0]),
    "path": sys.path[0],
    "name": __name__,
    "environment": dict(os.environ),
    "handlers": {each.name: handler(each) for each in signal.Signals},
    "threads": threading.active_count(),
    "directory": os.getcwd(),
    "interactive": sys.stdin.fileno(),
    "outputs": [sys.stdout.fileno(), sys.stderr.fileno()],
    "encodings": [sys.stdout.encoding, sys.stderr.errors],
}


def main() -> None:
    print(json.dumps(STARTED_WITH))
    atexit.register(print, "at exit")
    # Not a daemon: the end waits for it.
    threading.Timer(0.05, print, ["from a thread"]).start()
    match sys.argv[1:]:
        case ["status", number]:
            sys.exit(int(number))
        case ["sentence"]:
            sys.exit("in a sentence")
        case ["error"]:
            raise ValueError("unforeseen")


if __name__ == "__main__":
    main()

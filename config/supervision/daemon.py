"""supervisord, for as long as whoever started it is there: `python -m config.supervision.daemon -c CONFIGURATION`.

The starter holds the other end of our stdin. However it ends, and be it by `kill -9`, the pipe then ends too.
"""

import os
import signal
import sys
import threading

from supervisor import supervisord


def main() -> None:
    threading.Thread(target=_stop_with_starter, daemon=True).start()
    supervisord.main(sys.argv[1:])


def _stop_with_starter() -> None:
    # Not through a buffered file: its lock, held by a thread that waits, is fatal to an interpreter that ends.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()

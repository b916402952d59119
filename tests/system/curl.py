"""Calls as curl makes them, which need not be installed: `python -m tests.system.curl -X PUT ...` too."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

import httpx2


def send(arguments: Sequence[str]) -> httpx2.Response:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("url")
    parser.add_argument("-X", default="GET", dest="method")
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", dest="body")
    given = parser.parse_args(arguments)
    headers = dict(header.split(": ", 1) for header in given.headers)
    return httpx2.request(given.method, given.url, headers=headers, content=given.body, timeout=40.0)


if __name__ == "__main__":
    sys.stdout.write(send(sys.argv[1:]).text)

"""Static files under addresses that change with what is in them, so that a browser asks for each but once.

Such an address is `/static/<digest of all files>/<name>`: what a style sheet or a script names beside itself is under
the same digest, and nothing is collected or written anew.
"""

import functools
import hashlib
import re
import threading
from collections.abc import Callable

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware

DIGEST_CHARACTERS = 12
FOREVER = "max-age=31536000, public, immutable"
_VERSIONED = re.compile(rf"([0-9a-f]{{{DIGEST_CHARACTERS}}})/")


@functools.cache
def digest() -> str:
    """Taken with the first page, not as a process starts: 20 ms for 4.5 MB."""
    return digest_of_all()


def digest_of_all() -> str:
    """The same on every host that has the same files."""
    served: dict[str, str] = {}
    for finder in finders.get_finders():
        for name, storage in finder.list(None):
            # Of several files with the same name the first is served.
            served.setdefault(name, storage.path(name))
    content = hashlib.sha256(usedforsecurity=False)
    for name, path in sorted(served.items()):
        with open(path, "rb") as file:
            own = hashlib.file_digest(file, lambda: hashlib.sha256(usedforsecurity=False))
        content.update(f"{name} {own.hexdigest()}\n".encode())
    return content.hexdigest()[:DIGEST_CHARACTERS]


class VersionedStorage(StaticFilesStorage):
    def url(self, name: str | None) -> str:
        return super().url(f"{digest()}/{name}")


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """Serves the files that the apps bring; it looks for them when the first is asked for: an eighth of a start.

    Under the digest of another release, as while instances are replaced, and under none, a file is answered too, but
    not for ever.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._knows_files = False
        self._looking = threading.Lock()
        super().__init__(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(self.static_prefix):
            response: HttpResponse = self.get_response(request)
            return response
        self._look_for_files()
        address = request.path_info.removeprefix(self.static_prefix)
        versioned = _VERSIONED.match(address)
        path = self.static_prefix + (address[versioned.end() :] if versioned else address)
        file = self.find_file(path) if self.autorefresh else self.files.get(path)
        response = self.get_response(request) if file is None else self.serve(file, request)
        if file is not None and versioned and versioned[1] == digest():
            response["Cache-Control"] = FOREVER
        return response

    def add_files_from_finders(self) -> None:
        """Nothing yet; WhiteNoise asks for it when it is made."""

    def _look_for_files(self) -> None:
        if self._knows_files or self.autorefresh:
            return
        with self._looking:
            if not self._knows_files:
                super().add_files_from_finders()
                self._knows_files = True

    def immutable_file_test(self, path: str, url: str) -> bool:
        # Its address says so, not its name, in which WhiteNoise would look for a digest.
        return False

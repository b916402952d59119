"""A cache of pages, least recently used first to go."""

from collections import OrderedDict

from registry.discovery.pages import Address, Page

MOST_BYTES = 64 * 1024 * 1024
# For each page, besides its bytes.
OVERHEAD_BYTES = 1024
_OF_WAITING = (b"after=", b"wait=")


def lasting(path: str, query: bytes) -> Address:
    """The address of a read without the parameters that say how long to wait."""
    if not query:
        return Address(path, query)
    parts = query.split(b"&")
    return Address(path, b"&".join(part for part in parts if not part.startswith(_OF_WAITING)))


class Cache:
    """Pages by address; the caller judges whether a page is still true."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._pages: OrderedDict[Address, Page] = OrderedDict()
        self._most_bytes = most_bytes
        self._bytes = 0

    def get(self, address: Address) -> Page | None:
        page = self._pages.get(address)
        if page is not None:
            self._pages.move_to_end(address)
        return page

    def put(self, address: Address, page: Page) -> None:
        self.drop(address)
        self._pages[address] = page
        self._bytes += _size(address, page)
        while self._bytes > self._most_bytes:
            self.drop(next(iter(self._pages)))

    def drop(self, address: Address) -> None:
        page = self._pages.pop(address, None)
        if page is not None:
            self._bytes -= _size(address, page)


def _size(address: Address, page: Page) -> int:
    return len(page.rest) + len(address.path) + len(address.query) + OVERHEAD_BYTES

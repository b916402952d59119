"""Pages: a document's bytes, the revision at which they are true, and their address."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec

from registry.journal.log import Position

LONG_BYTES = 64 * 1024


class Address(NamedTuple):
    """A read's path and query."""

    path: str
    query: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A document's bytes: exact at `revision`, and as long as none of `services` has changed since.

    `history` is the journal's. `services` is None where every service matters. With `names_revision` the body begins
    with the member `revision`, which is filled in with each response.
    """

    history: str
    revision: int
    services: frozenset[str] | None
    rest: bytes
    names_revision: bool

    def body(self, revision: int) -> bytes:
        return b'{"revision":%d,%b' % (revision, self.rest) if self.names_revision else self.rest

    def parts(self, revision: int) -> tuple[bytes, bytes]:
        """The body's beginning, and its rest where it is so long that joining them takes time."""
        if len(self.rest) < LONG_BYTES:
            return self.body(revision), b""
        return b'{"revision":%d,' % revision if self.names_revision else b"", self.rest


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A page, and the newest revision at which it is known to be true."""

    page: Page
    revision: int

    def with_content(self, content: "Answer") -> "Answer":
        """This answer with the page that it only names in place of its own."""
        services, of_content = self.page.services, content.page.services
        page = replace(
            content.page,
            history=self.page.history,
            revision=min(self.page.revision, content.page.revision),
            services=None if services is None or of_content is None else services | of_content,
        )
        return Answer(page=page, revision=min(self.revision, content.revision))


def page_of(at: Position, services: Iterable[str] | None, members: Any, *, names_revision: bool = True) -> Page:
    """The page of these members as they are at a place in the journal."""
    encoded = msgspec.json.encode(members)
    return Page(
        history=at.history,
        revision=at.revision,
        services=None if services is None else frozenset(services),
        rest=encoded[1:] if names_revision else encoded,
        names_revision=names_revision,
    )

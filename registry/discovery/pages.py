"""What is answered: a document's bytes, what they hold true of, and where they are asked for."""

from dataclasses import dataclass, replace
from typing import NamedTuple


class Address(NamedTuple):
    """A read as it was asked for."""

    path: str
    query: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A document as it was made: exact at `revision`, and still so while none of `services` has changed since.

    `history` is the one of which it is. `services` is None where every service matters. Where `names_revision`, the
    body begins with the member `revision`, which is put in when it is answered.
    """

    history: str
    revision: int
    services: frozenset[str] | None
    rest: bytes
    names_revision: bool

    def body(self, revision: int) -> bytes:
        return b'{"revision":%d,%b' % (revision, self.rest) if self.names_revision else self.rest


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A page, and the newest revision of which it is known to be true."""

    page: Page
    revision: int

    def with_content(self, content: "Answer") -> "Answer":
        """This one as its document's reader sees it, where it only names the content."""
        services, of_content = self.page.services, content.page.services
        page = replace(
            content.page,
            history=self.page.history,
            revision=min(self.page.revision, content.page.revision),
            services=None if services is None or of_content is None else services | of_content,
        )
        return Answer(page=page, revision=min(self.revision, content.revision))

"""The documents that can be read: who may read each, the services it depends on, and how it is made."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from config.problems import Forbidden, Problem
from config.tokens.holder import Holder
from registry.database import rows
from registry.discovery import prometheus_targets, queries
from registry.discovery.batches import Batched
from registry.discovery.pages import Address, Answer, Page, page_of
from registry.discovery.row_json_cache import Asked, RowJsonCache
from registry.errors import UnknownInstance, UnknownService
from registry.instances import catalogue
from registry.instances.catalogue import Summary
from registry.journal import log
from registry.journal.log import Position
from registry.models import Instance
from registry.wire.bodies import offers_of, registered_instance


@dataclass(frozen=True, kw_only=True)
class Document:
    """A readable resource: `make` reads it from the database; `is_strict` accepts nothing older than the request.

    `services` are those it depends on, where they are known before it is made. Where many documents share one content,
    each page only names it, and `content` gives that content's own document and the address it is cached at.
    """

    make: Callable[[], Page]
    may_read: Callable[[Holder], bool]
    needs: str = "the scope 'read'"
    is_strict: bool = False
    services: frozenset[str] | None = None
    content: Callable[[Page], tuple[Address, "Document"]] | None = None

    def answer(self) -> Answer:
        """The answer, made from the database now."""
        page = self.make()
        answer = Answer(page=page, revision=page.revision)
        if self.content is None:
            return answer
        _, content = self.content(page)
        return answer.with_content(content.answer())

    def check(self, holder: Holder) -> None:
        """Raises Forbidden."""
        if not self.may_read(holder):
            raise Forbidden(f"The token {holder.name!r} needs {self.needs}.")


class Named(NamedTuple):
    """A single instance, and what is shown of it."""

    service: str
    name: str
    show: Callable[[Instance], Any]


# Each document reads the position first, or with the rest: what is read after it may be newer, never older.


def services(query: queries.Services) -> Document:
    return Document(make=Batched(_summed_up, query), may_read=may_read)


def service(name: str) -> Document:
    return Document(make=Batched(_summed_up, name), may_read=_reads(name), needs=_needs(name))


def instances(service: str, query: queries.Instances, cache: RowJsonCache) -> Document:
    return Document(
        make=Batched(cache.pages, Asked(service, query)),
        may_read=_reads(service),
        needs=_needs(service),
        services=frozenset([service]),
    )


def instance(service: str, name: str) -> Document:
    asked = Named(service, name, registered_instance)
    return Document(make=Batched(_named, asked), may_read=_reads(service), needs=_needs(service))


def providers(service: str, name: str) -> Document:
    """The providers of an instance. Strict: a dependent that missed a message reads this to catch up."""

    return Document(
        make=Batched(_named, Named(service, name, attrgetter("requires"))),
        may_read=lambda holder: holder.may_for("read", service) or holder.may_register(service),
        needs=f"the scope 'read:{service}' or 'register:{service}'",
        is_strict=True,
        content=_offers,
    )


def targets(query: queries.Targets) -> Document:
    def make() -> Page:
        at = log.position()
        offered = catalogue.all_offered(query.service, tag=query.tag, zone=query.zone, version=query.version)
        return page_of(at, query.service or None, prometheus_targets.groups(offered), names_revision=False)

    return Document(make=make, may_read=partial(may_read, services=query.service))


def _summed_up(asked: Sequence[queries.Services | str]) -> list[Page | Problem]:
    """The pages of services, each of which is given by its name, and of lists of them."""
    at = log.position()
    summaries = catalogue.summaries()
    return [
        _summary(at, summaries, each) if isinstance(each, str) else _summaries(at, summaries, each) for each in asked
    ]


def _summaries(at: Position, summaries: Sequence[Summary], query: queries.Services) -> Page:
    found = [each for each in summaries if query.cursor is None or each.service > query.cursor]
    page = found[: query.limit]
    following = page[-1].service if len(found) > len(page) else None
    return page_of(at, None, {"services": list(map(catalogue.summary_body, page)), "next": following})


def _summary(at: Position, summaries: Sequence[Summary], name: str) -> Page | Problem:
    found = next((each for each in summaries if each.service == name), None)
    return (
        UnknownService(name)
        if found is None
        else page_of(at, None, catalogue.summary_body(found), names_revision=False)
    )


def _named(asked: Sequence[Named]) -> list[Page | Problem]:
    """The pages of single instances."""
    at = log.position()
    pairs = list({(each.service, each.name) for each in asked})
    found = {(each.service, each.name): each for each in rows.named(pairs, order="id")}
    pages: list[Page | Problem] = []
    for service, name, show in asked:
        instance = found.get((service, name))
        pages.append(
            UnknownInstance(service, name)
            if instance is None
            else page_of(at, [service], show(instance), names_revision=False)
        )
    return pages


def _offers(requirements: Page) -> tuple[Address, Document]:
    """The document of the providers of the services that a page names, and its address."""
    names = msgspec.json.decode(requirements.rest, type=tuple[str, ...])
    return Address("offers", requirements.rest), Document(make=Batched(_offered, names), may_read=may_read)


def _offered(asked: Sequence[tuple[str, ...]]) -> list[Page]:
    """The pages of what groups of services offer."""
    at = log.position()
    offered = catalogue.offered({name for names in asked for name in names})
    return [page_of(at, names, {"providers": offers_of({name: offered[name] for name in names})}) for names in asked]


def may_read(holder: Holder, services: Collection[str] = ()) -> bool:
    """Whether a token may read all these services; every service when none is named."""
    return holder.may("read") or (bool(services) and all(holder.may_for("read", each) for each in services))


def _reads(service: str) -> Callable[[Holder], bool]:
    return partial(may_read, services=[service])


def _needs(service: str) -> str:
    return f"the scope 'read:{service}'"

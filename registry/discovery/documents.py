"""What can be read: who may, which services it depends on, and how it is made from the database."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from config.problems import Forbidden
from config.tokens.holder import Holder
from registry.discovery import prometheus_targets, queries, row_json_cache
from registry.discovery.pages import Address, Answer, Page
from registry.instances import catalogue
from registry.journal import log
from registry.journal.log import Position
from registry.wire.bodies import offers_of, registered_instance


@dataclass(frozen=True, kw_only=True)
class Document:
    """`make` asks the database; `is_strict` where nothing older than the request will do.

    `services`, on which it depends, are named where they are known before it is made. Where many documents have the
    same content, what is made of each only names it, and `content` says what that is and at which address it is kept.
    """

    make: Callable[[], Page]
    may_read: Callable[[Holder], bool]
    needs: str = "the scope 'read'"
    is_strict: bool = False
    services: frozenset[str] | None = None
    content: Callable[[Page], tuple[Address, "Document"]] | None = None

    def answer(self) -> Answer:
        """Made now."""
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


def services(query: queries.Services) -> Document:
    return Document(make=partial(_services, query), may_read=may_read)


def service(name: str) -> Document:
    return Document(make=partial(_service, name), may_read=_reads(name), needs=_needs(name))


def instances(service: str, query: queries.Instances) -> Document:
    return Document(
        make=partial(_instances, service, query),
        may_read=_reads(service),
        needs=_needs(service),
        services=frozenset([service]),
    )


def instance(service: str, name: str) -> Document:
    return Document(make=partial(_instance, service, name), may_read=_reads(service), needs=_needs(service))


def providers(service: str, name: str) -> Document:
    """What the instance requires, resolved. Strict: a dependent that missed a message comes here to be set right."""
    return Document(
        make=partial(_requirements, service, name),
        may_read=lambda holder: holder.may_for("read", service) or holder.may_register(service),
        needs=f"the scope 'read:{service}' or 'register:{service}'",
        is_strict=True,
        content=_offers,
    )


def targets(query: queries.Targets) -> Document:
    return Document(make=partial(_targets, query), may_read=partial(may_read, services=query.service))


def _offers(requirements: Page) -> tuple[Address, Document]:
    """What is offered of the services that a page of `_requirements` names."""
    names = msgspec.json.decode(requirements.rest, type=list[str])
    return Address("offers", requirements.rest), Document(make=partial(_offered, names), may_read=may_read)


def may_read(holder: Holder, services: Collection[str] = ()) -> bool:
    """Whether a token may read of all these services; of every service when none is named."""
    return holder.may("read") or (bool(services) and all(holder.may_for("read", each) for each in services))


def _reads(service: str) -> Callable[[Holder], bool]:
    return partial(may_read, services=[service])


def _needs(service: str) -> str:
    return f"the scope 'read:{service}'"


# In each of these the position is read first: what is read after it may be newer, never older.


def _services(query: queries.Services) -> Page:
    at = log.position()
    found = [each for each in catalogue.summaries() if query.cursor is None or each.service > query.cursor]
    page = found[: query.limit]
    following = page[-1].service if len(found) > len(page) else None
    return _page(at, None, {"services": list(map(catalogue.summary_body, page)), "next": following})


def _service(name: str) -> Page:
    at = log.position()
    return _page(at, None, catalogue.summary_body(catalogue.summary(name)), names_revision=False)


def _instances(service: str, query: queries.Instances) -> Page:
    at = log.position()
    found = row_json_cache.instances(service, query)
    page = found[: query.limit]
    following = page[-1].name if len(found) > len(page) else None
    return _page(at, [service], {"instances": [each.encoded for each in page], "next": following})


def _instance(service: str, name: str) -> Page:
    at = log.position()
    return _page(at, [service], registered_instance(catalogue.instance(service, name)), names_revision=False)


def _requirements(service: str, name: str) -> Page:
    at = log.position()
    return _page(at, [service], catalogue.instance(service, name).requires, names_revision=False)


def _offered(services: list[str]) -> Page:
    at = log.position()
    return _page(at, services, {"providers": offers_of(catalogue.offered(services))})


def _targets(query: queries.Targets) -> Page:
    at = log.position()
    offered = catalogue.all_offered(query.service, tag=query.tag, zone=query.zone, version=query.version)
    return _page(at, query.service or None, prometheus_targets.groups(offered), names_revision=False)


def _page(at: Position, services: Iterable[str] | None, members: Any, *, names_revision: bool = True) -> Page:
    encoded = msgspec.json.encode(members)
    return Page(
        history=at.history,
        revision=at.revision,
        services=None if services is None else frozenset(services),
        rest=encoded[1:] if names_revision else encoded,
        names_revision=names_revision,
    )

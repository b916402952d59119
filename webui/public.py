"""The public page's content: the chosen services' states, without addresses, instances or reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.html import format_html

from webui.board import Board, Row, State
from webui.models import Incident, PublicPage

SHOWN_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Event:
    """An incident as the public is told of it."""

    id: int
    service: str
    state: str
    began_at: datetime
    ended_at: datetime | None

    @property
    def changed_at(self) -> datetime:
        return self.ended_at or self.began_at


def settings() -> PublicPage:
    return PublicPage.objects.order_by("pk").first() or PublicPage()


def shown(page: PublicPage) -> PublicPage | None:
    """The page, or None while no operator has switched it on."""
    return page if page.is_enabled else None


def rows(page: PublicPage, board: Board) -> list[Row]:
    """The chosen services in their order; one that is not registered is missing."""
    found = {row.name: row for row in board.rows}
    return [found[name] for name in page.services if name in found]


def events(services: Sequence[str], *, now: datetime) -> list[Event]:
    """The events of the chosen services alone, newest first; also where one is down because of another that is not
    shown.
    """
    chosen, found = set(services), []
    recent = Incident.objects.filter(confirmed_at__isnull=False, began_at__gte=now - timedelta(days=SHOWN_DAYS))
    for incident in recent:
        down = [name for name in incident.services if name in chosen]
        for service in down or sorted(chosen & set(incident.affected)):
            state = incident.state if down else State.DEGRADED
            found.append(
                Event(
                    id=incident.pk,
                    service=service,
                    state=state,
                    began_at=incident.began_at,
                    ended_at=incident.ended_at,
                )
            )
    return found


def badge(label: str, word: str, colour: str) -> str:
    """Two texts side by side as SVG, in the form that README files show; Verdana's widths are estimated."""
    left, right = (int(6.6 * len(text)) + 14 for text in (label, word))
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="20" role="img" aria-label="{label}: {word}">'
        '<title>{label}: {word}</title><clipPath id="r"><rect width="{w}" height="20" rx="3"/></clipPath>'
        '<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3d4656"/>'
        '<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        '<text x="{x1}" y="14">{label}</text><text x="{x2}" y="14">{word}</text></g></svg>',
        w=left + right,
        left=left,
        right=right,
        x1=left / 2,
        x2=left + right / 2,
        label=label,
        word=word,
        colour=colour,
    )

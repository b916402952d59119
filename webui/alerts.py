"""Alerts about incidents: to whom, when, and in what words. Pure but for `write`, which stores the messages to send."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.clocks import SKEW
from webui.figures import duration
from webui.models import Channel, Incident, Kind, Message, Severity

# A message that cannot be delivered is retried after these times, and then given up.
RETRY_SECONDS = (30, 120, 600, 1800)
# A message whose next try lies further ahead than this was delayed by a clock that was ahead.
LONGEST_WAIT = timedelta(seconds=max(RETRY_SECONDS)) + SKEW

# How many services a message names in its title and in each line, and how much of a reason it quotes.
NAMED_IN_TITLE = 3
NAMED = 12
MOST_OF_A_REASON = 300
# With these characters chats notify people, such as `<!channel>` in Slack; a service may give any reason.
_INERT = str.maketrans({"<": "\u2039", ">": "\u203a", "@": "\uff20"})


def concerns(channel: Channel, incident: Incident) -> bool:
    """Match an incident by its severity, and by the name of the cause or of anything that it affects."""
    if channel.severity == Severity.CRITICAL and incident.severity != Severity.CRITICAL:
        return False
    names = [*incident.services, *incident.affected]
    return not channel.services or any(
        name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
        for name in names
        for pattern in channel.services
    )


def is_quiet(channel: Channel, *, now: datetime) -> bool:
    if channel.quiet_from is None or channel.quiet_until is None:
        return False
    time = now.astimezone(ZoneInfo(channel.zone)).time()
    if channel.quiet_from <= channel.quiet_until:
        return channel.quiet_from <= time < channel.quiet_until
    return time >= channel.quiet_from or time < channel.quiet_until


def due(channel: Channel, incident: Incident, told: Iterable[Message], *, now: datetime) -> tuple[Kind, int] | None:
    """The message that is due about the incident now, and its number; `told` holds those to the channel so far."""
    if not channel.is_enabled or incident.confirmed_at is None or is_quiet(channel, now=now):
        return None
    told = list(told)
    began = any(message.kind == Kind.BEGAN for message in told)
    if incident.ended_at is not None:
        ended = any(message.kind == Kind.ENDED for message in told)
        # A channel that never heard of its beginning, through quiet hours, need not hear of its end.
        return (Kind.ENDED, 0) if began and not ended else None
    if not began:
        return (Kind.BEGAN, 0) if concerns(channel, incident) else None
    latest = max(message.written_at for message in told)
    is_long_ago = not -SKEW <= now - latest < timedelta(minutes=channel.remind_minutes or 0)
    if channel.remind_minutes and is_long_ago:
        return Kind.REMINDER, sum(message.kind == Kind.REMINDER for message in told)
    return None


@transaction.atomic
def write(*, now: datetime) -> list[int]:
    """Store each message that is due; returns the ids of those to send now, those that failed before last."""
    recent = Incident.objects.filter(confirmed_at__isnull=False).exclude(ended_at__lt=now - timedelta(days=2))
    incidents = list(recent.prefetch_related("messages"))
    for channel in Channel.objects.filter(is_enabled=True):
        for incident in incidents:
            told = [message for message in incident.messages.all() if message.channel_id == channel.pk]
            wanted = due(channel, incident, told, now=now)
            if wanted is not None:
                kind, number = wanted
                title, body = compose(incident, kind, now=now)
                Message.objects.get_or_create(
                    channel=channel,
                    incident=incident,
                    kind=kind,
                    number=number,
                    defaults={"title": title, "body": body, "written_at": now, "try_at": now},
                )
    return list(
        Message.objects.filter(_is_due(now)).order_by("attempts", "written_at", "pk").values_list("pk", flat=True)
    )


def claim(number: int, *, now: datetime) -> Message | None:
    """The message, unless another process is sending it; if this process dies, it is retried later."""
    claimed = Message.objects.filter(_is_due(now), pk=number).update(try_at=now + timedelta(minutes=5))
    return Message.objects.select_related("channel").get(pk=number) if claimed else None


def settle(message: Message, *, error: str, now: datetime) -> None:
    """Store the outcome of an attempt."""
    message.attempts += 1
    message.error = error
    message.sent_at = None if error else now
    again = error and message.attempts <= len(RETRY_SECONDS)
    message.try_at = now + timedelta(seconds=RETRY_SECONDS[message.attempts - 1]) if again else None
    message.save(update_fields=["attempts", "error", "sent_at", "try_at"])


def _is_due(now: datetime) -> Q:
    return Q(try_at__lte=now) | Q(try_at__gt=now + LONGEST_WAIT)


def compose(incident: Incident, kind: Kind, *, now: datetime) -> tuple[str, str]:
    """The title and the text; plain, short, and the same for every kind of channel."""
    lasted = duration(1000 * ((incident.ended_at or now) - incident.began_at).total_seconds())
    services = some_of(incident.services, most=NAMED_IN_TITLE)
    words = {"services": services, "state": incident.state, "lasted": lasted}
    number = len(incident.services)
    titles = {
        Kind.BEGAN: ngettext("%(services)s is %(state)s", "%(services)s are %(state)s", number),
        Kind.REMINDER: ngettext(
            "Still: %(services)s has been %(state)s for %(lasted)s",
            "Still: %(services)s have been %(state)s for %(lasted)s",
            number,
        ),
        Kind.ENDED: ngettext(
            "Resolved: %(services)s is well again after %(lasted)s",
            "Resolved: %(services)s are well again after %(lasted)s",
            number,
        ),
    }
    title = titles[kind] % words
    times = {"begin": f"{incident.began_at:%Y-%m-%d %H:%M:%S}", "end": f"{incident.ended_at or now:%Y-%m-%d %H:%M:%S}"}
    lines = [(_("From %(begin)s to %(end)s UTC.") if kind == Kind.ENDED else _("Since %(begin)s UTC.")) % times]
    if number > NAMED_IN_TITLE:
        lines.append(_("Services: %(names)s") % {"names": some_of(incident.services)})
    if incident.reason and kind != Kind.ENDED:
        reason = Truncator(incident.reason).chars(MOST_OF_A_REASON).translate(_INERT)
        lines.append(_("Reason: %(reason)s") % {"reason": reason})
    if incident.affected:
        lines.append(_("Affected: %(names)s") % {"names": some_of(incident.affected)})
    return title, "\n".join(lines)


def some_of(names: Sequence[str], *, most: int = NAMED) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:most])
    more = len(names) - most
    return _("%(names)s and %(more)d more") % {"names": shown, "more": more} if more > 0 else shown

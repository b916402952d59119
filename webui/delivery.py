"""Sends a message through Apprise, which knows how e-mail, Slack, Teams, PagerDuty, ntfy and others want it."""

import logging
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from apprise import Apprise, NotifyFormat, NotifyType
from apprise.logger import LogCapture

from webui.models import Incident, Kind, Message, Severity

# Apprise's addresses can also name programs and files of this machine, which no page may start or write.
SCHEMES = frozenset(
    {
        *("mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms", "slack", "workflow"),
        *("workflows", "pagerduty", "opsgenie", "ntfy", "ntfys", "discord", "tgram", "matrix", "matrixs", "mmost"),
        *("mmosts", "rocket", "rockets", "gotify", "gotifys", "zulip", "pover", "webex", "wxteams"),
        *("signal", "signals", "splunk", "victorops", "gchat", "twilio", "sns", "ses"),
    }
)


def problem_of(url: str) -> str:
    """The reason why Apprise cannot send to the address; empty when it can."""
    scheme = url.partition("://")[0].lower()
    if scheme not in SCHEMES:
        return f"{scheme[:20]!r} is not a way to send that is offered here, such as mailto://, slack:// or json://."
    return "" if Apprise().add(url) else "Apprise cannot read this address: compare it with its documentation."


def address_for(url: str, incident: Incident) -> str:
    """PagerDuty's address names the incident, so that its end resolves what its beginning opened.

    An address that says so itself keeps its word.
    """
    if not url.lower().startswith("pagerduty://"):
        return url
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    # Not by its services, which come and go while it lasts.
    key = f"rollcall-{incident.pk}-{incident.began_at:%Y-%m-%dT%H:%M:%SZ}"
    return urlunsplit(parts._replace(query=urlencode({"action": "map", "dedup": key, **given}, quote_via=quote)))


def send(message: Message) -> str:
    """Send the message; returns why it could not be sent, empty when it was."""
    url = message.channel.url or ""
    apprise = Apprise()
    if problem_of(url) or not apprise.add(address_for(url, message.incident)):
        return problem_of(url)
    is_over = message.kind == Kind.ENDED
    severe = message.incident.severity == Severity.CRITICAL
    kind = NotifyType.SUCCESS if is_over else NotifyType.FAILURE if severe else NotifyType.WARNING
    with LogCapture(level=logging.WARNING, fmt="%(message)s") as captured:  # type: ignore[no-untyped-call]  # it carries no types
        was_sent = apprise.notify(
            title=message.title, body=message.body, notify_type=kind, body_format=NotifyFormat.TEXT
        )
    lines = captured.getvalue().strip().splitlines() if not was_sent else []
    return "" if was_sent else (lines[-1][-500:] if lines else "Apprise could not send it.")

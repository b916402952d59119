"""Judges the addresses that an alert may be sent to."""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from config.networks import DEFAULT_PORTS, lay_bare, never_called

SETTING = "LOGSVC_ALERT_NETWORKS"


def refusal(text: str, *, allowed: Sequence[str]) -> str | None:
    """None when the address may be called, else why not. `allowed` are networks such as `10.0.0.0/8`."""
    try:
        address = lay_bare(ipaddress.ip_address(text))
    except ValueError:
        return f"{text[:60]!r} is no address that can be judged."
    if what := never_called(address):
        return f"{text} is {what}, which is never called: use another address."
    if any(address in ipaddress.ip_network(network, strict=False) for network in allowed):
        return None
    return f"{text} is in none of the networks that alerts may go to: add its network to {SETTING}."


def choose(host: str, port: int, *, allowed: Sequence[str]) -> str:
    """The first of the host's addresses that may be called.

    Raises ValueError when none may be, OSError when the host has none.
    """
    refusals = []
    for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        why = refusal(str(place[0]), allowed=allowed)
        if why is None:
            return str(place[0])
        refusals.append(why)
    raise ValueError(refusals[0])


def check_url(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and target. Raises ValueError with what to change."""
    if not url.isascii() or any(each <= " " or each == "\x7f" for each in url) or "\\" in url:
        raise ValueError("the address holds characters that have no place in one: percent-encode them")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url[:80]!r} is not an address: use one such as https://example.org/alerts")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the address holds a password: leave it out, the message is signed")
    if parts.fragment:
        raise ValueError("the address has a fragment (#...): leave it out")
    if parts.port == 0:
        raise ValueError("0 is no port: use one from 1 to 65535")
    if not all(1 <= len(label) <= 63 for label in parts.hostname.removesuffix(".").split(".")):
        raise ValueError("between two dots of a host's name stand 1 to 63 characters: mend the name")
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    return parts.scheme, parts.hostname, port, f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"

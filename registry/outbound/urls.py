"""Parses URLs into where to connect and what to send first."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from config.networks import DEFAULT_PORTS

MAX_URL_CHARACTERS = 2048

# Stricter than RFC 3986 in the host, where a parser's leniency is an attacker's way round the address rules.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9_.-]{1,253}))"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?"
)
# No resolver takes a longer or an empty label (RFC 1035, section 2.3.4).
_LABELS = re.compile(r"([^.]{1,63}\.)*[^.]{1,63}\.?")
_VISIBLE_ASCII = re.compile(r"[!-~]*")


class Origin(NamedTuple):
    """A scheme, host and port: connections to the same origin are interchangeable."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    origin: Origin
    # The request after its method, up to and including the Host header.
    opening: bytes


@lru_cache(maxsize=50_000)
def parse(url: str) -> Target:
    """The target of an http or https URL; raises ValueError with a sentence that says what to change."""
    match = _URL.fullmatch(url)
    if match is None or len(url) > MAX_URL_CHARACTERS or not _VISIBLE_ASCII.fullmatch(url):
        raise ValueError(_explain(url))
    scheme = match["scheme"].lower()
    if scheme not in DEFAULT_PORTS:
        raise ValueError(f"The scheme {scheme!r} is not spoken here: use http or https.")
    if match["name"] and not _LABELS.fullmatch(match["name"]):
        raise ValueError("Between two dots of a host's name stand 1 to 63 characters: mend the name.")
    port = int(match["port"]) if match["port"] else DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65535:
        raise ValueError(f"{port} is no port: use one from 1 to 65535.")
    origin = Origin(scheme, (match["ipv6"] or match["name"]).lower(), port)
    path = (match["path"] or "/") + (match["query"] or "")
    host = str(origin)
    if port == DEFAULT_PORTS[scheme]:
        host = host.rpartition(":")[0]
    return Target(origin, f" {path} HTTP/1.1\r\nhost: {host}\r\n".encode("ascii"))


def _explain(url: str) -> str:
    if len(url) > MAX_URL_CHARACTERS:
        return f"The URL is longer than {MAX_URL_CHARACTERS} characters: use a shorter one."
    if not _VISIBLE_ASCII.fullmatch(url):
        return "A URL holds visible ASCII characters only: percent-encode a path, and write a name in Punycode (xn--)."
    if "#" in url:
        return "A URL that is called has no fragment: leave out '#' and what follows."
    if "@" in url.partition("://")[2].partition("/")[0]:
        return "A URL that is called holds no user name or password: leave out what precedes '@'."
    return "This is not a URL such as http://host:port/path: use one of that form."

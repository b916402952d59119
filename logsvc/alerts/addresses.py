"""Judges the addresses that an alert may be sent to.

`ipaddress` alone does not answer this: `is_private` and `is_global` miss metadata addresses, and an IPv4 address can
hide in several forms of IPv6. What is never called is listed here, and a hidden address is laid bare first.
"""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

SETTING = "LOGSVC_ALERT_NETWORKS"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Never called, whatever is configured.
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "100::/64",
        "64:ff9b:1::/48",
        "fd00:ec2::/32",
        "fd20:ce::254/128",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
# IPv6 forms of an IPv4 address: the form's network, and by how many bits the IPv4 address is shifted.
_HIDING_PLACES = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
    (ipaddress.IPv6Network("::/96"), 0),
)
_TEREDO = ipaddress.IPv6Network("2001::/32")
_PLAIN = frozenset({ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1")})


def refusal(text: str, *, allowed: Sequence[str]) -> str | None:
    """None when the address may be called, else why not. `allowed` are networks such as `10.0.0.0/8`."""
    try:
        address = bare(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return f"{text[:60]!r} is no address that can be judged."
    if any(address in network for network in _NEVER):
        return f"{text} is a link-local, metadata, multicast or reserved address, which is never called: use another."
    if any(address in ipaddress.ip_network(network, strict=False) for network in allowed):
        return None
    return f"{text} is in none of the networks that alerts may go to: add its network to {SETTING}."


def bare(address: Address) -> Address:
    """The IPv4 address inside an IPv6 form of one, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address) or address in _PLAIN:
        return address
    if address in _TEREDO:
        return ipaddress.IPv4Address(~int(address) & 0xFFFFFFFF)
    for network, shift in _HIDING_PLACES:
        if address in network:
            return ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return address


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
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname, port, f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"

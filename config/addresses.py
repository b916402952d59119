"""The address that a request comes from, through the proxies that are trusted to say so."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache


def client_address(peer: str, forwarded_for: str, *, proxies: Iterable[str]) -> str:
    """`peer`, or where that is one of `proxies` (networks), the last address of `X-Forwarded-For` that is none.

    Everything to the left of that was sent by the client itself and may be anything.
    """
    networks = _networks(tuple(proxies))
    address = peer
    for hop in reversed(forwarded_for.split(",")):
        if not _is_within(address, networks):
            return address
        candidate = hop.strip()
        if not _is_address(candidate):
            return address
        address = candidate
    return address


@lru_cache(maxsize=8)
def _networks(proxies: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(proxy) for proxy in proxies]


def _is_within(address: str, networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return bool(networks) and _is_address(address) and any(ipaddress.ip_address(address) in each for each in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

"""The address that a request comes from, through the proxies that are trusted to say so."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache


def client_address(peer: str, forwarded_for: str, *, proxies: Iterable[str]) -> str:
    """`peer`, or when that is within `proxies` (networks), the last address of `X-Forwarded-For` that is not.

    Everything to the left of that came from the client itself and may be anything.
    """
    networks = _networks(tuple(proxies))
    address = peer
    for hop in reversed(forwarded_for.split(",")):
        is_proxy = _is_address(address) and any(ipaddress.ip_address(address) in each for each in networks)
        candidate = hop.strip()
        if not (is_proxy and _is_address(candidate)):
            return address
        address = candidate
    return address


@lru_cache(maxsize=8)
def _networks(proxies: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(proxy) for proxy in proxies]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

"""Decides which addresses the registry may be told to call.

`ipaddress` alone does not answer this: its `is_private` and `is_global` miss metadata addresses, and an IPv4 address
can hide in several forms of IPv6. So addresses that are never called are listed here, and hidden ones are unwrapped
first.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from registry.outbound import urls

SETTING = "REGISTRY_ALLOWED_NETWORKS"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Never called, whatever is configured. The first that holds an address names it.
_NEVER: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(network), what)
    for network, what in (
        ("100.100.100.200/32", "a cloud's metadata address"),
        ("168.63.129.16/32", "a cloud's virtual host address"),
        ("169.254.0.0/16", "a link-local or metadata address"),
        ("192.0.0.0/24", "a protocol's reserved address, a metadata address on some clouds"),
        ("0.0.0.0/8", "an unspecified address"),
        ("192.88.99.0/24", "a 6to4 relay's address"),
        ("224.0.0.0/4", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("fd00:ec2::/32", "a cloud's metadata address"),
        ("fd20:ce::254/128", "a cloud's metadata address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
        ("::/128", "an unspecified address"),
        ("100::/64", "a discard address"),
        # A local NAT64 may put the IPv4 address anywhere (RFC 8215), so it cannot be judged.
        ("64:ff9b:1::/48", "a local NAT64 address, which may hide any other"),
    )
)

# IPv6 forms of an IPv4 address: the form's network, and by how many bits the IPv4 address is shifted.
_HIDING_PLACES: tuple[tuple[ipaddress.IPv6Network, int], ...] = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # translated (RFC 2765)
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
    (ipaddress.IPv6Network("::/96"), 0),  # compatible
)
_TEREDO = ipaddress.IPv6Network("2001::/32")
# ::/96 holds them too, but they are addresses in their own right.
_PLAIN_IPV6 = frozenset({ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1")})


class AddressPolicy:
    """Judges every address that the registry is about to connect to.

    `allowed_networks` are in the form `10.0.0.0/8`; a malformed one raises ValueError. `denied_endpoints` are our own
    (database, Redis), as addresses or names with a port; it is called each time, as a name may resolve anew. A loopback
    address among them stands for all of loopback.
    """

    def __init__(
        self,
        allowed_networks: Sequence[str],
        denied_endpoints: Callable[[], frozenset[tuple[str, int]]] = frozenset,
    ) -> None:
        self._allowed = tuple(_network(text) for text in allowed_networks)
        self._denied_endpoints = denied_endpoints
        # Bounded, and worth it: the same few thousand addresses are judged at every connection.
        self._judge = lru_cache(maxsize=16_384)(self._judge_address)

    def refusal(self, address: str, port: int) -> str | None:
        """Return None when `address` may be called at `port`, else a sentence that says why not."""
        if self._is_denied(address, port):
            return _never(f"{address}:{port}", "an endpoint of the registry's own")
        return self._judge(address)

    def sift(self, addresses: Iterable[str], port: int) -> tuple[list[str], str]:
        """The addresses that may be called, and the first refusal among the others."""
        allowed, first_refusal = [], ""
        for address in addresses:
            refusal = self.refusal(address, port)
            if refusal is None:
                allowed.append(address)
            else:
                first_refusal = first_refusal or refusal
        return allowed, first_refusal

    def check_url(self, url: str) -> str | None:
        """Return None when `url` may be registered to be called, else a sentence that says what to change.

        A literal address is judged here; a name is judged whenever it is connected to, for it may resolve anew.
        """
        try:
            origin = urls.parse(url).origin
        except ValueError as error:
            return str(error)
        literal = literal_address(origin.host)
        if literal is not None:
            return self.refusal(literal, origin.port)
        if self._is_denied(origin.host, origin.port):
            return _never(str(origin), "an endpoint of the registry's own")
        return None

    def _is_denied(self, host: str, port: int) -> bool:
        denied = _spelt(self._denied_endpoints())
        return bool(denied) and (_endpoint_host(host), port) in denied

    def _judge_address(self, text: str) -> str | None:
        try:
            address = lay_bare(ipaddress.ip_address(text))
        except ValueError:
            return f"{text!r} is no IP address, so it cannot be judged by {SETTING}: use one."
        shown = text if str(address) == text else f"{text} (which is {address})"
        for network, what in _NEVER:
            if address in network:
                return _never(shown, what)
        if any(address in network for network in self._allowed):
            return None
        return f"{shown} is in none of the networks that may be called: add its network to {SETTING}."


def lay_bare(address: Address) -> Address:
    """The IPv4 address inside an IPv6 form of one, else the address itself without its zone."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    bare = ipaddress.IPv6Address(int(address))
    if bare in _PLAIN_IPV6:
        return bare
    if bare in _TEREDO:
        return ipaddress.IPv4Address(~int(bare) & 0xFFFFFFFF)
    for network, shift in _HIDING_PLACES:
        if bare in network:
            return ipaddress.IPv4Address(int(bare) >> shift & 0xFFFFFFFF)
    return bare


@lru_cache(maxsize=16_384)
def literal_address(host: str) -> str | None:
    """The address that `host` spells out, also in the forms C libraries take (127.1, 0x7f000001); None for a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def _never(shown: str, what: str) -> str:
    return f"{shown} is {what}, which is never called, whatever {SETTING} allows: use another address."


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{SETTING} holds {text!r}, which is no network such as 10.0.0.0/8: set it to one.") from error


@lru_cache(maxsize=8)
def _spelt(endpoints: frozenset[tuple[str, int]]) -> frozenset[tuple[str, int]]:
    return frozenset((_endpoint_host(host), port) for host, port in endpoints)


def _endpoint_host(host: str) -> str:
    """One spelling for all that reach the same endpoint."""
    literal = literal_address(host)
    if literal is None:
        name = host.lower().rstrip(".")
        return "loopback" if name == "localhost" else name
    address = lay_bare(ipaddress.ip_address(literal))
    return "loopback" if address.is_loopback else str(address)

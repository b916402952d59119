"""IP networks that no service ever calls, whatever its settings allow.

`ipaddress` alone does not answer this: its `is_private` and `is_global` miss metadata addresses, and an IPv4 address
can hide in several forms of IPv6. So addresses that are never called are listed here, and hidden ones are unwrapped
first.
"""

import ipaddress
import socket
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORTS = {"http": 80, "https": 443}

# The first that holds an address names it.
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


def never_called(address: Address) -> str:
    """The kind of an address that is never called; "" for any other. Lay it bare first."""
    return next((what for network, what in _NEVER if address in network), "")


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

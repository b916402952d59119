"""Decides which addresses the registry may be told to call."""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from config.networks import Network, lay_bare, literal_address, never_called
from registry.outbound import urls

SETTING = "REGISTRY_ALLOWED_NETWORKS"


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
        return bool(denied) and (spelling(host), port) in denied

    def _judge_address(self, text: str) -> str | None:
        try:
            address = lay_bare(ipaddress.ip_address(text))
        except ValueError:
            return f"{text!r} is no IP address, so it cannot be judged by {SETTING}: use one."
        shown = text if str(address) == text else f"{text} (which is {address})"
        if what := never_called(address):
            return _never(shown, what)
        if any(address in network for network in self._allowed):
            return None
        return f"{shown} is in none of the networks that may be called: add its network to {SETTING}."


def _never(shown: str, what: str) -> str:
    return f"{shown} is {what}, which is never called, whatever {SETTING} allows: use another address."


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{SETTING} holds {text!r}, which is no network such as 10.0.0.0/8: set it to one.") from error


@lru_cache(maxsize=8)
def _spelt(endpoints: frozenset[tuple[str, int]]) -> frozenset[tuple[str, int]]:
    return frozenset((spelling(host), port) for host, port in endpoints)


@lru_cache(maxsize=16_384)
def spelling(host: str) -> str:
    """One spelling of a host for all that reach the same endpoint; `loopback` for all of this machine's own."""
    literal = literal_address(host)
    if literal is None:
        name = host.lower().rstrip(".")
        return "loopback" if name == "localhost" else name
    address = lay_bare(ipaddress.ip_address(literal))
    return "loopback" if address.is_loopback else str(address)

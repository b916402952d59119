"""The Host header, checked once before any lane, so that every address is equally strict."""

import logging
from collections.abc import Iterable, MutableMapping
from typing import Any

from django.http.request import split_domain_port, validate_host

from config.problems import UnknownHost

# The most allowed hosts to remember, so that a request costs one lookup in a set.
MOST_KNOWN = 1000
# Balancers ask by address, and hear from it only that the process serves.
FOR_ANY_HOST = frozenset({"/healthz"})

logger = logging.getLogger(__name__)


class Hosts:
    """`allowed` is as in Django's ALLOWED_HOSTS."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = list(allowed)
        self._known: set[bytes] = set()

    def knows(self, scope: MutableMapping[str, Any]) -> bool:
        """Whether the request's host was allowed before."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        return len(hosts) == 1 and hosts[0] in self._known

    def check(self, scope: MutableMapping[str, Any]) -> None:
        """Raises UnknownHost for a host that is not allowed, for two hosts, and for none over HTTP/1.1."""
        if self.knows(scope) or scope["path"] in FOR_ANY_HOST:
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if not any(hosts) and scope.get("http_version") == "1.0":
            return
        domain, _ = split_domain_port(hosts[0].decode("latin-1")) if len(hosts) == 1 else ("", "")
        if not domain or not validate_host(domain, self._allowed):
            client = (scope.get("client") or ("",))[0]
            logger.warning("Refused a request for the host %a, from %s", b", ".join(hosts), client)
            raise UnknownHost
        if len(self._known) < MOST_KNOWN:
            self._known.add(hosts[0])

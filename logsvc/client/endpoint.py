"""Locates the log service: at a fixed address, or where a registry's client says that it is now."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

SERVICE = "logsvc"

Listener = Callable[[], object]


@runtime_checkable
class Members(Protocol):
    """The part of a `registry.client` membership that is needed here."""

    def choose(self, service: str) -> Any: ...

    def on_change(self, service: str, listener: Callable[[Any], object]) -> object: ...


@runtime_checkable
class Subscribable(Protocol):
    """A function that says the address, and can tell when it changes."""

    def __call__(self) -> str | None: ...

    def subscribe(self, listener: Listener) -> bool:
        """Call `listener` whenever the log service comes or goes; False where that is not known yet."""


Endpoint = str | Members | Subscribable | Callable[[], str | None]


class Address:
    """Asks the endpoint where to send, and has `wake` called when the registry says that the log service is there."""

    def __init__(self, endpoint: Endpoint, wake: Listener) -> None:
        self._endpoint = endpoint
        self._wake = wake
        self._is_subscribed = False

    def get(self) -> str | None:
        """The address; None while it is not known."""
        endpoint = self._endpoint
        if not self._is_subscribed:
            if isinstance(endpoint, Members):
                endpoint.on_change(SERVICE, lambda providers: self._wake())
            self._is_subscribed = not isinstance(endpoint, Subscribable) or endpoint.subscribe(self._wake)
        if isinstance(endpoint, str):
            return endpoint
        if isinstance(endpoint, Members):
            chosen = endpoint.choose(SERVICE)
            return None if chosen is None else str(chosen.url)
        return endpoint()

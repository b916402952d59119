"""The registry as a service's code uses it: all its calls, and membership."""

from pathlib import Path

import httpx2

from .asynchronous import AsyncConnection
from .connection import Connection
from .membership import DRAIN_SECONDS, AsyncMembership, Membership
from .wire import Registration


class Registry(Connection):
    def registered(
        self,
        registration: Registration,
        *,
        state_dir: Path | str | None = None,
        verify_seconds: float | None = None,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> Membership:
        """A membership, as a context manager; see Membership.

        Every `verify_seconds` (30) it asks the registry whether the instance is still registered and what its providers
        are; an instance without `notify_url` polls the registry for the next change.

        On SIGTERM the registry stops offering it, it serves on for `drain_seconds`, and deregisters.
        """
        connection = Connection(self.url, self._token, timeout=self._timeout, transport=self._transport)
        return Membership(
            connection, registration, state_dir=state_dir, verify_seconds=verify_seconds, drain_seconds=drain_seconds
        )


class AsyncRegistry(AsyncConnection):
    def registered(
        self,
        registration: Registration,
        *,
        state_dir: Path | str | None = None,
        verify_seconds: float | None = None,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> AsyncMembership:
        """The same as Registry's, for `async with`. Its thread uses `transport` where that also serves plain code."""
        transport = self._transport if isinstance(self._transport, httpx2.BaseTransport) else None
        connection = Connection(self.url, self._token, timeout=self._timeout, transport=transport)
        return AsyncMembership(
            connection, registration, state_dir=state_dir, verify_seconds=verify_seconds, drain_seconds=drain_seconds
        )

"""The registry's calls for asynchronous code: Connection's methods, awaited."""

from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

import httpx2

from . import calls, wire
from .connection import DEFAULT_TIMEOUT_SECONDS, checked_token, checked_url, client_arguments

T = TypeVar("T")


class AsyncConnection:
    """A client of the registry at `url`, with `token`; each method behaves as Connection's."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = checked_url(url)
        self._token = checked_token(token)
        self._timeout = timeout
        self._transport = transport
        self._answers = calls.Answers()

    async def register(self, registration: wire.Registration) -> wire.Registered:
        self._answers.forget()
        return await self._send(calls.register(registration))

    async def deregister(self, service: str, instance: str, *, incarnation: str | None = None) -> None:
        await self._send(calls.deregister(service, instance, incarnation=incarnation))

    async def drain(self, service: str, instance: str, *, seconds: float, reason: str = "") -> wire.Instance:
        return await self._send(calls.drain(service, instance, seconds=seconds, reason=reason))

    async def beat(self, service: str, instance: str, *, status: str | None = None, reason: str = "") -> None:
        await self._send(calls.beat(service, instance, status=status, reason=reason))

    async def instance(self, service: str, instance: str) -> wire.Instance:
        return await self._send(calls.instance(service, instance))

    async def instances(
        self,
        service: str,
        *,
        status: str | None = None,
        tag: str | None = None,
        zone: str | None = None,
        after: int | None = None,
        wait_seconds: float = 0.0,
    ) -> wire.InstanceList:
        call = calls.instances(service, status=status, tag=tag, zone=zone, after=after, wait_seconds=wait_seconds)
        return await self._send(call)

    async def providers(
        self, service: str, instance: str, *, after: int | None = None, wait_seconds: float = 0.0
    ) -> wire.Resolution:
        return await self._send(calls.providers(service, instance, after=after, wait_seconds=wait_seconds))

    async def services(self) -> wire.ServiceList:
        return await self._send(calls.services())

    async def close(self) -> None:
        client = self.__dict__.pop("_client", None)
        if client is not None:
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @cached_property
    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(**client_arguments(self.url, self._token, self._timeout), transport=self._transport)

    async def _send(self, call: calls.Call[T]) -> T:
        try:
            response = await self._client.send(self._answers.request(self._client, call))
        except httpx2.RequestError as error:
            raise calls.unreachable(self.url, error) from error
        return self._answers.result(call, response)

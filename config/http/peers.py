"""The other end of a connection."""

import asyncio

from uvicorn.protocols.utils import get_remote_addr

MAPPED = "::ffff:"


def client_of(transport: asyncio.Transport) -> tuple[str, int] | None:
    """The client's address, where a socket for IPv6 serves IPv4 also, as the IPv4 address that it is."""
    client = get_remote_addr(transport)
    if client is not None and client[0].startswith(MAPPED) and "." in client[0]:
        return client[0].removeprefix(MAPPED), client[1]
    return client

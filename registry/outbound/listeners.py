"""The TCP ports that are listened on in this network namespace, asked of the kernel by netlink's sock_diag.

It walks the listening sockets alone, where /proc/net/tcp writes every connection down as text (bench/README.md).
"""

import errno
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301
_DONE, _ERROR = 3, 2
_LISTEN = 1 << 10
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI48x")
# After the message's header: the family and the state, then the port and the address.
_PORT = struct.Struct("!H")
_PORT_AT = _HEADER.size + 4
_ADDRESS_AT = _PORT_AT + 4
_READ_BYTES = 64 * 1024


class Listener(NamedTuple):
    """A listening socket; its address as bytes, all of them zero where it listens on every address."""

    port: int
    address: bytes


class Listeners:
    """A netlink socket, kept open. Raises OSError where there is none, as on any system but Linux."""

    def __init__(self) -> None:
        family = getattr(socket, "AF_NETLINK", None)
        if family is None:
            raise OSError(errno.EAFNOSUPPORT, "no netlink here")
        self._socket = socket.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG)
        # The kernel answers at once; this is for one that does not.
        self._socket.settimeout(0.2)

    def close(self) -> None:
        self._socket.close()

    def read(self) -> set[Listener]:
        """Every address and port that is listened on now. Raises OSError."""
        return {*self._read(socket.AF_INET, 4), *self._read(socket.AF_INET6, 16)}

    def _read(self, family: int, address_bytes: int) -> Iterator[Listener]:
        body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _LISTEN)
        header = _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 0, 0)
        self._socket.send(header + body)
        while True:
            answer = self._socket.recv(_READ_BYTES)
            at = 0
            while at < len(answer):
                length, kind, _, _, _ = _HEADER.unpack_from(answer, at)
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    code = -struct.unpack_from("=i", answer, at + _HEADER.size)[0]
                    raise OSError(code, "the kernel does not list listening sockets")
                (port,) = _PORT.unpack_from(answer, at + _PORT_AT)
                yield Listener(port, answer[at + _ADDRESS_AT : at + _ADDRESS_AT + address_bytes])
                at += (length + 3) & ~3

"""Checks whether a port can be listened on."""

import socket


def refusal(host: str, port: int) -> str | None:
    """The reason why nothing can listen on that port of the IP address `host` now; None when it can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as candidate:
            # As servers do, so that connections still closing after a restart do not count as a listener.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            candidate.bind(address)
            candidate.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return None

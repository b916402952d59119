"""The sockets that listen on this host, as the kernel lists them, and what follows from them."""

import socket
from collections.abc import Callable, Iterator
from functools import partial
from threading import Event
from time import thread_time

import pytest

from registry.health.listen_watch import LONGEST_PAUSE_SECONDS, LOOK_SECONDS, RETURN_SECONDS, ListenWatch
from registry.outbound.client import Origin
from registry.outbound.listeners import Listener, Listeners
from tests.ipv6 import needs_ipv6

ORIGIN = Origin("tcp", "127.0.0.1", 9000)
OWN = Listener(9000, socket.inet_aton("127.0.0.1"))
ANY = Listener(9000, bytes(4))
ANY_IPV6 = Listener(9000, bytes(16))


class Watched(ListenWatch):
    def __init__(self, *origins: Origin) -> None:
        self.stopped: list[Origin] = []
        self.returned: list[Origin] = []
        super().__init__(self.stopped.append, self.returned.append)
        for origin in origins:
            self.add(origin)


@pytest.mark.parametrize("listener", [OWN, ANY, ANY_IPV6], ids=["its address", "every address", "every one of IPv6"])
def test_an_origin_that_was_listened_for_and_is_no_more_has_stopped_once(listener: Listener) -> None:
    watch = Watched(ORIGIN)

    for found in ({listener}, {listener}, set[Listener](), set[Listener]()):
        watch.compare(found, now=0.0)

    assert watch.stopped == [ORIGIN]


def test_origins_of_other_hosts_are_not_watched() -> None:
    watch = Watched(Origin("tcp", "192.0.2.1", 9000), Origin("tcp", "billing.example", 9000))

    watch.compare({Listener(9000, bytes(4))}, now=0.0)
    watch.compare(set(), now=0.0)

    assert watch.stopped == []


def test_who_listens_again_has_returned_and_is_watched_as_before() -> None:
    watch = Watched(ORIGIN)

    for found in ({OWN}, set[Listener](), {OWN}, set[Listener]()):
        watch.compare(found, now=0.0)

    assert (watch.stopped, watch.returned) == ([ORIGIN, ORIGIN], [ORIGIN])


def test_who_has_moved_away_is_forgotten_in_time() -> None:
    watch = Watched(ORIGIN)

    for found, now in (
        ({OWN}, 0.0),
        (set[Listener](), 0.0),
        (set[Listener](), RETURN_SECONDS),
        ({OWN}, RETURN_SECONDS),
    ):
        watch.compare(found, now=now)

    assert watch.returned == []


class Slow(Listeners):
    """Waits for a processor as it reads, or is interrupted."""

    def __init__(self, wait: Callable[[], object]) -> None:
        self.found = {OWN}
        self._wait = wait

    def read(self) -> set[Listener]:
        self._wait()
        return self.found


def compute() -> None:
    until = thread_time() + 0.02
    while thread_time() < until:
        pass


@pytest.mark.parametrize("wait", [partial(Event().wait, 0.05), compute], ids=["waits", "computes"])
def test_a_look_that_takes_long_for_once_puts_off_no_other(wait: Callable[[], object]) -> None:
    listeners, stopped = Slow(wait), list[Origin]()
    watch = ListenWatch(stopped.append, lambda origin: None, listeners=listeners)
    watch.add(ORIGIN)

    watch.look(now=0.0)
    listeners.found = set()
    watch.look(now=LOOK_SECONDS)

    assert stopped == [ORIGIN]


def test_looks_that_always_take_long_are_made_less_often() -> None:
    listeners, stopped = Slow(compute), list[Origin]()
    watch = ListenWatch(stopped.append, lambda origin: None, listeners=listeners)
    watch.add(ORIGIN)

    watch.look(now=0.0)
    watch.look(now=LOOK_SECONDS)
    listeners.found = set()
    watch.look(now=2 * LOOK_SECONDS)
    assert stopped == []
    watch.look(now=LOOK_SECONDS + LONGEST_PAUSE_SECONDS)
    assert stopped == [ORIGIN]


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    try:
        found = Listeners()
    except OSError:
        pytest.skip("this system has no netlink")
    yield found
    found.close()


@pytest.mark.parametrize(
    ("family", "host"),
    [(socket.AF_INET, "127.0.0.1"), pytest.param(socket.AF_INET6, "::1", marks=needs_ipv6)],
)
def test_the_kernel_tells_who_listens(listeners: Listeners, family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as serving:
        serving.bind((host, 0))
        port = serving.getsockname()[1]
        bound = listeners.read()
        serving.listen()
        listening = listeners.read()
    closed = listeners.read()

    own = Listener(port, socket.inet_pton(family, host))
    assert (own in bound, own in listening, own in closed) == (False, True, False)


def test_a_real_stop_is_seen_by_the_next_look(listeners: Listeners) -> None:
    with socket.create_server(("127.0.0.1", 0)) as serving:
        origin = Origin("tcp", *serving.getsockname())
        watch = Watched(origin)
        watch.look(now=LOOK_SECONDS)
        assert watch.stopped == []
    # Some time later: a look that took long is made less often.
    watch.look(now=1000 * LOOK_SECONDS)
    watch.close()

    assert watch.stopped == [origin]

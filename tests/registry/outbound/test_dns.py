"""Names: asked for once, judged as they resolve, waited for no longer than allowed."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from registry.outbound.address_policy import AddressPolicy
from registry.outbound.client import Client, Error, Request, Timeouts
from registry.outbound.dns import CACHE_SECONDS, Resolver
from tests.registry.outbound.peers import answering_always, peer, say_nothing
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Names:
    """A system's resolver whose answers a test writes."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.silent = threading.Event()

    def look_up(self, host: str) -> list[str]:
        self.asked.append(host)
        if host == "silent.test":
            self.silent.wait(10 * PATIENCE_SECONDS)
        if host not in self.addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return self.addresses[host]

    def client(self, policy: AddressPolicy, *, cache_seconds: float = CACHE_SECONDS) -> Client:
        loop = asyncio.get_running_loop()
        return Client(policy, resolver=Resolver(loop, look_up=self.look_up, cache_seconds=cache_seconds))


@pytest.fixture
def names() -> Iterator[Names]:
    names = Names()
    yield names
    names.silent.set()


@pytest.fixture
async def client(policy: AddressPolicy, names: Names) -> AsyncIterator[Client]:
    # For longer than any test takes.
    client = names.client(policy, cache_seconds=10 * PATIENCE_SECONDS)
    yield client
    await client.close()


async def test_a_name_is_resolved_and_named_to_the_peer(client: Client, names: Names) -> None:
    names.addresses["service.test"] = ["127.0.0.1"]
    requests: list[bytes] = []
    async with peer(answering_always(OK, requests)) as serving:
        outcome = await client.send(Request(url=f"http://service.test:{serving.port}/"))
    assert outcome.status == 200
    assert f"host: service.test:{serving.port}\r\n".encode() in requests[0]


async def test_a_name_is_asked_for_once_by_many(client: Client, names: Names) -> None:
    names.addresses["service.test"] = ["127.0.0.1"]
    async with peer(answering_always(OK)) as serving:
        request = Request(url=f"http://service.test:{serving.port}/", keep_alive=False)
        await asyncio.gather(*(client.send(request) for _ in range(10)))
        await client.send(request)
    assert names.asked == ["service.test"]


async def test_a_name_that_does_not_resolve_is_said_so(client: Client, names: Names) -> None:
    outcome = await client.send(Request(url="http://nowhere.test/"))
    assert outcome.error is Error.RESOLVE_FAILED
    assert outcome.detail == "nowhere.test did not resolve: Name or service not known."


async def test_a_failed_lookup_is_not_remembered(client: Client, names: Names) -> None:
    assert (await client.send(Request(url="http://late.test/"))).error is Error.RESOLVE_FAILED
    names.addresses["late.test"] = ["127.0.0.1"]
    async with peer(answering_always(OK)) as serving:
        assert (await client.send(Request(url=f"http://late.test:{serving.port}/"))).status == 200


async def test_a_name_whose_server_is_silent_is_given_up(client: Client, names: Names) -> None:
    request = Request(url="http://silent.test/", timeouts=Timeouts(resolve=0.05))
    outcomes = await asyncio.gather(*(client.send(request) for _ in range(3)))
    assert {outcome.error for outcome in outcomes} == {Error.RESOLVE_FAILED}
    assert "did not resolve within" in outcomes[0].detail


async def test_a_silent_name_delays_no_other(client: Client, names: Names) -> None:
    names.addresses["service.test"] = ["127.0.0.1"]
    async with peer(answering_always(OK)) as serving:
        patient = Timeouts.within(10 * PATIENCE_SECONDS)
        slow = asyncio.create_task(client.send(Request(url="http://silent.test/", timeouts=patient)))
        await asyncio.sleep(0)
        assert (await client.send(Request(url=f"http://service.test:{serving.port}/"))).status == 200
        assert not slow.done()
        names.silent.set()
        await slow


async def test_a_name_that_resolves_to_a_refused_address_is_refused(client: Client, names: Names) -> None:
    names.addresses["evil.test"] = ["169.254.169.254"]
    outcome = await client.send(Request(url="http://evil.test/"))
    assert outcome.error is Error.REFUSED_ADDRESS
    assert outcome.detail.startswith("169.254.169.254")


async def test_of_a_names_addresses_a_refused_one_is_passed_over(client: Client, names: Names) -> None:
    names.addresses["mixed.test"] = ["169.254.169.254", "127.0.0.1"]
    async with peer(answering_always(OK)) as serving:
        assert (await client.send(Request(url=f"http://mixed.test:{serving.port}/"))).status == 200


async def test_a_name_that_turns_to_a_refused_address_is_judged_anew(policy: AddressPolicy, names: Names) -> None:
    client = names.client(policy, cache_seconds=0)
    names.addresses["turncoat.test"] = ["127.0.0.1"]
    async with peer(answering_always(OK)) as serving:
        request = Request(url=f"http://turncoat.test:{serving.port}/", keep_alive=False)
        assert (await client.send(request)).status == 200
        names.addresses["turncoat.test"] = ["100.100.100.200"]
        assert (await client.send(request)).error is Error.REFUSED_ADDRESS
    await client.close()


async def test_a_names_next_address_is_tried_when_one_refuses(client: Client, names: Names) -> None:
    names.addresses["two.test"] = ["127.0.0.2", "127.0.0.1"]
    async with peer(answering_always(OK)) as serving:
        assert (await client.connect("two.test", serving.port, Timeouts())).is_success
        await asyncio.wait_for(serving.closed.wait(), PATIENCE_SECONDS)
        assert (await client.send(Request(url=f"http://two.test:{serving.port}/"))).status == 200


async def test_when_all_of_a_names_addresses_refuse_that_is_the_outcome(client: Client, names: Names) -> None:
    names.addresses["two.test"] = ["127.0.0.2", "127.0.0.3"]
    async with peer(say_nothing) as gone:
        pass
    outcome = await client.send(Request(url=f"http://two.test:{gone.port}/"))
    assert outcome.error is Error.CONNECTION_REFUSED


async def test_a_names_next_address_is_tried_when_one_does_not_accept(client: Client, names: Names) -> None:
    names.addresses["two.test"] = ["127.0.0.2", "127.0.0.1"]
    async with peer(answering_always(OK)) as serving:
        with socket.socket() as full, socket.socket() as queued:
            full.bind(("127.0.0.2", serving.port))
            full.listen(0)
            queued.connect(full.getsockname())
            request = Request(url=f"http://two.test:{serving.port}/", timeouts=Timeouts(connect=1.0))
            assert (await client.send(request)).status == 200


async def test_closing_the_client_does_not_wait_for_names(policy: AddressPolicy, names: Names) -> None:
    client = names.client(policy)
    slow = asyncio.create_task(client.send(Request(url="http://silent.test/")))
    await asyncio.to_thread(until, lambda: bool(names.asked))
    await asyncio.wait_for(client.close(), PATIENCE_SECONDS)
    assert (await slow).error is Error.CLIENT_CLOSED

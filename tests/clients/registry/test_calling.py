"""A call by name reaches an instance that serves, and does no harm twice."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator

import httpx2
import pytest

from registry.client import Chooser, NoProviderError, Provider, calling
from registry.client.calling import AsyncTransport, Transport

Behaviour = Callable[[httpx2.Request], httpx2.Response]


class Grading:
    """Two instances of one service, each of which behaves as told."""

    def __init__(self, **behaviours: Behaviour) -> None:
        self.behaviours = behaviours
        self.requests: list[httpx2.Request] = []
        self.chooser = Chooser()
        self.chooser.update(
            {
                "grading": tuple(
                    Provider(service="grading", instance=name, url=f"http://{name}.test:8003/base/")
                    for name in behaviours
                )
            }
        )

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return self.behaviours[request.url.host.removesuffix(".test")](request)

    def client(self) -> httpx2.Client:
        inner = httpx2.MockTransport(self.answer)
        return httpx2.Client(mounts={"rollcall://": Transport(self.chooser, inner=inner)})

    def async_client(self) -> httpx2.AsyncClient:
        inner = httpx2.MockTransport(self.answer)
        return httpx2.AsyncClient(mounts={"rollcall://": AsyncTransport(self.chooser, inner=inner)})

    def hosts(self) -> list[str]:
        return [request.url.host for request in self.requests]


def works(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, text=f"{request.method} {request.content.decode()}")


def status(code: int) -> Behaviour:
    return lambda request: httpx2.Response(code)


def fails(kind: type[httpx2.TransportError]) -> Behaviour:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise kind("it failed", request=request)

    return fail


def test_a_request_goes_to_a_provider_s_own_address() -> None:
    grading = Grading(one=works)
    answer = grading.client().get("rollcall://grading/api/courses?page=2&q=a%2Fb", headers={"X-Mine": "1"})
    assert answer.text == "GET "
    assert str(grading.requests[0].url) == "http://one.test:8003/base/api/courses?page=2&q=a%2Fb"
    assert grading.requests[0].headers["Host"] == "one.test:8003"
    assert grading.requests[0].headers["X-Mine"] == "1"


def test_a_base_url_may_name_a_service() -> None:
    grading = Grading(one=works)
    inner = httpx2.MockTransport(grading.answer)
    with httpx2.Client(base_url="rollcall://grading/api", transport=Transport(grading.chooser, inner=inner)) as client:
        client.get("courses")
    assert grading.requests[0].url.path == "/base/api/courses"


def test_providers_take_turns() -> None:
    grading = Grading(one=works, two=works)
    client = grading.client()
    for _ in range(4):
        client.get("rollcall://grading/")
    assert sorted(grading.hosts()) == ["one.test", "one.test", "two.test", "two.test"]


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "PATCH"])
def test_a_refused_connection_is_nobody_s_problem_and_happens_once(method: str) -> None:
    grading = Grading(one=fails(httpx2.ConnectError), two=works)
    client = grading.client()
    for _ in range(6):
        assert client.request(method, "rollcall://grading/", content=b"x").text == f"{method} x"
    assert grading.hosts().count("one.test") <= 1


@pytest.mark.parametrize("behaviour", [fails(httpx2.ReadError), fails(httpx2.ReadTimeout), status(502), status(503)])
def test_what_may_be_repeated_is_repeated_elsewhere(behaviour: Behaviour) -> None:
    grading = Grading(one=behaviour, two=works)
    client = grading.client()
    for _ in range(4):
        assert client.put("rollcall://grading/", content=b"x").text == "PUT x"
    assert grading.hosts().count("one.test") <= 1


class Breaking(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of an answer whose server dies amid it."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"GE"
        raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for each in self:
            yield each


def breaks_off(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, headers={"Content-Length": "4"}, stream=Breaking())


def test_an_answer_that_breaks_off_is_asked_for_elsewhere() -> None:
    grading = Grading(one=breaks_off, two=works)
    client = grading.client()
    for _ in range(4):
        assert client.get("rollcall://grading/").text == "GET "
    assert grading.hosts().count("one.test") == 1

    async def ask() -> str:
        return (await another.async_client().get("rollcall://grading/")).text

    another = Grading(one=breaks_off, two=works)
    for _ in range(2):
        assert asyncio.run(ask()) == "GET "
    assert another.hosts().count("one.test") == 1


def test_an_answer_to_what_may_not_be_repeated_breaks_off_for_the_caller() -> None:
    grading = Grading(one=breaks_off, two=breaks_off)
    with pytest.raises(httpx2.RemoteProtocolError):
        grading.client().post("rollcall://grading/")
    assert len(grading.requests) == 1


@pytest.mark.parametrize("kind", [httpx2.ReadError, httpx2.ReadTimeout, httpx2.RemoteProtocolError])
def test_what_may_have_been_done_is_not_done_again(kind: type[httpx2.TransportError]) -> None:
    grading = Grading(one=fails(kind), two=fails(kind))
    with pytest.raises(kind):
        grading.client().post("rollcall://grading/")
    assert len(grading.requests) == 1


def test_a_server_s_refusal_of_what_may_not_be_repeated_is_the_answer() -> None:
    grading = Grading(one=status(503), two=status(503))
    assert grading.client().post("rollcall://grading/").status_code == 503
    assert len(grading.requests) == 1


def test_the_last_answer_stands_when_all_are_away() -> None:
    grading = Grading(one=status(503), two=status(503))
    assert grading.client().get("rollcall://grading/").status_code == 503
    assert sorted(grading.hosts()) == ["one.test", "two.test"]


def test_the_last_error_is_raised_when_nobody_answers() -> None:
    grading = Grading(one=fails(httpx2.ConnectError), two=fails(httpx2.ConnectError))
    with pytest.raises(httpx2.ConnectError):
        grading.client().get("rollcall://grading/")
    assert sorted(grading.hosts()) == ["one.test", "two.test"]


def test_only_a_few_are_asked_of_many() -> None:
    grading = Grading(**{f"g{number}": fails(httpx2.ConnectError) for number in range(9)})
    with pytest.raises(httpx2.ConnectError):
        grading.client().get("rollcall://grading/")
    assert len(set(grading.hosts())) == len(grading.hosts()) == 3


def test_a_fault_of_the_caller_s_own_is_not_held_against_a_provider() -> None:
    grading = Grading(one=fails(httpx2.PoolTimeout), two=fails(httpx2.PoolTimeout))
    client = grading.client()
    for _ in range(2):
        with pytest.raises(httpx2.PoolTimeout):
            client.get("rollcall://grading/")
    assert sorted(grading.hosts()) == ["one.test", "two.test"]


def test_an_error_of_the_service_s_own_is_an_answer_like_any() -> None:
    grading = Grading(one=status(500), two=status(500))
    assert grading.client().get("rollcall://grading/").status_code == 500
    assert len(grading.requests) == 1


def test_a_body_that_is_read_as_it_is_sent_is_sent_once() -> None:
    def body() -> Iterator[bytes]:
        yield b"x"

    grading = Grading(one=fails(httpx2.ConnectError), two=fails(httpx2.ConnectError))
    with pytest.raises(httpx2.ConnectError):
        grading.client().put("rollcall://grading/", content=body())
    assert len(grading.requests) == 1


def test_a_service_nobody_offers_is_an_error_worth_a_retry() -> None:
    with pytest.raises(NoProviderError, match="logsvc") as caught:
        Grading(one=works).client().get("rollcall://logsvc/")
    assert caught.value.retryable


def test_asynchronous_code_calls_the_same_way() -> None:
    grading = Grading(one=fails(httpx2.ConnectError), two=status(503), three=works)

    async def call() -> None:
        async with grading.async_client() as client:
            for _ in range(3):
                assert (await client.get("rollcall://grading/")).text == "GET "
            with pytest.raises(NoProviderError):
                await client.get("rollcall://logsvc/")

    asyncio.run(call())


def test_the_system_s_certificates_are_read_once_for_all_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[ssl.SSLContext] = []
    create = httpx2.create_ssl_context

    def count() -> ssl.SSLContext:
        read.append(create())
        return read[-1]

    monkeypatch.setattr(httpx2, "create_ssl_context", count)
    calling.certificates.cache_clear()
    for _ in range(3):
        calling.client(Chooser()).close()
    assert len(read) == 1

"""TLS: certificates are verified, and all else is as without it."""

import asyncio
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.outbound.address_policy import AddressPolicy
from registry.outbound.client import Client, Error, Origin, Request, Timeouts
from tests.registry.outbound.peers import answering, answering_always, peer, say_nothing
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Certificate:
    path: Path
    key_path: Path

    def serving(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self.key_path)
        return context

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.path)


def make_certificate(folder: Path, subject: str) -> Certificate:
    certificate = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=test", "-addext", f"subjectAltName={subject}"]
    files = ["-keyout", str(certificate.key_path), "-out", str(certificate.path)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    return certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("right"), "IP:127.0.0.1,DNS:localhost")


@pytest.fixture(scope="session")
def certificate_of_another(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("wrong"), "DNS:another.test")


async def test_a_trusted_peer_is_asked_and_its_connection_kept(policy: AddressPolicy, certificate: Certificate) -> None:
    client = Client(policy, tls_context=certificate.trusting())
    async with peer(answering_always(OK), tls=certificate.serving()) as serving:
        for host in ("127.0.0.1", "localhost"):
            url = f"https://{host}:{serving.port}/"
            outcomes = [await client.send(Request(url=url)) for _ in range(3)]
            assert [(outcome.status, outcome.body) for outcome in outcomes] == [(200, b"ok")] * 3
            assert [outcome.reused for outcome in outcomes] == [False, True, True]
    await client.close()


async def test_a_self_signed_certificate_is_not_trusted(client: Client, certificate: Certificate) -> None:
    async with peer(answering_always(OK), tls=certificate.serving()) as serving:
        outcome = await client.send(Request(url=serving.url))
    assert outcome.error is Error.TLS_FAILED
    assert outcome.detail.startswith(f"127.0.0.1:{serving.port} showed a certificate that is not trusted: ")


async def test_anothers_certificate_is_not_trusted(policy: AddressPolicy, certificate_of_another: Certificate) -> None:
    client = Client(policy, tls_context=certificate_of_another.trusting())
    async with peer(answering_always(OK), tls=certificate_of_another.serving()) as serving:
        outcome = await client.send(Request(url=serving.url))
    await client.close()
    assert outcome.error is Error.TLS_FAILED


async def test_a_peer_that_speaks_no_tls_is_said_so(client: Client) -> None:
    async with peer(answering(OK)) as serving:
        outcome = await client.send(Request(url=f"https://127.0.0.1:{serving.port}/", timeouts=Timeouts.within(1)))
    assert outcome.error in (Error.TLS_FAILED, Error.CONNECT_TIMEOUT)


async def test_a_peer_that_answers_tls_with_garbage_is_said_so(client: Client) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    async with peer(babble) as serving:
        outcome = await client.send(Request(url=f"https://127.0.0.1:{serving.port}/"))
    assert outcome.error is Error.TLS_FAILED


async def test_a_peer_that_hangs_up_in_the_handshake_is_said_so(client: Client) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    async with peer(hang_up) as serving:
        outcome = await client.send(Request(url=f"https://127.0.0.1:{serving.port}/"))
    assert outcome.error is Error.TLS_FAILED


async def test_a_handshake_that_does_not_end_is_a_connect_timeout(client: Client) -> None:
    async with peer(say_nothing) as serving:
        request = Request(url=f"https://127.0.0.1:{serving.port}/", timeouts=Timeouts(connect=0.1))
        outcome = await client.send(request)
        await asyncio.wait_for(serving.closed.wait(), PATIENCE_SECONDS)
    assert outcome.error is Error.CONNECT_TIMEOUT


async def test_a_closed_port_refuses_tls_too(client: Client) -> None:
    async with peer(say_nothing) as gone:
        pass
    outcome = await client.send(Request(url=f"https://127.0.0.1:{gone.port}/"))
    assert outcome.error is Error.CONNECTION_REFUSED


async def test_a_peer_that_never_answers_over_tls_is_given_up(policy: AddressPolicy, certificate: Certificate) -> None:
    client = Client(policy, tls_context=certificate.trusting())
    async with peer(say_nothing, tls=certificate.serving()) as serving:
        outcome = await client.send(Request(url=serving.url, timeouts=Timeouts(first_byte=0.1)))
        await asyncio.wait_for(serving.closed.wait(), PATIENCE_SECONDS)
    await client.close()
    assert outcome.error is Error.TIMEOUT


async def test_a_body_that_ends_with_a_tls_connection_is_whole(policy: AddressPolicy, certificate: Certificate) -> None:
    client = Client(policy, tls_context=certificate.trusting())
    async with peer(answering(b"HTTP/1.1 200 OK\r\n\r\nall"), tls=certificate.serving()) as serving:
        outcome = await client.send(Request(url=serving.url))
    await client.close()
    assert (outcome.status, outcome.body, outcome.error) == (200, b"all", None)


async def test_the_close_of_an_idle_tls_connection_is_told(policy: AddressPolicy, certificate: Certificate) -> None:
    told: asyncio.Queue[Origin] = asyncio.Queue()
    client = Client(
        policy,
        tls_context=certificate.trusting(),
        on_peer_closed=lambda origin, idle_seconds: told.put_nowait(origin),
    )
    async with peer(answering_always(OK), tls=certificate.serving()) as serving:
        assert (await client.send(Request(url=serving.url))).status == 200
        serving.hang_up()
        assert await asyncio.wait_for(told.get(), PATIENCE_SECONDS) == Origin("https", "127.0.0.1", serving.port)
    await client.close()


async def test_without_epoll_plain_connections_go_by_the_event_loop(
    policy: AddressPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("select.epoll")
    client = Client(policy)
    async with peer(answering_always(OK)) as serving:
        outcomes = [await client.send(Request(url=serving.url)) for _ in range(2)]
        assert (await client.connect("127.0.0.1", serving.port, Timeouts())).is_success
        await asyncio.wait_for(serving.closed.wait(), PATIENCE_SECONDS)
    await client.close()
    assert [(outcome.status, outcome.reused) for outcome in outcomes] == [(200, False), (200, True)]

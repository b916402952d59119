"""Probes of servers that answer oddly, each asked twice: the second time over what the first has left."""

import asyncio
from urllib.parse import urlsplit

import pytest

from registry.health.probe import Finding, Result
from registry.health.prober import Prober
from registry.outbound.address_policy import AddressPolicy
from tests.registry.health.claims import due
from tests.registry.outbound.odd import WAYS, address, serve_oddly
from tests.registry.outbound.peers import peer
from tests.waiting import PATIENCE_SECONDS

PASS = {
    "200",
    "204",
    "206",
    "no reason",
    "HTTP/1.0 without a length",
    "HTTP/1.0 that says it stays",
    "says it closes and stays",
    "chunks with a trailer",
    "100 first",
    "103 first",
    "a flood",
}
WARN = {"429"}
# By what is said of them.
FAIL = {
    **{status: f"answered {status}, not 2xx" for status in ("301", "302", "304", "307", "401", "410", "503")},
    "a body with NUL": "answered 500, not 2xx",
    "a reason in colour": "answered 500, not 2xx",
    "chunks without an end": "did not end its answer within 0.5 s",
    "silence": "did not begin to answer within 0.5 s",
    "less than it said": "closed the connection amid its answer",
    "two lengths": "did not answer in HTTP",
    "a length and chunks": "did not answer in HTTP",
    "bare line feeds": "did not answer in HTTP",
    "another protocol": "did not answer in HTTP",
    "nothing": "closed the connection before it answered",
    "a huge header": "sent more headers than",
}
TIMING_OUT = {"chunks without an end", "silence"}


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[Result, Result]]:
    """The two results of each way."""

    async def scenario() -> dict[str, tuple[Result, Result]]:
        requests: list[bytes] = []
        prober = Prober(AddressPolicy(["127.0.0.0/8"]), on_alarm=lambda claimed: None, claim=lambda ids: [])

        async def probe_twice(origin: str, way: str) -> tuple[Result, Result]:
            seconds = 0.5 if way in TIMING_OUT else PATIENCE_SECONDS
            # No two ways share connections, for some of them close one that another would have used.
            claimed = due(url=origin + address(way), timeout_seconds=seconds)
            return await prober.probe(claimed), await prober.probe(claimed)

        results = {}
        for way in WAYS:
            async with peer(serve_oddly(requests)) as serving:
                parts = urlsplit(serving.url)
                results[way] = await probe_twice(f"{parts.scheme}://{parts.netloc}", way)
        await prober.close()
        # No redirect was followed.
        assert not any(request.startswith(b"GET /200 ") for request in requests)
        return results

    return asyncio.run(scenario())


@pytest.mark.parametrize("way", WAYS)
def test_an_odd_answer_is_judged_by_its_status_if_it_is_whole(
    way: str, found: dict[str, tuple[Result, Result]]
) -> None:
    expected = Finding.SUCCESS if way in PASS else Finding.WARNING if way in WARN else Finding.FAILURE

    for result in found[way]:
        assert result.finding is expected, result.detail
        assert FAIL.get(way, "") in result.detail
        assert result.detail.isprintable()

"""The addresses that a registration may declare."""

import pytest

from config.problems import Invalid
from registry.instances.declaration import declaration


def fault(url: str) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        declaration({"url": url})
    assert caught.value.errors is not None
    (entry,) = caught.value.errors
    return entry


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://127.0.0.1:9101", "http://127.0.0.1:9101/healthz"),
        ("http://127.0.0.1:9101/", "http://127.0.0.1:9101/healthz"),
        ("http://127.0.0.1:9101//", "http://127.0.0.1:9101/healthz"),
        ("http://127.0.0.1:9101/base", "http://127.0.0.1:9101/base/healthz"),
        ("http://127.0.0.1:9101/base/", "http://127.0.0.1:9101/base/healthz"),
    ],
)
def test_health_is_asked_below_the_address_however_it_ends(url: str, asked: str) -> None:
    assert declaration({"url": url, "heartbeat": {"kind": "http"}}).heartbeat_url == asked


@pytest.mark.parametrize("url", ["http://127.0.0.1:9101/?tenant=7", "http://127.0.0.1:9101/base?tenant=7", "http://a?"])
def test_an_address_that_callers_append_to_has_no_query_and_those_that_are_called_may(url: str) -> None:
    assert "leave out '?'" in fault(url)["detail"]

    declared = declaration({"url": "http://127.0.0.1", "heartbeat": {"kind": "http", "url": url}})
    assert declared.heartbeat_url == url


@pytest.mark.parametrize("port", ["0", "99999", "-1", "80x", "", "000080", "\u0668\u0660"])
def test_what_is_no_port_is_refused(port: str) -> None:
    assert fault(f"http://127.0.0.1:{port}")["pointer"] == "/url"


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        ("a..b", "1 to 63 characters"),
        (".", "1 to 63 characters"),
        (".a", "1 to 63 characters"),
        ("a" * 64, "1 to 63 characters"),
        (f"{'a' * 64}.test", "1 to 63 characters"),
        ("m\u00fcnchen.test", "Punycode"),
        ("fa\u00df.test", "Punycode"),
        ("127\u30020\u30020\u30021", "Punycode"),
        ("\uff11\uff12\uff17.0.0.1", "Punycode"),
        ("exa\u00admple.test", "Punycode"),
    ],
)
def test_a_name_that_no_resolver_takes_is_refused_with_what_to_change(host: str, advice: str) -> None:
    assert advice in fault(f"http://{host}:9101")["detail"]


@pytest.mark.parametrize("host", ["xn--mnchen-3ya.test", "a" * 63, "a.b.", "a_b"])
def test_a_name_that_resolvers_take_is_taken(host: str) -> None:
    assert declaration({"url": f"http://{host}:9101"}).url == f"http://{host}:9101"


@pytest.mark.parametrize(("member", "count"), [("tags", 33), ("tags", 200_000), ("requires", 201), ("metadata", 65)])
def test_a_list_that_is_too_long_is_one_error(member: str, count: int) -> None:
    names = [f"t{number}" for number in range(count)]
    with pytest.raises(Invalid) as caught:
        declaration({"url": "http://127.0.0.1", member: dict.fromkeys(names, "") if member == "metadata" else names})

    assert [error["pointer"] for error in caught.value.errors or ()] == [f"/{member}"]

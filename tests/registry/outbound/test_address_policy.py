"""The judgement of addresses, case by case and for every address there is."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.networks import lay_bare, literal_address
from registry.outbound.address_policy import AddressPolicy

EVERYWHERE = AddressPolicy(["0.0.0.0/0", "::/0"])
LOOPBACK = AddressPolicy(["127.0.0.0/8", "::1/128"])
PRIVATE = AddressPolicy(["10.0.0.0/8", "fd12:3456::/32"])

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
METADATA = ("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192")


def hide(address: str) -> list[str]:
    """An IPv4 address in every IPv6 form that is known to lead to it."""
    number = int(ipaddress.IPv4Address(address))
    prefixes = ("::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "::")
    forms = [int(ipaddress.IPv6Address(prefix)) | number for prefix in prefixes]
    forms.append(int(ipaddress.IPv6Address("2002::")) | number << 80 | 1)
    forms.append(int(ipaddress.IPv6Address("2001:0:102:304::")) | (~number & 0xFFFFFFFF))
    return [str(ipaddress.IPv6Address(form)) for form in forms]


@pytest.mark.parametrize(
    "address",
    [
        *METADATA,
        "169.254.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "192.88.99.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "100::1",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
    ],
)
def test_some_addresses_are_never_called_even_where_every_network_is_allowed(address: str) -> None:
    refusal = EVERYWHERE.refusal(address, 80)
    assert refusal is not None
    assert "REGISTRY_ALLOWED_NETWORKS" in refusal


@pytest.mark.parametrize("hidden", [form for address in METADATA for form in hide(address)])
def test_a_metadata_address_is_found_in_each_of_its_hiding_places(hidden: str) -> None:
    assert EVERYWHERE.refusal(hidden, 80) is not None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_each_of_its_forms(address: ipaddress.IPv4Address) -> None:
    if int(address) <= 1:
        return  # ::0.0.0.0 and ::0.0.0.1 are IPv6 addresses in their own right.
    for form in hide(str(address)):
        assert lay_bare(ipaddress.ip_address(form)) == address
        assert (EVERYWHERE.refusal(form, 80) is None) == (EVERYWHERE.refusal(str(address), 80) is None)


@given(ADDRESSES)
def test_nothing_is_allowed_where_no_network_is(address: str) -> None:
    assert AddressPolicy([]).refusal(address, 80) is not None


@given(ADDRESSES)
def test_what_a_narrow_policy_allows_a_wide_one_allows_too(address: str) -> None:
    if PRIVATE.refusal(address, 80) is None:
        assert EVERYWHERE.refusal(address, 80) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_called_only_where_it_is_allowed(address: str) -> None:
    assert LOOPBACK.refusal(address, 80) is None
    assert PRIVATE.refusal(address, 80) is not None


def test_private_networks_are_called_where_they_are_allowed() -> None:
    assert PRIVATE.refusal("10.1.2.3", 80) is None
    assert PRIVATE.refusal("fd12:3456::7", 80) is None
    refusal = PRIVATE.refusal("192.168.1.1", 80)
    assert refusal is not None
    assert "REGISTRY_ALLOWED_NETWORKS" in refusal


def test_what_is_no_address_is_refused() -> None:
    assert LOOPBACK.refusal("localhost", 80) is not None
    assert LOOPBACK.refusal("", 80) is not None


def test_a_malformed_network_names_the_setting() -> None:
    with pytest.raises(ValueError, match="REGISTRY_ALLOWED_NETWORKS"):
        AddressPolicy(["10.0.0.0/33"])


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("own", ["127.0.0.1", "localhost", "LOCALHOST.", "::1"])
def test_our_own_endpoint_on_loopback_is_refused_by_any_of_its_addresses(address: str, own: str) -> None:
    policy = AddressPolicy(["127.0.0.0/8", "::1/128"], lambda: frozenset({(own, 6379)}))
    assert policy.refusal(address, 6379) is not None
    assert policy.refusal(address, 6380) is None


def test_our_own_endpoint_is_refused_by_name_and_by_address() -> None:
    policy = AddressPolicy(["10.0.0.0/8"], lambda: frozenset({("db.internal", 5432), ("10.0.0.5", 5432)}))
    assert policy.check_url("http://DB.internal:5432/") is not None
    assert policy.check_url("http://db.internal:80/") is None
    assert policy.refusal("10.0.0.5", 5432) is not None
    assert policy.refusal("::ffff:10.0.0.5", 5432) is not None


def test_of_a_names_addresses_only_those_allowed_remain() -> None:
    allowed, refusal = PRIVATE.sift(["169.254.169.254", "10.0.0.1", "8.8.8.8"], 80)
    assert allowed == ["10.0.0.1"]
    assert refusal.startswith("169.254.169.254")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/", "https://[::1]/x?y=z", "http://localhost", "http://service.example:9000/health"]
)
def test_a_url_is_registered_when_its_literal_address_is_allowed_or_it_names_a_host(url: str) -> None:
    assert LOOPBACK.check_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0/",
        "http://[::]/",
        # The forms that C libraries take for 169.254.169.254, 100.100.100.200 and 10.0.0.1.
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://100.100.25800/",
        "http://10.1/",
    ],
)
def test_a_url_with_a_refused_address_is_not_registered(url: str) -> None:
    refusal = LOOPBACK.check_url(url)
    assert refusal is not None
    assert "REGISTRY_ALLOWED_NETWORKS" in refusal


@given(st.text())
def test_any_text_is_judged_as_a_url_without_a_crash(text: str) -> None:
    for url in (text, f"http://{text}/", f"http://127.0.0.1:{text}", f"http://127.0.0.1/{text}"):
        LOOPBACK.check_url(url)


def test_a_literal_address_is_told_from_a_name() -> None:
    assert literal_address("127.1") == "127.0.0.1"
    assert literal_address("FE80:0::1") == "fe80::1"
    assert literal_address("example.com") is None
    assert literal_address("a.1") is None

from registry.discovery.cache import OVERHEAD_BYTES, Cache
from registry.discovery.pages import Address, Page


def page(size: int) -> Page:
    return Page(history="", revision=1, services=None, rest=b"x" * size, names_revision=False)


def address(name: str) -> Address:
    return Address(name, b"")


def test_what_was_used_longest_ago_is_given_up_first() -> None:
    cache = Cache(most_bytes=2 * (OVERHEAD_BYTES + 101))
    cache.put(address("a"), page(100))
    cache.put(address("b"), page(100))
    assert cache.get(address("a")) is not None
    cache.put(address("c"), page(100))

    assert cache.get(address("b")) is None
    assert cache.get(address("a")) is not None


def test_a_page_put_again_counts_once_and_one_too_large_is_not_kept() -> None:
    cache = Cache(most_bytes=OVERHEAD_BYTES + 101)
    for _ in range(3):
        cache.put(address("a"), page(100))
    assert cache.get(address("a")) is not None
    cache.put(address("b"), page(101))
    assert cache.get(address("b")) is None

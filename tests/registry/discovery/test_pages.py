import pytest

from registry.discovery.pages import LONG_BYTES, Page


@pytest.mark.parametrize("names_revision", [True, False])
@pytest.mark.parametrize("size", [0, LONG_BYTES - 1, LONG_BYTES])
def test_a_long_page_is_not_copied_for_each_answer(size: int, names_revision: bool) -> None:
    page = Page(history="", revision=1, services=None, rest=b"x" * size, names_revision=names_revision)

    body, rest = page.parts(7)

    assert body + rest == page.body(7)
    assert rest is page.rest if size >= LONG_BYTES else rest == b""

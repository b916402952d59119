"""Bodies, compressed and not, within the limit."""

import contextlib
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.problems import BodyTooLarge, Problem, UnsupportedMediaType
from logsvc.ingest import content
from tests.logsvc.strategies import steady


def read(body: bytes, encoding: str = "", limit_bytes: int = 1000) -> bytes:
    return content.decompress(body, encoding=encoding, limit_bytes=limit_bytes)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP "])
def test_gzip_has_several_names_and_may_have_several_parts(encoding: str) -> None:
    assert read(gzip.compress(b"one\n") + gzip.compress(b"two\n"), encoding) == b"one\ntwo\n"


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_a_body_may_have_exactly_the_limit(encoding: str) -> None:
    assert read(b"x" * 1000, encoding) == b"x" * 1000
    with pytest.raises(BodyTooLarge):
        read(b"x" * 1001, encoding)


def test_a_bomb_is_found_before_it_is_unpacked() -> None:
    with pytest.raises(BodyTooLarge):
        read(gzip.compress(b"\0" * 50_000_000, compresslevel=1), "gzip")


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip"])
def test_another_encoding_is_refused_and_the_right_one_named(encoding: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="use gzip"):
        read(b"x", encoding)


@steady
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x1f\x8b", gzip.compress(b"x" * 50)[:20]]))
def test_any_bytes_are_gzip_or_a_problem(body: bytes, start: bytes) -> None:
    with contextlib.suppress(Problem):
        assert len(read(start + body, "gzip")) <= 1000

"""The parsing of URLs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.outbound.urls import MAX_URL_CHARACTERS, Origin, parse


@pytest.mark.parametrize(
    ("url", "origin", "opening"),
    [
        ("http://a:8000/x?y", Origin("http", "a", 8000), b" /x?y HTTP/1.1\r\nhost: a:8000\r\n"),
        ("HTTP://A.b", Origin("http", "a.b", 80), b" / HTTP/1.1\r\nhost: a.b\r\n"),
        ("https://a?q=1", Origin("https", "a", 443), b" /?q=1 HTTP/1.1\r\nhost: a\r\n"),
        ("https://a:80/", Origin("https", "a", 80), b" / HTTP/1.1\r\nhost: a:80\r\n"),
        ("http://[::1]/", Origin("http", "::1", 80), b" / HTTP/1.1\r\nhost: [::1]\r\n"),
        ("http://[::1]:81/", Origin("http", "::1", 81), b" / HTTP/1.1\r\nhost: [::1]:81\r\n"),
        ("http://my_service:80/@:", Origin("http", "my_service", 80), b" /@: HTTP/1.1\r\nhost: my_service\r\n"),
    ],
)
def test_a_url_says_where_to_connect_and_what_to_say(url: str, origin: Origin, opening: bytes) -> None:
    target = parse(url)
    assert target.origin == origin
    assert target.opening == opening


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("", "http://host:port/path"),
        ("a.b/c", "http://host:port/path"),
        ("/path", "http://host:port/path"),
        ("http://", "http://host:port/path"),
        ("http://:80/", "http://host:port/path"),
        ("http://[zz]/", "http://host:port/path"),
        ("http://a:b/", "http://host:port/path"),
        ("http://a\\@b/", "Leave out|leave out"),
        ("ftp://a/", "use http or https"),
        ("file:///etc/passwd", "http://host:port/path"),
        ("gopher://127.0.0.1:6379/_INFO", "use http or https"),
        ("http://a:0/", "from 1 to 65535"),
        ("http://a:65536/", "from 1 to 65535"),
        ("http://user:secret@a/", "no user name"),
        ("http://a/#top", "no fragment"),
        ("http://a/ b", "visible ASCII"),
        ("http://a/\r\nx: y", "visible ASCII"),
        ("http://exämple/", "visible ASCII"),
        ("http://a/" + "x" * MAX_URL_CHARACTERS, "shorter"),
    ],
)
def test_what_cannot_be_called_is_refused_with_what_to_change(url: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        parse(url)


@given(st.text(st.characters(codec="latin-1")).map(lambda rest: f"http://a/{rest}"))
def test_whatever_the_url_one_request_line_and_one_host_come_of_it(url: str) -> None:
    try:
        opening = parse(url).opening
    except ValueError:
        return
    assert re.fullmatch(rb" /[!-~]* HTTP/1\.1\r\nhost: a\r\n", opening)

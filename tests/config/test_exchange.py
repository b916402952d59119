from typing import Any
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from config.exchange import environ
from tests.config.asgi import http_scope


def variables(*headers: tuple[bytes, bytes], **members: Any) -> dict[str, Any]:
    return environ(http_scope(headers=list(headers), **members), b"body")


@given(path=st.binary(max_size=50))
def test_every_byte_of_a_path_arrives(path: bytes) -> None:
    lossy = "/" + path.decode("utf-8", "replace")
    found = variables(path=lossy, raw_path=b"/" + quote(path, safe="/").encode())
    assert found["PATH_INFO"].encode("latin-1") == b"/" + path


@given(path=st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_a_path_without_its_raw_form_is_passed_on_as_utf8(path: str) -> None:
    assert variables(path=path)["PATH_INFO"].encode("latin-1").decode() == path


def test_a_repeated_header_is_one_list_and_a_repeated_cookie_one_cookie_header() -> None:
    found = variables((b"accept", b"a"), (b"cookie", b"x=1"), (b"accept", b"b"), (b"cookie", b"y=2"))
    assert found["HTTP_ACCEPT"] == "a,b"
    assert found["HTTP_COOKIE"] == "x=1; y=2"


def test_a_name_with_an_underscore_cannot_pose_as_one_with_a_dash() -> None:
    assert variables((b"x_user", b"mallory"), (b"x-user", b"alice"))["HTTP_X_USER"] == "alice"
    assert "HTTP_X_USER" not in variables((b"x_user", b"mallory"))


def test_the_length_is_that_of_the_body_which_came() -> None:
    found = variables((b"content-length", b"999"), (b"content-type", b"text/plain"))
    assert found["CONTENT_LENGTH"] == "4"
    assert found["CONTENT_TYPE"] == "text/plain"
    assert found["wsgi.input"].read() == b"body"
    assert not {"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE"} & found.keys()


@given(value=st.binary(max_size=30))
def test_every_byte_of_a_header_arrives(value: bytes) -> None:
    assert variables((b"x-value", value))["HTTP_X_VALUE"].encode("latin-1") == value


def test_an_address_that_the_server_does_not_know_is_left_empty() -> None:
    found = variables(client=None, server=None)
    assert found["REMOTE_ADDR"] == ""
    assert found["SERVER_NAME"] == "localhost"


def test_a_header_never_replaces_what_the_request_line_says() -> None:
    found = variables((b"request-method", b"DELETE"), (b"remote-addr", b"10.0.0.1"))
    assert found["REQUEST_METHOD"] == "GET"
    assert found["REMOTE_ADDR"] == "127.0.0.1"

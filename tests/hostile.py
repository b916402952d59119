"""Requests as nobody should send them: what each address of a service must answer without failing."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from django.db import connection, transaction
from django.db.models import Model
from django.test import Client

if TYPE_CHECKING:
    # The type of the test client's answers is named in its stubs alone.
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE")
FORMS: tuple[bytes, ...] = (
    b"a=1&a=%ff&%00=%00",
    b"a=1&" * 2000,
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--\r\n',
)
BODIES: tuple[bytes, ...] = (
    b"",
    b" ",
    b"null",
    b"true",
    b"1",
    b'""',
    b'"text"',
    b"[]",
    b"[[]]",
    b"{}",
    b"{",
    b"{]",
    b'{"a" 1}',
    b"NaN",
    b"[Infinity, -Infinity]",
    b"1e999",
    b"9" * 5000,
    b"-" + b"9" * 400,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 500 + b"]" * 500,
    b'"\\ud800"',
    b'"\\u0000"',
    b'"\x00"',
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b'\xef\xbb\xbf{"a": 1}',
    b'{"a": 1, "a": 2}',
    '{"a": 1}'.encode("utf-16"),
    gzip.compress(b"{}"),
    *FORMS,
)
# Replacements for a member of a JSON object.
VALUES: tuple[str, ...] = (
    *("null", "true", "0", "-1", "1.5", "1e999", "-0", "1e-400", "9" * 20, "9" * 400, "9" * 5000),
    *('""', '" "', '"x"', '"\\u0000"', '"\\ud800"', '"\\n"', '"\U0001f600"', f'"{"x" * 70_000}"'),
    *(
        '"NaN"',
        '"Infinity"',
        '"1e400"',
        '"1e-400"',
        '"-0"',
        '"9e99"',
        f'"{"9" * 5000}"',
        '"\N{ARABIC-INDIC DIGIT THREE}"',
    ),
    *('"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"', '"2026-02-30"', '"\N{FULLWIDTH DIGIT ONE}"'),
    *("[]", "[null]", "[[]]", '["x", "x"]', "{}", '{"a": null}', '{"\\u0000": 1}', f"{'[' * 200}{']' * 200}"),
)
# Those of them that a database may take otherwise than SQLite does; all others are refused before, or stored alike.
STORED_OTHERWISE = tuple(
    value for value in VALUES if "\\u0000" in value or "\\ud800" in value or "0001-" in value or len(value) > 15
)
CONTENT_TYPES: tuple[str, ...] = (
    "application/json",
    "application/json; charset=utf-16",
    "application/json; charset=nonsense",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=nonsense",
    "application/x-www-form-urlencoded; charset=utf-16",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=b",
    f"multipart/form-data; boundary={'b' * 300}",
    "text/plain",
    "text/plain; charset=",
    "",
    "nonsense",
    "/",
    ";;;",
    "a/b; =",
    "\xff",
)
HEADERS: tuple[Mapping[str, str], ...] = (
    *({"Accept": value} for value in ("text/html", "nonsense", "*/*;q=nan", ";;", "application/json; indent=-1", ",")),
    *({"Accept": f"application/json; indent={value}"} for value in ("9" * 5000, "x", "5")),
    *({"Accept-Language": value} for value in ("x" * 5000, "\xff", "en;q=9e999")),
    *({"Content-Encoding": value} for value in ("gzip", "x-gzip", "br", "nonsense", "gzip, gzip")),
    *({"Cookie": value} for value in ("=", ";;;", "webui_session=\xff", f"webui_session={'x' * 9000}", "webui_csrf=x")),
    *({"Host": value} for value in ("evil.example", "[", "a:b:c", "", "127.0.0.1:99999", "\xff")),
    *(
        {"If-Match": value}
        for value in ("", "*", "3", '"-1"', f'"{"9" * 5000}"', 'W/"1"', '"1", "2"', "\xff", '"\xb2"')
    ),
    *({"If-None-Match": value} for value in ("", "*", '"1"', "\xff")),
    {"If-Match": '"1"', "If-None-Match": "*"},
    *({"If-Modified-Since": value} for value in ("never", "Mon, 99 Foo 99999 99:99:99 GMT")),
    *({"Range": value} for value in ("bytes=9-1", "nonsense")),
    *({"Rollcall-Act-For": value} for value in ("", " ", "%00", "%ff", "\xff", "a/b", "x" * 200, "%f0%9f%98%80")),
    *({"HX-Request": "true", "HX-Current-URL": value} for value in ("nonsense", "http://[", "%ff", "javascript:x")),
    {"HX-Request": "true", "HX-Target": "\xff", "HX-Trigger": "status-poll"},
    {"HX-Request": "true", "HX-Trigger": "%ff", "HX-Trigger-URI-AutoEncoded": "true"},
    *({"X-Forwarded-Proto": value} for value in ("https", "\xff")),
    *({"X-HTTP-Method-Override": "DELETE"}, {"Expect": "nonsense"}, {"Transfer-Encoding": "nonsense"}),
)
AUTHORIZATIONS: tuple[str, ...] = (
    *(
        "",
        " ",
        "Bearer",
        "Bearer ",
        "bearer x",
        "Basic eDp5",
        "Bearer a b",
        "Bearer \xff",
        f"Bearer {'x' * 9000}",
        "\xff",
    ),
)
QUERY_VALUES: tuple[str, ...] = (
    *("", "%00", "%ff", "%ed%a0%80", "%F0%9F%98%80", "-1", "0", "1.5", "1e9", "NaN", "9" * 20, "9" * 5000, "x" * 9000),
    *(
        "%0a",
        "%25",
        "a+" * 20_000,
        "%22" * 20_000,
        "%D9%A3",
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-14:00",
    ),
    *("[]", "null", "'%22%3C", "2026-11-23T12:00:00Z", "%C2%B2", "+1", "../..", "{{7*7}}", "\N{SNOWMAN}"),
)
QUERIES: tuple[str, ...] = ("a=1&" * 2000, "&&&", "=", "%", "a[b]=1", "format=xml", "format=%ff", "a;b", "?" * 100)
PATH_SEGMENTS: tuple[str, ...] = (
    *(
        "%00",
        "%ff",
        "..",
        "%2e%2e",
        "%2f",
        "-1",
        "0",
        "1.5",
        "9" * 20,
        "9" * 5000,
        "x" * 3000,
        "a%20b",
        "%0a",
        "%D9%A3",
    ),
    *(quote("\N{SNOWMAN}"), "'", "%22", "null", "%ed%a0%80"),
)


@dataclass(frozen=True, kw_only=True)
class Request:
    path: str
    method: str = "GET"
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, client: Client, headers: Mapping[str, str]) -> "Answer":
        return client.generic(self.method, self.path, self.body, self.content_type, headers={**headers, **self.headers})

    def __str__(self) -> str:
        body = f"{self.body[:60]!r} ({len(self.body)})"
        return f"{self.method} {self.path[:120]} {self.content_type[:40]!a} {dict(self.headers)!a:.200} {body}"


def explains(answer: "Answer", request: Request) -> bool:
    """Whether a refusal is a problem as RFC 9457 has it, with a sentence for whoever asked."""
    if request.method == "HEAD":
        return True
    if answer.headers.get("Content-Type") != "application/problem+json":
        return False
    problem = json.loads(answer.content)
    return (
        problem["type"].startswith("urn:rollcall:problem:")
        and problem["status"] == answer.status_code
        and len(problem["detail"]) > 10
    )


def failures(requests: Iterable[Request], headers: Mapping[str, str], models: Sequence[type[Model]]) -> list[str]:
    """The requests that failed, were refused without saying what to change, or left rows of these models although
    refused.

    Each is sent against what the test began with.
    """
    client, found, before = Client(raise_request_exception=False), [], _counts(models)
    for request in requests:
        with transaction.atomic():
            answer = request.send(client, headers)
            kept = _counts(models) if 400 <= answer.status_code < 500 and request.method != "GET" else before
            transaction.set_rollback(True)
        if answer.status_code >= 500 or (answer.status_code >= 400 and not explains(answer, request)):
            found.append(f"{request}: {answer.status_code} {answer.content[:200]!r}")
        elif answer.status_code >= 400 and kept != before:
            found.append(f"{request}: {answer.status_code}, and yet something was kept")
    return found


def _counts(models: Sequence[type[Model]]) -> list[int]:
    """Rows of each table, by one statement: it is asked after each refusal."""
    if not models:
        return []
    with connection.cursor() as cursor:
        tables = (connection.ops.quote_name(model._meta.db_table) for model in models)
        cursor.execute("SELECT " + ", ".join(f"(SELECT COUNT(*) FROM {table})" for table in tables))  # noqa: S608 -- names of tables
        return list(cursor.fetchone() or ())


def requests(
    path: str,
    *,
    parameters: tuple[str, ...] = (),
    method: str = "GET",
    sound: bytes = b"",
    content_type: str = "application/json",
) -> Iterator[Request]:
    """One way after the other of getting it wrong; `sound` is the body that the address wants by `method`."""
    yield from own_requests(path, parameters=parameters, method=method, sound=sound, content_type=content_type)
    if path.count("/") > 1:
        yield from _elsewhere(path, method, sound, content_type, at=1)
    if _asks_for_values_alone():
        return
    for each in CONTENT_TYPES:
        yield from (Request(path=path, method=method, body=body, content_type=each) for body in (sound, *FORMS, b""))
    for headers in (*HEADERS, *({"Authorization": token} for token in AUTHORIZATIONS)):
        yield Request(path=path, method=method, body=sound, content_type=content_type, headers=headers)


def own_requests(
    path: str,
    *,
    parameters: tuple[str, ...] = (),
    method: str = "GET",
    sound: bytes = b"",
    content_type: str = "application/json",
) -> Iterator[Request]:
    """The `requests` that an address handles by itself, rather than its service for all its addresses."""
    queries = [f"{name}={value}" for name in parameters for value in QUERY_VALUES]
    if not _asks_for_values_alone():
        queries += QUERIES
        yield from (Request(path=path, method=each, body=sound, content_type=content_type) for each in METHODS)
    # With a GET some show that a body is not read.
    bodies = FORMS if method == "GET" or _asks_for_values_alone() else BODIES
    yield from (Request(path=path, method=method, body=body, content_type=content_type) for body in bodies)
    for query in queries:
        yield Request(
            path=f"{path}?{query}", method="GET" if parameters else method, body=sound, content_type=content_type
        )
    # A long path that begins otherwise is no address of the service, however it goes on.
    length = len(path.split("/"))
    for at in range(min(2, length - 1), length):
        yield from _elsewhere(path, method, sound, content_type, at=at)
    yield from (Request(path=f"{path}/{segment}") for segment in PATH_SEGMENTS)


def _asks_for_values_alone() -> bool:
    """Whether only values that reach a statement are tried: on PostgreSQL, as all else is refused before the first."""
    return connection.vendor == "postgresql"


def altered(sound: bytes) -> Iterator[bytes]:
    """A JSON object with each member left out and replaced, one at a time; an unknown one and a doubled one added."""
    members: dict[str, object] = json.loads(sound)
    values = STORED_OTHERWISE if _asks_for_values_alone() else VALUES
    for name in members:
        others = {other: value for other, value in members.items() if other != name}
        yield json.dumps(others).encode()
        yield from (_with(others, name, value) for value in values)
    yield from (_with(members, name, "1") for name in ("unknown", "\\u0000", *members))


def _with(members: Mapping[str, object], name: str, value: str) -> bytes:
    rest = json.dumps(members)[1:]
    return f'{{"{name}": {value}{", " if members else ""}{rest}'.encode("utf-8", "surrogatepass")


def _elsewhere(path: str, method: str, sound: bytes, content_type: str, *, at: int) -> Iterator[Request]:
    """A segment of the path replaced."""
    segments = path.split("/")
    for segment in PATH_SEGMENTS:
        changed = "/".join([*segments[:at], segment, *segments[at + 1 :]])
        yield Request(path=changed, method=method, body=sound, content_type=content_type)

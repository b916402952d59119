"""Responses to reads: their revision, `ETag` and `If-None-Match`.

A tag holds the revision at which an answer was true, and a fingerprint of the revision's history and the address. It
is weak: the body also states the head's revision, which grows without anything else in it changing.
"""

import re
from zlib import crc32

from config.problems import RawResponse
from registry.discovery.pages import Address, Answer

_TAG = re.compile(rb'"([0-9]{1,18})\.([0-9a-f]{8})"')

NOSNIFF = (b"x-content-type-options", b"nosniff")
_JSON = ((b"content-type", b"application/json"), (b"cache-control", b"private, no-cache"), NOSNIFF)


def response(address: Address, answer: Answer, condition: bytes | None, *, changed_at: int) -> RawResponse:
    """The whole answer, or 304 where `If-None-Match` shows that the client has it."""
    fingerprint = _fingerprint(answer.page.history, address)
    tag = b'W/"%d.%08x"' % (answer.revision, fingerprint)
    headers = ((b"rollcall-revision", b"%d" % answer.revision), (b"etag", tag), *_JSON)
    # The client has this answer when a tag of its is of this history and address and not older than the last change.
    for revision, found in _TAG.findall(condition) if condition else ():
        if int(found, 16) == fingerprint and changed_at <= int(revision) <= answer.revision:
            return RawResponse(status=304, headers=headers, body=b"")
    body, rest = answer.page.parts(answer.revision)
    return RawResponse(status=200, headers=headers, body=body, rest=rest)


def _fingerprint(history: str, address: Address) -> int:
    return crc32(address.query, crc32(f"{history}{address.path}".encode()))

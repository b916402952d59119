"""A genuine webhook is learnt from and answered with 204; anything else with a problem, and nothing is learnt."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.client import new_secret, receiver, sign
from registry.client.wire import Change

SECRET = new_secret()
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DATA = {"subscriber": {"service": "webui", "instance": "webui-1"}, "from_revision": 41, "to_revision": 44}
MESSAGE = {"type": receiver.PROVIDERS_CHANGED, "timestamp": "2026-11-23T12:00:00Z", "data": DATA}


def take(body: bytes, headers: dict[str, str] | None = None) -> tuple[receiver.Answer, list[Change]]:
    learnt: list[Change] = []
    answer = receiver.receive(
        signed(body) if headers is None else headers, body, secret=SECRET, now=NOW, learn=learnt.append
    )
    return answer, learnt


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    stamp = int(NOW.timestamp())
    signature = sign(secret=secret, message_id="msg_1", timestamp=stamp, body=body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(stamp), "webhook-signature": signature}


def test_a_genuine_webhook_is_learnt_from() -> None:
    answer, learnt = take(json.dumps(MESSAGE).encode())
    assert (answer.status, answer.body, answer.headers) == (204, b"", {})
    assert [(change.from_revision, change.to_revision) for change in learnt] == [(41, 44)]


def test_a_message_of_another_type_is_taken_and_left_alone() -> None:
    answer, learnt = take(json.dumps({"type": "registry.of.tomorrow"}).encode())
    assert answer.status == 204
    assert learnt == []


def test_what_was_not_signed_with_our_secret_is_refused() -> None:
    body = json.dumps(MESSAGE).encode()
    answer, learnt = take(body, signed(body, new_secret()))
    assert (answer.status, learnt) == (401, [])
    assert answer.headers == {"Content-Type": "application/problem+json"}
    assert json.loads(answer.body)["type"] == "urn:rollcall:problem:unauthenticated"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (json.dumps({**MESSAGE, "data": {}}).encode(), 422),
        (json.dumps({**MESSAGE, "timestamp": 7}).encode(), 422),
        (b" " * (receiver.BODY_LIMIT_BYTES + 1), 413),
    ],
)
def test_what_cannot_be_understood_is_refused(body: bytes, status: int) -> None:
    answer, learnt = take(body)
    assert (answer.status, learnt) == (status, [])
    assert json.loads(answer.body)["status"] == status


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.fixed_dictionaries({"type": st.just(receiver.PROVIDERS_CHANGED), "data": inner})
        ),
    )
)
def test_whatever_is_signed_is_answered(message: Any) -> None:
    answer, _ = take(json.dumps(message).encode())
    assert answer.status in (204, 422)

"""Signatures are those of Standard Webhooks, whose own library agrees in both directions."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from registry.client import SignatureError, new_secret, sign, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
SENT = datetime.fromtimestamp(1614265330, UTC)


def test_signs_as_the_specification_s_vector_says() -> None:
    signature = sign(secret=SECRET, message_id=HEADERS["webhook-id"], timestamp=1614265330, body=BODY)
    assert signature == HEADERS["webhook-signature"]


def test_verifies_the_specification_s_vector() -> None:
    verify(HEADERS, BODY, SECRET, SENT)


def test_names_of_headers_come_in_any_case() -> None:
    verify({name.title(): value for name, value in HEADERS.items()}, BODY, SECRET, SENT)


def test_one_of_several_signatures_is_enough_while_a_secret_is_changed() -> None:
    other = sign(secret=new_secret(), message_id="x", timestamp=1, body=b"")
    verify({**HEADERS, "webhook-signature": f"{other} {HEADERS['webhook-signature']}"}, BODY, SECRET, SENT)


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_a_missing_header_is_named(name: str) -> None:
    with pytest.raises(SignatureError, match=name):
        verify({key: value for key, value in HEADERS.items() if key != name}, BODY, SECRET, SENT)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_timestamp_more_than_five_minutes_away_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureError, match="clock"):
        verify(HEADERS, BODY, SECRET, SENT + timedelta(seconds=seconds))


@pytest.mark.parametrize("stamp", ["", "-5", "1e9", "soon", "9" * 5000, "١٦١٤٢٦٥٣٣٠"])
def test_a_timestamp_that_is_none_is_refused(stamp: str) -> None:
    with pytest.raises(SignatureError):
        verify({**HEADERS, "webhook-timestamp": stamp}, BODY, SECRET, SENT)


@given(body=st.binary(), other=st.binary())
def test_a_signature_fits_its_own_body_only(body: bytes, other: bytes) -> None:
    secret = new_secret()
    headers = {**HEADERS, "webhook-signature": sign(secret=secret, message_id="m", timestamp=1614265330, body=body)}
    headers["webhook-id"] = "m"
    verify(headers, body, secret, SENT)
    if other != body:
        with pytest.raises(SignatureError):
            verify(headers, other, secret, SENT)


@given(headers=st.dictionaries(st.sampled_from(sorted(HEADERS)), st.text()), body=st.binary())
def test_whatever_comes_is_refused_and_never_fails_otherwise(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(SignatureError):
        verify(headers, body, SECRET, SENT)


def test_the_standard_s_own_library_verifies_what_is_signed_here() -> None:
    secret, body = new_secret(), json.dumps({"type": "registry.providers.changed"}).encode()
    stamp = int(datetime.now(UTC).timestamp())
    signature = sign(secret=secret, message_id="msg_1", timestamp=stamp, body=body)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(stamp), "webhook-signature": signature}
    assert Webhook(secret).verify(body, headers) == {"type": "registry.providers.changed"}


def test_what_the_standard_s_own_library_signs_is_verified_here() -> None:
    secret = new_secret()
    signature = Webhook(secret).sign("msg_1", SENT, BODY.decode())
    verify({**HEADERS, "webhook-id": "msg_1", "webhook-signature": signature}, BODY, secret, SENT)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%", "whsec_c2hvcnQ=", "whsec_é", f"whsec_{'A' * 88}"])
def test_nothing_is_signed_with_a_secret_that_is_none(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        sign(secret=secret, message_id="m", timestamp=1, body=b"")

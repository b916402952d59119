import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from registry.wire import signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_standards_own_example_is_signed_alike() -> None:
    signed = signature.signatures(
        secrets=[SECRET],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(min_size=24, max_size=64), st.binary(min_size=24, max_size=64), st.text(max_size=50))
def test_the_public_library_verifies_with_either_secret_of_a_rotation(new: bytes, old: bytes, text: str) -> None:
    secrets = [f"whsec_{base64.b64encode(key).decode()}" for key in (new, old)]
    body = json.dumps({"text": text}).encode()
    timestamp = int(datetime.now(UTC).timestamp())
    headers = {
        "webhook-id": "msg_1_2_3",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature.signatures(
            secrets=secrets, message_id="msg_1_2_3", timestamp=timestamp, body=body
        ),
    }

    for secret in secrets:
        Webhook(secret).verify(body, headers)


@pytest.mark.parametrize("secret", ["", "MfKQ9r8G", "whsec_", "whsec_*", "whsec_A"])
def test_a_malformed_secret_has_no_key(secret: str) -> None:
    assert signature.key_of(secret) == b""

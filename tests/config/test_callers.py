from typing import Any

import pytest
from django.conf import settings

from config.callers import caller_of
from config.turns import Caller
from tests.config.asgi import http_scope

SESSION = f"{settings.SESSION_COOKIE_NAME}=abc".encode()


@pytest.mark.parametrize(
    ("headers", "caller"),
    [
        ([], Caller("127.0.0.1")),
        ([(b"authorization", b"Bearer x")], Caller("127.0.0.1", b"Bearer x")),
        ([(b"cookie", b"a=b; " + SESSION + b"; c=d")], Caller("127.0.0.1", SESSION)),
        ([(b"cookie", b"a=b")], Caller("127.0.0.1")),
        ([(b"x-forwarded-for", b"10.0.0.7")], Caller("127.0.0.1")),
    ],
)
def test_a_caller_is_a_token_a_session_or_an_address(headers: Any, caller: Caller) -> None:
    assert caller_of(http_scope(headers=headers)) == caller


def test_behind_a_proxy_that_is_believed_a_caller_is_at_the_address_before(settings: Any) -> None:
    settings.PROXY_NETWORKS = ["127.0.0.0/8"]

    assert caller_of(http_scope(headers=[(b"x-forwarded-for", b"10.0.0.7")])) == Caller("10.0.0.7")

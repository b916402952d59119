import asyncio
from typing import Any

import pytest

from config.problems import Unauthenticated
from config.tokens import issuing
from config.tokens.admission import Admission
from config.tokens.token_cache import FRESH_SECONDS
from tests.clock import Clock


def scope(path: str, authorization: str = "") -> dict[str, Any]:
    return {"path": path, "headers": [(b"authorization", authorization.encode())] if authorization else []}


def test_a_path_of_tokens_wants_one_and_others_do_not() -> None:
    with pytest.raises(Unauthenticated):
        asyncio.run(Admission()(scope("/v1/records")))
    assert asyncio.run(Admission()(scope("/sign-in"))) is False
    assert asyncio.run(Admission()(scope("/sign-in", "Basic dXNlcjpwYXNz"))) is False


@pytest.mark.django_db(transaction=True)
def test_a_token_is_looked_up_once_a_second() -> None:
    clock = Clock()
    admission, header = Admission(clock), f"Bearer {issuing.create(name='ci', scopes=['read'])}"

    async def ask() -> bool:
        return await admission(scope("/v1/records", header))

    async def twice() -> None:
        assert await ask()
        await asyncio.to_thread(_revoke)
        assert await ask()
        clock.now += FRESH_SECONDS
        with pytest.raises(Unauthenticated, match="revoked"):
            await ask()

    asyncio.run(twice())


def _revoke() -> None:
    from django.db import connection
    from django.utils import timezone

    issuing.revoke(name="ci", now=timezone.now())
    connection.close()

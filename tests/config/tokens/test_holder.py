import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.tokens.holder import Holder

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True)


def holder(*scopes: str) -> Holder:
    return Holder(name="tester", scopes=frozenset(scopes))


@given(NAMES)
@pytest.mark.parametrize("scope", ["read", "read:*"])
def test_a_scope_without_restriction_is_for_every_service(scope: str, service: str) -> None:
    assert holder(scope).may("read")
    assert holder(scope).may_for("read", service)
    assert holder(scope).patterns("read") == ("*",)


@given(NAMES, NAMES)
def test_a_prefix_is_for_the_services_that_begin_so_and_no_others(prefix: str, service: str) -> None:
    assert holder(f"read:{prefix}*").may_for("read", service) == service.startswith(prefix)
    assert holder(f"read:{prefix}").may_for("read", service) == (service == prefix)
    assert not holder(f"read:{prefix}*").may("read")
    assert holder(f"read:{prefix}*").may_some("read")


@given(NAMES)
def test_a_scope_is_for_itself_alone(service: str) -> None:
    reader = holder(f"read:{service}", f"read-all:{service}")
    assert not reader.may_for("write", service)
    assert not reader.may_some("write")
    assert reader.patterns("write") == ()
    assert not reader.may_register(service)

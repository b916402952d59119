from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from config.problems import Invalid, Unauthenticated
from config.tokens import audit, issuing, state
from config.tokens.models import AuditEntry, Token

pytestmark = pytest.mark.django_db


def kinds() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("kind", "who"))


def test_a_token_that_has_expired_is_refused_by_name() -> None:
    token = issuing.create(name="ci", scopes=["read"], expires_at=timezone.now() + timedelta(days=1))
    assert issuing.holder(token).name == "ci"
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Unauthenticated, match="'ci' has expired") as caught:
        issuing.holder(token)
    assert caught.value.who == "ci"
    assert issuing.holders([issuing.digest(token)]) == {}


def test_who_refuses_a_token_that_it_does_not_know_names_itself() -> None:
    service = settings.SERVICE.name
    with pytest.raises(Unauthenticated, match=f"not known to {service}: .* `manage.py {service} create_token`"):
        issuing.holder("rct_unknown")


def test_an_expiry_in_the_past_is_refused() -> None:
    with pytest.raises(Invalid, match="expired already"):
        issuing.create(name="ci", scopes=["read"], expires_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("scope", ["read:team-*", "write:billing", "read:*", "register:b_1.x"])
def test_scopes_may_name_a_service_or_a_prefix(scope: str) -> None:
    assert issuing.holder(issuing.create(name="ci", scopes=[scope])).scopes == {scope}


@pytest.mark.parametrize("scope", ["read:", "read:Team", "operate:billing", "read:a*b", "read:\n", "write:**"])
def test_what_is_no_scope_is_refused(scope: str) -> None:
    with pytest.raises(Invalid, match="not a scope"):
        issuing.create(name="ci", scopes=[scope])


@pytest.mark.parametrize("limits", [{"unheard_of": 1}, {"streams": -1}, {"streams": 2**31}])
def test_what_is_no_limit_is_refused(limits: dict[str, int]) -> None:
    with pytest.raises(Invalid, match="not a limit"):
        issuing.create(name="ci", scopes=["read"], limits=limits)


def test_limits_reach_the_holder() -> None:
    token = issuing.create(name="ci", scopes=["read"], limits={"streams": 3})
    assert issuing.holder(token).limits == {"streams": 3}
    assert issuing.holders([issuing.digest(token)])[issuing.digest(token)].limits == {"streams": 3}


def test_every_change_is_in_the_audit_log(now: datetime) -> None:
    issuing.create(name="ci", scopes=["read"], author="admin:ann", address="192.0.2.1")
    issuing.change(name="ci", scopes=["operate"], expires_at=None, limits={}, author="admin:bob", now=now)
    issuing.revoke(name="ci", now=now)
    issuing.revoke(name="ci", now=now)
    assert kinds() == [("created", "ci"), ("changed", "ci"), ("revoked", "ci")]
    first = AuditEntry.objects.get(kind="created")
    assert (first.author, first.address, first.what) == ("admin:ann", "192.0.2.1", "read")


def test_provisioning_the_same_again_is_no_change() -> None:
    for _ in range(2):
        issuing.ensure(name="grading", scopes=["read"], token="rct_of_grading")
    issuing.ensure(name="grading", scopes=["read", "write"], token="rct_of_grading")
    assert kinds() == [("created", "grading"), ("changed", "grading")]


def test_the_oldest_of_the_audit_log_are_forgotten(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(audit, "MOST_ENTRIES", 3)
    issuing.create(name="kept", scopes=["read"])
    for times in range(1, 6):
        refusal = audit.Refusal(at=now, who="x", what="forbidden: GET /", address="", times=times)
        audit.record_refusals([refusal])
    assert list(AuditEntry.objects.filter(kind="refused").values_list("times", flat=True)) == [5, 4, 3]
    assert AuditEntry.objects.filter(kind="created").count() == 1


def test_control_characters_do_not_reach_whoever_reads_the_log(now: datetime) -> None:
    audit.record_refusals([audit.Refusal(at=now, who="\x1b[31m", what="\u202e", address="", times=1)])
    entry = AuditEntry.objects.get()
    assert entry.who.isprintable()
    assert entry.what.isprintable()


def test_the_state_of_a_token(now: datetime) -> None:
    assert state.of(Token(), now=now) == "valid"
    assert state.of(Token(expires_at=now), now=now) == "expired"
    assert state.of(Token(expires_at=now, revoked_at=now), now=now) == "revoked"

import threading

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from config import sign_in
from config.sign_in import Attempts, GuardedBackend, SignInRefused
from config.tokens import gate as gates
from config.tokens.models import AuditEntry
from tests.waiting import until

HERE, THERE = "192.0.2.1", "192.0.2.2"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock)


def allowed(attempts: Attempts, account: str, address: str) -> bool:
    try:
        attempts.count(account, address)
    except SignInRefused:
        return False
    return True


def tries(attempts: Attempts, *pairs: tuple[str, str]) -> int:
    return sum(allowed(attempts, account, address) for account, address in pairs)


def test_one_address_has_few_attempts_at_one_account(attempts: Attempts, clock: Clock) -> None:
    assert tries(attempts, *[("ann", HERE)] * 25) == sign_in.PER_ACCOUNT_AND_ADDRESS.burst
    assert allowed(attempts, "bob", HERE)
    clock.now += sign_in.PER_ACCOUNT_AND_ADDRESS.seconds_each
    assert tries(attempts, *[("ann", HERE)] * 25) == 1


def test_one_address_has_a_limit_over_all_accounts(attempts: Attempts) -> None:
    pairs = [(f"account-{number}", HERE) for number in range(100)]
    assert tries(attempts, *pairs) == sign_in.PER_ADDRESS.burst


def test_one_account_has_a_limit_over_all_addresses(attempts: Attempts) -> None:
    pairs = [("ann", f"192.0.2.{number}") for number in range(100)]
    assert tries(attempts, *pairs) == sign_in.PER_ACCOUNT.burst


def test_who_has_signed_in_from_there_before_is_not_kept_out_by_others(attempts: Attempts) -> None:
    attempts.count("ann", HERE)
    attempts.succeed("ann", HERE)
    tries(attempts, *[("ann", f"198.51.100.{number}") for number in range(100)])
    assert allowed(attempts, "ann", HERE)
    assert not allowed(attempts, "ann", THERE)


def test_signing_in_rightly_is_not_limited(attempts: Attempts) -> None:
    for _ in range(100):
        attempts.count("ann", HERE)
        attempts.succeed("ann", HERE)


def test_few_passwords_are_hashed_at_once_and_few_wait(attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "WAIT_SECONDS", 60)
    finish, outcomes, hashing = threading.Event(), [], []

    def hash_one() -> None:
        try:
            with attempts.hashing():
                hashing.append(True)
                finish.wait()
        except SignInRefused:
            outcomes.append("refused")
        else:
            outcomes.append("hashed")

    most = sign_in.HASHES_AT_ONCE + sign_in.MOST_WAITING
    threads = [threading.Thread(target=hash_one) for _ in range(most + 5)]
    for thread in threads:
        thread.start()
    until(lambda: outcomes == ["refused"] * 5)
    assert len(hashing) <= sign_in.HASHES_AT_ONCE
    finish.set()
    for thread in threads:
        thread.join()
    assert outcomes.count("hashed") == most


@pytest.fixture
def noted() -> gates.Gate:
    return gates.Gate()


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch, settings: Settings, noted: gates.Gate, db: None) -> Client:
    settings.ROOT_URLCONF = "registry.urls"
    monkeypatch.setattr(GuardedBackend, "attempts", Attempts())
    monkeypatch.setattr(gates.gate, "note_refusal", noted.note_refusal)
    User.objects.create_superuser("ann", password="right")
    return Client(REMOTE_ADDR=HERE)


def post(client: Client, password: str, username: str = "ann") -> int:
    address = f"{reverse('admin:login')}?next=/admin/"
    return client.post(address, {"username": username, "password": password}).status_code


def test_the_admin_refuses_further_attempts_before_it_looks_at_the_password(guarded: Client) -> None:
    assert [post(guarded, "wrong") for _ in range(6)] == [200] * 5 + [429]
    # Also the right one, of which no hash is computed.
    answer = guarded.post(reverse("admin:login"), {"username": "ANN", "password": "right"})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1
    assert answer["Cache-Control"] == "no-store"
    assert b"try again in" in answer.content


def test_attempts_are_in_the_audit_log(guarded: Client, noted: gates.Gate) -> None:
    for _ in range(6):
        post(guarded, "wrong")
    post(guarded, "wrong", username="my-password")
    noted.flush(now=0)
    found = set(AuditEntry.objects.values_list("who", "what", "times"))
    path = reverse("admin:login")
    assert found == {
        ("account ann", f"unauthenticated: sign-in {path}", 5),
        ("account ann", f"too-many-sign-ins: sign-in {path}", 1),
        ("an unknown account", f"unauthenticated: sign-in {path}", 1),
    }


def test_staff_sign_in_again_every_working_day(guarded: Client, settings: Settings) -> None:
    assert post(guarded, "right") == 302
    assert guarded.session.get_expiry_age() <= settings.STAFF_SESSION_SECONDS


def test_pages_of_who_has_signed_in_are_kept_by_nobody_and_have_a_policy(guarded: Client) -> None:
    post(guarded, "right")
    for path, status in (("/admin/", 200), ("/admin/nothing/", 404)):
        answer = guarded.get(path)
        assert answer.status_code == status
        assert "no-store" in answer["Cache-Control"]
        assert "'unsafe-eval'" in answer["Content-Security-Policy"]
    assert "unsafe-eval" not in guarded.get("/v1/nothing").headers.get("Content-Security-Policy", "")

import threading

import pytest

from config import attempts as limits
from config.attempts import Attempts, SignInRefused
from tests.clock import Clock
from tests.waiting import until

HERE, THERE = "192.0.2.1", "192.0.2.2"


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
    assert tries(attempts, *[("ann", HERE)] * 25) == limits.PER_ACCOUNT_AND_ADDRESS.burst
    assert allowed(attempts, "bob", HERE)
    clock.now += limits.PER_ACCOUNT_AND_ADDRESS.seconds_each
    assert tries(attempts, *[("ann", HERE)] * 25) == 1


def test_one_address_has_a_limit_over_all_accounts(attempts: Attempts) -> None:
    pairs = [(f"account-{number}", HERE) for number in range(100)]
    assert tries(attempts, *pairs) == limits.PER_ADDRESS.burst


def test_one_account_has_a_limit_over_all_addresses(attempts: Attempts) -> None:
    pairs = [("ann", f"192.0.2.{number}") for number in range(100)]
    assert tries(attempts, *pairs) == limits.PER_ACCOUNT.burst


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
    monkeypatch.setattr(limits, "WAIT_SECONDS", 60)
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

    most = limits.HASHES_AT_ONCE + limits.MOST_WAITING
    threads = [threading.Thread(target=hash_one) for _ in range(most + 5)]
    for thread in threads:
        thread.start()
    until(lambda: outcomes == ["refused"] * 5)
    assert len(hashing) <= limits.HASHES_AT_ONCE
    finish.set()
    for thread in threads:
        thread.join()
    assert outcomes.count("hashed") == most

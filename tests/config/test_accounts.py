"""The passwords of the accounts that a service makes for its own operators."""

from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from pytest_django import Settings

from config import accounts, env

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_in_production(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    # Slower than for a random password, and not by Django's hundredfold, which eighteen hashes here would take.
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 2 * accounts.ROUNDS_FOR_RANDOM)
    settings.DATA_DIR = tmp_path
    monkeypatch.setenv("ROLLCALL_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("DEMO_OPERATOR_PASSWORD", raising=False)


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rounds of each hash that was computed."""
    taken: list[int] = []
    encode = PBKDF2PasswordHasher.encode

    def counted(hasher: PBKDF2PasswordHasher, password: str, salt: str, iterations: int | None = None) -> str:
        taken.append(iterations or hasher.iterations)
        return encode(hasher, password, salt, iterations=10)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", counted)
    return taken


def account(name: str = "operator") -> User:
    return User.objects.get_or_create(username=name)[0]


def test_a_random_password_is_hashed_quickly_and_known_without_a_hash(rounds: list[int]) -> None:
    password = env.password("DEMO_OPERATOR_PASSWORD")
    assert accounts.ensure_password(account(), password)
    assert rounds == [accounts.ROUNDS_FOR_RANDOM]
    rounds.clear()
    assert not accounts.ensure_password(account(), password)
    assert rounds == []
    assert account().check_password(password)


def test_a_password_that_somebody_chose_is_hashed_slowly_and_always_compared(rounds: list[int]) -> None:
    assert accounts.ensure_password(account(), "chosen")
    assert rounds == [PBKDF2PasswordHasher.iterations]
    assert not accounts.ensure_password(account(), "chosen")
    assert not list(env.data_dir().glob("run/*"))


def test_a_password_that_was_changed_since_is_set_again() -> None:
    password = env.password("DEMO_OPERATOR_PASSWORD")
    accounts.ensure_password(account(), password)
    changed = account()
    changed.set_password("another")
    changed.save()
    assert accounts.ensure_password(account(), password)
    assert account().check_password(password)


def test_a_password_that_is_right_keeps_its_hash_and_with_it_the_sessions() -> None:
    password = env.password("DEMO_OPERATOR_PASSWORD")
    signed_in = account()
    signed_in.set_password(password)
    signed_in.save()
    assert not accounts.ensure_password(account(), password)
    assert account().password == signed_in.password


def test_a_note_is_of_one_account() -> None:
    password = env.password("DEMO_OPERATOR_PASSWORD")
    accounts.ensure_password(account("operator"), password)
    assert accounts.ensure_password(account("teacher"), password)
    assert account("teacher").check_password(password)

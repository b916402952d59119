import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from config import encryption
from config.encryption import EncryptedTextField

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture(autouse=True)
def _key(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = ["first"]


def test_what_is_stored_tells_nothing_of_the_text() -> None:
    stored = encryption.encrypt("whsec_secret")
    assert "whsec_secret" not in stored
    assert stored != encryption.encrypt("whsec_secret")


def test_a_new_key_in_front_reads_what_the_old_one_wrote(settings: Settings) -> None:
    stored = encryption.encrypt("text")
    settings.ENCRYPTION_KEYS = ["second", "first"]
    assert encryption.decrypt(stored) == "text"
    anew = encryption.encrypt("text")
    settings.ENCRYPTION_KEYS = ["second"]
    assert encryption.decrypt(anew) == "text"
    with pytest.raises(ImproperlyConfigured, match="_ENCRYPTION_KEYS"):
        encryption.decrypt(stored)


def test_what_an_earlier_version_stored_is_read_as_it_is() -> None:
    assert encryption.decrypt("whsec_plain") == "whsec_plain"


@given(TEXTS)
def test_every_text_comes_back(text: str) -> None:
    field = EncryptedTextField()
    stored = field.get_prep_value(text)
    assert field.from_db_value(stored, None, None) == text  # type: ignore[arg-type]  # neither is looked at


def test_nothing_stays_nothing() -> None:
    field = EncryptedTextField(null=True)
    assert field.get_prep_value(None) is None
    assert field.from_db_value(None, None, None) is None  # type: ignore[arg-type]

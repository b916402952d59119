from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.registry.admin.conftest import LIST, in_role, text_of

pytestmark = pytest.mark.django_db
ADDRESS = f"{LIST}two-step/"


def code_of(device: TOTPDevice) -> str:
    return f"{totp(device.bin_key, device.step, device.t0, device.digits, device.drift):06}"


def sign_in(**given: str) -> Client:
    client = Client()
    client.post("/admin/login/", {"next": "/admin/", "username": "ann", "password": "secret", **given})
    return client


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


@pytest.fixture
def person(client: Client, db: None) -> Client:
    client = in_role(client, "viewer", "ann")
    ann = User.objects.get()
    ann.set_password("secret")
    ann.save()
    client.force_login(ann)
    return client


def set_up(person: Client) -> TOTPDevice:
    text_of(person, ADDRESS)
    device = TOTPDevice.objects.get()
    person.post(ADDRESS, {"code": code_of(device)})
    device.refresh_from_db()
    # The code that confirmed it is used up; the next one comes in half a minute.
    TOTPDevice.objects.update(last_t=-1)
    return device


def test_a_password_alone_signs_in_until_an_authenticator_is_set_up(person: Client) -> None:
    assert is_in(sign_in())

    device = set_up(person)

    assert device.confirmed
    assert not is_in(sign_in())
    assert not is_in(sign_in(code="000000"))
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert is_in(sign_in(code=code_of(device)))


def test_a_code_signs_in_once(person: Client) -> None:
    device = set_up(person)
    code = code_of(device)

    assert is_in(sign_in(code=code))
    assert not is_in(sign_in(code=code))


def test_a_wrong_code_sets_nothing_up(person: Client, now: datetime) -> None:
    text_of(person, ADDRESS)

    assert "not the code" in person.post(ADDRESS, {"code": "x"}).content.decode()
    assert not TOTPDevice.objects.filter(confirmed=True).exists()


def test_it_is_turned_off_with_a_code(person: Client) -> None:
    device = set_up(person)

    person.post(ADDRESS, {"code": code_of(device)})

    assert not TOTPDevice.objects.exists()
    assert is_in(sign_in())


def test_the_page_of_an_authenticator_that_is_on_shows_no_secret(person: Client) -> None:
    device = set_up(person)

    assert device.key not in text_of(person, ADDRESS)
    assert "otpauth" not in text_of(person, ADDRESS)

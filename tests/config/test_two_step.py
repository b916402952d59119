import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

pytestmark = pytest.mark.django_db
ADDRESS = "/admin/two-step/"


@pytest.fixture(autouse=True)
def _urls(settings: Settings) -> None:
    settings.ROOT_URLCONF = "webui.urls"


def code_of(device: TOTPDevice) -> str:
    return f"{totp(device.bin_key, device.step, device.t0, device.digits, device.drift):06}"


def sign_in(address: str = "/admin/login/", **given: str) -> Client:
    client = Client()
    client.post(address, {"next": "/admin/", "username": "ann", "password": "secret", **given})
    return client


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def text_of(client: Client) -> str:
    return client.get(ADDRESS).content.decode()


@pytest.fixture
def person(client: Client) -> Client:
    client.force_login(User.objects.create_user("ann", password="secret", is_staff=True))
    return client


def set_up(person: Client) -> TOTPDevice:
    text_of(person)
    device = TOTPDevice.objects.get()
    person.post(ADDRESS, {"code": code_of(device)})
    device.refresh_from_db()
    # The code that confirmed it is used up; the next one comes in half a minute.
    TOTPDevice.objects.update(last_t=-1)
    return device


@pytest.mark.parametrize("urls", ["registry.urls", "logsvc.urls", "grading.urls", "webui.urls"])
def test_a_password_alone_signs_in_until_an_authenticator_is_set_up(
    person: Client, urls: str, settings: Settings
) -> None:
    settings.ROOT_URLCONF = urls
    assert is_in(sign_in())

    device = set_up(person)

    assert device.confirmed
    assert not is_in(sign_in())
    assert not is_in(sign_in(code="000000"))
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert is_in(sign_in(code=code_of(device)))


def test_the_web_uis_own_sign_in_page_is_no_way_around_the_code(person: Client) -> None:
    device = set_up(person)

    refused = Client().post("/sign-in", {"username": "ann", "password": "secret"}).content.decode()

    assert "six digits" in refused
    assert '<details class="mb-3" open>' in refused
    assert not is_in(sign_in("/sign-in"))
    assert is_in(sign_in("/sign-in", code=code_of(device)))


def test_a_code_signs_in_once(person: Client) -> None:
    device = set_up(person)
    code = code_of(device)

    assert is_in(sign_in(code=code))
    assert not is_in(sign_in(code=code))


def test_a_wrong_code_sets_nothing_up(person: Client) -> None:
    text_of(person)

    assert "not the code" in person.post(ADDRESS, {"code": "x"}).content.decode()
    assert not TOTPDevice.objects.filter(confirmed=True).exists()


def test_it_is_turned_off_with_a_code(person: Client) -> None:
    device = set_up(person)

    person.post(ADDRESS, {"code": code_of(device)})

    assert not TOTPDevice.objects.exists()
    assert is_in(sign_in())


def test_the_page_of_an_authenticator_that_is_on_shows_no_secret(person: Client) -> None:
    device = set_up(person)

    assert device.key not in text_of(person)
    assert "otpauth" not in text_of(person)

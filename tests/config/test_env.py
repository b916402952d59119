import os
import re
from pathlib import Path

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from config import env
from config.services import SERVICES


@pytest.fixture(autouse=True)
def _data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROLLCALL_DATA_DIR", str(tmp_path / "data"))
    for name in ("REDIS_URL", "A_SECRET", "GRADING_PORT", "GRADING_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_the_data_directory_is_made(tmp_path: Path) -> None:
    assert env.data_dir() == tmp_path / "data"
    assert (tmp_path / "data").is_dir()


def test_a_data_directory_that_cannot_be_made_names_its_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ROLLCALL_DATA_DIR", str(tmp_path / "file" / "data"))
    with pytest.raises(ImproperlyConfigured, match="set ROLLCALL_DATA_DIR"):
        env.data_dir()


def test_a_data_directory_of_any_name_holds_the_database_and_leads_to_one_redis(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    directory = tmp_path / "100%41 of+it?yes#1 ö'\""
    monkeypatch.setenv("ROLLCALL_DATA_DIR", str(directory))

    assert env.database(SERVICES["grading"])["NAME"] == str(directory / "grading.sqlite3")
    with redis.Redis.from_url(env.redis_url()) as client:
        assert client.connection_pool.connection_kwargs["path"] == str(env.unix_socket("redis"))


@pytest.mark.parametrize("value", ["x", "0", "-1", "65536", "80.5", "8000 1", "8_000", "\uff18\uff10"])
def test_a_port_that_is_none_names_its_setting(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GRADING_PORT", value)
    with pytest.raises(ImproperlyConfigured, match="GRADING_PORT="):
        env.port(SERVICES["grading"])


@pytest.mark.parametrize("value", ["bogus", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8 ::1/128", "::1/128, x"])
def test_a_network_that_is_none_names_its_setting(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SOME_NETWORKS", value)
    with pytest.raises(ImproperlyConfigured, match="SOME_NETWORKS holds"):
        env.networks("SOME_NETWORKS", ())


@pytest.mark.parametrize("value", ["gateway", "http://a:0", "http://a:99999", "http://a..b", f"http://{'a' * 64}"])
def test_every_url_of_a_list_is_checked(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SOME_URLS", f"http://10.0.0.1/ping, {value}")
    with pytest.raises(ImproperlyConfigured, match=f"SOME_URLS='{value}' is not a URL"):
        env.urls("SOME_URLS")


def test_the_name_of_an_instance_that_the_registry_would_refuse_names_its_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRADING_INSTANCE", "Grading 1")
    with pytest.raises(ImproperlyConfigured, match="GRADING_INSTANCE='Grading 1'"):
        env.membership(SERVICES["grading"], "http://127.0.0.1:8001")


def test_a_secret_is_made_once_and_readable_to_its_owner_alone(tmp_path: Path) -> None:
    first = env.secret("A_SECRET")
    path = tmp_path / "data" / "secrets" / "a_secret"
    assert env.secret("A_SECRET") == first == path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    assert len(list(path.parent.iterdir())) == 1


def test_a_secret_that_is_set_is_kept_out_of_the_data_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("A_SECRET", "given")
    assert env.secret("A_SECRET") == "given"
    assert not (tmp_path / "data" / "secrets").exists()


@given(depth=st.integers(0, 60))
def test_a_sockets_path_is_never_longer_than_linux_allows(depth: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(env, "data_dir", lambda: Path("/data") / "/".join(["ö"] * depth))
        assert len(os.fsencode(env.unix_socket("supervisord"))) <= env.UNIX_SOCKET_PATH_LIMIT


def test_each_data_directory_has_sockets_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def socket_of(directory: str) -> Path:
        monkeypatch.setattr(env, "data_dir", lambda: Path("/") / directory)
        return env.unix_socket("redis")

    assert len({socket_of("a"), socket_of("b"), socket_of("a" * 200), socket_of("b" * 200)}) == 4


@pytest.mark.parametrize("value", ["localhost", "http://x", "redis://", "redis://x:port"])
def test_a_redis_address_that_is_none_names_its_setting(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("REDIS_URL", value)
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL="):
        env.redis_url()


def test_a_database_is_a_file_in_the_data_directory_unless_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert env.database(SERVICES["grading"])["NAME"] == str(tmp_path / "data" / "grading.sqlite3")
    monkeypatch.setenv("GRADING_DATABASE_URL", "postgres://u:p@db/grading")
    assert env.database(SERVICES["grading"])["HOST"] == "db"


@pytest.mark.parametrize("scheme", ["nonsense", "mysql"])
def test_a_database_address_that_is_none_names_its_setting_without_the_password(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("GRADING_DATABASE_URL", f"{scheme}://user:hunter2@host/name")
    with pytest.raises(ImproperlyConfigured, match="GRADING_DATABASE_URL") as caught:
        env.database(SERVICES["grading"])
    assert "hunter2" not in str(caught.value)


def test_each_variable_that_the_settings_read_is_documented() -> None:
    documented = (env.BASE_DIR / "docs" / "operations.md").read_text()
    services = "|".join(service.variable_prefix for service in SERVICES.values())
    read = {
        name
        for path in (env.BASE_DIR / "config" / "settings").glob("*.py")
        for name in re.findall(r"""env\.\w+\(\s*"([A-Z_]+)\"""", path.read_text())
    }
    assert len(read) > 30
    missing = [
        name
        for name in sorted(read)
        if not {
            name,
            re.sub(rf"^({services})_", "<SERVICE>_", name),
            re.sub(r"^DEMO_\w+_PASS", "DEMO_<NAME>_PASS", name),
        }
        & set(re.findall(r"`([A-Z_<>]+)`", documented))
    ]
    assert missing == []

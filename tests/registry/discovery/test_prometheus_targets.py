import re
from datetime import datetime

import pytest

from registry.discovery import prometheus_targets
from tests import factories


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "target", "scheme"),
    [
        ("http://127.0.0.1:9000/base", "127.0.0.1:9000", "http"),
        ("http://127.0.0.1", "127.0.0.1:80", "http"),
        ("https://127.0.0.1", "127.0.0.1:443", "https"),
        ("http://[::1]:9000", "[::1]:9000", "http"),
        ("http://[::1]", "[::1]:80", "http"),
        ("https://[::1]", "[::1]:443", "https"),
        ("http://LOCALHOST", "localhost:80", "http"),
        ("http://127.0.0.1:08080", "127.0.0.1:8080", "http"),
        ("https://xn--mnchen-3ya.test:9443/app/", "xn--mnchen-3ya.test:9443", "https"),
    ],
)
def test_a_target_is_a_host_and_a_port(now: datetime, url: str, target: str, scheme: str) -> None:
    group = prometheus_targets.group(factories.passing("billing", url=url, now=now))

    assert group["targets"] == [target]
    assert group["labels"]["__scheme__"] == scheme


@pytest.mark.django_db
def test_metadata_become_labels_that_prometheus_takes(now: datetime) -> None:
    instance = factories.passing("billing", metadata={"data-centre.1": "é"}, tags=["b", "a"], zone="z", now=now)

    labels = prometheus_targets.group(instance)["labels"]

    assert labels["__meta_rollcall_metadata_data_centre_1"] == "é"
    assert labels["__meta_rollcall_tags"] == ",a,b,"
    assert (labels["service"], labels["instance"], labels["zone"]) == ("billing", "billing-1", "z")
    assert all(isinstance(value, str) for value in labels.values())


@pytest.mark.django_db
def test_metadata_that_give_one_label_are_told_by_the_name_that_is_it_and_else_by_the_first(now: datetime) -> None:
    metadata = {"a.b": "1", "a-b": "2", "a_b": "3", "c.d": "4", "c-d": "5", "\u043a\u043b\u044e\u0447": "6", "1st": "7"}

    labels = prometheus_targets.group(factories.passing("billing", metadata=metadata, now=now))["labels"]

    assert {name: value for name, value in labels.items() if "metadata" in name} == {
        "__meta_rollcall_metadata_a_b": "3",
        "__meta_rollcall_metadata_c_d": "5",
        "__meta_rollcall_metadata_____": "6",
        "__meta_rollcall_metadata_1st": "7",
    }
    assert all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) for name in labels)


@pytest.mark.django_db
def test_an_address_that_an_earlier_version_stored_takes_no_other_target_away(now: datetime) -> None:
    sound, odd = (factories.passing("billing", name, now=now) for name in ("billing-1", "billing-2"))
    odd.url = "http://127.0.0.1:99999"

    assert [group["labels"]["instance"] for group in prometheus_targets.groups([odd, sound])] == ["billing-1"]

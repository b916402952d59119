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

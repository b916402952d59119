from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from pytest_django import Settings

from logsvc import archive, retention, tasks
from logsvc.models import RetentionRule
from logsvc.retention import Pruned
from logsvc.storage.current import store
from tests.logsvc import factories
from tests.logsvc.factories import DAY_NS, NOW_NS, found, keep, record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _keep_for_two_weeks(settings: Settings, tmp_path: Path) -> None:
    settings.RETENTION_DAYS = 14
    settings.RETENTION_MEBIBYTES = 0
    settings.ARCHIVE_DIR = str(tmp_path)


def keep_for_days(days: float, *bodies: str, **members: object) -> None:
    """Records of that many days before NOW."""
    then_ns = NOW_NS - int(days * DAY_NS)
    keep(*(record(body, time_ns=then_ns, **members) for body in bodies), received_ns=then_ns)


def test_what_is_older_than_the_retention_is_deleted() -> None:
    keep_for_days(20, "old", "old too")
    keep_for_days(14, "just within")
    keep_for_days(0, "new")

    assert retention.prune(now_ns=NOW_NS) == [
        Pruned(service="grading", level="INFO", records=2, reason="older than 14 days")
    ]
    assert found() == ["new", "just within"]
    assert store().services() == {"grading": 2}


def test_what_its_sender_calls_old_but_came_today_is_kept() -> None:
    keep(record("imported", time_ns=NOW_NS - 100 * DAY_NS))

    assert retention.prune(now_ns=NOW_NS) == []
    assert retention.prune(now_ns=NOW_NS + 15 * DAY_NS)[0].records == 1


def test_a_time_that_cannot_be_true_leaves_after_the_retention_from_its_arrival() -> None:
    keep(record("2199", time_ns=NOW_NS + 60_000 * DAY_NS), record("1970", time_ns=0))

    assert retention.prune(now_ns=NOW_NS + 13 * DAY_NS) == []
    assert retention.prune(now_ns=NOW_NS + 15 * DAY_NS)[0].records == 2


def test_the_closest_rule_decides() -> None:
    RetentionRule.objects.create(service="audit", keep_days=365)
    RetentionRule.objects.create(service="team-*", keep_days=30)
    RetentionRule.objects.create(service="team-*", level="DEBUG", keep_days=1)
    RetentionRule.objects.create(level="DEBUG", keep_days=2)
    for service in ("audit", "team-a", "other"):
        keep_for_days(20, f"{service} info", service=service)
        keep_for_days(1.5, f"{service} debug", service=service, severity=5)
        keep_for_days(3, f"{service} older debug", service=service, severity=5)

    retention.prune(now_ns=NOW_NS)

    assert sorted(found()) == ["audit debug", "audit info", "audit older debug", "other debug", "team-a info"]


def test_what_is_too_large_loses_its_oldest(settings: Settings) -> None:
    settings.RETENTION_MEBIBYTES = 1
    for minute in range(60):
        then_ns = NOW_NS - (60 - minute) * 60_000_000_000
        keep(record(f"{minute} " + "x" * 30_000, time_ns=then_ns), received_ns=then_ns)

    (pruned,) = retention.prune(now_ns=NOW_NS)

    assert pruned.reason == "the whole is larger than is allowed"
    assert sum(each.stored_bytes for each in store().usage()) <= 1024 * 1024
    assert found("59") != []
    assert found("0") == []
    assert len(found()) > 30


def test_a_rule_limits_the_size_of_each_service() -> None:
    RetentionRule.objects.create(service="loud", keep_mebibytes=1)
    for service in ("loud", "quiet"):
        for minute in range(60):
            then_ns = NOW_NS - (60 - minute) * 60_000_000_000
            keep(record("x" * 30_000, time_ns=then_ns, service=service), received_ns=then_ns)

    retention.prune(now_ns=NOW_NS)

    assert len(found("service:quiet")) == 60
    assert 30 < len(found("service:loud")) < 36


def test_much_is_deleted_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store(), "deleted_at_once", 2)
    keep_for_days(20, *"abcde")
    keep_for_days(1, "new")

    assert retention.prune(now_ns=NOW_NS)[0].records == 5
    assert found() == ["new"]


def test_a_dry_run_says_what_would_go_and_deletes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    keep_for_days(4000, "old")

    call_command("prune_logs", "--dry-run")

    assert "grading INFO: 1 records, older than 14 days" in capsys.readouterr().out
    assert found() == ["old"]


def test_the_task_and_the_command_prune(capsys: pytest.CaptureFixture[str]) -> None:
    keep_for_days(4000, "old")
    tasks.prune()
    assert found() == []
    keep_for_days(4000, "old")
    call_command("prune_logs")
    assert found() == []
    assert "1 records deleted." in capsys.readouterr().out


def test_what_a_rule_archives_is_in_the_archive_and_comes_back_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    RetentionRule.objects.create(service="audit", is_archived=True)
    uid = factories.new_uid()
    members = {"service": "audit", "attributes": {"a": [1, None]}, "notes": ["cut"], "token": "t", "severity": 14}
    keep_for_days(20, "one", uid=uid, **members)
    keep_for_days(20, "two", **members)
    keep_for_days(20, "not archived")
    before = factories.stored("service:audit")

    retention.prune(now_ns=NOW_NS)

    (path,) = archive.files()
    assert (path.name, path.parent.name, path.stat().st_mode & 0o777) == ("audit.ndjson.gz", "2026-11-03", 0o600)
    assert found() == []
    for _ in range(2):
        call_command("restore_logs", str(path))
    assert "2 records came back" in capsys.readouterr().out
    after = factories.stored()
    assert [each.body for each in after] == ["two", "one"]
    for old, new in zip(before, after, strict=True):
        for name in ("time_ns", "observed_ns", "severity", "service", "attributes", "notes", "token", "body"):
            assert getattr(old, name) == getattr(new, name)
    assert after[1].uid == uid


def test_an_archive_that_a_crash_cut_short_gives_back_what_was_whole(settings: Settings) -> None:
    settings.ARCHIVE_ALL = True
    for body in ("one", "cut", "three"):
        keep_for_days(20, body)
        retention.prune(now_ns=NOW_NS)
        (path,) = archive.files("grading")
        if body == "cut":
            path.write_bytes(path.read_bytes()[:-20])

    assert archive.restore(path, received_ns=NOW_NS) == 2
    assert sorted(found()) == ["one", "three"]


@pytest.mark.parametrize("service", ["../../etc", "a/b", "x" * 100, ".hidden", "a_b"])
def test_a_services_name_leads_no_file_astray(service: str, settings: Settings, tmp_path: Path) -> None:
    settings.ARCHIVE_ALL = True
    keep_for_days(20, "one", service=service)

    retention.prune(now_ns=NOW_NS)

    (path,) = archive.files()
    assert path.parent.parent == tmp_path
    assert archive.files(service) == [path]


def test_a_rule_says_something() -> None:
    with pytest.raises(ValidationError, match="Give days, a size"):
        RetentionRule(service="x").full_clean()

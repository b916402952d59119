"""ingest_logs, search_logs and export_logs, as people call them."""

import gzip
import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from logsvc.management.commands.search_logs import shown
from logsvc.models import SavedSearch
from logsvc.storage.current import store
from tests.logsvc.factories import NOW_NS, found, keep, keep_each, record, stored
from tests.logsvc.recognition import generating

pytestmark = pytest.mark.django_db


def call(name: str, *arguments: object, **options: Any) -> str:
    output = StringIO()
    call_command(name, *map(str, arguments), stdout=output, **options)
    return output.getvalue()


def test_files_of_all_kinds_come_in_gzipped_or_not_and_once(tmp_path: Path) -> None:
    paths = []
    for kind in generating.KINDS:
        text = "".join(f"{event}\n" for event, _, _ in generating.events(kind, 200)).encode()
        is_zipped = kind in ("java", "json")
        paths.append(tmp_path / f"{kind}.log{'.gz' if is_zipped else ''}")
        paths[-1].write_bytes(gzip.compress(text) if is_zipped else text)

    told = call("ingest_logs", *paths, no_progress=True)
    again = call("ingest_logs", *paths, no_progress=True)

    assert told.startswith("1600 records: 1600 stored, 0 known already. UNSPECIFIED 200, DEBUG 50, INFO ")
    assert again.startswith("1600 records: 0 stored, 1600 known already.")
    assert store().services() == {
        "app": 200, "sshd": 200, "json": 200, "java": 200, "nginx": 200, "kubernetes": 200, "spark": 200, "logfmt": 200,
    }  # fmt: skip
    assert len(found('service:java level:error "IllegalStateException"', limit=1000)) == 200
    assert len(found("service:nginx level>=error attr.http.response.status_code:502")) == 50


def test_what_is_said_on_the_command_line_counts(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("2026-11-29 08:00:00 ERROR failed\n")

    call("ingest_logs", path, service="billing", host="h-1", instance="i-1", timezone="Europe/Zurich")
    assert "none stored (dry run)" in call("ingest_logs", path, service="other", dry_run=True)

    (kept,) = stored("service:billing")
    assert (kept.host, kept.instance, kept.time_ns) == ("h-1", "i-1", 1_795_935_600 * 10**9)
    assert found("service:other") == []


def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path: Path) -> None:
    damaged = tmp_path / "x.gz"
    damaged.write_bytes(gzip.compress(b"one\ntwo\n" * 1000)[:-12])

    with pytest.raises(CommandError, match="cannot be read"):
        call("ingest_logs", tmp_path / "missing")
    with pytest.raises(CommandError, match="no time zone"):
        call("ingest_logs", damaged, timezone="Nowhere/None")
    with pytest.raises(CommandError, match="is damaged"):
        call("ingest_logs", damaged)


def test_a_search_shows_the_newest_last_and_can_be_saved() -> None:
    keep_each(["one", "two", "three"], severity=17, attributes={"order": 7})
    keep(record("other", service="shop", time_ns=NOW_NS + 10**9))
    SavedSearch.objects.create(name="grades", query="service:grading")

    lines = call("search_logs", "", saved="grades", limit=2).splitlines()

    assert lines == [
        '2026-11-23T12:00:00.001Z ERROR grading two  {"order":7}',
        '2026-11-23T12:00:00.002Z ERROR grading three  {"order":7}',
    ]
    assert [json.loads(line)["message"] for line in call("search_logs", "service:shop", json=True).splitlines()] == [
        "other"
    ]
    assert call("search_logs", "", since="2026-11-23T12:00:00.5Z").count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "options", "word"),
    [
        (["level>=x"], {}, "not a level"),
        ([], {"saved": "none"}, "no saved search"),
        ([], {"since": "soon"}, "--from"),
        ([], {"follow": True, "until": "now"}, "--follow"),
        ([], {"limit": -1}, "--limit"),
    ],
)
def test_a_wrong_search_says_what_is_wrong(arguments: list[str], options: dict[str, Any], word: str) -> None:
    with pytest.raises(CommandError, match=word):
        call("search_logs", *arguments, **options)


def test_followed_records_come_once_in_the_order_of_their_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_each(["past"])
    rounds = iter(["first", "second"])

    def sleep(seconds: float) -> None:
        body = next(rounds, None)
        if body is None:
            raise KeyboardInterrupt
        # Older than what was shown, as after an outage.
        keep(record(body, time_ns=NOW_NS - 10**9), record("other", service="shop"))

    monkeypatch.setattr("logsvc.management.commands.search_logs.time.sleep", sleep)

    lines = call("search_logs", "service:grading", follow=True).splitlines()

    assert [line.split()[-1] for line in lines] == ["past", "first", "second"]


def test_no_record_can_steer_a_terminal() -> None:
    keep(record("\x1b[2Jred\r\nnext", service="gra\x1b]0;ding", attributes={"a": "\x07"}))
    (kept,) = stored()

    for is_coloured in (False, True):
        text = shown(kept, is_coloured=is_coloured)
        assert "\x1b[2J" not in text
        assert not set(text) & {"\x07", "\r"}
        assert "\x1b]" not in text


def test_what_is_exported_comes_in_again(tmp_path: Path) -> None:
    keep_each(["one", "two"], severity=17, attributes={"order": {"id": 7}}, trace_id="4bf92f3577b34da6a3ce929d0e0e4736")
    keep(record("=cmd()", service="shop"))
    path = tmp_path / "out.ndjson.gz"

    assert "2 records written" in call("export_logs", "service:grading", output=path)

    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert [line["message"] for line in lines] == ["one", "two"]
    assert list(tmp_path.iterdir()) == [path]
    assert call("export_logs", "service:grading").count("\n") == 2
    assert "'=cmd()" in call("export_logs", "service:shop", format="csv")
    with pytest.raises(CommandError, match="cannot be written"):
        call("export_logs", output=tmp_path / "missing" / "x")


def test_levels_are_counted_as_they_were_given(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("".join(f"{event}\n" for event, _, _ in generating.events("json", 8)))

    call("ingest_logs", tmp_path / "x.log")

    assert Counter(each.severity for each in stored()) == {9: 2, 13: 2, 17: 2, 5: 2}

"""Commands that import, export and prove."""

from pathlib import Path

import pytest
from django.db import connection, connections

from grading.models import Assignment, Enrollment, Grade, ImportBatch
from tests.calling import Call, caller, refused
from tests.grading import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr(connections, "close_all", lambda: None)
    return caller(capsys)


@pytest.fixture
def grades(tmp_path: Path) -> str:
    course = factories.course()
    factories.student(course)
    factories.assignment(course)
    file = tmp_path / "grades.csv"
    file.write_text("username;Essay\nada;9,5\nbob;3\n")
    return str(file)


def test_a_dry_run_shows_and_stores_nothing(call: Call, grades: str) -> None:
    said = call("import_grades", "algebra", grades, "--dry-run")
    assert (said.code, said.err) == (0, "")
    assert f"Ada, assignment {Assignment.objects.get().pk}: blank -> 9.5" in said.out
    assert "'bob'" in said.out
    assert not Grade.objects.exists()
    assert not ImportBatch.objects.exists()


def test_a_column_that_no_assignment_is_named_by_is_said(call: Call, grades: str) -> None:
    Path(grades).write_text("username;Esay\nada;9\n")
    said = call("import_grades", "algebra", grades)
    assert "column 'Esay' is ignored: no assignment of the course has this title" in said.out
    assert "Stored 0 as batch" in said.out


def test_grades_are_imported_as_one_batch(call: Call, grades: str) -> None:
    said = call("import_grades", "algebra", grades)
    assert said.code == 0
    assert "Stored 1 as batch" in said.out
    assert Grade.objects.get().updated_by == "command:import_grades"


def test_faults_stop_an_import_unless_they_are_skipped(call: Call, grades: str) -> None:
    Path(grades).write_text("username;Essay\nada;nine\n")
    assert "cannot be read" in refused(call("import_grades", "algebra", grades))
    assert not ImportBatch.objects.exists()
    assert call("import_grades", "algebra", grades, "--skip-faults").code == 0


def test_a_roster_is_imported(call: Call, grades: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,username,sis id,section\nBob Stone,bob,0044,A\n")
    assert "bob (Bob Stone), student: create" in call("import_roster", "algebra", str(file), "--dry-run").out
    assert not Enrollment.objects.filter(student__username="bob").exists()
    assert call("import_roster", "algebra", str(file)).code == 0
    assert Enrollment.objects.get(student__username="bob").section is not None


def test_an_export_is_imported_again_without_a_change(call: Call, grades: str, tmp_path: Path) -> None:
    call("import_grades", "algebra", grades)
    target = tmp_path / "export.csv"
    assert call("export_gradebook", "algebra", str(target)).code == 0
    said = call("import_grades", "algebra", str(target))
    assert "Stored 0" in said.out
    assert call("export_gradebook", "algebra", str(tmp_path / "b.zip"), "--format", "oneroster").code == 0
    assert (tmp_path / "b.zip").read_bytes().startswith(b"PK")
    assert not list(tmp_path.glob(".*"))


def test_recalculate_finds_and_mends_a_total_that_was_stored_wrongly(call: Call, grades: str) -> None:
    call("import_grades", "algebra", grades)
    assert "all stored as computed" in call("recalculate").out
    Enrollment.objects.filter(role="student").update(current_percent="1.00")
    said = call("recalculate", "algebra")
    assert said.code == 1
    assert "computed {'current_percent': '95.00'" in said.out
    assert call("recalculate", "--mend").code == 1
    assert call("recalculate").code == 0


def test_recalculate_finds_a_grade_that_was_changed_past_its_history(call: Call, grades: str) -> None:
    call("import_grades", "algebra", grades)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE grading_grade SET score = 1")
    said = call("recalculate")
    assert said.code == 1
    assert "it is not what its history ends with" in said.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("import_grades",),
        ("import_grades", "nowhere", "grades.csv"),
        ("import_grades", "algebra", "missing.csv"),
        ("import_grades", "algebra", "."),
        ("import_roster", "algebra", "missing.csv"),
        ("export_gradebook", "nowhere", "x.csv"),
        ("export_gradebook", "algebra", "missing/x.csv"),
        ("export_gradebook", "algebra", "x.csv", "--format", "odf"),
        ("recalculate", "nowhere"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_refused_in_one_sentence(call: Call, arguments: tuple[str, ...]) -> None:
    factories.course()
    assert refused(call(*arguments))

"""Importing and exporting files over HTTP."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from grading import importing
from grading.api import files as views
from grading.drafts import StudentDraft
from grading.enrolling import enrol
from grading.files import reports
from grading.models import Assignment, Course, Enrollment, Grade, GradeChange, ImportBatch, Student
from tests.grading import factories, files
from tests.grading.factories import NOW, Caller

pytestmark = pytest.mark.django_db

IMPORTS = "/v1/courses/algebra/imports"


@pytest.fixture(scope="module")
def _course(module_db: None) -> int:
    """The course that the file of Canvas is of, under other ids."""
    course = factories.course()
    for title, points in zip(files.TITLES, (10, 8, 20, 100), strict=True):
        factories.assignment(course, title, points=points)
    for name, username in (("Ada Lovelace", "ada"), ("José Núñez", "jose")):
        enrol(course=course, draft=StudentDraft(name=name, username=username), now=NOW)
    return course.pk


@pytest.fixture
def course(db: None, _course: int) -> Course:
    return Course.objects.get(pk=_course)


def upload(caller: Caller, content: str | bytes, query: str = "", *, content_type: str = "text/csv") -> Any:
    body = content.encode() if isinstance(content, str) else content
    return caller.send("POST", f"{IMPORTS}{query}", body, content_type=content_type)


def confirm(caller: Caller, preview: Any, **body: bool) -> Any:
    return caller.post(f"{IMPORTS}/{preview.json()['id']}:confirm", body)


def scores() -> dict[tuple[str, str], tuple[str | None, str]]:
    grades = Grade.objects.select_related("student", "assignment")
    return {
        (grade.student.username, grade.assignment.title): (
            None if grade.score is None else f"{grade.score:f}",
            grade.status,
        )
        for grade in grades
    }


def test_a_file_of_canvas_is_read_exactly_as_canvas_writes_it(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, files.CANVAS)
    assert preview.status_code == 201, preview.content
    shown = preview.json()["preview"]
    assert [row["text"] for row in shown["unknown"]] == ["Student, Test"]
    assert shown["faults"] == []
    assert not Grade.objects.exists()
    changes = {(each["name"], each["new"]["score"], each["new"]["status"]) for each in shown["changes"]}
    assert changes == {
        ("Ada Lovelace", "9.5", "none"),
        ("Ada Lovelace", None, "excused"),
        ("Ada Lovelace", "0", "none"),
        ("José Núñez", "7", "none"),
        ("José Núñez", "12.5", "none"),
        ("José Núñez", "88", "none"),
    }
    done = confirm(teacher, preview).json()
    assert (done["progress"], done["outcome"]["stored"], done["outcome"]["refused"]) == ("done", 6, [])
    assert scores()["ada", "Final Project"] == ("0.00", "none")
    assert ("jose", "Pendulum") not in scores()
    assert Student.objects.count() == 2


VARIANTS = {
    "last and first name": "LastName,FirstName,ID,Pendulum (9)\nLovelace,Ada,31,9.5\n",
    "without SIS columns": 'Student,ID,Section,Pendulum (9)\n"Lovelace, Ada",31,A,9.5\n',
    "with other columns": "Student,ID,SIS Login ID,Integration ID,Root Account,Section,Notes,Pendulum (9),"
    "Override Score (Fall 2026)\nAda Lovelace,31,ada,x,y,A,note,9.5,88\n",
    "semicolons and decimal commas": "Student;ID;SIS Login ID;Section;Pendulum (9)\nLovelace, Ada;31;ada;A;9,5\n",
    "Excel's line of the separator": "sep=;\r\nStudent;SIS Login ID;Pendulum\r\nAda;ada;9,5\r\n",
    "tabulators": "Login\tPendulum\nada\t9.5\n",
    "a plain file": "username,Pendulum\nADA,9.50\n",
    "names in either order": "name,Pendulum\nlovelace ada,9.5\n",
    "blanks around": "  Username , Pendulum \n ada ,\u00a09.5 \n",
    "CR alone": "username,Pendulum\rada,9.5\r",
}


@pytest.mark.parametrize("text", VARIANTS.values(), ids=VARIANTS.keys())
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_each_way_to_write_the_same_grade_is_understood(
    teacher: Caller, course: Course, text: str, encoding: str
) -> None:
    preview = upload(teacher, text.encode(encoding))
    assert preview.status_code == 201, preview.content
    [change] = preview.json()["preview"]["changes"]
    assert (change["name"], change["new"]["score"]) == ("Ada Lovelace", "9.5"), preview.json()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "windows-1252", "utf-8"])
def test_a_file_without_a_mark_is_read_by_what_it_holds(teacher: Caller, course: Course, encoding: str) -> None:
    shown = upload(teacher, "name,Pendulum\nJosé Núñez,9.5\n".encode(encoding)).json()["preview"]
    assert (shown["reading"]["encoding"], shown["changes"][0]["name"]) == (encoding, "José Núñez")


def test_a_foreign_id_is_never_taken_for_one_of_ours(teacher: Caller, course: Course) -> None:
    ada, jose = Student.objects.order_by("pk")
    rows = f"Student,ID,SIS Login ID,Pendulum\nX,{jose.pk},ada,9.5\n"
    assert upload(teacher, rows).json()["preview"]["changes"][0]["student"] == ada.pk


def test_a_blank_changes_nothing_unless_it_is_to_clear(teacher: Caller, course: Course) -> None:
    factories.grade(Student.objects.get(username="ada"), course.categories.first().assignments.first(), "5")  # type: ignore[union-attr,arg-type]
    rows = "username,Pendulum,Lab (2)\nada,,\n"
    assert upload(teacher, rows).json()["preview"]["changes"] == []
    preview = upload(teacher, rows, "?blanks=clear")
    [change] = preview.json()["preview"]["changes"]
    assert (change["old"]["score"], change["new"]["score"]) == ("5", None)
    confirm(teacher, preview)
    assert scores()["ada", "Pendulum"] == (None, "none")


def test_rows_of_one_student_are_refused_by_their_numbers(teacher: Caller, course: Course) -> None:
    answer = upload(teacher, "username,Pendulum\nada,9\njose,8\nada,7\n")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "The rows 2, 4 are the same student, Ada Lovelace."
    assert not ImportBatch.objects.exists()


def test_two_columns_of_one_assignment_are_refused(teacher: Caller, course: Course) -> None:
    answer = upload(teacher, "username,Pendulum,Pendulum\nada,9,8\n")
    assert answer.status_code == 422
    assert "columns 2 (Pendulum) and 3 (Pendulum)" in answer.json()["detail"]


@pytest.mark.parametrize(
    "text", ["1e1", "1_0", "-1", "9.999", "1,000", "\u0665", "\uff15", "95%", "NaN", "10000000", "=1+1"]
)
def test_a_cell_that_is_no_score_is_named_and_nothing_stored_until_it_is_skipped(
    teacher: Caller, course: Course, text: str
) -> None:
    preview = upload(teacher, f"username;Pendulum;Lab (2)\nada;{text};7\n")
    [fault] = preview.json()["preview"]["faults"]
    assert (fault["line"], fault["text"]) == (2, "Pendulum")
    assert confirm(teacher, preview).status_code == 422
    assert not Grade.objects.exists()
    assert confirm(teacher, preview, skip_faults=True).status_code == 200
    assert scores() == {("ada", "Lab (2)"): ("7.00", "none")}


def test_scores_far_above_the_points_are_confirmed_with_the_file(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, "username,Pendulum\nada,101\njose,11\n")
    ada, jose = preview.json()["preview"]["changes"]
    assert (ada["needs_confirmation"], jose["needs_confirmation"]) == (True, False)
    assert jose["warnings"][0]["code"] == "above-points"
    # However few of the changes are shown: who looks at the last page alone is asked as well.
    page = teacher.get(f"/v1/courses/algebra/imports/{preview.json()['id']}?offset=1&limit=1").json()["preview"]
    assert ([change["new"]["score"] for change in page["changes"]], page["far_above"]) == (["11"], 1)
    refused = confirm(teacher, preview)
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (422, "confirmation-needed")
    assert confirm(teacher, preview, confirmed=True).json()["outcome"]["stored"] == 2


def test_what_changed_between_preview_and_confirmation_is_refused_row_by_row(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, "username,Pendulum\nada,9\njose,8\n")
    ada = Student.objects.get(username="ada")
    factories.grade(ada, course.categories.first().assignments.get(title="Pendulum"), "3")  # type: ignore[union-attr]
    outcome = confirm(teacher, preview).json()["outcome"]
    assert outcome["stored"] == 1
    [refused] = outcome["refused"]
    assert (refused["line"], refused["theirs"]["score"]) == (2, "3")
    assert scores() == {("ada", "Pendulum"): ("3.00", "none"), ("jose", "Pendulum"): ("8.00", "none")}


def test_one_file_is_one_undo(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, files.CANVAS)
    batch = confirm(teacher, preview).json()["id"]
    undone = teacher.post(f"/v1/courses/algebra/batches/{batch}:undo", {})
    assert (undone.status_code, undone.json()["refused"]) == (201, [])
    assert set(scores().values()) == {(None, "none")}
    assert GradeChange.objects.filter(source="undo").count() == 6
    assert teacher.post(f"/v1/courses/algebra/batches/{batch}:undo", {}).status_code == 409
    redone = teacher.post(f"/v1/courses/algebra/batches/{undone.json()['batch']['id']}:undo", {})
    assert redone.status_code == 201
    assert scores()["ada", "Pendulum"] == ("9.50", "none")


def test_an_import_is_confirmed_once(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, files.CANVAS)
    assert confirm(teacher, preview).status_code == 200
    assert confirm(teacher, preview).status_code == 409
    assert teacher.delete(f"{IMPORTS}/{preview.json()['id']}").status_code == 409


def test_the_same_old_file_again_shows_what_it_would_put_back(teacher: Caller, course: Course) -> None:
    """Regrading is never silently overwritten by the file that came first."""
    confirm(teacher, upload(teacher, "username,Pendulum\nada,9\n"))
    ada = Student.objects.get(username="ada")
    teacher.patch(f"/v1/grades/{ada.pk}-{Grade.objects.get().assignment_id}", {"score": "7"}, if_match='"1"')
    preview = upload(teacher, "username,Pendulum\nada,9\n")
    [change] = preview.json()["preview"]["changes"]
    assert (change["version"], change["old"]["score"], change["new"]["score"]) == (2, "7", "9")
    assert scores()["ada", "Pendulum"] == ("7.00", "none")


def test_columns_are_mapped_otherwise_by_hand(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, "Who,Points Possible?,Exam\n ,,50\nada,9,41\n")
    address = f"{IMPORTS}/{preview.json()['id']}"
    assert [column["meaning"] for column in preview.json()["preview"]["columns"]] == ["ignored"] * 3
    pendulum = course.categories.first().assignments.get(title="Pendulum")  # type: ignore[union-attr]
    columns = [
        {"index": 0, "meaning": "username"},
        {"index": 1, "meaning": "assignment", "assignment": pendulum.pk},
        {"index": 2, "meaning": "new", "category": pendulum.category_id, "points": "50"},
    ]
    mapped = teacher.patch(address, {"columns": columns})
    assert mapped.status_code == 200, mapped.content
    assert len(mapped.json()["preview"]["changes"]) == 2
    done = confirm(teacher, preview, skip_faults=True)
    assert done.json()["outcome"]["stored"] == 2
    assert scores()["ada", "Exam"] == ("41.00", "none")


@pytest.mark.parametrize(
    "column",
    [
        {"index": 9, "meaning": "ignored"},
        {"index": 1, "meaning": "assignment", "assignment": 999},
        {"index": 1, "meaning": "assignment"},
        {"index": 1, "meaning": "new", "category": 999, "points": "5"},
        {"index": 1, "meaning": "nonsense"},
    ],
)
def test_a_mapping_that_cannot_be_is_refused(teacher: Caller, course: Course, column: dict[str, Any]) -> None:
    preview = upload(teacher, "username,Exam\nada,9\n")
    assert teacher.patch(f"{IMPORTS}/{preview.json()['id']}", {"columns": [column]}).status_code == 422


def test_a_new_assignment_takes_its_points_from_the_file(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, "Student,SIS Login ID,Exam (77)\n    Points Possible,,50.00\nAda,ada,41\n")
    category = course.categories.first()
    assert category is not None
    columns = [{"index": 2, "meaning": "new", "category": category.pk}]
    teacher.patch(f"{IMPORTS}/{preview.json()['id']}", {"columns": columns})
    confirm(teacher, preview)
    assert category.assignments.get(title="Exam").points == 50


def test_a_column_of_row_numbers_in_front_changes_nothing(teacher: Caller, course: Course) -> None:
    text = ",Student,SIS Login ID,Pendulum\n0,    Points Possible,,10.00\n1,Ada,ada,9.5\n"
    preview = upload(teacher, text).json()["preview"]
    assert (preview["unknown"], preview["faults"], preview["changes_total"]) == ([], [], 1)


def test_an_export_imported_again_changes_nothing(teacher: Caller, course: Course) -> None:
    confirm(teacher, upload(teacher, files.CANVAS))
    odd = factories.assignment(course, "=cmd (7)", points=10, posted=False)
    student = enrol(course=course, draft=StudentDraft(name="=HYPERLINK(1)", username="@eve"), now=NOW)[0]
    factories.grade(student, odd, "3")
    address = f"/v1/grades/{student.pk}-{odd.pk}"
    teacher.patch(address, {"status": "late", "late_deduction": "1", "comment": "late"}, if_match='"1"')
    exported = teacher.get("/v1/courses/algebra/export/canvas.csv")
    assert exported["Content-Type"] == "text/csv; charset=utf-8"
    text = exported.content.decode("utf-8-sig")
    assert '"Lovelace, Ada"' in text
    assert "'=cmd (7)" in text
    assert "'@eve" in text
    for blanks in ("keep", "clear"):
        preview = upload(teacher, exported.content, f"?blanks={blanks}")
        shown = preview.json()["preview"]
        assert (shown["changes"], shown["faults"], shown["unknown"]) == ([], [], []), shown
        assert shown["trusts_ids"]
        assert shown["same"] == 7


def test_the_oneroster_bundle_holds_everything(teacher: Caller, course: Course) -> None:
    confirm(teacher, upload(teacher, files.CANVAS))
    archive = zipfile.ZipFile(io.BytesIO(teacher.get("/v1/courses/algebra/export/oneroster.zip").content))
    manifest = archive.read("manifest.csv").decode()
    assert "file.results,bulk" in manifest
    results = archive.read("results.csv").decode().splitlines()
    assert results[0].startswith(
        "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score"
    )
    assert len(results) == 1 + 6
    assert sum(",exempt," in line for line in results) == 1
    assert len(archive.read("lineItems.csv").decode().splitlines()) == 1 + 4


def test_a_report_is_a_pdf_document_in_any_alphabet(teacher: Caller, course: Course) -> None:
    student = enrol(course=course, draft=StudentDraft(name="Emre Şahin Ωμέγα", username="emre"), now=NOW)[0]
    answer = teacher.get(f"/v1/students/{student.pk}/report.pdf", accept="application/pdf")
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    missing = teacher.get("/v1/students/999/report.pdf", accept="application/pdf")
    assert (missing.status_code, missing["Content-Type"]) == (404, "application/problem+json")


def test_one_report_is_made_at_a_time_so_that_other_answers_do_not_wait_for_many(
    teacher: Caller, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = enrol(course=course, draft=StudentDraft(name="Ada", username="ada"), now=NOW)[0]
    app: Any = apps.get_app_config("grading")
    monkeypatch.setattr(views, "DOCUMENT_WAIT_SECONDS", 0.0)

    with app.making_a_document:
        refused = teacher.get(f"/v1/students/{student.pk}/report.pdf")
        assert teacher.get(f"/v1/students/{student.pk}/report").status_code == 200

    assert (refused.status_code, refused["Retry-After"]) == (429, "2")
    assert teacher.get(f"/v1/students/{student.pk}/report.pdf").status_code == 200


def test_a_printed_report_holds_no_grade_that_is_not_posted(teacher: Caller, course: Course) -> None:
    """A report is handed out, also where a teacher printed it."""

    def printed(score: str, *, posted: bool) -> bytes:
        Assignment.objects.filter(pk=work.pk).update(posted=posted)
        Grade.objects.update_or_create(
            student=student, assignment=work, defaults={"score": score, "updated_at": NOW, "updated_by": "x"}
        )
        report = teacher.get(f"/v1/students/{student.pk}/report").json()
        assert report["courses"][0]["assignments"][0]["grade"]["score"] == score
        return reports.render(report, now=NOW)

    student, work = Student.objects.get(username="ada"), Assignment.objects.order_by("position")[0]
    assert printed("3", posted=False) == printed("4", posted=False)
    assert printed("3", posted=True) != printed("4", posted=True)


ROSTER = "name;username;sis id;section;role\nBob Stone;bob;0044;A;\nAda L;ada;;B;student\nMs Park;ms-park;;;teacher\n"


def test_a_roster_makes_enrols_and_moves_people_and_is_undone_as_one(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, ROSTER, "?content=roster")
    shown = preview.json()["preview"]
    assert [(row["username"], row["action"]) for row in shown["people"]] == [
        ("bob", "create"),
        ("ada", "change"),
        ("ms-park", "enrol"),
    ]
    assert shown["new_sections"] == ["A", "B"]
    assert Student.objects.count() == 2
    done = confirm(teacher, preview).json()
    assert done["outcome"]["stored"] == 3
    ada = Enrollment.objects.select_related("section", "student").get(student__username="ada")
    assert ada.section is not None
    assert (ada.section.title, ada.student and ada.student.name) == ("B", "Ada Lovelace")
    assert upload(teacher, ROSTER, "?content=roster").json()["preview"]["same"] == 3

    assert teacher.post(f"/v1/courses/algebra/batches/{done['id']}:undo", {}).status_code == 201
    ada.refresh_from_db()
    assert ada.section is None
    assert Enrollment.objects.get(student__username="bob").state == "dropped"


def test_the_columns_of_a_roster_are_guessed_and_may_be_said(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, "name,account of\nBob Stone,bob\n", "?content=roster").json()
    columns = [(each["meaning"], each["why"]) for each in preview["preview"]["columns"]]
    assert columns == [("name", "by its header"), ("ignored", "its header says nothing of people")]
    assert "say which one" in preview["preview"]["faults"][0]["detail"]
    address = f"{IMPORTS}/{preview['id']}"
    assert teacher.patch(address, {"columns": [{"index": 1, "meaning": "name"}]}).status_code == 422
    assert teacher.patch(address, {"columns": [{"index": 1, "meaning": "assignment"}]}).status_code == 422
    shown = teacher.patch(address, {"columns": [{"index": 1, "meaning": "username"}]}).json()["preview"]
    assert [(row["username"], row["action"]) for row in shown["people"]] == [("bob", "create")]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("Bob;;;;", "login"),
        ("Bob;b b;;;", "login"),
        ("Bob;bob;0044;;observer", "observer"),
        ("Bob;bob;0044;;;gone", "gone"),
    ],
)
def test_a_row_of_a_roster_that_cannot_be_stored_is_named(teacher: Caller, course: Course, row: str, word: str) -> None:
    header = "name;username;sis id;section;role;state" if row.count(";") == 5 else "name;username;sis id;section;role"
    answer = upload(teacher, f"{header}\n{row}\n", "?content=roster")
    faults = answer.json()["preview"]["faults"]
    assert word in faults[0]["detail"]


def test_a_person_named_twice_by_a_roster_is_refused(teacher: Caller, course: Course) -> None:
    answer = upload(teacher, "username\nbob\nada\nbob\n", "?content=roster")
    assert answer.status_code == 422
    assert "rows 2, 4" in answer.json()["errors"][0]["detail"]


@pytest.fixture
def _a_worker_that_runs_at_once() -> Iterator[None]:
    before = current_app.conf.task_always_eager
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = before


@pytest.mark.usefixtures("_a_worker_that_runs_at_once")
def test_a_large_file_is_stored_by_a_worker(teacher: Caller, course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "QUEUED_FROM", 1)
    preview = upload(teacher, files.CANVAS)
    queued = confirm(teacher, preview)
    assert queued.status_code == 202
    found = teacher.get(f"{IMPORTS}/{preview.json()['id']}").json()
    assert (found["progress"], found["rows_done"], found["rows_total"]) == ("done", 6, 6)
    assert (found["preview"]["changes_total"], found["course"]["code"]) == (6, "algebra")
    brief = teacher.get(f"{IMPORTS}/{preview.json()['id']}?limit=0").json()
    assert (brief["progress"], brief["preview"], "course" in brief) == ("done", {}, False)
    assert len(scores()) == 6


def test_how_far_an_import_is_is_asked_without_reading_its_preview(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, files.CANVAS)
    with CaptureQueriesContext(connection) as statements:
        brief = teacher.get(f"{IMPORTS}/{preview.json()['id']}?limit=0").json()
    assert (brief["progress"], brief["rows_total"]) == ("preview", 6)
    read = [each["sql"] for each in statements if "grading_importbatch" in each["sql"]]
    assert read
    assert not [sql for sql in read if '"preview"' in sql or '"file"' in sql]


@pytest.mark.parametrize(
    ("content", "query", "status"),
    [
        (b"", "", 422),
        (b"\n\n", "", 422),
        (b"\x00", "", 422),
        (b'"a', "", 422),
        (b"a,b\n1,2", "?content=secrets", 422),
        (b"a,b\n1,2", "?blanks=maybe", 422),
        (b"a,b\n1,2", "?separator=xx", 422),
        (b"a,b\n1,2", "?filename=%00", 422),
        (b"a" * 5000, "", 422),
        (b"," * 400, "", 422),
        (b"username\n" + b"x\n" * 5001, "", 422),
        (b"username\n" + b"\n" * 20_001, "", 422),
        (b"\xff\xfe\x00", "", 422),
        (b"PK\x03\x04xxx", "", 422),
        (b"%PDF-1.4\n", "", 422),
        (b"\x81", "", 422),
    ],
)
def test_what_is_no_table_is_refused_in_words(
    teacher: Caller, course: Course, content: bytes, query: str, status: int
) -> None:
    answer = upload(teacher, content, query)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert not ImportBatch.objects.exists()


def test_a_body_that_is_no_file_is_refused(teacher: Caller, course: Course) -> None:
    assert upload(teacher, b"{}", content_type="application/json").status_code == 415


def test_logins_that_differ_by_their_letters_alone_are_told_apart(teacher: Caller, course: Course) -> None:
    enrol(course=course, draft=StudentDraft(name="Another Ada", username="ADA"), now=NOW)
    confirm(teacher, upload(teacher, "username,Pendulum\nada,3\nADA,4\nJOSE,5\n"))
    assert {username: score for (username, _), (score, _) in scores().items()} == {
        "ada": "3.00",
        "ADA": "4.00",
        "jose": "5.00",
    }
    shown = upload(teacher, "username,Pendulum\nAda,9\n").json()["preview"]
    assert "Several students have the login 'Ada'" in shown["faults"][0]["detail"]
    assert shown["changes"] == []

from django.test import Client

from grading.models import Status
from tests.webui.faked.grading import Grading

COURSE = "/courses/math-1"


def save(client: Client, math: Grading, version: str = "0", **form: str) -> tuple[int, str]:
    answer = client.post(f"{COURSE}/cells/{math.cell()}", {"score": "", "version": version, **form})
    return answer.status_code, answer.headers.get("Location", answer.content.decode())


def test_a_grade_is_saved_whole_and_its_history_shown(math: Grading, teacher: Client) -> None:
    form = {"score": "8,5", "status": "late", "late_deduction": "1,5", "comment": "a day late"}
    assert save(teacher, math, **form) == (302, f"{COURSE}/cells/{math.cell()}")
    grade = math.stored()
    assert grade
    assert (math.score(), grade.status, str(grade.late_deduction), grade.comment) == (
        "8.5",
        "late",
        "1.50",
        "a day late",
    )
    text = teacher.get(f"{COURSE}/cells/{math.cell()}").content.decode()
    assert "8.5 late" in text
    assert "Alan Turing" in text


def test_saving_leads_to_the_next_student_where_that_is_wanted(math: Grading, teacher: Client) -> None:
    assert save(teacher, math, score="8", next=math.cell(1)) == (302, f"{COURSE}/cells/{math.cell(1)}")
    # An address elsewhere is no cell.
    assert save(teacher, math, version="1", score="9", next="//evil.example")[1] == f"{COURSE}/cells/{math.cell()}"


def test_an_overtaken_page_shows_theirs_beside_mine(math: Grading, teacher: Client) -> None:
    math.put(0, 0, "6", by="ms-baker")
    status, text = save(teacher, math, score="8")
    assert status == 412
    assert "ms-baker changed this grade meanwhile" in text
    assert 'name="version" value="1"' in text
    assert math.score() == "6"
    assert save(teacher, math, version="1", score="8")[0] == 302


def test_a_refused_page_keeps_what_was_typed(math: Grading, teacher: Client) -> None:
    status, text = save(teacher, math, score="nine", comment="hello")
    assert status == 422
    assert 'value="nine"' in text
    assert "hello</textarea>" in text
    status, text = save(teacher, math, score="12")
    assert status == 422
    assert "more than the 10 points" in text
    assert save(teacher, math, score="12", above="yes")[0] == 302


def test_a_student_reads_their_grade_and_cannot_send_one(math: Grading, student: Client) -> None:
    math.put(0, 0, "9", status=Status.NONE, comment="well done")
    text = student.get(f"{COURSE}/cells/{math.cell()}").content.decode()
    assert "well done" in text
    assert "<textarea" not in text
    assert save(student, math, version="1", score="10")[0] == 400
    assert math.score() == "9"


def test_a_cell_that_is_none_is_not_found(math: Grading, teacher: Client) -> None:
    for place in ("g1", "x", "g1-", "g0-0", "g" + "9" * 30 + "-1"):
        assert teacher.get(f"{COURSE}/cells/{place}").status_code == 404

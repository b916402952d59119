import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from grading.models import Category
from tests.webui.faked.grading import Grading

FILES = "/courses/math-1/files"


def upload(client: Client, text: str, **form: str) -> str:
    """Upload a file; returns the address that the answer leads to, or its page."""
    file = SimpleUploadedFile("grades.csv", text.encode(), content_type="text/csv")
    answer = client.post(FILES, {"file": file, "content": "grades", "blanks": "keep", **form})
    return answer.headers.get("Location", answer.content.decode())


def test_a_file_is_shown_then_stored_then_undone(math: Grading, teacher: Client) -> None:
    math.put(0, 0, "5")
    address = upload(teacher, "SIS Login ID,Homework 1,Homework 2\nstudent,9.5,\nalan,7,EX\n")
    text = teacher.get(address).content.decode()
    assert "3 grades would change" in text
    assert math.score() == "5"
    teacher.post(f"{address}/change", {})
    assert [math.score(), math.score(1)] == ["9.5", "7"]
    text = teacher.get(address).content.decode()
    assert "Done: 3 grades are stored." in text
    found = re.search(r'name="batch" value="(\d+)"', text)
    assert found
    teacher.post("/courses/math-1/undo", {"batch": found[1]})
    assert [math.score(), math.score(1)] == ["5", None]
    text = teacher.get(address).content.decode()
    assert "It was undone since." in text
    assert "Undo the import" not in text
    assert "<td>undone</td>" in teacher.get(FILES).content.decode()


def test_what_stands_in_the_way_of_an_import_is_said_in_terms_of_its_page(math: Grading, teacher: Client) -> None:
    address = upload(teacher, "username,Homework 1,Homework 2\nstudent,999,abc\nalan,7,8\n")
    text = teacher.post(f"{address}/change", {}).content.decode()
    assert "1 cell cannot be read: correct the file, or choose “Import the rest without them”." in text
    text = teacher.post(f"{address}/change", {"skip_faults": "on"}).content.decode()
    assert "1 score is far above the points: correct the file, or say that it is meant so." in text
    assert "`" not in text
    teacher.post(f"{address}/change", {"skip_faults": "on", "confirmed": "on"})
    assert [math.score(), math.score(0, 1), math.score(1, 1)] == ["999", None, "8"]


def test_a_column_is_given_another_meaning(math: Grading, teacher: Client) -> None:
    address = upload(teacher, "username,Essay\nstudent,8\n")
    assert "Nothing would change" in teacher.get(address).content.decode()
    meaning = f"assignment:{math.assignments[2].pk}"
    teacher.post(f"{address}/change", {"remap": "yes", "column-0": "username", "column-1": meaning, "blanks": "keep"})
    assert "1 grade would change" in teacher.get(address).content.decode()
    teacher.post(f"{address}/change", {})
    assert math.score(0, 2) == "8"


@pytest.mark.parametrize("meaning", ["assignment", "new"])
def test_a_meaning_with_a_number_that_is_none_names_nothing(math: Grading, teacher: Client, meaning: str) -> None:
    address = upload(teacher, "username,Essay\nstudent,8\n")
    choice = {"remap": "yes", "column-0": "username", "column-1": f"{meaning}:\u00b2"}
    assert teacher.post(f"{address}/change", choice).status_code == 422


def test_the_page_of_an_import_asks_grading_once(math: Grading, teacher: Client) -> None:
    address = upload(teacher, "username,Homework 1\nstudent,8\n")
    math.calls.clear()
    assert "1 grade would change" in teacher.get(address).content.decode()
    part = teacher.get(address, headers={"HX-Request": "true", "HX-Target": "progress"}).content.decode()
    assert "<html" not in part
    assert [dict(call.query) for call in math.calls] == [{"limit": "500"}, {"limit": "0"}]


def test_a_refused_file_says_why(math: Grading, teacher: Client) -> None:
    text = upload(teacher, "username,Homework 1\nstudent,8\nstudent,9\n")
    assert 'id="refusal"' in text
    assert 'id="refusal"' in teacher.post(FILES, {"content": "grades"}).content.decode()


def test_a_course_is_exported(math: Grading, teacher: Client, student: Client) -> None:
    math.put(0, 0, "9.5")
    answer = teacher.get("/courses/math-1/export/canvas.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="math-1.csv"'
    assert "Lovelace" in answer.content.decode("utf-8-sig")
    assert teacher.get("/courses/math-1/export/oneroster.zip").content.startswith(b"PK")
    assert teacher.get("/courses/math-1/export/other").status_code == 404
    assert student.get("/courses/math-1/export/canvas.csv").status_code == 403


def test_the_history_names_who_changed_what(math: Grading, teacher: Client) -> None:
    math.put(0, 0, "9.5", by="ms-baker")
    math.put(1, 1, "3", by="mr-jones")
    text = teacher.get("/courses/math-1/history").content.decode()
    assert "ms-baker" in text
    assert "mr-jones" in text
    found = teacher.get("/courses/math-1/history", {"student": math.students[0].pk}).content.decode()
    assert "ms-baker" in found
    assert "mr-jones</td>" not in found


def test_people_of_a_file_are_shown_with_their_roles_and_enrolled(math: Grading, teacher: Client) -> None:
    address = upload(
        teacher, "Name,Account,Role,Section\nEve Stone,eve,,A\nMr Park,mr-park,assistant,\n", content="roster"
    )
    text = teacher.get(address).content.decode()
    assert "2 people" in text
    assert "<td>assistant</td>" in text
    assert "<td>new student, enrolled</td>" in text
    teacher.post(f"{address}/change", {"remap": "yes", "column-0": "ignored", "column-1": "username"})
    assert "Eve Stone" not in teacher.get(address).content.decode()
    teacher.post(f"{address}/change", {})
    assert "mr-park" in teacher.get("/courses/math-1/people").content.decode()


def test_a_new_assignment_of_a_file_is_given_its_points(math: Grading, teacher: Client) -> None:
    address = upload(teacher, "username,Essay 9\nstudent,8\n")
    choice = {"remap": "yes", "column-1": f"new:{math.assignments[0].category_id}"}
    assert "Say how many points" in teacher.post(f"{address}/change", choice).content.decode()
    assert teacher.post(f"{address}/change", {**choice, "points-1": "12,5"}).status_code == 302
    text = teacher.get(address).content.decode()
    assert 'value="12.5"' in text
    assert "<td>Essay 9 (new)</td>" in text
    teacher.post(f"{address}/change", {})
    assert "Essay 9" in teacher.get("/courses/math-1/setup").content.decode()


def test_an_import_that_failed_says_why_and_is_tried_again(math: Grading, teacher: Client) -> None:
    address = upload(teacher, "username,Essay\nstudent,8\n")
    category = Category.objects.get(title="Homework")
    teacher.post(f"{address}/change", {"remap": "yes", "column-1": f"new:{category.pk}", "points-1": "10"})
    taken = category.assignments.create(title="Essay", points=10)
    assert teacher.post(f"{address}/change", {}).status_code == 422
    text = teacher.get(address).content.decode()
    assert "The import failed, and nothing was stored." in text
    assert "holds an assignment &#x27;Essay&#x27; already" in text
    assert "Confirm: store this" in text
    taken.delete()
    teacher.post(f"{address}/change", {})
    assert "Done: 1 grade is stored." in teacher.get(address).content.decode()


def test_what_somebody_changed_since_the_preview_stays_and_is_shown_to_a_person(math: Grading, teacher: Client) -> None:
    address = upload(teacher, "username,Homework 1\nstudent,9\nalan,7\n")
    math.put(0, 0, "6", by="ms-baker")
    teacher.post(f"{address}/change", {})
    text = teacher.get(address).content.decode()
    assert [math.score(), math.score(1)] == ["6", "7"]
    assert "1 grade was changed by somebody else since the preview, and stays as it is:" in text
    assert "line 2: ms-baker stored 6" in text

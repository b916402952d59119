import pytest
from django.test import Client

from tests.webui.faked.world import World

STUDENT = "/courses/math-1/students/1"
GRADE = f"{STUDENT}/grades/3"
HTMX = {"HX-Request": "true", "HX-Target": "state-3"}


def stored(world: World) -> object:
    return world.grading.grades.get((1, 3), {}).get("score")


def test_a_students_page_shows_the_grades_and_what_they_come_to(world: World, teacher: Client) -> None:
    world.grading.put(1, 3, score="9.5")
    page = teacher.get(STUDENT).content.decode()
    assert "Ada Lovelace" in page
    assert 'id="score-3" value="9.5"' in page
    assert "95.00 %" in page


def test_where_nothing_is_graded_the_average_is_not_zero(world: World, teacher: Client) -> None:
    assert '<span id="average">N/A</span>' in teacher.get(STUDENT).content.decode()


def test_a_grade_is_stored_and_answered_with_its_state_and_the_totals(world: World, teacher: Client) -> None:
    answer = teacher.post(GRADE, {"score": "9,5", "version": "0"}, headers=HTMX)
    assert (answer.status_code, stored(world)) == (200, "9.5")
    text = answer.content.decode()
    assert 'data-saved="9.5"' in text
    assert 'name="version" value="1"' in text
    assert 'id="totals" aria-label="Average" hx-swap-oob="outerHTML"' in text
    assert "95.00 %" in text
    assert answer.headers["HX-Trigger"] == '{"graded": {}}'
    assert "<html" not in text


def test_an_emptied_field_takes_the_grade_back(world: World, teacher: Client) -> None:
    world.grading.put(1, 3, score="9.5")
    teacher.post(GRADE, {"score": "", "version": "1"}, headers=HTMX)
    assert stored(world) is None


def test_an_entry_without_a_score_is_no_emptied_field(world: World, teacher: Client) -> None:
    world.grading.put(1, 3, score="9.5")
    assert teacher.post(GRADE, {"version": "1"}).status_code == 400
    assert stored(world) == "9.5"


def test_a_grade_can_be_excused(world: World, teacher: Client) -> None:
    teacher.post(GRADE, {"score": "EX", "version": "0"}, headers=HTMX)
    assert world.grading.grades[1, 3]["excused"] is True


def test_a_comment_outlives_a_change_of_the_score(world: World, teacher: Client) -> None:
    world.grading.put(1, 3, score="7", comment="late")
    assert 'name="comment" value="late"' in teacher.get(STUDENT).content.decode()
    teacher.post(GRADE, {"score": "8", "version": "1", "comment": "late"}, headers=HTMX)
    assert world.grading.grades[1, 3]["comment"] == "late"


def test_an_edit_never_overwrites_another_unseen(world: World, teacher: Client) -> None:
    world.grading.put(1, 3, by="ms-baker", score="6")
    answer = teacher.post(GRADE, {"score": "8", "version": "0"}, headers=HTMX)
    text = answer.content.decode()
    assert (answer.status_code, stored(world)) == (412, "6")
    assert "ms-baker" in text
    assert "<strong>6</strong>" in text
    # Whoever has been shown theirs may then insist.
    assert 'name="version" value="1"' in text
    teacher.post(GRADE, {"score": "8", "version": "1"}, headers=HTMX)
    assert stored(world) == "8"


def test_what_is_no_score_is_refused_with_what_to_change(world: World, teacher: Client) -> None:
    answer = teacher.post(GRADE, {"score": "nine", "version": "0"}, headers=HTMX)
    assert answer.status_code == 422
    assert "write a number such as 9.5" in answer.content.decode()
    assert stored(world) is None


def test_what_is_typed_is_escaped(world: World, teacher: Client) -> None:
    answer = teacher.post(GRADE, {"score": "<script>", "version": "0"})
    assert "<script>'" not in answer.content.decode()
    assert 'value="&lt;script&gt;"' in answer.content.decode()


def test_without_grading_an_entry_is_said_to_be_unsaved(world: World, teacher: Client) -> None:
    world.down.add("grading")
    answer = teacher.post(GRADE, {"score": "8", "version": "0"}, headers=HTMX)
    assert answer.status_code == 200
    assert "Not saved: The grading service has been down since" in answer.content.decode()


def test_without_scripts_a_saved_grade_leads_back_to_its_row(world: World, teacher: Client) -> None:
    answer = teacher.post(GRADE, {"score": "8", "version": "0"})
    assert answer.headers["Location"] == f"{STUDENT}#grade-3"
    assert stored(world) == "8"


@pytest.mark.parametrize(("typed", "status"), [("nine", 422), ("8", 412)])
def test_without_scripts_an_unsaved_entry_is_kept_on_the_page(
    world: World, teacher: Client, typed: str, status: int
) -> None:
    world.grading.put(1, 3, by="ms-baker", score="6")
    answer = teacher.post(GRADE, {"score": typed, "version": "1" if status == 422 else "0"})
    assert answer.status_code == status
    assert f'id="score-3" value="{typed}"' in answer.content.decode()


def test_without_scripts_and_grading_the_page_says_that_nothing_was_saved(world: World, teacher: Client) -> None:
    world.down.add("grading")
    answer = teacher.post(GRADE, {"score": "8", "version": "0"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Your entry was not saved" in text


def test_a_student_sees_their_own_grades_without_fields_to_change_them(world: World, student: Client) -> None:
    world.grading.put(1, 3, score="9.5", comment="well done")
    page = student.get(STUDENT).content.decode()
    assert "<strong>9.5</strong> / 10" in page
    assert "well done" in page
    assert 'name="score"' not in page


def test_a_student_does_not_see_the_grades_of_another(world: World, student: Client) -> None:
    assert student.get("/courses/math-1/students/2").status_code == 403


def test_a_student_stores_nothing(world: World, student: Client) -> None:
    assert student.post(GRADE, {"score": "10", "version": "0"}).status_code == 403
    assert stored(world) is None


def test_the_working_and_the_totals_are_loaded_anew_after_a_grade(world: World, teacher: Client) -> None:
    page = teacher.get(STUDENT, headers={"HX-Request": "true", "HX-Target": "working"}).content.decode()
    assert page.strip().startswith("<section")
    assert 'id="working-title"' in page
    assert 'id="totals" aria-label="Average" hx-swap-oob="outerHTML"' in page


def test_without_grading_the_working_stays_as_it_is(world: World, teacher: Client) -> None:
    world.down.add("grading")
    headers = {"HX-Request": "true", "HX-Target": "working", "HX-Trigger": "working"}
    assert teacher.get(STUDENT, headers=headers).status_code == 204


def test_an_unknown_student_or_assignment_is_not_found(world: World, teacher: Client) -> None:
    assert teacher.get("/courses/alchemy/students/1").status_code == 404
    assert teacher.post("/courses/alchemy/students/1/grades/1", {"score": "1"}).status_code == 404


def test_loading_the_address_of_an_entry_leads_to_the_student(world: World, teacher: Client) -> None:
    assert teacher.get(GRADE).headers["Location"] == STUDENT

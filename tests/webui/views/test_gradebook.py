import re

import pytest
from django.test import Client

from grading.models import Status
from tests.webui.faked.grading import Grading
from tests.webui.faked.world import World

COURSE = "/courses/math-1"
NAME = re.compile(r'class="who"><a [^>]*>([^<]+)</a>')
HTMX = {"HX-Request": "true"}


def names(page: bytes) -> list[str]:
    return NAME.findall(page.decode())


def save(client: Client, *edits: tuple[str, str, str], **extra: str) -> str:
    """Each edit a cell, what was typed and the version seen."""
    cells, scores, versions = zip(*edits, strict=True)
    answer = client.post(
        f"{COURSE}/cells", {"cell": cells, "score": scores, "version": versions, **extra}, headers=HTMX
    )
    return answer.content.decode()


def test_a_gradebook_shows_every_student_with_totals_and_grades(math: Grading, teacher: Client) -> None:
    math.put(1, 0, "9.5")
    math.put(1, 1, None, status=Status.EXCUSED)
    page = teacher.get(COURSE).content
    assert names(page) == ["Ada Lovelace", "Alan Turing", "Grace Hopper", "Katherine Johnson", "Édouard Lucas"]
    text = page.decode()
    assert f'<div id="{math.cell(1, 0)}" data-v="1">9.5</div>' in text
    assert f'<div id="{math.cell(1, 1)}" data-v="1" class="excused"><abbr title="excused">EX</abbr></div>' in text
    assert "95.00 %" in text
    assert "0.00 %" not in text


def test_a_filter_answers_htmx_with_the_table_alone(math: Grading, teacher: Client) -> None:
    page = teacher.get(COURSE, {"q": "ada"}, headers={**HTMX, "HX-Target": "grid"}).content
    assert names(page) == ["Ada Lovelace"]
    assert b"<html" not in page


def test_a_course_leads_a_student_to_their_own_grades(math: Grading, student: Client) -> None:
    assert student.get(COURSE).headers["Location"] == f"{COURSE}/students/{math.students[0].pk}"


def test_a_typed_grade_is_stored_and_answered_with_its_cell_the_total_and_undo(math: Grading, teacher: Client) -> None:
    text = save(teacher, (math.cell(), "9,5", "0"))
    assert math.score() == "9.5"
    assert f'<div id="{math.cell()}" data-v="1" hx-swap-oob="true">9.5</div>' in text
    assert "95.00 %" in text
    assert "data-undo" in text


def test_an_edit_never_overwrites_another_unseen(math: Grading, teacher: Client) -> None:
    math.put(0, 0, "6", by="ms-baker")
    text = save(teacher, (math.cell(), "8", "0"))
    assert math.score() == "6"
    assert "ms-baker" in text
    # Only whoever presses the button has seen theirs: what the cell itself sends still names the old version.
    assert f'id="{math.cell()}" data-v="0" data-typed="8"' in text
    assert '"version": "1"' in text
    save(teacher, (math.cell(), "8", "1"))
    assert math.score() == "8"


@pytest.mark.parametrize("typed", ["abc", "-3", "85%"])
def test_what_is_refused_stays_in_its_cell_with_the_reason(math: Grading, teacher: Client, typed: str) -> None:
    text = save(teacher, (math.cell(), typed, "0"))
    assert math.stored() is None
    assert f'data-typed="{typed}"' in text
    assert "Expected a plain number" in text


def test_a_score_above_the_points_is_stored_once_it_is_confirmed(math: Grading, teacher: Client) -> None:
    assert "more than the 10 points" in save(teacher, (math.cell(), "12", "0"))
    assert math.stored() is None
    save(teacher, (math.cell(), "12", "0"), above="yes")
    assert math.score() == "12"


def test_a_pasted_column_is_stored_at_once_and_undone_at_once(math: Grading, teacher: Client) -> None:
    text = save(teacher, *((math.cell(number), str(number + 5), "0") for number in range(5)), left="2")
    assert [math.score(number) for number in range(5)] == ["5", "6", "7", "8", "9"]
    assert "5 grades are saved. 2 pasted values did not fit" in text
    found = re.search(r'name="batch" value="(\d+)"', text)
    assert found
    teacher.post(f"{COURSE}/undo", {"batch": found[1]}, headers=HTMX)
    assert [math.score(number) for number in range(5)] == [None] * 5


def test_an_undo_leaves_what_somebody_changed_since_and_says_so(math: Grading, teacher: Client) -> None:
    text = save(teacher, (math.cell(), "8", "0"))
    found = re.search(r'name="change" value="(\d+)"', text)
    assert found
    math.put(0, 0, "6", by="ms-baker")
    for headers in (HTMX, {}):
        answer = teacher.post(f"{COURSE}/undo", {"change": found[1]}, headers=headers, follow=True)
        assert "This grade was changed since and stays as it is." in answer.content.decode()
    assert math.score() == "6"


def test_a_pasted_column_is_stored_whole_or_not_at_all(math: Grading, teacher: Client) -> None:
    math.put(1, 0, "6", by="ms-baker")
    text = save(teacher, *((math.cell(number), "7", "0") for number in range(3)))
    assert [math.score(number) for number in range(3)] == [None, "6", None]
    assert "1 of 3 grades" in text
    assert "Save the other 2" in text
    assert text.count('data-typed="7"') == 3


def test_undo_takes_back_one_change_but_not_over_a_later_one(math: Grading, teacher: Client) -> None:
    found = re.search(r'name="change" value="(\d+)"', save(teacher, (math.cell(), "9", "0")))
    assert found
    math.put(0, 0, "4", by="ms-baker")
    text = teacher.post(f"{COURSE}/undo", {"change": found[1]}, headers=HTMX).content.decode()
    assert "toast-error" in text
    assert math.score() == "4"


def test_without_grading_nothing_is_queued_and_what_is_typed_is_kept(
    math: Grading, world: World, teacher: Client
) -> None:
    world.down.add("grading")
    text = save(teacher, (math.cell(), "8", "0"))
    assert 'data-typed="8"' in text
    assert "data-retry" in text
    assert "data-read-only" in text


def test_without_grading_the_last_gradebook_is_shown_with_its_age(
    math: Grading, world: World, teacher: Client, assistant: Client
) -> None:
    teacher.get(COURSE)
    world.down.add("grading")
    text = teacher.get(COURSE).content.decode()
    assert "Ada Lovelace" in text
    assert re.search(r"You see what was known at \S.*; what was saved since then is kept, and shown", text)
    # What one person was shown is shown to nobody else.
    assert "Ada Lovelace" not in assistant.get(COURSE).content.decode()


def test_an_open_page_learns_that_grading_is_away_and_back(math: Grading, world: World, teacher: Client) -> None:
    pulse = f"{COURSE}/pulse"
    assert teacher.get(pulse, {"seen": "up"}, headers=HTMX).status_code == 204
    world.down.add("grading")
    assert "data-read-only" in teacher.get(pulse, {"seen": "up"}, headers=HTMX).content.decode()
    assert teacher.get(pulse, {"seen": "down"}, headers=HTMX).status_code == 204
    world.down.clear()
    assert "data-read-only" not in teacher.get(pulse, {"seen": "down"}, headers=HTMX).content.decode()
    assert teacher.get(pulse, {"seen": "stale"}, headers=HTMX).headers["HX-Refresh"] == "true"


def test_what_is_typed_is_escaped(math: Grading, teacher: Client) -> None:
    math.put(0, 1, "5", comment='"><script>alert(1)</script>')
    assert "<script>alert" not in teacher.get(COURSE).content.decode()
    assert "<script>alert" not in save(teacher, (math.cell(), "<script>alert(1)</script>", "0"))


def test_an_assistant_grades_and_a_student_and_an_operator_do_not(
    math: Grading, assistant: Client, student: Client, operator: Client
) -> None:
    assert "New assignment" not in assistant.get(COURSE).content.decode()
    save(assistant, (math.cell(), "7", "0"))
    assert math.score() == "7"
    for client in (student, operator):
        answer = client.post(f"{COURSE}/cells", {"cell": math.cell(), "score": "9", "version": "1"})
        assert answer.status_code == 403
    assert operator.get(COURSE).status_code == 403
    assert math.score() == "7"

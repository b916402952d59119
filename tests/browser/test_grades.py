"""Keeping grades as a teacher does: by keyboard, beside others, and while services come and go."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.accessibility import assert_accessible, assert_accessible_and_fits, assert_fits
from tests.browser.conftest import OpenPage
from tests.browser.live_grading import LiveGrading
from tests.webui.faked.world import World

pytestmark = pytest.mark.browser
SCORES = ("10", "9.5", "8", "7,5", "7", "EX", "5.5", "4 L", "M", "0")


@pytest.fixture
def grading(world: World) -> LiveGrading:
    live: LiveGrading = world.grading
    return live


def enter(page: Page, *typed: str) -> None:
    for text in typed:
        page.keyboard.type(text)
        page.keyboard.press("Enter")


def tab_to(page: Page, reached: Callable[[], bool]) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if reached():
            return
    raise AssertionError("It cannot be reached with the Tab key.")


def pick(page: Page, cell: str) -> None:
    page.locator(f"td:has(> {cell})").click()


def place(page: Page) -> str:
    """The cell that is edited."""
    cell: str = page.evaluate("document.activeElement.closest('td')?.querySelector('[data-v]')?.id ?? ''")
    return cell and f"#{cell}"


def test_thirty_grades_are_entered_by_keyboard_alone(grading: LiveGrading, open_page: OpenPage) -> None:
    page = open_page(grading.make_course(students=10))
    page.evaluate("window.isTheSamePage = true")
    tab_to(page, lambda: place(page) == grading.cell(0, 0))
    for column in range(3):
        enter(page, *SCORES)
        expect(page.locator("[data-v].pending")).to_have_count(0)
        assert place(page) == grading.cell(9, column)
        for _ in range(9):
            page.keyboard.press("ArrowUp")
        page.keyboard.press("Tab")
    assert [grading.score(3, column) for column in range(3)] == ["7.5"] * 3
    assert [grading.score(student) for student in (5, 7, 9)] == [None, "4", "0"]
    expect(page.locator(f"#t{grading.students[0]}")).to_have_text("100.00 % A")
    expect(page.locator("[data-v].excused")).to_have_count(3)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    assert page.evaluate("window.isTheSamePage")


def test_the_last_change_is_undone_by_its_key_also_where_the_table_was_left(
    grading: LiveGrading, open_page: OpenPage
) -> None:
    page = open_page(grading.make_course())
    pick(page, grading.cell())
    enter(page, "7")
    expect(page.locator(grading.cell())).to_have_text("7")
    expect(page.locator("[data-undo]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#editor input")).not_to_be_focused()
    # In a field of its own the key takes back what is typed there.
    page.locator("[name=q]").focus()
    page.keyboard.press("Control+z")
    page.locator("[name=q]").blur()
    assert grading.score() == "7"
    page.keyboard.press("Control+z")
    expect(page.locator(grading.cell())).to_have_text("")
    assert grading.score() is None


def test_a_click_on_a_grade_selects_it_in_every_cell_so_that_typing_replaces_it(
    grading: LiveGrading, open_page: OpenPage
) -> None:
    course = grading.make_course()
    grading.put(0, 0, score="1")
    grading.put(1, 0, score="1")
    for address in (course, f"{course}/assignments/{grading.assignments[0]}"):
        page = open_page(address)
        # In the first cell the field is there before the click.
        for student in (0, 1):
            pick(page, grading.cell(student))
            page.keyboard.type("0")
            expect(page.locator("#editor input")).to_have_value("0")
            page.keyboard.press("Escape")
        # The field that is being typed in lets the pointer place the caret.
        page.locator("#editor input").click()
        assert page.locator("#editor input").evaluate("field => field.selectionStart === field.selectionEnd")


def test_what_is_refused_or_above_the_points_stays_and_is_warned_of(grading: LiveGrading, open_page: OpenPage) -> None:
    page = open_page(grading.make_course())
    pick(page, grading.cell())
    enter(page, "abc", "-3", "85%", "12")
    expect(page.locator("[data-v].unsaved")).to_have_count(4)
    assert_accessible(page)
    dialogs: list[str] = []

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", refuse)
    # Filtering and leaving would lose what is not saved: both ask first.
    with page.expect_event("dialog"):
        page.locator("[name=work]").select_option("missing")
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Set-up").click()
    assert dialogs == ["confirm", "beforeunload"]
    expect(page.locator("[data-v].unsaved")).to_have_count(4)
    pick(page, grading.cell(3))
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Save it anyway")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(grading.cell(3))).to_have_text("12")
    expect(page.locator("#editor input")).to_be_focused()
    assert grading.score(3) == "12"
    pick(page, grading.cell(0))
    page.keyboard.press("Escape")
    expect(page.locator(grading.cell(0))).to_have_text("")
    assert grading.score(0) is None


def test_a_pasted_column_is_saved_and_undone_with_one_key(grading: LiveGrading, open_page: OpenPage) -> None:
    page = open_page(grading.make_course())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pick(page, grading.cell(0, 1))
    page.evaluate("navigator.clipboard.writeText('9\\t1\\n8,5\\t2\\n7\\t3\\nEX\\t4\\n6\\t5\\n5\\t6\\n')")
    page.keyboard.press("Control+v")
    expect(page.locator("#toasts")).to_contain_text("10 grades are saved. 2 pasted values did not fit")
    expect(page.locator(grading.cell(1, 1))).to_have_text("8.5")
    assert [grading.score(4, 1), grading.score(4, 2)] == ["6", "5"]
    page.keyboard.press("Control+z")
    expect(page.locator("#toasts")).to_contain_text("10 changes are undone")
    expect(page.locator(grading.cell(1, 1))).to_have_text("")
    assert grading.score(4, 1) is None


def test_two_teachers_on_one_cell_see_theirs_and_mine_in_place(grading: LiveGrading, open_page: OpenPage) -> None:
    address = grading.make_course()
    mine, theirs = open_page(address), open_page(address, "assistant")
    for page, score in ((theirs, "6"), (mine, "8")):
        pick(page, grading.cell())
        enter(page, score)
        expect(page.locator("[data-v].pending")).to_have_count(0)
    assert grading.score() == "6"
    mine.keyboard.press("ArrowUp")
    expect(mine.locator(".note")).to_contain_text("assistant changed this")
    expect(mine.locator(".note dd").first).to_have_text("6")
    assert_accessible(mine)
    # Typing on does not overwrite what only the note shows.
    enter(mine, "9")
    expect(mine.locator("[data-v].pending")).to_have_count(0)
    assert grading.score() == "6"
    pick(mine, grading.cell())
    mine.get_by_role("button", name="Save mine").click()
    expect(mine.locator(grading.cell())).to_have_attribute("data-v", "2")
    assert grading.score() == "9"
    pick(theirs, grading.cell())
    enter(theirs, "5")
    theirs.keyboard.press("ArrowUp")
    theirs.get_by_role("button", name="Keep theirs").click()
    expect(theirs.locator(grading.cell())).to_have_text("9")


@pytest.mark.parametrize("ended", ["webui_csrf", "webui_session"])
def test_a_grade_on_a_page_that_has_expired_stays_marked_with_what_to_do(
    grading: LiveGrading, open_page: OpenPage, ended: str
) -> None:
    page = open_page(grading.make_course())
    # Where the page would lead to sign-in, the browser asks first whether to leave it.
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.context.clear_cookies(name=ended)
    pick(page, grading.cell())
    enter(page, "8")
    expect(page.locator("#toasts")).to_contain_text("load the page again")
    expect(page.locator(f"{grading.cell()}.unsaved")).to_have_text("8")
    assert grading.score() is None


def test_grading_is_killed_and_comes_back_while_the_page_is_open(grading: LiveGrading, open_page: OpenPage) -> None:
    address = grading.make_course()
    page = open_page(address)
    grading.kill()
    pick(page, grading.cell())
    enter(page, "8")
    expect(page.locator(grading.cell())).to_have_class("unsaved")
    expect(page.locator("#pulse")).to_contain_text("The grading service has been down since")
    expect(page.locator("#editor input")).to_have_attribute("readonly", "")
    assert_accessible(page)
    stale = open_page(address)
    expect(stale.locator("#pulse")).to_contain_text("You see what was known")
    expect(stale.locator("tbody tr")).to_have_count(5)
    grading.start()
    expect(page.locator("#pulse .alert")).to_have_count(0)
    expect(stale.locator("#pulse .alert")).to_have_count(0)
    # Nothing was queued: it is sent when the teacher says so.
    assert grading.score() is None
    pick(page, grading.cell())
    page.keyboard.press("Enter")
    expect(page.locator(grading.cell())).to_have_attribute("data-v", "1")
    assert grading.score() == "8"


def test_a_students_page_keeps_the_focus_and_reworks_the_total(grading: LiveGrading, open_page: OpenPage) -> None:
    page = open_page(grading.make_course())
    page.get_by_role("link", name="Ada Lovelace").click()
    pick(page, grading.cell(0, 0))
    enter(page, "9,5", "7")
    expect(page.locator("#average")).to_have_text("82.50 %")
    expect(page.locator(f"#r{grading.assignments[1]}")).to_have_text("counts")
    expect(page.locator("#editor input")).to_be_focused()
    assert place(page) == grading.cell(0, 2)
    page.emulate_media(media="print")
    for left_out in ("#editor", ".frame", ".grades-actions", ".keys", ".leaf-more a"):
        expect(page.locator(left_out).first).not_to_be_visible()
    expect(page.locator(".print-line")).to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("heading", name="Alan Turing")).to_be_visible()
    page.get_by_role("link", name="What if").click()
    page.get_by_label("Homework 1").fill("9")
    expect(page.locator("#supposed")).to_contain_text("90.00 %")
    assert grading.score(1) is None


def test_a_file_is_looked_at_confirmed_and_undone(grading: LiveGrading, open_page: OpenPage) -> None:
    page = open_page(grading.make_course() + "/files")
    content = f"SIS Login ID;Homework 1;Homework 2\nstudent;9,5;\n{grading.code}-1;7;EX\nnobody;1;1\n"
    page.set_input_files("#file", {"name": "grades.csv", "mimeType": "text/csv", "buffer": content.encode()})
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name="3 grades would change")).to_be_visible()
    assert_accessible(page)
    page.set_viewport_size({"width": 375, "height": 800})
    assert_fits(page)
    # A menu of which nothing can be read tells nobody what a column is taken for.
    assert page.locator("#column-0").evaluate("menu => menu.clientWidth") > 120
    assert grading.score() is None
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#progress")).to_contain_text("Done: 3 grades are stored")
    assert grading.score() == "9.5"
    page.get_by_role("button", name="Undo the import").click()
    expect(page.locator("#toasts")).to_contain_text("3 changes are undone")
    assert grading.score() is None


def test_a_course_is_made_ready_in_the_browser(grading: LiveGrading, open_page: OpenPage) -> None:
    page = open_page(grading.make_course(students=1, assignments=1) + "/setup")
    page.get_by_role("link", name="Add a category").click()
    page.locator("#id_title").fill("Tests")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Add an assignment").click()
    page.locator("#id_title").fill("Test 1")
    page.locator("#id_category").select_option("Tests")
    page.locator("#id_points").fill("lots")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Not saved")
    expect(page.locator("#id_title")).to_have_value("Test 1")
    page.locator("#id_points").fill("50")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Test 1")).to_be_visible()
    page.goto(f"/courses/{grading.code}/people")
    page.get_by_role("link", name="Add a student").click()
    page.locator("#id_name").fill("Mary Jackson")
    page.locator("#id_username").fill("mary")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Mary Jackson", exact=True)).to_be_visible()


def test_without_scripts_a_grade_is_added_from_the_list_by_plain_pages(
    grading: LiveGrading, open_page: OpenPage
) -> None:
    page = open_page(grading.make_course(), java_script_enabled=False)
    page.locator("#q").fill("turing")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Alan Turing").click()
    page.get_by_role("link", name="Details Homework 1").click()
    page.get_by_label("Score").fill("9,5")
    page.get_by_label("Comment").fill("well done")
    page.get_by_role("button", name="Save", exact=True).click()
    assert grading.score(1) == "9.5"
    page.get_by_role("link", name="Alan Turing").click()
    expect(page.locator("#average")).to_have_text("95.00 %")
    expect(page.locator("main")).to_contain_text("well done")


def test_after_signing_out_the_way_back_shows_no_grades(grading: LiveGrading, open_page: OpenPage) -> None:
    page = open_page("/sign-in", None)
    page.get_by_label("Username").fill("teacher")
    page.get_by_label("Password").fill("only-for-tests")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Courses")).to_be_visible()
    address = grading.make_course()
    grading.put(0, 0, score="9.25")
    page.goto(address)
    expect(page.locator(grading.cell())).to_have_text("9.25")
    page.locator("[popovertarget=menu]").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "9.25" not in page.content()


def test_every_page_of_grades_is_accessible_and_fits(grading: LiveGrading, open_page: OpenPage) -> None:
    course = grading.make_course()
    for number in range(5):
        grading.put(number, 0, score=str(6 + number), comment="well done")
    grading.put(0, 1, score="8", status="late", late_deduction="1")
    grading.put(1, 1, score=None, status="missing")
    student, work = f"{course}/students/{grading.students[0]}", f"{course}/assignments/{grading.assignments[0]}"
    cell = f"{course}/cells/{grading.cell()[1:]}"
    addresses = ["", "/setup", "/people", "/files", "/history", "/assignments/new"]
    pages = ["/courses", "/courses/+new", *(course + each for each in addresses)]
    pages += [student, f"{student}?total=final", f"{student}/what-if", work, cell]
    seen = {"teacher": pages, "student": ["/courses", student, f"{student}/what-if", cell]}
    for person, found in seen.items():
        page = open_page("/courses", person)
        for address in found:
            page.goto(address)
            assert_accessible_and_fits(page)
        page.close()


def test_each_role_opens_only_its_own_pages(grading: LiveGrading, open_page: OpenPage) -> None:
    course = grading.make_course()
    own, other = (f"{course}/students/{student}" for student in grading.students[:2])
    allowed = {
        course: {"teacher", "assistant", "student"},
        own: {"teacher", "assistant", "student"},
        other: {"teacher", "assistant"},
        f"{course}/cells/{grading.cell(1)[1:]}": {"teacher", "assistant"},
        f"{course}/history": {"teacher", "assistant"},
        f"{course}/setup": {"teacher", "assistant"},
        f"{course}/files": {"teacher", "assistant"},
        "/courses/+new": {"teacher"},
    }
    for person in ("teacher", "assistant", "student", "operator"):
        page = open_page("/", person)
        for address, people in allowed.items():
            # Asked for without styles and scripts: what the page does with them is looked at elsewhere.
            answer = page.request.get(address)
            assert (answer.status == 200) is (person in people), (person, address, answer.status)
            if person == "student" and person in people:
                assert 'id="editor"' not in answer.text()
        page.close()
    assert re.fullmatch(r"/courses/math-\d+", course)

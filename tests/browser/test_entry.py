"""Entering grades as a teacher does it: with the keyboard, and without the page ever loading again."""

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.webui.faked.world import World

pytestmark = pytest.mark.browser

STUDENT = "/courses/math-1/students/1"
SCORES = ["10", "9.5", "8", "7,5", "7", "6", "5.5", "EX", "3", "0"]


def stored(world: World, assignment: int) -> str | None:
    score: str | None = world.grading.grades.get((1, assignment), {}).get("score")
    return score


def tab_to_first_score(page: Page) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "score-1":
            return
    raise AssertionError("The first score cannot be reached with the Tab key.")


def focused(page: Page) -> str:
    name: str = page.evaluate("document.activeElement.id")
    return name


def test_ten_grades_are_entered_without_the_mouse_or_a_new_page(world: World, open_page: OpenPage) -> None:
    page = open_page(STUDENT)
    page.evaluate("window.isTheSamePage = true")
    tab_to_first_score(page)
    for score in SCORES:
        page.keyboard.type(score)
        page.keyboard.press("Enter")
    expect(page.locator(".state-saved")).to_have_count(10)
    assert [stored(world, number) for number in (1, 4, 8, 10)] == ["10", "7.5", None, "0"]
    expect(page.locator("#average")).to_have_text("62.78 %")
    expect(page.locator("#excused-8")).to_be_checked()
    expect(page.locator("#working")).to_contain_text("62.78 %")
    assert focused(page) == "score-10"
    assert page.evaluate("window.isTheSamePage")


def test_the_arrows_walk_the_column_and_escape_takes_back(open_page: OpenPage, world: World) -> None:
    page = open_page(STUDENT)
    page.focus("#score-2")
    page.keyboard.press("ArrowDown")
    assert focused(page) == "score-3"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+Enter")
    assert focused(page) == "score-1"
    page.keyboard.type("9")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    assert focused(page) == "score-2"
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    expect(page.locator("#state-2")).to_contain_text("Saved")
    assert stored(world, 1) is None


def test_a_field_typed_in_while_its_grade_is_stored_keeps_what_is_typed(world: World, open_page: OpenPage) -> None:
    page = open_page(STUDENT)
    page.focus("#score-1")
    page.keyboard.type("9,5")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    expect(page.locator("#average")).to_have_text("70.00 %")
    expect(page.locator("#score-1")).to_have_value("7")
    assert world.grading.grades[1, 1]["version"] == 2


def test_the_average_is_right_even_when_answers_overtake_each_other(open_page: OpenPage) -> None:
    page = open_page(STUDENT)
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/grades/1", lambda route: held.append((route, route.fetch())))
    page.focus("#score-1")
    for score in ("10", "0"):
        page.keyboard.type(score)
        page.keyboard.press("Enter")
    expect(page.locator("#state-2")).to_contain_text("Saved")
    for _ in range(600):
        # What has been asked first may be answered last, here too.
        if held:
            break
        page.wait_for_timeout(50)
    [(route, answer)] = held
    route.fulfill(response=answer)
    expect(page.locator("#state-1")).to_contain_text("Saved")
    expect(page.locator("#average")).to_have_text("50.00 %")


def test_what_is_no_score_is_said_beside_its_field(open_page: OpenPage) -> None:
    page = open_page(STUDENT)
    page.focus("#score-1")
    page.keyboard.type("nine")
    page.keyboard.press("Enter")
    expect(page.locator("#state-1")).to_contain_text("write a number such as 9.5")
    expect(page.locator("#score-1")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#score-1")).to_have_value("nine")
    assert focused(page) == "score-2"
    page.focus("#score-1")
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    expect(page.locator("#score-1")).to_have_attribute("aria-invalid", "false")


@pytest.mark.parametrize(("choice", "score"), [("Save mine", "8"), ("Keep theirs", "6")])
def test_two_teachers_never_overwrite_each_other_unseen(
    world: World, open_page: OpenPage, choice: str, score: str
) -> None:
    page = open_page(STUDENT)
    world.grading.put(1, 1, by="ms-baker", score="6")
    page.focus("#score-1")
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    expect(page.locator("#state-1")).to_contain_text("ms-baker changed this")
    assert stored(world, 1) == "6"
    page.get_by_text(choice).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#state-1")).not_to_contain_text("changed this")
    expect(page.locator("#score-1")).to_have_value(score)
    expect(page.locator("#score-1")).to_be_focused()
    assert stored(world, 1) == score


def test_an_entry_made_while_grading_is_down_is_sent_again_by_enter(world: World, open_page: OpenPage) -> None:
    page = open_page(STUDENT)
    world.down.add("grading")
    page.focus("#score-1")
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    expect(page.locator("#state-1")).to_contain_text("Not saved: The grading service has been down since")
    world.down.clear()
    page.focus("#score-1")
    page.keyboard.press("Enter")
    expect(page.locator("#state-1")).to_contain_text("Saved")
    assert stored(world, 1) == "8"


def test_an_entry_that_never_arrives_is_said_to_be_unsaved(open_page: OpenPage, world: World) -> None:
    page = open_page(STUDENT)
    page.route("**/grades/1", lambda route: route.abort())
    page.focus("#score-1")
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    expect(page.locator("#state-1")).to_contain_text("Not saved: the server cannot be reached")
    page.unroute("**/grades/1")
    page.focus("#score-1")
    page.keyboard.press("Enter")
    expect(page.locator("#state-1")).to_contain_text("Saved")


def test_without_scripts_a_grade_is_entered_by_its_form(world: World, open_page: OpenPage) -> None:
    page = open_page(STUDENT, java_script_enabled=False)
    page.locator("#score-1").fill("9")
    page.locator("#score-1").press("Enter")
    page.wait_for_url("**#grade-1")
    expect(page.locator("#average")).to_have_text("90.00 %")
    page.locator("#score-2").fill("nine")
    page.locator("#grade-2").get_by_role("button", name="Save").click()
    expect(page.locator("#state-2")).to_contain_text("write a number such as 9.5")
    expect(page.locator("#score-2")).to_have_value("nine")

"""Permissions: every role at every address with every method."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern

from grading.api import urls
from grading.drafts import EnrollmentDraft
from grading.enrolling import create_enrollment
from grading.models import Course, Enrollment, Grade, GradeChange, ImportBatch, Role, State
from tests.grading import factories
from tests.grading.factories import NOW, TEACHER, Caller

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
EDITORS = frozenset({"token", "teacher"})
GRADERS = EDITORS | {"assistant"}
# Completed roles read on.
STAFF = GRADERS | {"completed teacher"}
OWN = STAFF | {"student", "observer"}
MEMBERS = OWN | {"classmate"}
EVERYBODY = MEMBERS | {"stranger", "dropped"}
TOKENS = frozenset({"token"})
ROLES = sorted(EVERYBODY | {"reader"})

# By the pattern of the address: who may do what. What is not here is not an address, or not a method of it.
ALLOWED: dict[str, dict[str, frozenset[str]]] = {
    "openapi.json": {"GET": EVERYBODY},
    "students": {"GET": EVERYBODY},
    "students/<id:student_id>": {"GET": OWN},
    "students/<id:student_id>/grades": {"GET": OWN},
    "students/<id:student_id>/report": {"GET": OWN},
    "students/<id:student_id>/report.pdf": {"GET": OWN},
    "students/<id:student_id>/explain": {"GET": OWN},
    "students/<id:student_id>/what-if": {"POST": OWN | {"reader"}},
    "terms": {"GET": EVERYBODY, "POST": TOKENS},
    "scales": {"GET": EVERYBODY, "POST": TOKENS},
    "courses": {"GET": EVERYBODY, "POST": EDITORS},
    "courses/<slug:code>": {"GET": MEMBERS, "PATCH": EDITORS},
    "courses/<slug:code>/sections": {"GET": MEMBERS, "POST": EDITORS},
    "courses/<slug:code>/sections/<id:section_id>": {"GET": MEMBERS, "PATCH": EDITORS, "DELETE": EDITORS},
    "courses/<slug:code>/categories": {"GET": MEMBERS, "POST": EDITORS},
    "courses/<slug:code>/categories/<id:category_id>": {"GET": MEMBERS, "PATCH": EDITORS, "DELETE": EDITORS},
    "courses/<slug:code>/assignments": {"GET": MEMBERS, "POST": EDITORS},
    "courses/<slug:code>/assignments/<id:assignment_id>": {"GET": MEMBERS, "PATCH": EDITORS, "DELETE": EDITORS},
    "courses/<slug:code>/assignments/<id:assignment_id>/statistics": {"GET": STAFF},
    "courses/<slug:code>/assignments/<id:assignment_id>/grades": {"GET": STAFF},
    "courses/<slug:code>/enrollments": {"GET": STAFF, "POST": EDITORS},
    "courses/<slug:code>/enrollments/<id:enrollment_id>": {"GET": STAFF, "PATCH": EDITORS, "DELETE": EDITORS},
    "courses/<slug:code>/students": {"GET": MEMBERS, "POST": EDITORS},
    "courses/<slug:code>/students/<id:student_id>": {"GET": OWN},
    "courses/<slug:code>/students/<id:student_id>/grades/<id:assignment_id>": {"GET": OWN, "PUT": GRADERS},
    "courses/<slug:code>/students/<id:student_id>/grades/<id:assignment_id>/history": {"GET": OWN},
    "courses/<slug:code>/gradebook": {"GET": MEMBERS},
    "courses/<slug:code>/grades:bulk": {"POST": GRADERS},
    "courses/<slug:code>/changes": {"GET": STAFF},
    "courses/<slug:code>/changes/<id:change_id>:undo": {"POST": GRADERS},
    "courses/<slug:code>/batches": {"GET": STAFF},
    "courses/<slug:code>/batches/<id:batch_id>": {"GET": STAFF},
    "courses/<slug:code>/batches/<id:batch_id>:undo": {"POST": GRADERS},
    "courses/<slug:code>/imports": {"POST": GRADERS},
    "courses/<slug:code>/imports/<id:batch_id>": {"GET": STAFF, "PATCH": GRADERS, "DELETE": GRADERS},
    "courses/<slug:code>/imports/<id:batch_id>:confirm": {"POST": GRADERS},
    "courses/<slug:code>/export/canvas.csv": {"GET": STAFF},
    "courses/<slug:code>/export/oneroster.zip": {"GET": STAFF},
    "grades/<str:grade_id>": {"GET": OWN, "PATCH": GRADERS},
    "grades/<str:grade_id>/full": {"GET": OWN},
    "grades/<str:grade_id>/history": {"GET": OWN},
}


@dataclass(frozen=True, kw_only=True)
class World:
    """A course with one person in each role; `student` is Ada, whose grade the addresses name."""

    ids: dict[str, Any]
    callers: dict[str, Caller]


@pytest.fixture(scope="module")
def world(module_db: None) -> World:
    course = factories.course()
    ada, bob = factories.student(course, "ada"), factories.student(course, "bob")
    dropped = factories.student(course, "dan")
    essay, spare = factories.assignment(course), factories.assignment(course, "Spare")
    factories.grade(ada, essay, "7")
    factories.grade(bob, essay, "3")
    section = course.sections.create(title="A")
    spare_category = course.categories.create(title="Spare", kind="quiz")

    def enrol(role: Role, username: str, student: int | None = None) -> Enrollment:
        draft = EnrollmentDraft(role=role, username=username, student=student)
        return create_enrollment(course=course, draft=draft, now=NOW)[0]

    enrol(Role.ASSISTANT, "mr-park")
    enrol(Role.OBSERVER, "mrs-ada", ada.pk)
    old = enrol(Role.TEACHER, "ms-old")
    Enrollment.objects.filter(pk=old.pk).update(state=State.COMPLETED)
    Enrollment.objects.filter(student=dropped).update(state=State.DROPPED)
    person = factories.caller("webui", scopes=["read", "write", "act-for"])
    names = {
        "teacher": TEACHER,
        "assistant": "mr-park",
        "completed teacher": "ms-old",
        "student": "ada",
        "classmate": "bob",
        "observer": "mrs-ada",
        "stranger": "operator",
        "dropped": "dan",
    }
    callers = {role: person.acting_for(username) for role, username in names.items()}
    callers["token"] = factories.caller("admin", scopes=["read", "write"])
    callers["reader"] = factories.caller("reader", scopes=["read"])
    imported = callers["token"].send(
        "POST", "/v1/courses/algebra/imports", b"username,Spare\nada,5\n", content_type="text/csv"
    )
    change = GradeChange.objects.get(grade__student=ada)
    batch = ImportBatch.objects.create(course=course, source="bulk", author="x", created_at=NOW)
    return World(
        ids={
            "code": "algebra",
            "student_id": ada.pk,
            "assignment_id": essay.pk,
            "spare": spare.pk,
            "grade_id": f"{ada.pk}-{essay.pk}",
            "section_id": section.pk,
            "category_id": spare_category.pk,
            "enrollment_id": old.pk,
            "change_id": change.pk,
            "batch_id": batch.pk,
            "import_id": imported.json()["id"],
        },
        callers=callers,
    )


def address(pattern: str, ids: dict[str, Any]) -> str:
    values = ids | ({"batch_id": ids["import_id"]} if "imports" in pattern else {})
    for name, value in values.items():
        for kind in ("id", "slug", "str"):
            pattern = pattern.replace(f"<{kind}:{name}>", str(value))
    return f"/v1/{pattern}"


def state() -> list[Any]:
    return [
        list(Grade.objects.order_by("pk").values()),
        GradeChange.objects.count(),
        list(Enrollment.objects.order_by("pk").values()),
        list(ImportBatch.objects.order_by("pk").values("pk", "progress")),
        list(Course.objects.order_by("pk").values()),
    ]


BODIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "grades:bulk": lambda ids: {
        "grades": [{"student": ids["student_id"], "assignment": ids["spare"], "version": 0, "score": "5"}]
    },
    "what-if": lambda ids: {"scores": []},
    "grades/<str:grade_id>": lambda ids: {"score": "8"},
    "grades/<id:assignment_id>": lambda ids: {"score": "8"},
    "sections": lambda ids: {"title": "B"},
    "sections/<id:section_id>": lambda ids: {"title": "C"},
    "students": lambda ids: {"name": "Eve", "username": "eve"},
    "enrollments": lambda ids: {"role": "assistant", "username": "eve"},
    "categories": lambda ids: {"title": "New", "kind": "test"},
    "assignments": lambda ids: {"title": "New", "category": ids["category_id"], "points": "5"},
    "terms": lambda ids: {"code": "t1", "title": "T", "starts_on": "2026-09-01", "ends_on": "2026-12-01"},
    "scales": lambda ids: {"title": "Pass", "steps": [{"letter": "P", "least_percent": "0"}]},
    "courses": lambda ids: {"code": "new", "title": "New"},
}


def test_the_matrix_names_every_address() -> None:
    patterns = [str(each.pattern) for each in urls.urlpatterns if isinstance(each, URLPattern)]
    assert sorted(patterns) == sorted(ALLOWED)


@pytest.mark.parametrize("pattern", ALLOWED)
def test_each_role_may_do_what_the_matrix_says_and_no_more(world: World, pattern: str) -> None:
    """Refusals first: they change nothing. Then each that is allowed, undone by the next refusal's comparison."""
    ids = world.ids
    path = address(pattern, ids)
    body: Any = next(
        (made(ids) for tail, made in sorted(BODIES.items(), key=lambda each: -len(each[0])) if pattern.endswith(tail)),
        {},
    )
    before = state()
    for method in METHODS:
        allowed = ALLOWED[pattern].get(method)
        # A method that the address does not take is refused to the strongest role, too.
        for role in ROLES if allowed is not None else ["token", "student"]:
            expected = allowed is not None and (role in allowed or (role == "reader" and method == "GET"))
            if expected:
                continue
            answer = call(world.callers[role], method, path, pattern, body)
            codes = {403, 404} if allowed is not None else {403, 404, 405}
            assert answer.status_code in codes, (method, role, answer.status_code, answer.content)
    assert state() == before

    for method, roles in ALLOWED[pattern].items():
        for role in sorted(roles):
            answer = call(world.callers[role], method, path, pattern, body)
            assert answer.status_code not in {401, 403, 405}, (method, role, answer.content)
            assert answer.status_code != 404 or method == "DELETE" or ":confirm" in path, (method, role, answer.content)
            assert answer.status_code < 500, (method, role, answer.content)


def call(caller: Caller, method: str, path: str, pattern: str, body: Any) -> Any:
    if method == "POST" and pattern.endswith("/imports"):
        return caller.send("POST", path, b"username,Spare\nada,5\n", content_type="text/csv")
    if method in {"GET", "DELETE"}:
        return caller.send(method, path, None)
    return {"POST": caller.post, "PUT": caller.put, "PATCH": caller.patch}[method](path, body, if_match='"1"')


def test_a_roster_and_new_assignments_take_more_than_an_assistant(world: World) -> None:
    assistant = world.callers["assistant"]
    path = "/v1/courses/algebra/imports"
    roster = b"username,role\neve,teacher\n"
    assert assistant.send("POST", f"{path}?content=roster", roster, content_type="text/csv").status_code == 403
    columns = [{"index": 1, "meaning": "new", "category": world.ids["category_id"], "points": "5"}]
    answer = assistant.patch(f"{path}/{world.ids['import_id']}", {"columns": columns})
    assert answer.status_code == 403
    teacher = world.callers["teacher"]
    preview = teacher.send("POST", f"{path}?content=roster", roster, content_type="text/csv")
    assert assistant.post(f"{path}/{preview.json()['id']}:confirm", {}).status_code == 403


def test_one_course_reaches_nothing_of_another(world: World) -> None:
    """A teacher elsewhere finds neither grades nor batches, changes, assignments or people by their ids."""
    other = factories.course("geometry")
    Enrollment.objects.filter(course=other).update(username="ms-other")
    stranger = world.callers["teacher"].acting_for("ms-other")
    for pattern, methods in ALLOWED.items():
        if "<id:" not in pattern and "<str:" not in pattern:
            continue
        path = address(pattern.replace("<slug:code>", "geometry"), world.ids)
        for method in methods:
            answer = call(stranger, method, path, pattern, {})
            assert answer.status_code == 404, (method, path, answer.content)
    before = state()
    row = {"student": world.ids["student_id"], "assignment": world.ids["spare"], "version": 0, "score": "5"}
    assert stranger.post("/v1/courses/geometry/grades:bulk", {"grades": [row]}).status_code == 422
    assert state() == before


def test_an_observer_whose_link_is_gone_sees_nothing(world: World) -> None:
    observer, teacher = world.callers["observer"], world.callers["teacher"]
    link = Enrollment.objects.get(role=Role.OBSERVER)
    assert observer.get(f"/v1/grades/{world.ids['grade_id']}").status_code == 200
    assert teacher.delete(f"/v1/courses/algebra/enrollments/{link.pk}").status_code == 204
    for pattern, methods in ALLOWED.items():
        if "<" in pattern and "GET" in methods:
            assert observer.get(address(pattern, world.ids)).status_code == 404, pattern
    assert observer.get("/v1/students").json()["students"] == []


def test_an_idempotency_key_answers_nobody_else(world: World) -> None:
    """A person who learns another's key neither gets their answer nor gets in its way."""
    body = BODIES["grades:bulk"](world.ids)
    teacher, path = world.callers["teacher"], "/v1/courses/algebra/grades:bulk"
    assert teacher.post(path, body, idempotency_key="k1").status_code == 200
    for role, status in (("student", 403), ("stranger", 404), ("assistant", 412)):
        answer = world.callers[role].post(path, body, idempotency_key="k1")
        assert (answer.status_code, answer.headers.get("Idempotency-Replayed")) == (status, None), role
    assert teacher.post(path, body, idempotency_key="k1")["Idempotency-Replayed"] == "true"


def test_students_are_not_told_from_where_a_change_came(world: World) -> None:
    path = f"/v1/grades/{world.ids['grade_id']}"
    changed = world.callers["teacher"].patch(path, {"score": "8"}, if_match='"1"')
    assert changed.status_code == 200
    for address_ in (f"{path}/history", f"{path}/full"):
        assert world.callers["teacher"].get(address_).json()["changes"][-1]["via"].startswith("webui")
        assert {change["via"] for change in world.callers["student"].get(address_).json()["changes"]} == {""}


@pytest.mark.parametrize("role", ["student", "observer"])
def test_what_is_not_posted_is_hidden_at_every_address(world: World, role: str) -> None:
    teacher, own = world.callers["teacher"], world.callers[role]
    ids = world.ids
    teacher.patch(f"/v1/grades/{ids['grade_id']}", {"score": "6.66", "comment": "hush"}, if_match='"1"')
    assert (
        teacher.patch(f"/v1/courses/algebra/assignments/{ids['assignment_id']}", {"posted": False}).status_code == 200
    )
    for pattern, methods in ALLOWED.items():
        if "GET" in methods and role in methods["GET"] and not pattern.endswith(".pdf"):
            answer = own.get(address(pattern, ids))
            assert answer.status_code == 200
            assert b"6.66" not in answer.content, pattern
            assert b"hush" not in answer.content, pattern
    assert b"6.66" in teacher.get("/v1/courses/algebra/gradebook").content

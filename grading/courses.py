"""Making and changing courses, their sections, categories and assignments, and finding them."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import Count, Max
from msgspec import UNSET

from config.problems import Conflict, Invalid, NotFound
from grading import access, rows, totals
from grading.drafts import (
    MOST_ASSIGNMENTS,
    MOST_CATEGORIES,
    AssignmentDraft,
    AssignmentPatch,
    CategoryDraft,
    CategoryPatch,
    CourseDraft,
    CoursePatch,
    ScaleDraft,
    SectionDraft,
    TermDraft,
)
from grading.models import (
    Assignment,
    Category,
    Course,
    Enrollment,
    Grade,
    GradeScale,
    GradeStep,
    Role,
    Section,
    State,
    Student,
    Term,
)
from grading.standings import Plan


@transaction.atomic
def create_term(*, draft: TermDraft) -> Term:
    """Raises Conflict when the code is taken."""
    term, is_new = Term.objects.get_or_create(
        code=draft.code, defaults={"title": draft.title, "starts_on": draft.starts_on, "ends_on": draft.ends_on}
    )
    if not is_new:
        raise Conflict(f"There is a term {draft.code!r} already: choose another code.")
    return term


@transaction.atomic
def create_scale(*, draft: ScaleDraft) -> GradeScale:
    """Raises Conflict when the title is taken."""
    scale, is_new = GradeScale.objects.get_or_create(title=draft.title)
    if not is_new:
        raise Conflict(f"There is a grade scale {draft.title!r} already: choose another title.")
    GradeStep.objects.bulk_create(
        GradeStep(scale=scale, letter=step.letter, least_percent=step.least_percent) for step in draft.steps
    )
    return scale


@transaction.atomic
def create_course(*, draft: CourseDraft, now: datetime) -> Course:
    """Create a course with its teachers and categories, in the order given. Raises Conflict when the code is taken."""
    term, scale = _find_term(draft.term), _find_scale(draft.scale)
    course, is_new = Course.objects.get_or_create(
        code=draft.code, defaults={"title": draft.title, "scheme": draft.scheme, "term": term, "scale": scale}
    )
    if not is_new:
        raise Conflict(f"There is a course {draft.code!r} already: choose another code.")
    Enrollment.objects.bulk_create(
        Enrollment(course=course, role=Role.TEACHER, username=username, enrolled_at=now)
        for username in dict.fromkeys(draft.teachers)
    )
    Category.objects.bulk_create(
        Category(course=course, position=position, **asdict(category))
        for position, category in enumerate(draft.categories)
    )
    return course


@transaction.atomic
def change_course(*, course: Course, patch: CoursePatch) -> Course:
    course = _locked(course)
    changed = _given(patch)
    if "term" in changed:
        changed["term"] = _find_term(changed["term"])
    if "scale" in changed:
        changed["scale"] = _find_scale(changed["scale"])
    _save(course, changed)
    if "scheme" in changed:
        _refresh_totals(course)
    return course


@transaction.atomic
def create_section(*, course: Course, draft: SectionDraft) -> Section:
    """Raises Conflict when the course has a section of that title."""
    section, is_new = Section.objects.get_or_create(course=course, title=draft.title)
    if not is_new:
        raise Conflict(f"The course has a section {draft.title!r} already: choose another title.")
    return section


@transaction.atomic
def change_section(*, section: Section, draft: SectionDraft) -> Section:
    _locked(section.course)
    others = Section.objects.filter(course=section.course, title=draft.title).exclude(pk=section.pk)
    if others.exists():
        raise Conflict(f"The course has a section {draft.title!r} already: choose another title.")
    _save(section, {"title": draft.title})
    return section


@transaction.atomic
def delete_section(*, section: Section) -> None:
    """Raises Conflict while somebody is in it."""
    _locked(section.course)
    if section.enrollments.exists():
        raise Conflict(f"There are people in the section {section.title!r}: move them to another first.")
    section.delete()


@transaction.atomic
def create_category(*, course: Course, draft: CategoryDraft) -> Category:
    """Raises Conflict when the course has a category of that title, or MOST_CATEGORIES."""
    _locked(course)
    if course.categories.count() >= MOST_CATEGORIES:
        raise Conflict(f"The course has {MOST_CATEGORIES} categories, and no course has more: change one of them.")
    if course.categories.filter(title=draft.title).exists():
        raise Conflict(f"The course has a category {draft.title!r} already: choose another title.")
    last = course.categories.aggregate(last=Max("position"))["last"]
    return Category.objects.create(course=course, position=_after(last), **asdict(draft))


@transaction.atomic
def change_category(*, category: Category, patch: CategoryPatch) -> Category:
    """Raises Conflict when another category has that title. Every total of the course is computed anew."""
    course, changed = _locked(category.course), _given(patch)
    if "title" in changed and course.categories.filter(title=changed["title"]).exclude(pk=category.pk).exists():
        raise Conflict(f"The course has a category {changed['title']!r} already: choose another title.")
    _save(category, changed)
    _refresh_totals(course)
    return category


@transaction.atomic
def delete_category(*, category: Category) -> None:
    """Raises Conflict while it holds assignments."""
    _locked(category.course)
    if category.assignments.exists():
        raise Conflict(f"There are assignments in {category.title!r}: move or delete them first.")
    category.delete()


@transaction.atomic
def create_assignment(*, course: Course, draft: AssignmentDraft) -> Assignment:
    """Raises Invalid when the category is none of the course's, Conflict when it holds that title already or the course
    has MOST_ASSIGNMENTS.

    A new assignment has no grades, but the final totals count them as zero.
    """
    # Lines up those who add to one course, so that neither titles nor positions collide.
    _locked(course)
    category = _find_category(course, draft.category)
    _check_title(category, draft.title)
    present = Assignment.objects.filter(category__course=course).aggregate(last=Max("position"), count=Count("pk"))
    if present["count"] >= MOST_ASSIGNMENTS:
        raise Conflict(f"The course has {MOST_ASSIGNMENTS} assignments, and no course has more: open another course.")
    members = asdict(draft) | {"category": category, "kind": draft.kind or category.kind}
    if draft.position is None:
        members["position"] = _after(present["last"])
    assignment = Assignment.objects.create(**members)
    _refresh_totals(course)
    return assignment


@transaction.atomic
def change_assignment(*, assignment: Assignment, patch: AssignmentPatch) -> Assignment:
    """Raises as `create_assignment` does. Every total of the course is computed anew."""
    course, changed = _locked(assignment.category.course), _given(patch)
    if "category" in changed:
        changed["category"] = _find_category(course, changed["category"])
    _check_title(changed.get("category", assignment.category), changed.get("title", assignment.title), but=assignment)
    _save(assignment, changed)
    _refresh_totals(course)
    return assignment


@transaction.atomic
def delete_assignment(*, assignment: Assignment) -> None:
    """Raises Conflict when it has grades: their history is kept."""
    course = _locked(assignment.category.course)
    totals.lock(course=course)
    if Grade.objects.filter(assignment=assignment).exists():
        raise Conflict(
            f"{assignment.title!r} has grades, whose history is kept: take it out of the totals and hide it with "
            '`{"omit_from_final": true, "published": false}`.'
        )
    assignment.delete()
    totals.refresh(course=course)


def find_student(*, course: Course, student_id: int) -> Student:
    """Raises NotFound, also for a student who dropped the course."""
    # Written, as is what follows, because every page of a student asks it: compiled, it takes five times as long.
    found = Student.objects.raw(
        "SELECT * FROM grading_student WHERE id IN (SELECT student_id FROM grading_enrollment "
        "WHERE course_id = %s AND role = %s AND student_id = %s AND state <> %s)",
        [course.pk, Role.STUDENT, student_id, State.DROPPED],
    )
    for student in found:
        return student
    raise NotFound(f"There is no student {student_id} in {course.code!r}: GET /v1/courses/{course.code}/students.")


def find_assignment(*, course: Course, assignment_id: int, with_unpublished: bool) -> Assignment:
    """Raises NotFound."""
    assignments = Assignment.objects.select_related("category__course").filter(category__course=course)
    assignment = assignments.filter(pk=assignment_id).first()
    if assignment is None or not (assignment.published or with_unpublished):
        raise _no_assignment(course, assignment_id)
    return assignment


def read_assignment(*, assignment_id: int) -> Assignment | None:
    """An assignment of any course with its category and the course, read by written statements."""
    for assignment in rows.select(Assignment, {"id": [assignment_id]}):
        for category in rows.select(Category, {"id": [assignment.category_id]}):
            course = access.read_course({"id": [category.course_id]})
            if course is not None:
                category.course, assignment.category = course, category
                return assignment
    return None


def planned_assignment(*, plan: Plan, assignment_id: int) -> Assignment:
    """Find an assignment as `find_assignment` does, where the whole plan has been read already. Raises NotFound."""
    assignment = plan.assignments.get(assignment_id)
    if assignment is None:
        raise _no_assignment(plan.course, assignment_id)
    return assignment


def find_category(*, course: Course, category_id: int) -> Category:
    """Raises NotFound."""
    category = Category.objects.select_related("course").filter(course=course, pk=category_id).first()
    if category is None:
        raise NotFound(f"There is no category {category_id} in {course.code!r}: GET /v1/courses/{course.code}.")
    return category


def find_section(*, course: Course, section_id: int) -> Section:
    """Raises NotFound."""
    section = Section.objects.select_related("course").filter(course=course, pk=section_id).first()
    if section is None:
        raise NotFound(f"There is no section {section_id} in {course.code!r}: GET /v1/courses/{course.code}/sections.")
    return section


def _no_assignment(course: Course, assignment_id: int) -> NotFound:
    listing = f"GET /v1/courses/{course.code}/assignments"
    return NotFound(f"There is no assignment {assignment_id} in {course.code!r}: {listing}.")


def _locked(course: Course) -> Course:
    return Course.objects.select_for_update().get(pk=course.pk)


def _given(patch: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(patch).items() if value is not UNSET}


def _save(row: models.Model, changed: dict[str, Any]) -> None:
    """Raises NotFound for a row that was deleted since it was read."""
    for name, value in changed.items():
        setattr(row, name, value)
    if changed and not type(row)._default_manager.filter(pk=row.pk).update(**changed):
        raise NotFound(f"{row} was deleted meanwhile.")


def _refresh_totals(course: Course) -> None:
    totals.lock(course=course)
    totals.refresh(course=course)


def _find_term(code: str | None) -> Term | None:
    if code is None:
        return None
    term = Term.objects.filter(code=code).first()
    if term is None:
        raise _invalid("/term", f"There is no term {code!r}: GET /v1/terms lists those there are.")
    return term


def _find_scale(scale_id: int | None) -> GradeScale | None:
    if scale_id is None:
        return None
    scale = GradeScale.objects.filter(pk=scale_id).first()
    if scale is None:
        raise _invalid("/scale", f"There is no grade scale {scale_id}: GET /v1/scales lists those there are.")
    return scale


def _find_category(course: Course, category_id: int) -> Category:
    category = Category.objects.filter(course=course, pk=category_id).first()
    if category is None:
        raise _invalid(
            "/category", f"The course has no category {category_id}: GET /v1/courses/{course.code} lists them."
        )
    return category


def _check_title(category: Category, title: str, *, but: Assignment | None = None) -> None:
    others = category.assignments.filter(title=title)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.exists():
        raise Conflict(f"{category.title!r} holds an assignment {title!r} already: choose another title.")


def _invalid(pointer: str, detail: str) -> Invalid:
    return Invalid("See `errors` for each member.", errors=[{"pointer": pointer, "detail": detail}])


def _after(position: int | None) -> int:
    return 0 if position is None else min(position + 1, 32767)

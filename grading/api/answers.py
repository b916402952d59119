"""Whole answers, put together from what the domain modules return."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache, partial
from typing import Any

import msgspec

from grading import representation, scoring, standings, statistics
from grading.access import Seat
from grading.gradebook import PlacedChange, Stored
from grading.models import Assignment, Course, Enrollment, Grade, GradeChange, Student
from grading.standings import Place, Plan, Standing
from grading.totals import FIELDS
from grading.undoing import Undone


def course(seat: Seat) -> dict[str, Any]:
    return {
        **representation.course(seat.course),
        "role": seat.role,
        "may_write": seat.may_grade,
        "may_edit": seat.may_edit,
    }


def course_in_full(seat: Seat) -> dict[str, Any]:
    staff = seat.course.enrollments.filter(role__in=["teacher", "assistant"], state="active")
    people: dict[str, list[str]] = {"teacher": [], "assistant": []}
    for enrollment in staff:
        people[enrollment.role].append(enrollment.username)
    plan = standings.read_plan(course=seat.course, with_unpublished=seat.is_staff)
    return {
        **course(seat),
        "teachers": people["teacher"],
        "assistants": people["assistant"],
        "sections": [representation.section(section) for section in seat.course.sections.all()],
        "categories": [representation.category(each) for each in plan.categories.values()],
        "assignments": [representation.assignment(each) for each in plan.assignments.values()],
        "letters": representation.letters(plan.letters),
    }


def students(places: Iterable[Place], letters: scoring.Letters) -> list[dict[str, Any]]:
    """Students of a course with their totals as they are stored."""
    percentage = cache(partial(representation.percentage, letters=letters))
    return [
        {
            **representation.student_in_course(place),
            "current": percentage(place.current_percent),
            "final": percentage(place.final_percent),
        }
        for place in places
    ]


def enrollments(course: Course) -> list[dict[str, Any]]:
    """Everybody in a course as `representation.enrollment` has them, but read as plain rows."""
    found = course.enrollments.order_by("role", "student__name", "username", "id").values_list(
        *("id", "role", "state", "username", "section_id", "enrolled_at"),
        *("student_id", "student__name", "student__username", "student__sis_id"),
    )
    return [
        {
            "id": key,
            "role": role,
            "state": state,
            "username": username or login,
            "student": student and {"id": student, "name": name, "username": login, "sis_id": sis_id},
            "section": section,
            "enrolled_at": representation.time(enrolled_at),
        }
        for key, role, state, username, section, enrolled_at, student, name, login, sis_id in found
    ]


def student_in_full(seat: Seat, standing: Standing) -> dict[str, Any]:
    """Every assignment with its grade, and the totals with their explanation."""
    return {
        "course": course(seat),
        "student": representation.student(standing.student),
        "assignments": _assignments(seat, standing),
        **representation.totals(standing, with_unposted=seat.is_staff),
        "explanation": explanations(seat, standing),
        "neighbours": neighbours(seat, standing.student),
    }


def neighbours(seat: Seat, student: Student) -> dict[str, Any] | None:
    """The students before and after this one, for staff who go from one to the next."""
    if not seat.is_staff:
        return None
    return representation.neighbours(standings.read_neighbours(course=seat.course, student_id=student.pk))


def grade_in_full(
    seat: Seat, standing: Standing, assignment: Assignment, history: Sequence[GradeChange]
) -> dict[str, Any]:
    """Everything that a page about one grade shows."""
    return {
        "course": course(seat),
        "student": representation.student(standing.student),
        "assignment": representation.assignment(assignment),
        "grade": grade(seat, standing.student.pk, assignment, standing.grades.get(assignment.pk)),
        **representation.totals(standing, with_unposted=seat.is_staff),
        "changes": changes_of_grade(seat, assignment, history),
        "neighbours": neighbours(seat, standing.student),
    }


def changes_of_grade(seat: Seat, assignment: Assignment, history: Iterable[GradeChange]) -> list[dict[str, Any]]:
    """A grade's history; students and observers see none before it is posted, and not from where a change came."""
    if seat.is_staff:
        return [representation.change(change) for change in history]
    return [{**representation.change(change), "via": ""} for change in history] if assignment.posted else []


def assignment_in_full(seat: Seat, plan: Plan, assignment: Assignment) -> dict[str, Any]:
    """One column of the gradebook with its statistics, for staff."""
    places = standings.read_places(course=seat.course)
    stored = standings.read_cells(assignment_ids=[assignment.pk])
    cells = _cells(stored)
    scores = standings.scores_of(stored, {each.student_id for each in places})
    order = list(plan.assignments.values())
    at = order.index(assignment)
    around = [None, *({"id": each.pk, "title": each.title} for each in order), None]
    found = statistics.summarize(scores, points=int(assignment.points * 100))
    return {
        "course": course(seat),
        "assignment": representation.assignment(assignment),
        "category": representation.category(plan.categories[assignment.category_id]),
        "previous": around[at],
        "following": around[at + 2],
        "statistics": representation.statistics(found),
        "students": [
            {**row, "grade": cells[row["id"]].get(assignment.pk) or Cell(f"{row['id']}-{assignment.pk}", assignment.pk)}
            for row in students(places, plan.letters)
        ],
    }


def report(seat: Seat, standing: Standing, enrollment: Enrollment | None) -> dict[str, Any]:
    """One course in a student's report."""
    return {
        "course": course(seat),
        "section": enrollment.section.title if enrollment and enrollment.section else None,
        **representation.totals(standing, with_unposted=seat.is_staff),
        "categories": [
            {
                **representation.category(standing.plan.categories[part.category.id]),
                "earned": representation.amount(part.earned),
                "possible": representation.amount(part.possible),
                "current": representation.percentage(
                    None if part.ratio is None else f"{scoring.rounded(part.ratio * 100):f}", standing.plan.letters
                ),
            }
            for part in standing.current.parts
        ],
        "assignments": _assignments(seat, standing),
    }


def explained(seat: Seat, standing: Standing) -> dict[str, Any]:
    """Totals with the lines that they are made of."""
    return {
        "course": course(seat),
        "student": representation.student(standing.student),
        "letters": representation.letters(standing.plan.letters),
        **representation.totals(standing, with_unposted=seat.is_staff),
        "explanation": explanations(seat, standing),
    }


def explanations(seat: Seat, standing: Standing) -> dict[str, Any]:
    found = {"current": standing.current, "final": standing.final}
    if seat.is_staff and standing.plan.hides_grades:
        found |= {"unposted_current": standing.unposted_current, "unposted_final": standing.unposted_final}
    plan = standing.plan
    return {
        name: representation.explanation(
            total,
            weighted=plan.is_weighted,
            categories=plan.categories,
            assignments=plan.assignments,
            shows_hidden=seat.is_staff,
        )
        for name, total in found.items()
    }


def grades(plan: Plan, places: Sequence[Place], seat: Seat) -> dict[str, Any]:
    """The gradebook: every cell in the order of its assignments, and the totals as they are stored."""
    order = list(plan.assignments)
    shown = [each.pk for each in plan.assignments.values() if each.posted or seat.is_staff]
    own = None if seat.is_staff else [place.student_id for place in places]
    by_student = _cells(standings.read_cells(assignment_ids=shown, student_ids=own))
    totals = dict(zip(("current", "final", "unposted_current", "unposted_final"), FIELDS, strict=True))
    if not seat.is_staff:
        totals = {"current": FIELDS[0], "final": FIELDS[1]}
    percentage = cache(partial(representation.percentage, letters=plan.letters))
    students = []
    for place in places:
        student_id, cells = place.student_id, by_student[place.student_id]
        students.append(
            {
                **representation.student_in_course(place),
                **{name: percentage(getattr(place, field)) for name, field in totals.items()},
                "grades": [cells.get(each) or Cell(f"{student_id}-{each}", each) for each in order],
            }
        )
    return {
        "course": course(seat),
        "letters": representation.letters(plan.letters),
        "sections": [representation.section(section) for section in plan.course.sections.all()],
        "categories": [representation.category(category) for category in plan.categories.values()],
        "assignments": [representation.assignment(assignment) for assignment in plan.assignments.values()],
        "students": students,
    }


def grade(seat: Seat, student_id: int, assignment: Assignment, grade: Grade | None) -> dict[str, Any]:
    """One cell; blank for those who may not see it before it is posted."""
    shown = grade if seat.is_staff or assignment.posted else None
    return representation.cell(student_id, assignment.pk, shown)


def stored_grade(assignment: Assignment, stored: Stored, standing: Standing) -> dict[str, Any]:
    """A grade that staff have stored; `change` is what undoing it takes."""
    return {
        "grade": representation.cell(standing.student.pk, assignment.pk, stored.grade),
        "change": None if stored.change is None else stored.change.pk,
        "student": representation.student(standing.student),
        **representation.totals(standing, with_unposted=True),
        "warnings": representation.warnings(score=stored.grade.score, points=assignment.points),
    }


def changes(found: Iterable[PlacedChange]) -> list[dict[str, Any]]:
    return [
        {
            **representation.change(each.change),
            "grade": representation.grade_id(each.student_id, each.assignment_id),
            "student": each.student_id,
            "assignment": each.assignment_id,
        }
        for each in found
    ]


def undone(undone: Undone) -> dict[str, Any]:
    return {
        "batch": representation.batch(undone.batch),
        "grades": [
            representation.cell(each.grade.student_id, each.grade.assignment_id, each.grade) for each in undone.stored
        ],
        "students": representation.students_totals(undone.outcome.standings.values() if undone.outcome else ()),
        "refused": [
            {
                "change": undone.changes[refusal.index].pk,
                "grade": representation.grade_id(
                    undone.changes[refusal.index].grade.student_id, undone.changes[refusal.index].grade.assignment_id
                ),
                "detail": refusal.problem.detail,
                **refusal.problem.members,
            }
            for refusal in undone.refused
        ]
        or list(undone.refused_people),
    }


def own_grades(seat: Seat, standing: Standing) -> list[dict[str, Any]]:
    """The stored grades of one student in one course that the seat may see."""
    return [
        {
            **grade(seat, standing.student.pk, assignment, standing.grades[assignment.pk]),
            "course": seat.course.code,
            "title": assignment.title,
            "points": representation.amount(assignment.points),
        }
        for assignment in standing.plan.assignments.values()
        if assignment.pk in standing.grades and (assignment.posted or seat.is_staff)
    ]


def _assignments(seat: Seat, standing: Standing) -> list[dict[str, Any]]:
    student: Student = standing.student
    return [
        {
            **representation.assignment(assignment),
            "grade": grade(seat, student.pk, assignment, standing.grades.get(assignment.pk)),
        }
        for assignment in standing.plan.assignments.values()
    ]


class Cell(msgspec.Struct, gc=False):
    """A grade in a gradebook; made and encoded in half the time of a dictionary.

    Thousands are made for one answer and none holds another object of its kind: the garbage collector need not look.
    """

    id: str
    assignment: int
    score: str | None = None
    status: str = "none"
    excused: bool = False
    late_deduction: str = "0"
    comment: str = ""
    version: int = 0


def _cells(stored: Iterable[standings.CellRow]) -> dict[int, dict[int, Cell]]:
    """Grades by student and assignment."""
    found: dict[int, dict[int, Cell]] = defaultdict(dict)
    for student_id, assignment_id, score, status, deduction, comment, version in stored:
        found[student_id][assignment_id] = Cell(
            f"{student_id}-{assignment_id}",
            assignment_id,
            None if score is None else _hundredths(score),
            status,
            status == "excused",
            _hundredths(deduction) if deduction else "0",
            comment,
            version,
        )
    return found


@lru_cache(maxsize=4096)
def _hundredths(amount: int) -> str:
    """The text of an amount that is given in hundredths."""
    whole, part = divmod(amount, 100)
    return f"{whole}.{part:02}".rstrip("0") if part else str(whole)

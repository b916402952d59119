"""Making courses, putting students and assignments into them, and finding those."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from config.problems import Conflict, Invalid, NotFound
from grading.drafts import AssignmentDraft, CategoryDraft, CourseDraft, StudentDraft
from grading.models import Assignment, Category, Course, Enrollment, Student, Teacher


@transaction.atomic
def create_course(*, draft: CourseDraft) -> Course:
    """With its teachers and categories, in the order given. Raises Conflict when the code is taken."""
    course, is_new = Course.objects.get_or_create(
        code=draft.code, defaults={"title": draft.title, "scheme": draft.scheme}
    )
    if not is_new:
        raise Conflict(f"There is a course {draft.code!r} already: choose another code.")
    Teacher.objects.bulk_create(Teacher(course=course, username=username) for username in dict.fromkeys(draft.teachers))
    Category.objects.bulk_create(_category(course, position, draft) for position, draft in enumerate(draft.categories))
    return course


@transaction.atomic
def enrol(*, course: Course, draft: StudentDraft, now: datetime) -> tuple[Student, bool]:
    """The student, and whether they were not in the course before.

    One who is known by that username already, also from another course, keeps the name they have.
    """
    student, _ = Student.objects.get_or_create(username=draft.username, defaults={"name": draft.name})
    _, is_new = Enrollment.objects.get_or_create(course=course, student=student, defaults={"enrolled_at": now})
    return student, is_new


@transaction.atomic
def create_assignment(*, course: Course, draft: AssignmentDraft) -> Assignment:
    """Raises Invalid when the category is none of the course's, Conflict when it holds that title already."""
    # Lines up those who add to one course, so that neither titles nor positions collide.
    Course.objects.select_for_update().get(pk=course.pk)
    category = Category.objects.filter(course=course, pk=draft.category).first()
    if category is None:
        detail = f"The course has no category {draft.category}: GET /v1/courses/{course.code} lists them."
        raise Invalid("See `errors` for each member.", errors=[{"pointer": "/category", "detail": detail}])
    if category.assignments.filter(title=draft.title).exists():
        raise Conflict(f"{category.title!r} holds an assignment {draft.title!r} already: choose another title.")
    return Assignment.objects.create(
        category=category,
        title=draft.title,
        points=draft.points,
        due_on=draft.due_on,
        published=draft.published,
        extra_credit=draft.extra_credit,
        omit_from_final=draft.omit_from_final,
        never_drop=draft.never_drop,
        position=_next_position(course) if draft.position is None else draft.position,
    )


def find_student(*, course: Course, student_id: int) -> Student:
    """Raises NotFound."""
    student = Student.objects.filter(enrollments__course=course, pk=student_id).first()
    if student is None:
        raise NotFound(f"There is no student {student_id} in {course.code!r}: GET /v1/courses/{course.code}/students.")
    return student


def find_assignment(*, course: Course, assignment_id: int, with_unpublished: bool) -> Assignment:
    """Raises NotFound."""
    assignments = Assignment.objects.select_related("category__course").filter(category__course=course)
    assignment = assignments.filter(pk=assignment_id).first()
    if assignment is None or not (assignment.published or with_unpublished):
        listing = f"GET /v1/courses/{course.code}/assignments"
        raise NotFound(f"There is no assignment {assignment_id} in {course.code!r}: {listing}.")
    return assignment


def _category(course: Course, position: int, draft: CategoryDraft) -> Category:
    return Category(
        course=course,
        position=position,
        kind=draft.kind,
        title=draft.title,
        weight=draft.weight,
        drop_lowest=draft.drop_lowest,
        drop_highest=draft.drop_highest,
    )


def _next_position(course: Course) -> int:
    last = Assignment.objects.filter(category__course=course).aggregate(last=Max("position"))["last"]
    return 0 if last is None else min(last + 1, 32767)

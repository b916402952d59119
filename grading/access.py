"""Who may see and write what: a course's teachers everything in it, its students their own grades."""

from dataclasses import dataclass
from typing import TypedDict

from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django_stubs_ext import WithAnnotations

from config.problems import Forbidden, NotFound
from grading.models import Course, Enrollment, Teacher


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: a person, whose own rights decide, or a token that may do whatever its scopes allow.

    `author` is what changes are signed with; no username holds a colon, so that a token never passes for a person.
    """

    author: str
    username: str | None

    @classmethod
    def person(cls, username: str) -> "Actor":
        return cls(author=username, username=username)

    @classmethod
    def token(cls, name: str) -> "Actor":
        return cls(author=f"token:{name}", username=None)

    def require_own_rights(self) -> None:
        """Raises Forbidden for a person: what belongs to no course yet is up to tokens that act for themselves."""
        if self.username is not None:
            raise Forbidden("No person may do this: send a token that acts for itself, without the scope 'act-for'.")


@dataclass(frozen=True, kw_only=True)
class Seat:
    """An actor's place in a course."""

    course: Course
    is_teacher: bool
    # The student that the actor is in this course, if any.
    student_id: int | None

    @property
    def shown_student_id(self) -> int | None:
        """The only student this seat sees; None: all."""
        return None if self.is_teacher else self.student_id

    def require_teacher(self) -> None:
        if not self.is_teacher:
            raise Forbidden(f"Only a teacher of {self.course.code!r} may change anything in it.")

    def require_student(self, student_id: int) -> None:
        if not self.is_teacher and student_id != self.student_id:
            raise Forbidden(f"Only a teacher of {self.course.code!r} may see another student's grades.")


def list_seats(*, actor: Actor) -> list[Seat]:
    """Of every course the actor may see."""
    return [_seat(course) for course in _visible_courses(actor)]


def find_seat(*, actor: Actor, code: str) -> Seat:
    """Raises NotFound also where the course is there but not for this person to see."""
    for course in _visible_courses(actor).filter(code=code):
        return _seat(course)
    sight = "" if actor.username is None else f" that {actor.username!r} may see"
    raise NotFound(f"There is no course {code!r}{sight}: GET /v1/courses lists those there are.")


def _seat(course: "WithAnnotations[Course, _Place]") -> Seat:
    return Seat(course=course, is_teacher=course.is_taught, student_id=course.own_student_id)


class _Place(TypedDict):
    is_taught: bool
    own_student_id: int | None


def _visible_courses(actor: Actor) -> "QuerySet[WithAnnotations[Course, _Place]]":
    if actor.username is None:
        return Course.objects.annotate(
            is_taught=Value(True), own_student_id=Value(None, output_field=BigIntegerField())
        )
    taught = Teacher.objects.filter(course=OuterRef("pk"), username=actor.username)
    own = Enrollment.objects.filter(course=OuterRef("pk"), student__username=actor.username)
    courses = Course.objects.annotate(is_taught=Exists(taught), own_student_id=Subquery(own.values("student_id")[:1]))
    return courses.filter(Q(is_taught=True) | Q(own_student_id__isnull=False))

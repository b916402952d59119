"""Permissions: staff see and grade the whole course, students and observers see one student's posted grades."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from config.problems import Forbidden, NotFound
from grading import rows
from grading.models import Course, Enrollment, Role, State, Student, Term

_STAFF = frozenset({Role.TEACHER, Role.ASSISTANT})


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person, whose own roles decide, or a token that may do whatever its scopes allow.

    `author` signs changes; no username holds a colon, so that a token never passes for a person. `via` names the token
    and the address that a change came from.
    """

    author: str
    username: str | None
    via: str = ""

    @classmethod
    def person(cls, username: str, *, via: str = "") -> "Actor":
        return cls(author=username, username=username, via=via)

    @classmethod
    def token(cls, name: str, *, via: str = "") -> "Actor":
        return cls(author=f"token:{name}", username=None, via=via)

    def require_own_rights(self) -> None:
        """Raises Forbidden for a person: what belongs to no course yet is up to tokens that act for themselves."""
        if self.username is not None:
            raise Forbidden("No person may do this: send a token that acts for itself, without the scope 'act-for'.")

    def require_teaching(self) -> None:
        """Raises Forbidden for a person who teaches no course."""
        if self.username is None:
            return
        teaches = Enrollment.objects.filter(username=self.username, role=Role.TEACHER, state=State.ACTIVE)
        if not teaches.exists():
            raise Forbidden("Only who teaches a course may open another: have an administrator open the first.")


@dataclass(frozen=True, kw_only=True)
class Seat:
    """An actor's place in a course.

    `roles` are those that are active or completed, `active` those that are active. `student_ids` are the students whom
    the actor is or observes here.
    """

    course: Course
    actor: Actor
    roles: frozenset[str]
    active: frozenset[str]
    student_ids: frozenset[int]

    @property
    def is_staff(self) -> bool:
        """Whether the actor sees everything in the course."""
        return self.actor.username is None or bool(self.roles & _STAFF)

    @property
    def may_grade(self) -> bool:
        return self.actor.username is None or bool(self.active & _STAFF)

    @property
    def may_edit(self) -> bool:
        """Whether the actor may change the course itself and who is in it."""
        return self.actor.username is None or Role.TEACHER in self.active

    @property
    def role(self) -> str:
        """The strongest of the actor's roles; `token` for one that acts for itself."""
        if self.actor.username is None:
            return "token"
        return next(role for role in Role.values if role in self.roles)

    @property
    def shown_student_ids(self) -> frozenset[int] | None:
        """The only students this seat sees; None: all."""
        return None if self.is_staff else self.student_ids

    def require_staff(self) -> None:
        if not self.is_staff:
            raise Forbidden(f"Only the teachers and assistants of {self.course.code!r} may see this.")

    def require_grader(self) -> None:
        if not self.may_grade:
            raise Forbidden(f"Only an active teacher or assistant of {self.course.code!r} may change grades in it.")

    def require_editor(self) -> None:
        if not self.may_edit:
            raise Forbidden(f"Only an active teacher of {self.course.code!r} may change anything in it.")

    def require_student(self, student_id: int) -> None:
        if not self.is_staff and student_id not in self.student_ids:
            raise Forbidden(f"Only a teacher of {self.course.code!r} may see another student's grades.")


def list_seats(*, actor: Actor, student_id: int | None = None) -> list[Seat]:
    """The actor's place in each course they may see, or in those of them that the student is in."""
    courses = Course.objects.select_related("term")
    if student_id is not None:
        of_student = Enrollment.objects.filter(role=Role.STUDENT, student=student_id).exclude(state=State.DROPPED)
        courses = courses.filter(pk__in=of_student.values("course"))
    if actor.username is None:
        return [_seat(actor, course, ()) for course in courses]
    own: dict[int, list[Enrollment]] = defaultdict(list)
    for enrollment in _enrollments(actor.username):
        own[enrollment.course_id].append(enrollment)
    return [_seat(actor, course, own[course.pk]) for course in courses.filter(pk__in=own)]


def find_seat(*, actor: Actor, code: str) -> Seat:
    """Raises NotFound also where the course is there but not for this person to see."""
    return take_seat(actor=actor, course=read_course({"code": [code]}), code=code)


def take_seat(*, actor: Actor, course: Course | None, code: str) -> Seat:
    """Find a seat as `find_seat` does, in a course that the caller has read already; None where there is none."""
    if course is not None:
        if actor.username is None:
            return _seat(actor, course, ())
        # As _enrollments of the course, written: every request asks it, and compiled it takes five times as long.
        own = Enrollment.objects.raw(
            "SELECT * FROM grading_enrollment WHERE course_id = %s AND state <> %s AND (username = %s OR "
            "(role = %s AND student_id IN (SELECT id FROM grading_student WHERE username = %s)))",
            [course.pk, State.DROPPED, actor.username, Role.STUDENT, actor.username],
        )
        if own:
            return _seat(actor, course, own)
    sight = "" if actor.username is None else f" that {actor.username!r} may see"
    raise NotFound(f"There is no course {code!r}{sight}: GET /v1/courses lists those there are.")


def read_course(values: Mapping[str, Collection[int | str]]) -> Course | None:
    """The course with these values in its columns, with its term."""
    for course in rows.select(Course, values):
        for term in rows.select(Term, {"id": [] if course.term_id is None else [course.term_id]}):
            course.term = term
        return course
    return None


def visible_students(*, actor: Actor) -> QuerySet[Student]:
    """The students of the actor's courses as staff, those whom they observe, and themselves."""
    if actor.username is None:
        return Student.objects.all()
    own = _enrollments(actor.username)
    taught = Enrollment.objects.filter(role=Role.STUDENT, course__in=own.filter(role__in=_STAFF).values("course"))
    return Student.objects.filter(
        Q(pk__in=taught.exclude(state=State.DROPPED).values("student"))
        | Q(pk__in=own.filter(role=Role.OBSERVER).values("student"))
        | Q(username=actor.username)
    )


def enrollable_students(*, seat: Seat) -> QuerySet[Student]:
    """The students that the actor may name by their ids. Trying one id after another reveals no student elsewhere."""
    in_course = Enrollment.objects.filter(course=seat.course, role=Role.STUDENT)
    return Student.objects.filter(
        Q(pk__in=visible_students(actor=seat.actor).values("pk")) | Q(pk__in=in_course.values("student"))
    )


def _enrollments(username: str) -> QuerySet[Enrollment]:
    """The person's own roles, but for those they dropped."""
    # By ids and not by a join: each side of the "or" then has an index of its own.
    own = Student.objects.filter(username=username).values("pk")
    by_name = Enrollment.objects.filter(Q(username=username) | Q(role=Role.STUDENT, student__in=own))
    return by_name.exclude(state=State.DROPPED)


def _seat(actor: Actor, course: Course, own: Iterable[Enrollment]) -> Seat:
    own = list(own)
    return Seat(
        course=course,
        actor=actor,
        roles=frozenset(each.role for each in own),
        active=frozenset(each.role for each in own if each.state == State.ACTIVE),
        student_ids=frozenset(each.student_id for each in own if each.student_id is not None),
    )

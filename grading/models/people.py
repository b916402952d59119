"""People: students, and the roles that people have in courses."""

from django.db import models
from django.db.models import Q

from grading.models.courses import Course, Section


class Role(models.TextChoices):
    TEACHER = "teacher", "teacher"
    ASSISTANT = "assistant", "assistant"
    STUDENT = "student", "student"
    OBSERVER = "observer", "observer"


class State(models.TextChoices):
    ACTIVE = "active", "active"
    # The course is over for this person: they still see it, and change nothing.
    COMPLETED = "completed", "completed"
    # This person left the course and sees nothing of it; a student's grades are kept.
    DROPPED = "dropped", "dropped"


class Student(models.Model):
    name = models.CharField(max_length=200)
    # The name that the student signs in with.
    username = models.CharField(max_length=150, unique=True)
    # The student information system's id; null where there is none.
    sis_id = models.CharField("SIS id", max_length=64, unique=True, null=True, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.CheckConstraint(condition=~Q(sis_id=""), name="student_sis_id_not_empty")]
        # A page of all students, by name.
        indexes = [models.Index(fields=["name", "id"], name="student_by_name")]

    def __str__(self) -> str:
        return self.name


class Enrollment(models.Model):
    """A person's role in a course.

    A student's row is also the lock that lines up the writers of this student's grades, and keeps the totals.
    """

    course = models.ForeignKey(Course, models.CASCADE, related_name="enrollments")
    role = models.CharField(max_length=9, choices=Role.choices, default=Role.STUDENT)
    state = models.CharField(max_length=9, choices=State.choices, default=State.ACTIVE)
    # The sign-in name of a teacher, an assistant or an observer; a student's stands in `student`.
    username = models.CharField(max_length=150, blank=True, default="")
    # The student, or the one whom an observer observes.
    student = models.ForeignKey(Student, models.CASCADE, null=True, blank=True, related_name="enrollments")
    section = models.ForeignKey(Section, models.PROTECT, null=True, blank=True, related_name="enrollments")
    enrolled_at = models.DateTimeField()

    # Rounded percentages, stored with each change of a grade, an assignment or a category. As text, because SQLite
    # keeps a decimal of more than 15 digits inexactly.
    current_percent = models.CharField(max_length=32, null=True, editable=False)
    final_percent = models.CharField(max_length=32, null=True, editable=False)
    # The same with the grades that are not posted yet.
    unposted_current_percent = models.CharField(max_length=32, null=True, editable=False)
    unposted_final_percent = models.CharField(max_length=32, null=True, editable=False)

    class Meta:
        ordering = ["course", "role", "student__name", "username", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["course", "student"], condition=Q(role="student"), name="enrollment_student_unique"
            ),
            models.UniqueConstraint(
                fields=["course", "username"],
                condition=Q(role__in=["teacher", "assistant"]),
                name="enrollment_staff_unique",
            ),
            models.UniqueConstraint(
                fields=["course", "username", "student"],
                condition=Q(role="observer"),
                name="enrollment_observer_unique",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="enrollment_role_known"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="enrollment_state_known"),
            models.CheckConstraint(
                condition=(
                    Q(role__in=["teacher", "assistant"], student=None) & ~Q(username="")
                    | Q(role="student", student__isnull=False, username="")
                    | Q(role="observer", student__isnull=False) & ~Q(username="")
                ),
                name="enrollment_names_its_person",
            ),
        ]
        # The courses of one person.
        indexes = [models.Index(fields=["username"], name="enrollment_by_username")]

    def __str__(self) -> str:
        return f"{self.role} {self.username or self.student_id} in {self.course_id}"

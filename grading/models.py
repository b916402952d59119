"""What grading keeps: courses and who is in them, what is graded, the grades and every change of them."""

from django.db import models
from django.db.models import Q


class Scheme(models.TextChoices):
    WEIGHTED = "weighted", "weighted categories"
    POINTS = "points", "points"


class Kind(models.TextChoices):
    HOMEWORK = "homework", "homework"
    TEST = "test", "test"
    QUIZ = "quiz", "quiz"


class Course(models.Model):
    code = models.SlugField(max_length=63, unique=True)
    title = models.CharField(max_length=200)
    scheme = models.CharField(max_length=8, choices=Scheme.choices, default=Scheme.WEIGHTED)

    class Meta:
        ordering = ["code"]
        constraints = [models.CheckConstraint(condition=Q(scheme__in=Scheme.values), name="course_scheme_known")]

    def __str__(self) -> str:
        return self.code


class Teacher(models.Model):
    """A person who may see and write everything in a course, by the name they sign in with."""

    course = models.ForeignKey(Course, models.CASCADE, related_name="teachers")
    username = models.CharField(max_length=150)

    class Meta:
        ordering = ["username"]
        constraints = [models.UniqueConstraint(fields=["course", "username"], name="teacher_unique")]
        # The courses of one teacher.
        indexes = [models.Index(fields=["username"], name="teacher_by_username")]

    def __str__(self) -> str:
        return f"{self.username} in {self.course_id}"


class Student(models.Model):
    name = models.CharField(max_length=200)
    # What the student signs in with, and by which other systems know them.
    username = models.CharField(max_length=150, unique=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Enrollment(models.Model):
    """A student in a course; its row is the lock that lines up the writers of this student's grades."""

    course = models.ForeignKey(Course, models.CASCADE, related_name="enrollments")
    student = models.ForeignKey(Student, models.CASCADE, related_name="enrollments")
    enrolled_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "student"], name="enrollment_unique")]

    def __str__(self) -> str:
        return f"{self.student_id} in {self.course_id}"


class Category(models.Model):
    course = models.ForeignKey(Course, models.CASCADE, related_name="categories")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    title = models.CharField(max_length=200)
    # Percent of the total, in the weighted scheme.
    weight = models.DecimalField(max_digits=9, decimal_places=2, default=0)
    drop_lowest = models.PositiveSmallIntegerField(default=0)
    drop_highest = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(fields=["course", "title"], name="category_title_unique"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="category_kind_known"),
            models.CheckConstraint(condition=Q(weight__gte=0), name="category_weight_not_negative"),
        ]

    def __str__(self) -> str:
        return self.title


class Assignment(models.Model):
    category = models.ForeignKey(Category, models.PROTECT, related_name="assignments")
    title = models.CharField(max_length=200)
    points = models.DecimalField(max_digits=9, decimal_places=2)
    due_on = models.DateField(null=True, blank=True)
    published = models.BooleanField(default=True)
    extra_credit = models.BooleanField(default=False)
    omit_from_final = models.BooleanField(default=False)
    never_drop = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["category", "title"], name="assignment_title_unique"),
            models.CheckConstraint(condition=Q(points__gte=0), name="assignment_points_not_negative"),
        ]

    def __str__(self) -> str:
        return self.title


class Grade(models.Model):
    """What a student got for an assignment. A blank score is not a zero: nothing was graded."""

    student = models.ForeignKey(Student, models.PROTECT, related_name="grades")
    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="grades")
    score = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True)
    excused = models.BooleanField(default=False)
    comment = models.TextField(max_length=2000, blank=True)
    # Counts the changes; a writer names the one it saw, so that it cannot overwrite one that it did not.
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()
    updated_by = models.CharField(max_length=160)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["student", "assignment"], name="grade_unique"),
            models.CheckConstraint(condition=Q(score__gte=0), name="grade_score_not_negative"),
            models.CheckConstraint(condition=Q(version__gte=1), name="grade_version_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.student_id}/{self.assignment_id} v{self.version}"


class GradeChange(models.Model):
    """One change of a grade, written with it and never changed after; the first has nothing before it."""

    grade = models.ForeignKey(Grade, models.PROTECT, related_name="changes")
    # Of the grade, after this change.
    version = models.PositiveIntegerField()
    at = models.DateTimeField()
    author = models.CharField(max_length=160)
    score_before = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    score_after = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    excused_before = models.BooleanField(default=False)
    excused_after = models.BooleanField(default=False)
    comment_before = models.TextField(blank=True)
    comment_after = models.TextField(blank=True)

    class Meta:
        ordering = ["grade", "version"]
        # Its index also serves the history of one grade.
        constraints = [models.UniqueConstraint(fields=["grade", "version"], name="grade_change_unique")]

    def __str__(self) -> str:
        return f"{self.grade_id} v{self.version}"

"""Courses: their term, sections and grade scale, and what is graded in them."""

from django.db import models
from django.db.models import F, Q


class Scheme(models.TextChoices):
    WEIGHTED = "weighted", "weighted categories"
    POINTS = "points", "points"


class Kind(models.TextChoices):
    HOMEWORK = "homework", "homework"
    TEST = "test", "test"
    QUIZ = "quiz", "quiz"


class Term(models.Model):
    code = models.SlugField(max_length=63, unique=True)
    title = models.CharField(max_length=200)
    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        ordering = ["-starts_on", "code"]
        constraints = [models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="term_ends_after_start")]

    def __str__(self) -> str:
        return self.title


class GradeScale(models.Model):
    """Letters and the least percentage of each; a course without a scale of its own uses `scoring.LETTERS`."""

    title = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class GradeStep(models.Model):
    scale = models.ForeignKey(GradeScale, models.CASCADE, related_name="steps")
    letter = models.CharField(max_length=16)
    least_percent = models.DecimalField(max_digits=5, decimal_places=2)

    class Meta:
        ordering = ["scale", "-least_percent"]
        constraints = [
            models.UniqueConstraint(fields=["scale", "letter"], name="grade_step_letter_unique"),
            models.UniqueConstraint(fields=["scale", "least_percent"], name="grade_step_percent_unique"),
            models.CheckConstraint(condition=Q(least_percent__gte=0), name="grade_step_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.letter} from {self.least_percent}"


class Course(models.Model):
    code = models.SlugField(max_length=63, unique=True)
    title = models.CharField(max_length=200)
    scheme = models.CharField(max_length=8, choices=Scheme.choices, default=Scheme.WEIGHTED)
    term = models.ForeignKey(Term, models.PROTECT, null=True, blank=True, related_name="courses")
    scale = models.ForeignKey(GradeScale, models.PROTECT, null=True, blank=True, related_name="courses")

    class Meta:
        ordering = ["code"]
        constraints = [models.CheckConstraint(condition=Q(scheme__in=Scheme.values), name="course_scheme_known")]

    def __str__(self) -> str:
        return self.code


class Section(models.Model):
    course = models.ForeignKey(Course, models.CASCADE, related_name="sections")
    title = models.CharField(max_length=200)

    class Meta:
        ordering = ["title"]
        constraints = [models.UniqueConstraint(fields=["course", "title"], name="section_title_unique")]

    def __str__(self) -> str:
        return self.title


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
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.HOMEWORK)
    title = models.CharField(max_length=200)
    points = models.DecimalField(max_digits=9, decimal_places=2)
    due_on = models.DateField(null=True, blank=True)
    # Students see the assignment.
    published = models.BooleanField(default=True)
    # Students see its grades, and totals count them.
    posted = models.BooleanField(default=True)
    extra_credit = models.BooleanField(default=False)
    omit_from_final = models.BooleanField(default=False)
    never_drop = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["category", "title"], name="assignment_title_unique"),
            models.CheckConstraint(condition=Q(points__gte=0), name="assignment_points_not_negative"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="assignment_kind_known"),
        ]

    def __str__(self) -> str:
        return self.title

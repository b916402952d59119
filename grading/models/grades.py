"""Grades, every change of them, and what was changed together."""

from django.db import models
from django.db.models import Q

from grading.models.courses import Assignment, Course
from grading.models.people import Student

MOST_COMMENT_CHARACTERS = 2000


class Status(models.TextChoices):
    NONE = "none", "none"
    MISSING = "missing", "missing"
    LATE = "late", "late"
    EXCUSED = "excused", "excused"
    INCOMPLETE = "incomplete", "incomplete"


class Source(models.TextChoices):
    """The way by which a change was made."""

    SINGLE = "single", "one grade"
    BULK = "bulk", "bulk write"
    IMPORT = "import", "file import"
    UNDO = "undo", "undo"


class ImportBatch(models.Model):
    """Changes that were made together and can be undone together: a file, a bulk write or an undo."""

    class Progress(models.TextChoices):
        PREVIEW = "preview", "waits for confirmation"
        QUEUED = "queued", "waits for a worker"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    course = models.ForeignKey(Course, models.CASCADE, related_name="batches")
    source = models.CharField(max_length=8, choices=Source.choices)
    # The content of a file: "grades" or "roster"; empty for a batch that came in no file.
    content = models.CharField(max_length=8, blank=True)
    progress = models.CharField(max_length=8, choices=Progress.choices, default=Progress.DONE)
    author = models.CharField(max_length=160)
    via = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    # When a worker last took it up.
    claimed_at = models.DateTimeField(null=True, blank=True)
    # The number of workers that have taken it up: more than one where a worker was killed amid it.
    starts = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    filename = models.CharField(max_length=255, blank=True)
    file = models.BinaryField(null=True, blank=True)
    # The options for reading the file: separator, columns, the meaning of a blank.
    options = models.JSONField(default=dict, blank=True)
    # The file's changes as the preview showed them; then their outcome.
    preview = models.JSONField(default=dict, blank=True)
    outcome = models.JSONField(default=dict, blank=True)
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    undoes = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="undone_by")

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "import batches"
        constraints = [models.CheckConstraint(condition=Q(source__in=Source.values), name="import_batch_source_known")]
        # The batches that wait for a worker; all others are finished or wait for a person.
        indexes = [
            models.Index(
                fields=["progress"], condition=Q(progress__in=["queued", "running"]), name="import_batch_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.pk}"


class Grade(models.Model):
    """A student's grade for an assignment. A blank score is not a zero: nothing was graded."""

    student = models.ForeignKey(Student, models.PROTECT, related_name="grades")
    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="grades")
    # As entered, before any deduction; may exceed the points.
    score = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.NONE)
    # The points to subtract for late work.
    late_deduction = models.DecimalField(max_digits=9, decimal_places=2, default=0)
    comment = models.TextField(max_length=MOST_COMMENT_CHARACTERS, blank=True)
    # Counts the changes; a writer names the one it saw, so that it cannot overwrite one that it did not.
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()
    updated_by = models.CharField(max_length=160)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["student", "assignment"], name="grade_unique"),
            models.CheckConstraint(condition=Q(score__gte=0), name="grade_score_not_negative"),
            models.CheckConstraint(condition=Q(version__gte=1), name="grade_version_positive"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="grade_status_known"),
            models.CheckConstraint(
                condition=Q(late_deduction=0) | Q(status="late", late_deduction__gt=0), name="grade_deduction_of_late"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student_id}-{self.assignment_id} v{self.version}"


class GradeChange(models.Model):
    """One change of a grade, written with it; the database refuses to change or delete it.

    The first change of a grade has a blank before it.
    """

    grade = models.ForeignKey(Grade, models.PROTECT, related_name="changes")
    # The grade's, after this change.
    version = models.PositiveIntegerField()
    at = models.DateTimeField()
    author = models.CharField(max_length=160)
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.SINGLE)
    # The token or command through which the author acted, and the address it was called from.
    via = models.CharField(max_length=200, blank=True)
    batch = models.ForeignKey(ImportBatch, models.PROTECT, null=True, blank=True, related_name="changes")
    score_before = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    score_after = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    status_before = models.CharField(max_length=10, choices=Status.choices, default=Status.NONE)
    status_after = models.CharField(max_length=10, choices=Status.choices, default=Status.NONE)
    late_deduction_before = models.DecimalField(max_digits=9, decimal_places=2, default=0)
    late_deduction_after = models.DecimalField(max_digits=9, decimal_places=2, default=0)
    comment_before = models.TextField(blank=True)
    comment_after = models.TextField(blank=True)

    class Meta:
        ordering = ["grade", "version"]
        # Its index also serves the history of one grade.
        constraints = [models.UniqueConstraint(fields=["grade", "version"], name="grade_change_unique")]

    def __str__(self) -> str:
        return f"{self.grade_id} v{self.version}"


class StoredAnswer(models.Model):
    """The answer to a request with an `Idempotency-Key`, given again when the request is repeated."""

    author = models.CharField(max_length=160)
    key = models.CharField(max_length=255)
    # The SHA-256 of the method, the address and the body.
    fingerprint = models.CharField(max_length=64)
    body = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["author", "key"], name="stored_answer_unique")]
        # The answers to prune.
        indexes = [models.Index(fields=["at"], name="stored_answer_by_time")]

    def __str__(self) -> str:
        return f"{self.author} {self.key}"

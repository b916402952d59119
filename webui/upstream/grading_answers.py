"""Grading's answers: courses, students, grades, totals, changes and imports.

Scores and percentages stay the strings that grading writes: no float ever touches them. A gradebook has thousands of
grades, which are structs because those are read in a fraction of the time that dataclasses take.
"""

from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct, field, structs


class Status(StrEnum):
    NONE = "none"
    MISSING = "missing"
    LATE = "late"
    EXCUSED = "excused"
    INCOMPLETE = "incomplete"


class Letter(Struct, frozen=True, kw_only=True):
    letter: str
    least_percent: str


class Course(Struct, frozen=True, kw_only=True):
    """`may_write` is about grades, `may_edit` about the course and who is in it."""

    code: str
    title: str
    scheme: str = "weighted"
    term: str | None = None
    scale: int | None = None
    role: str = ""
    may_write: bool = False
    may_edit: bool = False


class Term(Struct, frozen=True, kw_only=True):
    code: str
    title: str


class Scale(Struct, frozen=True, kw_only=True):
    """Letters that a course may have instead of the usual ones."""

    id: int
    title: str


class Category(Struct, frozen=True, kw_only=True):
    id: int
    title: str
    kind: str = "homework"
    weight: str = "0"
    drop_lowest: int = 0
    drop_highest: int = 0


class Section(Struct, frozen=True, kw_only=True):
    id: int
    title: str


class Assignment(Struct, frozen=True, kw_only=True):
    id: int
    title: str
    category: int
    points: str
    kind: str = "homework"
    due_on: date | None = None
    published: bool = True
    posted: bool = True
    extra_credit: bool = False
    omit_from_final: bool = False
    never_drop: bool = False


class CourseInFull(Course, frozen=True, kw_only=True):
    teachers: list[str] = field(default_factory=list)
    assistants: list[str] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    categories: list[Category] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)


class Total(Struct, frozen=True, kw_only=True, gc=False):
    """A total; None where nothing counts yet, which is not 0 %."""

    percent: str | None = None
    letter: str | None = None


class Student(Struct, frozen=True, kw_only=True):
    id: int
    name: str
    username: str = ""
    sis_id: str | None = None
    section: int | None = None


class Grade(Struct, frozen=True, kw_only=True, gc=False):
    """Version 0 is a grade that was never stored."""

    score: str | None = None
    status: Status = Status.NONE
    late_deduction: str = "0"
    comment: str = ""
    version: int = 0
    updated_by: str | None = None
    updated_at: datetime | None = None


class StudentRow(Student, frozen=True, kw_only=True):
    """One student's line of a gradebook; `grades` in the order of its assignments."""

    state: str = "active"
    current: Total = Total()
    final: Total = Total()
    grades: list[Grade] = field(default_factory=list)

    def with_grades(self, grades: list[Grade]) -> "StudentRow":
        return structs.replace(self, grades=grades)


class Gradebook(Struct, frozen=True, kw_only=True):
    course: Course
    categories: list[Category]
    assignments: list[Assignment]
    students: list[StudentRow]
    sections: list[Section] = field(default_factory=list)


class Line(Struct, frozen=True, kw_only=True):
    """One assignment's part in a total; `reason` says why it counts, or does not."""

    assignment: int
    title: str
    points: str
    score: str | None
    counts: bool
    reason: str
    outcome: str = ""
    late_deduction: str = "0"
    earned: str = "0"
    possible: str = "0"

    @property
    def is_dropped(self) -> bool:
        return self.outcome.startswith("dropped")


class Part(Struct, frozen=True, kw_only=True):
    """One category's part in a total."""

    category: int
    title: str
    weight: str
    earned: str
    possible: str
    percent: str | None
    lines: list[Line]


class Rounding(Struct, frozen=True, kw_only=True):
    exact: str
    rounded: str
    rule: str


class Explanation(Struct, frozen=True, kw_only=True):
    formula: str | None
    categories: list[Part]
    rounding: Rounding | None = None


class Explanations(Struct, frozen=True, kw_only=True):
    current: Explanation
    final: Explanation


class GradedAssignment(Assignment, frozen=True, kw_only=True):
    grade: Grade = Grade()


class Neighbour(Struct, frozen=True, kw_only=True):
    """The student or the assignment before or after one."""

    id: int
    name: str = ""
    title: str = ""


class Neighbours(Struct, frozen=True, kw_only=True):
    """The students before and after one, by name."""

    previous: Neighbour | None
    following: Neighbour | None
    number: int
    count: int


class Report(Struct, frozen=True, kw_only=True):
    """Everything that one student got in a course."""

    course: Course
    student: Student
    assignments: list[GradedAssignment]
    current: Total
    final: Total
    explanation: Explanations
    neighbours: Neighbours | None = None


class Stored(Struct, frozen=True, kw_only=True):
    """A grade as it was stored, the student's totals with it, and the change to undo; None where nothing changed."""

    grade: Grade
    current: Total
    final: Total
    change: int | None = None


class Batch(Struct, frozen=True, kw_only=True):
    """Changes that were made together: a file, a bulk write or an undo."""

    id: int
    source: str
    progress: str = "done"
    author: str = ""
    created_at: datetime | None = None
    finished_at: datetime | None = None
    filename: str | None = None
    undoes: int | None = None


class PlacedGrade(Grade, frozen=True, kw_only=True, gc=False):
    """A grade with its student and assignment."""

    student: int
    assignment: int


class StudentTotals(Struct, frozen=True, kw_only=True):
    id: int
    current: Total
    final: Total


class _Refusal(Struct, frozen=True, kw_only=True):
    grade: str = ""
    detail: str = ""


class BatchStored(Struct, frozen=True, kw_only=True):
    """Grades as they were stored, and the totals of their students."""

    batch: Batch
    grades: list[PlacedGrade]
    students: list[StudentTotals] = field(default_factory=list)
    refused: list[_Refusal] = field(default_factory=list)


class Content(Struct, frozen=True, kw_only=True, gc=False):
    """A grade before or after a change."""

    score: str | None = None
    status: Status = Status.NONE
    late_deduction: str = "0"
    comment: str = ""


class Change(Struct, frozen=True, kw_only=True):
    id: int
    version: int
    at: datetime
    author: str
    after: Content
    before: Content | None = None
    source: str = "single"
    via: str = ""
    batch: int | None = None
    student: int = 0
    assignment: int = 0


class Statistics(Struct, frozen=True, kw_only=True):
    """`histogram` counts the scores in each tenth of the points, and last those above."""

    count: int
    histogram: list[int]
    mean: str | None = None
    median: str | None = None
    lower_quartile: str | None = None
    upper_quartile: str | None = None
    deviation: str | None = None
    least: str | None = None
    greatest: str | None = None


class GradeInFull(Struct, frozen=True, kw_only=True):
    """Everything that a page about one grade shows; `changes` with the oldest first."""

    course: Course
    student: Student
    assignment: Assignment
    grade: Grade
    current: Total
    final: Total
    changes: list[Change]
    neighbours: Neighbours | None = None


class GradedStudent(StudentRow, frozen=True, kw_only=True):
    grade: Grade = Grade()


class AssignmentInFull(Struct, frozen=True, kw_only=True):
    """One column of a gradebook, with how its scores are spread."""

    course: Course
    assignment: Assignment
    category: Category
    statistics: Statistics
    students: list[GradedStudent]
    previous: Neighbour | None = None
    following: Neighbour | None = None


class _Named(Struct, frozen=True, kw_only=True):
    id: int
    name: str = ""
    title: str = ""


class History(Struct, frozen=True, kw_only=True):
    """The latest changes of a course, and everybody and everything that they may be of."""

    course: Course
    changes: list[Change]
    students: list[_Named]
    assignments: list[_Named]


class Supposed(Struct, frozen=True, kw_only=True):
    """Totals with supposed scores."""

    current: Total
    final: Total


class Enrollment(Struct, frozen=True, kw_only=True):
    id: int
    role: str
    state: str
    username: str
    student: Student | None = None
    section: int | None = None


class Column(Struct, frozen=True, kw_only=True):
    """A column of a file, and what it is taken for."""

    index: int
    header: str
    meaning: str
    why: str = ""
    assignment: int | None = None
    # The members of an assignment that is to be made.
    category: int | None = None
    points: str | None = None


class ImportedChange(Struct, frozen=True, kw_only=True):
    line: int
    student: int
    name: str
    assignment: int | None
    old: Content
    new: Content
    version: int = 0
    needs_confirmation: bool = False


class ImportedPerson(Struct, frozen=True, kw_only=True):
    line: int = 0
    name: str = ""
    username: str = ""
    role: str = ""
    section: str = ""
    state: str = ""
    action: str = ""


class Notice(Struct, frozen=True, kw_only=True):
    """A fault of a row of a file."""

    line: int = 0
    text: str = ""
    detail: str = ""


class Preview(Struct, frozen=True, kw_only=True):
    columns: list[Column] = field(default_factory=list)
    changes: list[ImportedChange] = field(default_factory=list)
    changes_total: int = 0
    # How many of all need to be confirmed.
    far_above: int = 0
    people: list[ImportedPerson] = field(default_factory=list)
    people_total: int = 0
    same: int = 0
    blank: int = 0
    faults: list[Notice] = field(default_factory=list)
    unknown: list[Notice] = field(default_factory=list)


class RefusedRow(Notice, frozen=True, kw_only=True):
    """A row that was not stored; `theirs` is the grade that somebody else stored since the preview."""

    theirs: Grade | None = None


class ImportOutcome(Struct, frozen=True, kw_only=True):
    stored: int = 0
    # Why it failed.
    detail: str = ""
    refused: list[RefusedRow] = field(default_factory=list)


class Import(Batch, frozen=True, kw_only=True):
    content: str = "grades"
    blanks: str = "keep"
    rows_done: int = 0
    rows_total: int = 0
    preview: Preview = Preview()
    outcome: ImportOutcome | None = None
    # The batch by which it was undone.
    undone_by: int | None = None


class ImportInFull(Import, frozen=True, kw_only=True):
    """An import with its course, whose assignments its columns may mean."""

    course: CourseInFull


class People(Struct, frozen=True, kw_only=True):
    course: Course
    sections: list[Section]
    enrollments: list[Enrollment]


class Batches(Struct, frozen=True, kw_only=True):
    """Batches, the latest first."""

    course: Course
    batches: list[Batch]

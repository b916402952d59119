"""A course's gradebook as Canvas exports it; importing the file again changes nothing."""

from collections.abc import Iterator

from grading import scoring, standings, totals
from grading.files.people import sorted_name
from grading.files.tables import neutralized, write
from grading.models import Course, Grade, Status
from grading.standings import Standing

_IDENTITIES = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_TOTALS = ("Current", "Unposted Current", "Final", "Unposted Final")
_READ_ONLY = "(read only)"


def export(*, course: Course) -> str:
    """Scores are those that were entered, before any late deduction, so that they come back as they are."""
    plan = standings.read_plan(course=course, with_unpublished=True)
    enrollments = {each.student_id: each for each in standings.read_enrollments(course=course)}
    sections = {section.pk: section.title for section in course.sections.all()}
    units = ("Score",) if plan.is_weighted else ("Points", "Score")
    columns = [f"{each.title} ({each.pk})" for each in plan.assignments.values()]
    for title in [*(f"{category.title} " for category in plan.categories.values()), ""]:
        columns += [f"{title}{name} {unit}" for unit in units for name in _TOTALS]
    rows = [[*_IDENTITIES, *map(neutralized, columns), *(f"{name} Grade" for name in _TOTALS)]]
    if plan.hides_grades:
        policies = ["" if each.posted else "Manual Posting" for each in plan.assignments.values()]
        rows.append([""] * len(_IDENTITIES) + policies + [""] * (len(rows[0]) - len(_IDENTITIES) - len(policies)))
    possible = [f"{each.points:.2f}" for each in plan.assignments.values()]
    points = ["    Points Possible", *[""] * (len(_IDENTITIES) - 1), *possible]
    rows.append([*points, *[_READ_ONLY] * (len(rows[0]) - len(points))])
    for standing in standings.read_standings(plan=plan):
        student = standing.student
        section = sections.get(enrollments[student.pk].section_id or 0, "")
        words = (sorted_name(student.name), str(student.pk), student.sis_id or "", student.username, section)
        cells = [_cell(standing.grades.get(each.pk)) for each in plan.assignments.values()]
        rows.append([*map(neutralized, words), *cells, *_sums(standing)])
    return write(rows)


def _cell(grade: Grade | None) -> str:
    if grade is None:
        return ""
    if grade.status == Status.EXCUSED:
        return "EX"
    return "" if grade.score is None else f"{grade.score:.2f}"


def _sums(standing: Standing) -> Iterator[str]:
    """The totals of each category and of the whole, in the order of the header."""
    found = (standing.current, standing.unposted_current, standing.final, standing.unposted_final)
    for index in range(len(standing.plan.categories)):
        parts = [total.parts[index] for total in found]
        if not standing.plan.is_weighted:
            yield from (f"{part.earned:.2f}" for part in parts)
        yield from ("" if part.ratio is None else f"{scoring.rounded(part.ratio * 100):.2f}" for part in parts)
    if not standing.plan.is_weighted:
        yield from (f"{sum(part.earned for part in total.parts):.2f}" for total in found)
    yield from (totals.text(total) or "" for total in found)
    for total in found:
        yield "" if total.percent is None else scoring.letter(total.percent, standing.plan.letters)

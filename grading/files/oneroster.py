"""A course as a bundle of CSV files in the form of OneRoster 1.2."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence

from grading import representation, scoring, standings
from grading.files.tables import neutralized, write
from grading.models import Assignment, Course, Enrollment, Role, State, Status
from grading.standings import Plan

ORG = "rollcall"
# Files of the specification, whether or not a course has them.
_FILES = (
    "academicSessions",
    "categories",
    "classes",
    "classResources",
    "courses",
    "courseResources",
    "demographics",
    "enrollments",
    "lineItemLearningObjectiveIds",
    "lineItems",
    "lineItemScoreScales",
    "orgs",
    "resources",
    "resultLearningObjectiveIds",
    "results",
    "resultScoreScales",
    "roles",
    "scoreScales",
    "userProfiles",
    "userResources",
    "users",
)
_COLUMNS = {
    "academicSessions": "title,type,startDate,endDate,parentSourcedId,schoolYear",
    "categories": "title,weight",
    "classes": "title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,"
    "subjectCodes,periods",
    "courses": "schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes",
    "enrollments": "classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
    "lineItems": "title,description,assignDate,dueDate,classSourcedId,categorySourcedId,academicSessionSourcedId,"
    "resultValueMin,resultValueMax,schoolSourcedId",
    "orgs": "name,type,identifier,parentSourcedId",
    "results": "lineItemSourcedId,studentSourcedId,scoreStatus,score,scoreDate,comment,textScore,classSourcedId,"
    "inProgress,incomplete,late,missing",
    "users": "enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,"
    "grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,preferredMiddleName,"
    "preferredFamilyName,primaryOrgSourcedId,pronouns",
}
_ROLES = {Role.TEACHER: "teacher", Role.ASSISTANT: "aide", Role.STUDENT: "student"}

Rows = Iterator[Mapping[str, str]]


def export(*, course: Course) -> bytes:
    """A ZIP archive of the course with everybody in it and every grade; whole, not changes since an earlier one."""
    plan = standings.read_plan(course=course, with_unpublished=True)
    enrollments = list(course.enrollments.exclude(role=Role.OBSERVER).select_related("student", "section"))
    identity, term = f"course-{course.pk}", course.term
    found: dict[str, Iterable[Mapping[str, str]]] = {
        "orgs": [{"sourcedId": ORG, "name": "Rollcall", "type": "school", "identifier": ORG}],
        "academicSessions": [
            {
                "sourcedId": _session(course),
                "title": term.title,
                "type": "term",
                "startDate": term.starts_on.isoformat(),
                "endDate": term.ends_on.isoformat(),
                "schoolYear": str(term.ends_on.year),
            }
        ]
        if term is not None
        else [],
        "courses": [{"sourcedId": identity, "title": course.title, "courseCode": course.code, "orgSourcedId": ORG}],
        "classes": [
            {
                "sourcedId": _class(course),
                "title": course.title,
                "courseSourcedId": identity,
                "classCode": course.code,
                "classType": "scheduled",
                "schoolSourcedId": ORG,
                "termSourcedIds": _session(course),
            }
        ],
        "users": _users(enrollments),
        "enrollments": _enrollments(course, enrollments),
        "categories": [
            {"sourcedId": f"category-{each.pk}", "title": each.title, "weight": representation.amount(each.weight)}
            for each in plan.categories.values()
        ],
        "lineItems": _line_items(plan),
        "results": _results(plan),
    }
    manifest: list[Sequence[str]] = [
        ("propertyName", "value"),
        ("manifest.version", "1.0"),
        ("oneroster.version", "1.2"),
        *((f"file.{name}", "bulk" if name in found else "absent") for name in _FILES),
        ("source.systemName", "Rollcall"),
        ("source.systemCode", ORG),
    ]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("manifest.csv", write(manifest))
        for name, rows in found.items():
            # In a bundle that holds everything, status and date are blank: they are for one that holds changes.
            header = ["sourcedId", "status", "dateLastModified", *_COLUMNS[name].split(",")]
            table = [[neutralized(row.get(column, "")) for column in header] for row in rows]
            bundle.writestr(f"{name}.csv", write([header, *table]))
    return archive.getvalue()


def _users(enrollments: Sequence[Enrollment]) -> Rows:
    seen = set()
    for enrollment in enrollments:
        if (user := _user(enrollment)) in seen:
            continue
        seen.add(user)
        student = enrollment.student
        first, _, last = (student.name if student else enrollment.username).rpartition(" ")
        yield {
            "sourcedId": user,
            "enabledUser": "true",
            "username": student.username if student else enrollment.username,
            "givenName": first or last,
            "familyName": last,
            "identifier": (student.sis_id or "") if student else "",
            "primaryOrgSourcedId": ORG,
        }


def _enrollments(course: Course, enrollments: Sequence[Enrollment]) -> Rows:
    for enrollment in enrollments:
        if enrollment.state != State.DROPPED:
            yield {
                "sourcedId": f"enrollment-{enrollment.pk}",
                "classSourcedId": _class(course),
                "schoolSourcedId": ORG,
                "userSourcedId": _user(enrollment),
                "role": _ROLES[Role(enrollment.role)],
                "primary": "true" if enrollment.role == Role.TEACHER else "false",
                "beginDate": enrollment.enrolled_at.date().isoformat(),
            }


def _line_items(plan: Plan) -> Rows:
    for assignment in plan.assignments.values():
        yield {
            "sourcedId": _line_item(assignment),
            "title": assignment.title,
            "dueDate": assignment.due_on.isoformat() if assignment.due_on else "",
            "classSourcedId": _class(plan.course),
            "categorySourcedId": f"category-{assignment.category_id}",
            "academicSessionSourcedId": _session(plan.course),
            "resultValueMin": "0",
            "resultValueMax": representation.amount(assignment.points),
            "schoolSourcedId": ORG,
        }


def _results(plan: Plan) -> Rows:
    """Scores less deductions: OneRoster knows no other."""
    for student_id, grades in standings.read_grades(plan=plan).items():
        for assignment_id, grade in grades.items():
            score = grade.score if grade.score is None else max(grade.score - grade.late_deduction, scoring.ZERO)
            status = "fully graded"
            if grade.status == Status.EXCUSED:
                status = "exempt"
            elif grade.score is None:
                status = "not submitted"
            elif grade.status == Status.INCOMPLETE:
                status = "partially graded"
            yield {
                "sourcedId": f"result-{student_id}-{assignment_id}",
                "lineItemSourcedId": _line_item(plan.assignments[assignment_id]),
                "studentSourcedId": f"student-{student_id}",
                "scoreStatus": status,
                "score": "" if score is None else representation.amount(score),
                "scoreDate": grade.updated_at.date().isoformat(),
                "comment": grade.comment,
                "classSourcedId": _class(plan.course),
                "inProgress": "false",
                "incomplete": _flag(grade.status == Status.INCOMPLETE),
                "late": _flag(grade.status == Status.LATE),
                "missing": _flag(grade.status == Status.MISSING),
            }


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _class(course: Course) -> str:
    return f"class-{course.pk}"


def _session(course: Course) -> str:
    return f"term-{course.term_id}" if course.term_id else ""


def _line_item(assignment: Assignment) -> str:
    return f"assignment-{assignment.pk}"


def _user(enrollment: Enrollment) -> str:
    return f"student-{enrollment.student_id}" if enrollment.student_id else f"staff-{enrollment.username}"

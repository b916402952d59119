"""Grading's API over one course."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.webui.faked.call import NOW, Answer, Call, problem, wire

NAMES = ("Ada Lovelace", "Alan Turing", "Grace Hopper", "Katherine Johnson", "Édouard Lucas")


def _total(percent: Decimal | None) -> dict[str, Any]:
    if percent is None:
        return {"percent": None, "letter": None}
    letter = "A" if percent >= 94 else "B" if percent >= 80 else "C" if percent >= 70 else "F"
    return {"percent": f"{percent:.2f}", "letter": letter}


@dataclass
class Grading:
    """One course of ten assignments of ten points each."""

    course: dict[str, Any] = field(
        default_factory=lambda: {"code": "math-1", "title": "Mathematics I", "scheme": "points"}
    )
    titles: list[str] = field(default_factory=lambda: [f"Homework {number}" for number in range(1, 11)])
    grades: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def put(self, student: int, assignment: int, *, by: str = "teacher", **content: Any) -> dict[str, Any]:
        """Store a grade as somebody else would."""
        before = self._grade(student, assignment)
        content = {"score": None, "excused": False, "comment": ""} | content
        after = {**content, "version": before["version"] + 1, "updated_by": by, "updated_at": wire(NOW)}
        self.grades[student, assignment] = after
        return after

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        person = call.headers.get("rollcall-act-for", "")
        match call.path.strip("/").split("/")[1:]:
            case ["courses"]:
                return 200, {"courses": [self._course(person)]}
            case ["courses", "math-1"]:
                return 200, self._course(person) | {"teachers": ["teacher"], "categories": []}
            case ["courses", "math-1", "students"]:
                return 200, {"students": [self._student(number) for number in self._visible(person)]}
            case ["courses", "math-1", "students", number]:
                return self._record(person, int(number))
            case ["courses", "math-1", "students", number, "grades", assignment]:
                return self._store(call, person, int(number), int(assignment))
        return problem(404, "not-found", "There is no such course.")

    def _visible(self, person: str) -> range:
        return range(1, len(NAMES) + 1) if person == "teacher" else range(1, 2)

    def _course(self, person: str) -> dict[str, Any]:
        return {"code": "math-1", "title": "Mathematics I", "scheme": "points", "may_write": person == "teacher"}

    def _student(self, number: int) -> dict[str, Any]:
        return {
            "id": number,
            "name": NAMES[number - 1],
            "username": f"s{number}",
            "current": _total(self._percent(number)),
        }

    def _grade(self, student: int, assignment: int) -> dict[str, Any]:
        blank = {"score": None, "excused": False, "comment": "", "version": 0, "updated_by": None, "updated_at": None}
        return self.grades.get((student, assignment), blank)

    def _percent(self, student: int, *, blank_is_zero: bool = False) -> Decimal | None:
        grades = [self._grade(student, each) for each in range(1, len(self.titles) + 1)]
        scores = [grade["score"] or ("0" if blank_is_zero else None) for grade in grades if not grade["excused"]]
        counted = [Decimal(score) for score in scores if score is not None]
        return sum(counted, Decimal(0)) * 10 / len(counted) if counted else None

    def _totals(self, student: int) -> dict[str, Any]:
        return {
            "current": _total(self._percent(student)),
            "final": _total(self._percent(student, blank_is_zero=True)),
        }

    def _record(self, person: str, student: int) -> Answer:
        if student not in self._visible(person):
            return problem(403, "forbidden", "Only a teacher of 'math-1' may see another student's grades.")
        return 200, {
            "course": self._course(person),
            "student": {"id": student, "name": NAMES[student - 1], "username": f"s{student}"},
            "assignments": [self._assignment(student, number) for number in range(1, len(self.titles) + 1)],
            **self._totals(student),
            "explanation": {"current": self._explanation(student), "final": self._explanation(student)},
        }

    def _assignment(self, student: int, number: int) -> dict[str, Any]:
        return {
            "id": number,
            "title": self.titles[number - 1],
            "category": 1,
            "kind": "homework",
            "points": "10",
            "due_on": "2026-12-01",
            "published": True,
            "extra_credit": number == 10,
            "omit_from_final": False,
            "never_drop": False,
            "position": number,
            "grade": {"assignment": number, **self._grade(student, number)},
        }

    def _explanation(self, student: int) -> dict[str, Any]:
        percent = _total(self._percent(student))["percent"]
        lines = [
            {
                "assignment": number,
                "title": title,
                "score": self._grade(student, number)["score"],
                "points": "10",
                "counts": self._grade(student, number)["score"] is not None,
                "outcome": "counted",
                "reason": "counts" if self._grade(student, number)["score"] else "not graded yet",
                "earned": "0",
                "possible": "10",
            }
            for number, title in enumerate(self.titles, start=1)
        ]
        part = {"category": 1, "title": "Homework", "weight": "100", "earned": "0", "possible": "0", "percent": percent}
        return {"formula": percent and f"{percent} / 100 = {percent}", "categories": [part | {"lines": lines}]}

    def _store(self, call: Call, person: str, student: int, assignment: int) -> Answer:
        if person != "teacher":
            return problem(403, "forbidden", "Only a teacher of 'math-1' may change anything in it.")
        theirs = {"assignment": assignment, **self._grade(student, assignment)}
        if call.headers.get("if-match") != f'"{theirs["version"]}"':
            return problem(412, "precondition-failed", "You saw another version.", theirs=theirs)
        score = call.body["score"]
        if score is not None and not re.fullmatch(r"\d{1,4}(\.\d{1,2})?", score):
            error = {"pointer": "/score", "detail": f"{score!r} is no score: write a number such as 9.5."}
            return problem(422, "invalid", "See `errors` for each member.", errors=[error])
        content = call.body | {"score": score and f"{Decimal(score).normalize():f}"}
        stored = {"assignment": assignment, **self.put(student, assignment, by=person, **content)}
        return 200, {"grade": stored, "student": {"id": student, "name": NAMES[student - 1]}, **self._totals(student)}

"""The students before and after one, by name."""

from typing import Any

from webui.upstream import grading


def neighbours_of(person: str, code: str, student_id: int) -> dict[str, Any]:
    students = [each for each in grading.students(person, code) if each.state != "dropped" or each.id == student_id]
    index = next((index for index, each in enumerate(students) if each.id == student_id), None)
    if index is None:
        return {}
    return {
        "previous": students[index - 1] if index else None,
        "following": students[index + 1] if index + 1 < len(students) else None,
        "number": index + 1,
        "count": len(students),
    }

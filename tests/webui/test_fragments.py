import pytest
from django.test import Client

from grading.models import Student
from tests.webui.faked.grading import Grading


@pytest.mark.parametrize("page", ["", "/people", "/history", "/assignments/{work}", "/history?student={student}"])
def test_what_people_wrote_is_escaped_in_every_fragment(math: Grading, teacher: Client, page: str) -> None:
    student = math.students[0].pk
    math.put(0, 0, "9", comment="<i>well done</i>")
    Student.objects.filter(pk=student).update(name="<i>Ada</i> & Co")
    address = page.format(work=math.assignments[0].pk, student=student)
    text = teacher.get(f"/courses/math-1{address}").content.decode()
    assert "&lt;i&gt;Ada&lt;/i&gt; &amp; Co" in text
    assert "<i>" not in text

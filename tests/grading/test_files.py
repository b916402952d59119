"""Files of any content at all."""

import random
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from grading.files import gradefile, tables
from grading.models import Grade, GradeChange
from tests.grading import factories, files
from tests.grading.factories import Caller

words = st.sampled_from(
    [
        "Student",
        "ID",
        "SIS Login ID",
        "Pendulum",
        "Pendulum (9)",
        "ada",
        "jose",
        "9",
        "9,5",
        "EX",
        "N/A",
        "",
        "=1",
        "'",
        '"',
    ]
)
cells = words | st.text(max_size=8)
texts = st.lists(st.lists(cells, max_size=5), max_size=6).map(
    lambda rows: "\n".join(",".join(row) for row in rows)
) | st.text(max_size=60)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sound file with bytes changed, taken away or doubled."""
    content = bytearray(files.CANVAS.encode(draw(encodings)))
    chance = random.Random(draw(st.integers()))
    for _ in range(draw(st.integers(1, 12))):
        at = chance.randrange(len(content))
        content[at : at + chance.randrange(3)] = bytes(chance.choices(b',;"\n\r\t\x00=\xff9', k=chance.randrange(3)))
    return bytes(content)


anything = (
    damaged()
    | st.tuples(texts, encodings).map(
        lambda pair: pair[0].encode(pair[1], "surrogatepass" if pair[1].startswith("utf-8") else "replace")
    )
    | st.binary(max_size=80)
)


class AnyFile(TestCase):
    caller: Caller

    @classmethod
    def setUpTestData(cls) -> None:
        """Make it once: each example is undone to this."""
        cls.caller = factories.caller("admin", scopes=["read", "write"])
        course = factories.course()
        for username in ("ada", "jose"):
            factories.student(course, username)
        for title in files.TITLES:
            factories.assignment(course, title)

    @given(anything, st.sampled_from(["grades", "roster"]))
    def test_no_file_makes_the_service_fail_or_is_imported_by_half(self, content: bytes, kind: str) -> None:
        path = f"/v1/courses/algebra/imports?content={kind}"
        preview = self.caller.send("POST", path, content, content_type="text/csv")
        assert preview.status_code in {201, 422}, preview.content
        assert not Grade.objects.exists()
        if preview.status_code != 201:
            assert preview.json()["detail"]
            return
        shown = preview.json()["preview"]
        answer = self.caller.post(
            f"/v1/courses/algebra/imports/{preview.json()['id']}:confirm", {"skip_faults": True, "confirmed": True}
        )
        assert answer.status_code == 200, answer.content
        assert answer.json()["outcome"]["refused"] == []
        assert GradeChange.objects.count() == len(shown.get("changes", ()))


@given(st.lists(st.lists(st.text(max_size=20), min_size=1, max_size=5), min_size=1, max_size=5))
def test_a_table_that_is_written_is_read_as_it_was(rows: list[list[str]]) -> None:
    def plain(text: str) -> str:
        return text.replace("\0", "").strip().strip("\u00a0\u202f\ufeff")

    expected = [[plain(cell) for cell in row] for row in [["header"], *rows]]
    text = tables.write([[tables.neutralized(cell) for cell in row] for row in expected])
    read = tables.read(text.encode("utf-8-sig"), separator=",")
    assert [list(row.cells) for row in read.rows] == [row for row in expected[1:] if any(row)]


@given(st.decimals(min_value=0, max_value="9999999.99", places=2))
def test_a_score_is_read_with_a_point_or_a_comma(score: Decimal) -> None:
    assert gradefile.read_score(f"{score:f}") == score
    assert gradefile.read_score(f"{score:f}".replace(".", ",")) == score


@pytest.mark.parametrize(
    "text", ["=1+1", "@SUM(A1)", "Foo;=cmd|'/c calc'!A0", "Foo\t-2+3", "Foo\n+1", ";=1", "';=1", "a;'=b"]
)
def test_no_spreadsheet_takes_a_text_for_a_formula_wherever_it_divides_the_line(text: str) -> None:
    """Some divide at semicolons, whatever the file was written with."""
    written = tables.write([["header"], ["1", tables.neutralized(text)]])
    for cell in re.split(r"[,;\t\r\n]+", written.replace('"', "")):
        assert cell[:1] not in {"=", "+", "-", "@"}
    assert tables.read(written.encode(), separator=",").rows[0].cells[1] == text.strip()

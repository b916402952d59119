"""A student's report as a PDF document to be printed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.fonts import FontFace

FONTS = Path(__file__).parent.parent / "fonts"
_FAMILY = "DejaVu"
_GREY = (240, 240, 240)
_WIDTHS = {"categories": (70, 30, 40, 40), "assignments": (84, 26, 24, 46)}


def render(report: Mapping[str, Any], *, now: datetime) -> bytes:
    """The report that `GET /v1/students/{id}/report` answers, a course a section.

    It is made to be handed out: whoever prints it, it holds no grade that is not posted, and nothing unpublished.
    """
    document = _Document(orientation="portrait", format="A4")
    # Else a name that holds "{nb}" would be printed with the number of pages in its place.
    document.str_alias_nb_pages = ""
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        document.add_font(_FAMILY, style, FONTS / name)
    document.made = now
    document.set_creation_date(now)
    document.set_lang("en")
    student = report["student"]
    document.set_title(f"Grades of {student['name']}")
    document.set_margin(15)
    document.add_page()
    document.words(f"Grades of {student['name']}", size=18, style="B")
    ids = [f"login {student['username']}", *([f"SIS id {student['sis_id']}"] if student["sis_id"] else [])]
    document.words(", ".join(ids), size=10)
    for course in report["courses"]:
        _write_course(document, course)
    if not report["courses"]:
        document.words("No courses.", size=10)
    return bytes(document.output())


class _Document(FPDF):
    made: datetime

    def words(self, text: str, *, size: int, style: str = "", above: float = 0) -> None:
        self.set_font(_FAMILY, style, size)
        self.ln(above)
        self.multi_cell(0, size * 0.55, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def lines(self, header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
        self.set_font(_FAMILY, "", 9)
        align = ("LEFT", *["RIGHT"] * (len(header) - 2), "LEFT" if len(header) == 4 and widths[-1] > 40 else "RIGHT")
        with self.table(
            col_widths=tuple(widths),
            text_align=align,
            line_height=5,
            headings_style=FontFace(emphasis="BOLD", fill_color=_GREY),
            borders_layout="HORIZONTAL_LINES",
            padding=(0, 1),
        ) as table:
            for row in (header, *rows):
                table.row(tuple(row))

    def footer(self) -> None:
        self.set_y(-12)
        self.set_font(_FAMILY, "", 8)
        self.cell(0, 5, f"{self.made:%Y-%m-%d %H:%M} UTC, page {self.page_no()}", align="R")


def _write_course(document: _Document, course: Mapping[str, Any]) -> None:
    section = f", {course['section']}" if course["section"] else ""
    document.words(f"{course['course']['title']} ({course['course']['code']}{section})", size=13, style="B", above=6)
    document.words(
        f"Current {_total(course['current'])}, final {_total(course['final'])}. "
        "The final total counts as zero whatever is not graded yet.",
        size=10,
    )
    document.ln(2)
    categories = [
        (
            each["title"],
            f"{each['weight']} %" if course["course"]["scheme"] == "weighted" else "",
            f"{each['earned']} / {each['possible']}",
            _total(each["current"]),
        )
        for each in course["categories"]
    ]
    document.lines(("Category", "Weight", "Points", "Current"), categories, _WIDTHS["categories"])
    document.ln(3)
    assignments = [
        (each["title"], each["due_on"] or "", *_result(each)) for each in course["assignments"] if each["published"]
    ]
    document.lines(("Assignment", "Due", "Score", "Remark"), assignments, _WIDTHS["assignments"])


def _total(total: Mapping[str, Any]) -> str:
    return "not graded" if total["percent"] is None else f"{total['percent']} % {total['letter']}"


def _result(assignment: Mapping[str, Any]) -> tuple[str, str]:
    """The score and the remark."""
    grade, points = assignment["grade"], assignment["points"]
    if not assignment["posted"]:
        return f"- / {points}", "not posted yet"
    words = [] if grade["status"] == "none" else [grade["status"]]
    if grade["late_deduction"] != "0":
        words.append(f"less {grade['late_deduction']}")
    if assignment["extra_credit"]:
        words.append("extra credit")
    if assignment["omit_from_final"]:
        words.append("not in the total")
    if grade["comment"]:
        words.append(grade["comment"][:200])
    return f"{'-' if grade['score'] is None else grade['score']} / {points}", "; ".join(words)

"""A grade as it is typed: `9.5`, `9,5`, nothing at all, or `EX` for excused."""

from collections.abc import Mapping
from dataclasses import dataclass

from webui.upstream.grading import Grade

EXCUSED = "EX"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`typed` is kept as it came, so that what is refused can be mended rather than typed again."""

    typed: str
    excused: bool
    comment: str
    version: int

    @property
    def grade(self) -> Grade:
        """What to store: a blank is no score, never a zero. Whether the rest is a number is for grading to say."""
        excused = self.excused or self.typed.upper() == EXCUSED
        score = None if self.typed.upper() in ("", EXCUSED) else self.typed.replace(",", ".", 1)
        return Grade(score=score, excused=excused, comment=self.comment, version=self.version)


def parse(form: Mapping[str, str]) -> Entry:
    """A form that lacks a member, or whose version is no number, is taken as written against no grade at all."""
    version = form.get("version", "")
    return Entry(
        typed=form.get("score", "").strip(),
        excused=bool(form.get("excused")),
        comment=form.get("comment", "").replace("\r\n", "\n"),
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,
    )

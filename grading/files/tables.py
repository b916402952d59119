"""Tables of text from the bytes that spreadsheets write: their encodings, separators and habits."""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from config.problems import Invalid

MOST_ROWS = 5_000
# Blank ones, too.
MOST_LINES = 20_000
MOST_COLUMNS = 300
MOST_CHARACTERS_IN_A_CELL = 4_000
MOST_CHARACTERS_IN_A_HEADER = 300
SEPARATORS = (",", ";", "\t")

# The first line with which Excel names the separator.
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
_FORMULA = frozenset({"=", "+", "-", "@", "\t", "\r"})
_QUOTED = _FORMULA | {"'"}
_INNER_FORMULA = re.compile(r"([;\t\r\n])(?=[=+\-@'])")
_INNER_NEUTRALIZED = re.compile(r"([;\t\r\n])'(?=[=+\-@'])")
_SPECIAL = re.compile(r'[",;\t\r\n]')
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Files that people upload by mistake, by their first bytes.
_NO_TEXT = {
    b"PK\x03\x04": "a workbook (.xlsx, .ods) or an archive",
    b"\xd0\xcf\x11\xe0": "a workbook (.xls)",
    b"%PDF-": "a PDF document",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """`line` is the row's number in the file, the header's being 1; blank rows count, and a quoted line break does
    not."""

    line: int
    cells: tuple[str, ...]

    def cell(self, index: int | None) -> str:
        """Empty where the row ends before."""
        return self.cells[index] if index is not None and index < len(self.cells) else ""


@dataclass(frozen=True, kw_only=True)
class Table:
    encoding: str
    separator: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]

    def surplus(self, row: Row) -> str:
        """Says what is wrong with a row that has more cells than the header; empty where nothing is.

        A separator within a cell has divided it, so that no cell behind it is the one that its column names.
        """
        if not any(row.cells[len(self.header) :]):
            return ""
        mark = "tabulator" if self.separator == "\t" else repr(self.separator)
        return (
            f"The row has {len(row.cells)} cells, and the header {len(self.header)}: put a cell that holds {mark}, as "
            "decimal commas and names do, in quotes."
        )


def read(content: bytes, *, separator: str | None = None) -> Table:
    """The table in a file: UTF-8 or UTF-16, with a mark at its beginning or without, else Windows-1252.

    Cells are stripped of blanks, also of those that do not break. Raises Invalid for what is no table, or too large.
    """
    encoding, text = _decode(content)
    if match := _SEPARATOR_LINE.match(text):
        separator, text = separator or match[1], text[match.end() :]
    separator = separator or _guess_separator(text)
    rows = _rows(text, separator)
    if not rows:
        raise Invalid("The file holds no rows: send a table whose first row names the columns.")
    header, *others = rows
    if any(len(title) > MOST_CHARACTERS_IN_A_HEADER for title in header.cells):
        raise Invalid(f"A column's header has more than {MOST_CHARACTERS_IN_A_HEADER} characters: is it a header?")
    return Table(encoding=encoding, separator=separator, header=header.cells, rows=tuple(others))


def neutralized(text: str) -> str:
    """The text of a cell, kept from being taken for a formula by a spreadsheet that opens the file.

    Also one that divides the file at semicolons or tabulators, as Excel does in half of Europe.
    """
    text = _INNER_FORMULA.sub(r"\1'", text)
    return f"'{text}" if text[:1] in _FORMULA or _begins_neutralized(text) else text


def restored(text: str) -> str:
    """The text that `neutralized` was given."""
    return _INNER_NEUTRALIZED.sub(r"\1", text[1:] if _begins_neutralized(text) else text)


def write(rows: Sequence[Sequence[str]]) -> str:
    """Write a table as RFC 4180 has it; cells with another separator are quoted, too."""
    return "".join(",".join(map(_quoted, row)) + "\r\n" for row in rows)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.search(cell) else cell


def _begins_neutralized(text: str) -> bool:
    return text[:1] == "'" and text[1:2] in _QUOTED


def _decode(content: bytes) -> tuple[str, str]:
    for beginning, kind in _NO_TEXT.items():
        if content.startswith(beginning):
            raise Invalid(f"The file is {kind}, and not a table in text: open it there and save it as CSV in UTF-8.")
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding, _decoded(content[len(mark) :], encoding)
    # A zero in every second byte is how UTF-16 writes Latin letters.
    if b"\0" in content[:200]:
        even, odd = content[0:200:2].count(0), content[1:200:2].count(0)
        encoding = "utf-16-le" if odd >= even else "utf-16-be"
        return encoding, _decoded(content, encoding)
    try:
        return "utf-8", content.decode()
    except UnicodeDecodeError:
        return "windows-1252", _decoded(content, "windows-1252")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Invalid(f"The file is not text in {encoding} (byte {error.start}): save it as CSV in UTF-8.") from error


def _guess_separator(text: str) -> str:
    """The one that the first line holds most of, outside of quotes; a comma where it holds none."""
    line = re.sub(r'"[^"]*"', "", text.lstrip("\r\n")[:20_000].partition("\n")[0])
    return max(SEPARATORS, key=line.count)


def _rows(text: str, separator: str) -> list[Row]:
    if "\0" in text:
        raise Invalid("The file holds the character U+0000, which no table does: save it as CSV in UTF-8.")
    if len(separator) != 1 or separator in '"\r\n ':
        raise Invalid(f"{separator!r} separates no columns: name one of , ; and the tabulator.")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[Row] = []
    try:
        for number, cells in enumerate(lines, start=1):
            if len(rows) > MOST_ROWS or number > MOST_LINES:
                raise Invalid(f"The file has more than {MOST_ROWS} rows: divide it.")
            if len(cells) > MOST_COLUMNS:
                raise Invalid(f"Row {number} has {len(cells)} columns: at most {MOST_COLUMNS} are read.")
            stripped = tuple(restored(cell.strip().strip("\u00a0\u202f\ufeff")) for cell in cells)
            if any(len(cell) > MOST_CHARACTERS_IN_A_CELL for cell in stripped):
                raise Invalid(f"A cell of row {number} has more than {MOST_CHARACTERS_IN_A_CELL} characters.")
            if any(stripped):
                rows.append(Row(line=number, cells=stripped))
    except csv.Error as error:
        raise Invalid(f"Row {len(rows) + 1} is no row of a table ({error}): look at its quotes.") from error
    return rows

import io

import pytest

from config.supervision import display


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class NarrowStream(io.TextIOWrapper):
    """A stream whose encoding knows little."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="ascii")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def shown(stream: io.StringIO) -> str:
    screen = display.on(stream)
    screen.title("Rollcall")
    screen.waiting("waiting")
    screen.done("Redis answers")
    screen.table(["SERVICE", "STATUS"], [["grading", "passing"], ["webui", "critical"]])
    screen.entry("Web UI", "http://127.0.0.1:8000/", "teacher  secret")
    return stream.getvalue()


def test_where_it_is_piped_there_are_only_plain_lines() -> None:
    text = shown(io.StringIO())
    assert "\x1b" not in text
    assert "\r" not in text
    assert "waiting" not in text


def test_on_a_terminal_there_are_colours_and_what_it_waits_for() -> None:
    text = shown(Terminal())
    assert "\x1b[32m" in text
    assert "waiting" in text


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = shown(Terminal())
    assert "\x1b[32m" not in text
    assert "waiting" in text


def test_a_tables_columns_are_aligned() -> None:
    lines = shown(io.StringIO()).splitlines()
    assert "  SERVICE   STATUS" in lines
    assert "  grading   passing" in lines
    assert "  webui     critical" in lines


def test_what_belongs_to_a_label_stands_below_it() -> None:
    lines = shown(io.StringIO()).splitlines()
    column = next(line.index("http") for line in lines if "http" in line)
    assert next(line.index("teacher") for line in lines if "teacher" in line) == column


def test_an_encoding_without_the_marks_is_no_error() -> None:
    stream = NarrowStream()
    display.on(stream).done("Redis answers")
    assert stream.buffer.getvalue().endswith(b"Redis answers\n")  # type: ignore[attr-defined]  # a BytesIO, put there above


def test_what_it_waits_for_fits_into_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    display.on(stream).waiting("waiting for everything that is not there yet")
    assert len(stream.getvalue().removeprefix("\r\x1b[K")) < 20

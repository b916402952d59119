import pytest

from logsvc import levels


@pytest.mark.parametrize(
    ("given", "severity"),
    [("INFO", 20), ("warn", 30), (" Critical ", 50), ("fatal", 50), ("35", 35), (35, 35), (-7, 0), (10**30, 100)],
)
def test_names_in_any_case_and_numbers_are_severities(given: str | int, severity: int) -> None:
    assert levels.severity(given) == severity


@pytest.mark.parametrize("given", ["", "loud", "1e3", "²", "-"])
def test_anything_else_is_refused_with_what_would_be_right(given: str) -> None:
    with pytest.raises(ValueError, match="is not a level: use DEBUG, INFO, WARNING, ERROR, CRITICAL or a number"):
        levels.severity(given)


@pytest.mark.parametrize(
    ("severity", "name"),
    [(0, "DEBUG"), (10, "DEBUG"), (25, "INFO"), (30, "WARNING"), (50, "CRITICAL"), (100, "CRITICAL")],
)
def test_a_severity_is_named_after_the_level_it_reaches(severity: int, name: str) -> None:
    assert levels.name(severity) == name

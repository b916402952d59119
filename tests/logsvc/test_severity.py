import pytest

from logsvc import severity


@pytest.mark.parametrize(
    ("given", "number"),
    [("INFO", 9), ("warn", 13), (" Critical ", 21), ("fatal", 21), ("35", 15), (35, 15), (-7, 0), (10**30, 24)],
)
def test_names_in_any_case_and_pythons_numbers_are_severities(given: str | int, number: int) -> None:
    assert severity.from_level(given) == number


@pytest.mark.parametrize("given", ["", "loud", "1e3", "²", "-"])
def test_anything_else_is_refused_with_what_would_be_right(given: str) -> None:
    with pytest.raises(ValueError, match="is not a level: use TRACE, DEBUG, INFO, WARN, ERROR, FATAL or a number"):
        severity.from_level(given)


@pytest.mark.parametrize(("python", "number"), [(10, 5), (20, 9), (30, 13), (40, 17), (50, 21)])
def test_pythons_levels_are_opentelemetrys(python: int, number: int) -> None:
    assert severity.from_python(python) == number


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "UNSPECIFIED"),
        (1, "TRACE"),
        (4, "TRACE"),
        (5, "DEBUG"),
        (9, "INFO"),
        (12, "INFO"),
        (13, "WARN"),
        (24, "FATAL"),
    ],
)
def test_a_number_belongs_to_a_range(number: int, name: str) -> None:
    assert severity.range_of(number).name == name

"""docs/cases/ names tests that there are."""

import re
from pathlib import Path

import pytest

from config.env import BASE_DIR

TESTS = BASE_DIR / "tests"
# Below which folder the paths of each document are.
FOLDERS = {"logs": TESTS / "logsvc", "grading": TESTS / "grading"}
CITED = re.compile(r"`([a-z_/.]+\.py)?(?:::(test_\w+))?`")


@pytest.mark.parametrize("document", sorted((BASE_DIR / "docs" / "cases").glob("*.md")), ids=lambda path: path.stem)
def test_each_test_that_is_cited_is_there(document: Path) -> None:
    missing, path = [], ""
    for cited, name in CITED.findall(document.read_text()):
        path = cited or path
        file = FOLDERS.get(document.stem, TESTS) / path.removeprefix("tests/")
        if not file.is_file() or (name and f"def {name}(" not in file.read_text()):
            missing.append(f"{path}::{name}")
    assert missing == []

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import env


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """manage.py and what it needs before it knows whether Django is there."""
    (tmp_path / "config").mkdir()
    for name in ("manage.py", "config/__init__.py", "config/services.py"):
        shutil.copy(env.BASE_DIR / name, tmp_path / name)
    return tmp_path


def called_without_django(checkout: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    # -S leaves out what is installed.
    command = [sys.executable, "-S", str(checkout / "manage.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_python_without_django_leaves_it_to_the_one_that_make_has_made(checkout: Path) -> None:
    own = checkout / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.write_text('#!/bin/sh\necho "$@"\nexit 7\n')
    own.chmod(0o755)

    said = called_without_django(checkout, "grading", "load_demo")

    assert (said.returncode, said.stdout) == (7, f"{checkout / 'manage.py'} grading load_demo\n")


def test_without_any_django_it_says_what_to_do(checkout: Path) -> None:
    said = called_without_django(checkout, "up")

    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("Django is not installed for this Python: run `make up` once")

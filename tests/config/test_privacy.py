import os
from pathlib import Path

from config import env, privacy
from tests import forked

MANAGE = env.BASE_DIR / "manage.py"


def modes(directory: Path) -> set[int]:
    return {path.lstat().st_mode & 0o777 for path in directory.rglob("*") if not path.is_symlink()}


def test_what_others_could_read_is_closed_and_nothing_else_is_touched(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("")
    outside.chmod(0o644)
    data = tmp_path / "data"
    (data / "log").mkdir(parents=True)
    for directory in (data, data / "log"):
        directory.chmod(0o755)
    for name in ("a.sqlite3", "log/b.log"):
        (data / name).write_text("")
        (data / name).chmod(0o664)
    (data / "run.sh").write_text("")
    (data / "run.sh").chmod(0o755)
    (data / "link").symlink_to(outside)

    assert privacy.repair(data) == 5
    assert data.stat().st_mode & 0o777 == 0o700
    assert modes(data) == {0o600, 0o700}
    assert outside.stat().st_mode & 0o777 == 0o644
    assert privacy.repair(data) == 0


def test_an_existing_installation_is_closed_by_its_next_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    (data / "old.log").write_text("")
    (data / "old.log").chmod(0o644)
    environment = {"PATH": os.environ["PATH"], "ROLLCALL_DATA_DIR": str(data)}
    prepared = forked.run([str(MANAGE), "grading", "prepare"], env=environment)
    assert prepared.returncode == 0, prepared.stderr
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "grading.sqlite3").exists()
    assert modes(data) <= {0o600, 0o700}

"""The client's wheel, installed where nothing else is."""

import os
import subprocess
import sys
import sysconfig
import venv
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

SOURCE = Path(__file__).parents[3] / "registry" / "client"


def install(directory: Path) -> Path:
    """The Python of a fresh environment with the wheel, and what it depends on linked from ours: no network is used."""
    wheel = build(directory)
    venv.create(directory / "venv")
    # pip of ours, working on that environment: it need not be installed there.
    python = directory / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", str(wheel)], check=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(directory / "venv")}))
    for needed in requirements("rollcall-client", packages):
        link(needed, packages)
    return python


def build(directory: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)],
        cwd=SOURCE,
        check=True,
        capture_output=True,
    )
    (wheel,) = directory.glob("*.whl")
    return wheel


def requirements(name: str, packages: Path | None = None) -> set[str]:
    """The distributions that one needs in this environment, all the way down."""
    (found,) = metadata.distributions(name=name, path=[str(packages)]) if packages else [metadata.distribution(name)]
    wanted = [Requirement(each) for each in found.requires or []]
    direct = {each.name for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})}
    return direct.union(*(requirements(each) for each in direct))


def link(name: str, packages: Path) -> None:
    for file in metadata.distribution(name).files or []:
        source = Path(str(file.locate()))
        if ".." not in file.parts and source.exists():
            target = packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                os.symlink(source, target)

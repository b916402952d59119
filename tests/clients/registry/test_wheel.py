"""The client is a wheel of its own, and all it needs is httpx2."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

SOURCE = Path(__file__).parents[3] / "registry" / "client"
# Run where nothing but the client and what it needs can be imported.
JOIN = """
import importlib.util, sys
for name in ("django", "celery", "redis", "msgspec", "config"):
    assert importlib.util.find_spec(name) is None, name
import httpx2
from registry.client import Registration, Registry
print(sys.modules["registry.client"].__file__)
def answer(request):
    print(request.method, request.url.path)
    if request.method == "DELETE":
        return httpx2.Response(204)
    moment = "2026-11-23T12:00:00Z"
    instance = {"service": "billing", "instance": "billing-1", "url": "http://b.test", "revision": 1,
                "status_since": moment, "registered_at": moment}
    grading = {"service": "grading", "instance": "grading-1", "url": "http://g.test"}
    return httpx2.Response(201, json={"instance": instance, "revision": 1, "providers": {"grading": [grading]}})
registry = Registry("http://registry.test", "rct_x", transport=httpx2.MockTransport(answer))
billing = Registration(service="billing", instance="billing-1", url="http://b.test", requires=["grading"])
with registry.registered(billing, state_dir=sys.argv[1]) as me:
    print(me.wait_for("grading", timeout=10)[0].url)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel installed, and what it depends on linked from ours: no network is used."""
    directory = tmp_path_factory.mktemp("environment")
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


def test_it_joins_from_a_fresh_environment_without_django(environment: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [environment, "-I", "-W", "error", "-c", JOIN, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    where, *said = ended.stdout.splitlines()
    assert Path(where).is_relative_to(environment.parents[1])
    assert said == [
        "PUT /v1/services/billing/instances/billing-1",
        "http://g.test",
        "DELETE /v1/services/billing/instances/billing-1",
    ]


def test_it_says_that_it_is_typed_and_what_it_needs(environment: Path) -> None:
    (packages,) = environment.parents[1].glob("lib/*/site-packages")
    (found,) = metadata.distributions(name="rollcall-client", path=[str(packages)])
    assert [each for each in found.requires or [] if "extra" not in each] == ["httpx2~=2.16"]
    assert (packages / "registry" / "client" / "py.typed").exists()
    assert found.metadata.get_payload().startswith("# rollcall-client")  # type: ignore[attr-defined]


def test_nothing_of_the_registry_itself_is_in_it(environment: Path) -> None:
    (packages,) = environment.parents[1].glob("lib/*/site-packages")
    assert [path.name for path in (packages / "registry").iterdir()] == ["client"]
    assert shutil.which("registry", path=str(environment.parent)) is None

"""The client is a wheel of its own, and all it needs is httpx2; tests/system/test_client.py joins with it."""

import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from tests.clients.registry import wheel

# All of it but the three frameworks' own modules.
IMPORT = """
import importlib, importlib.util, pathlib, registry.client
for name in ("django", "celery", "redis", "msgspec", "flask", "starlette", "config"):
    assert importlib.util.find_spec(name) is None, name
directory = pathlib.Path(registry.client.__file__).parent
for path in directory.glob("*.py"):
    if path.stem not in ("__init__", "flask", "starlette"):
        importlib.import_module(f"registry.client.{path.stem}")
print(directory)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.install(tmp_path_factory.mktemp("environment"))


def test_all_of_it_can_be_imported_where_there_is_nothing_but_what_it_needs(environment: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [environment, "-I", "-W", "error", "-c", IMPORT], capture_output=True, text=True, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    assert Path(ended.stdout.strip()).is_relative_to(environment.parents[1])


def test_it_says_that_it_is_typed_and_what_it_needs(environment: Path) -> None:
    (packages,) = environment.parents[1].glob("lib/*/site-packages")
    (found,) = metadata.distributions(name="rollcall-client", path=[str(packages)])
    assert [each for each in found.requires or [] if "extra" not in each] == ["httpx2~=2.16"]
    assert (packages / "registry" / "client" / "py.typed").exists()
    assert found.metadata.get_payload().startswith("# rollcall-client")  # type: ignore[attr-defined]  # a message without parts has text


def test_nothing_of_the_registry_itself_is_in_it(environment: Path) -> None:
    (packages,) = environment.parents[1].glob("lib/*/site-packages")
    assert [path.name for path in (packages / "registry").iterdir()] == ["client"]
    assert shutil.which("registry", path=str(environment.parent)) is None

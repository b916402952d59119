import re

import pytest

from config import env


@pytest.mark.parametrize("name", ["base", "dev"])
def test_every_python_installs_the_same_versions(name: str) -> None:
    pinned = (env.BASE_DIR / "deploy" / "requirements" / f"{name}.txt").read_text()

    packages = re.findall(r"^([\w.-]+)(?:\[.*\])?==", pinned, re.MULTILINE)

    assert len(packages) > 20
    assert sorted({each for each in packages if packages.count(each) > 1}) == []

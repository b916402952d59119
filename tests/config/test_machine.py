from pathlib import Path
from typing import Any

import pytest

from tests import machine


@pytest.mark.parametrize("administrator", [[], ["sudo", "-n"]])
@pytest.mark.parametrize("is_there", [False, True])
def test_no_package_starts_its_service_whoever_installs_it(
    administrator: list[str], is_there: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy, ran = tmp_path / "policy-rc.d", list[str]()
    if is_there:
        policy.touch()

    def run(command: list[str], **options: Any) -> None:
        assert command[: len(administrator)] == administrator
        ran.append(" ".join(command[len(administrator) :]))

    machine.install_packages(["nginx-light"], administrator=administrator, policy=policy, run=run)

    installing = [number for number, line in enumerate(ran) if "apt-get install" in line]
    forbidding = [number for number, line in enumerate(ran) if "exit 101" in line and str(policy) in line]
    allowing = [number for number, line in enumerate(ran) if line == f"rm -f {policy}"]
    assert len(installing) == 1
    if is_there:
        assert (forbidding, allowing) == ([], [])
    else:
        assert forbidding[0] < installing[0] < allowing[0]

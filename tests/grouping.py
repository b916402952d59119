"""A plugin of pytest's for the tests of real processes: those that share costly ones run in one worker, and first.

Loaded by `-p tests.grouping`; all others are given to workers file by file, as by `--dist loadfile`. pytest-xdist's own
`loadgroup` has no effect with pytest 9, which keeps a test's id as it was before the group is added to it.
"""

from collections.abc import Generator
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling, Scheduling

# By where their paths begin: one `make up` for all that only look at it, and one browser with its servers.
SHARING = {
    "tests/system/test_client.py": "up",
    "tests/system/test_imports.py": "up",
    "tests/system/test_protocol.py": "up",
    "tests/system/test_story.py": "up",
    "tests/browser/": "browser",
}


class Grouped(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        return _sharing(nodeid) or str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Grouped(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, object, object]:
    outcome = yield
    # The longest first, so that no worker begins with one when the others have nothing left to do.
    items.sort(key=lambda item: not _sharing(item.nodeid))
    return outcome


def _sharing(nodeid: str) -> str:
    return next((group for path, group in SHARING.items() if nodeid.startswith(path)), "")

import pytest

from registry.reading import revisions
from tests.registry.reading.desk import Desk


@pytest.fixture
def desk(db: None, monkeypatch: pytest.MonkeyPatch) -> Desk:
    # What a test has looked at is fresh until it looks again, however slowly it gets there.
    monkeypatch.setattr(revisions, "FRESH_SECONDS", 3600.0)
    return Desk()

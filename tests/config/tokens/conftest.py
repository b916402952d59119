from datetime import UTC, datetime

import pytest

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW

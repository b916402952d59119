import pytest

from tests.registry.reading.desk import Desk


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()

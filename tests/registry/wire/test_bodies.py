from datetime import datetime, timedelta

import pytest

from registry.wire.bodies import age


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-1, "0 s"), (0.5, "0 s"), (59, "59 s"), (61, "1 min"), (7200, "2 h"), (200_000, "2 d")]
)
def test_an_age_is_shown_in_the_largest_unit_of_which_there_is_one(now: datetime, seconds: float, shown: str) -> None:
    assert age(now - timedelta(seconds=seconds), now=now) == shown

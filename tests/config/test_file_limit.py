import resource

import pytest

from config import file_limit

ENDLESS = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "raised"),
    [
        (1024, 1_048_576, file_limit.MOST),
        (1024, ENDLESS, file_limit.MOST),
        (1024, 4096, 4096),
        (4096, 4096, None),
        (100_000, 1_048_576, None),
        (ENDLESS, ENDLESS, None),
    ],
)
def test_the_limit_is_raised_as_far_as_is_allowed_and_never_lowered(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: int | None
) -> None:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: found.append(limits))

    file_limit.raise_limit()

    assert found == ([] if raised is None else [(raised, hard)])

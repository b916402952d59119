import resource

import pytest

from registry.outbound import file_limit

INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("limits", "asked", "room", "raised_to"),
    [
        ((1024, 20_000), 15_000, 15_000, 15_256),
        ((1024, 4096), 15_000, 3840, 4096),
        ((1024, INFINITE), 15_000, 15_000, 15_256),
        ((20_000, 20_000), 15_000, 15_000, None),
        ((INFINITE, INFINITE), 15_000, 15_000, None),
        ((100, 100), 15_000, 1, 100),
    ],
)
def test_as_many_connections_are_kept_as_the_limit_on_open_files_can_be_raised_for(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], asked: int, room: int, raised_to: int | None
) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda kind, to: raised.append(to))

    assert file_limit.room_for(asked) == room
    assert raised == ([] if raised_to is None else [(raised_to, limits[1])])

"""A dependent's view by docs/protocol.md."""

from typing import Any

from tests.faults.view import View


def message(since: int, to: int, **members: Any) -> dict[str, Any]:
    return {"from_revision": since, "to_revision": to, "added": [], "changed": [], "removed": [], **members}


def provider(instance: str, version: str) -> dict[str, str]:
    return {"service": "a", "instance": instance, "version": version}


def test_a_message_that_follows_is_applied_and_a_doubled_one_ignored() -> None:
    view = View()
    assert view.take(3, {"a": [provider("a-1", "1"), provider("a-2", "1")]})
    change = message(3, 5, added=[provider("a-3", "2")], changed=[provider("a-1", "2")], removed=[provider("a-2", "")])
    assert view.follow(change)
    assert view.follow(change)
    assert (view.revision, view.offered) == (5, {("a", "a-1"): "2", ("a", "a-3"): "2"})


def test_what_does_not_follow_is_asked_for() -> None:
    view = View()
    view.take(3, {})
    assert not view.follow(message(4, 5))
    assert not view.follow(message(3, 5, resync=True))
    assert view.revision == 3


def test_an_answer_older_than_what_is_known_is_not_taken() -> None:
    view = View()
    view.take(3, {"a": [provider("a-1", "1")]})
    assert not view.take(2, {})
    assert view.offered == {("a", "a-1"): "1"}

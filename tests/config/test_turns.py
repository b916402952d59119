from hypothesis import given
from hypothesis import strategies as st

from config.turns import Caller, Turns

A, B, C = (Caller("10.0.0.1", credential) for credential in (b"a", b"b", b"c"))
ELSEWHERE = Caller("10.0.0.2")


def order(turns: Turns[str]) -> list[str]:
    """All jobs, of which each is done before the next is taken."""
    jobs = []
    while (taken := turns.take()) is not None:
        turns.finish(taken[0])
        jobs.append(taken[1])
    return jobs


def test_callers_take_turns_and_each_ones_jobs_are_in_order() -> None:
    turns = Turns[str](9)
    for caller, job in ((A, "a1"), (A, "a2"), (A, "a3"), (B, "b1"), (B, "b2"), (C, "c1")):
        turns.wait(caller, job)

    assert order(turns) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_addresses_take_turns_however_many_tokens_one_of_them_makes_up() -> None:
    turns = Turns[str](9)
    for number in range(20):
        turns.wait(Caller("10.0.0.1", b"%d" % number), "made up")
    turns.wait(ELSEWHERE, "first")
    turns.wait(ELSEWHERE, "second")

    assert order(turns)[:4] == ["made up", "first", "made up", "second"]


def test_a_caller_has_so_many_at_work_from_whatever_address_its_token_comes() -> None:
    turns = Turns[str](2)
    a_elsewhere = A._replace(address="10.0.0.9")
    for caller in (A, A, a_elsewhere, B):
        turns.wait(caller, caller.credential.decode())

    assert [turns.take() for _ in range(4)] == [(A, "a"), (a_elsewhere, "a"), (B, "b"), None]
    assert (turns.may_work(A), turns.may_work(B)) == (False, True)
    turns.finish(a_elsewhere)
    assert turns.take() == (A, "a")


@given(st.lists(st.sampled_from([A, B, C, ELSEWHERE, "done"]), max_size=40), st.integers(1, 3))
def test_no_job_is_lost_and_nobody_waits_who_may_work(steps: list[Caller | str], most: int) -> None:
    turns, added, taken, at_work = Turns[int](most), 0, [], list[Caller]()
    for step in steps:
        if isinstance(step, Caller):
            turns.wait(step, added)
            added += 1
        elif at_work:
            turns.finish(at_work.pop(0))
        if len(at_work) < 4 and (found := turns.take()) is not None:
            at_work.append(found[0])
            taken.append(found[1])
        assert all(at_work.count(caller) <= most for caller in at_work)
    while at_work or (found := turns.take()) is not None:
        if not at_work:
            assert found is not None
            taken.append(found[1])
            turns.finish(found[0])
        else:
            turns.finish(at_work.pop())

    assert sorted(taken) == list(range(added))

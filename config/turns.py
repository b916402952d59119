"""Jobs that wait for a thread, in turns of their callers, so that nobody waits for all that one caller has asked."""

from collections import Counter, OrderedDict, deque
from typing import Generic, NamedTuple, TypeVar

Job = TypeVar("Job")


class Caller(NamedTuple):
    """An address, and the token or the session that a request from there came with, be it a false one.

    Addresses take turns, and then the callers at one address: who makes tokens up has the turns of one address.
    """

    address: str
    credential: bytes = b""


class Turns(Generic[Job]):
    """A queue of jobs; of one caller at most `most_of_one` are at work. It is used under a lock of its owner's."""

    def __init__(self, most_of_one: int) -> None:
        self._most_of_one = most_of_one
        self._waiting: OrderedDict[str, OrderedDict[Caller, deque[Job]]] = OrderedDict()
        self._at_work: Counter[Caller] = Counter()

    def may_work(self, caller: Caller) -> bool:
        """Whether another job of this caller may be at work."""
        return self._at_work[_limited(caller)] < self._most_of_one

    def begin(self, caller: Caller) -> None:
        """A job of this caller, which did not have to wait, is at work until `finish`."""
        self._at_work[_limited(caller)] += 1

    def wait(self, caller: Caller, job: Job) -> None:
        self._waiting.setdefault(caller.address, OrderedDict()).setdefault(caller, deque()).append(job)

    def take(self) -> tuple[Caller, Job] | None:
        """The next job, which is at work until `finish`; None where there is none that may be."""
        for address, callers in self._waiting.items():
            for caller, jobs in callers.items():
                if not self.may_work(caller):
                    continue
                job = jobs.popleft()
                callers.move_to_end(caller)
                self._waiting.move_to_end(address)
                if not jobs:
                    del callers[caller]
                if not callers:
                    del self._waiting[address]
                self.begin(caller)
                return caller, job
        return None

    def finish(self, caller: Caller) -> None:
        """A job of this caller is done."""
        key = _limited(caller)
        self._at_work[key] -= 1
        if not self._at_work[key]:
            del self._at_work[key]


def _limited(caller: Caller) -> Caller:
    """A token is the same from whatever address it comes."""
    return Caller("", caller.credential) if caller.credential else caller

"""The state of one process of a Django project: its membership once its server has joined, else its lookup."""

import os
import threading

from ..lookup import Lookup
from ..membership import Membership


class Process:
    def __init__(self) -> None:
        self.membership: Membership | None = None
        self.lookup: Lookup | None = None
        # Held while the lookup is made, so that all threads share one.
        self.making = threading.Lock()

    def forget_lookup(self) -> None:
        """Forget the lookup in a forked child: its connections are the parent's, and a thread of the parent's may have
        held the lock.
        """
        self.lookup, self.making = None, threading.Lock()


# Not on the app's configuration: a log handler may look for the log service before Django's apps are there.
process = Process()
os.register_at_fork(after_in_child=process.forget_lookup)

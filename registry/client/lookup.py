"""Discovery for a process that is not a member: it asks the registry when needed, and caches the answer."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .choosing import Chooser
from .connection import Connection
from .errors import RollcallError
from .snapshot import NOTHING_KNOWN, REMEMBERED_SECONDS
from .wire import OFFERED, Provider, ProvidersByService

FRESH_SECONDS = 5.0
# The pause after a failure while nothing is known.
RETRY_SECONDS = 1.0


@dataclass(kw_only=True)
class _Known:
    providers: Sequence[Provider] | None = None
    fresh_until: float = 0.0
    revision: int = NOTHING_KNOWN
    # As in a Snapshot: what was offered before the registry's history began anew.
    remembered: Sequence[Provider] = ()
    remembered_until: float = 0.0
    asking: threading.Lock = field(default_factory=threading.Lock)


class Lookup:
    """Answers from what it asked in the last five seconds, and from what it knew last when the registry is away.

    It never raises and never logs, so that a log handler may use it. Only the first to ask for an unknown service
    waits for the registry; `known` is what was known from elsewhere.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        known: ProvidersByService | None = None,
        zone: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._known = {service: _Known(providers=providers) for service, providers in (known or {}).items()}
        self._chooser = Chooser(zone=zone, clock=clock)
        self._clock = clock

    def instances(self, service: str) -> Sequence[Provider]:
        known = self._known.setdefault(service, _Known())
        if self._clock() >= known.fresh_until and known.asking.acquire(blocking=known.providers is None):
            try:
                self._ask(service, known)
            finally:
                known.asking.release()
        return known.providers or ()

    def choose(self, service: str) -> Provider | None:
        self.instances(service)
        return self._chooser.choose(service)

    def report_failure(self, provider: Provider) -> None:
        self._chooser.report_failure(provider)

    def report_success(self, provider: Provider) -> None:
        self._chooser.report_success(provider)

    def _ask(self, service: str, known: _Known) -> None:
        if self._clock() < known.fresh_until:
            return
        try:
            answer = self._connection.instances(service)
        except RollcallError:
            pass
        else:
            now = self._clock()
            if answer.revision < known.revision:
                known.remembered, known.remembered_until = known.providers or (), now + REMEMBERED_SECONDS
            elif now >= known.remembered_until:
                known.remembered = ()
            offered = {each.instance: each for each in answer.instances if each.status in OFFERED}
            known.remembered = [each for each in known.remembered if each.instance not in offered]
            known.providers, known.revision = (*offered.values(), *known.remembered), answer.revision
        finally:
            known.fresh_until = self._clock() + (RETRY_SECONDS if known.providers is None else FRESH_SECONDS)
        self._chooser.update({name: each.providers or () for name, each in self._known.copy().items()})

"""Limits how often what one token has registered may rise again from being critical, or change between good states.

An instance whose server alternates between good and bad answers would fill the journal through its probes, which no
limit on requests bounds. A fall is never put off, since there is none without a rise before it. A rise that is put off
is found again by the next probe.
"""

import logging
import time
from collections.abc import Callable, Sequence

from config.rates import Rates
from config.tokens.holder import Holder
from config.tokens.limits import allowance, rate
from config.tokens.models import Token
from registry.health.probe import Due
from registry.instances.allowance import CHANGES
from registry.models import GOOD

# A token's rises that are put off are logged no more often.
LOG_SECONDS = 60.0

logger = logging.getLogger(__name__)


class Rises:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rates = Rates()
        self._logged_at: dict[str, float] = {}

    def put_off(self, rising: Sequence[Due]) -> set[int]:
        """Count the rises against their tokens' limits; returns the instances whose rise has to wait."""
        if not rising:
            return set()
        names = {due.registered_by for due in rising}
        limits = dict(Token.objects.filter(name__in=names).values_list("name", "limits"))
        now = self._clock()
        waiting: set[int] = set()
        for due in rising:
            if due.registered_by not in limits:
                # By a command of the operator's, as when ten thousand are imported.
                continue
            holder = Holder(name=due.registered_by, scopes=frozenset(), limits=limits[due.registered_by])
            allowed = allowance(holder, CHANGES)
            # Two budgets, so that an instance that is slow now and then keeps no other of its token from recovering.
            key = (due.registered_by, due.status in GOOD)
            per_second, burst = rate(CHANGES, allowed)
            if allowed and self._rates.take(key, per_second=per_second, burst=burst, now=now):
                waiting.add(due.instance_id)
                self._log(due.registered_by, now=now)
        return waiting

    def _log(self, token: str, *, now: float) -> None:
        if now - self._logged_at.get(token, -LOG_SECONDS) >= LOG_SECONDS:
            self._logged_at[token] = now
            logger.warning(
                "Instances of the token %s change too often: some stay as they are (its limit %s)", token, CHANGES
            )

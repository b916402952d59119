"""Limits how many webhooks a second the instances of one token are sent, at one host and at all of them together.

An instance names the address of its webhooks, and each change of what it requires sends one: the two thousand instances
of one token could make the registry flood a host. A dependent beyond the limit waits, and then gets the net change.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence

from config.tokens.holder import Holder
from config.tokens.limits import allowance
from config.tokens.models import Token
from registry.outbound import urls
from registry.outbound.address_policy import spelling
from registry.webhooks.compose import Message

WEBHOOKS = "webhooks_per_second"
# How many seconds' worth may be sent at once after a pause, so that all instances of a token hear of a change at once.
BURST_SECONDS = 10.0
# All hosts together may be sent this many times as much: one host may have any number of names.
HOSTS_TOGETHER = 5
# How long the limits of tokens are used before they are read again.
KNOWN_SECONDS = 5.0
# A token's waits are logged no more often.
LOG_SECONDS = 60.0
# With more entries than this, expired ones are removed.
MOST_KEPT = 10_000

logger = logging.getLogger(__name__)


class TokenRates:
    """`count` is called with a token's name and how many webhooks of its instances have to wait."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        count: Callable[[str, int], None] = lambda token, waits: None,
    ) -> None:
        self._clock = clock
        self._count = count
        # When the next webhook of each token and host would be sent were all sent at an even pace.
        self._paced: dict[tuple[str, str], float] = {}
        # When it is the turn of each instance that waits.
        self._turns: dict[int, float] = {}
        self._limits: dict[str, tuple[int, float]] = {}
        self._logged_at: dict[str, float] = {}

    def waits(self, messages: Sequence[Message]) -> dict[int, float]:
        """Count these webhooks; returns the seconds that instances have to wait, by their ids."""
        now = self._clock()
        self._forget(now=now)
        limits = self._limits_of({message.registered_by for message in messages}, now=now)
        found: dict[int, float] = {}
        late: dict[str, int] = {}
        for message in messages:
            allowed = limits[message.registered_by]
            turn = self._turns.pop(message.instance_id, None)
            if not allowed or (turn is not None and turn <= now):
                continue
            if turn is None:
                turn = max(
                    self._next(message.registered_by, _host(message), allowed, now=now),
                    self._next(message.registered_by, "", allowed * HOSTS_TOGETHER, now=now),
                )
                if turn <= now:
                    continue
                late[message.registered_by] = late.get(message.registered_by, 0) + 1
            self._turns[message.instance_id] = turn
            found[message.instance_id] = turn - now
        for token, count in late.items():
            self._report(token, count, allowed=limits[token], now=now)
        return found

    def give_back(self, instance_id: int) -> None:
        """Undo the count of a webhook that was not sent: its instance is free to be told next time."""
        self._turns[instance_id] = self._clock()

    def _next(self, token: str, host: str, per_second: int, *, now: float) -> float:
        """When the next one of them may be sent, which is counted."""
        turn = max(self._paced.get((token, host), -math.inf), now - BURST_SECONDS + 1 / per_second)
        self._paced[token, host] = turn + 1 / per_second
        return turn

    def _limits_of(self, tokens: set[str], *, now: float) -> dict[str, int]:
        """The limit of each token; 0, none, for what a command of the operator's has registered."""
        unknown = [name for name in tokens if self._limits.get(name, (0, -math.inf))[1] < now - KNOWN_SECONDS]
        if unknown:
            own = dict(Token.objects.filter(name__in=unknown).values_list("name", "limits"))
            for name in unknown:
                holder = Holder(name=name, scopes=frozenset(), limits=own.get(name, {}))
                self._limits[name] = (allowance(holder, WEBHOOKS) if name in own else 0, now)
        return {name: self._limits[name][0] for name in tokens}

    def _report(self, token: str, count: int, *, allowed: int, now: float) -> None:
        self._count(token, count)
        if now - self._logged_at.get(token, -math.inf) >= LOG_SECONDS:
            self._logged_at[token] = now
            logger.warning(
                "Webhooks to instances of the token %s wait: more than its limit %s, %d to one host",
                token,
                WEBHOOKS,
                allowed,
            )

    def _forget(self, *, now: float) -> None:
        if len(self._paced) > MOST_KEPT:
            self._paced = {key: turn for key, turn in self._paced.items() if turn > now - BURST_SECONDS}
        if len(self._turns) > MOST_KEPT:
            # Of instances that are gone, or were told by another worker.
            self._turns = {each: turn for each, turn in self._turns.items() if turn > now - LOG_SECONDS}
        if len(self._limits) > MOST_KEPT:
            self._limits.clear()
            self._logged_at.clear()


def _host(message: Message) -> str:
    try:
        return spelling(urls.parse(message.url).origin.host)
    except ValueError:
        return "none"

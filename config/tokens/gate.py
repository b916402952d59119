"""The gate that requests with tokens pass in this process: it limits them, and notes tokens' use and refusals.

A thread writes the notes every FLUSH_SECONDS, so that no request waits for it and a flood of refusals costs a bounded
number of rows.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Q
from prometheus_client.core import CounterMetricFamily

from config.addresses import client_address
from config.clocks import SKEW
from config.headers import header
from config.problems import Problem
from config.tokens import audit, issuing
from config.tokens.audit import Refusal
from config.tokens.holder import Holder
from config.tokens.limits import REQUESTS, Limits
from config.tokens.models import Token

FLUSH_SECONDS = 10.0
# `last_used_at` is written again when it is older than this.
USED_SECONDS = 60.0
# The most refusals of one flush; those beyond it share one entry.
MOST_REFUSALS = 200
MOST_NAMES = 5000
# The statuses of refusals.
REFUSALS = frozenset({401, 403, 429})

logger = logging.getLogger(__name__)


class Gate:
    def __init__(self) -> None:
        self.limits = Limits()
        self._used: dict[str, float] = {}
        self._written: dict[str, float] = {}
        self._refusals: dict[tuple[str, str, str], tuple[str, int]] = {}
        self._totals: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def admit(self, holder: Holder) -> None:
        """Count a request of this token, once for each request. Raises TooManyRequests."""
        self.limits.spend(holder, REQUESTS)
        self._note_use(holder)

    def admits(self, holder: Holder) -> bool:
        """Count a request of this token where it is within its limit; a refusal is left to `admit`."""
        if self.limits.seconds_until(holder, REQUESTS):
            return False
        self._note_use(holder)
        return True

    def take_back(self, holder: Holder) -> None:
        """Undo what `admits` counted: the request is asked about again."""
        self.limits.give_back(holder, REQUESTS)

    def _note_use(self, holder: Holder) -> None:
        if len(self._used) < MOST_NAMES or holder.name in self._used:
            self._used[holder.name] = time.time()

    def note_refusal(self, problem: Problem, *, method: str, path: str, authorization: str, address: str) -> None:
        """Note a refusal for the audit log, which is a 401, 403 or 429."""
        if problem.status not in REFUSALS:
            return
        token = authorization.partition(" ")[2].strip()
        # The beginning of an unknown token, if it is one of ours: anything else may be a password.
        unknown = f"{token[:8]}…" if token.startswith(issuing.PREFIX) else "not a token of Rollcall's"
        who = problem.who or (unknown if token else "no token")
        what = f"{problem.code}: {method} {path}"
        key = (who, problem.code, address)
        with self._lock:
            self._totals[problem.code] += 1
            if key not in self._refusals and len(self._refusals) >= MOST_REFUSALS:
                key, what = ("others", problem.code, ""), f"{problem.code}: more than {MOST_REFUSALS} in a few seconds"
            first, times = self._refusals.get(key, (what, 0))
            self._refusals[key] = (first, times + 1)

    def flush(self, *, now: float) -> None:
        """Write the notes. Raises DatabaseError, and then keeps them for the next time."""
        with self._lock:
            # A time still to come was written by a clock that was ahead.
            used = {
                name: at for name, at in self._used.items() if not 0 <= at - self._written.get(name, 0) < USED_SECONDS
            }
            refusals, self._refusals = self._refusals, {}
        moment = datetime.fromtimestamp(now, UTC)
        try:
            with transaction.atomic():
                for name, at in used.items():
                    used_at = datetime.fromtimestamp(at, UTC)
                    is_older = Q(last_used_at__lt=used_at) | Q(last_used_at__gt=moment + SKEW)
                    Token.objects.filter(Q(last_used_at=None) | is_older, name=name).update(last_used_at=used_at)
                audit.record_refusals(
                    Refusal(at=moment, who=who, what=what, address=address, times=times)
                    for (who, _, address), (what, times) in refusals.items()
                )
        except DatabaseError:
            with self._lock:
                # Refusals noted meanwhile take precedence; of the earlier ones as many are kept as fit.
                self._refusals = dict(list({**refusals, **self._refusals}.items())[:MOST_REFUSALS])
            raise
        self._written |= used

    def start(self) -> None:
        """Begin to write the notes, until `stop`."""
        self._thread = threading.Thread(target=self._keep_flushing, name="token-gate", daemon=True)
        self._thread.start()

    def stop(self, *, within_seconds: float = 1.0) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(within_seconds)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The metrics of this process, as prometheus_client's registries collect them."""
        limited = CounterMetricFamily(
            "rollcall_limited_requests", "Answers 429 to a token, by limit.", labels=["token", "limit"]
        )
        for (token, limit), count in sorted(self.limits.refused().items()):
            limited.add_metric([token, limit], count)
        refused = CounterMetricFamily("rollcall_refusals", "Answers 401, 403 and 429, by problem.", labels=["problem"])
        with self._lock:
            totals = dict(self._totals)
        for code, count in sorted(totals.items()):
            refused.add_metric([code], count)
        yield limited
        yield refused

    def _keep_flushing(self) -> None:
        was_away = False
        while not (is_last := self._stop.wait(FLUSH_SECONDS)) or not was_away:
            close_old_connections()
            try:
                self.flush(now=time.time())
                was_away = False
            except DatabaseError as error:
                if not was_away:
                    logger.warning("The audit log cannot be written: %s", error)
                was_away = True
            if is_last:
                break
        connection.close()


def current() -> Gate:
    """This process's gate."""
    app: Any = apps.get_app_config("tokens")
    owned: Gate = app.gate
    return owned


def address_of(peer: str, forwarded_for: str) -> str:
    return client_address(peer, forwarded_for, proxies=settings.PROXY_NETWORKS)


def note_in_native_lane(scope: Any, problem: Problem) -> None:
    """Hybrid's `on_problem`."""
    current().note_refusal(
        problem,
        method=scope["method"],
        path=scope["path"],
        authorization=header(scope, b"authorization").decode("latin-1"),
        address=address_of((scope.get("client") or ("",))[0], header(scope, b"x-forwarded-for").decode("latin-1")),
    )

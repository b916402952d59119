"""The last good answer of each question, shown with its age while the one who gives it is away."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from webui.upstream.exchange import UpstreamDown

Value = TypeVar("Value")
# What was shown yesterday misleads more than it helps.
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[Value]):
    """`outage` says why this is not the present; without a value nothing was known before."""

    value: Value | None
    at: datetime | None
    outage: UpstreamDown | None = None


def ask(key: str, question: Callable[[], Value]) -> Answer[Value]:
    """Ask, unless a fresh answer is known: what many look at is asked once a second for all of them."""
    key = f"kept:{hashlib.blake2s(key.encode(), digest_size=16).hexdigest()}"
    known: Answer[Value] | None = cache.get(key)
    now = timezone.now()
    if (
        known is not None
        and known.at is not None
        and now - known.at < timedelta(seconds=settings.ANSWERS_FRESH_SECONDS)
    ):
        return known
    try:
        answer = Answer(value=question(), at=now)
    except UpstreamDown as outage:
        return replace(known, outage=outage) if known else Answer(value=None, at=None, outage=outage)
    cache.set(key, answer, KEPT_SECONDS)
    return answer

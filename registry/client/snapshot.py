"""The providers as a service knows them, and the rules by which it learns: pure functions, the heart of convergence.

docs/protocol.md states the rules under "Webhooks".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from .wire import Change, Provider, ProvidersByService, Registered, Resolution

NOTHING_KNOWN = -1
# How long others may take to find out that the registry has forgotten them, and to pass there again.
REMEMBERED_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The providers known at `revision`.

    `told_revision` is where the registry believes us to be; it lags behind `revision` when we asked and found that
    nothing we require had changed, and `providers` is what was true at both. `epoch` counts how often the registry's
    history began anew (its database was lost or restored), for then its revisions start again below ours.

    `remembered` is what was offered just before that. A registry that lost its database knows no instances, although
    they are there and have yet to register again: so they still count until `remembered_until`, in seconds since
    the clock's epoch.
    """

    epoch: int = 0
    revision: int = NOTHING_KNOWN
    told_revision: int = NOTHING_KNOWN
    providers: ProvidersByService = field(default_factory=dict)
    remembered: ProvidersByService = field(default_factory=dict)
    remembered_until: float = 0.0

    @cached_property
    def offered(self) -> ProvidersByService:
        """The providers to call: those that the registry names, and the remembered ones."""
        if not self.remembered:
            return self.providers
        services = {*self.remembered, *self.providers}
        return _canonical(
            {service: (*self.remembered.get(service, ()), *self.providers.get(service, ())) for service in services}
        )

    @property
    def position(self) -> tuple[int, int]:
        """Grows with every change; note it before asking, and pass it on with the answer."""
        return self.epoch, self.revision


def after_change(snapshot: Snapshot, change: Change) -> Snapshot | None:
    """The snapshot after a webhook; None when it does not follow the known revision: ask for the whole."""
    if change.resync:
        return None
    if change.to_revision <= snapshot.revision:
        return snapshot
    if change.from_revision not in (snapshot.revision, snapshot.told_revision):
        return None
    return _whole(snapshot, change.to_revision, _with(snapshot.providers, change))


def after_asking(snapshot: Snapshot, answer: Resolution, *, asked_at: tuple[int, int]) -> Snapshot | None:
    """The snapshot after an answer to `GET .../providers`; None when its revision went back: register again."""
    if asked_at[0] != snapshot.epoch:
        return snapshot
    if answer.revision < asked_at[1]:
        return None
    if answer.revision < snapshot.revision:
        return snapshot
    providers = _canonical(answer.providers)
    if providers == snapshot.providers:
        return replace(snapshot, revision=answer.revision)
    return _whole(snapshot, answer.revision, providers)


def after_registering(
    snapshot: Snapshot,
    answer: Registered,
    *,
    asked_at: tuple[int, int],
    was_forgotten: bool = False,
    remember_until: float = 0.0,
) -> Snapshot:
    """The snapshot after a registration, whose answer is never stale: a revision that went back is true.

    `was_forgotten`: the registry no longer knew us, so it may not know others either.
    """
    if asked_at[0] != snapshot.epoch:
        return snapshot
    providers = _canonical(answer.providers)
    if answer.revision < asked_at[1] or was_forgotten:
        begun = Snapshot(epoch=snapshot.epoch + 1, remembered=snapshot.offered, remembered_until=remember_until)
        return _whole(begun, answer.revision, providers)
    if answer.revision < snapshot.revision:
        return snapshot
    return _whole(snapshot, answer.revision, providers)


def after_time(snapshot: Snapshot, *, now: float) -> Snapshot:
    """The snapshot after some time: remembered instances that have not registered again are dropped.

    So they are when they would be remembered for longer than anything is: the clock was set back.
    """
    if not snapshot.remembered or 0.0 < snapshot.remembered_until - now <= REMEMBERED_SECONDS:
        return snapshot
    return replace(snapshot, remembered={}, remembered_until=0.0)


def _whole(snapshot: Snapshot, revision: int, providers: ProvidersByService) -> Snapshot:
    remembered = snapshot.remembered
    if remembered:
        # An instance that is offered again need not be remembered: it would outlive its next failure.
        again = {(each.service, each.instance) for offered in providers.values() for each in offered}
        remembered = {
            service: tuple(each for each in offered if (each.service, each.instance) not in again)
            for service, offered in remembered.items()
        }
    return replace(snapshot, revision=revision, told_revision=revision, providers=providers, remembered=remembered)


def _with(providers: ProvidersByService, change: Change) -> ProvidersByService:
    changed = {(provider.service, provider.instance): provider for provider in (*change.added, *change.changed)}
    removed = {(provider.service, provider.instance) for provider in change.removed}
    kept = {(provider.service, provider.instance): provider for offered in providers.values() for provider in offered}
    left = [provider for key, provider in {**kept, **changed}.items() if key not in removed]
    services = {*providers, *(provider.service for provider in left)}
    return _canonical({name: [each for each in left if each.service == name] for name in services})


def _canonical(providers: Mapping[str, Sequence[Provider]]) -> ProvidersByService:
    """Sort, so that equal providers compare equal however they were learnt."""
    return {
        service: tuple(sorted(offered, key=lambda provider: provider.instance))
        for service, offered in sorted(providers.items())
    }

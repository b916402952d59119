"""The providers as a service knows them, and the rules by which it learns: pure functions, the heart of convergence.

docs/protocol.md states the rules under "Being told".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from .wire import Change, Provider, ProvidersByService, Registered, Resolution

NOTHING_KNOWN = -1


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was true at `revision`.

    `told_revision` is where the registry believes us to be; it lags behind `revision` when we asked and found that
    nothing we require had changed, and `providers` is what was true at both. `epoch` counts how often the registry's
    history began anew (its database was lost or restored), for then its revisions start again below ours.
    """

    epoch: int = 0
    revision: int = NOTHING_KNOWN
    told_revision: int = NOTHING_KNOWN
    providers: ProvidersByService = field(default_factory=dict)

    @property
    def position(self) -> tuple[int, int]:
        """Grows with all that is learnt; to be noted before asking, and given back with the answer."""
        return self.epoch, self.revision


def after_change(snapshot: Snapshot, change: Change) -> Snapshot | None:
    """What is known after a webhook; None when it does not follow on what is known: ask for the whole."""
    if change.resync:
        return None
    if change.to_revision <= snapshot.revision:
        return snapshot
    if change.from_revision not in (snapshot.revision, snapshot.told_revision):
        return None
    return replace(
        snapshot,
        revision=change.to_revision,
        told_revision=change.to_revision,
        providers=_with(snapshot.providers, change),
    )


def after_asking(snapshot: Snapshot, answer: Resolution, *, asked_at: tuple[int, int]) -> Snapshot | None:
    """What is known after an answer to `GET .../providers`; None when its revision went back: register again."""
    if asked_at[0] != snapshot.epoch:
        return snapshot
    if answer.revision < asked_at[1]:
        return None
    if answer.revision < snapshot.revision:
        return snapshot
    providers = _canonical(answer.providers)
    if providers == snapshot.providers:
        return replace(snapshot, revision=answer.revision)
    return _whole(snapshot.epoch, answer.revision, providers)


def after_registering(snapshot: Snapshot, answer: Registered, *, asked_at: tuple[int, int]) -> Snapshot:
    """What is known after a registration, whose answer is never a stale one: a revision that went back is true."""
    if asked_at[0] != snapshot.epoch:
        return snapshot
    providers = _canonical(answer.providers)
    if answer.revision < asked_at[1]:
        return _whole(snapshot.epoch + 1, answer.revision, providers)
    if answer.revision < snapshot.revision:
        return snapshot
    return _whole(snapshot.epoch, answer.revision, providers)


def _whole(epoch: int, revision: int, providers: ProvidersByService) -> Snapshot:
    return Snapshot(epoch=epoch, revision=revision, told_revision=revision, providers=providers)


def _with(providers: ProvidersByService, change: Change) -> ProvidersByService:
    changed = {(provider.service, provider.instance): provider for provider in (*change.added, *change.changed)}
    removed = {(provider.service, provider.instance) for provider in change.removed}
    kept = {(provider.service, provider.instance): provider for offered in providers.values() for provider in offered}
    left = [provider for key, provider in {**kept, **changed}.items() if key not in removed]
    services = {*providers, *(provider.service for provider in left)}
    return _canonical({name: [each for each in left if each.service == name] for name in services})


def _canonical(providers: Mapping[str, Sequence[Provider]]) -> ProvidersByService:
    """In one order, so that what is equal compares equal however it was learnt."""
    return {
        service: tuple(sorted(offered, key=lambda provider: provider.instance))
        for service, offered in sorted(providers.items())
    }

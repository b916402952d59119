"""Finds the instances of a service, in every process of a Django project: `discovery.url("grading")`.

In a server that joined, the services it requires are known without asking. Everywhere else - in Celery's workers, in
management commands, in the registry's own processes - the registry is asked, at most every five seconds. Nothing here
raises when the registry is away: the last known good answer counts. Nothing here logs, as log handlers use it.
"""

from collections.abc import Callable, Sequence

from django.core.exceptions import ImproperlyConfigured

from ..connection import Connection
from ..lookup import Lookup
from ..membership import Membership
from ..snapshot import Snapshot
from ..state import State, directory_of
from ..wire import Provider
from . import configuration, joining
from .process import process

# A request may be waiting: better no answer than a late one.
TIMEOUT_SECONDS = 2.0


def instances(service: str) -> Sequence[Provider]:
    """The instances that are offered."""
    source = _source(service)
    if source is None:
        return ()
    return source.providers(service) if isinstance(source, Membership) else source.instances(service)


def choose(service: str) -> Provider | None:
    """One of the instances, each in its turn; None when none is offered."""
    source = _source(service)
    return None if source is None else source.choose(service)


def url(service: str) -> str | None:
    """The address of one instance, without a trailing slash; None when none is offered."""
    chosen = choose(service)
    return None if chosen is None else chosen.url.rstrip("/")


class LogsvcURL:
    """Locates the log service for the log handler, whose configuration can name an object but not a call."""

    def __call__(self) -> str | None:
        return url("logsvc")

    def subscribe(self, listener: Callable[[], object]) -> bool:
        """Call `listener` when the log service comes, changes or goes; False in a process that is not told of that."""
        membership = joining.membership()
        if membership is None or "logsvc" not in membership.registration.requires:
            return False
        membership.on_change("logsvc", lambda providers: listener())
        return True


logsvc_url = LogsvcURL()


def _source(service: str) -> Membership | Lookup | None:
    """The source of the service's instances; None while the settings are unusable, as the system check explains."""
    membership = joining.membership()
    if membership is not None and service in membership.registration.requires:
        return membership
    if process.lookup is not None:
        return process.lookup
    with process.making:
        if process.lookup is None:
            try:
                configured = configuration.read()
            except ImproperlyConfigured:
                return None
            connection = Connection(configured.registry_url, configured.token, timeout=TIMEOUT_SECONDS)
            zone = configured.registration.zone if configured.registration else ""
            process.lookup = Lookup(connection, known=_kept(configured).offered, zone=zone)
        return process.lookup


def _kept(configured: configuration.Configuration) -> Snapshot:
    """The last snapshot of this service's server, for when the registry is away."""
    if configured.registration is None or configured.state_dir is None:
        return Snapshot()
    try:
        return State(directory_of(configured.registration, configured.state_dir)).read() or Snapshot()
    except OSError:
        return Snapshot()

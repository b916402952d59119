"""The registry's own problems."""

from config.problems import Conflict, Forbidden, Invalid, NotFound, Problem, TooManyRequests, Unavailable

# When an instance will be deregistered cannot be known.
QUOTA_RETRY_SECONDS = 60


class UnknownInstance(NotFound):
    def __init__(self, service: str, instance: str) -> None:
        super().__init__(f"There is no instance {instance!r} of {service!r}: check the name, or register it (again).")


class UnknownService(NotFound):
    def __init__(self, service: str) -> None:
        super().__init__(f"No instance of {service!r} is registered and none requires it: check the name.")


class BeatsByItself(Conflict):
    def __init__(self, service: str, instance: str) -> None:
        super().__init__(f"{service}/{instance} beats by itself: there is nothing to probe.")


class UnknownDelivery(NotFound):
    def __init__(self, number: int, service: str, instance: str) -> None:
        super().__init__(f"No delivery {number} to {service}/{instance} is kept: its deliveries list those that are.")


class Deregistered(Problem):
    status = 410
    code = "deregistered"
    title = "This run of the instance was deregistered"

    def __init__(self, service: str, instance: str) -> None:
        super().__init__(
            f"This run of {service}/{instance} was deregistered and stays so: "
            "to register it again, start it anew with another `incarnation`."
        )


class UnknownRevision(Conflict):
    code = "unknown-revision"
    title = "The journal does not hold this revision"

    def __init__(self, revision: int, *, oldest: int, head: int) -> None:
        super().__init__(
            f"The revision {revision} is not kept: choose one from {oldest} to {head}, or ask for a resync.",
            oldest=oldest,
            head=head,
        )


class NamedTwice(Conflict):
    def __init__(self, service: str, instance: str) -> None:
        super().__init__(f"{service}/{instance} is named twice: send it once.")


class NameTaken(Conflict):
    def __init__(self, service: str, instance: str, *, taken: str) -> None:
        super().__init__(
            f"{service}/{instance} differs only in case from {service}/{taken}, which is registered: use that name, or "
            "one that differs in more."
        )


class QuotaExceeded(TooManyRequests):
    def __init__(self, token: str, *, quota: int) -> None:
        super().__init__(
            f"The token {token!r} may have {quota} instances registered: deregister some, or ask for a higher limit.",
            retry_after_seconds=QUOTA_RETRY_SECONDS,
            limit="instances",
            allowed=quota,
        )
        self.who = token


class TooManyProbes(TooManyRequests):
    def __init__(self, token: str, *, host: str, wanted: float, allowed: int) -> None:
        super().__init__(
            f"The probes of what the token {token!r} has registered would ask {host} {wanted:.4g} times a second, of "
            f"{allowed} allowed: declare a longer `interval_seconds`, or `ttl`, or ask for a higher limit.",
            retry_after_seconds=QUOTA_RETRY_SECONDS,
            limit="probes_per_second",
            allowed=allowed,
        )
        self.who = token


class TooManyRequirements(TooManyRequests):
    def __init__(self, token: str, *, wanted: int, allowed: int) -> None:
        super().__init__(
            f"What the token {token!r} has registered would require {wanted} services, of {allowed} allowed: require "
            "fewer, or ask for a higher limit.",
            retry_after_seconds=QUOTA_RETRY_SECONDS,
            limit="requirements",
            allowed=allowed,
        )
        self.who = token


class Superseded(Conflict):
    code = "superseded"
    title = "A later run has taken this instance over"

    def __init__(self, service: str, instance: str) -> None:
        super().__init__(
            f"Another run of {service}/{instance} has registered since, with another `incarnation`: this one is over. "
            "Two processes that run at the same time need names of their own."
        )


class Resync(Problem):
    status = 410
    code = "resync"
    title = "The journal no longer reaches back so far"

    def __init__(self, after: int, *, oldest: int, head: int) -> None:
        super().__init__(
            f"The journal no longer holds the changes after revision {after}: read everything again and go on after "
            f"{head}, or begin with after={oldest - 1}.",
            oldest=oldest,
            head=head,
        )


class NotThereYet(Unavailable):
    code = "not-there-yet"
    title = "The journal has not reached this revision"

    def __init__(self, revision: int, *, head: int) -> None:
        super().__init__(f"The journal is at {head}, not yet at {revision}: ask again, or ask for less.", head=head)
        self.headers["Retry-After"] = "1"


class Contended(Unavailable):
    code = "contended"
    title = "Too many concurrent changes"

    def __init__(self) -> None:
        super().__init__("Other writers changed the same instance at every attempt: try again.")
        self.headers["Retry-After"] = "1"


class UnreadableEventId(Invalid):
    def __init__(self) -> None:
        super().__init__("The header Last-Event-ID holds no revision: send the last `id` that was received, or none.")


class OutOfScope(Forbidden):
    def __init__(self, holder: str, service: str) -> None:
        super().__init__(
            f"The token {holder!r} may not change instances of {service!r}: "
            f"use one with the scope 'register:{service}'."
        )

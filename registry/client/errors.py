"""The client's errors, as one tree: `except RollcallError` catches all; `retryable` says whether to try again."""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class RollcallError(Exception):
    """Base of every error of this package. `retryable`: the same call may succeed later without any change to it."""

    retryable = False


class UnreachableError(RollcallError):
    """The registry did not answer: refused, timed out, or cut the connection."""

    retryable = True


class UnexpectedAnswerError(RollcallError):
    """Something answered that does not speak the registry's protocol: a proxy, perhaps, or another server."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class ProblemError(RollcallError):
    """The registry answered with a problem (RFC 9457); the subclass says which, after the problem's `type`."""

    code: ClassVar[str] = ""

    def __init__(
        self,
        *,
        problem_type: str = "about:blank",
        status: int = 0,
        title: str = "",
        detail: str = "",
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        members = [f"{entry.get('pointer', '')}: {entry.get('detail', '')}" for entry in errors]
        super().__init__(" ".join([detail or title or problem_type, *members]))
        self.type = problem_type
        self.status = status
        self.title = title
        self.detail = detail
        # One entry, with `pointer` and `detail`, for each wrong member of what was sent.
        self.errors = tuple(errors)


class BadRequestError(ProblemError):
    code = "bad-request"


class UnauthenticatedError(ProblemError):
    code = "unauthenticated"


class ForbiddenError(ProblemError):
    code = "forbidden"


class NotFoundError(ProblemError):
    code = "not-found"


class ConflictError(ProblemError):
    code = "conflict"


class DeregisteredError(ProblemError):
    """This run of the instance was deregistered, by an operator perhaps, and stays so; a new run may register."""

    code = "deregistered"


class SupersededError(ConflictError):
    """A later run of the instance has registered; this run must not take the registration back."""

    code = "superseded"


class InvalidError(ProblemError):
    code = "invalid"


class RegistryFailedError(ProblemError):
    """A fault of the registry's own."""

    code = "internal-error"
    retryable = True


class UnavailableError(ProblemError):
    """The registry answers, but what it needs itself is away."""

    code = "unavailable"
    retryable = True


class SignatureError(RollcallError):
    """A webhook that the registry did not sign with our secret, or too long ago."""


class NotRequiredError(RollcallError, KeyError):
    """Asked for the providers of a service that the registration does not name in `requires`."""

    def __init__(self, service: str, *, dependent: str) -> None:
        super().__init__(f"{dependent} does not require {service!r}: name it in the registration's `requires`.")

    def __str__(self) -> str:
        return str(self.args[0])


class NoProviderError(RollcallError):
    """No instance of a required service is offered at the moment."""

    retryable = True


_PREFIX = "urn:rollcall:problem:"
_BY_CODE: dict[str, type[ProblemError]] = {
    kind.code: kind
    for kind in (
        BadRequestError,
        UnauthenticatedError,
        ForbiddenError,
        NotFoundError,
        ConflictError,
        DeregisteredError,
        SupersededError,
        InvalidError,
        RegistryFailedError,
        UnavailableError,
    )
}


def from_problem(body: Mapping[str, object], *, status: int) -> ProblemError:
    """The error that a problem's `type` stands for; one of a type unknown here is retryable when its status is 5xx."""
    kind = _BY_CODE.get(str(body.get("type", "")).removeprefix(_PREFIX), ProblemError)
    entries = body.get("errors")
    error = kind(
        problem_type=str(body.get("type", "about:blank")),
        status=status,
        title=str(body.get("title", "")),
        detail=str(body.get("detail", "")),
        errors=[entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else (),
    )
    if kind is ProblemError:
        error.retryable = status >= 500 or status == 429
    return error

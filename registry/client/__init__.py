"""Rollcall's client: register a service, know its providers, hear of their changes. docs/client.md shows how."""

from .choosing import Chooser
from .connection import Connection
from .errors import (
    BadRequestError,
    ConflictError,
    DeregisteredError,
    ForbiddenError,
    InvalidError,
    NoProviderError,
    NotFoundError,
    NotRequiredError,
    ProblemError,
    RegistryFailedError,
    RollcallError,
    SignatureError,
    SupersededError,
    UnauthenticatedError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
)
from .membership import AsyncMembership, Membership
from .registry import AsyncRegistry, Registry
from .webhook import new_secret, sign, verify
from .wire import Heartbeat, Instance, Provider, Registration

__all__ = [
    "AsyncMembership",
    "AsyncRegistry",
    "BadRequestError",
    "Chooser",
    "ConflictError",
    "Connection",
    "DeregisteredError",
    "ForbiddenError",
    "Heartbeat",
    "Instance",
    "InvalidError",
    "Membership",
    "NoProviderError",
    "NotFoundError",
    "NotRequiredError",
    "ProblemError",
    "Provider",
    "Registration",
    "Registry",
    "RegistryFailedError",
    "RollcallError",
    "SignatureError",
    "SupersededError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "UnreachableError",
    "new_secret",
    "sign",
    "verify",
]

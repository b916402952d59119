"""Joins the registry when the server's handler is built, which servers do and management commands do not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core import mail
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase

from ..membership import Membership
from ..registry import Registry
from . import configuration
from .process import process


def membership() -> Membership | None:
    """This process's membership, once its server's handler is built; None in every other process."""
    return process.membership


def join() -> None:
    """Start this process's membership, unless it has one or is to discover only. Raises ImproperlyConfigured."""
    configured = configuration.read()
    if process.membership is None and configured.registration is not None:
        registry = Registry(configured.registry_url, configured.token)
        try:
            process.membership = registry.registered(
                configured.registration, state_dir=configured.state_dir, drain_seconds=configured.drain_seconds
            )
        except OSError as error:
            raise ImproperlyConfigured(
                f"ROLLCALL['STATE_DIR'] ({configured.state_dir}) cannot be used: {error}. Set it to another directory."
            ) from error
        process.membership.start()


def leave() -> None:
    """Deregister now, not at the end of the process."""
    if process.membership is not None:
        process.membership.stop()
        process.membership = None


def hand_over(*, file_path: Path, **kwargs: Any) -> None:
    """The autoreloader is about to replace this process: the registry need not see it go and come back."""
    if process.membership is not None and file_path.suffix == ".py":
        process.membership.hand_over()


class JoiningMiddleware:
    """Joins when the server builds its handler, then removes itself from it."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        # Django's test runner and pytest-django make this attribute, and nothing else does.
        if not hasattr(mail, "outbox"):
            join()
        raise MiddlewareNotUsed

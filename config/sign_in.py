"""Django's sign-in behind limits (attempts.py), its refusals in the audit log, and short sessions of staff."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model, user_logged_in
from django.contrib.auth.backends import ModelBackend
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.apps import ConfigApp
from config.attempts import Attempts, SignInRefused
from config.problems import Problem, Unauthenticated
from config.tokens import gate
from config.tokens.gate import address_of


class GuardedBackend(ModelBackend):
    """Django's accounts and passwords, behind the limits of this process's attempts."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **options: Any
    ) -> Any:
        username = options.get(get_user_model().USERNAME_FIELD) if username is None else username
        if username is None or password is None:
            return None
        attempts = current_attempts()
        account = username.casefold()[:150]
        address = _address(request)
        try:
            attempts.count(account, address)
            with attempts.hashing():
                user = super().authenticate(request, username=username, password=password)
        except SignInRefused as refusal:
            _note(request, refusal, username)
            raise
        if user is None:
            _note(request, Unauthenticated("The password does not fit the account."), username)
        else:
            attempts.succeed(account, address)
        return user


class SignInMiddleware:
    """Answers a refused attempt with a page that says when to try again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, SignInRefused):
            return None
        response = render(request, "429.html", {"problem": error}, status=error.status)
        for name, value in error.headers.items():
            response[name] = value
        return response


@receiver(user_logged_in)
def shorten_session(sender: Any, request: HttpRequest, user: Any, **options: Any) -> None:
    """Staff sign in again every working day."""
    if getattr(user, "is_staff", False):
        request.session.set_expiry(settings.STAFF_SESSION_SECONDS)


def current_attempts() -> Attempts:
    """The attempts that this process counts."""
    app = apps.get_app_config("config")
    assert isinstance(app, ConfigApp)
    return app.attempts


def _address(request: HttpRequest | None) -> str:
    meta = request.META if request is not None else {}
    return address_of(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""))


def _note(request: HttpRequest | None, problem: Problem, username: str) -> None:
    """Note a refusal; an unknown account is not named, as people type passwords into the wrong field."""
    exists = get_user_model().objects.filter(username=username[:150]).exists()
    problem.who = f"account {username[:140]}" if exists else "an unknown account"
    path = request.path if request is not None else ""
    gate.current().note_refusal(problem, method="sign-in", path=path, authorization="", address=_address(request))

"""Receiving a webhook, whatever the framework."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from . import webhook
from .decoding import decode
from .errors import SignatureError, UnexpectedAnswerError
from .wire import Change, Notification

PROVIDERS_CHANGED = "registry.providers.changed"
BODY_LIMIT_BYTES = 4 * 1024 * 1024

Headers = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The response to a webhook: empty, or a problem."""

    status: int
    body: bytes = b""
    content_type: str = ""

    @property
    def headers(self) -> dict[str, str]:
        allow = {"Allow": "POST"} if self.status == 405 else {}
        return {**allow, "Content-Type": self.content_type} if self.content_type else {}


TAKEN = Answer(status=204)


def receive(
    headers: Headers, body: bytes, *, secret: str | None, now: datetime, learn: Callable[[Change], None]
) -> Answer:
    """Call `learn` with a genuine webhook's change; returns 204, or a problem that says what was wrong."""
    if secret is None:
        detail = "This instance registered without a `notify_url`: it expects no webhooks."
        return problem(404, "not-found", "Not found", detail)
    if len(body) > BODY_LIMIT_BYTES:
        return too_large()
    try:
        webhook.verify(headers, body, secret, now)
        # Other types of messages are for newer clients.
        if is_of_interest(message := json.loads(body)):
            learn(decode(Notification, message).data)
    except SignatureError as error:
        return problem(401, "unauthenticated", "The webhook is not the registry's", str(error))
    except (ValueError, RecursionError) as error:
        return problem(400, "bad-request", "The webhook cannot be understood", f"The body is not JSON: {error}.")
    except UnexpectedAnswerError as error:
        return problem(422, "invalid", "The webhook cannot be understood", str(error))
    return TAKEN


def is_of_interest(message: object) -> bool:
    return isinstance(message, dict) and message.get("type") == PROVIDERS_CHANGED


def too_large() -> Answer:
    detail = f"The body may hold at most {BODY_LIMIT_BYTES} bytes."
    return problem(413, "body-too-large", "The body is too large", detail)


def wrong_method() -> Answer:
    detail = "The registry's webhooks come by POST."
    return problem(405, "method-not-allowed", "The address does not take this method", detail)


def problem(status: int, code: str, title: str, detail: str) -> Answer:
    body = {"type": f"urn:rollcall:problem:{code}", "title": title, "status": status, "detail": detail}
    return Answer(status=status, body=json.dumps(body).encode(), content_type="application/problem+json")

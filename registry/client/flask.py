"""The receiver of the registry's webhooks for Flask: `app.register_blueprint(blueprint(me))`."""

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from . import receiver
from .membership import Member


def blueprint(me: Member, path: str = "/rollcall/notify") -> Blueprint:
    """Receives webhooks; mount it at the registration's `notify_url`."""
    made = Blueprint("rollcall", __name__)

    @made.post(path)
    def notify() -> Response:
        request.max_content_length = receiver.BODY_LIMIT_BYTES
        try:
            answer = me.receive(dict(request.headers), request.get_data())
        except RequestEntityTooLarge:
            answer = receiver.too_large()
        return Response(answer.body, status=answer.status, headers=answer.headers)

    return made

"""`Authorization: Bearer <token>` for REST framework's views."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from config.problems import Unauthenticated
from config.tokens import gate, issuing
from config.tokens.holder import Holder


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Holder, None] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        holder = from_header(header)
        gate.current().admit(holder)
        return holder, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def from_header(header: str) -> Holder:
    """The holder of the token in an `Authorization` header. Raises Unauthenticated."""
    return issuing.holder(token_of(header))


def token_of(header: str) -> str:
    """The token that an `Authorization` header carries. Raises Unauthenticated when it carries none."""
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send the header `Authorization: Bearer <token>`.")
    return token.strip()

"""The base of the views that take tokens."""

from typing import ClassVar

from rest_framework.views import APIView


class ScopedView(APIView):
    """A view that declares, method by method, the scope it needs; see HasScope."""

    scopes: ClassVar[dict[str, str]] = {}

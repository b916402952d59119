"""`POST /v1/registrations:batch`: a fleet that starts at once registers with one call (docs/protocol.md)."""

from msgspec import to_builtins
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api import bodies
from registry.api.base import RevisedView, holder_of
from registry.api.parameters import body_of
from registry.api.schema import described
from registry.instances import batch
from registry.instances.batch import Batch
from registry.wire import answers


class BatchView(RevisedView):
    @described("Register many", body=Batch, answer=answers.BatchAnswer)
    def post(self, request: Request) -> Response:
        return Response(to_builtins(bodies.batch(batch.register(body_of(request, Batch), holder=holder_of(request)))))

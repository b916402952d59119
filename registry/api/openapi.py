"""`/v1/openapi.json`: the API's description."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularJSONAPIView

from registry.api import schema as operations
from registry.discovery import queries
from registry.wire import answers


class Description(SchemaGenerator):
    """Adds the structs' schemas, and what no Django view answers: the stream of events, and the webhook."""

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        schema = super().get_schema(request=request, public=public)  # type: ignore[no-untyped-call]  # it carries no types
        schema["components"]["schemas"] = operations.components()
        schema["paths"]["/v1/events"] = {"get": _EVENTS}
        schema["webhooks"] = {"providersChanged": {"post": _WEBHOOK}}
        for path, operations_there in schema["paths"].items():
            for operation in operations_there.values():
                # Every operation was described with both names; keep those that its address has.
                operation["parameters"] = [
                    each
                    for each in operation.get("parameters", ())
                    if each["in"] != "path" or f"{{{each['name']}}}" in path
                ]
                needs_body = operation.pop("x-body-required", None)
                if needs_body is not None:
                    operation["requestBody"]["required"] = needs_body
        return schema


class DescriptionView(SpectacularJSONAPIView):
    """Public: it says nothing about what is registered."""

    authentication_classes = ()
    permission_classes = ()
    generator_class = Description
    custom_settings = {
        "TITLE": "Rollcall: the registry",
        "VERSION": "1",
        "DESCRIPTION": "A service registry that tells. docs/protocol.md says what each member means.",
        "OAS_VERSION": "3.1.0",
        "SCHEMA_PATH_PREFIX": "/v1",
    }


_WEBHOOK = {
    "operationId": "providers_changed",
    "summary": "Tells a dependent of changes, at its notify_url; signed as Standard Webhooks are",
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": operations.schema_of(answers.Webhook)}},
    },
    "responses": {"2XX": {"description": "Delivered"}},
}
_EVENTS = {
    "operationId": "events",
    "summary": "Follow every change as server-sent events",
    "parameters": [
        {"in": "query", "name": name, "schema": schema}
        for name, schema in operations.query_schemas(queries.Events).items()
    ],
    "security": [{"token": []}],
    "responses": {"200": {"description": "A stream", "content": {"text/event-stream": {"schema": {"type": "string"}}}}},
}

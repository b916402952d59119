"""`/v1/openapi.json`: the API's description, of its addresses, parameters, bodies and answers."""

from dataclasses import dataclass
from typing import Any

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logsvc import severity
from logsvc.alerts.declaration import RuleBody, SearchBody
from logsvc.api import loki, questions
from logsvc.api.views import Renderer
from logsvc.ingest import ndjson, otlp
from logsvc.ingest.loki import Push
from logsvc.ordering import HIGHEST_ID
from logsvc.parameters import TEXT_LENGTH
from logsvc.query import parser

Schema = dict[str, Any]
_REFERENCE = "#/components/schemas/{name}"
_PROBLEM = {"description": "A problem", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
_TEXT: Schema = {"type": "string", "maxLength": TEXT_LENGTH}
_NUMBER: Schema = {"type": "integer", "minimum": 0}
_TIME: Schema = {"type": "string", "description": "RFC 3339, a unix time, -15m (s, m, h, d, w) or now"}
_QUERY: Schema = {"type": "string", "maxLength": parser.LENGTH, "description": "In the query language"}
_LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": questions.HIGHEST_LIMIT}
_CURSOR: Schema = {"type": "integer", "minimum": 0, "maximum": HIGHEST_ID}
_RANGE = {"q": _QUERY, "from": _TIME, "to": _TIME}
_LOKI_RANGE = {"query": {"type": "string"}, "start": _TIME, "end": _TIME}
_LOKI_LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": loki.HIGHEST_LIMIT}
_LINES: Schema = {"type": "string"}
_RECORDS: Schema = {"type": "array", "items": {"$ref": _REFERENCE.format(name="Record")}}
_RECORD_TEXTS = (
    *("id", "time", "observed_time", "received_at", "severity_text", "service", "instance", "host", "logger"),
    *("message", "trace_id", "span_id", "uid", "token"),
)
_RECORD: Schema = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in _RECORD_TEXTS},
        "level": {"enum": list(severity.NAMES)},
        "seq": _NUMBER,
        "severity_number": {"type": "integer", "minimum": 0, "maximum": severity.HIGHEST},
        "attributes": {"type": "object"},
        "notes": {"type": "array", "items": {"type": "string"}},
    },
}
_RECORD["required"] = list(_RECORD["properties"])


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path. `answer` holds the members of a JSON answer; None when it is empty or not JSON."""

    summary: str
    parameters: dict[str, Schema] | None = None
    bodies: dict[str, Schema] | None = None
    answer: dict[str, Schema] | None = None
    status: int = 200


def _body(kind: type) -> dict[str, Schema]:
    return {"application/json": {"$ref": _REFERENCE.format(name=kind.__name__)}}


_COUNTS = {"accepted": _NUMBER, "rejected": {"type": "array"}}
_TAKEN_LINES = dict.fromkeys(sorted(ndjson.MEDIA_TYPES), _LINES)
_ID = {"id": {"type": "integer"}}
_LOKI_ANSWER = {"status": {"const": "success"}, "data": {}}
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/api/v1/logs"): Operation(
        summary="Search, the newest first",
        parameters={**_RANGE, "cursor": _CURSOR, "limit": _LIMIT},
        answer={"records": _RECORDS, "next": {"type": ["string", "null"]}, "complete": {"type": "boolean"}},
    ),
    ("POST", "/api/v1/logs"): Operation(summary="Records as NDJSON", bodies=_TAKEN_LINES, answer=_COUNTS),
    ("GET", "/api/v1/logs/histogram"): Operation(
        summary="Counts by severity over time",
        parameters={**_RANGE, "step": _TEXT, "buckets": {"type": "integer", "minimum": 1, "maximum": 1000}},
        answer={"from": _TEXT, "to": _TEXT, "step_seconds": _NUMBER, "buckets": {"type": "array"}, "complete": {}},
    ),
    ("GET", "/api/v1/logs/facets"): Operation(
        summary="The most frequent values of fields",
        parameters={**_RANGE, "fields": _TEXT, "limit": _LIMIT},
        answer={"facets": {"type": "object"}, "counted": _NUMBER, "complete": {"type": "boolean"}},
    ),
    ("GET", "/api/v1/logs/arrivals"): Operation(
        summary="Records that arrived after a cursor",
        parameters={"q": _QUERY, "cursor": _CURSOR, "limit": _LIMIT},
        answer={"records": _RECORDS, "cursor": _NUMBER, "gapless": {"type": "boolean"}},
    ),
    ("GET", "/api/v1/logs/{identifier}"): Operation(summary="One record", answer=_RECORD["properties"]),
    ("GET", "/api/v1/logs/{identifier}/context"): Operation(
        summary="The records of the same instance before and after",
        parameters={"before": _NUMBER, "after": _NUMBER},
        answer={"before": _RECORDS, "record": {"$ref": _REFERENCE.format(name="Record")}, "after": _RECORDS},
    ),
    ("GET", "/api/v1/searches"): Operation(summary="Saved searches", answer={"searches": {"type": "array"}}),
    ("POST", "/api/v1/searches"): Operation(summary="Save a search", bodies=_body(SearchBody), answer=_ID, status=201),
    ("GET", "/api/v1/searches/{identifier}"): Operation(summary="A saved search", answer=_ID),
    ("PUT", "/api/v1/searches/{identifier}"): Operation(
        summary="Change a saved search", bodies=_body(SearchBody), answer=_ID
    ),
    ("DELETE", "/api/v1/searches/{identifier}"): Operation(summary="Delete a saved search", status=204),
    ("GET", "/api/v1/rules"): Operation(summary="Alert rules", answer={"rules": {"type": "array"}}),
    ("POST", "/api/v1/rules"): Operation(
        summary="Make an alert rule", bodies=_body(RuleBody), answer={**_ID, "secret": _TEXT}, status=201
    ),
    ("GET", "/api/v1/rules/{identifier}"): Operation(
        summary="An alert rule and its last messages", answer={**_ID, "messages": {"type": "array"}}
    ),
    ("PUT", "/api/v1/rules/{identifier}"): Operation(
        summary="Change an alert rule", bodies=_body(RuleBody), answer=_ID
    ),
    ("DELETE", "/api/v1/rules/{identifier}"): Operation(summary="Delete an alert rule", status=204),
    ("POST", "/api/v1/rules/{identifier}/test"): Operation(
        summary="Send a message that says it is a test", answer={"webhook_id": _TEXT}, status=202
    ),
    ("GET", "/api/v1/services"): Operation(
        summary="Services and how many records each has", answer={"services": {"type": "array"}}
    ),
    ("POST", "/v1/logs"): Operation(
        summary="OTLP/HTTP",
        bodies={otlp.JSON: {"type": "object"}, otlp.PROTOBUF: {"type": "string", "format": "binary"}},
    ),
    ("POST", "/log"): Operation(
        summary="Plain lines",
        parameters={"service": _TEXT, "level": _TEXT},
        bodies={"text/plain": _LINES},
        answer=_COUNTS,
    ),
    ("GET", "/v1/records"): Operation(
        summary="Search as in the first release",
        parameters={
            **dict.fromkeys(("service", "level", "q"), _TEXT),
            **dict.fromkeys(("since", "until"), _TIME),
            "before": _CURSOR,
            "limit": _LIMIT,
        },
        answer={"records": {"type": "array"}, "next": {"type": ["integer", "null"]}},
    ),
    ("POST", "/v1/records"): Operation(
        summary="Records as NDJSON, as in the first release", bodies=_TAKEN_LINES, answer=_COUNTS
    ),
    ("GET", "/v1/services"): Operation(
        summary="Services and how many records each has", answer={"services": {"type": "array"}}
    ),
    ("POST", "/loki/api/v1/push"): Operation(summary="Loki's push", bodies=_body(Push), status=204),
    ("GET", "/loki/api/v1/query_range"): Operation(
        summary="LogQL over a range",
        parameters={**_LOKI_RANGE, "limit": _LOKI_LIMIT, "step": _TEXT, "direction": _TEXT},
        answer=_LOKI_ANSWER,
    ),
    ("GET", "/loki/api/v1/query"): Operation(
        summary="LogQL at a time",
        parameters={"query": {"type": "string"}, "time": _TIME, "limit": _LOKI_LIMIT, "direction": _TEXT},
        answer=_LOKI_ANSWER,
    ),
    ("GET", "/loki/api/v1/labels"): Operation(summary="Labels", parameters=_LOKI_RANGE, answer=_LOKI_ANSWER),
    ("GET", "/loki/api/v1/label"): Operation(summary="Labels", parameters=_LOKI_RANGE, answer=_LOKI_ANSWER),
    ("GET", "/loki/api/v1/label/{name}/values"): Operation(
        summary="A label's values", parameters=_LOKI_RANGE, answer=_LOKI_ANSWER
    ),
    ("GET", "/loki/api/v1/series"): Operation(
        summary="Streams", parameters={"match[]": _TEXT, "start": _TIME, "end": _TIME}, answer=_LOKI_ANSWER
    ),
    ("GET", "/loki/api/v1/index/stats"): Operation(summary="Counts of streams and lines", parameters=_LOKI_RANGE),
    ("GET", "/loki/api/v1/status/buildinfo"): Operation(summary="The release of Loki that this API is compatible with"),
}


class DescriptionView(APIView):
    """Needs no token: it reveals nothing of what is stored."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = [Renderer]

    def get(self, request: Request) -> Response:
        return Response(describe())


def describe() -> Schema:
    """The OpenAPI document."""
    _, components = msgspec.json.schema_components([SearchBody, RuleBody, Push], ref_template=_REFERENCE)
    paths: dict[str, Schema] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method.lower()] = _described(method, path, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rollcall: the log service", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": {**components, "Record": _RECORD},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _described(method: str, path: str, operation: Operation) -> Schema:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": "^[0-9]{1,19}$" if name == "identifier" else "^[a-z_]{1,40}$"},
        }
        for name in names
    ]
    parameters += [
        {"name": name, "in": "query", "schema": schema} for name, schema in (operation.parameters or {}).items()
    ]
    answer: Schema = {"description": "Done"}
    if operation.answer is not None:
        schema = {"type": "object", "properties": operation.answer, "required": list(operation.answer)}
        answer["content"] = {"application/json": {"schema": schema}}
    described: Schema = {
        "operationId": "_".join([method.lower(), *(part.strip("{}") for part in path.split("/") if part)]),
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {str(operation.status): answer, "4XX": _PROBLEM, "503": _PROBLEM},
    }
    if operation.bodies is not None:
        content = {media_type: {"schema": schema} for media_type, schema in operation.bodies.items()}
        described["requestBody"] = {"required": True, "content": content}
    return described

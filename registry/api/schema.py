"""Describes the API's operations; their schemas come from the structs that check and encode the bodies."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Struct

from registry.discovery import queries
from registry.wire import answers
from registry.wire.limits import InstanceName, ServiceName

View = TypeVar("View", bound=Callable[..., Any])

# The attribute in which a view's method holds the struct of its parameters.
QUERY = "rollcall_query"
_REFERENCE = "#/components/schemas/{name}"
_PROBLEMS = (400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 503)
_structs: set[type[Struct]] = {answers.Problem}


def described(
    summary: str,
    *,
    query: type[Struct] = queries.Nothing,
    body: type[Struct] | None = None,
    needs_body: bool = True,
    answer: Any = None,
    status: int | tuple[int, ...] = 200,
) -> Callable[[View], View]:
    """Describe a view's method: its parameters, body and answer; without an answer the response has no body.

    RevisedView also refuses any other parameter (base.py).
    """
    statuses = (status,) if isinstance(status, int) else status
    answered = {(code, "application/json"): schema_of(answer) for code in statuses} if answer else {}
    empty = {} if answer else dict.fromkeys(statuses)
    problems = {(code, "application/problem+json"): schema_of(answers.Problem) for code in _PROBLEMS}
    parameters = [OpenApiParameter(name, kind, OpenApiParameter.QUERY) for name, kind in query_schemas(query).items()]
    schema = extend_schema(
        summary=summary,
        parameters=[*_NAMES, *parameters],
        request={"application/json": schema_of(body)} if body else None,
        responses={**answered, **empty, **problems},
        extensions={"x-body-required": needs_body} if body else None,
    )

    def describe(method: View) -> View:
        described_method: View = schema(method)
        setattr(described_method, QUERY, query)
        return described_method

    return describe


class Operation(AutoSchema):
    """An operation, named by its method and address, which no two share."""

    def get_operation_id(self) -> str:
        words = re.findall(r"[a-z]+", self.path.removeprefix("/v1/").lower())
        return "_".join([self.method.lower(), *words])

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular calls REST framework's without arguments
        return ""

    def get_tags(self) -> list[str]:
        return []


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its __init_subclass__ carries no types
    target_class = "config.tokens.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


def components() -> dict[str, Any]:
    """The schemas of every struct that an operation uses."""
    _, found = msgspec.json.schema_components(_structs, ref_template=_REFERENCE)
    return dict(portable(found))


def query_schemas(query: type[Struct]) -> dict[str, dict[str, Any]]:
    """The parameters' schemas by name, without the null that stands for a missing one."""
    _, found = msgspec.json.schema_components([query], ref_template=_REFERENCE)
    schemas = {}
    for name, schema in found[query.__name__]["properties"].items():
        kinds = [each for each in portable(schema).get("anyOf", ()) if each != {"type": "null"}]
        schemas[name] = kinds[0] if kinds else portable(schema)
    return schemas


def schema_of(kind: Any) -> dict[str, Any]:
    """The schema of a struct, which `components` then holds, or of a list of one."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        _structs.add(kind)
    else:
        _structs.update(each for each in getattr(kind, "__args__", ()))
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REFERENCE)
    return dict(schema)


def portable(schema: Any) -> Any:
    """A schema with `$` for Python's `\\Z`, which other dialects of regular expressions lack."""
    if isinstance(schema, Mapping):
        return {
            name: value.replace(r"\Z", "$") if name == "pattern" else portable(value) for name, value in schema.items()
        }
    return [portable(each) for each in schema] if isinstance(schema, list) else schema


def _name(name: str, kind: Any) -> OpenApiParameter:
    (schema,), _ = msgspec.json.schema_components([kind])
    return OpenApiParameter(name, dict(portable(schema)), OpenApiParameter.PATH)


_NAMES = [_name("service", ServiceName), _name("instance", InstanceName)]

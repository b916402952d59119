"""`/v1/openapi.json`: the API's description, made of its addresses and of the drafts that check the bodies."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import models
from django.urls import URLPattern
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from grading import drafts
from grading.api import base

_REFERENCE = "#/components/schemas/{name}"
_PROBLEM = {"description": "A problem", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
_PARAMETER = re.compile(r"<(?P<kind>\w+):(?P<name>\w+)>")
_BODIES = {
    ("POST", "terms"): drafts.TermDraft,
    ("POST", "scales"): drafts.ScaleDraft,
    ("POST", "courses"): drafts.CourseDraft,
    ("PATCH", "courses/{code}"): drafts.CoursePatch,
    ("POST", "courses/{code}/sections"): drafts.SectionDraft,
    ("PATCH", "courses/{code}/sections/{section_id}"): drafts.SectionDraft,
    ("POST", "courses/{code}/categories"): drafts.CategoryDraft,
    ("PATCH", "courses/{code}/categories/{category_id}"): drafts.CategoryPatch,
    ("POST", "courses/{code}/assignments"): drafts.AssignmentDraft,
    ("PATCH", "courses/{code}/assignments/{assignment_id}"): drafts.AssignmentPatch,
    ("POST", "courses/{code}/enrollments"): drafts.EnrollmentDraft,
    ("PATCH", "courses/{code}/enrollments/{enrollment_id}"): drafts.EnrollmentPatch,
    ("POST", "courses/{code}/students"): drafts.StudentDraft,
    ("PUT", "courses/{code}/students/{student_id}/grades/{assignment_id}"): drafts.GradeDraft,
    ("PATCH", "grades/{grade_id}"): drafts.GradePatch,
    ("POST", "courses/{code}/grades:bulk"): drafts.BulkDraft,
    ("PATCH", "courses/{code}/imports/{batch_id}"): drafts.MappingDraft,
    ("POST", "courses/{code}/imports/{batch_id}:confirm"): drafts.ConfirmationDraft,
    ("POST", "students/{student_id}/what-if"): drafts.WhatIfDraft,
}


class Description(APIView):
    """Answers without a token: it says nothing of what is stored."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = [base.JSONRenderer]
    schema = None
    patterns: Sequence[URLPattern] = ()

    def get(self, request: Request) -> Response:
        return Response(describe(self.patterns))


@dataclass(frozen=True, kw_only=True)
class _Operation:
    method: str
    path: str
    parameters: list[dict[str, Any]]
    view: Any


def describe(patterns: Sequence[URLPattern]) -> dict[str, Any]:
    """The OpenAPI document of these addresses."""
    _, components = msgspec.json.schema_components(set(_BODIES.values()), ref_template=_REFERENCE, schema_hook=_choices)
    paths: dict[str, dict[str, Any]] = {}
    for operation in _operations(patterns):
        paths.setdefault(f"/v1/{operation.path}", {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rollcall: the grading service", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": _portable(components),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operations(patterns: Sequence[URLPattern]) -> Iterator[_Operation]:
    for pattern in patterns:
        route = str(pattern.pattern)
        view = getattr(pattern.callback, "view_class")  # noqa: B009 -- typed as a plain function
        kinds = {
            match["name"]: "integer" if match["kind"] == "id" else "string" for match in _PARAMETER.finditer(route)
        }
        parameters = [
            {"name": name, "in": "path", "required": True, "schema": {"type": kind}} for name, kind in kinds.items()
        ]
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if hasattr(view, method.lower()):
                path = _PARAMETER.sub(r"{\g<name>}", route)
                yield _Operation(method=method, path=path, parameters=parameters, view=view)


def _described(operation: _Operation) -> dict[str, Any]:
    words = re.findall(r"[a-z]+", operation.path)
    described: dict[str, Any] = {
        "operationId": "_".join([operation.method.lower(), *words]),
        "summary": (operation.view.__doc__ or operation.view.__name__).strip().partition("\n")[0],
        "parameters": operation.parameters,
        "security": [{"token": []}],
        "responses": {"2XX": {"description": "Done"}, "4XX": _PROBLEM},
    }
    draft = _BODIES.get((operation.method, operation.path))
    if draft is not None:
        schema = {"$ref": _REFERENCE.format(name=draft.__name__)}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    elif operation.method == "POST" and operation.path.endswith("/imports"):
        described["requestBody"] = {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}
    return described


def _choices(kind: Any) -> dict[str, Any]:
    """Django's choices, which msgspec does not take for an enumeration."""
    if issubclass(kind, models.TextChoices):
        return {"type": "string", "enum": list(kind.values)}
    # A schema hook says so that it knows no schema for a type.
    raise NotImplementedError


def _portable(schema: Any) -> Any:
    """Python's `\\Z`, which alone ends a string for sure, is `$` where the pattern knows no lines."""
    if isinstance(schema, dict):
        return {
            name: value.replace(r"\Z", "$") if name == "pattern" else _portable(value) for name, value in schema.items()
        }
    return [_portable(each) for each in schema] if isinstance(schema, list) else schema

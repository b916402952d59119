"""Files: importing with a preview, and exporting."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from config.problems import Invalid, TooManyRequests
from grading import enqueueing, importing, models, progress, representation
from grading.access import Seat
from grading.api import answers, base, bodies, students
from grading.drafts import ConfirmationDraft, MappingDraft
from grading.files import canvas, oneroster

MOST_SHOWN = 5_000
# Less than a page of the web UI waits for an answer.
DOCUMENT_WAIT_SECONDS = 1.0


class FileParser(BaseParser):
    media_type = "text/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream.read()


class BinaryParser(FileParser):
    media_type = "application/octet-stream"


class ExcelParser(FileParser):
    """Takes a CSV file under the type that browsers on Windows give it."""

    media_type = "application/vnd.ms-excel"


class Imports(base.GraderView):
    parser_classes = [FileParser, BinaryParser, ExcelParser]

    def post(self, request: Request, code: str) -> Response:
        content = request.query_params.get("content", importing.GRADES)
        if content not in importing.CONTENTS:
            raise _invalid("?content", f"{content!r} is none of {', '.join(importing.CONTENTS)}.")
        if content == importing.ROSTER:
            self.seat.require_editor()
        blanks = request.query_params.get("blanks", "keep")
        if blanks not in {"keep", "clear"}:
            raise _invalid("?blanks", f"{blanks!r} is none of keep, clear.")
        filename = request.query_params.get("filename", "")
        if len(filename) > 255 or not filename.isprintable():
            raise _invalid("?filename", "Expected at most 255 printable characters.")
        options = importing.Options(
            content=content, separator=request.query_params.get("separator"), clears_blanks=blanks == "clear"
        )
        batch = importing.preview(
            course=self.seat.course,
            file=request.data if isinstance(request.data, bytes) else b"",
            filename=filename,
            options=options,
            actor=self.actor,
            now=timezone.now(),
        )
        location = f"/v1/courses/{code}/imports/{batch.pk}"
        return Response(import_body(batch, request), status=201, headers={"Location": location})


class ImportView(base.GraderView):
    batch: models.ImportBatch

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.batch = importing.find(
            course=self.seat.course, batch_id=kwargs["batch_id"], with_preview=self.writes or shows_preview(request)
        )
        if self.writes:
            check_may_store(self.seat, self.batch)


class Import(ImportView):
    """An import with its course, for a page that shows what its columns may mean."""

    def get(self, request: Request, code: str, batch_id: int) -> Response:
        body = import_body(self.batch, request)
        return Response(body | {"course": answers.course_in_full(self.seat)} if shows_preview(request) else body)

    def patch(self, request: Request, code: str, batch_id: int) -> Response:
        draft = bodies.decode(request, MappingDraft)
        present = self.batch.options
        mapping = {str(each.index): each.body() for each in draft.columns}
        if any(said["meaning"] == "new" for said in mapping.values()):
            self.seat.require_editor()
        options = importing.Options(
            content=self.batch.content,
            separator=draft.separator or present["separator"],
            clears_blanks=present["clears_blanks"] if draft.blanks is None else draft.blanks == "clear",
            mapping={**present["mapping"], **mapping},
        )
        return Response(import_body(importing.remap(batch=self.batch, options=options), request))

    def delete(self, request: Request, code: str, batch_id: int) -> Response:
        importing.cancel(batch=self.batch)
        return Response(status=204)


class ConfirmImport(ImportView):
    def post(self, request: Request, code: str, batch_id: int) -> Response:
        draft = bodies.decode(request, ConfirmationDraft) if request.data else ConfirmationDraft()
        batch = importing.confirm(
            batch=self.batch,
            skips_faults=draft.skip_faults,
            confirmed=draft.confirmed,
            actor=self.actor,
            now=timezone.now(),
        )
        is_done = batch.progress == models.ImportBatch.Progress.DONE
        if not is_done:
            enqueueing.run_import(batch_id=batch.pk)
        return Response(import_body(batch, request), status=200 if is_done else 202)


class FileView(base.GraderView):
    """Answers a file whatever the request accepts."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)


class Canvas(FileView):
    def get(self, request: Request, code: str) -> HttpResponse:
        text = canvas.export(course=self.seat.course)
        return _file(text.encode("utf-8-sig"), "text/csv; charset=utf-8", f"{code}.csv")


class OneRoster(FileView):
    def get(self, request: Request, code: str) -> HttpResponse:
        return _file(oneroster.export(course=self.seat.course), "application/zip", f"{code}-oneroster.zip")


class ReportDocument(students.Report):
    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request, student_id: int) -> HttpResponse:  # type: ignore[override]  # a document, no JSON
        # Fonts and images: an eighth of what a process of this service imports, which most never need.
        from grading.files import reports

        report = self.report(request)
        with _one_document_at_a_time():
            document = reports.render(report, now=timezone.now())
        return _file(document, "application/pdf", f"report-{student_id}.pdf")


@contextmanager
def _one_document_at_a_time() -> Iterator[None]:
    """Hold the place of whoever makes a document in this process: several at once would take the processor from all
    that is asked besides. Raises TooManyRequests after a moment's wait.
    """
    app: Any = apps.get_app_config("grading")
    making: threading.Lock = app.making_a_document
    if not making.acquire(timeout=DOCUMENT_WAIT_SECONDS):
        raise TooManyRequests(
            "Too many reports are being made: ask for this one again in a moment.", retry_after_seconds=2
        )
    try:
        yield
    finally:
        making.release()


def shows_preview(request: Request) -> bool:
    """Whether the preview is wanted: not with `?limit=0`, for callers that only ask how far the import is."""
    return request.query_params.get("limit") != "0"


def import_body(batch: models.ImportBatch, request: Request) -> dict[str, Any]:
    """The import's body: the preview, a page of changes at a time, and its outcome."""
    offset = base.number(request, "offset", default=0) or 0
    limit = base.number(request, "limit", default=MOST_SHOWN, at_most=MOST_SHOWN) or 0
    # Not read otherwise, also where it is deferred: it may be ten megabytes.
    shown = dict(batch.preview) if shows_preview(request) else {}
    if "changes" in shown:
        shown["far_above"] = sum(each["needs_confirmation"] for each in shown["changes"])
    for name in ("changes", "people"):
        if name in shown:
            shown |= {f"{name}_total": len(shown[name]), name: shown[name][offset : offset + limit]}
    is_running = batch.progress == models.ImportBatch.Progress.RUNNING
    return {
        **representation.batch(batch),
        "content": batch.content,
        "blanks": "clear" if batch.options.get("clears_blanks") else "keep",
        "rows_done": progress.read(batch_id=batch.pk) if is_running else batch.rows_done,
        "rows_total": batch.rows_total,
        "starts": batch.starts,
        "preview": shown,
        "outcome": batch.outcome or None,
        "undone_by": batch.undone_by.order_by("pk").values_list("pk", flat=True).first(),
    }


def check_may_store(seat: Seat, batch: models.ImportBatch) -> None:
    """A roster and new assignments change the course itself. Raises Forbidden."""
    makes_assignments = any(column["meaning"] == "new" for column in batch.preview["columns"])
    if batch.content == importing.ROSTER or makes_assignments:
        seat.require_editor()


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _invalid(pointer: str, detail: str) -> Invalid:
    return Invalid("See `errors` for each parameter.", errors=[{"pointer": pointer, "detail": detail}])

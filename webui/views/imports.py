"""Files: grades and people read from one, looked at before anything is stored, and whole courses written to one."""

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config import numbers
from webui.outages import explained
from webui.requests import wants_part
from webui.roles import LEARNING, TEACHING, opens_to
from webui.upstream import grading
from webui.upstream.exchange import Refused, Reply
from webui.upstream.grading_answers import ImportInFull, Preview
from webui.views.refusals import answers_refusals

MAX_FILE_BYTES = 8 * 1024 * 1024
EXPORTS = {
    "canvas.csv": ("text/csv; charset=utf-8", "{code}.csv"),
    "oneroster.zip": ("application/zip", "{code}-oneroster.zip"),
}
NAMING = ("id", "sis_id", "username", "name", "first_name", "last_name", "section")
# The meanings that columns of a list of people may have.
PEOPLE = ("username", "sis_id", "name", "first_name", "last_name", "section", "role", "state")


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(*TEACHING)
@explained(gettext_lazy("Files cannot be imported or exported"))
@answers_refusals
def show_files(request: HttpRequest, code: str) -> HttpResponse:
    person = request.user.get_username()
    context: dict[str, Any] = {"tab": "files"}
    status = 200
    if request.method == "POST":
        file = request.FILES.get("file")
        if file is None:
            context["refusal"] = _("Choose a file first.")
        elif (file.size or 0) > MAX_FILE_BYTES:
            context["refusal"] = _("The file is larger than 8 MiB.")
        else:
            wanted = {name: request.POST.get(name, "") for name in ("content", "blanks")}
            # Without the characters of a name that another service may not take.
            name = "".join(character for character in file.name or "" if character.isprintable())[-255:]
            params = {key: value for key, value in wanted.items() if value} | {"filename": name}
            try:
                made = grading.start_import(person, code, file=file.read(), params=params)
            except Refused as refusal:
                context["refusal"] = refusal.detail
            else:
                return redirect("import", code=code, key=made.id)
        status = 422
    found = grading.batches(person, code)
    context["course"] = found.course
    context["imports"] = [each for each in found.batches if each.source == "import"][:20]
    context["undone"] = {each.undoes for each in found.batches}
    return render(request, "webui/grades/files.html", context, status=status)


@require_safe
@opens_to(*TEACHING)
@explained(gettext_lazy("This import cannot be shown"))
@answers_refusals
def show_import(request: HttpRequest, code: str, key: int) -> HttpResponse:
    person = request.user.get_username()
    if wants_part(request, "progress"):
        context = {"course": {"code": code}, "import": grading.follow_import(person, code, key)}
        return render(request, "webui/grades/import.html#progress", context)
    return render(request, "webui/grades/import.html", _context(grading.find_import(person, code, key)))


@require_POST
@opens_to(*TEACHING)
@explained(gettext_lazy("Nothing was stored"))
@answers_refusals
def change_import(request: HttpRequest, code: str, key: int) -> HttpResponse:
    """Change the columns' meanings; then confirm, or throw the file away."""
    person, form = request.user.get_username(), request.POST
    try:
        if "cancel" in form:
            grading.cancel_import(person, code, key)
            return redirect("course-files", code=code)
        if "remap" in form:
            grading.remap_import(person, code, key, {"columns": _columns(form), "blanks": form.get("blanks") or None})
            return redirect("import", code=code, key=key)
        choices = {name: name in form for name in ("skip_faults", "confirmed")}
        grading.confirm_import(person, code, key, choices)
    except Refused as refusal:
        if refusal.status in (403, 404):
            raise
        found = grading.find_import(person, code, key)
        context = _context(found) | {"refusal": _obstacle(found.preview, form) or refusal.detail}
        return render(request, "webui/grades/import.html", context, status=422)
    return redirect("import", code=code, key=key)


@require_safe
@opens_to(*TEACHING)
@explained(gettext_lazy("The file cannot be made"))
@answers_refusals
def export(request: HttpRequest, code: str, name: str) -> HttpResponse:
    if name not in EXPORTS:
        raise Http404
    kind, file_name = EXPORTS[name]
    return _file(grading.export(request.user.get_username(), code, name), kind, file_name.format(code=code))


@require_safe
@opens_to(*TEACHING, *LEARNING)
@explained(gettext_lazy("The report cannot be made"))
@answers_refusals
def show_report(request: HttpRequest, code: str, student_id: int) -> HttpResponse:
    reply = grading.report_document(request.user.get_username(), code, student_id)
    return _file(reply, "application/pdf", f"{code}-{student_id}.pdf")


def _context(found: ImportInFull) -> dict[str, Any]:
    course = found.course
    is_roster = found.content == "roster"
    names = PEOPLE if is_roster else NAMING
    meanings = [("ignored", _("ignored")), *((name, name.replace("_", " ")) for name in names)]
    if not is_roster:
        meanings += [(f"assignment:{each.id}", each.title) for each in course.assignments]
    if course.may_edit and not is_roster:
        meanings += [
            (f"new:{each.id}", _("a new assignment in %(c)s") % {"c": each.title}) for each in course.categories
        ]
    return {
        "import": found,
        "course": course,
        "tab": "files",
        "meanings": meanings,
        "titles": {each.id: each.title for each in course.assignments},
        "columns": [
            {
                "column": each,
                "chosen": f"assignment:{each.assignment}"
                if each.assignment
                else f"new:{each.category}"
                if each.category
                else each.meaning,
            }
            for each in found.preview.columns
        ],
        # A new assignment has the negative index of its column, less one, for an id.
        "new_titles": {-each.index - 1: each.header for each in found.preview.columns},
    }


def _obstacle(preview: Preview, form: Any) -> str:
    """Why a file was not stored, in terms of the page; empty where grading has another reason."""
    if preview.faults and "skip_faults" not in form:
        count = len(preview.faults)
        return ngettext(
            "%(count)d cell cannot be read: correct the file, or choose “Import the rest without them”.",
            "%(count)d cells cannot be read: correct the file, or choose “Import the rest without them”.",
            count,
        ) % {"count": count}
    if preview.far_above and "confirmed" not in form:
        return ngettext(
            "%(count)d score is far above the points: correct the file, or say that it is meant so.",
            "%(count)d scores are far above the points: correct the file, or say that they are meant so.",
            preview.far_above,
        ) % {"count": preview.far_above}
    return ""


def _columns(form: Any) -> list[dict[str, Any]]:
    columns = []
    for name, value in form.items():
        index = re.fullmatch(r"column-([0-9]{1,4})", name)
        if index is None:
            continue
        meaning, _colon, key = value.partition(":")
        column: dict[str, Any] = {"index": int(index[1]), "meaning": meaning}
        if meaning == "assignment" and numbers.is_whole(key):
            column["assignment"] = int(key)
        if meaning == "new" and numbers.is_whole(key):
            column["category"] = int(key)
            # Blank where the file says it, in its row of possible points.
            column["points"] = form.get(f"points-{index[1]}", "").strip().replace(",", ".", 1) or None
        columns.append(column)
    return columns


def _file(reply: Reply, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(reply.body, content_type=kind, headers=headers)

"""Commands that import a file: the preview, and then storing it."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from config import commands
from config.problems import NotFound
from grading import importing
from grading.access import Actor
from grading.files import sources
from grading.models import Course, ImportBatch


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("course", help="the course's code")
    parser.add_argument("file", help="the file, or - for standard input")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and store nothing")
    parser.add_argument("--skip-faults", action="store_true", help="store the others where some cannot be read")


def preview(code: str, path: str, options: importing.Options, *, command: str) -> tuple[ImportBatch, Actor]:
    """Raises NotFound and Invalid."""
    actor = Actor(author=f"command:{command}", username=None, via=command)
    batch = importing.preview(
        course=find_course(code),
        file=sources.read(path),
        filename="" if path == "-" else path.rpartition("/")[2][:255],
        options=options,
        actor=actor,
        now=timezone.now(),
    )
    return batch, actor


def confirm(batch: ImportBatch, actor: Actor, *, skips_faults: bool, confirmed: bool) -> ImportBatch:
    """Store it here, however large it is; a preview that cannot be stored is not kept."""
    try:
        batch = importing.confirm(
            batch=batch, skips_faults=skips_faults, confirmed=confirmed, actor=actor, now=timezone.now()
        )
    except Exception:
        importing.cancel(batch=batch)
        raise
    if batch.progress == ImportBatch.Progress.QUEUED:
        importing.run(batch_id=batch.pk, now=timezone.now())
        batch.refresh_from_db()
    return batch


def report(batch: ImportBatch, lines: list[str], *, is_dry_run: bool) -> commands.Report:
    """Report what would be done, or was; a failure where rows were refused in between."""
    faults = [f"row {fault['line']}: {fault['detail']}" for fault in batch.preview["faults"]]
    if is_dry_run:
        importing.cancel(batch=batch)
        body = {"preview": batch.preview}
        return commands.Report(lines=[*lines, *faults, "Nothing was stored (--dry-run)."], body=body)
    refused = [f"row {each['line']}: {each['detail']}" for each in batch.outcome["refused"]]
    done = f"Stored {batch.outcome['stored']} as batch {batch.pk}, which can be undone as a whole."
    return commands.Report(
        lines=[*lines, *faults, *refused, done],
        body={"batch": batch.pk, "preview": batch.preview, "outcome": batch.outcome},
        failure=f"{len(refused)} were refused." if refused else "",
    )


def find_course(code: str) -> Course:
    """Raises NotFound."""
    course = Course.objects.filter(code=code).first()
    if course is None:
        raise NotFound(f"There is no course {code!r}: see GET /v1/courses.")
    return course


def options_of(options: dict[str, Any], content: str) -> importing.Options:
    return importing.Options(
        content=content, separator=options.get("separator"), clears_blanks=options.get("clear_blanks", False)
    )

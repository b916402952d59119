import logging
from pathlib import Path

from config.logs import Process, Refusals, configuration


def record(status_code: int, name: str = "django.request") -> logging.LogRecord:
    error = PermissionError("no")
    made = logging.LogRecord(name, logging.WARNING, "", 1, "Forbidden", (), (PermissionError, error, None))
    made.status_code = status_code
    return made


def test_an_ordinary_refusal_is_a_line_for_information() -> None:
    refused = record(403)
    assert Refusals().filter(refused)
    assert refused.levelno == logging.INFO
    assert refused.exc_info is None


def test_a_suspicious_request_is_a_line_in_each_handler(tmp_path: Path) -> None:
    refused = record(400, "django.security.DisallowedModelAdminToField")
    assert Refusals().filter(refused)
    assert refused.exc_info is None
    handlers = configuration(service="registry", instance="registry-1", token="", spool_dir=tmp_path)["handlers"]
    assert handlers
    assert all("refusals" in handler["filters"] for handler in handlers.values())


def test_a_failure_keeps_its_traceback() -> None:
    failed = record(500)
    assert Refusals().filter(failed)
    assert failed.levelno == logging.WARNING
    assert failed.exc_info is not None


def test_a_record_tells_the_process_beside_the_instance() -> None:
    made = record(500)
    assert Process().filter(made)
    assert made.__dict__["process.pid"] == made.process


def test_the_library_that_embeds_fonts_in_reports_logs_no_line_for_each_of_their_tables(tmp_path: Path) -> None:
    loggers = configuration(service="grading", instance="grading-1", token="", spool_dir=tmp_path)["loggers"]
    assert loggers["fontTools"] == {"level": "WARNING"}

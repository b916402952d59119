"""Views that know who acts, in which course, and on whose grades."""

import logging
import re
from functools import cached_property
from typing import Any, ClassVar, cast

import msgspec
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from config.problems import Invalid
from config.tokens.issuing import Holder
from grading import access, courses, models, standings
from grading.api import bodies, headers

_NUMBER = re.compile(r"[0-9]{1,18}")
_DEEDS = {"POST": "added", "PATCH": "changed", "DELETE": "deleted"}

logger = logging.getLogger(__name__)


class JSONRenderer(BaseRenderer):
    """msgspec's: a tenth of the time that REST framework's own takes for a whole gradebook."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else msgspec.json.encode(data)


class View(APIView):
    """Knows who acts."""

    scopes: ClassVar[dict[str, str]] = {"GET": "read", "HEAD": "read", "OPTIONS": "read", "*": "write"}
    parser_classes = [bodies.UndecodedParser]
    renderer_classes = [JSONRenderer]
    # The log's name for the thing that this view changes; grades are logged with their transaction.
    logs: ClassVar[str] = ""
    actor: access.Actor

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.actor = headers.actor(request, cast(Holder, request.user))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.logs and answer.status_code < 300 and self.writes:
            data = getattr(answer, "data", None) or {}
            logger.info(
                "%s %s course=%s id=%s author=%s",
                self.logs,
                _DEEDS[request.method or ""],
                kwargs.get("code", "-"),
                kwargs.get(f"{self.logs}_id", data.get("id", data.get("code"))),
                self.actor.author,
            )
        return answer

    @property
    def writes(self) -> bool:
        return self.scopes.get(self.request.method or "", self.scopes["*"]) != "read"


class CourseView(View):
    """Knows what the actor may do in the course that the address names; writing takes an editor."""

    seat: access.Seat

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.seat = self.find_seat(kwargs)
        if self.writes:
            self.check_writer()

    def find_seat(self, address: dict[str, Any]) -> access.Seat:
        return access.find_seat(actor=self.actor, code=address["code"])

    def check_writer(self) -> None:
        self.seat.require_editor()

    def read_plan(self) -> standings.Plan:
        return standings.read_plan(course=self.seat.course, with_unpublished=self.seat.is_staff)


class StaffView(CourseView):
    """A view for teachers and assistants alone, also to read."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.seat.require_staff()


class GraderView(StaffView):
    """Writing takes a teacher or an assistant."""

    def check_writer(self) -> None:
        self.seat.require_grader()


class StudentView(CourseView):
    """Knows the student whom the address names; students and observers may name only their own."""

    student_id: int

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.student_id = kwargs["student_id"]
        self.seat.require_student(self.student_id)

    @cached_property
    def student(self) -> models.Student:
        """Read when it is asked for: a write finds it itself, locked."""
        return courses.find_student(course=self.seat.course, student_id=self.student_id)

    def check_writer(self) -> None:
        self.seat.require_grader()

    def read_standing(self) -> standings.Standing:
        return standings.read_standing(plan=self.read_plan(), student=self.student)


def number(request: Request, name: str, *, default: int | None = None, at_most: int = 2**63 - 1) -> int | None:
    """A whole number after the `?`. Raises Invalid."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text) or int(text) > at_most:
        raise Invalid(
            "See `errors` for each parameter.",
            errors=[{"pointer": f"?{name}", "detail": f"Expected a whole number from 0 to {at_most}."}],
        )
    return int(text)

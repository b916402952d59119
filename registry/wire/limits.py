"""The limits on names, lengths and page sizes in requests and answers."""

from typing import Annotated, Literal

from msgspec import Meta

from config.escaping import INVISIBLE, PRESENTATION
from registry.models import Status
from registry.models.instances import LONGEST_INCARNATION
from registry.models.instances import LONGEST_REASON as LONGEST_REASON
from registry.models.instances import LONGEST_URL as LONGEST_URL
from registry.models.status import OVERRIDDEN

SERVICE_PATTERN = r"^[a-z][a-z0-9._-]{0,62}\Z"
SERVICE_RULE = "a service's name is a lower-case letter, then up to 62 lower-case letters, digits and '.', '_', '-'"
INSTANCE_PATTERN = r"^[A-Za-z0-9_:@][A-Za-z0-9._:@-]{0,254}\Z"
INSTANCE_RULE = "an instance's name is 1 to 255 letters, digits and '.', '_', ':', '@', '-'; no '.' or '-' begins it"
WAIT_PATTERN = r"^[0-9]{1,6}(\.[0-9]{1,3})?(ms|s|m)?\Z"
# Control characters and line ends, which a terminal or a page would obey, and halves of surrogate pairs.
_OBEYED = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
# As themselves, because no escape for them is read alike by Python and by JSON Schema.
_INVISIBLE = "".join(f"{chr(first)}-{chr(last)}" for first, last in INVISIBLE)
# Labels, which are told apart by their characters.
PLAIN_PATTERN = f"^[^{_OBEYED}{_INVISIBLE}]*\\Z"
# Sentences for people: emoji keep their variation selectors.
PROSE_PATTERN = f"^(?:[^{_OBEYED}{_INVISIBLE}]|[{''.join(sorted(PRESENTATION))}])*\\Z"
MOST_PER_PAGE = 1000
# An HMAC key, as Standard Webhooks allows it.
SECRET_BYTES = range(24, 65)
SHOWN_STATUSES = (*Status.values, *sorted(OVERRIDDEN, reverse=True))


def part_of_path(pattern: str) -> str:
    """A name's pattern without its anchors, for use within the pattern of a path."""
    return pattern.removeprefix("^").removesuffix(r"\Z")


ServiceName = Annotated[str, Meta(pattern=SERVICE_PATTERN)]
InstanceName = Annotated[str, Meta(pattern=INSTANCE_PATTERN)]
Url = Annotated[str, Meta(min_length=1, max_length=LONGEST_URL)]
Label = Annotated[str, Meta(max_length=100, pattern=PLAIN_PATTERN)]
Reason = Annotated[str, Meta(max_length=LONGEST_REASON, pattern=PROSE_PATTERN)]
Incarnation = Annotated[str, Meta(max_length=LONGEST_INCARNATION, pattern=PLAIN_PATTERN)]
Tag = Annotated[str, Meta(min_length=1, max_length=64, pattern=PLAIN_PATTERN)]
Revision = Annotated[int, Meta(ge=0, le=2**62)]
Limit = Annotated[int, Meta(ge=1, le=MOST_PER_PAGE)]
Wait = Annotated[str, Meta(pattern=WAIT_PATTERN)]
Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
ShownStatus = Literal["starting", "passing", "warning", "critical", "maintenance", "draining"]
# RFC 3339 in UTC, to the millisecond.
Timestamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]

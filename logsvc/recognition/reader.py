"""Reads log files as records: recognises each line's format, joins the lines of one event, unwraps containers' logs."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from logsvc import bounds
from logsvc.bounds import Notes
from logsvc.recognition import times
from logsvc.recognition.formats import TEXT_FORMATS, Circumstances, Format, Recognized, structured
from logsvc.record import EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE, Record

# One event's lines; what a program dumps beyond them begins a new record.
LINES_AT_MOST = 1000
CHARACTERS_AT_MOST = 65_536

_CRI = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP])(?: (.*))?", re.DOTALL
)
_EXCEPTION_LINE = (
    r"(?:[a-zA-Z_$][\w$]*\.)*[A-Z][\w$]*(?:Exception|Error|Throwable|Interrupt|Exit|Warning|Failure|Fault)"
)
# A line that can only go on with the event before it.
_CONTINUATION = re.compile(
    rf"\s|Caused by: |Suppressed: |\.\.\. \d+ (?:more|common frames)|Traceback \(most recent call last\):|"
    rf"(?:During handling of the above exception|The above exception was the direct cause)|{_EXCEPTION_LINE}(?::\s|$)"
)
_FRAME = re.compile(r"\s+at \S+.*\(.*\)|Caused by: |\s+File \".*\", line \d+")
_THROWN = re.compile(rf"^(?:Exception in thread \"[^\"]*\" )?({_EXCEPTION_LINE})(?:: (.*))?$", re.MULTILINE)


@dataclass(kw_only=True)
class Event:
    """The lines of one event: the first, recognised, and those that follow. `place` is where it begins."""

    place: int
    first: Recognized
    lines: list[str]
    size: int
    is_known: bool

    def takes(self, line: str) -> bool:
        return len(self.lines) < LINES_AT_MOST and self.size + len(line) < CHARACTERS_AT_MOST

    def append(self, line: str) -> None:
        self.lines.append(line)
        self.size += len(line) + 1


@dataclass(kw_only=True)
class Origin:
    """The origin of a file's lines; `identity` distinguishes this file's records from another's."""

    service: str
    instance: str = ""
    host: str = ""
    identity: str = ""


@dataclass(kw_only=True)
class Reader:
    """Reads one file. A line without a time has that of the record before it, else `received_ns`."""

    origin: Origin
    circumstances: Circumstances
    received_ns: int
    # Only this one; else whichever fits.
    format: Format | None = None
    _last: Format | None = None
    _last_time_ns: int | None = None
    # Parts of a line that Kubernetes has split, by their stream.
    _parts: dict[str, str] = field(default_factory=dict)

    def read(self, lines: Iterable[str]) -> Iterator[Record]:
        """A record for every event of `lines`, which have no line ends."""
        event: Event | None = None
        for place, line in enumerate(lines):
            if (unwrapped := self._unwrap(line)) is None:
                continue
            text, wrapper = unwrapped
            if not text.strip():
                continue
            continues = event is not None and event.takes(text) and _CONTINUATION.match(text)
            found = self._recognize(text) if not (continues and text[0].isspace()) else None
            if event is not None and continues and found is None:
                event.append(text)
                continue
            if event is not None:
                yield self._record(event)
            first = found or Recognized(body=text)
            if wrapper is not None:
                first.time_ns = wrapper.time_ns
                first.attributes = wrapper.attributes | first.attributes
            event = Event(place=place, first=first, lines=[text], size=len(text), is_known=found is not None)
        if event is not None:
            yield self._record(event)

    def _unwrap(self, line: str) -> tuple[str, Recognized | None] | None:
        """The text that a container's runtime has wrapped, with what the wrapper says; None for a part of a line."""
        if line[:1] == "2" and (found := _CRI.fullmatch(line)):
            time_ns = times.iso(found[1], self.circumstances.zone)
            text = self._parts.pop(found[2], "") + (found[4] or "")
            if found[3] == "P" and len(text) < CHARACTERS_AT_MOST:
                self._parts[found[2]] = text
                return None
            return text, Recognized(body=text, time_ns=time_ns, attributes={"log.iostream": found[2]})
        if line[:1] == "{" and '"log"' in line and '"stream"' in line and (members := _object(line)) is not None:
            inner, stream, time = members.get("log"), members.get("stream"), members.get("time")
            if isinstance(inner, str) and stream in ("stdout", "stderr") and isinstance(time, str):
                time_ns = times.iso(time, self.circumstances.zone)
                return inner.rstrip("\n"), Recognized(body=inner, time_ns=time_ns, attributes={"log.iostream": stream})
        return line, None

    def _recognize(self, text: str) -> Recognized | None:
        if self.format is not None:
            return self.format(text, self.circumstances)
        if text[0] == "{" and (members := _object(text)) is not None:
            return structured(members, self.circumstances, line=text)
        # Most lines of a file have the format of the line before.
        if self._last is not None and (found := self._last(text, self.circumstances)) is not None:
            return found
        for candidate in TEXT_FORMATS.values():
            if candidate is not self._last and (found := candidate(text, self.circumstances)) is not None:
                self._last = candidate
                return found
        return None

    def _record(self, event: Event) -> Record:
        first = event.first
        time_ns = first.time_ns
        if time_ns is None:
            time_ns = self.received_ns if self._last_time_ns is None else self._last_time_ns
        self._last_time_ns = time_ns
        notes = Notes()
        body = first.body
        attributes = dict(first.attributes)
        if len(event.lines) > 1:
            rest = "\n".join(event.lines[1:])
            if _FRAME.search(rest):
                attributes[EXCEPTION_STACKTRACE] = rest
                if thrown := _THROWN.findall(f"{body}\n{rest}"):
                    # Java's type stands first, Python's last.
                    kind, message = thrown[-1] if "Traceback (most recent call last):" in rest else thrown[0]
                    attributes |= {EXCEPTION_TYPE: kind, EXCEPTION_MESSAGE: message}
            else:
                body = f"{body}\n{rest}"
        # The same each time the same file is read: what was read before is not stored again.
        identity = f"{self.origin.identity}\0{event.place}\0{event.lines[0]}"
        record = Record(
            time_ns=time_ns,
            observed_ns=self.received_ns,
            service=self.origin.service or first.service,
            body=bounds.text(body, "message", notes, at_most=bounds.BODY_LENGTH),
            severity=first.severity,
            severity_text=first.severity_text,
            instance=self.origin.instance,
            host=self.origin.host or first.host,
            logger=first.logger,
            attributes=bounds.attributes(attributes, notes, given_bytes=6 * event.size),
            trace_id=first.trace_id,
            span_id=first.span_id,
            uid=hashlib.blake2b(identity.encode("utf-8", "replace"), digest_size=16).hexdigest(),
        )
        bounds.names(record, notes)
        record.notes = list(notes)
        return record


def _object(line: str) -> dict[str, Any] | None:
    try:
        decoded = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None

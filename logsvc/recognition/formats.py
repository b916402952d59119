"""Parsers of log formats: each returns a line's members, or None unless the line is unmistakably in its format.

A format that looks like another is refused rather than guessed: a time or a level that is wrong is worse than none.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from logsvc import severity, timestamps
from logsvc.recognition import times
from logsvc.severity import Severity


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """Context for what a line leaves out: the zone of times without an offset, the date for dates without a year."""

    now: datetime
    zone: tzinfo = UTC


@dataclass(kw_only=True)
class Recognized:
    """The members that a line holds; None and "" for those that it lacks."""

    body: str
    time_ns: int | None = None
    severity: int = 0
    severity_text: str = ""
    service: str = ""
    host: str = ""
    logger: str = ""
    trace_id: str = ""
    span_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)

    def set_level(self, word: str) -> None:
        number = severity.known(word)
        if number:
            self.severity, self.severity_text = number, word.strip()


Format = Callable[[str, Circumstances], Recognized | None]

_LEVEL = r"TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|FATAL|CRITICAL|FINEST|FINER|FINE|CONFIG"
_ISO = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:\s?(?:Z|UTC|GMT)|\s?[+-]\d\d:?\d\d|[+-]\d\d)?"

# Syslog's severities 0 to 7 (RFC 5424, table 2), as OpenTelemetry maps them.
_SYSLOG = (
    (23, "emergency"),
    (22, "alert"),
    (21, "critical"),
    (17, "error"),
    (13, "warning"),
    (11, "notice"),
    (9, "info"),
    (5, "debug"),
)

_RFC3164 = re.compile(
    r"(?:<(\d{1,3})>)?([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\S+) "
    r"([^\s:\[]{1,64})(?:\[(\d+)\])?: (.*)",
    re.DOTALL,
)
_RSYSLOG = re.compile(
    r"(?:<(\d{1,3})>)?(\d{4}-\d\d-\d\dT\S+) ([\w.-]+) ([A-Za-z][\w./-]{0,63}(?:\(\w+\))?)(?:\[(\d+)\])?: (.*)",
    re.DOTALL,
)
_RFC5424 = re.compile(
    r"<(\d{1,3})>1 (\S+) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) (-|(?:\[(?:[^\]\\\"]|\"(?:[^\"\\]|\\.)*\")*\])+)"
    r"(?: \ufeff?(.*))?",
    re.DOTALL,
)
_PARAMETER = re.compile(r'\[([^\s\]="]{1,32})|([^\s\]="]{1,32})="((?:[^"\\]|\\.)*)"')


def rfc3164(line: str, given: Circumstances) -> Recognized | None:
    """Traditional syslog: `Nov 29 08:00:00 host program[12]: text`, with or without a priority."""
    found = _RFC3164.match(line)
    if found is None or (month := times.month(found[2])) is None:
        return None
    clock = (int(found[4]), int(found[5]), int(found[6]))
    time_ns = times.without_year((month, int(found[3])), clock, found[7] or "", given.zone, now=given.now)
    if time_ns is None:
        return None
    return _syslog(found[1], time_ns, host=found[8], program=found[9], process=found[10], body=found[11])


def rsyslog(line: str, given: Circumstances) -> Recognized | None:
    """Syslog as rsyslog and systemd write it today: an RFC 3339 time, host, program."""
    found = _RSYSLOG.match(line)
    if found is None or (time_ns := times.iso(found[2], given.zone)) is None:
        return None
    return _syslog(found[1], time_ns, host=found[3], program=found[4], process=found[5], body=found[6])


def rfc5424(line: str, given: Circumstances) -> Recognized | None:
    found = _RFC5424.fullmatch(line)
    if found is None or int(found[1]) > 191:
        return None
    time_ns = None if found[2] == "-" else times.iso(found[2], given.zone)
    if time_ns is None and found[2] != "-":
        return None
    host, program, process, message_id = ("" if each == "-" else each for each in found.group(3, 4, 5, 6))
    record = _syslog(found[1], time_ns, host=host, program=program, process=process, body=found[8] or "")
    if message_id:
        record.attributes["syslog.msgid"] = message_id
    element = ""
    for name, key, value in _PARAMETER.findall(found[7]):
        element = name or element
        if key:
            record.attributes[f"{element}.{key}"] = re.sub(r"\\([\\\"\]])", r"\1", value)
    return record


def _syslog(
    priority: str | None, time_ns: int | None, *, host: str, program: str, process: str | None, body: str
) -> Recognized:
    record = Recognized(body=body, time_ns=time_ns, host=host, service=re.sub(r"\(.*\)", "", program))
    if process:
        record.attributes["process.pid"] = int(process) if process.isdecimal() and len(process) < 19 else process
    if priority and int(priority) <= 191:
        record.severity, record.severity_text = _SYSLOG[int(priority) % 8]
        record.attributes["syslog.facility"] = int(priority) // 8
    return record


_ACCESS = re.compile(
    # The client, or a list of addresses that proxies have made longer, quoted or not, and then perhaps the last proxy.
    r'(?:"([^",]{1,100})[^"]{0,500}" \S{1,100}|([^\s,"]{1,100})'
    r'(?:(?:, [^\s,"]{1,100}){1,20}(?: \S{1,100}(?= \S{1,100} \S{1,100} \[))?)?)'
    r" (\S{1,100}) ([^\[]{1,100}) \[(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\] "
    r'"((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?(.*)',
    re.DOTALL,
)
_REQUEST = re.compile(r"([A-Z]{3,10}) (\S+)(?: HTTP/([\d.]+))?")


def access(line: str, given: Circumstances) -> Recognized | None:
    """The common and combined formats of nginx and Apache. Status 5xx is an error, anything else information."""
    found = _ACCESS.fullmatch(line)
    if found is None or (month := times.month(found[6])) is None:
        return None
    zone = times.offset(found[11], given.zone)
    date, clock = (int(found[7]), month, int(found[5])), (int(found[8]), int(found[9]), int(found[10]))
    if (time_ns := times.exact(date, clock, "", zone)) is None:
        return None
    status = int(found[13])
    attributes: dict[str, Any] = {"client.address": (found[1] or found[2]), "http.response.status_code": status}
    if request := _REQUEST.fullmatch(found[12]):
        attributes |= {"http.request.method": request[1], "url.path": request[2]}
    if found[14] != "-":
        attributes["http.response.body.size"] = int(found[14][:18])
    for name, value in (("http.request.header.referer", found[15]), ("user_agent.original", found[16])):
        if value and value != "-":
            attributes[name] = value
    if found[4].strip() != "-":
        attributes["user.name"] = found[4].strip()
    level = Severity.ERROR if status >= 500 else Severity.INFO
    return Recognized(body=line, time_ns=time_ns, severity=int(level), attributes=attributes)


_NGINX_ERROR = re.compile(
    r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(debug|info|notice|warn|error|crit|alert|emerg)\] (\d+)#(\d+): (.*)", re.DOTALL
)


def nginx_error(line: str, given: Circumstances) -> Recognized | None:
    found = _NGINX_ERROR.match(line)
    if found is None or (time_ns := times.iso(found[1], given.zone)) is None:
        return None
    record = Recognized(body=found[5], time_ns=time_ns, attributes={"process.pid": int(found[3][:18])})
    record.set_level(found[2])
    return record


_APACHE_ERROR = re.compile(
    r"\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (\d{4})\] "
    r"\[(?:(\w+):)?(emerg|alert|crit|error|warn|notice|info|debug|trace[1-8])\] (.*)",
    re.DOTALL,
)


def apache_error(line: str, given: Circumstances) -> Recognized | None:
    found = _APACHE_ERROR.match(line)
    if found is None or (month := times.month(found[1])) is None:
        return None
    date, clock = (int(found[7]), month, int(found[2])), (int(found[3]), int(found[4]), int(found[5]))
    if (time_ns := times.exact(date, clock, found[6] or "", given.zone)) is None:
        return None
    record = Recognized(body=found[10], time_ns=time_ns, logger=found[8] or "")
    record.set_level("trace" if found[9].startswith("trace") else found[9])
    return record


_KLOG = re.compile(r"([IWEF])(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{6})\s+(\d+) ([^\s:\]]+:\d+)\] (.*)", re.DOTALL)
_KLOG_LEVELS = {"I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}


def klog(line: str, given: Circumstances) -> Recognized | None:
    """Kubernetes' own components, and glog."""
    found = _KLOG.match(line)
    if found is None:
        return None
    date, clock = (int(found[2]), int(found[3])), (int(found[4]), int(found[5]), int(found[6]))
    if (time_ns := times.without_year(date, clock, found[7], given.zone, now=given.now)) is None:
        return None
    record = Recognized(body=found[10], time_ns=time_ns, logger=found[9])
    record.set_level(_KLOG_LEVELS[found[1]])
    return record


_POSTGRESQL = re.compile(
    rf"({_ISO}) (?:[A-Z]{{3,4}} )?\[(\d+)\] (?:(\S+)@(\S+) )?"
    r"(DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|STATEMENT|DETAIL|HINT|CONTEXT):  (.*)",
    re.DOTALL,
)
_POSTGRESQL_LEVELS = {"LOG": "INFO", "STATEMENT": "", "DETAIL": "", "HINT": "", "CONTEXT": ""}


def postgresql(line: str, given: Circumstances) -> Recognized | None:
    found = _POSTGRESQL.match(line)
    if found is None or (time_ns := times.iso(found[1], given.zone)) is None:
        return None
    record = Recognized(body=found[6], time_ns=time_ns, attributes={"process.pid": int(found[2][:18])})
    word = found[5]
    record.set_level(_POSTGRESQL_LEVELS.get(word, word.rstrip("12345")))
    record.severity_text = word
    if found[3]:
        record.attributes |= {"db.user": found[3], "db.namespace": found[4]}
    return record


_LOG4J = re.compile(
    rf"({_ISO})\s+(?:-\s+)?"
    rf"(?:\[([^\]]{{1,200}})\]\s+(?:-\s+)?)?(?:(\d+)\s+)?\[?({_LEVEL})\]?(?=[\s:\[-])\s*(?:(\d+) )?(?:--- )?(?:-\s+)?"
    r"(?:\[(.{1,200}?)\](?=\s)\s*(?:-\s+)?)?(?:([A-Za-z_$][\w$.-]*(?:\.[\w$-]+)+|[A-Za-z_$][\w$]*)\s*(?::\d+)?(?::\s|\s-\s))?"
    r"(?:-\s+)?(.*)",
    re.DOTALL,
)


def log4j(line: str, given: Circumstances) -> Recognized | None:
    """A full time, then a level: log4j, logback, Spring Boot, Hadoop, ZooKeeper, OpenStack, Python's logging."""
    found = _LOG4J.match(line)
    if found is None or (time_ns := times.iso(found[1].strip(), given.zone)) is None:
        return None
    record = Recognized(body=found[8], time_ns=time_ns, logger=found[7] or "")
    record.set_level({"FINER": "FINE", "CONFIG": "INFO"}.get(found[4], found[4]))
    if thread := found[2] or found[6]:
        record.attributes["thread.name"] = thread.strip()
    if process := found[3] or found[5]:
        record.attributes["process.pid"] = int(process[:18])
    return record


_ELASTICSEARCH = re.compile(rf"\[({_ISO})\]\s?\[({_LEVEL})\s*\]\s?\[([^\]]{{1,200}})\]\s*(.*)", re.DOTALL)


def elasticsearch(line: str, given: Circumstances) -> Recognized | None:
    """`[time][level][logger] message`: Elasticsearch, Logstash."""
    found = _ELASTICSEARCH.match(line)
    if found is None or (time_ns := times.iso(found[1].strip(), given.zone)) is None:
        return None
    record = Recognized(body=found[4], time_ns=time_ns, logger=found[3].strip())
    record.set_level(found[2])
    return record


_PYTHON = re.compile(rf"({_ISO})\s+-\s+([\w.$-]+)\s+-\s+({_LEVEL})\s+-\s+(.*)", re.DOTALL)


def python_logging(line: str, given: Circumstances) -> Recognized | None:
    """`%(asctime)s - %(name)s - %(levelname)s - %(message)s`."""
    found = _PYTHON.match(line)
    if found is None or (time_ns := times.iso(found[1].strip(), given.zone)) is None:
        return None
    record = Recognized(body=found[4], time_ns=time_ns, logger=found[2])
    record.set_level(found[3])
    return record


_SPARK = re.compile(rf"(\d\d)/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d) ({_LEVEL}) ([\w.$]+): (.*)", re.DOTALL)
_HDFS = re.compile(rf"(\d\d)(\d\d)(\d\d) (\d\d)(\d\d)(\d\d) \d+ ({_LEVEL}) ([\w.$]+): (.*)", re.DOTALL)


def spark(line: str, given: Circumstances) -> Recognized | None:
    return _two_digit_year(_SPARK.match(line), given)


def hdfs(line: str, given: Circumstances) -> Recognized | None:
    return _two_digit_year(_HDFS.match(line), given)


def _two_digit_year(found: re.Match[str] | None, given: Circumstances) -> Recognized | None:
    """A match of two-digit year, month, day, hour, minute and second, then level, logger and text."""
    if found is None:
        return None
    date, clock = (2000 + int(found[1]), int(found[2]), int(found[3])), (int(found[4]), int(found[5]), int(found[6]))
    if (time_ns := times.exact(date, clock, "", given.zone)) is None:
        return None
    record = Recognized(body=found[9], time_ns=time_ns, logger=found[8])
    record.set_level(found[7])
    return record


_REDIS = re.compile(
    r"(\d+):([XCSM]) (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d)\.(\d{3}) ([.*#-]) (.*)", re.DOTALL
)
_REDIS_LEVELS = {".": "DEBUG", "-": "DEBUG2", "*": "NOTICE", "#": "WARNING"}


def redis(line: str, given: Circumstances) -> Recognized | None:
    found = _REDIS.match(line)
    if found is None or (month := times.month(found[4])) is None:
        return None
    date, clock = (int(found[5]), month, int(found[3])), (int(found[6]), int(found[7]), int(found[8]))
    if (time_ns := times.exact(date, clock, found[9], given.zone)) is None:
        return None
    record = Recognized(body=found[11], time_ns=time_ns, attributes={"process.pid": int(found[1][:18])})
    record.set_level(_REDIS_LEVELS[found[10]])
    return record


_LOGFMT = re.compile(r'([A-Za-z_][\w.@-]*)=("(?:[^"\\]|\\.)*"|\S*)(?:\s+|$)')


def logfmt(line: str, given: Circumstances) -> Recognized | None:
    """`time=... level=... msg=...`: taken only where the whole line is pairs, and one of them is a level and a text."""
    pairs: dict[str, str] = {}
    end = 0
    for found in _LOGFMT.finditer(line):
        if found.start() != end:
            return None
        end = found.end()
        value = found[2]
        pairs[found[1]] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value[:1] == '"' == value[-1:] else value
    if end != len(line) or not pairs.keys() & {"level", "lvl"} or not pairs.keys() & {"msg", "message"}:
        return None
    return structured(dict(pairs), given, line=line)


_TIMES = ("time", "timestamp", "@timestamp", "ts", "t", "datetime", "date", "asctime", "eventTime")
_LEVELS = ("level", "severity", "lvl", "log.level", "levelname", "loglevel", "log_level", "severityText", "level_name")
_BODIES = ("message", "msg", "@message", "event", "body", "log", "text")
_LOGGERS = ("logger", "logger_name", "loggerName", "log.logger", "name")
_SERVICES = ("service", "service.name", "app", "application")
_HOSTS = ("host", "hostname", "host.name")
_TRACES, _SPANS = ("trace_id", "traceId", "trace.id", "traceID"), ("span_id", "spanId", "span.id", "spanID")
# Bunyan and pino write these.
_PINO = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL"}


def structured(members: dict[str, Any], given: Circumstances, *, line: str) -> Recognized | None:
    """The members of a JSON line or of logfmt, by the names that the usual libraries use.

    Without a text among them the whole line is the text; None where there is no time either.
    """
    remaining = dict(members)
    body = _take(remaining, _BODIES, str)
    record = Recognized(body=line if body is None else body)
    time = _take(remaining, _TIMES, (str, int, float))
    if time is not None:
        record.time_ns = _structured_time(time, given)
    if body is None and record.time_ns is None:
        return None
    level = _take(remaining, _LEVELS, (str, int))
    if isinstance(level, int):
        level = _PINO.get(level, "")
    record.set_level(level or "")
    record.service = _take(remaining, _SERVICES, str) or ""
    record.host = _take(remaining, _HOSTS, str) or ""
    record.logger = _take(remaining, _LOGGERS, str) or ""
    trace, span = _take(remaining, _TRACES, str) or "", _take(remaining, _SPANS, str) or ""
    if re.fullmatch(r"[0-9a-fA-F]{32}", trace):
        record.trace_id = trace.lower()
        record.span_id = span.lower() if re.fullmatch(r"[0-9a-fA-F]{16}", span) else ""
    record.attributes = remaining
    return record


def _take(members: dict[str, Any], names: tuple[str, ...], kinds: type | tuple[type, ...]) -> Any:
    for name in names:
        if isinstance(members.get(name), kinds) and not isinstance(members[name], bool):
            return members.pop(name)
    return None


def _structured_time(value: str | int | float, given: Circumstances) -> int | None:
    if isinstance(value, str):
        if (time_ns := times.iso(value.strip(), given.zone)) is not None:
            return time_ns
        if not re.fullmatch(r"\d{9,19}(\.\d{1,9})?", value):
            return None
        value = float(value) if "." in value else int(value)
    if not 10**8 <= value < 10**19:
        return None
    return timestamps.from_number(value)


TEXT_FORMATS: dict[str, Format] = {
    "rfc5424": rfc5424,
    "rfc3164": rfc3164,
    "rsyslog": rsyslog,
    "access": access,
    "nginx-error": nginx_error,
    "apache-error": apache_error,
    "postgresql": postgresql,
    "python": python_logging,
    "log4j": log4j,
    "elasticsearch": elasticsearch,
    "klog": klog,
    "spark": spark,
    "hdfs": hdfs,
    "redis": redis,
    "logfmt": logfmt,
}

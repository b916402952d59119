"""The log service's API over records in a list, in the order of their arrival."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.webui.faked.call import NOW, Answer, Call, problem, wire

LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


@dataclass
class Logsvc:
    records: list[dict[str, Any]] = field(default_factory=list)

    def add(self, message: str, *, service: str = "grading", level: str = "INFO", **members: Any) -> None:
        number = len(self.records) + 1
        self.records.append(
            {
                "id": str(number),
                "seq": number,
                "time": wire(NOW + timedelta(seconds=number)),
                "level": level,
                "service": service,
                "instance": f"{service}-1",
                "logger": f"{service}.gradebook",
                "message": message,
                "attributes": {},
                "notes": [],
            }
            | members
        )

    def answer(self, call: Call) -> Answer:
        if call.method == "POST":
            return 200, {"accepted": 0, "rejected": []}
        if call.query.get("q", "").endswith(":"):
            return problem(422, "invalid", "", errors=[{"pointer": "/q", "detail": "The query ends here."}])
        found = [record for record in self.records if _matches(record, call.query.get("q", ""))]
        match call.path.strip("/").split("/")[3:]:
            case []:
                return self._search(found, call.query)
            case ["arrivals"]:
                return self._arrivals(found, call.query)
            case ["histogram"]:
                bucket = {"time": wire(NOW), "total": len(found), "levels": Counter(each["level"] for each in found)}
                return 200, {"step_seconds": 60, "buckets": [bucket], "complete": True}
            case ["facets"]:
                fields = call.query["field"].split(",")
                counts = {name: Counter(each[name] for each in found) for name in fields}
                values = {
                    name: [{"value": value, "records": count} for value, count in counted.most_common()]
                    for name, counted in counts.items()
                }
                return 200, {"facets": values, "counted": len(found), "complete": True}
            case [number]:
                return self._record(int(number))
            case [number, "context"]:
                at = int(number)
                status, record = self._record(at)
                if status != 200:
                    return status, record
                return 200, {"before": self.records[: at - 1], "record": record, "after": self.records[at:]}
        return problem(404, "not-found", "There is no such address.")

    def _search(self, found: list[dict[str, Any]], query: Mapping[str, str]) -> Answer:
        limit, cursor = int(query.get("limit", "100")), int(query.get("cursor", "1000000"))
        older = [record for record in reversed(found) if record["seq"] < cursor]
        page = older[:limit]
        return 200, {"records": page, "next": page[-1]["id"] if len(older) > limit else None, "complete": True}

    def _arrivals(self, found: list[dict[str, Any]], query: Mapping[str, str]) -> Answer:
        if "cursor" not in query:
            return 200, {"records": [], "cursor": len(self.records), "gapless": True}
        newer = [record for record in found if record["seq"] > int(query["cursor"])][: int(query["limit"])]
        full = len(newer) == int(query["limit"])
        return 200, {"records": newer, "cursor": newer[-1]["seq"] if full else len(self.records), "gapless": True}

    def _record(self, number: int) -> Answer:
        if not 1 <= number <= len(self.records):
            return problem(404, "not-found", "There is no such record.")
        return 200, self.records[number - 1]


def _matches(record: Mapping[str, Any], query: str) -> bool:
    """The part of the query language that the tests use."""
    for sign, name, value in re.findall(r'(-?)(?:(level>=|[a-z.]+:))?("[^"]*"|[^\s"]+)', query):
        value = value.strip('"')
        if name == "level>=":
            holds = LEVELS.index(record["level"]) >= LEVELS.index(value.upper())
        elif name.startswith("attr."):
            holds = str(record["attributes"].get(name[5:-1])) == value
        elif name:
            holds = str(record[name[:-1]]).lower() == value.lower()
        else:
            holds = value.lower() in record["message"].lower()
        if holds == (sign == "-"):
            return False
    return True

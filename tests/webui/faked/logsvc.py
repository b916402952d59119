"""The log service's API over records in a list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.webui.faked.call import NOW, Answer, Call, problem, wire


@dataclass
class Logsvc:
    records: list[dict[str, Any]] = field(default_factory=list)

    def add(self, message: str, *, service: str = "grading", level: str = "INFO", **members: Any) -> None:
        self.records.append(
            {
                "id": len(self.records) + 1,
                "time": wire(NOW + timedelta(seconds=len(self.records))),
                "level": level,
                "service": service,
                "instance": f"{service}-1",
                "logger": f"{service}.gradebook",
                "message": message,
                "attributes": {},
                "exception": None,
            }
            | members
        )

    def answer(self, call: Call) -> Answer:
        if call.method == "POST":
            return 200, {"accepted": 0, "rejected": []}
        if call.path == "/v1/services":
            names = sorted({record["service"] for record in self.records})
            return 200, {"services": [{"service": name, "records": 1} for name in names]}
        if not call.query.get("before", "1").isdigit():
            return problem(422, "invalid", "`before` is no id: use the one that `next` gave.")
        found = [record for record in reversed(self.records) if _matches(record, call.query)]
        limit = int(call.query.get("limit", "100"))
        page = found[:limit]
        return 200, {"records": page, "next": page[-1]["id"] if len(found) > limit else None}


def _matches(record: dict[str, Any], query: Mapping[str, str]) -> bool:
    levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    return (
        query.get("service", record["service"]) == record["service"]
        and levels.index(record["level"]) >= levels.index(query.get("level", "DEBUG"))
        and query.get("q", "").lower() in record["message"].lower()
        and record["id"] < int(query.get("before", "1000000"))
    )

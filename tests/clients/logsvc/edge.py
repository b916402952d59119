"""The log service as its client sees it: a transport that answers as told and remembers what it took."""

import gzip
import json
import threading
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.waiting import PATIENCE_SECONDS

ADDRESS = "http://logsvc.test"


@dataclass
class Edge:
    """While `status` is 0 connections are refused; otherwise it is the answer, and with 200 records are kept by uid."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=lambda: {"accepted": 1, "rejected": []})
    # Once True, what is kept is not acknowledged: the connection breaks before the answer.
    loses_answers: bool = False
    # The most bytes a batch may have.
    limit: int = 10**9
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[httpx2.Request] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.open.set()

    @property
    def messages(self) -> list[str]:
        return [record["message"] for record in self.kept.values()]

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.open.wait(10 * PATIENCE_SECONDS)
        self.requests.append(request)
        if not self.status:
            raise httpx2.ConnectError("refused", request=request)
        body = gzip.decompress(request.content)
        if len(body) > self.limit:
            return httpx2.Response(413, json={"detail": "too large"})
        if self.status == 200:
            for line in body.splitlines():
                record = json.loads(line)
                self.kept[record["uid"]] = record
        if self.loses_answers:
            raise httpx2.ReadError("reset", request=request)
        return httpx2.Response(self.status, headers=self.headers, json=self.body)

"""Answers that several formats share."""

from dataclasses import asdict

import msgspec

from config.problems import RawResponse
from logsvc.ingest.batch import Batch

JSON = ((b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff"))


def counts(batch: Batch) -> RawResponse:
    """The answer with the number of accepted records, and the rejected ones."""
    body = {"accepted": batch.accepted, "rejected": [asdict(each) for each in batch.rejected]}
    return RawResponse(status=200, headers=JSON, body=msgspec.json.encode(body))

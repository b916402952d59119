"""Bodies of the ingest addresses: handed on as bytes, for what reads a format is no business of the edge."""

from typing import Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from logsvc.ingest import content


class BytesParser(BaseParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        encoding = parser_context["request"].headers.get("Content-Encoding", "")
        return content.read(stream, encoding=encoding, limit_bytes=settings.BODY_LIMIT_BYTES)


class NDJSONParser(BytesParser):
    media_type = "application/x-ndjson"


class PlainTextParser(BytesParser):
    media_type = "text/plain"

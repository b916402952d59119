"""Send a Python program's log records to Rollcall's log service: `LogHandler`, a `logging.Handler`."""

from .handler import LogHandler

__all__ = ["LogHandler"]

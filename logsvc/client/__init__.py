"""Send a Python program's log records to Rollcall's log service: `LogHandler`, a `logging.Handler`."""

from .context import bind, bound, unbind
from .handler import LogHandler
from .structlog import StructlogProcessor

__all__ = ["LogHandler", "StructlogProcessor", "bind", "bound", "unbind"]

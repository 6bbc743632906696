"""The server's log: one event a line, with the job's id, as text for people or JSON for machines."""

import logging
import sys
from contextlib import suppress
from typing import Any, Literal, TextIO

import structlog

from server.access.redact import RedactingFilter, Redaction

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["text", "json"]


class Steady:
    """A stream that may take nothing, being closed or on a full disk, and those who log go on."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write, if that can be."""
        with suppress(OSError, ValueError):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Have it written, if that can be."""
        with suppress(OSError, ValueError):
            self.stream.flush()


def configure(level: Level, form: Format, redaction: Redaction) -> None:
    """Have structlog and the standard library's loggers write to stderr, secrets blotted out."""
    stream: Any = Steady(sys.stderr)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redaction,
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if form == "text"
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    handler.addFilter(RedactingFilter(redaction))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)

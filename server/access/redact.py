"""Logs without secrets."""

import logging
import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from typing_extensions import override

HIDDEN = "[hidden]"
_NAMES = re.compile(
    r"(^|[_.\- ])(authorization|cookies?|set-cookie|password|passwd|secrets?|tokens?|api[_-]?key|signature)$",
    re.IGNORECASE,
)
_PATTERNS = (
    (re.compile(r"dr_[0-9a-f]{4,}_[0-9A-Za-z]+"), HIDDEN),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b((?:Set-)?Cookie\s*[:=]\s*)[^\r\n]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\bdarkroom_\d+=[^;\s,'\"]+"), HIDDEN),
    (re.compile(r"(\$argon2\w+\$)[^\s'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"([a-z][a-z0-9+.-]*://)[^/\s@'\"]+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"""(["']?[\w.-]*(?:password|passwd|secret|token|api_?key|signature)["']?\s*[=:]\s*)"""
            r"""("[^"]*"|'[^']*'|[^\s&,;)}\]"']+)""",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)


class Redaction:
    """Hides what looks like a secret, and the secrets that it was told."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets = tuple(sorted({each for each in secrets if len(each) >= 4}, key=len)[::-1])

    def text(self, text: str) -> str:
        """The text without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text

    def value(self, value: Any, depth: int = 6) -> Any:
        """A value without secrets, also in what it holds."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if depth and isinstance(value, Mapping):
            return {
                name: HIDDEN if _NAMES.search(str(name)) and each else self.value(each, depth - 1)
                for name, each in value.items()
            }
        if depth and isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(each, depth - 1) for each in value]
        return self.text(str(value))

    def __call__(
        self, logger: Any, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """As a processor of structlog, after the one that writes tracebacks out."""
        hidden: dict[str, Any] = self.value(event)
        return hidden


class RedactingFilter(logging.Filter):
    """As a filter of the standard library's logging, on a handler."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self.redaction = redaction

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self.redaction.text(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self.redaction.text(record.exc_text)
        if record.stack_info:
            record.stack_info = self.redaction.text(record.stack_info)
        return True

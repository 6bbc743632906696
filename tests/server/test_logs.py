import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from server.access.redact import Redaction
from server.logs import configure


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_lines_of_other_loggers_hold_what_they_say_and_no_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("info", "json", Redaction(["a-secret-of-mine-1"]))
    logging.getLogger("library").error("lost %s: a-secret-of-mine-1", "it")
    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "lost it: [hidden]", "level": "error"}

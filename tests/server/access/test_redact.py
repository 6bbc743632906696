import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from server.access.redact import HIDDEN, RedactingFilter, Redaction

TOKEN = "dr_0123456789ab_" + "f0" * 32
OWN = "my-own-webhook-key-1"


def fail() -> None:
    raise ValueError(f"cannot use {TOKEN}")


@pytest.fixture
def redaction() -> Redaction:
    return Redaction([OWN, ""])


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"GET /ws?token={TOKEN}&clientId=1", TOKEN),
        (f"the token {TOKEN} is wrong", TOKEN),
        ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
        ("authorization=basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("{'Authorization': 'Bearer xyz123'}", "xyz123"),
        ("Cookie: darkroom_8188=abcdef; other=1", "abcdef"),
        ("{'Cookie': 'darkroom_8188=abcdef'}", "abcdef"),
        ("Set-Cookie: darkroom_8188=abcdef; HttpOnly", "abcdef"),
        ("user=alice&password=hunter2&next=/", "hunter2"),
        ('{"password": "hun ter2"}', "hun ter2"),
        ("webhook_secret = 'hunter2'", "hunter2"),
        ("postgresql://darkroom:hunter2@db/darkroom", "hunter2"),
        ("https://user:hunter2@example.org/hook", "hunter2"),
        ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "aGFzaA"),
        (f"signed with {OWN}", OWN),
    ],
)
def test_secrets_are_hidden(redaction: Redaction, text: str, secret: str) -> None:
    hidden = redaction.text(text)
    assert secret not in hidden
    assert HIDDEN in hidden


@pytest.mark.parametrize(
    "text",
    [
        "KSampler 4: 20 of 20 steps in 3.1 s",
        "GET /api/v1/jobs?limit=10 200",
        "https://example.org/a@b",
        "tokenizer loaded; 77 tokens",
        "dr_ and dr_x are no tokens",
    ],
)
def test_the_rest_stays(redaction: Redaction, text: str) -> None:
    assert redaction.text(text) == text


def test_values_are_hidden_by_their_names(redaction: Redaction) -> None:
    event = {
        "event": "request",
        "headers": {"Authorization": "x", "Set-Cookie": "y", "Host": "localhost"},
        "token": "abc",
        "webhook_secret": "abc",
        "tokens": None,
        "nested": [{"password": "abc"}, ("plain", TOKEN)],
        "count": 3,
        "tokenizer": "clip",
    }
    assert redaction(None, "info", dict(event)) == {
        "event": "request",
        "headers": {"Authorization": HIDDEN, "Set-Cookie": HIDDEN, "Host": "localhost"},
        "token": HIDDEN,
        "webhook_secret": HIDDEN,
        "tokens": None,
        "nested": [{"password": HIDDEN}, ["plain", HIDDEN]],
        "count": 3,
        "tokenizer": "clip",
    }


def test_it_is_a_processor_of_structlog(redaction: Redaction) -> None:
    out = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[
            structlog.processors.format_exc_info,
            redaction,
            structlog.processors.JSONRenderer(),
        ],
    )
    try:
        fail()
    except ValueError:
        log.exception("failed", password="hunter2")  # noqa: S106 - a test
    said = out.getvalue()
    assert "cannot use" in said
    assert TOKEN not in said
    assert "hunter2" not in said


@pytest.fixture
def heard(redaction: Redaction) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(RedactingFilter(redaction))
    logger = logging.getLogger("tests.redaction")
    logger.addHandler(handler)
    yield logger, out
    logger.removeHandler(handler)


def test_it_is_a_filter_of_logging(heard: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = heard
    logger.warning("refused %s from %s", TOKEN, "10.0.0.1")
    try:
        fail()
    except ValueError:
        logger.exception("failed with %s", {"password": "hunter2"})
    said = out.getvalue()
    assert "from 10.0.0.1" in said
    assert "Traceback" in said
    assert TOKEN not in said
    assert "hunter2" not in said

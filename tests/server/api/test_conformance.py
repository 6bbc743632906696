"""The whole server against its own description: requests that suit it, and such that do not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi

from server.api.border import OPERATIONS
from server.api.operation import Operation
from tests.serving import Served

EXAMPLES = 5
LEFT_OUT = {"stream_events", "stream_job_events", "open_socket"}
"""Their answers have no end."""
ANSWERS_ALL = {"validate", "read_openapi"}
"""What is wrong with a graph is an answer; a header of no meaning is not looked at."""
CHECKS: list[Any] = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
    openapi.negative_data_rejection,
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("served")
    with Served(folder / "data") as started:
        yield started


@pytest.fixture(scope="module")
def described(served: Served) -> Any:
    status, document = served.call("GET", "/api/v1/openapi.json")
    assert status == 200
    loaded = schemathesis.openapi.from_dict(document)
    loaded.config.update(base_url=served.url)
    return loaded


@pytest.mark.slow
@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if each.name not in LEFT_OUT],
    ids=lambda each: each.name,
)
def test_requests_are_answered_as_described(described: Any, operation: Operation) -> None:
    found = described[operation.template][operation.method]
    modes = [schemathesis.GenerationMode.POSITIVE]
    takes = operation.body or operation.query or operation.headers or operation.named
    if takes and operation.name not in ANSWERS_ALL:
        modes.append(schemathesis.GenerationMode.NEGATIVE)
    for mode in modes:

        @given(case=found.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def answered(case: Any) -> None:
            case.call_and_validate(checks=CHECKS, timeout=20)

        answered()

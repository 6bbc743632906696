"""A whole server, and nodes that do harm: only their own job suffers."""

import json
import time
from collections.abc import Iterator

import pytest

from .raw import connect
from .serving import Served
from .toying import check_alive, check_problem, graph, node, run


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("harm") / "data"
    with Served(data, options=("--workers", "2", "--cancel-grace-seconds", "0.5")) as server:
        status, told = server.call("POST", "/api/v1/jobs?wait=60", {"document": graph({})})
        assert (status, told["state"]) == (201, "succeeded"), told
        yield server


def test_a_job_that_ends_its_worker_twice_fails_with_the_reason(served: Served) -> None:
    ended = run(served, node("Harm", how="segfault"))
    assert (ended["state"], ended["attempt"]) == ("failed", 2)
    assert ended["error"]["code"] == "worker_died"
    assert "SIGSEGV" in ended["error"]["detail"] or "signal 11" in ended["error"]["detail"]
    check_problem(ended["error"], 503)
    check_alive(served)


def test_a_job_that_ends_its_worker_once_succeeds(served: Served) -> None:
    ended = run(served, node("HarmOnce", file=str(served.data / "harmed")))
    assert (ended["state"], ended["attempt"]) == ("succeeded", 2)
    assert ended["outputs"]["value"]["value"] == "survived"


def test_a_node_that_never_yields_loses_its_worker_when_cancelled(served: Served) -> None:
    _, told = served.call("POST", "/api/v1/jobs", {"document": node("Deaf")})
    job = told["id"]
    until = time.monotonic() + 30
    while served.call("GET", f"/api/v1/jobs/{job}")[1]["state"] != "running":
        assert time.monotonic() < until
        time.sleep(0.05)
    before = {each["pid"] for each in served.call("GET", "/api/v1/workers")[1]["workers"]}
    status, told = served.call("POST", f"/api/v1/jobs/{job}/cancel")
    assert status == 200, told
    assert served.finished(job, 10)["state"] == "cancelled"
    status, told = served.call("POST", f"/api/v1/jobs/{job}/cancel")
    assert status == 409
    check_problem(told, 409)
    until = time.monotonic() + 30
    while {each["pid"] for each in served.call("GET", "/api/v1/workers")[1]["workers"]} == before:
        assert time.monotonic() < until
        time.sleep(0.05)
    check_alive(served)


@pytest.mark.parametrize("how", ["value", "input", "bug", "disk", "memory"])
def test_a_node_that_fails_fails_its_job_alone(served: Served, how: str) -> None:
    ended = run(served, node("Fail", number=1.0, how=how))
    assert (ended["state"], ended["attempt"]) == ("failed", 1)
    assert ended["error"]["detail"]
    assert "Traceback" not in json.dumps(ended["error"])


def test_a_repeated_request_makes_and_tells_one_job(served: Served) -> None:
    served.call("POST", "/api/v1/queue/pause")
    try:
        headers = {"Idempotency-Key": "once-and-for-all"}
        body = {"document": node("Add", a=7.0)}
        told = [served.call("POST", "/api/v1/jobs", body, headers) for _ in range(5)]
        assert {status for status, _ in told} <= {200, 201}
        (job,) = {each["id"] for _, each in told}
        status, other = served.call(
            "POST", "/api/v1/jobs", {"document": node("Add", a=8.0)}, headers
        )
        assert status == 409
        check_problem(other, 409)
    finally:
        served.call("POST", "/api/v1/queue/resume")
    served.finished(job)
    kinds = stream(served, f"/api/v1/jobs/{job}/events")
    assert kinds.count("job.queued") == 1
    assert kinds.count("job.succeeded") == 1


def stream(served: Served, path: str) -> list[str]:
    """The types of the events of a job that has ended."""
    with connect(served) as client:
        client.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        )
        data = b""
        try:
            while chunk := client.recv(65536):
                data += chunk
        except TimeoutError:
            raise AssertionError(data) from None
    return [line[7:] for line in data.decode().splitlines() if line.startswith("event: ")]

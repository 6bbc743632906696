import asyncio
import threading
from typing import Any

import pytest

from engine.workflow import Workflow
from server.access.principal import Principal
from server.api.asking import Graph
from server.api.saved import Shelf
from tests.server.api.conftest import Bench, Caller, Client

Json = dict[str, Any]


async def submit(client: Client, graph: Json, **rest: Any) -> Json:
    answer = await client.post("/api/v1/jobs", json={"document": graph, **rest})
    assert answer.status == 201, await answer.text()
    told: Json = await answer.json()
    assert answer.headers["Location"] == told["links"]["self"]
    return told


async def test_a_job_is_queued_run_and_shows_its_outputs(
    client: Client, bench: Bench, graph: Json
) -> None:
    told = await submit(client, graph)
    assert (told["state"], told["name"]) == ("queued", "Write a text")
    bench.held.set()
    told = await (await client.get(told["links"]["self"], params={"wait": "10"})).json()
    assert told["state"] == "succeeded"
    assert told["outputs"]["sum"] == {"value": 3}
    picture, _ = told["outputs"]["file"]["files"]
    assert picture["url"].endswith("/outputs/a%20picture.png")
    assert told["finished"].endswith("Z")
    nodes = await (await client.get(told["links"]["nodes"])).json()
    assert nodes["nodes"][0]["state"] == "ran"
    document = await (await client.get(told["links"]["document"])).json()
    assert document["nodes"]["write"]["inputs"]["text"] == "hello"


async def test_a_request_can_wait_for_the_end(client: Client, bench: Bench, graph: Json) -> None:
    bench.held.set()
    answer = await client.post("/api/v1/jobs?wait=10", json={"document": graph})
    assert (await answer.json())["state"] == "succeeded"


async def test_a_failed_job_shows_why(client: Client, bench: Bench, graph: Json) -> None:
    problem = {"code": "odd", "message": "too odd", "node": "write", "input": None, "hint": None}
    bench.fails = {"kind": "node_failed", "detail": "too odd", "problems": [problem]}
    bench.held.set()
    answer = await client.post("/api/v1/jobs?wait=10", json={"document": graph})
    told = await answer.json()
    assert told["state"] == "failed"
    assert (told["error"]["code"], told["error"]["problems"]) == ("odd", [problem])
    assert (told["error"]["title"], told["error"]["status"]) == ("A node failed", 500)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("worker_lost", "worker_hung"),
        ("invalid_workflow", "missing_file"),
        ("node_failed", "out_of_memory"),
    ],
)
async def test_the_type_of_a_failure_is_a_kind_that_the_server_explains(
    client: Client, bench: Bench, graph: Json, kind: str, code: str
) -> None:
    bench.fails = {"kind": kind, "detail": "it ended", "code": code, "problems": []}
    bench.held.set()
    answer = await client.post("/api/v1/jobs?wait=10", json={"document": graph})
    error = (await answer.json())["error"]
    explained = await (await client.get(error["type"])).json()
    assert (explained["code"], error["code"]) == (kind, code)
    assert (explained["title"], explained["status"]) == (error["title"], error["status"])


async def test_inputs_and_axes_are_set_by_name(client: Client, graph: Json) -> None:
    told = await submit(
        client,
        graph,
        inputs={"words": "bye", "dye.colour": "blue"},
        axes={"count": {"from": 1, "to": 3}},
    )
    document = await (await client.get(told["links"]["document"])).json()
    assert document["nodes"]["write"]["inputs"]["text"] == "bye"
    assert document["nodes"]["dye"]["inputs"]["colour"] == "blue"
    assert "$axis" in document["nodes"]["describe"]["inputs"]["count"]


async def test_a_graph_with_problems_is_refused_with_all_of_them(
    client: Client, graph: Json
) -> None:
    graph["nodes"]["describe"]["inputs"] = {"count": 1000}
    graph["nodes"]["write"]["type"] = "Wrte"
    graph["nodes"]["write"]["inputs"] = {"text": {"$link": ["describe", "value"]}}
    answer = await client.post("/api/v1/jobs", json={"document": graph})
    told = await answer.json()
    assert answer.status == 422
    assert told["code"] == "invalid_workflow"
    assert ("unknown_node", "write") in {(p["code"], p["node"]) for p in told["problems"]}
    assert (await (await client.get("/api/v1/jobs")).json())["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"document": {"nodes": {}}},
        {"document": {"darkroom": 1}, "workflow": "map"},
        {"document": {"darkroom": 1, "nodes": {}}, "priority": 10_000},
        {"document": {"darkroom": 1, "nodes": {}}, "webhook": "file:///etc/passwd"},
        {"document": {"darkroom": 1, "nodes": {}}, "inputs": {"nothing": 1}},
        {"workflow": "../secret"},
    ],
)
async def test_a_wrong_submission_is_refused(client: Client, body: Json) -> None:
    answer = await client.post("/api/v1/jobs", json=body)
    assert answer.status == 422, await answer.text()


async def test_the_same_key_gives_the_same_job(client: Client, graph: Json) -> None:
    headers = {"Idempotency-Key": "one"}
    first = await client.post("/api/v1/jobs", json={"document": graph}, headers=headers)
    again = await client.post("/api/v1/jobs", json={"document": graph}, headers=headers)
    assert (await first.json())["id"] == (await again.json())["id"]
    body = {"document": graph, "priority": 1}
    other = await client.post("/api/v1/jobs", json=body, headers=headers)
    assert other.status == 409
    assert (await other.json())["code"] == "idempotency_conflict"


async def test_a_key_of_a_batch_stands_for_the_whole_batch(client: Client, graph: Json) -> None:
    async def sent(key: str, *texts: str) -> tuple[int, list[str]]:
        jobs = [{"document": graph, "inputs": {"words": text}} for text in texts]
        answer = await client.post(
            "/api/v1/jobs/batch", json={"jobs": jobs}, headers={"Idempotency-Key": key}
        )
        return answer.status, [job["id"] for job in (await answer.json()).get("jobs", ())]

    key = "k" * 200
    status, first = await sent(key, "a", "b")
    assert (status, len(first)) == (201, 2)
    assert await sent(key, "a", "b") == (201, first)
    for other in (("a", "b", "c"), ("a",), ("b", "a")):
        assert await sent(key, *other) == (409, [])
    assert (await (await client.get("/api/v1/jobs")).json())["total"] == 2


async def test_a_repeated_request_is_answered_though_its_workflow_is_another_by_now(
    client: Client, graph: Json
) -> None:
    async def ran(text: str) -> tuple[int, str | None]:
        answer = await client.post(
            "/api/v1/workflows/mine/run",
            json={"inputs": {"words": text}},
            headers={"Idempotency-Key": "one"},
        )
        return answer.status, (await answer.json()).get("id")

    await client.put("/api/v1/workflows/mine", json=graph)
    status, first = await ran("a")
    assert status == 201
    await client.put(
        "/api/v1/workflows/mine", json={**graph, "name": "another"}, headers={"If-Match": "*"}
    )
    assert await ran("a") == (201, first)
    assert await ran("b") == (409, None)
    await client.delete("/api/v1/workflows/mine", headers={"If-Match": "*"})
    assert await ran("a") == (201, first)


async def test_what_is_large_is_read_beside_other_requests(
    client: Client, graph: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def noting(self: Graph, shelf: Shelf) -> Workflow:
        threads.append(threading.current_thread())
        return read(self, shelf)

    read = Graph.read
    monkeypatch.setattr(Graph, "read", noting)
    await submit(client, graph)
    batch = [{"document": graph} for _ in range(60)]
    await client.post("/api/v1/jobs/batch", json={"jobs": batch})
    graph["nodes"]["write"]["inputs"]["text"] = "hello " * 100_000
    await client.post("/api/v1/validate", json={"document": graph})
    own = threading.current_thread()
    assert [thread is own for thread in threads] == [True] + [False] * 61


async def test_a_batch_is_taken_whole_or_not_at_all(client: Client, graph: Json) -> None:
    graph = {**graph, "outputs": {"text": {"node": "describe", "output": "value"}}}
    batch = [{"document": graph, "inputs": {"words": str(n)}} for n in range(3)]
    answer = await client.post("/api/v1/jobs/batch", json={"jobs": batch})
    assert [job["number"] for job in (await answer.json())["jobs"]] == [1, 2, 3]
    batch[1]["inputs"] = {"count": 5000}
    assert (await client.post("/api/v1/jobs/batch", json={"jobs": batch})).status == 422
    assert (await (await client.get("/api/v1/jobs")).json())["total"] == 3


async def test_a_wrong_batch_tells_which_entry_is_wrong(client: Client, graph: Json) -> None:
    async def wrong(entry: Json) -> tuple[int, str, str | None]:
        batch = {"jobs": [{"document": graph}, entry]}
        answer = await client.post("/api/v1/jobs/batch", json=batch)
        problem = (await answer.json())["problems"][0]
        return answer.status, problem["pointer"], problem.get("hint")

    graph = {**graph, "outputs": {"text": {"node": "describe", "output": "value"}}}
    told = await wrong({"document": graph, "inputs": {"count": 5000}})
    assert told[:2] == (422, "/jobs/1/inputs/count")
    told = await wrong({"document": graph, "axes": {"count": [5000]}})
    assert told[:2] == (422, "/jobs/1/axes/count")
    told = await wrong({"document": graph, "inputs": {"wrds": "a"}})
    assert told == (422, "/jobs/1/inputs/wrds", "words")
    assert (await wrong({"document": {"nodes": 1}}))[:2] == (422, "/jobs/1")
    assert await wrong({"workflow": "txt-to-image"}) == (404, "/jobs/1/workflow", "text-to-image")
    told = await wrong({"document": graph, "webhook": "http://127.0.0.1/"})
    assert told[:2] == (422, "/jobs/1/webhook")
    answer = await client.post("/api/v1/jobs", json={"workflow": "txt-to-image"})
    problem = (await answer.json())["problems"][0]
    assert (problem["pointer"], problem["hint"]) == ("/workflow", "text-to-image")


async def test_jobs_of_the_queue_are_listed_with_their_positions(
    client: Client, bench: Bench, graph: Json
) -> None:
    jobs = [await submit(client, graph) for _ in range(3)]
    await bench.began.wait()
    listed = (await (await client.get("/api/v1/jobs?queue=true")).json())["jobs"]
    assert [(job["id"], job["position"]) for job in listed] == [
        (jobs[1]["id"], 1),
        (jobs[2]["id"], 2),
    ]


@pytest.mark.parametrize(
    ("body", "pointer", "message"),
    [
        ({"axes": {"seed": "0..3"}}, "/axes/seed", "give a list of values, or numbers as {from"),
        ({"axes": {"seed": {"from": 1, "too": 2}}}, "/axes/seed", "give a list of values"),
        ({"axes": {"seed": {"from": "x", "to": 2}}}, "/axes/seed", "give a list of values"),
        ({"webhook": "nonsense"}, "/webhook", "give an address such as https://"),
        ({"document": {}}, "", "the body: give either a document or the name of"),
        ({"priority": "high"}, "/priority", "/priority: input should be a valid integer"),
    ],
)
async def test_a_wrong_field_is_told_once_and_in_its_place(
    client: Client, body: Json, pointer: str, message: str
) -> None:
    answer = await client.post("/api/v1/jobs", json={"workflow": "text-to-image", **body})
    (problem,) = (await answer.json())["problems"]
    assert (answer.status, problem["code"], problem["pointer"]) == (422, "bad_value", pointer)
    assert message in problem["message"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("jobs", {"workflow": "text-to-image", "input": {}}),
        ("jobs/batch", {"jobs": [{"workflow": "text-to-image", "input": {}}]}),
    ],
)
async def test_an_unknown_field_is_told_with_the_nearest_one(
    client: Client, path: str, body: Json
) -> None:
    told = await (await client.post(f"/api/v1/{path}", json=body)).json()
    problem = told["problems"][0]
    assert (problem["code"], problem["hint"]) == ("unknown_field", "inputs")


async def test_wrong_queries_are_told_by_their_names(client: Client) -> None:
    told = await (await client.get("/api/v1/jobs?state=odd&limt=3")).json()
    first, second = told["problems"]
    assert (first["input"], first["message"][:12]) == ("state", "query state:")
    assert (second["input"], second["hint"]) == ("limt", "limit")


async def test_jobs_are_listed_in_pages_and_by_filters(client: Client, graph: Json) -> None:
    for _ in range(5):
        await submit(client, graph)
    page = await (await client.get("/api/v1/jobs?limit=2&state=queued&state=running")).json()
    assert ([job["number"] for job in page["jobs"]], page["total"]) == ([5, 4], 5)
    page = await (await client.get(f"/api/v1/jobs?limit=2&after={page['next']}")).json()
    assert [job["number"] for job in page["jobs"]] == [3, 2]
    told = await (await client.get("/api/v1/jobs?since=2999-01-01T00:00:00Z")).json()
    assert told == {"jobs": [], "total": 0, "next": None}
    assert (await client.get("/api/v1/jobs?after=nonsense")).status == 422


async def test_the_queue_is_listed_in_the_order_in_which_it_runs(
    client: Client, graph: Json
) -> None:
    await submit(client, graph)
    jobs = [await submit(client, graph, priority=n) for n in (0, 5, 1)]
    moved = await client.post(f"{jobs[0]['links']['self']}/move", json={"before": jobs[1]["id"]})
    assert (await moved.json())["position"] == 1
    listed = await (await client.get("/api/v1/jobs?queue=true&state=queued")).json()
    assert [job["number"] for job in listed["jobs"]] == [2, 3, 4]
    assert (await client.post(f"{jobs[0]['links']['self']}/move", json={"to": "up"})).status == 422


async def test_a_queued_and_a_running_job_are_cancelled(
    client: Client, bench: Bench, graph: Json
) -> None:
    running, queued = await submit(client, graph), await submit(client, graph)
    answer = await client.post(f"{queued['links']['self']}/cancel")
    assert (await answer.json())["state"] == "cancelled"
    assert (await client.post(f"{queued['links']['self']}/cancel")).status == 409
    await asyncio.wait_for(bench.began.wait(), 5)
    await client.post(f"{running['links']['self']}/cancel")
    told = await (await client.get(running["links"]["self"], params={"wait": "10"})).json()
    assert told["state"] == "cancelled"


async def test_all_jobs_are_cancelled_at_once(client: Client, bench: Bench, graph: Json) -> None:
    for _ in range(3):
        await submit(client, graph)
    await asyncio.wait_for(bench.began.wait(), 5)
    answer = await client.post("/api/v1/queue/cancel")
    assert await answer.json() == {"queued": 2, "running": 1}


async def test_a_job_that_has_ended_is_retried_and_deleted(
    client: Client, bench: Bench, graph: Json
) -> None:
    job = await submit(client, graph)
    assert (await client.post(f"{job['links']['self']}/retry")).status == 409
    assert (await client.delete(job["links"]["self"])).status == 409
    bench.held.set()
    await client.get(job["links"]["self"], params={"wait": "10"})
    again = await (await client.post(f"{job['links']['self']}/retry")).json()
    assert again["retry_of"] == job["id"]
    assert (await client.delete(job["links"]["self"])).status == 204
    assert (await client.get(job["links"]["self"])).status == 404


async def test_another_users_job_is_not_there(client: Client, caller: Caller, graph: Json) -> None:
    job = await submit(client, graph)
    caller.principal = Principal("eve", frozenset({"read", "run", "write"}))
    for method, path in (
        ("GET", ""),
        ("GET", "/document"),
        ("GET", "/events"),
        ("GET", "/outputs"),
        ("POST", "/cancel"),
        ("POST", "/retry"),
        ("DELETE", ""),
    ):
        answer = await client.request(method, job["links"]["self"] + path)
        assert answer.status == 404, path
    assert (await (await client.get("/api/v1/jobs")).json())["total"] == 0
    assert (await client.get("/api/v1/jobs?everybody=true")).status == 403
    caller.principal = Principal("root", frozenset({"read", "admin"}))
    assert (await client.get(job["links"]["self"])).status == 200


async def test_the_queue_is_paused_and_resumed(client: Client, bench: Bench, graph: Json) -> None:
    bench.held.set()
    assert (await (await client.post("/api/v1/queue/pause")).json())["paused"]
    job = await submit(client, graph)
    told = await (await client.get(job["links"]["self"], params={"wait": "0.2"})).json()
    assert (told["state"], told["position"]) == ("queued", 1)
    await client.post("/api/v1/queue/resume")
    told = await (await client.get(job["links"]["self"], params={"wait": "10"})).json()
    assert told["state"] == "succeeded"
    assert (await (await client.get("/api/v1/queue")).json())["succeeded"] == 1

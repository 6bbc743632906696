from typing import Any

import pytest

from server.access import Principal
from server.service import Service
from server.workers.messages import Answer
from server.workers.spec import WorkerLost
from tests.server.api.conftest import Bench, Caller, Client

Json = dict[str, Any]


async def test_validation_tells_every_problem_as_an_answer(
    client: Client, bench: Bench, graph: Json
) -> None:
    problem = {"code": "odd", "message": "too odd", "node": "dye", "input": None, "hint": None}
    bench.answers["check"] = Answer(0, {"problems": [problem], "warnings": []})
    answer = await client.post("/api/v1/validate", json={"document": graph})
    told = await answer.json()
    assert (answer.status, told["valid"], told["problems"][0]["code"]) == (200, False, "odd")
    bench.answers["check"] = Answer(0, {"problems": [], "warnings": [problem]})
    told = await (await client.post("/api/v1/validate", json={"document": graph})).json()
    assert (told["valid"], told["problems"]) == (True, [])
    assert [each["message"] for each in told["warnings"]] == ["too odd"]
    broken = await client.post("/api/v1/validate", json={"document": {"nodes": {}}})
    assert (await broken.json())["valid"] is False


async def test_plans_are_made_of_the_graph_with_its_values(
    client: Client, bench: Bench, graph: Json
) -> None:
    node = {
        "state": "run", "why": "new", "seconds": 1.0, "bytes": 1, "peak": None, "created": None,
        "run": "",
    }  # fmt: skip
    bench.answers["plan"] = Answer(0, {"nodes": {"dye": node}, "seconds": 1.0})
    body: Json = {"document": graph, "inputs": {"words": "bye"}}
    told = await (await client.post("/api/v1/plan", json=body)).json()
    assert (told["seconds"], told["nodes"]["dye"]["state"]) == (1.0, "run")
    _, arguments = bench.questions[-1]
    assert arguments["document"]["nodes"]["write"]["inputs"]["text"] == "bye"
    assert arguments["inputs"].endswith("inputs")
    bench.answers["explain"] = Answer(0, {"nodes": {"dye": node}})
    body = {"document": graph, "node": "dye"}
    assert (await client.post("/api/v1/explain", json=body)).status == 200
    assert bench.questions[-1][1]["node"] == "dye"


async def test_a_graph_with_problems_has_no_plan(client: Client, bench: Bench, graph: Json) -> None:
    problem = {"code": "cycle", "message": "a cycle", "node": "dye", "input": None, "hint": None}
    bench.answers["plan"] = Answer(0, error={"title": "x", "problems": [problem]})
    answer = await client.post("/api/v1/plan", json={"document": graph})
    told = await answer.json()
    assert (answer.status, told["code"], told["problems"][0]["node"]) == (
        422,
        "invalid_workflow",
        "dye",
    )


async def test_a_lost_desk_is_told_as_such(
    client: Client, bench: Bench, graph: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(question: str, **arguments: Any) -> Answer:
        raise WorkerLost("it died")

    monkeypatch.setattr(bench, "ask", lost)
    answer = await client.post("/api/v1/plan", json={"document": graph})
    assert (answer.status, (await answer.json())["code"]) == (503, "worker_lost")


async def test_models_store_and_system_are_told(client: Client, bench: Bench) -> None:
    bench.answers["models"] = Answer(0, [{"path": "a.safetensors", "bytes": 3}])
    told = await (await client.get("/api/v1/models")).json()
    assert told["models"] == [{"path": "a.safetensors", "bytes": 3}]
    bench.answers["store"] = Answer(0, {"records": 2, "bytes": 9, "budget": 100, "folder": "/s"})
    assert (await (await client.get("/api/v1/store")).json())["records"] == 2
    bench.answers["prune"] = Answer(0, {"records": 0, "bytes": 0, "budget": 100, "freed": 9})
    told = await (await client.post("/api/v1/store/prune", json={"to": 0})).json()
    assert (told["freed"], bench.questions[-1][1]["to"]) == (9, 0)
    told = await (await client.get("/api/v1/system")).json()
    assert (told["nodes"], told["workers"][0]["id"]) == ("tests.toys", "worker-0")
    assert (await (await client.get("/api/v1/health")).json())["status"] == "ok"
    assert (await client.post("/api/v1/workers/none/restart")).status == 404


async def test_no_list_tells_where_the_data_lies(
    client: Client, bench: Bench, service: Service
) -> None:
    data = service.settings.data
    row = {"path": f"{data}/models/vae/a.pt", "fault": f"{data}/models/vae/a.pt is damaged"}
    bench.answers["models"] = Answer(0, [row])
    bench.answers["store"] = Answer(0, {"records": 2, "bytes": 9, "folder": f"{data}/store"})

    models = (await (await client.get("/api/v1/models")).json())["models"]
    assert models == [{"path": "models/vae/a.pt", "fault": "models/vae/a.pt is damaged"}]
    assert (await (await client.get("/api/v1/store")).json())["folder"] == "store"


async def test_only_administrators_are_told_where_model_files_go(
    client: Client, caller: Caller, bench: Bench, service: Service
) -> None:
    bench.answers["models"] = Answer(0, [])
    folder = str(service.settings.data.absolute() / "models")
    assert (await (await client.get("/api/v1/models")).json())["folder"] == folder
    caller.principal = Principal("ada", frozenset({"read", "run"}))
    assert (await (await client.get("/api/v1/models")).json())["folder"] is None


async def test_the_catalogue_is_sent_once(client: Client) -> None:
    answer = await client.get("/api/v1/nodes")
    told = await answer.json()
    assert told["nodes"]["Describe"]["inputs"]["properties"]["count"]["maximum"] == 100
    assert "checks" not in told["nodes"]["Describe"]
    again = await client.get("/api/v1/nodes", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304
    assert (await (await client.get("/api/v1/nodes/Dye")).json())["type"] == "Dye"
    missing = await client.get("/api/v1/nodes/Dyee")
    assert (missing.status, (await missing.json())["hint"]) == (404, "did you mean Dye?")

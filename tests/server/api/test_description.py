import re
from pathlib import Path
from typing import Any

from yarl import URL

from server.access import Principal
from server.api.border import OPERATIONS
from server.api.description import Described
from server.api.event_kinds import EVENTS
from server.api.reference import reference
from server.jobs.model import FINAL
from server.service import Service
from tests.server.api.conftest import Caller, Client

Json = dict[str, Any]
ROOT = Path(__file__).parents[3]
DOCS, SERVER = ROOT / "docs" / "api.md", ROOT / "server"


def test_the_reference_is_up_to_date() -> None:
    made = reference(Described(OPERATIONS).plain)
    assert DOCS.read_text(encoding="utf-8") == made, (
        "run: python -m server.api.reference > docs/api.md"
    )


def test_every_reference_in_the_document_leads_somewhere() -> None:
    found = Described(OPERATIONS).plain
    for reference_ in re.findall(r"'\$ref': '#/([^']+)'", str(found)):
        place: Any = found
        for part in reference_.split("/"):
            place = place[part]
    assert found["openapi"] == "3.1.0"


def test_operations_have_ids_of_their_own() -> None:
    names = [each.name for each in OPERATIONS]
    assert len(names) == len(set(names))


def test_every_kind_of_event_is_described() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in SERVER.rglob("*.py"))
    said = re.findall(r"""(?:publish|tell|say)\(\s*"(warned|[a-z]+\.[a-z]+)\"""", sources)
    assert len(said) > 15
    ends = {f"job.{state}" for state in FINAL}
    paused = {"queue.paused", "queue.resumed"}
    assert set(said) | ends | paused | {"lagging"} == set(EVENTS)


async def test_the_cookie_of_a_login_is_told_by_its_name(client: Client, service: Service) -> None:
    found = await (await client.get("/api/v1/openapi.json")).json()
    assert found["components"]["securitySchemes"]["cookie"]["name"] == service.access.cookie


async def test_each_saved_workflow_is_an_operation_with_its_types(
    client: Client, graph: Json
) -> None:
    await client.put("/api/v1/workflows/A text", json=graph)
    answer = await client.get("/api/v1/openapi.json")
    found = await answer.json()
    entry = found["paths"]["/api/v1/workflows/A%20text/run"]["post"]
    assert entry["operationId"] == "run_a_text"
    schema = entry["requestBody"]["content"]["application/json"]["schema"]
    inputs = schema["properties"]["inputs"]["properties"]
    assert inputs["count"] == {
        "default": 2,
        "description": "How many times",
        "maximum": 100,
        "minimum": 1,
        "title": "Count",
        "type": "integer",
    }
    assert inputs["words"]["default"] == "hello"
    outputs = entry["responses"]["201"]["content"]["application/json"]["schema"]["allOf"][1]
    assert outputs["properties"]["outputs"]["properties"]["file"]["description"] == "Artifact"
    again = await client.get(
        "/api/v1/openapi.json", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status == 304


async def test_each_path_leads_to_an_operation(client: Client, graph: Json) -> None:
    found = await (await client.get("/api/v1/openapi.json")).json()
    runs = [path for path in found["paths"] if path.endswith("/run") and "{" not in path]
    assert any("families" in path for path in runs)
    for path in runs:
        told = await client.post(URL(path, encoded=True), json={"inputs": {"no such": 1}})
        assert told.status == 422, path


async def test_workflows_of_others_are_not_described(
    client: Client, caller: Caller, graph: Json
) -> None:
    await client.put("/api/v1/workflows/secret", json=graph)
    caller.principal = Principal("eve", frozenset({"read"}))
    found = await (await client.get("/api/v1/openapi.json")).text()
    assert "secret/run" not in found
    assert "text-to-image/run" in found


async def test_the_page_loads_nothing_but_its_own_parts(client: Client) -> None:
    page = await (await client.get("/api/v1/docs")).text()
    assert re.findall(r'(?:src|href)="([^"]+)"', page) == [
        "docs/docs.css",
        "docs/docs.js",
        "openapi.json",
    ]
    assert not re.search(r"<script[^>]*>[^<]|style=|\son\w+=", page)
    for part, kind in (("docs.css", "text/css"), ("docs.js", "text/javascript")):
        answer = await client.get(f"/api/v1/docs/{part}")
        assert answer.content_type == kind
        assert "innerHTML" not in await answer.text()
    assert (await client.get("/api/v1/docs/border.py")).status == 422


async def test_every_problem_is_explained_where_its_type_leads(client: Client) -> None:
    told = await (await client.get("/api/v1/jobs/nothing")).json()
    explained = await (await client.get(told["type"])).json()
    assert (explained["code"], explained["status"]) == ("not_found", 404)
    assert (await client.get("/api/v1/problems/nonsense")).status == 404


async def test_metrics_tell_of_requests_and_jobs(client: Client) -> None:
    await client.get("/api/v1/health")
    await client.get("/api/v1/jobs/nothing")
    assert (await client.post("/api/v1/validate", json={"document": {}, "axes": 1})).status == 422
    text = await (await client.get("/api/v1/metrics")).text()
    assert (
        'darkroom_http_requests_total{method="GET",route="/api/v1/health",status="200"} 1.0' in text
    )
    assert 'route="/api/v1/validate",status="422"} 1.0' in text
    assert 'route="/api/v1/jobs/{job}",status="404"} 1.0' in text
    assert 'darkroom_worker_rss_bytes{device="cpu",worker="worker-0"} 1.048576e+06' in text
    assert "darkroom_queue_length 0.0" in text
    assert 'darkroom_workers{state="idle"} 1.0' in text


async def test_an_operation_names_every_kind_of_its_problems(client: Client) -> None:
    described = await (await client.get("/api/v1/openapi.json")).json()
    for path in ("/api/v1/jobs", "/api/v1/workflows/{name}/run"):
        told = set(described["paths"][path]["post"]["x-problems"])
        assert told >= {"bad_json", "invalid_request", "invalid_workflow", "disk_full"}

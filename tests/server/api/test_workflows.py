import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from server.access import Principal
from server.service import Service
from tests.server.api.conftest import Bench, Caller, Client

Json = dict[str, Any]
AT = "/api/v1/workflows"


async def save(client: Client, graph: Json, name: str = "mine", **headers: str) -> str:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    answer = await client.put(f"{AT}/{name}", json=graph, headers=named)
    assert answer.status in {200, 201}, await answer.text()
    return answer.headers["ETag"]


async def test_a_workflow_is_saved_read_and_deleted(
    client: Client, service: Service, graph: Json
) -> None:
    tag = await save(client, graph)
    answer = await client.get(f"{AT}/mine")
    read = await answer.json()
    assert answer.headers["ETag"] == tag
    assert (read["name"], read["outputs"]) == (graph["name"], graph["outputs"])
    assert (await client.get(f"{AT}/mine", headers={"If-None-Match": tag})).status == 304
    path = service.settings.data / "workflows" / "mine.json"
    assert json.loads(path.read_bytes())["name"] == "Write a text"
    assert (await client.delete(f"{AT}/mine")).status == 428
    assert (await client.delete(f"{AT}/mine", headers={"If-Match": tag})).status == 204
    assert (await client.get(f"{AT}/mine")).status == 404


async def test_a_save_over_another_revision_is_refused(client: Client, graph: Json) -> None:
    tag = await save(client, graph)
    newer = {**graph, "name": "newer"}
    assert (await client.put(f"{AT}/mine", json=newer)).status == 428
    await save(client, newer, If_Match=tag)
    answer = await client.put(f"{AT}/mine", json=graph, headers={"If-Match": tag})
    assert answer.status == 412
    assert answer.headers["ETag"] != tag
    assert (await (await client.get(f"{AT}/mine")).json())["name"] == "newer"
    only_new = {"If-None-Match": "*"}
    assert (await client.put(f"{AT}/mine", json=graph, headers=only_new)).status == 412
    gone = {"If-Match": "*"}
    assert (await client.put(f"{AT}/other", json=graph, headers=gone)).status == 412


async def test_of_two_saves_at_once_one_wins(client: Client, graph: Json) -> None:
    tag = await save(client, graph)
    answers = await asyncio.gather(
        *(
            client.put(f"{AT}/mine", json={**graph, "name": str(n)}, headers={"If-Match": tag})
            for n in range(5)
        )
    )
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412, 412]


async def test_every_version_is_kept_also_of_a_deleted_workflow(
    client: Client, service: Service, graph: Json
) -> None:
    for number in range(3):
        await save(
            client, {**graph, "name": f"version {number}"}, **({"If_Match": "*"} if number else {})
        )
    by_hand = service.settings.data / "workflows" / "mine.json"
    by_hand.write_text(json.dumps({**graph, "name": "by hand"}), encoding="utf-8")
    await save(client, {**graph, "name": "last"}, If_Match="*")
    await client.delete(f"{AT}/mine", headers={"If-Match": "*"})
    listed = (await (await client.get(f"{AT}/mine/versions")).json())["versions"]
    assert [each["version"] for each in listed] == [5, 4, 3, 2, 1]
    names = [
        (await (await client.get(f"{AT}/mine/versions/{n}")).json())["name"] for n in (1, 4, 5)
    ]
    assert names == ["version 0", "by hand", "last"]
    await save(client, graph)
    listed = (await (await client.get(f"{AT}/mine/versions")).json())["versions"]
    assert listed[0]["version"] == 6
    assert (await client.get(f"{AT}/mine/versions/9")).status == 404


async def test_the_shipped_ones_are_there_to_read(client: Client, graph: Json) -> None:
    listed = (await (await client.get(AT)).json())["workflows"]
    shipped = {each["name"]: each for each in listed}
    assert shipped["text-to-image"]["shipped"]
    assert shipped["families/sd2"]["shipped"]
    assert "prompt" in shipped["text-to-image"]["inputs"]
    headers = {"If-Match": "*"}
    assert (await client.delete(f"{AT}/text-to-image", headers=headers)).status == 409
    await save(client, graph, "text-to-image")
    entry = next(
        each
        for each in (await (await client.get(AT)).json())["workflows"]
        if each["name"] == "text-to-image"
    )
    assert (entry["shipped"], entry["title"]) == (False, "Write a text")


@pytest.mark.parametrize(
    "name",
    ["..%2Fsecret", "%2e%2e", ".hidden", "a%00b", "a%5Cb", "a.lock", "x" * 101, "a%2Fb", "a%20"],
)
async def test_names_that_lead_elsewhere_are_refused(
    client: Client, graph: Json, name: str
) -> None:
    answer = await client.put(f"{AT}/{name}", json=graph)
    assert answer.status in {404, 405, 422}
    assert (await client.get(f"{AT}/{name}/versions")).status in {404, 422}


async def test_a_link_that_leads_elsewhere_is_not_read(
    client: Client, service: Service, tmp_path: Path, graph: Json
) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps(graph), encoding="utf-8")
    folder = service.settings.data / "workflows"
    folder.mkdir()
    (folder / "link.json").symlink_to(secret)
    assert (await client.get(f"{AT}/link")).status == 404


async def test_workflows_belong_to_their_user(client: Client, caller: Caller, graph: Json) -> None:
    await save(client, graph)
    caller.principal = Principal("eve", frozenset({"read", "write"}))
    assert (await client.get(f"{AT}/mine")).status == 404


async def test_what_is_no_workflow_is_not_saved(client: Client) -> None:
    answer = await client.put(f"{AT}/mine", json={"nodes": []})
    assert answer.status == 422
    assert (await client.get(f"{AT}/mine")).status == 404


async def test_a_file_that_is_no_workflow_is_listed_with_its_fault(
    client: Client, service: Service
) -> None:
    folder = service.settings.data / "workflows"
    folder.mkdir()
    (folder / "broken.json").write_text("{", encoding="utf-8")
    listed = (await (await client.get(AT)).json())["workflows"]
    assert "not JSON" in next(each["fault"] for each in listed if each["name"] == "broken")
    assert (await client.get(f"{AT}/broken")).status == 422


async def test_a_workflow_runs_with_its_inputs(client: Client, bench: Bench, graph: Json) -> None:
    bench.held.set()
    await save(client, graph)
    answer = await client.post(
        f"{AT}/mine/run?wait=10", json={"inputs": {"words": "bye", "count": 3}}
    )
    told = await answer.json()
    assert (answer.status, told["state"]) == (201, "succeeded")
    document = await (await client.get(told["links"]["document"])).json()
    assert document["nodes"]["write"]["inputs"]["text"] == "bye"


async def test_a_run_may_set_and_sweep_any_input_of_a_node(client: Client, graph: Json) -> None:
    graph["inputs"] = {}
    await save(client, graph)
    body = {"inputs": {"write.text": "bye"}, "axes": {"describe.count": [1, 3]}}
    answer = await client.post(f"{AT}/mine/run", json=body)
    told = await answer.json()
    assert answer.status == 201, told
    nodes = (await (await client.get(told["links"]["document"])).json())["nodes"]
    assert nodes["write"]["inputs"]["text"] == "bye"
    assert nodes["describe"]["inputs"]["count"] == {"$axis": [1, 3]}
    answer = await client.post(f"{AT}/mine/run", json={"inputs": {"write.txt": "bye"}})
    problem = (await answer.json())["problems"][0]
    assert (problem["pointer"], problem["hint"]) == ("/inputs/write.txt", "text")
    answer = await client.post(f"{AT}/mine/run", json={"inputs": {"wrte.text": "bye"}})
    problem = (await answer.json())["problems"][0]
    assert (problem["code"], problem["hint"]) == ("unknown_input", "write.text")


async def test_a_run_is_described_with_named_and_other_inputs(client: Client, graph: Json) -> None:
    await save(client, graph)
    described = await (await client.get("/api/v1/openapi.json")).json()
    posted = described["paths"][f"{AT}/mine/run"]["post"]["requestBody"]["content"]
    shape = posted["application/json"]["schema"]["properties"]
    assert shape["inputs"]["properties"]["count"]["type"] == "integer"
    assert "node.input" in shape["inputs"]["additionalProperties"]["description"]
    assert len(shape["axes"]["additionalProperties"]["oneOf"]) == 2


async def test_wrong_inputs_of_a_run_are_shown_in_their_places(client: Client, graph: Json) -> None:
    await save(client, graph)
    answer = await client.post(f"{AT}/mine/run", json={"inputs": {"wrds": "bye"}})
    told = await answer.json()
    assert (answer.status, told["problems"][0]["code"]) == (422, "unknown_input")
    answer = await client.post(f"{AT}/mine/run", json={"inputs": {"count": "many"}})
    told = await answer.json()
    graph["outputs"]["text"] = {"node": "describe", "output": "value"}
    assert answer.status in {201, 422}
    await save(client, graph, If_Match="*")
    answer = await client.post(f"{AT}/mine/run", json={"inputs": {"count": 1000}})
    told = await answer.json()
    assert (answer.status, told["problems"][0]["pointer"]) == (422, "/inputs/count")
    answer = await client.post(f"{AT}/mine/run", json={"inputs": {"wrds": "x", "count": 1000}})
    told = await answer.json()
    assert (answer.status, told["problems"][0]["code"]) == (422, "unknown_input")
    assert told["problems"][1]["pointer"] == "/inputs/count"
    both = {"inputs": {"count": 1}, "axes": {"count": [1, 2]}}
    answer = await client.post(f"{AT}/mine/run", json=both)
    assert (await answer.json())["problems"][0]["code"] == "given_twice"


async def test_the_signature_tells_types_and_defaults(client: Client) -> None:
    told = await (await client.get(f"{AT}/text-to-image/signature")).json()
    assert set(told["inputs"]["properties"]) >= {"prompt", "seed", "steps"}
    assert "image" in told["outputs"]["properties"]

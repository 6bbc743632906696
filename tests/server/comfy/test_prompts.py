"""Prompts that are sent, wait, run and are stopped, over HTTP."""

import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from server.access.tokens import add_token
from server.access.users import add_user
from server.service import Service
from tests.server.api.conftest import until

from .graphs import text_to_image
from .studio import Studio

Json = dict[str, Any]
Client = TestClient[web.Request, web.Application]


async def send(client: Client, prompt: Json, **more: Any) -> Json:
    answer = await client.post("/prompt", json={"prompt": prompt, **more})
    assert answer.status == 200, await answer.text()
    told: Json = await answer.json()
    return told


async def refused(client: Client, body: object) -> Json:
    answer = await client.post("/prompt", data=json.dumps(body))
    assert answer.status == 400, await answer.text()
    told: Json = await answer.json()
    return told


async def history(client: Client, prompt_id: str) -> Json:
    told: Json = {}
    while not told:
        told = await (await client.get(f"/history/{prompt_id}")).json()
    entry: Json = told[prompt_id]
    return entry


def with_preview(picture: str = "gone.png") -> Json:
    graph = text_to_image()
    graph["20"] = {"class_type": "LoadImage", "inputs": {"image": picture}}
    graph["21"] = {"class_type": "PreviewImage", "inputs": {"images": ["20", 0]}}
    return graph


@pytest.mark.parametrize("path", ["/prompt", "/api/prompt"])
@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
async def test_a_prompt_is_read_whatever_it_is_said_to_be(
    client: Client, kind: str, path: str
) -> None:
    body = json.dumps({"prompt": text_to_image(), "client_id": "me"})
    headers = {"Content-Type": kind} if kind else {}
    answer = await client.post(
        path, data=body.encode(), headers=headers, skip_auto_headers=["Content-Type"]
    )
    told = await answer.json()
    assert (answer.status, told["number"], told["node_errors"]) == (200, 1, {})


async def test_a_prompt_of_a_python_program_may_hold_nan(client: Client) -> None:
    graph = text_to_image()
    graph["9"]["is_changed"] = [float("nan")]
    answer = await client.post("/prompt", data=json.dumps({"prompt": graph}))
    assert answer.status == 200


async def test_a_job_names_its_outputs_by_their_nodes(
    client: Client, studio: Studio, service: Service
) -> None:
    studio.held.set()
    graph = with_preview("a.png")
    told = await send(
        client, graph, prompt_id="mine", extra_data={"extra_pnginfo": {"workflow": 1}}
    )
    assert told["prompt_id"] == "mine"
    entry = await history(client, "mine")
    assert entry["prompt"][2] == graph
    assert entry["outputs"] == {
        "9": {"images": [{"filename": "house_00001.png", "subfolder": "", "type": "output"}]},
        "21": {"images": [{"filename": "preview_00001.png", "subfolder": "", "type": "temp"}]},
    }
    document = await service.jobs.document("mine")
    assert document is not None
    assert document["comfyui"]["embedded"] == {"prompt": graph, "workflow": 1}


async def test_keys_of_other_services_are_not_kept(client: Client, service: Service) -> None:
    extra = {"api_key_comfy_org": "secret", "kept": 1}
    told = await send(client, text_to_image(), extra_data=extra)
    origin = await service.jobs.origin(told["prompt_id"])
    assert origin is not None
    assert origin["comfyui"]["extra"] == {"kept": 1}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, "no_prompt"),
        ([1], "no_prompt"),
        ({"prompt": {}}, "prompt_no_outputs"),
        ({"prompt": {"1": {"inputs": {}}}}, "invalid_prompt"),
        ({"prompt": {"1": {"class_type": "Strange", "inputs": {}}}}, "missing_node_type"),
        ({"prompt": {"4": text_to_image()["4"]}}, "prompt_no_outputs"),
        ({"prompt": text_to_image(), "partial_execution_targets": ["8"]}, "prompt_no_outputs"),
        ({"prompt": text_to_image(), "prompt_id": "x" * 300}, "invalid_prompt"),
    ],
)
async def test_what_cannot_run_is_refused_in_comfyuis_words(
    client: Client, body: object, kind: str
) -> None:
    told = await refused(client, body)
    assert told["error"]["type"] == kind
    assert told["error"].keys() == {"type", "message", "details", "extra_info"}


@pytest.mark.parametrize(
    ("sampler", "kind"),
    [
        ({"steps": 0}, "value_smaller_than_min"),
        ({"cfg": "high"}, "invalid_input_type"),
        ({"sampler_name": "best"}, "value_not_in_list"),
        ({"model": ["77", 0]}, "bad_linked_input"),
        ({"positive": ["4", 0]}, "return_type_mismatch"),
    ],
)
async def test_bad_values_are_told_by_the_node_of_the_prompt(
    client: Client, sampler: Json, kind: str
) -> None:
    told = await refused(client, {"prompt": text_to_image(**sampler)})
    node = told["node_errors"]["3"]
    assert (node["class_type"], node["dependent_outputs"]) == ("KSampler", ["9"])
    assert node["errors"][0]["type"] == kind
    name = next(iter(sampler))
    assert node["errors"][0]["extra_info"].get("input_name", name) == name


async def test_a_model_that_is_not_there_is_told_at_once(client: Client, studio: Studio) -> None:
    studio.missing = ("starter.safetensors",)
    told = await refused(client, {"prompt": text_to_image()})
    (error,) = told["node_errors"]["4"]["errors"]
    assert error["type"] == "value_not_in_list"
    assert error["extra_info"] == {
        "input_name": "ckpt_name",
        "received_value": "starter.safetensors",
    }


async def test_outputs_that_can_run_do(client: Client, studio: Studio) -> None:
    studio.missing = ("gone.png",)
    studio.held.set()
    told = await send(client, with_preview())
    assert list(told["node_errors"]) == ["20"]
    assert told["node_errors"]["20"]["dependent_outputs"] == ["21"]
    entry = await history(client, told["prompt_id"])
    assert list(entry["outputs"]) == ["9"]
    assert entry["prompt"][4] == ["9"]


async def test_only_what_outputs_need_is_checked(client: Client, studio: Studio) -> None:
    studio.missing = ("gone.png",)
    graph = with_preview()
    del graph["21"]
    assert (await send(client, graph))["node_errors"] == {}


async def test_targets_choose_among_the_outputs(client: Client, studio: Studio) -> None:
    studio.held.set()
    told = await send(client, with_preview("a.png"), partial_execution_targets=["21"])
    assert list((await history(client, told["prompt_id"]))["outputs"]) == ["21"]


async def test_the_desk_may_be_away(client: Client, studio: Studio) -> None:
    from server.workers.messages import Answer

    studio.answers["check"] = Answer(0, error={"detail": "nobody is there"})
    assert (await send(client, text_to_image()))["node_errors"] == {}


async def test_the_queue_tells_what_runs_and_what_waits(client: Client, studio: Studio) -> None:
    ids = [(await send(client, text_to_image(seed=n)))["prompt_id"] for n in range(3)]
    await studio.began.wait()
    front = await send(client, text_to_image(seed=3), front=True)
    foremost = await send(client, text_to_image(seed=4), number=-7)
    queue = await (await client.get("/queue")).json()
    assert [each[1] for each in queue["queue_running"]] == ids[:1]
    waiting = [foremost["prompt_id"], front["prompt_id"], *ids[1:]]
    assert [each[1] for each in queue["queue_pending"]] == waiting
    numbers = [each[0] for each in queue["queue_pending"]]
    assert numbers == sorted(numbers) == [-7, -4, 2, 3]
    assert queue["queue_running"][0][2] == text_to_image(seed=0)
    assert queue["queue_running"][0][4] == ["9"]
    assert await (await client.get("/prompt")).json() == {"exec_info": {"queue_remaining": 5}}


async def test_waiting_prompts_are_deleted(client: Client, studio: Studio) -> None:
    ids = [(await send(client, text_to_image(seed=n)))["prompt_id"] for n in range(4)]
    await studio.began.wait()
    answer = await client.post("/queue", json={"delete": [ids[1], ids[0], "unknown"]})
    assert (answer.status, await answer.text()) == (200, "")
    queue = await (await client.get("/api/queue")).json()
    assert [each[1] for each in queue["queue_pending"]] == ids[2:]
    assert [each[1] for each in queue["queue_running"]] == ids[:1]
    await client.post("/queue", json={"clear": True})
    queue = await (await client.get("/queue")).json()
    assert (len(queue["queue_running"]), queue["queue_pending"]) == (1, [])


@pytest.mark.parametrize("body", [None, {}, {"prompt_id": "mine"}])
async def test_what_runs_is_interrupted(client: Client, studio: Studio, body: Json | None) -> None:
    await send(client, text_to_image(), prompt_id="mine")
    await studio.began.wait()
    assert (await client.post("/interrupt", json={"prompt_id": "other"})).status == 200
    assert not studio.cancelled.is_set()
    data = None if body is None else json.dumps(body)
    assert (await client.post("/interrupt", data=data)).status == 200
    entry = await history(client, "mine")
    assert entry["status"]["status_str"] == "error"
    assert entry["status"]["messages"][-1][0] == "execution_interrupted"


async def test_memory_is_freed_if_asked(client: Client, studio: Studio) -> None:
    await client.post("/free", json={})
    assert studio.freed == 0
    await client.post("/api/free", json={"unload_models": True})
    assert studio.freed == 1


async def test_an_id_stands_for_one_prompt(client: Client, service: Service) -> None:
    await send(client, text_to_image(), prompt_id="mine")
    told = await refused(client, {"prompt": text_to_image(seed=8), "prompt_id": "mine"})
    assert told["error"]["type"] == "invalid_prompt_id"


async def test_users_see_and_stop_only_their_own(
    client: Client, studio: Studio, service: Service
) -> None:
    def users(connection: Any) -> list[str]:
        for name in ("ada", "bob"):
            add_user(connection, name, ("read", "run"))
        return [add_token(connection, name)[1] for name in ("ada", "bob")]

    tokens = await service.database.write(users)
    service.access.forget()
    ada, bob = ({"Authorization": f"Bearer {token}"} for token in tokens)
    assert (await client.get("/queue")).status == 401
    answer = await client.post("/prompt", json={"prompt": text_to_image()}, headers=ada)
    prompt_id = (await answer.json())["prompt_id"]
    await studio.began.wait()
    queue = await (await client.get("/queue", headers=bob)).json()
    assert queue == {"queue_running": [], "queue_pending": []}
    await client.post("/interrupt", headers=bob)
    await client.post("/interrupt", json={"prompt_id": prompt_id}, headers=bob)
    assert not studio.cancelled.is_set()
    studio.held.set()
    await until(lambda: not service.dispatcher.running)
    assert await (await client.get(f"/history/{prompt_id}", headers=bob)).json() == {}
    await client.post("/history", json={"clear": True, "delete": [prompt_id]}, headers=bob)
    told = await (await client.get(f"/history/{prompt_id}", headers=ada)).json()
    (file,) = told[prompt_id]["outputs"]["9"]["images"]
    assert (await client.get("/view", params=file, headers=ada)).status == 200
    assert (await client.get("/view", params=file, headers=bob)).status == 404


def damaged() -> list[object]:
    """Prompts that no program should send."""
    found: list[object] = []
    strange: tuple[Any, ...] = (
        None, [], {}, "", -1, 1e300, True, "x" * 10_000, ["4"], ["4", "0"], ["4", -1], ["4", 10**9],
        ["4", 0, 1], [["4", 0]], {"a": ["4", 0]}, ["9", 0], ["3", 0], [None, None],
    )  # fmt: skip
    for value in strange:
        for node in ("3", "4", "9"):
            for name in ("model", "seed", "ckpt_name", "images", "filename_prefix", "unknown"):
                graph = text_to_image()
                graph[node]["inputs"][name] = value
                found.append({"prompt": graph})
            for name in ("inputs", "class_type", "_meta"):
                graph = text_to_image()
                graph[node][name] = value
                found.append({"prompt": graph})
        found.append({"prompt": value})
        found.append({"prompt": {"1": value}})
        further = ("client_id", "number", "front", "extra_data", "partial_execution_targets")
        found += [{"prompt": text_to_image(), name: value} for name in further]
        found.append({"prompt": text_to_image(), "extra_data": {"extra_pnginfo": value}})
        found.append({"prompt": text_to_image(), "prompt_id": value})
    return found


@pytest.mark.slow
async def test_nothing_that_is_sent_breaks_the_server(client: Client, service: Service) -> None:
    await service.dispatcher.pause(True)
    for body in damaged():
        answer = await client.post("/prompt", data=json.dumps(body))
        told = await answer.json()
        assert answer.status in {200, 400}, (body, told)
        assert "node_errors" in told
    assert (await client.get("/queue")).status == 200
    await client.post("/queue", json={"clear": True})
    assert (await client.get("/history")).status == 200
    assert (await client.get("/api/jobs?limit=1000")).status == 200


@pytest.mark.parametrize("path", ["/queue", "/history", "/interrupt", "/free"])
async def test_orders_of_any_form_are_read(client: Client, path: str) -> None:
    for body in ("", "[]", "3", '"x"', '{"delete": 3, "clear": 0}', '{"delete": [3, null, {}]}'):
        assert (await client.post(path, data=body)).status == 200
    assert (await client.post(path, data="{")).status == 400

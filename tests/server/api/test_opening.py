import json
from typing import Any

import pytest
from aiohttp import FormData

from server.service import Service
from server.workers.messages import Answer
from tests.server.api.conftest import Bench, Client, Json
from tests.server.comfy.graphs import TEXT_TO_IMAGE

AT = "/api/v1/open"
PICTURE = b"\x89PNG\r\n\x1a\n and the rest"


async def opened(client: Client, data: bytes, name: str = "graph.json") -> tuple[int, Json]:
    headers = {"Content-Type": "application/octet-stream"}
    answer = await client.post(AT, data=data, headers=headers, params={"name": name})
    return answer.status, await answer.json()


def problem(told: Json) -> Any:
    return told["problems"][0]


async def test_a_workflow_of_ours_comes_back_with_what_we_do_not_know(
    client: Client, graph: Json
) -> None:
    strange = graph | {"view": {"nodes": {}}, "else": [1]}
    strange["nodes"]["odd"] = {"type": "NobodyKnows", "inputs": {"a": {"b": None}}, "extra": 1}
    status, told = await opened(client, json.dumps(strange).encode())
    assert (status, told["format"], told["picture"], told["findings"]) == (
        200,
        "darkroom",
        False,
        [],
    )
    assert told["document"]["nodes"]["odd"]["extra"] == 1
    assert told["document"]["else"] == [1]


async def test_a_prompt_of_comfyui_tells_what_has_no_counterpart(client: Client) -> None:
    text = json.dumps(TEXT_TO_IMAGE).replace("1.0", "NaN")
    status, told = await opened(
        client, b"\xef\xbb\xbf" + text.encode(), "C:\\graphs\\Red house.json"
    )
    assert (status, told["format"]) == (200, "comfyui")
    assert told["document"]["name"] == "Red house"
    assert {each["type"] for each in told["findings"]} >= {"KSampler", "VAEDecode"}


async def test_a_picture_gives_the_workflow_that_made_it(
    client: Client, bench: Bench, graph: Json, service: Service
) -> None:
    bench.answers["metadata"] = Answer(0, {"darkroom": {"workflow": graph, "node": "write"}})
    status, told = await opened(client, PICTURE, "house.png")
    assert (status, told["format"], told["picture"]) == (200, "darkroom", True)
    assert told["document"]["nodes"].keys() == graph["nodes"].keys()
    assert list((service.settings.data / "inputs").iterdir()) == []


async def test_a_picture_of_comfyui_gives_its_graph(client: Client, bench: Bench) -> None:
    bench.answers["metadata"] = Answer(0, {"prompt": json.dumps(TEXT_TO_IMAGE)})
    form = FormData()
    form.add_field("file", PICTURE, filename="house.png")
    answer = await client.post(AT, data=form)
    told = await answer.json()
    assert (answer.status, told["format"], told["picture"]) == (200, "comfyui", True)
    assert told["document"]["name"] == "house"


async def test_a_picture_with_settings_alone_tells_them(client: Client, bench: Bench) -> None:
    told_by_picture = {"parameters": "a cat\nSteps: 20, Seed: 7"}
    bench.answers["metadata"] = Answer(0, told_by_picture)
    status, told = await opened(client, PICTURE, "cat.png")
    assert status == 422
    assert problem(told)["code"] == "settings_only"
    assert "A1111" in problem(told)["message"]
    assert "Seed: 7" in problem(told)["hint"]


async def test_a_picture_without_a_workflow_says_why_nothing_opens(
    client: Client, bench: Bench
) -> None:
    bench.answers["metadata"] = Answer(0, {})
    status, told = await opened(client, PICTURE, "holiday.png")
    assert status == 422
    assert problem(told)["code"] == "no_workflow"
    assert "holiday.png carries no workflow" in problem(told)["message"]
    assert "drop what is embedded" in problem(told)["hint"]


async def test_a_damaged_picture_is_called_by_its_name(client: Client, bench: Bench) -> None:
    async def ask(question: str, path: str) -> Answer:
        name = path.rpartition("/")[2]
        told = {"code": "damaged_file", "message": f"{name} ends too early"}
        return Answer(0, None, error={"detail": told["message"], "problems": [told]})

    bench.ask = ask  # type: ignore[method-assign,assignment]
    status, told = await opened(client, PICTURE, "half.png")
    assert status == 422
    assert problem(told)["message"] == "half.png ends too early"


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "unreadable", "x.json is empty"),
        (b"{", "unreadable", "x.json is not JSON"),
        (b"[" * 100_000, "unreadable", "x.json is not JSON"),
        (b"\xff\xfe\x00", "unreadable", "neither a picture nor JSON"),
        (b"[1, 2]", "no_workflow", "no ComfyUI graph"),
        (b'"text"', "no_workflow", "no ComfyUI graph"),
        (b'{"darkroom": 1, "nodes": 7}', "document", "nodes"),
        (b'{"darkroom": 9}', "document", "9"),
    ],
)
async def test_what_is_no_workflow_is_told(
    client: Client, data: bytes, code: str, words: str
) -> None:
    status, told = await opened(client, data, "x.json")
    assert status == 422, told
    assert words in problem(told)["message"]
    assert problem(told)["code"] == code


async def test_what_is_nested_too_deep_is_refused(client: Client) -> None:
    deep = b'{"darkroom": 1, "x": ' + b"[" * 400 + b"]" * 400 + b"}"
    status, told = await opened(client, deep)
    assert (status, told["code"]) == (400, "too_deep")

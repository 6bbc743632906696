"""What ComfyUI's websocket tells."""

import asyncio
import json
import struct
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, encode_basic_auth, web
from aiohttp.test_utils import TestClient

from server.comfy import teller
from server.comfy.teller import Listener
from server.comfy.telling import message
from server.service import Service
from tests.server.api.conftest import until

from .graphs import text_to_image
from .studio import PREVIEW, Studio
from .test_prompts import send, tokens_of

Json = dict[str, Any]
Client = TestClient[web.Request, web.Application]
Socket = ClientWebSocketResponse[bool]
Told = list[Json | bytes]


async def heard(socket: Socket, until_type: str = "status", remaining: int = 0) -> Told:
    """What comes up to a status with so many prompts left, or a message of a type."""
    found: Told = []
    async with asyncio.timeout(5):
        async for said in socket:
            if said.type is WSMsgType.BINARY:
                found.append(said.data)
                continue
            told = json.loads(said.data)
            found.append(told)
            if told["type"] != until_type:
                continue
            if until_type != "status" or count(told) == remaining:
                return found
    raise AssertionError(found)


def count(status: Json) -> int:
    return int(status["data"]["status"]["exec_info"]["queue_remaining"])


def kinds(told: Told) -> list[str]:
    """The types of the messages, those that repeat left out."""
    names = ["binary" if isinstance(each, bytes) else str(each["type"]) for each in told]
    return [name for index, name in enumerate(names) if not index or names[index - 1] != name]


def of_type(told: Told, kind: str) -> list[Json]:
    return [each["data"] for each in told if isinstance(each, dict) and each["type"] == kind]


async def test_a_client_is_greeted_with_its_id(client: Client) -> None:
    async with client.ws_connect("/ws?clientId=me") as socket:
        first = await socket.receive_json(timeout=5)
    assert first == {
        "type": "status",
        "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "me"},
    }
    async with client.ws_connect("/api/ws") as socket:
        assert len((await socket.receive_json(timeout=5))["data"]["sid"]) == 32


async def test_a_prompt_is_told_from_its_start_to_its_end(client: Client, studio: Studio) -> None:
    studio.held.set()
    async with client.ws_connect("/ws?clientId=me") as socket:
        await socket.receive(timeout=5)
        prompt_id = (await send(client, text_to_image(), client_id="me"))["prompt_id"]
        told = await heard(socket)
    order = [name for name in kinds(told) if name not in {"status", "progress_state"}]
    assert order[:3] == ["execution_start", "execution_cached", "executing"]
    assert order[-4:] == ["executing", "executed", "execution_success", "executing"]
    assert kinds(told)[-1] == "status"
    nodes = [each["node"] for each in of_type(told, "executing")]
    assert set(nodes[:-1]) == set(text_to_image())
    assert nodes[-1] is None
    (executed,) = of_type(told, "executed")
    assert executed["output"]["images"][0]["filename"] == "house_00001.png"
    assert of_type(told, "progress")[0] == {
        "value": 1, "max": 2, "prompt_id": prompt_id, "node": "3",
    }  # fmt: skip
    assert not any(isinstance(each, bytes) for each in told)


async def test_the_history_is_there_before_the_end_is_told(client: Client, studio: Studio) -> None:
    studio.held.set()
    async with client.ws_connect("/ws?clientId=me") as socket:
        told = await send(client, text_to_image(), client_id="me")
        await heard(socket, "execution_success")
        entry = await (await client.get(f"/history/{told['prompt_id']}")).json()
    assert entry[told["prompt_id"]]["status"]["completed"] is True


async def test_stored_results_are_told_as_cached(client: Client, studio: Studio) -> None:
    studio.held.set()
    studio.stored = ("LoadCheckpoint", "KSampler", "SaveImage")
    async with client.ws_connect("/ws?clientId=me") as socket:
        await send(client, text_to_image(), client_id="me")
        told = await heard(socket, "execution_success")
    cached = [node for each in of_type(told, "execution_cached") for node in each["nodes"]]
    assert set(cached) == {"4", "3", "9"}
    assert [each["node"] for each in of_type(told, "executed")] == ["9"]


@pytest.mark.parametrize("method", ["auto", "latent2rgb"])
async def test_previews_come_if_asked_for(client: Client, studio: Studio, method: str) -> None:
    studio.held.set()
    async with (
        client.ws_connect("/ws?clientId=me") as socket,
        client.ws_connect("/ws?clientId=me") as rich,
    ):
        await rich.send_json({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
        (flags,) = of_type(await heard(rich, "feature_flags"), "feature_flags")
        assert flags["supports_preview_metadata"] is True
        extra = {"preview_method": method}
        told = await send(client, text_to_image(), client_id="me", extra_data=extra)
        plain = [each for each in await heard(socket, "executed") if isinstance(each, bytes)]
        full = [each for each in await heard(rich, "executed") if isinstance(each, bytes)]
    assert plain == [struct.pack(">II", 1, 1) + PREVIEW]
    kind, size = struct.unpack(">II", full[0][:8])
    about = json.loads(full[0][8 : 8 + size])
    assert (kind, full[0][8 + size :]) == (4, PREVIEW)
    assert (about["node_id"], about["prompt_id"]) == ("3", told["prompt_id"])
    run = studio.runs[0].run
    assert (run, True) in studio.watched or studio.runs[0].watched


async def test_a_failure_names_its_node(client: Client, studio: Studio) -> None:
    studio.held.set()
    problem = {"code": "node_failed", "message": "it burst", "node": "sampler"}
    studio.fails = {"detail": "it burst", "code": "node_failed", "problems": [problem]}
    async with client.ws_connect("/ws?clientId=me") as socket:
        await send(client, text_to_image(), client_id="me")
        told = await heard(socket, "execution_error")
        last = await heard(socket)
    (error,) = of_type(told, "execution_error")
    assert (error["node_id"], error["node_type"]) == ("3", "KSampler")
    assert error["exception_message"] == "it burst"
    assert kinds(last) == ["executing", "status"]


async def test_an_interruption_is_told(client: Client, studio: Studio) -> None:
    async with client.ws_connect("/ws?clientId=me") as socket:
        await send(client, text_to_image(), client_id="me")
        await studio.began.wait()
        await client.post("/interrupt")
        told = await heard(socket, "execution_interrupted")
    assert of_type(told, "execution_interrupted")[0]["node_id"] == "9"


async def test_who_comes_late_hears_what_runs(client: Client, studio: Studio) -> None:
    told = await send(client, text_to_image(), client_id="me")
    await studio.began.wait()
    await asyncio.sleep(0.1)
    async with client.ws_connect("/ws?clientId=me") as socket:
        first = await socket.receive_json(timeout=5)
        second = await socket.receive_json(timeout=5)
        assert count(first) == 1
        assert second["type"] == "executing"
        assert (second["data"]["node"], second["data"]["prompt_id"]) == ("9", told["prompt_id"])
        studio.held.set()
        rest = await heard(socket)
    assert kinds(rest) == ["executed", "execution_success", "executing", "status"]


async def test_other_clients_hear_only_how_long_the_queue_is(
    client: Client, studio: Studio
) -> None:
    studio.held.set()
    async with client.ws_connect("/ws?clientId=other") as socket:
        await socket.receive(timeout=5)
        await send(client, text_to_image(), client_id="me")
        assert set(kinds(await heard(socket))) == {"status"}


async def test_a_client_id_is_good_for_its_user_alone(
    client: Client, studio: Studio, service: Service
) -> None:
    ada, bob = (
        {"Authorization": encode_basic_auth("any", token)} for token in await tokens_of(service)
    )
    assert (await client.get("/ws?clientId=me")).status == 401
    async with (
        client.ws_connect("/ws?clientId=me", headers=ada) as hers,
        client.ws_connect("/ws?clientId=me", headers=bob) as his,
    ):
        body = {"prompt": text_to_image(), "client_id": "me"}
        assert (await client.post("/prompt", json=body, headers=ada)).status == 200
        await studio.began.wait()
        async with client.ws_connect("/ws?clientId=me", headers=bob) as late:
            assert count(await late.receive_json(timeout=5)) == 0
            studio.held.set()
            assert "execution_success" in kinds(await heard(hers, "execution_success"))
            assert (await client.post("/prompt", json=body, headers=bob)).status == 200
            assert count(await late.receive_json(timeout=5)) == 1
        assert of_type(await heard(his, "status", remaining=1), "executing") == []


async def test_a_prompt_without_a_client_is_told_to_all_in_part(
    client: Client, studio: Studio
) -> None:
    studio.held.set()
    async with client.ws_connect("/ws?clientId=other") as socket:
        await socket.receive(timeout=5)
        await send(client, text_to_image())
        assert set(kinds(await heard(socket))) == {"status", "progress_state"}


async def test_jobs_of_the_native_api_count(client: Client, studio: Studio) -> None:
    document = {
        "darkroom": 1,
        "nodes": {"a": {"type": "RandomSeed"}},
        "outputs": {"n": {"node": "a", "output": "value"}},
    }
    async with client.ws_connect("/ws?clientId=me") as socket:
        await socket.receive(timeout=5)
        answer = await client.post("/api/v1/jobs", json={"document": document})
        assert answer.status in {201, 202}, await answer.text()
        assert kinds(await heard(socket, remaining=1)) == ["status"]
        studio.held.set()
        assert kinds(await heard(socket)) == ["status"]
    history = await (await client.get("/history")).json()
    assert next(iter(history.values()))["prompt"][2] == {}


async def test_nonsense_of_a_client_is_passed_over(client: Client) -> None:
    async with client.ws_connect("/ws") as socket:
        for said in ("{", "[]", '{"type": "feature_flags", "data": 3}'):
            await socket.send_str(said)
        assert kinds(await heard(socket, "feature_flags")) == ["status", "feature_flags"]


async def test_a_slow_client_is_cut_off(
    client: Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teller, "MOST", 3)
    listener = Listener("local", "me")
    for number in range(3):
        listener.offer(message("executing", {"node": str(number)}))
    listener.offer(message("progress", {"node": "3"}))
    assert listener.lagging
    assert await listener.next() is None


def test_of_progress_only_the_latest_waits() -> None:
    listener = Listener("local", "me")
    for number in range(5):
        listener.offer(message("progress", {"node": "3", "value": number}))
        listener.offer(b"preview %d" % number)
    assert list(listener.waiting.values()) == [
        message("progress", {"node": "3", "value": 4}),
        b"preview 4",
    ]


async def test_websockets_end_with_the_server(client: Client) -> None:
    async with client.ws_connect("/ws") as socket:
        await socket.receive(timeout=5)
        assert client.server.runner is not None
        cleaning = asyncio.create_task(client.server.runner.cleanup())
        assert (await socket.receive(timeout=5)).type in {WSMsgType.CLOSE, WSMsgType.CLOSED}
        assert socket.close_code == 1012
        await cleaning


async def test_an_address_for_websockets_takes_nothing_else(client: Client) -> None:
    assert (await client.get("/ws")).status == 400


async def test_a_job_that_was_deleted_is_counted_no_more(client: Client, studio: Studio) -> None:
    async with client.ws_connect("/ws?clientId=me") as socket:
        await send(client, text_to_image(), client_id="me")
        await studio.began.wait()
        waiting = await send(client, text_to_image(seed=2), client_id="me")
        await heard(socket, remaining=2)
        await client.post("/queue", json={"delete": [waiting["prompt_id"]]})
        assert kinds(await heard(socket, remaining=1))[-1] == "status"
        await until(lambda: bool(studio.runs))


async def test_a_job_counts_until_its_end_is_told(client: Client, service: Service) -> None:
    async with client.ws_connect("/ws?clientId=me") as socket:
        await socket.receive(timeout=5)
        for kind, waiting in (("job.queued", 1), ("job.started", 1), ("job.succeeded", 0)):
            data = {"job": {"id": "over", "webhook": None}}
            service.hub.publish(kind, owner="local", job="over", data=data)
            assert count(await socket.receive_json(timeout=5)) == waiting

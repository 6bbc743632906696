"""Files that ComfyUI's clients send, fetch and keep; models and node types."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient

from server.service import Service
from server.workers.messages import Answer

from .studio import PICTURE, Studio

Json = dict[str, Any]
Client = TestClient[web.Request, web.Application]


@pytest.fixture
def data(service: Service) -> Path:
    return service.settings.data


@pytest.fixture(autouse=True)
def pictures(studio: Studio) -> None:
    studio.answers["probe"] = Answer(0, {"width": 1, "height": 1, "format": "png"})


def form(picture: bytes = PICTURE, name: str = "a.png", **fields: str) -> FormData:
    made = FormData()
    for key, value in fields.items():
        made.add_field(key, value)
    made.add_field("image", picture, filename=name, content_type="image/png")
    return made


async def upload(client: Client, picture: bytes = PICTURE, **fields: str) -> Json:
    answer = await client.post("/upload/image", data=form(picture, "a.png", **fields))
    assert answer.status == 200, await answer.text()
    told: Json = await answer.json()
    return told


async def test_a_picture_is_kept_under_its_name(client: Client, data: Path) -> None:
    told = await upload(client, subfolder="cats/old")
    assert told == {"name": "a.png", "subfolder": "cats/old", "type": "input"}
    assert (data / "inputs/cats/old/a.png").read_bytes() == PICTURE
    assert [path.name for path in (data / "inputs").iterdir()] == ["cats"]
    answer = await client.get("/view?filename=a.png&subfolder=cats/old&type=input")
    assert await answer.read() == PICTURE
    answer = await client.get("/api/view?filename=cats/old/a.png%20[input]")
    assert (answer.content_type, await answer.read()) == ("image/png", PICTURE)


async def test_another_picture_gets_another_name(client: Client, data: Path) -> None:
    names = [
        (await upload(client, picture))["name"]
        for picture in (PICTURE, PICTURE, PICTURE + b"2", PICTURE + b"3", PICTURE + b"2")
    ]
    assert names == ["a.png", "a.png", "a (1).png", "a (2).png", "a (1).png"]
    assert (await upload(client, b"new", overwrite="true"))["name"] == "a.png"
    assert (data / "inputs/a.png").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        (("../a.png",), {"subfolder": "../.."}),
        (("a.png",), {"subfolder": "/etc/../.."}),
        (("a" * 300,), {}),
        (("a.png",), {"type": "models"}),
    ],
)
async def test_nothing_is_written_elsewhere(
    client: Client, data: Path, given: tuple[str], fields: dict[str, str]
) -> None:
    answer = await client.post("/upload/image", data=form(PICTURE, *given, **fields))
    assert answer.status == 400
    assert list(data.rglob("*.png")) == []
    assert list((data / "inputs").iterdir()) == []


async def test_what_is_no_picture_is_refused(client: Client, studio: Studio, data: Path) -> None:
    studio.answers["probe"] = Answer(0, error={"detail": "this is no picture"})
    answer = await client.post("/upload/image", data=form(b"<html>"))
    assert (answer.status, await answer.json()) == (400, {"error": "this is no picture"})
    assert (await client.post("/upload/image", data=b"x")).status == 400
    assert (await client.post("/upload/image", data=FormData({"image": "text"}))).status == 400
    assert list((data / "inputs").iterdir()) == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("filename=gone.png", 404),
        ("filename=../darkroom.db", 403),
        ("filename=darkroom.db&subfolder=..", 403),
        ("filename=/etc/passwd", 403),
        ("filename=a.png&type=models", 400),
        ("", 400),
        ("filename=sub", 404),
        ("filename=a.png&channel=rgb", 200),
    ],
)
async def test_only_ones_files_are_shown(
    client: Client, data: Path, query: str, status: int
) -> None:
    (data / "outputs/sub").mkdir(parents=True)
    (data / "outputs/a.png").write_bytes(PICTURE)
    assert (await client.get(f"/view?{query}")).status == status


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.js", "a.css"])
async def test_browsers_run_nothing_of_a_file(client: Client, data: Path, name: str) -> None:
    (data / "outputs").mkdir()
    (data / "outputs" / name).write_text("<script>alert(1)</script>")
    answer = await client.get(f"/view?filename={name}")
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


async def test_a_preview_is_a_smaller_picture(client: Client, studio: Studio, data: Path) -> None:
    (data / "previews").mkdir()
    (data / "previews/a.png").write_bytes(PICTURE)
    studio.answers["thumbnail"] = Answer(0, {}, blob=b"\xff\xd8\xff small")
    answer = await client.get("/view?filename=a.png&type=temp&preview=webp;90")
    assert (answer.content_type, await answer.read()) == ("image/jpeg", b"\xff\xd8\xff small")
    studio.answers["thumbnail"] = Answer(0, error={"detail": "no picture"})
    answer = await client.get("/view?filename=a.png&type=temp&preview=webp;90")
    assert await answer.read() == PICTURE


async def test_a_mask_is_joined_with_its_picture(
    client: Client, studio: Studio, data: Path
) -> None:
    await upload(client, subfolder="cats")
    studio.answers["merged"] = Answer(0, {}, blob=b"joined")
    reference = json.dumps({"filename": "a.png", "subfolder": "cats", "type": "input"})
    fields = {"original_ref": reference, "subfolder": "clipspace"}
    answer = await client.post("/upload/mask", data=form(b"mask", "m.png", **fields))
    assert await answer.json() == {"name": "m.png", "subfolder": "clipspace", "type": "input"}
    assert (data / "inputs/clipspace/m.png").read_bytes() == b"joined"
    asked = next(arguments for question, arguments in studio.questions if question == "merged")
    assert asked["colours"] == str(data / "inputs/cats/a.png")
    for wrong, status in (("{}", 400), ('{"filename": "../a"}', 400), ('{"filename": "b"}', 404)):
        answer = await client.post("/upload/mask", data=form(b"mask", original_ref=wrong))
        assert answer.status == status
    studio.answers["merged"] = Answer(0, error={"detail": "the sizes differ"})
    answer = await client.post("/upload/mask", data=form(b"mask", "n.png", **fields))
    assert (answer.status, await answer.json()) == (400, {"error": "the sizes differ"})


@pytest.mark.parametrize("channel", ["rgb", "a"])
async def test_one_channel_is_shown(
    client: Client, studio: Studio, data: Path, channel: str
) -> None:
    await upload(client)
    studio.answers["merged"] = Answer(0, {}, blob=b"\x89PNG part")
    answer = await client.get(f"/view?filename=a.png&type=input&channel={channel}")
    assert (answer.content_type, await answer.read()) == ("image/png", b"\x89PNG part")
    wanted = {"rgb": "colours", "a": "alpha"}[channel]
    assert studio.questions[-1] == ("merged", {wanted: str(data / "inputs/a.png")})


async def test_files_of_the_front_end_are_kept(client: Client) -> None:
    path = "/userdata/workflows%2Fsub%2Fmine.json"
    answer = await client.post(path, data=b"{}")
    assert (answer.status, await answer.json()) == (200, "workflows/sub/mine.json")
    assert (await client.post(f"{path}?overwrite=false", data=b"x")).status == 409
    answer = await client.post(f"{path}?full_info=true", data=b'{"a": 1}')
    told = await answer.json()
    assert (told["path"], told["size"]) == ("workflows/sub/mine.json", 8)
    assert await (await client.get(path)).read() == b'{"a": 1}'
    listed = "/userdata?dir=workflows&recurse=true"
    assert await (await client.get(listed)).json() == ["sub/mine.json"]
    assert await (await client.get(f"{listed}&split=true")).json() == [
        ["sub/mine.json", "sub", "mine.json"]
    ]
    (full,) = await (await client.get(f"{listed}&full_info=true")).json()
    assert (full["path"], full["size"]) == ("sub/mine.json", 8)
    entries = await (await client.get("/v2/userdata?path=workflows")).json()
    assert [(each["path"], each["type"]) for each in entries] == [("workflows/sub", "directory")]
    answer = await client.post(f"{path}/move/other.json")
    assert (answer.status, await answer.json()) == (200, "other.json")
    assert (await client.get(path)).status == 404
    assert (await client.delete("/userdata/other.json")).status == 204
    assert (await client.delete("/userdata/other.json")).status == 404


@pytest.mark.parametrize("name", ["..%2F..%2Fdarkroom.db", "%2Fetc%2Fpasswd", "..%2fsettings.json"])
async def test_files_of_the_front_end_lie_in_their_folder(client: Client, name: str) -> None:
    assert (await client.get(f"/userdata/{name}")).status == 403
    assert (await client.post(f"/userdata/{name}", data=b"")).status == 403
    assert (await client.delete(f"/userdata/{name}")).status == 403
    assert (await client.post(f"/userdata/a/move/{name}")).status == 403
    assert (await client.get(f"/userdata?dir={name}")).status == 403
    assert (await client.get(f"/v2/userdata?path={name}")).status in {403, 404}


async def test_settings_are_kept(client: Client) -> None:
    assert await (await client.get("/settings")).json() == {}
    assert await (await client.get("/settings/Comfy.X")).json() is None
    assert (await client.post("/settings", json={"Comfy.X": 1, "b": True})).status == 200
    assert (await client.post("/api/settings/Comfy.X", json=[2])).status == 200
    assert await (await client.get("/settings/Comfy.X")).json() == [2]
    assert await (await client.get("/settings")).json() == {"Comfy.X": [2], "b": True}


@pytest.fixture
def models(data: Path, studio: Studio) -> Path:
    folder = data / "models" / "checkpoints"
    folder.mkdir(parents=True)
    header = json.dumps({"__metadata__": {"title": "Mine"}}).encode()
    path = folder / "mine.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    studio.models = [{"name": path.name, "kind": "checkpoints", "path": str(path), "bytes": 9}]
    return path


async def test_node_types_name_the_models_that_are_there(
    client: Client, models: Path, studio: Studio
) -> None:
    await upload(client, subfolder="cats")
    told = await (await client.get("/object_info")).json()
    assert told["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] == [
        ["mine.safetensors"]
    ]
    assert told["LoadImage"]["input"]["required"]["image"][0] == ["cats/a.png"]
    one = await (await client.get("/api/object_info/KSampler")).json()
    assert one == {"KSampler": told["KSampler"]}
    assert list(one["KSampler"]["input"]["required"])[:4] == ["model", "seed", "steps", "cfg"]
    assert await (await client.get("/object_info/Unknown")).json() == {}


async def test_models_are_asked_for_once_until_a_folder_changes(
    client: Client, models: Path, studio: Studio
) -> None:
    for _ in range(3):
        assert await (await client.get("/models/checkpoints")).json() == ["mine.safetensors"]
        await client.get("/object_info")
    assert [question for question, _ in studio.questions].count("models") == 1
    (models.parent / "sub").mkdir()
    studio.models = []
    assert await (await client.get("/models/checkpoints")).json() == []


async def test_models_are_described(client: Client, models: Path) -> None:
    answer = await client.get("/view_metadata/checkpoints?filename=mine.safetensors")
    assert await answer.json() == {"title": "Mine"}
    assert (await client.get("/view_metadata/checkpoints?filename=gone")).status == 404
    assert (await client.get("/view_metadata/vae?filename=mine.safetensors")).status == 404
    (row,) = await (await client.get("/experiment/models/checkpoints")).json()
    assert (row["name"], row["pathIndex"], row["size"]) == ("mine.safetensors", 0, 9)
    assert (await client.get("/models/secrets")).status == 404
    assert (await client.get("/experiment/models/secrets")).status == 404
    assert await (await client.get("/models/loras")).json() == []


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/embeddings", []),
        ("/extensions", []),
        ("/users", {"storage": "server", "migrated": True}),
        ("/global_subgraphs", {}),
        ("/workflow_templates", {}),
        ("/i18n", {}),
        ("/internal/logs", ""),
        ("/internal/folder_paths", {}),
        ("/internal/files/output", []),
        ("/userdata?dir=workflows", None),
        ("/v2/userdata", []),
    ],
)
async def test_small_questions_are_answered(client: Client, path: str, told: object) -> None:
    for prefix in ("", "/api"):
        answer = await client.get(prefix + path)
        if told is None:
            assert answer.status == 404
        else:
            assert (answer.status, await answer.json()) == (200, told)


async def test_the_server_tells_of_itself(client: Client) -> None:
    told = await (await client.get("/system_stats")).json()
    assert told["system"].keys() >= {"os", "comfyui_version", "python_version", "ram_total"}
    assert told["devices"][0].keys() >= {"name", "type", "index", "vram_total", "vram_free"}
    features = await (await client.get("/api/features")).json()
    assert features.keys() == {"supports_preview_metadata", "max_upload_size", "extension"}
    assert (await client.patch("/internal/logs/subscribe", json={"enabled": True})).status == 200
    assert (await client.get("/internal/files/other")).status == 400
    assert (await client.get("/global_subgraphs/x")).status == 404
    assert (await client.post("/users", json={"username": "eve"})).status == 403

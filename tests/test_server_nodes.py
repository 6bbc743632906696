"""A whole server over the nodes that ship: names and pictures that are meant to do harm."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from .raw import send
from .serving import Served

pytestmark = pytest.mark.slow
Json = dict[str, Any]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("nodes") / "data"
    (data / "inputs").mkdir(parents=True)
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    for folder in ("inputs", "models/checkpoints", "models/vae", "models/controlnet"):
        (data / folder).mkdir(parents=True, exist_ok=True)
        for name in ("secret.png", "secret.safetensors"):
            (data.parent / name).write_bytes(picture.getvalue())
            (data / folder / f"link{Path(name).suffix}").symlink_to(data.parent / name)
        (data / folder / "folder").symlink_to(data.parent)
    (data / "inputs" / "good.png").write_bytes(picture.getvalue())
    with Served(data, nodes="nodes", options=("--workers", "cpu")) as server:
        status, told = server.call("POST", "/api/v1/jobs?wait=60", {"document": saving("good.png")})
        assert (status, told["state"]) == (201, "succeeded"), told
        yield server


def saving(image: str, name: str = "saved") -> Json:
    return {
        "darkroom": 1,
        "nodes": {
            "load": {"type": "LoadImage", "inputs": {"image": image}},
            "save": {
                "type": "SaveImage",
                "inputs": {"image": {"$link": ["load", "image"]}, "name": name},
            },
        },
        "outputs": {"saved": {"node": "save", "output": "value"}},
    }


def ended(served: Served, document: Json) -> Json | None:
    """The job, or None if the graph is refused."""
    status, told = served.call("POST", "/api/v1/jobs?wait=60", {"document": document})
    if status == 422:
        return None
    assert status == 201, told
    return served.finished(told["id"], 60)


BAD = ["../secret.png", "{top}/secret.png", "link.png", "folder/secret.png", "..\\secret.png",
       "a\0.png", "good.png/../../../secret.png", "x" * 1000, "."]  # fmt: skip


@pytest.mark.parametrize("name", BAD, ids=lambda name: name[:20])
def test_a_picture_is_loaded_from_the_folders_of_images_alone(served: Served, name: str) -> None:
    given = name.replace("{top}", str(served.data.parent))
    job = ended(served, saving(given))
    assert job is None or job["state"] == "failed", job


@pytest.mark.parametrize("name", BAD, ids=lambda name: name[:20])
def test_a_picture_is_shown_from_the_folders_of_images_alone(served: Served, name: str) -> None:
    given = quote(name.replace("{top}", str(served.data.parent)), safe="")
    assert send(served, "GET", f"/api/v1/pictures/{given}")[0] in {404, 422}


def test_a_picture_that_comes_along_is_shown(served: Served) -> None:
    for name in ("good.png", "postcard.png", "mask.png"):
        assert send(served, "GET", f"/api/v1/pictures/{name}")[0] == 200
        assert send(served, "GET", f"/api/v1/pictures/{name}?thumbnail=64")[0] == 200
    status, told = send(served, "GET", "/api/v1/pictures/postcrd.png")
    assert (status, told["detail"]) == (404, "there is no picture 'postcrd.png'")


@pytest.mark.parametrize(
    ("kind", "name", "output"),
    [
        ("LoadCheckpoint", "checkpoint", "vae"),
        ("LoadVAE", "vae", "value"),
        ("LoadControlNet", "controlnet", "value"),
    ],
)
@pytest.mark.parametrize("file", ["../../../secret.safetensors", "{top}/secret.safetensors"])
def test_a_model_is_loaded_from_its_folder_alone(
    served: Served, kind: str, name: str, output: str, file: str
) -> None:
    given = file.replace("{top}", str(served.data.parent))
    document = {
        "darkroom": 1,
        "nodes": {"load": {"type": kind, "inputs": {name: given}}},
        "outputs": {"value": {"node": "load", "output": output}},
    }
    _, told = served.call("POST", "/api/v1/validate", {"document": document})
    assert {problem["code"] for problem in told["problems"]} == {"outside_roots"}, told
    job = ended(served, document)
    assert job is None or job["state"] == "failed", job


@pytest.mark.parametrize("name", ["../../evil", "{top}/evil", "a/../../../evil", "folder/evil"])
def test_a_picture_is_saved_in_the_folder_of_outputs_alone(served: Served, name: str) -> None:
    link = served.data / "outputs" / "folder"
    link.parent.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(served.data.parent)
    given = name.replace("{top}", str(served.data.parent))
    job = ended(served, saving("good.png", given))
    top = served.data.parent
    assert not list(top.glob("evil*"))
    assert not list(served.data.glob("evil*"))
    for file in ({} if job is None else job["outputs"]).get("saved", {}).get("files", []):
        assert send(served, "GET", file["url"])[0] == 200


def png(width: int, height: int) -> bytes:
    """A PNG of that size, as small as it can be."""

    def part(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * min((width // 8 + 1) * height, 10**7), 9)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")


@pytest.mark.parametrize(
    "body",
    [png(100_000, 100_000), png(2**31 - 1, 2**31 - 1), png(0, 0), png(64, 64)[:40], b"GIF89a",
     b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x80\x04pickle"],
    ids=["bomb", "overflow", "empty", "cut", "gif", "svg", "pickle"],
)  # fmt: skip
def test_what_is_no_decent_picture_is_not_taken_in(served: Served, body: bytes) -> None:
    kind = {"Content-Type": "application/octet-stream"}
    status, told = send(served, "POST", "/api/v1/uploads?name=x.png", body, kind)
    assert status == 422, told
    assert told["problems"]
    assert {path.name for path in (served.data / "inputs").iterdir()} == {
        "good.png", "link.png", "link.safetensors", "folder",
    }  # fmt: skip
    form = (
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="x.png"\r\n\r\n'
        + body
        + b"\r\n--x--\r\n"
    )
    boundary = {"Content-Type": "multipart/form-data; boundary=x"}
    assert send(served, "POST", "/upload/image", form, boundary)[0] == 400
    assert not (served.data / "inputs" / "x.png").exists()


def test_a_bomb_that_lies_there_already_fails_its_job_alone(served: Served) -> None:
    bomb = served.data / "inputs" / "bomb.png"
    bomb.write_bytes(png(100_000, 100_000))
    try:
        job = ended(served, saving("bomb.png"))
        assert job is None or (job["state"], job["attempt"]) == ("failed", 1), job
        status, _ = send(served, "GET", "/api/v1/uploads/bomb.png?thumbnail=64")
        assert status == 422
        again = ended(served, saving("good.png", "again"))
        assert again is not None
        assert again["state"] == "succeeded"
    finally:
        bomb.unlink()

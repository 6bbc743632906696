"""A program that was written for ComfyUI, as it is, against a whole server."""

import io
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from comfy_api_simplified import ComfyApiError, ComfyApiWrapper, ComfyWorkflowWrapper
from PIL import Image as Pictures

from tests.serving import Served

from .graphs import text_to_image

Json = dict[str, Any]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("comfy")
    with Served(folder / "data", nodes="nodes", environment={"DARKROOM_DEVICES": "cpu"}) as server:
        yield server


@pytest.fixture
def api(served: Served) -> ComfyApiWrapper:
    return ComfyApiWrapper(served.url)


def titled(graph: Json) -> Json:
    """The graph with the titles that the program finds nodes by."""
    for node in graph.values():
        node["_meta"] = {"title": node["class_type"]}
    return graph


def image_to_image() -> Json:
    graph = text_to_image(latent_image=["11", 0], denoise=0.5, steps=3)
    graph["10"] = {"class_type": "LoadImage", "inputs": {"image": "none.png"}}
    graph["11"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["10", 0], "vae": ["4", 2]}}
    graph["12"] = {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}
    del graph["5"]
    return graph


def picture(data: bytes) -> Pictures.Image:
    image = Pictures.open(io.BytesIO(data))
    image.load()
    return image


def test_text_becomes_a_picture(api: ComfyApiWrapper) -> None:
    graph = titled(text_to_image())
    workflow = ComfyWorkflowWrapper(graph)
    workflow.set_node_param("KSampler", "seed", 11)
    found = api.queue_and_wait_images(workflow, "SaveImage")
    ((name, data),) = found.items()
    image = picture(data)
    assert (name, image.size, image.format) == ("house_00001.png", (64, 64), "PNG")
    texts: Json = getattr(image, "text", {})
    assert '"seed": 11' in texts["prompt"]
    assert "darkroom" in texts


def test_a_picture_is_sent_changed_and_fetched(api: ComfyApiWrapper, tmp_path: Path) -> None:
    path = tmp_path / "mine.png"
    Pictures.new("RGB", (64, 64), (200, 40, 90)).save(path)
    sent = api.upload_image(path)
    workflow = ComfyWorkflowWrapper(titled(image_to_image()))
    workflow.set_node_param("LoadImage", "image", f"{sent['subfolder']}/{sent['name']}")
    saved = api.queue_and_wait_images(workflow, "SaveImage")
    shown = api.queue_and_wait_images(workflow, "PreviewImage")
    pictures = [
        picture(data).convert("RGB").tobytes()
        for found in (saved, shown)
        for data in found.values()
    ]
    assert len(pictures) == 2
    assert pictures[0] == pictures[1]


def test_a_mask_is_painted_over_a_picture(served: Served, tmp_path: Path) -> None:
    colour, mask = Pictures.new("RGB", (8, 8), (200, 40, 90)), Pictures.new("RGBA", (8, 8))
    mask.putalpha(100)
    send = partial(requests.post, timeout=30)
    send(f"{served.url}/upload/image", files={"image": ("o.png", encoded(colour))})
    reference = '{"filename": "o.png", "type": "input"}'
    answer = send(
        f"{served.url}/api/upload/mask",
        files={"image": ("m.png", encoded(mask))},
        data={"original_ref": reference, "subfolder": "clipspace"},
    )
    assert answer.json() == {"name": "m.png", "subfolder": "clipspace", "type": "input"}
    pixels = {
        channel: picture(
            requests.get(
                f"{served.url}/view",
                params=answer.json() | {"filename": "m.png"} | part,
                timeout=30,
            ).content
        ).getpixel((0, 0))
        for channel, part in (("all", {}), ("rgb", {"channel": "rgb"}), ("a", {"channel": "a"}))
    }
    assert pixels == {"all": (200, 40, 90, 100), "rgb": (200, 40, 90), "a": (0, 0, 0, 100)}


def encoded(image: Pictures.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_what_is_missing_is_told(api: ComfyApiWrapper) -> None:
    graph = titled(text_to_image())
    graph["4"]["inputs"]["ckpt_name"] = "dream.safetensors"
    with pytest.raises(ComfyApiError, match="400"):
        api.queue_and_wait_images(ComfyWorkflowWrapper(graph), "SaveImage")


def test_the_server_is_described(api: ComfyApiWrapper) -> None:
    info = api.get_object_info("CheckpointLoaderSimple")["CheckpointLoaderSimple"]
    assert info["input"]["required"]["ckpt_name"][0] == ["starter.safetensors"]
    assert api.get_embeddings() == []
    assert api.get_system_stats()["devices"][0]["type"] == "cpu"
    assert api.get_queue() == {"queue_running": [], "queue_pending": []}


def test_a_run_is_interrupted(api: ComfyApiWrapper) -> None:
    graph = titled(text_to_image(steps=1000, seed=5))
    prompt_id = api.queue_prompt(graph)["prompt_id"]

    until(lambda: bool(api.get_queue()["queue_running"]))
    assert api.get_queue_size_before(prompt_id) == 0
    api.interrupt()
    until(lambda: bool(api.get_history(prompt_id)))
    status = api.get_history(prompt_id)[prompt_id]["status"]
    assert (status["status_str"], status["completed"]) == ("error", False)


def until(condition: Callable[[], bool], patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)

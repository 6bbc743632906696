"""Graphs as ComfyUI writes them, made for the tests."""

import copy
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

TEXT_TO_IMAGE: Json = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "starter.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red house", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}},
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 7, "steps": 2, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal",
            "denoise": 1.0, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "house", "images": ["8", 0]}},
}  # fmt: skip


def text_to_image(**sampler: Any) -> Json:
    """The usual graph, with other values or links for the sampler."""
    graph = copy.deepcopy(TEXT_TO_IMAGE)
    graph["3"]["inputs"].update(sampler)
    return graph


def alone(kind: str, values: Mapping[str, Any], links: Mapping[str, int]) -> Json:
    """A node that a custom node gives everything to."""
    given = {name: ["source", slot] for name, slot in links.items()}
    return {
        "source": {"class_type": "EverythingNode", "inputs": {}},
        "it": {"class_type": kind, "inputs": {**values, **given}},
    }


def ui_node(number: int, kind: str, values: object = None, **more: Any) -> Json:
    """A node in the editor's format."""
    node: Json = {"id": number, "type": kind, "pos": [0, 0], "mode": 0, "inputs": [], "outputs": []}
    return node | ({} if values is None else {"widgets_values": values}) | more


def slot(name: str, link: int | None, **more: Any) -> Json:
    """An input of a node in the editor's format."""
    return {"name": name, "type": "*", "link": link, **more}


def ui(nodes: list[Json], links: list[Any] = [], **more: Any) -> Json:  # noqa: B006 - never changed
    """A graph in the editor's format."""
    return {"nodes": nodes, "links": links, "version": 0.4, **more}

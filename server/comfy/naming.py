"""Readable ids for the nodes of an imported graph."""

import re
from collections.abc import Mapping

from .graph import Graph, Wire

_WORDS: Mapping[str, str] = {
    "LoadCheckpoint": "checkpoint",
    "LoadVAE": "vae",
    "LoadControlNet": "controlnet",
    "ControlNetApply": "control",
    "CLIPEncode": "prompt",
    "ClipSkip": "clip_skip",
    "KSampler": "sampler",
    "StartSampling": "start",
    "SampleSteps": "sampler",
    "EmptyLatent": "empty",
    "LatentUpscale": "larger",
    "VAEDecode": "decode",
    "VAEEncode": "encode",
    "SaveImage": "save",
    "PreviewImage": "preview",
    "LoadImage": "image",
    "ResizeImage": "resize",
    "CannyEdges": "edges",
}
_SIGN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ODD = re.compile(r"[^a-z0-9]+")
_SIDES = frozenset({"positive", "negative"})


class Names:
    """Gives out ids, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def free(self, wanted: str) -> str:
        """The wanted id, or the first of `wanted_2`, `wanted_3` … that is free."""
        name, count = wanted, self._counts.get(wanted, 1)
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._counts[wanted] = count
        self._taken.add(name)
        return name


def word(kind: str) -> str:
    """What a node of one of our types is called."""
    return _WORDS.get(kind) or plain(_SIGN.sub("_", kind)) or "node"


def plain(text: str) -> str:
    """A text in small letters, digits and underscores."""
    return _ODD.sub("_", text.lower()).strip("_")[:40]


def prompt_sides(graph: Graph) -> dict[str, str]:
    """For each node that only ever ends in a `positive`, or only in a `negative` input: which."""
    todo = [
        (value.node, name)
        for node in graph.nodes.values()
        for name, value in node.inputs.items()
        if name in _SIDES and isinstance(value, Wire)
    ]
    found: dict[str, set[str]] = {}
    while todo:
        name, side = todo.pop()
        sides = found.setdefault(name, set())
        if side in sides or name not in graph.nodes:
            continue
        sides.add(side)
        todo += [
            (value.node, side)
            for given, value in graph.nodes[name].inputs.items()
            if given.startswith("conditioning") and isinstance(value, Wire)
        ]
    return {node: next(iter(sides)) for node, sides in found.items() if len(sides) == 1}

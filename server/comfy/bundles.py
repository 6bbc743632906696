"""Bundles: noise, guiders and settings of samplers, which ComfyUI hands on as one value each.

Here a sampler has these inputs itself, so they are written into the one that they lead to.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .graph import Graph, Json, Placed, Shared, Wire

ALONG = -1_000_000
"""A slot that no file has: what goes along with a node's first output; see `Recipe.beside`."""
BUNDLING = "SamplerCustomAdvanced"
PLAIN = "SamplerCustom"
"""Has the inputs of the other one's noise and guider itself."""
_Names = Mapping[str, str]
_NOISES: Mapping[str, tuple[_Names, Json]] = {
    "RandomNoise": ({"noise_seed": "noise_seed"}, {"add_noise": True}),
    "DisableNoise": ({}, {"add_noise": False, "noise_seed": 0}),
}
"""For each kind the plain sampler's inputs by the node's own, and values that they have there."""
_GUIDERS: Mapping[str, tuple[_Names, Json]] = {
    "CFGGuider": ({name: name for name in ("model", "positive", "negative", "cfg")}, {}),
    "BasicGuider": (
        {"model": "model", "positive": "conditioning", "negative": "conditioning"},
        {"cfg": 1.0},
    ),
    "PerpNegGuider": ({name: name for name in ("positive", "negative", "cfg")}, {}),
    "DualCFGGuider": ({"positive": "cond1", "negative": "negative", "cfg": "cfg_conds"}, {}),
}
FOLDED = frozenset({"RandomNoise", "DisableNoise", "CFGGuider", "BasicGuider"})
"""Those that become none of our nodes: the other guiders change the model, and stay."""


@dataclass(frozen=True)
class Unbundled:
    """A graph without bundles."""

    graph: Graph
    origins: Mapping[tuple[str, str], tuple[str, str]]
    """For inputs of samplers the node and the input that their values stand at."""


def unbundled(graph: Graph) -> Unbundled:
    """The graph with the samplers' inputs in the samplers. What cannot be followed stays as it is."""
    origins: dict[tuple[str, str], tuple[str, str]] = {}
    nodes = {
        node.id: _settled(_merged(node, graph.nodes, origins), graph.nodes)
        for node in graph.nodes.values()
    }
    read = {wire.node for wire in _wires(nodes, graph)}
    were_read = {wire.node for wire in _wires(graph.nodes, graph)}
    kept = {
        name: node
        for name, node in nodes.items()
        if node.type not in FOLDED or name in read or name not in were_read
    }
    targets: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for place, origin in origins.items():
        if origin[0] not in kept:
            targets.setdefault(origin, []).append(place)
    shared = tuple(_moved(each, targets) for each in graph.shared)
    return Unbundled(replace(graph, nodes=kept, shared=shared), origins)


def _merged(
    node: Placed, nodes: Mapping[str, Placed], origins: dict[tuple[str, str], tuple[str, str]]
) -> Placed:
    """A sampler with what its noise and guider say, if both are there."""
    if node.type != BUNDLING:
        return node
    inputs = dict(node.inputs)
    for name, kinds in (("noise", _NOISES), ("guider", _GUIDERS)):
        source = _source(inputs.pop(name, None), nodes)
        if source is None or source.type not in kinds:
            return node
        names, values = kinds[source.type]
        inputs |= values
        if name == "guider" and "model" not in names:
            inputs["model"] = Wire(source.id, 0)
        for ours, theirs in names.items():
            if theirs in source.inputs:
                inputs[ours] = source.inputs[theirs]
                origins[node.id, ours] = (source.id, theirs)
    return replace(node, type=PLAIN, inputs=inputs)


def _settled(node: Placed, nodes: Mapping[str, Placed]) -> Placed:
    """A sampler that is also linked to the settings of the one that it goes by."""
    source = _source(node.inputs.get("sampler"), nodes) if node.type == PLAIN else None
    if source is None or not source.type.startswith("Sampler"):
        return node
    return replace(node, inputs={**node.inputs, "details": Wire(source.id, ALONG)})


def _source(value: object, nodes: Mapping[str, Placed]) -> Placed | None:
    if not isinstance(value, Wire) or value.slot != 0:
        return None
    found = nodes.get(value.node)
    return found if found is not None and found.mode == "normal" else None


def _wires(nodes: Mapping[str, Placed], graph: Graph) -> Iterator[Wire]:
    for node in nodes.values():
        yield from (value for value in node.inputs.values() if isinstance(value, Wire))
    yield from (wire for _, wire in graph.outputs if wire is not None)


def _moved(shared: Shared, targets: Mapping[tuple[str, str], list[tuple[str, str]]]) -> Shared:
    found = (targets.get(old, [old]) for old in shared.targets)
    return replace(shared, targets=tuple(new for places in found for new in places))

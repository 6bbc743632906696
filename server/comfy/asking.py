"""The named inputs of an imported document: what its graph is usually asked for."""

from collections.abc import Mapping, Sequence

from engine.links import Link
from engine.workflow import Endpoint, Node

from .graph import Shared
from .naming import Names, plain

Place = tuple[str, str]
"""A node and an input."""
_USUAL: Mapping[str, tuple[str, frozenset[str], str]] = {
    "prompt": ("positive", frozenset({"CLIPEncode"}), "text"),
    "negative": ("negative", frozenset({"CLIPEncode"}), "text"),
    "seed": ("sampler", frozenset({"KSampler"}), "seed"),
}
"""What the usual graph is asked for, and where it stands in one."""


def asked_for(
    shared: Sequence[Shared], given: Mapping[Place, Sequence[Place]], nodes: Mapping[str, Node]
) -> dict[str, Endpoint]:
    """The named inputs.

    Args:
        shared: Values that ComfyUI's editor gives to several inputs.
        given: For each input of a ComfyUI node those of ours that take its value whole.
        nodes: Ours.
    """
    names = Names()
    inputs: dict[str, Endpoint] = {}
    for value in shared:
        places = [given.get(target) for target in value.targets]
        if all(places):
            wanted = plain(value.title) or plain(value.targets[0][1])
            ends = [end for found in places for end in found or ()]
            inputs[names.free(wanted)] = leading_to(ends)
    for name, (our_id, kind, inner) in _USUAL.items():
        node = nodes.get(our_id)
        if (
            node is not None
            and node.type in kind
            and not isinstance(node.inputs.get(inner, Link("")), Link)
        ):
            place = (our_id, inner)
            if name not in inputs and not any(_leads(end, place) for end in inputs.values()):
                inputs[names.free(name)] = leading_to([place])
    return inputs


def leading_to(ends: Sequence[Place]) -> Endpoint:
    """A named input that leads to all of some places."""
    first, *more = (Endpoint(node, name) for node, name in ends)
    return Endpoint(first.node, first.name, {}, tuple(more))


def _leads(endpoint: Endpoint, place: Place) -> bool:
    return any((end.node, end.name) == place for end in (endpoint, *endpoint.also))

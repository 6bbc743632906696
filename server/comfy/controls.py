"""ControlNets that ComfyUI's older node applies: to the negative prompt of a sampler as well."""

from collections.abc import Callable, Mapping

from engine.links import Link
from engine.workflow import Node

_SAMPLERS = frozenset({"KSampler", "SampleSteps"})


def spread(
    nodes: dict[str, Node], older: frozenset[str], copy: Callable[[str], str]
) -> dict[str, Node]:
    """The nodes with each sampler's negative prompt led through the ControlNets of its positive one.

    Args:
        nodes: Of a document.
        older: Those that stand for ComfyUI's older node, which has a single prompt.
        copy: Gives an id to a further copy of a node, for a second negative prompt.
    """
    result = dict(nodes)
    taken: dict[str, object] = {}
    for sampler_id, sampler in nodes.items():
        if sampler.type not in _SAMPLERS:
            continue
        chain = _chain(sampler.inputs.get("positive"), nodes, older)
        negative = sampler.inputs.get("negative")
        if not chain or _is_controlled(negative, nodes):
            continue
        for control in reversed(chain):
            place = control
            if taken.setdefault(control, negative) != negative:
                place = copy(control)
            result[place] = nodes[control].with_inputs({"negative": negative})
            negative = Link(place, "negative")
        result[sampler_id] = sampler.with_inputs({"negative": negative})
    return result


def _chain(value: object, nodes: Mapping[str, Node], older: frozenset[str]) -> list[str]:
    """The ControlNets that a prompt went through, the last one first."""
    found: list[str] = []
    while isinstance(value, Link) and value.node in older and value.node not in found:
        found.append(value.node)
        value = nodes[value.node].inputs.get("positive")
    return found


def _is_controlled(value: object, nodes: Mapping[str, Node]) -> bool:
    return (
        isinstance(value, Link)
        and value.node in nodes
        and nodes[value.node].type == "ControlNetApply"
    )

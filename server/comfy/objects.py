"""What `/object_info` says: the ComfyUI node types that Darkroom answers to, and their inputs."""

from collections.abc import Mapping, Sequence
from typing import Any

from .declared import Entry, Input, Json
from .recipes import Catalogue
from .table import ENTRIES

_ENUMS = {"samplers": "sampler", "schedules": "schedule"}
_HIDDEN = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
Files = Mapping[str, Sequence[str]]
"""The names of files by kind: checkpoints, vae, controlnet, images."""


def object_info(catalogue: Catalogue, files: Files) -> Json:
    """Every ComfyUI node type that the node types of `catalogue` can stand for, by name."""
    return {
        entry.name: _entry(entry, catalogue, files)
        for entry in ENTRIES
        if supported(entry, catalogue)
    }


def supported(entry: Entry, catalogue: Catalogue) -> bool:
    """Whether there are nodes for the type."""
    return any(
        all(part.type in catalogue for part in recipe.parts.values()) for recipe in entry.recipes
    )


def choices(declared: Input, catalogue: Catalogue, files: Files) -> list[str]:
    """The words of a choice, as they are on this machine."""
    if declared.source is None:
        return list(declared.words)
    if declared.source in _ENUMS:
        properties = catalogue.get("KSampler", {}).get("inputs", {}).get("properties", {})
        ours: list[str] = properties.get(_ENUMS[declared.source], {}).get("enum", [])
        further = [theirs for theirs, our in declared.words.items() if our in ours]
        return list(dict.fromkeys([*ours, *further]))
    return list(files.get(declared.source, ()))


def _entry(entry: Entry, catalogue: Catalogue, files: Files) -> Json:
    inputs: dict[str, Json] = {"required": {}}
    for declared in entry.inputs:
        if declared.hidden:
            continue
        section = inputs.setdefault("required" if declared.required else "optional", {})
        section[declared.name] = _input(declared, catalogue, files)
    order = {section: list(given) for section, given in inputs.items()}
    if entry.is_output:
        inputs["hidden"] = dict(_HIDDEN)
        order["hidden"] = list(_HIDDEN)
    first = next(iter(entry.recipes[-1].parts.values())).type
    summary = catalogue.get(first, {}).get("summary", "") if len(entry.recipes) == 1 else ""
    return {
        "input": inputs,
        "input_order": order,
        "output": [kind for _, kind in entry.outputs],
        "output_is_list": [False] * len(entry.outputs),
        "output_name": [name for name, _ in entry.outputs],
        "name": entry.name,
        "display_name": entry.title or entry.name,
        "description": summary,
        "python_module": "nodes",
        "category": entry.category,
        "output_node": entry.is_output,
    }


def _input(declared: Input, catalogue: Catalogue, files: Files) -> list[Any]:
    kind: Any = declared.type
    if kind == "COMBO":
        kind = choices(declared, catalogue, files)
    return [kind, dict(declared.options)] if declared.options else [kind]

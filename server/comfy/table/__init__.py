"""ComfyUI's node types and what stands for them here: data, one entry for each type.

An entry without recipes tells the interface of a type that has no counterpart yet, so that the
values in files can be named. Where one is added, the type is supported.
"""

from collections.abc import Mapping

from server.comfy.declared import Entry

from . import (
    conditioning,
    guiders,
    latents,
    levels,
    loaders,
    masks,
    models,
    pictures,
    regions,
    sampling,
    values,
)

ENTRIES: tuple[Entry, ...] = (
    *loaders.ENTRIES,
    *models.ENTRIES,
    *conditioning.ENTRIES,
    *regions.ENTRIES,
    *sampling.ENTRIES,
    *levels.ENTRIES,
    *guiders.ENTRIES,
    *latents.ENTRIES,
    *pictures.ENTRIES,
    *masks.ENTRIES,
    *values.ENTRIES,
)
TABLE: Mapping[str, Entry] = {
    name: entry for entry in ENTRIES for name in (entry.name, *entry.formerly)
}
EDITOR_ONLY = frozenset({"Note", "MarkdownNote", "Reroute", "PrimitiveNode"})
"""Nodes that ComfyUI's editor resolves before it sends a prompt."""

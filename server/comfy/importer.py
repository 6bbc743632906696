"""ComfyUI graphs as our documents."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import GraphError, Problem
from engine.workflow import MAX_BYTES, Workflow

from .editor import read_editor
from .embedded import PNG, read_embedded
from .graph import Graph, Json
from .prompt import read_prompt
from .recipes import Catalogue
from .report import Report
from .translation import Translation


@dataclass(frozen=True)
class Imported:
    """A document made of a ComfyUI graph, what was lost on the way, and which node is which."""

    workflow: Workflow
    report: Report
    ids: Mapping[str, tuple[str, ...]]
    """For each ComfyUI node the ids of ours, the one that gives its result first."""
    places: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """For a node and input of ours the ComfyUI node and input that it comes from."""

    @property
    def document(self) -> Json:
        """The document as JSON."""
        return self.workflow.to_json()


def import_graph(document: object, catalogue: Catalogue, *, name: str = "") -> Imported:
    """The document for a ComfyUI graph in either of its formats.

    Raises:
        GraphError: It is no ComfyUI graph.
    """
    report = Report()
    return _translated(_read(document, report), catalogue, report, name)


def import_file(path: Path, catalogue: Catalogue) -> Imported:
    """The document for a ComfyUI file: a workflow, a prompt, or a picture that carries one.

    Raises:
        GraphError: There is no ComfyUI graph in it.
        OSError: The file cannot be read.
    """
    report = Report()
    with path.open("rb") as file:
        is_picture = file.read(len(PNG)) == PNG
    if is_picture:
        found = read_embedded(path)
        if not found:
            message = f"{path} carries no ComfyUI graph: take the picture as ComfyUI saved it"
            raise GraphError([Problem("no_workflow", message)])
        document = next(iter(found.values()))
    else:
        document = _parsed(path)
    return _translated(_read(document, report), catalogue, report, path.stem)


def _parsed(path: Path) -> Any:
    if path.stat().st_size > MAX_BYTES:
        message = f"{path} is larger than {MAX_BYTES} bytes: it is no workflow"
        raise GraphError([Problem("unreadable", message)])
    try:
        # NaN is no JSON, but ComfyUI writes it for what changes in every run.
        return json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        message = f"{path} is not JSON: {error!s:.100}: save it again from ComfyUI"
        raise GraphError([Problem("unreadable", message)]) from error


def _read(document: object, report: Report) -> Graph:
    if isinstance(document, dict):
        if "darkroom" in document:
            message = "this is a Darkroom workflow already: run it as it is"
            raise GraphError([Problem("no_workflow", message)])
        if isinstance(document.get("nodes"), list):
            return read_editor(document, report)
        inner = document.get("prompt")
        if isinstance(inner, dict) and "class_type" not in inner:
            return read_prompt(inner, report)
        return read_prompt(document, report)
    message = "this is no ComfyUI graph: give a workflow, or a prompt in the API format"
    raise GraphError([Problem("no_workflow", message)])


def _translated(graph: Graph, catalogue: Catalogue, report: Report, name: str) -> Imported:
    report.nodes = len(graph.nodes) + sum(len(each.nodes) for each in graph.subgraphs.values())
    titles = _subgraph_names(graph)
    subgraphs: dict[str, Workflow] = {}
    ports = {kind: Translation.ports(inner) for kind, inner in graph.subgraphs.items()}
    for kind, inner in graph.subgraphs.items():
        made = Translation(inner, catalogue, report, titles, ports)
        subgraphs[titles[kind]] = made.workflow()
    main = Translation(graph, catalogue, report, titles, ports)
    workflow = main.workflow(name, subgraphs)
    return Imported(workflow, report, main.ids(), main.places)


def _subgraph_names(graph: Graph) -> dict[str, str]:
    names: dict[str, str] = {}
    for kind, inner in graph.subgraphs.items():
        wanted = inner.name or "subgraph"
        taken = set(names.values())
        names[kind] = next(
            each
            for each in (wanted, *(f"{wanted} {count}" for count in range(2, len(names) + 3)))
            if each not in taken
        )
    return names

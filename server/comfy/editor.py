"""The editor's format: nodes with positions and values in a row, links by number."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.errors import GraphError, Problem

from .declared import Input
from .graph import Graph, Json, Mode, Placed, Shared, Wire
from .layout import graph_view, node_view, note_view
from .prompt import coerced
from .report import Report
from .table import EDITOR_ONLY, TABLE

_MODES: tuple[Mode, ...] = ("normal", "normal", "mute", "normal", "bypass")
_AFTER = frozenset({"fixed", "increment", "increment-wrap", "decrement", "randomize"})
"""What becomes of a seed after a run: the editor keeps it among a node's values."""
_OWN = frozenset({
    "id", "type", "pos", "size", "flags", "order", "mode", "inputs", "outputs", "title", "color",
    "bgcolor", "shape", "properties", "widgets_values", "showAdvanced",
})  # fmt: skip
_GRAPH = frozenset({
    "id", "revision", "last_node_id", "last_link_id", "nodes", "links", "groups", "config", "extra",
    "version", "definitions", "reroutes", "floatingLinks", "state", "models", "name", "inputs",
    "outputs", "inputNode", "outputNode", "widgets", "category", "description",
})  # fmt: skip


def read_editor(document: Mapping[str, Any], report: Report) -> Graph:
    """The graph in the editor's format.

    Raises:
        GraphError: It has no nodes.
    """
    if not isinstance(document.get("nodes"), list):
        raise GraphError([Problem("no_workflow", "it has no list of nodes: save it again")])
    definitions = document.get("definitions")
    listed = definitions.get("subgraphs", []) if isinstance(definitions, dict) else []
    found = [item for item in _list(listed) if isinstance(item, dict) and "id" in item]
    names = frozenset(str(item["id"]) for item in found)
    subgraphs = {str(item["id"]): _Reader(item, report, names).graph() for item in found}
    return replace(_Reader(document, report, names).graph(), subgraphs=subgraphs)


class _Reader:
    """Reads one graph: the document's, or a subgraph's."""

    def __init__(
        self, document: Mapping[str, Any], report: Report, subgraphs: frozenset[str]
    ) -> None:
        self.document = document
        self.report = report
        self.subgraphs = subgraphs
        self.items: dict[str, Json] = {}
        for item in _list(document.get("nodes")):
            if isinstance(item, dict) and "id" in item and isinstance(item.get("type"), str):
                self.items[str(item["id"])] = item
            else:
                report.add("missing", "no_node", "a node without id or type is left out")
        self.links: dict[int | str, Wire] = dict(_links(document.get("links")))

    def graph(self) -> Graph:
        document = self.document
        nodes: dict[str, Placed] = {}
        notes = []
        shared: dict[str, list[tuple[str, str]]] = {}
        for node_id, item in self.items.items():
            kind = item["type"].strip()
            if kind in {"Note", "MarkdownNote"}:
                notes.append(note_view(item))
            elif kind not in EDITOR_ONLY:
                nodes[node_id] = self._node(node_id, kind, item, shared)
        return Graph(
            nodes,
            name=str(document.get("name") or ""),
            inputs=tuple(
                (str(each.get("name")), str(each.get("type", "*")))
                for each in _list(document.get("inputs"))
                if isinstance(each, dict)
            ),
            outputs=self._outputs(),
            shared=tuple(
                Shared(str(self.items[source].get("title") or ""), tuple(targets))
                for source, targets in shared.items()
            ),
            view=graph_view(document, notes),
            rest={name: value for name, value in document.items() if name not in _GRAPH},
        )

    def _outputs(self) -> tuple[tuple[str, Wire | None], ...]:
        found = []
        for each in _list(self.document.get("outputs")):
            if isinstance(each, dict):
                ids = _list(each.get("linkIds"))
                source = self._source(ids[0]) if ids else None
                found.append((str(each.get("name")), source))
        return tuple(found)

    def _node(
        self,
        node_id: str,
        kind: str,
        item: Json,
        shared: dict[str, list[tuple[str, str]]],
    ) -> Placed:
        inputs, left, after = self._values(node_id, kind, item)
        for slot in _list(item.get("inputs")):
            if not isinstance(slot, dict) or slot.get("link") is None:
                continue
            name, source = str(slot.get("name")), self._source(slot["link"])
            if source is not None and self._is_primitive(source):
                value = _list(self.items[source.node].get("widgets_values"))
                inputs[name] = value[0] if value else inputs.get(name)
                if len(value) > 1 and _is_after(value[1]):
                    after[name] = _after(value[1])
                shared.setdefault(source.node, []).append((node_id, name))
            elif source is not None:
                inputs[name] = source
        entry = TABLE.get(kind)
        if entry is not None:
            for name in [name for name in inputs if entry.input(name) is None]:
                left.setdefault("inputs", {})[name] = _json(inputs.pop(name))
                message = "it is left out: the node has no such input"
                self.report.add("near", "extra_input", message, node_id, type=kind, input=name)
            inputs = {
                declared.name: coerced(declared, inputs[declared.name], self.report, node_id, entry)
                for declared in entry.inputs
                if declared.name in inputs
            }
        rest = {name: value for name, value in item.items() if name not in _OWN}
        return Placed(
            node_id,
            kind,
            inputs,
            _mode(item.get("mode")),
            str(item.get("title") or ""),
            node_view(item),
            tuple(
                str(each.get("name", ""))
                for each in _list(item.get("outputs"))
                if isinstance(each, dict)
            ),
            rest | left,
            after,
        )

    def _is_primitive(self, source: Wire) -> bool:
        item = self.items.get(source.node)
        return item is not None and item["type"] == "PrimitiveNode"

    def _source(self, number: Any) -> Wire | None:
        """Where a link comes from, through reroutes; none if that is muted or nowhere."""
        seen: set[int | str] = set()
        while isinstance(number, (int, str)) and number not in seen:
            seen.add(number)
            source = self.links.get(number)
            if source is None:
                return None
            item = self.items.get(source.node)
            if item is None or item["type"] != "Reroute":
                return source
            if item.get("mode") == 2:
                return None
            number = next(
                (s.get("link") for s in _list(item.get("inputs")) if isinstance(s, dict)), None
            )
        return None

    def _values(self, node_id: str, kind: str, item: Json) -> tuple[Json, Json, dict[str, str]]:
        """The values of a node by name, those that have none, and what becomes of some after a run."""
        given = item.get("widgets_values")
        if isinstance(given, dict):
            return dict(given), {}, {}
        values = _list(given)
        if kind in self.subgraphs:
            named = [slot["name"] for slot in _list(item.get("inputs")) if _has_widget(slot)]
            widgets = [Input(str(name), "*") for name in named]
        elif (entry := TABLE.get(kind)) is not None:
            widgets = list(entry.widgets)
        else:
            return {}, {"widgets_values": values} if values else {}, {}
        found, unread, after = in_order(widgets, values)
        if not unread:
            return found, {}, after
        message = f"{len(unread)} of its values have no name and are left out: {unread!r:.80}"
        self.report.add("near", "extra_values", message, node_id, type=kind)
        return found, {"widgets_values": values}, after


def in_order(widgets: list[Input], values: list[Any]) -> tuple[Json, list[Any], dict[str, str]]:
    """The values by their inputs' names, those left over at the end, and what follows seeds.

    A value that the editor keeps for itself, behind a choice of file, is skipped.
    """
    found: Json = {}
    after: dict[str, str] = {}
    rest = list(values)
    for widget in widgets:
        if not rest:
            break
        found[widget.name] = rest.pop(0)
        if rest and widget.options.get("control_after_generate"):
            if _is_after(rest[0]):
                after[widget.name] = _after(rest.pop(0))
        elif rest and widget.options.get("image_upload") and rest[0] == "image":
            rest.pop(0)
    # A button at the end, such as that of an upload, has no value.
    while rest and rest[-1] is None:
        rest.pop()
    return found, rest, after


def _is_after(value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value in _AFTER)


def _after(value: object) -> str:
    """What becomes of a value after a run; older files say whether it is drawn anew."""
    return str(value) if isinstance(value, str) else "randomize" if value else "fixed"


def _mode(number: object) -> Mode:
    return _MODES[number] if isinstance(number, int) and 0 <= number < len(_MODES) else "normal"


def _has_widget(slot: object) -> bool:
    return isinstance(slot, dict) and "widget" in slot and "name" in slot


def _links(given: object) -> list[tuple[int | str, Wire]]:
    found: list[tuple[int | str, Wire]] = []
    for item in _list(given):
        match item:
            case [int() | str() as number, origin, int() as slot, *_]:
                found.append((number, Wire(str(origin), slot)))
            case {"id": int() | str() as number, "origin_id": origin, "origin_slot": int() as slot}:
                found.append((number, Wire(str(origin), slot)))
    return found


def _json(value: object) -> Any:
    return [value.node, value.slot] if isinstance(value, Wire) else value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []

"""One ComfyUI graph, or subgraph, becoming a workflow."""

from collections.abc import Mapping
from typing import Any

from engine.links import Link
from engine.workflow import Endpoint, Node, Workflow

from .bundles import ALONG, unbundled
from .controls import spread
from .declared import Entry, Given, Made
from .graph import OUTSIDE, Graph, Json, Placed, Wire
from .naming import Names, plain, prompt_sides, word
from .recipes import ABSENT, Catalogue, Chosen, choose, inputs_of, names_in
from .report import Loss, Report
from .table import TABLE

UNKNOWN = "comfyui:"
"""Begins the type of a node that is kept as ComfyUI has it."""
KEPT = "comfyui"
"""The key under which a node or document keeps what ComfyUI says beyond what we understand."""
Ports = tuple[Mapping[str, str], tuple[str, ...]]
"""Of a subgraph: what ComfyUI calls its inputs and what they are called here; the outputs in order."""


class Translation:
    """Reads a graph once; `workflow` gives the result, `ids` and `places` say what became of what."""

    def __init__(
        self,
        graph: Graph,
        catalogue: Catalogue,
        report: Report,
        titles: Mapping[str, str],
        ports: Mapping[str, Ports],
    ) -> None:
        self.catalogue, self.report = catalogue, report
        without = unbundled(graph)
        self.graph, self.origins = without.graph, without.origins
        self.titles, self.ports_of = titles, ports
        self.names = Names()
        self.chosen: dict[str, Chosen] = {}
        self.skipped: set[str] = set()
        """Bypassed nodes whose links are led around them here."""
        self.parts: dict[str, dict[str, str]] = {}
        """For each node the ids of its parts by their roles."""
        self.nodes: dict[str, Node] = {}
        self.places: dict[tuple[str, str], tuple[str, str]] = {}
        self.given: dict[tuple[str, str], list[tuple[str, str]]] = {}
        """For each input of a ComfyUI node those of ours that take its value whole."""
        self.outside: dict[int, list[tuple[str, str]]] = {}
        """For each input of a subgraph the inputs that it leads to."""
        self._choose()
        self._name()
        for node in self.graph.nodes.values():
            self._build(node)
        older = frozenset(
            self.parts[node_id][chosen.recipe.anchor]
            for node_id, chosen in self.chosen.items()
            if chosen.entry.name == "ControlNetApply" and node_id not in self.skipped
        )
        self.nodes = spread(self.nodes, older, self.names.free)

    @staticmethod
    def ports(graph: Graph) -> Ports:
        """What the inputs and outputs of a subgraph are called here."""
        inputs, outputs = Names(), Names()
        return (
            {name: inputs.free(plain(name) or "input") for name, _ in graph.inputs},
            tuple(outputs.free(plain(name) or "output") for name, _ in graph.outputs),
        )

    def ids(self) -> dict[str, tuple[str, ...]]:
        """For each ComfyUI node the ids of ours, the one that gives its result first."""
        found = {}
        for node_id, parts in self.parts.items():
            chosen = self.chosen.get(node_id)
            first = chosen.recipe.anchor if chosen else next(iter(parts))
            rest = [name for role, name in parts.items() if role != first]
            found[node_id] = (parts[first], *rest)
        return found

    def workflow(self, name: str = "", subgraphs: Mapping[str, Workflow] | None = None) -> Workflow:
        """The result."""
        inputs, outputs = self._endpoints()
        extra: Json = {"view": {"nodes": self._view(), **self.graph.view}}
        kept: Json = {"extra": self.graph.rest} if self.graph.rest else {}
        if self.skipped:
            kept["bypassed"] = {each: self.graph.nodes[each].type for each in sorted(self.skipped)}
        return Workflow(
            name=self.graph.name or name,
            inputs=inputs,
            outputs=outputs,
            nodes=self.nodes,
            subgraphs=subgraphs or {},
            extra=extra | ({KEPT: kept} if kept else {}),
        )

    def _choose(self) -> None:
        for node in self.graph.nodes.values():
            if node.type in self.titles:
                continue
            found = choose(node, self.catalogue)
            if isinstance(found, Chosen):
                self.chosen[node.id] = found
            single = isinstance(found, Chosen) and len(found.recipe.parts) == 1
            if node.mode == "bypass" and not single and node.type in TABLE:
                self.skipped.add(node.id)
                message = "it is bypassed, and left out"
                self.report.add("note", "bypassed", message, node.id, type=node.type)
            elif not isinstance(found, Chosen):
                code, message = found
                loss: Loss = "note" if node.mode == "mute" else "missing"
                self.report.add(loss, code, message, node.id, type=node.type)

    def _name(self) -> None:
        sides = prompt_sides(self.graph)
        for node in self.graph.nodes.values():
            if node.id in self.skipped:
                continue
            chosen = self.chosen.get(node.id)
            if chosen is None:
                wanted = plain(self.titles.get(node.type, "")) or word(node.type)
                self.parts[node.id] = {"": self.names.free(wanted)}
                continue
            self.parts[node.id] = {
                role: self.names.free(
                    sides.get(node.id, "prompt") if part.type == "CLIPEncode" else word(part.type)
                )
                for role, part in chosen.recipe.parts.items()
            }

    def _build(self, node: Placed) -> None:
        if node.id in self.skipped:
            return
        chosen = self.chosen.get(node.id)
        if chosen is None:
            self._keep(node)
            return
        for role, part in chosen.recipe.parts.items():
            our_id = self.parts[node.id][role]
            given = inputs_of(
                chosen, role, lambda wire: self._follow(wire, node), lambda m: self._made(node, m)
            )
            inputs = {name: self._settled(our_id, name, value) for name, value in given.items()}
            for name, source in part.inputs.items():
                for theirs in names_in(source):
                    place = (node.id, theirs)
                    self.places.setdefault((our_id, name), self.origins.get(place, place))
                    if isinstance(source, Given) and source.codec is None:
                        self.given.setdefault((node.id, theirs), []).append((our_id, name))
            self._check(node, part.type, inputs, our_id)
            self.nodes[our_id] = Node(
                part.type,
                int(self.catalogue[part.type].get("version", 1)),
                {name: value for name, value in inputs.items() if value is not ABSENT},
                node.mode,
                {KEPT: node.rest} if node.rest and role == chosen.recipe.anchor else {},
            )
        self._judge(chosen)

    def _judge(self, chosen: Chosen) -> None:
        """Report in what the node differs from ComfyUI's."""
        node = chosen.node
        if chosen.recipe.beside is not None and not self._is_settling(node):
            message = "its settings are left out: link it to the sampler directly"
            self.report.add("near", "near", message, node.id, type=node.type)
        if chosen.recipe.near:
            self.report.add("near", "near", chosen.recipe.near, node.id, type=node.type)
        for widget in chosen.entry.widgets:
            value = chosen.values.get(widget.name)
            told = widget.near(value) if isinstance(value, str) else ""
            if told:
                self.report.add("near", "near", told, node.id, type=node.type, input=widget.name)
            if widget.name not in node.inputs and widget.required:
                message = f"it is not given: the default is taken, {widget.default!r}"
                self.report.add(
                    "note", "default", message, node.id, type=node.type, input=widget.name
                )

    def _is_settling(self, node: Placed) -> bool:
        """Whether what goes along with the node's output is read."""
        wire = Wire(node.id, ALONG)
        return any(wire in each.inputs.values() for each in self.graph.nodes.values())

    def _check(self, node: Placed, kind: str, inputs: Json, our_id: str) -> None:
        """Report choices that our node does not have."""
        properties = self.catalogue[kind].get("inputs", {}).get("properties", {})
        for name, value in inputs.items():
            choices = properties.get(name, {}).get("enum")
            if choices and isinstance(value, str) and value not in choices:
                _, theirs = self.places.get((our_id, name), ("", name))
                message = f"there is no {value!r} here: choose one of {', '.join(choices)}"
                self.report.add(
                    "missing", "unsupported_value", message, node.id, type=node.type, input=theirs
                )

    def _keep(self, node: Placed) -> None:
        """A node that has no counterpart, or stands for a subgraph."""
        our_id = self.parts[node.id][""]
        inputs: Json = {}
        rest: Json = dict(node.rest)
        title = self.titles.get(node.type)
        names, _ = self.ports_of.get(node.type, ({}, ()))
        for theirs, value in node.inputs.items():
            name = names.get(theirs, theirs)
            if isinstance(value, Wire):
                inputs[name] = self._settled(our_id, name, self._follow(value, node))
            elif isinstance(value, (dict, list)):
                rest.setdefault("values", {})[theirs] = value
            else:
                inputs[name] = value
            self.places[our_id, name] = (node.id, theirs)
            self.given.setdefault((node.id, theirs), []).append((our_id, name))
        inputs = {name: value for name, value in inputs.items() if value is not ABSENT}
        if title is not None:
            extra: Json = {"graph": title} | ({KEPT: rest} if rest else {})
            self.nodes[our_id] = Node("Subgraph", 1, inputs, node.mode, extra)
            return
        if node.outputs:
            rest["outputs"] = list(node.outputs)
        extra = {KEPT: rest} if rest else {}
        self.nodes[our_id] = Node(UNKNOWN + node.type, 1, inputs, node.mode, extra)

    def _settled(self, our_id: str, name: str, value: Any) -> Any:
        """The value of an input, with what comes from outside of a subgraph as named inputs."""
        if isinstance(value, _Outside):
            self.outside.setdefault(value.slot, []).append((our_id, name))
            return ABSENT
        return self._inner(value)

    def _inner(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._inner(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._inner(item) for item in value]
        if isinstance(value, _Outside):
            # A named input leads to a whole input; this one stands inside of one.
            our_id = self.names.free("given")
            version = int(self.catalogue.get("Pass", {}).get("version", 1))
            self.nodes[our_id] = Node("Pass", version)
            self.outside.setdefault(value.slot, []).append((our_id, "value"))
            return Link(our_id)
        return value

    def _made(self, node: Placed, made: Made) -> Link:
        return Link(self.parts[node.id][made.part], made.output)

    def _follow(self, wire: Wire, reader: Placed) -> object:
        """What an input that is linked gets: a link, or a value if the link leads to one."""
        seen = set()
        while wire not in seen:
            seen.add(wire)
            if wire.node == OUTSIDE:
                return _Outside(wire.slot)
            source = self.graph.nodes.get(wire.node)
            if source is None:
                break
            if wire.node in self.skipped:
                following = self._around(source, wire.slot)
                if following is None:
                    break
                wire = following
                continue
            return self._output(source, wire.slot, reader)
        message = f'its link to node "{wire.node}" leads nowhere'
        self.report.add("missing", "dead_link", message, reader.id, type=reader.type)
        return ABSENT

    def _output(self, source: Placed, slot: int, reader: Placed) -> object:
        if slot == ALONG:
            known = self.chosen.get(source.id)
            beside = None if known is None else known.recipe.beside
            return ABSENT if beside is None else self._made(source, beside)
        if source.type in self.titles:
            outputs: tuple[Any, ...] = self.ports_of[source.type][1]
        elif (chosen := self.chosen.get(source.id)) is not None:
            outputs = chosen.recipe.outputs
        else:
            return Link(self.parts[source.id][""], str(slot))
        made = outputs[slot] if 0 <= slot < len(outputs) else None
        if isinstance(made, Made):
            return self._made(source, made)
        if isinstance(made, str):
            return Link(self.parts[source.id][""], made)
        message = f'output {slot} of {source.type} "{source.id}" has no counterpart'
        self.report.add("missing", "missing_output", message, reader.id, type=reader.type)
        return ABSENT

    def _around(self, node: Placed, slot: int) -> Wire | None:
        """The link that a bypassed node passes on: the first one of the same type."""
        entry = TABLE[node.type]
        if not 0 <= slot < len(entry.outputs):
            return None
        kind = entry.outputs[slot][1]
        fitting = (node.inputs.get(each.name) for each in entry.inputs if each.type == kind)
        return next((value for value in fitting if isinstance(value, Wire)), None)

    def _endpoints(self) -> tuple[dict[str, Endpoint], dict[str, Endpoint]]:
        if self.graph.inputs or self.graph.outputs:
            return self._subgraph_ends()
        names = Names()
        inputs: dict[str, Endpoint] = {}
        for shared in self.graph.shared:
            places = [self.given.get(target) for target in shared.targets]
            if all(places):
                wanted = plain(shared.title) or plain(shared.targets[0][1])
                ends = [end for found in places for end in found or ()]
                inputs[names.free(wanted)] = _leading_to(ends)
        for name, (our_id, kind, inner) in _USUAL.items():
            node = self.nodes.get(our_id)
            if (
                node is not None
                and node.type in kind
                and not isinstance(node.inputs.get(inner, Link("")), Link)
            ):
                ends = [(our_id, inner)]
                if name not in inputs and not any(_leads(end, ends[0]) for end in inputs.values()):
                    inputs[names.free(name)] = _leading_to(ends)
        saves = [our_id for our_id, node in self.nodes.items() if node.type == "SaveImage"]
        outputs = Names()
        return inputs, {outputs.free("image"): Endpoint(each, "value") for each in saves}

    def _subgraph_ends(self) -> tuple[dict[str, Endpoint], dict[str, Endpoint]]:
        given, made = self.ports(self.graph)
        inputs: dict[str, Endpoint] = {}
        for slot, (theirs, _) in enumerate(self.graph.inputs):
            if ends := self.outside.get(slot):
                inputs[given[theirs]] = _leading_to(ends)
        outputs: dict[str, Endpoint] = {}
        reader = Placed("", "subgraph")
        for name, (_, wire) in zip(made, self.graph.outputs, strict=True):
            link = ABSENT if wire is None else self._follow(wire, reader)
            if isinstance(link, Link):
                outputs[name] = Endpoint(link.node, link.output)
            else:
                message = f"output {name!r} of {self.graph.name!r} is no output of a node in it"
                self.report.add("missing", "missing_output", message)
        return inputs, outputs

    def _view(self) -> Json:
        """Where our nodes stand: the parts of one ComfyUI node in a cascade behind the first."""
        found: Json = {}
        seeds = self._seeds()
        for node_id, ids in self.ids().items():
            node = self.graph.nodes[node_id]
            for index, our_id in enumerate(ids):
                view = dict(node.view)
                if index:
                    view = {name: view[name] for name in ("x", "y") if name in view}
                    view = {name: value - _CASCADE * index for name, value in view.items()}
                elif node.title and node.title != TABLE.get(node.type, _NO_ENTRY).title:
                    view["title"] = node.title
                if our_id in seeds:
                    view["seeds"] = seeds[our_id]
                if view:
                    found[our_id] = view
        return found

    def _seeds(self) -> dict[str, Json]:
        """What becomes of our nodes' seeds after a run in the editor; told of those that change."""
        found: dict[str, Json] = {}
        # Of one seed for several the editor would draw one for each.
        several = [each.targets for each in self.graph.shared if len(each.targets) > 1]
        shared = {end for targets in several for end in targets}
        for node in self.graph.nodes.values():
            for theirs, after in node.after.items():
                ends = self.given.get((node.id, theirs), [])
                value = node.inputs.get(theirs)
                if after not in _SEEDS or not ends or isinstance(value, Wire):
                    continue
                does, mode = _SEEDS[after]
                if len(ends) > 1 or (node.id, theirs) in shared:
                    mode = ""
                if mode:
                    our_id, name = ends[0]
                    found.setdefault(our_id, {})[name] = mode
                here = "so does the editor here, elsewhere it stays" if mode else "here it stays"
                message = f"ComfyUI {does} after each run ({after}): {here} {value}"
                self.report.add("note", "seed", message, node.id, type=node.type, input=theirs)
        return found


class _Outside:
    """An input of the subgraph, as the source of a link."""

    def __init__(self, slot: int) -> None:
        self.slot = slot


_CASCADE = 32
_SEEDS = {
    "randomize": ("draws another", "random"),
    "increment": ("counts it up", "increment"),
    "increment-wrap": ("counts it up", "increment"),
    "decrement": ("counts it down", ""),
}
"""What ComfyUI does to a seed after a run, and what our editor calls that if it can."""
_NO_ENTRY = Entry("", ())
_USUAL: Mapping[str, tuple[str, frozenset[str], str]] = {
    "prompt": ("positive", frozenset({"CLIPEncode"}), "text"),
    "negative": ("negative", frozenset({"CLIPEncode"}), "text"),
    "seed": ("sampler", frozenset({"KSampler"}), "seed"),
}
"""What the usual graph is asked for, and where it stands in one."""


def _leading_to(ends: list[tuple[str, str]]) -> Endpoint:
    first, *more = (Endpoint(node, name) for node, name in ends)
    return Endpoint(first.node, first.name, {}, tuple(more))


def _leads(endpoint: Endpoint, place: tuple[str, str]) -> bool:
    return any((end.node, end.name) == place for end in (endpoint, *endpoint.also))

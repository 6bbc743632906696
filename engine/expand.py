"""Subgraphs, maps and loops turned into plain nodes; the document is left as it is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from .constructs import LOOP, MAP
from .errors import GraphError, InputError
from .flat import MAX_NODES, Flat, TooLargeError
from .graphs import CONSTRUCTS, Definition, Library
from .instances import Instance, Lap, Results
from .links import MAX_DEPTH, Link, Range, links_in, replace_links
from .modes import Outer, active
from .workflow import Node, Workflow


def flatten(definition: Definition, library: Library, most: int = MAX_NODES) -> Flat:
    """The graph with every subgraph, map and loop put in its place."""
    expander = _Expander(library, most)
    expander.flat.problems += definition.problems
    try:
        outputs = expander.level(definition, "", "", ())
    except TooLargeError:
        flat = Flat(most=most)
        flat.wrong(
            "too_large",
            f"the workflow becomes more than {most:,} nodes: let maps and loops be shorter",
        )
        return flat
    expander.finish(outputs)
    return expander.flat


class _Expander:
    def __init__(self, library: Library, most: int) -> None:
        self.library = library
        self.catalog = library.catalog
        self.flat = Flat(most=most)
        self.results: dict[str, Results] = {}
        """What stands for the outputs of each node that stands for a graph."""
        self.slots: dict[str, list[tuple[str, str]]] = {}

    # A graph

    def level(
        self, definition: Definition, prefix: str, path: str, stack: tuple[object, ...]
    ) -> Results:
        """Add the nodes of one graph; what its named outputs lead to, none for a muted one."""
        graph, scopes = definition.graph, definition.scopes
        nodes, outputs = active(graph, lambda node: self.library.signature(node, scopes))
        self._check_ends(definition, path)
        for local, node in graph.nodes.items():
            if node.mode != "mute" and not self._is_known(node):
                self._unknown_type(prefix + local, path + local, node)
        for local, node in nodes.items():
            flat = prefix + local
            moved = node
            if prefix:
                self.flat.places[flat] = path + local
                moved = replace(
                    node,
                    inputs={n: replace_links(v, _mover(prefix)) for n, v in node.inputs.items()},
                )
            if node.type in CONSTRUCTS:
                self._construct(flat, moved, scopes, (*stack, definition.identity))
            else:
                self.flat.add(flat, moved)
        move = _mover(prefix)
        return {name: move(outputs[name]) if name in outputs else None for name in graph.outputs}

    def _is_known(self, node: Node) -> bool:
        return node.type in CONSTRUCTS or node.type in self.catalog

    def _unknown_type(self, flat: str, place: str, node: Node) -> None:
        self.flat.places[flat] = place
        near = getattr(self.catalog, "nearest", lambda _: None)(node.type)
        self.flat.wrong(
            "unknown_node",
            f"there is no node type {node.type!r}"
            + (f"; the nearest is {near}" if near else "; `darkroom nodes` lists them"),
            flat,
            hint=near,
        )

    def _check_ends(self, definition: Definition, path: str) -> None:
        graph, scopes = definition.graph, definition.scopes
        where = f" of {definition.name!r}" if path else ""
        for name, end in graph.inputs.items():
            for each in (end, *end.also):
                node = graph.nodes.get(each.node)
                taken = None if node is None else self.library.signature(node, scopes)
                if node is None or (
                    taken is not None and not _takes(node, taken.inputs, each.name)
                ):
                    self.flat.wrong(
                        "unknown_endpoint",
                        f"input {name!r}{where} leads to {each.node}.{each.name}, which is not there",
                    )
        for name, end in graph.outputs.items():
            node = graph.nodes.get(end.node)
            given = None if node is None else self.library.signature(node, scopes)
            if node is None or (given is not None and end.name not in given.outputs):
                self.flat.wrong(
                    "unknown_endpoint",
                    f"output {name!r}{where} leads to {end.node}.{end.name}, which is not there",
                )

    # A node that stands for a graph

    def _construct(
        self, flat: str, node: Node, scopes: tuple[Workflow, ...], stack: tuple[object, ...]
    ) -> None:
        self.results[flat] = {}
        if len(self.results) > self.flat.most:
            raise TooLargeError
        try:
            found = self.library.find(node, scopes)
            _check_recursion(found, stack)
            instance = Instance(self, flat, node, found, stack)
            self.results[flat] = instance.expand()
        except InputError as error:
            self.flat.wrong(error.code, str(error), flat, error.input, error.hint)
        except GraphError as error:
            for problem in error.problems:
                self.flat.wrong(problem.code, problem.message, flat)

    # The end

    def finish(self, outputs: Results) -> None:
        """Follow links through graphs to plain nodes, and put the numbers of laps in."""
        if self.results or any(_is_special(n) for n in self.flat.nodes.values()):
            for flat, node in self.flat.nodes.items():
                self.flat.nodes[flat] = replace(node, inputs=dict(self._inputs(flat, node)))
            for tail, unfold in self.flat.unfolds.items():
                start = f"{unfold.prefix}/{unfold.lap}/"
                unfold.slots = [
                    s for s in self.slots.get(unfold.prefix, []) if s[0].startswith(start)
                ]
                node = self.flat.nodes[tail]
                if node.type == MAP:
                    numbered = sorted(f"{slot[len(start) :]}.{name}" for slot, name in unfold.slots)
                    self.flat.nodes[tail] = node.with_inputs({"numbered": numbered})
        for name, link in outputs.items():
            end = None if link is None else self._followed(link)
            if end is not None:
                self.flat.outputs[name] = end

    def _inputs(self, flat: str, node: Node) -> Iterator[tuple[str, Any]]:
        for name, value in node.inputs.items():
            if isinstance(value, Lap):
                self.slots.setdefault(value.owner, []).append((flat, name))
                yield name, value.number
                continue
            try:
                followed = {link: self._followed(link) for link in links_in(value)}
                plain = _spelt_out(value)
            except InputError as error:
                self.flat.wrong(error.code, f"{name}: {error}", flat, name, error.hint)
                self.flat.silent.add((flat, name))
                continue
            broken = [link for link, end in followed.items() if end is None]
            if any(not self.results.get(link.node, True) for link in broken):
                self.flat.silent.add((flat, name))
            if not broken:
                yield name, replace_links(plain, followed.__getitem__) if followed else plain

    def _followed(self, link: Link) -> Link | None:
        """The output of a plain node that a link comes to; none if it ends at a muted one."""
        seen = set()
        while link.node in self.results:
            outputs = self.results[link.node]
            if link in seen:
                raise InputError(f'"{link.node}" waits for itself: remove a link', code="cycle")
            if link.output not in outputs:
                if not outputs:  # a problem of its own
                    return None
                near = get_close_matches(link.output, outputs, 1)
                raise InputError(
                    f'it links to the output {link.output!r} of "{self.flat.place(link.node)}",'
                    f" which has {', '.join(outputs)}",
                    code="unknown_link",
                    hint=near[0] if near else None,
                )
            seen.add(link)
            following = outputs[link.output]
            if following is None:
                return None
            link = following
        return Link(link.node, link.output)


def _mover(prefix: str) -> Callable[[Link], Link]:
    """Turns links within a graph into links between flat nodes."""
    return lambda link: (
        link if isinstance(link, Outer) or not prefix else Outer(prefix + link.node, link.output)
    )


def _takes(node: Node, inputs: Mapping[str, object], name: str) -> bool:
    return name in inputs or (node.type == LOOP and name == "times")


def _is_special(node: Node) -> bool:
    return any(isinstance(value, Lap) or _has_range(value) for value in node.inputs.values())


def _has_range(value: Any) -> bool:
    if isinstance(value, (list, dict)):
        return any(map(_has_range, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Range)


def _check_recursion(found: Definition, stack: tuple[object, ...]) -> None:
    if found.identity in stack:
        raise InputError(
            f"the graph {found.name!r} contains itself: take one of the two out",
            code="recursive_graph",
        )
    if len(stack) > MAX_DEPTH:
        raise InputError(
            f"graphs stand in each other more than {MAX_DEPTH} deep: let them be flatter",
            code="too_deep",
        )


def _spelt_out(value: Any) -> Any:
    """The value with its ranges as lists.

    Raises:
        InputError: A range is none.
    """
    if isinstance(value, Range):
        return value.values()
    if isinstance(value, list):
        return [_spelt_out(each) for each in value]
    if isinstance(value, dict):
        return {name: _spelt_out(each) for name, each in value.items()}
    return value

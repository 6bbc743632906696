"""Whether a workflow can run: every problem at once, or the program to run."""

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, cast, get_args, get_origin

from pydantic import ValidationError

from . import literals
from .constructs import PLAIN
from .errors import GraphError, InputError, Problem, os_reason
from .expand import flatten
from .facts import Facts, parameters
from .flat import MAX_NODES
from .graphs import Library
from .links import Link, links_in
from .merge import conflict_problems
from .node import UNKNOWN, Input, NodeType, Opaque, type_name
from .program import LATE, Call, Program
from .runtime import Runtime
from .sweeps import sweep
from .types import Bindings, accepts, bound, plain
from .workflow import Node, Workflow

_RANGE_FAULTS = ("greater", "less", "multiple", "literal", "too_", "string_too")


@dataclass(frozen=True)
class Verdict:
    """Everything that is wrong with a workflow."""

    problems: list[Problem]
    """Every reason why it cannot run; none if it can."""
    warnings: list[Problem]
    """What is wrong with nodes that no output depends on: they are not computed."""


def judge(workflow: Workflow, catalog: Mapping[str, NodeType], runtime: Runtime) -> Verdict:
    """Everything that is wrong with a workflow, also where that keeps nothing from running."""
    checker = _Checker(workflow, catalog, runtime)
    return Verdict(checker.problems, checker.warnings)


def check(workflow: Workflow, catalog: Mapping[str, NodeType], runtime: Runtime) -> list[Problem]:
    """Every reason why the workflow cannot run; none if it can."""
    return judge(workflow, catalog, runtime).problems


def compile_graph(
    workflow: Workflow,
    catalog: Mapping[str, NodeType],
    runtime: Runtime,
    most: int = MAX_NODES,
) -> Program:
    """The workflow made ready to run; it may become `most` nodes.

    Raises:
        GraphError: With every problem found that keeps it from running.
    """
    checker = _Checker(workflow, catalog, runtime, most)
    if checker.problems:
        raise GraphError(checker.problems)
    return checker.program


class _Checker:
    """Walks the nodes in the order of their links, and collects calls and problems."""

    def __init__(
        self,
        workflow: Workflow,
        catalog: Mapping[str, NodeType],
        runtime: Runtime,
        most: int = MAX_NODES,
    ) -> None:
        library = Library(catalog)
        self.catalog: Mapping[str, NodeType] = ChainMap(PLAIN, cast("Any", catalog))
        self.runtime = runtime
        self.flat = flatten(library.whole(workflow), library, most)
        self.nodes, self.problems = self.flat.nodes, self.flat.problems
        self.owners: dict[Problem, set[str]] = {}
        """The plain nodes that have a problem; none for those of the whole."""
        self.problems += conflict_problems(workflow)
        order = self._ordered()
        swept = sweep(self.flat, order, self.catalog, _names(workflow))
        if swept is not self.flat:
            self.flat, self.nodes = swept, swept.nodes
            order = self._ordered()
        self.calls: dict[str, Call] = {}
        self.given: dict[str, dict[str, Any]] = {}
        self.facts = Facts(runtime.services, self.flat.unfolds)
        self.doubts: list[tuple[str, Problem]] = []
        self.numbered = {slot for unfold in self.flat.unfolds.values() for slot in unfold.slots}
        """The inputs that get another value in each lap of a running loop."""
        for node_id in order:
            node = self.nodes[node_id]
            if node.type in self.catalog:  # others are reported with the modes
                self._examine(node_id, node, self.catalog[node.type])
        targets = self._targets()
        if self.doubts:
            needed = self.facts.needed(targets, self.calls)
            self.problems += [problem for node_id, problem in self.doubts if node_id in needed]
        self.problems = list(dict.fromkeys(self.problems))
        self.warnings = self._set_aside()
        if not targets and not self.problems:
            self.wrong(
                "no_output",
                "the workflow has nothing to make: add a node such as SaveImage, or name an output",
            )
        self.program = Program(
            workflow if self.problems else library.bundled(workflow),
            self.calls,
            self.flat.outputs,
            targets,
            self.flat.unfolds,
            self.flat.places,
            warnings=tuple(self.warnings),
        )

    def wrong(
        self,
        code: str,
        message: str,
        node: str | None = None,
        name: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Record a problem, with its address in front of the message."""
        if node is None:
            self.problems.append(Problem(code, message))
            return
        place = self.flat.place(node)
        kind, message = self.nodes[node].type, message.replace(f'"{node}"', f'"{place}"')
        if name is not None:
            place, name = self.flat.given.get((node, name), (place, name))
        text = f'{kind} "{self.flat.place(node)}": {message}'
        self.problems.append(Problem(code, text, place, name, hint))
        self.owners.setdefault(self.problems[-1], set()).add(node)

    # Order

    def _ordered(self) -> list[str]:
        """Node ids, each behind those it links to; nodes on a cycle are reported and left out."""
        waiting: dict[str, int] = {}
        followers: dict[str, list[str]] = {}
        for node_id, node in self.nodes.items():
            sources = {link.node for link in links_in(dict(node.inputs))} & self.nodes.keys()
            waiting[node_id] = len(sources)
            for source in sources:
                followers.setdefault(source, []).append(node_id)
        order = [node_id for node_id, count in waiting.items() if count == 0]
        for node_id in order:
            for follower in followers.get(node_id, ()):
                waiting[follower] -= 1
                if waiting[follower] == 0:
                    order.append(follower)
        if len(order) < len(self.nodes):
            self._report_cycles(self.nodes.keys() - set(order))
        return order

    def _report_cycles(self, left: set[str]) -> None:
        import networkx as nx  # noqa: PLC0415 - a tenth of a second, and only for a faulty graph

        graph = nx.DiGraph()
        for node_id in left:
            for link in links_in(dict(self.nodes[node_id].inputs)):
                if link.node in left:
                    graph.add_edge(link.node, node_id)
        for component in nx.strongly_connected_components(graph):
            start = min(component)
            if len(component) > 1 or graph.has_edge(start, start):
                edges = nx.find_cycle(graph.subgraph(component), start)
                path = [edge[0] for edge in edges] + [edges[0][0]]
                self.wrong(
                    "cycle",
                    f"it waits for itself: {' → '.join(path)}; remove one of these links",
                    edges[0][0],
                )

    # One node

    def _examine(self, node_id: str, node: Node, declared: NodeType) -> None:
        if declared.migrated_elsewhere and node.version < declared.version:
            self.calls[node_id] = Call(node_id, declared)
            self.given[node_id] = dict.fromkeys(declared.outputs, Any)
            return
        self._check_names(node_id, node, declared)
        before = len(self.problems)
        bindings: Bindings = {}
        call = self.calls[node_id] = Call(node_id, declared)
        for item in declared.inputs.values():
            if item.name not in node.inputs:
                self._missing(call, item)
                continue
            value = node.inputs[item.name]
            links = tuple(links_in(value))
            if links:
                call.take_links(item, value, links)
                self._check_links(node_id, item, value, bindings)
            else:
                self._check_literal(call, item, value, bindings)
        self.given[node_id] = {n: bound(hint, bindings) for n, hint in declared.outputs.items()}
        if len(self.problems) == before:
            self._check_known(call)
        if len(self.problems) > before:
            return
        if declared.check is not None:
            self._ask(call, declared.check)
        if declared.fingerprint is not None:
            call.fingerprint = self._ask(call, declared.fingerprint)
        if len(self.problems) == before:
            self._foretell(call, declared)

    def _check_names(self, node_id: str, node: Node, declared: NodeType) -> None:
        for name in node.inputs:
            if name not in declared.inputs:
                near = get_close_matches(name, declared.inputs, 1)
                known = ", ".join(declared.inputs) or "none"
                text = f"there is no input {name!r}; it has {known}"
                self.wrong("unknown_input", text, node_id, name, near[0] if near else None)

    def _missing(self, call: Call, item: Input) -> None:
        if not item.required:
            call.texts[item.name] = item.default_text
            return
        if (call.id, item.name) in self.flat.silent:
            return
        sources = [f"{source}.{name}" for source, name in self._fitting(item.hint, {})]
        fits = f"; here {', '.join(sources[:3])} would fit" if sources else ""
        text = f"{item.name} is missing: {literals.expected(item)}{fits}"
        self.wrong("missing_input", text, call.id, item.name, sources[0] if sources else None)

    def _check_literal(self, call: Call, item: Input, value: Any, bindings: Bindings) -> None:
        try:
            checked = literals.validated(item, value)
            call.texts[item.name] = literals.text(item, checked)
        except ValidationError as error:
            self._bad_value(call.id, item, value, error)
        except ValueError as error:
            self.wrong("bad_value", f"{item.name}: {error}", call.id, item.name)
        else:
            call.arguments[item.name] = checked
            if item.is_generic:
                accepts(item.hint, type(value), bindings)

    def _bad_value(self, node_id: str, item: Input, value: Any, error: ValidationError) -> None:
        inner = plain(item.hint)
        if isinstance(inner, type) and issubclass(inner, Opaque):
            text = f"{item.name} takes a link to {type_name(inner)}, not the value {value!r:.60}"
            self.wrong("wrong_type", text, node_id, item.name)
            return
        first = error.errors()[0]
        place = "".join(f".{part}" for part in first["loc"])
        ranged = first["type"].startswith(_RANGE_FAULTS)
        self.wrong(
            "out_of_range" if ranged else "wrong_type",
            f"{item.name}{place} is {first['input']!r:.60}; {literals.expected(item) if not place else first['msg']}",
            node_id,
            item.name,
            literals.nearest(item, value),
        )

    def _check_links(self, node_id: str, item: Input, value: Any, bindings: Bindings) -> None:
        if isinstance(value, Link):
            self._check_link(node_id, item, item.hint, value, bindings)
            return
        hint = plain(item.hint)
        element = get_args(hint)[-1] if get_origin(hint) in {list, dict} else Any
        for link in links_in(value):
            self._check_link(node_id, item, element, link, bindings)
        if isinstance(value, (list, dict)) and get_origin(hint) in {list, dict}:
            try:
                item.container.validate_python(value)
            except ValidationError as error:
                text = f"{item.name}: {error.errors()[0]['msg']}"
                self.wrong("out_of_range", text, node_id, item.name)

    def _check_link(
        self, node_id: str, item: Input, hint: Any, link: Link, bindings: Bindings
    ) -> None:
        source = self.nodes.get(link.node)
        if source is None:
            near = get_close_matches(link.node, self.nodes, 1)
            text = f'{item.name} links to the node "{link.node}", which is not there; {literals.expected(item)}'
            self.wrong("unknown_link", text, node_id, item.name, near[0] if near else None)
            return
        outputs = self.given.get(link.node)
        if outputs is None:
            return  # an unknown type or a cycle, reported there
        if link.output not in outputs:
            near = get_close_matches(link.output, outputs, 1)
            text = (
                f'{item.name} links to the output {link.output!r} of {source.type} "{link.node}",'
                f" which has {', '.join(outputs)}"
            )
            self.wrong("unknown_link", text, node_id, item.name, near[0] if near else None)
            return
        given = outputs[link.output]
        if not accepts(hint, given, bindings):
            wanted = type_name(bound(hint, bindings))
            text = f"{item.name} takes {wanted}, but {link.node}.{link.output} gives {type_name(given)}"
            fits = (f"{n}.{o}" for n, o in self._fitting(hint, bindings) if n != node_id)
            self.wrong("wrong_link", text, node_id, item.name, next(fits, None))

    def _fitting(self, hint: Any, bindings: Bindings) -> Iterator[tuple[str, str]]:
        for source, outputs in self.given.items():
            for name, given in outputs.items():
                if given is not Any and accepts(hint, given, dict(bindings)):
                    yield source, name

    def _check_known(self, call: Call) -> None:
        """Check the values behind links that are known already, as if they stood there."""
        for name in call.linked:
            item, value = call.type.inputs[name], self.facts.value(call, name)
            if value is not UNKNOWN:
                try:
                    item.adapter.validate_python(value)
                except ValidationError as error:
                    self._bad_value(call.id, item, value, error)

    def _ask(self, call: Call, function: Callable[..., object]) -> object:
        """What a node's fingerprint or check says of its inputs; `LATE` if one is known in the run."""
        if any((call.id, name) in self.numbered for name in parameters(function)):
            return LATE
        linked = call.linked.intersection(parameters(function))
        if any(self.facts.value(call, name) is UNKNOWN for name in linked):
            return LATE
        arguments = self.facts.arguments(call, function)
        return self._told(call, function, lambda: function(**arguments))

    def _foretell(self, call: Call, declared: NodeType) -> None:
        """Note what is known of a node's outputs, and of what it has to compute."""
        if declared.infer is not None:
            self._infer(call, declared.infer)
        if declared.work is not None:
            call.work = partial(declared.work, **self.facts.arguments(call, declared.work))

    def _infer(self, call: Call, function: Callable[..., Any]) -> None:
        """Note the facts about a node's outputs; what cannot work counts if a run may come to it."""
        before = len(self.problems)
        self._told(call, function, lambda: self.facts.infer(call, function))
        self.doubts += [(call.id, problem) for problem in self.problems[before:]]
        del self.problems[before:]

    def _told(
        self, call: Call, function: Callable[..., object], ask: Callable[[], object]
    ) -> object:
        first = next((name for name in parameters(function) if name in call.type.inputs), None)
        try:
            return ask()
        except InputError as error:
            self.wrong(error.code, str(error), call.id, error.input or first, error.hint)
        except ValueError as error:
            self.wrong("bad_value", str(error), call.id, first)
        except OSError as error:
            text = f"{os_reason(error)}; see that it is there and may be read"
            self.wrong("unreadable_file", text, call.id, first)
        return None

    # The whole

    def _targets(self) -> tuple[str, ...]:
        """What a run is for, in the order of the document, so that one cell ends before the next."""
        return tuple(node for node in self._wanted() if node in self.calls)

    def _wanted(self) -> dict[str, None]:
        """As the targets, with nodes that cannot be called."""
        named = [link.node for link in self.flat.outputs.values()]
        delivering = [
            name
            for name, node in self.nodes.items()
            if name not in self.flat.later
            and node.type in self.catalog
            and self.catalog[node.type].delivers
        ]
        return dict.fromkeys([*named, *delivering, *self.flat.wanted])

    def _set_aside(self) -> list[Problem]:
        """Take out the problems of nodes that nothing wanted depends on, and those nodes."""
        if not self.problems:
            return []
        asked = self.flat.behind([*self._wanted(), *self.flat.later])
        if not asked:  # nothing is wanted yet: then everything counts
            return []
        idle = {problem for problem, owners in self.owners.items() if not owners & asked}
        warnings = [problem for problem in self.problems if problem in idle]
        if warnings:
            self.problems = [problem for problem in self.problems if problem not in idle]
            self.calls = {name: call for name, call in self.calls.items() if name in asked}
        return warnings


def _names(workflow: Workflow) -> dict[tuple[str, str], str]:
    """What the document calls the inputs of its nodes."""
    return {
        (each.node, each.name): name
        for name, end in workflow.inputs.items()
        for each in (end, *end.also)
    }

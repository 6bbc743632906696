"""One call of a node's function: its arguments gathered, its outputs named."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from inspect import signature
from typing import Any, Protocol, get_origin

from .artifacts import Delivery
from .conditions import conditions
from .errors import Cancelled, InputError, os_reason
from .events import Event, NodeProgressed, Warned
from .grid import Grid
from .history import History
from .keyring import Keyring
from .keys import TypeDigests
from .laps import Graph, Laps
from .links import Link, replace_links
from .node import NodeType, Opaque, Waypoints
from .notices import notice, noticed
from .program import Call, Program, behind
from .provenance import FORMAT, Provenance
from .runtime import Runtime
from .types import plain

_NO_MEMORY = ("allocate memory", "out of memory")
"""What libraries say in errors of their own when memory ran out."""


class MissingError(BaseException):
    """A lazy input was asked for and is not there yet: the node is called again when it is.

    No `Exception`, so that a node which catches those does not swallow it.
    """

    def __init__(self, link: Link) -> None:
        self.link = link


class Surroundings(Graph, Protocol):
    """What a call needs of the run that it is part of."""

    id: str
    watched: bool
    digests: TypeDigests
    keys: Keyring
    history: History

    @property
    def stopped(self) -> bool: ...

    def tell(self, event: Event) -> None: ...

    def outputs(self, node: str) -> Mapping[str, Any] | None: ...


class Caller:
    """Calls node functions with what their links lead to and what the runner lends."""

    def __init__(
        self,
        program: Program,
        runtime: Runtime,
        run: Surroundings,
        waypoints: Callable[[Call], Waypoints],
    ) -> None:
        self.program, self.runtime, self.run = program, runtime, run
        self.laps = Laps(run, self._follow)
        self.waypoints = waypoints

    def call(self, call: Call) -> Mapping[str, Any]:
        """The outputs of one node by name.

        Raises:
            MissingError: A lazy value that the node asked for is not there yet.
            Cancelled: The run was cancelled.
            Exception: Whatever the node raises.
        """
        declared = call.type
        if call.id in self.run.unfolds:
            return self.laps.outputs(call)
        if call.id in self.program.given:
            return self._kept(call, self.program.given[call.id])
        arguments = dict(call.arguments)
        for name, value in call.arguments.items():
            if declared.inputs[name].lazy:
                arguments[name] = self._thunk(call, name, value)
            elif name in call.linked:
                direct = type(value) is Link
                resolved = self._follow(value) if direct else replace_links(value, self._follow)
                arguments[name] = _checked(declared, name, resolved)
                self.run.history.came(call.id, name, arguments[name])
        arguments |= self._lent(call)
        value = self._heard(call, arguments)
        names = declared.outputs
        if len(names) == 1 and NodeType.single in names:
            return self._kept(call, {NodeType.single: value})
        return self._kept(call, dict(zip(names, value, strict=True)))

    def _heard(self, call: Call, arguments: Mapping[str, Any]) -> Any:
        if not self.run.watched:
            return self._relieved(call, arguments)
        with noticed(lambda message: self.run.tell(Warned(message, call.id))):
            return self._relieved(call, arguments)

    def _relieved(self, call: Call, arguments: Mapping[str, Any]) -> Any:
        """What the function gives, called once more if memory was short and could be made."""
        try:
            return self._measured(call, arguments)
        except Exception as error:
            if not _is_out_of_memory(error) or not (freed := self.runtime.free()):
                raise
        # Outside the handler: its traceback would keep alive what was too much.
        notice(f"out of memory: it is tried again without idle models ({freed / 2**20:.0f} MiB)")
        return self._measured(call, arguments)

    def _measured(self, call: Call, arguments: Mapping[str, Any]) -> Any:
        if call.type.lane != "device":  # measuring costs more than a cheap node
            return call.type.function(**arguments)
        with self.runtime.meter() as measured:
            value = call.type.function(**arguments)
        if measured.peak is not None:
            self.run.history.peaks[call.id] = measured.peak
        return value

    def _kept(self, call: Call, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
        self.run.history.happened(call, outputs)
        return outputs

    def _lent(self, call: Call) -> dict[str, Any]:
        """What the runner puts into a call beside its inputs."""
        declared = call.type
        lent: dict[str, Any] = {
            name: self.runtime.services[service] for name, service in declared.services.items()
        }
        if declared.progress is not None:
            lent[declared.progress] = self._progress(call)
        if declared.delivery is not None:
            lent[declared.delivery] = self._delivery(call)
        if declared.waypoints is not None:
            lent[declared.waypoints] = self.waypoints(call)
        return lent

    def fingerprint(self, call: Call) -> object:
        """What a node reads, told from the values behind its links.

        Raises:
            InputError: Such a file cannot be read.
        """
        function = call.type.fingerprint
        assert function is not None  # noqa: S101 - only such calls lack their key for their values
        arguments: dict[str, Any] = {}
        for name in signature(function).parameters:
            if name in call.type.services:
                arguments[name] = self.runtime.services[call.type.services[name]]
            elif name in call.linked:
                value = replace_links(call.arguments[name], self._follow)
                arguments[name] = _checked(call.type, name, value)
            else:
                arguments[name] = call.arguments.get(name, call.type.inputs[name].default)
        return function(**arguments)

    def _follow(self, link: Link) -> Any:
        outputs = self.run.outputs(link.node)
        if outputs is None:
            raise MissingError(link)
        return outputs[link.output]

    def _thunk(self, call: Call, name: str, value: Any) -> Callable[[], Any]:
        def thunk() -> Any:
            resolved = replace_links(value, self._follow)
            if name in call.linked:
                self.run.history.came(call.id, name, resolved)
            return resolved

        return thunk

    def _progress(self, call: Call) -> Callable[..., None]:
        def progress(done: int, total: int, preview: Callable[[], Any] | None = None) -> None:
            if self.run.stopped:
                raise Cancelled("the run was cancelled")
            if self.run.watched:
                self.run.tell(NodeProgressed(call.id, call.type.name, done, total, preview))

        return progress

    @cached_property
    def _document(self) -> dict[str, Any]:
        return self.program.workflow.to_json()

    def _delivery(self, call: Call) -> Delivery:
        calls = self.run.calls
        behind_it = [calls[node] for node in sorted(behind(calls, [call.id], lazy=True))]
        told = self.run.history.told(call, behind_it)
        found = conditions(behind_it, told["inputs"], self.run.digests, self.runtime)
        provenance = Provenance(
            provenance=FORMAT,
            workflow=self._document,
            node=call.id,
            key=self.run.keys.known.get(call.id, ""),
            run=self.run.id,
            time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            **told,
            **dict(found),
        )
        return replace(self.runtime.delivery, provenance=provenance.to_json())


def _checked(declared: NodeType, name: str, value: Any) -> Any:
    """A value that came by a link, checked against its input's range."""
    item = declared.inputs[name]
    hint = plain(item.hint)
    if not isinstance(hint, type):
        if get_origin(hint) is Grid:
            return Grid.of(value)
        if isinstance(value, Grid) and get_origin(hint) is list:
            value = list(value.cells)
    if isinstance(hint, type) and issubclass(hint, Opaque) and isinstance(value, hint):
        return value
    try:
        return item.adapter.validate_python(value)
    except ValueError as error:
        first = error.errors()[0]["msg"] if hasattr(error, "errors") else str(error)
        raise InputError(f"{name} is {value!r:.80}: {first}", input=name) from error


def reason(error: BaseException) -> str:
    """Why a node failed, in words for the person who runs it."""
    text = str(error)
    if _is_out_of_memory(error):
        detail = f" ({text})" if text else ""
        return f"out of memory{detail}: take a smaller picture or batch, or close other programs"
    if isinstance(error, OSError) and text:
        return os_reason(error)
    if isinstance(error, ValueError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY)

"""Runs a program: pulls what its targets need, on lanes, reusing what is stored."""

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Condition, Lock, Thread
from typing import Any

from .caller import Caller, MissingError, reason
from .canonical import canonical, digest
from .errors import Cancelled, NodeError
from .events import Event, NodeFinished, NodeStarted, NodeState, Warned, Watcher
from .keys import VOLATILE, TypeDigests
from .links import Link
from .node import Lane, Route, Waypoints
from .program import Call, Program
from .runtime import Runtime
from .store import Record, Store
from .waypoints import StoredRoute, content_digest

CPU_THREADS = 4
_WORTH_A_THREAD = 0.002
"""Seconds that a node on the cpu lane took before a further thread is started beside it."""


@dataclass(frozen=True, slots=True)
class NodeRun:
    """What became of one node in a run."""

    state: NodeState
    seconds: float = 0.0


@dataclass(frozen=True)
class Result:
    """A run's named outputs, the values of its unnamed output nodes by node id, and every node."""

    outputs: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, NodeRun] = field(default_factory=dict)


def execute(
    program: Program,
    store: Store,
    runtime: Runtime,
    *,
    on_event: Watcher | None = None,
    cancel: threading.Event | None = None,
) -> Result:
    """Run a program and return what its targets gave.

    Args:
        program: From `compile_graph`.
        store: Where results are looked for and kept.
        runtime: What this machine lends to the nodes.
        on_event: Called with each event, from one thread at a time.
        cancel: Once set, the run ends at the next progress of each running node.

    Raises:
        NodeError: A node failed. What other nodes had finished is stored. Has `result`.
        Cancelled: The run was cancelled; likewise.
    """
    run = _Run(program, store, runtime, on_event, cancel or threading.Event())
    try:
        run.work()
    finally:
        run.close()
    failure = run.failure
    if failure is None:
        return run.result()
    failure.result = run.result()
    raise failure


@dataclass(slots=True, eq=False)
class _Task:
    """One result to be had: several nodes with one key share it."""

    key: str
    call: Call
    waiting: int = 0
    followers: "list[_Task]" = field(default_factory=list)
    consumers: int = 0
    done: bool = False
    target: bool = False
    outputs: Mapping[str, Any] | None = None


class _Run:
    """The state of one execution. Every field is guarded by `changed`."""

    def __init__(
        self,
        program: Program,
        store: Store,
        runtime: Runtime,
        on_event: Watcher | None,
        cancel: threading.Event,
    ) -> None:
        self.program, self.store, self.runtime = program, store, runtime
        self.watched = on_event is not None
        self.on_event: Watcher = on_event or (lambda _: None)
        self.cancel = cancel
        self.digests = TypeDigests(runtime.profile)
        self.keys = program.keys(self.digests)
        self.tasks: dict[str, _Task] = {}
        self.ran: dict[str, float] = {}
        self.found: set[str] = set()
        self.ready: dict[Lane, deque[_Task]] = {"cpu": deque(), "device": deque()}
        self.threads: dict[Lane, list[Thread]] = {"cpu": [], "device": []}
        self.running = 0
        self.left: set[str] = set()
        self.failure: NodeError | Cancelled | None = None
        self.changed = Condition()
        self.telling = Lock()
        self.caller = Caller(program, runtime, self.keys, self, self._waypoints)

    def work(self) -> None:
        """Take part in the cpu lane until every target is there or the run has failed."""
        with self.changed:
            for node in self.program.targets:
                task = self.demand(node)
                task.target = True
                if not task.done:
                    self.left.add(task.key)
        self.serve("cpu", helper=False)

    def close(self) -> None:
        """Wait for the other threads; what they are running is finished, and stored."""
        with self.changed:
            if self.left and self.failure is None:  # interrupted from outside
                self.failure = Cancelled("the run was interrupted")
            self.changed.notify_all()
        for thread in [*self.threads["cpu"], *self.threads["device"]]:
            thread.join()

    # Pulling

    def demand(self, node: str) -> _Task:
        """The task for a node, queued with all that it needs unless its result is stored."""
        first = self._task(node)
        pending = [first] if first.waiting < 0 else []
        first.waiting = max(first.waiting, 0)
        while pending:
            task = pending.pop()
            record = self.store.get(task.key, self.runtime.delivery)
            if record is not None:
                self._found(task, record)
                continue
            for source in dict.fromkeys(link.node for link in task.call.eager):
                needed = self._task(source)
                needed.consumers += 1
                if needed.done and needed.outputs is not None:
                    continue
                needed.followers.append(task)
                task.waiting += 1
                if needed.waiting < 0:
                    needed.waiting = 0
                    pending.append(needed)
            if task.waiting == 0:
                self._enqueue(task)
        return first

    def _task(self, node: str) -> _Task:
        key = self.keys[node]
        task = self.tasks.get(key)
        if task is None or (task.done and task.outputs is None):
            task = self.tasks[key] = _Task(key, self.program.calls[node], waiting=-1)
        return task

    def _found(self, task: _Task, record: Record) -> None:
        self.found.add(task.key)
        self.caller.history.found(task.call, record)
        if self.watched:
            self.tell(
                NodeFinished(task.call.id, task.call.type.name, "stored", record.note.seconds)
            )
        self._finish(task, record.outputs)

    def _finish(self, task: _Task, outputs: Mapping[str, Any]) -> None:
        task.outputs, task.done = outputs, True
        self.left.discard(task.key)
        for follower in task.followers:
            follower.waiting -= 1
            if follower.waiting == 0:
                self._enqueue(follower)
        task.followers = []

    def _enqueue(self, task: _Task) -> None:
        lane = task.call.type.lane
        self.ready[lane].append(task)
        if lane == "device" and not self.threads["device"]:
            self._start_thread("device")
        self.changed.notify_all()

    def _start_thread(self, lane: Lane) -> None:
        thread = Thread(target=self.serve, args=(lane,), name=f"darkroom-{lane}", daemon=True)
        self.threads[lane].append(thread)
        thread.start()

    # Lanes

    def serve(self, lane: Lane, *, helper: bool = True) -> None:
        """Run ready tasks of one lane until the run is over."""
        queue = self.ready[lane]
        while True:
            with self.changed:
                self._see_cancel()
                while (not queue or self.failure) and not self._over(helper=helper):
                    self.changed.wait(0.2)  # the time-out lets the main thread see a cancellation
                    self._see_cancel()
                if self._over(helper=helper):
                    self.changed.notify_all()
                    return
                task = queue.popleft()
                self.running += 1
            self._run(task)

    def _see_cancel(self) -> None:
        if self.cancel.is_set() and self.failure is None:
            self.failure = Cancelled("the run was cancelled")

    def _over(self, *, helper: bool) -> bool:
        """Whether a thread may leave; the caller's own waits for what is still running."""
        if self.failure is None and self.left:
            return False
        return helper or self.running == 0

    def _run(self, task: _Task) -> None:
        call = task.call
        started = time.perf_counter()
        try:
            if self.watched:
                self.tell(NodeStarted(call.id, call.type.name))
            outputs = self.caller.call(call)
        except MissingError as missing:
            self._postpone(task, missing.link)
            return
        except Cancelled as cancelled:
            self._fail(cancelled)
            return
        except BaseException as error:
            failure = NodeError(call.id, call.type.name, reason(error))
            failure.__cause__ = error
            self._fail(failure)
            if isinstance(error, KeyboardInterrupt):
                raise
            return
        seconds = time.perf_counter() - started
        warning = self._keep(task, outputs, seconds)
        with self.changed:
            self.running -= 1
            self.ran[task.key] = seconds
            for source in dict.fromkeys(link.node for link in call.eager):
                self._release(self.tasks[self.keys[source]])
            self._finish(task, outputs)
            queue, helpers = self.ready["cpu"], self.threads["cpu"]
            if seconds > _WORTH_A_THREAD and queue and len(helpers) < CPU_THREADS - 1:
                self._start_thread("cpu")
            self.changed.notify_all()
        if self.watched:
            if warning is not None:
                self.tell(warning)
            self.tell(NodeFinished(call.id, call.type.name, "ran", seconds))

    def _release(self, task: _Task) -> None:
        task.consumers -= 1
        if task.consumers == 0 and not task.target:
            task.outputs = None  # the store's budget decides from here on

    def _postpone(self, task: _Task, link: Link) -> None:
        with self.changed:
            self.running -= 1
            source = self.demand(link.node)
            source.consumers += 1
            if source.done:
                self._enqueue(task)
            else:
                source.followers.append(task)
                task.waiting += 1
            self.changed.notify_all()

    def _fail(self, failure: NodeError | Cancelled) -> None:
        with self.changed:
            self.running -= 1
            if self.failure is None:
                self.failure = failure
            self.changed.notify_all()

    def _waypoints(self, call: Call) -> Waypoints:
        """Where a call stores how far it came: routes by the node's code and what they are made of."""

        def warn(error: Exception) -> None:
            self.tell(
                Warned(
                    f"the way so far could not be stored: {reason(error)}{_remedy(error)}", call.id
                )
            )

        def waypoints(*made_of: Any) -> Route:
            code = self.digests.code(call.type)
            content = content_digest(self.runtime.codecs, list(made_of))
            key = digest(canonical([code, dict(self.runtime.profile), content]))
            return StoredRoute(self.store, key, call.type.name, warn, self.caller.history.run)

        return waypoints

    def _keep(self, task: _Task, outputs: Mapping[str, Any], seconds: float) -> Warned | None:
        call = task.call
        keep = task.target or call.type.delivers
        history = self.caller.history
        trace, peak = history.ran(call, seconds), history.peaks.get(call.id)
        try:
            self.store.put(
                task.key,
                outputs,
                call.type.name,
                seconds,
                keep=keep,
                run=history.run,
                peak=peak,
                trace=trace,
            )
        except Exception as error:  # noqa: BLE001 - a result that cannot be kept is still a result
            return Warned(
                f"the result could not be stored and will be made again: {reason(error)}{_remedy(error)}",
                call.id,
            )
        return None

    def made(self, node: str) -> str:
        """The node that was run, or found, for this one: equal nodes share one."""
        task = self.tasks.get(self.keys[node])
        return node if task is None else task.call.id

    def key_of(self, node: str) -> str | None:
        """The node's key, if it is one that other runs have too."""
        key = self.keys[node]
        return None if key.startswith(VOLATILE) else key

    # The end

    def outputs(self, node: str) -> Mapping[str, Any] | None:
        """A node's outputs, if they are there now."""
        with self.changed:
            task = self.tasks.get(self.keys[node])
            return None if task is None else task.outputs

    @property
    def stopped(self) -> bool:
        """Whether running nodes are to stop at their next progress."""
        return self.cancel.is_set() or self.failure is not None

    def tell(self, event: Event) -> None:
        """Hand an event to the watcher."""
        with self.telling:
            try:
                self.on_event(event)
            except Exception:  # noqa: BLE001 - a watcher that fails is not told more, and the run goes on
                self.watched, self.on_event = False, lambda _: None

    def result(self) -> Result:
        """What is there now."""
        nodes = {node: self._node_run(node) for node in self.program.workflow.nodes}
        if self.failure is None:
            asked = self.program.behind(self.program.targets, lazy=False)
            for node in asked:
                if nodes[node].state == "skipped":
                    nodes[node] = NodeRun("stored")
        links = dict(self.program.outputs)
        named = {link.node for link in links.values()}
        for node in self.program.targets:
            if node not in named:
                links[node] = Link(node, next(iter(self.program.calls[node].type.outputs)))
        outputs = {}
        for name, link in links.items():
            task = self.tasks.get(self.keys[link.node])
            if task is not None and task.outputs is not None:
                outputs[name] = task.outputs[link.output]
        return Result(outputs, nodes)

    def _node_run(self, node: str) -> NodeRun:
        key = self.keys.get(node)
        if key in self.ran:
            return NodeRun("ran", self.ran[key])
        return NodeRun("stored" if key in self.found else "skipped")


def _remedy(error: Exception) -> str:
    return "; see that its disk has space and may be written" if isinstance(error, OSError) else ""

"""Runs a program: pulls what its targets need, on lanes, reusing what is stored."""

import threading
import time
import uuid
from collections.abc import Mapping
from heapq import heappop, heappush
from itertools import count
from threading import Condition, RLock, Thread
from typing import Any

from .caller import Caller, MissingError, reason
from .constructs import GATHER, PLAIN
from .errors import Cancelled, NodeError, StoreError
from .events import Event, NodeFailed, NodeFinished, NodeStarted, Warned, Watcher
from .flat import Unfold
from .graphs import CONSTRUCTS
from .history import History
from .journal import Journal, run_id
from .keeping import Keeper, unkept
from .keyring import Keyring
from .keys import TypeDigests
from .links import Link
from .node import Lane
from .outcome import NodeRun, Result
from .program import Call, Program, behind, ranks
from .pull import Pull, Rank, Task
from .runtime import Runtime
from .store import Record, Store

__all__ = ["NodeRun", "Result", "execute"]

CPU_THREADS = 4
_WORTH_A_THREAD = 0.002
"""Seconds that a node on the cpu lane took before a further thread is started beside it."""


def execute(
    program: Program,
    store: Store,
    runtime: Runtime,
    *,
    on_event: Watcher | None = None,
    cancel: threading.Event | None = None,
    journal: Journal | None = None,
) -> Result:
    """Run a program and return what its targets gave.

    Args:
        program: From `compile_graph`.
        store: Where results are looked for and kept.
        runtime: What this machine lends to the nodes.
        on_event: Called with each event, from one thread at a time.
        cancel: Once set, the run ends at the next progress of each running node.
        journal: Where to note what was made of what.

    Raises:
        NodeError: A node failed. What other nodes had finished is stored. Has `result`.
        Cancelled: The run was cancelled; likewise.
    """
    run = _Run(
        program, store, runtime, on_event, cancel=cancel or threading.Event(), journal=journal
    )
    try:
        run.work()
    finally:
        run.close()
    failure = run.failure
    if failure is None:
        return run.result()
    failure.result = run.result()
    raise failure


class _Run:
    """The state of one execution. The pull, the lanes and the growing graph are guarded by `changed`."""

    def __init__(
        self,
        program: Program,
        store: Store,
        runtime: Runtime,
        on_event: Watcher | None,
        *,
        cancel: threading.Event,
        journal: Journal | None,
    ) -> None:
        self.program, self.runtime = program, runtime
        self.watched = on_event is not None
        self.on_event: Watcher = on_event or (lambda _: None)
        self.cancel = cancel
        self.digests = TypeDigests(runtime.profile)
        self.calls: dict[str, Call] = dict(program.calls)
        self.unfolds: dict[str, Unfold] = dict(program.unfolds)
        self.places: dict[str, str] = dict(program.places)
        self.keys = Keyring(self.calls.values(), self.digests)
        self.ranks: dict[str, Rank] = {}
        self.pull = Pull(
            self.keys,
            store,
            runtime.delivery,
            on_ready=self._enqueue,
            on_found=self._found,
            fingerprint=self._fingerprint,
        )
        self.ended: dict[str, NodeRun] = {}
        """What became of those that were run or found; equal nodes share one."""
        self.delivered: dict[str, Mapping[str, Any]] = {}
        self.ready: dict[Lane, list[tuple[Rank, int, Task]]] = {"cpu": [], "device": []}
        self.serial = count()
        self.threads: dict[Lane, list[Thread]] = {"cpu": [], "device": []}
        self.running = 0
        self.failure: NodeError | Cancelled | None = None
        self.changed = Condition()
        self.telling = RLock()  # the watcher may have a preview made, which gives notices
        self.history = History(self.pull.made, self.keys.known, runtime)
        self.id = run_id()
        self.keeper = Keeper(
            self.id,
            program.workflow.name,
            store,
            runtime,
            self.keys,
            self.history,
            self.tell,
            journal,
        )
        self.caller = Caller(program, runtime, self, self.keeper.waypoints)

    def work(self) -> None:
        """Take part in the cpu lane until every target is there or the run has failed."""
        self.keeper.begin()
        with self.changed:
            for node in self.program.targets:
                self.pull.target(node)
        self.serve("cpu", helper=False)

    def close(self) -> None:
        """Wait for the other threads; what they are running is finished, and stored."""
        with self.changed:
            if self.pull.left and self.failure is None:  # interrupted from outside
                self.failure = Cancelled("the run was interrupted")
            self.changed.notify_all()
        for thread in [*self.threads["cpu"], *self.threads["device"]]:
            thread.join()
        self.keeper.end()

    # What the pull tells

    def _enqueue(self, task: Task) -> None:
        lane = task.call.type.lane
        if not self.ranks:
            order = ranks(self.calls, self.program.targets)
            self.ranks = {node: (rank,) for node, rank in order.items()}
        heappush(self.ready[lane], (self.ranks[task.call.id], next(self.serial), task))
        if lane == "device" and not self.threads["device"]:
            self._start_thread("device")
        self.changed.notify_all()

    def _found(self, task: Task, record: Record) -> None:
        if task.call.type.delivers:
            self.delivered[task.call.id] = record.outputs
        self.history.found(task.call, record)
        name, note = task.call.type.name, record.note
        self.ended.setdefault(task.call.id, NodeRun("stored", 0.0, name, note.size))
        if self.watched and name not in PLAIN:
            self.tell(NodeFinished(task.call.id, name, "stored", note.seconds, note.size))

    def _fingerprint(self, call: Call) -> object:
        try:
            return self.caller.fingerprint(call)
        except Exception as error:  # noqa: BLE001 - a node's own function, as any other
            self._failed(self._error(call, error))
            return None

    # Laps

    def extend(self, owner: str, copies: Mapping[str, Call]) -> None:
        """Add copies of nodes, to be made where their owner stands."""
        with self.changed:
            for original, call in copies.items():
                self.calls[call.id] = call
                self.places[call.id] = self.places.get(original, original)
                self.keys.add(call)
                self.ranks[call.id] = (
                    *self.ranks[owner][:-1],
                    self.ranks[owner][-1] - 1,
                    next(self.serial),
                )

    def growing(self) -> Condition:
        """The lock under which the graph grows."""
        return self.changed

    def hold(self, owner: str, node: str) -> None:
        """Have what a loop needs for its next lap stay, although nothing asks for it yet."""
        with self.changed:
            self.pull.hold(self.pull.by_node[owner], node)

    def release(self, owner: str, node: str) -> None:
        """Let a loop go of what an earlier lap gave."""
        with self.changed:
            self.pull.release(self.pull.by_node[owner], node)

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
                task = heappop(queue)[-1]
                self.running += 1
            self._run(task)

    def _see_cancel(self) -> None:
        if self.cancel.is_set() and self.failure is None:
            self.failure = Cancelled("the run was cancelled")

    def _over(self, *, helper: bool) -> bool:
        """Whether a thread may leave; the caller's own waits for what is still running."""
        if self.failure is None and self.pull.left:
            return False
        return helper or self.running == 0

    def _run(self, task: Task) -> None:
        call = task.call
        started = time.perf_counter()
        try:
            if self.watched and call.type.name not in PLAIN:
                self.tell(NodeStarted(call.id, call.type.name))
            outputs = self.caller.call(call)
        except MissingError as missing:
            self._postpone(task, missing.link)
            return
        except Cancelled as cancelled:
            self._stop(cancelled)
            return
        except BaseException as error:
            self._stop(self._error(call, error), time.perf_counter() - started)
            if isinstance(error, KeyboardInterrupt):
                raise
            return
        seconds = time.perf_counter() - started
        size, warning = self._keep(task, outputs, seconds)
        self._finish(task, outputs, NodeRun("ran", seconds, call.type.name, size))
        if self.watched:
            if warning is not None:
                self.tell(warning)
            if call.type.name not in PLAIN:
                self.tell(NodeFinished(call.id, call.type.name, "ran", seconds, size))

    def _finish(self, task: Task, outputs: Mapping[str, Any], ran: NodeRun) -> None:
        call = task.call
        with self.changed:
            self.running -= 1
            self.ended[call.id] = ran
            if call.type.delivers:
                self.delivered[call.id] = outputs
            self.pull.finish(task, outputs)
            queue, helpers = self.ready["cpu"], self.threads["cpu"]
            if ran.seconds > _WORTH_A_THREAD and queue and len(helpers) < CPU_THREADS - 1:
                self._start_thread("cpu")
            self.changed.notify_all()

    def _postpone(self, task: Task, link: Link) -> None:
        with self.changed:
            self.running -= 1
            self.pull.postpone(task, link.node)
            self.changed.notify_all()

    def _stop(self, failure: NodeError | Cancelled, seconds: float = 0.0) -> None:
        with self.changed:
            self.running -= 1
            if isinstance(failure, NodeError):
                self._failed(failure, seconds)
            elif self.failure is None:
                self.failure = failure
            self.changed.notify_all()

    def _failed(self, failure: NodeError, seconds: float = 0.0) -> None:
        """Note that a node failed; the first one's error is the run's."""
        self.ended[failure.node] = NodeRun("failed", seconds, failure.type_name)
        self.failure = self.failure or failure
        if self.watched:
            self.tell(NodeFailed(failure.node, failure.type_name, failure, seconds))

    def _keep(
        self, task: Task, outputs: Mapping[str, Any], seconds: float
    ) -> tuple[int, Warned | None]:
        """Store a result: its size, if that is known then, and what is amiss."""
        call = task.call
        try:
            if self.keys.settles.get(call.id) == "content":
                self.history.ran(call, seconds)
                self._settle(task, outputs)
                return self.runtime.codecs.size(outputs), None
            return self.keeper.keep(call, outputs, seconds, is_wanted=task.kept), None
        except Exception as error:  # noqa: BLE001 - a result that cannot be kept is still a result
            return 0, unkept("the result could not be stored and will be made again", call, error)

    def _settle(self, task: Task, outputs: Mapping[str, Any]) -> None:
        """Key what a volatile node gave by its bytes, and keep it for this run."""
        with self.changed:
            task.kept = True
            try:
                self.keys.settle_by_content(task.call.id, self.runtime.codecs, outputs)
            except (StoreError, ValueError):
                self.keys.settle(task.call.id, uuid.uuid4().hex)
                raise

    def _error(self, call: Call, error: BaseException) -> NodeError:
        place = self.places.get(call.id)
        failure = NodeError(call.id, call.type.name, reason(error), place)
        failure.__cause__ = error
        return failure

    # The end

    def outputs(self, node: str) -> Mapping[str, Any] | None:
        """A node's outputs, if they are there now."""
        with self.changed:
            return self.pull.outputs(node)

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
        shown = [node for node, call in self.calls.items() if call.type.name not in PLAIN]
        placed = {self.program.places.get(node, node) for node in self.calls}
        left_out = (
            node
            for node, known in self.program.workflow.nodes.items()
            if node not in placed and known.type not in CONSTRUCTS
        )
        nodes = {node: self._node_run(node) for node in dict.fromkeys([*left_out, *shown])}
        if self.failure is None:
            for node in behind(self.calls, self.program.targets, lazy=False):
                if node in nodes and nodes[node].state == "skipped":
                    nodes[node] = NodeRun("stored", 0.0, nodes[node].type_name)
        return Result(self._outputs(), nodes)

    def _outputs(self) -> dict[str, Any]:
        """The named outputs by name, and what else was delivered by node."""
        links = dict(self.program.outputs)
        named = {link.node for link in links.values()}
        for node in list(named):
            if self.calls[node].type.name == GATHER:
                named.update(link.node for link in self.calls[node].eager)
        for node in self.program.targets:
            declared = self.calls[node].type
            if node not in named and declared.name not in PLAIN:
                links[node] = Link(node, next(iter(declared.outputs)))
        outputs: dict[str, Any] = {}
        for name, link in links.items():
            found = self.pull.outputs(link.node)
            if found is not None:
                outputs[name] = found[link.output]
        for node, given in self.delivered.items():
            if node not in named:
                outputs.setdefault(node, next(iter(given.values())))
        return outputs

    def _node_run(self, node: str) -> NodeRun:
        task, call = self.pull.by_node.get(node), self.calls.get(node)
        name = self.program.workflow.nodes[node].type if call is None else call.type.name
        made = None if task is None else self.ended.get(task.call.id)
        return made or NodeRun("stored" if task and task.done else "skipped", 0.0, name)

"""What a run needs: results asked for from the end, found in the store or made ready to be made."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .artifacts import Delivery
from .keyring import Keyring
from .program import Call
from .store import Record, Store

Rank = tuple[int, ...]
"""What is made first where there is a choice: lower goes before higher."""


@dataclass(slots=True, eq=False)
class Task:
    """One result to be had: several nodes with one key share it."""

    call: Call
    key: str | None = None
    looked_at: bool = False
    waiting: int = 0
    followers: "list[Task]" = field(default_factory=list)
    holds: dict[str, None] = field(default_factory=dict)
    """The nodes whose outputs this task needs, until it is done."""
    consumers: int = 0
    done: bool = False
    kept: bool = False
    """Whether its outputs stay until the run ends."""
    outputs: Mapping[str, Any] | None = None


class Pull:
    """The tasks of a run. Its methods are called under the run's lock.

    Args:
        keys: Of all nodes; further nodes may be added while the run goes on.
        store: Where results are looked for.
        delivery: Where delivered files have to lie to count.
        on_ready: Called with each task whose inputs are there.
        on_found: Called with each task whose result was found in the store.
        fingerprint: What a node reads, told from the values of its inputs.
    """

    def __init__(
        self,
        keys: Keyring,
        store: Store,
        delivery: Delivery,
        *,
        on_ready: Callable[[Task], None],
        on_found: Callable[[Task, Record], None],
        fingerprint: Callable[[Call], object],
    ) -> None:
        self.keys, self.store, self.delivery = keys, store, delivery
        self.on_ready, self.on_found, self.fingerprint = on_ready, on_found, fingerprint
        self.by_node: dict[str, Task] = {}
        self.by_key: dict[str, Task] = {}
        self.pending: list[Task] = []
        self.left: set[Task] = set()
        """What the run is for and is not there yet."""

    def target(self, node: str) -> None:
        """Ask for what the run is for; its outputs are kept."""
        task = self._task(node)
        task.kept = True
        if not task.done:
            self.left.add(task)
        self._drain()

    def postpone(self, task: Task, node: str) -> None:
        """Have a task that was about to be made wait for one more node."""
        if not self.wait_for(task, [node]):
            self.on_ready(task)
        self._drain()

    def outputs(self, node: str) -> Mapping[str, Any] | None:
        """A node's outputs, if they are there now."""
        task = self.by_node.get(node)
        return None if task is None else task.outputs

    def made(self, node: str) -> str:
        """The node that was run, or found, for this one: equal nodes share one."""
        task = self.by_node.get(node)
        return node if task is None else task.call.id

    def finish(self, task: Task, outputs: Mapping[str, Any]) -> None:
        """Note a task's result, let go of what it needed, and go on with what waited for it."""
        task.outputs, task.done = outputs, True
        self.left.discard(task)
        self._let_go(task, list(task.holds))
        followers, task.followers = task.followers, []
        for follower in followers:
            follower.waiting -= 1
            if follower.waiting == 0:
                self._go_on(follower)
        self._drain()

    def wait_for(self, task: Task, nodes: Iterable[str]) -> bool:
        """Have a task wait until further nodes are done; whether there is anything to wait for."""
        for node in nodes:
            needed = self._task(node)
            if node not in task.holds:
                task.holds[node] = None
                needed.consumers += 1
            if not needed.done:
                needed.followers.append(task)
                task.waiting += 1
        return task.waiting > 0

    def hold(self, task: Task, node: str) -> None:
        """Have a node's outputs, which are there, stay until the task is done or releases them."""
        if node not in task.holds:
            task.holds[node] = None
            self.by_node[node].consumers += 1

    def release(self, task: Task, node: str) -> None:
        """Let a task go of one node's outputs before it is done."""
        if node in task.holds:
            self._let_go(task, [node])

    # Looking

    def _task(self, node: str) -> Task:
        task = self.by_node.get(node)
        if task is not None and not (task.done and task.outputs is None):
            return task
        key = self.keys.known.get(node)
        task = None if key is None else self.by_key.get(key)
        if task is None or (task.done and task.outputs is None):
            task = Task(self.keys.calls[node], key)
            if key is not None:
                self.by_key[key] = task
            self.pending.append(task)
        self.by_node[node] = task
        return task

    def _drain(self) -> None:
        while self.pending:
            self._look(self.pending.pop())

    def _look(self, task: Task) -> None:
        """Find a task's result, or what has to be there first."""
        node = task.call.id
        if task.key is None:
            task.key = self.keys.known.get(node)
            if task.key is None and self.keys.settles[node] != "content":
                self.wait_for(task, self.keys.awaited(task.call))
                if task.waiting == 0:
                    self._go_on(task)
                return
            if task.key is not None and self._shares(task, task.key):
                return
        if task.key is not None:
            record = self.store.get(task.key, self.delivery)
            if record is not None:
                self.on_found(task, record)
                self.finish(task, record.outputs)
                return
        task.looked_at = True
        if not self.wait_for(task, dict.fromkeys(link.node for link in task.call.eager)):
            self.on_ready(task)

    def _go_on(self, task: Task) -> None:
        """What a task waited for is there: its inputs, or what its key depends on."""
        if task.looked_at:
            self.on_ready(task)
            return
        node = task.call.id
        if node not in self.keys.known:
            self.keys.settle_by_values(task.call, self.fingerprint(task.call))
        self.pending.append(task)

    def _shares(self, task: Task, key: str) -> bool:
        """Whether another task has come to be for the same result: it then serves both."""
        other = self.by_key.setdefault(key, task)
        if other is task or (other.done and other.outputs is None):
            self.by_key[key] = task
            return False
        self._let_go(task, list(task.holds))
        for node, known in self.by_node.items():
            if known is task:
                self.by_node[node] = other
        other.consumers += task.consumers
        other.kept = other.kept or task.kept
        if task in self.left and not other.done:
            self.left.remove(task)
            self.left.add(other)
        if other.done and other.outputs is not None:
            self.finish(task, other.outputs)
        else:
            other.followers += task.followers
        return True

    def _let_go(self, task: Task, nodes: list[str]) -> None:
        for node in nodes:
            del task.holds[node]
            needed = self.by_node[node]
            needed.consumers -= 1
            if needed.consumers == 0 and needed.done and not needed.kept:
                needed.outputs = None  # the store's budget decides from here on

"""One attempt at a job: its workflow run, told of, and brought to an end that can be sent."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from engine.check import compile_graph
from engine.errors import Cancelled, EngineError, InputError, NodeError
from engine.executor import Result, execute
from engine.program import Program
from engine.workflow import Workflow
from server.failures import problem_document
from server.homes import within
from server.places import Places

from .log import say, say_error
from .messages import Delivered, Done, FromWorker, Happened, Lent, Run
from .outputs import Outputs, files_in
from .telling import Telling
from .workshop import Bench, Workshop

Json = dict[str, Any]
State = Literal["succeeded", "failed", "cancelled"]
SHARING_SECONDS = 60.0
"""How long an attempt on another machine waits until its results are where the others find them."""


@dataclass(frozen=True)
class _End:
    """How the engine's part of an attempt ended."""

    state: State
    result: Result
    program: Program | None = None
    error: Exception | None = None


class Attempt:
    """Made when the run is heard of, so that it can be cancelled before it begins."""

    def __init__(self, run: Run, workshop: Workshop, send: Callable[[FromWorker], None]) -> None:
        self.run = run
        self.lent: list[Lent] = []
        self.workshop, self.send = workshop, send
        self.cancel = threading.Event()
        self.telling = Telling(run.run, self._tell, workshop.runtime.picture, watched=run.watched)
        data = workshop.outfit.data
        named = {str(data / "runs" / run.run): "", run.inputs: "inputs"}
        named |= {run.outputs: "outputs", run.previews: "previews"}
        self.places = Places(data, named)
        self.began: float | None = None

    @property
    def idle_seconds(self) -> float:
        """Since a node began, told its progress, or ended."""
        return 0.0 if self.began is None else time.monotonic() - self.telling.progressed

    def perform(self) -> Done:
        """Run the workflow; whatever happens in it becomes part of what is told."""
        self.began = self.telling.progressed = time.monotonic()
        say("info", "run begins", run=self.run.run, owner=self.run.owner)
        try:
            done = self._perform()
        except Exception as error:  # noqa: BLE001 - the job must end, whatever is wrong in here
            say_error("the attempt failed outside its nodes", error, run=self.run.run)
            done = Done(self.run.run, "failed", {}, (), problem_document(error))
        seconds = round(time.monotonic() - self.began, 3)
        say("info", "run ended", run=self.run.run, state=done.state, seconds=seconds)
        return replace(done, error=self.places.hidden(done.error))

    def _perform(self) -> Done:
        if not self.workshop.outfit.carries:
            return self._run(self.run)
        folder = within(self.workshop.outfit.data / "runs", self.run.run)
        try:
            return self._run(self._at_home(folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, run: Run) -> Done:
        bench = self.workshop.bench(run.namespace, run.inputs, run.outputs, run.previews)
        end = self._execute(bench)
        outputs = Outputs(bench.runtime.delivery)
        named = outputs.named(end.result)
        delivered = {} if end.program is None else outputs.delivered(end.program, end.result)
        if self.workshop.outfit.carries:
            self._carry(bench, named, delivered)
        nodes = self._nodes(end)
        error = None if end.error is None else problem_document(end.error)
        return Done(run.run, end.state, named, nodes, error, delivered)

    def _execute(self, bench: Bench) -> _End:
        """Compile and run. What other than the engine's errors is raised, `perform` sees."""
        program: Program | None = None
        state: State = "failed"
        bench.store.begin(self._warn)
        try:
            workflow = Workflow.from_json(self.run.document)
            program = compile_graph(workflow, self.workshop.catalog, bench.runtime)
            result = execute(
                program,
                bench.store,
                bench.runtime,
                on_event=self.telling,
                cancel=self.cancel,
                journal=bench.journal,
            )
        except Cancelled as error:
            return _End("cancelled", error.result or Result(), program)
        except NodeError as error:
            return _End(state, error.result or Result(), program, error)
        except (EngineError, InputError, OSError, MemoryError) as error:
            return _End(state, Result(), program, error)
        return _End("succeeded", result, program)

    def _tell(self, told: FromWorker) -> None:
        if isinstance(told, Happened) and told.type in {"node.failed", "warned"}:
            told = replace(told, data=self.places.hidden(told.data))
        self.send(told)

    def _warn(self, message: str) -> None:
        self.telling.say("warned", {"message": message, "node": None})

    def _nodes(self, end: _End) -> tuple[Json, ...]:
        """What became of each node, as the fields of a `NodeRecord`."""
        failed = end.error.node if isinstance(end.error, NodeError) else None
        return tuple(
            {
                "node": name,
                "type": node.type_name,
                "state": "failed" if name == failed else node.state,
                "seconds": round(node.seconds, 6),
                "bytes": self.telling.bytes.get(name, 0),
            }
            for name, node in end.result.nodes.items()
        )

    # For workers that do not share the server's disk

    def _at_home(self, folder: Path) -> Run:
        """The run with a folder on this machine that is gone after it, and the lent files in it."""
        run = replace(
            self.run,
            inputs=str(folder / "inputs"),
            outputs=str(folder / "outputs"),
            previews=str(folder / "previews"),
        )
        for made in (run.inputs, run.outputs, run.previews):
            Path(made).mkdir(parents=True, exist_ok=True)
        for lent in self.lent:
            path = within(Path(run.inputs), lent.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(lent.blob)
        self.lent.clear()
        return run

    def _carry(self, bench: Bench, *told: Json) -> None:
        """Send the files that were delivered, and wait until results are shared."""
        sent: set[tuple[str, bool]] = set()
        for file in files_in(*told):
            preview = bool(file.get("preview"))
            if (file["path"], preview) in sent:
                continue
            sent.add((file["path"], preview))
            delivery = bench.runtime.delivery
            path = (delivery.previews if preview else delivery.folder) / file["path"]
            self.send(Delivered(self.run.run, file["path"], path.read_bytes(), preview))
        left = bench.store.flush(SHARING_SECONDS)
        if left:
            self._warn(f"{left} results are not shared yet: another machine would make them again")

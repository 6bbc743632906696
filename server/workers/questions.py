"""What a worker is asked besides its runs; nothing here computes a node."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from engine.catalog import ENTRY_POINTS
from engine.check import Verdict, compile_graph, judge
from engine.errors import GraphError, InputError
from engine.plan import Plan, make_plan
from engine.program import Program
from engine.workflow import Workflow
from server.failures import problem_json, problems_of
from server.places import Places
from server.plans import edit_json, explained_json, plan_json
from server.stored import store_json

from .workshop import Workshop

Json = dict[str, Any]
SLOW = frozenset({"place", "thumbnail", "probe", "merged", "metadata", "models", "prune", "store"})
"""Questions that read files, and do not hold up the others."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a question led to: JSON, and bytes beside it."""

    value: Any
    blob: bytes = b""


class Questions:
    """Each question is a method; its arguments are the method's."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.known: dict[str, Callable[..., Reply]] = {
            "catalogue": self.catalogue,
            "sources": self.sources,
            "check": self.check,
            "plan": self.plan,
            "explain": self.explain,
            "models": self.models,
            "place": self.place,
            "thumbnail": self.thumbnail,
            "probe": self.probe,
            "merged": self.merged,
            "metadata": self.metadata,
            "store": self.store,
            "prune": self.prune,
            "free": self.free,
        }

    def answer(self, question: str, arguments: Json) -> Reply:
        """The answer to a question.

        Raises:
            InputError: There is no such question, or it is asked with other arguments.
        """
        ask = self.known.get(question)
        if ask is None:
            raise InputError(f"nobody here can answer {question!r}", code="unknown_question")
        try:
            return ask(**arguments)
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is None:
                raise InputError(f"{question}: {error}", code="bad_question") from error
            raise

    def places(self, arguments: Json) -> Places:
        """What names folders where a question that came with these arguments is answered."""
        given = {name: arguments.get(name) for name in ("inputs", "outputs", "previews")}
        named = {path: name for name, path in given.items() if isinstance(path, str) and path}
        return Places(self.workshop.outfit.data, named)

    def catalogue(self) -> Reply:
        """Every node type, with the digest of them all."""
        return Reply({"digest": self.workshop.digest, "nodes": self.workshop.catalogue})

    def sources(self) -> Reply:
        """The folders that the node types come from."""
        named = [self.workshop.outfit.nodes]
        named += [point.value for point in entry_points(group=ENTRY_POINTS)]
        found: list[str] = []
        for name in named:
            spec = importlib.util.find_spec(name)
            if spec is not None:
                found += spec.submodule_search_locations or [str(spec.origin)]
        return Reply(found)

    def check(self, document: Json, inputs: str = "") -> Reply:
        """Every problem of a workflow, and what is wrong where nothing needs it."""
        try:
            workflow = Workflow.from_json(document)
            runtime = self.workshop.bench(inputs=inputs).runtime
            verdict = judge(workflow, self.workshop.catalog, runtime)
        except (GraphError, InputError, OSError) as error:
            verdict = Verdict(list(problems_of(error)), [])
        told = {
            "problems": [problem_json(each) for each in verdict.problems],
            "warnings": [problem_json(each) for each in verdict.warnings],
        }
        return Reply(self.places({"inputs": inputs}).hidden(told))

    def plan(self, document: Json, **where: str) -> Reply:
        """What a run would do; `where` says whose it is, as for `Workshop.bench`.

        Raises:
            GraphError: The workflow has problems.
        """
        told = plan_json(*self._planned(document, where))
        told["warnings"] = self.places(where).hidden(told["warnings"])
        return Reply(told)

    def explain(
        self, document: Json, node: str | None = None, changed: Json | None = None, **where: str
    ) -> Reply:
        """Why each node, or one, is stored or will run; or what an edit would invalidate.

        Raises:
            GraphError: A workflow has problems, or there is no such node.
        """
        program, planned = self._planned(document, where)
        if changed is not None:
            return Reply(edit_json(program, planned, *self._planned(changed, where)))
        return Reply(explained_json(program, planned, node))

    def models(self) -> Reply:
        """The model files that the node package finds.

        Raises:
            InputError: The node package keeps none.
        """
        return Reply(self.workshop.session.survey())

    def place(self, kind: str, name: str, inputs: str = "") -> Reply:
        """Where the file lies that an input names, for the owner of a folder of inputs.

        Raises:
            InputError: There is no such file.
        """
        files = self.workshop.bench(inputs=inputs).runtime.files
        return Reply({"path": str(files.place(kind, name))})

    def thumbnail(self, path: str, size: int) -> Reply:
        """A picture in a file, as large as fits into a square."""
        blob = self.workshop.asked(self.workshop.runtime.thumbnail)(Path(path), size)
        return Reply({"bytes": len(blob)}, blob)

    def probe(self, path: str) -> Reply:
        """What a file is, by its first bytes: width, height and format."""
        return Reply(dict(self.workshop.asked(self.workshop.runtime.probe)(Path(path))))

    def merged(self, colours: str = "", alpha: str = "") -> Reply:
        """A picture with the colours of one file and the alpha of another; empty for neither."""
        files = (Path(name) if name else None for name in (colours, alpha))
        blob = self.workshop.asked(self.workshop.runtime.merged)(*files)
        return Reply({"bytes": len(blob)}, blob)

    def metadata(self, path: str) -> Reply:
        """What a file tells of its making, by keyword; nothing if it does not."""
        return Reply(dict(self.workshop.asked(self.workshop.runtime.embedded)(Path(path))))

    def store(self, namespace: str = "") -> Reply:
        """How much is stored for a namespace."""
        stores = self.workshop.stores
        return Reply(store_json(stores.store(namespace), stores.folder(namespace) / "store"))

    def prune(self, namespace: str = "", to: int | None = None) -> Reply:
        """Bring what is stored for a namespace to a number of bytes, or let go of everything."""
        store = self.workshop.stores.store(namespace)
        freed = store.clear() if to is None else store.prune(to)
        return Reply({**self.store(namespace).value, "freed": freed})

    def free(self) -> Reply:
        """Let go of loaded models, and of results in memory."""
        self.workshop.free()
        return Reply({"memory": dict(self.workshop.runtime.memory())})

    def _planned(self, document: Json, where: dict[str, str]) -> tuple[Program, Plan]:
        bench = self.workshop.bench(**where)
        program = compile_graph(Workflow.from_json(document), self.workshop.catalog, bench.runtime)
        return program, make_plan(program, bench.store, bench.runtime, bench.journal)

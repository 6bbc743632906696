import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from engine.catalog import Catalog
from engine.describing import describe
from engine.keys import TypeDigests
from server.access.access import Access
from server.access.principal import LOCAL_PRINCIPAL, PRINCIPAL, Principal
from server.admission import Limits
from server.api import border
from server.api.views import show
from server.catalogue import Catalogue
from server.database import Database
from server.dispatch import Dispatcher, Policy
from server.jobs.queue import Jobs
from server.live import Hub
from server.service import SERVICE, Service
from server.settings import Settings
from server.workers.keeper import Heard
from server.workers.messages import Answer, Done, Happened, Run
from server.workers.spec import WorkerView

Json = dict[str, Any]
Client = TestClient[web.Request, web.Application]
Serve = Callable[[web.Application], Awaitable[Client]]
PICTURE = b"\x89PNG" + bytes(range(256)) * 8


@dataclass
class Bench:
    """In the place of the pool: one worker, whose runs end when the test says, and a desk."""

    held: asyncio.Event = field(default_factory=asyncio.Event)
    """Runs wait for it."""
    busy: str | None = None
    reason: str = ""
    began: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    watched: list[tuple[str, bool]] = field(default_factory=list)
    questions: list[tuple[str, Json]] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    fails: Json | None = None
    heard: Heard | None = None
    keepers: Json = field(default_factory=dict)
    fault: str | None = None
    on_change: Callable[[Any], None] = lambda _: None

    @property
    def workers(self) -> tuple[WorkerView, ...]:
        state: Any = "busy" if self.busy else "idle"
        worker = WorkerView(
            "worker-0", "cpu", "here", state, 4711, 2**20, (), run=self.busy, reason=self.reason
        )
        return (worker,)

    async def start(self) -> None: ...

    async def stop(self, *, hurry: bool = False) -> None: ...

    async def run(self, worker: str, run: Run, heard: Heard) -> Done:
        self.busy, self.heard = run.run, heard
        self.cancelled.clear()
        self.began.set()
        heard(Happened(run.run, "node.started", {"node": "write", "type": "Write"}))
        waiting = [asyncio.ensure_future(each.wait()) for each in (self.held, self.cancelled)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()
        self.busy = None
        node: Json = {"node": "write", "type": "Write", "state": "ran", "seconds": 0.1, "bytes": 9}
        if self.cancelled.is_set():
            return Done(run.run, "cancelled", {}, (node,))
        if self.fails is not None:
            return Done(run.run, "failed", {}, ({**node, "state": "failed"},), self.fails)
        heard(Happened(run.run, "node.finished", {"node": "write", "type": "Write"}))
        files = _deliver(Path(run.outputs))
        return Done(run.run, "succeeded", {"file": {"files": files}, "sum": {"value": 3}}, (node,))

    async def cancel(self, run: str, grace: float) -> None:
        self.cancelled.set()

    async def watch(self, run: str, previews: bool) -> None:
        self.watched.append((run, previews))

    async def ask(self, question: str, **arguments: Any) -> Answer:
        self.questions.append((question, arguments))
        return self.answers.get(question) or Answer(0, error={"detail": f"no {question} here"})

    def say(self, kind: str, data: Json, blob: bytes = b"") -> None:
        assert self.heard is not None
        assert self.busy is not None
        self.heard(Happened(self.busy, kind, data, blob))


def _deliver(folder: Path) -> list[Json]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a picture.png").write_bytes(PICTURE)
    (folder / "page.html").write_bytes(b"<script>alert(1)</script>")
    return [
        _file(folder / "a picture.png", "image/png"),
        _file(folder / "page.html", "text/html"),
    ]


def _file(path: Path, media_type: str) -> Json:
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return {"path": path.name, "media_type": media_type, "size": len(data), "digest": digest}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.01)


@dataclass
class Caller:
    """Who the requests come from."""

    principal: Principal = LOCAL_PRINCIPAL


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    catalog = Catalog.load("tests.toys")
    digests = TypeDigests({})
    told = [describe(declared, digests) for declared in catalog.types.values()]
    return Catalogue("catalogue-1", tuple(json.loads(json.dumps(told))))


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without jobs, to be copied: making its tables takes a while."""
    path = tmp_path_factory.mktemp("fresh") / "darkroom.db"
    Database.open(str(path)).close()
    return path


@pytest.fixture
async def service(
    tmp_path: Path, bench: Bench, catalogue: Catalogue, fresh: Path
) -> AsyncIterator[Service]:
    settings = Settings(data=tmp_path / "data", nodes="tests.toys")
    settings.data.mkdir()
    shutil.copy(fresh, settings.data)
    database = Database.open(str(settings.data / "darkroom.db"))
    jobs, pool = Jobs(database), bench
    hub = Hub(await jobs.first_event())
    lent: Any = pool
    dispatcher = Dispatcher(jobs, lent, hub, settings.data, policy=Policy(stop_grace=1), show=show)
    made = Service(
        settings,
        database,
        Access(database, settings),
        jobs,
        lent,
        hub,
        dispatcher,
        Limits(),
        catalogue,
    )
    made.arrived.set()
    await dispatcher.start()
    yield made
    bench.held.set()
    await made.stop()


@pytest.fixture
async def client(aiohttp_client: Serve, service: Service, caller: Caller, tmp_path: Path) -> Client:
    @web.middleware
    async def identify(request: web.Request, handler: Any) -> web.StreamResponse:
        request[PRINCIPAL] = caller.principal
        answer: web.StreamResponse = await handler(request)
        return answer

    app = web.Application(middlewares=[border.answer_problems, identify])
    app[SERVICE] = service
    border.install(app, editor=tmp_path / "editor")
    return await aiohttp_client(app)


@pytest.fixture
def graph() -> Json:
    return {
        "darkroom": 1,
        "name": "Write a text",
        "inputs": {
            "words": {"node": "write", "input": "text"},
            "count": {"node": "describe", "input": "count"},
        },
        "outputs": {"file": {"node": "write", "output": "value"}},
        "nodes": {
            "dye": {"type": "Dye"},
            "describe": {
                "type": "Describe",
                "inputs": {"cloth": {"$link": ["dye", "value"]}, "count": 2},
            },
            "write": {"type": "Write", "inputs": {"text": "hello"}},
        },
    }

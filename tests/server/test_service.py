import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.errors import GraphError
from engine.workflow import Workflow
from server.access import Refused
from server.access.access import Access
from server.admission import Limits, admit
from server.catalogue import Catalogue
from server.jobs.submission import IdempotencyConflict
from server.service import Asked, Service
from server.settings import Settings
from server.workers.messages import Answer
from server.workers.spec import WorkerLost
from tests.server.catalogues import toy_catalogue
from tests.server.dispatching import Crew, Office, Opened, fresh_database, open_office

__all__ = ["fresh_database", "open_office"]
Json = dict[str, Any]


class Desk(Crew):
    """A crew with a desk that answers what the test says."""

    replies: list[Answer | Exception]

    async def start(self) -> None: ...

    async def stop(self, *, hurry: bool = False) -> None: ...

    async def ask(self, question: str, **arguments: Any) -> Answer:
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


@pytest.fixture
async def office(open_office: Opened) -> Office:
    return await open_office()


@pytest.fixture
async def service(office: Office, tmp_path: Path) -> Service:
    settings = Settings(data=tmp_path, nodes="tests.toys")
    pool: Any = Desk()
    database = office.jobs.database
    made = Service(
        settings,
        database,
        Access(database, settings),
        office.jobs,
        pool,
        office.hub,
        office.dispatcher,
        Limits(),
        toy_catalogue(),
    )
    made.arrived.set()
    return made


def asked(number: float = 1.0, **rest: Any) -> Asked:
    document = {
        "darkroom": 1,
        "nodes": {"a": {"type": "Add", "inputs": {"a": number}}},
        "outputs": {"value": {"node": "a", "output": "value"}},
    }
    return Asked(Workflow.from_json(document), **rest)


def answer(catalogue: Catalogue) -> Answer:
    return Answer(1, {"digest": catalogue.digest, "nodes": list(catalogue.descriptions)})


async def test_a_graph_becomes_a_job_and_is_told_of(service: Service, office: Office) -> None:
    (job,) = await service.accept("ada", [asked()])
    assert (job.owner, job.state) == ("ada", "queued")
    (await office.crew.next()).succeed(value=1.0)
    await office.ended(job)
    assert office.told(job) == ["job.queued", "job.started", "job.succeeded"]


async def test_a_repeated_request_is_told_of_once(service: Service, office: Office) -> None:
    await office.dispatcher.pause(True)
    first = await service.accept("ada", [asked(idempotency_key="k")])
    again = await asyncio.gather(
        *(service.accept("ada", [asked(idempotency_key="k")]) for _ in range(5))
    )
    assert {job.id for jobs in again for job in jobs} == {first[0].id}
    assert office.told(first[0]) == ["job.queued"]
    with pytest.raises(IdempotencyConflict):
        await service.accept("ada", [asked(2.0, idempotency_key="k")])


async def test_of_several_graphs_all_are_taken_or_none(service: Service) -> None:
    bad = Workflow.from_json(
        {
            "darkroom": 1,
            "nodes": {"a": {"type": "Nothing"}},
            "outputs": {"v": {"node": "a", "output": "value"}},
        }
    )
    with pytest.raises(GraphError):
        await service.accept("ada", [asked(), Asked(bad)])
    await service.accept("ada", [asked(idempotency_key="k")])
    with pytest.raises(IdempotencyConflict):
        await service.accept("ada", [asked(3.0), asked(2.0, idempotency_key="k")])
    counts = await service.jobs.counts()
    assert sum(counts.values()) == 1


async def test_many_small_graphs_are_admitted_beside_other_requests(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def noting(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return admit(*arguments)

    monkeypatch.setattr("server.service.admit", noting)
    await service.accept("ada", [asked()])
    await service.accept("ada", [asked(float(n)) for n in range(150)])
    own = threading.current_thread()
    assert [thread is own for thread in threads] == [True] + [False] * 150


async def test_a_server_that_stops_takes_nothing(service: Service) -> None:
    service.closing = True
    with pytest.raises(Refused) as refused:
        await service.accept("ada", [asked()])
    assert refused.value.status == 503


async def test_before_the_node_types_are_known_one_waits(service: Service) -> None:
    service.catalogue = None
    service.arrived.clear()
    with pytest.raises(Refused) as refused:
        await service.types(patience=0.01)
    assert (refused.value.status, refused.value.code) == (503, "unavailable")
    waiting = asyncio.create_task(service.accept("ada", [asked()]))
    await asyncio.sleep(0.01)
    desk: Any = service.pool
    desk.replies = [answer(toy_catalogue())]
    service.changed("catalogue")
    (job,) = await asyncio.wait_for(waiting, 10)
    assert job.state in {"queued", "running"}


async def test_node_types_are_asked_for_until_a_desk_tells_them(service: Service) -> None:
    service.catalogue = None
    service.arrived.clear()
    desk: Any = service.pool
    desk.replies = [WorkerLost("killed"), answer(toy_catalogue())]
    service.changed("catalogue")
    assert (await service.types(patience=10)).digest == "catalogue-1"


async def test_new_node_types_are_told_and_remembered(service: Service) -> None:
    desk: Any = service.pool
    desk.replies = [answer(toy_catalogue("catalogue-2"))]
    with service.hub.subscribe(lambda event: event.type == "catalogue.changed") as changes:
        service.changed("catalogue")
        event = await asyncio.wait_for(anext(changes), 10)
    assert event.data == {"digest": "catalogue-2"}
    remembered = Catalogue.remembered(service.settings.data / "catalogue.json")
    assert remembered is not None
    assert remembered.digest == "catalogue-2"


async def test_types_described_otherwise_by_an_earlier_version_are_replaced(
    service: Service,
) -> None:
    known = toy_catalogue()
    service.catalogue = Catalogue(known.digest, known.descriptions[:-1])
    desk: Any = service.pool
    desk.replies = [answer(known)]
    with service.hub.subscribe(lambda event: event.type == "catalogue.changed") as changes:
        service.changed("catalogue")
        await asyncio.wait_for(anext(changes), 10)
    assert service.catalogue == known


async def test_a_server_that_stops_asks_for_no_more_node_types(service: Service) -> None:
    desk: Any = service.pool
    desk.replies = [WorkerLost("killed")]
    service.changed("catalogue")
    await asyncio.sleep(0.01)
    asking = service.refreshing
    assert asking is not None
    await service.settle()
    service.changed("catalogue")
    assert service.refreshing is asking
    await asyncio.wait({asking}, timeout=5)
    assert asking.cancelled()

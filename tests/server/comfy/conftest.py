import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from engine.catalog import Catalog
from engine.describing import describe
from engine.keys import TypeDigests
from server.access.access import Access
from server.admission import Limits
from server.api.views import show
from server.app import application
from server.catalogue import Catalogue
from server.database import Database
from server.dispatch import Dispatcher, Policy
from server.jobs.queue import Jobs
from server.live import Hub
from server.service import Service
from server.settings import Settings

from .studio import Studio

Json = dict[str, Any]
Client = TestClient[web.Request, web.Application]
Serve = Callable[[web.Application], Awaitable[Client]]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog.load("nodes")


@pytest.fixture(scope="session")
def catalogue(catalog: Catalog) -> Json:
    """The node types as the server knows them: JSON."""
    return {name: declared.schema() for name, declared in catalog.types.items()}


@pytest.fixture(scope="session")
def described(catalog: Catalog) -> Catalogue:
    """The node types as a worker tells of them."""
    digests = TypeDigests({})
    told = [describe(declared, digests) for declared in catalog.types.values()]
    return Catalogue("catalogue-1", tuple(json.loads(json.dumps(told))))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without jobs, to be copied: making its tables takes a while."""
    path = tmp_path_factory.mktemp("empty") / "darkroom.db"
    Database.open(str(path)).close()
    return path


@pytest.fixture
def studio() -> Studio:
    return Studio()


@pytest.fixture
async def service(
    tmp_path: Path, studio: Studio, described: Catalogue, empty: Path
) -> AsyncIterator[Service]:
    settings = Settings(data=tmp_path / "data", nodes="nodes")
    settings.data.mkdir()
    shutil.copy(empty, settings.data)
    database = Database.open(str(settings.data / "darkroom.db"))
    jobs, pool = Jobs(database), studio
    hub = Hub(await jobs.first_event())
    lent: Any = pool
    dispatcher = Dispatcher(jobs, lent, hub, settings.data, policy=Policy(stop_grace=1), show=show)
    access = Access(database, settings)
    made = Service(settings, database, access, jobs, lent, hub, dispatcher, Limits(), described)
    made.arrived.set()
    await dispatcher.start()
    yield made
    studio.held.set()
    await made.stop()


@pytest.fixture
async def client(aiohttp_client: Serve, service: Service) -> Client:
    """A client of the whole application."""
    return await aiohttp_client(application(service))

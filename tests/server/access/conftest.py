import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from server.access import PRINCIPAL, Principal, Refused, needs, open_to_all, require
from server.access.access import Access
from server.access.bodies import BODY_LIMITS, BodyLimits, parse_json, read_body, read_chunks
from server.access.guard import Guard
from server.access.login import add_login
from server.access.passwords import hash_password
from server.access.tokens import add_token
from server.access.users import add_user
from server.database.database import Database
from server.settings import Settings

Client = TestClient[web.Request, web.Application]
MakeClient = Callable[..., Awaitable[Client]]
PASSWORD = "correct horse"  # noqa: S105 - of the tests


@web.middleware
async def answer_refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refused:
        told = {"code": refused.code, "message": refused.message, "hint": refused.hint}
        return web.json_response(told, status=refused.status, headers=refused.headers)


def make_app() -> web.Application:
    async def whoami(request: web.Request) -> web.Response:
        principal: Principal | None = request.get(PRINCIPAL)
        told = principal and {"user": principal.user, "scopes": sorted(principal.scopes)}
        return web.json_response(told)

    async def echo(request: web.Request) -> web.Response:
        return web.json_response(parse_json(await read_body(request)))

    async def upload(request: web.Request) -> web.Response:
        limits = request.config_dict[BODY_LIMITS]
        chunks = [len(chunk) async for chunk in read_chunks(request, limits.upload_bytes)]
        return web.json_response(sum(chunks))

    async def govern(request: web.Request) -> web.Response:
        require(request, "admin")
        return web.Response()

    async def socket(request: web.Request) -> web.StreamResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        await answer.send_str(request[PRINCIPAL].user)
        await answer.close()
        return answer

    async def text(request: web.Request) -> web.Response:
        return web.Response(body=await read_body(request))

    app = web.Application(middlewares=[answer_refusals])
    app.router.add_get("/", whoami)
    app.router.add_get("/open", open_to_all(whoami))
    app.router.add_post("/echo", needs("run")(echo))
    app.router.add_post("/text", text)
    app.router.add_post("/upload", upload)
    app.router.add_get("/govern", govern)
    app.router.add_get("/socket", socket)
    return app


@dataclass
class House:
    """A server with its users."""

    database: Database
    settings: Settings
    access: Access
    limits: BodyLimits = field(default_factory=BodyLimits)
    rate: float = 1000.0
    burst: float = 2000.0

    def app(self) -> web.Application:
        app = make_app()
        guard = Guard(
            self.access,
            self.access.addresses,
            limits=self.limits,
            rate=self.rate,
            burst=self.burst,
        )
        guard.install(app)
        add_login(app, self.access)
        return app

    async def user(self, name: str, *scopes: str, password: bool = False) -> None:
        kept = kept_password() if password else None
        chosen = scopes or ("read", "run", "write")
        await self.database.write(lambda connection: add_user(connection, name, chosen, kept))
        self.access.forget()

    async def token(self, user: str, **options: Any) -> str:
        made = await self.database.write(lambda c: add_token(c, user, **options))
        return made[1]


@cache
def kept_password() -> str:
    return hash_password(PASSWORD)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "darkroom.db"
    Database.open(str(path)).close()
    return path


@pytest.fixture
async def make_house(tmp_path: Path, empty_database: Path) -> AsyncIterator[Callable[..., House]]:
    made: list[House] = []
    shutil.copy(empty_database, tmp_path)

    def make(**settings: Any) -> House:
        chosen = Settings.model_validate({"data": tmp_path, **settings})
        database = made[0].database if made else Database.open(chosen.database_url)
        made.append(House(database, chosen, Access(database, chosen)))
        return made[-1]

    yield make
    for house in made:
        await house.access.close()
    if made:
        made[0].database.close()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house()

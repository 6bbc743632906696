"""The server put together: its parts made from the settings, its borders on one application."""

from aiohttp import web

from server.access.access import Access
from server.access.binding import check_binding
from server.access.bodies import BodyLimits
from server.access.guard import Guard
from server.access.login import add_login
from server.access.users import count_users
from server.admission import Limits
from server.api import border as native
from server.api.views import show
from server.comfy import border as comfyui
from server.database import Database
from server.dispatch import Dispatcher, Policy
from server.jobs.queue import Jobs
from server.live import Hub
from server.service import SERVICE, Service
from server.settings import Settings
from server.workers.opening import open_pool


async def build(settings: Settings) -> Service:
    """The parts of a server, not started yet.

    Raises:
        InputError: The database is another server's, or cannot be used; or the settings would let
            anybody in.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database.open(settings.database_url)
    try:
        check_binding(settings, await database.read(count_users))
        return await _assembled(settings, database)
    except BaseException:
        database.close()
        raise


async def _assembled(settings: Settings, database: Database) -> Service:
    jobs = Jobs(database)
    hub = Hub(await jobs.first_event())
    pool = open_pool(settings)
    policy = Policy(
        private_results=settings.results == "private",
        cancel_grace=settings.cancel_grace_seconds,
        stop_grace=settings.stop_grace_seconds,
    )
    service = Service(
        settings=settings,
        database=database,
        access=Access(database, settings),
        jobs=jobs,
        pool=pool,
        hub=hub,
        dispatcher=Dispatcher(jobs, pool, hub, settings.data, policy=policy, show=show),
        limits=Limits(nodes=settings.max_nodes, calls=settings.max_nodes),
    )
    pool.on_change = service.changed
    return service


def application(service: Service) -> web.Application:
    """The borders over a server's parts."""
    settings = service.settings
    app = web.Application(middlewares=[native.answer_problems], client_max_size=settings.max_upload)
    app[SERVICE] = service
    limits = BodyLimits(settings.max_body, settings.max_upload, settings.max_depth)
    guard = Guard(
        service.access,
        service.access.addresses,
        limits=limits,
        rate=settings.rate,
        burst=settings.burst,
    )
    guard.install(app)
    add_login(app, service.access)
    native.install(app)
    comfyui.install(app)
    return app

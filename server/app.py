"""The server put together: its parts made from the settings, its borders on one application."""

from aiohttp import web

from server.access.access import Access
from server.access.bodies import BodyLimits
from server.access.guard import Guard
from server.access.login import add_login
from server.admission import Limits
from server.api import border as native
from server.api.views import show
from server.database import Database
from server.dispatch import Dispatcher, Policy
from server.jobs.queue import Jobs
from server.live import Hub
from server.service import SERVICE, Service
from server.settings import Settings
from server.workers.local import LocalLine
from server.workers.outfit import Outfit
from server.workers.pool import Pool
from server.workers.spec import Care, Opener, Spec


async def build(settings: Settings) -> Service:
    """The parts of a server, not started yet.

    Raises:
        InputError: The database is another server's, or cannot be used.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database.open(settings.database_url)
    try:
        jobs = Jobs(database)
        hub = Hub(await jobs.first_event())
        pool = make_pool(settings)
    except BaseException:
        database.close()
        raise
    policy = Policy(
        private_results=settings.results == "private",
        cancel_grace=settings.cancel_grace_seconds,
    )
    return Service(
        settings=settings,
        database=database,
        jobs=jobs,
        pool=pool,
        hub=hub,
        dispatcher=Dispatcher(jobs, pool, hub, settings.data, policy=policy, show=show),
        limits=Limits(calls=settings.max_nodes),
        show=show,
    )


def make_pool(settings: Settings) -> Pool:
    """The workers that the settings ask for."""
    care = Care(beat=settings.heartbeat_seconds, most_bytes=settings.worker_memory or None)
    return Pool(local_opener(settings), local_specs(settings.workers), care=care)


def local_specs(workers: str) -> tuple[Spec, ...]:
    """The workers that `auto`, a number, or a list of devices stands for."""
    if workers == "auto":
        return ()
    if workers.isdecimal():
        return tuple(Spec(f"worker-{index}") for index in range(int(workers)))
    return tuple(Spec(f"worker-{i}", device) for i, device in enumerate(workers.split(",")))


def local_opener(settings: Settings) -> Opener:
    """Starts workers as processes of this machine."""

    async def opened(spec: Spec) -> LocalLine:
        outfit = Outfit(
            data=settings.data,
            nodes=settings.nodes,
            device=spec.device,
            disk_bytes=settings.disk_bytes,
            shared_store=settings.shared_store,
            hang=settings.heartbeat_seconds,
        )
        return await LocalLine.open(spec.id, outfit, {})

    return opened


def application(service: Service) -> web.Application:
    """The borders over a server's parts."""
    settings = service.settings
    access = Access(service.database, settings)
    limits = BodyLimits(
        json_bytes=settings.max_body, upload_bytes=settings.max_upload, depth=settings.max_depth
    )
    guard = Guard(access, access.addresses, limits=limits, rate=settings.rate, burst=settings.burst)
    app = web.Application(middlewares=[native.answer_problems], client_max_size=settings.max_upload)
    app[SERVICE] = service
    guard.install(app)
    add_login(app, access)
    native.install(app)

    async def end(_: web.Application) -> None:
        await access.close()

    app.on_cleanup.append(end)
    return app

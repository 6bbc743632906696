"""What ComfyUI's clients ask about the server itself."""

import os
import sys
from importlib.metadata import PackageNotFoundError, version

from aiohttp import web

from server import __version__
from server.settings import Settings
from server.workers.spec import WorkerView

from .call import Call, Route, answer, done
from .graph import Json

LIKE = "0.8.0"
"""The version of ComfyUI whose API this is."""


async def system_stats(call: Call) -> web.Response:
    """The machine, and a device for each worker's."""
    total, available = _memory()
    system = {
        "os": sys.platform,
        "ram_total": total,
        "ram_free": available,
        "comfyui_version": LIKE,
        "required_frontend_version": "",
        "installed_templates_version": None,
        "required_templates_version": None,
        "python_version": sys.version,
        "pytorch_version": _installed("torch"),
        "embedded_python": False,
        "argv": ["darkroom", "serve"],
        "darkroom_version": __version__,
    }
    workers: dict[str, WorkerView] = {}
    for worker in call.service.pool.workers:
        workers.setdefault(f"{worker.machine} {worker.device}", worker)
    return answer({"system": system, "devices": [_device(each) for each in workers.values()]})


async def read_features(call: Call) -> web.Response:
    """What the server can do beyond the oldest clients."""
    return answer(features(call.service.settings))


def features(settings: Settings) -> Json:
    """What the server can do, as `feature_flags` tells it."""
    return {
        "supports_preview_metadata": True,
        "max_upload_size": settings.max_upload,
        "extension": {},
    }


async def nothing(call: Call) -> web.Response:
    """An object without entries: of what there is none here."""
    return answer({})


async def no_list(call: Call) -> web.Response:
    """An empty list: of what there is none here."""
    return answer([])


async def none_such(call: Call) -> web.Response:
    """That there is no such thing."""
    return done(404)


async def logs(call: Call) -> web.Response:
    """No lines: the log may tell of other users, and is the administrator's."""
    return answer("")


async def raw_logs(call: Call) -> web.Response:
    """No lines, in the front end's form."""
    return answer({"entries": [], "size": {"cols": 80, "rows": 24}})


async def subscribe_logs(call: Call) -> web.Response:
    """Take a subscription to the log, on which nothing will come."""
    await call.json()
    return done()


def _device(worker: WorkerView) -> Json:
    kind, _, index = worker.device.partition(":")
    free = int(worker.memory.get("free", 0) or 0)
    total = int(worker.memory.get("total", 0) or 0)
    return {
        "name": worker.device,
        "type": kind,
        "index": int(index) if index.isdigit() else None,
        "vram_total": total,
        "vram_free": free,
        "torch_vram_total": total,
        "torch_vram_free": free,
    }


def _memory() -> tuple[int, int]:
    """Bytes of memory: all, and those that are free."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        return page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # as on Windows
        return 0, 0


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


ROUTES = (
    Route("GET", "/system_stats", system_stats),
    Route("GET", "/features", read_features),
    Route("GET", "/extensions", no_list),
    Route("GET", "/global_subgraphs", nothing),
    Route("GET", "/global_subgraphs/{id}", none_such),
    Route("GET", "/workflow_templates", nothing),
    Route("GET", "/i18n", nothing),
    Route("GET", "/internal/logs", logs),
    Route("GET", "/internal/logs/raw", raw_logs),
    Route("PATCH", "/internal/logs/subscribe", subscribe_logs, "read"),
)

"""Node types and model files, as ComfyUI's clients ask for them."""

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import web

from .call import Call, Route, answer, done
from .inventory import EMPTY, KINDS, sizes

_MOST = 16 * 2**20
"""Bytes of a header that are read."""


async def all_types(call: Call) -> web.Response:
    """Every node type."""
    told = await call.border.inventory.object_info(call.user)
    text = await asyncio.to_thread(json.dumps, told)
    return web.Response(text=text, content_type="application/json")


async def one_type(call: Call) -> web.Response:
    """One node type; nothing if it is not known."""
    name = call.named("name")
    told = await call.border.inventory.object_info(call.user)
    return answer({name: told[name]} if name in told else {})


async def kinds(call: Call) -> web.Response:
    """The folders of models."""
    return answer([*KINDS, *EMPTY])


async def names(call: Call) -> web.Response:
    """The models in one folder."""
    kind = call.named("folder")
    if kind not in (*KINDS, *EMPTY):
        return done(404)
    return answer(await call.border.inventory.names(kind))


async def embeddings(call: Call) -> web.Response:
    """The names of textual inversions."""
    return answer(await call.border.inventory.names("embeddings"))


async def folders(call: Call) -> web.Response:
    """The folders that hold models. Where they lie is not told."""
    return answer([{"name": kind, "folders": []} for kind in KINDS])


async def listed(call: Call) -> web.Response:
    """The models in one folder, with their sizes."""
    kind = call.named("folder")
    if kind not in (*KINDS, *EMPTY):
        return done(404)
    found = await call.border.inventory.models()
    return answer((await asyncio.to_thread(sizes, found)).get(kind, []))


async def no_preview(call: Call) -> web.Response:
    """That there is no picture of a model."""
    return done(404)


async def metadata(call: Call) -> web.Response:
    """What a safetensors file says of itself."""
    wanted = (call.named("folder"), call.query.get("filename", ""))
    for each in await call.border.inventory.models():
        if (each.get("kind"), each.get("name")) == wanted and each.get("path"):
            told = await asyncio.to_thread(_metadata, Path(str(each["path"])))
            return done(404) if told is None else answer(told)
    return done(404)


def _metadata(path: Path) -> Any:
    if path.suffix != ".safetensors":
        return None
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size)) if 0 < size <= _MOST else {}
    except (OSError, ValueError, RecursionError):
        return None
    return header.get("__metadata__") if isinstance(header, dict) else None


ROUTES = (
    Route("GET", "/object_info", all_types),
    Route("GET", "/object_info/{name}", one_type),
    Route("GET", "/models", kinds),
    Route("GET", "/models/{folder}", names),
    Route("GET", "/embeddings", embeddings),
    Route("GET", "/experiment/models", folders),
    Route("GET", "/experiment/models/{folder}", listed),
    Route("GET", "/experiment/models/preview/{folder}/{index}/{filename:.+}", no_preview),
    Route("GET", "/view_metadata/{folder}", metadata),
)

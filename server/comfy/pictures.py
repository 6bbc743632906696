"""Files that ComfyUI's clients send and fetch."""

import asyncio
import json
import mimetypes
import os
import re
from pathlib import Path
from typing import Any

from aiohttp import web

from engine.errors import InputError
from server.api.desk import ask
from server.api.files import safe_headers, send_file
from server.api.incoming import THUMBNAILS, Incoming, plain_name
from server.api.problems import ApiError
from server.homes import within

from .call import Call, Route, answer, done, refused
from .graph import Json
from .inventory import files_in

_ANNOTATED = re.compile(r"(.*?) ?\[(input|output|temp)\]", re.DOTALL)
_LARGEST_PREVIEW = 1024


def folder_of(call: Call, kind: str) -> Path | None:
    """The caller's folder that ComfyUI calls input, output or temp."""
    own = call.home
    return {"input": own.inputs, "output": own.outputs, "temp": own.previews}.get(kind)


async def view(call: Call) -> web.StreamResponse:
    """A file; or a smaller picture of it, its colours or its alpha channel."""
    name, kind = call.query.get("filename", ""), call.query.get("type", "output")
    if annotated := _ANNOTATED.fullmatch(name):
        name, kind = annotated[1], annotated[2]
    folder = folder_of(call, kind)
    if not name or folder is None:
        return done(400)
    try:
        path = within(folder, _joined(call.query.get("subfolder", ""), name))
    except InputError as error:
        return refused(403, str(error))
    status = await asyncio.to_thread(_status, path)
    if status is None:
        return done(404)
    shown = await _part(call, path)
    if shown is not None:
        return shown
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    tag = f"{status.st_mtime_ns:x}-{status.st_size:x}"
    return await send_file(call.request, path, media_type, tag)


async def _part(call: Call, path: Path) -> web.Response | None:
    """A picture made small, or its colours or alpha alone; none if it is wanted as it is, or no picture."""
    channel = call.query.get("channel")
    try:
        if "preview" in call.query:
            made = await ask(call.service, "thumbnail", path=str(path), size=_LARGEST_PREVIEW)
        elif channel == "rgb":
            made = await ask(call.service, "merged", colours=str(path))
        elif channel == "a":
            made = await ask(call.service, "merged", alpha=str(path))
        else:
            return None
    except ApiError:
        return None
    media_type = THUMBNAILS.get(made.blob[:3], "application/octet-stream")
    return web.Response(body=made.blob, headers=safe_headers(media_type, path.name))


async def upload(call: Call) -> web.Response:
    """Take a picture in. Another one of its name keeps it, unless it is to be overwritten."""
    async with Incoming(call.home.inputs) as file:
        await file.read_form(call.request, "image")
        return await _keep(call, file)


async def upload_mask(call: Call) -> web.Response:
    """Take a picture in whose alpha channel is to become that of another one."""
    async with Incoming(call.home.inputs) as file:
        await file.read_form(call.request, "image")
        original = _original(call, file.fields.get("original_ref", ""))
        if original is None:
            return refused(400, "original_ref must name a picture: filename, subfolder and type")
        if not await asyncio.to_thread(original.is_file):
            return refused(404, f"there is no picture {original.name!r}")
        if file.name is None:
            return refused(400, "send the mask in the field 'image'")
        try:
            paths = {"colours": str(original), "alpha": str(file.path)}
            made = await ask(call.service, "merged", **paths)
        except ApiError as error:
            return refused(400, str(file.named(error)))
        await asyncio.to_thread(file.replace, made.blob)
        return await _keep(call, file)


def _original(call: Call, text: str) -> Path | None:
    """The picture that a reference names; none if it is none, or leads elsewhere."""
    try:
        told: Any = json.loads(text)
        name, subfolder = str(told["filename"]), str(told.get("subfolder") or "")
        folder = folder_of(call, str(told.get("type") or "output"))
        return None if folder is None else within(folder, _joined(subfolder, name))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InputError):
        return None


async def list_files(call: Call) -> web.Response:
    """The names of the caller's files of one kind, the newest first."""
    folder = folder_of(call, call.named("kind"))
    if folder is None:
        return refused(400, "Invalid directory type")

    def listed() -> list[str]:
        found = [(path.stat().st_mtime, path) for path in files_in(folder)]
        return [path.relative_to(folder).as_posix() for _, path in sorted(found, reverse=True)]

    return answer(await asyncio.to_thread(listed))


async def folder_paths(call: Call) -> web.Response:
    """The folders of models, without telling where they lie."""
    return answer({})


async def _keep(call: Call, file: Incoming) -> web.Response:
    """Give the picture its name, or as ComfyUI does the next one that is free."""
    kind = file.fields.get("type") or "input"
    folder = folder_of(call, kind)
    if file.name is None or folder is None:
        return refused(400, "send a picture in the field 'image', of type input, temp or output")
    name = plain_name(file.name)
    if not name:
        return refused(400, f"{file.name[:100]!r} cannot be the name of a file")
    subfolder = file.fields.get("subfolder", "").replace("\\", "/").strip("/")
    overwrite = file.fields.get("overwrite", "").lower() in {"true", "1"}
    try:
        place = within(folder, _joined(subfolder, name))
        await ask(call.service, "probe", path=str(file.path))
    except InputError as error:
        return refused(400, str(error))
    except ApiError as error:
        return refused(400, str(file.named(error)))
    try:
        await asyncio.to_thread(place.parent.mkdir, parents=True, exist_ok=True)
        put = await asyncio.to_thread(file.keep, place, "{stem} ({number})", overwrite=overwrite)
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        return refused(409, f"{place.name!r} cannot be written there: something else has its name")
    told: Json = {"name": put.name, "subfolder": subfolder, "type": kind}
    return answer(told)


def _joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if folder.strip("/") else name


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat() if path.is_file() else None
    except OSError:
        return None


ROUTES = (
    Route("GET", "/view", view),
    Route("POST", "/upload/image", upload, "write"),
    Route("POST", "/upload/mask", upload_mask, "write"),
    Route("GET", "/internal/files/{kind}", list_files),
    Route("GET", "/internal/folder_paths", folder_paths),
)

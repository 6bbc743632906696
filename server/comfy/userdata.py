"""What ComfyUI's front end keeps for its user: settings, and files such as saved workflows."""

import asyncio
import json
import mimetypes
from pathlib import Path
from typing import Any

from aiohttp import web

from engine.errors import InputError
from engine.files import write_whole
from server.access.bodies import limits_of, read_body
from server.api.files import send_file
from server.homes import within

from .call import Call, Route, answer, done, refused
from .graph import Json
from .inventory import files_in


def _folder(call: Call) -> Path:
    return call.home.folder / "comfy"


def _files(call: Call) -> Path:
    return _folder(call) / "userdata"


def _settings(call: Call) -> Path:
    return _folder(call) / "settings.json"


# Users and settings


async def read_users(call: Call) -> web.Response:
    """That whoever asks is known already: users are Darkroom's own."""
    return answer({"storage": "server", "migrated": True})


async def add_user(call: Call) -> web.Response:
    """That nobody is added this way."""
    return refused(403, "users are added by an administrator: darkroom users add NAME")


async def read_settings(call: Call) -> web.Response:
    """All settings of the front end."""
    return answer(await asyncio.to_thread(_kept, _settings(call)))


async def read_setting(call: Call) -> web.Response:
    """One of them; null if it was never set."""
    kept = await asyncio.to_thread(_kept, _settings(call))
    return answer(kept.get(call.named("id")))


async def change_settings(call: Call) -> web.Response:
    """Set some."""
    await _change(call, await call.told())
    return done()


async def change_setting(call: Call) -> web.Response:
    """Set one."""
    await _change(call, {call.named("id"): await call.json()})
    return done()


async def _change(call: Call, told: Json) -> None:
    path = _settings(call)

    def change() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(_kept(path) | told).encode())

    async with call.border.settings:
        await asyncio.to_thread(change)


def _kept(path: Path) -> Json:
    try:
        kept: Any = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


# Files


async def list_files(call: Call) -> web.Response:
    """The files in a folder: their names, or more of them."""
    given = call.query.get("dir", "")
    if not given:
        return done(400)
    folder = _within(call, given)
    if folder is None:
        return done(403)
    if not await asyncio.to_thread(folder.is_dir):
        return done(404)
    deep = call.query.get("recurse", "").lower() == "true"
    full = call.query.get("full_info", "").lower() == "true"
    split = call.query.get("split", "").lower() == "true"

    def listed() -> list[Any]:
        found = [path for path in files_in(folder) if deep or path.parent == folder]
        names = [path.relative_to(folder).as_posix() for path in found]
        if full:
            return [_told(path, name) for path, name in zip(found, names, strict=True)]
        return [[name, *name.split("/")] for name in names] if split else names

    return answer(await asyncio.to_thread(listed))


async def list_entries(call: Call) -> web.Response:
    """The files and folders right in a folder."""
    given = call.query.get("path", "").strip("/")
    folder = _within(call, given) if given else _files(call)
    if folder is None:
        return refused(403, "Invalid file path")

    def listed() -> list[Json] | None:
        if not folder.is_dir():
            return None if given else []
        entries = []
        for path in sorted(folder.iterdir()):
            name = f"{given}/{path.name}" if given else path.name
            told: Json = {"name": path.name, "path": name, "modified": path.stat().st_mtime}
            if path.is_dir():
                entries.append(told | {"type": "directory"})
            else:
                entries.append(told | {"type": "file", "size": path.stat().st_size})
        return entries

    found = await asyncio.to_thread(listed)
    return refused(404, f"there is no folder {given[:200]!r}") if found is None else answer(found)


async def read_file(call: Call) -> web.StreamResponse:
    """A file as it is."""
    path = _within(call, call.named("file"))
    if path is None:
        return done(403)
    if not await asyncio.to_thread(path.is_file):
        return done(404)
    status = await asyncio.to_thread(path.stat)
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    tag = f"{status.st_mtime_ns:x}-{status.st_size:x}"
    return await send_file(call.request, path, media_type, tag)


async def write_file(call: Call) -> web.Response:
    """Keep the body as a file."""
    path = _within(call, call.named("file"))
    if path is None:
        return done(403)
    body = await read_body(call.request, limits_of(call.request).json_bytes)
    if call.query.get("overwrite", "true").lower() == "false" and path.exists():
        return web.Response(status=409, text="File already exists")

    def write() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, body)

    return await _changed(call, path, write)


async def delete_file(call: Call) -> web.Response:
    """Let go of a file."""
    path = _within(call, call.named("file"))
    if path is None:
        return done(403)
    if not path.is_file():
        return done(404)
    await asyncio.to_thread(path.unlink, missing_ok=True)
    return done(204)


async def move_file(call: Call) -> web.Response:
    """Give a file another name."""
    source, target = _within(call, call.named("file")), _within(call, call.named("target"))
    if source is None or target is None:
        return done(403)
    if not source.is_file():
        return done(404)
    if call.query.get("overwrite", "true").lower() == "false" and target.exists():
        return web.Response(status=409, text="File already exists")

    def move() -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)

    return await _changed(call, target, move)


async def _changed(call: Call, path: Path, change: Any) -> web.Response:
    try:
        await asyncio.to_thread(change)
    except (IsADirectoryError, NotADirectoryError, FileExistsError):
        return web.Response(status=409, text="Something else has this name")
    name = path.relative_to(_files(call)).as_posix()
    full = call.query.get("full_info", "").lower() == "true"
    return answer(_told(path, name) if full else name)


def _within(call: Call, name: str) -> Path | None:
    """The place of a file; none if the name leads elsewhere."""
    try:
        return within(_files(call), name)
    except InputError:
        return None


def _told(path: Path, name: str) -> Json:
    status = path.stat()
    times = {"modified": int(status.st_mtime * 1000), "created": int(status.st_ctime * 1000)}
    return {"path": name, "size": status.st_size, **times}


ROUTES = (
    Route("GET", "/users", read_users),
    Route("POST", "/users", add_user, "write"),
    Route("GET", "/settings", read_settings),
    Route("POST", "/settings", change_settings, "write"),
    Route("GET", "/settings/{id}", read_setting),
    Route("POST", "/settings/{id}", change_setting, "write"),
    Route("GET", "/userdata", list_files),
    Route("GET", "/v2/userdata", list_entries),
    Route("POST", "/userdata/{file}/move/{target}", move_file, "write"),
    Route("GET", "/userdata/{file:.+}", read_file),
    Route("POST", "/userdata/{file:.+}", write_file, "write"),
    Route("DELETE", "/userdata/{file:.+}", delete_file, "write"),
)

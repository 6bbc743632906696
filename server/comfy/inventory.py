"""The files that a node of ComfyUI may name, as lists that are read again when they change."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from server.homes import home
from server.service import Service

from .graph import Json
from .objects import object_info

KINDS = (
    *("checkpoints", "vae", "controlnet", "clip_vision"),
    *("loras", "embeddings", "upscale_models"),
)
"""The kinds of model file that there are, by the names of their folders."""
EMPTY = (
    "hypernetworks", "clip", "text_encoders", "clip_vision",
    "unet", "diffusion_models", "style_models", "gligen", "photomaker", "vae_approx", "configs",
    "diffusers",
)  # fmt: skip
"""Folders that ComfyUI's clients ask for, and of which Darkroom uses nothing yet."""
_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
_MOST = 10_000


class Inventory:
    """Lists of models and pictures, and what `/object_info` says with them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.lock = asyncio.Lock()
        self.stamp: object = None
        self.found: list[Json] = []
        self.told: dict[tuple[str, object], Json] = {}

    async def models(self) -> list[Json]:
        """The model files, as the node package finds them; asked again when a folder changes."""
        async with self.lock:
            stamp = await self._stamp()
            if stamp != self.stamp:
                answer = await self.service.pool.ask("models")
                if answer.error is not None:
                    return []
                self.stamp, self.found, self.told = stamp, list(answer.value), {}
            return self.found

    async def names(self, kind: str) -> list[str]:
        """The names of the models of one kind."""
        found = await self.models()
        return [str(each["name"]) for each in found if each.get("kind") == kind]

    async def object_info(self, user: str) -> Json:
        """Every node type with its inputs, the lists as this user has them."""
        catalogue = await self.service.types()
        lists = {kind: await self.names(kind) for kind in KINDS}
        folder = home(self.service.settings.data, user).inputs
        pictures = await asyncio.to_thread(lambda: sorted(pictures_in(folder)))
        key = (catalogue.digest, tuple(pictures))
        if key not in self.told:
            files = lists | {"images": pictures}
            if len(self.told) > 100:
                self.told.clear()
            self.told[key] = await asyncio.to_thread(object_info, catalogue.by_name, files)
        return self.told[key]

    async def _stamp(self) -> object:
        catalogue = self.service.catalogue
        folder = self.service.settings.data / "models"
        changed = await asyncio.to_thread(lambda: tuple(_changes(folder)))
        return (catalogue.digest if catalogue else "", changed)


def pictures_in(folder: Path) -> Iterator[str]:
    """The names of the pictures in a folder and those below, as nodes name them."""
    for place in files_in(folder):
        if place.suffix.lower() in _PICTURES:
            yield place.relative_to(folder).as_posix()


def files_in(folder: Path) -> Iterator[Path]:
    """The files in a folder and those below, without hidden ones, up to some thousands."""
    count = 0
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.startswith("."):
                continue
            count += 1
            if count > _MOST:
                return
            yield Path(parent, name)


def _changes(folder: Path) -> Iterator[tuple[str, float]]:
    """Each folder with the time at which a file came or went."""
    for parent, _, _ in os.walk(folder, followlinks=False):
        try:
            yield parent, Path(parent).stat().st_mtime
        except OSError:
            continue


def sizes(found: list[Json]) -> Mapping[str, list[Json]]:
    """For each kind its models as ComfyUI's front end lists them."""
    listed: dict[str, list[Json]] = {}
    for each in found:
        row: dict[str, Any] = {"name": each["name"], "pathIndex": 0, "size": each.get("bytes", 0)}
        try:
            row["modified"] = row["created"] = Path(each["path"]).stat().st_mtime
        except (OSError, KeyError):
            row["modified"] = row["created"] = 0
        listed.setdefault(str(each.get("kind")), []).append(row)
    return listed

"""The pool that the settings ask for."""

import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from engine.errors import InputError
from server.settings import MOST_WORKERS, WORKERS, Settings

from .line import Line
from .local import LocalLine
from .outfit import Outfit
from .pool import Pool
from .spec import Care, Opener, Spec


def open_pool(settings: Settings) -> Pool:
    """The workers that `settings.workers` names; none is started yet.

    Raises:
        InputError: It names none, or Ray is asked for and not installed.
    """
    outfit = Outfit(
        data=settings.data,
        nodes=settings.nodes,
        disk_bytes=settings.store_size,
        shared_store=settings.shared_store,
        computing=settings.computing,
        hang=2 * settings.heartbeat_seconds,
    )
    care = Care(
        beat=settings.heartbeat_seconds,
        stall=settings.stall_seconds or None,
        most_bytes=settings.worker_memory or None,
        most_runs=settings.worker_runs or None,
    )
    named = settings.workers.strip()
    if named == "ray" or named.startswith("ray:"):
        from .cluster import Cluster

        cluster = Cluster(named, outfit, local_opener(outfit))
        return Pool(cluster.open, (), care=care, follow=cluster.follow)
    found = specs(named)
    if care.most_bytes is None:
        care = replace(care, most_bytes=total_memory() * 3 // 4 // max(1, len(found)))
    return Pool(local_opener(outfit), found, care=care)


def total_memory() -> int:
    """Bytes of memory of this machine, or of its container if that has less."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # "max", where there is no limit
        found = min(found, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return found


def local_opener(outfit: Outfit) -> Opener:
    """Starts workers as processes beside this one, which import what it imports."""
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    async def opened(spec: Spec) -> Line:
        worn = replace(outfit, device=spec.device or outfit.device)
        return await LocalLine.open(spec.id, worn, environment)

    return opened


def specs(named: str) -> tuple[Spec, ...]:
    """The workers that a setting names; none for one on each device of this machine.

    Raises:
        InputError: It names none.
    """
    if named in {"", "auto"}:
        return ()
    if WORKERS.fullmatch(named) is None or named.startswith("ray"):
        raise InputError(
            f"--workers {named!r} names no workers: give auto, a number up to {MOST_WORKERS}, devices"
            " such as cuda:0,cuda:1, ray, ray://HOST:PORT, ray:HOST:PORT or ray:auto",
            code="bad_workers",
        )
    devices = [part.strip() for part in named.split(",")]
    if named.isdecimal():
        devices = ["auto"] * int(named)
    return tuple(
        Spec(f"worker-{number}", "" if device == "auto" else device)
        for number, device in enumerate(devices)
    )

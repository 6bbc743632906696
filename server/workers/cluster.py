"""Workers as actors of a Ray cluster: one for each GPU, or for some processors where there is none.

docs/cluster.md says what that needs and what it does not do.
"""

import asyncio
import os
import platform
from collections import deque
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from engine.errors import InputError
from server.beside import beside

from .ferry import Ferry
from .hosted import Hosted, framed, unframed
from .line import FrameError, Line, LineClosed
from .messages import Delivered, Done, FromWorker, Run, ToWorker
from .outfit import Outfit
from .spec import Opener, Spec

if TYPE_CHECKING:
    from .pool import Pool

_log = structlog.get_logger("cluster")
NODES_SECONDS = 3.0
RETRY_SECONDS = 10.0
PROCESSORS = 4
"""Of a machine without a GPU, for each worker."""


class RayLine:
    """A worker in an actor. Messages go as calls; what it says is fetched in batches."""

    def __init__(self, ray: Any, actor: Any) -> None:
        self.ray, self.actor = ray, actor
        self.ferry = Ferry()
        self.waiting: deque[FromWorker] = deque()
        self.speaking = asyncio.Lock()

    async def send(self, message: ToWorker) -> None:
        """Say something to the worker; a run comes after the files that it may read.

        Raises:
            InputError: The files are too large to be sent.
        """
        async with self.speaking:  # calls of an actor with several threads may overtake each other
            if isinstance(message, Run):
                lending = self.ferry.lend(message)
                while (lent := await asyncio.to_thread(next, lending, None)) is not None:
                    await self._say(lent)
            await self._say(message)

    async def receive(self) -> FromWorker:
        """What the worker says next; files that it delivers are put where they belong.

        Raises:
            LineClosed: It is gone.
        """
        while True:
            while not self.waiting:
                await self._listen()
            message = self.waiting.popleft()
            if isinstance(message, Delivered):
                await self._take(message)
            elif isinstance(message, Done):
                return self.ferry.arrive(message)
            else:
                return message

    async def kill(self) -> None:
        """End the actor, and the process that it is."""
        with suppress(Exception):  # it may be gone, or its machine, or the cluster
            await asyncio.to_thread(self.ray.kill, self.actor)

    async def _say(self, message: ToWorker) -> None:
        with suppress(self.ray.exceptions.RayError, ConnectionError):
            await asyncio.wrap_future(self.actor.hear.remote(framed(message)).future())

    async def _listen(self) -> None:
        try:
            frames = await asyncio.wrap_future(self.actor.listen.remote().future())
        except (self.ray.exceptions.RayError, ConnectionError) as error:
            raise _closed(error) from error
        if frames is None:
            await self.kill()
            raise LineClosed("it left")
        try:
            told = [unframed(frame) for frame in frames]
        except FrameError as error:
            await self.kill()
            raise LineClosed(f"it does not keep to the protocol: {error}") from error
        self.waiting += [message for message in told if isinstance(message, FromWorker)]

    async def _take(self, delivered: Delivered) -> None:
        try:
            await asyncio.to_thread(self.ferry.take, delivered)
        except (InputError, OSError) as error:
            await self.kill()
            raise LineClosed(f"a file that it delivered could not be written: {error}") from error


class Cluster:
    """The machines of a Ray cluster.

    Args:
        address: As `darkroom serve --workers` takes it: `ray` for a cluster of this machine alone,
            `ray://HOST:PORT` for a cluster through its client server, `ray:HOST:PORT` or `ray:auto`
            for one that this machine is part of.
        outfit: What workers are given.
        local: Opens what does not belong into the cluster: the desk, which reads the server's disk.
        processors: Of a machine without a GPU, for each worker.

    Raises:
        InputError: Ray is not installed.
    """

    def __init__(
        self, address: str, outfit: Outfit, local: Opener, *, processors: int = PROCESSORS
    ) -> None:
        needed = ("ray", "grpc") if address.startswith("ray://") else ("ray",)
        if any(find_spec(name) is None for name in needed):
            raise InputError(
                f"--workers {address} needs Ray and its client: pip install 'darkroom[cluster]'",
                code="no_ray",
            )
        self.address = address
        self.outfit = replace(outfit, carries=True, hang=0.0)
        self.local, self.processors = local, processors
        self.nodes: Mapping[str, Mapping[str, Any]] = {}
        self.ray: Any = None

    async def open(self, spec: Spec) -> Line:
        """Start a worker on its machine.

        Raises:
            LineClosed: The machine is gone, or it cannot work there.
        """
        if not spec.place:
            return await self.local(spec)
        if self.ray is None or spec.place not in self.nodes:
            raise LineClosed("its machine is gone")
        return await asyncio.to_thread(self._opened, spec)

    async def follow(self, pool: "Pool") -> None:
        """Connect, and keep a worker for whatever there is, as machines come and go."""
        known: set[Spec] = set()
        try:
            while True:
                try:
                    wanted = set(await self._specs())
                    pool.trouble = ""
                except (InputError, ConnectionError, RuntimeError, OSError) as error:
                    if str(error) != pool.trouble:
                        pool.trouble = str(error)
                        _log.error("the cluster cannot be used", reason=pool.trouble)
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                for spec in sorted(known - wanted, key=lambda each: each.id):
                    await pool.remove(spec.id)
                for spec in sorted(wanted - known, key=lambda each: each.id):
                    pool.add(spec)
                known = wanted
                await asyncio.sleep(NODES_SECONDS)
        finally:
            pool.closing.append(self.close)

    async def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        if self.ray is not None:
            await asyncio.to_thread(self.ray.shutdown)

    # Called in threads

    async def _specs(self) -> list[Spec]:
        return await asyncio.wrap_future(beside(self._found, "cluster"))

    def _found(self) -> list[Spec]:
        if self.ray is None:
            self.ray = connected(self.address)
        try:
            found = self.ray.nodes()
        except ConnectionError:  # the head is gone: this connection never works again
            ray, self.ray = self.ray, None
            ray.shutdown()
            raise
        alive = {node["NodeID"]: node for node in found if node["Alive"]}
        self.nodes = usable(alive, self.outfit.shared_store)
        return [spec for node in self.nodes.values() for spec in specs_of(node, self.processors)]

    def _opened(self, spec: Spec) -> RayLine:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        node = self.nodes.get(spec.place)
        if node is None:
            raise LineClosed("its machine is gone")
        on_gpu = spec.device == "cuda"
        processors = min(self.processors, int(node["Resources"].get("CPU", 0)))
        hosted = self.ray.remote(Hosted).options(
            num_gpus=1 if on_gpu else 0,
            num_cpus=0 if on_gpu else processors,
            max_restarts=0,
            max_concurrency=4,
            scheduling_strategy=NodeAffinitySchedulingStrategy(spec.place, soft=False),
        )
        outfit = replace(self.outfit, device=spec.device)
        try:
            actor = hosted.remote(outfit.to_json(), platform.node())
        except (self.ray.exceptions.RayError, ConnectionError) as error:
            raise _closed(error) from error
        return RayLine(self.ray, actor)


def connected(address: str, environment: MutableMapping[str, str] = os.environ) -> Any:
    """Ray, connected to a cluster, or to one that is started for this process.

    Raises:
        InputError: There is no such cluster, or it does not let us in.
    """
    environment.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    given = address_of(address)
    if given not in {None, "auto"}:
        # Ray looks for its token by itself only where it finds the cluster by itself.
        with_token(environment)
    import ray

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "warning"}
    try:
        if given is None:
            ray.init(include_dashboard=False, **options)
        else:
            ray.init(address=given, **options)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise InputError(
            f"the Ray cluster {address} cannot be reached: {str(error).strip().splitlines()[0]}."
            " Is it running, with the same versions of Ray and Python, and is its token in"
            " ~/.ray/auth_token?",
            code="no_cluster",
        ) from error
    return ray


def address_of(workers: str) -> str | None:
    """Ray's own form of an address; None for a cluster of this machine alone."""
    if workers == "ray":
        return None
    return workers if workers.startswith("ray://") else workers.removeprefix("ray:")


def with_token(environment: MutableMapping[str, str], home: Callable[[], Path] = Path.home) -> None:
    """Have Ray show its token, if there is one and nothing else is said."""
    if "RAY_AUTH_MODE" in environment:
        return
    named = environment.get("RAY_AUTH_TOKEN_PATH")
    path = Path(named) if named else home() / ".ray" / "auth_token"
    if environment.get("RAY_AUTH_TOKEN") or path.is_file():
        environment["RAY_AUTH_MODE"] = "token"


def usable(
    nodes: Mapping[str, Mapping[str, Any]], shared_store: str, here: str | None = None
) -> dict[str, Mapping[str, Any]]:
    """The machines of a cluster that can work together.

    Raises:
        InputError: There is another machine than this, and no store that they share.
    """
    here = here or platform.node()
    others = sorted({node["NodeManagerHostname"] for node in nodes.values()} - {here})
    if others and not shared_store:
        raise InputError(
            f"the workers on {', '.join(others)} need a store that they share with this machine:"
            " name a bucket, or a folder that all of them mount, by DARKROOM_SHARED_STORE",
            code="no_shared_store",
        )
    return dict(nodes)


def specs_of(node: Mapping[str, Any], processors: int) -> Iterable[Spec]:
    """The workers that a machine can hold."""
    place, resources = node["NodeID"], node["Resources"]
    name = f"{node['NodeManagerHostname']}-{place[:6]}"
    for number in range(int(resources.get("GPU", 0))):
        yield Spec(f"{name}-gpu{number}", "cuda", place)
    if not resources.get("GPU"):
        count = int(resources.get("CPU", 0))
        for number in range(max(count // processors, min(count, 1))):
            yield Spec(f"{name}-cpu{number}", "cpu", place)


def _closed(error: BaseException) -> LineClosed:
    """What an error of Ray's says of a worker."""
    text = str(error).strip()
    is_memory = "OutOfMemory" in type(error).__name__ or "memory pressure" in text
    first = next(iter(text.splitlines()), type(error).__name__)
    causes = [line.strip() for line in text.splitlines() if "Error: " in line]
    reason = causes[-1] if causes else first
    return LineClosed(reason, "memory" if is_memory else "died")

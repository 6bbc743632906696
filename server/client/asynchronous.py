"""The client for programs with an event loop; the other one stands on it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from .connection import DEFAULT_URL, ROOT, Connection, Request
from .errors import ClientError
from .following import follow_all
from .jobs import AsyncJob
from .models import Event, Explanation, Health, Json, Plan, Problem, Queue, Snapshot, Upload
from .orders import Order, Runnable, document_of, new_key
from .workflows import AsyncWorkflows


class AsyncClient:
    """A server of Darkroom's, from a program with an event loop; use it in an `async with`.

    Args:
        url: Where the server listens.
        token: Who you are, on a server with users.
        patience: Seconds that a server which was lost may take to come back.
    """

    def __init__(
        self, url: str = DEFAULT_URL, *, token: str | None = None, patience: float = 30.0
    ) -> None:
        self.connection = Connection(url, token, patience)
        self.workflows = AsyncWorkflows(self.connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.connection.close()

    # Jobs

    async def run(
        self,
        workflow: Runnable,
        *,
        inputs: Mapping[str, Any] | None = None,
        axes: Mapping[str, Any] | None = None,
        priority: int = 0,
        front: bool = False,
        webhook: str | None = None,
        key: str | None = None,
        **values: Any,
    ) -> AsyncJob:
        """Queue a workflow with values for its inputs; returns at once, with the job.

        Args:
            workflow: The name of a saved workflow, a file, a document, or a `Workflow`.
            inputs: Values by name; needed for names such as `sampler.steps`.
            axes: Inputs to sweep, each with its values.
            priority: Higher runs earlier.
            front: Whether it goes before the others of its priority.
            webhook: An address that is told how the job ended.
            key: Stands for this request. Asked again with it, the first job is the answer. If left
                out there is a new one, so that a lost connection never makes two jobs.
            **values: Further inputs. A `Path` is a picture that is sent first.

        Raises:
            ApiError: The workflow has problems; the error has all of them.
            ConnectionFailed: The server does not answer.
        """
        order = Order(workflow, {**(inputs or {}), **values}, axes or {}, priority, front, webhook)
        body = (await order.sent(self._sent)).body()
        told = await self._keyed(f"{ROOT}/jobs", body, key)
        return AsyncJob(self.connection, Snapshot.read(told))

    async def submit(self, orders: Sequence[Order], key: str | None = None) -> list[AsyncJob]:
        """Queue several graphs, all or none.

        Raises:
            ApiError: One of them has problems.
        """
        bodies = [(await order.sent(self._sent)).body() for order in orders]
        told = await self._keyed(f"{ROOT}/jobs/batch", {"jobs": bodies}, key)
        return [AsyncJob(self.connection, Snapshot.read(each)) for each in told["jobs"]]

    async def job(self, job_id: str) -> AsyncJob:
        """A job by its id.

        Raises:
            ApiError: There is none.
        """
        told = await self._get(f"jobs/{quote(job_id, safe='')}")
        return AsyncJob(self.connection, Snapshot.read(told))

    async def jobs(
        self,
        *states: str,
        name: str | None = None,
        text: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        queue: bool = False,
        everybody: bool = False,
    ) -> AsyncGenerator[AsyncJob, None]:
        """The jobs, the newest first; further pages are asked for as they are needed.

        Args:
            *states: Only those in one of these states.
            name: Only those of a workflow.
            text: Only those with this in their name or id.
            since: Only those created then or later.
            until: Only those created before.
            queue: In the order in which they will run.
            everybody: Those of all users; needs the scope `admin`.
        """
        query: Json = {
            "state": states, "name": name, "text": text, "queue": queue, "everybody": everybody,
            "since": since and since.astimezone().isoformat(),
            "until": until and until.astimezone().isoformat(),
            "limit": 100, "after": None,
        }  # fmt: skip
        while True:
            page = await self._get("jobs", query)
            for told in page["jobs"]:
                yield AsyncJob(self.connection, Snapshot.read(told))
            query["after"] = page["next"]
            if query["after"] is None:
                return

    async def delete(self, *job_ids: str) -> list[str]:
        """Have the server forget jobs that have ended; returns which ones it has forgotten."""
        told = await self._post("jobs/delete", {"ids": list(job_ids)})
        return list(told["deleted"])

    async def cancel_all(self, *, running: bool = True) -> None:
        """Cancel all of your jobs that have not ended, those that run included or not."""
        query = {"running": "true" if running else "false"}
        path = f"{ROOT}/queue/cancel"
        await self.connection.ask(Request("POST", path, query=query, repeatable=True))

    async def events(
        self, *types: str, after: int | None = None, everybody: bool = False
    ) -> AsyncGenerator[Event, None]:
        """What happens on the server, from now on or after an event's id; without end.

        Args:
            *types: Only these, such as `job.failed`, or groups of them such as `job`.
            after: The id of the last event that was seen.
            everybody: Those of all users; needs the scope `admin`.
        """
        async for event in follow_all(self.connection, types, after, everybody=everybody):
            yield event

    # Questions

    async def validate(self, workflow: Runnable, **values: Any) -> tuple[Problem, ...]:
        """Every problem of a workflow with these values; none if it can run."""
        told = await self._asked("validate", Order(workflow, values))
        return tuple(Problem.read(each) for each in told["problems"])

    async def plan(
        self, workflow: Runnable, *, axes: Mapping[str, Any] | None = None, **values: Any
    ) -> Plan:
        """Which nodes would run and why, and which results are stored.

        Raises:
            ApiError: The workflow has problems.
        """
        return Plan.read(await self._asked("plan", Order(workflow, values, axes or {})))

    async def explain(
        self,
        workflow: Runnable,
        *,
        node: str | None = None,
        changed: Runnable | None = None,
        **values: Any,
    ) -> Explanation:
        """What has changed since each node's nearest result; or what an edit would invalidate.

        Raises:
            ApiError: The workflow has problems, or there is no such node.
        """
        more: Json = {} if node is None else {"node": node}
        if changed is not None:
            more["changed"] = document_of(changed)
        return Explanation.read(await self._asked("explain", Order(workflow, values), more))

    async def ask(self, question: str, body: Json) -> Json:
        """The answer to a question about a graph (`plan`, `explain`, `validate`) as it came."""
        told: Json = await self._post(question, body)
        return told

    async def upload(
        self, picture: str | Path, *, name: str | None = None, overwrite: bool = False
    ) -> Upload:
        """Send a picture; the answer has the name by which workflows name it.

        Raises:
            ApiError: It is no picture, or too large.
            ClientError: The file cannot be read.
        """
        path = Path(picture)
        try:
            data = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise ClientError(f"the picture {path} cannot be read: {error.strerror}") from error
        request = Request(
            "POST",
            f"{ROOT}/uploads",
            query={"name": name or path.name, "overwrite": overwrite},
            data=data,
            headers={"Content-Type": "application/octet-stream"},
            repeatable=True,
        )
        return Upload.read(await self.connection.ask(request))

    async def nodes(self) -> dict[str, Json]:
        """The node types by name, each with the JSON Schema of its inputs."""
        return dict((await self._get("nodes"))["nodes"])

    async def models(self) -> list[Json]:
        """The model files that the server finds."""
        return list((await self._get("models"))["models"])

    async def queue(self, *, everybody: bool = False) -> Queue:
        """How many jobs there are by state, and whether the queue is paused."""
        return Queue.read(await self._get("queue", {"everybody": everybody}))

    async def pause(self) -> Queue:
        """Have the server start no more jobs; those that run are not touched."""
        return Queue.read(await self._post("queue/pause"))

    async def resume(self) -> Queue:
        """Have the server start jobs again."""
        return Queue.read(await self._post("queue/resume"))

    async def health(self) -> Health:
        """How the server is."""
        return Health.read(await self._get("health"))

    async def system(self) -> Json:
        """What the server runs on, and its workers."""
        told: Json = await self._get("system")
        return told

    async def _get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return await self.connection.ask(Request("GET", f"{ROOT}/{path}", query=query or {}))

    async def _post(self, path: str, body: Json | None = None) -> Any:
        """Ask for what may be asked twice."""
        return await self.connection.ask(
            Request("POST", f"{ROOT}/{path}", body=body, repeatable=True)
        )

    async def _keyed(self, path: str, body: Json, key: str | None) -> Any:
        headers = {"Idempotency-Key": key or new_key()}
        return await self.connection.ask(
            Request("POST", path, body=body, headers=headers, repeatable=True)
        )

    async def _asked(self, question: str, order: Order, more: Json | None = None) -> Json:
        graph = (await order.sent(self._sent)).graph()
        return await self.ask(question, graph | (more or {}))

    async def _sent(self, picture: Path) -> str:
        return (await self.upload(picture)).name

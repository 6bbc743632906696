"""The client for scripts and notebooks: the asynchronous one, behind plain calls."""

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .asynchronous import AsyncClient
from .connection import DEFAULT_URL
from .handles import Job, Workflows
from .models import Event, Explanation, Health, Json, Plan, Problem, Queue, Upload
from .orders import Order, Runnable
from .portal import Portal


class Client:
    """A server of Darkroom's, from a script or a notebook.

    It may be used in a `with`; from several threads, too. `AsyncClient` says more of each call.

    Args:
        url: Where the server listens.
        token: Who you are, on a server with users.
        patience: Seconds that a server which was lost may take to come back.
    """

    def __init__(
        self, url: str = DEFAULT_URL, *, token: str | None = None, patience: float = 30.0
    ) -> None:
        self._client = AsyncClient(url, token=token, patience=patience)
        self._portal = Portal(self._client.close)
        self.workflows = Workflows(self._portal, self._client.workflows)

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._client.connection.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; that happens by itself when neither client nor jobs are needed."""
        self._portal.close()

    def run(
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
    ) -> Job:
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
        work = self._client.run(
            workflow, inputs=inputs, axes=axes, priority=priority, front=front, webhook=webhook,
            key=key, **values,
        )  # fmt: skip
        return Job(self._portal, self._portal.call(work))

    def submit(self, orders: Sequence[Order], key: str | None = None) -> list[Job]:
        """Queue several graphs, all or none.

        Raises:
            ApiError: One of them has problems.
        """
        jobs = self._portal.call(self._client.submit(orders, key))
        return [Job(self._portal, job) for job in jobs]

    def job(self, job_id: str) -> Job:
        """A job by its id.

        Raises:
            ApiError: There is none.
        """
        return Job(self._portal, self._portal.call(self._client.job(job_id)))

    def jobs(
        self,
        *states: str,
        name: str | None = None,
        text: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        queue: bool = False,
        everybody: bool = False,
    ) -> Generator[Job, None, None]:
        """The jobs, the newest first; further pages are asked for as they are needed."""
        found = self._client.jobs(
            *states, name=name, text=text, since=since, until=until, queue=queue,
            everybody=everybody,
        )  # fmt: skip
        for job in self._portal.iterate(found):
            yield Job(self._portal, job)

    def delete(self, *job_ids: str) -> list[str]:
        """Have the server forget jobs that have ended; returns which ones it has forgotten."""
        return self._portal.call(self._client.delete(*job_ids))

    def cancel_all(self, *, running: bool = True) -> None:
        """Cancel all of your jobs that have not ended, those that run included or not."""
        self._portal.call(self._client.cancel_all(running=running))

    def events(
        self, *types: str, after: int | None = None, everybody: bool = False
    ) -> Generator[Event, None, None]:
        """What happens on the server, from now on or after an event's id; without end."""
        yield from self._portal.iterate(
            self._client.events(*types, after=after, everybody=everybody)
        )

    def validate(self, workflow: Runnable, **values: Any) -> tuple[Problem, ...]:
        """Every problem of a workflow with these values; none if it can run."""
        return self._portal.call(self._client.validate(workflow, **values))

    def plan(
        self, workflow: Runnable, *, axes: Mapping[str, Any] | None = None, **values: Any
    ) -> Plan:
        """Which nodes would run and why, and which results are stored.

        Raises:
            ApiError: The workflow has problems.
        """
        return self._portal.call(self._client.plan(workflow, axes=axes, **values))

    def explain(
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
        work = self._client.explain(workflow, node=node, changed=changed, **values)
        return self._portal.call(work)

    def ask(self, question: str, body: Json) -> Json:
        """The answer to a question about a graph (`plan`, `explain`, `validate`) as it came."""
        return self._portal.call(self._client.ask(question, body))

    def upload(
        self, picture: str | Path, *, name: str | None = None, overwrite: bool = False
    ) -> Upload:
        """Send a picture; the answer has the name by which workflows name it.

        Raises:
            ApiError: It is no picture, or too large.
            ClientError: The file cannot be read.
        """
        return self._portal.call(self._client.upload(picture, name=name, overwrite=overwrite))

    def nodes(self) -> dict[str, Json]:
        """The node types by name, each with the JSON Schema of its inputs."""
        return self._portal.call(self._client.nodes())

    def models(self) -> list[Json]:
        """The model files that the server finds."""
        return self._portal.call(self._client.models())

    def queue(self, *, everybody: bool = False) -> Queue:
        """How many jobs there are by state, and whether the queue is paused."""
        return self._portal.call(self._client.queue(everybody=everybody))

    def pause(self) -> Queue:
        """Have the server start no more jobs; those that run are not touched."""
        return self._portal.call(self._client.pause())

    def resume(self) -> Queue:
        """Have the server start jobs again."""
        return self._portal.call(self._client.resume())

    def health(self) -> Health:
        """How the server is."""
        return self._portal.call(self._client.health())

    def system(self) -> Json:
        """What the server runs on, and its workers."""
        return self._portal.call(self._client.system())

"""The client for scripts and notebooks: the asynchronous one, behind plain calls."""

import asyncio
import weakref
from base64 import b64encode
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from engine.workflow import Workflow

from .asynchronous import AsyncClient
from .connection import DEFAULT_URL
from .jobs import AsyncJob, AsyncOutput
from .models import (
    Event,
    Explanation,
    Health,
    Json,
    NodeRecord,
    Plan,
    Problem,
    Queue,
    Upload,
    WorkflowEntry,
)
from .orders import Order, Runnable
from .portal import Portal
from .shown import ShownJob, ShownOutput
from .workflows import AsyncWorkflows


class Output(ShownOutput):
    """One output of a job."""

    def __init__(self, client: "Client", output: AsyncOutput) -> None:
        super().__init__(output.name, output.given)
        self._client, self._portal, self._output = client, client.portal, output

    def bytes(self, index: int = 0) -> bytes:
        """The bytes of its first file, or of another one.

        Raises:
            ApiError: The file is not kept any more.
        """
        return self._portal.call(self._output.bytes(index))

    def save(self, folder: str | Path) -> list[Path]:
        """Put its files into a folder; nothing there is overwritten. Returns where they are.

        Raises:
            ApiError: A file is not kept any more.
        """
        return self._portal.call(self._output.save(folder))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """The first picture, for notebooks, which show it."""
        shown = {"text/plain": repr(self)}
        if self.files and self.files[0].media_type.startswith("image/"):
            shown[self.files[0].media_type] = b64encode(self.bytes()).decode("ascii")
        return shown


class Job(ShownJob):
    """A job; what is asked of it goes to the server, what it shows is what was told last."""

    def __init__(self, client: "Client", job: AsyncJob) -> None:
        super().__init__(job.snapshot)
        self._client, self._portal, self._job = client, client.portal, job

    @property
    def outputs(self) -> Mapping[str, Output]:
        """What it gave, by name."""
        return {name: Output(self._client, each) for name, each in self._job.outputs.items()}

    def refresh(self) -> Self:
        """Hear of it again."""
        self._portal.call(self._job.refresh())
        return self._heard()

    def wait(self, timeout: float | None = None) -> Self:
        """Wait until it has ended, however.

        Raises:
            TimeoutError: It has not ended after `timeout` seconds.
            ConnectionFailed: The server was lost and did not come back in time.
        """
        try:
            self._portal.call(asyncio.wait_for(self._job.wait(), timeout))
        except TimeoutError:
            self._heard()
            raise TimeoutError(f"job {self.id} is {self.state} after {timeout} seconds") from None
        return self._heard()

    def result(self, timeout: float | None = None) -> Mapping[str, Output]:
        """What it gave, once it has succeeded.

        Raises:
            JobFailed: It has failed; the error has the problems.
            JobCancelled: It was cancelled.
            TimeoutError: It has not ended after `timeout` seconds.
        """
        self.wait(timeout).check()
        return self.outputs

    def events(self, after: int = 0, *, previews: bool = False) -> Generator[Event, None, None]:
        """What happens in it, from its beginning or after an event's id, up to its end.

        Lost connections and restarts of the server are survived: no event is left out but progress
        within nodes, and none comes twice. With `previews` an event that has a picture comes a
        second time, with the picture.

        Raises:
            ConnectionFailed: The server was lost and did not come back in time.
        """
        for event in self._portal.iterate(self._job.events(after, previews=previews)):
            self._heard()
            yield event

    def nodes(self) -> list[NodeRecord]:
        """What became of each of its nodes."""
        return self._portal.call(self._job.nodes())

    def document(self) -> Json:
        """The workflow as it was queued, with its values."""
        return self._portal.call(self._job.document())

    def cancel(self) -> Self:
        """Cancel it. If it runs it ends when its node yields: wait for that.

        Raises:
            ApiError: It has ended otherwise.
        """
        self._portal.call(self._job.cancel())
        return self._heard()

    def retry(self) -> "Job":
        """Queue it once more, as a new job.

        Raises:
            ApiError: It has not ended.
        """
        return Job(self._client, self._portal.call(self._job.retry()))

    def move(
        self,
        to: Literal["front", "back"] | None = None,
        *,
        before: str | None = None,
        priority: int | None = None,
    ) -> Self:
        """Give it another place in the queue: an end, before another job, another priority.

        Raises:
            ApiError: It is not queued any more.
        """
        self._portal.call(self._job.move(to, before=before, priority=priority))
        return self._heard()

    def delete(self) -> None:
        """Have the server forget it. What it delivered stays.

        Raises:
            ApiError: It has not ended.
        """
        self._portal.call(self._job.delete())

    def _heard(self) -> Self:
        self.snapshot = self._job.snapshot
        return self


class Workflows:
    """Your saved workflows, and those that come with Darkroom."""

    def __init__(self, client: "Client", workflows: AsyncWorkflows) -> None:
        self._client, self._portal, self._workflows = client, client.portal, workflows

    def all(self) -> list[WorkflowEntry]:
        """Every workflow by name."""
        return self._portal.call(self._workflows.all())

    def read(self, name: str) -> Workflow:
        """One workflow.

        Raises:
            ApiError: There is none of this name.
        """
        return self._portal.call(self._workflows.read(name))

    def signature(self, name: str) -> Json:
        """What a workflow takes and gives, as JSON Schema."""
        return self._portal.call(self._workflows.signature(name))

    def save(self, name: str, workflow: Runnable, *, revision: str | None = None) -> WorkflowEntry:
        """Save a workflow; `revision` is the one that it takes the place of, or `*`.

        Raises:
            ApiError: There is one of another revision (status 412).
        """
        return self._portal.call(self._workflows.save(name, workflow, revision=revision))

    def delete(self, name: str, *, revision: str = "*") -> None:
        """Delete a workflow of yours; its versions stay."""
        self._portal.call(self._workflows.delete(name, revision=revision))

    def versions(self, name: str) -> list[Json]:
        """What was saved under a name, the latest first."""
        return self._portal.call(self._workflows.versions(name))


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
        self.portal = Portal()
        self._client = AsyncClient(url, token=token, patience=patience)
        self._closing = weakref.finalize(self, self.portal.close, self._client.close)

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._client.connection.url

    @property
    def workflows(self) -> Workflows:
        """The workflows that the server keeps."""
        return Workflows(self, self._client.workflows)

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
        self._closing()

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
        return Job(self, self.portal.call(work))

    def submit(self, orders: Sequence[Order], key: str | None = None) -> list[Job]:
        """Queue several graphs, all or none.

        Raises:
            ApiError: One of them has problems.
        """
        jobs = self.portal.call(self._client.submit(orders, key))
        return [Job(self, job) for job in jobs]

    def job(self, job_id: str) -> Job:
        """A job by its id.

        Raises:
            ApiError: There is none.
        """
        return Job(self, self.portal.call(self._client.job(job_id)))

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
        for job in self.portal.iterate(found):
            yield Job(self, job)

    def delete(self, *job_ids: str) -> list[str]:
        """Have the server forget jobs that have ended; returns which ones it has forgotten."""
        return self.portal.call(self._client.delete(*job_ids))

    def cancel_all(self, *, running: bool = True) -> None:
        """Cancel all of your jobs that have not ended, those that run included or not."""
        self.portal.call(self._client.cancel_all(running=running))

    def events(
        self, *types: str, after: int | None = None, everybody: bool = False
    ) -> Generator[Event, None, None]:
        """What happens on the server, from now on or after an event's id; without end."""
        yield from self.portal.iterate(
            self._client.events(*types, after=after, everybody=everybody)
        )

    def validate(self, workflow: Runnable, **values: Any) -> tuple[Problem, ...]:
        """Every problem of a workflow with these values; none if it can run."""
        return self.portal.call(self._client.validate(workflow, **values))

    def plan(
        self, workflow: Runnable, *, axes: Mapping[str, Any] | None = None, **values: Any
    ) -> Plan:
        """Which nodes would run and why, and which results are stored.

        Raises:
            ApiError: The workflow has problems.
        """
        return self.portal.call(self._client.plan(workflow, axes=axes, **values))

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
        return self.portal.call(work)

    def ask(self, question: str, body: Json) -> Json:
        """The answer to a question about a graph (`plan`, `explain`, `validate`) as it came."""
        return self.portal.call(self._client.ask(question, body))

    def upload(
        self, picture: str | Path, *, name: str | None = None, overwrite: bool = False
    ) -> Upload:
        """Send a picture; the answer has the name by which workflows name it.

        Raises:
            ApiError: It is no picture, or too large.
            OSError: The file cannot be read.
        """
        return self.portal.call(self._client.upload(picture, name=name, overwrite=overwrite))

    def nodes(self) -> dict[str, Json]:
        """The node types by name, each with the JSON Schema of its inputs."""
        return self.portal.call(self._client.nodes())

    def models(self) -> list[Json]:
        """The model files that the server finds."""
        return self.portal.call(self._client.models())

    def queue(self, *, everybody: bool = False) -> Queue:
        """How many jobs there are by state, and whether the queue is paused."""
        return self.portal.call(self._client.queue(everybody=everybody))

    def pause(self) -> Queue:
        """Have the server start no more jobs; those that run are not touched."""
        return self.portal.call(self._client.pause())

    def resume(self) -> Queue:
        """Have the server start jobs again."""
        return self.portal.call(self._client.resume())

    def health(self) -> Health:
        """How the server is."""
        return self.portal.call(self._client.health())

    def system(self) -> Json:
        """What the server runs on, and its workers."""
        return self.portal.call(self._client.system())

"""A job, its outputs and saved workflows, behind plain calls."""

import asyncio
from base64 import b64encode
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Literal, Self

from engine.workflow import Workflow

from .jobs import AsyncJob, AsyncOutput
from .models import Event, Json, NodeRecord, WorkflowEntry
from .orders import Runnable
from .portal import Portal
from .shown import ShownJob, ShownOutput
from .workflows import AsyncWorkflows


class Output(ShownOutput):
    """One output of a job."""

    def __init__(self, portal: Portal, output: AsyncOutput) -> None:
        super().__init__(output.name, output.given)
        self._portal, self._output = portal, output

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

    def __init__(self, portal: Portal, job: AsyncJob) -> None:
        super().__init__(job.snapshot)
        self._portal, self._job = portal, job

    @property
    def outputs(self) -> Mapping[str, Output]:
        """What it gave, by name."""
        return {name: Output(self._portal, each) for name, each in self._job.outputs.items()}

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
        return Job(self._portal, self._portal.call(self._job.retry()))

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

    def __init__(self, portal: Portal, workflows: AsyncWorkflows) -> None:
        self._portal, self._workflows = portal, workflows

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

"""What goes wrong between a client and its server."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import Problem, Snapshot


class ClientError(Exception):
    """Base class: everything that a client raises on purpose."""


class ConnectionFailed(ClientError):  # noqa: N818 - it says what failed
    """The server could not be reached, or was lost and did not come back in time."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url} does not answer ({reason}): is `darkroom serve` running there?")
        self.url = url
        self.reason = reason


class ApiError(ClientError):
    """The server refused. `problems` has every fault that it found."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        problems: Sequence["Problem"] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.hint = hint or next((each.hint for each in problems if each.hint), None)
        self.problems = tuple(problems)


class JobFailed(ClientError):  # noqa: N818 - it says what failed
    """A job has failed; `problems` says where and why."""

    def __init__(self, job: "Snapshot") -> None:
        told = job.error
        detail = told.detail if told is not None else "the server does not say why"
        super().__init__(f"job {job.id} failed: {detail}")
        self.job = job
        self.problems: tuple[Problem, ...] = () if told is None else told.problems


class JobCancelled(ClientError):  # noqa: N818 - not a fault
    """A job was cancelled before it had its results."""

    def __init__(self, job: "Snapshot") -> None:
        super().__init__(f"job {job.id} was cancelled")
        self.job = job

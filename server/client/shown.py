"""What is known of a job and of its outputs without asking again."""

from typing import Any

from typing_extensions import override

from .errors import ClientError, JobCancelled, JobFailed
from .models import Cell, File, Given, Problem, Snapshot


class ShownJob:
    """A job as the server showed it last."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    @property
    def id(self) -> str:
        """Its id."""
        return self.snapshot.id

    @property
    def name(self) -> str:
        """Its workflow's name."""
        return self.snapshot.name

    @property
    def state(self) -> str:
        """Its state when it was last heard of."""
        return self.snapshot.state

    @property
    def ended(self) -> bool:
        """Whether it is in a final state."""
        return self.snapshot.ended

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why it failed."""
        return () if self.snapshot.error is None else self.snapshot.error.problems

    def check(self) -> None:
        """See that it has succeeded.

        Raises:
            JobFailed: It has failed.
            JobCancelled: It was cancelled.
            ClientError: It has not ended.
        """
        if self.state == "failed":
            raise JobFailed(self.snapshot)
        if self.state == "cancelled":
            raise JobCancelled(self.snapshot)
        if not self.ended:
            raise ClientError(f"job {self.id} is {self.state}: wait for it first")

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.state}: {self.name or 'no name'}>"


class ShownOutput:
    """One output of a job."""

    def __init__(self, name: str, given: Given) -> None:
        self.name = name
        self.given = given

    @property
    def files(self) -> tuple[File, ...]:
        """Its files, those of all cells of a sweep included."""
        return self.given.all_files

    @property
    def value(self) -> Any:
        """Its value, if it is one that JSON can carry."""
        return self.given.value

    @property
    def cells(self) -> tuple[Cell, ...]:
        """For a sweep: what each combination gave, with its labels."""
        return self.given.cells

    def file(self, index: int) -> File:
        """One of its files.

        Raises:
            ClientError: It has no such file.
        """
        if -len(self.files) <= index < len(self.files):
            return self.files[index]
        raise ClientError(f"output {self.name!r} has {len(self.files)} files, and none at {index}")

    @override
    def __repr__(self) -> str:
        told = [file.path for file in self.files] or self.value
        return f"<{type(self).__name__} {self.name}: {told}>"

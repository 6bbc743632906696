"""The workflows that the server keeps, for programs with an event loop."""

from typing import Any
from urllib.parse import quote

from engine.workflow import Workflow

from .connection import ROOT, Connection, Request
from .models import Json, WorkflowEntry
from .orders import Runnable, document_of


class AsyncWorkflows:
    """Your saved workflows, and those that come with Darkroom."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def all(self) -> list[WorkflowEntry]:
        """Every workflow by name."""
        told = await self.connection.ask(Request("GET", f"{ROOT}/workflows"))
        return [WorkflowEntry.read(each) for each in told["workflows"]]

    async def read(self, name: str) -> Workflow:
        """One workflow.

        Raises:
            ApiError: There is none of this name.
        """
        return Workflow.from_json(await self.connection.ask(Request("GET", _at(name))), name)

    async def signature(self, name: str) -> Json:
        """What a workflow takes and gives, as JSON Schema."""
        told: Json = await self.connection.ask(Request("GET", _at(name, "signature")))
        return told

    async def save(
        self, name: str, workflow: Runnable, *, revision: str | None = None
    ) -> WorkflowEntry:
        """Save a workflow.

        Args:
            name: Under which name.
            workflow: A file, a document or a workflow.
            revision: The one that it takes the place of, or `*` for whichever is there; if left
                out, there must be none of this name.

        Raises:
            ApiError: There is one of another revision (status 412).
        """
        headers = {"If-None-Match": "*"} if revision is None else {"If-Match": _tag(revision)}
        request = Request("PUT", _at(name), body=document_of(workflow), headers=headers)
        return WorkflowEntry.read(await self.connection.ask(request))

    async def delete(self, name: str, *, revision: str = "*") -> None:
        """Delete a workflow of yours; its versions stay."""
        await self.connection.ask(
            Request("DELETE", _at(name), headers={"If-Match": _tag(revision)})
        )

    async def versions(self, name: str) -> list[Json]:
        """What was saved under a name, the latest first."""
        told: Any = await self.connection.ask(Request("GET", _at(name, "versions")))
        return list(told["versions"])


def _at(name: str, part: str = "") -> str:
    return f"{ROOT}/workflows/{quote(name, safe='')}{part and f'/{part}'}"


def _tag(revision: str) -> str:
    return revision if revision == "*" else f'"{revision}"'

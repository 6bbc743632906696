"""The server that a command works with, instead of this machine."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.catalog import Catalog
from engine.described import described
from engine.errors import GraphError, InputError, Problem
from engine.links import Varied
from engine.workflow import Node, Workflow
from server.client import (
    ApiError,
    Client,
    ClientError,
    ConnectionFailed,
    JobCancelled,
    JobFailed,
    Problem as Told,
)
from server.client.orders import bundled
from server.settings import Settings

from .documents import find_workflow, read_workflow, with_axes, with_settings

Json = dict[str, Any]
_KINDS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "array": "list"}


class Remote:
    """A server, with what commands ask of it; use it in a `with`.

    The token is taken from DARKROOM_TOKEN, and never from the command line, where others see it.
    """

    def __init__(self, url: str) -> None:
        with faults(url):
            self.client = Client(url, token=os.environ.get("DARKROOM_TOKEN") or None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()

    @cached_property
    def settings(self) -> Settings:
        """Those of this machine: where pictures are looked for and put."""
        return Settings.read()

    @cached_property
    def catalog(self) -> Catalog:
        """The server's node types, as far as reading values and listing them needs."""
        return described([_portable(told) for told in self.client.nodes().values()])

    def opened(self, name: str, values: list[str] | None, axes: list[str] | None) -> Workflow:
        """The workflow that a command names, with its inputs set, ready to be sent.

        A file here goes before a workflow of the server's, and that before one that comes with
        Darkroom. Pictures that lie on this machine are sent.

        Raises:
            GraphError: There is no such workflow, or a value cannot be set.
        """
        workflow = self._named(name)
        folder = workflow.folder
        if values:
            workflow = with_settings(workflow, values, self.catalog)
        if axes:
            workflow = with_axes(workflow, axes, self.catalog)
        return self._with_pictures(bundled(workflow), folder)

    def changed(self, workflow: Workflow, edit: list[str] | None) -> Workflow | None:
        """The workflow after an edit, if there is one."""
        return with_settings(workflow, edit, self.catalog) if edit else None

    def asked(
        self,
        question: str,
        workflow: Workflow,
        *,
        node: str | None = None,
        changed: Workflow | None = None,
    ) -> Json:
        """The server's answer to `plan` or `explain`, as `server.plans` tells it."""
        edited = None if changed is None else changed.to_json()
        more = {"node": node, "changed": edited}
        body = {"document": workflow.to_json()} | {n: v for n, v in more.items() if v is not None}
        return self.client.ask(question, body)

    def _named(self, name: str) -> Workflow:
        if not Path(name).is_file():
            try:
                return self.client.workflows.read(name)
            except ApiError as error:
                if error.status not in {404, 422}:
                    raise
        path = find_workflow(name)
        return replace(read_workflow(path, self.settings.nodes), folder=path.parent.absolute())

    def _with_pictures(self, workflow: Workflow, folder: Path | None) -> Workflow:
        """The workflow with every picture that lies here sent, and named as the server has it."""
        nodes = {name: self._node(node, folder) for name, node in workflow.nodes.items()}
        inner = {n: self._with_pictures(each, folder) for n, each in workflow.subgraphs.items()}
        return replace(workflow, nodes=nodes, subgraphs=inner)

    def _node(self, node: Node, folder: Path | None) -> Node:
        declared = self.catalog.get(node.type)
        sent = {
            name: self._sent(value, folder)
            for name, value in node.inputs.items()
            if declared is not None
            and name in declared.inputs
            and _is_picture(declared.inputs[name].form)
        }
        return node.with_inputs(sent) if sent else node

    def _sent(self, value: Any, folder: Path | None) -> Any:
        if isinstance(value, str):
            path = self._here(value, folder)
            return value if path is None else self.client.upload(path).name
        if isinstance(value, list):
            return [self._sent(each, folder) for each in value]
        if isinstance(value, Varied) and isinstance(value.values, list):
            return replace(value, values=self._sent(value.values, folder))
        return value

    def _here(self, name: str, folder: Path | None) -> Path | None:
        """A picture on this machine by its name in a workflow."""
        for place in (Path(), folder, self.settings.data / "inputs"):
            if place is not None and name and (path := place / name).is_file():
                return path
        return None


@contextmanager
def faults(url: str) -> Iterator[None]:
    """Within, what goes wrong with a server is told as problems are."""
    try:
        yield
    except ConnectionFailed as error:
        hint = "start it there, or name another server by --server or DARKROOM_SERVER"
        raise InputError(str(error), code="no_server", hint=hint) from error
    except ApiError as error:
        if error.status == 401:
            hint = "give a token by DARKROOM_TOKEN; `darkroom tokens` on the server makes one"
            raise InputError(str(error), code=error.code, hint=hint) from error
        raise GraphError(_problems(error, error.problems, error.code, error.hint)) from error
    except JobFailed as error:
        code = "job_failed" if error.job.error is None else error.job.error.code
        raise GraphError(_problems(error, error.problems, code)) from error
    except JobCancelled as error:
        raise GraphError([Problem("cancelled", f"{error}, and not from here")]) from error
    except ClientError as error:
        raise InputError(str(error), code="client") from error


def problem_of(told: Told) -> Problem:
    """A problem of the server's as the engine has it."""
    return Problem(told.code, told.message, told.node, told.input, told.hint)


def _problems(
    error: Exception, told: tuple[Told, ...], code: str, hint: str | None = None
) -> list[Problem]:
    return [problem_of(each) for each in told] or [Problem(code, str(error), hint=hint)]


def _portable(told: Json) -> Json:
    """A description with checks, which are made from the JSON Schema that it has."""
    properties: Mapping[str, Json] = told["inputs"].get("properties", {})
    checks = {name: _check(schema) for name, schema in properties.items()}
    return told | {"checks": checks, "code": ""}


def _check(schema: Json) -> Json:
    """Whether a value has the kind that is asked for; its range is the server's to check."""
    if "enum" in schema:
        return {"type": "literal", "expected": schema["enum"]}
    if "const" in schema:
        return {"type": "literal", "expected": [schema["const"]]}
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return {"type": "union", "choices": [_check(each) for each in choices]}
    return {"type": _KINDS.get(str(schema.get("type")), "any")}


def _is_picture(schema: Json) -> bool:
    return "images" in {schema.get("files"), schema.get("items", {}).get("files")}

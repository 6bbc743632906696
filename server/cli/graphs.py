"""The commands about one workflow: `run`, `check`, `plan` and `explain`."""

from typing import TYPE_CHECKING, Annotated

import typer

from .frame import (
    AsJson,
    Axes,
    Device,
    Locked,
    LockFile,
    Output,
    ServerUrl,
    Values,
    WorkflowName,
    finish,
    opened,
)

if TYPE_CHECKING:
    from .answer import Answer

graphs = typer.Typer()


@graphs.command()
def run(
    workflow: WorkflowName,
    *,
    values: Values = None,
    axes: Axes = None,
    output: Output = None,
    device: Device = "auto",
    locked: Locked = False,
    lock_file: LockFile = None,
    server: ServerUrl = None,
    as_json: AsJson = False,
) -> None:
    """Compute a workflow's outputs; what an earlier run computed is not computed again."""

    def work() -> "Answer":
        if server:
            from . import remote_asking

            remote_asking.only_here(locked or lock_file is not None or device != "auto")
            return remote_asking.run(server, workflow, (values, axes), output)
        from .running import run

        held = (locked, lock_file)
        return run(*opened(workflow, values, axes, device=device, output=output, held=held))

    finish(work, as_json)


@graphs.command()
def check(
    workflow: WorkflowName,
    *,
    values: Values = None,
    axes: Axes = None,
    device: Device = "auto",
    locked: Locked = False,
    lock_file: LockFile = None,
    server: ServerUrl = None,
    as_json: AsJson = False,
) -> None:
    """List everything that is wrong with a workflow, without running it."""

    def work() -> "Answer":
        if server:
            from . import remote_asking

            remote_asking.only_here(locked or lock_file is not None or device != "auto")
            return remote_asking.check(server, workflow, (values, axes))
        from .asking import check

        return check(
            lambda: opened(workflow, values, axes, device=device, held=(locked, lock_file))
        )

    finish(work, as_json)


@graphs.command()
def plan(
    workflow: WorkflowName,
    *,
    values: Values = None,
    axes: Axes = None,
    device: Device = "auto",
    locked: Locked = False,
    lock_file: LockFile = None,
    server: ServerUrl = None,
    as_json: AsJson = False,
) -> None:
    """Say which nodes would run and why, and which results are stored."""

    def work() -> "Answer":
        if server:
            from . import remote_asking

            remote_asking.only_here(locked or lock_file is not None or device != "auto")
            return remote_asking.plan(server, workflow, (values, axes))
        from .explaining import plan

        held = (locked, lock_file)
        return plan(*opened(workflow, values, axes, device=device, held=held))

    finish(work, as_json)


@graphs.command()
def explain(
    workflow: WorkflowName,
    node: Annotated[str | None, typer.Argument(help="One node, instead of all.")] = None,
    *,
    values: Values = None,
    axes: Axes = None,
    edit: Annotated[
        list[str] | None,
        typer.Option("--if", metavar="NAME=VALUE", help="Say what this edit would invalidate."),
    ] = None,
    device: Device = "auto",
    server: ServerUrl = None,
    as_json: AsJson = False,
) -> None:
    """Say for every node since when it is stored, or what has changed that it will run."""

    def work() -> "Answer":
        if server:
            from . import remote_asking

            remote_asking.only_here(device != "auto")
            return remote_asking.explain(server, workflow, (values, axes), node, edit)
        from .documents import with_settings
        from .explaining import explain

        given, own = opened(workflow, values, axes, device=device)
        changed = with_settings(given, edit, own.catalog) if edit else None
        return explain(given, own, node, changed)

    finish(work, as_json)

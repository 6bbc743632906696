"""The commands about what there is: `nodes` and `models`."""

from typing import TYPE_CHECKING, Annotated

import typer

from .frame import AsJson, ServerUrl, finish, session

if TYPE_CHECKING:
    from .answer import Answer

stock = typer.Typer()


@stock.command()
def nodes(
    name: Annotated[str | None, typer.Argument(help="One node type, to see it whole.")] = None,
    server: ServerUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the node types, or show the inputs and outputs of one."""

    def work() -> "Answer":
        if server:
            from . import remote_asking

            return remote_asking.nodes(server, name)
        from .asking import describe_node, list_nodes

        own = session()
        return describe_node(own.catalog, name) if name else list_nodes(own.catalog)

    finish(work, as_json)


@stock.command()
def models(server: ServerUrl = None, as_json: AsJson = False) -> None:
    """List the model files that are found, and what they are."""

    def work() -> "Answer":
        if server:
            from . import remote_asking

            return remote_asking.models(server)
        from .asking import list_models

        return list_models(session())

    finish(work, as_json)

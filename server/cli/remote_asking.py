"""What commands answer where a server does the work; each is what the command here answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import GraphError, InputError
from server.failures import problems_of, read_problem

from .answer import Answer
from .asking import describe_node, list_nodes, models_answer, problems_answer
from .explaining import edit_answer, explained_answer, plan_answer
from .remote import Remote, faults

Options = tuple[list[str] | None, list[str] | None]
"""What `--set` and `--axis` say."""


def run(url: str, name: str, options: Options, output: Path | None) -> Answer:
    """Run there; files come into the output folder here."""
    from .remote_running import run

    with _opened(url) as remote:
        folder = output or remote.settings.data / "outputs"
        return run(remote, remote.opened(name, *options), folder)


def check(url: str, name: str, options: Options) -> Answer:
    """Every problem that the server finds."""
    with _opened(url) as remote:
        remote.client.health()
        try:
            with faults(url):
                told = remote.asked("validate", remote.opened(name, *options))
        except (GraphError, OSError) as error:
            return problems_answer(problems_of(error))
    found = ([read_problem(each) for each in told[part]] for part in ("problems", "warnings"))
    return problems_answer(*found)


def plan(url: str, name: str, options: Options) -> Answer:
    """What a run there would do."""
    with _opened(url) as remote:
        return plan_answer(remote.asked("plan", remote.opened(name, *options)))


def explain(
    url: str, name: str, options: Options, node: str | None, edit: list[str] | None
) -> Answer:
    """Why each node, or one, is stored there or will run; or what an edit would invalidate."""
    with _opened(url) as remote:
        workflow = remote.opened(name, *options)
        changed = remote.changed(workflow, edit)
        told = remote.asked("explain", workflow, node=node, changed=changed)
    if changed is not None:
        return edit_answer(told)
    return explained_answer(told, whole=node is None)


def nodes(url: str, name: str | None) -> Answer:
    """The server's node types, or one of them."""
    with _opened(url) as remote:
        return describe_node(remote.catalog, name) if name else list_nodes(remote.catalog)


def models(url: str) -> Answer:
    """The model files that the server finds."""
    with _opened(url) as remote:
        return models_answer(remote.client.models(), f"put some where {url} looks for them")


def only_here(given: bool) -> None:
    """See that no option is given that a server does not take.

    Raises:
        InputError: One is.
    """
    if given:
        raise InputError(
            "--device, --locked and --lock are about this machine: leave them out, or leave out"
            " --server",
            code="only_here",
        )


@contextmanager
def _opened(url: str) -> Iterator[Remote]:
    with faults(url), Remote(url) as remote:
        yield remote

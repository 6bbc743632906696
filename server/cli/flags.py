"""The settings as flags of a command."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from server.settings import PREFIX, Settings

_ABOUT_ALL = frozenset({"data", "nodes", "store_size", "shared_store"})


def with_flags(command: Callable[..., None]) -> Callable[..., None]:
    """A command with a flag for each setting; it gets the settings that hold by `flags=`.

    The command takes `flags: dict[str, object]`, ready for `Settings.read(flags=flags)`, where
    they are checked, so that a wrong flag is told as a wrong line in the file is.
    """
    own = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.name != "flags"
    ]
    settings = [_parameter(name) for name in Settings.model_fields]

    @wraps(command)
    def run(**given: Any) -> None:
        flags = {each.name: given.pop(each.name) for each in settings}
        command(**given, flags=flags)

    run.__signature__ = inspect.Signature([*own, *settings])  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in [*own, *settings]}
    del run.__dict__["__wrapped__"]
    return run


def _parameter(name: str) -> inspect.Parameter:
    field, flag = Settings.model_fields[name], name.replace("_", "-")
    switch = field.annotation is bool
    option: Any = typer.Option(
        f"--{flag}/--no-{flag}" if switch else f"--{flag}",
        help=_help(name),
        show_default=False,
        metavar=None if switch else "VALUE",
        rich_help_panel="Settings of every command" if name in _ABOUT_ALL else "Settings",
    )
    kind: Any = Annotated[bool | None if switch else str | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def _help(name: str) -> str:
    field = Settings.model_fields[name]
    text = (field.description or "").replace("`", "")
    default = field.default
    told = isinstance(default, (bool, int, float, str)) and default != "" and "Default" not in text
    shown = f" Default: {default}." if told and not isinstance(default, bool) else ""
    if get_origin(field.annotation) is Literal:
        shown = f" One of {', '.join(get_args(field.annotation))}.{shown}"
    return f"{text}{shown} [{PREFIX}{name.upper()}]"

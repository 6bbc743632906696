"""Where settings come from: flags, variables of the environment, and a file.

pydantic-settings would mix its sources before it checks anything, and then tell of a bad value without
its place; so each is asked by itself, and `Settings` checks what they hold.
"""

from collections import ChainMap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from engine.errors import InputError

from .settings import PREFIX, Settings


class _Source(NamedTuple):
    values: dict[str, object]
    place: Callable[[str], str]


def read(flags: Mapping[str, object], variables: Mapping[str, str], file: Path | None) -> Settings:
    """The settings that hold: flags before variables, those before the file.

    Raises:
        InputError: A key is not known, or its value will not do; it names both and where.
    """
    found: dict[str, object] = {}
    written: dict[str, object] = {}
    if variables or file:  # importing pydantic-settings takes 70 ms
        from .setting_readers import in_environment, in_file

        found = in_environment(variables)
        written = in_file(file) if file else {}
    sources = [
        _Source(dict(flags), lambda key: f"--{key.replace('_', '-')}"),
        _Source(found, lambda key: f"{PREFIX}{key.upper()}"),
        _Source(written, lambda key: f"{file}: {key}"),
    ]
    if "data" in written and f"{PREFIX}CONFIG" not in variables:
        raise InputError(
            f"{file}: data cannot be set by the file that lies in it",
            code="bad_settings",
            input="data",
            hint=f"set {PREFIX}DATA, or name another file by {PREFIX}CONFIG",
        )
    try:
        return Settings.model_validate(dict(ChainMap(*(source.values for source in sources))))
    except ValidationError as error:
        raise _told(error, sources) from None


def _told(error: ValidationError, sources: list[_Source]) -> InputError:
    first = error.errors(include_url=False, include_input=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    cause = first.get("ctx", {}).get("error")
    code = cause.code if isinstance(cause, InputError) else "bad_settings"
    if not first["loc"]:
        return InputError(reason, code=code)
    key = str(first["loc"][0])
    place = next(source.place(key) for source in sources if key in source.values)
    return InputError(
        f"{place}: {reason[:1].lower()}{reason[1:]}",
        code=code,
        input=key,
        hint=f"{key}: {Settings.model_fields[key].description}",
    )

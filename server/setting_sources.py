"""Where settings come from: flags, variables of the environment, and a file.

The sources are those of pydantic-settings. It would mix them before it checks anything, and then tell
of a bad value without its place; so each is asked by itself, and `Settings` checks what they hold.
"""

from collections import ChainMap
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from engine.errors import InputError

from .settings import PREFIX, Settings


class _Sought(Settings, BaseSettings):
    """The settings as the sources look for them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, case_sensitive=True, enable_decoding=False, defer_build=True
    )


class _Source(NamedTuple):
    values: dict[str, object]
    place: Callable[[str], str]


def read(flags: Mapping[str, object], variables: Mapping[str, str], file: Path | None) -> Settings:
    """The settings that hold: flags before variables, those before the file.

    Raises:
        InputError: A key is not known, or its value will not do; it names both and where.
    """
    environment = EnvSettingsSource(_Sought, case_sensitive=False)
    environment.env_vars = {name.lower(): value for name, value in variables.items()}
    sources = [
        _Source(dict(flags), lambda key: f"--{key.replace('_', '-')}"),
        _Source(environment(), lambda key: f"{PREFIX}{key.upper()}"),
        _Source(_in_file(file) if file else {}, lambda key: f"{file}: {key}"),
    ]
    if "data" in sources[-1].values and f"{PREFIX}CONFIG" not in variables:
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


def _in_file(path: Path) -> dict[str, object]:
    try:
        path.open("rb").close()  # the source passes over a file that is not there
        found = TomlConfigSettingsSource(_Sought, path)()
    except OSError as error:
        raise InputError(
            f"the settings in {path} cannot be read: {error.strerror}", code="bad_settings"
        ) from error
    except ValueError as error:
        raise InputError(
            f"{path} is not in the form of TOML: {error}",
            code="bad_settings",
            hint='write lines such as port = 8188 or host = "127.0.0.1"',
        ) from error
    for key in (key for key in found if key not in Settings.model_fields):
        near = get_close_matches(key, Settings.model_fields, 1)
        all_keys = ", ".join(Settings.model_fields)
        raise InputError(
            f"{path}: there is no setting {key!r}",
            code="bad_settings",
            input=key,
            hint=f"did you mean {near[0]}?" if near else f"it may have {all_keys}",
        )
    for key in {"data", "tls_cert", "tls_key"} & found.keys():
        if isinstance(found[key], str):
            found[key] = path.parent / Path(found[key]).expanduser()
    return found


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

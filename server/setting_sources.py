"""Where settings come from: variables of the environment, and a file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from engine.errors import InputError

PREFIX = "DARKROOM_"
FILE = "darkroom.toml"


class Given(NamedTuple):
    """A value that somebody set, and where."""

    value: object
    source: str


def from_environment(environment: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Given]:
    """What the environment sets; `names` are the settings' names by their keys."""
    variables = {name: f"{PREFIX}{key.upper()}" for key, name in names.items()}
    return {
        name: Given(environment[variable], variable)
        for name, variable in variables.items()
        if environment.get(variable)
    }


def from_file(path: Path, names: Mapping[str, str], *, holds_data: bool) -> dict[str, Given]:
    """What a TOML file sets.

    Raises:
        InputError: It cannot be read, or sets what there is not.
    """
    import tomllib

    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
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
    return dict(_known(found, path, names, holds_data=holds_data))


def _known(
    found: Mapping[str, object], path: Path, names: Mapping[str, str], *, holds_data: bool
) -> Iterator[tuple[str, Given]]:
    for key, value in found.items():
        if key not in names:
            from difflib import get_close_matches

            near = get_close_matches(key, names, 1)
            remedy = f"did you mean {near[0]}?" if near else f"it may have {', '.join(names)}"
            raise InputError(
                f"{path}: there is no setting {key!r}", code="bad_settings", input=key, hint=remedy
            )
        if names[key] == "data" and holds_data:
            raise InputError(
                f"{path}: data cannot be set by the file that lies in it",
                code="bad_settings",
                input=key,
                hint=f"set {PREFIX}DATA, or name another file by {PREFIX}CONFIG",
            )
        is_path = key in {"data", "tls_cert", "tls_key"} and isinstance(value, str)
        meant = path.parent / Path(str(value)).expanduser() if is_path else value
        yield names[key], Given(meant, f"{path}: {key}")

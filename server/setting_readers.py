"""The settings that the environment and a file hold, as pydantic-settings reads them."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

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


def in_environment(variables: Mapping[str, str]) -> dict[str, object]:
    """The settings that variables give."""
    environment = EnvSettingsSource(_Sought, case_sensitive=False)
    environment.env_vars = {name.lower(): value for name, value in variables.items()}
    return environment()


def in_file(path: Path) -> dict[str, object]:
    """The settings that a file gives.

    Raises:
        InputError: It cannot be read, or has a key that is none; it says which.
    """
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

"""How Darkroom is set up: by flags, the environment, a file, and what holds otherwise."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from engine.errors import InputError

if TYPE_CHECKING:
    from engine.place import Place

PREFIX = "DARKROOM_"
FILE = "darkroom.toml"
GIB = 2**30
MOST_WORKERS = 64
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_DEVICE = r"(auto|cpu|mps|cuda(:\d{1,3})?)"
WORKERS = re.compile(
    rf"{_DEVICE}(\s*,\s*{_DEVICE})*|0*([1-9]|[1-5]\d|6[0-4])|ray(:auto|:[^/\s]\S*:\d+|://\S+)?"
)


def _read_size(value: object) -> object:
    return read_bytes(value) if isinstance(value, str) else value


def _read_list(value: object) -> object:
    if isinstance(value, str):
        return tuple(each.strip() for each in value.split(",") if each.strip())
    return value


def _read_secret(value: object) -> object:
    return None if value == "" else value


Bytes = Annotated[int, Field(ge=0, lt=2**63), BeforeValidator(_read_size)]
Names = Annotated[tuple[str, ...], BeforeValidator(_read_list)]
Secret = Annotated[SecretStr | None, BeforeValidator(_read_secret)]
Seconds = Annotated[float, Field(gt=0, le=10**7, allow_inf_nan=False)]


def _data_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("darkroom", appauthor=False)


class Settings(BaseModel):
    """Every setting of the command line and of the server. Each says what it is for."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True
    )

    data: Path = Field(
        default_factory=_data_folder,
        description="The folder for `models`, `inputs`, `outputs`, the store and logs. Default: the user's data folder (on Linux `~/.local/share/darkroom`).",
    )
    nodes: str = Field(
        default="nodes", min_length=1, description="The Python package that the nodes come from."
    )
    store_size: Bytes = Field(
        default=20 * GIB,
        description="How large the store may grow, such as `50GB`. Default 20 GiB.",
    )
    shared_store: str = Field(
        default="", description="A folder or URL where several machines share results."
    )

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address to listen on. Any but this machine's own needs users or a token.",
    )
    port: int = Field(
        default=8188, ge=0, le=65535, description="The port to listen on; 0 takes one that is free."
    )
    browser: bool = Field(
        default=True, description="Open the server's page in a browser when it starts."
    )
    tls_cert: Path | None = Field(
        default=None, description="Certificate file (PEM, with its chain) to serve HTTPS with."
    )
    tls_key: Path | None = Field(default=None, description="The key of the certificate, as PEM.")
    database: str = Field(
        default="",
        repr=False,
        description="Where jobs and users are kept: a file, or `postgresql://USER:PASSWORD@HOST/NAME`. Default: `darkroom.db` in the data folder.",
    )

    admin_token: Secret = Field(
        default=None,
        description="A token that may do everything, at least 16 characters; for a server without users.",
    )
    allowed_hosts: Names = Field(
        default=(),
        description="Names by which the server may be called besides its own, such as `darkroom.example.org` or `*.example.org`.",
    )
    trusted_proxies: Names = Field(
        default=(),
        description="Addresses or networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    )
    results: Literal["shared", "private"] = Field(
        default="shared",
        description="Whether users find each other's stored results: `private` gives each their own store.",
    )
    session_days: float = Field(
        default=14, gt=0, le=365, description="Days until a login in the browser ends."
    )

    max_body: Bytes = Field(
        default=16 * 10**6, ge=1000, description="The largest body of JSON, such as `16MB`."
    )
    max_upload: Bytes = Field(
        default=2 * 10**9, ge=1000, description="The largest file to be sent."
    )
    max_nodes: int = Field(
        default=10_000,
        ge=1,
        description="The most nodes that a graph may have, once maps are unfolded.",
    )
    max_depth: int = Field(
        default=100, ge=8, le=400, description="How deep the JSON of a request may be nested."
    )
    rate: float = Field(
        default=1000,
        ge=0,
        le=10**6,
        description="Requests a second that each user, or each address without one, may send over time; 0 sets no limit.",
    )
    burst: float = Field(
        default=2000,
        ge=1,
        le=10**7,
        description="Requests that each may send at once before `rate` counts.",
    )

    precision: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        default="auto",
        description="What models compute in; `auto`: float32 on the CPU, float16 elsewhere.",
    )
    model_memory: Bytes = Field(
        default=0,
        description="Memory of the device for models, such as `6GB`; of one that is larger, layers wait in the machine's memory or in their file. 0: half of the memory on the CPU, four fifths elsewhere.",
    )
    float8_weights: bool = Field(
        default=False,
        description="Keep weights in float8, which takes half of float16's memory and rounds them.",
    )
    compile: bool = Field(
        default=False,
        description="Have torch compile models at their first run, where a compiler is installed.",
    )
    previews: Literal["auto", "factors", "none"] = Field(
        default="auto",
        description="What pictures in the making are shown by: `auto`: a TAESD in `models/vae_approx` if there is one, else the latents' channels as colours; `factors`: these alone; `none`: nothing.",
    )

    workers: str = Field(
        default="auto",
        description="What runs the jobs: `auto` (a process for each device), a number of processes, devices such as `cuda:0,cuda:1`, or Ray: `ray` for a cluster of this machine alone, `ray://HOST:PORT` for an existing one through its client server, `ray:HOST:PORT` or `ray:auto` for one that this machine is part of.",
    )
    worker_memory: Bytes = Field(
        default=0,
        description="Memory beyond which a worker is replaced after its run, such as `24GB`, mapped model files not counted; 0: three quarters of this machine's, shared among its workers.",
    )
    worker_runs: int = Field(
        default=0, ge=0, description="Runs after which a worker is replaced; 0: none."
    )
    heartbeat_seconds: Seconds = Field(
        default=30.0, description="Seconds of silence after which a worker counts as hung."
    )
    stall_seconds: float = Field(
        default=3600,
        ge=0,
        le=10**7,
        description="Seconds without progress after which a run is ended along with its worker and tried once more; 0: never. A node that reports no progress needs all of its time.",
    )
    cancel_grace_seconds: Seconds = Field(
        default=10.0,
        description="Seconds that a cancelled node has to stop before its worker is replaced.",
    )
    stop_grace_seconds: Seconds = Field(
        default=10.0,
        description="Seconds that running jobs have to end when the server stops; what has not ended then goes on after the next start.",
    )

    retention_days: float = Field(
        default=0,
        ge=0,
        le=36500,
        description="Days that finished jobs are remembered; 0: for ever.",
    )
    retention_jobs: int = Field(
        default=100_000, ge=0, description="The most finished jobs that are remembered; 0: all."
    )
    webhook_secret: Secret = Field(
        default=None, description="The key that webhooks are signed with, at least 16 characters."
    )
    webhook_hosts: Names = Field(
        default=(),
        description="Hosts that webhooks may reach although they are in a private network or this machine, such as `hooks.lan` or `127.0.0.1`.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is logged."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="How the server's log is written to standard error."
    )

    @property
    def computing(self) -> dict[str, str | int | bool]:
        """How models compute, as a node package's runtime takes it; only what is not left to it."""
        asked = {
            "precision": None if self.precision == "auto" else self.precision,
            "model_memory": self.model_memory,
            "float8": self.float8_weights,
            "compiled": self.compile,
            "previews": None if self.previews == "auto" else self.previews,
        }
        return {name: value for name, value in asked.items() if value}

    @classmethod
    def read(
        cls,
        environment: Mapping[str, str] = os.environ,
        flags: Mapping[str, object] | None = None,
    ) -> "Settings":
        """The settings that hold: flags before the environment, that before the file.

        The file is the one that `DARKROOM_CONFIG` names, else `darkroom.toml` in the data folder.

        Raises:
            InputError: A key is not known, or its value will not do; it names both and where.
        """
        given = {name: value for name, value in (flags or {}).items() if value is not None}
        known = _variables()
        variables = {name: value for name, value in environment.items() if value and name in known}
        named = variables.get(f"{PREFIX}CONFIG")
        data = given.get("data", variables.get(f"{PREFIX}DATA"))
        folder = _data_folder() if data is None else Path(str(data))
        file = Path(named or folder / FILE).expanduser().absolute()
        is_there = named is not None or file.is_file()
        from .setting_sources import read

        return read(given, variables, file if is_there else None)

    @field_validator("data", "tls_cert", "tls_key")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("admin_token", "webhook_secret")
    @classmethod
    def _strong(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < 16:
            raise ValueError("give at least 16 characters that nobody can guess")
        return secret

    @field_validator("workers", mode="before")
    @classmethod
    def _count_of_workers(cls, workers: object) -> object:
        return str(workers) if type(workers) is int else workers

    @field_validator("workers")
    @classmethod
    def _known_workers(cls, workers: str) -> str:
        named = workers.strip()
        if named and WORKERS.fullmatch(named) is None:
            raise ValueError(
                f"give auto, a number up to {MOST_WORKERS}, devices such as cuda:0,cuda:1, ray,"
                " ray://HOST:PORT, ray:HOST:PORT or ray:auto"
            )
        return named or "auto"

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from ipaddress import ip_network

        for name in names:
            ip_network(name, strict=False)
        return names

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together: give both or neither")
        return self

    @property
    def store(self) -> Path:
        """Results of earlier runs."""
        return self.data / "store"

    @property
    def logs(self) -> Path:
        """What went wrong inside Darkroom."""
        return self.data / "logs"

    @property
    def database_url(self) -> str:
        """Where jobs and users are kept."""
        return self.database or str(self.data / "darkroom.db")


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The variables that look like settings and are none: probably misspelt."""
    # A client's own, which may be set where a server is started as well.
    known = _variables() | {f"{PREFIX}SERVER", f"{PREFIX}TOKEN"}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def _variables() -> set[str]:
    return {f"{PREFIX}{key.upper()}" for key in [*Settings.model_fields, "config"]}


FAMILIES = "families"
"""The folder among the shipped workflows that has those of each family of models."""


def shipped_workflows() -> Path:
    """The folder of the workflows that come with Darkroom."""
    return Path(__file__).resolve().parent.parent / "workflows"


def open_place(named: str) -> "Place":
    """The shared store's place: a folder that is there, or an object store by its URL.

    Raises:
        InputError: The URL is of a kind that is not known, or obstore is not installed.
    """
    from engine.place import Folder

    from .bucket import SCHEMES, Bucket

    url = urlsplit(named)
    if "://" not in named:
        return Folder(Path(named).expanduser().absolute(), made=False)
    if url.scheme == "file":
        return Folder(Path(url2pathname(url.path)), made=False)
    if url.scheme in SCHEMES:
        return Bucket(named)
    known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
    raise InputError(
        f"the shared store {named} cannot be opened: give a folder, or a URL with {known}",
        code="bad_store",
    )


def read_bytes(text: str) -> int:
    """A size such as `500MB`, `20 GB` or a number of bytes.

    Raises:
        InputError: The text is no size.
    """
    number = text.strip().lower().rstrip("bkmgt ")
    unit = text.strip().lower()[len(number) :].strip()
    try:
        size = float(number) * _UNITS[unit]
        if 0 <= size < 2**63:
            return int(size)
    except (KeyError, ValueError):
        pass
    raise InputError(f"{text!r} is no size: give one such as 500MB or 20GB", code="bad_size")

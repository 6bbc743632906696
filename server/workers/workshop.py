"""What a worker works with: the node package, its runtime on this machine, and the stores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from engine.artifacts import Delivery
from engine.catalog import Catalog, catalog_digest
from engine.errors import InputError
from engine.journal import Journal
from engine.runtime import Runtime
from engine.store import Store
from server.session import Session
from server.settings import Settings

from .outfit import Outfit
from .stores import Stores

Json = dict[str, Any]
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bench:
    """What one run, or a question about one, works with."""

    runtime: Runtime
    store: Store
    journal: Journal


class Workshop:
    """Opened once in a worker; nothing in it loads a model.

    Raises:
        InputError: There is no such node package, or no such device.
        DeclarationError: A node is declared wrongly.
    """

    def __init__(self, outfit: Outfit) -> None:
        self.outfit = outfit
        settings = Settings(
            data=outfit.data,
            nodes=outfit.nodes,
            store_size=outfit.disk_bytes,
            shared_store=outfit.shared_store,
        )
        self.devices = devices(outfit.nodes)
        """Of this machine, the best first."""
        self.device = outfit.device or self.devices[0]
        self.session = Session(settings, device=self.device, computing=outfit.computing)
        self.runtime: Runtime = self.session.runtime
        self.stores = Stores(outfit, self.runtime.codecs)

    @property
    def catalog(self) -> Catalog:
        """The node types."""
        return self.session.catalog

    def bench(
        self, namespace: str = "", inputs: str = "", outputs: str = "", previews: str = ""
    ) -> Bench:
        """What a run of an owner works with.

        Args:
            namespace: Whose results it may see and add to.
            inputs: The folder of the owner's pictures, instead of the data folder's.
            outputs: The folder for what is delivered, likewise.
            previews: The folder for what is only looked at, likewise.
        """
        runtime, given = self.runtime, self.runtime.delivery
        delivery = Delivery(
            Path(outputs) if outputs else given.folder,
            Path(previews) if previews else given.previews,
        )
        if inputs:
            runtime = runtime.with_inputs(Path(inputs))
        runtime = replace(runtime, delivery=delivery)
        return Bench(runtime, self.stores.store(namespace), self.stores.journal(namespace))

    @cached_property
    def catalogue(self) -> list[Json]:
        """Every node type as JSON, from which `engine.described` makes a catalog."""
        return self.catalog.describe()

    @cached_property
    def digest(self) -> str:
        """Changes with every node type and the code behind it."""
        return catalog_digest(self.catalogue)

    @property
    def profile(self) -> Mapping[str, str]:
        """What numbers depend on here."""
        return self.runtime.profile

    def asked(self, ask: Callable[P, T] | None) -> Callable[P, T]:
        """What the node package does with pictures, such as `runtime.thumbnail`.

        Raises:
            InputError: It cannot.
        """
        if ask is None:
            message = f"the node package {self.outfit.nodes!r} does not know pictures"
            raise InputError(message, code="no_pictures")
        return ask

    def free(self) -> None:
        """Let go of loaded models, and of results in memory."""
        self.runtime.free()
        self.stores.forget()


def devices(package: str) -> tuple[str, ...]:
    """The devices that a node package can use on this machine, the best first."""
    if find_spec(package) is None or find_spec(f"{package}.devices") is None:
        return ("cpu",)
    names: tuple[str, ...] = import_module(f"{package}.devices").names()
    return names

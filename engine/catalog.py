"""Node types by name, collected from node packages."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from typing_extensions import override

from .canonical import canonical, digest
from .describing import describe
from .errors import DeclarationError
from .keys import TypeDigests
from .node import Json, NodeType
from .runtime import Runtime

ENTRY_POINTS = "darkroom.nodes"


class Catalog(Mapping[str, NodeType]):
    """The node types that a workflow may use. A type is also found by its former names."""

    def __init__(self, *types: NodeType) -> None:
        self.types: dict[str, NodeType] = {}
        self.former: dict[str, NodeType] = {}
        self.packages: list[ModuleType] = []
        for declared in types:
            self.add(declared)

    @classmethod
    def load(cls, *packages: str) -> "Catalog":
        """The types declared in the modules of the packages, and of those that plug in.

        A distribution plugs in by an entry point in the group `darkroom.nodes` that names a package.

        Raises:
            DeclarationError: A node is declared wrongly, or two have one name.
        """
        catalog = cls()
        plugged = (point.value for point in entry_points(group=ENTRY_POINTS))
        for name in dict.fromkeys([*packages, *plugged]):
            try:
                catalog.take_in(name)
            except Exception as error:
                if name in packages or isinstance(error, DeclarationError):
                    raise
                raise DeclarationError(
                    f"the plug-in {name!r} could not be loaded: {error!r}; mend or uninstall it"
                ) from error
        return catalog

    def take_in(self, name: str) -> None:
        """Add the types of one package."""
        package = importlib.import_module(name)
        self.packages.append(package)
        for module in _modules(package):
            for declared in _declared_in(module):
                self.add(declared)

    def add(self, declared: NodeType) -> None:
        """Take one type in."""
        for name in (declared.name, *declared.formerly):
            known = self.types.get(name) or self.former.get(name)
            if known is not None and known is not declared:
                raise DeclarationError(
                    f"two nodes are named {name!r}: {_place(known)} and {_place(declared)}; rename one"
                )
        self.types[declared.name] = declared
        self.former |= dict.fromkeys(declared.formerly, declared)

    def runtime(self, **settings: Any) -> Runtime:
        """What the first package lends to a run: its `runtime` module's `open_runtime(**settings)`."""
        module = importlib.import_module(f"{self.packages[0].__name__}.runtime")
        runtime: Runtime = module.open_runtime(**settings)
        return runtime

    def nearest(self, name: str) -> str | None:
        """The type whose name is most like `name`."""
        lower = {known.lower(): known for known in self.types}
        near = get_close_matches(name.lower(), lower, 1)
        return lower[near[0]] if near else None

    def describe(self) -> list[Json]:
        """Every type as JSON, from which `described` makes a catalog in a process without the code."""
        digests = TypeDigests()
        return [describe(self.types[name], digests) for name in sorted(self.types)]

    @override
    def __getitem__(self, name: str) -> NodeType:
        return self.types[name] if name in self.types else self.former[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self.types)

    @override
    def __len__(self) -> int:
        return len(self.types)


def catalog_digest(descriptions: Sequence[Json]) -> str:
    """What changes with every type and with the code behind it."""
    return digest(canonical(descriptions))


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.iter_modules(getattr(package, "__path__", [])):
        if not info.ispkg and not info.name.startswith("_"):
            yield importlib.import_module(f"{package.__name__}.{info.name}")


def _declared_in(module: ModuleType) -> Iterator[NodeType]:
    for value in vars(module).values():
        declared = getattr(value, "__node__", None)
        if isinstance(declared, NodeType) and declared.function.__module__ == module.__name__:
            yield declared


def _place(declared: NodeType) -> str:
    return f"{declared.function.__module__}.{declared.function.__qualname__}"

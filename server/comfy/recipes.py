"""Which recipe stands for a ComfyUI node, and the inputs that it gives our nodes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .declared import (
    Computed,
    Entry,
    Given,
    Json,
    Made,
    Preset,
    Recipe,
    UntranslatableError,
)
from .graph import Placed, Wire
from .table import TABLE

Catalogue = Mapping[str, Json]
"""Our node types as JSON: what `NodeType.schema()` says, by name."""
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "INT": int,
    "FLOAT": (int, float),
    "STRING": str,
    "BOOLEAN": bool,
    "COMBO": (str, int, float),
}
ABSENT = object()
"""Stands for an input that is not given."""


@dataclass(frozen=True)
class Chosen:
    """A node with the recipe for it, and its values with the defaults of those not given."""

    node: Placed
    entry: Entry
    recipe: Recipe
    values: Json


def choose(node: Placed, catalogue: Catalogue) -> Chosen | tuple[str, str]:
    """The recipe for a node; a code and a message if there is none."""
    entry = TABLE.get(node.type)
    if entry is None:
        return "unknown_type", "Darkroom knows no such node: it is kept as it is"
    known = [recipe for recipe in entry.recipes if _has_types(recipe, catalogue)]
    if not known:
        return "unknown_type", "Darkroom has no such node yet: it is kept as it is"
    values = dict(node.inputs)
    for widget in entry.widgets:
        if widget.name not in values and widget.default is not None:
            values[widget.name] = widget.default
    literal = literals(entry, values)
    reason = entry.limits or "these values have no counterpart"
    for recipe in known:
        if recipe.when(literal):
            chosen = Chosen(node, entry, recipe, values)
            try:
                for part in recipe.parts:
                    inputs_of(chosen, part, lambda wire: None, lambda made: None)
            except UntranslatableError as error:
                reason = str(error)
                continue
            return chosen
    return "unsupported_values", f"{reason}; the node is kept as it is"


def literals(entry: Entry, values: Mapping[str, Any]) -> Json:
    """Those of a node's values that are what their widgets hold, and not linked."""
    return {
        widget.name: values[widget.name]
        for widget in entry.widgets
        if isinstance(values.get(widget.name), _KINDS[widget.type])
    }


def inputs_of(
    chosen: Chosen,
    part: str,
    follow: Callable[[Wire], object],
    made: Callable[[Made], object],
) -> Json:
    """The inputs of one part; those that nothing is given for are left out.

    Raises:
        UntranslatableError: A value has no counterpart.
    """
    reader = _Reader(chosen, follow, made)
    found = {
        name: reader.value(source) for name, source in chosen.recipe.parts[part].inputs.items()
    }
    return {name: value for name, value in found.items() if value is not ABSENT}


def names_in(source: object) -> Iterator[str]:
    """The ComfyUI inputs that a source reads."""
    if isinstance(source, Given):
        yield source.name
    elif isinstance(source, Computed):
        yield from source.names
    elif isinstance(source, Mapping):
        for item in source.values():
            yield from names_in(item)
    elif isinstance(source, list):
        for item in source:
            yield from names_in(item)


def _has_types(recipe: Recipe, catalogue: Catalogue) -> bool:
    return all(part.type in catalogue for part in recipe.parts.values())


@dataclass(frozen=True)
class _Reader:
    chosen: Chosen
    follow: Callable[[Wire], object]
    made: Callable[[Made], object]

    def value(self, source: object) -> Any:
        match source:
            case Given():
                return self.given(source)
            case Computed():
                return self.computed(source)
            case Made():
                return self.made(source)
            case Preset():
                return source.value
            case Mapping():
                found = {name: self.value(item) for name, item in source.items()}
                return {name: item for name, item in found.items() if item is not ABSENT}
            case list():
                items = [self.value(item) for item in source]
                return [item for item in items if item is not ABSENT]
        return source

    def given(self, source: Given) -> Any:
        value = self.chosen.values.get(source.name, ABSENT)
        if isinstance(value, Wire):
            if source.codec is not None:
                raise UntranslatableError(f"{source.name} must be given as a value, not linked")
            return self.follow(value)
        if value is ABSENT or value is None or isinstance(value, (dict, list)):
            return ABSENT
        if source.codec is not None:
            try:
                return source.codec.read(value)
            except TypeError as error:
                raise UntranslatableError(f"{source.name} cannot be {value!r:.60}") from error
        declared = self.chosen.entry.input(source.name)
        return value if declared is None else declared.ours(value)

    def computed(self, source: Computed) -> Any:
        given = [self.chosen.values.get(name) for name in source.names]
        if any(isinstance(value, Wire) for value in given):
            raise UntranslatableError(
                f"{' and '.join(source.names)} must be given as values, not linked"
            )
        try:
            return source.read(*given)
        except TypeError as error:
            raise UntranslatableError(f"{' and '.join(source.names)} must be numbers") from error

"""Which ComfyUI node some of our nodes are: recipes read backwards."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.links import Link, Range, Varied, unparsed
from engine.workflow import Node

from .declared import Computed, Entry, Given, Json, Made, Part, Preset, Recipe, UntranslatableError
from .recipes import ABSENT, Catalogue, literals
from .table import ENTRIES


@dataclass
class Match:
    """A ComfyUI node for some of ours. Values of `values` are ComfyUI's, or our links."""

    entry: Entry
    recipe: Recipe
    values: Json = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    """Our nodes by their roles."""
    near: list[str] = field(default_factory=list)
    """What ComfyUI does otherwise."""

    def slot(self, output: str) -> int | None:
        """The number of an output of the node that gives the result."""
        made = Made(self.recipe.anchor, output)
        return self.recipe.outputs.index(made) if made in self.recipe.outputs else None


def match(node_id: str, nodes: Mapping[str, Node], catalogue: Catalogue) -> Match | str:
    """The ComfyUI node whose result one of our nodes gives: the most of ours that it can be, with the least lost.

    Where there is none, the reason, if one can be told.
    """
    found, reason = [], ""
    for entry, recipe in _candidates(nodes[node_id].type):
        matching = _Matching(entry, recipe, nodes, catalogue)
        made = matching.whole(node_id)
        if made is not None:
            found.append(made)
        reason = reason or matching.reason
    return min(found, key=lambda each: (-len(each.parts), len(each.near)), default=reason)


def _candidates(kind: str) -> Iterator[tuple[Entry, Recipe]]:
    for entry in ENTRIES:
        for recipe in entry.recipes:
            if recipe.exports and recipe.parts[recipe.anchor].type == kind:
                yield entry, recipe


class _Matching:
    """One recipe held against our nodes."""

    def __init__(
        self, entry: Entry, recipe: Recipe, nodes: Mapping[str, Node], catalogue: Catalogue
    ) -> None:
        self.nodes, self.catalogue = nodes, catalogue
        self.match = Match(entry, recipe, dict(recipe.says))
        self.later: list[tuple[Computed, Any]] = []
        self.reason = ""
        """Why it is none, where that can be told."""

    def whole(self, node_id: str) -> Match | None:
        match = self.match
        if not self.part(match.recipe.anchor, node_id):
            return None
        try:
            for source, value in self.later:
                match.values.update(source.write(value, match.values))
        except (KeyError, TypeError, UntranslatableError):
            return None
        return match if match.recipe.when(literals(match.entry, match.values)) else None

    def part(self, role: str, node_id: str) -> bool:
        if role in self.match.parts:
            return self.match.parts[role] == node_id
        part, node = self.match.recipe.parts[role], self.nodes.get(node_id)
        if node is None or node.type != part.type or part.type not in self.catalogue:
            return False
        self.match.parts[role] = node_id
        schema = self.catalogue[part.type]["inputs"]
        properties: Mapping[str, Json] = schema.get("properties", {})
        definitions = {"$defs": schema.get("$defs", {})}
        if not self._rest(part, node, properties):
            return False
        return all(
            self.source(
                source,
                self._value(node, name, properties),
                {**properties.get(name, {}), **definitions},
            )
            for name, source in part.inputs.items()
        )

    def _rest(self, part: Part, node: Node, properties: Mapping[str, Json]) -> bool:
        """Whether the inputs that the recipe says nothing of can be left out."""
        for name, value in node.inputs.items():
            if name in part.inputs or unparsed(value) == properties.get(name, {}).get("default"):
                continue
            if isinstance(value, Link) and "default" not in properties.get(name, {}):
                return False
            self.match.near.append(f"{name} is left out: ComfyUI's node has no such input")
        return True

    def source(self, source: object, value: Any, schema: Json) -> bool:
        """Whether a value is what the source gives; remembers ComfyUI's values for it."""
        if isinstance(value, (Range, Varied)):
            return False
        match source:
            case Given():
                return self.given(source, value)
            case Made():
                linked = isinstance(value, Link) and value.output == source.output
                return linked and self.part(source.part, value.node)
            case Computed():
                self.later.append((source, value))
                return not isinstance(value, Link) and value is not ABSENT
            case Preset():
                return self.preset(source, value)
            case Mapping():
                return self.variant(source, value, schema)
            case list():
                return self.listed(source, value)
            case _:
                return _equal(source, value)

    def preset(self, source: Preset, value: Any) -> bool:
        if _equal(source.value, value):
            return True
        self.match.near.append(source.otherwise)
        return bool(source.otherwise)

    def listed(self, source: list[Any], value: Any) -> bool:
        if not isinstance(value, list) or len(value) != len(source):
            return False
        return all(self.source(s, v, {}) for s, v in zip(source, value, strict=True))

    def given(self, source: Given, value: Any) -> bool:
        declared = self.match.entry.input(source.name)
        if declared is not None and declared.hidden:
            if value is not ABSENT and value is not None:
                self.match.near.append(f"{source.name} are left out: set them at its sampler again")
            return True
        if value is ABSENT or value is None or declared is None:
            return declared is not None and not (declared.required and declared.is_widget)
        if isinstance(value, Link):
            found: Any = value
            if source.codec is not None:
                return False
        elif source.codec is not None:
            try:
                found = source.codec.write(value)
            except (TypeError, UntranslatableError):
                return False
        elif isinstance(value, str) and value in declared.instead:
            found, what = declared.instead[value], declared.name.removesuffix("_name")
            if not found:
                self.reason = f"it has no {what} {value!r}"
                return False
            self.match.near.append(
                f"ComfyUI has no {what} {value!r}: it takes {found!r}, the nearest"
            )
        else:
            found = declared.theirs(value)
        return bool(self.match.values.setdefault(source.name, found) == found)

    def variant(self, source: Mapping[str, Any], value: Any, schema: Json) -> bool:
        """A choice of several forms, such as `{"kind": "scale", "factor": 2}`."""
        if not isinstance(value, dict) or not value.keys() <= source.keys():
            return False
        shape = _variant_schema(schema, value.get("kind"))
        return all(
            self.source(each, value.get(name, shape.get(name, {}).get("default", ABSENT)), {})
            for name, each in source.items()
        )

    def _value(self, node: Node, name: str, properties: Mapping[str, Json]) -> Any:
        if name in node.inputs:
            return node.inputs[name]
        return properties.get(name, {}).get("default", ABSENT)


def _variant_schema(schema: Json, kind: object) -> Mapping[str, Json]:
    mapping = schema.get("discriminator", {}).get("mapping", {})
    name = str(mapping.get(kind, "")).rpartition("/")[2]
    found: Mapping[str, Json] = schema["$defs"].get(name, {}).get("properties", {})
    return found


def _equal(wanted: object, value: object) -> bool:
    return isinstance(wanted, bool) == isinstance(value, bool) and wanted == value

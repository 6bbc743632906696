"""A node type told as JSON, so that a process without its code can check documents."""

import inspect
from collections.abc import Collection, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel

from .grid import Grid
from .keys import TypeDigests
from .kinds import Json, Opaque, type_name
from .node import NodeType

ANY: Json = {"type": "any"}
LINK: Json = {"type": "link"}
"""A check that no JSON value passes."""
_SCALARS = {"none", "bool", "int", "float", "str"}
_LEFT_OUT = {"ref", "metadata", "serialization"}
_PARTS = {"list", "set", "frozenset", "tuple", "dict", "nullable"}
_PART_KEYS = {"items_schema", "keys_schema", "values_schema", "schema"}
_BASES = {object, Generic, Opaque, BaseModel}


def describe(declared: NodeType, digests: TypeDigests) -> Json:
    """What `described` makes a node type of again: its schema, and what a check needs beside it.

    `checks` are pydantic's own of the inputs, as far as JSON can carry them: what it cannot carry
    lets everything pass. `kinds` are the classes that types name, each with its bases.
    """
    hints = [item.hint for item in declared.inputs.values()] + list(declared.outputs.values())
    leaves = [leaf for hint in hints for leaf in _leaves(hint)]
    variables = {leaf.__name__ for leaf in leaves if isinstance(leaf, TypeVar)}
    kinds: Json = {}
    for leaf in leaves:
        kinds |= _kind(leaf)
    checks = {
        item.name: portable(item.adapter.core_schema)
        for item in declared.inputs.values()
        if not isinstance(item.hint, TypeVar)
    }
    return declared.schema() | {
        "checks": checks,
        "kinds": kinds,
        "variables": sorted(variables),
        "code": digests.code(declared),
    }


def _leaves(hint: Any) -> Iterator[Any]:
    """The classes and type variables that a type is made of, origins of generic ones included."""
    origin = get_origin(hint)
    yield hint if origin is None else origin
    for argument in get_args(hint):
        yield from _leaves(argument)


def _kind(leaf: Any) -> Json:
    """A class with its bases by name, and likewise the bases; none if it is more than a name.

    A kind of text, for instance, may lead where texts may.
    """
    if leaf is Grid or not inspect.isclass(leaf) or not all(map(_is_plain, leaf.__mro__)):
        return {}
    bases = [base for base in leaf.__bases__ if base not in _BASES]
    kinds: Json = (
        {type_name(leaf): [type_name(base) for base in bases]} if leaf not in _BASES else {}
    )
    for base in bases:
        kinds |= _kind(base)
    return kinds


def _is_plain(base: type) -> bool:
    return base in _BASES or issubclass(base, (Opaque, BaseModel)) or is_dataclass(base)


def portable(schema: Mapping[str, Any]) -> Json:
    """A schema of pydantic's core as JSON. What is left out of it only refused, never allowed."""
    return _Portable().of(schema)


class _Portable:
    """Makes one schema portable; a model inside itself is not followed for ever."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self.inside: set[str] = set()

    def of(self, schema: Mapping[str, Any]) -> Json:
        kind = schema["type"]
        if kind in _PARTS:
            return self.copy(schema, _PART_KEYS & schema.keys())
        if kind == "literal" or kind in _SCALARS:
            return self.copy(schema)
        reader = getattr(self, f"of_{kind.replace('-', '_')}", None)
        return ANY if reader is None else reader(schema)

    def copy(self, schema: Mapping[str, Any], parts: Collection[str] = ()) -> Json:
        """The schema with some of its keys made portable; everything passes if JSON lacks another."""
        copy: Json = {}
        for key, value in schema.items():
            if key in parts:
                is_list = isinstance(value, list)
                copy[key] = [self.of(each) for each in value] if is_list else self.of(value)
            elif key not in _LEFT_OUT:
                if not _is_json(value):
                    return ANY
                copy[key] = value
        return copy

    def of_is_instance(self, schema: Mapping[str, Any]) -> Json:
        return LINK if issubclass(schema["cls"], Opaque) else ANY

    def of_union(self, schema: Mapping[str, Any]) -> Json:
        choices = [each[0] if isinstance(each, tuple) else each for each in schema["choices"]]
        return {"type": "union", "choices": [self.of(choice) for choice in choices]}

    def of_tagged_union(self, schema: Mapping[str, Any]) -> Json:
        tags, discriminator = schema["choices"], schema["discriminator"]
        if not _is_json(discriminator) or not all(isinstance(tag, str) for tag in tags):
            return ANY
        choices = {tag: self.of(choice) for tag, choice in tags.items()}
        return {"type": "tagged-union", "discriminator": discriminator, "choices": choices}

    def of_model(self, schema: Mapping[str, Any]) -> Json:
        """A model as the JSON object that it is read from."""
        config = {n: value for n, value in schema.get("config", {}).items() if n != "title"}
        inner = self.of(schema["schema"])
        if schema.get("custom_init") or not _is_json(config):
            return ANY
        if inner["type"] == "typed-dict":
            return inner | {"config": config}
        return ANY if config else inner

    def of_model_fields(self, schema: Mapping[str, Any]) -> Json:
        fields: Json = {}
        for name, field in schema["fields"].items():
            inner = field["schema"]
            fields[name] = {
                "type": "typed-dict-field",
                "schema": self.of(inner),
                "required": inner["type"] != "default",
                "validation_alias": field.get("validation_alias", name),
            }
        return {"type": "typed-dict", "fields": fields}

    def of_definitions(self, schema: Mapping[str, Any]) -> Json:
        self.definitions |= {each["ref"]: each for each in schema["definitions"]}
        return self.of(schema["schema"])

    def of_definition_ref(self, schema: Mapping[str, Any]) -> Json:
        name = schema["schema_ref"]
        if name in self.inside:
            return ANY
        self.inside.add(name)
        found = self.of(self.definitions[name])
        self.inside.remove(name)
        return found

    def of_default(self, schema: Mapping[str, Any]) -> Json:
        forgiving = schema.get("on_error", "raise") != "raise"
        return ANY if forgiving else self.of(schema["schema"])

    def of_function_after(self, schema: Mapping[str, Any]) -> Json:
        return self.of(schema["schema"])


def _is_json(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_json(each) for name, each in value.items())
    return value is None or type(value) in {bool, int, float, str}

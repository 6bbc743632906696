"""Node types known by description alone: documents are checked, and nothing can be run."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from types import new_class
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NoReturn,
    TypeVar,
    TypeVarTuple,
    get_origin,
)

from pydantic import Field, GetCoreSchemaHandler, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, SchemaError, core_schema
from typing_extensions import override

from .canonical import canonical
from .catalog import Catalog
from .describing import ANY, LINK
from .errors import DeclarationError
from .grid import Grid
from .kinds import Json, Opaque
from .node import Input, NodeType

_Parts = TypeVarTuple("_Parts")
_GENERIC: Any = Generic[*_Parts]  # type: ignore[index, misc]
_PLAIN = (bool, int, float, str, bytes, list, dict, tuple, set, frozenset, object, Grid)
_KNOWN: Mapping[str, Any] = {known.__name__: known for known in _PLAIN} | {
    "anything": Any,
    "nothing": type(None),
    "Ellipsis": ...,
}


def described(descriptions: Sequence[Json]) -> Catalog:
    """The catalog that `Catalog.describe` told of.

    It allows every document that the original allows. What only running code can tell is left
    open: files, checks of values against each other, facts, and nodes that have to be migrated.
    """
    classes = _Classes(descriptions)
    return Catalog(*(_read(description, classes) for description in descriptions))


@dataclass(frozen=True, eq=False)
class DescribedType(NodeType):
    """A node type without its code."""

    description: Json = field(default_factory=dict)

    @cached_property
    @override
    def summary(self) -> str:
        return str(self.description["summary"])

    @cached_property
    @override
    def delivers(self) -> bool:
        return bool(self.description["output_node"])

    @override
    def schema(self) -> Json:
        return {key: value for key, value in self.description.items() if key not in _BESIDE}


_BESIDE = {"checks", "kinds", "variables", "code"}


@dataclass(frozen=True)
class DescribedInput(Input):
    """An input with its check and its JSON Schema as they were told."""

    check: Json
    told: Json

    @cached_property
    @override
    def adapter(self) -> TypeAdapter[Any]:
        if isinstance(self.hint, TypeVar):
            return TypeAdapter(Any)
        try:
            return TypeAdapter(Annotated[Any, _Check(self.check)])
        except SchemaError:  # another version of pydantic wrote it
            return TypeAdapter(Any)

    @cached_property
    @override
    def default_text(self) -> str:
        return canonical(self.default)

    @cached_property
    @override
    def form(self) -> Json:
        return self.told


class _Check:
    """Has pydantic check what `describing.portable` told."""

    def __init__(self, check: Json) -> None:
        self.check = check

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema: CoreSchema = _with_links(self.check)
        return schema


def _with_links(check: Any) -> Any:
    if check == LINK:
        return core_schema.is_instance_schema(Opaque)
    if isinstance(check, dict):
        return {key: _with_links(value) for key, value in check.items()}
    return [_with_links(each) for each in check] if isinstance(check, list) else check


def _read(description: Json, classes: "_Classes") -> NodeType:
    form = description["inputs"]
    required = form.get("required", ())
    inputs: dict[str, Input] = {}
    for name, schema in form.get("properties", {}).items():
        default = schema.get("default")
        info: FieldInfo = Field(...) if name in required else Field(default)
        hint = classes.hint(description["types"][name], description)
        check = description["checks"].get(name, ANY)
        inputs[name] = DescribedInput(
            name, _bounded(hint, check), name in required, default,
            name in description["lazy"], info, check, schema,
        )  # fmt: skip
    return DescribedType(
        function=_absent,
        name=description["type"],
        category=description["category"],
        version=description["version"],
        lane=description["lane"],
        volatile=description["volatile"],
        formerly=tuple(description["formerly"]),
        inputs=inputs,
        outputs={n: classes.hint(text, description) for n, text in description["outputs"].items()},
        migrated_elsewhere=frozenset(description["migrations"]),
        description=description,
    )


def _absent(*_: object, **__: object) -> NoReturn:
    raise DeclarationError("this node is known by its description alone: run it where its code is")


def _bounded(hint: Any, check: Json) -> Any:
    """The hint with the bounds of its length, for values whose elements are links."""
    bounds = {key: check[key] for key in ("min_length", "max_length") if key in check}
    return Annotated[hint, Field(**bounds)] if bounds and get_origin(hint) in {list, dict} else hint


class _Classes:
    """The types that descriptions name: classes and variables made once for each name.

    What cannot be made again is `Any`.
    """

    def __init__(self, descriptions: Sequence[Json]) -> None:
        self.bases: dict[str, list[str]] = {}
        for description in descriptions:
            for name, bases in description["kinds"].items():
                known = self.bases.setdefault(name, [])
                known += [base for base in bases if base not in known]
        self.made: dict[str, Any] = {}

    def hint(self, text: str, description: Json) -> Any:
        """The type that `type_name` wrote."""
        try:
            return self._read(ast.parse(text, mode="eval").body, description)
        except (SyntaxError, TypeError, ValueError, RecursionError):
            return Any

    def _read(self, tree: ast.expr, description: Json) -> Any:
        match tree:
            case ast.BinOp(op=ast.BitOr()):
                return self._union(list(_members(tree)), description)
            case ast.Name(name):
                return self._named(name, description)
            case ast.Subscript(origin, ast.Tuple(elements)):
                arguments = tuple(self._read(element, description) for element in elements)
                return self._generic(self._read(origin, description), arguments)
            case ast.Subscript(origin, element):
                arguments = (self._read(element, description),)
                return self._generic(self._read(origin, description), arguments)
        return Literal[ast.literal_eval(tree)]

    def _union(self, members: list[ast.expr], description: Json) -> Any:
        choices = tuple(ast.literal_eval(each) for each in members if _is_choice(each))
        hints = [self._read(each, description) for each in members if not _is_choice(each)]
        if Any in hints:
            return Any
        return reduce(or_, [*hints, Literal[choices]] if choices else hints)

    def _named(self, name: str, description: Json) -> Any:
        if name in description["variables"]:
            return self.made.setdefault(f"variable {name}", TypeVar(name))
        if name in description["kinds"]:
            return self._class(name)
        return _KNOWN.get(name, Any)

    def _generic(self, origin: Any, arguments: tuple[Any, ...]) -> Any:
        return Any if origin is Any else origin[arguments]

    def _class(self, name: str) -> Any:
        if name not in self.made:
            self.made[name] = Any  # of one that is its own base, as two of one name may seem to be
            bases = [self._class(base) for base in self.bases[name]] or [Opaque]
            if Any not in bases:
                self.made[name] = new_class(name, (*bases, _GENERIC))
        return self.made[name]


def _members(tree: ast.expr) -> Iterator[ast.expr]:
    if isinstance(tree, ast.BinOp):
        yield from _members(tree.left)
        yield from _members(tree.right)
    else:
        yield tree


def _is_choice(tree: ast.expr) -> bool:
    return isinstance(tree, (ast.Constant, ast.UnaryOp))

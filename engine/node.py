"""What a node is: a typed function, and what can be read from its signature."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PydanticSchemaGenerationError,
    TypeAdapter,
    WithJsonSchema,
    create_model,
)
from pydantic.fields import FieldInfo

from .artifacts import Artifact, Delivery
from .canonical import canonical
from .errors import DeclarationError
from .kinds import (
    UNKNOWN,
    Json,
    Lazy,
    Linked,
    Opaque,
    Progress,
    Route,
    Service,
    Waypoints,
    nowhere,
    silent,
    type_name,
)

__all__ = [
    "UNKNOWN",
    "Input",
    "Json",
    "Lane",
    "Lazy",
    "Migration",
    "NodeType",
    "Opaque",
    "Progress",
    "Route",
    "Service",
    "Waypoints",
    "node",
    "node_type",
    "nowhere",
    "rename",
    "silent",
    "type_name",
]

F = TypeVar("F", bound=Callable[..., Any])
Lane = Literal["cpu", "device"]
Migration = Callable[[Json], Json]


@dataclass(frozen=True)
class Input:
    """One input of a node type, as read from its parameter."""

    name: str
    hint: Any
    """The type without `Lazy`; `Annotated` metadata kept."""
    required: bool
    default: Any
    lazy: bool
    field: FieldInfo

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Checks a value against the type and its range, and turns JSON into it."""
        return TypeAdapter(Any if isinstance(self.hint, TypeVar) else self.schema_hint)

    @cached_property
    def is_generic(self) -> bool:
        """Whether what it takes decides on other types of the node."""
        return _has_variable(self.hint)

    @cached_property
    def container(self) -> TypeAdapter[Any]:
        """Checks the length of a list or dict whose elements are links."""
        hint: Any = self.hint
        constraints: list[Any] = []
        if get_origin(hint) is Annotated:
            hint, *constraints = get_args(hint)
        inner: Any = dict[str, Any] if get_origin(hint) is dict else list[Any]
        return TypeAdapter(Annotated[inner, *constraints, None])

    @cached_property
    def default_text(self) -> str:
        """The default as canonical JSON, for keys: an input left out equals its default given."""
        return canonical(self.adapter.dump_python(self.default, mode="json"))

    @cached_property
    def form(self) -> Json:
        """The JSON Schema."""
        hint: Any = Annotated[self.schema_hint, self.field]
        return TypeAdapter(hint).json_schema()

    @property
    def schema_hint(self) -> Any:
        """The type as JSON Schema sees it: a type variable is a link to anything consistent."""
        if isinstance(self.hint, TypeVar):
            return Annotated[Any, WithJsonSchema({"link": self.hint.__name__})]
        origin = get_origin(self.hint)
        if isinstance(origin, type) and issubclass(origin, Opaque):
            return Annotated[self.hint, Linked(), WithJsonSchema({"link": type_name(self.hint)})]
        return self.hint


@dataclass(frozen=True, eq=False)
class NodeType:
    """A declared node: its function, and what the graph and the editor need to know of it."""

    function: Callable[..., Any]
    name: str
    category: str
    version: int = 1
    lane: Lane = "cpu"
    volatile: bool = False
    migrations: Mapping[int, Migration] = field(default_factory=dict)
    formerly: tuple[str, ...] = ()
    fingerprint: Callable[..., object] | None = None
    check: Callable[..., None] | None = None
    infer: Callable[..., Any] | None = None
    work: Callable[..., float | None] | None = None
    inputs: Mapping[str, Input] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    services: Mapping[str, type[Service]] = field(default_factory=dict)
    progress: str | None = None
    delivery: str | None = None
    waypoints: str | None = None
    migrated_elsewhere: frozenset[int] = frozenset()
    """Old versions that only another process can bring further: nodes of them are not checked."""

    single: ClassVar[str] = "value"
    """The name of the output of a node that has one."""

    @cached_property
    def summary(self) -> str:
        """The first line of the docstring: the node's tooltip."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @cached_property
    def delivers(self) -> bool:
        """Whether the node is an output node: one that returns an `Artifact`."""
        return any(_is_artifact(hint) for hint in self.outputs.values())

    def schema(self) -> Json:
        """What the editor draws: JSON Schema of the inputs, and the outputs by name."""
        fields: dict[str, Any] = {
            item.name: (item.schema_hint, item.field) for item in self.inputs.values()
        }
        model: type[BaseModel] = create_model(
            self.name, __config__=ConfigDict(extra="forbid"), **fields
        )
        return {
            "type": self.name,
            "version": self.version,
            "category": self.category,
            "summary": self.summary,
            "lane": self.lane,
            "volatile": self.volatile,
            "fingerprint": self.fingerprint is not None,
            "formerly": list(self.formerly),
            "migrations": sorted(self.migrations),
            "output_node": self.delivers,
            "inputs": model.model_json_schema(),
            "types": {item.name: type_name(item.hint) for item in self.inputs.values()},
            "lazy": [item.name for item in self.inputs.values() if item.lazy],
            "outputs": {name: type_name(hint) for name, hint in self.outputs.items()},
        }


def node(
    name: str,
    *,
    category: str,
    version: int = 1,
    lane: Lane = "cpu",
    volatile: bool = False,
    migrations: Mapping[int, Migration] | None = None,
    formerly: tuple[str, ...] = (),
    fingerprint: Callable[..., object] | None = None,
    check: Callable[..., None] | None = None,
    infer: Callable[..., Any] | None = None,
    work: Callable[..., float | None] | None = None,
    early: bool = False,
) -> Callable[[F], F]:
    """Declare a function to be the node type `name`. The function itself is returned unchanged.

    Args:
        name: The string in workflow files: PascalCase, the field's own word.
        category: Where the editor lists it.
        version: Raised when old results or old JSON would be wrong.
        lane: "device" for a node that computes with a model: one at a time for each device.
        volatile: The result depends on more than the inputs (clock, network): run each time.
        migrations: For each old version, a function from its inputs to the next version's.
        formerly: Names that the type had before.
        fingerprint: Names what the node reads from outside its inputs. Called with those of the
            node's inputs and services that it has parameters for; returns JSON, such as a digest.
        check: Raises `InputError` for values that do not go together. Called before a run with
            those of the node's inputs that it has parameters for, unless one comes by a link and
            is known only in the run.
        infer: Says what is known of the outputs before a run, such as shapes, as facts that the
            `infer` of the nodes behind their links reads; a tuple for several outputs. Called with
            those of the node's inputs and services that it has parameters for: a literal as its
            value, a link as the fact about it, which is `UNKNOWN` if there is none. The fact about
            a number, a text or a truth is the value. A lazy input comes as a function, to be called
            only if the node would call it. Raises `InputError` for what cannot work; that counts
            if a run would come to the node.
        work: Says how much there is to compute, in a unit of the node's own, called as `infer` is, and
            only when a plan or the journal asks; None if that is not known. The time that another
            result took is scaled by it.
        early: The function itself is quick and loads nothing, so it serves as `infer` once the
            values of all its inputs are known.

    Raises:
        DeclarationError: The signature lacks a type or a docstring, or uses what cannot be a node.
    """

    def declare(function: F) -> F:
        declared = _read_signature(
            function, name=name, category=category, version=version, lane=lane, volatile=volatile,
            migrations=dict(migrations or {}), formerly=formerly, fingerprint=fingerprint,
            check=check, infer=function if early else infer, work=work,
        )  # fmt: skip
        if early:
            _check_early(declared)
        function.__node__ = declared  # type: ignore[attr-defined]
        return function

    return declare


def _check_early(declared: NodeType) -> None:
    if declared.volatile or any(item.lazy for item in declared.inputs.values()):
        raise DeclarationError(
            f"node {declared.name!r}: what is volatile or has lazy inputs is not known early; give infer"
        )


def node_type(function: Callable[..., Any]) -> NodeType:
    """The declaration attached to a node function."""
    declared: NodeType | None = getattr(function, "__node__", None)
    if declared is None:
        raise DeclarationError(
            f"{getattr(function, '__qualname__', function)} is not a node: decorate it with @node(name, category=...)"
        )
    return declared


def rename(**names: str) -> Migration:
    """A migration which renames inputs: `rename(old="new")`."""
    return lambda inputs: {names.get(name, name): value for name, value in inputs.items()}


_INJECTED = {Progress: "progress", Delivery: "delivery", Waypoints: "waypoints"}


def _read_signature(function: Callable[..., Any], **declared: Any) -> NodeType:
    where = f"node {declared['name']!r} ({function.__qualname__})"
    hints = get_type_hints(function, include_extras=True)
    if "return" not in hints:
        raise DeclarationError(f"{where}: annotate the return type")
    if not inspect.getdoc(function):
        raise DeclarationError(f"{where}: give a docstring; its first line is the node's tooltip")
    described = _described_arguments(function)
    inputs: dict[str, Input] = {}
    services: dict[str, type[Service]] = {}
    injected: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in hints:
            raise DeclarationError(f"{where}: annotate the parameter {parameter.name!r}")
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            raise DeclarationError(
                f"{where}: {parameter.name!r} must be a named parameter, not * or **"
            )
        hint = hints[parameter.name]
        if hint in _INJECTED:
            injected[_INJECTED[hint]] = parameter.name
        elif isinstance(hint, type) and issubclass(hint, Service):
            services[parameter.name] = hint
        else:
            inputs[parameter.name] = _read_input(
                where, parameter, hint, described.get(parameter.name)
            )
    return NodeType(
        function=function,
        inputs=inputs,
        outputs=_read_outputs(hints["return"]),
        services=services,
        **injected,
        **declared,
    )


def _read_input(where: str, parameter: inspect.Parameter, hint: Any, text: str | None) -> Input:
    lazy = get_origin(hint) is Lazy
    if lazy:
        (hint,) = get_args(hint)
    required = parameter.default is parameter.empty
    default = None if required else parameter.default
    extra: dict[str, Any] = {} if text is None else {"description": text}
    field_info = Field(..., **extra) if required else Field(default, **extra)
    read = Input(parameter.name, hint, required, default, lazy, field_info)
    try:
        read.adapter  # noqa: B018 - built once here, so that a wrong type fails at import
    except PydanticSchemaGenerationError as error:
        raise DeclarationError(
            f"{where}: {parameter.name!r} has the type {hint}, which is neither JSON nor Opaque"
        ) from error
    return read


def _read_outputs(returned: Any) -> dict[str, Any]:
    if isinstance(returned, type) and issubclass(returned, tuple) and hasattr(returned, "_fields"):
        return get_type_hints(returned, include_extras=True)
    return {NodeType.single: returned}


def _has_variable(hint: Any) -> bool:
    return isinstance(hint, TypeVar) or any(map(_has_variable, get_args(hint)))


def _is_artifact(hint: Any) -> bool:
    return hint is Artifact or any(_is_artifact(argument) for argument in get_args(hint))


def _described_arguments(function: Callable[..., Any]) -> dict[str, str]:
    """The `Args:` section of a Google-style docstring."""
    section = re.search(
        r"^Args:\n((?:    .*\n?|\n)+)", inspect.getdoc(function) or "", re.MULTILINE
    )
    if section is None:
        return {}
    entries = re.findall(r"^    (\w+): ((?:.|\n        )+)", section[1], re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}

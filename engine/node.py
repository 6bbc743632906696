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
    Final,
    Literal,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PydanticSchemaGenerationError,
    TypeAdapter,
    WithJsonSchema,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema
from typing_extensions import override

from .artifacts import Artifact, Delivery
from .canonical import canonical
from .errors import DeclarationError

F = TypeVar("F", bound=Callable[..., Any])
T_co = TypeVar("T_co", covariant=True)
Json = dict[str, Any]
Lane = Literal["cpu", "device"]
Migration = Callable[[Json], Json]


class _Unknown:
    """What is known only while running."""

    @override
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""The fact about a value of which nothing is known before a run."""


class Opaque:
    """Base of the values that travel only along links, such as tensors and models.

    A subclass is a frozen dataclass; the store writes its fields (JSON, other dataclasses, tensors).
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls, metadata={"link": type_name(source)})

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> Json:
        return {"link": schema.get("metadata", {}).get("link", cls.__name__)}


class _Linked:
    """Has pydantic check a generic `Opaque` as such, where it would take its fields' JSON for one."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.is_instance_schema(get_origin(source))


class Service:
    """Base of what the runner lends to a node (folders, the model pool): injected, not an input.

    A parameter of such a type has a default, which is what a script gets.
    """


class Lazy(Protocol[T_co]):
    """An input that is computed only when the node calls it. A lambda is one.

    In a run, a call whose value is not there yet ends the node's function, and the function is
    called again once the value is: ask for lazy values before doing anything costly.
    """

    def __call__(self) -> T_co: ...


class Progress(Protocol):
    """Told by a node how far it is. Raises `Cancelled` when the run is to stop."""

    def __call__(self, done: int, total: int, preview: Callable[[], Any] | None = None) -> None: ...


def silent(done: int, total: int, preview: Callable[[], Any] | None = None) -> None:
    """The `Progress` of a node called from a script."""


class Route(Protocol):
    """One long computation, as steps that lead from a start to an end."""

    def last(self, most: int) -> tuple[int, Any] | None:
        """The furthest stored step of at most `most`, with what was stored there; none if none is."""

    def offer(self, step: int, value: Callable[[], Any]) -> None:
        """Store what `value()` gives for a step, if that is worth its cost by now."""


class Waypoints(Protocol):
    """Where a node stores how far it came, so that it goes on from there after a crash.

    Called with everything that the steps depend on, it gives their `Route`. Two nodes, or two
    runs, that go the same way share it, however far each of them goes.
    """

    def __call__(self, *made_of: Any) -> Route: ...


class _Pathless:
    def last(self, most: int) -> tuple[int, Any] | None:
        return None

    def offer(self, step: int, value: Callable[[], Any]) -> None:
        return


def nowhere(*made_of: Any) -> Route:
    """The `Waypoints` of a node called from a script: nothing is stored."""
    return _Pathless()


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

    @property
    def schema_hint(self) -> Any:
        """The type as JSON Schema sees it: a type variable is a link to anything consistent."""
        if isinstance(self.hint, TypeVar):
            return Annotated[Any, WithJsonSchema({"link": self.hint.__name__})]
        origin = get_origin(self.hint)
        if isinstance(origin, type) and issubclass(origin, Opaque):
            return Annotated[self.hint, _Linked(), WithJsonSchema({"link": type_name(self.hint)})]
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
    inputs: Mapping[str, Input] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    services: Mapping[str, type[Service]] = field(default_factory=dict)
    progress: str | None = None
    delivery: str | None = None
    waypoints: str | None = None

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
            "output_node": self.delivers,
            "inputs": model.model_json_schema(),
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
            those of the node's inputs that it has parameters for, unless one comes by a link.
        infer: Says what is known of the outputs before a run, such as shapes, as facts that the
            `infer` of the nodes behind their links reads; a tuple for several outputs. Called with
            those of the node's inputs and services that it has parameters for: a literal as its
            value, a link as the fact about it, which is `UNKNOWN` if there is none. Raises
            `InputError` for what cannot work.
        early: The function itself is quick and loads nothing, so it serves as `infer` once the
            values of all its inputs are known.

    Raises:
        DeclarationError: The signature lacks a type or a docstring, or uses what cannot be a node.
    """

    def declare(function: F) -> F:
        declared = _read_signature(
            function,
            name=name,
            category=category,
            version=version,
            lane=lane,
            volatile=volatile,
            migrations=dict(migrations or {}),
            formerly=formerly,
            fingerprint=fingerprint,
            check=check,
            infer=function if early else infer,
        )
        function.__node__ = declared  # type: ignore[attr-defined]
        return function

    return declare


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


def type_name(hint: Any) -> str:
    """A type as people read it: `Image`, `float`, `list[Image]`, `"euler" | "heun"`."""
    if get_origin(hint) is Annotated:
        return type_name(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return " | ".join(repr(value) for value in get_args(hint))
    if hint is Any:
        return "anything"
    arguments = get_args(hint)
    if arguments:
        origin = getattr(get_origin(hint), "__name__", "")
        inner = [type_name(argument) for argument in arguments]
        return (
            " | ".join(inner)
            if origin in {"UnionType", "Union", "_UnionGenericAlias"}
            else f"{origin}[{', '.join(inner)}]"
        )
    return "nothing" if hint is type(None) else str(getattr(hint, "__name__", hint))


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

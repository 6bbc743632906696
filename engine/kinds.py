"""The kinds of parameters of node functions: values that are linked, and what a runner lends."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, Protocol, TypeVar, get_args, get_origin

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema
from typing_extensions import override

T_co = TypeVar("T_co", covariant=True)
Json = dict[str, Any]


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


class Linked:
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

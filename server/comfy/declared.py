"""What an entry of the table says: a ComfyUI node type, and what stands for it in Darkroom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Source = Literal[
    "checkpoints", "vae", "controlnet", "clip_vision", "loras", "embeddings", "upscale_models", "images", "samplers",
    "schedules",
]  # fmt: skip
WIDGETS = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"})
"""Types of inputs that hold a value of their own; all others can only be linked."""


class UntranslatableError(ValueError):
    """A value has no counterpart; the message says why."""


@dataclass(frozen=True)
class Input:
    """One input of a ComfyUI node type, in the order in which ComfyUI declares it."""

    name: str
    type: str
    options: Json = field(default_factory=dict)
    """What `/object_info` tells beside the type, in ComfyUI's words: default, min, max, step …"""
    words: Mapping[str, str] = field(default_factory=dict)
    """For a choice: ComfyUI's words and ours."""
    source: Source | None = None
    """For a choice that depends on the machine: where its words come from."""
    required: bool = True
    near: Callable[[str], str] = lambda value: ""
    """How the result of a text differs from ComfyUI's, if it does."""
    instead: Mapping[str, str] = field(default_factory=dict)
    """Of our words that ComfyUI lacks: its own that is nearest, or "" where none is near."""
    hidden: bool = False
    """Whether it is none of ComfyUI's, but what goes along with another one; see `bundles`."""

    @property
    def is_widget(self) -> bool:
        """Whether it holds a value of its own."""
        return self.type in WIDGETS

    @property
    def default(self) -> Any:
        """The value that ComfyUI's editor begins with; none for links and lists of files."""
        if "default" in self.options:
            return self.options["default"]
        if self.type == "COMBO" and self.words:
            return next(iter(self.words))
        return "" if self.type == "STRING" else None

    def ours(self, value: Any) -> Any:
        """Our word for a value; the value itself where there is none."""
        if not isinstance(value, str):
            return value
        if self.source in _FILES:
            return value.replace("\\", "/").removesuffix(" [input]")
        return self.words.get(value, value)

    def theirs(self, value: Any) -> Any:
        """ComfyUI's word for a value; the value itself where there is none."""
        if isinstance(value, str):
            return next((word for word, our in self.words.items() if our == value), value)
        return value


_FILES: frozenset[Source | None] = frozenset(
    {
        *("checkpoints", "vae", "controlnet", "clip_vision"),
        *("loras", "embeddings", "upscale_models", "images"),
    }
)


@dataclass(frozen=True)
class Codec:
    """How one value becomes ours, and back. Both may raise `UntranslatableError`."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


@dataclass(frozen=True)
class Given:
    """What the ComfyUI node is given for an input: a value or a link."""

    name: str
    codec: Codec | None = None


@dataclass(frozen=True)
class Computed:
    """What follows from several values of the ComfyUI node."""

    names: tuple[str, ...]
    read: Callable[..., Any]
    write: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]]
    """From our value and those that are known already to ComfyUI's values."""


@dataclass(frozen=True)
class Made:
    """An output of another part of the recipe."""

    part: str
    output: str = "value"


@dataclass(frozen=True)
class Preset:
    """A value that ComfyUI's node always has; `otherwise` says what another one loses in ComfyUI."""

    value: Any
    otherwise: str = ""


@dataclass(frozen=True)
class Part:
    """One of our nodes: its type and where each input comes from.

    Inputs are `Given`, `Computed`, `Made`, `Preset`, plain JSON, or lists and objects of these.
    """

    type: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


Condition = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Recipe:
    """Our nodes for one ComfyUI node. `outputs` are its outputs in order; None where we have none."""

    parts: Mapping[str, Part]
    outputs: tuple[Made | Given | None, ...] = ()
    when: Condition = lambda values: True
    """Asked with the node's values; those that are linked are not among them."""
    near: str = ""
    """How the result differs from ComfyUI's, if it does."""
    says: Json = field(default_factory=dict)
    """Values that ComfyUI's node needs for this recipe, and that are in none of the parts."""
    exports: bool = True
    """Whether our nodes may become this ComfyUI node; another recipe may say the same better."""
    beside: Made | None = None
    """What goes along with the first output; see `bundles.ALONG`."""

    @property
    def anchor(self) -> str:
        """The part that the others lead to."""
        for output in self.outputs:
            if isinstance(output, Made):
                return output.part
        return list(self.parts)[-1]


@dataclass(frozen=True)
class Entry:
    """A ComfyUI node type. Without recipes it is known by its interface alone."""

    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, str], ...] = ()
    """Names and types."""
    recipes: tuple[Recipe, ...] = ()
    category: str = ""
    title: str = ""
    """What ComfyUI's editor calls it."""
    is_output: bool = False
    formerly: tuple[str, ...] = ()
    limits: str = ""
    """What the recipes do not cover."""

    def input(self, name: str) -> Input | None:
        """The input of that name."""
        return next((each for each in self.inputs if each.name == name), None)

    @property
    def widgets(self) -> tuple[Input, ...]:
        """The inputs that hold values, in order."""
        return tuple(each for each in self.inputs if each.is_widget)


def link(name: str, kind: str, *, required: bool = True) -> Input:
    """An input that can only be linked."""
    return Input(name, kind, required=required)


def whole(name: str, default: int, low: int, high: int, *, step: int = 1, **options: Any) -> Input:
    """A whole number."""
    bounds = {"default": default, "min": low, "max": high}
    return Input(name, "INT", bounds | ({"step": step} if step != 1 else {}) | options)


def seed(name: str = "seed") -> Input:
    """A seed, which ComfyUI's editor follows by what to do with it after each run."""
    return whole(name, 0, 0, 2**64 - 1, control_after_generate=True)


def real(
    name: str, default: float, low: float, high: float, *, step: float = 0.01, **options: Any
) -> Input:
    """A number."""
    return Input(
        name, "FLOAT", {"default": default, "min": low, "max": high, "step": step} | options
    )


def text(name: str, default: str = "", *, multiline: bool = False, **more: Any) -> Input:
    """A text."""
    options = {"default": default} | ({"multiline": True} if multiline else {})
    return Input(name, "STRING", options, **more)


def flag(name: str, *, default: bool) -> Input:
    """True or false."""
    return Input(name, "BOOLEAN", {"default": default})


def choice(name: str, *words: str, default: str | None = None, **ours: str) -> Input:
    """One of some words; `ours` tells those that are called otherwise here."""
    options = {} if default is None else {"default": default}
    return Input(name, "COMBO", options, {word: ours.get(word, word) for word in words})


def files(name: str, source: Source, **options: Any) -> Input:
    """The name of a file, out of those that are there."""
    return Input(name, "COMBO", options, source=source)


def elsewhere(kind: str, outputs: int = 1) -> Recipe:
    """No recipe: what the node says becomes inputs of a node of ours that stands for another one."""
    nothing = (None,) * outputs
    return Recipe({"it": Part(kind)}, nothing, when=lambda values: False, exports=False)


def one(
    kind: str,
    outputs: tuple[str, ...] = ("value",),
    *,
    near: str = "",
    when: Condition = lambda values: True,
    exports: bool = True,
    says: Json | None = None,
    **inputs: Any,
) -> Recipe:
    """A recipe of a single node."""
    made = tuple(Made("it", name) for name in outputs)
    return Recipe({"it": Part(kind, inputs)}, made, when, near, says or {}, exports)

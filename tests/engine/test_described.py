import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from hypothesis import given, settings
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    RootModel,
    StringConstraints,
    Tag,
)
from pydantic.types import Strict
from pydantic_core import core_schema

from engine.catalog import Catalog, catalog_digest
from engine.check import check, compile_graph
from engine.described import described
from engine.errors import DeclarationError
from engine.grid import Grid
from engine.node import NodeType, Opaque, node, node_type
from engine.runtime import Runtime
from engine.types import accepts
from engine.workflow import Workflow

from . import toys
from .conftest import SEWN, flow, link
from .documents import PLAIN, documents

T = TypeVar("T")
BARE = Runtime()


def again(catalog: Catalog) -> Catalog:
    """The catalog as another process gets it."""
    return described(json.loads(json.dumps(catalog.describe())))


def timid(catalog: Mapping[str, NodeType]) -> Catalog:
    """The catalog without what only running code can tell."""
    return Catalog(
        *(replace(each, fingerprint=None, check=None, infer=None) for each in catalog.values())
    )


def found(workflow: Workflow, catalog: Catalog) -> list[tuple[str, str | None, str | None]]:
    return [(each.code, each.node, each.input) for each in check(workflow, catalog, BARE)]


TOYS = again(toys.catalog)


def test_a_described_catalog_describes_itself() -> None:
    for name, declared in toys.catalog.items():
        assert TOYS[name].schema() == declared.schema()
        assert TOYS[name].summary == declared.summary
        assert TOYS[name].delivers == declared.delivers


def test_a_described_node_cannot_be_run() -> None:
    with pytest.raises(DeclarationError, match="description"):
        TOYS["Add"].function(a=1.0)


def test_a_right_document_passes_and_gives_a_program() -> None:
    program = compile_graph(flow(SEWN), TOYS, BARE)
    assert program.targets == ("sewn",)
    assert program.calls["sewn"].arguments["stitches"] == 3


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"metres": 101.0}, "out_of_range"),
        ({"metres": "long"}, "wrong_type"),
        ({"meters": 1.0}, "unknown_input"),
        ({"metres": link("cloth")}, "wrong_link"),
        ({"metres": link("nobody")}, "unknown_link"),
    ],
)
def test_a_wrong_document_is_refused_as_the_original_does(
    inputs: dict[str, Any], code: str
) -> None:
    workflow = flow({"cloth": ("Dye", {}), "thread": ("Spin", inputs)})
    assert check(workflow, TOYS, BARE) == check(workflow, toys.catalog, BARE)
    assert [each.code for each in check(workflow, TOYS, BARE)] == [code]


def test_type_variables_bind_as_they_do() -> None:
    workflow = flow(
        {"cloth": ("Dye", {}), "same": ("Pass", {"value": link("cloth")}), "sum": ("Add", {"a": link("same")})}
    )  # fmt: skip
    assert found(workflow, TOYS) == [("wrong_link", "sum", "a")]


def test_the_length_of_a_list_of_links_is_checked() -> None:
    workflow = flow({"cloth": ("Dye", {}), "stack": ("Stack", {"cloths": [link("cloth")]})})
    assert found(workflow, TOYS) == [("out_of_range", "stack", "cloths")]


def test_a_former_name_is_known() -> None:
    assert found(flow({"cloth": ("Colour", {})}), TOYS) == []


def old(**inputs: Any) -> dict[str, Any]:
    return {"type": "Dye", "version": 1, "inputs": inputs}


def test_a_node_that_has_to_be_migrated_is_left_to_whom_can() -> None:
    document = {
        "darkroom": 1,
        "nodes": {
            "cloth": old(hue="red", gone=link("nobody")),
            "cut": {"type": "Cut", "inputs": {"cloth": link("cloth")}},
            "skipped": old() | {"mode": "bypass"},
            "muted": old() | {"mode": "mute"},
            "cuts": {"type": "Cut", "inputs": {"cloth": link("skipped")}},
        },
        "outputs": {
            "left": {"node": "cut", "output": "left"},
            "right": {"node": "cuts", "output": "right"},
        },
    }
    workflow = Workflow.from_json(document)
    program = compile_graph(workflow, TOYS, BARE)
    assert program.workflow.to_json()["nodes"]["cloth"]["inputs"]["hue"] == "red"
    assert "muted" not in program.calls


def test_an_old_node_without_migrations_is_checked() -> None:
    nodes = {"cloth": {"type": "Dye", "version": 2, "inputs": {"hue": "red"}}}
    workflow = Workflow.from_json({"darkroom": 1, "nodes": nodes})
    assert ("unknown_input", "cloth", "hue") in found(workflow, TOYS)


def test_the_digest_follows_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = catalog_digest(toys.catalog.describe())
    assert catalog_digest(toys.catalog.describe()) == before
    monkeypatch.setattr("engine.keys.TypeDigests.code", lambda self, declared: "edited")
    assert catalog_digest(toys.catalog.describe()) != before


def test_the_digest_is_the_same_in_every_process() -> None:
    code = (
        "from engine.catalog import catalog_digest\n"
        "from tests.engine.test_described import EXOTIC\n"
        "print(catalog_digest(EXOTIC.describe()))"
    )
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert again.stdout.strip() == catalog_digest(EXOTIC.describe())


@settings(max_examples=200, deadline=None)
@given(documents(toys.catalog))
def test_a_described_check_finds_what_the_original_finds(workflow: Workflow) -> None:
    migrated = any(node.type == "Dye" and node.version == 1 for node in workflow.nodes.values())
    original, told = found(workflow, timid(toys.catalog)), found(workflow, TOYS)
    if not migrated:
        assert told == original
    elif not original:
        assert told == []


# Types that JSON tells in part


@dataclass(frozen=True)
class Fabric(Opaque):
    colour: str


@dataclass(frozen=True)
class Silk(Fabric):
    pass


@dataclass(frozen=True)
class Box(Opaque, Generic[T]):
    content: T


@dataclass(frozen=True)
class Size:
    """No node's own: JSON makes one."""

    metres: float = 1.0


class Tone(Enum):
    WARM = "warm"
    COLD = "cold"


class Chain(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    name: Annotated[str, Field(max_length=2)] = ""
    following: "Chain | None" = None


class Renamed(BaseModel):
    length: Annotated[int, Field(ge=0, alias="metres")]


class Aliased(BaseModel):
    length: Annotated[int, Field(validation_alias=AliasChoices("metres", "length"))]


class Forgiving(BaseModel):
    model_config = ConfigDict(strict=False)
    count: int = 0


class Built(BaseModel):
    count: int

    def __init__(self, **given: Any) -> None:
        super().__init__(count=given.get("count", 0))


class Listed(RootModel[list[int]]):
    pass


class Stripped(RootModel[str]):
    model_config = ConfigDict(str_strip_whitespace=True, str_max_length=1)


class Title(str):
    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


def halved(value: Any) -> Any:
    return value // 2 if isinstance(value, int) else value


def kind_of(value: Any) -> str:
    return "text" if isinstance(value, str) else "number"


def exotic(number: int, hint: Any) -> NodeType:
    """A node type with one input of this type, which it also gives."""

    def function(value: Any) -> Any:
        """Give a value back."""

    function.__annotations__ = {"value": hint, "return": hint}
    return node_type(node(f"Exotic{number}", category="test")(function))


HINTS: list[Any] = [
    Fabric, Silk, Box[Fabric], Box[int], Fabric | None, Silk | Box[Any], list[Box[Fabric]], Grid[Fabric], Grid[list[int]],
    Size, Tone, Chain, list[Chain | int], dict[str, Chain], Renamed, Forgiving, Built, Listed, Stripped,
    Annotated[int, BeforeValidator(halved), Field(le=2)],
    Annotated[int, AfterValidator(halved), Field(le=2)],
    Annotated[int, Strict(strict=False)],
    Annotated[str, StringConstraints(strip_whitespace=True, max_length=1)],
    Annotated[str, StringConstraints(pattern="^[a-z]+$")],
    Annotated[Annotated[int, Tag("number")] | Annotated[str, Tag("text")], Discriminator(kind_of)],
    Annotated[float, Field(multiple_of=0.5, gt=0)],
    Annotated[list[int], Field(min_length=1, max_length=2)],
    Annotated[set[int], Field(max_length=1)],
    tuple[int, ...], tuple[int, str], dict[str, float], frozenset[str], bytes, Path, object, Any, T, list[T],  # type: ignore[valid-type]
    Literal["red", "blue"], Literal[1, True, -2] | None, Literal["red"] | int, Literal[Tone.WARM], int | None, bool | str | None,
    Literal["red"], Literal[2], Path | int, Aliased, Title, Sequence[int], Mapping[str, int], list[Title],
]  # fmt: skip
EXOTIC = Catalog(*(exotic(number, hint) for number, hint in enumerate(HINTS)))
STRANGE = again(EXOTIC)
VALUES: list[Any] = [
    *PLAIN, [1, 1], [1, 1, 1], [1, "a"], "warm", "ab", "abc", " ab ", -2, 4, {"metres": 2}, {"metres": "2"}, {"metres": -1},
    {"name": " ab "}, {"name": "a", "following": {"name": "b", "following": None}}, {"count": "3"}, {"count": 3}, {"a": {"name": "a"}},
    [{"name": "a"}, 3], {"length": 2},
]  # fmt: skip


@pytest.mark.parametrize("name", EXOTIC)
def test_a_value_that_the_original_takes_is_taken(name: str) -> None:
    for value in VALUES:
        workflow = flow({"node": (name, {"value": value})})
        if not found(workflow, EXOTIC):
            assert found(workflow, STRANGE) == [], value


def test_a_link_that_the_original_takes_is_taken() -> None:
    for given_type in EXOTIC:
        for name in EXOTIC:
            workflow = flow(
                {"from": (given_type, {"value": link("on")}), "to": (name, {"value": link("from")}), "on": ("Exotic36", {"value": 1})}
            )  # fmt: skip
            if not found(workflow, EXOTIC):
                assert found(workflow, STRANGE) == [], (given_type, name)


@settings(max_examples=150, deadline=None)
@given(documents(EXOTIC))
def test_a_document_that_the_original_allows_is_allowed(workflow: Workflow) -> None:
    if not found(workflow, EXOTIC):
        assert found(workflow, STRANGE) == []


def test_subclasses_and_parts_of_types_still_count() -> None:
    names = {hint: f"Exotic{number}" for number, hint in enumerate(HINTS[:8])}

    def fits(given_type: Any, wanted: Any) -> bool:
        given_hint = STRANGE[names[given_type]].outputs["value"]
        return accepts(STRANGE[names[wanted]].inputs["value"].hint, given_hint, {})

    assert fits(Silk, Fabric)
    assert fits(Silk, Fabric | None)
    assert not fits(Fabric, Silk)
    assert not fits(Box[int], Box[Fabric])
    assert not fits(Box[Fabric], Fabric)
    assert fits(Fabric, Grid[Fabric])


def test_a_description_that_cannot_be_read_allows_everything() -> None:
    (told,) = Catalog(exotic(0, int)).describe()
    told["checks"]["value"] = {"type": "unheard of"}
    told["types"]["value"] = "int["
    workflow = flow({"node": ("Exotic0", {"value": "a"})})
    assert found(workflow, described([told])) == []


def test_two_classes_of_one_name_count_as_one() -> None:
    first, second = Catalog(exotic(0, Fabric), exotic(1, Silk)).describe()
    first["kinds"] = {"Fabric": ["Silk"], "Silk": []}
    both = described([first, second])
    workflow = flow({"node": ("Exotic0", {"value": link("other")}), "other": ("Exotic1", {"value": link("node")})})  # fmt: skip
    assert [code for code, _, _ in found(workflow, both)] == ["cycle"]

"""Random documents over a catalog: values near what inputs take, links to anywhere, every mode."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from engine.node import NodeType
from engine.workflow import Workflow

from .conftest import link

PLAIN: list[Any] = [
    None, True, False, 0, 1, 2, 8, 64, -1, 1.0, 0.5, -3.5, 1e9, 2**70, "", "a", "red", "blue", " a ", "5",
    [], ["a"], [1, 2], [0.5, 1], [[1]], {}, {"a": 1}, {"a": "b"}, {"$range": {"from": 1, "to": 3}},
]  # fmt: skip
AXES: list[Any] = [{"$axis": [1, 2]}, {"$axis": ["red", "blue"], "name": "hue"}]


def values(
    form: Mapping[str, Any], defs: Mapping[str, Any], depth: int = 3
) -> st.SearchStrategy[Any]:
    """Values that an input of this JSON Schema takes, or nearly."""
    if depth == 0:
        return st.sampled_from(PLAIN)
    if "$ref" in form:
        form = defs[form["$ref"].rpartition("/")[2]]
    choices = [form[key] for key in ("default", "const", "minimum", "maximum") if key in form]
    choices += [*form.get("enum", []), *([form["maximum"] + 1] if "maximum" in form else [])]
    found = st.sampled_from(choices) if choices else st.nothing()
    for inner in form.get("anyOf", []) + form.get("oneOf", []):
        found |= values(inner, defs, depth - 1)
    if "properties" in form:
        found |= st.fixed_dictionaries(
            {},
            optional={n: values(each, defs, depth - 1) for n, each in form["properties"].items()},
        )
    if form.get("type") == "array":
        found |= st.lists(values(form.get("items", {}), defs, depth - 1), max_size=3)
    if isinstance(form.get("additionalProperties"), dict):
        found |= st.dictionaries(
            st.sampled_from("ab"), values(form["additionalProperties"], defs, depth - 1), max_size=2
        )
    return found | st.sampled_from(PLAIN)


@st.composite
def documents(draw: st.DrawFn, catalog: Mapping[str, NodeType], most: int = 5) -> Workflow:
    """Up to `most` nodes; links mostly lead to outputs that are there."""
    kinds = [draw(st.sampled_from(sorted(catalog))) for _ in range(draw(st.integers(1, most)))]
    nodes: dict[str, Any] = {}
    for index, kind in enumerate(kinds):
        declared = catalog[kind]
        form = declared.schema()["inputs"]
        ends = [(str(n), o) for n, other in enumerate(kinds) for o in catalog[other].outputs]
        links = st.sampled_from([*ends, ("absent", "value")]).map(lambda end: link(*end))
        inputs: dict[str, Any] = {}
        for name, inner in form.get("properties", {}).items():
            value = values(inner, form.get("$defs", {}))
            if draw(st.integers(0, 9)) or name in form.get("required", ()):
                axes = st.sampled_from(AXES)
                inputs[name] = draw(links | value | axes | st.lists(links | value, max_size=2))
        nodes[str(index)] = {
            "type": kind,
            "version": draw(st.integers(1, declared.version)),
            "mode": draw(st.sampled_from(["normal"] * 5 + ["mute", "bypass"])),
            "inputs": inputs,
        }
    output = draw(st.sampled_from(list(catalog[kinds[-1]].outputs)))
    return Workflow.from_json(
        {
            "darkroom": 1,
            "nodes": nodes,
            "outputs": {"result": {"node": str(len(kinds) - 1), "output": output}},
        }
    )

"""The reference of the nodes, as docs/node-reference.md, from their declarations."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.node import Input, Json, NodeType, type_name

_HEAD = """# Reference of the nodes

Every node that ships, by category, with its inputs and outputs. [The nodes](nodes.md) tells which to take for what.
This page is made from the nodes' declarations; `darkroom nodes NAME` and the editor's tooltips tell the same.

An input in **bold** is a link and has no value of its own; any other may be typed in or linked. One without a
default must be given. Numbers in `a … b` are the range."""
_ORDER = (
    "loaders", "conditioning", "guidance", "sampling", "latent", "image", "mask", "output",
    "text", "math", "logic", "list",
)  # fmt: skip

_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "a text",
    "object": "values by name",
    "array": "a list",
}


def reference(catalog: Mapping[str, NodeType]) -> str:
    """The page."""
    categories: dict[str, list[NodeType]] = {}
    for declared in sorted(catalog.values(), key=lambda each: each.name):
        categories.setdefault(declared.category, []).append(declared)
    ordered = sorted(categories, key=lambda name: (_place(name), name))
    lines = [_HEAD, ""]
    for name in ordered:
        links = ", ".join(f"[{each.name}](#{each.name.lower()})" for each in categories[name])
        lines += [f"- [{name}](#{name}): {links}"]
    for name in ordered:
        lines += ["", f"## {name}"]
        for declared in categories[name]:
            lines += ["", *_node(declared)]
    return "\n".join(lines) + "\n"


def _place(category: str) -> int:
    return _ORDER.index(category) if category in _ORDER else len(_ORDER)


def _node(declared: NodeType) -> Iterator[str]:
    yield f"### {declared.name}"
    yield ""
    yield declared.summary
    yield ""
    if declared.inputs:
        yield "| input | takes | default | |"
        yield "|---|---|---|---|"
        yield from map(_row, declared.inputs.values())
        yield ""
    outputs = (f"`{name}` ({type_name(hint)})" for name, hint in declared.outputs.items())
    yield f"Gives {', '.join(outputs)}."


def _row(item: Input) -> str:
    form = item.form
    takes = _takes(form, form.get("$defs", {}))
    default = "" if item.required or item.default is None else f"`{_short(form.get('default'))}`"
    name = f"**{item.name}**" if _link(form) else item.name
    if not item.required and item.default is None:
        default = "none"
    cells = (name, takes, default, form.get("description", ""))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _takes(form: Json, named: Json) -> str:
    """What an input takes, in words."""
    link = _link(form)
    if link is not None:
        return link
    if "discriminator" in form:
        return "one of " + ", ".join(
            _choice(kind, named[place.rpartition("/")[2]])
            for kind, place in form["discriminator"]["mapping"].items()
        )
    if "$ref" in form:
        return _takes(named[form["$ref"].rpartition("/")[2]], named)
    if "anyOf" in form:
        return " or ".join(dict.fromkeys(_takes(each, named) for each in form["anyOf"]))
    if form.get("items"):
        return f"a list of {_takes(form['items'], named)}"
    return _plain(form)


def _plain(form: Json) -> str:
    if "enum" in form:
        return ", ".join(f"`{value}`" for value in form["enum"])
    if "files" in form:
        return f"a file of `{form['files']}`"
    word = _WORDS.get(form.get("type", ""), "anything")
    low = form.get("minimum", form.get("exclusiveMinimum"))
    high = form.get("maximum", form.get("exclusiveMaximum"))
    if low is None or high is None:
        return word
    return f"{word} in {low:,} … {high:,}" if high < 10**9 else word


def _link(form: Json) -> str | None:
    """The type that an input is a link to, if it takes nothing else."""
    options: Iterable[Any] = form.get("anyOf", [form])
    found = [str(each["link"]) for each in options if "link" in each]
    if found:
        return "anything" if found[0] == "T" else found[0]
    items = form.get("items")
    inner = _link(items) if isinstance(items, dict) else None
    return None if inner is None else f"a list of {inner}"


def _choice(kind: str, form: Json) -> str:
    names = [name for name in form.get("properties", {}) if name != "kind"]
    return f"`{kind}` ({', '.join(names)})" if names else f"`{kind}`"


def _short(value: Any) -> str:
    if isinstance(value, dict) and "kind" in value:
        return str(value["kind"])
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    import sys

    from engine.catalog import Catalog

    sys.stdout.write(reference(Catalog.load("nodes")))

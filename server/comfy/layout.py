"""Where the editor shows nodes, groups and notes."""

import math
from collections.abc import Mapping
from typing import Any

from .graph import Json


def node_view(item: Mapping[str, Any]) -> Json:
    """Position, size and look of a node, as our document keeps them."""
    view = _place(item)
    flags = item.get("flags")
    if isinstance(flags, dict) and flags.get("collapsed"):
        view["collapsed"] = True
    for name in ("color", "bgcolor"):
        if isinstance(item.get(name), str):
            view[name] = item[name]
    return view


def note_view(item: Mapping[str, Any]) -> Json:
    """A note with its text."""
    values = item.get("widgets_values")
    text = values[0] if isinstance(values, list) and values else ""
    view = node_view(item) | {"text": str(text)}
    if item.get("title"):
        view["title"] = str(item["title"])
    return view | ({"format": "markdown"} if item.get("type") == "MarkdownNote" else {})


def graph_view(document: Mapping[str, Any], notes: list[Json]) -> Json:
    """Groups, notes and the part that is seen."""
    groups = document.get("groups")
    listed = [
        _group(item)
        for item in (groups if isinstance(groups, list) else ())
        if isinstance(item, dict)
    ]
    view: Json = {"groups": listed, "notes": notes}
    extra = document.get("extra")
    seen = extra.get("ds") if isinstance(extra, dict) else None
    if isinstance(seen, dict):
        offset, zoom = _pair(seen.get("offset")), seen.get("scale")
        if offset is not None and _is_number(zoom):
            view["viewport"] = {"x": offset[0], "y": offset[1], "zoom": zoom}
    return view


def _group(item: Json) -> Json:
    bounds = item.get("bounding")
    view: Json = {"title": str(item.get("title") or "")}
    if isinstance(bounds, list) and len(bounds) == 4 and all(map(_is_number, bounds)):
        view |= dict(zip(("x", "y", "width", "height"), bounds, strict=True))
    if isinstance(item.get("color"), str):
        view["color"] = item["color"]
    return view


def _place(item: Mapping[str, Any]) -> Json:
    view: Json = {}
    for names, given in ((("x", "y"), item.get("pos")), (("width", "height"), item.get("size"))):
        pair = _pair(given)
        if pair is not None:
            view |= dict(zip(names, pair, strict=True))
    return view


def _pair(given: object) -> tuple[float, float] | None:
    """Two numbers, out of a list or of an object with the keys "0" and "1"."""
    if isinstance(given, dict):
        given = [given.get("0"), given.get("1")]
    if isinstance(given, list) and len(given) >= 2 and all(map(_is_number, given[:2])):
        return given[0], given[1]
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

"""The name that somebody may have meant."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from .operation import Json


def nearest_field(document: Json, place: Sequence[str | int]) -> str | None:
    """The field next to a place in a value whose name is most like the one that is not known.

    Args:
        document: The JSON Schema of the whole value.
        place: The names and numbers that lead to the field.
    """
    *above, name = place
    known: list[str] = []
    for schema in _within(document, document, above):
        known += schema.get("properties", {})
    near = get_close_matches(str(name), known, 1)
    return near[0] if near else None


def _within(document: Json, schema: Any, place: Sequence[str | int]) -> Iterator[Json]:
    """The schemas that a place in the value may have."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from _within(document, document["$defs"][name], place)
        return
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _within(document, choice, place)
    if not place:
        yield schema
        return
    first, *rest = place
    if isinstance(first, int):
        inner = schema.get("items")
    else:
        inner = schema.get("properties", {}).get(first, schema.get("additionalProperties"))
    yield from _within(document, inner, rest)

"""Literal values of inputs: checked, written for keys, and explained when they are wrong."""

import json
from difflib import get_close_matches
from typing import Any

from .canonical import canonical
from .node import Input, type_name

_SCALARS = (bool, int, float, str, type(None))
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
}


def validated(item: Input, value: Any) -> Any:
    """The literal as the function takes it; strict, so that "5" is no number and 1 no truth.

    Raises:
        pydantic.ValidationError: It is of the wrong type or out of range.
    """
    if isinstance(value, _SCALARS):
        return item.adapter.validate_python(value, strict=True)
    return item.adapter.validate_json(json.dumps(value), strict=True)


def text(item: Input, value: Any) -> str:
    """A checked value as canonical JSON.

    Raises:
        ValueError: It is infinite or NaN.
    """
    if type(value) in _SCALARS:
        return canonical(value)
    return canonical(item.adapter.dump_python(value, mode="json"))


def expected(item: Input) -> str:
    """What an input takes, as an instruction."""
    schema = item.form
    if "link" in schema:
        return f"link it to {schema['link']}"
    if "enum" in schema:
        return f"give one of {', '.join(map(str, schema['enum']))}"
    kind = _KINDS.get(schema.get("type", ""), f"a value of type {type_name(item.hint)}")
    low, high, end = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMaximum")
    bounds = "" if low is None else f" from {low}"
    bounds += "" if high is None else f" to {high}"
    bounds += "" if end is None else f", less than {end}"
    if "maxLength" in schema:
        bounds += f" of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    if "pattern" in schema:
        bounds += f" {schema.get('wanted', 'that matches ' + schema['pattern'])}"
    factor = f", a multiple of {schema['multipleOf']}" if "multipleOf" in schema else ""
    return f"give {kind}{bounds}{factor}"


def _like(value: str, choices: list[str]) -> str | None:
    """The choice that a text probably means: abbreviated, with words behind it, or misspelt."""
    plain = value.strip().lower().replace("+", "p")
    plain = "_".join(plain.replace("-", " ").replace("_", " ").split())
    if plain:
        longer = [choice for choice in choices if choice.startswith(plain)]
        if longer:
            return min(longer, key=len)
        shorter = [choice for choice in choices if plain.startswith(f"{choice}_")]
        if shorter:
            return max(shorter, key=len)
    near = get_close_matches(value, choices, 1)
    return near[0] if near else None


def nearest(item: Input, value: Any) -> str | None:
    """The right value that is most like a wrong one, where there is such a thing."""
    schema = item.form
    if "enum" in schema and isinstance(value, str):
        return _like(value, [str(choice) for choice in schema["enum"]])
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high, factor = (schema.get(k) for k in ("minimum", "maximum", "multipleOf"))
        if low is not None and value < low:
            return str(low)
        if high is not None and value > high:
            return str(high)
        if factor is not None and value % factor:
            return str(round(value / factor) * factor)
    return None

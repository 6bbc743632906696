"""Nodes for decisions and for text."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from engine.errors import InputError
from engine.known import agreed
from engine.node import UNKNOWN, Lazy, node

from .widgets import Prompt

T = TypeVar("T")
_PLACES = re.compile(r"\{\{|\}\}|\{(\w+)\}")
Comparison = Literal["==", "!=", "<", "<=", ">", ">="]


def _chosen(condition: Any, on_true: Callable[[], Any], on_false: Callable[[], Any]) -> Any:
    """What is known of the branch that is chosen, or else what both agree on."""
    if condition is UNKNOWN:
        return agreed((on_true(), on_false()))
    return on_true() if condition else on_false()


@node("Switch", category="logic", infer=_chosen)
def switch(condition: bool, on_true: Lazy[T], on_false: Lazy[T]) -> T:
    """Pass one of two values on, and compute only that one."""
    return on_true() if condition else on_false()


@node("Pass", category="logic", infer=lambda value: value)
def pass_on(value: T) -> T:
    """Pass a value on: a place for links to meet."""
    return value


@node("Compare", category="logic", early=True)
def compare(a: float = 0.0, b: float = 0.0, *, operator: Comparison = "==") -> bool:
    """Whether a comparison of two numbers holds."""
    return {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[
        operator
    ]


@node("And", category="logic", early=True)
def and_(a: bool, b: bool) -> bool:
    """Whether both are true."""
    return a and b


@node("Or", category="logic", early=True)
def or_(a: bool, b: bool) -> bool:
    """Whether at least one is true."""
    return a or b


@node("Not", category="logic", early=True)
def not_(value: bool) -> bool:
    """True for false, false for true."""
    return not value


@node("JoinText", category="text", early=True)
def join_text(texts: Annotated[list[str], Field(min_length=1)], *, separator: str = ", ") -> str:
    """Join texts into one, leaving out those that are empty.

    Args:
        separator: What stands between two texts.
    """
    return separator.join(text for text in texts if text)


@node("FormatText", category="text", early=True)
def format_text(*, template: Prompt = "", values: dict[str, str | bool | int | float]) -> str:
    """Put values into a text, each in place of its name in braces.

    Args:
        template: Such as `a {colour} house, {hour}:00`. Two braces stand for one; other braces stay.
        values: Texts and numbers by name.
    """

    def written(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0][0]
        if name in values:
            value = values[name]
            if isinstance(value, bool):
                return "true" if value else "false"
            return f"{value:.12g}" if isinstance(value, float) else str(value)
        near = get_close_matches(name, values, 1)
        raise InputError(
            f"the text names {{{name}}}, and there is no such value; there is {', '.join(values) or 'none'}:"
            " give one, or write two braces for one",
            input="template",
            hint=near[0] if near else None,
        )

    return _PLACES.sub(written, template)

"""Nodes for decisions and for text."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from engine.node import UNKNOWN, Lazy, node

T = TypeVar("T")
Comparison = Literal["==", "!=", "<", "<=", ">", ">="]


def _chosen(condition: Any, on_true: Callable[[], Any], on_false: Callable[[], Any]) -> Any:
    """What is known of the branch that is chosen, or else what both agree on."""
    if condition is UNKNOWN:
        first, second = on_true(), on_false()
        return first if type(first) is type(second) and first == second else UNKNOWN
    return on_true() if condition else on_false()


@node("Switch", category="logic", infer=_chosen)
def switch(condition: bool, on_true: Lazy[T], on_false: Lazy[T]) -> T:
    """Pass one of two values on, and compute only that one."""
    return on_true() if condition else on_false()


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

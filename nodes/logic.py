"""Nodes for decisions and for text."""

from typing import Annotated, Literal, TypeVar

from pydantic import Field

from engine.node import Lazy, node

T = TypeVar("T")
Comparison = Literal["==", "!=", "<", "<=", ">", ">="]


@node("Switch", category="logic")
def switch(condition: bool, on_true: Lazy[T], on_false: Lazy[T]) -> T:
    """Pass one of two values on, and compute only that one."""
    return on_true() if condition else on_false()


@node("Compare", category="logic")
def compare(a: float = 0.0, b: float = 0.0, *, operator: Comparison = "==") -> bool:
    """Whether a comparison of two numbers holds."""
    return {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[
        operator
    ]


@node("And", category="logic")
def and_(a: bool, b: bool) -> bool:
    """Whether both are true."""
    return a and b


@node("Or", category="logic")
def or_(a: bool, b: bool) -> bool:
    """Whether at least one is true."""
    return a or b


@node("Not", category="logic")
def not_(value: bool) -> bool:
    """True for false, false for true."""
    return not value


@node("JoinText", category="text")
def join_text(texts: Annotated[list[str], Field(min_length=1)], *, separator: str = ", ") -> str:
    """Join texts into one, leaving out those that are empty.

    Args:
        separator: What stands between two texts.
    """
    return separator.join(text for text in texts if text)

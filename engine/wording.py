"""Values, and how they differ, in one line for people."""

import json
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from .canonical import canonical
from .naming import link_target
from .places import ABSENT, same

_SHORT = 60
"""Up to so many characters a value is shown whole."""
_CONTEXT = 10
"""So many words, spaces and signs are shown around a change in a long text."""
_MOST_WORDS = 4000
"""Longer texts are compared only from the first difference to the last one: difflib is quadratic."""
_MOST_LEAVES = 4


def shown(value: Any, limit: int = _SHORT) -> str:
    """A JSON value in one line; links as `node.output`, long values without their middle."""
    return printable(_cut(_text(value), limit))


def change_shown(before: Any, after: Any) -> str:
    """How a value differs from an earlier one: word by word in texts, item by item in lists."""
    if isinstance(before, str) and isinstance(after, str) and len(before + after) > _SHORT:
        return printable(_words(before, after))
    long = max(len(_text(before)), len(_text(after))) > _SHORT
    if long and (_are(dict, before, after) or _are(list, before, after)):
        leaves = list(_leaves("", before, after))
        more = len(leaves) - _MOST_LEAVES
        ending = f"; and {more} more" if more > 0 else ""
        return "; ".join(leaves[:_MOST_LEAVES]) + ending
    return f"{shown(before)} → {shown(after)}"


def printable(text: str) -> str:
    """The text in one line, with control characters spelled out."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _are(kind: type, *values: Any) -> bool:
    return all(isinstance(value, kind) and link_target(value) is None for value in values)


def _text(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    target = link_target(value)
    if target is not None:
        return f"{target}.{value['$link'][1]}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_text(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: limit * 2 // 3]}…{text[-(limit // 3) :]}"


def _leaves(path: str, before: Any, after: Any) -> Iterator[str]:
    """The innermost differences of two values, each with its place in them."""
    if _are(dict, before, after):
        for name in before | after:
            yield from _leaves(f"{path}.{name}", before.get(name, ABSENT), after.get(name, ABSENT))
    elif _are(list, before, after):
        yield from _items(path, before, after)
    elif not same(before, after):
        yield f"{printable(path.removeprefix('.'))} {_leaf(before, after)}"


def _leaf(before: Any, after: Any) -> str:
    if before is ABSENT:
        return f"+ {shown(after)}"
    return f"- {shown(before)}" if after is ABSENT else change_shown(before, after)


def _items(path: str, before: list[Any], after: list[Any]) -> Iterator[str]:
    matcher = SequenceMatcher(None, list(map(canonical, before)), list(map(canonical, after)))
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        old, new = before[start:end], after[new_start:new_end]
        for offset in range(max(len(old), len(new))):
            yield from _leaves(
                f"{path}[{(start if offset < len(old) else new_start) + offset}]",
                old[offset] if offset < len(old) else ABSENT,
                new[offset] if offset < len(new) else ABSENT,
            )


def _words(before: str, after: str) -> str:
    """Both texts in one: `[-gone-]`, `{+new+}`, and what both have, shortened."""
    old, new = _tokens(before), _tokens(after)
    stretches = _stretches(old, new)
    shown_parts = []
    for index, (kept, gone, come) in enumerate(stretches):
        last = index == len(stretches) - 1
        shown_parts.append(_around(kept, first=index == 0, last=last))
        shown_parts.append(f"[-{_cut(gone, 4 * _SHORT)}-]" if gone else "")
        shown_parts.append(f"{{+{_cut(come, 4 * _SHORT)}+}}" if come else "")
    return f'"{"".join(shown_parts)}"'


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def _stretches(old: list[str], new: list[str]) -> list[tuple[list[str], str, str]]:
    """What both have, then what only the one and only the other has, in turns."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    inner_old, inner_new = old[head : len(old) - tail], new[head : len(new) - tail]
    stretches = [(old[:head], "", "")]
    if max(len(inner_old), len(inner_new)) > _MOST_WORDS:
        stretches.append(([], "".join(inner_old), "".join(inner_new)))
    else:
        _compare(inner_old, inner_new, stretches)
    return [*stretches, (old[len(old) - tail :], "", "")]


def _compare(old: list[str], new: list[str], stretches: list[tuple[list[str], str, str]]) -> None:
    matcher = SequenceMatcher(None, old, new)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        both, gone, come = old[start:end], "".join(old[start:end]), "".join(new[new_start:new_end])
        if tag == "equal" and gone.isspace():  # a lone space between two changes is part of them
            _, before, after = stretches.pop()
            stretches.append((_, before + gone, after + come))
        elif tag == "equal":
            stretches.append((both, "", ""))
        else:
            kept, before, after = stretches.pop()
            stretches.append((kept, before + gone, after + come))


def _around(kept: list[str], *, first: bool, last: bool) -> str:
    """The part of an unchanged stretch that lies near a change."""
    head, tail = (0 if first else _CONTEXT), (0 if last else _CONTEXT)
    if len(kept) <= head + tail + 1:
        return "".join(kept)
    return "".join(kept[:head]) + "…" + "".join(kept[len(kept) - tail :])

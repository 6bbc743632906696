"""What is written in a prompt: words with weights, breaks, and the names of embeddings."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.errors import InputError

Syntax = Literal["weighted", "comfyui", "plain"]
"""How a prompt is read.

`weighted`: (a) weighs 1.1 times, [a] 1 / 1.1 times, (a:1.3) 1.3 times what stands around it, BREAK begins
a new piece; a backslash before a bracket takes its meaning away. `comfyui`: (a) weighs 1.1 times, (a:1.3)
weighs 1.3 whatever stands around it, and nothing else has a meaning. `plain`: all is words.
"""
_STEP = 1.1
_HEAVIEST = 1000.0
"""Beyond which a weight says nothing but overflow."""
_WEIGHT = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*\Z")
_BREAK = re.compile(r"(?<!\w)BREAK(?!\w)")
_EMBEDDING = re.compile(r"(?<!\w)embedding:([^\s,;()\[\]]*[^\s,;()\[\].:!?])")
_BRACKETS = {"(": ")", "[": "]"}


@dataclass(frozen=True)
class Words:
    """A stretch of a prompt that has one weight."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True)
class Named:
    """The name of an embedding, where its vectors belong; `mark` is all that is written there."""

    name: str
    weight: float = 1.0
    mark: str = ""


@dataclass(frozen=True)
class Break:
    """Here a new piece of tokens begins."""


Item = Words | Named | Break


def parse(text: str, syntax: Syntax = "weighted") -> list[Item]:
    """The prompt in order; neighbours of one weight are one.

    Raises:
        InputError: Something in it weighs too much.
    """
    if syntax == "plain":
        return [Words(text)] if text else []
    found: list[Item] = []
    for words in _joined(_weighted(text, 1.0, syntax)):
        if not abs(words.weight) <= _HEAVIEST:  # said so that infinity times 0 is told too
            raise InputError(
                f"in the prompt {words.text.strip()[:40]!r} weighs {words.weight:g}, with the brackets around"
                f" it: give it a weight from {-_HEAVIEST:g} to {_HEAVIEST:g}",
                code="out_of_range",
            )
        for part, is_break in _broken(words, syntax):
            if is_break:
                found.append(Break())
            found += _named(part)
    return found


def names(text: str, syntax: Syntax = "weighted") -> tuple[str, ...]:
    """The embeddings that a prompt names, each once."""
    said = (item.name for item in parse(text, syntax) if isinstance(item, Named))
    return tuple(dict.fromkeys(said))


_CALL = re.compile(r"<(lora|lyco|hypernet):[^<>]+>", re.IGNORECASE)
_COMMA = re.compile(r"\([^()]*:\s*\d+,\d+\s*\)")
_ESCAPED = re.compile(r"\\.", re.DOTALL)


def doubts(text: str, syntax: Syntax = "weighted") -> tuple[str, ...]:
    """What a prompt's writer may have meant otherwise than it is read, each with the way out."""
    found = [
        f"{match[0]} is read as words: put it in by LoadLora" for match in _CALL.finditer(text)
    ]
    if syntax == "plain":
        return tuple(found)
    bare = _ESCAPED.sub("", text)
    found += [
        f"{match[0]} has no number as its weight: write the number with a point"
        for match in _COMMA.finditer(bare)
    ]
    words = "".join(item.text for item in parse(bare, syntax) if isinstance(item, Words))
    lone = next((each for each in words if each in ("([" if syntax == "weighted" else "(")), "")
    if lone:
        found.append(
            f"the bracket {lone} is never closed and is read as a letter: close it, or write \\{lone}"
        )
    return tuple(found)


def taught(items: Sequence[Item], words: Mapping[str, str]) -> list[Item]:
    """The prompt with the embeddings that some of its words stand for.

    Args:
        items: The prompt, parsed.
        words: For each such word the embedding's name.
    """
    if not words:
        return list(items)
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest_first))
    found: list[Item] = []
    for item in items:
        found += _named(item, pattern, words) if isinstance(item, Words) else [item]
    return found


def _weighted(text: str, weight: float, syntax: Syntax) -> Iterator[Words]:
    opening = "([" if syntax == "weighted" else "("
    plain: list[str] = []
    place = 0
    while place < len(text):
        letter = text[place]
        if letter == "\\" and text[place + 1 : place + 2] in _escapable(syntax):
            plain.append(text[place + 1])
            place += 2
            continue
        end = _closing(text, place, syntax) if letter in opening else -1
        if end < 0:
            plain.append(letter)
            place += 1
            continue
        if plain:
            yield Words("".join(plain), weight)
            plain = []
        yield from _inside(letter, text[place + 1 : end], weight, syntax)
        place = end + 1
    if plain:
        yield Words("".join(plain), weight)


def _inside(bracket: str, text: str, weight: float, syntax: Syntax) -> Iterator[Words]:
    if bracket == "[":
        yield from _weighted(text, weight / _STEP, syntax)
        return
    inner, colon, number = text.rpartition(":")
    if colon and inner and _WEIGHT.match(number):
        given = float(number)
        yield from _weighted(inner, given if syntax == "comfyui" else weight * given, syntax)
    else:
        yield from _weighted(text, weight * _STEP, syntax)


def _closing(text: str, start: int, syntax: Syntax) -> int:
    """Where the bracket that opens at `start` closes, or -1: one that never does is a letter."""
    opening = text[start]
    depth, place = 0, start
    while place < len(text):
        letter = text[place]
        if letter == "\\" and text[place + 1 : place + 2] in _escapable(syntax):
            place += 2
            continue
        depth += (letter == opening) - (letter == _BRACKETS[opening])
        if depth == 0:
            return place
        place += 1
    return -1


def _escapable(syntax: Syntax) -> tuple[str, ...]:
    return ("(", ")", "[", "]", "\\") if syntax == "weighted" else ("(", ")")


def _joined(found: Iterator[Words]) -> list[Words]:
    joined: list[Words] = []
    for words in found:
        if joined and joined[-1].weight == words.weight:
            joined[-1] = Words(joined[-1].text + words.text, words.weight)
        else:
            joined.append(words)
    return joined


def _broken(words: Words, syntax: Syntax) -> Iterator[tuple[Words, bool]]:
    """The stretches between breaks, and whether one stands before."""
    if syntax == "comfyui":
        yield words, False
        return
    for index, part in enumerate(_BREAK.split(words.text)):
        yield Words(part, words.weight), index > 0


def _named(
    words: Words, pattern: re.Pattern[str] = _EMBEDDING, known: Mapping[str, str] | None = None
) -> Iterator[Item]:
    place = 0
    for match in pattern.finditer(words.text):
        if match.start() > place:
            yield Words(words.text[place : match.start()], words.weight)
        name = match[1] if known is None else known[match[0]]
        yield Named(name, words.weight, match[0])
        place = match.end()
    if place < len(words.text):
        yield Words(words.text[place:], words.weight)

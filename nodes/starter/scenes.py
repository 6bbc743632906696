"""Scenes: what a picture shows, as facts that are said, drawn and measured."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final, TypeAlias

Facts: TypeAlias = dict[str, str]
Colour: TypeAlias = tuple[int, int, int]

SIZE: Final = 128

PLACES: Final = ("left", "center", "right")
TINTS: Final = ("red", "blue", "yellow", "purple")

ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "subject": ("postcard", "shape"),
    "time": ("day", "sunset", "night"),
    "season": ("spring", "summer", "autumn", "winter"),
    "light": ("no", "yes"),
    "light place": PLACES,
    "mountains": ("no", "yes"),
    "trees": ("no", "yes"),
    "house": ("no", "yes"),
    "house colour": TINTS,
    "house size": ("small", "big"),
    "house place": PLACES,
    "balloon": ("no", "yes"),
    "balloon colour": TINTS,
    "balloon place": PLACES,
    "shape": ("circle", "square", "triangle", "star", "heart"),
    "shape colour": ("red", "blue", "yellow", "purple", "green", "white"),
    "shape place": PLACES,
    "background": ("red", "blue", "yellow", "purple", "green", "white", "black"),
}
"""Every attribute with its values; a scene has those that apply to it."""

SKY: Final[Mapping[str, tuple[Colour, Colour]]] = {
    "day": ((78, 160, 236), (216, 240, 250)),
    "sunset": ((224, 98, 128), (255, 208, 124)),
    "night": ((12, 16, 52), (58, 68, 140)),
}
GROUND: Final[Mapping[str, Colour]] = {
    "spring": (156, 212, 92),
    "summer": (56, 146, 62),
    "autumn": (214, 128, 44),
    "winter": (236, 243, 250),
}
PINE: Final[Mapping[str, Colour]] = {
    "spring": (52, 132, 84),
    "summer": (18, 84, 62),
    "autumn": (168, 62, 30),
    "winter": (30, 92, 84),
}
PAINT: Final[Mapping[str, Colour]] = {
    "red": (216, 38, 46),
    "blue": (40, 80, 224),
    "yellow": (252, 206, 36),
    "purple": (148, 60, 192),
    "green": (46, 160, 72),
    "white": (246, 246, 246),
    "black": (24, 24, 28),
}
ROOF: Final[Colour] = (94, 58, 48)
DOOR: Final[Colour] = (72, 46, 40)
SNOW: Final[Colour] = (242, 246, 252)
ROCK: Final[Colour] = (110, 120, 152)
WINDOW: Final[Colour] = (222, 240, 250)
LAMP: Final[Colour] = (255, 226, 130)
DISC: Final[Colour] = (255, 248, 208)

_GROUND_LIGHT = {"day": (1.0, 1.0, 1.0), "sunset": (0.94, 0.82, 0.8), "night": (0.42, 0.47, 0.64)}
_OBJECT_LIGHT = {"day": (1.0, 1.0, 1.0), "sunset": (0.96, 0.9, 0.9), "night": (0.72, 0.72, 0.82)}


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """The colour that is `share` of the way from the first to the second."""
    r, g, b = (round(x + (y - x) * share) for x, y in zip(first, second, strict=True))
    return r, g, b


def lit(colour: Colour, time: str) -> Colour:
    """A colour of the landscape as that time of day shows it."""
    r, g, b = (round(x * k) for x, k in zip(colour, _GROUND_LIGHT[time], strict=True))
    return r, g, b


def lit_object(colour: Colour, time: str) -> Colour:
    """A colour of a house or balloon as that time of day shows it."""
    r, g, b = (round(x * k) for x, k in zip(colour, _OBJECT_LIGHT[time], strict=True))
    return r, g, b


def haze(season: str) -> Colour:
    """The colour of the far hills."""
    return mixed(GROUND[season], (128, 156, 196), 0.35)


def imagine(rng: random.Random, shapes: float = 0.2) -> Facts:
    """All the facts of one random scene, of which `shapes` is the share of plain shapes."""
    return _shape(rng) if rng.random() < shapes else _postcard(rng)


def _shape(rng: random.Random) -> Facts:
    background = rng.choice(ATTRIBUTES["background"])
    return {
        "subject": "shape",
        "shape": rng.choice(ATTRIBUTES["shape"]),
        "shape colour": rng.choice([c for c in ATTRIBUTES["shape colour"] if c != background]),
        "shape place": rng.choice(PLACES),
        "background": background,
    }


def _postcard(rng: random.Random) -> Facts:
    what = rng.random()
    house, balloon = what < 0.8, what > 0.42
    facts = {
        "subject": "postcard",
        "time": rng.choice(ATTRIBUTES["time"]),
        "season": rng.choice(ATTRIBUTES["season"]),
        "mountains": "yes" if rng.random() < 0.4 else "no",
        "trees": "yes" if rng.random() < 0.5 else "no",
        "house": "yes" if house else "no",
        "balloon": "yes" if balloon else "no",
        "light": "yes" if rng.random() < 0.6 else "no",
    }
    if house:
        facts |= {
            "house colour": rng.choice(TINTS),
            "house size": rng.choice(ATTRIBUTES["house size"]),
            "house place": rng.choice(PLACES),
        }
    if balloon:
        facts |= {"balloon colour": rng.choice(TINTS), "balloon place": rng.choice(PLACES)}
    if facts["light"] == "yes":
        taken = facts.get("balloon place")
        facts["light place"] = rng.choice([place for place in PLACES if place != taken])
    return facts

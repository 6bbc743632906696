"""Captions: some of a scene's facts, said in words."""

from __future__ import annotations

import random
from typing import Final

from nodes.starter.scenes import Facts

PLACE_WORDS: Final = {
    "left": ("on the left", "on the left", "on the left side", "to the left"),
    "center": ("in the center", "in the middle"),
    "right": ("on the right", "on the right", "on the right side", "to the right"),
}
TIME_WORDS: Final = {
    "day": ("day", "daytime", "by day", "in daylight"),
    "sunset": ("sunset", "at sunset", "at dusk", "evening"),
    "night": ("night", "at night", "a starry night", "nighttime"),
}
SEASON_WORDS: Final = {
    "spring": ("spring", "in spring", "springtime", "flowers"),
    "summer": ("summer", "in summer", "summertime"),
    "autumn": ("autumn", "in autumn", "fall", "in the fall"),
    "winter": ("winter", "in winter", "snow", "in the snow"),
}
TIME_TAILS: Final = {"day": "by day", "sunset": "at sunset", "night": "at night"}
SEASON_TAILS: Final = {"spring": "in spring", "summer": "in summer", "autumn": "in autumn"}

_KEPT: Final = {
    "house": 0.92,
    "balloon": 0.92,
    "house size": 0.55,
    "house place": 0.5,
    "balloon place": 0.5,
    "light place": 0.5,
    "shape place": 0.5,
}


def choose(facts: Facts, rng: random.Random, *, full: bool | None = None) -> Facts:
    """The facts that a caption will say: all (`full`), or each with its own probability.

    Left to itself, two captions in five are full. What is absent from the scene is never said.
    """
    if full is None:
        full = rng.random() < 0.4
    present = {name: value for name, value in facts.items() if value != "no"}
    said = {
        name: value
        for name, value in present.items()
        if full or rng.random() < _KEPT.get(name, 0.8)
    }
    said["subject"] = facts["subject"]
    if facts["subject"] == "shape":
        said["shape"] = facts["shape"]
        return said
    for thing in ("house", "balloon", "light"):
        if thing not in said:
            said = {name: v for name, v in said.items() if not name.startswith(f"{thing} ")}
    if "light" in said and facts["time"] == "night":
        said["time"] = "night"  # the moon says so
    return said


def write(said: Facts, rng: random.Random) -> str:
    """A caption that says exactly these facts."""
    if said["subject"] == "shape":
        return _shape(said, rng)
    things = [_thing(name, said, rng) for name in ("house", "balloon") if name in said]
    rng.shuffle(things)
    if len(things) == 2 and rng.random() < 0.5:
        things = [f"{things[0]} {rng.choice(('and', 'and', 'with'))} {things[1]}"]
    tail = _tail(said, rng)
    if things and tail and rng.random() < 0.3:
        phrases = [f"{things[0]} {tail}", *things[1:]]
    else:
        phrases = things + _moment(said, rng)
    phrases += _scenery(said, rng)
    if "light" in said:
        phrases.append(_light(said, rng))
    if rng.random() < 0.6:
        rng.shuffle(phrases)
    return ", ".join(phrases)


def caption(facts: Facts, rng: random.Random, *, full: bool | None = None) -> tuple[str, Facts]:
    """A random caption of the scene, and the facts that it says."""
    said = choose(facts, rng, full=full)
    return write(said, rng), said


def _article(rng: random.Random) -> str:
    return "a " if rng.random() < 0.9 else ""


def _place(name: str, said: Facts, rng: random.Random) -> str:
    place = said.get(f"{name} place")
    return f" {rng.choice(PLACE_WORDS[place])}" if place else ""


def _thing(name: str, said: Facts, rng: random.Random) -> str:
    words = [said.get(f"{name} size", ""), said.get(f"{name} colour", "")]
    noun = "hot air balloon" if name == "balloon" and rng.random() < 0.25 else name
    described = " ".join([word for word in words if word] + [noun])
    return f"{_article(rng)}{described}{_place(name, said, rng)}"


def _scenery(said: Facts, rng: random.Random) -> list[str]:
    scenery: list[str] = []
    if "trees" in said:
        scenery.append(rng.choice(("trees", "trees", "pine trees", "a forest")))
    if "mountains" in said:
        scenery.append(rng.choice(("mountains", "mountains", "high mountains")))
    if len(scenery) == 2 and rng.random() < 0.3:
        return [" and ".join(scenery)]
    return scenery


def _light(said: Facts, rng: random.Random) -> str:
    words = ("the moon", "the moon", "a moon", "moon", "a full moon")
    if said.get("time") != "night":
        words = ("the sun", "the sun", "a sun", "sun", "the sun")
    return rng.choice(words) + _place("light", said, rng)


def _moment(said: Facts, rng: random.Random) -> list[str]:
    time, season = said.get("time"), said.get("season")
    if time and season:
        kind = rng.random()
        if kind < 0.4:
            name = "snowy" if season == "winter" and rng.random() < 0.3 else season
            article = "an " if name == "autumn" else "a "
            return [f"{article if rng.random() < 0.3 else ''}{name} {time}"]
        if kind < 0.55:
            return [f"{time} in {season}"]
        return [rng.choice(TIME_WORDS[time]), rng.choice(SEASON_WORDS[season])]
    if time:
        return [rng.choice(TIME_WORDS[time])]
    return [rng.choice(SEASON_WORDS[season])] if season else []


def _tail(said: Facts, rng: random.Random) -> str:
    parts = []
    if time := said.get("time"):
        parts.append(TIME_TAILS[time])
    if season := said.get("season"):
        parts.append(SEASON_TAILS.get(season) or rng.choice(("in winter", "in the snow")))
    rng.shuffle(parts)
    return " ".join(parts)


def _shape(said: Facts, rng: random.Random) -> str:
    colour = said.get("shape colour")
    text = f"{_article(rng)}{colour + ' ' if colour else ''}{said['shape']}"
    text += _place("shape", said, rng)
    background = said.get("background")
    if background is None:
        return text
    comma = "," if rng.random() < 0.3 else ""
    ways = (f"{comma} on a {background} background", f", {background} background")
    return text + rng.choice((*ways, f"{comma} on {background}"))

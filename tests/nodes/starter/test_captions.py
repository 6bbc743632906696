"""Captions: what they say can be read back by a plain parser of words."""

import random
import re

from nodes.starter import captions, scenes
from nodes.starter.scenes import Facts

PLACE = r"(?: (?:on|to|in) the (left|right|center|middle)(?: side)?)?"
TIMES = {"day": "day|daytime|daylight", "sunset": "sunset|dusk|evening", "night": "night|nighttime"}
SEASONS = {
    "spring": "spring|springtime|flowers",
    "summer": "summer|summertime",
    "autumn": "autumn|fall",
    "winter": "winter|snow|snowy",
}


def placed(name: str, place: str | None) -> Facts:
    return {f"{name} place": "center" if place == "middle" else place} if place else {}


def parse(text: str) -> Facts:
    if found := re.search(rf"(?:(\w+) )?\b(circle|square|triangle|star|heart)\b{PLACE}", text):
        colour, shape, place = found.groups()
        facts = {"subject": "shape", "shape": shape} | placed("shape", place)
        if colour in scenes.ATTRIBUTES["shape colour"]:
            facts["shape colour"] = colour
        ground = re.search(r"(\w+) background|on (\w+)$", text)
        if ground and (ground[1] or ground[2]) in scenes.ATTRIBUTES["background"]:
            facts["background"] = ground[1] or ground[2]
        return facts
    facts = {"subject": "postcard"}
    tints = "|".join(scenes.TINTS)
    for thing, noun in (("house", "house"), ("balloon", "(?:hot air )?balloon")):
        found = re.search(rf"(?:(small|big) )?(?:({tints}) )?{noun}{PLACE}", text)
        if found:
            facts[thing] = "yes"
            facts |= {f"{thing} size": found[1]} if found[1] else {}
            facts |= {f"{thing} colour": found[2]} if found[2] else {}
            facts |= placed(thing, found[3])
    if found := re.search(rf"\b(sun|moon)\b{PLACE}", text):
        facts |= {"light": "yes"} | placed("light", found[2])
        facts |= {"time": "night"} if found[1] == "moon" else {}
    for name, table in (("time", TIMES), ("season", SEASONS)):
        for value, words in table.items():
            facts |= {name: value} if re.search(rf"\b({words})\b", text) else {}
    facts |= {"trees": "yes"} if re.search("trees|forest", text) else {}
    facts |= {"mountains": "yes"} if "mountains" in text else {}
    return facts


def test_captions_say_exactly_the_chosen_facts() -> None:
    rng = random.Random(11)
    for _ in range(1500):
        text, said = captions.caption(scenes.imagine(rng), rng)
        assert parse(text) == said, text


def test_a_full_caption_says_all_that_is_present() -> None:
    rng = random.Random(12)
    for _ in range(300):
        facts = scenes.imagine(rng)
        said = captions.choose(facts, rng, full=True)
        assert said == {name: value for name, value in facts.items() if value != "no"}


def test_things_that_are_not_said_leave_no_details_behind() -> None:
    rng = random.Random(13)
    for _ in range(500):
        said = captions.choose(scenes.imagine(rng, shapes=0), rng, full=False)
        for thing in ("house", "balloon", "light"):
            assert thing in said or not any(name.startswith(f"{thing} ") for name in said)

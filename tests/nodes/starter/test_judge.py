"""The judge: it agrees with what was drawn, and objects to what was not."""

import random
from collections import defaultdict

import pytest
from PIL import Image

from nodes.starter import drawing, judge, scenes

TINTS = scenes.TINTS


def test_drawings_pass_their_own_judge() -> None:
    rng = random.Random(5)
    right: dict[str, list[bool]] = defaultdict(list)
    for _ in range(100):
        facts = scenes.imagine(rng)
        for name, is_right in judge.verdicts(drawing.draw(facts, rng), facts).items():
            right[name].append(is_right)
    assert set(right) == set(scenes.ATTRIBUTES)
    assert min(sum(verdicts) / len(verdicts) for verdicts in right.values()) >= 0.98
    assert sum(map(sum, right.values())) / sum(map(len, right.values())) >= 0.99


@pytest.mark.parametrize("name", [name for name in scenes.ATTRIBUTES if name != "subject"])
def test_every_attribute_can_be_judged_wrong(name: str) -> None:
    rng = random.Random(6)
    judged = 0
    while judged < 8:
        facts = scenes.imagine(rng, shapes=0.5)
        if name not in facts:
            continue
        others = [value for value in scenes.ATTRIBUTES[name] if value != facts[name]]
        wrong = {name: rng.choice(others)}
        assert not judge.verdicts(drawing.draw(facts, rng), wrong)[name]
        judged += 1


def test_a_blank_picture_shows_no_things() -> None:
    blank = Image.new("RGB", (128, 128), (200, 40, 40))
    assert "shape" not in judge.measure(blank)

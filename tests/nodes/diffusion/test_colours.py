import json

import pytest

from nodes.diffusion.colours import FAMILIES, KEY, SD, SDXL, STARTER, Colours, of_file

RED, GREEN, BLUE = range(3)


def test_every_family_but_the_upscaler_has_colours_of_its_latents() -> None:
    assert FAMILIES.keys() == {"sd1", "sd2", "sdxl", "refiner"}
    assert all(len(each.channels) == 4 for each in FAMILIES.values())


def test_signs_are_those_of_the_published_autoencoders() -> None:
    """The first channel is brightness in both; SD's third takes red away, its last blue most of all."""
    for each in (SD, SDXL):
        assert all(share > 0 for share in each.channels[0])
        assert all(share < 0 for share in each.channels[3])
    assert SD.channels[2][RED] < 0 < SD.channels[2][GREEN] < SD.channels[2][BLUE]
    assert min(SD.channels[3]) == SD.channels[3][BLUE]
    assert SDXL.channels[1][RED] < 0 < SDXL.channels[1][BLUE]
    assert SDXL.channels[2][BLUE] < 0 < SDXL.channels[2][RED]


def test_a_checkpoint_brings_its_own() -> None:
    own = Colours(((1.0, 0.0, 0.0),), (0.5, 0.5, 0.5))
    assert of_file({KEY: own.written(), "title": "Darkroom starter"}) == own
    assert of_file({"title": "Darkroom starter"}) == STARTER
    assert of_file({"title": "another"}) is None


@pytest.mark.parametrize("said", ["", "no", "[]", json.dumps({"channels": [[1, 2]]})])
def test_what_cannot_be_read_says_nothing(said: str) -> None:
    assert of_file({KEY: said}) is None

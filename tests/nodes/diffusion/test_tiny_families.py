"""Tiny models of every family, out of the files that people have: the weights are those that were written."""

from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.loaders import load_checkpoint
from tests.nodes.tiny import models
from tests.nodes.tiny.models import Kind

KINDS: tuple[Kind, ...] = get_args(Kind)
FAMILIES = {
    "edit": "sd1",
    "variations": "sd1",
    "lcm": "sd1",
    "depth": "sd2",
    "unclip": "sd2",
}


def _same(module: Any, wanted: Any) -> None:
    expected = wanted.state_dict()
    state = module.state_dict()
    assert state.keys() == expected.keys()
    assert all(state[name].equal(expected[name]) for name in expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_gives_the_modules_that_are_in_it(kind: Kind, tmp_path: Path) -> None:
    name = models.write(kind, tmp_path)
    folders = Folders((tmp_path,), ())
    loaded = load_checkpoint(checkpoint=name, folders=folders)
    pool = Pool(folders)

    assert loaded.model.family == FAMILIES.get(kind, kind.removesuffix("-inpaint"))
    with pool.borrow(loaded.model) as unet, pool.borrow(loaded.vae) as vae:
        _same(unet, models.unet(kind))
        _same(vae, models.vae(kind))
        settings = {
            key: value
            for key, value in models.unet(kind).config.items()
            if key.partition("_")[0] not in {"sample", ""}
        }
        for key, value in settings.items():
            found = unet.config[key]
            plain = [list(each) if isinstance(each, tuple) else each for each in (found, value)]
            if key == "transformer_layers_per_block" and value == 2:
                continue  # one number for all levels, also for those without attention
            assert plain[0] == plain[1], key


def test_half_precision_is_read_as_it_is_stored(tmp_path: Path) -> None:
    tensors = {name: item.half() for name, item in models.original("sdxl").items()}
    from tests.nodes.conftest import save

    save(tmp_path / "half.safetensors", tensors)
    folders = Folders((tmp_path,), ())
    encoder = load_checkpoint(checkpoint="half.safetensors", folders=folders).text_encoder
    from dataclasses import replace

    with Pool(folders).borrow(replace(encoder, part="text_encoder_2")) as module:
        state = module.state_dict()
        for name, wanted in models.big_g().state_dict().items():
            assert state[name].equal(wanted.half().float())


def test_a_pickled_checkpoint_gives_the_same(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    torch.save({"state_dict": models.original("sd2")}, tmp_path / "checkpoints" / "old.ckpt")
    folders = Folders((tmp_path,), ())
    loaded = load_checkpoint(checkpoint="old.ckpt", folders=folders)
    pool = Pool(folders)

    with pool.borrow(loaded.model) as unet, pool.borrow(loaded.text_encoder) as text:
        _same(unet, models.unet("sd2"))
        _same(text, models.open_clip())

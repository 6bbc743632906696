"""The shipped file: an ordinary one that the loaders open, and what training wrote into it."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from nodes.diffusion import checkpoints, weights
from nodes.diffusion.layout import PartName
from nodes.starter import autoencoder, denoiser, export, reader

SHIPPED = Path(__file__).parents[3] / "workflows" / "starter" / "starter.safetensors"
PARTS: tuple[PartName, ...] = ("unet", "vae", "text_encoder")


@pytest.fixture(scope="module")
def parts() -> dict[PartName, nn.Module]:
    return {
        "unet": denoiser.create(),
        "vae": autoencoder.create(),
        "text_encoder": reader.create(),
    }


def test_what_is_written_is_read_back_in_half_precision(
    tmp_path: Path, parts: dict[PartName, nn.Module]
) -> None:
    export.write(tmp_path / "all.safetensors", parts, {"title": "test"})
    for name, part in parts.items():
        before = {key: value.half().float() for key, value in part.state_dict().items()}
        export.read(tmp_path / "all.safetensors", name, part)
        assert all(torch.equal(part.state_dict()[key], value) for key, value in before.items())


def test_the_loaders_find_the_same_weights_without_being_told_the_sizes(
    parts: dict[PartName, nn.Module],
) -> None:
    opened = checkpoints.open_weights(SHIPPED)
    assert opened.scaling_factor == autoencoder.SCALE
    for name in PARTS:
        export.read(SHIPPED, name, parts[name])
        loaded = weights.load(opened.part(name), "cpu", torch.float32).state_dict()
        trained = parts[name].state_dict()
        assert loaded.keys() == trained.keys()
        assert all(torch.equal(loaded[key], trained[key]) for key in trained)


def test_words_that_no_caption_uses_are_zero() -> None:
    (table,) = (v for k, v in load_file(SHIPPED).items() if k.endswith("token_embedding.weight"))
    used = torch.zeros(len(table), dtype=torch.bool)
    used[reader.used_tokens()] = True
    assert table.shape == (49408, 64)
    assert (table[~used] == 0).all()
    assert (table[used].abs().sum(1) > 0).all()


def test_the_file_is_small() -> None:
    assert SHIPPED.stat().st_size <= 24_000_000

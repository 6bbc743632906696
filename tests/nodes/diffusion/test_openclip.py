"""OpenCLIP's encoders, against the conversions of diffusers and transformers."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import InputError
from nodes.diffusion.families import SDXL
from nodes.diffusion.openclip import Piece, pieces
from nodes.diffusion.parts import Unpickled, make_part
from nodes.diffusion.weights import load
from tests.nodes.conftest import save
from tests.nodes.tiny import openclip

single_file: Any = importlib.import_module("diffusers.loaders.single_file_utils")


def test_a_text_encoder_is_that_of_diffusers_conversion(tmp_path: Path) -> None:
    original = {
        f"conditioner.embedders.1.model.{name}": tensor for name, tensor in openclip.text(1).items()
    }
    save(tmp_path / "towers.safetensors", original)
    sources = {
        name.removeprefix("conditioner.embedders.1.model."): Unpickled(tensor, tuple(tensor.shape))
        for name, tensor in original.items()
    }
    part = make_part(tmp_path, "text_encoder_2", sources, SDXL)

    module: Any = load(part, "cpu", torch.float32)

    expected = single_file.convert_open_clip_checkpoint(
        module, dict(original), prefix="conditioner.embedders.1.model."
    )
    state = module.state_dict()
    assert expected.keys() - {"text_model.embeddings.position_ids"} == state.keys()
    assert all(state[name].equal(expected[name]) for name in state)


def test_what_does_not_come_apart_is_refused(tmp_path: Path) -> None:
    tensors = openclip.text(1)
    tensors["transformer.resblocks.0.attn.in_proj_bias"] = torch.zeros(64)
    sources = {name: Unpickled(tensor, tuple(tensor.shape)) for name, tensor in tensors.items()}

    with pytest.raises(InputError, match=r"in_proj_bias' of shape .64., which does not come apart"):
        make_part(tmp_path, "text_encoder_2", sources, SDXL)


def test_unknown_names_stay() -> None:
    assert pieces("transformer.resblocks.0.gate.weight") == (
        Piece("transformer.resblocks.0.gate.weight"),
    )
    assert pieces("other") == (Piece("other"),)

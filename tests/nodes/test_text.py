import subprocess
import sys

import pytest
import torch
from pydantic import ValidationError

from engine.errors import InputError
from engine.node import node_type
from nodes.diffusion.pool import Pool
from nodes.diffusion.text import encode
from nodes.folders import Folders
from nodes.loaders import load_checkpoint
from nodes.text import clip_encode, clip_skip
from nodes.values import TextEncoder

from .conftest import Tiny


@pytest.fixture
def text_encoder(tiny: Tiny, folders: Folders) -> TextEncoder:
    return load_checkpoint(checkpoint=tiny.checkpoint, folders=folders).text_encoder


def test_prompt_is_encoded_with_the_recipes_weights(
    text_encoder: TextEncoder, pool: Pool, tiny: Tiny
) -> None:
    conditioning = clip_encode(text_encoder, text="a red house", pool=pool)

    assert conditioning.embeddings.equal(encode(tiny.pipeline().text_encoder, "a red house"))
    assert conditioning.embeddings.device.type == "cpu"
    assert conditioning.controls == ()


def test_clip_skip_is_counted_from_the_end(
    text_encoder: TextEncoder, pool: Pool, tiny: Tiny
) -> None:
    earlier = clip_skip(clip_skip(text_encoder, layers=2), layers=1)

    found = clip_encode(earlier, text="a red house", pool=pool).embeddings

    assert found.equal(encode(tiny.pipeline().text_encoder, "a red house", skip=1))


def test_clip_skip_changes_the_recipe_and_loads_nothing(text_encoder: TextEncoder) -> None:
    assert clip_skip(text_encoder).skip == 1
    assert clip_skip(text_encoder, layers=0) == text_encoder
    assert clip_skip(text_encoder).weights is text_encoder.weights


def test_skipping_more_layers_than_there_are_names_the_input(
    text_encoder: TextEncoder, pool: Pool
) -> None:
    with pytest.raises(InputError, match="with 3") as raised:
        clip_encode(clip_skip(text_encoder, layers=11), text="", pool=pool)
    assert raised.value.input == "text_encoder"


@pytest.mark.parametrize("layers", [-1, 32])
def test_range_of_layers(layers: int) -> None:
    with pytest.raises(ValidationError):
        node_type(clip_skip).inputs["layers"].adapter.validate_python(layers)


def test_embeddings_can_be_trained_on_though_sampling_runs_in_inference_mode(
    text_encoder: TextEncoder, folders: Folders
) -> None:
    pool = Pool(folders)
    with torch.inference_mode(), pool.borrow(text_encoder):
        pass

    assert not clip_encode(text_encoder, text="a cat", pool=pool).embeddings.is_inference()
    with pool.borrow(text_encoder) as module:
        assert not any(parameter.is_inference() for parameter in module.parameters())


def test_declarations_import_no_heavy_library() -> None:
    code = (
        "import sys, nodes.loaders, nodes.text, nodes.folders, nodes.diffusion.pool;"
        "print({'torch', 'numpy', 'PIL', 'safetensors', 'diffusers', 'transformers'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"

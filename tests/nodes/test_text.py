import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from engine.errors import InputError
from engine.keys import FileDigests
from engine.node import node_type
from engine.notices import noticed
from nodes.diffusion.pool import Pool
from nodes.diffusion.text import encode, tokenize
from nodes.folders import Folders
from nodes.loaders import load_checkpoint
from nodes.text import (
    clip_encode,
    clip_encode_list,
    clip_skip,
    load_embedding,
    prompt_digest,
    prompts_digest,
)
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


@pytest.fixture
def own(tiny: Tiny, tmp_path: Path) -> Folders:
    """The tiny models, and a folder for embeddings with the vectors of "red house" in it."""
    module: Any = tiny.pipeline().text_encoder
    table = module.get_input_embeddings().weight
    (tmp_path / "embeddings").mkdir()
    vectors = table[tokenize("red house")].detach().clone()
    save_file({"emb_params": vectors}, tmp_path / "embeddings" / "home.safetensors")
    return Folders((tmp_path, tiny.root), (), FileDigests())


@pytest.mark.parametrize("name", ["home", "home.safetensors"])
def test_prompt_names_an_embedding(
    name: str, text_encoder: TextEncoder, own: Folders, tiny: Tiny
) -> None:
    found = clip_encode(text_encoder, text=f"a (embedding:{name}:1.2), cat", pool=Pool(own))

    expected = encode(tiny.pipeline().text_encoder, "a (red house:1.2), cat")
    torch.testing.assert_close(found.embeddings, expected, rtol=1e-5, atol=1e-5)


def test_unknown_embedding_names_the_nearest(text_encoder: TextEncoder, own: Folders) -> None:
    with pytest.raises(InputError, match=r"no embedding 'hone'\. Did you mean 'home") as raised:
        clip_encode(text_encoder, text="a embedding:hone", pool=Pool(own))
    assert raised.value.code == "missing_file"


def test_embedding_counts_into_the_key(own: Folders) -> None:
    pool = Pool(own)
    before = prompt_digest("a embedding:home", "weighted", pool)
    save_file({"emb_params": torch.ones(2, 64)}, own.models[0] / "embeddings" / "home.safetensors")

    assert prompt_digest("a cat", "weighted", pool) is None
    assert prompt_digest("a embedding:home", "plain", pool) is None
    assert before is not None
    assert prompt_digest("a embedding:home", "weighted", pool) != before
    assert prompts_digest(["a cat", ""], "weighted", pool) is None
    assert prompts_digest(["", "a embedding:home"], "weighted", pool) is not None


def test_taught_word_stands_for_its_embedding(
    text_encoder: TextEncoder, own: Folders, tiny: Tiny
) -> None:
    taught = load_embedding(text_encoder, embedding="home.safetensors", word="<home>", folders=own)
    by_file = load_embedding(text_encoder, embedding="home.safetensors", folders=own)

    expected = encode(tiny.pipeline().text_encoder, "a red house, cat")
    for encoder, text in ((taught, "a <home>, cat"), (by_file, "a home, cat")):
        found = clip_encode(encoder, text=text, pool=Pool(own)).embeddings
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_embedding_of_another_family_is_found_before_a_run(
    text_encoder: TextEncoder, own: Folders
) -> None:
    save_file({"emb_params": torch.ones(2, 768)}, own.models[0] / "embeddings" / "sd1.safetensors")

    with pytest.raises(
        InputError, match=r"width 768 \(SD 1.x\), the text encoder reads 64"
    ) as raised:
        load_embedding(text_encoder, embedding="sd1.safetensors", folders=own)
    assert raised.value.input == "embedding"


@pytest.mark.parametrize("second", ["clip_g", "another"])
def test_embedding_for_two_encoders_is_refused_by_a_family_of_one(
    second: str, text_encoder: TextEncoder, own: Folders
) -> None:
    held = {"clip_l": torch.ones(2, 64), second: torch.ones(2, 80)}
    save_file(held, own.models[0] / "embeddings" / "xl.safetensors")

    message = "xl.safetensors is made for SDXL, it has vectors of two text encoders"
    with pytest.raises(InputError, match=message) as raised:
        load_embedding(text_encoder, embedding="xl.safetensors", folders=own)
    assert (raised.value.code, raised.value.input) == ("family_mismatch", "embedding")
    with pytest.raises(InputError, match=message):
        clip_encode(text_encoder, text="a embedding:xl", pool=Pool(own))


def test_list_of_prompts_is_a_batch_of_one_length(
    text_encoder: TextEncoder, pool: Pool, tiny: Tiny
) -> None:
    long = " ".join(["cat"] * 80)

    found = clip_encode_list(text_encoder, texts=["a dog", long], pool=pool).embeddings

    module = tiny.pipeline().text_encoder
    assert found.shape == (2, 2 * 77, 64)
    torch.testing.assert_close(found[1:], encode(module, long), rtol=1e-5, atol=1e-5)
    expected = torch.cat([encode(module, "a dog"), encode(module, "")], dim=1)
    torch.testing.assert_close(found[:1], expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(InputError, match="half of a character") as raised:
        clip_encode_list(text_encoder, texts=["a", "\ud83d"], pool=pool)
    assert raised.value.input == "texts"


def test_doubts_of_a_prompt_are_noticed_once(text_encoder: TextEncoder, pool: Pool) -> None:
    heard: list[str] = []
    with noticed(heard.append):
        clip_encode(text_encoder, text="a cat <lora:x:1>", pool=pool)
        clip_encode_list(text_encoder, texts=["(a", "a (dog"], pool=pool)
    lora, bracket = heard
    assert lora == "in the prompt, <lora:x:1> is read as words: put it in by LoadLora"
    assert bracket.startswith("in the prompt, the bracket ( is never closed")

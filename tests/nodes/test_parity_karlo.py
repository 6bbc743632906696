"""Karlo, from its diffusers folder, against diffusers' own pipeline, which runs only when built from parts."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.karlo import karlo_decode, karlo_enlarge, karlo_prior, load_karlo
from nodes.values import Image, ImageEmbedding, Karlo
from tests.nodes import parity
from tests.nodes.conftest import tokenizer
from tests.nodes.sides import INPUTS, Sides
from tests.nodes.tiny import models
from tests.nodes.tiny.karlo import parts, write
from tests.nodes.tiny.pipelines import PROMPT

diffusers: Any = importlib.import_module("diffusers")
unclip: Any = importlib.import_module("diffusers.pipelines.deprecated.unclip")
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
WIDTH = models.WIDTH
SEEDS = {"prior": 11, "decoder": 12, "super_res": 13}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Karlo, Pool]:
    root = tmp_path_factory.mktemp("karlo")
    write(root)
    folders = Folders((root,), ())
    assert folders.names("karlo") == ["tiny"]
    return load_karlo(karlo="tiny", folders=folders), Pool(folders)


def _scheduler(**settings: Any) -> Any:
    """diffusers' scheduler with its tables in float64: float32's rounding alone is 5e-4 at the last step."""
    made = diffusers.UnCLIPScheduler(**settings)
    made.betas = made.betas.double()
    made.alphas = 1 - made.betas
    made.alphas_cumprod = made.alphas.cumprod(0)
    return made


@pytest.fixture(scope="module")
def reference() -> dict[str, Tensor]:
    """What the pipeline makes, each of its stages with a seed of its own."""
    held = parts()
    pixels = {"variance_type": "learned_range"}
    prior = {"prediction_type": "sample", "clip_sample_range": 5.0}
    made = unclip.UnCLIPPipeline(
        **held,
        tokenizer=tokenizer(),
        prior_scheduler=_scheduler(**prior),
        decoder_scheduler=_scheduler(**pixels),
        super_res_scheduler=_scheduler(),
    )
    made.set_progress_bar_config(disable=True)
    generator, seen = torch.Generator().manual_seed(SEEDS["prior"]), {}
    plain = made.prepare_latents
    stages = iter(SEEDS)

    def prepared(*arguments: Any) -> Any:
        generator.manual_seed(SEEDS[next(stages)])
        return plain(*arguments)

    made.prepare_latents = prepared

    def embedded(_: Any, args: Any, given: dict[str, Any]) -> None:
        seen["embedding"] = given["image_embeddings"]

    def painted(_: Any, args: Any, given: dict[str, Any]) -> None:
        seen["input"] = given["sample"]

    def decoded(_: Any, args: Any, given: dict[str, Any]) -> None:
        told = {name: given[name] for name in ("encoder_hidden_states", "class_labels")}
        seen.update({} if "sample" in seen else told | {"sample": given["sample"]})

    hooks = [
        held["decoder"].register_forward_pre_hook(decoded, with_kwargs=True),
        held["text_proj"].register_forward_pre_hook(embedded, with_kwargs=True),
        held["super_res_last"].register_forward_pre_hook(painted, with_kwargs=True),
    ]
    steps: dict[str, Any] = {
        "prior_num_inference_steps": 5, "decoder_num_inference_steps": 4,
        "super_res_num_inference_steps": 3,
    }  # fmt: skip
    images = made(PROMPT, generator=generator, output_type="np", **steps).images
    for hook in hooks:
        hook.remove()
    seen["picture"] = torch.from_numpy(images).permute(0, 3, 1, 2)
    return seen


def test_prior(opened: tuple[Karlo, Pool], reference: dict[str, Tensor]) -> None:
    karlo, pool = opened

    found = karlo_prior(karlo, text=PROMPT, seed=SEEDS["prior"], steps=5, pool=pool)

    parity.agree(
        "Karlo", "prior, 5 steps", found.embedding, reference["embedding"], what="image embedding"
    )


def test_decoder_and_super_resolution(
    opened: tuple[Karlo, Pool], reference: dict[str, Tensor], sides: Sides
) -> None:
    karlo, pool = opened
    embedding = ImageEmbedding(reference["embedding"])

    small = karlo_decode(karlo, embedding, text=PROMPT, seed=SEEDS["decoder"], steps=4, pool=pool)
    found = karlo_enlarge(karlo, small, seed=SEEDS["super_res"], steps=3, pool=pool)

    (called,) = sides.calls.values()
    for name, what in {**INPUTS, "class_labels": "class labels"}.items():
        parity.agree("Karlo", "decoder, 4 steps", called[name], reference[name], what=what)
    enlarged = torch.nn.functional.interpolate(
        small.pixels * 2 - 1, size=(32, 32), mode="bicubic", align_corners=False, antialias=True
    )
    parity.agree(
        "Karlo", "decoder, 4 steps", enlarged, reference["input"][:, 3:], what="small picture"
    )
    parity.look_alike("Karlo", "decoder and super-resolution", found.pixels, reference["picture"])


def test_another_prompt_gives_another_embedding(opened: tuple[Karlo, Pool]) -> None:
    karlo, pool = opened
    first, second = (
        karlo_prior(karlo, text=text, seed=1, steps=3, pool=pool).embedding
        for text in (PROMPT, "a boat")
    )

    assert float((first - second).abs().max()) > 1e-3


@pytest.mark.parametrize(
    ("embedding", "message"),
    [
        (torch.zeros(1, 32), "the picture's embedding is 32 wide, Karlo reads 64"),
        (torch.zeros(2, WIDTH), "there are 2 embeddings, Karlo paints one at a time"),
    ],
)
def test_embeddings_that_karlo_cannot_read_are_refused(
    embedding: Tensor, message: str, opened: tuple[Karlo, Pool]
) -> None:
    karlo, pool = opened
    with pytest.raises(InputError, match=message):
        karlo_decode(karlo, ImageEmbedding(embedding), pool=pool)


def test_a_folder_without_its_decoder_names_what_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "karlo" / "half"
    for name in ("prior", "text_encoder"):
        parts()[name].save_pretrained(folder / name)
    (folder / "model_index.json").write_text("{}")
    folders = Folders((tmp_path,), ())
    karlo = load_karlo(karlo="half", folders=folders)

    with pytest.raises(InputError, match="half holds no super-resolution network, only prior"):
        karlo_enlarge(karlo, Image(torch.zeros(1, 3, 8, 8)), pool=Pool(folders))

"""What is told of networks beside the sampler, by their headers, is what they give."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import InputError
from engine.node import UNKNOWN
from nodes.clip_vision import (
    clip_vision_encode,
    load_unclip_checkpoint,
    mix_image_embeddings,
    unclip_conditioning,
    variation_conditioning,
)
from nodes.conditioning import (
    InFractions,
    conditioning_area,
    conditioning_mask,
    conditioning_time_range,
)
from nodes.depth import estimate_depth, load_depth_estimator
from nodes.diffusion.pool import Pool
from nodes.facts import EmbeddingFacts, LatentFacts, PixelFacts, SigmaFacts
from nodes.folders import Folders
from nodes.karlo import karlo_decode, karlo_enlarge, karlo_prior, load_karlo
from nodes.latents import empty_latent
from nodes.sampling_details import (
    exponential_sigmas,
    karras_sigmas,
    sampling_rules,
    schedule_sigmas,
)
from nodes.upscale import load_upscaler, upscale_image
from nodes.values import ImageEmbedding
from tests.nodes import small
from tests.nodes.diffusion.test_esrgan import NEW, network, renamed
from tests.nodes.small import MODEL, prompt
from tests.nodes.test_facts import both, masks, picture, told
from tests.nodes.tiny import karlo, models

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


def seen(batch: int = 1, width: int = 32) -> ImageEmbedding:
    return ImageEmbedding(small.noise(3, (batch, width)))


def agree(function: Any, **given: Any) -> Any:
    """What is told before and found after, which are one."""
    before, after = both(function, **given)
    assert before == after
    return before


@pytest.mark.parametrize("shuffle", [1, 2, 4])
def test_an_enlarged_picture(shuffle: int, tmp_path: Path) -> None:
    folder = tmp_path / "upscale_models"
    folder.mkdir()
    state = renamed(network(2, shuffle).state_dict(), *NEW)
    save_file(state, folder / "net.safetensors")
    torch.save({"params": state}, folder / "net.pth")
    pool = Pool(Folders((tmp_path,), ()))
    upscaler = load_upscaler(upscaler="net.safetensors", folders=pool.folders)
    assert agree(upscale_image, upscaler=upscaler, image=picture(2, 13, 9), pool=pool)
    large = {"image": PixelFacts(1, 9000, 9000), "upscaler": upscaler, "pool": pool}
    if shuffle < 4:
        with pytest.raises(InputError, match="megapixels"):
            told(upscale_image, large)
    pickled = load_upscaler(upscaler="net.pth", folders=pool.folders)
    assert told(upscale_image, large | {"upscaler": pickled}) is UNKNOWN


def test_what_an_image_encoder_sees(tmp_path: Path) -> None:
    name = models.write("unclip", tmp_path)
    pool = Pool(Folders((tmp_path,), ()))
    encoder = load_unclip_checkpoint(checkpoint=name, folders=pool.folders).image_encoder
    found = agree(clip_vision_encode, image_encoder=encoder, image=picture(2, 28, 40), pool=pool)
    assert found.batch == 2
    for first, second in ((seen(), seen(3)), (seen(2), seen(3)), (seen(), seen(1, 16))):
        agree(mix_image_embeddings, first=first, second=second)
    agree(variation_conditioning, embedding=seen(2))


def test_which_pictures_an_unclip_prompt_shows() -> None:
    shown = unclip_conditioning(prompt(1), seen(2))
    both_shown = agree(unclip_conditioning, conditioning=shown, embedding=seen(1, 16))
    assert both_shown.images == (EmbeddingFacts(2, 32), EmbeddingFacts(1, 16))
    unknown = told(unclip_conditioning, {"conditioning": shown, "embedding": UNKNOWN})
    assert unknown.images == (EmbeddingFacts(2, 32), UNKNOWN)
    assert told(unclip_conditioning, {"conditioning": UNKNOWN, "embedding": seen()}) is UNKNOWN


def test_estimated_depth(tmp_path: Path) -> None:
    models.depth_estimator().save_pretrained(tmp_path / "depth" / "dpt")
    pool = Pool(Folders((tmp_path,), ()))
    estimator = load_depth_estimator(estimator="dpt", folders=pool.folders)
    found = agree(estimate_depth, estimator=estimator, image=picture(2, 30, 50), pool=pool)
    assert isinstance(found, PixelFacts)


def test_karlos_pictures(tmp_path: Path) -> None:
    karlo.write(tmp_path)
    pool = Pool(Folders((tmp_path,), ()))
    recipe = load_karlo(karlo="tiny", folders=pool.folders)
    given: dict[str, Any] = {"karlo": recipe, "pool": pool}
    imagined = agree(karlo_prior, steps=2, **given)
    assert isinstance(imagined, EmbeddingFacts)
    for embedding in (seen(1, imagined.width), seen(2, imagined.width), seen(1, 5)):
        agree(karlo_decode, embedding=embedding, steps=2, **given)
    agree(karlo_enlarge, image=picture(2, 16, 16), steps=2, **given)


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 4},
        {"steps": 4, "denoise": 0.0},
        {"steps": 4, "denoise": 0.5, "schedule": "turbo"},
        {"steps": 4, "sampler": "ddim"},
        {"steps": 4, "sampler": "unipc", "profile": "comfyui"},
        {"steps": 4, "denoise": 0.5, "details": sampling_rules(denoise_rule="shorter")},
    ],
)
def test_how_many_levels_are_laid(settings: dict[str, Any]) -> None:
    assert isinstance(agree(schedule_sigmas, model=MODEL, **settings), SigmaFacts)


def test_levels_between_ones_own() -> None:
    for function in (karras_sigmas, exponential_sigmas):
        agree(function, steps=5)
        agree(function, steps=5, lowest=20.0)
        assert told(function, {"steps": 3, "lowest": UNKNOWN}) == SigmaFacts(3, ends_clean=True)


def test_where_prompts_count() -> None:
    some = prompt(1)
    agree(conditioning_area, conditioning=some, area=InFractions(x=0.25), strength=0.5)
    agree(conditioning_mask, conditioning=some, mask=masks(2))
    agree(conditioning_time_range, conditioning=some, start=0.25, end=0.5)


def test_settings_are_told_as_they_are() -> None:
    rules = sampling_rules(clock="rounded")
    assert told(sampling_rules, {"details": rules, "last_level": "zero"}) == sampling_rules(
        rules, last_level="zero"
    )
    assert isinstance(agree(empty_latent, width=64, height=64), LatentFacts)

"""What is wrong with what a model is to read beside the prompt is said before a run, and would end it."""

from typing import Any

import pytest
import torch

from engine.errors import InputError
from nodes import facts, foresight
from nodes.beside import (
    depth_conditioning,
    edit_conditioning,
    inpaint_conditioning,
    upscale_conditioning,
)
from nodes.clip_vision import mix_image_embeddings, unclip_conditioning
from nodes.latents import empty_latent
from nodes.sampling import ksampler
from nodes.text import clip_encode, clip_encode_pair
from nodes.values import Conditioning, Image, ImageEmbedding, Mask
from tests.nodes.small import prompt
from tests.nodes.tiny.models import Kind
from tests.nodes.tiny.pipelines import Opened, opened

GREY = Image(torch.full((1, 3, 64, 64), 0.5))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("families")
    known: dict[Kind, Opened] = {}

    def get(kind: Kind) -> Opened:
        if kind not in known:
            known[kind] = opened(kind, root)
        return known[kind]

    return get


def _fault(made: Opened, positive: Conditioning, size: int = 64, *, batch: int = 1) -> InputError:
    """What a sampler says, before the run and in it."""
    latents = empty_latent(width=size, height=size, batch_size=batch)
    model = made.checkpoint.model
    with pytest.raises(InputError) as early:
        foresight.sampled(
            model=model,
            positive=facts.of(positive),
            negative=facts.of(positive),
            latents=facts.of(latents),
            steps=2,
            guidance_scale=2.0,
            schedule="karras",
            denoise=1.0,
            start_step=0,
            profile="diffusers",
            details=None,
            pool=made.pool,
        )
    with pytest.raises(InputError) as late:
        ksampler(model, positive, positive, latents, steps=2, guidance_scale=2.0, pool=made.pool)
    assert str(early.value) == str(late.value)
    assert early.value.input == late.value.input == "positive"
    return late.value


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("depth", "it is a depth model, which reads a depth map beside the latents, .*DepthCond"),
        ("edit", "it is an InstructPix2Pix model, which reads the picture to edit .*EditCond"),
        (
            "sd1-inpaint",
            "it is an inpainting model, which reads a mask .*InpaintCond.*SetLatentMask",
        ),
        ("upscaler", "it is the x4 upscaler, which reads the small picture .*UpscaleCond"),
    ],
)
def test_what_is_missing_is_named_with_the_node_that_gives_it(
    kind: Kind, message: str, made: Any
) -> None:
    fault = _fault(made(kind), prompt(1))

    assert fault.code == "missing_input"
    assert torch.is_tensor(prompt(1).embeddings)
    with pytest.raises(InputError, match=message):
        raise fault


def test_what_is_made_for_another_model_is_refused(made: Any) -> None:
    depth = depth_conditioning(prompt(1), prompt(2), GREY)

    fault = _fault(made("sd1-inpaint"), depth.positive)

    assert fault.code == "channel_mismatch"
    assert "is made for a depth model, the model is an inpainting model" in str(fault)


@pytest.mark.parametrize(
    ("brings", "message"),
    [
        ("depth", "brings a depth map, .* of a depth model, or take DepthConditioning away"),
        ("edit", "brings the picture to edit, .* or take EditConditioning away"),
        ("unclip", "brings a picture's embedding, .* or take UnCLIPConditioning away"),
    ],
)
def test_what_a_plain_model_does_not_read_is_refused(brings: str, message: str, made: Any) -> None:
    plain = made("sd1")
    given = prompt(1)
    if brings == "depth":
        given = depth_conditioning(given, given, GREY).positive
    elif brings == "edit":
        vae = plain.checkpoint.vae
        given = edit_conditioning(given, given, vae, GREY, pool=plain.pool).positive
    else:
        given = unclip_conditioning(given, ImageEmbedding(torch.zeros(1, 64)))

    fault = _fault(plain, given)

    assert fault.code == "channel_mismatch"
    with pytest.raises(InputError, match=message):
        raise fault


def test_a_mask_for_an_inpainting_model_serves_a_plain_one_through_its_latents(made: Any) -> None:
    plain = made("sd1")
    hole = Mask(torch.zeros(1, 1, 64, 64))
    shown = inpaint_conditioning(
        prompt(1), prompt(2), plain.checkpoint.vae, GREY, hole, pool=plain.pool
    )
    given = (plain.checkpoint.model, shown.positive, shown.negative, shown.latents)

    kept = ksampler(*given, steps=2, profile="comfyui", pool=plain.pool)

    torch.testing.assert_close(kept.samples, shown.latents.samples)


def test_what_has_another_size_than_the_latents_is_refused(made: Any) -> None:
    depth = depth_conditioning(prompt(1), prompt(2), GREY)

    fault = _fault(made("depth"), depth.positive, size=128)

    assert fault.code == "size_mismatch"
    assert "8 x 8 latents large, they are 16 x 16" in str(fault)


def test_sdxl_refuses_a_prompt_without_a_pooled_vector(made: Any) -> None:
    fault = _fault(made("sdxl"), prompt(1, width=128))

    assert "has no pooled vector" in str(fault)


def test_a_prompt_of_the_refiner_is_not_for_the_base(made: Any) -> None:
    refiner = made("refiner")
    words = clip_encode(refiner.checkpoint.text_encoder, text="a house", pool=refiner.pool)

    assert "the positive conditioning is 64 wide, the model reads 128" in str(
        _fault(made("sdxl"), words)
    )


def test_a_pair_of_prompts_needs_a_pair_of_encoders(made: Any) -> None:
    sd2 = made("sd2")

    with pytest.raises(InputError, match="only SDXL's text encoder consists of two"):
        clip_encode_pair(sd2.checkpoint.text_encoder, text_l="a", text_g="b", pool=sd2.pool)


def test_an_embedding_of_another_encoder_is_refused(made: Any) -> None:
    shown = unclip_conditioning(prompt(1), ImageEmbedding(torch.zeros(1, 32)))

    assert "embedding of 32 numbers, the model reads 64" in str(_fault(made("unclip"), shown))


@pytest.mark.parametrize(
    ("pictures", "latents", "message"),
    [
        ((2,), 3, "shows 2 pictures for 3 latents: give 1 or 3"),
        ((3, 2), 3, "shows 2 pictures for 3 latents: give 1 or 3"),
        ((2,), 1, "shows 2 pictures for 1 latents: give 1"),
    ],
)
def test_pictures_that_are_not_as_many_as_the_latents_are_refused(
    pictures: tuple[int, ...], latents: int, message: str, made: Any
) -> None:
    shown = prompt(1)
    for count in pictures:
        shown = unclip_conditioning(shown, ImageEmbedding(torch.zeros(count, 64)))

    fault = _fault(made("unclip"), shown, batch=latents)

    assert fault.code == "batch_mismatch"
    assert message in str(fault)


def test_several_pictures_for_each_latent_go_with_one_for_all(made: Any) -> None:
    unclip = made("unclip")
    pictures = torch.randn(3, 64, generator=torch.Generator().manual_seed(1))
    shown = unclip_conditioning(prompt(1), ImageEmbedding(pictures))
    shown = unclip_conditioning(shown, ImageEmbedding(pictures[:1]))
    given: dict[str, Any] = {"steps": 1, "pool": unclip.pool}

    found = ksampler(
        unclip.checkpoint.model,
        shown,
        prompt(2),
        empty_latent(width=64, height=64, batch_size=3),
        **given,
    )

    assert bool(torch.isfinite(found.samples).all())


def test_an_even_depth_map_is_no_division_by_zero() -> None:
    found = depth_conditioning(prompt(1), prompt(2), GREY).positive.beside

    assert found is not None
    assert bool(torch.isfinite(found).all())


def test_an_inpainting_model_sees_no_pixel_of_the_hole(made: Any) -> None:
    model = made("sd1-inpaint")
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 8:32, 8:32] = 1
    other = GREY.pixels.clone()
    other[..., 8:32, 8:32] = 0.9

    first, second = (
        inpaint_conditioning(
            prompt(1), prompt(2), model.checkpoint.vae, image, Mask(mask), pool=model.pool
        )
        for image in (GREY, Image(other))
    )

    assert first.positive.beside is not None
    assert second.positive.beside is not None
    assert first.positive.beside.equal(second.positive.beside)
    assert not first.latents.samples.equal(second.latents.samples)
    assert first.latents.mask is not None
    assert float(first.latents.mask.sum()) == 9


def test_the_negative_prompt_may_be_one_without_the_picture(made: Any) -> None:
    edit = made("edit")
    equipped = edit_conditioning(prompt(1), prompt(2), edit.checkpoint.vae, GREY, pool=edit.pool)

    found = ksampler(
        edit.checkpoint.model,
        equipped.positive,
        prompt(2),
        equipped.latents,
        steps=1,
        pool=edit.pool,
    )

    assert bool(torch.isfinite(found.samples).all())


def test_each_small_picture_has_its_own_noise() -> None:
    both = Image(GREY.pixels.repeat(2, 1, 1, 1))

    batch = upscale_conditioning(prompt(1), prompt(2), both, seed=4).positive.beside
    alone = upscale_conditioning(prompt(1), prompt(2), GREY, seed=5).positive.beside

    assert batch is not None
    assert alone is not None
    assert batch[1:].equal(alone)


def test_the_middle_of_two_embeddings_is_as_long_as_they_are() -> None:
    first, second = (
        ImageEmbedding(torch.tensor([[3.0, 0]])),
        ImageEmbedding(torch.tensor([[0, 3.0]])),
    )

    middle = mix_image_embeddings(first, second, amount=0.5).embedding

    assert middle.norm() == pytest.approx(3.0)
    assert mix_image_embeddings(first, first, amount=0.3).embedding.equal(first.embedding)
    with pytest.raises(InputError, match="2 and 3 wide"):
        mix_image_embeddings(first, ImageEmbedding(torch.zeros(1, 3)))

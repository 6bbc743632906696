import math
from typing import Any

import pytest
import torch
from diffusers.utils.torch_utils import randn_tensor

from nodes.diffusion.noise import NoiseStream, initial, start_scale
from nodes.diffusion.schedules import Schedule
from nodes.widgets import ProfileName, SamplerName, ScheduleName

SHAPE = (3, 4, 6, 5)
SIGMA = 14.6146


def test_every_image_has_a_stream_of_its_own() -> None:
    noise, stream = initial("diffusers", 7, SHAPE)
    more, _ = stream.draw(SHAPE)
    for index in range(3):
        alone, own = initial("diffusers", 7 + index, (1, *SHAPE[1:]))
        assert torch.equal(alone[0], noise[index])
        assert torch.equal(own.draw((1, *SHAPE[1:]))[0][0], more[index])


def test_diffusers_draws_are_those_of_a_list_of_generators() -> None:
    generators = [torch.Generator().manual_seed(7 + index) for index in range(3)]
    noise, stream = initial("diffusers", 7, SHAPE)
    assert torch.equal(noise, randn_tensor(SHAPE, generator=generators))
    assert torch.equal(stream.draw(SHAPE)[0], randn_tensor(SHAPE, generator=generators))


def test_draws_before_are_passed_over() -> None:
    _, stream = initial("diffusers", 7, SHAPE)
    assert torch.equal(initial("diffusers", 7, SHAPE, draws_before=1)[0], stream.draw(SHAPE)[0])


def test_comfyui_draws_the_start_from_the_seed_and_the_steps_from_the_next() -> None:
    noise, stream = initial("comfyui", 7, SHAPE)
    assert torch.equal(noise, torch.randn(SHAPE, generator=torch.Generator().manual_seed(7)))
    generator = torch.Generator().manual_seed(8)
    first, stream = stream.draw(SHAPE)
    second, _ = stream.draw(SHAPE)
    assert torch.equal(first, torch.randn(SHAPE, generator=generator))
    assert torch.equal(second, torch.randn(SHAPE, generator=generator))


def test_drawing_leaves_the_stream_and_the_global_generator_as_they_were() -> None:
    before = torch.random.get_rng_state()
    stream = NoiseStream.seeded(1, 2, 3)
    assert torch.equal(stream.draw(SHAPE)[0], stream.draw(SHAPE)[0])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_greatest_seed_is_followed_by_the_least() -> None:
    shape = (1, *SHAPE[1:])
    noise, _ = initial("diffusers", 2**64 - 1, (2, *SHAPE[1:]))
    assert torch.equal(noise[1:], initial("diffusers", 0, shape)[0])
    assert torch.equal(
        initial("comfyui", 2**64 - 1, shape)[1].draw(shape)[0], initial("comfyui", 0, shape)[0]
    )


def test_streams_for_another_number_of_images_are_an_error() -> None:
    with pytest.raises(ValueError, match="generators for 2 images, 3 are asked for"):
        NoiseStream.seeded(1, 2).draw(SHAPE)


@pytest.mark.parametrize(
    ("profile", "sampler", "spacing", "sigma"),
    [
        ("diffusers", "euler", "leading", 8.3907),
        ("diffusers", "dpmpp_2m", "karras", SIGMA),
        ("comfyui", "euler", "normal", SIGMA),
    ],
)
def test_pure_noise_starts_stronger(
    profile: ProfileName, sampler: SamplerName, spacing: ScheduleName, sigma: float
) -> None:
    found = scale(sigma, empty=True, sampler=sampler, spacing=spacing, profile=profile)
    assert found == pytest.approx(math.sqrt(1 + sigma**2))


def test_latents_with_noise_on_them_start_at_plain_sigma() -> None:
    assert (
        scale(SIGMA, empty=False, sampler="dpmpp_2m", spacing="karras", profile="diffusers")
        == SIGMA
    )
    assert scale(SIGMA, empty=True, sampler="euler", spacing="karras", profile="diffusers") == SIGMA
    assert (
        scale(8.39, empty=True, sampler="euler", spacing="ddim_uniform", profile="comfyui") == 8.39
    )


def test_comfyui_starts_stronger_at_the_greatest_noise_whatever_the_latents() -> None:
    found = scale(SIGMA, empty=False, sampler="euler", spacing="normal", profile="comfyui")
    assert found == pytest.approx(math.sqrt(1 + SIGMA**2))


def scale(sigma: float, **settings: Any) -> float:
    return start_scale(Schedule((sigma, 0.0), (999.0,)), SIGMA, **settings)

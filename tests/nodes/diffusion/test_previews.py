import numpy as np
import pytest
import torch

from nodes.diffusion.previews import rgb
from tests.nodes import small


@pytest.mark.parametrize("channels", [1, 3, 4, 16])
def test_preview_is_a_small_picture_of_the_first(channels: int) -> None:
    latents = small.noise(1, (2, channels, 6, 5))
    made = rgb(latents)
    assert made.shape == (6, 5, 3)
    assert made.dtype == np.uint8
    assert np.array_equal(made, rgb(latents[:1]))
    assert made.std() > 1


def test_empty_latents_are_grey() -> None:
    assert (rgb(torch.zeros(1, 4, 2, 2)) == 128).all()

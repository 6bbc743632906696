"""Previews: what latents look like, without decoding them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

RGB = (
    (0.298, 0.207, 0.208),
    (0.187, 0.286, 0.173),
    (-0.158, 0.189, 0.264),
    (-0.184, -0.271, -0.473),
)
"""Red, green and blue in -1 to 1 for each of the four channels of Stable Diffusion 1.

An empirical approximation for version 1.4, from discuss.huggingface.co/t/23204 ("Decoding latents
to RGB without upscaling"). Another autoencoder's colours come out wrong, its shapes right."""


def rgb(latents: Tensor) -> NDArray[np.uint8]:
    """The first of the latents (B, C, h, w) as a small picture, (h, w, 3)."""
    first = latents[0].detach().float().cpu()
    if first.shape[0] == len(RGB):
        picture = torch.einsum("chw,cr->hwr", first, torch.tensor(RGB)) / 2 + 0.5
    else:
        channels = first[:3] if first.shape[0] >= 3 else first[:1].expand(3, -1, -1)
        low, high = channels.amin((1, 2), keepdim=True), channels.amax((1, 2), keepdim=True)
        picture = ((channels - low) / (high - low).clamp(min=1e-6)).permute(1, 2, 0)
    shades: NDArray[np.uint8] = (
        (picture.clamp(0, 1) * 255).round().to(torch.uint8).contiguous().numpy()
    )
    return shades

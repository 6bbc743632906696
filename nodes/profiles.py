"""A node that says whose ways a whole graph follows, diffusers' or ComfyUI's."""

from dataclasses import replace
from typing import NamedTuple

from engine.node import node

from .diffusion.families import FAMILIES, SDXL
from .states import SamplingDetails
from .values import TextEncoder
from .widgets import ProfileName


class Ways(NamedTuple):
    """What the nodes of a graph are to be given, so that all of them follow one profile."""

    profile: ProfileName
    details: SamplingDetails
    positive: TextEncoder
    negative: TextEncoder
    zero_if_empty: bool
    sample: bool
    draws_before: int


@node("ChooseProfile", category="sampling", early=True)
def choose_profile(text_encoder: TextEncoder, *, profile: ProfileName = "diffusers") -> Ways:
    """Follow diffusers or ComfyUI in a whole graph, also in what other nodes than the sampler do.

    `profile` and `details` are for the sampler, `positive` and `negative` for the CLIPEncode of each
    prompt, `zero_if_empty` for that of the negative one, `sample` for VAEEncode, and `draws_before`
    for a sampler behind VAEEncode with the same seed.

    Args:
        text_encoder: As the positive prompt is to be read, that is behind ClipSkip, if there is one:
            diffusers reads the negative one from the usual layer, ComfyUI from the same.
        profile: diffusers draws what the VAE encodes, makes zeros of no negative prompt for SDXL, and
            of a denoise fewer steps; ComfyUI does none of this.
    """
    if profile == "comfyui":
        return Ways(profile, SamplingDetails(), text_encoder, text_encoder, False, False, 0)
    family = FAMILIES[text_encoder.family]
    return Ways(
        profile,
        SamplingDetails(denoise_rule="shorter"),
        text_encoder,
        replace(text_encoder, skip=family.skip),
        zero_if_empty=family is SDXL,
        sample=True,
        draws_before=1,
    )

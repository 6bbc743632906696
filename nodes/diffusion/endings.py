"""Endings: at which noise runs end, by their samplers, profiles and details."""

from nodes.states import SamplingDetails
from nodes.widgets import ProfileName, SamplerName

ENDING_LOW: frozenset[SamplerName] = frozenset({"ddim", "pndm", "tcd", "deis"})
"""Those whose diffusers scheduler ends at the first timestep's noise; the Stable Diffusion
repositories say so for DDIM and PNDM by set_alpha_to_one=False."""
UNIPC: frozenset[SamplerName] = frozenset({"unipc", "unipc_bh1"})
UNIPC_END = 0.001
"""The noise that ComfyUI's UniPC ends at."""


def ends_clean(sampler: SamplerName, profile: ProfileName, details: SamplingDetails) -> bool:
    """Whether a run ends at no noise at all."""
    if details.last_level is not None:
        return details.last_level == "zero"
    return sampler not in (UNIPC if profile == "comfyui" else ENDING_LOW)

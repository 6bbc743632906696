"""Nodes that bundle a sampler's noise, prompts and guidance; see `bundles` for where they go."""

from server.comfy.declared import Entry, Given, Input, choice, elsewhere, link, one, real, seed

from .models import EACH_ALONE
from .sampling import CFG, ROLES

_CATEGORY = "sampling/custom_sampling"
_GUIDERS = f"{_CATEGORY}/guiders"


def _folded(name: str, output: str, *inputs: Input) -> Entry:
    """A type whose values become the sampler's."""
    limits = "it must be linked to SamplerCustomAdvanced, not through a subgraph or a bypassed node"
    category = _GUIDERS if output == "GUIDER" else f"{_CATEGORY}/noise"
    recipes = (elsewhere("SampleSigmas"),)
    return Entry(name, inputs, ((output, output),), recipes, category, name, limits=limits)


ENTRIES = (
    Entry(
        "SamplerCustomAdvanced",
        (
            link("noise", "NOISE"),
            link("guider", "GUIDER"),
            link("sampler", "SAMPLER"),
            link("sigmas", "SIGMAS"),
            ROLES[2],
        ),
        (("output", "LATENT"), ("denoised_output", "LATENT")),
        (elsewhere("SampleSigmas", 2),),
        _CATEGORY,
        "SamplerCustomAdvanced",
        limits="its noise and guider must be linked to it directly: one of RandomNoise and DisableNoise,"
        " and one of CFGGuider, BasicGuider, PerpNegGuider and DualCFGGuider",
    ),
    _folded("RandomNoise", "NOISE", seed("noise_seed")),
    _folded("DisableNoise", "NOISE"),
    _folded("CFGGuider", "GUIDER", link("model", "MODEL"), *ROLES[:2], CFG),
    _folded("BasicGuider", "GUIDER", link("model", "MODEL"), link("conditioning", "CONDITIONING")),
    Entry(
        "PerpNegGuider",
        (
            link("model", "MODEL"),
            *ROLES[:2],
            link("empty_conditioning", "CONDITIONING"),
            CFG,
            real("neg_scale", 1.0, 0.0, 100.0),
        ),
        (("GUIDER", "GUIDER"),),
        (
            one(
                "PerpendicularNegative",
                exports=False,
                near=EACH_ALONE,
                model=Given("model"),
                empty=Given("empty_conditioning"),
                scale=Given("neg_scale"),
            ),
        ),
        _GUIDERS,
        "PerpNegGuider",
    ),
    Entry(
        "DualCFGGuider",
        (
            link("model", "MODEL"),
            link("cond1", "CONDITIONING"),
            link("cond2", "CONDITIONING"),
            link("negative", "CONDITIONING"),
            real("cfg_conds", 8.0, 0.0, 100.0, step=0.1, round=0.01),
            real("cfg_cond2_negative", 8.0, 0.0, 100.0, step=0.1, round=0.01),
            choice("style", "regular", "nested"),
        ),
        (("GUIDER", "GUIDER"),),
        (
            one(
                "DualGuidance",
                when=lambda values: values.get("style") == "regular",
                exports=False,
                model=Given("model"),
                middle=Given("cond2"),
                scale=Given("cfg_cond2_negative"),
            ),
        ),
        _GUIDERS,
        "DualCFGGuider",
        limits="its style is regular here",
    ),
)

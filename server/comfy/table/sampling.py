"""Nodes that denoise latents."""

from collections.abc import Mapping
from typing import Any

from server.comfy.declared import (
    Computed,
    Entry,
    Given,
    Input,
    Made,
    Part,
    Preset,
    Recipe,
    choice,
    link,
    one,
    real,
    seed,
    whole,
)

ON_CPU = "its noise is drawn on the CPU here, so that a seed means the same on every device"
_SAMPLERS = ("dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde")
_NAMES = (
    {name: name for name in _SAMPLERS}
    | {f"{name}_gpu": name for name in _SAMPLERS}
    | {"uni_pc": "unipc_bh1", "uni_pc_bh2": "unipc"}
)
_NO_SAMPLERS = {"pndm": "", "tcd": ""}
_NEAREST = {
    "linspace": "normal",
    "trailing": "simple",
    "leading": "ddim_uniform",
    "turbo": "",
    "align_your_steps": "",
}
PROFILE = Preset("comfyui", "noise, clock and masks follow ComfyUI's rules there")
_DRAWS = Preset(0, "ComfyUI draws no noise before a run")
_ALL = 1000
"""SampleSteps takes all steps that remain."""


def sampler_name() -> Input:
    """The choice of a sampler."""
    return Input(
        "sampler_name",
        "COMBO",
        words=_NAMES,
        source="samplers",
        instead=_NO_SAMPLERS,
        near=lambda name: ON_CPU if str(name).endswith("_gpu") else "",
    )


def scheduler() -> Input:
    """The choice of a schedule."""
    return Input(
        "scheduler",
        "COMBO",
        source="schedules",
        instead=_NEAREST,
        near=lambda name: (
            "where the model's timesteps, 1000 or 50 of a distilled one, are no multiple of the"
            " steps, ComfyUI takes one more"
            if name == "ddim_uniform"
            else ""
        ),
    )


ROLES = (
    link("positive", "CONDITIONING"),
    link("negative", "CONDITIONING"),
    link("latent_image", "LATENT"),
)
STEPS = whole("steps", 20, 1, 10000)
CFG = real("cfg", 8.0, 0.0, 100.0, step=0.1, round=0.01)
_LATENT = (("LATENT", "LATENT"),)


def _ends_whole(values: Mapping[str, Any]) -> bool:
    end = values.get("end_at_step")
    return isinstance(end, int) and end >= values.get("steps", 10000)


def _ends_early(values: Mapping[str, Any]) -> bool:
    """Noise is left over, and there is at least one step to take."""
    start, end = values.get("start_at_step"), values.get("end_at_step")
    if values.get("return_with_leftover_noise") != "enable" or not isinstance(start, int):
        return False
    return isinstance(end, int) and start < end and start < values.get("steps", 10000)


_START = Computed(("start_at_step", "steps"), min, lambda start, known: {"start_at_step": start})
_COUNT = Computed(
    ("start_at_step", "end_at_step"),
    lambda start, end: min(end - start, _ALL),
    lambda count, known: {"end_at_step": known["start_at_step"] + count},
)
GUIDED: dict[str, Any] = {
    "model": Given("model"),
    "positive": Given("positive"),
    "negative": Given("negative"),
    "guidance_scale": Given("cfg"),
}
_BEGUN = Part(
    "StartSampling",
    {
        "model": Given("model"),
        "latents": Given("latent_image"),
        "seed": Given("noise_seed"),
        "steps": Given("steps"),
        "sampler": Given("sampler_name"),
        "schedule": Given("scheduler"),
        "denoise": 1.0,
        "start_step": _START,
        "profile": PROFILE,
        "draws_before": _DRAWS,
    },
)
_TAKEN_OVER = Part("SetNoisyLatents", {"state": Made("start"), "latents": Given("latent_image")})


def _parts(*, noise: bool, whole_run: bool) -> dict[str, Part]:
    """A run in parts: begun with noise or from latents that hold it already, and to its end or not."""
    begun = Made("start" if noise else "noisy")
    count: object = _ALL if whole_run else _COUNT
    parts = {"start": _BEGUN} if noise else {"start": _BEGUN, "noisy": _TAKEN_OVER}
    parts["steps"] = Part("SampleSteps", {**GUIDED, "state": begun, "count": count})
    last = "FinishSampling" if whole_run else "ReadNoisyLatents"
    return parts | {"end": Part(last, {"state": Made("steps", "state")})}


def _advanced(*, noise: bool, whole_run: bool) -> Recipe:
    word = "enable" if noise else "disable"
    says: dict[str, Any] = {"add_noise": word}
    says["return_with_leftover_noise"] = "disable" if whole_run else "enable"
    return Recipe(
        _parts(noise=noise, whole_run=whole_run),
        (Made("end"),),
        when=lambda values: (
            values.get("add_noise") == word
            and (_ends_whole(values) if whole_run else _ends_early(values))
        ),
        says=says | ({"end_at_step": 10000} if whole_run else {}),
    )


ENTRIES = (
    Entry(
        "KSampler",
        (
            link("model", "MODEL"),
            seed(),
            STEPS,
            CFG,
            sampler_name(),
            scheduler(),
            *ROLES,
            real("denoise", 1.0, 0.0, 1.0),
        ),
        _LATENT,
        (
            one(
                "KSampler",
                **GUIDED,
                latents=Given("latent_image"),
                seed=Given("seed"),
                steps=Given("steps"),
                sampler=Given("sampler_name"),
                schedule=Given("scheduler"),
                denoise=Given("denoise"),
                start_step=0,
                profile=PROFILE,
                draws_before=_DRAWS,
            ),
        ),
        "sampling",
        "KSampler",
    ),
    Entry(
        "KSamplerAdvanced",
        (
            link("model", "MODEL"),
            choice("add_noise", "enable", "disable"),
            seed("noise_seed"),
            STEPS,
            CFG,
            sampler_name(),
            scheduler(),
            *ROLES,
            whole("start_at_step", 0, 0, 10000),
            whole("end_at_step", 10000, 0, 10000),
            choice("return_with_leftover_noise", "disable", "enable"),
        ),
        _LATENT,
        (
            one(
                "KSampler",
                when=lambda values: values.get("add_noise") == "enable" and _ends_whole(values),
                says={
                    "add_noise": "enable",
                    "end_at_step": 10000,
                    "return_with_leftover_noise": "disable",
                },
                **GUIDED,
                latents=Given("latent_image"),
                seed=Given("noise_seed"),
                steps=Given("steps"),
                sampler=Given("sampler_name"),
                schedule=Given("scheduler"),
                denoise=1.0,
                start_step=_START,
                profile=PROFILE,
                draws_before=_DRAWS,
            ),
            _advanced(noise=False, whole_run=True),
            _advanced(noise=True, whole_run=False),
            _advanced(noise=False, whole_run=False),
        ),
        "sampling",
        "KSampler (Advanced)",
        limits="a run that ends early leaves its noise in, and takes at least one step;"
        " where it starts and ends must be given as numbers",
    ),
)

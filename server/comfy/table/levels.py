"""Nodes that lay noise levels, and denoise through them by a sampler chosen elsewhere."""

from collections.abc import Mapping
from typing import Any

from server.comfy.declared import (
    Entry,
    Given,
    Input,
    Preset,
    choice,
    flag,
    link,
    one,
    real,
    seed,
    whole,
)

from .sampling import CFG, GUIDED, ON_CPU, PROFILE, ROLES, STEPS, sampler_name, scheduler

_SIGMAS = (("SIGMAS", "SIGMAS"),)
_CATEGORY = "sampling/custom_sampling"
_SCHEDULERS = f"{_CATEGORY}/schedulers"
_HIGHEST = real("sigma_max", 14.614642, 0.0, 5000.0, step=0.01, round=False)
_LOWEST = real("sigma_min", 0.0291675, 0.0, 5000.0, step=0.01, round=False)
_BETWEEN: dict[str, Any] = {
    "steps": Given("steps"),
    "highest": Given("sigma_max"),
    "lowest": Given("sigma_min"),
}
_LAID: dict[str, Any] = {
    "model": Given("model"),
    "steps": Given("steps"),
    "denoise": Given("denoise"),
    "sampler": Preset("euler", "the levels are laid for every sampler alike there"),
    "profile": PROFILE,
}
_ETA = real("eta", 1.0, 0.0, 100.0, step=0.01, round=False)
_S_NOISE = real("s_noise", 1.0, 0.0, 100.0, step=0.01, round=False)
_DEVICE = choice("noise_device", "gpu", "cpu")


def _settled(name: str, sampler: str, *inputs: Input) -> Entry:
    """A sampler with settings of its own, carried over where they are what it has by itself."""
    own = {each.name: each.default for each in inputs if each is not _DEVICE}

    def has(values: Mapping[str, Any], *devices: str) -> bool:
        kept = all(values.get(name) == value for name, value in own.items())
        return kept and (_DEVICE not in inputs or values.get("noise_device") in devices)

    return Entry(
        name,
        inputs,
        (("SAMPLER", "SAMPLER"),),
        (
            one(
                "ChooseSampler",
                when=lambda values: has(values, "cpu"),
                exports=False,
                sampler=sampler,
            ),
            one(
                "ChooseSampler",
                when=lambda values: has(values, "gpu"),
                near=ON_CPU,
                exports=False,
                sampler=sampler,
            ),
        ),
        f"{_CATEGORY}/samplers",
        name,
        limits="a chosen sampler brings no settings of its own here: SamplingDetails of the nodes"
        " SamplerNoise and SolverOrder hold them",
    )


ENTRIES = (
    Entry(
        "KSamplerSelect",
        (sampler_name(),),
        (("SAMPLER", "SAMPLER"),),
        (one("ChooseSampler", sampler=Given("sampler_name")),),
        f"{_CATEGORY}/samplers",
        "KSamplerSelect",
    ),
    _settled("SamplerEulerAncestral", "euler_ancestral", _ETA, _S_NOISE),
    _settled("SamplerLMS", "lms", whole("order", 4, 1, 100)),
    _settled("SamplerDPMPP_2S_Ancestral", "dpmpp_2s_ancestral", _ETA, _S_NOISE),
    _settled(
        "SamplerDPMPP_SDE",
        "dpmpp_sde",
        _ETA,
        _S_NOISE,
        real("r", 0.5, 0.0, 100.0, step=0.01, round=False),
        _DEVICE,
    ),
    _settled(
        "SamplerDPMPP_2M_SDE",
        "dpmpp_2m_sde",
        choice("solver_type", "midpoint", "heun"),
        _ETA,
        _S_NOISE,
        _DEVICE,
    ),
    _settled("SamplerDPMPP_3M_SDE", "dpmpp_3m_sde", _ETA, _S_NOISE, _DEVICE),
    Entry(
        "SDTurboScheduler",
        (link("model", "MODEL"), whole("steps", 1, 1, 10), real("denoise", 1.0, 0.0, 1.0)),
        _SIGMAS,
        (one("ScheduleSigmas", **_LAID, schedule="turbo"),),
        _SCHEDULERS,
        "SDTurboScheduler",
    ),
    Entry(
        "BasicScheduler",
        (link("model", "MODEL"), scheduler(), STEPS, real("denoise", 1.0, 0.0, 1.0)),
        _SIGMAS,
        (one("ScheduleSigmas", **_LAID, schedule=Given("scheduler")),),
        _SCHEDULERS,
        "BasicScheduler",
    ),
    Entry(
        "KarrasScheduler",
        (STEPS, _HIGHEST, _LOWEST, real("rho", 7.0, 0.0, 100.0, step=0.01, round=False)),
        _SIGMAS,
        (one("KarrasSigmas", **_BETWEEN, rho=Given("rho")),),
        _SCHEDULERS,
        "KarrasScheduler",
    ),
    Entry(
        "ExponentialScheduler",
        (STEPS, _HIGHEST, _LOWEST),
        _SIGMAS,
        (one("ExponentialSigmas", **_BETWEEN, rho=1.0),),
        _SCHEDULERS,
        "ExponentialScheduler",
    ),
    Entry(
        "PolyexponentialScheduler",
        (STEPS, _HIGHEST, _LOWEST, real("rho", 1.0, 0.0, 100.0, step=0.01, round=False)),
        _SIGMAS,
        (
            one(
                "ExponentialSigmas",
                when=lambda values: values.get("rho") != 1,
                **_BETWEEN,
                rho=Given("rho"),
            ),
            one("ExponentialSigmas", exports=False, **_BETWEEN, rho=Given("rho")),
        ),
        _SCHEDULERS,
        "PolyexponentialScheduler",
    ),
    Entry(
        "SamplerCustom",
        (
            link("model", "MODEL"),
            flag("add_noise", default=True),
            seed("noise_seed"),
            CFG,
            *ROLES[:2],
            link("sampler", "SAMPLER"),
            link("sigmas", "SIGMAS"),
            ROLES[2],
        ),
        (("output", "LATENT"), ("denoised_output", "LATENT")),
        (
            one(
                "SampleSigmas",
                ("latents", "denoised"),
                **GUIDED,
                latents=Given("latent_image"),
                sigmas=Given("sigmas"),
                sampler=Given("sampler"),
                seed=Given("noise_seed"),
                add_noise=Given("add_noise"),
                profile=PROFILE,
            ),
        ),
        _CATEGORY,
        "SamplerCustom",
    ),
)

"""Nodes that lay noise levels, and denoise through them by a sampler chosen elsewhere."""

from collections.abc import Mapping
from typing import Any

from server.comfy.declared import (
    Computed,
    Condition,
    Entry,
    Given,
    Input,
    Made,
    Part,
    Preset,
    Recipe,
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
_SHARE = "eta is 1 at most"


_NOISE = Part("SamplerNoise", {"eta": Given("eta"), "scale": Given("s_noise")})
_ORDER = Part("SolverOrder", {"order": Given("order")})
_RANGES = {"eta": (0, 1), "s_noise": (0, 100), "order": (1, 4)}
"""Those of our nodes' inputs; a value that is linked is left to the run."""


def _settled(name: str, sampler: str, details: Part, *inputs: Input, limits: str = "") -> Entry:
    """A sampler, with nodes for its settings where they are not what it has by itself."""
    own = {each.name: each.default for each in inputs if each is not _DEVICE}

    def is_own(values: Mapping[str, Any]) -> bool:
        return all(values.get(name) == value for name, value in own.items())

    def is_known(values: Mapping[str, Any]) -> bool:
        def is_in_range(name: str) -> bool:
            value = values.get(name)
            if name not in _RANGES:
                return bool(value == own[name])
            least, most = _RANGES[name]
            return value is None or least <= value <= most

        return all(map(is_in_range, own))

    def recipe(when: Condition, device: str, parts: Mapping[str, Part]) -> Recipe:
        return Recipe(
            parts,
            (Made("it"),),
            when=lambda values: values.get("noise_device", "cpu") == device and when(values),
            near=ON_CPU if device == "gpu" else "",
            exports=False,
            beside=Made("details") if "details" in parts else None,
        )

    alone = {"it": Part("ChooseSampler", {"sampler": sampler})}
    devices = ("cpu", "gpu") if _DEVICE in inputs else ("cpu",)
    return Entry(
        name,
        inputs,
        (("SAMPLER", "SAMPLER"),),
        tuple(
            recipe(when, device, parts)
            for when, parts in ((is_own, alone), (is_known, {**alone, "details": details}))
            for device in devices
        ),
        f"{_CATEGORY}/samplers",
        name,
        limits=limits,
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
    _settled("SamplerEulerAncestral", "euler_ancestral", _NOISE, _ETA, _S_NOISE, limits=_SHARE),
    _settled(
        "SamplerLMS", "lms", _ORDER, whole("order", 4, 1, 100), limits="its order is 4 at most here"
    ),
    _settled(
        "SamplerDPMPP_2S_Ancestral", "dpmpp_2s_ancestral", _NOISE, _ETA, _S_NOISE, limits=_SHARE
    ),
    _settled(
        "SamplerDPMPP_SDE",
        "dpmpp_sde",
        _NOISE,
        _ETA,
        _S_NOISE,
        real("r", 0.5, 0.0, 100.0, step=0.01, round=False),
        _DEVICE,
        limits=f"its r is 0.5 here, and {_SHARE}",
    ),
    _settled(
        "SamplerDPMPP_2M_SDE",
        "dpmpp_2m_sde",
        _NOISE,
        choice("solver_type", "midpoint", "heun"),
        _ETA,
        _S_NOISE,
        _DEVICE,
        limits=f"its solver_type is midpoint here, and {_SHARE}",
    ),
    _settled("SamplerDPMPP_3M_SDE", "dpmpp_3m_sde", _NOISE, _ETA, _S_NOISE, _DEVICE, limits=_SHARE),
    Entry(
        "SDTurboScheduler",
        (link("model", "MODEL"), whole("steps", 1, 1, 10), real("denoise", 1.0, 0.0, 1.0)),
        _SIGMAS,
        (one("ScheduleSigmas", **_LAID, schedule="turbo"),),
        _SCHEDULERS,
        "SDTurboScheduler",
    ),
    Entry(
        "AlignYourStepsScheduler",
        (
            choice("model_type", "SD1", "SDXL", "SVD", SD1="sd1", SDXL="sdxl", SVD="svd"),
            whole("steps", 10, 1, 10000),
            real("denoise", 1.0, 0.0, 1.0),
        ),
        _SIGMAS,
        (
            one(
                "AlignedSigmas",
                when=lambda values: values.get("model_type") in {"SD1", "SDXL"},
                family=Given("model_type"),
                steps=Given("steps"),
                start_step=Computed(
                    ("steps", "denoise"),
                    lambda steps, denoise: steps - round(steps * denoise),
                    lambda start, known: {"denoise": (known["steps"] - start) / known["steps"]},
                ),
            ),
        ),
        _SCHEDULERS,
        "AlignYourStepsScheduler",
        limits="there are no levels for SVD",
    ),
    Entry(
        "BetaSamplingScheduler",
        (
            link("model", "MODEL"),
            STEPS,
            *(real(name, 0.6, 0.0, 50.0, step=0.01, round=False) for name in ("alpha", "beta")),
        ),
        _SIGMAS,
        (
            one(
                "ScheduleSigmas",
                when=lambda values: values.get("alpha") == values.get("beta") == 0.6,
                exports=False,
                **{**_LAID, "denoise": 1.0},
                schedule="beta",
            ),
        ),
        _SCHEDULERS,
        "BetaSamplingScheduler",
        limits="alpha and beta are 0.6 here",
    ),
    Entry(
        "SplitSigmas",
        (link("sigmas", "SIGMAS"), whole("step", 0, 0, 10000)),
        (("high_sigmas", "SIGMAS"), ("low_sigmas", "SIGMAS")),
        (one("SplitSigmas", ("high", "low"), sigmas=Given("sigmas"), step=Given("step")),),
        f"{_CATEGORY}/sigmas",
        "SplitSigmas",
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
            Input("details", "SAMPLER_SETTINGS", required=False, hidden=True),
        ),
        (("output", "LATENT"), ("denoised_output", "LATENT")),
        (
            one(
                "SampleSigmas",
                ("latents", "denoised"),
                **GUIDED,
                latents=Given("latent_image"),
                details=Given("details"),
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

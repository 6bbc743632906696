"""What can be told of models at work before they are loaded: what they give, and why they could not."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from engine.facts import has_unknown
from engine.node import UNKNOWN

from . import brought, fitting, memory
from .diffusion import windows
from .diffusion.families import SCALE
from .diffusion.layout import PartName
from .diffusion.parts import Part
from .diffusion.pool import Pool
from .diffusion.roles import Prompts
from .facts import (
    ConditioningFacts,
    ControlFacts,
    LatentFacts,
    PixelFacts,
    Space,
)
from .free import free
from .memory import Need
from .states import SamplingDetails
from .values import (
    VAE,
    ControlNet,
    DepthEstimator,
    ImageEncoder,
    Karlo,
    Model,
    TextEncoder,
    Weights,
)

_TOGETHER = 4
"""Prompts of at most so many pieces go through the model in one call; see `guidance.REPEATS`."""

_NO_MODEL = Model(Weights("checkpoints", "", ""))
"""Has no guidance of its own, as nothing is known of it."""

Network = Model | TextEncoder | VAE | ControlNet | ImageEncoder | DepthEstimator | Karlo
Sizes = Mapping[str, Any]


def of_part(recipe: Network, part: PartName, pool: Pool) -> Part:
    """The part that a recipe names, by its header.

    Raises:
        InputError: The weights do not have it, or cannot be read.
    """
    return pool.folders.open(recipe.weights.kind, recipe.weights.name).part(part)


def space_of(recipe: Model | VAE, pool: Pool) -> Space:
    """The space of the latents that a model or a VAE works in."""
    name = recipe.weights.name
    if isinstance(recipe, VAE):
        return Space(recipe.scaling_factor, name)
    return Space(pool.folders.open(recipe.weights.kind, name).scaling_factor, name)


def controlled(
    *,
    positive: Any,
    negative: Any,
    controlnet: Any,
    image: Any,
    strength: Any,
    start: Any,
    end: Any,
) -> tuple[Any, Any]:
    """What is known of prompts under one ControlNet more."""
    control = ControlFacts(controlnet, image, strength, start, end)
    return tuple(  # type: ignore[return-value]
        prompt if prompt is UNKNOWN else _under(prompt, control) for prompt in (positive, negative)
    )


def _under(prompt: ConditioningFacts, control: ControlFacts) -> ConditioningFacts:
    return prompt.each(lambda part: replace(part, controls=(*part.controls, control)))


def course(
    sampler: Any,
    schedule: Any,
    steps: Any,
    denoise: Any,
    start_step: Any,
    *,
    profile: Any,
    details: Any,
) -> tuple[Any, Any]:
    """How many steps a run takes, and whether it ends at no noise. Each input may be `UNKNOWN`."""
    if denoise == 0:
        return 0, True
    if has_unknown((schedule, steps, denoise, start_step, details)):
        return UNKNOWN, UNKNOWN
    from .diffusion.settings import Settings

    departures = details or SamplingDetails()
    settings = Settings(
        "euler" if sampler is UNKNOWN else sampler,
        schedule,
        steps,
        denoise,
        start_step,
        "diffusers" if profile is UNKNOWN else profile,
        details=departures,
    )
    clean = UNKNOWN if has_unknown((sampler, profile)) else settings.ends_clean
    return settings.count, clean


def sampled(
    *,
    model: Any,
    positive: Any,
    negative: Any,
    latents: Any,
    steps: Any,
    guidance_scale: Any,
    schedule: Any,
    denoise: Any,
    start_step: Any,
    profile: Any,
    details: Any,
    pool: Pool,
) -> Any:
    """What is known of sampled latents. Each input may be `UNKNOWN`; what is known of the others counts.

    Raises:
        InputError: Model, prompts, their ControlNets and the latents do not go together, or there is
            too little memory for them.
    """
    count, _ = course(
        "euler",
        schedule,
        steps,
        denoise,
        start_step,
        profile="diffusers",
        details=None if denoise == 1 else details,
    )
    if count == 0:
        return latents  # nothing is denoised, so nothing has to fit
    if count is UNKNOWN and (denoise, start_step) != (1, 0):
        return UNKNOWN  # perhaps nothing is
    return denoised(
        model,
        {"positive": positive, "negative": negative},
        guidance_scale,
        latents,
        profile=profile,
        count=count,
        origin="latents",
        pool=pool,
    )


def denoised(
    model: Any,
    roles: Mapping[str, Any],
    guidance_scale: Any,
    latents: Any,
    *,
    profile: Any,
    count: Any,
    origin: str,
    pool: Pool,
) -> Any:
    """What is known of latents that surely go through a model.

    Args:
        model: A `Model`.
        roles: The conditioning, positive and negative.
        guidance_scale: 1 asks for no negative one.
        latents: What is denoised.
        profile: Whose ControlNet windows to follow.
        count: The steps of the run.
        origin: The input that the latents come by.
        pool: Where the models are.
    """
    part = None if model is UNKNOWN else of_part(model, "unet", pool)
    sizes = None if part is None else part.sizes
    asked = asked_for(model, roles, guidance_scale, sizes)
    prompts = {role: prompt for role, prompt in asked.items() if prompt is not UNKNOWN}
    if sizes is not None:
        _check_model(sizes, prompts)
    if latents is UNKNOWN:
        return UNKNOWN
    if sizes is not None:
        fitting.check_channels(latents.channels, sizes["out_channels"], origin)
        _check_beside(sizes, prompts, latents)
        fitting.check_space(space_of(model, pool), latents.space, "the VAE", origin)
    fitting.check_latent_mask(latents)
    acting: list[Part] = []
    for role, prompt in _apart(prompts):
        fitting.check_prompts(prompt, latents.batch, role)
        if sizes is not None:
            _check_images(sizes, prompt, latents.batch, role)
        for control in prompt.controls:
            if _acts(control, profile, count):
                acting += _check_control(control, sizes, latents, role, pool)
    if part is not None and sizes is not None:
        rows = len(asked) if _together(tuple(asked.values())) else 1
        check_memory(
            pool,
            (part, *acting),
            lambda batch, height, width: memory.denoising(
                sizes, rows * batch, height, width, pool.dtype_name
            ),
            latents,
            unit=SCALE,
            inputs=("model", origin),
            divided=memory.denoising(sizes, 1, latents.height, latents.width, pool.dtype_name),
        )
    return latents if model is UNKNOWN else latents.within(space_of(model, pool))


def asked_for(
    model: Any, roles: Mapping[str, Any], guidance_scale: Any, sizes: Sizes | None
) -> dict[str, Any]:
    """The prompts that a model is surely asked for, by their roles; see `Prompts.roles`.

    Args:
        model: A `Model`.
        roles: The conditioning, positive and negative.
        guidance_scale: 1 asks for no negative one.
        sizes: The model's, if they are known.
    """
    scale = 1.0 if guidance_scale is UNKNOWN else guidance_scale
    made = Prompts.of(
        roles["positive"], roles["negative"], scale, _NO_MODEL if model is UNKNOWN else model
    )
    is_taught = sizes is not None and sizes.get("time_cond_proj_dim") is not None
    return {"positive": made.positive} if is_taught else dict(made.roles)


def _apart(prompts: Mapping[str, ConditioningFacts]) -> list[tuple[str, ConditioningFacts]]:
    """Every prompt of each role."""
    return [(role, part) for role, prompt in prompts.items() for part in prompt.parts]


def _check_model(sizes: Sizes, prompts: Mapping[str, ConditioningFacts]) -> None:
    for role, prompt in _apart(prompts):
        fitting.check_text_width(prompt.width, sizes["cross_attention_dim"], role)
        if "addition_embed_type" in sizes and prompt.pooled is not UNKNOWN:
            brought.check_pooled(prompt.pooled, sizes, role)


def _check_beside(
    sizes: Sizes, prompts: Mapping[str, ConditioningFacts], latents: LatentFacts
) -> None:
    missing = sizes["in_channels"] - latents.channels
    size = PixelFacts(latents.batch, latents.height, latents.width)
    for role, prompt in _apart(prompts):
        if prompt.beside is UNKNOWN:
            continue
        if missing <= 0:
            brought.check_unread(None if prompt.beside is None else prompt.beside[0], 0, role)
        elif prompt.beside is not None or not brought.is_optional(missing, role):
            brought.check_beside(prompt.beside, missing, size, role)


def _check_images(sizes: Sizes, prompt: ConditioningFacts, latents: int, role: str) -> None:
    if sizes.get("class_embed_type") != "projection":
        brought.check_unread(None, len(prompt.images), role)
        return
    for image in prompt.images:
        if image is not UNKNOWN:
            width = sizes["projection_class_embeddings_input_dim"] // 2
            brought.check_image(image, width, latents, role)


def _check_control(
    control: ControlFacts, sizes: Sizes | None, latents: LatentFacts, role: str, pool: Pool
) -> list[Part]:
    """The ControlNet's part, if it is known, after a look at whether it fits."""
    name = "?" if control.controlnet is UNKNOWN else control.controlnet.weights.name
    if control.image is not UNKNOWN:
        fitting.check_control_image(name, control.image, latents, role)
    if control.controlnet is UNKNOWN:
        return []
    part = of_part(control.controlnet, "controlnet", pool)
    if sizes is not None and part.sizes is not None:
        fitting.check_family(sizes, part.sizes, f"the ControlNet {name!r}", role)
    return [part]


def _acts(control: ControlFacts, profile: Any, count: Any) -> bool:
    """Whether a ControlNet surely acts in one step at least; see `control.window`."""
    window = (control.strength, control.start, control.end, profile, count)
    if has_unknown(window) or control.strength == 0:
        return False
    if profile == "comfyui":
        # By the noise of each step, which is known only with the schedule.
        return bool(control.start == 0 and control.end == 1)
    return any(windows.of_control(control.start, control.end, count))


def _together(prompts: tuple[Any, ...]) -> bool:
    """Whether prompts surely go through the model in one call."""
    if has_unknown(prompts) or any(prompt.controls != prompts[0].controls for prompt in prompts):
        return False
    return all(
        not prompt.others
        and prompt.region.area is None
        and prompt.pieces is not UNKNOWN
        and prompt.pieces <= _TOGETHER
        for prompt in prompts
    )


def check_memory(
    pool: Pool,
    parts: Iterable[Part],
    working: Any,
    asked: LatentFacts | PixelFacts,
    *,
    unit: int,
    inputs: tuple[str, str],
    divided: Need,
) -> None:
    """Refuse what parts cannot do in the memory that is free; see `memory.check`."""
    room = free(pool.device)
    if room is not None:
        # What the pool holds is either part of the need or can be let go.
        room += sum(held.bytes for held in pool.usage())
    # The same ControlNet guides both prompts.
    distinct = {id(part): part for part in parts}.values()
    kind = pool.device.partition(":")[0]
    fixed = sum(memory.weights(part, pool.dtype_name, kind) for part in distinct)
    if room is not None:  # weights beyond the budget wait elsewhere
        fixed = min(fixed, pool.budget())

    def need(batch: int, height: int, width: int) -> Need:
        found: Need = working(batch, height, width)
        return Need(fixed, found.maps, found.scratch)

    memory.check(
        room,
        need,
        asked,
        unit=unit,
        inputs=inputs,
        device=pool.device,
        divided=Need(fixed, divided.maps, divided.scratch),
    )

"""What can be told of models at work before they are loaded: what they give, and why they could not."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from engine.facts import has_unknown
from engine.node import UNKNOWN

from . import fitting, memory
from .diffusion.checkpoints import Part
from .diffusion.layout import PartName
from .diffusion.pool import Pool
from .facts import (
    ConditioningFacts,
    ControlFacts,
    LatentFacts,
    PixelFacts,
    Space,
    known,
)
from .free import free
from .memory import Need
from .values import VAE, ControlNet, Model, TextEncoder

_TOGETHER = 4
"""Prompts of at most so many pieces go through the model in one call; see `guidance.REPEATS`."""

Sizes = Mapping[str, Any]


def of_part(recipe: Model | TextEncoder | VAE | ControlNet, part: PartName, pool: Pool) -> Part:
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


def encoded_text(text_encoder: Any, text: Any, pool: Pool) -> Any:
    """What is known of an encoded prompt.

    Raises:
        InputError: The text encoder is not there, or has too few layers.
    """
    if text_encoder is UNKNOWN:
        return UNKNOWN
    sizes = of_part(text_encoder, "text_encoder", pool).sizes
    if sizes is None:
        return UNKNOWN
    fitting.check_layers(text_encoder.skip, sizes["num_hidden_layers"])
    pieces = UNKNOWN
    if text is not UNKNOWN:
        # A token is at least one byte; beyond ASCII, composing and lowering may make more of them.
        most = len(text) if text.isascii() else 3 * len(text.encode(errors="replace"))
        pieces = max(1, ceil(most / (sizes["max_position_embeddings"] - 2)))
    return ConditioningFacts(1, sizes["hidden_size"], pieces=pieces)


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
        prompt if prompt is UNKNOWN else replace(prompt, controls=(*prompt.controls, control))
        for prompt in (positive, negative)
    )


@known
def encoded_picture(vae: VAE, image: PixelFacts, pool: Pool) -> Any:
    """What is known of an encoded picture.

    Raises:
        InputError: Its sides are no multiples, or there is too little memory.
    """
    part = of_part(vae, "vae", pool)
    sizes = part.sizes
    if sizes is None:
        return UNKNOWN
    factor = pixels_per_latent(sizes)
    fitting.check_picture(image, factor)
    _check_memory(
        pool,
        (part,),
        lambda *shape: memory.encoding(sizes, PixelFacts(*shape), pool.dtype_name),
        image,
        unit=1,
        inputs=("vae", "image"),
    )
    height, width = image.height // factor, image.width // factor
    space = space_of(vae, pool)
    return LatentFacts(image.batch, sizes["latent_channels"], height, width, space=space)


@known
def decoded(vae: VAE, latents: LatentFacts, pool: Pool) -> Any:
    """What is known of a decoded picture.

    Raises:
        InputError: The VAE is of another family, or there is too little memory.
    """
    part = of_part(vae, "vae", pool)
    sizes = part.sizes
    if sizes is None:
        return UNKNOWN
    fitting.check_decoder(latents.channels, sizes["latent_channels"])
    fitting.check_space(latents.space, space_of(vae, pool), "the VAE", "vae")
    factor = pixels_per_latent(sizes)

    def need(batch: int, height: int, width: int) -> Need:
        picture = PixelFacts(batch, height * factor, width * factor)
        return memory.decoding(sizes, picture, pool.dtype_name)

    _check_memory(pool, (part,), need, latents, unit=factor, inputs=("vae", "latents"))
    return PixelFacts(latents.batch, latents.height * factor, latents.width * factor)


def sampled(
    *,
    model: Any,
    positive: Any,
    negative: Any,
    latents: Any,
    steps: Any,
    guidance_scale: Any,
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
    if details is not None and denoise != 1:
        return UNKNOWN  # whether anything is denoised depends on its rule
    if denoise == 0 or start_step == steps:
        return latents  # nothing is denoised, so nothing has to fit
    if has_unknown((denoise, start_step)) or (steps is UNKNOWN and start_step > 0):
        return UNKNOWN
    return denoised(
        model,
        {"positive": positive, "negative": negative},
        guidance_scale,
        latents,
        profile=profile,
        count=UNKNOWN if steps is UNKNOWN else steps - start_step,
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
    positive, negative = roles["positive"], roles["negative"]
    part = None if model is UNKNOWN else of_part(model, "unet", pool)
    sizes = None if part is None else part.sizes
    is_guided = guidance_scale is not UNKNOWN and guidance_scale != 1
    prompts = {"positive": positive} | ({"negative": negative} if is_guided else {})
    prompts = {role: prompt for role, prompt in prompts.items() if prompt is not UNKNOWN}
    if sizes is not None:
        _check_model(sizes, prompts)
    if latents is UNKNOWN:
        return UNKNOWN
    if sizes is not None:
        fitting.check_channels(latents.channels, sizes["in_channels"], origin)
        fitting.check_space(space_of(model, pool), latents.space, "the VAE", origin)
    fitting.check_latent_mask(latents)
    acting: list[Part] = []
    for role, prompt in prompts.items():
        fitting.check_prompts(prompt, latents.batch, role)
        for control in prompt.controls:
            if _acts(control, profile, count):
                acting += _check_control(control, sizes, latents, role, pool)
    if part is not None and sizes is not None:
        rows = 2 if is_guided and _together(positive, negative) else 1
        _check_memory(
            pool,
            (part, *acting),
            lambda batch, height, width: memory.denoising(
                sizes, rows * batch, height, width, pool.dtype_name
            ),
            latents,
            unit=fitting.HINT_SCALE,
            inputs=("model", origin),
        )
    return latents if model is UNKNOWN else latents.within(space_of(model, pool))


def _check_model(sizes: Sizes, prompts: Mapping[str, ConditioningFacts]) -> None:
    for role, prompt in prompts.items():
        fitting.check_text_width(prompt.width, sizes["cross_attention_dim"], role)


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
    return any(
        step / count >= control.start and (step + 1) / count <= control.end for step in range(count)
    )


def _together(positive: Any, negative: Any) -> bool:
    """Whether both prompts surely go through the model in one call."""
    if has_unknown((positive, negative)) or positive.controls != negative.controls:
        return False
    return all(
        prompt.pieces is not UNKNOWN and prompt.pieces <= _TOGETHER
        for prompt in (positive, negative)
    )


def _check_memory(
    pool: Pool,
    parts: Iterable[Part],
    working: Any,
    asked: LatentFacts | PixelFacts,
    *,
    unit: int,
    inputs: tuple[str, str],
) -> None:
    room = free(pool.device)
    if room is not None:
        # What the pool holds is either part of the need or can be let go.
        room += sum(held.bytes for held in pool.usage())
    # The same ControlNet guides both prompts.
    distinct = {id(part): part for part in parts}.values()
    kind = pool.device.partition(":")[0]
    fixed = sum(memory.weights(part, pool.dtype_name, kind) for part in distinct)

    def need(batch: int, height: int, width: int) -> Need:
        found: Need = working(batch, height, width)
        return Need(fixed, found.maps, found.scratch)

    memory.check(room, need, asked, unit=unit, inputs=inputs, device=pool.device)


def pixels_per_latent(sizes: Sizes) -> int:
    """Pixels to one latent: the encoder halves once for every level but one."""
    return int(2 ** (len(sizes["block_out_channels"]) - 1))

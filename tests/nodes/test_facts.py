"""What `infer` says of every node's outputs is what its function gives."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch
from hypothesis import given, settings, strategies as st

from engine.catalog import Catalog
from engine.errors import InputError
from engine.facts import has_unknown, parameters
from engine.node import UNKNOWN, NodeType, node_type
from nodes import (
    control,
    facts,
    image,
    latents,
    lists,
    logic,
    mask,
    noisy_latents,
    sampling,
    sheets,
    text,
    vae,
)
from nodes.diffusion import readers
from nodes.facts import ConditioningFacts, LatentFacts, PixelFacts, SamplerFacts
from nodes.folders import Folders
from nodes.loaders import load_checkpoint, load_controlnet
from nodes.states import SamplerState, SamplingDetails
from nodes.values import Image, Latents, Mask, Model, Weights

from .conftest import Tiny

BLIND = {
    *("RandomSeed", "SaveImage", "PreviewImage", "SaveTable", "ImageGrid"),
    "StepsToNoise",
}
"""Nodes of whose outputs nothing can be known, or needs to be.

A sheet is as large as its labels need, which are measured with the font that draws them, on tensors.
How many steps lead to a noise depends on the levels of a run, which are laid with torch.
"""


def picture(batch: int = 1, height: int = 12, width: int = 20) -> Image:
    return Image(torch.rand(batch, 3, height, width))


def masks(batch: int = 1, height: int = 12, width: int = 20) -> Mask:
    return Mask(torch.rand(batch, 1, height, width))


def start(batch: int = 1, masked: int = 0, height: int = 6, width: int = 8) -> Latents:
    held = torch.ones(masked, 1, height, width) if masked else None
    return Latents(torch.zeros(batch, 4, height, width), held)


def told(function: Any, arguments: dict[str, Any]) -> Any:
    """What the node's `infer` says when it gets facts in place of the values."""
    declared: NodeType = node_type(function)
    assert declared.infer is not None
    defaults = {name: item.default for name, item in declared.inputs.items()}
    given = {
        name: [facts.of(item) for item in value] if isinstance(value, list) else facts.of(value)
        for name, value in (defaults | arguments).items()
    }
    return declared.infer(
        **{name: given[name] for name in parameters(declared.infer) if name in given}
    )


def both(function: Any, **arguments: Any) -> tuple[Any, Any]:
    """Facts before and after, or the faults in their place; spaces aside, which values do not tell."""

    def kept(ask: Callable[[], Any]) -> Any:
        try:
            return spaceless(ask())
        except InputError as error:
            return error.code, error.input, str(error)

    def made() -> Any:
        value = function(**arguments)
        return tuple(map(facts.of, value)) if isinstance(value, tuple) else facts.of(value)

    return kept(lambda: told(function, arguments)), kept(made)


def spaceless(fact: Any) -> Any:
    if type(fact) is tuple or (isinstance(fact, tuple) and hasattr(fact, "_fields")):
        return tuple(map(spaceless, fact))
    if isinstance(fact, LatentFacts):
        return replace(fact, space=None)
    if isinstance(fact, SamplerFacts):
        return replace(fact, latents=spaceless(fact.latents))
    return replace(fact, pieces=UNKNOWN) if isinstance(fact, ConditioningFacts) else fact


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (image.invert_image, {"image": picture(2)}),
        (image.canny_edges, {"image": picture(2, 16, 16)}),
        (image.image_size, {"image": picture(3, 5, 7)}),
        (image.blend_images, {"first": picture(1), "second": picture(3)}),
        (image.blend_images, {"first": picture(2), "second": picture(3)}),
        (image.blend_images, {"first": picture(), "second": picture(height=13)}),
        (image.concatenate_images, {"images": [picture(1), picture(3)]}),
        (image.concatenate_images, {"images": [picture(), picture(width=4)]}),
        (image.composite_image, {"base": picture(2), "overlay": picture(1, 3, 4), "x": 5}),
        (image.composite_image, {"base": picture(1), "overlay": picture(3, 3, 4)}),
        (image.composite_image, {"base": picture(2), "overlay": picture(3, 3, 4)}),
        (image.composite_image, {"base": picture(), "overlay": picture(1, 3, 4), "mask": masks(2, 3, 4)}),
        (image.composite_image, {"base": picture(), "overlay": picture(1, 3, 4), "mask": masks(1, 4, 4)}),
        (mask.image_to_mask, {"image": picture(2), "channel": "red"}),
        (mask.mask_to_image, {"mask": masks(2)}),
        (mask.invert_mask, {"mask": masks(2)}),
        (mask.grow_mask, {"mask": masks(2), "pixels": -2}),
        (mask.feather_mask, {"mask": masks(2), "radius": 3.0}),
        (mask.threshold_mask, {"mask": masks(2)}),
        (mask.mask_from_box, {"canvas_width": 64, "canvas_height": 32}),
        (mask.mask_from_box, {"canvas_width": 16384, "canvas_height": 16384}),
        (mask.combine_masks, {"first": masks(2), "second": masks(1)}),
        (mask.combine_masks, {"first": masks(2), "second": masks(1, 3, 3)}),
        (mask.combine_masks, {"first": masks(2), "second": masks(3)}),
        (latents.empty_latent, {"width": 64, "height": 48, "batch_size": 3}),
        (latents.set_latent_mask, {"latents": start(2), "mask": masks(2)}),
        (latents.set_latent_mask, {"latents": start(2), "mask": masks(3)}),
        (latents.mask_blend, {"base": start(2, 1), "overlay": start(2), "mask": masks(1)}),
        (latents.mask_blend, {"base": start(2), "overlay": start(2), "mask": masks(3)}),
        (latents.mask_blend, {"base": start(2), "overlay": start(1), "mask": masks(1)}),
        (latents.mask_blend, {"base": start(), "overlay": start(1, 0, 8, 8), "mask": masks(1)}),
    ],
)  # fmt: skip
def test_facts_agree_with_values(function: Any, arguments: dict[str, Any]) -> None:
    before, after = both(function, **arguments)
    assert before == after
    assert not has_unknown(before)


MODEL = Model(Weights("checkpoints", "none.safetensors", ""))


def under_way(step: int = 0, latents: Latents | None = None, steps: int = 4) -> SamplerState:
    """A run as if so many steps were taken."""
    begun = sampling.start_sampling(MODEL, latents or start(2, 1), steps=steps)
    return replace(begun, step=step)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        *[
            (sampling.start_sampling, {"model": MODEL, "latents": start(3, masked)} | settings)
            for masked in (0, 1, 3)
            for settings in (
                {"steps": 5, "start_step": 2},
                {"steps": 5, "start_step": 5},
                {"steps": 5, "denoise": 0.0, "profile": "comfyui"},
                {"steps": 5, "denoise": 0.4},
                {"steps": 5, "denoise": 0.5, "details": SamplingDetails(denoise_rule="shorter")},
                {"steps": 5, "start_step": 1, "schedule": "turbo", "denoise": 0.5},
                {"steps": 5, "sampler": "unipc", "profile": "comfyui"},
                {"steps": 5, "sampler": "deis"},
                {"steps": 5, "details": SamplingDetails(last_level="lowest")},
            )
        ],
        (sampling.start_sampling, {"model": MODEL, "latents": start(3, 2)}),
        (sampling.finish_sampling, {"state": under_way(4)}),
        (sampling.finish_sampling, {"state": under_way(1)}),
        (sampling.finish_sampling, {"state": under_way(0)}),
        (sampling.reschedule_sampling, {"state": under_way(1), "steps": 7}),
        (sampling.reschedule_sampling, {"state": under_way(4), "steps": 7}),
        (noisy_latents.read_noisy_latents, {"state": under_way()}),
        (noisy_latents.read_noisy_latents, {"state": under_way(1, start(3))}),
        (noisy_latents.set_noisy_latents, {"state": under_way(1), "latents": start(2)}),
        (noisy_latents.set_noisy_latents, {"state": under_way(1, start(2)), "latents": start(2, 2)}),
        (noisy_latents.set_noisy_latents, {"state": under_way(1), "latents": start(1)}),
        (noisy_latents.set_noisy_latents, {"state": under_way(1), "latents": start(2, 0, 5)}),
        (noisy_latents.noise_latents, {"state": under_way(1), "latents": start(2, 2)}),
        (noisy_latents.noise_latents, {"state": under_way(1), "latents": start(2), "level": "before"}),
        (noisy_latents.noise_latents, {"state": under_way(), "latents": start(2), "level": "before"}),
        (noisy_latents.noise_latents, {"state": under_way(), "latents": start(2, 0, 5), "level": "before"}),
        (lists.integer_range, {"start": 5, "stop": -3, "step": -2}),
        (lists.pick, {"values": [4, 5, 6], "index": -1}),
        (lists.pick, {"values": [picture(1), picture(2)], "index": 1}),
        (lists.pick, {"values": [4], "index": 1}),
        (lists.pick, {"values": [], "index": 0}),
        (logic.format_text, {"template": "{a} {b}", "values": {"a": 1.5, "b": True}}),
        (logic.format_text, {"template": "{c}", "values": {"a": 1}}),
        (logic.pass_on, {"value": under_way(2)}),
    ],
)  # fmt: skip
def test_facts_of_runs_and_lists_agree(function: Any, arguments: dict[str, Any]) -> None:
    before, after = both(function, **arguments)
    assert before == after
    assert not has_unknown(before)


@pytest.mark.parametrize("other", [picture(2), picture(1), picture(2, 5), picture(3)])
def test_pictures_that_cannot_be_compared_are_found(other: Image) -> None:
    before, after = both(sheets.compare_images, a=picture(2), b=other)
    if isinstance(after[0], str):
        assert before == after
    else:
        assert before == (UNKNOWN,) * 5


def test_what_is_half_known_of_a_run_is_told() -> None:
    def ask(function: Any, **given: Any) -> Any:
        declared = node_type(function)
        assert declared.infer is not None
        defaults = {
            name: item.default for name, item in declared.inputs.items() if not item.required
        }
        asked = parameters(declared.infer)
        return declared.infer(**{n: v for n, v in (defaults | given).items() if n in asked})

    some = facts.of(start(2))
    vague = ask(sampling.start_sampling, model=UNKNOWN, latents=some, steps=UNKNOWN)
    assert vague == SamplerFacts(some, UNKNOWN, "diffusers", UNKNOWN, UNKNOWN, "euler", UNKNOWN)
    assert ask(sampling.start_sampling, model=MODEL, latents=some, denoise=UNKNOWN).left is UNKNOWN
    inputs = dict.fromkeys(("model", "positive", "negative", "pool"), UNKNOWN)
    assert ask(sampling.sample_steps, state=vague, count=3, **inputs) == (vague, UNKNOWN, UNKNOWN)
    ended, done, step = ask(sampling.sample_steps, state=vague, **inputs)
    assert (ended.left, done, step) == (0, True, UNKNOWN)
    begun = facts.of(under_way(1, start(2)))
    ended, done, step = ask(sampling.sample_steps, state=begun, count=UNKNOWN, **inputs)
    assert (ended, done, step) == (begun.lasting(), UNKNOWN, UNKNOWN)
    assert ask(sampling.finish_sampling, state=begun.lasting()) == begun.latents
    again = ask(sampling.reschedule_sampling, state=vague, steps=3)
    assert (again.left, again.steps) == (3, UNKNOWN)
    assert ask(noisy_latents.noise_latents, state=vague, latents=some, level="before") == some


sides = st.integers(1, 40)
batches = st.integers(1, 3)
ways = st.one_of(
    st.builds(image.Fit, width=st.integers(16, 60), height=st.integers(16, 60)),
    st.builds(image.Fill, width=st.integers(16, 60), height=st.integers(16, 60)),
    st.builds(image.Exact, width=st.integers(16, 60), height=st.integers(16, 60)),
    st.builds(image.Scale, factor=st.floats(0.05, 4)),
    st.builds(image.Megapixels, megapixels=st.floats(1e-5, 3e-3)),
)


@settings(max_examples=60, deadline=None)
@given(batches, sides, sides, ways, st.integers(1, 9))
def test_resizing_agrees(batch: int, height: int, width: int, to: Any, multiple_of: int) -> None:
    for function, name, value in (
        (image.resize_image, "image", picture(batch, height, width)),
        (mask.resize_mask, "mask", masks(batch, height, width)),
    ):
        before, after = both(function, **{name: value, "to": to, "multiple_of": multiple_of})
        assert before == after


def test_a_size_beyond_all_measure_is_found_before_a_run() -> None:
    to = image.Scale(factor=64.0)
    with pytest.raises(InputError, match="megapixels") as caught:
        told(image.resize_image, {"image": picture(1, 200, 200), "to": to})
    assert (caught.value.code, caught.value.input) == ("too_large", "to")


@settings(max_examples=60, deadline=None)
@given(sides, sides, *[st.integers(0, 20)] * 2, *[st.integers(1, 40)] * 2)
def test_cropping_agrees(  # noqa: PLR0917 - one for each input
    height: int, width: int, x: int, y: int, across: int, down: int
) -> None:
    before, after = both(
        image.crop_image, image=picture(2, height, width), x=x, y=y, width=across, height=down
    )
    assert before == after


@settings(max_examples=30, deadline=None)
@given(batches, *[st.integers(0, 20)] * 4)
def test_padding_agrees(batch: int, left: int, top: int, right: int, bottom: int) -> None:
    before, after = both(
        image.pad_image, image=picture(batch), left=left, top=top, right=right, bottom=bottom
    )
    assert before == after


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3),
    st.booleans(),
    st.one_of(
        st.builds(image.Scale, factor=st.floats(0.02, 4)),
        st.builds(image.Exact, width=st.integers(16, 100), height=st.integers(16, 100)),
    ),
    st.integers(1, 3),
)
def test_latents_agree(batch: int, each: bool, to: Any, times: int) -> None:
    for masked in (0, batch if each else 1):
        value = start(batch, masked)
        before, after = both(latents.latent_upscale, latents=value, to=to)
        assert before == after
        before, after = both(latents.repeat_latent, latents=value, times=times)
        assert before == after


@pytest.mark.parametrize("form", ["checkpoint", "folder"])
def test_models_give_what_was_told(tiny: Tiny, folders: Folders, pool: Any, form: str) -> None:
    model, text_encoder, autoencoder = load_checkpoint(
        checkpoint=getattr(tiny, form), folders=folders
    )
    for words in ("", "a cat"):
        before, after = both(text.clip_encode, text_encoder=text_encoder, text=words, pool=pool)
        assert before == after
    prompt = text.clip_encode(text_encoder, text="a cat", pool=pool)
    for batch, height, width in ((1, 16, 24), (2, 16, 8), (1, 12, 16)):
        before, after = both(
            vae.vae_encode, vae=autoencoder, image=picture(batch, height, width), pool=pool
        )
        assert before == after
    before, after = both(vae.vae_decode, vae=autoencoder, latents=start(2), pool=pool)
    assert before == after
    net = load_controlnet(controlnet=tiny.controlnet, folders=folders)
    guided, avoided = control.control_net_apply(
        prompt, prompt, net, picture(1, 48, 64), strength=0.5
    )
    before, after = both(
        control.control_net_apply,
        positive=prompt, negative=prompt, controlnet=net, image=picture(1, 48, 64), strength=0.5,
    )  # fmt: skip
    assert before == after
    for batch, masked in ((1, 0), (2, 1)):
        before, after = both(
            sampling.ksampler,
            model=model, positive=guided, negative=avoided, latents=start(batch, masked), steps=1, pool=pool,
        )  # fmt: skip
        assert before == after
        assert isinstance(before, LatentFacts)
        state = sampling.start_sampling(model, start(batch, masked), steps=3)
        for count in (1, 2, 1000):
            before, after = both(
                sampling.sample_steps,
                model=model, positive=guided, negative=avoided, state=state, count=count, pool=pool,
            )  # fmt: skip
            assert before == after
            assert before[1:] == (count > 2, min(count, 3))


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize(
    ("format_name", "mode"),
    [("PNG", "RGBA"), ("PNG", "I;16"), ("PNG", "P"), ("JPEG", "RGB"), ("WEBP", "RGB"), ("WEBP", "RGBA"),
     ("TIFF", "RGB"), ("GIF", "P"), ("BMP", "RGB")],
)  # fmt: skip
def test_a_file_is_measured_as_it_is_read(
    tmp_path: Path, format_name: str, mode: str, orientation: int
) -> None:
    path = tmp_path / f"picture.{format_name.lower()}"
    made = PIL.Image.new(mode, (5, 3))
    exif = PIL.Image.Exif()
    exif[274] = orientation
    made.save(path, format_name, **({} if format_name in {"GIF", "BMP"} else {"exif": exif}))
    folders = Folders((), (tmp_path,))
    for function, more in (
        (image.load_image, {}),
        (mask.load_mask, {"channel": "alpha"}),
        (mask.load_mask, {"channel": "red"}),
    ):
        arguments: dict[str, Any] = {"image": path.name, "folders": folders, **more}
        before, after = both(function, **arguments)
        assert before == after


def test_a_png_that_tells_its_way_up_behind_the_picture_is_measured_right(tmp_path: Path) -> None:
    path = tmp_path / "late.png"
    exif = PIL.Image.Exif()
    exif[274] = 6
    PIL.Image.new("RGB", (5, 3)).save(path, exif=exif)
    data = path.read_bytes()
    at = data.index(b"eXIf") - 4
    length = int.from_bytes(data[at : at + 4], "big") + 12
    end = data.index(b"IEND") - 4
    path.write_bytes(data[:at] + data[at + length : end] + data[at : at + length] + data[end:])
    assert readers.measure(path) == (3, 5, False, "png")


def test_a_file_that_is_no_picture_is_found_before_a_run(tmp_path: Path) -> None:
    (tmp_path / "note.png").write_text("hello")
    with pytest.raises(InputError, match="is not a PNG") as caught:
        told(image.load_image, {"image": "note.png", "folders": Folders((), (tmp_path,))})
    assert caught.value.code == "damaged_file"


def test_a_switch_knows_its_branch_or_what_both_agree_on() -> None:
    infer = node_type(logic.switch).infer
    assert infer is not None
    small, large = PixelFacts(1, 8, 8), PixelFacts(1, 16, 16)
    assert infer(True, lambda: small, lambda: large) is small
    assert infer(False, lambda: small, lambda: large) is large
    assert infer(UNKNOWN, lambda: small, lambda: PixelFacts(1, 8, 8)) == small
    assert infer(UNKNOWN, lambda: small, lambda: large) is UNKNOWN
    assert infer(UNKNOWN, lambda: 1, lambda: True) is UNKNOWN


@pytest.mark.parametrize("kind", sorted(Catalog.load("nodes").items()), ids=lambda pair: pair[0])
def test_every_node_says_what_is_known(kind: tuple[str, NodeType]) -> None:
    name, declared = kind
    assert (declared.infer is None) == (name in BLIND)
    if declared.infer is not None:
        known_names = {*declared.inputs, *declared.services}
        assert set(parameters(declared.infer)) <= known_names


def test_nothing_is_known_of_what_comes_from_the_unknown() -> None:
    for declared in Catalog.load("nodes").values():
        if declared.infer in {None, declared.function} or declared.name == "Switch":
            continue
        assert declared.infer is not None
        asked = inspect.signature(declared.infer).parameters
        given = declared.infer(**{name: UNKNOWN for name in asked if name in declared.inputs}, **{name: None for name in asked if name in declared.services})  # fmt: skip
        assert has_unknown(given)

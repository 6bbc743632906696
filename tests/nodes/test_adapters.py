from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import InputError
from engine.keys import FileDigests
from nodes.adapters import load_lora, load_model_lora
from nodes.diffusion.layout import original_names
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.loaders import Checkpoint, load_checkpoint
from nodes.values import Model
from tests.nodes import loras, parity
from tests.nodes.conftest import Tiny

ATTENTION = ("attn1.to_", "attn2.to_")
TEXT = ("self_attn.", "mlp.")
Parts = dict[str, dict[str, Tensor]]


@pytest.fixture
def own(tiny: Tiny, tmp_path: Path) -> Folders:
    """The tiny models, and a folder for LoRAs."""
    return Folders((tmp_path, tiny.root), (), FileDigests())


@pytest.fixture
def loaded(tiny: Tiny, own: Folders) -> Checkpoint:
    return load_checkpoint(checkpoint=tiny.checkpoint, folders=own)


def weights(pool: Pool, recipe: Any) -> dict[str, Tensor]:
    with pool.borrow(recipe) as module:
        return {name: weight.clone() for name, weight in module.named_parameters()}


def expected(module: Any, held: loras.Pairs, scale: float) -> dict[str, Tensor]:
    found = {name: weight.clone() for name, weight in module.named_parameters()}
    for stem, pair in held.items():
        weight = found[f"{stem}.weight"]
        found[f"{stem}.weight"] = weight + loras.formula(pair, scale).reshape(weight.shape)
    return found


def assert_same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, wanted[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("spelling", ["kohya", "kohya original", "peft", "bare peft", "old"])
def test_every_spelling_adds_up_times_down(
    spelling: str, loaded: Checkpoint, own: Folders, tiny: Tiny, tmp_path: Path
) -> None:
    made = tiny.pipeline()
    wanted = (
        ATTENTION if spelling == "old" else (*ATTENTION, "ff.net", "proj_in", "conv1", "time_emb")
    )
    unet = loras.pairs(made.unet, wanted, 1)
    text = loras.pairs(made.text_encoder, ("self_attn.",) if spelling == "old" else TEXT, 2)
    if spelling.startswith("kohya"):
        named = unet
        if spelling == "kohya original":
            names = original_names("unet", list(made.unet.state_dict()))
            named = {names[f"{stem}.weight"].removesuffix(".weight"): p for stem, p in unet.items()}
        tensors = loras.kohya("lora_unet", named, 2.0)
        text = {f"text_model.{stem}": pair for stem, pair in text.items()}
        tensors |= loras.kohya("lora_te", text, 2.0)
        text = {stem.removeprefix("text_model."): pair for stem, pair in text.items()}
        scale = 2.0 / loras.RANK
    elif spelling == "old":
        tensors = loras.old("unet.", unet) | loras.old("text_encoder.text_model.", text)
        scale = 1.0
    else:
        first, second = (
            ("", "text_model.")
            if spelling == "bare peft"
            else ("unet.", "text_encoder.text_model.")
        )
        tensors = loras.peft(first, unet) | loras.peft(second, text)
        scale = 1.0
    lora = loras.write(tmp_path / "loras" / "a.safetensors", tensors)
    pool = Pool(own)

    model, encoder = load_lora(
        loaded.model, loaded.text_encoder, lora=lora, strength=0.7, text_strength=-0.4, folders=own
    )

    for what, ours, theirs in (
        ("UNet's weights", weights(pool, model), expected(made.unet, unet, 0.7 * scale)),
        (
            "text encoder's weights",
            weights(pool, encoder),
            expected(made.text_encoder, text, -0.4 * scale),
        ),
    ):
        assert_same(ours, theirs)
        flat = [torch.cat([each[name].flatten() for name in theirs]) for each in (ours, theirs)]
        parity.agree("LoRA", f"{spelling} keys", *flat, what=what, by="W + strength * up * down")


def test_locon_with_a_kernel_of_its_own_is_applied(
    loaded: Checkpoint, own: Folders, tiny: Tiny, tmp_path: Path
) -> None:
    unet = loras.pairs(tiny.pipeline().unet, ("conv1", "conv2", "to_q"), 3, tucker=True)
    lora = loras.write(tmp_path / "loras" / "a.safetensors", loras.kohya("lora_unet", unet, 1.0))

    model = load_model_lora(loaded.model, lora=lora, folders=own)

    assert_same(weights(Pool(own), model), expected(tiny.pipeline().unet, unet, 1.0 / loras.RANK))


def test_scale_beside_the_tensors_is_read(
    loaded: Checkpoint, own: Folders, tiny: Tiny, tmp_path: Path
) -> None:
    unet = loras.pairs(tiny.pipeline().unet, ATTENTION, 3)
    told = {"unet.r": loras.RANK, "unet.lora_alpha": 12}
    path = tmp_path / "loras" / "a.safetensors"
    lora = loras.write(path, loras.peft("unet.", unet), lora_adapter_metadata=told)

    model = load_model_lora(loaded.model, lora=lora, folders=own)

    assert_same(weights(Pool(own), model), expected(tiny.pipeline().unet, unet, 3.0))


def two(tiny: Tiny, folder: Path) -> tuple[str, str]:
    made = tiny.pipeline().unet
    return tuple(  # type: ignore[return-value]
        loras.write(
            folder / "loras" / f"{seed}.safetensors",
            loras.kohya("lora_unet", loras.pairs(made, (*ATTENTION, "conv1"), seed), 4.0),
        )
        for seed in (1, 2)
    )


def test_several_add_up_and_are_undone_to_the_bit_without_loading_again(
    loaded: Checkpoint, own: Folders, tiny: Tiny, tmp_path: Path
) -> None:
    first, second = two(tiny, tmp_path)
    pool = Pool(own)
    before, size = weights(pool, loaded.model), pool.usage()[0].bytes
    one = load_model_lora(loaded.model, lora=first, strength=0.5, folders=own)
    both = load_model_lora(one, lora=second, strength=0.25, folders=own)

    changed, alone, after = (weights(pool, each) for each in (both, one, loaded.model))

    made = tiny.pipeline().unet
    sums = expected(made, loras.pairs(made, (*ATTENTION, "conv1"), 1), 0.5)
    assert_same(alone, sums)
    for stem, pair in loras.pairs(made, (*ATTENTION, "conv1"), 2).items():
        sums[f"{stem}.weight"] += loras.formula(pair, 0.25)
    assert_same(changed, sums)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert pool.loads == 1
    assert pool.usage()[0].bytes == size


def test_half_precision_is_undone_to_the_bit_too(
    loaded: Checkpoint, own: Folders, tiny: Tiny, tmp_path: Path
) -> None:
    first, _ = two(tiny, tmp_path)
    pool = Pool(own, dtype="bfloat16")
    before = weights(pool, loaded.model)

    changed = weights(pool, load_model_lora(loaded.model, lora=first, folders=own))
    after = weights(pool, loaded.model)

    assert any(not torch.equal(changed[name], tensor) for name, tensor in before.items())
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_what_another_is_using_is_not_changed_under_it(
    loaded: Checkpoint, own: Folders, tiny: Tiny, tmp_path: Path
) -> None:
    first, _ = two(tiny, tmp_path)
    pool = Pool(own)
    model = load_model_lora(loaded.model, lora=first, folders=own)

    with pool.borrow(loaded.model) as plain, pool.borrow(model) as changed:
        assert plain is not changed
        assert not plain.conv_in.weight.is_inference()
        name = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"
        assert not torch.equal(plain.get_parameter(name), changed.get_parameter(name))


def test_strength_of_zero_and_parts_it_lacks_change_no_weights(
    loaded: Checkpoint, own: Folders, tiny: Tiny, tmp_path: Path
) -> None:
    first, _ = two(tiny, tmp_path)
    pool = Pool(own)

    model, encoder = load_lora(
        loaded.model, loaded.text_encoder, lora=first, strength=0, folders=own
    )

    assert encoder == loaded.text_encoder
    with pool.borrow(model) as changed, pool.borrow(loaded.model) as plain:
        assert changed is plain


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"lora_unet_conv_in.lora_down.weight": (4, 4, 3, 3)}, "only a part of the change of conv_in"),
        ({"unet.conv_in.hada_w1_a": (4, 4)}, "is a LoHa"),
        ({"lora_unet_conv_in.dora_scale": (4, 4)}, "is a DoRA"),
        ({"conv_in.weight": (4, 4)}, "is no LoRA that can be applied: it holds conv_in.weight"),
        (
            {"lora_unet_conv_in.lora_down.weight": (2, 4, 3, 3), "lora_unet_conv_in.lora_up.weight": (32, 3, 1, 1)},
            "is damaged",
        ),
    ],
)  # fmt: skip
def test_what_is_no_lora_says_why(
    tensors: dict[str, tuple[int, ...]],
    message: str,
    loaded: Checkpoint,
    own: Folders,
    tmp_path: Path,
) -> None:
    (tmp_path / "loras").mkdir()
    save_file({n: torch.zeros(shape) for n, shape in tensors.items()}, tmp_path / "loras" / "a.safetensors")  # fmt: skip

    with pytest.raises(InputError, match=message):
        load_model_lora(loaded.model, lora="a.safetensors", folders=own)


def test_lora_of_another_family_names_the_shapes(
    loaded: Checkpoint, own: Folders, tmp_path: Path
) -> None:
    stem = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
    wide = {stem: {"down": torch.zeros(4, 2048), "up": torch.zeros(32, 4)}}
    path = tmp_path / "loras" / "a.safetensors"
    lora = loras.write(path, loras.kohya("lora_unet", wide, 4.0))

    with pytest.raises(InputError, match=r"attn2.to_k is \[32, 2048\], the weight in tiny.saf.* \[32, 64\]") as raised:  # fmt: skip
        load_model_lora(loaded.model, lora=lora, folders=own)

    assert raised.value.code == "family_mismatch"
    loras.write(path, loras.kohya("lora_unet", {"down_blocks.7.x": wide[stem]}, 4.0))
    with pytest.raises(InputError, match="it changes down_blocks_7_x, which tiny"):
        load_model_lora(loaded.model, lora=lora, folders=own)


def _of_texts(tiny: Tiny, path: Path, *prefixes: str) -> str:
    tensors: dict[str, Tensor] = {}
    for seed, prefix in enumerate(prefixes):
        held = loras.pairs(tiny.pipeline().text_encoder, TEXT, seed)
        held = {f"text_model.{stem}": pair for stem, pair in held.items()}
        tensors |= loras.kohya(prefix, held, 2.0)
    return loras.write(path, tensors)


@pytest.mark.parametrize("prefixes", [("lora_te2",), ("lora_te1", "lora_te2")])
def test_lora_of_an_encoder_that_the_family_lacks_is_refused(
    prefixes: tuple[str, ...], loaded: Checkpoint, own: Folders, tiny: Tiny, tmp_path: Path
) -> None:
    lora = _of_texts(tiny, tmp_path / "loras" / "xl.safetensors", *prefixes)

    with pytest.raises(
        InputError,
        match=r"it changes the second text encoder, which tiny.safetensors does not have",
    ) as raised:
        load_lora(loaded.model, loaded.text_encoder, lora=lora, folders=own)

    assert (raised.value.code, raised.value.input) == ("family_mismatch", "lora")


def test_lora_of_a_text_encoder_alone_is_not_put_into_a_model_alone(
    loaded: Checkpoint, own: Folders, tiny: Tiny, tmp_path: Path
) -> None:
    lora = _of_texts(tiny, tmp_path / "loras" / "words.safetensors", "lora_te")

    encoder = load_lora(loaded.model, loaded.text_encoder, lora=lora, folders=own).text_encoder
    assert encoder != loaded.text_encoder
    with pytest.raises(
        InputError,
        match="changes nothing in the UNet, only the text encoder: put it in by LoadLora",
    ):
        load_model_lora(loaded.model, lora=lora, folders=own)


def test_lora_that_was_replaced_after_the_graph_read_it_is_refused(
    loaded: Checkpoint, own: Folders, tiny: Tiny, tmp_path: Path
) -> None:
    first, _ = two(tiny, tmp_path)
    model: Model = load_model_lora(loaded.model, lora=first, folders=own)
    pool = Pool(own)
    before = weights(pool, loaded.model)
    path = tmp_path / "loras" / first
    path.write_bytes((tmp_path / "loras" / "2.safetensors").read_bytes())

    with pytest.raises(InputError, match="was changed after the workflow had read it"):
        weights(pool, model)

    assert all(torch.equal(tensor, before[n]) for n, tensor in weights(pool, loaded.model).items())

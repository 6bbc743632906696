"""Self-attention switched off: each place sees itself alone (Ahn et al. 2024, arXiv:2403.17377)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from engine.errors import InputError

_BLOCKS = {"mid": "mid_block", "down": "down_blocks", "up": "up_blocks"}


class Straight:
    """An attention processor whose attention map is the identity."""

    def __call__(self, attn: Any, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The values alone, projected as ever."""
        made: Tensor = attn.to_out[0](attn.to_v(hidden_states))
        if attn.residual_connection:
            made = made + hidden_states
        scaled: Tensor = made / attn.rescale_output_factor
        return scaled


@contextmanager
def straightened(model: Any, layers: Sequence[str]) -> Iterator[None]:
    """Has the self-attention in some of a UNet's layers switched off.

    Args:
        model: A diffusers UNet2DConditionModel.
        layers: Such as "mid", "down.1", "up.0.attentions.1".

    Raises:
        InputError: There is no self-attention in a layer.
    """
    modules: dict[str, Any] = {}
    for layer in layers:
        block, *rest = layer.split(".")
        path = ".".join([_BLOCKS.get(block, block), *rest])
        found = {
            name: module
            for name, module in model.named_modules()
            if (name == path or name.startswith(f"{path}.")) and name.endswith(".attn1")
        }
        if not found:
            raise InputError(
                f"the model has no self-attention in the layer {layer!r}: name one such as mid, down.1 or"
                " up.1.attentions.0",
                input="model",
            )
        modules |= found
    before = {name: module.processor for name, module in modules.items()}
    try:
        for module in modules.values():
            module.processor = Straight()
        yield
    finally:
        for name, module in modules.items():
            module.processor = before[name]

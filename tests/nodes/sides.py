"""Both sides of a comparison: what a reference's UNet and ours are called with first, and what comes out."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.nodes import parity

if TYPE_CHECKING:
    from torch import Tensor

INPUTS = {"sample": "first UNet input", "encoder_hidden_states": "conditioning"}
"""What every UNet is called with, and how the table is to call it."""
_BESIDE = {
    "text_embeds": "pooled text",
    "time_ids": "sizes",
    "class_labels": "class labels",
    "timestep_cond": "guidance embedding",
}


@dataclass
class Sides:
    """The first call of each UNet, in the order in which they were called first."""

    calls: "dict[int, dict[str, Tensor]]" = field(default_factory=dict)

    def noting(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        """A UNet's `forward` that notes its first call."""

        @functools.wraps(forward)
        def noted(unet: Any, sample: Any, timestep: Any, *args: Any, **given: Any) -> Any:
            if id(unet) not in self.calls:
                # As the pipelines do; what stands between is told by name.
                named = dict(zip(("encoder_hidden_states",), args, strict=False)) | given
                held = named | (named.get("added_cond_kwargs") or {}) | {"sample": sample}
                self.calls[id(unet)] = {
                    name: held[name].detach().clone().float()
                    for name in (*INPUTS, *_BESIDE)
                    if held.get(name) is not None
                }
                self.calls[id(unet)]["timestep"] = _single(timestep)
            return forward(unet, sample, timestep, *args, **given)

        return noted

    def agree(
        self,
        family: str,
        how: str,
        ours: "Tensor",
        reference: "Tensor",
        *,
        made: Any,
        vae: Any,
        order: Sequence[int] | None = None,
    ) -> None:
        """Note all four comparisons: first UNet input, conditioning, final latents, picture.

        Args:
            family: See `parity.Row`.
            how: Likewise.
            ours: The latents that we end with.
            reference: Those that diffusers ends with.
            made: The checkpoint of ours, and the pool that it lies in.
            vae: The reference's autoencoder.
            order: See `inputs`.
        """
        import torch

        from nodes.vae import vae_decode
        from nodes.values import Latents

        self.inputs(family, how, order=order)
        parity.agree(family, how, ours, reference)
        found = vae_decode(made.checkpoint.vae, Latents(ours), pool=made.pool).pixels
        with torch.no_grad():
            expected = vae.decode(reference / vae.config.scaling_factor).sample / 2 + 0.5
        parity.look_alike(family, how, found, expected.clamp(0, 1))

    def inputs(self, family: str, how: str, *, order: Sequence[int] | None = None) -> None:
        """Note how far the first calls lie apart: input, text, and whatever else the UNets are told.

        Args:
            family: See `parity.Row`.
            how: Likewise.
            order: Which of our pictures is the reference's first, second and so on, if they are not in
                its order.
        """
        theirs, ours = self.calls.values()
        assert abs(float(ours.pop("timestep") - theirs.pop("timestep"))) < 1e-3
        if order is not None:
            ours = {name: tensor[list(order)] for name, tensor in ours.items()}
        assert ours.keys() == theirs.keys()
        for name, tensor in theirs.items():
            parity.agree(family, how, ours[name], tensor, what=(INPUTS | _BESIDE)[name])


def _single(timestep: Any) -> "Tensor":
    import torch

    return torch.as_tensor(timestep).detach().clone().float().reshape(-1)[:1]

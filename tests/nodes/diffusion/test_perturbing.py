from typing import Any

import pytest
import torch

from engine.errors import InputError
from nodes.diffusion.perturbing import straightened
from tests.nodes import small
from tests.nodes.small import relative_rms


def called() -> torch.Tensor:
    embeddings = small.noise(1, (1, 77, small.WIDTH))
    with torch.no_grad():
        found: torch.Tensor = small.unet()(
            small.noise(2, (1, 4, 16, 16)), torch.tensor(5), encoder_hidden_states=embeddings
        ).sample
    return found


def test_perturbation_is_that_of_diffusers() -> None:
    from diffusers.models import attention_processor

    processors: Any = attention_processor
    unet: Any = small.unet()
    module = unet.mid_block.attentions[0].transformer_blocks[0].attn1
    hidden = small.noise(3, (2, 9, module.to_q.in_features))
    # diffusers' perturbs the second half of what it is given.
    with torch.no_grad():
        expected = processors.PAGIdentitySelfAttnProcessor2_0()(module, hidden)[1:]
        with straightened(unet, ["mid"]):
            found = module(hidden)[1:]
    torch.testing.assert_close(found, expected)


def test_only_the_named_layers_change_and_only_for_a_while() -> None:
    before = called()
    with straightened(small.unet(), ["mid"]):
        middle = called()
    with straightened(small.unet(), ["down.0.attentions.0", "up.1"]):
        others = called()

    assert relative_rms(middle, before) > 1e-4
    assert relative_rms(others, middle) > 1e-4
    assert torch.equal(called(), before)


def test_unknown_layer_is_an_error() -> None:
    with (
        pytest.raises(InputError, match=r"no self-attention in the layer 'down.1'"),
        straightened(small.unet(), ["down.1"]),
    ):
        pass

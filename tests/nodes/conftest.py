"""A tiny random SD 1.x model in every form that the loaders know, written once for each test session."""

import gzip
import json
import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engine.keys import FileDigests
from nodes.diffusion.headers import ITEM_SIZES
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from tests.nodes import parity
from tests.nodes.sides import Sides

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.controlnets.controlnet import ControlNetModel
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from torch import Tensor, nn
    from transformers import CLIPTextModel, CLIPTokenizer

SHAPES = Path(__file__).parents[1] / "data" / "shapes"
UNET: dict[str, Any] = {
    "block_out_channels": (32, 64),
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "layers_per_block": 1,
    "cross_attention_dim": 64,
    "attention_head_dim": 8,
}
VAE: dict[str, Any] = {
    "block_out_channels": (32, 32, 32, 64),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 1,
    "latent_channels": 4,
    "scaling_factor": 0.18215,
}
TEXT: dict[str, Any] = {
    "vocab_size": 49408,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 1,
    "hidden_act": "quick_gelu",
    "bos_token_id": 49406,
    "eos_token_id": 49407,
    "pad_token_id": 49407,
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Holds each test to the rows of docs/parity.md that it is to measure."""
    parity.taken()
    yield
    parity.finish(item.nodeid)


@dataclass(frozen=True)
class Pipeline:
    """The parts of the equal diffusers StableDiffusionPipeline."""

    unet: "UNet2DConditionModel"
    vae: "AutoencoderKL"
    text_encoder: "CLIPTextModel"
    tokenizer: "CLIPTokenizer"
    controlnet: "ControlNetModel"

    @property
    def modules(self) -> "dict[Any, nn.Module]":
        return {name: getattr(self, name) for name in ("unet", "vae", "text_encoder", "controlnet")}


@dataclass(frozen=True)
class Tiny:
    """The files' names, and the modules that were written into them. `root` is a folder of models."""

    root: Path
    checkpoint: str = "tiny.safetensors"
    controlnet: str = "tiny-control.safetensors"
    vae: str = "tiny-vae.safetensors"
    folder: str = "tiny-diffusers"

    def pipeline(self) -> Pipeline:
        """The modules, the same ones each time: leave their weights as they are."""
        return self._pipeline

    @cached_property
    def _pipeline(self) -> Pipeline:
        import diffusers
        from transformers import CLIPTextConfig, CLIPTextModel

        libraries: Any = diffusers  # it types none of its classes
        up = {"up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D")}
        hint = {"conditioning_embedding_out_channels": (16, 16, 32, 32)}
        return Pipeline(
            unet=randomised(libraries.UNet2DConditionModel(**UNET, **up), 1),
            vae=randomised(libraries.AutoencoderKL(**VAE), 2),
            text_encoder=randomised(CLIPTextModel(CLIPTextConfig(**TEXT)), 3),
            tokenizer=tokenizer(),
            controlnet=randomised(libraries.ControlNetModel(**UNET, **hint), 4),
        )


def randomised(module: Any, seed: int) -> Any:
    """The module in `eval()` with random weights of its own seed, scaled so that activations keep their size."""
    import torch

    generator = torch.Generator("cpu").manual_seed(seed)
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim == 1:
            parameter.data = 0.1 * noise + float("norm" in name and name.endswith("weight"))
        elif "embedding.weight" in name:
            parameter.data = 0.5 * noise
        else:
            parameter.data = noise / math.sqrt(math.prod(parameter.shape[1:]))
    return module.eval().requires_grad_(requires_grad=False)


def save(path: Path, tensors: "dict[str, Tensor]") -> None:
    """Write a safetensors file."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


def hollow(path: Path, shapes: Mapping[str, Sequence[int]], dtype: str = "F16") -> Path:
    """Write a safetensors file whose header is real and whose data are holes: gigabytes at no cost."""
    header, end = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape) * ITEM_SIZES[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    return path


def real_shapes(name: str) -> dict[str, list[int]]:
    """Names and shapes of all tensors in a published checkpoint."""
    found: dict[str, list[int]] = json.loads(
        gzip.decompress((SHAPES / f"{name}.json.gz").read_bytes())
    )
    return found


def tokenizer(pad: str = "<|endoftext|>") -> "CLIPTokenizer":
    """Transformers' own tokenizer over the vocabulary, as OpenAI's code builds it, filling up with a word."""
    from transformers import CLIPTokenizer

    from nodes.diffusion.text import VOCABULARY

    letters = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    letters += [256 + number for number in range(256 - len(letters))]
    alphabet = [chr(letter) for letter in letters]
    lines = gzip.decompress(VOCABULARY.read_bytes()).decode().split("\n")[1 : 49152 - 256 - 2 + 1]
    merges: list[Any] = [tuple(line.split()) for line in lines]
    words = [
        *alphabet,
        *(letter + "</w>" for letter in alphabet),
        *("".join(pair) for pair in merges),
    ]
    words += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, pad_token=pad, model_max_length=77)


def _write_folder(path: Path, made: Pipeline) -> None:
    made.unet.save_pretrained(path / "unet")
    made.vae.save_pretrained(path / "vae")
    made.text_encoder.save_pretrained(path / "text_encoder")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
    }
    (path / "model_index.json").write_text(json.dumps(index))
    (path / "scheduler").mkdir()
    (path / "scheduler" / "scheduler_config.json").write_text(
        json.dumps({"prediction_type": "epsilon"})
    )


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> Sides:
    """What the UNets of a test are called with first: the reference's, and then ours."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    made = Sides()
    monkeypatch.setattr(UNet2DConditionModel, "forward", made.noting(UNet2DConditionModel.forward))
    return made


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    from nodes.diffusion import layout

    made = Tiny(tmp_path_factory.mktemp("models"))
    parts = {name: module.state_dict() for name, module in made.pipeline().modules.items()}
    control = layout.to_checkpoint({"controlnet": parts.pop("controlnet")})
    save(made.root / "checkpoints" / made.checkpoint, layout.to_checkpoint(parts))
    save(made.root / "controlnet" / made.controlnet, control)
    save(made.root / "vae" / made.vae, layout.to_original("vae", parts["vae"]))
    _write_folder(made.root / "checkpoints" / made.folder, made.pipeline())
    return made


@pytest.fixture(scope="session")
def folders(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """The tiny models, and an empty folder of pictures."""
    return Folders((tiny.root,), (tmp_path_factory.mktemp("images"),), FileDigests())


@pytest.fixture(scope="session")
def pool(folders: Folders) -> Pool:
    """The tiny models on the CPU, kept over all tests."""
    return Pool(folders)

"""Nodes that enlarge pictures by a network."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from engine.node import UNKNOWN, Progress, node, silent

from . import facts
from .diffusion import enlarging
from .diffusion.additions import open_addition
from .diffusion.checkpoints import PICKLE_ENDINGS
from .diffusion.pool import Pool, in_process
from .facts import PixelFacts, known
from .folders import Folders, standard
from .vae import Overlap, check_tiles
from .values import Image, Upscaler, Weights
from .widgets import UpscalerName

if TYPE_CHECKING:
    from torch import Tensor

Tile = Annotated[int, Field(ge=64, le=4096, multiple_of=64, description="Pixels a side")]


def upscaler_digest(upscaler: str, folders: Folders) -> str:
    """What the upscaler's bytes are, after a look at whether it can be used."""
    path = folders.find("upscale_models", upscaler)
    if path.suffix.lower() not in PICKLE_ENDINGS:  # which has no header
        enlarging.sizes(open_addition(path))
    return folders.digest("upscale_models", upscaler)


@node("LoadUpscaler", category="loaders", fingerprint=upscaler_digest, early=True)
def load_upscaler(*, upscaler: UpscalerName, folders: Folders = standard) -> Upscaler:
    """Choose a network that enlarges pictures.

    Args:
        upscaler: A .safetensors or .pth file: ESRGAN, or Real-ESRGAN, of any scale.
    """
    digest = folders.digest("upscale_models", upscaler)
    return Upscaler(Weights("upscale_models", upscaler, digest))


def _grown(image: PixelFacts, scale: float) -> PixelFacts:
    """A picture enlarged.

    Raises:
        InputError: It would be too large.
    """
    size = image.sized(round(image.width * scale), round(image.height * scale))
    facts.check_extent(size.width, size.height, "image")
    return size


@known
def _enlarged(upscaler: Upscaler, image: PixelFacts, pool: Pool) -> Any:
    path = pool.folders.find(upscaler.weights.kind, upscaler.weights.name)
    if path.suffix.lower() in PICKLE_ENDINGS:
        return UNKNOWN  # it has no header: its shapes are known once it is read
    return _grown(image, enlarging.sizes(open_addition(path)).scale)


@node("UpscaleImage", category="image", lane="device", check=check_tiles, infer=_enlarged)
def upscale_image(
    upscaler: Upscaler,
    image: Image,
    *,
    tile: Tile = 512,
    overlap: Overlap = 32,
    pool: Pool = in_process,
    progress: Progress = silent,
) -> Image:
    """Enlarge a picture by a network, by as much as the network does.

    Args:
        tile: The picture is enlarged in tiles of this side, which keeps the memory small; in smaller
            ones if it is short all the same.
        overlap: How far tiles fade into each other.
    """
    import torch
    from torch.nn import functional

    from .diffusion import tiling

    check_tiles(tile, overlap)
    pixels = image.pixels
    made = []
    network: Any
    with torch.inference_mode(), pool.borrow(upscaler) as network:
        first = next(network.parameters())
        sizes = network.sizes
        size, unit = _grown(facts.of(image), sizes.scale), sizes.shuffle
        height, width = pixels.shape[-2:]

        def enlarged(part: "Tensor") -> "Tensor":
            made: Tensor = network(part.to(first.device, first.dtype))
            return made.float().cpu()

        for index in range(len(pixels)):
            one = functional.pad(
                pixels[index : index + 1], (0, -width % unit, 0, -height % unit), "replicate"
            )

            def told(done: int, total: int, index: int = index) -> None:
                progress(index * total + done, len(pixels) * total)

            made.append(
                tiling.tiled_to_fit(
                    one, enlarged, tile=tile, overlap=overlap, unit=unit,
                    worker="the upscaler", remedies=(pool.let_go,), progress=told,
                )
            )  # fmt: skip
        result = torch.cat(made)[..., : size.height, : size.width].clamp(0, 1)
    return Image(result.clone())

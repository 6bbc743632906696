"""The model pool: recipes in, weights out; each part loaded once, kept warm within a budget."""

import gc
import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

from engine.errors import InputError
from engine.machine import total_memory
from engine.node import Service
from engine.notices import notice
from nodes.folders import Folders, standard
from nodes.free import total
from nodes.values import (
    VAE,
    ControlNet,
    DepthEstimator,
    ImageEncoder,
    Karlo,
    Model,
    Patch,
    TextEncoder,
    Upscaler,
    Weights,
)

from .additions import Addition, open_addition
from .checkpoints import open_weights
from .layout import PartName
from .parts import Part
from .recipes import Recipe, part_of
from .shortage import relieved

if TYPE_CHECKING:
    import torch
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.controlnets.controlnet import ControlNetModel
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPVisionModelWithProjection

    from .esrgan import Network
    from .lora import Lora
    from .patching import Patched
    from .waiting import Tally


class Usage(NamedTuple):
    """One part that the pool holds."""

    name: str
    part: PartName
    bytes: int
    is_borrowed: bool


@dataclass(eq=False)
class _Held:
    """One part: its module once loaded, and how many are using it. `loading` lets one thread load."""

    name: str
    part: PartName
    module: Any = None
    bytes: int = 0
    flight: int = 0
    """Those of `bytes` that are room for weights to come and go in."""
    borrowers: int = 0
    patches: tuple[Patch, ...] = ()
    """What its borrowers asked for; `patched` says what is applied."""
    patched: "Patched | None" = None
    loading: threading.Lock = field(default_factory=threading.Lock)


class Pool(Service):
    """Models on one device, shared by all threads. Importing or making it loads no library.

    Args:
        folders: Where the recipes' names are looked up.
        device: "cpu", "cuda", "cuda:1" ...
        dtype: "float32", "float16" or "bfloat16"; by default float32 on the CPU and float16 elsewhere.
        budget: Bytes to keep at most. What is borrowed stays even beyond it; of a part that does not
            fit, weights wait elsewhere, see `waiting`. By default half of the memory on the CPU and
            four fifths elsewhere.
        on_load: Called with the name and the bytes of each part that was loaded.
        is_small: Whether weights are kept in float8, which rounds them.
        compiles: Whether UNets are compiled, where a compiler is there.
        previews: What latents are shown by: a TAESD where its file is there, or their channels' colours.
    """

    def __init__(
        self,
        folders: Folders = standard,
        device: str = "cpu",
        dtype: str | None = None,
        *,
        budget: int | None = None,
        on_load: Callable[[str, int], None] | None = None,
        is_small: bool = False,
        compiles: bool = False,
        previews: Literal["auto", "factors"] = "auto",
    ) -> None:
        self.folders = folders
        self.device = device
        self.loads = 0
        """How many parts were loaded so far."""
        self.dtype_name = dtype or ("float32" if device == "cpu" else "float16")
        self.is_small, self.compiles, self.previews = is_small, compiles, previews
        self._budget = budget
        self._tally: Tally | None = None
        self._on_load = on_load
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[PartName, str, int], _Held] = OrderedDict()
        self._wide: set[tuple[PartName, str]] = set()
        """Parts that compute in float32 here, whatever the others do."""

    def dtype(self, recipe: Recipe | None = None) -> "torch.dtype":
        """The dtype that the recipe's module computes in."""
        import torch

        if recipe is not None and self.is_wide(recipe):
            return torch.float32
        found = getattr(torch, self.dtype_name, None)
        if not isinstance(found, torch.dtype):
            raise InputError(
                f"the dtype {self.dtype_name!r} is unknown: give float32, float16 or bfloat16"
            )
        return found

    def widen(self, recipe: Recipe) -> None:
        """Have the recipe's part compute in float32 from the next borrowing on, as it overflows."""
        with self._lock:
            self._wide.add((part_of(recipe), recipe.weights.digest))

    def is_wide(self, recipe: Recipe) -> bool:
        """Whether the recipe's part was widened."""
        return (part_of(recipe), recipe.weights.digest) in self._wide

    @overload
    @contextmanager
    def borrow(self, recipe: Model) -> "Iterator[UNet2DConditionModel]": ...
    @overload
    @contextmanager
    def borrow(self, recipe: TextEncoder) -> "Iterator[CLIPTextModel]": ...
    @overload
    @contextmanager
    def borrow(self, recipe: VAE) -> "Iterator[AutoencoderKL]": ...
    @overload
    @contextmanager
    def borrow(self, recipe: ControlNet) -> "Iterator[ControlNetModel]": ...
    @overload
    @contextmanager
    def borrow(self, recipe: ImageEncoder) -> "Iterator[CLIPVisionModelWithProjection]": ...
    @overload
    @contextmanager
    def borrow(self, recipe: DepthEstimator | Karlo) -> Iterator[Any]: ...
    @overload
    @contextmanager
    def borrow(self, recipe: Upscaler) -> "Iterator[Network]": ...
    @contextmanager
    def borrow(self, recipe: Recipe) -> Iterator[Any]:
        """The recipe's module, loaded if it is not there; it stays at least until the block ends.

        It is shared: leave its weights, hooks and mode as they are.

        Raises:
            InputError: The file is missing, damaged, without this part, or changed since the
                recipe was made.
            MemoryError: The part does not fit, even with everything idle let go.
        """
        held = self._enter(recipe)
        try:
            with held.loading:
                if held.module is None:
                    self._load(held, recipe)
                self._patch(held)
            yield held.module
        finally:
            self._leave(held)

    def release(self) -> int:
        """Let go of everything that nobody is using. Returns how many bytes that were."""
        with self._lock:
            freed = self._evict(keep=0)
        self._empty_cache()
        return freed

    def let_go(self) -> bool:
        """`release`, as a remedy: whether anything was let go."""
        freed = self.release()
        if freed:
            notice(f"memory is short on {self.device}: idle models were let go ({freed >> 20} MiB)")
        return freed > 0

    def _empty_cache(self) -> None:
        gc.collect()
        if self.device.startswith("cuda"):
            import torch

            torch.cuda.empty_cache()

    def usage(self) -> list[Usage]:
        """What the pool holds, the longest unused first."""
        with self._lock:
            return [
                Usage(held.name, held.part, held.bytes, held.borrowers > 0)
                for held in self._held.values()
                if held.module is not None
            ]

    def names(self) -> tuple[str, ...]:
        """The files that something is loaded from, the longest unused first."""
        return tuple(dict.fromkeys(used.name for used in self.usage()))

    @property
    def tally(self) -> "Tally":
        """Counts the bytes of weights that are on the device, now and at most."""
        from .waiting import Tally

        self._tally = self._tally or Tally()
        return self._tally

    def send_away(self, module: Any) -> bool:
        """Have the weights of a borrowed module wait in the machine's memory.

        Returns whether that made room: not on the CPU, nor if someone else is using it.
        """
        from . import waiting

        with self._lock:
            held = next((each for each in self._held.values() if each.module is module), None)
            if held is None or held.borrowers > 1:
                return False
            freed = waiting.send_away(module, self.tally)
            self._count(held, -freed)
        if freed:
            notice(
                f"memory is short on {self.device}: the weights of the {held.part} wait in the machine's"
            )
            self._empty_cache()
        return freed > 0

    def budget(self) -> int:
        """Bytes that the pool keeps at most, as far as nobody is using more."""
        if self._budget is None:
            self._budget = _default_budget(self.device)
        return self._budget

    def _enter(self, recipe: Recipe) -> _Held:
        part, patches = part_of(recipe), _patches(recipe)
        known = recipe.weights.digest + (" in float32" if self.is_wide(recipe) else "")
        with self._lock:
            alike = [key for key in self._held if key[:2] == (part, known)]
            fitting = [key for key in alike if self._held[key].patches == patches]
            idle = [key for key in alike if not self._held[key].borrowers]
            # A module that others are using under other patches stays as it is.
            number = next(n for n in itertools.count() if (part, known, n) not in alike)
            key = next(iter(fitting or idle), (part, known, number))
            held = self._held.setdefault(key, _Held(recipe.weights.name, part))
            held.patches = patches
            held.borrowers += 1
            self._held.move_to_end(key)
            return held

    def _patch(self, held: _Held) -> None:
        """Have the patches applied that the borrowers asked for, and no others."""
        if held.patched is None and not held.patches:
            return
        from .patching import Patched

        patched = held.patched = held.patched or Patched()
        if patched.patches == held.patches:
            return
        before = patched.bytes
        try:
            patched.apply(held.module, held.part, held.patches, self._open_lora)
        finally:
            with self._lock:
                self._count(held, patched.bytes - before)

    def _open_lora(self, patch: Patch) -> "Lora":
        from .lora import open_lora

        self._check_digest(patch.weights)
        return open_lora(self.folders.find(patch.weights.kind, patch.weights.name))

    def _leave(self, held: _Held) -> None:
        with self._lock:
            held.borrowers -= 1
            self._evict(keep=self.budget())

    def _count(self, held: _Held, size: int) -> None:
        held.bytes += size
        self.tally.add(size)

    def _evict(self, keep: int) -> int:
        """Drop idle parts until at most `keep` bytes are held.

        The longest unused one that makes enough room by itself; if none does, the largest first. So a
        model that takes another's place leaves the small parts around them alone.
        """
        for key in [key for key, held in self._held.items() if _is_void(held)]:
            del self._held[key]
        over = sum(held.bytes for held in self._held.values()) - keep
        freed = 0
        while over > freed or not keep:
            idle = {key: held for key, held in self._held.items() if not held.borrowers}
            if not idle:
                break
            enough = (key for key, held in idle.items() if held.bytes >= over - freed)
            key = next(enough, None) or max(idle, key=lambda key: idle[key].bytes)
            gone = self._held.pop(key)
            freed += gone.bytes
            self.tally.add(gone.flight - gone.bytes)
        return freed

    def _load(self, held: _Held, recipe: Recipe) -> None:
        from . import waiting

        part = self._part(recipe)
        dtype = self.dtype(recipe)
        size = part.count * (1 if self.is_small else dtype.itemsize)
        with self._lock:
            self._evict(keep=max(0, self.budget() - size))
            room = self.budget() - sum(other.bytes for other in self._held.values())
        rooms: list[int | None] = [None if size <= room else max(0, room)]

        def wait() -> bool:
            """Have all weights wait that can; that is tried once."""
            rooms.append(0)
            return len(rooms) == 2

        module = relieved(
            lambda: self._materialise(part, dtype, rooms[-1]),
            (self.let_go, wait),
            f"the {part.name} of {held.name} needs {size / 2**20:.0f} MiB on {self.device}, which are not"
            " free even with all idle models let go: close other programs or choose a smaller model",
        )
        with self._lock:
            held.module = module
            held.bytes = held.flight = waiting.in_flight(module, dtype.itemsize)
            self._count(held, waiting.resident(module) if held.flight else size)
            self.loads += 1
        if self._on_load is not None:
            self._on_load(f"{held.name} ({held.part})", held.bytes)

    def _part(self, recipe: Recipe) -> Part | Addition:
        weights = recipe.weights
        path = self.folders.find(weights.kind, weights.name)
        self._check_digest(weights)
        if isinstance(recipe, Upscaler):
            return open_addition(path)
        return open_weights(path).part(part_of(recipe))

    def _check_digest(self, weights: Weights) -> None:
        if self.folders.digest(weights.kind, weights.name) != weights.digest:
            raise InputError(
                f"{weights.name} was changed after the workflow had read it: run the workflow again",
                code="changed_file",
            )

    def _materialise(self, part: Part | Addition, dtype: "torch.dtype", room: int | None) -> Any:
        if isinstance(part, Addition):
            from . import esrgan

            return esrgan.load(part, self.device, dtype)
        from .weights import Terms, load

        module = load(part, self.device, dtype, Terms(room, self.is_small, self.tally))
        if self.compiles and part.name == "unet":
            from .compiling import compile_in_place

            compile_in_place(module, self.device)
        return module


def _is_void(held: _Held) -> bool:
    """Whether nobody waits for a part that was not loaded in the end."""
    return held.module is None and not held.borrowers


def _patches(recipe: Recipe) -> tuple[Patch, ...]:
    """The LoRAs of a recipe; those of no strength change nothing."""
    held = recipe.patches if isinstance(recipe, Model | TextEncoder) else ()
    return tuple(patch for patch in held if patch.strength)


def _default_budget(device: str) -> int:
    size = total(device)
    if device == "cpu" or size is None:
        return total_memory() // 2
    return size * 4 // 5


in_process = Pool()
"""What a script gets that makes no pool: the CPU."""

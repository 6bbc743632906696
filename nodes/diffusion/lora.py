"""LoRA files taken apart: which weight each of their pairs changes, in any of the usual spellings.

A pair `down` (rank, in) and `up` (out, rank) adds scale * up @ down to a weight (arXiv:2106.09685).
"""

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from engine.errors import InputError

from .additions import Addition, open_addition
from .layout import PartName, original_names
from .parts import WORDS

Shapes = Mapping[str, tuple[int, ...]]
_ROLES: tuple[tuple[str, str], ...] = (
    (".lora_down.weight", "down"),
    (".lora_up.weight", "up"),
    (".lora_mid.weight", "mid"),
    (".alpha", "alpha"),
    (".lora_A.weight", "down"),
    (".lora_B.weight", "up"),
    (".lora_A.default.weight", "down"),
    (".lora_B.default.weight", "up"),
    ("_lora.down.weight", "down"),
    ("_lora.up.weight", "up"),
    (".lora.down.weight", "down"),
    (".lora.up.weight", "up"),
    (".lora_linear_layer.down.weight", "down"),
    (".lora_linear_layer.up.weight", "up"),
)
_FOREIGN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\.(dora_scale|lora_magnitude_vector)"), "a DoRA, which scales the weights too"),
    (re.compile(r"\.hada_"), "a LoHa"),
    (re.compile(r"\.lokr_"), "a LoKr"),
    (re.compile(r"\.(oft_blocks|oft_diag|oft_R)"), "an OFT"),
    (re.compile(r"\.(diff|diff_b|set_weight)$"), "a set of whole differences"),
    (re.compile(r"\.(a1|b1|on_input)\."), "an IA3"),
)
_PARTS: tuple[tuple[str, str], ...] = (
    ("lora_unet_", "unet"),
    ("lora_te1_", "text_encoder"),
    ("lora_te2_", "text_encoder_2"),
    ("lora_te_", "text_encoder"),
    ("unet.", "unet"),
    ("text_encoder_2.", "text_encoder_2"),
    ("text_encoder.", "text_encoder"),
    ("diffusion_model.", "unet"),
    ("lycoris_", "unet"),
)
"""What the names of a part's pairs begin with."""
_TEXT = re.compile(r"^(text_model_)?(encoder_layers|embeddings|final_layer_norm)_")
_METADATA = "lora_adapter_metadata"


@dataclass(frozen=True)
class Pair:
    """The tensors, by their names in the file, that change one weight."""

    down: str
    up: str
    mid: str | None = None
    """Between both, for a convolution in Tucker form."""
    alpha: str | None = None
    """Holds rank times scale; without one the scale is `scale`."""
    scale: float = 1.0


@dataclass(frozen=True)
class Lora:
    """A LoRA: for each part of a checkpoint the weights that it changes, dots and underscores alike."""

    file: Addition
    pairs: Mapping[str, Mapping[str, Pair]] = field(repr=False)

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.file.path.name

    def matched(self, part: str, shapes: Shapes, what: str = "the model") -> dict[str, Pair]:
        """The pairs by the names of the weights that they change.

        Args:
            part: "unet", "text_encoder" or "text_encoder_2".
            shapes: The part's weights, by diffusers' names.
            what: The part's owner, for the message.

        Raises:
            InputError: A pair changes a weight that is not there, or is of another shape
                (code "family_mismatch").
        """
        names = _spellings(part, shapes)
        found = {}
        for flat, pair in self.pairs.get(part, {}).items():
            name = names.get(flat)
            if name is None:
                raise self._foreign(f"it changes {flat}, which {what} does not have")
            change = self._shape(pair)
            if not _fits(change, shapes[name]):
                raise self._foreign(
                    f"its change of {name.removesuffix('.weight')} is {list(change)},"
                    f" the weight in {what} {list(shapes[name])}"
                )
            found[name] = pair
        return found

    def check_parts(self, held: Collection[str], what: str) -> None:
        """Refuse a LoRA that changes a part which is not there.

        Args:
            held: The parts that there are.
            what: Their owner, for the message.

        Raises:
            InputError: There is such a part (code "family_mismatch").
        """
        for part in self.pairs:
            if part not in held:
                word = WORDS[cast(PartName, part)]
                raise self._foreign(f"it changes the {word}, which {what} does not have")

    def check_part(self, part: PartName) -> None:
        """Refuse a LoRA that changes nothing in a part.

        Raises:
            InputError: It does not (code "missing_part").
        """
        if part not in self.pairs:
            there = " and the ".join(WORDS[cast(PartName, each)] for each in self.pairs)
            raise InputError(
                f"the LoRA {self.name} changes nothing in the {WORDS[part]}, only the {there}:"
                " put it in by LoadLora",
                code="missing_part",
                input="lora",
            )

    def _shape(self, pair: Pair) -> tuple[int, ...]:
        down, up = self.file.shape(pair.down), self.file.shape(pair.up)
        kernel = down[2:] if pair.mid is None else self.file.shape(pair.mid)[2:]
        if down[0] != up[1]:
            raise InputError(
                f"{self.name} is damaged: {pair.down} is {list(down)} and {pair.up} {list(up)}, which do not"
                " go together: download it again",
                code="damaged_file",
            )
        return (up[0], down[1], *kernel)

    def _foreign(self, fault: str) -> InputError:
        return InputError(
            f"the LoRA {self.name} is made for a model of another family: {fault}."
            " Choose a LoRA that is made for this model",
            code="family_mismatch",
            input="lora",
        )


def open_lora(path: Path) -> Lora:
    """Take a LoRA apart. Only the header is read, except of a pickle.

    Raises:
        InputError: It is damaged, no LoRA, or of a kind that is not applied here.
        OSError: It cannot be read.
    """
    file = open_addition(path)
    parts: dict[str, dict[str, dict[str, str]]] = {}
    for key in file.sources:
        for pattern, kind in _FOREIGN:
            if pattern.search(key):
                raise InputError(
                    f"{path.name} is {kind} ({key}); only LoRA and LoCon are applied: choose such a file",
                    code="unsupported_family",
                    input="lora",
                )
        ending, role = next((each for each in _ROLES if key.endswith(each[0])), ("", ""))
        if not role:
            raise InputError(
                f"{path.name} is no LoRA that can be applied: it holds {key}; choose another file",
                code="unsupported_family",
                input="lora",
            )
        part, flat = _target(key.removesuffix(ending))
        parts.setdefault(part, {}).setdefault(flat, {})[role] = key
    scales = _scales(file)
    pairs = {
        part: {flat: _pair(path, flat, held, scales.get(part, 1.0)) for flat, held in found.items()}
        for part, found in parts.items()
    }
    return Lora(file, pairs)


def _target(stem: str) -> tuple[str, str]:
    """The part, and the weight's name in it, without dots."""
    stem = stem.removeprefix("base_model.model.").replace(".processor.", ".")
    for prefix, part in _PARTS:
        if stem.startswith(prefix):
            return part, stem.removeprefix(prefix).replace(".", "_")
    flat = stem.replace(".", "_")
    return ("text_encoder" if _TEXT.match(flat) else "unet"), flat


def _pair(path: Path, flat: str, held: Mapping[str, str], scale: float) -> Pair:
    if "down" not in held or "up" not in held:
        raise InputError(
            f"{path.name} has only a part of the change of {flat}: download it again",
            code="damaged_file",
            input="lora",
        )
    return Pair(held["down"], held["up"], held.get("mid"), held.get("alpha"), scale)


def _scales(file: Addition) -> dict[str, float]:
    """The scale of each part's pairs, which diffusers and PEFT write beside the tensors."""
    beside = peft_config(file.path)
    if beside is not None:
        scale = _scale_beside(beside)
        return dict.fromkeys(("unet", "text_encoder", "text_encoder_2"), scale)
    try:
        told = json.loads(file.metadata.get(_METADATA, "{}"))
    except ValueError:
        return {}
    found = {}
    for part in ("unet", "text_encoder", "text_encoder_2"):
        alpha, rank = (told.get(f"{part}.{name}") for name in ("lora_alpha", "r"))
        if isinstance(alpha, int | float) and isinstance(rank, int) and rank > 0:
            is_rank_stable = told.get(f"{part}.use_rslora") is True
            found[part] = alpha / (math.sqrt(rank) if is_rank_stable else rank)
    return found


def peft_config(path: Path) -> Path | None:
    """What PEFT writes beside a LoRA that it saves, if it is there."""
    beside = path.with_name("adapter_config.json")
    return beside if path.stem == "adapter_model" and beside.is_file() else None


def _scale_beside(path: Path) -> float:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        alpha, rank = told["lora_alpha"], told["r"]
        root = math.sqrt(rank) if told.get("use_rslora") is True else rank
        scale = float(alpha / root)
    except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError) as error:
        raise InputError(
            f"{path.parent.name}/{path.name} tells no lora_alpha and r: download it again, or take it"
            " away to have the LoRA count as it is",
            code="damaged_file",
            input="lora",
        ) from error
    for name in ("rank_pattern", "alpha_pattern"):
        if told.get(name):
            raise InputError(
                f"{path.parent.name}/{path.name} has a {name}, a scale for each layer, which is not"
                " applied here: save the LoRA with diffusers or in kohya's form",
                code="unsupported_family",
                input="lora",
            )
    return scale


def _spellings(part: str, shapes: Shapes) -> dict[str, str]:
    """For every spelling of a weight, without dots, its name."""
    stems = {name.removesuffix(".weight"): name for name in shapes if name.endswith(".weight")}
    found = {}
    for stem, name in stems.items():
        flat = stem.replace(".", "_")
        found[flat] = name
        if part == "unet":
            found[flat.replace("_to_out_0", "_to_out")] = name
        else:
            short = flat.removeprefix("text_model_")
            found[short] = found[f"text_model_{short}"] = name
            for letter in ("q", "k", "v", "out"):
                if short.endswith(f"self_attn_{letter}_proj"):
                    base = short.removesuffix(f"{letter}_proj") + f"to_{letter}"
                    found[base] = found[f"text_model_{base}"] = name
    if part == "unet":
        for name, original in original_names("unet", list(shapes)).items():
            if name.endswith(".weight"):
                found[original.removesuffix(".weight").replace(".", "_")] = name
    return found


def _fits(change: tuple[int, ...], weight: tuple[int, ...]) -> bool:
    """A linear change fits a convolution of one pixel, and the other way round."""
    return change[:2] == weight[:2] and math.prod(change) == math.prod(weight)

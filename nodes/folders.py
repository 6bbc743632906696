"""Where models and pictures lie: names to files, and never outside the folders that were given."""

import difflib
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

from platformdirs import user_data_path

from engine.errors import InputError
from engine.keys import FileDigests
from engine.node import Service

from .diffusion import taesd
from .diffusion.checkpoints import PICKLE_ENDINGS, inspect, is_folder, kinds, open_weights
from .diffusion.layout import PartName
from .diffusion.listing import listed
from .diffusion.lora import peft_config
from .diffusion.parts import Parts

Kind = Literal[
    "checkpoints", "vae", "controlnet", "clip_vision", "depth", "karlo",
    "loras", "embeddings", "upscale_models", "images",
]  # fmt: skip
ADDITIONS: tuple[Kind, ...] = ("loras", "embeddings", "upscale_models")
"""Kinds that are no models of a family, so `Folders.open` does not open them."""
MODEL_KINDS: tuple[Kind, ...] = (
    "checkpoints", "vae", "controlnet", "clip_vision", "depth", "karlo", *ADDITIONS,
)  # fmt: skip
APPROXIMATE = "vae_approx"
"""The folder that ComfyUI keeps tiny VAEs in; here they are VAEs like others."""
STARTER = Path(__file__).parents[1] / "workflows" / "starter"
"""The folder of the small model that ships with the project."""

_MODEL_ENDINGS = (".safetensors", *PICKLE_ENDINGS)
_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_PARTS: dict[PartName, Kind] = {
    "unet": "checkpoints",
    "prior": "karlo",
    "vae": "vae",
    "controlnet": "controlnet",
    "image_encoder": "clip_vision",
    "depth_estimator": "depth",
}
_WORDS: dict[Kind, str] = {
    "checkpoints": "checkpoint",
    "vae": "VAE",
    "controlnet": "ControlNet",
    "clip_vision": "image encoder",
    "depth": "depth estimator",
    "karlo": "Karlo folder",
    "loras": "LoRA",
    "embeddings": "embedding",
    "upscale_models": "upscaler",
    "images": "picture",
}
_LISTED = 12


@dataclass(frozen=True)
class Folders(Service):
    """The folders that names in workflows refer to; the first one that has the name counts.

    Models lie in `<root>/<kind>/<name>` or `<root>/<name>`, pictures in `<root>/<name>`.
    """

    models: tuple[Path, ...]
    images: tuple[Path, ...]
    digests: FileDigests = field(default_factory=FileDigests)
    stand_ins: dict[tuple[str, str], str] = field(default_factory=dict)
    """Names that files are found by in this process, although they are called otherwise."""
    _opened: dict[Path, tuple[object, Parts]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def with_images(self, *roots: Path) -> "Folders":
        """The same models, but pictures only from these folders and the starter's."""
        return replace(self, images=(*roots, STARTER))

    def find(self, kind: Kind, name: str) -> Path:
        """The file, or diffusers folder, of that name.

        Raises:
            InputError: The name leads out of the folders (code "outside_roots"), or nothing is
                there (code "missing_file"; the hint is the nearest name that is).
        """
        name = self.stand_ins.get((kind, name), name)
        _check_name(kind, name)
        for root, path in self._paths(kind, name):
            if _is_one(kind, path):
                if not path.resolve().is_relative_to(root.resolve()):
                    raise InputError(
                        f"the {_WORDS[kind]} {name!r} is a link that leads out of {root}: put the file itself there",
                        code="outside_roots",
                    )
                return path
        raise self._missing(kind, name)

    def has(self, kind: Kind, name: str) -> bool:
        """Whether `find` would find that name, told without a look at what else there is."""
        return any(_is_one(kind, path) for _, path in self._paths(kind, name))

    def open(self, kind: Kind, name: str) -> Parts:
        """What the weights of that name hold, by their headers; remembered while they are unchanged.

        Raises:
            InputError: See `find` and `checkpoints.open_weights`.
        """
        path = self.find(kind, name)
        known = self._opened.get(path)
        other = taesd.other_half(path)  # may come later than the first
        beside = () if other is None else (other,)
        if known is None or known[0] != _stamp((*known[1].files, *beside)):
            parts = open_weights(path).without_tensors()
            known = self._opened[path] = _stamp((*parts.files, *beside)), parts
        return known[1]

    def names(self, kind: Kind) -> list[str]:
        """Every name that `find` would find, sorted, without what is of another kind."""
        found = set()
        for root, folder in self._places(kind):
            for path in _files(folder, _IMAGE_ENDINGS if kind == "images" else _MODEL_ENDINGS):
                name = path.relative_to(folder).as_posix()
                # The folders of the other kinds lie in the root too; what lies loose tells its kind itself.
                is_loose = folder == root and kind != "images"
                first = name.partition("/")[0]
                if is_loose and (first in (*MODEL_KINDS, APPROXIMATE) or kind_of(path) != kind):
                    continue
                found.add(name)
        return sorted(found)

    def digest(self, kind: Kind, name: str) -> str:
        """The SHA-256 of the content: of a diffusers folder, of the files that are read from it."""
        path = self.find(kind, name)
        if not is_folder(path):
            beside = _beside(kind, path)
            if beside is None:
                return self.digests.of(path)
            both = f"{self.digests.of(path)}\n{self.digests.of(beside)}"
            return hashlib.sha256(both.encode()).hexdigest()
        total = hashlib.sha256()
        for file in self.open(kind, name).files:
            total.update(f"{file.relative_to(path).as_posix()}\0{self.digests.of(file)}\n".encode())
        return total.hexdigest()

    def place(self, kind: str, name: str) -> Path:
        """As `find`, of a kind that may be none.

        Raises:
            InputError: There is no such file, or no such kind.
        """
        return self.find(_kind(kind), name)

    def describe(self, kind: str, name: str) -> tuple[str, int]:
        """The SHA-256 and the bytes of what has that name.

        Raises:
            InputError: There is no such file, or no such kind.
        """
        known = _kind(kind)
        return self.digest(known, name), _size(self.find(known, name))

    def search(self, kind: str, sha256: str, size: int | None) -> str | None:
        """The name of a file with that content; one of another size than `size` is not read."""
        known = _known(kind)
        if known is None:
            return None
        for name in self.names(known):
            try:
                path = self.find(known, name)
                if size in {None, _size(path)} and self.digest(known, name) == sha256:
                    return name
            except (InputError, OSError):  # damaged, or gone meanwhile: it is not the one
                continue
        return None

    def stand_in(self, kind: str, name: str, other: str) -> None:
        """Have the file `other` found by `name` from now on, in this process alone."""
        self.stand_ins[kind, name] = other

    def survey(self) -> list[dict[str, Any]]:
        """Every model there is: name, kind, path, bytes, title, family or fault. Reads headers only."""
        return [self._describe(kind, name) for kind in MODEL_KINDS for name in self.names(kind)]

    def _describe(self, kind: Kind, name: str) -> dict[str, Any]:
        row: dict[str, Any] = {
            "name": name,
            "kind": kind,
            "family": "",
            "title": "",
            "fault": "",
            "bytes": 0,
            "path": "",
        }
        try:
            path = self.find(kind, name)
            row["path"] = str(path)
            row["bytes"] = _size(path)
            if path.suffix.lower() in PICKLE_ENDINGS:
                return row | {"title": "a pickle, read only when it is loaded"}
            row["title"] = inspect(path).title
            row["title"], row["family"] = listed(kind, path)
        except (InputError, OSError) as error:
            row["fault"] = str(error)
        return row

    def _paths(self, kind: Kind, name: str) -> Iterator[tuple[Path, Path]]:
        """(root, path in it) of all that may have that name, in the order of preference."""
        for root, folder in self._places(kind):
            yield root, folder / name
        if kind == "vae" and name in taesd.STEMS:  # as ComfyUI calls the two files
            for root, folder in self._places(kind):
                for ending in _MODEL_ENDINGS:
                    yield root, folder / f"{name}_decoder{ending}"

    def _places(self, kind: Kind) -> Iterator[tuple[Path, Path]]:
        """(root, folder in it) in the order of preference."""
        if kind == "images":
            yield from ((root, root) for root in self.images)
        else:
            for root in self.models:
                yield root, root / kind
                if kind == "vae":
                    yield root, root / APPROXIMATE
                yield root, root

    def _missing(self, kind: Kind, name: str) -> InputError:
        there = self.names(kind)
        # Without endings: all files have those in common, however unlike their names are.
        spelled = {_stem(each): each for each in reversed(there)}
        near = [spelled[each] for each in difflib.get_close_matches(_stem(name), spelled, n=1)]
        nearest = f" Did you mean {near[0]!r}?" if near else ""
        if there:
            more = f" and {len(there) - _LISTED} more" if len(there) > _LISTED else ""
            listed = f"There are: {', '.join(there[:_LISTED])}{more}."
        else:
            listed = "There is none yet."
        roots = self.images if kind == "images" else tuple(root / kind for root in self.models)
        where = str(roots[0]) if roots else "no folder: none is set up"
        return InputError(
            f"no {_WORDS[kind]} {name!r}.{nearest} {listed} Put files into {where}.",
            code="missing_file",
            hint=near[0] if near else None,
        )


def _stem(name: str) -> str:
    """A name without folders and ending, in small letters."""
    return PurePosixPath(name).stem.lower()


def open_folders(data: Path, near: Iterable[Path] = ()) -> Folders:
    """The folders of a data folder, with the starter model's behind them.

    Args:
        data: Holds models and inputs, and remembers the files' digests.
        near: Further folders to look for pictures in, before the starter's.
    """
    return Folders(
        models=(data / "models", STARTER),
        images=(data / "inputs", *near, STARTER),
        digests=FileDigests(data / "digests.json"),
    )


def kind_of(path: Path) -> Kind:
    """The kind of a model file by what it holds; a checkpoint if that cannot be told."""
    if path.suffix.lower() in PICKLE_ENDINGS:
        return "checkpoints"
    try:
        held = kinds(path)
    except (InputError, OSError):
        return "checkpoints"
    return next((kind for part, kind in _PARTS.items() if part in held), "checkpoints")


def _is_one(kind: Kind, path: Path) -> bool:
    return path.is_file() or (kind != "images" and is_folder(path))


def _beside(kind: Kind, path: Path) -> Path | None:
    """A second file that belongs to a file of weights."""
    if kind == "loras":
        return peft_config(path)
    return taesd.other_half(path) if kind == "vae" else None


def _known(kind: str) -> Kind | None:
    return next((each for each in _WORDS if each == kind), None)


def _kind(given: str) -> Kind:
    known = _known(given)
    if known is None:
        raise InputError(f"there are no {given!r} here: the kinds are {', '.join(_WORDS)}")
    return known


def _check_name(kind: Kind, name: str) -> None:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    is_plain = bool(posix.parts) and "\0" not in name and "\\" not in name
    if not is_plain or posix.is_absolute() or windows.drive or ".." in posix.parts:
        raise InputError(
            f"the {_WORDS[kind]} {name!r} is outside the folders: give a name inside them, such as 'folder/file'",
            code="outside_roots",
        )


def _files(folder: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """The files with such an ending, and the diffusers folders, below a folder."""
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        whole = [name for name in folders if is_folder(here / name)]
        folders[:] = [name for name in folders if name not in whole and not name.startswith(".")]
        if ".safetensors" in endings:
            yield from (here / name for name in whole)
        yield from (
            here / name
            for name in files
            if name.lower().endswith(endings) and not name.startswith(".")
        )


def _stamp(files: Iterable[Path]) -> object:
    try:
        found = [file.stat() for file in files]
    except FileNotFoundError:
        return None
    return [(stat.st_size, stat.st_mtime_ns, stat.st_ino) for stat in found]


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in open_weights(path).files)


standard = open_folders(
    Path(os.environ.get("DARKROOM_DATA") or user_data_path("darkroom", appauthor=False))
)
"""What a script gets that names no folders."""

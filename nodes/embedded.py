"""Textual-inversion embeddings as prompts name them: where they are, and whom they fit."""

from pathlib import Path

from engine.errors import InputError

from .diffusion.additions import Addition
from .diffusion.embeddings import ENDINGS, check_towers, count
from .diffusion.families import FAMILIES, recipes
from .folders import Folders
from .values import TextEncoder


def find_embedding(name: str, folders: Folders) -> tuple[str, Path]:
    """The embedding of a name that may lack the file's ending: its whole name, and the file.

    Raises:
        InputError: There is none (code "missing_file"); the hint is the nearest that there is.
    """
    for ending in ENDINGS:
        if not name.endswith(ENDINGS):
            try:
                return name + ending, folders.find("embeddings", name + ending)
            except InputError as error:
                if error.code != "missing_file":
                    raise
    return name, folders.find("embeddings", name)


def check_fit(file: Addition, text_encoder: TextEncoder, folders: Folders) -> None:
    """Raise `InputError` unless the embedding fits each of the family's encoders."""
    family = FAMILIES[text_encoder.family]
    check_towers(file, [tower.part for tower in family.towers], family.title)
    parts = folders.open(text_encoder.weights.kind, text_encoder.weights.name)
    for recipe in recipes(text_encoder):
        sizes = parts.part(recipe.part).sizes
        if sizes is not None:
            count(file, sizes["hidden_size"], recipe.part)

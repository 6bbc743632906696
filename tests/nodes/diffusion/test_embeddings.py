from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from typing_extensions import override

from engine.errors import InputError
from nodes.diffusion.embeddings import count, open_embedding, vectors

VECTORS = torch.randn(3, 768, generator=torch.Generator().manual_seed(0))
Write = Callable[[Path], None]


def pickled(tree: Any) -> Write:
    return lambda path: torch.save(tree, path)


def stored(**tensors: Tensor) -> Write:
    return lambda path: save_file(tensors, path)


def parameters() -> Any:
    held = torch.nn.ParameterDict({"*": torch.nn.Parameter(VECTORS)})
    return {"string_to_param": held, "string_to_token": {"*": torch.tensor(265)}}


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("web.pt", pickled({"string_to_param": {"*": VECTORS}, "string_to_token": {"*": torch.tensor(265)}, "name": "x", "step": 9, "sd_checkpoint": None})),
        ("first.pt", lambda path: torch.save(parameters(), path)),
        ("learned.bin", pickled({"<cat>": VECTORS})),
        ("list.pt", pickled([{"<cat>": VECTORS}])),
        ("learned.safetensors", stored(**{"<cat>": VECTORS})),
        ("kohya.safetensors", stored(emb_params=VECTORS)),
        ("half.safetensors", stored(emb_params=VECTORS.half().float().half())),
        ("xl.safetensors", stored(clip_g=torch.zeros(3, 1280), clip_l=VECTORS)),
    ],
)  # fmt: skip
def test_every_form_gives_the_same_vectors(name: str, write: Write, tmp_path: Path) -> None:
    write(tmp_path / name)
    file = open_embedding(tmp_path / name)

    assert count(file, 768) == 3
    found = vectors(file, 768)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, VECTORS, atol=1e-3, rtol=1e-3)


def test_single_vector_and_two_encoders(tmp_path: Path) -> None:
    save_file({"<a>": VECTORS[0]}, tmp_path / "one.safetensors")
    save_file({"clip_g": torch.ones(2, 1280), "clip_l": VECTORS}, tmp_path / "xl.safetensors")

    assert torch.equal(vectors(open_embedding(tmp_path / "one.safetensors"), 768), VECTORS[:1])
    assert vectors(open_embedding(tmp_path / "xl.safetensors"), 1280).equal(torch.ones(2, 1280))


def test_encoders_of_one_width_tell_their_vectors_apart_by_name(tmp_path: Path) -> None:
    held = {"clip_g": torch.ones(2, 64), "clip_l": torch.zeros(3, 64)}
    save_file(held, tmp_path / "xl.safetensors")
    file = open_embedding(tmp_path / "xl.safetensors")

    assert vectors(file, 64, "text_encoder").equal(held["clip_l"])
    assert vectors(file, 64, "text_encoder_2").equal(held["clip_g"])
    assert (count(file, 64), count(file, 64, "text_encoder_2")) == (3, 2)


def test_other_family_names_both_widths(tmp_path: Path) -> None:
    save_file({"emb_params": VECTORS}, tmp_path / "a.safetensors")

    with pytest.raises(InputError, match=r"a.safetensors has vectors of the width 768 \(SD 1.x\), the text encoder reads 1024 \(SD 2.x\)"):  # fmt: skip
        vectors(open_embedding(tmp_path / "a.safetensors"), 1024)


def test_what_holds_no_vectors_is_refused(tmp_path: Path) -> None:
    save_file({"conv": torch.zeros(4, 4, 3, 3)}, tmp_path / "a.safetensors")

    with pytest.raises(InputError, match=r"is no textual-inversion embedding: it holds conv of \[4, 4, 3, 3\]"):  # fmt: skip
        open_embedding(tmp_path / "a.safetensors")


def test_pickle_that_runs_something_is_refused(tmp_path: Path) -> None:
    class Attack:
        @override
        def __reduce__(self) -> Any:
            return (print, ("run",))

    torch.save({"string_to_param": Attack()}, tmp_path / "a.pt")

    with pytest.raises(InputError, match="asks to run"):
        open_embedding(tmp_path / "a.pt")

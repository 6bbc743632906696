import collections
import os
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typing_extensions import override

from engine.errors import InputError
from nodes.diffusion import layout
from nodes.diffusion.checkpoints import open_weights
from nodes.diffusion.pickles import read_pickle
from nodes.diffusion.weights import load
from tests.nodes.conftest import Tiny


class Attack:
    """Touches a file when a careless reader unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @override
    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("is_zip", [True, False])
def test_attack_is_refused_and_not_run(is_zip: bool, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    path = tmp_path / "attack.ckpt"
    torch.save(
        {"state_dict": {"a": torch.zeros(2)}, "x": Attack(touched)},
        path,
        _use_new_zipfile_serialization=is_zip,
    )

    with pytest.raises(
        InputError, match=r"attack.ckpt is a pickle that asks to run .*system"
    ) as raised:
        read_pickle(path)

    assert raised.value.code == "unsafe_pickle"
    assert "safetensors" in str(raised.value)
    assert not touched.exists()


def test_plain_pickled_attack_is_refused_and_not_run(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    path = tmp_path / "attack.pt"
    path.write_bytes(pickle.dumps(Attack(touched)))

    with pytest.raises(InputError):
        read_pickle(path)

    assert not touched.exists()


def test_the_attack_would_work_on_a_careless_reader(tmp_path: Path) -> None:
    touched = tmp_path / "touched"

    pickle.loads(pickle.dumps(Attack(touched)))  # noqa: S301

    assert touched.exists()


@pytest.fixture
def lightning(monkeypatch: pytest.MonkeyPatch) -> type:
    """The class that checkpoints of the training code mention, as if that code were installed."""
    name = "pytorch_lightning.callbacks.model_checkpoint"
    module = types.ModuleType(name)
    made = type("ModelCheckpoint", (), {"__module__": name})
    module.ModelCheckpoint = made  # type: ignore[attr-defined]
    parents = ("pytorch_lightning", "pytorch_lightning.callbacks")
    for parent in parents:
        monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
    monkeypatch.setitem(sys.modules, name, module)
    return made


def test_leftovers_of_the_training_code_are_put_aside(
    tiny: Tiny, lightning: type, tmp_path: Path
) -> None:
    path = tmp_path / "trained.ckpt"
    wanted = dict(tiny.pipeline().unet.state_dict())
    callback = lightning()
    callback.best = np.float64(0.5)
    torch.save(
        {
            "epoch": 3,
            "global_step": 470_000,
            "callbacks": {lightning: {"best_model_score": np.float64(0.5), "callback": callback}},
            "state_dict": collections.OrderedDict(layout.to_checkpoint({"unet": wanted})),
        },
        path,
    )
    sys.modules.pop("pytorch_lightning.callbacks.model_checkpoint")

    parts = open_weights(path)
    module = load(parts.part("unet"), "cpu", torch.float32)

    assert parts.title == "an SD 1.x checkpoint"
    found = module.state_dict()
    assert found.keys() == wanted.keys()
    assert all(found[name].equal(wanted[name]) for name in wanted)


@pytest.mark.parametrize("is_zip", [True, False])
def test_half_precision_pickles_are_converted(is_zip: bool, tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "half.ckpt"
    whole = layout.to_checkpoint({"vae": dict(tiny.pipeline().vae.state_dict())})
    torch.save(
        {name: tensor.half() for name, tensor in whole.items()},
        path,
        _use_new_zipfile_serialization=is_zip,
    )

    module = load(open_weights(path).part("vae"), "cpu", torch.float32)

    wanted = tiny.pipeline().vae.state_dict()
    assert all(
        tensor.equal(wanted[name].half().float()) for name, tensor in module.state_dict().items()
    )


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"not a pickle", pickle.dumps([1, 2]), pickle.dumps({"a": 1})]
)
def test_what_is_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.ckpt"
    path.write_bytes(content)

    with pytest.raises(InputError, match=r"bad.ckpt"):
        read_pickle(path)


def test_truncated_pickle_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "cut.ckpt"
    torch.save(dict(tiny.pipeline().vae.state_dict()), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(
        InputError, match=r"cut.ckpt is cut off, no checkpoint, or a pickle"
    ) as raised:
        read_pickle(path)
    assert raised.value.code == "damaged_file"


def test_pickle_without_tensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.ckpt"
    torch.save({"state_dict": {"a": 1}}, path)

    with pytest.raises(InputError, match="holds no named tensors"):
        read_pickle(path)


def test_pickles_read_while_sampling_are_for_later_too(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "vae.ckpt"
    torch.save(tiny.pipeline().vae.state_dict(), path)
    with torch.inference_mode():
        module = load(open_weights(path).part("vae"), "cpu", torch.float32)
    assert not any(parameter.is_inference() for parameter in module.parameters())

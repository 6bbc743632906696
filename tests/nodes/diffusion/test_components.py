import json
import shutil
from pathlib import Path

import pytest
import torch

from engine.errors import InputError
from nodes.diffusion.checkpoints import inspect, kinds, open_weights
from tests.nodes.conftest import save
from tests.nodes.tiny import models


def test_a_folder_of_one_part_tells_what_it_is(tmp_path: Path) -> None:
    models.vae("sd1").save_pretrained(tmp_path / "vae")
    models.depth_estimator().save_pretrained(tmp_path / "dpt")

    assert kinds(tmp_path / "vae") == {"vae"}
    assert kinds(tmp_path / "dpt") == {"depth_estimator"}
    assert inspect(tmp_path / "dpt").title == "a depth estimator (DPT)"
    assert open_weights(tmp_path / "vae").scaling_factor == 0.18215


def test_a_folder_of_another_class_names_those_that_are_run(tmp_path: Path) -> None:
    models.vae("sd1").save_pretrained(tmp_path / "vae")
    (tmp_path / "vae" / "config.json").write_text(json.dumps({"_class_name": "VQModel"}))

    assert kinds(tmp_path / "vae") == frozenset()
    with pytest.raises(
        InputError, match=r"vae is a folder of 'VQModel' .*; this version runs Auto"
    ):
        open_weights(tmp_path / "vae")


def test_a_scaling_factor_that_is_no_number_is_refused(tmp_path: Path) -> None:
    models.vae("sd1").save_pretrained(tmp_path / "vae")
    config = tmp_path / "vae" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"scaling_factor": "much"}))

    with pytest.raises(InputError, match="has the scaling_factor 'much', no number"):
        open_weights(tmp_path / "vae")


@pytest.mark.parametrize("kind", ["FluxPipeline", "StableDiffusion3Pipeline"])
def test_pipeline_of_another_family_is_told_by_its_class_and_a_tensor(
    kind: str, tmp_path: Path
) -> None:
    (tmp_path / "other" / "transformer").mkdir(parents=True)
    (tmp_path / "other" / "model_index.json").write_text(json.dumps({"_class_name": kind}))
    held = {"transformer_blocks.0.attn.to_q.weight": torch.zeros(2, 2)}
    save(tmp_path / "other" / "transformer" / "diffusion_pytorch_model.safetensors", held)

    said = f"a folder of a {kind} without a unet"
    assert inspect(tmp_path / "other").title == said
    with pytest.raises(
        InputError,
        match=rf"other is {said} \(it holds 'transformer/transformer_blocks.0.attn.to_q.weight'\)",
    ):
        open_weights(tmp_path / "other")
    shutil.rmtree(tmp_path / "other" / "transformer")
    with pytest.raises(InputError, match=rf"other is {said}; this version runs"):
        open_weights(tmp_path / "other")

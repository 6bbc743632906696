import json
from pathlib import Path

import pytest

from engine.errors import InputError
from nodes.diffusion.checkpoints import inspect, kinds, open_weights
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

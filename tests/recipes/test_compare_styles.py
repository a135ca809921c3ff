"""The comparison of style generators: equal training, a record that can be stopped, tables that say what is there."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from gan_teach import checkpoints, files, training
from gan_teach.__main__ import main
from gan_teach.recipes import compare_styles
from gan_teach.recipes.compare_styles import CHANGES, SETTINGS, VARIANTS, Enlarged, lines, run
from gan_teach.training import Schedule

TINY = {"fmap_base": 64, "fmap_max": 8, "z_dim": 16, "w_dim": 16}
SMALL = {"variants": {name: replace(VARIANTS[name], **TINY) for name in ("A", "F")}, "pairs": 4, "n": 64,
         "settings": replace(SETTINGS, images=8, batch=4, schedule=Schedule(fade={}, stable={32: 0}))}


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    real = compare_styles.Portraits
    monkeypatch.setattr(compare_styles, "Portraits", lambda n, size, seed: real(min(n, 130), size=size, seed=seed))


def test_variants_differ_from_f_in_one_thing_and_train_alike():
    F = VARIANTS["F"]
    assert VARIANTS["F, mapping 0"] == replace(F, mapping_layers=0)
    assert VARIANTS["F, mapping 2"] == replace(F, mapping_layers=2)
    assert VARIANTS["E"] == replace(F, mixing=0.0) and VARIANTS["F, mixing 50 %"] == replace(F, mixing=0.5)
    assert list(CHANGES) == list("ABCDEF")
    resolution, alpha = SETTINGS.schedule.at(SETTINGS.images * 2 // 3)
    assert (resolution, alpha) == (F.resolution, 1.0), "a third of the training is at full size"


def test_the_shipped_record_can_be_gone_on_with():
    path = files.data_folder() / f"{compare_styles.NAME}.json"
    record = checkpoints.unfinished(path, "", {"settings": asdict(SETTINGS), "measures": {}})
    assert set(record["configurations"]) == set(VARIANTS)


def test_every_variant_has_a_row_and_styles_have_more_figures(tmp_path):
    record = run(tmp_path, seeds=2, **SMALL)
    assert record == json.loads((tmp_path / f"{compare_styles.NAME}.json").read_text())
    rows = record["configurations"]
    assert list(rows) == ["A", "F"]
    for row in rows.values():
        assert len(row["frechet_distance"]) == 2 and [m[0] for m in row["mixing"]] == row["frechet_distance"]
    assert rows["A"]["path_length"] == [] and len(rows["A"]["mixing"][0]) == 1
    assert len(rows["F"]["mixing"][0]) == 4 and set(rows["F"]["separability"][0]) == {"z", "w"}
    assert set(rows["F"]["path_length"][1]) == {"z full", "z end", "w full", "w end"}
    assert rows["F"]["frechet_distance"][0] != rows["F"]["frechet_distance"][1], "seeds differ"
    text = "\n".join(lines(record))
    assert " ± " in text.splitlines()[1] and "A a progressive GAN" in text and "B +" not in text and "90 %" in text


def test_a_stopped_comparison_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    whole = run(tmp_path / "whole", seeds=1, **SMALL)
    count, step = [], training.Training.step

    def killed(self):
        count.append(1)
        if len(count) == 4:                              # in the second variant's second step
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(training.Training, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", seeds=1, **SMALL)
    halfway = json.loads((tmp_path / "stopped" / f"{compare_styles.NAME}.json").read_text())
    assert list(halfway["configurations"]) == ["A"]
    monkeypatch.setattr(training.Training, "step", step)
    resumed = run(tmp_path / "stopped", seeds=1, **SMALL)
    for rows in (whole, resumed):
        for row in rows["configurations"].values():
            row.pop("seconds")
    assert resumed == whole
    with pytest.raises(ValueError, match="other settings"):
        run(tmp_path / "stopped", seeds=1, **(SMALL | {"settings": replace(SMALL["settings"], images=12)}))
    monkeypatch.setattr(training.Training, "step", None)             # what is there is not trained again
    run(tmp_path / "stopped", seeds=1, **SMALL)


def test_small_pictures_are_judged_enlarged():
    eyes = checkpoints.load("portraits-classifier")
    picture = torch.zeros(2, 3, 32, 32).uniform_(-1, 1, generator=torch.Generator().manual_seed(0))
    large = torch.nn.functional.interpolate(picture, scale_factor=2, mode="bilinear")
    assert torch.equal(Enlarged(eyes).features(picture), eyes.features(large))
    assert Enlarged(eyes)(picture)["glasses"].equal(eyes(large)["glasses"])


def test_the_command_refuses_what_belongs_to_the_other(tmp_path, capsys):
    assert main(["compare", "styles", "--generations", "5", "--out", str(tmp_path)]) == 1
    assert "takes --images" in capsys.readouterr().err
    assert main(["compare", "plane", "--images", "5", "--out", str(tmp_path)]) == 1
    assert "takes --generations" in capsys.readouterr().err

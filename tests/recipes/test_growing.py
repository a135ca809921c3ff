"""The recipes of the generators that grow: a record says what came out, and how it came."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from gan_teach import checkpoints, metrics
from gan_teach.__main__ import main
from gan_teach.networks.segmenter import SegmenterConfig, UNet
from gan_teach.recipes import growing
from gan_teach.training import Schedule, run


def test_a_growing_recipe_leaves_a_record_with_its_curve(tmp_path, monkeypatch):
    """The whole recipe of a style generator on a few drawings, with the other loss, stopped and gone on with."""
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path))
    monkeypatch.setattr(growing, "run", partial(growing.run, judge_every=32))
    for name, value in {"SCENES": 32, "SAMPLES": 40, "ON_THE_WAY": 20}.items():
        monkeypatch.setattr(growing, name, value)
    monkeypatch.setattr(growing, "STYLE", replace(growing.STYLE, fmap_base=64, fmap_max=8, z_dim=8, w_dim=8))
    full_grown = replace(growing.STYLE_SETTINGS, schedule=Schedule({}, {64: 0}))
    monkeypatch.setattr(growing, "STYLE_SETTINGS", full_grown)
    record = growing.scenes_stylegan(tmp_path / "run", images=64, device="cpu", loss="relativistic")
    assert record["settings"]["loss"] == "relativistic" and record["settings"]["r1_gamma_end"] == 2.5
    assert record["images_shown"] == 64 and record["command"].endswith("scenes-stylegan --loss relativistic")
    assert 0 <= record["precision"] <= 1 and 0 <= record["recall"] <= 1 and record["sharpness"] > 0
    assert record["frechet_distance"] > record["frechet_distance_of_real_pictures"] > 0
    assert record["machine"].startswith("1 × CPU with ")
    assert [row["images"] for row in record["curve"]] == [32, 64] and (tmp_path / "run" / "curve.png").stat().st_size
    assert main(["train", "scenes-egan", "--loss", "relativistic"]) == 1

    monkeypatch.setattr(growing, "ON", growing.ON | {"d_first": 32})
    first = tmp_path / "run" / "scenes-stylegan"
    again = growing.scenes_stylegan(tmp_path / "on", images=32, device="cpu", loss="relativistic", start=first)
    assert again["start"]["sha256"] == record["sha256"] and again["command"].endswith(f" --start {first}")
    begun, ended = (checkpoints.load(path, "cpu") for path in (first, tmp_path / "on" / "scenes-stylegan"))
    times = begun.config.mapping_rate / ended.config.mapping_rate                        # f will learn faster, but
    assert times == pytest.approx(0.1)                                                   # so far only D has learnt
    assert torch.equal(begun.mapping.layers[0].weight * times, ended.mapping.layers[0].weight)
    begun.w_avg.add_(1)
    checkpoints.save(tmp_path / "other", begun)
    with pytest.raises(ValueError, match="resume.pt: this snapshot is of a training that began as other weights"):
        growing.scenes_stylegan(tmp_path / "on", images=64, device="cpu", loss="relativistic",
                                   start=tmp_path / "other")
    with pytest.raises(ValueError, match="not a network of this recipe"):
        growing.portraits_stylegan(tmp_path / "third", images=32, device="cpu", start=first)


def test_portraits_go_on_against_a_larger_discriminator(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path))
    for name, value in {"SCENES": 16, "SAMPLES": 40, "ON_THE_WAY": 20}.items():
        monkeypatch.setattr(growing, name, value)
    monkeypatch.setattr(growing, "PORTRAIT", replace(growing.PORTRAIT, fmap_base=64, fmap_max=8, z_dim=8, w_dim=8))
    monkeypatch.setattr(growing, "PORTRAIT_ON", growing.PORTRAIT_ON | {"d_first": 8})
    sizes = []
    monkeypatch.setattr(growing, "run", lambda training, *args, **options: (
        sizes.append([sum(p.numel() for p in net.parameters()) for net in (training.G, training.D)]),
        run(training, *args, **options)))
    torch.manual_seed(0)
    begun = growing.stylegan.Generator(growing.PORTRAIT).eval()
    begun.to_rgb["64"].weight.data *= 0.01                                              # it has not learnt the range
    first = tmp_path / "first"
    checkpoints.save(first, begun, command="by hand", images_shown=5, seconds=1, machine="one")
    record = growing.portraits_stylegan(tmp_path / "run", images=24, device="cpu", loss="relativistic", start=first)
    assert [training["images_shown"] for training in checkpoints.trainings(record)] == [24, 5]
    assert record["command"].endswith(f"portraits-stylegan --loss relativistic --start {first}")
    ended = checkpoints.load(tmp_path / "run" / "portraits-stylegan", "cpu")
    assert ended.config == replace(begun.config, mapping_rate=growing.MAPPING_RATE_ON)
    larger = growing.stylegan.Discriminator(replace(growing.PORTRAIT, fmap_max=128))
    assert sizes == [[sum(p.numel() for p in net.parameters()) for net in (begun, larger)]]
    ours = growing.stylegan.Discriminator(growing.PORTRAIT)
    assert sizes[0][1] > sum(p.numel() for p in ours.parameters())


def test_villages_go_on_against_a_larger_discriminator(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(growing, "grow", lambda name, pair, *args, **options: made.append(pair()))
    growing.scenes_progan(tmp_path)
    growing.scenes_progan(tmp_path, start="scenes-progan")
    (G, D), (on, larger) = made
    assert G.config == on.config and D.config == G.config
    assert all(w >= v for w, v in zip(larger.config.widths, D.config.widths)) and larger.config != D.config
    assert larger(on(torch.zeros(2, on.z_dim))).shape == D(G(torch.zeros(2, G.z_dim))).shape


def test_the_curve_of_a_training_as_a_figure():
    rows = [{"images": 20_000, "frechet_distance": 0.3, "precision": 0.2, "recall": 0.1},
            {"images": 40_000, "frechet_distance": 0.2, "precision": 0.4, "recall": 0.3}]
    left, right = growing.curve_figure({"curve": rows}).axes
    assert left.lines[0].get_xydata().tolist() == [[20, 0.3], [40, 0.2]]
    assert {line.get_label(): line.get_ydata().tolist() for line in right.lines} == {
        "precision": [0.2, 0.4], "recall": [0.1, 0.3]}
    went_on, _ = growing.curve_figure({"curve": rows, "start": {"images_shown": 400_000,
                                                                "start": {"images_shown": 100_000}}}).axes
    assert went_on.lines[0].get_xdata().tolist() == [520, 540]


def test_a_ruler_looks_at_each_picture_once():
    torch.manual_seed(0)
    eyes, seen = UNet(SegmenterConfig(widths=(4, 4, 4, 4))).eval(), []
    ruler = growing.Ruler(growing.Scenes, eyes, 20, seed=3)
    images = torch.rand(20, 3, 64, 64) * 2 - 1
    wanted = metrics.frechet_distance(ruler.real, images, eyes)
    eyes.down[0].register_forward_hook(lambda module, given, found: seen.append(len(given[0])))
    assert ruler.figures(images)["frechet_distance"] == round(wanted, 3) and sum(seen) == 20

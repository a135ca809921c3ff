"""Weights come back as they were written, and a bad file is refused with its name and what to do."""

import json

import pytest
import torch
from safetensors.torch import save_file

import gan_teach
from gan_teach import checkpoints, files, recipes
from gan_teach.networks.progan import Generator, ProGANConfig


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    G = Generator(ProGANConfig(z_dim=8, widths=(8, 8)))
    checkpoints.save(tmp_path / "small", G, licence="MIT")
    return G, tmp_path / "small.safetensors"


def test_round_trip(saved):
    G, path = saved
    again = gan_teach.load(path, device="cpu")
    z = torch.randn(3, 8)
    assert torch.equal(again(z), G(z)) and again.config == G.config and not again.training
    assert again.record["licence"] == "MIT" and again.record["parameters"] == sum(p.numel() for p in G.parameters())
    assert [p.name for p in path.parent.iterdir() if p.suffix == ".tmp"] == []


@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b[:-4] + b"\0\0\0\1", lambda b: b"hello" + b])
@pytest.mark.parametrize("with_record", [True, False])
def test_cut_altered_and_foreign_files_are_refused(saved, spoil, with_record):
    _, path = saved
    original = path.read_bytes()
    path.write_bytes(spoil(original))
    if not with_record:
        path.with_suffix(".json").unlink()
        if len(path.read_bytes()) == len(original):
            pytest.skip("a changed weight cannot be told without the record")
    with pytest.raises(checkpoints.BadCheckpoint, match="small.safetensors.*again"):
        gan_teach.load(path)


def test_foreign_safetensors_are_refused(tmp_path):
    save_file({"w": torch.ones(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(checkpoints.BadCheckpoint, match="foreign.safetensors was not written by gan_teach"):
        gan_teach.load(tmp_path / "foreign.safetensors")


@pytest.mark.parametrize("config, tensors", [
    ({"widths": [8, 8], "z_dim": 9}, None), ({"colour": "red"}, None), ({"widths": [8, 8], "z_dim": 8}, float("nan"))])
def test_weights_that_do_not_fit_or_are_not_finite_are_refused(saved, config, tensors):
    G, path = saved
    path.with_suffix(".json").unlink()
    state = {k: v if tensors is None else torch.full_like(v, tensors) for k, v in G.state_dict().items()}
    save_file(state, path, {"kind": "progan", "config": json.dumps(config)})
    with pytest.raises(checkpoints.BadCheckpoint, match="small.safetensors"):
        gan_teach.load(path)


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(ValueError, match=f"Did you mean 'scenes-progan'.*{', '.join(checkpoints.shipped())}"):
        gan_teach.load("scene-progan")
    with pytest.raises(FileNotFoundError, match="no file .*nowhere.safetensors"):
        gan_teach.load("nowhere.safetensors")


@pytest.mark.parametrize("name", checkpoints.shipped())
def test_every_shipped_checkpoint_loads_and_has_a_full_record(name):
    model = gan_teach.load(name)
    assert set(model.record) >= {"sha256", "bytes", "parameters", "command", "data", "seconds", "licence"}
    assert model.record["command"] == f"python -m gan_teach train {name}" and name in recipes.RECIPES


def test_shipped_weights_are_small():
    assert sum(p.stat().st_size for p in files.data_folder().glob("*.safetensors")) < 30e6


def test_the_record_and_the_segmenter_keep_their_promises():
    assert checkpoints.record("scenes-segmenter")["mean_iou"] >= 0.90
    assert set(checkpoints.shipped()) >= {"scenes-progan", "scenes-segmenter"}

"""Generators that the authors' E-GAN code saved, and PyTorch's DCGAN: read whole, or refused with what is wrong."""

from pathlib import Path

import nbformat
import numpy as np
import official_arithmetic as slow
import pytest
import torch
from torch import nn

import gan_teach
from gan_teach import official
from gan_teach.__main__ import main
from gan_teach.checkpoints import BadCheckpoint
from gan_teach.networks import dcgan
from gan_teach.networks.layers import sample_z
from gan_teach.official import load
from gan_teach.pictures import show
from gan_teach.widgets.egan.interpolation import InterpolationPanel


def egan_forward(v, z):
    x, i = z[:, :, None, None].astype(np.float64), 0
    rows = sorted({int(name.split(".")[1]) for name in v})
    for i in rows:
        w = v[f"model.{i}.weight"].astype(np.float64)
        if w.ndim == 1:                                      # batch norm with its running statistics
            mean, var = v[f"model.{i}.running_mean"], v[f"model.{i}.running_var"]
            x = (x - mean[:, None, None]) / np.sqrt(var + 1e-5)[:, None, None]
            x = x * w[:, None, None] + v[f"model.{i}.bias"][:, None, None]
            continue
        if i > 0:
            x = np.maximum(x, 0)
        if i == 0:                                           # one pixel: the kernel itself
            x = np.einsum("ni,ioab->noab", x[:, :, 0, 0], w)
        elif w.shape[2] == 4:
            x = slow.transposed_conv(x, w.transpose(2, 3, 0, 1), 1)
        else:                                                # stride 1: a convolution with the mirrored kernel
            x = slow.conv(x, w[:, :, ::-1, ::-1].transpose(2, 3, 0, 1), 1)
        x = x + v.get(f"model.{i}.bias", np.zeros(w.shape[1]))[:, None, None]
    return np.tanh(x)


def save(path, weights):
    torch.save({name: torch.from_numpy(np.array(w)) for name, w in weights.items()}, path)
    return path


def z_of(n, dim):
    return np.random.default_rng(9).normal(size=(n, dim)).astype(np.float32)


def egan_weights(rng, widths, z_dim, norm, last):
    v, c_in, step = {}, z_dim, 3 if norm else 2
    for i, c in enumerate((*widths, 3)):
        final = i == len(widths)
        k = last if final else 4
        v[f"model.{i * step}.weight"] = rng.normal(size=(c_in, c, k, k)) / np.sqrt(c_in * 4)
        if not norm or final:
            v[f"model.{i * step}.bias"] = rng.normal(size=c) / 10
        if norm and not final:
            v |= {f"model.{i * step + 1}.{part}": rng.normal(size=c) / 4
                  for part in ("weight", "bias", "running_mean")}
            v[f"model.{i * step + 1}.running_var"] = rng.uniform(0.5, 2, size=c)
        c_in = c
    return {name: w.astype(np.float32) for name, w in v.items()}


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("widths, last, resolution", [((8, 6, 5, 4), 3, 32), ((8, 6, 5, 4), 4, 64),
                                                      ((8, 6, 5, 4, 4), 3, 64), ((6, 5, 4, 4, 4, 3), 3, 128)])
def test_generator_of_egan(tmp_path, widths, last, resolution, norm):
    v = egan_weights(np.random.default_rng(5), widths, 10, norm, last)
    G, z = official.convert(save(tmp_path / "10_net_G.pth", v)), z_of(2, 10)
    assert isinstance(G, dcgan.Generator) and G.config.resolution == resolution and not G.training
    x = G(torch.from_numpy(z))
    assert x.shape == (2, 3, resolution, resolution)
    r, f = G.at(torch.from_numpy(z), "layer2")
    assert torch.equal(f(r), x)
    assert np.abs(x.numpy() - egan_forward(v, z)).max() < 1e-4


@pytest.mark.parametrize("there", [True, False])
def test_chapter_3s_section_draws_with_the_authors_network(tmp_path, monkeypatch, there):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    if there:
        save(tmp_path / "10_net_G.pth", egan_weights(np.random.default_rng(5), (8, 6, 5, 4), 10, False, 3))
    cells = nbformat.read(Path(__file__).parents[2] / "notebooks" / "03b_evolutionary_gan_further.ipynb", 4).cells
    (source,) = (cell.source for cell in cells if cell.cell_type == "code" and "10_net_G.pth" in cell.source)
    shown = []
    exec(source, {"display": shown.append, "show": show, "sample_z": sample_z,
                  "InterpolationPanel": InterpolationPanel})
    assert [type(thing).__name__ for thing in shown] == (["Table", "InterpolationPanel"] if there else [])
    assert not there or not shown[1].error.value


@pytest.mark.parametrize("last, resolution", [(4, 64), (3, 32)])
@pytest.mark.parametrize("norm", [None, "none", "instance"])
def test_an_identity_or_an_instance_norm_leaves_a_place_without_names(tmp_path, capsys, norm, last, resolution):
    """Their current code, `--g_norm none`: convolutions at 0, 3, 6, 9, …; `instance` leaves the same names."""
    v = egan_weights(np.random.default_rng(5), (8, 6, 5, 4), 10, False, last)
    path, z = save(tmp_path / "10_net_G.pth", renamed(v, lambda i: 3 * i // 2)), z_of(2, 10)
    G = official.convert(path, norm=norm)
    said = capsys.readouterr().out
    assert ("norm='instance'" in said) == (norm is None) and G.config.resolution == resolution
    theirs = nn.Sequential()                                 # a row as their code builds it
    for i in range(5):
        w, b = (torch.from_numpy(v[f"model.{2 * i}.{part}"]) for part in ("weight", "bias"))
        step = 1 if i == 0 or w.shape[2] == 3 else 2
        up = nn.ConvTranspose2d(*w.shape[:2], w.shape[2], step, 0 if i == 0 else 1)
        up.load_state_dict({"weight": w, "bias": b})
        theirs.extend([up, *([nn.InstanceNorm2d(w.shape[1]) if norm == "instance" else nn.Identity(), nn.ReLU()]
                             if i < 4 else [nn.Tanh()])])
    names = {f"model.{name}" for name in theirs.state_dict()}
    assert names == set(renamed(v, lambda i: 3 * i // 2))
    with torch.no_grad():
        wanted = theirs(torch.from_numpy(z)[:, :, None, None])
    assert torch.allclose(G(torch.from_numpy(z)), wanted, atol=1e-6) and wanted.std() > 0.01


def test_norm_is_asked_where_the_file_cannot_tell_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    v = egan_weights(np.random.default_rng(5), (8, 6, 5), 10, False, 4)
    silent = save(tmp_path / "10_net_G.pth", renamed(v, lambda i: 3 * i // 2))
    z = torch.from_numpy(z_of(2, 10))
    given = []
    monkeypatch.setattr("gan_teach.dissection.report.write_report", lambda G, *_, **__: given.append(G) or silent)
    for option in ([], ["--norm", "instance"]):              # the advice can be followed there
        assert main(["dissect", str(silent), *option, "--device", "cpu"]) == 0
    assert [getattr(G.config, "instance", False) for G in given] == [False, True]
    kept = [official.load_official(silent, norm=norm, device="cpu")(z) for norm in ("none", "instance", "none")]
    assert torch.equal(kept[0], kept[2]) and not torch.allclose(kept[0], kept[1], atol=0.01)
    with pytest.raises(ValueError, match="norm is 'none' or 'instance'"):
        official.convert(silent, norm="batch")
    for norm in (False, True):
        w = egan_weights(np.random.default_rng(5), (8, 6, 5), 10, norm, 4)
        with pytest.raises(BadCheckpoint, match="no place for an instance norm" if not norm else "no place"):
            official.convert(save(tmp_path / "2_net_G.pth", w), norm="instance")


def test_the_last_bias_may_be_missing_behind_batch_norms(tmp_path):
    """Their code of before July 2020 built every convolution of such a row without a bias."""
    v = egan_weights(np.random.default_rng(5), (8, 6, 5, 4), 10, True, 3)
    del v["model.12.bias"]
    G, z = official.convert(save(tmp_path / "10_net_G.pth", v)), z_of(2, 10)
    assert np.abs(G(torch.from_numpy(z)).numpy() - egan_forward(v, z)).max() < 1e-4


@pytest.mark.parametrize("name", ["net.PTH", "net.ckpt", "net.bin", "net.pth.tar", "net"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_files_are_known_by_their_first_bytes_and_wrappers_are_taken_off(tmp_path, monkeypatch, name, prefix):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    v = egan_weights(np.random.default_rng(5), (8, 6), 10, False, 4)
    z = torch.from_numpy(z_of(2, 10))
    wanted = official.convert(save(tmp_path / "plain.pth", v))(z)
    path = save(tmp_path / name, {prefix + key: w for key, w in v.items()})
    assert torch.equal(gan_teach.load(path, "cpu")(z), wanted)


def test_a_whole_pickled_network_is_refused_with_how_to_save_its_weights(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pth")
    with pytest.raises(BadCheckpoint, match=r"whole.pth.*torch.nn.*torch.save\(network.state_dict\(\), path\)"):
        gan_teach.load(tmp_path / "whole.pth")


def test_a_cache_that_cannot_be_written_is_told_and_the_network_is_used(tmp_path, monkeypatch, capsys):
    (tmp_path / "cache").write_text("a file, where a folder should be")
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache" / "inside"))
    v = egan_weights(np.random.default_rng(5), (8, 6), 10, False, 4)
    path, z = save(tmp_path / "10_net_G.pth", v), torch.from_numpy(z_of(2, 10))
    G = gan_teach.load(path, "cpu")
    assert "cannot be written" in (said := capsys.readouterr().out) and "was not kept" in said
    assert torch.equal(G(z), official.convert(path)(z)) and G.record["source"] == "10_net_G.pth"


def test_a_cut_copy_that_cannot_be_removed_either_is_no_hindrance(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    path = save(tmp_path / "10_net_G.pth", egan_weights(np.random.default_rng(5), (8, 6), 10, False, 4))
    z = torch.from_numpy(z_of(2, 10))
    wanted, copy = gan_teach.load(path, "cpu")(z), next((tmp_path / "cache").glob("*.safetensors"))
    copy.write_bytes(copy.read_bytes()[:-9])

    def refused(*_, **__):
        raise PermissionError("a file system that is read only")

    monkeypatch.setattr(type(path), "unlink", refused)
    monkeypatch.setattr("gan_teach.checkpoints.save", refused)
    assert torch.equal(gan_teach.load(path, "cpu")(z), wanted)


def renamed(v, new):
    """The rows of the Sequential at other places: new(i) is that of row i."""
    return {f"model.{new(int(row))}.{part}": w for name, w in v.items() for _, row, part in [name.split(".")]}


@pytest.mark.parametrize("norm, change, message", [
    (False, lambda v: v.pop("model.2.bias"), "every second place: it lacks model.2.bias; nothing"),
    (False, lambda v: v.pop("model.8.bias"), "it lacks model.8.bias"),
    (False, lambda v: v.pop("model.4.weight"), "it lacks model.4.weight"),
    (True, lambda v: v.pop("model.4.running_mean"), "it lacks model.4.running_mean"),
    (True, lambda v: v.pop("model.4.bias"), "it lacks model.4.bias"),
    (True, lambda v: v.pop("model.6.weight"), "it lacks model.6.weight"),
    (False, lambda v: v.update({"model.3.weight": np.ones(5)}), "it also holds model.3.weight; nothing"),
    (False, lambda v: v.update({"model.9.bias": np.ones(3)}), "it also holds model.9.bias"),
    (True, lambda v: v.update({"model.1.extra": np.ones(8)}), "it also holds model.1.extra"),
    (True, lambda v: v.update({"model.2.bias": np.ones(8)}), "it also holds model.2.bias"),
    (False, lambda v: v.update({"head.0.bias": np.ones(8)}), "it holds head.0.bias"),
    (False, lambda v: v.update({"main.0.bias": np.ones(8)}), "no generator of the authors' E-GAN code"),
    (False, lambda v: v.update({"model.4.weight": np.ones((6, 5))}), "two or more transposed convolutions"),
    (False, lambda v: v.update({"model.4.weight": np.ones((6, 5, 3, 3))}), "model.4.weight has the shape"),
])
def test_other_rows_are_refused_by_name(tmp_path, norm, change, message):
    v = egan_weights(np.random.default_rng(5), (8, 6, 5, 4), 10, norm, 3)
    change(v)
    with pytest.raises(BadCheckpoint, match=f"10_net_G.pth: .*{message}"):
        official.convert(save(tmp_path / "10_net_G.pth", v))


@pytest.mark.parametrize("new, message", [
    (lambda i: i // 2, "every second place.*it also holds model.1.bias, model.1.weight, model.3.bias"),
    (lambda i: i + (i > 4), "it lacks model.6.bias, .*it also holds .*model.9.weight"),
])
def test_a_row_with_parts_that_are_not_known_is_refused(tmp_path, new, message):
    v = renamed(egan_weights(np.random.default_rng(5), (8, 6, 5, 4), 10, False, 3), new)
    with pytest.raises(BadCheckpoint, match=message):
        official.convert(save(tmp_path / "10_net_G.pth", v))


def test_a_bias_before_a_batch_norm_is_read_if_it_is_there(tmp_path):
    v = egan_weights(np.random.default_rng(5), (8, 6, 5, 4), 10, True, 3) | {"model.3.bias": np.ones(6, np.float32)}
    G, z = official.convert(save(tmp_path / "10_net_G.pth", v)), z_of(2, 10)
    assert np.abs(G(torch.from_numpy(z)).numpy() - egan_forward(v, z)).max() < 1e-4


def test_pytorchs_dcgan_has_no_bias_at_all(tmp_path):
    v = egan_weights(np.random.default_rng(5), (8, 6, 5), 10, True, 4)
    last = v.pop("model.9.bias")
    named = {name.replace("model", "main"): w for name, w in v.items()}
    G, z = official.convert(save(tmp_path / "netG.pth", named)), z_of(2, 10)
    assert np.abs(G(torch.from_numpy(z)).numpy() - egan_forward(v, z)).max() < 1e-4
    named["main.0.bias"] = np.ones(8, np.float32)                     # then the last one should be there too
    with pytest.raises(BadCheckpoint, match="it lacks main.9.bias"):
        official.convert(save(tmp_path / "netG.pth", named))
    assert official.convert(save(tmp_path / "netG.pth", named | {"main.9.bias": last}))


@pytest.mark.parametrize("last", [3, 4])
def test_the_generator_is_converted_once(tmp_path, monkeypatch, capsys, last):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    v, z = egan_weights(np.random.default_rng(5), (8, 6, 5), 10, True, last), torch.from_numpy(z_of(2, 10))
    path = save(tmp_path / "10_net_G.pth", v)
    once = gan_teach.load(path, "cpu")
    assert "10_net_G.pth: converted in" in (said := capsys.readouterr().out) and "MB of weights in memory" in said
    assert once.record["source"] == "10_net_G.pth" and once.record["seconds"] >= 0
    monkeypatch.setattr(load, "convert", None)                    # what would read the authors' file again
    again = gan_teach.load(path, "cpu")
    assert capsys.readouterr().out == "" and again.record == once.record and not again.training
    assert type(again) is type(once) and again.config == once.config and torch.equal(again(z), once(z))

"""Weights in the authors' formats: our networks compute with them what the authors' networks compute."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import official_files as files
import pytest
import torch

import gan_teach
from gan_teach import files as checkpoints
from gan_teach import official, stylegan
from gan_teach.checkpoints import BadCheckpoint
from gan_teach.networks.layers import sample_z
from gan_teach.networks.protocols import device_of
from gan_teach.official import tensorflow_pickles, torch_files
from gan_teach.pictures import show
from gan_teach.stylegan.adain_mixing_truncation import mix


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))


def save(path, weights, legacy, **beside):
    state = {name: torch.from_numpy(np.array(w)) for name, w in weights.items()}
    torch.save({"state_dict": state, **beside} if beside else state, path,
               _use_new_zipfile_serialization=not legacy)
    return path


def near(net, given, theirs, double=False, **options):
    """double: where normalising a nearly empty pixel magnifies the rounding of float32."""
    given = torch.from_numpy(given)
    ours = net.double()(given.double(), **options) if double else net(given, **options)
    assert ours.shape == theirs.shape
    assert np.abs(ours.numpy() - theirs).max() < (1e-5 if double else 1e-4)


def z_of(n, dim):
    return np.random.default_rng(9).normal(size=(n, dim)).astype(np.float32)


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("naming", ["dissection", "old"])
@pytest.mark.parametrize("widths", [(8, 8, 6, 5, 4), (6, 6, 5, 4, 4, 3)])       # 64 and 128 px
def test_progan_of_gan_dissection(tmp_path, widths, naming, legacy):
    weights = files.progan_layers(np.random.default_rng(0), 7, widths)
    named = weights if naming == "dissection" else files.old_names(weights)
    beside = {"epoch": 3, "note": "text"} if legacy else {}
    G = official.convert(save(tmp_path / "church.pth", named, legacy, **beside))
    z = z_of(2, 7)
    assert G.config.widths == widths and G.z_dim == 7
    near(G, z, files.progan_forward(weights, z), double=True)


@pytest.mark.parametrize("widths", [(8, 8, 6, 5, 4), (6, 6, 5, 4, 4, 3)])
def test_progan_of_karras(tmp_path, widths):
    v = files.progan_variables(np.random.default_rng(1), 7, widths)
    three = [files.Network(name, v, version=2) for name in ("G", "D", "Gs")]
    (tmp_path / "celebahq.pkl").write_bytes(files.tensorflow_pickle(three, 2, "tfutil"))
    G, z = official.convert(tmp_path / "celebahq.pkl"), z_of(2, 7)
    near(G, z, files.progan_variables_forward(v, z), double=True)
    G.grow(16)                                                   # TensorFlow's file has every size's output
    near(G, z, files.progan_variables_forward(v, z, 16), double=True)


UNITS = {2: 12, 4: 12, 8: 12, 16: 12, 32: 8, 64: 4, 128: 2}


@pytest.mark.parametrize("protocol, old_numpy", [(2, True), (3, False), (4, False), (5, False)])
def test_stylegan_pickle_in_every_protocol(tmp_path, protocol, old_numpy):
    rng = np.random.default_rng(2)
    v, d = files.stylegan_variables(rng, 64, 6, 5, UNITS), files.critic_variables(rng, 64, UNITS)
    three = (files.with_components(v, "G"), files.Network("D", d), files.with_components(v))
    path = tmp_path / "ffhq.pkl"
    path.write_bytes(files.tensorflow_pickle(three, protocol, old_numpy=old_numpy))
    assert (b"numpy.core" in path.read_bytes()) == old_numpy
    read, options = tensorflow_pickles.read_network(path, "Gs")
    assert options == {"num_channels": 3, "fused_scale": "auto"}
    assert read.keys() == v.keys() and all(np.array_equal(read[name], v[name]) for name in v)
    G = official.convert(path)
    assert isinstance(G, stylegan.Generator) and (G.z_dim, G.config.w_dim) == (6, 5)
    z = z_of(2, 6)
    near(G.mapping, z, files.stylegan_w(v, z))
    near(G, z, files.stylegan_forward(v, z, 0.7, 8), psi=0.7, cutoff=8)


@pytest.mark.parametrize("there", [True, False])
def test_chapter_2bs_section_mixes_styles_of_the_authors_network(tmp_path, there, capsys):
    path = tmp_path / "ffhq.pkl"
    v = files.stylegan_variables(np.random.default_rng(3), 64, 6, 6, UNITS)
    if there:
        path.write_bytes(files.tensorflow_pickle([files.with_components(v)] * 3))
    cells = nbformat.read(Path(__file__).parents[2] / "notebooks" / "02b_stylegan_further.ipynb", 4).cells
    (source,) = (cell.source for cell in cells if cell.id == "official")
    scope = {"load": gan_teach.load, "sample_z": sample_z, "device_of": device_of, "mix": mix, "show": show}
    exec(source.replace('"official/stylegan-ffhq"', repr(str(path))), scope)
    assert (scope["picture"] is not None) == there == ("is on this computer" in capsys.readouterr().out)


@pytest.mark.parametrize("resolution", [64, 128])            # from 128 px on the upsampling layers are stored mirrored
@pytest.mark.parametrize("form", ["tensorflow", "genforce", "genforce legacy"])
def test_stylegan(tmp_path, resolution, form):
    v = files.stylegan_variables(np.random.default_rng(3), resolution, 6, 6, UNITS)
    path = tmp_path / "weights"
    if form == "tensorflow":
        path.write_bytes(files.tensorflow_pickle([files.with_components(v)] * 3))
    else:
        named = {k: torch.from_numpy(np.array(w)) for k, w in files.genforce_names(v).items()}
        other = {k: w + 1 for k, w in named.items()}
        torch.save({"generator": other, "discriminator": other, "generator_smooth": named}, path,
                   _use_new_zipfile_serialization=form == "genforce")
    G, z = official.convert(path), z_of(2, 6)
    near(G, z, files.stylegan_forward(v, z))


@pytest.mark.parametrize("resolution", [64, 128])
def test_stylegan_discriminator(tmp_path, resolution):
    rng = np.random.default_rng(4)
    v, d = files.stylegan_variables(rng, 4, 6, 6, UNITS), files.critic_variables(rng, resolution, UNITS)
    path = tmp_path / "ffhq.pkl"
    G = files.with_components(v)
    path.write_bytes(files.tensorflow_pickle([G, files.Network("D", d), G]))
    D = official.convert(path, "D")
    x = rng.uniform(-1, 1, size=(8, 3, resolution, resolution)).astype(np.float32)
    near(D, x, files.critic_forward(d, x))


def test_torch_files_hold_what_torch_load_reads(tmp_path):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimiser = torch.optim.Adam(net.parameters())
    net(torch.randn(2, 3, 8, 8)).sum().backward()
    optimiser.step()
    weight = net[0].weight.data
    content = {"net": net.state_dict(), "optimiser": optimiser.state_dict(), "steps": 3, "name": "x",
               "parameter": net[0].weight,
               "half": weight.half(), "bf16": weight.bfloat16(), "bool": weight > 0, "empty": torch.empty(0, 3),
               "view": weight[1:, :, 1].permute(1, 0, 2), "tied": weight}
    for legacy in (True, False):
        path = tmp_path / "file.pth"
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
        assert path.read_bytes().startswith(torch_files.STARTS[legacy])
        ours, theirs = torch_files.read_tensors(path), torch.load(path, weights_only=True)
        for name, expected in [(k, v) for k, v in theirs.items() if k not in ("net", "optimiser")]:
            same = torch.equal(ours[name], expected) if isinstance(expected, torch.Tensor) else ours[name] == expected
            assert same, name
            assert type(ours[name]) in (torch.Tensor, int, str)
        assert all(torch.equal(ours["net"][name], t) and ours["net"][name].dtype == t.dtype
                   for name, t in theirs["net"].items())
        assert ours["optimiser"] == {}


def test_a_local_file_is_converted_once(tmp_path, capsys):
    weights = files.progan_layers(np.random.default_rng(0), 7, (6, 5))
    path = save(tmp_path / "church.pth", weights, True)
    G = official.load_official(path, device="cpu")
    assert "church.pth: converted in" in capsys.readouterr().out
    assert G.record["source"] == "church.pth" and G.record["source_sha256"] == checkpoints.sha256(path)
    converted, = (tmp_path / "cache").glob("*.safetensors")
    again = official.load_official(str(path), device="cpu")
    assert capsys.readouterr().out == "" and torch.equal(again(torch.ones(1, 7)), G(torch.ones(1, 7)))
    assert torch.equal(gan_teach.load(converted, device="cpu")(torch.ones(1, 7)), G(torch.ones(1, 7)))
    converted.write_bytes(converted.read_bytes()[:-9])                   # a cut copy is made anew
    assert torch.equal(official.load_official(path, device="cpu")(torch.ones(1, 7)), G(torch.ones(1, 7)))
    assert "converted in" in capsys.readouterr().out
    save(path, {**weights, "layer1.wscale.b": weights["layer1.wscale.b"] + 1}, True)
    changed = official.load_official(path, device="cpu")                 # another file under the same name
    assert not torch.equal(changed(torch.ones(1, 7)), G(torch.ones(1, 7)))


@pytest.mark.parametrize("network", ["G", "D", "Gs"])
def test_every_network_of_a_pickle_is_kept_converted(tmp_path, capsys, network):
    rng = np.random.default_rng(2)
    v, d = files.stylegan_variables(rng, 8, 6, 6, UNITS), files.critic_variables(rng, 8, UNITS)
    path = tmp_path / "ffhq.pkl"
    path.write_bytes(files.tensorflow_pickle([files.with_components(v, "G"), files.Network("D", d),
                                              files.with_components({name: 2 * w for name, w in v.items()})]))
    x = torch.ones(4, 3, 8, 8) if network == "D" else torch.ones(1, 6)
    once = official.load_official(path, network, "cpu")
    assert re.fullmatch(r"ffhq.pkl: converted in \d+\.\d s, \d+ MB of weights in memory\n", capsys.readouterr().out)
    again = official.load_official(path, network, "cpu")
    assert capsys.readouterr().out == "" and type(again) is type(once) and torch.equal(again(x), once(x))
    assert [copy.name.split("-")[1] for copy in (tmp_path / "cache").glob("*.safetensors")] == [network]


def test_a_kept_network_is_loaded_by_its_path_in_a_fresh_process(tmp_path):
    """… where nobody has imported the readers, which know more kinds of network."""
    path = tmp_path / "ffhq.pkl"
    rng = np.random.default_rng(2)
    G = files.with_components(files.stylegan_variables(rng, 8, 6, 6, UNITS))
    path.write_bytes(files.tensorflow_pickle([G, files.Network("D", files.critic_variables(rng, 8, UNITS)), G]))
    official.load_official(path, "D", "cpu")
    kept, = (tmp_path / "cache").glob("*.safetensors")
    code = f"import gan_teach; print(type(gan_teach.load({str(kept)!r}, 'cpu')).__name__)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "Discriminator\n"


def test_wrong_names_list_the_right_ones(tmp_path):
    with pytest.raises(ValueError, match="did you mean 'official/progan-church'.*official/stylegan-ffhq.*, or give "
                       "the path of a file$"):
        official.load_official("official/progan-chruch")
    with pytest.raises(FileNotFoundError, match="no file .*nowhere.pth.*official/progan-church"):
        official.load_official(tmp_path / "nowhere.pth")
    with pytest.raises(ValueError, match="no network 'E'.*G, D, Gs"):
        official.convert("any", "E")


def test_the_global_random_state_is_left_alone(tmp_path):
    v = files.stylegan_variables(np.random.default_rng(3), 16, 6, 6, UNITS)
    (tmp_path / "a.pkl").write_bytes(files.tensorflow_pickle([files.with_components(v)] * 3))
    before = torch.random.get_rng_state()
    official.convert(tmp_path / "a.pkl")
    assert torch.equal(torch.random.get_rng_state(), before)


def alter(weights, change):
    weights = dict(weights)
    change(weights)
    return weights


@pytest.mark.parametrize("change, message", [
    (lambda w: w.pop("layer3.wscale.b"), "lacks layer3.wscale.b"),
    (lambda w: w.pop("output_8x8.conv.weight"), "lacks output_8x8.conv.weight"),
    (lambda w: w.update(extra=np.ones(2, np.float32)), "also holds extra"),
    (lambda w: w.update({"layer2.conv.weight": w["layer2.conv.weight"][:, :3]}), r"layer2.conv.weight has .*\(6, 3"),
    (lambda w: w.update({"layer1.conv.weight": w["layer1.conv.weight"][0]}), "wrong number of dimensions"),
    (lambda w: w.update({"layer1.wscale.b": np.full(6, np.nan, np.float32)}), "NaN or infinite.*layer1.wscale.b"),
    (lambda w: (w.clear(), w.update(conv=np.ones(2, np.float32))), "holds none of .*Progressive GAN.*names are conv"),
])
def test_other_networks_are_refused_by_name(tmp_path, change, message):
    weights = alter(files.progan_layers(np.random.default_rng(0), 7, (6, 5)), change)
    path = save(tmp_path / "church.pth", weights, False)
    with pytest.raises(BadCheckpoint, match=f"church.pth.*{message}"):
        official.convert(path)


@pytest.mark.parametrize("change, message", [
    (lambda v: v.pop("synthesis/8x8/Conv1/Noise/weight"), "lacks synthesis/8x8/Conv1/Noise/weight"),
    (lambda v: v.update(extra=np.ones(2, np.float32)), "also holds extra"),
    (lambda v: v.update({"dlatent_avg": np.ones(9, np.float32)}), "stylegan Generator: mapping/Dense0/weight"),
    (lambda v: v.update({"synthesis/4x4/Conv/weight": np.ones((12, 12), np.float32)}), "Conv/weight has the shape"),
    (lambda v: v.update({"synthesis/8x8/Conv1/bias": np.ones(13, np.float32)}), "no configuration has|has the shape"),
    (lambda v: v.update({"synthesis/noise1": np.full((1, 1, 4, 4), np.inf, np.float32)}), "NaN or infinite"),
    (lambda v: v.pop("dlatent_avg"), "no Progressive GAN"),
])
def test_other_pickled_networks_are_refused_by_name(tmp_path, change, message):
    v = alter(files.stylegan_variables(np.random.default_rng(3), 16, 6, 6, UNITS), change)
    path = tmp_path / "ffhq.pkl"
    path.write_bytes(files.tensorflow_pickle([files.with_components(v)] * 3))
    with pytest.raises(BadCheckpoint, match=f"ffhq.pkl.*({message})"):
        official.convert(path)


@pytest.mark.parametrize("kind, options, message", [
    ("G", {"blur_filter": [1, 3, 3, 1]}, r"its blur_filter is not \[1, 2, 1\].*other pictures.*nothing was loaded"),
    ("G", {"blur_filter": None}, "blur_filter"), ("G", {"fused_scale": True}, "its fused_scale is not 'auto'"),
    ("G", {"use_pixel_norm": True}, "use_pixel_norm"), ("G", {"mapping_lrmul": 1.0}, "its mapping_lrmul is not 0.01"),
    ("D", {"blur_filter": [1, 1]}, r"its blur_filter is not \[1, 2, 1\]"), ("D", {"mbstd_group_size": 8}, "mbstd"),
    ("ProGAN", {"use_pixelnorm": False, "use_leakyrelu": False}, "its use_pixelnorm is not True; its use_leakyrelu")])
def test_networks_made_with_other_options_are_refused(tmp_path, kind, options, message):
    rng = np.random.default_rng(3)
    v, d = files.stylegan_variables(rng, 8, 6, 6, UNITS), files.critic_variables(rng, 8, UNITS)

    def write(options):
        G, D = files.with_components(v, options=options), files.Network("D", d, options=options)
        P = files.Network("Gs", files.progan_variables(np.random.default_rng(1), 7, (4, 3)), options=options)
        (tmp_path / "net.pkl").write_bytes(files.tensorflow_pickle([P] * 3 if kind == "ProGAN" else [G, D, G]))

    write({**options, "structure": "fixed"})
    with pytest.raises(BadCheckpoint, match=f"net.pkl: .*{message}"):
        official.convert(tmp_path / "net.pkl", "D" if kind == "D" else "Gs")
    write({"structure": "fixed", "blur_filter": [1, 2, 1]})          # the first says nothing of the function
    assert official.convert(tmp_path / "net.pkl", "D" if kind == "D" else "Gs")


@pytest.mark.parametrize("kind", ["G", "D", "ProGAN", "genforce", "dissection"])
def test_networks_saved_while_they_grew_are_refused(tmp_path, kind):
    rng, path, half = np.random.default_rng(3), tmp_path / "net", np.float32(0.5)
    v, d = files.stylegan_variables(rng, 8, 6, 6, UNITS), files.critic_variables(rng, 8, UNITS)
    if kind in ("genforce", "dissection"):
        weights = files.genforce_names(v) | {"synthesis.lod": half} if kind == "genforce" else \
            files.progan_layers(rng, 7, (4, 3)) | {"lod": half}
        save(path, weights, False)
    else:
        v = files.progan_variables(rng, 7, (4, 3)) if kind == "ProGAN" else v
        G = files.Network("G", v | {"lod": half}) if kind == "ProGAN" else files.with_components(v | {"lod": half})
        path.write_bytes(files.tensorflow_pickle([G, files.Network("D", d | {"lod": half}), G]))
    with pytest.raises(BadCheckpoint, match=r"growing \((synthesis.)?lod is not 0\).*end of the training"):
        official.convert(path, "D" if kind == "D" else "Gs")


def test_the_lod_that_the_whole_network_sets_anew_does_not_count(tmp_path):
    v = files.stylegan_variables(np.random.default_rng(3), 8, 6, 6, UNITS) | {"synthesis/lod": np.float32(1)}
    (tmp_path / "net.pkl").write_bytes(files.tensorflow_pickle([files.with_components(v)] * 3))
    near(official.convert(tmp_path / "net.pkl"), z_of(2, 6), files.stylegan_forward(v, z_of(2, 6)))


@pytest.mark.parametrize("kernel", [np.ones((3, 3)) / 9, np.outer([1, 2, 1], [1, 2, 1]), np.ones((2, 2)) / 4])
def test_another_blur_in_genforces_file_is_refused(tmp_path, kernel):
    named = files.genforce_names(files.stylegan_variables(np.random.default_rng(3), 8, 6, 6, UNITS))
    blurs = [name for name in named if name.endswith(".blur.kernel")]
    assert blurs == ["synthesis.layer2.blur.kernel"]
    named[blurs[0]] = np.tile(kernel[None, None], (12, 1, 1, 1)).astype(np.float32)
    with pytest.raises(BadCheckpoint, match=r"net.pth: .*another kernel than \[1, 2, 1\]: synthesis.layer2.blur"):
        official.convert(save(tmp_path / "net.pth", named, False))


def test_tensors_that_share_memory_in_a_file_get_their_own(tmp_path):
    weights = files.progan_layers(np.random.default_rng(0), 7, (6, 6))
    weights = {name: torch.from_numpy(w) for name, w in weights.items()}
    torch.save(weights | {"layer3.wscale.b": weights["layer2.wscale.b"]}, tmp_path / "tied.pth")
    G = official.load_official(tmp_path / "tied.pth", device="cpu")
    G.blocks.layer2.conv.bias += 1
    assert torch.equal(G.blocks.layer3.conv.bias + 1, G.blocks.layer2.conv.bias)


def test_a_conversion_that_computes_something_else_is_refused(tmp_path):
    torch.save({"generator": {}, "g_running": {"style.1.linear.bias": torch.ones(2)}}, tmp_path / "ffhq.model")
    with pytest.raises(BadCheckpoint, match="ffhq.model: holds rosinality's StyleGAN, which is another network"):
        official.convert(tmp_path / "ffhq.model")


@pytest.mark.parametrize("content", [
    {"generator_smooth": {}, "generator": torch.ones(2)}, {3: torch.ones(2)}, {"state_dict": torch.ones(2)},
    {"model.0.weight": torch.ones(2, 2, 4, 4), 3: torch.ones(2)}, {"model.0.weight": torch.ones(0, 3)},
    {"model.0.weight": torch.ones(0, 3, 4, 4), "model.2.weight": torch.ones(3, 3, 3, 3)},
    {"layer1.conv.weight": torch.ones(2, 0, 4, 4), "layer2.conv.weight": torch.ones(0, 2, 3, 3)},
    {"truncation.w_avg": torch.ones(0), "synthesis.layer1.bias": torch.ones(0)},
    {"truncation.w_avg": torch.ones(2, 2)}, {}, [torch.ones(2)], torch.ones(2), 3])
@pytest.mark.parametrize("network", ["G", "Gs"])
def test_odd_contents_are_refused_in_plain_words(tmp_path, content, network):
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(BadCheckpoint, match="odd.pth"):
        official.convert(tmp_path / "odd.pth", network)

"""A pickle in the official format, and every array that the official code computes from it, to 1e-4.

Where the values are large, to 4e-6 of the largest.

One pickle is made here, with random weights, and what it computes comes from the slow float64 passes of
`official_files`. Two more, with the arrays that the official code itself computed, lie beside the repository, not in
it (they have 9 MB); where they are missing, their tests are skipped and those of the first are not.
"""

import functools
import tempfile
from pathlib import Path

import numpy as np
import official_files as files
import pytest
import torch
import torch.nn.functional as F

from gan_teach import official
from gan_teach.stylegan.adain_mixing_truncation import mix

FOLDER = Path(__file__).parents[3] / "shared" / "fixtures"
MADE, THEIRS = "made here", ("stylegan1_tiny_tf.pkl", "stylegan1_tiny_tf_p3.pkl")
UNITS = {2: 12, 4: 12, 8: 12, 16: 12, 32: 8, 64: 4, 128: 2}


def make(folder):
    """The path of a new official pickle, and the arrays that it should give."""
    rng = np.random.default_rng(6)
    v, d = files.stylegan_variables(rng, 128, 6, 5, UNITS), files.critic_variables(rng, 128, UNITS)
    a = {"z": rng.normal(size=(4, 6)), "z2": rng.normal(size=(4, 6)), "d_in": rng.uniform(-1, 1, size=(8, 3, 128, 128))}
    a = {name: array.astype(np.float32) for name, array in a.items()}
    G = files.with_components(v)
    (folder / "made.pkl").write_bytes(files.tensorflow_pickle([G, files.Network("D", d), G]))
    for z, w in (("z", "w"), ("z2", "w2")):
        a[w] = files.stylegan_w(v, a[z])[:, None].repeat(12, axis=1)
    a["dlatent_avg"], a["image"] = v["dlatent_avg"], files.stylegan_forward(v, a["z"])
    a["image_mix_4_8"] = files.stylegan_forward(v, a["z"], z2=a["z2"], mixed=range(4, 8))
    a["image_psi07_cut8"] = files.stylegan_forward(v, a["z"], 0.7)
    a["image_psi05_cutNone_all"] = files.stylegan_forward(v, a["z"], 0.5, cutoff=99)
    for lod in ("0.25", "1", "1.5", "2"):
        a[f"image_lod_{lod}"] = files.stylegan_forward(v, a["z"], lod=float(lod))
    for lod in ("0", "0.25", "1"):
        a[f"d_score_lod_{lod}"] = files.critic_forward(d, a["d_in"], float(lod))[:, None]
    a["loss_d_real"] = a["loss_g_like"] = np.logaddexp(0, -a["d_score_lod_0"])
    a["step"] = rng.normal(size=a["d_in"].shape) * 1e-6
    a["slope"] = (files.critic_forward(d, a["d_in"] + a["step"]) - files.critic_forward(d, a["d_in"] - a["step"])) / 2
    return folder / "made.pkl", a


@functools.cache
def case(source):
    """G and D of one of the pickles, and its arrays."""
    with tempfile.TemporaryDirectory() as folder:
        if source == MADE:
            path, arrays = make(Path(folder))
        elif (path := FOLDER / source).exists():
            with np.load(FOLDER / "stylegan1_tiny_tf.npz", allow_pickle=False) as given:
                arrays = dict(given)
        else:
            pytest.skip(f"{path} is not here: a pickle and the official code's own results, too large for this "
                        f"repository (the tests of the pickle {MADE} compare the same arrays)")
        nets = tuple(official.convert(path, which) for which in ("Gs", "D"))
    return nets, {name: torch.from_numpy(np.asarray(array)) for name, array in arrays.items()}


def at_level(net, lod, x):
    """What the official networks do at level of detail `lod`: pictures of 128 px, drawn or judged at a smaller size."""
    net.grow(128 >> int(lod), 1 - lod % 1)
    try:
        if x.ndim == 4:
            return net(F.avg_pool2d(x, 1 << int(lod)))[:, None]
        return net(x).repeat_interleave(1 << int(lod), 2).repeat_interleave(1 << int(lod), 3)
    finally:
        net.grow(128)


def r1(D, x):
    x = x.clone().requires_grad_()
    gradient, = torch.autograd.grad(D(x).sum(), x)
    return gradient.square().sum((1, 2, 3))


OURS = {
    "w": lambda G, D, a: G.ws(a["z"]), "w2": lambda G, D, a: G.ws(a["z2"]), "dlatent_avg": lambda G, D, a: G.w_avg,
    "image": lambda G, D, a: G(a["z"]),
    "image_mix_4_8": lambda G, D, a: G.synthesis(mix(G.ws(a["z"]), G.ws(a["z2"]), range(4, 8))),
    "image_psi07_cut8": lambda G, D, a: G(a["z"], psi=0.7, cutoff=8),
    "image_psi05_cutNone_all": lambda G, D, a: G(a["z"], psi=0.5),
    **{f"image_lod_{lod}": lambda G, D, a, lod=lod: at_level(G, float(lod), a["z"])
       for lod in ("0.25", "1", "1.5", "2")},
    **{f"d_score_lod_{lod}": lambda G, D, a, lod=lod: at_level(D, float(lod), a["d_in"])
       for lod in ("0", "0.25", "1")},
    "r1_per_sample": lambda G, D, a: r1(D, a["d_in"]),
    "loss_d_real": lambda G, D, a: F.softplus(-D(a["d_in"]))[:, None],
    "loss_g_like": lambda G, D, a: F.softplus(-D(a["d_in"]))[:, None],
}


# The gradient's length would need a pass for each pixel; its slope in one direction is compared below.
CASES = [(source, name) for source in (MADE, *THEIRS) for name in OURS if (source, name) != (MADE, "r1_per_sample")]


@pytest.mark.parametrize("source, name", CASES)
def test_array_of_the_official_code(source, name):
    networks, arrays = case(source)
    ours, expected = OURS[name](*networks, arrays).detach(), arrays[name]
    assert ours.shape == expected.shape
    largest = expected.abs().max()             # float32 rounds relatively: random weights draw values of 65 and more
    assert (ours - expected).abs().max() < min(max(1e-4, 4e-6 * largest), 1e-3 * largest)


def test_gradient_of_the_score():
    (_, D), arrays = case(MADE)
    x = arrays["d_in"].clone().requires_grad_()
    gradient, = torch.autograd.grad(D(x).sum(), x)
    ours, expected = (gradient * arrays["step"]).sum(), arrays["slope"].sum()
    assert abs(ours - expected) < 1e-3 * abs(expected)


@pytest.mark.parametrize("source", [MADE, THEIRS[0]])
def test_every_array_is_compared(source):
    given, arrays = {"z", "z2", "d_in", "step", "slope"}, set(case(source)[1])
    assert set(OURS) - arrays == ({"r1_per_sample"} if source == MADE else set()) and arrays - given <= set(OURS)

"""A pickle in the official format, and what the official code computes from it: every array of it, to 1e-4.

The two pickles and the arrays lie beside the repository, not in it; without them these tests are skipped.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gan_teach import official
from gan_teach.stylegan import mix

FOLDER = Path(__file__).parents[2] / "shared" / "fixtures"
PICKLES = ("stylegan1_tiny_tf.pkl", "stylegan1_tiny_tf_p3.pkl")
pytestmark = pytest.mark.skipif(not (FOLDER / PICKLES[0]).exists(),
                                reason=f"no official-format pickle with its results in {FOLDER}")


@pytest.fixture(scope="module", params=PICKLES)
def networks(request):
    return tuple(official.convert(FOLDER / request.param, which) for which in ("Gs", "D"))


@pytest.fixture(scope="module")
def theirs():
    with np.load(FOLDER / "stylegan1_tiny_tf.npz", allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays}


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


@pytest.mark.parametrize("name", OURS)
def test_array_of_the_official_code(networks, theirs, name):
    ours, expected = OURS[name](*networks, theirs).detach(), theirs[name]
    assert ours.shape == expected.shape
    assert (ours - expected).abs().max() < min(1e-4, 1e-3 * expected.abs().max())


def test_every_array_is_compared(theirs):
    assert set(OURS) == set(theirs) - {"z", "z2", "d_in"}

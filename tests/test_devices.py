"""A GPU without float64, as Apple's is: what is computed there is brought to the CPU before it is counted in float64.

There is none here. A mode stands in for it: it knows which tensors would lie there, and refuses as MPS does.
"""

import pytest
import torch
from rigged import Colours, Rigged
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from gan_teach import capstone, metrics
from gan_teach.dissection import alpha, context, insertion, intervention
from gan_teach.dissection.unit_iou import dissect
from gan_teach.networks.layers import sample_z
from gan_teach.networks.segmenter import SegmenterConfig, UNet
from gan_teach.stylegan.generator import Generator, StyleGANConfig

torch.set_num_threads(1)
QUIET = {"progress": False}


class WithoutFloat64(TorchFunctionMode):
    """These tensors lie on such a GPU, and so does what is made of them, until `cpu()`."""

    def __init__(self, *tensors: Tensor):
        super().__init__()
        self.there = WeakTensorKeyDictionary({tensor: True for tensor in tensors})

    def __torch_function__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        if function is Tensor.cpu:
            return found.view_as(found)
        if any(isinstance(given, Tensor) and given in self.there for given in tree_leaves((args, kwargs or {}))):
            for made in tree_leaves(found):
                if isinstance(made, Tensor):
                    if made.dtype == torch.float64:
                        raise TypeError("the MPS framework doesn't support float64")
                    self.there[made] = True
        return found


def test_the_stand_in_refuses_float64_until_the_cpu():
    x = torch.ones(2)
    with WithoutFloat64(x):
        assert (x + 1).cpu().double().sum() == 4 and torch.ones(2).double().sum() == 2
        with pytest.raises(TypeError, match="float64"):
            (x + 1).double()


def test_interventions_count_on_the_cpu():
    G, S = Rigged(), Colours()
    few = {"samples": 20, **QUIET}
    with WithoutFloat64(G.draw, G.waves):
        found = dissect(G, "a", S, shuffles=2, **few)
        assert found.interval()[0].shape == (12, 4)
        assert intervention.causal_effect(G, "a", [0, 1], S, "red", **few) > 0
        assert intervention.effect_curve(G, "a", S, "red", {"best": [0, 1]}, (1, 2), draws=2, **few)["best"][0][1] > 0
        assert intervention.ablation_curve(G, "a", S, "red", [0, 1], (0, 2), **few).removed[1] == 1
        assert set(alpha.rank_by_effect(G, "a", S, "green", **few).units[:2]) <= {2, 3, 6}
        assert alpha.optimise_alpha(G, "a", S, "red", steps=2, **few).score.shape == (12,)
        assert context.context_effects(G, "a", [0, 1], S, "red", samples=2, **QUIET).share[0].shape == (4,)
        assert context.resists_removal(G, "a", S, {"red": [0, 1]}, 2, **few).left[0] == 0
        forced = insertion.inserted(G, "a", [0, 1], S, "red", "nothing", 3.0, samples=20)
        assert forced.share[0] > 0.5 and forced.change[0] > 0
        insertion.paste(forced.images, forced.spots, [(forced.images[0], forced.spots[0])])


def test_styles_are_measured_on_the_cpu():
    torch.manual_seed(0)
    G = Generator(StyleGANConfig(resolution=8, fmap_max=8, z_dim=6, w_dim=6, mapping_layers=2)).eval()
    with WithoutFloat64(*G.parameters(), *G.buffers()), torch.no_grad():
        ws, ws2 = G.ws(sample_z(10, 6, 1)), G.ws(sample_z(10, 6, 2))
        assert capstone.style_effects(G, Colours(), ws, ws2, **QUIET).share.shape == (4, 4)


def test_pictures_are_measured_on_the_cpu():
    torch.manual_seed(0)
    judge = UNet(SegmenterConfig(("a", "b"), (2, 2))).eval()
    real, fake = torch.rand(2, 20, 3, 16, 16)
    with WithoutFloat64(real, fake, *judge.parameters(), *judge.buffers()):
        assert metrics.frechet_distance(real, fake, judge) > 0
        one, other = (metrics.features(images, judge) for images in (real, fake))
        assert 0 < metrics.precision_recall(one, other)[0] <= 1
        assert metrics.channel_means(real, judge).double().shape == (20, 4)

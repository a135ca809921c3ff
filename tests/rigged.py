"""A generator whose answer is planted: known units draw known colours, so dissection and ablation can be marked.

Every colour has one blob a picture (sometimes none). Units 0, 1 draw red together, 2, 3 green, 4, 5 blue;
unit 6 follows red and draws a little of it, but without it nothing green is drawn: it looks like red and its
ablation costs green. Units 7 to 11 are smooth noise that draws nothing. And small networks that have learnt nothing.
"""

import torch
import torch.nn.functional as F

from gan_teach.networks import progan
from gan_teach.networks.classifier import Classifier, ClassifierConfig
from gan_teach.networks.segmenter import SegmenterConfig, UNet
from gan_teach.stylegan import Generator, StyleGANConfig

CLASSES = ("nothing", "red", "green", "blue")
PLANTED = {"red": [0, 1], "green": [2, 3], "blue": [4, 5]}
ENTANGLED, NOISE = 6, [7, 8, 9, 10, 11]


class Drawn:
    """G(z) of a generator that has `at`."""

    def __call__(self, z):
        r, f = self.at(z, self.layers[0])
        return f(r)


class Own(Drawn):
    """A generator with nothing but what is asked for: `spoil` makes what f draws, `turn` what `at` answers."""

    layers, z_dim = ("one",), 4

    def __init__(self, spoil=lambda x: x, turn=lambda r, f: (r, f)):
        self.spoil, self.turn = spoil, turn

    def at(self, z, layer):
        return self.turn(z[:, :, None, None].expand(-1, -1, 8, 8).tanh(),
                         lambda r: self.spoil(r[:, :3].repeat(1, 1, 2, 2)))


class Rigged(Drawn):
    """z N×12 -> pictures N×3×32×32; r is N×12×8×8 at both layers ("b" is "a" doubled)."""

    layers = ("a", "b")
    z_dim = 12
    units = 12

    def __init__(self, size=32):
        self.size = size
        self.draw = torch.zeros(3, self.units)                  # how much of each colour each unit draws
        for colour, units in enumerate(PLANTED.values()):
            self.draw[colour, units] = 1.0
        self.waves = torch.randn(12, 5, 8, 8, generator=torch.Generator().manual_seed(99))

    def h(self, z):
        y, x = torch.meshgrid(torch.linspace(-1, 1, 8), torch.linspace(-1, 1, 8), indexing="ij")
        blobs = []
        for colour in range(3):
            cy, cx, there = z[:, 3 * colour:3 * colour + 3, None, None].unbind(1)     # (N, 1, 1)
            near = (y - 0.6 * cy.tanh()) ** 2 + (x - 0.6 * cx.tanh()) ** 2
            blobs.append((1.5 * (-near / 0.08).exp() - 0.2) * (there > -1))
        red, green, blue = blobs                                                     # (N, 8, 8)
        noise = F.avg_pool2d(torch.einsum("nz,zuhw->nuhw", z, self.waves), 3, 1, 1)
        r = torch.stack([red, 0.8 * red, green, 0.8 * green, blue, 0.8 * blue, red + 1.2], 1)
        return torch.cat([r, noise], 1)                                              # (N, 12, 8, 8)

    def at(self, z, layer):
        gain = {"a": 1.0, "b": 2.0}[layer]

        def f(r):
            r = F.leaky_relu(r / gain, 0.1)
            ink = torch.einsum("cu,nuhw->nchw", self.draw, r)
            red, green, blue = ink.split(1, 1)
            link = r[:, ENTANGLED:ENTANGLED + 1]
            ink = torch.cat([red + 0.3 * (link - 1).relu(), green * link.clamp(0, 1), blue], 1)
            ink = F.interpolate(ink, size=(self.size, self.size), mode="bilinear", align_corners=False)
            return torch.tanh(6 * ink - 3)

        return self.h(z) * gain, f


class Colours:
    """Labels a pixel by the nearest of black, red, green, blue; differentiable scores."""

    classes = CLASSES
    ink = torch.tensor([[-1., -1, -1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])

    def __call__(self, images):
        return -(images[:, None] - self.ink.to(images).view(1, 4, 3, 1, 1)).square().sum(2)      # (N, 4, H, W)


def weights(net) -> torch.Tensor:
    """All of them in one row."""
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def small(**options) -> progan.Generator:
    """Draws 8×8 from latents of 8; layer1 to layer4 of 8 units."""
    torch.manual_seed(0)
    config = progan.ProGANConfig(**{"z_dim": 8, "widths": (8, 8)} | options)
    return progan.Generator(config).eval().requires_grad_(False)


def style() -> Generator:
    """Draws 8×8 from latents of 8, in four layers with styles."""
    torch.manual_seed(0)
    config = StyleGANConfig(resolution=8, z_dim=8, w_dim=8, fmap_base=16, fmap_max=4, mapping_layers=2)
    return Generator(config).eval().requires_grad_(False)


def eyes() -> Classifier:
    torch.manual_seed(0)
    return Classifier(ClassifierConfig((("class", 3),), (4, 4), 4)).eval()


def unet() -> UNet:
    torch.manual_seed(0)
    return UNet(SegmenterConfig(("a", "b", "c"), (4, 4, 4, 4))).eval().requires_grad_(False)

"""What mixing and noise do in a style generator: pictures of several latents, and what is left to chance.

Karras et al. 2018 (arXiv 1812.04948), Table 2 and Figure 4; details as in the authors' code. Our judge is a small
network of our own: figures made here compare our generators with each other, never with published ones. For many
pictures on a CPU, give `prepared.prepared(G)` in place of G. Taught in notebooks/02b_stylegan_further.ipynb.
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..language import say
from ..metrics import frechet_distance
from ..limits import MAX_SEED, whole
from ..networks.layers import check_finite, seeded
from ..networks.protocols import device_of, evaluating
from .generator import Generator, check_styles


def numbers(seed: int) -> torch.Generator:
    """Random numbers of a seed, far from those of small seeds, which networks are made of.

    A mapping made under `torch.manual_seed(0)` begins with the first numbers of seed 0. Latents drawn from the same
    numbers *are* the rows of its first layer, and in a trained generator their paths came out half as long.
    """
    return seeded((whole("seed", seed, 0, MAX_SEED) + 1_000_003) % 2**32)


def mixed(G: Generator, n: int, latents: int, draw: torch.Generator) -> Tensor:
    """ws of n pictures, N×L×W, each with the styles of `latents` latents that change at random crossovers.

    Every picture has its own `latents` − 1 crossovers among layers 1 … L − 1. ValueError for more latents than layers.
    """
    L = len(G.layers)
    latents = whole(f"the number of latents mixed in {L} layers", latents, 1, L)
    z = torch.randn(n * latents, G.z_dim, generator=draw, dtype=torch.float32)
    w = G.mapping(z.to(device_of(G))).view(n, latents, -1)
    crossovers = torch.rand(n, L - 1, generator=draw, dtype=torch.float32).argsort(1)[:, :latents - 1] + 1
    source = (crossovers[:, :, None] <= torch.arange(L)).sum(1)             # (n, L): which latent a layer reads
    return w.gather(1, source.to(w.device)[..., None].expand(-1, -1, w.shape[2]))


@torch.no_grad()
def mixing_distances(G: Generator, real: Tensor, judge, latents: Iterable[int] = (1, 2, 3, 4), seed: int = 0,
                     batch: int = 32, progress: bool = True) -> dict[int, float]:
    """A row of Table 2: the Fréchet distance to real pictures when 1, 2, 3, 4 latents are mixed in each picture.

    real: pictures N×3×R×R in [-1, 1]; as many are generated each time. judge: as for `metrics.frechet_distance`. A
    generator that was trained with mixing regularisation should lose less from left to right.
    """
    check_styles(G)
    if not isinstance(latents, Iterable):
        raise ValueError(f"latents are a list of numbers, such as (1, 2); got {latents!r:.60}")
    distances, counts, batch = {}, list(latents), whole("batch", batch, 1)
    bar = tqdm(total=len(counts) * len(real), desc=say("mixtures"), leave=False, disable=not progress)
    with evaluating(G), bar:
        for count in counts:
            draw, fake = numbers(seed), []
            ws = mixed(G, len(real), count, draw)
            noise = torch.randint(2**31, (len(real),), generator=draw)
            for part in torch.arange(len(real)).split(batch):
                fake.append(G.synthesis(ws[part.to(ws.device)], G.noise(noise[part].tolist())).clamp(-1, 1).to(real))
                bar.update(len(part))
            distances[count] = frechet_distance(real, torch.cat(fake), judge)
    return distances


@torch.no_grad()
def noise_deviation(G: Generator, ws: Tensor, draws: int = 100, layers: Iterable[int] | None = None, seed: int = 0,
                    batch: int = 20, progress: bool = True) -> Tensor:
    """Where the noise decides: the standard deviation of each pixel's grey over `draws` draws of the noise, N×H×W.

    ws: N×L×W or N×W. Grey is the mean of the three colours, 0 black to 1 white; the figure of the paper shows
    four times the deviation. layers: these alone get noise, the others none; None is all of them, () gives 0.
    """
    check_styles(G)
    batch = whole("batch", batch, 1)
    seeds = torch.randint(2**31, (whole("draws", draws, 1),), generator=numbers(seed))
    layers, found = None if layers is None else tuple(layers), []
    with evaluating(G), tqdm(total=len(seeds) * len(ws), desc=say("draws of the noise"), leave=False,
                             disable=not progress) as bar:
        for w in ws:
            greys = []
            for part in seeds.split(batch):
                images = G.synthesis(w.expand(len(part), *w.shape), G.noise(part.tolist(), layers)).clamp(-1, 1)
                greys.append((images.mean(1) + 1) / 2)                      # (draws of the part, H, W)
                bar.update(len(part))
            found.append(torch.cat(greys).std(0, unbiased=False))
    return check_finite("the deviations", torch.stack(found))

"""Points on a plane: exact samples, the paper's ring and grid, drawings."""

import math

import pytest
import torch

from gan_teach.worlds.gaussians import drawn, grid, heart, ring

RING, GRID = ring(), grid()


def samples(mixture, n, seed=0):
    return mixture(n, torch.Generator().manual_seed(seed))


def test_ring_and_grid_are_those_of_the_experiment():
    assert len(RING.centres) == 8 and len(GRID.centres) == 25
    assert all(math.hypot(*c) == pytest.approx(math.sqrt(2)) for c in RING.centres)
    assert RING.sigma == pytest.approx(0.0141, abs=1e-4) and GRID.sigma == pytest.approx(0.0177, abs=1e-4)
    assert max(max(map(abs, c)) for c in GRID.centres) == pytest.approx(math.sqrt(2))
    assert min(math.dist(p, q) for p in GRID.centres for q in GRID.centres if p != q) == pytest.approx(math.sqrt(0.5))


@pytest.mark.parametrize("mixture", [RING, GRID])
def test_samples_are_exact_gaussians_of_equal_weight(mixture):
    x = samples(mixture, 20_000)
    assert torch.equal(x, samples(mixture, 20_000)) and not torch.equal(x, samples(mixture, 20_000, seed=1))
    centres = torch.tensor(mixture.centres)
    which = torch.cdist(x, centres).argmin(1)
    share = which.bincount(minlength=len(centres)) / len(x)
    assert (share * len(centres) - 1).abs().max() < 0.15
    rest = (x - centres[which]) / mixture.sigma
    assert rest.mean(0).abs().max() < 0.03 and (rest.std(0) - 1).abs().max() < 0.03


def test_a_drawing_is_a_mixture_of_its_cells():
    cells = "".join("1" if i in (0, 21) else "0" for i in range(400))         # the first cell, and its neighbour across
    mixture = drawn(cells)
    assert torch.allclose(torch.tensor(mixture.centres), torch.tensor([(-2.09, 2.09), (-1.87, 1.87)]))
    assert mixture.sigma == pytest.approx(0.22 / 3)
    with pytest.raises(ValueError, match="the drawing is empty"):
        drawn("0" * 400)
    x = torch.tensor(drawn(heart()).centres)
    assert 100 < len(x) < 300 and abs(x[:, 0].mean()) < 1e-5 and (x[x[:, 1] < -1.5, 0].abs() < 0.8).all()    # its tip

"""Insertion where a thing belongs: planted units are found, counts recomputed by loops, refusals seen, errors named."""

import pytest
import torch
from rigged import PLANTED, Colours, Rigged
from test_context import Village

from gan_teach.dissection.alpha import optimise_alpha
from gan_teach.dissection.context import context_effects, removed_by_kind
from gan_teach.dissection.insertion import Inserted, inserted, optimise_insertion, paste, spots
from gan_teach.dissection.intervention import ablate, insert
from gan_teach.dissection.pixels import coverage, pictures
from gan_teach.networks.segmenter import segment

G, S = Rigged(), Colours()


def test_a_spot_lies_on_its_context_and_every_such_place_can_be_drawn():
    labels = torch.zeros(40, 8, 8, dtype=torch.long)
    labels[:, 2:6, 4:] = 1
    labels[0] = 0                                               # a picture without the context
    have, P = spots(labels, 1, (4, 4), reach=2, min_share=1.0, seed=3)
    assert have.tolist() == list(range(1, 40)) and P.shape == (39, 1, 4, 4)
    assert all((mask[0] > 0).nonzero().tolist() == [[1, 2], [1, 3], [2, 2], [2, 3]] for mask in P)
    seen = {tuple((mask[0] > 0).nonzero()[0].tolist()) for mask in spots(labels[1:], 0, (4, 4), 1, 1.0)[1]}
    assert seen == {(i, j) for i in range(4) for j in range(4) if not (i in (1, 2) and j in (2, 3))}
    assert spots(labels[:1], 1, (4, 4))[0].tolist() == []


@pytest.mark.parametrize("colour", ["red", "blue"])
def test_the_search_finds_the_units_that_draw(colour):
    order = optimise_insertion(G, "a", S, colour, "nothing", reach=1, steps=30, samples=40, progress=False)
    assert set(order.units[:2]) == set(PLANTED[colour]) and order.by == "α"
    assert 0 <= order.score.min() and order.score.max() <= 1


def test_a_search_that_no_gradient_reaches_is_refused():
    class Steps(Colours):
        def __call__(self, images):
            return super().__call__(images).detach()

    for search in (lambda: optimise_insertion(G, "a", Steps(), "red", "nothing", reach=1, samples=8, progress=False),
                   lambda: optimise_alpha(G, "a", Steps(), "red", samples=8, progress=False)):
        with pytest.raises(ValueError, match="no gradient reaches α: the search needs a differentiable generator"):
            search()


def test_inserted_by_loops():
    k = torch.full((12,), 3.0)
    result = inserted(G, "a", [0, 1], S, "red", "nothing", k, reach=3, samples=20, seed=4)
    r, f = next(pictures(G, "a", 20, 4))
    before, at = segment(S, f(r)), 0
    have, P = spots(before, S.classes.index("nothing"), (8, 8), seed=4)
    for i, mask in zip(have.tolist(), P):
        after = segment(S, f(insert(r, [0, 1], torch.zeros(20, 1, 8, 8).index_copy(0, have, P), 3.0)))[i]
        under = torch.nn.functional.interpolate(mask[None], size=after.shape)[0, 0] > 0
        asked = under & (before[i] != S.classes.index("red"))
        assert (result.spots[at] == under).all() and result.asked[at] == asked.sum()
        assert result.came[at] == (asked & (after == S.classes.index("red"))).sum()
        assert result.outside[at] == (~under & (after != before[i])).sum()
        at += 1
    assert at == len(result.came) and result.share[0] == pytest.approx(float(result.came.sum() / result.asked.sum()))
    assert result.share[0] > 0.5 > inserted(G, "a", [7, 8], S, "red", "nothing", k, samples=20).share[0]


def test_a_door_is_drawn_in_a_wall_and_refused_elsewhere():
    village, colours = Village(), type("Three", (), {"classes": S.classes, "__call__": lambda self, x: S(x)})()
    wall, dark = (inserted(village, "only", [1], colours, "green", context, 1.0, reach=1, samples=30)
                  for context in ("red", "nothing"))
    assert wall.share[0] == 1 and dark.share[0] == 0


def test_the_change_of_a_spot_s_pixels_by_loops():
    result = inserted(G, "a", [0, 1], S, "red", "nothing", 3.0, samples=12)
    moved = [[sum(abs(float(result.after[n, c, i, j].clamp(-1, 1) - result.images[n, c, i, j].clamp(-1, 1)))
                  for c in range(3)) / 6 for i, j in spot.nonzero().tolist()] for n, spot in enumerate(result.spots)]
    everything = [value for spot in moved for value in spot]
    assert result.change[0] == pytest.approx(sum(everything) / len(everything), abs=1e-6) and result.change[0] > 0.05
    still = Inserted(*[result.images] * 2, result.spots, result.asked, result.came, result.outside)
    assert still.change == (0, 0)


def test_a_thing_is_pasted_along_its_mask_into_the_middle_of_the_spot():
    images, spots_ = torch.zeros(2, 3, 16, 16), torch.zeros(2, 16, 16, dtype=torch.bool)
    spots_[0, 2:7, 3:8], spots_[1, 10:15, 9:14] = True, True
    thing, mask = torch.full((3, 16, 16), 0.5), torch.zeros(16, 16, dtype=torch.bool)
    mask[11:14, 1:4], mask[13, 3] = True, False                 # three by three, without a corner
    thing[0, 11, 1] = 1
    pasted, at = paste(images, spots_, [(thing, mask)])
    for n, (top, left) in enumerate(((3, 4), (11, 10))):
        assert at[n].sum() == 8 and at[n, top:top + 3, left:left + 3].sum() == 8 and not at[n, top + 2, left + 2]
        assert pasted[n, 0, top, left] == 1 and (pasted[n, 1][at[n]] == 0.5).all()
    assert (pasted.sum(1)[~at] == 0).all() and not images.any()
    corner = torch.zeros(1, 16, 16, dtype=torch.bool)
    corner[0, 0, 15] = True                                     # one row and one column of the thing are outside
    pasted, at = paste(images[:1], corner, [(thing, mask)])
    assert at.nonzero()[:, 1:].tolist() == [[0, 14], [0, 15], [1, 14], [1, 15]] and pasted[0, 1].sum() == 2


def test_nothing_to_paste_is_named():
    images, spots_ = torch.zeros(1, 3, 8, 8), torch.ones(1, 8, 8, dtype=torch.bool)
    for things in ([], [(images[0], torch.zeros(8, 8, dtype=torch.bool))]):
        with pytest.raises(ValueError, match="nothing to paste: give pictures of the thing, each with a mask that is"):
            paste(images, spots_, things)


class InFloat64(Rigged):
    """Its weights are of float64, and it takes no other latents."""

    def parameters(self):
        yield torch.zeros(1, dtype=torch.float64)

    def at(self, z, layer):
        assert z.dtype == torch.float64
        return super().at(z.float(), layer)


def test_a_generator_gets_latents_of_its_own_kind():
    search = {"samples": 8, "progress": False}
    assert optimise_insertion(InFloat64(), "a", S, "red", "nothing", steps=1, **search).units
    assert context_effects(InFloat64(), "a", [0], S, "red", **search).places.sum() > 0


def test_a_reader_s_own_insert_is_used():
    calls = []

    def mine(r, units, where, level):
        calls.append(where.shape)
        return insert(r, units, where, level)

    ours = inserted(G, "a", [0], S, "red", "nothing", 3.0, samples=10)
    assert inserted(G, "a", [0], S, "red", "nothing", 3.0, samples=10, insert=mine).share == ours.share and calls


def test_what_is_wrong_is_named():
    with pytest.raises(ValueError, match="did you mean 'red'"):
        optimise_insertion(G, "a", S, "rde", "nothing", samples=4)
    for search in (lambda: inserted(G, "a", [0], S, "red", "blue", 1.0, reach=7, samples=4),
                   lambda: optimise_insertion(G, "a", S, "red", "blue", reach=7, samples=4, progress=False)):
        with pytest.raises(ValueError, match="none of 4 pictures shows enough 'blue'"):
            search()


def test_removed_by_kind_by_loops():
    def kind_of(images):
        return ["green" if image[1].mean() > image[2].mean() else "blue" for image in images]

    found = removed_by_kind(G, "a", S, "red", [0], kind_of, samples=60, progress=False)
    assert set(found) == {"green", "blue"} and [v[1] for v in found.values()] == sorted(
        (v[1] for v in found.values()), reverse=True)
    total = {"green": [0, 0, 0], "blue": [0, 0, 0]}
    c = S.classes.index("red")
    for r, f in pictures(G, "a", 60, 3):
        x = f(r)
        s = segment(S, x)
        after = segment(S, f(ablate(r, [0], coverage(s, c, (8, 8)) > 0)))
        for i, kind in enumerate(kind_of(x)):
            if (s[i] == c).any():
                total[kind] = [a + int(b) for a, b in zip(total[kind], (1, (s[i] == c).sum(), (after[i] == c).sum()))]
    for kind, (n, before, left) in total.items():
        assert found[kind][0] == n and found[kind][1] == pytest.approx(1 - left / before) and found[kind][2] > 0

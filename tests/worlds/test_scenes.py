"""The villages: same pixels everywhere, things where they belong, masks and attributes that agree."""

import numpy as np
import pytest
import torch

from gan_teach.worlds import scenes
from gan_teach.worlds.scenes import CLASSES, Scenes, draw_attributes, render

COUNT = 600
LABEL = {name: i for i, name in enumerate(CLASSES)}


@pytest.fixture(scope="module")
def village():
    drawn = [draw_attributes(3, i) for i in range(COUNT)]
    return [(a, *render(a)) for a in drawn]


def has(mask, name):
    return (mask == LABEL[name]).any()


def around(mask, name):
    """The classes that touch, by an edge, a pixel of the named class."""
    inside = mask == LABEL[name]
    ring = np.zeros_like(inside)
    ring[1:] |= inside[:-1]
    ring[:-1] |= inside[1:]
    ring[:, 1:] |= inside[:, :-1]
    ring[:, :-1] |= inside[:, 1:]
    return {CLASSES[i] for i in np.unique(mask[ring & ~inside])}


def test_editing_one_attribute_changes_only_what_it_names():
    a = next(a for a in (draw_attributes(0, i) for i in range(99)) if a["house"] and a["door_colour"] != "red")
    image, mask = render(a)
    repainted, same = render({**a, "door_colour": "red"})
    assert (mask == same).all()
    changed = (image != repainted).any(2)
    door = mask == LABEL["door"]
    assert changed[door].all()
    assert changed.sum() <= door.sum() + 40                     # beyond the door only its soft rim


def test_a_house_flag_means_a_house_in_the_mask(village):
    parts = ("wall", "roof", "door", "window")
    for a, _, mask in village:
        assert [has(mask, part) for part in parts] == [a["house"]] * 4
        assert has(mask, "path") == a["path"]
        assert a["house"] or not (a["tower"] or a["path"] or a["chimney"] or a["lit_windows"])


def test_trees_mountains_clouds_and_lights_are_as_the_attributes_say(village):
    hidden = 0
    for a, _, mask in village:
        assert has(mask, "tree") == has(mask, "trunk") == bool(a["trees"])
        assert has(mask, "cloud") == bool(a["clouds"])
        assert not has(mask, "mountain") or a["mountains"]
        assert not has(mask, "sun" if a["time"] == "night" else "moon")
        hidden += not has(mask, "moon" if a["time"] == "night" else "sun")         # behind a cloud
    assert hidden < 0.05 * COUNT


def test_doors_and_windows_stand_in_walls(village):
    for a, _, mask in village:
        if a["house"]:
            assert around(mask, "door") <= {"wall", "grass", "path", "tree", "trunk"}
            assert "wall" in around(mask, "door")
            assert around(mask, "window") <= {"wall", "roof", "tree", "trunk"}


def test_doors_reach_the_ground_and_are_large_enough(village):
    for a, _, mask in village:
        if a["house"]:
            rows, columns = np.nonzero(mask == LABEL["door"])
            assert np.ptp(rows) + 1 >= 8 and np.ptp(columns) + 1 >= 5
            below = mask[rows.max() + 1, columns]
            assert set(below) <= {LABEL["grass"], LABEL["path"], LABEL["tree"], LABEL["trunk"]}


def test_windows_are_counted_and_large_enough(village):
    for a, _, mask in village:
        if a["house"]:
            assert 1 <= len(a["windows"]) <= 4
            for x, y in a["windows"]:
                column, row = int(x * 64), int(y * 64)
                assert mask[row, column] == LABEL["window"]
            assert (mask == LABEL["window"]).sum() >= 16 * len(a["windows"])


def test_trees_stand_on_the_grass_and_apart_from_doors(village):
    for a, _, mask in village:
        for tree in a["trees"]:
            assert 14 <= tree["height"] * 64 <= 26
            column, row = int(tree["x"] * 64), int(tree["base"] * 64 + 1)
            ground = mask[row, column]
            assert CLASSES[ground] in ("grass", "path", "tree", "trunk")           # the last two: a nearer tree's
        if a["house"]:
            door = (mask == LABEL["door"]).sum()
            assert door >= 0.75 * scenes.DOOR_WIDTH * scenes.DOOR_HEIGHT * 64 * 64


def test_the_path_runs_from_the_door_to_the_bottom_edge_and_widens(village):
    for a, _, _ in village[:200]:
        if a["path"]:
            _, mask = render({**a, "trees": []})
            widths = (mask == LABEL["path"]).sum(1)
            first = np.flatnonzero(widths)[0]
            assert abs(first - a["house_base"] * 64) <= 1
            assert (np.diff(widths[first + 1:]) >= -1).all() and widths[-1] > widths[first + 1]


def test_class_shares_are_sensible(village):
    """The share of all pixels that each class has: enough to be learnt, none swallowing the picture."""
    share = np.bincount(np.concatenate([mask.ravel() for _, _, mask in village]), minlength=len(CLASSES))
    share = dict(zip(CLASSES, share / share.sum(), strict=True))
    expected = {"sky": (0.35, 0.52), "cloud": (0.02, 0.05), "sun": (0.004, 0.015), "moon": (0.001, 0.006),
                "mountain": (0.015, 0.05), "grass": (0.18, 0.32), "path": (0.02, 0.05), "wall": (0.05, 0.10),
                "roof": (0.03, 0.08), "door": (0.01, 0.025), "window": (0.01, 0.03), "tree": (0.04, 0.10),
                "trunk": (0.003, 0.012)}
    for name, (low, high) in expected.items():
        assert low < share[name] < high, (name, share[name])
    for _, _, mask in village:                                                     # and in each single picture
        sky, grass = (mask == LABEL["sky"]).mean(), (mask == LABEL["grass"]).mean()
        assert 0.2 < sky < 0.66 and 0.1 < grass < 0.45


def test_attributes_come_about_as_often_as_documented():
    drawn = [draw_attributes(11, i) for i in range(2000)]
    for name, share in {"house": 0.92, "tower": 0.25, "autumn": 0.20, "mountains": 0.50}.items():
        assert abs(np.mean([a[name] for a in drawn]) - share) < 0.04, name
    for time, share in {"day": 0.45, "dusk": 0.25, "night": 0.30}.items():
        assert abs(np.mean([a["time"] == time for a in drawn]) - share) < 0.04, time
    assert np.mean([1 <= len(a["trees"]) <= 4 for a in drawn]) > 0.9


def test_day_is_brighter_than_dusk_and_dusk_than_night(village):
    brightness = {time: np.mean([image.mean() for a, image, _ in village if a["time"] == time])
                  for time in ("day", "dusk", "night")}
    assert brightness["day"] > brightness["dusk"] + 10 > brightness["night"] + 20


@pytest.mark.parametrize("time", ["day", "dusk", "night"])
def test_trees_can_be_told_from_grass_even_on_a_projector(village, time):
    """The mean colours of trees and grass of one picture lie at least 40 of 255 apart (Euclidean)."""
    for a, image, mask in village:
        if a["time"] == time and a["trees"]:
            tree, grass = image[mask == LABEL["tree"]].mean(0), image[mask == LABEL["grass"]].mean(0)
            assert np.sqrt(((tree - grass) ** 2).sum()) > 40


def test_lit_windows_are_warm_and_unlit_ones_blue(village):
    for a, image, mask in village:
        for x, y in a["windows"] if a["house"] else ():
            if mask[int(y * 64), int(x * 64)] == LABEL["window"]:
                red, _, blue = image[int(y * 64), int(x * 64)].astype(int)
                assert (red > blue + 80) == a["lit_windows"]


def test_no_pixel_goes_unpainted_or_outside_when_things_leave_the_picture():
    """Every shape may stand partly or wholly beyond the edge."""
    a = draw_attributes(0, 0)
    a.update(house=True, house_x=1.4, tower_x=1.6, door_x=1.4, path=True, path_x=-0.5,
             windows=[(-0.3, 0.5), (1.2, 1.3)], light=(-0.2, -0.2, 0.07), clouds=[(1.3, 0.1, 0.12), (0.0, 0.0, 0.12)],
             trees=[{"x": x, "base": base, "height": 0.4, "kind": kind}
                    for x, base in ((-0.5, 0.8), (0.0, 1.5), (1.02, 0.8)) for kind in ("round", "conifer")])
    image, mask = render(a)
    assert image.shape == (64, 64, 3) and mask.max() < len(CLASSES) and not has(mask, "door")


def test_the_time_of_a_picture_is_seen_in_its_sky():
    drawn = Scenes(60, size=64, seed=12)
    images = torch.stack([drawn[i][0] for i in range(60)])
    times = [drawn[i][2]["time"] for i in range(60)]
    assert set(times) == {"day", "dusk", "night"} and scenes.time_of(images) == times
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    assert scenes.time_of(images + 0.1 * noise) == times

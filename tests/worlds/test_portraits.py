"""The portraits: same pixels everywhere, every attribute drawn and drawn alone, masks that agree."""

import numpy as np
import pytest
import torch

from gan_teach.worlds import faces
from gan_teach.worlds.faces import CLASSES
from gan_teach.worlds.portraits import ATTRIBUTES, COARSE, FINE, MIDDLE, RANGES, Portraits, draw_attributes, render

COUNT = 400
LABEL = {name: i for i, name in enumerate(CLASSES)}
# Somebody who shows every attribute, looking straight ahead.
ANNA = {"face": "oval", "hair": "curly", "eyes": "round", "brows": "thin", "nose": "button", "mouth": "smile",
        "beard": "full", "moustache": True, "glasses": "none", "hat": "beanie", "earrings": True, "freckles": True,
        "clothes": "striped", "backdrop": "disc", "skin": "tan", "hair_colour": "brown", "eye_colour": "green",
        "lips": "natural", "clothes_colour": "blue", "hat_colour": "red", "backdrop_colour": "mint", "turn": 0.0,
        "tilt": 0.0, "nod": 0.0, "zoom": 1.4, "shoulders": 0.0, "gaze": 0.0, "age": 0.3, "light": 0.0,
        "strands": [0.0] * (faces.STRANDS + 1), "spots": draw_attributes(0, 0)["spots"]}


@pytest.fixture(scope="module")
def people():
    drawn = [draw_attributes(3, i) for i in range(COUNT)]
    return [(a, *render(a)) for a in drawn]


def has(mask, name):
    return (mask == LABEL[name]).any()


def middle(mask, name):
    """Mean (x, y) of a class, in pixels."""
    rows, columns = np.nonzero(mask == LABEL[name])
    return columns.mean(), rows.mean()


def grown(inside, pixels=2):
    for _ in range(pixels):
        padded = np.pad(inside, 1)
        inside = padded[1:-1, 1:-1] | padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
    return inside


# ------------------------------------------------------------------------------------------ attributes

def test_the_table_holds_what_was_drawn():
    data = Portraits(20, seed=2)
    table = data.attributes()
    assert list(table) == list(ATTRIBUTES) + list(RANGES)
    for i in range(len(data)):
        a = draw_attributes(2, i)
        for name, options in ATTRIBUTES.items():
            assert table[name].dtype == torch.int64 and list(options)[table[name][i]] == a[name]
        for name, (low, high) in RANGES.items():
            assert low <= table[name][i] <= high and abs(table[name][i] - a[name]) < 1e-6


def test_attributes_come_as_often_as_documented_and_independently():
    n = 4000
    table = Portraits(n, seed=11).attributes()
    for name, options in ATTRIBUTES.items():
        assert sum(options.values()) == 100
        share = torch.bincount(table[name], minlength=len(options)) / n
        assert (share - torch.tensor(list(options.values())) / 100).abs().max() < 0.03, name
    for name, (low, high) in RANGES.items():
        assert abs(table[name].mean() - (low + high) / 2) < 0.03 * (high - low), name
        assert abs(table[name].std() - (high - low) / 12 ** 0.5) < 0.02 * (high - low), name
    columns = [(table[name] == k).float() for name, options in ATTRIBUTES.items() for k in range(len(options))]
    of = [name for name, options in ATTRIBUTES.items() for _ in options]
    correlation = torch.corrcoef(torch.stack(columns + [table[name] for name in RANGES]))
    of += list(RANGES)
    other = torch.tensor([[p != q for q in of] for p in of])
    assert correlation[other].abs().max() < 0.08                             # 5 standard errors of n draws


def test_every_part_of_the_mask_is_there_exactly_when_the_attributes_say_so(people):
    hidden = 0
    for a, _, mask in people:
        expected = {"hair": a["hair"] != "bald", "beard": a["beard"] != "none", "moustache": a["moustache"],
                    "glasses": a["glasses"] != "none", "hat": a["hat"] != "none", "earring": a["earrings"],
                    "ear": a["hair"] not in ("bob", "long"), "eye": a["glasses"] != "sunglasses",
                    "background": True, "clothes": True, "skin": True, "nose": True, "mouth": True}
        assert {name: bool(has(mask, name)) for name in expected} == expected
        hidden += not has(mask, "brow")                                      # under a fringe or a hat
    assert hidden < 0.02 * COUNT


def test_parts_have_sensible_sizes(people):
    share = np.bincount(np.concatenate([mask.ravel() for _, _, mask in people]), minlength=len(CLASSES))
    share = dict(zip(CLASSES, share / share.sum(), strict=True))
    assert 0.45 < share["background"] < 0.65 and 0.05 < share["clothes"] < 0.12 and 0.12 < share["skin"] < 0.22
    assert 0.08 < share["hair"] < 0.15 and 0.020 < share["eye"] < 0.045 and 0.003 < share["mouth"] < 0.012


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_option_of_every_attribute_is_visible(name):
    pictures = [render({**ANNA, name: option})[0].astype(int) for option in ATTRIBUTES[name]]
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            assert (np.abs(one - other).max(2) > 16).sum() >= 5


@pytest.mark.parametrize("name", FINE)
def test_fine_attributes_change_colours_and_no_shape(name):
    masks = [render({**ANNA, name: option})[1] for option in FINE[name]]
    assert all((mask == masks[0]).all() for mask in masks)


@pytest.mark.parametrize("name, part", [("eye_colour", "eye"), ("lips", "mouth"), ("clothes_colour", "clothes"),
                                        ("hat_colour", "hat"), ("backdrop_colour", "background")])
def test_a_colour_changes_only_its_part(name, part):
    for option in FINE[name]:
        (one, mask), (other, _) = render({**ANNA, "lips": "red"}), render({**ANNA, "lips": "red", name: option})
        changed = (one != other).any(2)
        assert not (changed & ~grown(mask == LABEL[part])).any()


def test_coarse_middle_and_fine_are_all_attributes_once():
    assert len(COARSE) + len(MIDDLE) + len(FINE) == len(ATTRIBUTES)


# ------------------------------------------------------------------------------------------ pose, age, light

def test_turning_leaves_the_eyes_and_moves_the_nose_to_its_side_and_the_head_to_the_other():
    plain = {**ANNA, "beard": "none", "moustache": False}
    masks = [render({**plain, "turn": turn}, 128)[1] for turn in (-1.0, 0.0, 1.0)]
    nose, hat = ([middle(mask, part)[0] for mask in masks] for part in ("nose", "hat"))
    assert nose[0] < nose[1] - 2 < nose[2] - 4 and hat[0] > hat[1] + 4 > hat[2] + 8
    for half in (slice(0, 64), slice(64, 128)):
        eye = [middle(mask[:, half], "eye")[0] for mask in masks]
        assert max(eye) - min(eye) < 5
    assert (masks[1] == masks[1][:, ::-1]).mean() > 0.99                      # straight ahead: a mirror image


def test_tilt_nod_and_gaze():
    for tilt in (-1.0, 1.0):
        mask = render({**ANNA, "tilt": tilt}, 128)[1]
        left, right = mask.copy(), mask.copy()
        x = int(middle(mask, "eye")[0])
        left[:, x:], right[:, :x] = 0, 0
        assert (middle(right, "eye")[1] - middle(left, "eye")[1]) * tilt > 3   # leaning right, the right eye is lower
        assert (middle(mask, "hat")[0] - 64) * tilt > 5
    up, down = (render({**ANNA, "nod": nod}, 128)[1] for nod in (-1.0, 1.0))
    assert middle(up, "hat")[1] > middle(down, "hat")[1] + 4 and abs(middle(up, "eye")[1] - middle(down, "eye")[1]) < 1
    assert (up == LABEL["skin"]).any() and (render({**ANNA, "gaze": 1.0}, 128)[1] == render(ANNA, 128)[1]).all()
    dark = []
    for gaze in (-1.0, 1.0):
        image, mask = render({**ANNA, "gaze": gaze}, 128)
        weight = (255.0 - image.mean(2)) * (mask == LABEL["eye"])
        dark.append((weight.sum(0) * np.arange(128)).sum() / weight.sum())
    assert dark[0] + 1 < dark[1]


def test_zoom_enlarges_and_shoulders_widen():
    small, large = (render({**ANNA, "zoom": zoom}, 256)[1] for zoom in RANGES["zoom"])
    assert (large == LABEL["mouth"]).sum() > 1.1 * (small == LABEL["mouth"]).sum()
    narrow, broad = (render({**ANNA, "shoulders": shoulders})[1] for shoulders in (-1.0, 1.0))
    assert (narrow == LABEL["clothes"]).sum() < (broad == LABEL["clothes"]).sum()


def test_light_brightens_its_side():
    bald = {**ANNA, "hair": "bald", "hat": "none", "beard": "none", "freckles": False}
    for light in (-1.0, 1.0):
        image, mask = render({**bald, "light": light})
        skin = image.mean(2) * (mask == LABEL["skin"])
        halves = [half.sum() / (half > 0).sum() for half in (skin[:50, :32], skin[:50, 32:])]
        assert (halves[1] - halves[0]) * light > 5


def test_wrinkles_come_with_age():
    young, old = render({**ANNA, "age": 0.5, "hat": "none"}, 128), render({**ANNA, "age": 1.0, "hat": "none"}, 128)
    skin = (young[1] == LABEL["skin"]) & (old[1] == LABEL["skin"])
    assert (young[0][skin].astype(int).sum(1) - old[0][skin].astype(int).sum(1) > 20).sum() > 30


def test_skin_tones_are_in_order_from_light_to_dark():
    shades = [render({**ANNA, "skin": skin, "freckles": False}) for skin in ATTRIBUTES["skin"]]
    brightness = [image[mask == LABEL["skin"]].mean() for image, mask in shades]
    assert all(p > q + 10 for p, q in zip(brightness, brightness[1:], strict=False))


# ------------------------------------------------------------------------------------------ what the noise can own

def test_strands_change_only_the_hair_and_its_shade():
    (one, mask), (other, same) = render(ANNA), render({**ANNA, "strands": draw_attributes(0, 1)["strands"]})
    changed = (one != other).any(2)
    hairy = (mask == LABEL["hair"]) | (mask == LABEL["beard"])
    assert (mask == same).all() and changed.sum() > 100 and not (changed & ~grown(hairy)).any()


def test_spots_move_freckles_and_nothing_else():
    moved = {**ANNA, "spots": draw_attributes(0, 1)["spots"]}
    (one, mask), (other, same) = render(ANNA), render(moved)
    changed = (one != other).any(2)
    assert (mask == same).all() and 5 < changed.sum() < 200 and set(mask[changed]) <= {
        LABEL["skin"], LABEL["nose"], LABEL["beard"], LABEL["moustache"]}
    assert (render({**moved, "freckles": False})[0] == render({**ANNA, "freckles": False})[0]).all()


@pytest.mark.parametrize("pose", [-1.0, 1.0])
def test_the_extremes_of_every_range_can_be_drawn(pose):
    for hair in ATTRIBUTES["hair"]:
        for size in (32, 90):
            everything = {name: high if pose > 0 else low for name, (low, high) in RANGES.items()}
            image, mask = render({**ANNA, **everything, "hair": hair, "beard": "long", "hat": "brimmed"}, size)
            assert image.shape == (size, size, 3) and has(mask, "nose") and has(mask, "eye") and has(mask, "mouth")

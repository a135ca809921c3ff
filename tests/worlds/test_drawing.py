"""What both drawn worlds keep: the same pixels everywhere, sizes that agree, attributes that are left alone."""
import hashlib

import numpy as np
import pytest
import torch

from gan_teach.worlds import portraits, scenes
from gan_teach.worlds.drawing import prerender

WORLDS = {"scenes": (scenes, scenes.Scenes), "portraits": (portraits, portraits.Portraits)}
PINNED = {  # SHA-256 of the image's bytes and then the mask's, at 64 pixels
    ("scenes", 0, 0): "417b38613d3a1917c1f76026747547db4c019a2ef77917317615af88bf748536",
    ("scenes", 0, 1): "fee6787b95c82e0baa32b9aea6e7bbc68ef97e8f63d83fe3f7b1f1fe44bce4ef",
    ("scenes", 0, 2): "b8ad5db6a4dedbdf740f94fcf652ae9f35c5d4ad641bf5a61d870d07c1b136bd",
    ("scenes", 0, 5): "1441a86c97d99b6a4ff4d4ae5fe34b7ab3b5c2001ac2656f8fb3860aadba9663",
    ("scenes", 7, 123): "7144b65e091becfa470a50a9eb8ba1061026c06858f6afd8337434691df71218",
    ("portraits", 0, 0): "23b0542140c65630403673442551ee745e8d39dff0945fe459a2d895bfd8b9f2",
    ("portraits", 0, 1): "58dc63dd7840d1fad1819842e24dbc8f65861f718b1f5377b3aa9efe0259799c",
    ("portraits", 0, 2): "3a5a0320f08aa928d7c13d793f5a0dcb816aba010e5b79c5b08693abccacbba2",
    ("portraits", 0, 5): "8b206784ddf5a3bbf9172c6eecd789fab4938aad2a356536ff364576d1ff69fa",
    ("portraits", 7, 123): "4fcb0f544d523b252a11caaff4c20b52fbdaf0a326e5b42f21ba863911291985",
}


@pytest.fixture(params=WORLDS)
def world(request):
    """(the module, its data set)"""
    return WORLDS[request.param]


@pytest.mark.parametrize("name, seed, index", PINNED)
def test_the_same_seed_gives_these_very_pixels(name, seed, index):
    module, _ = WORLDS[name]
    image, mask = module.render(module.draw_attributes(seed, index), 64)
    assert hashlib.sha256(image.tobytes() + mask.tobytes()).hexdigest() == PINNED[name, seed, index]


def test_every_index_and_every_seed_gives_another_picture(world):
    module, _ = world
    drawn = [module.render(module.draw_attributes(seed, i))[0].tobytes()
             for seed, n in ((3, 400), (0, 1)) for i in range(n)]
    assert len(set(drawn)) == len(drawn)


def test_rendering_is_pure_and_leaves_the_attributes_alone(world):
    module, _ = world
    a = module.draw_attributes(0, 4)
    before = repr(a)
    first = module.render(a, 48)
    module.render(module.draw_attributes(0, 5), 48)
    second = module.render(a, 48)
    assert repr(a) == before
    assert all((p == q).all() for p, q in zip(first, second, strict=True))


@pytest.mark.parametrize("size", [32, 64, 100, 256])
def test_shapes_types_and_ranges(world, size):
    module, drawings = world
    image, mask, attributes = drawings(2, size=size, seed=1)[1]
    assert image.shape == (3, size, size) and image.dtype == torch.float32
    assert -1 <= image.min() < image.max() <= 1
    assert mask.shape == (size, size) and mask.dtype == torch.int64
    assert 0 <= mask.min() and mask.max() < len(drawings.classes)
    assert attributes == module.draw_attributes(1, 1)


@pytest.mark.parametrize("size", [32, 128, 256])
def test_every_size_shows_the_same_picture(world, size):
    module, drawings = world
    classes = range(len(drawings.classes))
    for i in range(12):
        a = module.draw_attributes(5, i)
        big, small = max(size, 64), min(size, 64)
        (fine, fine_mask), (coarse, coarse_mask) = module.render(a, big), module.render(a, small)
        k = big // small
        mean = fine.reshape(small, k, small, k, 3).mean((1, 3))
        assert np.abs(mean - coarse).mean() < (2 if module is scenes else 3)     # of 255
        # Each coarse pixel has the class that most of its fine pixels have, or one of two that tie.
        votes = np.stack([(fine_mask == c).reshape(small, k, small, k).sum((1, 3)) for c in classes])
        agree = np.take_along_axis(votes, coarse_mask[None].astype(int), 0)[0] == votes.max(0)
        assert agree.mean() > 0.95


@pytest.mark.parametrize("size", [0, 31, 257, 64.0, "64", None, True, -64])
def test_a_bad_size_is_refused_with_the_range(world, size):
    module, drawings = world
    with pytest.raises(ValueError, match=r"32\.\.256"):
        drawings(4, size=size)
    with pytest.raises(ValueError, match=r"32\.\.256"):
        module.render(module.draw_attributes(0, 0), size)


@pytest.mark.parametrize("index", [-1, 4, 5])
def test_an_index_outside_is_an_index_error(world, index):
    _, drawings = world
    with pytest.raises(IndexError, match=rf"{drawings.name}.*0\.\.3"):
        drawings(4)[index]


def test_it_iterates_as_a_data_set_and_gives_all_images(world, capsys):
    _, drawings = world
    data = drawings(4, size=32, seed=9)
    assert len(data) == 4
    images = data.images()
    assert images.shape == (4, 3, 32, 32) and images.dtype == torch.uint8
    for (image, _, _), whole in zip(data, images, strict=True):
        torch.testing.assert_close(image, whole / 127.5 - 1)
    assert not capsys.readouterr().err, "no bar for a moment's work"
    assert len(drawings(500, size=32, seed=9).images()) == 500 and drawings.name in capsys.readouterr().err
    both = prerender(data)
    assert torch.equal(both[0], images) and both[1].shape == (4, 32, 32)


def test_portraits_come_in_batches():
    data = portraits.Portraits(4, size=32, seed=9)
    batch, masks, attributes = next(iter(torch.utils.data.DataLoader(data, batch_size=4)))
    assert batch.shape == (4, 3, 32, 32) and masks.shape == (4, 32, 32) and len(attributes["hair"]) == 4

"""Data sets: the shipped split through torchvision, sizes and order, folders, and what a missing set answers."""

import contextlib
import errno
import gzip
import io
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_teach.__main__ import main
from gan_teach.files import DiskFull
from gan_teach.worlds import datasets
from gan_teach.worlds.scenes import Scenes

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of its own, and no package of Debian's."""
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets, "DEBIAN", tmp_path / "none")
    return tmp_path / "cache"


# ------------------------------------------------------------------------------------------ Fashion-MNIST

def test_torchvision_opens_the_shipped_split_without_a_download():
    torchvision = pytest.importorskip("torchvision")
    shipped = torchvision.datasets.FashionMNIST(str(DATA), train=False)
    assert len(shipped) == 10_000 and shipped.targets.bincount().tolist() == [1000] * 10
    image, label = shipped[0]
    assert image.size == (28, 28) and shipped.classes[label] == "Ankle boot"


def test_the_note_in_place_of_the_training_split_is_never_taken_for_data():
    torchvision = pytest.importorskip("torchvision")
    with pytest.raises((AssertionError, KeyError, ValueError, RuntimeError)):
        torchvision.datasets.FashionMNIST(str(DATA), train=True)
    for name in ("images-idx3", "labels-idx1"):
        assert "python -m gan_teach fetch fashion" in (DATA / f"FashionMNIST/raw/train-{name}-ubyte").read_text()


def test_fashion_in_its_frame_and_at_other_sizes(cache):
    padded = datasets.pictures("fashion", "test", n=20)
    assert padded.images.shape == (20, 3, 32, 32) and padded.images.dtype == torch.uint8
    plain = datasets.pictures("fashion", "test", size=28, n=20)
    assert torch.equal(padded.images[..., 2:30, 2:30], plain.images)
    assert int(padded.images.sum()) == int(plain.images.sum())                  # the frame is black
    assert torch.equal(plain.images[:, 0], plain.images[:, 2])
    assert padded.classes[padded.labels[0]] == "ankle boot" and padded.labels.dtype == torch.long
    large = datasets.pictures("fashion", "test", size=56, n=20)
    assert large.images.shape == (20, 3, 56, 56)
    assert (large.images.float().mean((1, 2, 3)) - plain.images.float().mean((1, 2, 3))).abs().max() < 1.5


def test_the_missing_training_split_says_what_to_do(cache):
    with pytest.raises(FileNotFoundError, match=r"python -m gan_teach fetch fashion \(31 MB"):
        datasets.pictures("fashion", "train")
    with pytest.raises(FileNotFoundError, match="only its test split"):
        datasets.pictures("fashion", "train", root=DATA)


def write_idx(path: Path, array: np.ndarray):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    with gzip.open(path, "wb") as file:
        file.write(header + array.tobytes())


def test_fetch_unpacks_debians_package_and_needs_no_network(cache, tmp_path, monkeypatch, capsys):
    package = tmp_path / "package"
    package.mkdir()
    monkeypatch.setattr(datasets, "DEBIAN", package)
    monkeypatch.setattr(datasets, "FASHION_FILES", {"train": 30, "t10k": 5})
    draw = np.random.default_rng(0)
    for stem, n in (("train", 30), ("t10k", 5)):
        write_idx(package / f"{stem}-images-idx3-ubyte.gz", draw.integers(0, 256, (n, 28, 28), dtype=np.uint8))
        write_idx(package / f"{stem}-labels-idx1-ubyte.gz", np.arange(n, dtype=np.uint8) % 10)
    assert main(["fetch", "fashion"]) == 0
    assert f"taken from {datasets.DEBIAN}" in capsys.readouterr().out
    learnt = datasets.pictures("fashion", "train", size=28)
    assert learnt.images.shape == (30, 3, 28, 28) and learnt.labels.tolist() == [i % 10 for i in range(30)]
    assert not list(cache.rglob("*.tmp"))
    file = cache / "datasets/FashionMNIST/raw/train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-100])                                 # cut off
    with pytest.raises(FileNotFoundError, match="fetch fashion"):
        datasets.pictures("fashion", "train")


def test_a_fetch_that_fails_says_so(cache, monkeypatch):
    torchvision = pytest.importorskip("torchvision")

    def broken(*_, **__):
        raise RuntimeError("no route to host")

    monkeypatch.setattr(torchvision.datasets, "CIFAR10", broken)
    with pytest.raises(ConnectionError, match="no route to host.*by hand"):
        datasets.fetch("cifar10")
    with pytest.raises(ValueError, match="img_align_celeba"):
        datasets.fetch("celeba")
    with pytest.raises(ValueError, match="fashion and cifar10 can"):
        datasets.fetch("imagenet")


# ------------------------------------------------------------------------------------------ the others

def test_a_full_disk_is_no_fault_of_the_server(cache, monkeypatch):
    def cut(*_, **__):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RuntimeError("Dataset not found or corrupted.") from error

    monkeypatch.setattr(pytest.importorskip("torchvision").datasets, "CIFAR10", cut)
    with pytest.raises(DiskFull, match="the disk is full, cifar10 was not fetched: make room in .*datasets and call"):
        datasets.fetch("cifar10")


def test_scenes_of_the_two_splits_are_those_of_two_seeds(cache):
    learnt, test = (datasets.pictures("scenes", split, size=32, n=4).images for split in datasets.SPLITS)
    for seed, found in enumerate((learnt, test)):
        assert torch.equal(found, Scenes(4, size=32, seed=seed).images())


def test_cifar10_in_torchvisions_layout(cache, tmp_path):
    """A stand-in for the reader's set, in files as torchvision expects them, its hashes aside."""
    torchvision = pytest.importorskip("torchvision")
    with pytest.raises(FileNotFoundError, match=r"fetch cifar10 \(170 MB"):
        datasets.pictures("cifar10")
    rows = torch.randint(256, (6, 32, 32, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8).numpy()

    class Stand:
        data, targets = rows, [9, 1, 2, 3, 4, 5]

        def __init__(self, root, train):
            assert train is False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torchvision.datasets, "CIFAR10", Stand)
        found = datasets.pictures("cifar10", "test", n=5)
    assert torch.equal(found.images.permute(0, 2, 3, 1), torch.from_numpy(rows[:5]))
    assert found.labels.tolist() == [9, 1, 2, 3, 4] and found.classes[9] == "lorry"


def save(path: Path, width: int, height: int, colour, mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (width, height), colour).save(path)


def test_celeba_is_cut_to_the_face(cache):
    with pytest.raises(FileNotFoundError, match="img_align_celeba.zip.*1.4 GB"):
        datasets.pictures("celeba")
    faces = cache / "datasets/celeba/img_align_celeba"
    save(faces / "000001.jpg", 178, 218, (0, 0, 0))
    with Image.open(faces / "000001.jpg") as image:
        image.paste((255, 255, 255), (19, 50, 159, 190))
        image.save(faces / "000001.jpg", quality=100)
    (faces / "._000001.jpg").write_bytes(b"what macOS leaves")
    found = datasets.pictures("celeba", size=70)
    assert found.images.shape == (1, 3, 70, 70) and found.images[..., 2:-2, 2:-2].min() > 250


def test_any_folder_cut_square_in_order_with_its_folders_as_classes(tmp_path):
    save(tmp_path / "trees/b.png", 40, 20, (200, 0, 0))
    save(tmp_path / "trees/deep/a.jpg", 20, 40, (0, 200, 0))
    save(tmp_path / "houses/grey.png", 16, 16, 90, mode="L")
    (tmp_path / "houses/notes.txt").write_text("not a picture")
    found = datasets.pictures(tmp_path, size=16)
    assert found.images.shape == (3, 3, 16, 16) and found.classes == ("houses", "trees")
    assert found.labels.tolist() == [0, 1, 1]
    assert found.images[0].unique().tolist() == [90]
    assert found.images[1, :, 8, 8].tolist() == [200, 0, 0]
    assert abs(int(found.images[2, 1, 8, 8]) - 200) < 3
    assert len(datasets.pictures(str(tmp_path), size=8, n=2).images) == 2


def test_the_middle_of_a_wide_picture_is_taken(tmp_path):
    save(tmp_path / "wide.png", 60, 20, (0, 0, 0))
    with Image.open(tmp_path / "wide.png") as image:
        image.paste((255, 255, 255), (20, 0, 40, 20))
        image.save(tmp_path / "wide.png")
    assert datasets.pictures(tmp_path, size=20).images.unique().tolist() == [255]


def test_folders_and_names_that_do_not_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="no pictures in"):
        datasets.pictures(tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        datasets.pictures(tmp_path / "away")
    with pytest.raises(ValueError, match="there are fashion, scenes"):
        datasets.pictures("fashon")
    with pytest.raises(ValueError, match="train and test"):
        datasets.pictures("scenes", "validation")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no")
    with pytest.raises(ValueError, match="broken.png cannot be read"):
        datasets.pictures(tmp_path)


def test_more_pictures_than_memory_holds_are_refused_before_the_first_is_read(tmp_path, monkeypatch):
    for i in range(80):
        (tmp_path / f"{i}.png").write_bytes(b"never opened")
    with pytest.raises(ValueError, match=r"80 pictures of 4096×4096 pixels would take 4.0 GB.*\(n=\).*\(size=\)"):
        datasets.pictures(tmp_path, size=4096)
    with pytest.raises(ValueError, match=r"40,000 pictures of 256×256 pixels would take 7.9 GB"):
        datasets.pictures("portraits", size=256)
    monkeypatch.setattr(datasets, "MAX_BYTES", 3 * 33 * 33 * 5)
    with pytest.raises(ValueError, match="6 pictures of 33×33"):
        datasets.pictures("fashion", "test", size=33, n=6)
    assert len(datasets.pictures("fashion", "test", size=33, n=5).images) == 5


def test_importing_does_not_load_torchvision():
    code = "import sys; from gan_teach.worlds import datasets; sys.exit('torchvision' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_drawings_are_rendered_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path))
    made = []

    class Counted(Scenes):
        def images(self):
            made.append(len(self))
            return super().images()

    first = datasets.rendered(Counted, 3, seed=5, size=32)
    assert torch.equal(first, Scenes(3, size=32, seed=5).images()) and made == [3]
    assert torch.equal(datasets.rendered(Counted, 3, seed=5, size=32), first) and made == [3]
    assert not torch.equal(datasets.rendered(Counted, 3, seed=6, size=32), first) and made == [3, 3]
    (file,) = (tmp_path / "rendered").glob("*-5-*.npy")
    file.write_bytes(file.read_bytes()[:-9])                               # cut: rendered again, and mended
    assert torch.equal(datasets.rendered(Counted, 3, seed=5, size=32), first) and made == [3, 3, 3]


def test_a_cache_that_cannot_be_written_is_read_and_what_is_not_in_it_is_told_once(cache, monkeypatch, capsys):
    """As thirty readers have it who share the one that was filled for them; and what one changes is its own."""
    filled = datasets.pictures("scenes", "test", n=3).images
    drawn = Counter()

    def images(self):
        drawn[len(self)] += 1
        return torch.zeros(len(self), 3, 32, 32, dtype=torch.uint8)

    @contextlib.contextmanager
    def writing(path):
        raise PermissionError(f"nothing can be written in its folder: {path}")
        yield

    monkeypatch.setattr(Scenes, "images", images)
    monkeypatch.setattr(datasets.files, "writing", writing)
    one, other = (datasets.pictures("scenes", "test", n=3).images for _ in range(2))
    assert torch.equal(one, filled) and not drawn and not capsys.readouterr().out
    one += 1
    assert torch.equal(other, filled) and torch.equal(datasets.pictures("scenes", "test", n=3).images, filled)
    for _ in range(2):
        datasets.pictures("scenes", "test", n=4)
    assert drawn == {4: 2} and capsys.readouterr().out.count(str(cache / "rendered")) == 1


def test_pictures_are_asked_for_by_a_name_or_a_path():
    for odd in (["a.png"], None, torch.zeros(2, 3, 8, 8), b"pictures", 5):
        with pytest.raises(ValueError, match="by a name .*or the path of a folder; got a"):
            datasets.pictures(odd)


@pytest.mark.parametrize("cut", [None, 500])
def test_labels_that_are_missing_or_cut_are_a_missing_set(cache, cut):
    """As a fetch that was killed leaves it."""
    raw, shipped = cache / "datasets/FashionMNIST/raw", DATA / "FashionMNIST/raw"
    raw.mkdir(parents=True)
    (raw / "t10k-images-idx3-ubyte").symlink_to(shipped / "t10k-images-idx3-ubyte")
    if cut:
        (raw / "t10k-labels-idx1-ubyte").write_bytes((shipped / "t10k-labels-idx1-ubyte").read_bytes()[:cut])
    with pytest.raises(FileNotFoundError, match="fetch fashion"):
        datasets.pictures("fashion", "test", root=cache / "datasets")
    assert len(datasets.pictures("fashion", "test", n=3).images) == 3      # the shipped one


@pytest.mark.parametrize("head", [bytes(16), b"\0\0\x08\x03\0\0\x27\x10\0\0\0\x0e\0\0\0\x38"])        # 14×56
def test_clothes_of_the_right_length_that_are_something_else_are_damaged(cache, tmp_path, head):
    raw = tmp_path / "FashionMNIST/raw"
    shutil.copytree(DATA / "FashionMNIST/raw", raw)
    with (raw / "t10k-images-idx3-ubyte").open("r+b") as file:
        file.write(head)
    with pytest.raises(ValueError, match=f"{tmp_path / 'FashionMNIST'} is damaged: delete it, and fetch it again"):
        datasets.pictures("fashion", "test", root=tmp_path)


def test_faces_that_are_none_or_of_another_size_and_places_that_are_no_path(cache):
    faces = cache / "datasets/celeba/img_align_celeba"
    faces.mkdir(parents=True)
    Image.new("RGB", (100, 100)).save(faces / "000001.jpg")
    with pytest.raises(ValueError, match="000001.jpg has 100×100 pixels, and .* shall be cut out of it"):
        datasets.pictures("celeba")                         # its corners were painted black
    with pytest.raises(FileNotFoundError, match="celeba's test split is not here"):
        datasets.pictures("celeba", "test")                 # there were none, in silence
    for name in ("fashion", "cifar10", "celeba"):
        with pytest.raises(ValueError, match="the path of a file is text without NUL, or a Path; got 5"):
            datasets.pictures(name, root=5)
    with pytest.raises(ValueError, match="got 5"):
        datasets.pictures(faces, without=5)


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_folder_whose_name_is_no_text_is_read_and_told(tmp_path):
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/Fotos_M\xfcnchen")
    save(Path(folder) / "a.png", 8, 8, (1, 2, 3))
    (Path(folder) / "b.txt").touch()
    with io.TextIOWrapper(io.BytesIO(), "utf-8") as terminal, contextlib.redirect_stdout(terminal):
        assert datasets.pictures(folder, size=8).classes == (Path(folder).name,)
        terminal.flush()
        assert "1 pictures; 1 .txt left out" in terminal.buffer.getvalue().decode()

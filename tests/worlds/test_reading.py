"""A reader's pictures: each kind becomes the right values, by whichever way it comes in, or is refused by its name."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from gan_teach import pictures
from gan_teach.stylegan.projection import fitted
from gan_teach.worlds import datasets, reading

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)


def packed(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def four() -> Image.Image:
    """Red, green / blue, grey: every turn and mirror of it looks different."""
    return Image.fromarray(np.array([[RED, GREEN], [BLUE, GREY]], np.uint8).repeat(16, 0).repeat(16, 1))


def corners(a: np.ndarray) -> list[tuple]:
    return [tuple(int(v) for v in a[y, x]) for y in (0, -1) for x in (0, -1)]


# ------------------------------------------------------------------------------------------ what a file means

@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("turned", range(1, 9))
def test_exif_orientation_is_applied(kind, turned):
    exif = Image.Exif()
    exif[reading.ORIENTATION] = turned
    stored = four()                                          # what a camera stores: the upright picture, turned
    undo = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
            5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a, -1),
            7: lambda a: np.rot90(a, 2).transpose(1, 0, 2), 8: lambda a: np.rot90(a)}[turned]
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    data = packed(stored, kind, exif=exif, **options)
    got, wanted = (np.array(corners(a), int) for a in (reading.as_array(data), undo(np.asarray(stored))))
    assert np.abs(got - wanted).max() < 12
    assert np.abs(reading.square(data, 32).permute(1, 2, 0).numpy().astype(int)
                  - undo(np.asarray(stored))).max() < 12


def ramp(top: int, dtype) -> np.ndarray:
    return np.linspace(0, top, 256).round().astype(dtype)[None].repeat(256, 0)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_ramp_of_16_bits_comes_out_as_a_ramp(kind):
    data = packed(Image.fromarray(ramp(65535, np.uint16)), kind)
    assert np.array_equal(reading.as_array(data)[0, :, 1], np.arange(256))


def test_a_ramp_of_12_bits_32_bits_and_floats(tmp_path):
    for top, dtype in ((2**31 - 1, np.int32), (1, np.float32)):
        a = np.linspace(0, top, 256).astype(dtype)[None].repeat(256, 0)
        got = reading.as_array(packed(Image.fromarray(a), "TIFF"))[0, :, 0]
        assert np.abs(got.astype(int) - np.arange(256)).max() <= 1
    unsigned = packed(Image.fromarray(ramp(2**32 - 1, np.uint32).view(np.int32)), "TIFF")
    place = unsigned.find(struct.pack("<HHIHH", reading.SAMPLE_FORMAT, 3, 1, 2, 0))
    assert place > 0                                         # signed, as Pillow wrote it
    unsigned = unsigned[:place] + struct.pack("<HHIHH", reading.SAMPLE_FORMAT, 3, 1, 1, 0) + unsigned[place + 12:]
    assert np.abs(reading.as_array(unsigned)[0, :, 0].astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize("low, high", [(0, 255), (-1, 1), (0, float("nan")), (0, float("inf"))])
def test_floats_that_do_not_say_what_white_is_are_refused(tmp_path, low, high):
    a = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    a[0, 0], a[-1, -1] = low, high
    Image.fromarray(a).save(tmp_path / "scan.tif")
    with pytest.raises(ValueError, match=r"scan\.tif cannot be read.*numbers go from .* 0 is black and 1 is white"):
        reading.as_array(tmp_path / "scan.tif")


def test_whole_numbers_without_a_file_are_refused():
    with pytest.raises(ValueError, match="do not say which of them is white"):
        reading.as_array(Image.fromarray(np.arange(64, dtype=np.int32).reshape(8, 8)))


def test_transparency_is_laid_on_white_and_hides_what_it_hid():
    hidden = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    hidden.paste((0, 0, 255, 128), (0, 0, 4, 8))
    for kind in ("PNG", "TIFF"):
        got = reading.as_array(packed(hidden, kind))
        assert got[0, 7].tolist() == [255] * 3 and got[0, 0].tolist() == [127, 127, 255]
        assert reading.square(packed(hidden, kind), 4)[:, 0, 3].tolist() == [255] * 3
    grey = Image.new("LA", (8, 8), (0, 0))
    assert reading.as_array(packed(grey)).min() == 255
    palette = Image.fromarray(np.zeros((8, 8), np.uint8)).convert("P")
    assert reading.as_array(packed(palette, transparency=0)).min() == 255
    assert reading.as_array(packed(palette, "GIF", transparency=0)).min() == 255
    keyed = four()
    assert corners(reading.as_array(packed(keyed, transparency=RED)))[:2] == [(255, 255, 255), GREEN]
    deep = packed(Image.fromarray(ramp(65535, np.uint16)), transparency=0)
    assert reading.as_array(deep)[0, :3, 0].tolist() == [255, 1, 2]


def test_palette_cmyk_and_one_bit_come_out_in_their_colours():
    assert corners(reading.as_array(packed(four().convert("P", palette=Image.Palette.ADAPTIVE)))) == corners(
        np.asarray(four()))
    cmyk = reading.as_array(packed(four().convert("CMYK"), "TIFF"))
    assert np.abs(np.array(corners(cmyk)) - np.array(corners(np.asarray(four())))).max() < 4
    black = reading.as_array(packed(Image.new("1", (8, 8), 0)))
    assert black.shape == (8, 8, 3) and black.max() == 0


# ------------------------------------------------------------------------------------------ numbers

def test_numbers_in_each_form_are_the_same_picture():
    a = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    x = torch.from_numpy(a).permute(2, 0, 1)
    floats = x.float() / 127.5 - 1
    for form in (a, x, x[None], x.numpy(), a.astype(np.uint16) * 257, Image.fromarray(a), packed(Image.fromarray(a)),
                 floats, floats[None], floats.numpy(), floats.double(), floats.numpy()[None]):
        assert np.array_equal(reading.as_array(form), a), type(form)
        assert torch.equal(reading.square(form, 6), reading.square(a, 6))
        assert torch.equal(fitted(form, 6), fitted(a, 6)) and np.array_equal(pictures.as_array(form), a)
    assert np.array_equal(reading.as_array(a[..., 0])[..., 2], a[..., 0])


@pytest.mark.parametrize("wrong, message", [
    (np.zeros((2, 8, 8, 3), np.uint8), r"\(2, 8, 8, 3\)"), (torch.zeros(4, 3, 8, 8), r"\(4, 3, 8, 8\)"),
    (torch.zeros(1, 8, 8), r"\(1, 8, 8\)"), (torch.zeros(4, 8, 8), r"\(4, 8, 8\)"),
    (np.zeros((8, 8, 3), np.float32), r"\(8, 8, 3\)"), (np.zeros((8, 8, 4), np.uint8), r"\(8, 8, 4\)"),
    (np.zeros((8, 8), np.int64), "colour_mask"), (np.zeros((0, 8, 3), np.uint8), r"\(0, 8, 3\)"),
    (torch.rand(3, 8, 8) * 255, "floats go from .* to 2.*127.5 - 1"), (torch.rand(8, 8) * 255, "floats go from"),
    (torch.tensor(float("nan")).expand(3, 8, 8), r"NaN or infinity, first at \(0, 0, 0\)"),
    (["a", "b"], "not a picture"), (None, "not a picture")])
def test_numbers_that_are_no_picture_are_refused_with_what_was_wanted(wrong, message):
    for read in (reading.as_array, pictures.as_array, pictures.png, lambda x: fitted(x, 8), lambda x: fitted(x, 6)):
        with pytest.raises(ValueError, match=f"(?s)the picture.*{message}"):
            read(wrong)


@pytest.mark.parametrize("size", [8, 6])
def test_a_readers_floats_are_near_to_one_and_a_generators_may_be_farther(size):
    """0…30 passed, and all of it but the darkest came out white."""
    for far in (torch.rand(3, 8, 8) * 30, torch.rand(1, 3, 8, 8).numpy() * 4):
        for read in (lambda x: fitted(x, size), lambda x: reading.square(x, size)):
            with pytest.raises(ValueError, match=r"the picture is not a picture: its floats go from .*127.5 - 1"):
                read(far)
        assert pictures.as_array(far).max() == 255                 # as a generator whose units are forced draws them
    assert fitted(torch.randn(3, 8, 8).clamp(-2, 2), size).shape == (1, 3, size, size)


# ------------------------------------------------------------------------------------------ what is refused by its name

def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, *more: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) \
        + chunk(b"IEND", b"")


HOSTILE = {
    "script.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n",
    "bomb.png": png_of(100_000, 100_000), "large.png": png_of(8_000, 8_000), "cut.png": packed(four())[:-40],
    "text.png": png_of(8, 8, *[chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 2_000_000))] * 3),
    "texts.png": png_of(8, 8, *[chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 1_000_000))] * 80),
    "empty.jpg": b"", "words.jpg": b"Dear reader, this is no picture.", "page.gif": b"<!doctype html><html>",
    "vector.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cut.jpg": packed(four(), "JPEG")[:200],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_and_damaged_files_are_refused_by_name(tmp_path, monkeypatch, name):
    monkeypatch.setattr("subprocess.check_call", lambda *_, **__: pytest.fail("another program was started"))
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("another program was started"))
    (tmp_path / name).write_bytes(HOSTILE[name])
    message = rf"{name} cannot be read as a picture.*(save it|leave it out)"
    with pytest.raises(ValueError, match=message):
        reading.as_array(tmp_path / name)
    with pytest.raises(ValueError, match=message):
        datasets.pictures(tmp_path, size=8)
    with pytest.raises(ValueError, match=message):
        fitted(HOSTILE[name], 8, name)


def test_a_tiff_of_a_kind_that_is_not_read_is_told_as_one(tmp_path):
    """Floats in colour: Pillow knows no mode for them."""
    def entry(tag: int, kind: int, count: int, value: int) -> bytes:
        return struct.pack("<HHII", tag, kind, count, value)

    tags = [(256, 3, 1, 2), (257, 3, 1, 1), (258, 3, 3, 200), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 220),
            (277, 3, 1, 3), (278, 3, 1, 1), (279, 4, 1, 24), (339, 3, 3, 206)]
    data = b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(entry(*tag) for tag in tags) + bytes(4)
    data = data.ljust(200, b"\0") + struct.pack("<3H3H", 32, 32, 32, 3, 3, 3)
    data = data.ljust(220, b"\0") + struct.pack("<6f", *[0.5] * 6)
    (tmp_path / "photo.tif").write_bytes(data)
    for given, name in ((tmp_path / "photo.tif", "photo.tif"), (data, "the picture")):
        with pytest.raises(ValueError, match=f"{name} cannot be read as a picture: it is a TIFF of a kind that is not"):
            reading.as_array(given)


def test_a_picture_that_pillow_has_opened_is_held_to_the_same_rules(tmp_path, monkeypatch):
    """It is opened lazily: load() is ours, and would start the other program or unpack the 144 million pixels."""
    for start in ("check_call", "Popen"):
        monkeypatch.setattr(f"subprocess.{start}", lambda *_, **__: pytest.fail("another program was started"))
    (tmp_path / "holiday.png").write_bytes(HOSTILE["script.png"])
    with Image.open(tmp_path / "holiday.png") as eps, pytest.raises(ValueError, match="opened as EPS, none of PNG"):
        reading.as_array(eps)
    monkeypatch.setattr(reading, "MAX_PIXELS", 100)
    with pytest.raises(ValueError, match="16×16 pixels"):
        reading.as_array(Image.open(io.BytesIO(packed(Image.new("L", (16, 16))))))
    assert reading.as_array(Image.new("L", (8, 8))).shape == (8, 8, 3)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_the_largest_floats_of_all_are_refused_in_words(kind):
    a = np.zeros((3, 4, 4), kind)
    a[0, 0, 0], a[1, 1, 1] = np.finfo(kind).min, np.finfo(kind).max
    with pytest.raises(ValueError, match="its floats go from"):
        reading.as_array(a, "it")


def test_what_cannot_become_an_array_is_refused_in_words():
    for odd in ([[0.0, 1.0], [0.5]], torch.eye(4).to_sparse(), torch.zeros(3, 4, 4, device="meta")):
        with pytest.raises(ValueError, match="it is not a picture.*wanted floats"):
            reading.as_array(odd, "it")


def test_an_empty_name_is_not_the_folder_that_we_are_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    four().save(tmp_path / "a.png")
    assert len(datasets.pictures(".", size=8).images) == 1
    with pytest.raises(ValueError, match="no pictures ''"):
        datasets.pictures("")


def test_pipes_devices_and_folders_are_refused_and_nothing_waits(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no named pipes here")
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", "/dev/zero", tmp_path):
        with pytest.raises(ValueError, match=f"{path} is a folder, a pipe or a device"):
            reading.square(path, 8)
    with pytest.raises(ValueError, match="pipe.png is a folder, a pipe or a device"):
        datasets.pictures(tmp_path, size=8)
    with pytest.raises(FileNotFoundError, match="away.png"):
        reading.as_array(tmp_path / "away.png")


def test_a_photograph_of_144_million_pixels_is_read_small(tmp_path):
    """A JPEG is unpacked at an eighth; what cannot be is refused."""
    Image.new("L", (12_000, 12_000), 200).save(tmp_path / "wide.jpg")
    assert (reading.square(tmp_path / "wide.jpg", 32).float() - 200).abs().max() < 3
    with pytest.raises(ValueError, match="wide.jpg.*12000×12000 pixels, at most 50 million"):
        reading.as_array(tmp_path / "wide.jpg")


# ------------------------------------------------------------------------------------------ folders

def test_a_folder_as_people_have_them(tmp_path, capsys):
    own = tmp_path / "own"
    for place in ("a.png", "trees/b.JPG", ".hidden.png", "._a.png", ".ipynb_checkpoints/c.png", "__MACOSX/d.png",
                  "run/samples/e.png", "named.png/f.png"):
        (own / place).parent.mkdir(parents=True, exist_ok=True)
        four().save(own / place, "PNG")
    (own / "run" / "resume.pt").write_bytes(b"")
    for i in range(5):
        (own / f"{i}.heic").write_bytes(b"")
    (own / "notes").write_text("")
    (own / "trees" / "up").symlink_to(own)                   # a loop
    (tmp_path / "far").mkdir()
    four().save(tmp_path / "far" / "g.png")
    (own / "far").symlink_to(tmp_path / "far")
    (own / "again").symlink_to(own / "trees")                # by its own name, and once
    found = datasets.pictures(own, size=8)
    assert len(found.images) == 3 and found.classes == ("far", "own", "trees")
    assert "3 pictures; 5 .heic, 1 .png/, 1 without a suffix left out" in capsys.readouterr().out
    assert len(datasets.pictures(own, size=8, without=own / "trees").images) == 2


def test_a_folder_named_like_a_set_is_not_taken_for_it_in_silence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "scenes").mkdir()
    four().save(tmp_path / "scenes" / "a.png")
    assert len(datasets.pictures("scenes", size=32, n=3).images) == 3
    assert "'scenes' is taken for the set of that name, not for the folder here; that one is ./scenes" in \
        capsys.readouterr().out
    for name in ("./scenes", tmp_path / "scenes", tmp_path.relative_to(tmp_path) / "scenes"):
        assert len(datasets.pictures(name, size=8).images) == 1 and not capsys.readouterr().out


def test_sizes_and_numbers_that_cannot_be(tmp_path):
    for options in ({"size": 0}, {"n": 0}, {"n": -1}):
        with pytest.raises(ValueError, match="must be a whole number from 1"):
            datasets.pictures("scenes", **options)


# ------------------------------------------------------------------------------------------ further cases of each kind

def png_rows(bits: int, colour: int, width: int, row: bytes, key: bytes) -> bytes:
    """A PNG of one row, whose transparent colour is named by `key`."""
    header = struct.pack(">IIBBBBB", width, 1, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"tRNS", key) + \
        chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("bits, row, key, wanted", [
    (1, b"\x40", 0, [255, 255]), (1, b"\x40", 1, [0, 255]), (2, b"\x1b", 1, [0, 255, 170, 255]),
    (4, b"\x5a", 5, [255, 170]), (8, b"\x07\x08", 7, [255, 8])])
def test_a_transparent_grey_of_a_png_is_that_of_its_own_bits(bits, row, key, wanted):
    data = png_rows(bits, 0, len(wanted), row, struct.pack(">H", key))
    assert reading.as_array(data)[0, :, 1].tolist() == wanted


def test_a_transparent_colour_of_16_bits_hides_that_colour_and_no_other():
    data = png_rows(16, 2, 2, struct.pack(">6H", 0x1234, 0, 0, 0x34FF, 0, 0), struct.pack(">3H", 0x1234, 0, 0))
    assert reading.as_array(data)[0].tolist() == [[255, 255, 255], [0x34, 0, 0]]
    with Image.open(io.BytesIO(data)) as image:
        reading.as_array(image)
        assert image.info["transparency"] == (0x1234, 0, 0)             # the reader's own is as it was


def test_a_picture_without_pixels_and_sizes_that_cannot_be():
    for read in (reading.as_array, lambda x: reading.square(x, 8)):
        with pytest.raises(ValueError, match="it has 0×4 pixels"):
            read(Image.new("RGB", (0, 4)))
    for size in (0, -1, 1.5, None, 10**6):                              # the last would take terabytes
        for make in (reading.square, fitted):
            with pytest.raises(ValueError, match="size must be a whole number from 1 to 4096"):
                make(four(), size)

"""Files that want to run something, to fill the memory or to pass for a network: refused, and nothing happens."""

import copyreg
import io
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import official_files as files
import official_fuzz
import pytest
import torch

from gan_teach import official
from gan_teach.checkpoints import BadCheckpoint
from gan_teach.official import tensorflow_pickles, torch_files, upernet


@pytest.fixture(autouse=True)
def empty_cache(tmp_path_factory, monkeypatch):
    """Whatever a test here tries to load, nothing of it is left: no converted copy, half a one or temporary file."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GAN_TEACH_CACHE", str(cache))
    yield
    assert list(cache.rglob("*")) == []


@pytest.fixture
def canary(tmp_path):
    yield (path := tmp_path / "canary")
    assert not path.exists(), "the file ran its command"


def refused(path, data, message):
    path.write_bytes(data)
    beside = sorted(path.parent.iterdir())
    for read in (tensorflow_pickles.read_network, torch_files.read_tensors, official.convert, official.load_official):
        if read is torch_files.read_tensors and not data.startswith(torch_files.STARTS):
            continue
        if read is tensorflow_pickles.read_network and data.startswith(torch_files.STARTS):
            continue
        with pytest.raises(BadCheckpoint, match=f"{path.name}.*{message}.*fetch the file again"):
            read(path)
    assert sorted(path.parent.iterdir()) == beside


def text(string):
    return b"X" + struct.pack("<I", len(string)) + string.encode()


CALLS = {  # every way in which a pickle calls something
    "GLOBAL, REDUCE": lambda arg: b"\x80\x02cposix\nsystem\n" + arg + b"\x85R.",
    "protocol 0": lambda arg: b"cposix\nsystem\n(S'true'\ntR.",
    "STACK_GLOBAL": lambda arg: b"\x80\x04\x8c\x05posix\x8c\x06system\x93" + arg + b"\x85R.",
    "INST": lambda arg: b"(" + arg + b"iposix\nsystem\n.",
    "OBJ": lambda arg: b"(cposix\nsystem\n" + arg + b"o.",
    "NEWOBJ": lambda arg: b"\x80\x02cposix\nsystem\n" + arg + b"\x85\x81.",
    "NEWOBJ_EX": lambda arg: b"\x80\x04cposix\nsystem\n" + arg + b"\x85}\x92.",
    "BUILD": lambda arg: b"\x80\x02cdnnlib.tflib.network\nNetwork\n)\x81}" + text("__setstate__") +
             b"cposix\nsystem\ns" + b"b" + arg + b"b.",
    "BUILD of an array": lambda arg: b"\x80\x02cnumpy\nndarray\n)R" + arg + b"b.",
    "EXT1": lambda arg: b"\x80\x02\x82\xf0" + arg + b"\x85R.",
    "EXT4": lambda arg: b"\x80\x02\x84\xf0\0\0\0" + arg + b"\x85R.",
    "PERSID": lambda arg: b"Pposix.system\n.",
    "BINPERSID": lambda arg: b"\x80\x02" + arg + b"Q.",
    "attribute of an allowed name": lambda arg: b"\x80\x04" + text("numpy") + text("dtype.__class__.__base__") +
                                    b"\x93" + arg + b"\x85R.",
    "a module that has the function": lambda arg: b"\x80\x02cnumpy.core.multiarray\nfromfile\n" + arg + b"\x85R.",
    "reader as a callable": lambda arg: b"\x80\x02c_codecs\ndecode\n" + arg + b"\x85R.",
    "call of a value": lambda arg: b"\x80\x02" + arg + arg + b"\x85R.",
    "call of an array": lambda arg: b"\x80\x02cnumpy\nndarray\n" + arg + b"\x85R.",
    "buffer from outside": lambda arg: b"\x80\x05\x97.",
}


@pytest.mark.parametrize("way", CALLS)
def test_no_opcode_can_call(tmp_path, canary, way):
    copyreg.add_extension("posix", "system", 0xF0)
    try:
        refused(tmp_path / "net.pkl", CALLS[way](text(f"touch {canary}")), "nothing of it was run")
    finally:
        copyreg.remove_extension("posix", "system", 0xF0)


@pytest.mark.parametrize("way", CALLS)
@pytest.mark.parametrize("place", ["content", "keys"])
def test_no_opcode_can_call_in_a_file_of_pytorch(tmp_path, canary, way, place):
    evil = CALLS[way](text(f"touch {canary}"))
    beginning = b"".join(pickle.dumps(part, 2) for part in (torch_files.MAGIC, 1001, {"little_endian": True}))
    legacy = beginning + (evil if place == "content" else pickle.dumps({}, 2) + evil)
    refused(tmp_path / "legacy.pth", legacy, "nothing of it was run")
    if place == "content":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("net/data.pkl", evil)
        refused(tmp_path / "zip.pth", file.getvalue(), "nothing of it was run")


class Evil:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_commands_inside_a_network_do_not_run(tmp_path, canary):
    evil = Evil(f"touch {canary}")
    v = files.stylegan_variables(np.random.default_rng(0), 4, 3, 3, {4: 3})
    for variable in (evil, np.array([evil], dtype=object), np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")])):
        Gs = files.with_components(v | {"extra": variable})
        refused(tmp_path / "net.pkl", files.tensorflow_pickle([Gs] * 3), "system|plain numbers|an array of the type")
    # The source text that would build the network in TensorFlow is dropped: SystemExit would end this test.
    (tmp_path / "net.pkl").write_bytes(files.tensorflow_pickle([files.with_components(v)] * 3))
    assert official.convert(tmp_path / "net.pkl").z_dim == 3


def small():
    v = files.stylegan_variables(np.random.default_rng(0), 4, 3, 3, {4: 3})
    return files.tensorflow_pickle([files.with_components(v)] * 3)


@pytest.mark.parametrize("spoil, message", [
    (lambda b: b[:-1], ""), (lambda b: b[: len(b) // 2], ""), (lambda b: b[:1], ""),
    (lambda b: b + b"more", "goes on for 4 bytes"), (lambda b: b + b, "goes on for"),
    (lambda b: b"hello" + b, ""), (lambda b: b"<!DOCTYPE html><html>quota exceeded</html>", ""),
    (lambda b: pickle.dumps((1, 2, 3)), "no tuple of the three networks"),
    (lambda b: files.tensorflow_pickle([files.Network("G", {}, version=4)] * 3), "version 4.*StyleGAN2"),
])
def test_cut_trailing_and_foreign_pickles_are_refused(tmp_path, spoil, message):
    refused(tmp_path / "net.pkl", spoil(small()), message)


def test_empty_files_are_refused(tmp_path):
    (tmp_path / "net.pkl").touch()
    with pytest.raises(BadCheckpoint, match="net.pkl has 0 bytes"):
        official.load_official(tmp_path / "net.pkl")


def saved(legacy, **content):
    file = io.BytesIO()
    torch.save(content or {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2)}, file,
               _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("spoil", [lambda b: b[:-1], lambda b: b[: len(b) // 2], lambda b: b + b"more",
                                   lambda b: b.replace(np.float32(5).tobytes(), np.float32(np.nan).tobytes())])
def test_cut_trailing_and_altered_files_of_pytorch_are_refused(tmp_path, legacy, spoil):
    assert spoil(saved(legacy)) != saved(legacy)
    refused(tmp_path / "net.pth", spoil(saved(legacy)), "")


OTHER = {"sparse": lambda: torch.sparse_coo_tensor([[0]], [1.0], (1 << 40,), check_invariants=True),
         "module": lambda: torch.nn.Linear(2, 2), "numpy": lambda: np.ones(3), "function": lambda: torch.load,
         "meta": lambda: torch.empty(1 << 40, device="meta")}


@pytest.mark.parametrize("kind", OTHER)
@pytest.mark.parametrize("legacy", [True, False])
def test_anything_but_plain_tensors_is_refused(tmp_path, legacy, kind):
    refused(tmp_path / "net.pth", saved(legacy, a=OTHER[kind]()), "asks for|kind")


def zipped(compression=zipfile.ZIP_STORED, extra=(), structure=None):
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(False))) as source, zipfile.ZipFile(file, "w", compression) as archive:
        for name in source.namelist():
            archive.writestr(name, structure if structure and name.endswith("data.pkl") else source.read(name))
        for name, data in extra:
            archive.writestr(name, data)
    return file.getvalue()


def test_zip_bombs_and_odd_archives_are_refused(tmp_path):
    path = tmp_path / "net.pth"
    refused(path, zipped(zipfile.ZIP_DEFLATED, [("archive/data/9", bytes(1 << 24))]), "compressed")
    refused(path, zipped(extra=[("other/data.pkl", b"N.")]), "has no data.pkl")
    refused(path, zipped(extra=[("archive/code.py", b"")])[:-5] + b"\1\0\0\0\0", "")
    with pytest.warns(UserWarning, match="Duplicate"):
        refused(path, zipped(extra=[("archive/data/0", b"")]), "overlapping")
    overlapping = zipped()
    # Both directory entries point at one stored part: the sizes then add up to more than the file has.
    first, second = (overlapping.index(b"PK\1\2"), overlapping.rindex(b"PK\1\2"))
    refused(path, overlapping[:first + 42] + overlapping[second + 42:second + 46] + overlapping[first + 46:], "")


def storage(kind="FloatStorage", key="0", numel=6):
    parts = text("storage") + b"c" + f"torch\n{kind}\n".encode() + text(key) + text("cpu")
    return b"(" + parts + (b"J" + struct.pack("<i", numel) if numel < 1 << 31 else b"\x8a\x06" +
                           numel.to_bytes(6, "little")) + b"tQ"


def tensor(size, stride, offset=0, **of):
    numbers = [b"\x8a\x06" + n.to_bytes(6, "little", signed=True) for n in (offset, *size, *stride)]
    size, stride = numbers[1:1 + len(size)], numbers[1 + len(size):]
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage(**of) + numbers[0] + b"(" + b"".join(size) + b"t(" +
            b"".join(stride) + b"t\x89}tR")


@pytest.mark.parametrize("part, message", [
    (tensor((2, 3), (3, 1)), None),
    (tensor((1 << 40,), (0,)), "tensor of size"),                    # one number stretched over terabytes
    (tensor((3, 3), (3, 1)), "tensor of size"),
    (tensor((2,), (1,), offset=5), "tensor of size"),
    (tensor((2,), (1,), offset=-1), "no window"),
    (tensor((2, 3), (3,)), "few numbers"),
    (tensor((2, 3), (3, 1), numel=1 << 40), "bytes|declares|cut"),   # a storage that is not there
    (tensor((2, 3), (3, 1), kind="UntypedStorage"), "UntypedStorage"),
    (tensor((2, 3), (3, 1), kind="ComplexFloatStorage"), "ComplexFloatStorage"),
    (tensor((2, 3), (3, 1), key="../0"), "storage"),
    (tensor((2, 3), (3, 1), kind="DoubleStorage"), "storage|declares"),
])
@pytest.mark.parametrize("legacy", [True, False])
def test_sizes_are_compared_with_the_bytes_that_are_there(tmp_path, legacy, part, message):
    structure = b"\x80\x02}" + text("a") + part + b"s."
    if legacy:
        data = b"".join(pickle.dumps(p, 2) for p in (torch_files.MAGIC, 1001, {"little_endian": True}))
        data += structure + pickle.dumps(["0"], 2) + struct.pack("<q6f", 6, *range(6))
    else:
        data = zipped(structure=structure)
    if message:
        refused(tmp_path / "net.pth", data, message)
    else:
        (tmp_path / "net.pth").write_bytes(data)
        assert torch.equal(torch_files.read_tensors(tmp_path / "net.pth")["a"], torch.arange(6.0).reshape(2, 3))


ARRAY = (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tC\1btR(K\1(%btcnumpy\ndtype\n(" + text("f4") +
         b"\x89\x88tR\x89%bt" + b"b")


@pytest.mark.parametrize("data, message", [
    # sizes that are not there, for an array, a text, a frame and a place in the memo
    (b"\x80\x02" + ARRAY % (b"\x8a\x06" + (1 << 40).to_bytes(6, "little"), b"C\4\0\0\0\0") + b".", "shape"),
    (b"\x80\x02" + ARRAY % (b"J\xff\xff\xff\xff", b"C\4\0\0\0\0") + b".", "shape"),
    (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"abc.", ""), (b"\x80\x02X\xff\xff\xff\x7fabc.", ""),
    (b"\x80\x04\x95" + struct.pack("<Q", 1 << 60) + b"N.", ""), (b"\x80\x02Nr\xff\xff\xff\xff.", ""),
    # one text made into bytes again and again, one dictionary copied again and again
    (b"\x80\x02(" + text("a" * 10_000) + b"q\0" + 90 * (b"c_codecs\nencode\n(h\0" + text("latin1") + b"tR") + b"t.",
     "more of its bytes"),
    (b"\x80\x02](" + 500 * b"(K\1K\1l" + b"e.", ""),
    # nested more deeply than a program may recurse, as tuples, lists, keys and marks
    (b"\x80\x02)" + b"\x85" * 40_000 + b".", "no tuple of the three"), (b"\x80\x02" + b"(" * 40_000 + b".", "nested"),
    (b"\x80\x02}" + b")" + b"\x85" * 40_000 + b"Ns.", "dictionary of names"),
    (b"\x80\x02" + b"]" * 40_000 + b".", "nested"), (b"\x80\x02" + b"N0" * 10, "POP"),
    # each level twice the one before: 2^60 parts if anyone counts or prints them
    (b"\x80\x02)" + b"".join(b"q%ch%c\x86" % (i, i) for i in range(60)) + b".", "no tuple of the three"),
    (b"\x80\x02)" + b"".join(b"q%ch%c\x86" % (i, i) for i in range(60)) + b"cnumpy\ndtype\nh\5\x85R.", ""),
])
def test_small_files_cannot_fill_the_memory_or_the_stack(tmp_path, data, message):
    path = tmp_path / "net.pkl"
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(BadCheckpoint, match=f"net.pkl.*{message}"):
        official.load_official(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6


def test_one_array_under_many_names_is_refused(tmp_path):
    wide = np.ones(5000, np.float32)
    many = files.Network("G", {f"v{i}": wide for i in range(100)})
    refused(tmp_path / "net.pkl", files.tensorflow_pickle([many] * 3), "more variables than bytes")
    loop = files.Network("G", {})
    loop.state["components"] = {"synthesis": loop}
    refused(tmp_path / "net.pkl", files.tensorflow_pickle([loop] * 3), "no plain network")


def test_damaged_files_are_refused_or_read_as_data():
    count = int(os.environ.get("GAN_TEACH_FUZZ", 2000))
    outcomes = official_fuzz.run(count, seed=1)
    assert sum(outcomes.values()) == count
    for reader in ("read_network", "read_tensors"):
        assert outcomes["refused", reader] > outcomes["equal", reader] + outcomes["other", reader] > 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_pipes_are_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for read in (torch_files.read_tensors, tensorflow_pickles.read_network,
                 lambda pipe: upernet.read(pipe, pipe, pipe)):
        with pytest.raises(ValueError, match="pipe is a folder, a pipe or a device"):
            read(tmp_path / "pipe")

"""Read a file that `torch.save` wrote, zip or legacy, without torch.load: tensors, numbers and strings only.

torch.load(weights_only=True) runs no code either, but it believes what a file says of its sizes: a legacy file of a few
bytes may ask for terabytes, a tensor may stretch one number over them by a stride of 0. Here the structure is read by
the machine of `pickles`, every size is compared with the bytes that are there, and only then are tensors made.
"""

import io
import math
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch

from .pickles import Name, brief, opened, ordered_dict, run

MAGIC = 0x1950A86A20F9469CFC6C      # the first of the four pickles that open a legacy file
MAX_DIRECTORY = 1 << 22             # bytes of a zip file's list of parts, each of which takes about 70
STARTS = (b"PK\3\4", b"\x80\2\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")     # how a zip and a legacy file begin
DTYPES = {"DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
          "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
          "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
          "BoolStorage": torch.bool}


@dataclass
class Storage:
    dtype: torch.dtype
    key: str
    numel: int

    @property
    def nbytes(self) -> int:
        return self.numel * self.dtype.itemsize


@dataclass
class View:
    """A tensor as the file describes it: a window on a storage."""
    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def __post_init__(self):
        numbers = [self.offset]
        for part in (self.size, self.stride):
            if type(part) is not tuple or len(part) != len(self.size) or len(part) > 8:
                raise ValueError("has a tensor whose size or stride is not a few numbers")
            numbers += part
        if type(self.storage) is not Storage or not all(type(n) is int and n >= 0 for n in numbers):
            raise ValueError("has a tensor that is no window on a storage")
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride))
        most = self.storage.numel
        if self.numel > most or max(self.size, default=0) > max(most, 1 << 16) or (self.numel and last >= most):
            raise ValueError(f"has a tensor of size {self.size} on a storage of {most} numbers")

    @property
    def numel(self) -> int:
        return math.prod(self.size)


def _tensor(storage, offset, size, stride, *_) -> View:
    return View(storage, offset, size, stride)


def _parameter(view, *_) -> View:
    if type(view) is not View:
        raise ValueError("has a parameter that is no tensor")
    return view


def _storage(given) -> Storage:
    if type(given) is not tuple or len(given) not in (5, 6) or given[0] != "storage":
        raise ValueError("refers to something outside that is no storage")
    _, kind, key, _, numel, *view = given
    plain = type(kind) is Name and type(key) is str and type(numel) is int and numel >= 0
    if not plain or kind.module != "torch" or kind.name not in DTYPES or any(part is not None for part in view):
        raise ValueError(f"has a storage of the kind {brief(kind)}")
    return Storage(DTYPES[kind.name], key, numel)


BUILDERS = {Name("collections", "OrderedDict"): ordered_dict,
            Name("torch._utils", "_rebuild_tensor"): _tensor, Name("torch._utils", "_rebuild_tensor_v2"): _tensor,
            Name("torch._utils", "_rebuild_parameter"): _parameter}
STORAGES = frozenset(Name("torch", kind) for kind in DTYPES)


def read_tensors(path: str | Path) -> dict:
    """What a file of `torch.save` holds: {name: tensor}, or {name: {name: tensor}} where it keeps several networks.

    Numbers and strings beside the tensors are kept, deeper things (an optimiser's state) are left out. Raises
    BadCheckpoint for a file that is cut, inconsistent, compressed, holds other objects or numbers that are not finite.
    """
    with opened(path) as (file, size):
        content, data = _zip(file, size) if file[:4] == b"PK\3\4" else _legacy(file, size)
        if type(content) is not dict:
            raise ValueError("is no dictionary of tensors")
        flat: dict[str, torch.Tensor] = {}       # storages already read
        budget = 2 * size                        # tied weights are stored once and named twice

        def leaf(name, value):
            nonlocal budget
            budget -= 1 + (value.numel * value.storage.dtype.itemsize if type(value) is View else 0)
            if budget < 0:
                raise ValueError("has more tensors than bytes")
            return _tensor_of(name, value, flat, data) if type(value) is View else value

        def leaves(group):
            return {name: leaf(name, v) for name, v in group.items() if type(v) in (View, int, float, bool, str)}

        return leaves(content) | {name: leaves(group) for name, group in content.items() if type(group) is dict}


def _tensor_of(name, view: View, flat: dict[str, torch.Tensor], data) -> torch.Tensor:
    storage = view.storage
    if storage.key not in flat:
        raw = bytearray(data(storage))
        flat[storage.key] = torch.frombuffer(raw, dtype=torch.uint8) if raw else torch.empty(0, dtype=torch.uint8)
    tensor = flat[storage.key].view(storage.dtype).as_strided(view.size, view.stride, view.offset)
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        raise ValueError(f"has NaN or infinite numbers in {brief(name)}")
    return tensor


def _zip(file, size: int):
    """The pickle of a zip file, and a function Storage → bytes. PyTorch stores without compression: no zip bomb."""
    if file[-22:-18] != b"PK\5\6":
        raise ValueError("is a zip file with something behind it")
    directory = [file[-10:-6]] + ([file[-58:-50]] if file[-42:-38] == b"PK\6\7" else [])   # its size, old and zip64
    if max(int.from_bytes(length, "little") for length in directory) > MAX_DIRECTORY:
        raise ValueError("has more parts than a weight file")
    archive = zipfile.ZipFile(file)
    entries = archive.infolist()
    if min((e.header_offset for e in entries), default=1):
        raise ValueError("is a zip file with something before it")
    if any(e.compress_type or e.file_size != e.compress_size or e.flag_bits & 1 for e in entries):
        raise ValueError("has compressed or encrypted parts, which torch.save never writes")
    names = {e.filename for e in entries}
    if len(names) < len(entries) or sum(e.file_size for e in entries) > size:
        raise ValueError("has overlapping parts")
    roots = [name[: -len("data.pkl")] for name in names if name.endswith("/data.pkl")]
    if len(roots) != 1:
        raise ValueError("is a zip file that torch.save did not write (it has no data.pkl)")
    root = roots[0]
    if f"{root}byteorder" in names and archive.read(f"{root}byteorder") != b"little":
        raise ValueError("was written on a big-endian machine")

    def data(storage: Storage) -> bytes:
        entry = f"{root}data/{storage.key}"
        if entry not in names or archive.getinfo(entry).file_size != storage.nbytes:
            raise ValueError(f"has no {storage.nbytes} bytes for the storage {brief(storage.key)}")
        return archive.read(entry)               # compares the CRC

    structure = io.BytesIO(archive.read(f"{root}data.pkl"))
    content = run(structure, size, BUILDERS, STORAGES, _storage)
    if structure.read(1):
        raise ValueError("goes on behind the end of its data.pkl")
    return content, data


def _legacy(file, size: int):
    """The pickle of a file from before torch 1.6, and a function Storage → bytes."""
    if run(file, size, {}) != MAGIC or run(file, size, {}) != 1001:
        raise ValueError("was not written by torch.save")
    system = run(file, size, {})
    if type(system) is not dict or system.get("little_endian") is not True:
        raise ValueError("was written on a big-endian machine")
    declared: dict[str, Storage] = {}

    def remember(given) -> Storage:
        storage = _storage(given)
        if declared.setdefault(storage.key, storage) != storage:
            raise ValueError(f"declares the storage {brief(storage.key)} twice")
        return storage

    content = run(file, size, BUILDERS, STORAGES, remember)
    keys = run(file, size, {})
    if type(keys) is not list or not all(type(key) is str for key in keys) or sorted(keys) != sorted(declared):
        raise ValueError("does not hold the storages that it declares")
    starts = {}
    position = file.tell()
    for key in keys:                             # each one: the number of elements, then the elements
        if file[position : position + 8] != struct.pack("<q", declared[key].numel):
            raise ValueError(f"is cut or altered before the storage {brief(key)}")
        starts[key] = position + 8
        position += 8 + declared[key].nbytes
    if position != size:
        raise ValueError(f"has {size} bytes and declares {position}")
    return content, lambda storage: file[starts[storage.key] : starts[storage.key] + storage.nbytes]

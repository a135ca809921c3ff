"""Weights come back as they were written, and a bad file is refused with its name and what to do."""

import itertools
import json
import os
import pathlib
import threading

import pytest
import torch
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode

import gan_teach
from gan_teach import checkpoints, files, processes, recipes
from gan_teach.__main__ import main
from gan_teach.dissection.units import save_units
from gan_teach.networks.layers import sample_z, seeded
from gan_teach.networks.progan import Discriminator, Generator, ProGANConfig
from gan_teach.training import Settings, Training, keep_samples


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    G = Generator(ProGANConfig(z_dim=8, widths=(8, 8)))
    checkpoints.save(tmp_path / "small", G, licence="MIT")
    return G, tmp_path / "small.safetensors"


def test_round_trip(saved):
    G, path = saved
    again = gan_teach.load(path, device="cpu")
    z = torch.randn(3, 8)
    assert torch.equal(again(z), G(z)) and again.config == G.config and not again.training
    assert again.record["licence"] == "MIT" and again.record["parameters"] == sum(p.numel() for p in G.parameters())
    assert [p.name for p in path.parent.iterdir() if p.suffix == ".tmp"] == []


@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b[:-4] + b"\0\0\0\1", lambda b: b"hello" + b])
@pytest.mark.parametrize("with_record", [True, False])
def test_cut_altered_and_foreign_files_are_refused(saved, spoil, with_record):
    _, path = saved
    original = path.read_bytes()
    path.write_bytes(spoil(original))
    if not with_record:
        path.with_suffix(".json").unlink()
        if len(path.read_bytes()) == len(original):
            pytest.skip("a changed weight cannot be told without the record")
    with pytest.raises(checkpoints.BadCheckpoint, match="small.safetensors.*again"):
        gan_teach.load(path)


def test_foreign_safetensors_are_refused(tmp_path):
    save_file({"w": torch.ones(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(checkpoints.BadCheckpoint, match="foreign.safetensors was not written by gan_teach"):
        gan_teach.load(tmp_path / "foreign.safetensors")


@pytest.mark.parametrize("config, tensors", [
    ({"widths": [8, 8], "z_dim": 9}, None), ({"colour": "red"}, None), ({"widths": [8, 8], "z_dim": 8}, float("nan"))])
def test_weights_that_do_not_fit_or_are_not_finite_are_refused(saved, config, tensors):
    G, path = saved
    path.with_suffix(".json").unlink()
    state = {k: v if tensors is None else torch.full_like(v, tensors) for k, v in G.state_dict().items()}
    save_file(state, path, {"kind": "progan", "config": json.dumps(config)})
    with pytest.raises(checkpoints.BadCheckpoint, match="small.safetensors"):
        gan_teach.load(path)


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(ValueError, match=f"did you mean 'scenes-progan'.*{', '.join(checkpoints.shipped())}, "
                       "or give the path of a file$"):
        gan_teach.load("scene-progan")
    with pytest.raises(FileNotFoundError, match="no file .*nowhere.safetensors"):
        gan_teach.load("nowhere.safetensors")
    with pytest.raises(ValueError, match="no shipped checkpoint ''; there are: "):      # not the folder that we are in
        gan_teach.load("")


@pytest.mark.parametrize("name", checkpoints.shipped())
def test_every_shipped_checkpoint_loads_and_has_a_full_record(name):
    model = gan_teach.load(name)
    assert set(model.record) >= {"sha256", "bytes", "parameters", "command", "data", "seconds", "licence"}
    start = f"runs/{name}/{name}"
    options = f" --loss relativistic --start {start}" if "start" in model.record else ""
    assert model.record["command"] == f"python -m gan_teach train {name}{options}" and name in recipes.RECIPES


def test_shipped_weights_are_small():
    assert sum(p.stat().st_size for p in files.data_folder().glob("*.safetensors")) < 30e6


def test_the_record_and_the_segmenter_keep_their_promises():
    assert checkpoints.record("scenes-segmenter")["mean_iou"] >= 0.90
    assert set(checkpoints.shipped()) >= {"scenes-progan", "scenes-segmenter"}


# ------------------------------------------------------------------------------------------ files of the reader's own

def test_a_suffix_is_added_and_none_is_replaced(tmp_path):
    torch.manual_seed(0)
    first, second = (Generator(ProGANConfig(z_dim=4, widths=(4,))) for _ in range(2))
    for name, G in (("gen-0.1", first), ("gen-0.2", second)):
        checkpoints.save(tmp_path / name, G)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "gen-0.1.json", "gen-0.1.safetensors", "gen-0.2.json", "gen-0.2.safetensors"]
    z = torch.randn(2, 4)
    for name, G in (("gen-0.1", first), ("gen-0.2", second)):
        for given in (tmp_path / name, str(tmp_path / name), tmp_path / f"{name}.safetensors"):
            assert torch.equal(gan_teach.load(given, "cpu")(z), G(z))


@pytest.mark.parametrize("name", ["first", "gen.pt", pathlib.Path("first")])
def test_what_was_saved_is_loaded_by_the_same_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    G, z = Generator(ProGANConfig(z_dim=4, widths=(4,))), torch.randn(2, 4)
    checkpoints.save(name, G)
    for load, given in itertools.product((gan_teach.load, checkpoints.load), (name, f"./{name}", tmp_path / name)):
        assert torch.equal(load(given, "cpu")(z), G(z))
    (tmp_path / name).mkdir()                                # as of its training, beside it
    assert torch.equal(gan_teach.load(tmp_path / name, "cpu")(z), G(z))


@pytest.mark.parametrize("name", [".", "..", "nets/.", "nets/..", "nets/"])
def test_a_folder_is_no_name_for_a_network(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="is a folder: end the path with a name"):
        checkpoints.save(name, Generator(ProGANConfig(z_dim=4, widths=(4,))))
    assert not list(tmp_path.iterdir())


def test_weights_may_be_read_by_whom_their_record_may(saved):
    _, path = saved
    assert path.stat().st_mode == path.with_suffix(".json").stat().st_mode


@pytest.mark.parametrize("own", [False, True])
def test_saving_through_a_link_leaves_its_target_whole(saved, own):
    _, path = saved
    link, z = path.with_name("latest.safetensors"), torch.randn(2, 8)
    link.symlink_to(path.name)
    if own:                                                  # a record of its own, too
        link.with_suffix(".json").write_bytes(path.with_suffix(".json").read_bytes())
    second = Generator(ProGANConfig(z_dim=8, widths=(8, 8)))
    checkpoints.save(link, second, number=2)
    assert link.is_symlink() and link.with_suffix(".json").exists() == own
    for given in (path, link):
        again = gan_teach.load(given, "cpu")
        assert torch.equal(again(z), second(z)) and again.record["number"] == 2


def test_what_a_link_points_to_is_compared_with_its_record(saved):
    G, path = saved
    link, other = path.with_name("latest.safetensors"), path.with_name("blob")
    link.symlink_to(path.name)
    assert gan_teach.load(link, "cpu").record["licence"] == "MIT"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(checkpoints.BadCheckpoint, match="its SHA-256 differs"):
        gan_teach.load(link)
    checkpoints.save(path, G)                                # a store of files by number, and links with names
    path.rename(other)
    path.symlink_to(other.name)
    assert gan_teach.load(path, "cpu").record["kind"] == "progan"


def test_nothing_that_is_not_finite_or_not_ours_is_saved(saved, tmp_path):
    G, path = saved
    before = path.read_bytes(), path.with_suffix(".json").read_bytes()
    with torch.no_grad():
        next(G.parameters())[0] = float("nan")
    with pytest.raises(ValueError, match="blocks.layer1.conv.weight holds NaN.*not written"):
        checkpoints.save(path, G)
    assert (path.read_bytes(), path.with_suffix(".json").read_bytes()) == before
    with pytest.raises(ValueError, match="a Linear cannot be saved"):
        checkpoints.save(tmp_path / "other", torch.nn.Linear(2, 2))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("change, message", [
    (lambda t: t.double().fill_(1e300), "NaN or infinite weights"), (lambda t: t.to(torch.complex64), "complex64"),
    (lambda t: t.to(torch.float8_e4m3fn).fill_(float("nan")), "NaN or infinite weights"),
    (lambda t: t.to(torch.int32), "int32"), (lambda t: t > 0, "bool"), (lambda t: t[..., :1], r"is \(.*\), not \(")])
def test_the_tensors_of_the_model_are_checked(saved, change, message):
    G, path = saved
    path.with_suffix(".json").unlink()
    state = G.state_dict()
    state["blocks.layer2.conv.weight"] = change(state["blocks.layer2.conv.weight"]).contiguous()
    save_file(state, path, {"kind": "progan", "config": json.dumps({"widths": [8, 8], "z_dim": 8})})
    with pytest.raises(checkpoints.BadCheckpoint, match=f"small.safetensors.*{message}"):
        gan_teach.load(path)


class Made(TorchDispatchMode):
    """The most numbers of a tensor that was made, on another device than meta."""

    most = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor) and not out.is_meta:
            self.most = max(self.most, out.numel())
        return out


@pytest.mark.parametrize("kind, config", [
    ("stylegan", '{"resolution": 8192, "fmap_base": 1048576, "fmap_max": 1}'),
    ("stylegan", '{"mapping_layers": 1000000000}'), ("stylegan", '{"mapping_layers": 1000000}'),
    ("stylegan", f'{{"resolution": {2**4000}}}'), ("stylegan", '{"z_dim": 1048576, "w_dim": 1048576}'),
    ("progan", '{"widths": [1000000, 1000000]}'), ("progan", f'{{"widths": [{"1, " * 100_000}1]}}'),
    ("progan", '{"z_dim": true}'), ("progan", '{"z_dim": "8"}'), ("progan", '{"z_dim": 1e999}'),
    ("progan", '{"widths": [[8]]}'), ("progan", "[" * 100_000), ("progan", "[]"), ("progan", "null"), ("progan", ""),
    ("dcgan", '{"first": -1}'), ("classifier", '{"heads": [["a"]]}'), ("segmenter", '{"classes": 5}')])
def test_a_header_is_compared_before_anything_of_its_size_is_made(tmp_path, monkeypatch, kind, config):
    save_file({"w": torch.ones(2)}, tmp_path / "small.safetensors", {"kind": kind, "config": config})
    made, init = [], torch.nn.Module.__init__
    monkeypatch.setattr(torch.nn.Module, "__init__", lambda self: made.append(init(self)))
    with Made() as tensors, pytest.raises(checkpoints.BadCheckpoint,
                                          match="small.safetensors does not fit the network"):
        gan_teach.load(tmp_path / "small.safetensors")
    assert len(made) < 10_000 and tensors.most < 1000


@pytest.mark.parametrize("side", [b"", b"{", b"[]", b"null", b"3", b"{}", b'{"sha256": 5}', b"\xff\xfe", b"[" * 100_000,
                                  b'{"sha256": null}', b'{"a": ' * 50_000])
def test_a_broken_record_is_refused_by_name(saved, side, capsys):
    _, path = saved
    path.with_suffix(".json").write_bytes(side)
    with pytest.raises(checkpoints.BadCheckpoint, match="small.json"):
        gan_teach.load(path)
    assert main(["dissect", str(path)]) == 1
    assert "small.json" in (said := capsys.readouterr().err) and "Traceback" not in said


def test_a_record_of_another_kind_is_refused(saved):
    _, path = saved
    side = path.with_suffix(".json")
    side.write_text(side.read_text().replace('"progan"', '"stylegan"'))
    with pytest.raises(checkpoints.BadCheckpoint, match="small.safetensors is a progan, and small.json describes a st"):
        gan_teach.load(path)


@pytest.mark.parametrize("setting", ["float64", "meta", "inference"])
def test_what_is_set_outside_changes_nothing(saved, setting):
    G, path = saved
    z, first = torch.randn(2, 8), sample_z(2, 8, seed=0)
    wanted = G(z)
    try:
        if setting == "float64":
            torch.set_default_dtype(torch.float64)
        if setting == "meta":
            torch.set_default_device("meta")
        with torch.inference_mode(setting == "inference"):
            again = gan_teach.load(path, "cpu")
            assert torch.equal(again(z), wanted)
            assert torch.equal(sample_z(2, 8, seed=0), first)
            if setting == "meta":
                with pytest.raises(ValueError, match=r"instead of torch.set_default_device\('meta'\)"):
                    seeded(0)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
    assert not next(again.parameters()).is_inference()


# ------------------------------------------------------------------------------------------ which file it is

def test_a_shipped_name_comes_before_a_folder_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenes-progan").mkdir()
    assert gan_teach.load("scenes-progan", "cpu").record["kind"] == "progan"
    with pytest.raises(FileNotFoundError, match="encoder_epoch_40.pth"):
        gan_teach.load("./scenes-progan")


def test_a_folder_of_a_training_points_to_the_file_in_it(saved, monkeypatch):
    _, path = saved
    monkeypatch.chdir(path.parent.parent)
    for load, given in itertools.product((gan_teach.load, checkpoints.load), (path.parent, path.parent.name)):
        with pytest.raises(FileNotFoundError, match=f"load .*{path.parent.name}/{path.name}"):
            load(given)
    path.unlink()
    (path.parent / "resume.pt").write_bytes(b"")
    for load in (gan_teach.load, checkpoints.load):
        with pytest.raises(FileNotFoundError, match="has not ended"):
            load(path.parent)


@pytest.mark.parametrize("name", ["net.bin", "net", "net.ckpt", "net.pth"])
def test_our_file_is_known_by_its_first_bytes(saved, name):
    G, path = saved
    other = path.parent / name
    other.write_bytes(path.read_bytes())
    z = torch.randn(2, 8)
    assert torch.equal(gan_teach.load(other, "cpu")(z), G(z))


# ------------------------------------------------------------------------------------------ a full disk

def test_a_full_disk_is_told_and_leaves_the_old_file_alone(saved):
    """No file may grow beyond 500 bytes: every writer fails as on a full disk, half-way."""
    resource = pytest.importorskip("resource")
    G, path = saved
    folder, before = path.parent, path.read_bytes()
    small = ProGANConfig(z_dim=4, widths=(4,))
    training = Training(Generator(small), Discriminator(small), torch.zeros(4, 3, 4, 4, dtype=torch.uint8),
                        Settings(batch=2), "cpu")
    writers = {path: lambda: checkpoints.save(path, G),
               folder / "units.json": lambda: save_units(folder / "units.json", list(range(500)), "layer1", "tree"),
               folder / "resume.pt": lambda: training.save(folder / "resume.pt"),
               folder / "note.txt": lambda: files.write_text(folder / "note.txt", "x" * 100_000)}
    (folder / "samples").mkdir()
    writers[folder / "samples" / "00000001.png"] = lambda: keep_samples(folder, 1, G, torch.randn(48, 8))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    told = {}
    for file, write in writers.items():
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
        try:
            write()
        except OSError as error:
            told[file] = str(error)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert set(told) == set(writers)
    assert all(f"the disk is full, {file} was not written" in text for file, text in told.items())
    assert not list((folder / "samples").iterdir()) and path.read_bytes() == before
    assert {p.name for p in folder.iterdir()} == {"small.safetensors", "small.json", "samples"}


@pytest.mark.parametrize("first", [True, False])
def test_a_kill_at_any_moment_of_saving_leaves_weights_with_their_record(tmp_path, first, monkeypatch):
    """Killed before each of its renames and removals in turn; then again by the next that saves."""
    torch.manual_seed(0)
    nets = [Generator(ProGANConfig(z_dim=8, widths=(8, 8))) for _ in range(3)]
    z, path = torch.randn(3, 8), tmp_path / "small.safetensors"

    class Killed(BaseException):
        pass

    def ended(number: int, at: int) -> bool:
        left = [at]

        def counted(act):
            def acting(*given, **options):
                left[0] -= 1
                if left[0] < 0:                                  # from here on nothing is tidied up either
                    raise Killed
                return act(*given, **options)
            return acting

        with monkeypatch.context() as patch:
            for where, name in ((os, "replace"), (pathlib.Path, "unlink")):
                patch.setattr(where, name, counted(getattr(where, name)))
            try:
                checkpoints.save(path, nets[number], number=number)
            except Killed:
                return False
        return True

    found = set()
    for moments in itertools.product(range(9), range(9)):
        for file in tmp_path.iterdir():
            file.unlink()
        if not first:
            checkpoints.save(path, nets[0], number=0)
        ends = [ended(number, at) for number, at in zip((1, 2), moments)]
        if path.exists() or any(ends):
            again = gan_teach.load(path, "cpu")
            found.add(number := again.record["number"])
            assert torch.equal(again(z), nets[number](z)) and (number == 2 or not ends[1])
        if all(ends):
            assert {file.name for file in tmp_path.iterdir()} == {"small.safetensors", "small.json"}
    assert all(ends) and found == ({1, 2} if first else {0, 1, 2})


def test_an_error_at_the_end_of_saving_leaves_the_old_pair(saved, monkeypatch):
    G, path = saved
    before, replace = {file: file.read_bytes() for file in path.parent.iterdir()}, os.replace

    def refused(source, target):
        if str(target).endswith(".safetensors"):
            raise PermissionError("another program holds it")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(PermissionError, match="another program"):
        checkpoints.save(path, Generator(G.config))
    assert {file: file.read_bytes() for file in path.parent.iterdir()} == before


def test_two_threads_that_write_one_file_do_not_meet(tmp_path):
    with files.writing(tmp_path / "a.txt") as one:
        thread = threading.Thread(target=files.write_text, args=(tmp_path / "a.txt", "theirs"))
        one.write_text("ours")
        thread.start()
        thread.join()
        assert (tmp_path / "a.txt").read_text() == "theirs"
    assert (tmp_path / "a.txt").read_text() == "ours" and len(list(tmp_path.iterdir())) == 1


def test_another_process_may_sweep_first(tmp_path, monkeypatch):
    (tmp_path / ".note.txt.1.tmp").write_text("half")
    looked = pathlib.Path.lstat

    def gone(path):
        path.name.endswith(".1.tmp") and path.unlink(missing_ok=True)
        return looked(path)

    monkeypatch.setattr(pathlib.Path, "lstat", gone)
    files.write_text(tmp_path / "note.txt", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_the_first_of_several_processes_fetches_before_the_others(monkeypatch):
    for rank, wanted in ((0, ["fetch", "meet"]), (1, ["meet", "fetch"])):
        order = []
        monkeypatch.setattr(processes, "place", lambda rank=rank: (rank, 2))
        monkeypatch.setattr(processes, "gathered", lambda value, order=order: order.append("meet"))
        assert processes.first_alone(lambda order=order: order.append("fetch") or "G") == "G" and order == wanted


def test_what_a_killed_process_left_goes_after_a_day(tmp_path):
    old, new = tmp_path / ".note.txt.1.tmp", tmp_path / ".note.txt.2.tmp"
    for left in (old, new):
        left.write_text("half")
    os.utime(old, (1, 1))
    files.write_text(tmp_path / "note.txt", "whole")
    assert {p.name for p in tmp_path.iterdir()} == {"note.txt", ".note.txt.2.tmp"}


# ------------------------------------------------------------------------------------------ records

@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"7"])
def test_a_damaged_record_is_named(tmp_path, data):
    path = tmp_path / "plane.json"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="plane.json is damaged: delete it"):
        checkpoints.unfinished(path, "command", {"settings": 1})


def test_a_message_stays_short_however_long_a_word_in_the_file_is(tmp_path):
    header = json.dumps({"a": {"dtype": "F3" * 3000, "shape": [1], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "odd.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(checkpoints.BadCheckpoint, match="odd.safetensors cannot be read as safetensors") as refused:
        checkpoints.load(tmp_path / "odd.safetensors")
    assert len(str(refused.value)) < 700


@pytest.mark.parametrize("taken", ["small.json", "small.safetensors"])
def test_a_folder_in_the_place_of_a_file_is_told_before_anything_is_written(tmp_path, taken):
    (tmp_path / taken).mkdir()
    with pytest.raises(IsADirectoryError, match=f"it is a folder: give a file in it.*{taken}"):
        checkpoints.save(tmp_path / "small", Generator(ProGANConfig(z_dim=4, widths=(4,))))
    assert [path.name for path in tmp_path.iterdir()] == [taken]


def test_a_cache_without_a_home(monkeypatch):
    monkeypatch.delenv("GAN_TEACH_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(files.Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert files.cache_folder().name == "gan_teach"


@pytest.mark.parametrize("runs", [5, [], {"ring": []}, {"ring": 3}, None])
def test_a_record_with_other_things_inside_is_named(tmp_path, runs):
    files.write_json(tmp_path / "plane.json", {"settings": 1, "runs": runs})
    with pytest.raises(ValueError, match="plane.json is damaged: delete it .its runs are something else"):
        checkpoints.unfinished(tmp_path / "plane.json", "command", {"settings": 1}, runs={})


def test_a_record_that_cannot_be_written_is_told_before_the_first_run(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="its folder is a file.*plane.json"):
        checkpoints.unfinished(tmp_path / "file" / "plane.json", "command", {"settings": 1}, runs={})

"""Published files come once, whole and as published; a broken-off download is gone on with. No network is used."""

import email.message
import http.server
import io
import sys
import threading
import urllib.request
from pathlib import Path

import numpy as np
import official_files as files
import pytest
import torch

import gan_teach
from gan_teach import files as checkpoints
from gan_teach import official
from gan_teach.checkpoints import BadCheckpoint
from gan_teach.files import cache_folder
from gan_teach.official import published
from gan_teach.official.download import download


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.content`; breaks off after `server.breaks.pop(0)` bytes while there are breaks."""

    def do_GET(self):
        server, content, start = self.server, self.server.content, 0
        asked = self.headers.get("Range")
        server.asked.append(asked)
        if server.status:
            self.send_error(server.status)
            return
        if asked and server.ranges and self.headers["If-Range"] == server.tag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", server.kind)
        self.send_header("Content-Length", server.length or len(content) - start)
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        self.wfile.write(content[start:][:server.breaks.pop(0) if server.breaks else None])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.content, server.tag, server.kind = bytes(range(256)) * 8000, '"one"', "application/octet-stream"
        server.breaks, server.asked, server.ranges, server.status, server.length = [], [], True, 0, 0
        server.url = f"http://127.0.0.1:{server.server_port}/file.pth"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_TEACH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_download_shows_a_bar_with_the_size(server, cache, capsys):
    download(server.url, cache / "file.pth")
    assert (cache / "file.pth").read_bytes() == server.content and left(cache) == ["file.pth"]
    assert "file.pth: 100%" in (shown := capsys.readouterr().err) and "2.05M/2.05M" in shown


def test_a_download_that_broke_off_is_gone_on_with(server, cache):
    server.breaks = [1_500_000, 300_000]
    for have in (1_500_000, 1_800_000):
        with pytest.raises(ConnectionError, match=f"broke off at {have} of 2048000 bytes; call again.*browser"):
            download(server.url, cache / "file.pth")
        assert left(cache) == ["file.pth.part", "file.pth.part.tag"]
    download(server.url, cache / "file.pth")
    assert (cache / "file.pth").read_bytes() == server.content and left(cache) == ["file.pth"]
    assert server.asked == [None, "bytes=1500000-", "bytes=1800000-"]


@pytest.mark.parametrize("change", [{"ranges": False}, {"content": b"new" * 500_000, "tag": '"two"'}, {"tag": ""}])
def test_a_remainder_of_another_file_is_never_appended(server, cache, change):
    server.tag = change.get("tag", '"one"') and '"one"'
    server.breaks = [1_200_000]
    with pytest.raises(ConnectionError, match="broke off"):
        download(server.url, cache / "file.pth")
    for name, value in change.items():
        setattr(server, name, value)
    download(server.url, cache / "file.pth")
    assert (cache / "file.pth").read_bytes() == server.content and left(cache) == ["file.pth"]


def test_a_part_as_long_as_the_file_starts_again(server, cache):
    cache.mkdir()
    (cache / "file.pth.part").write_bytes(bytes(len(server.content)))
    (cache / "file.pth.part.tag").write_text('"one"')
    download(server.url, cache / "file.pth")
    assert (cache / "file.pth").read_bytes() == server.content and server.asked == ["bytes=2048000-", None]


def test_answers_that_are_not_the_file_are_refused(server, cache):
    server.kind = "text/html"
    with pytest.raises(BadCheckpoint, match="web page.*browser.*load_official"):
        download(server.url, cache / "file.pth")
    server.kind, server.length = "application/octet-stream", 1 << 40
    with pytest.raises(BadCheckpoint, match="has 1099511627776 bytes"):
        download(server.url, cache / "file.pth")
    server.status = 404
    with pytest.raises(ConnectionError, match="answered 404"):
        download(server.url, cache / "file.pth")
    assert left(cache) == []
    server.shutdown()
    server.server_close()
    with pytest.raises(ConnectionError, match="cannot be reached.*browser"):
        download(server.url, cache / "file.pth")


def test_a_full_disk_and_a_folder_that_cannot_be_written_are_no_faults_of_the_network(server, cache):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))            # as on a full disk, half-way
    try:
        with pytest.raises(checkpoints.DiskFull, match="the disk is full, .*file.pth was not fetched: make room and "):
            download(server.url, cache / "file.pth")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    download(server.url, cache / "file.pth")
    assert (cache / "file.pth").read_bytes() == server.content and server.asked[1].startswith("bytes=")
    (cache / "other.pth.part").mkdir()
    with pytest.raises(IsADirectoryError, match="other.pth.part"):
        download(server.url, cache / "other.pth")


def test_what_does_not_end_is_not_kept(server, cache, monkeypatch):
    monkeypatch.setattr(sys.modules[download.__module__], "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(Handler, "send_header", lambda self, name, value, send=Handler.send_header:
                        None if name == "Content-Length" else send(self, name, value))
    with pytest.raises(BadCheckpoint, match="file.pth does not end"):
        download(server.url, cache / "file.pth")
    assert left(cache) == []


class Drive:
    """Stands for urllib's opener: what each host answers, (content type, bytes) or an error; notes what was asked."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def __call__(self, request, timeout):
        self.asked.append(request.full_url)
        given = self.answers["usercontent" if "usercontent" in request.host else "uc"]
        if isinstance(given, Exception):
            raise given
        answer = io.BytesIO(given[1])
        answer.status, answer.headers = 200, email.message.Message()
        answer.headers["Content-Type"] = given[0]
        return answer


KEY = "1MQywl0FNt6lHu8E_EUqnRbviagS7fbiJ"
ADDRESSES = [f"https://drive.usercontent.google.com/download?id={KEY}&export=download&confirm=t",
             f"https://drive.google.com/uc?id={KEY}&export=download"]
FILE = ("application/octet-stream", b"\x80\x04 the file's bytes")
QUOTA = ("text/html; charset=utf-8", b"<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title>")
VIRUS_SCAN = ("application/octet-stream", b"\n <HTML><body>Google Drive can't scan this file for viruses</body></HTML>")


@pytest.mark.parametrize("answers, asked", [
    ({"usercontent": FILE}, 1), ({"usercontent": QUOTA, "uc": FILE}, 2), ({"usercontent": VIRUS_SCAN, "uc": FILE}, 2),
    ({"usercontent": TimeoutError("slow"), "uc": FILE}, 2)])
def test_google_drives_addresses_are_tried_one_after_the_other(cache, monkeypatch, capsys, answers, asked):
    monkeypatch.setattr(urllib.request, "urlopen", drive := Drive(**answers))
    known = published.KNOWN["official/stylegan-cats"]
    published.fetch(known, cache / known.file)
    assert drive.asked == ADDRESSES[:asked] and (cache / known.file).read_bytes() == FILE[1]
    assert "fetching 302 MB" in capsys.readouterr().out
    assert left(cache) == [known.file, f"{known.file}.sha256"]


@pytest.mark.parametrize("first, second, kind", [
    (QUOTA, VIRUS_SCAN, BadCheckpoint), (VIRUS_SCAN, QUOTA, BadCheckpoint),
    (TimeoutError("slow"), QUOTA, ConnectionError), (QUOTA, TimeoutError("slow"), ConnectionError)])
def test_google_drives_web_pages_are_refused_in_plain_words(cache, monkeypatch, first, second, kind):
    monkeypatch.setattr(urllib.request, "urlopen", drive := Drive(usercontent=first, uc=second))
    with pytest.raises(kind) as raised:
        official.load_official("official/stylegan-cats")
    lines = str(raised.value).split("\n")
    assert drive.asked == ADDRESSES and len(lines) == 2
    for line, address, answer in zip(lines, ADDRESSES, (first, second)):
        said = "cannot be reached" if isinstance(answer, Exception) else \
            "answered with a web page instead of the file (a quota, or a question to confirm); nothing of it was kept"
        assert line.startswith(f"{address} {said}") and "fetch it with a browser" in line
    assert left(cache) == []


def test_a_web_page_does_not_cost_what_was_already_fetched(server, cache):
    server.breaks = [1_500_000]
    with pytest.raises(ConnectionError, match="broke off"):
        download(server.url, cache / "file.pth")
    server.kind = "text/html"
    with pytest.raises(BadCheckpoint, match="web page"):
        download(server.url, cache / "file.pth")
    assert (cache / "file.pth.part").stat().st_size == 1_500_000
    server.kind = "application/octet-stream"
    download(server.url, cache / "file.pth")
    assert (cache / "file.pth").read_bytes() == server.content and server.asked[-1] == "bytes=1500000-"


@pytest.fixture
def church(server, tmp_path, monkeypatch):
    """The server has a small church; `known(hash)` makes it known under the name official/progan-church."""
    weights = files.progan_layers(np.random.default_rng(0), 7, (6, 5))
    torch.save({name: torch.from_numpy(w) for name, w in weights.items()}, tmp_path / "church.pth")
    server.content = (tmp_path / "church.pth").read_bytes()
    digest = checkpoints.sha256(tmp_path / "church.pth")

    def known(sha256, *urls):
        entry = published.Published("church.pth", urls or (server.url,), sha256)
        monkeypatch.setitem(published.KNOWN, "official/progan-church", entry)

    known(digest[:8])
    return known


def test_a_known_name_is_fetched_and_converted_once(server, church, cache):
    G = official.load_official("official/progan-church", device="cpu")
    again = official.load_official("official/progan-church", device="cpu")
    assert len(server.asked) == 1 and torch.equal(G(torch.ones(1, 7)), again(torch.ones(1, 7)))
    assert G.record["source"] == server.url and "church.pth" in left(cache)


def test_a_second_address_is_tried(server, church):
    church("", "http://127.0.0.1:9/file.pth", server.url)
    assert official.load_official("official/progan-church", device="cpu").z_dim == 7


def test_another_hash_than_the_published_one_is_refused(server, church, cache):
    church("0badc0de")
    with pytest.raises(BadCheckpoint, match="church.pth has SHA-256 .*published.*0badc0de.*church.pth.wrong.*again"):
        official.load_official("official/progan-church")
    assert left(cache) == ["church.pth.wrong"]


def test_without_a_published_hash_the_first_one_counts(server, church, cache, capsys):
    church("")
    official.load_official("official/progan-church", device="cpu")
    assert "no hash of it was published" in capsys.readouterr().out
    official.load_official("official/progan-church", device="cpu")
    assert "hash" not in capsys.readouterr().out
    (cache / "church.pth").write_bytes(server.content[:-1] + b"\1")
    with pytest.raises(BadCheckpoint, match="first downloaded"):
        official.load_official("official/progan-church")
    assert official.load_official("official/progan-church", device="cpu").z_dim == 7        # fetched anew


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"0badc0de\n", b"x" * 64])
def test_a_damaged_note_of_a_hash_is_named(server, church, cache, text):
    church("")
    official.load_official("official/progan-church", device="cpu")
    (cache / "church.pth.sha256").write_bytes(text)
    with pytest.raises(BadCheckpoint, match="church.pth.sha256 is damaged: delete it and the file beside it"):
        official.load_official("official/progan-church")


def test_where_no_hash_can_be_noted_the_file_is_used(server, church, cache, monkeypatch, capsys):
    church("")

    def write_text(path, text):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(published, "write_text", write_text)
    assert official.load_official("official/progan-church", device="cpu").z_dim == 7
    assert "church.pth: no hash of it was published, and its own could not be noted" in capsys.readouterr().out


def test_available_says_in_one_line_where_weights_are_or_how_to_get_them(server, church, cache, tmp_path, capsys):
    def asked(name):
        found = official.available(name)
        line, end = capsys.readouterr().out.split("\n")
        assert end == ""
        return found, line

    found, line = asked("official/progan-church")
    assert found is None and server.asked == [] and "gan_teach.load('official/progan-church') fetches it" in line
    assert f"it needs {published.MEMORY['official/progan']} of memory" in line
    gan_teach.load("official/progan-church", device="cpu")
    capsys.readouterr()
    found, line = asked("official/progan-church")
    assert found == cache / "church.pth" and "is on this computer; it needs" in line
    assert asked(tmp_path / "church.pth") == (tmp_path / "church.pth", f"{tmp_path / 'church.pth'} is on this computer")
    assert asked(tmp_path / "no.pth") == (None, f"there is no {tmp_path / 'no.pth'}")
    assert asked("official/upernet")[0] is None and asked(tmp_path)[0] is None
    for file in official.upernet.FILES:
        (tmp_path / file).touch()
    assert asked(tmp_path) == (tmp_path, f"{tmp_path} is on this computer; it needs 1.5 GB of memory")
    assert set(published.MEMORY) == {name.rsplit("-", 1)[0] for name in official.names()}
    with pytest.raises(ValueError, match="did you mean 'official/progan-church'"):
        official.available("official/progan-chruch")


def test_the_cache_lies_where_the_platform_keeps_such_things(monkeypatch):
    monkeypatch.delenv("GAN_TEACH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    for platform, folder in (("linux", Path("/x/gan_teach")), ("win32", Path("/local/gan_teach")),
                             ("darwin", Path.home() / "Library/Caches/gan_teach")):
        monkeypatch.setattr(sys, "platform", platform)
        assert cache_folder() == folder


def test_published_files_have_an_address_and_a_hash_where_one_is_known():
    for name, known in published.KNOWN.items():
        assert all(url.startswith(("http://", "https://")) for url in known.urls)
        assert (len(known.sha256) == 8) == name.startswith("official/progan")
        assert known.sha256 in known.file
        assert bool(known.size) == (name != "official/progan-celebahq")      # of which no size is known

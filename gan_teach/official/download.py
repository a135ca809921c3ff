"""Fetch a published file once, into the user's cache: with its size, a progress bar, and its hash.

A broken-off download stays as NAME.part and is gone on with at the next call, if the server can and its file is
still the same one (HTTP Range with If-Range); otherwise it starts again. Only a complete file gets its name.
"""

import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path

from tqdm.auto import tqdm

from ..checkpoints import BadCheckpoint
from ..files import DiskFull, disk_full
from .pickles import MAX_BYTES

CHUNK = 1 << 20
WEB_PAGE = (b"<!doctype html", b"<html")      # how a page begins, whatever the server calls it


def download(url: str, target: Path, timeout: float = 30.0) -> Path:
    """Fetch `url` to `target`, going on from target.part if there is one. Returns target.

    Raises ConnectionError when the server cannot be reached or breaks off (call again to go on), BadCheckpoint
    when it answers with a web page or with more than `MAX_BYTES`; of neither is anything kept. `DiskFull`, or another
    OSError, where the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part, tag_file = target.with_name(target.name + ".part"), target.with_name(target.name + ".part.tag")
    tag = tag_file.read_text() if part.exists() and tag_file.exists() else ""
    have = part.stat().st_size if tag else 0
    by_hand = f"Or fetch it with a browser and give its path to load_official: {url}"
    request = urllib.request.Request(url, headers={"User-Agent": "gan-teach"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", tag)           # a file that has changed comes whole, not as a remainder
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            have = have if answer.status == 206 else 0
            beginning = answer.read(64)
            if answer.headers.get_content_type() == "text/html" or (
                    not have and beginning.lstrip().lower().startswith(WEB_PAGE)):
                raise BadCheckpoint(f"{url} answered with a web page instead of the file (a quota, or a question to "
                                    f"confirm); nothing of it was kept. {by_hand}")
            rest = int(answer.headers.get("Content-Length") or -1)
            total = have + rest if rest >= 0 else None
            if (total or 0) > MAX_BYTES:
                raise BadCheckpoint(f"{url} has {total} bytes; no published network has more than {MAX_BYTES}")
            etag = answer.headers.get("ETag", "")
            tag_file.write_text("" if etag.startswith("W/") else etag or answer.headers.get("Last-Modified", ""))
            with part.open("ab" if have else "wb") as file, tqdm(
                    total=total, initial=have, unit="B", unit_scale=True, desc=target.name) as bar:
                while chunk := beginning or answer.read(CHUNK):
                    beginning = b""
                    have += len(chunk)
                    if have > MAX_BYTES:
                        break
                    file.write(chunk)
                    bar.update(len(chunk))
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:                         # the part is not a beginning of this file
            part.unlink(missing_ok=True)
            return download(url, target, timeout)
        raise ConnectionError(f"{url} answered {error.code} {error.reason}. {by_hand}") from error
    except (OSError, http.client.HTTPException) as error:    # no network, a time-out, a reset connection
        if disk_full(error):
            raise DiskFull(f"the disk is full, {target} was not fetched: make room and call again to go on") from error
        if getattr(error, "filename", None):                 # of a file here: it cannot be written
            raise
        raise ConnectionError(f"{url} cannot be reached or broke off ({error}); call again to go on. "
                              f"{by_hand}") from error
    if have > MAX_BYTES:
        part.unlink(missing_ok=True)
        tag_file.unlink(missing_ok=True)
        raise BadCheckpoint(f"{url} does not end; no published network has more than {MAX_BYTES} bytes")
    if total is not None and have != total:
        raise ConnectionError(f"{url} broke off at {have} of {total} bytes; call again to go on. {by_hand}")
    os.replace(part, target)
    tag_file.unlink(missing_ok=True)
    return target

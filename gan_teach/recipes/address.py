"""One address for everything: what `python -m gan_teach address URL` writes.

The repository's address stands in pyproject.toml, [project.urls], Repository. Everything that names it is made from
it: each notebook's link to Colab and its first cell, in every language, and the lines of README.md.
Written for a copy of the repository; an installed package has none of these files.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("pyproject.toml", "README.md")
COLAB = "https://colab.research.google.com/github/"
ADDRESS = re.compile(r"https://github\.com/([\w-]+)/(?!\.+$)([\w.-]+)", re.ASCII)
SETTING = re.compile(r'(?m)^Repository = "(.*)"$')

# What Colab has not: this package, and of what it needs, torchmetrics with its one helper. --no-deps leaves the rest.
OPENING = """try:
    import gan_teach
except ImportError:   # opened alone, as on Colab: install what is missing; torch, numpy, ipywidgets stay as they are
    %pip install -q --no-deps git+{address} torchmetrics lightning-utilities
from gan_teach.lessons.setup import banner, catch_up, signs, words
{banner}"""


def current(root: Path = ROOT) -> str:
    """The address that pyproject.toml holds. FileNotFoundError outside a copy of the repository."""
    page = root / "pyproject.toml"
    if not page.exists():
        raise FileNotFoundError(f"there is no {page}: the address is set in a copy of the repository")
    return SETTING.search(page.read_text("utf-8"))[1]


def colab(address: str, notebook: str) -> str:
    """The link that opens a notebook of the repository, such as "00_warm_up.ipynb", on Colab."""
    owner, name = ADDRESS.fullmatch(address).groups()
    return f"{COLAB}{owner}/{name}/blob/main/notebooks/{notebook}"


def opened(notebook: dict, address: str, name: str) -> dict:
    """The notebook with its link to Colab, a line below the title, and with the first code cell of this address."""
    title, link = notebook["cells"][0], f"[Open in Colab]({colab(address, name)})"
    lines = [line for line in "".join(title["source"]).split("\n") if not line.startswith("[Open in Colab](")]
    if lines[1:3] == ["", ""]:
        del lines[1]                                                    # the empty line that the old link left
    lines[1:1] = ["", link]
    title["source"] = "\n".join(lines).splitlines(keepends=True)
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    banner = next(line for line in "".join(first["source"]).split("\n") if line.startswith("banner("))
    first["source"] = OPENING.format(address=address, banner=banner).splitlines(keepends=True)
    return notebook


def write(address: str | None = None, root: Path = ROOT) -> list[Path]:
    """Write this address (None: the one that is set) into every file that names it; returns the files it changed.

    ValueError for an address that is not https://github.com/OWNER/NAME: Colab opens notebooks from there alone.
    """
    old = current(root)
    address = (address or old).removesuffix(".git").rstrip("/")
    if not ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is not of the form https://github.com/OWNER/NAME, where Colab finds notebooks")
    changes = {}
    for path in [*(root / page for page in PAGES), *sorted((root / "notebooks").glob("??/*.*"))]:
        text = path.read_text("utf-8").replace(old, address)
        changes[path] = text.replace(COLAB + old.removeprefix("https://github.com/") + "/",
                                     COLAB + address.removeprefix("https://github.com/") + "/")
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        notebook = opened(json.loads(path.read_text("utf-8")), address, path.name)
        changes[path] = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    changes = {path: text for path, text in changes.items() if text != path.read_text("utf-8")}
    for path, text in changes.items():
        path.write_text(text, "utf-8")
    return list(changes)

"""The README's picture of the site: Paint, with a tree wiped out.

    python tests/site_picture.py SITE [data/pictures/site.png]

SITE is a folder that `python -m gan_teach site --out SITE` has built.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "site"))
from serving import visiting  # noqa: E402

TREE = (0.85, 0.58), (0.86, 0.7), (0.92, 0.82), (0.79, 0.82), (0.85, 0.7)       # a way of the brush over it


def main(site: Path, path: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, visiting(site.parent, site.name, Path(scratch)) as visit:
        visit.page.set_viewport_size({"width": 1280, "height": 920})
        visit.open("paint.html")
        visit.page.wait_for_function("performance.getEntriesByName('counted').length")
        visit.page.evaluate("performance.clearMeasures()")
        visit.page.mouse.move(*visit.place(*TREE[0]))
        visit.page.mouse.down()
        for place in TREE[1:]:
            visit.page.mouse.move(*visit.place(*place), steps=5)
        visit.page.mouse.up()
        visit.page.mouse.move(0, 0)                                         # or the brush would be in the picture
        visit.page.wait_for_function("performance.getEntriesByName('counted').length")
        visit.page.screenshot(path=path)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2] if len(sys.argv) > 2 else "data/pictures/site.png"))

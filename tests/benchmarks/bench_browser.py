"""How long from a control to the new picture on the screen, as a person has it: JupyterLab, kernel, browser and all?

    python tests/benchmarks/bench_browser.py [times]

The style mixer on `portraits-stylegan`: an arrow key on ψ, a click into the figure, a layer's tick. The clock runs in
the page, from the event to the moment that the large picture's new data is decoded. Prints; asserts nothing.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "widgets"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import browser
from test_browser import write

CLOCK = """() => {
    const img = document.querySelector("img.gt-mix-large, .gt-mix-large img");
    window.times = [];
    let since = null;
    for (const event of ["keydown", "click"])
        document.addEventListener(event, () => { since = performance.now(); }, true);
    new MutationObserver(async () => {
        if (since === null) return;
        const start = since;
        since = null;
        await img.decode();
        window.times.push(performance.now() - start);
    }).observe(img, { attributes: true, attributeFilter: ["src"] });
}"""


def milliseconds(page, act, times):
    """Act so often, each time after the picture of the last act has come; the milliseconds each took."""
    page.evaluate("window.times = []")
    for i in range(times):
        act(i)
        browser.wait_until(page, lambda i=i: page.evaluate("window.times.length") > i)
        page.wait_for_timeout(400)                                  # the figure behind it is drawn meanwhile
    return page.evaluate("window.times")


def measure(times) -> dict[str, list[float]]:
    """The milliseconds of each kind of act, so often."""
    scratch = Path(tempfile.mkdtemp())
    write(scratch / "mixer.ipynb", browser.MIXER)
    with browser.jupyterlab(scratch, scratch / "jupyterlab") as address, browser.chromium(scratch) as page:
        errors = browser.run_all(page, address.format(notebook="mixer.ipynb"))
        if errors:
            raise SystemExit("\n".join(errors))
        page.locator(".gt-mix-grid").first.scroll_into_view_if_needed()
        page.wait_for_timeout(3000)
        page.evaluate(CLOCK)
        sheet = page.locator("img.gt-mix-sheet").first.bounding_box()
        page.locator(".gt-mix-psi [role=slider]").first.focus()
        acts = {"ψ by a key": lambda i: page.keyboard.press("ArrowLeft" if i % 2 else "ArrowRight"),
                "a click into the figure": lambda i: page.mouse.click(
                    sheet["x"] + sheet["width"] * (0.25, 0.6, 0.95)[i % 3], sheet["y"] + sheet["height"] * 0.5),
                "a fine layer's tick": lambda i: page.locator(".gt-mix-layer input").nth(9).click(),
                "a coarse layer's tick": lambda i: page.locator(".gt-mix-layer input").nth(2).click()}
        return {name: milliseconds(page, act, times) for name, act in acts.items()}


def main(times):
    print(f"{'from control to picture, ms':28}{'median':>8}{'19 of 20':>10}")
    for name, found in measure(times).items():
        print(f"{name:28}{median(found):8.0f}{quantiles(found, n=20)[-1]:10.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)

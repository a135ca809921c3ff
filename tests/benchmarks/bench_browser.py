"""How long from a control to the new picture on the screen, as a person has it: JupyterLab, kernel, browser and all?

    python tests/benchmarks/bench_browser.py [times]

Every slider of the panels that draws, by an arrow key, each time there or back, the evolution's *Go back* too; and on
the style mixer a click into the figure, and a layer's tick. The clock runs in the page, from the event to the moment
that the picture's new data is decoded (of a chart, that it stands in the page). The brush of the paint panel and n_D
draw nothing before the next stroke or step. 40 moves of each take 3 to 4 minutes. Prints; asserts nothing.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "widgets"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import browser
from test_browser import write

# what is pulled -> its panel, its slider, and the picture or chart that follows
SLIDERS = {"dissection, strength": ("dissection", ".gt-slider", ".gt-after"),
           "paint, units": ("paint", ".gt-paint-units", ".gt-painted"),
           "paint, strength": ("paint", ".gt-paint-strength", ".gt-painted"),
           "AdaIN, y_s": ("adain", ".gt-adain-ys", ".gt-adain-after"),
           "AdaIN, y_b": ("adain", ".gt-adain-yb", ".gt-adain-after"),
           "mixing, ψ": ("mixer", ".gt-mix-psi", ".gt-mix-large"),
           "mixing, share": ("mixer", ".gt-mix-share", ".gt-mix-large"),
           "interpolation, α": ("interpolation", ".gt-way-alpha", ".gt-way-spherical"),
           "mutations, D(G(z))": ("mutations", ".gt-mutation-slider", ".gt-mutation-chart"),
           "evolution, γ": ("lab", ".gt-evo-gamma", ".gt-evo-scene"),
           "evolution, Go back": ("lab", ".gt-evo-back", ".gt-evo-scene")}
CLOCK = """([panel, place]) => {
    const what = () => {
        const it = document.querySelector(place);
        return it.tagName === "IMG" ? it.src : it.innerHTML;
    };
    let shown = what();
    window.times = [];
    window.since = null;
    window.clock?.disconnect();
    window.clock = new MutationObserver(async () => {
        if (window.since === null || what() === shown) return;
        const start = window.since, it = document.querySelector(place);
        [shown, window.since] = [what(), null];
        await (it.tagName === "IMG" ? it : it.querySelector("img"))?.decode();
        window.times.push(performance.now() - start);
    });
    window.clock.observe(document.querySelector(`.on-${panel}`),
                         { subtree: true, childList: true, attributes: true, attributeFilter: ["src"] });
}"""
LISTEN = """() => { for (const event of ["keydown", "click"])
    document.addEventListener(event, () => { window.since = performance.now(); }, true); }"""


def milliseconds(page, name, panel, place, act, times):
    """Act so often, each time after the picture of the last act has come; the milliseconds each took."""
    page.locator(f".on-{panel}").scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    page.evaluate(CLOCK, [panel, place])
    for i in range(times):
        act(i)
        browser.wait_until(page, lambda i=i: page.evaluate("window.times.length") > i, what=f"{name} moves nothing")
        page.wait_for_timeout(400 if panel == "mixer" else 100)     # the figure that is drawn behind it comes meanwhile
    return page.evaluate("window.times")


def measure(times) -> dict[str, list[float]]:
    """The milliseconds of each kind of act, so often."""
    scratch, found = Path(tempfile.mkdtemp()), {}
    write(scratch / "panels.ipynb", *browser.PANEL_CELLS)
    with browser.jupyterlab(scratch, scratch / "jupyterlab") as address, browser.chromium(scratch) as page:
        errors = browser.run_all(page, address.format(notebook="panels.ipynb"))
        if errors:
            raise SystemExit("\n".join(errors))
        browser.drag(page, page.locator(".gt-canvas").first, -40)   # a stroke, which the paint panel's sliders change
        for _ in range(3):                                          # children that are judged, so that γ has a say
            page.locator(".on-lab .gt-evo-phase").click()
            page.wait_for_timeout(1500)
        page.evaluate(LISTEN)
        for name, (panel, slider, place) in SLIDERS.items():
            for _ in range(2 * (name == "evolution, Go back")):     # generations to go back to
                page.locator(".on-lab .gt-evo-generation").click()
                page.wait_for_timeout(1500)
            page.locator(f".on-{panel} {slider} {browser.HANDLE}").focus()
            found[name] = milliseconds(
                page, name, panel, place, lambda i: page.keyboard.press("ArrowRight" if i % 2 else "ArrowLeft"), times)
        sheet, tick = page.locator("img.gt-mix-sheet").first, page.locator(".gt-mix-layer input")
        acts = {"mixing, a click into the figure": lambda i: sheet.click(position={
                    "x": sheet.bounding_box()["width"] * (0.95, 0.6, 0.25)[i % 3],
                    "y": sheet.bounding_box()["height"] * 0.5}, force=True),    # what hears it lies above the picture
                "mixing, a fine layer's tick": lambda i: tick.nth(9).click(),
                "mixing, a coarse layer's tick": lambda i: tick.nth(2).click()}
        return found | {name: milliseconds(page, name, "mixer", ".gt-mix-large", act, times)
                        for name, act in acts.items()}


def main(times):
    print(f"{'from control to picture, ms':32}{'median':>8}{'19 of 20':>10}")
    for name, found in measure(times).items():
        print(f"{name:32}{median(found):8.0f}{quantiles(found, n=20)[-1]:10.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)

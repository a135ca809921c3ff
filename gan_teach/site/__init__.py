"""The workbook as a static site: its chapters to read, its machines to drive in the browser, nothing to install.

    python -m gan_teach site --out DIR && python -m http.server --directory DIR

Any plain web server can serve DIR, under any path; a page asks nothing of another host. Read in this order:

    packages    what the pages use that is not ours, from the npm registry: pinned, checked, kept in the cache
    networks    the shipped weights as ONNX, cut where a machine needs them
    machines    what a machine must know besides: z of the seeds on offer, units, levels, colours
    chapters    the notebooks as pages, their formulas drawn while the site is built
    strings     every text of the pages, in one place
    pages       the whole site, in every language
    page/       the pages themselves: templates (shell around all, machine around paint, mix, evolve and players), CSS
                and plain modules, one file a machine; what evolve and players train is in mlp, plane, egan and duel

Node and npm are needed for building only.
"""

from .pages import build

__all__ = ["build"]

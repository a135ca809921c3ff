"""What everything costs: a file of JSON, and a page of tables made of it, README.md beside this file.

    OMP_NUM_THREADS=1 python -m tests.benchmarks [--only stylegan egan …] [--out FOLDER] [--quick]

    stylegan      drawing, beside a plain loop written from the authors' description
    egan          a generation, beside such a loop, with a fresh z for each child as the authors' code has it
    dissection    the counts, beside such a loop
    processes     a dissection by 1, 2 and 4 processes of torchrun
    chapters      Run All: seconds, seconds to the first picture, memory
    catch-up      `catch_up` to each section: seconds, and the cell that takes most of them
    browser       from a control to its picture on the screen
    browser-busy  the same while a training runs
    site          from a move of the hand to its picture in each machine of the site, its first picture, what it fetches
    tfjs          a generation of Evolve in the site's own lines, beside TensorFlow.js, in Node
    starts        every way to start, from nothing: seconds to the first picture, memory, what was installed

Networks have random weights and the size that is named; in processes, chapters, catch-up, browser and site they are
the shipped ones. The ways of a row take turns, and each is compared with the first one of its row in the same turn:
"times faster" is the median of these ratios. Results are compared too: a faster way that
draws, counts or chooses something else ends the run. Asserts no time. The load of the machine, before and after, stands
beside its name: where it was busy, only the ratios say something. What is not measured anew keeps its figures, its date
and its machine. --quick: everything tiny, to see that it works.
"""

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median, quantiles

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import bench_catch_up
import bench_chapters
import bench_dissection
import bench_official_layout
import bench_site
import bench_starts

from gan_teach.dissection.information import JointHistogram, dissect_by_information, unit_levels
from gan_teach.dissection.unit_iou import dissect
from gan_teach.egan.evolution import Evolution
from gan_teach.egan.settings import Settings
from gan_teach.egan.mutations import heuristic, least_squares, minimax
from gan_teach.files import read_json, write_json, write_text
from gan_teach.lessons import notebooks
from gan_teach.memory import keep_freed_memory
from gan_teach.networks import progan
from gan_teach.networks.dcgan import Discriminator, Generator, layout
from gan_teach.networks.device import fast_bfloat16
from gan_teach.networks.protocols import latents
from gan_teach.stylegan.generator import Generator as StyleGenerator
from gan_teach.stylegan.generator import StyleGANConfig
from gan_teach.stylegan.prepared import prepared
from gan_teach.processes import machine

ROOT, HERE = Path(__file__).resolve().parents[2], Path(__file__).resolve().parent


def turns(ways: dict[str, Callable[[], object]], rounds: int) -> tuple[dict[str, list[float]], dict[str, object]]:
    """CPU milliseconds of each way in every round, the ways taking turns; and what each gave last."""
    took, gave = {name: [] for name in ways}, {}
    for i in range(rounds + 1):
        for name, act in ways.items():
            start = time.process_time()
            gave[name] = act()
            if i:                                                           # the first round warms up
                took[name].append(1e3 * (time.process_time() - start))
    return took, gave


def rows(what: str, took: dict[str, list[float]]) -> list[dict]:
    """A row for each way, compared with the first one."""
    first = next(iter(took))
    return [{"what": what, "way": name, "ms": round(min(times), 2), "times_faster": round(
        median(a / b for a, b in zip(took[first], times)), 2), "than": first} for name, times in took.items()]


# ------------------------------------------------------------------------------------------ StyleGAN

def drawn_plainly(G: StyleGenerator, ws: torch.Tensor) -> torch.Tensor:
    """The synthesis network as the authors describe it, an operation after the other."""
    kernel, x = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16, None
    for i, layer in enumerate(G.blocks.values()):
        if i == 0:
            x = layer.source.value.expand(len(ws), -1, -1, -1)
        else:
            x = F.interpolate(x, scale_factor=2, mode="nearest") if layer.up else x
            x = F.conv2d(x, layer.source.weight * layer.source.scale, padding=1)
        if layer.up:
            x = F.conv2d(x, kernel.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])
        x = F.leaky_relu(x + layer.B.view(1, -1, 1, 1) * layer.noise + layer.bias.view(1, -1, 1, 1), 0.2)
        x = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), keepdim=True, unbiased=False) + 1e-8).sqrt()
        y_s, y_b = layer.A(ws[:, i])[:, :, None, None].chunk(2, dim=1)
        x = (y_s + 1) * x + y_b
    return G.to_rgb[str(G.resolution)](x)


def stylegan(quick: bool) -> list[dict]:
    found, published = [], {"z_dim": 512, "w_dim": 512, "fmap_base": 8192, "fmap_max": 512}
    cases = [("teaching width", {}, 1), ("teaching width", {}, 16), ("published width", published, 1),
             ("published width", published, 16)]
    small = {"resolution": 16, "z_dim": 8, "w_dim": 8, "fmap_base": 64, "fmap_max": 8}
    for title, size, n in [("tiny", small, 2)] if quick else cases:
        torch.manual_seed(0)
        G = StyleGenerator(StyleGANConfig(**size)).eval().requires_grad_(False)
        G.blocks["layer0"].source.value.normal_()
        for layer in G.blocks.values():
            layer.B.normal_(0, 0.3)
        ws = G.ws(torch.randn(n, G.z_dim))
        nets = {"as loaded": G, "prepared, float32": prepared(G)}
        if fast_bfloat16("cpu"):
            nets["prepared, bfloat16"] = prepared(G, torch.bfloat16)
        ways = {"a plain loop": partial(drawn_plainly, G, ws)}
        ways |= {name: partial(net.synthesis, ws) for name, net in nets.items()}
        with torch.no_grad():
            took, gave = turns(ways, 1 if quick else 12)
        wanted = gave.pop("a plain loop")
        for name, x in gave.items():
            apart = float((x - wanted).abs().mean() / wanted.std())
            assert apart < (0.05 if "bfloat16" in name else 1e-4), f"{title}: {name} draws something else ({apart:.1e})"
        found += rows(f"StyleGAN, {G.resolution} px, {title}, {n} picture{'s' * (n > 1)}", took)
    return found


# ------------------------------------------------------------------------------------------ E-GAN

class PlainLoop:
    """The authors' generation in plain PyTorch: every child loads its parent, sees a z of its own, and is judged."""

    def __init__(self, evolution: Evolution):
        self.e, self.lr, self.betas = evolution, evolution.settings.lr, evolution.settings.betas
        self.G, self.D = copy.deepcopy(evolution.G), copy.deepcopy(evolution.D)
        self.parent = self.G.state_dict()
        self.adam_d = torch.optim.Adam(self.D.parameters(), self.lr, self.betas)
        self.adam = [torch.optim.Adam(self.G.parameters(), self.lr, self.betas).state_dict() for _ in range(3)]

    def step(self, real: torch.Tensor) -> list[float]:
        """One generation on the draws that the evolution would take; returns F of every child."""
        e, s = self.e, self.e.settings
        e.real, draw = real, e._draw(0)
        self.G.load_state_dict(self.parent)
        for _ in range(s.d_steps):
            x, z = e._real(s.batch, draw), e._z(s.batch, draw)
            with torch.no_grad():
                fake = self.G(z)
            loss = F.softplus(-self.D(x)).mean() + F.softplus(self.D(fake)).mean()
            self.adam_d.zero_grad()
            loss.backward()
            self.adam_d.step()
        vary, judge, children, scores = e._draw(1), e._draw(2), [], []
        x = e._real(s.fitness_batch, judge)
        for k, mutation in enumerate((minimax, heuristic, least_squares)):
            self.G.load_state_dict(self.parent)
            adam = torch.optim.Adam(self.G.parameters(), self.lr, self.betas)
            adam.load_state_dict(copy.deepcopy(self.adam[k]))
            self.D.requires_grad_(False)                                    # D stands still
            mutation(self.D(self.G(e._z(s.batch, vary)))).backward()
            self.D.requires_grad_(True)
            adam.step()
            adam.zero_grad()
            self.adam[k] = adam.state_dict()
            with torch.no_grad():
                fake = self.G(e._z(s.fitness_batch, judge))
            logits = self.D(fake)
            loss = F.softplus(-self.D(x)).mean() + F.softplus(logits).mean()
            slope = torch.autograd.grad(loss, self.D.parameters())
            diversity = -torch.cat([g.flatten() for g in slope]).norm().log()
            scores.append((logits.sigmoid().mean() + s.gamma * diversity).item())
            children.append(copy.deepcopy(self.G.state_dict()))
        self.parent = children[max(range(3), key=scores.__getitem__)]
        e.generation += 1
        return scores


def egan(quick: bool) -> list[dict]:
    keep_freed_memory()
    torch.manual_seed(0)
    config = layout(32, 8 if quick else 64)
    G, D = Generator(config), Discriminator(config)
    real = torch.randint(256, (200, 3, 32, 32), dtype=torch.uint8)
    size = {"batch": 4, "fitness_batch": 8} if quick else {"batch": 64, "fitness_batch": 256}
    authors = Settings(d_steps=1, **size)
    one = {"mutate_same_z": True, "judge_same_z": True}
    ways = {"Evolution, fresh z": {}, "Evolution, one z": one}
    if fast_bfloat16("cpu"):
        ways |= {"Evolution, fresh z, bfloat16": {"bf16": True}, "Evolution, one z, bfloat16": {**one, "bf16": True}}
    evolutions = {name: Evolution(G, D, Settings(d_steps=1, **size, **more), "cpu") for name, more in ways.items()}
    plain = PlainLoop(Evolution(G, D, authors, "cpu"))
    unshared = Evolution(G, D, Settings(d_steps=1, **size, **one, shared=False), "cpu")
    wanted = {"fresh z": plain.step(real), "one z": [f.total for f in unshared.step(real).fitness]}
    for name, e in evolutions.items():
        found = [f.total for f in e.step(real).fitness]
        apart = max(abs(a - b) for a, b in zip(wanted["one z" if e.settings.mutate_same_z else "fresh z"], found,
                                               strict=True))
        assert apart < (0.02 if e.settings.bf16 else 1e-3), f"{name} judges its children otherwise ({apart:.1e})"
    took, _ = turns({"a plain loop, fresh z": lambda: plain.step(real),
                     **{name: lambda e=e: e.step(real) for name, e in evolutions.items()}}, 1 if quick else 6)
    return rows(f"E-GAN, a generation, 32 px, {config.widths[0]} units, batch {size['batch']}, judged on "
                f"{size['fitness_batch']}", took)


# ------------------------------------------------------------------------------------------ dissection

def top_plainly(G, layer: str, z: torch.Tensor, batch: int) -> torch.Tensor:
    """The threshold of every unit, the top 1 %, from all its values, sorted."""
    values = torch.cat([G.at(part, layer)[0].transpose(0, 1).flatten(1) for part in z.split(batch)], 1)
    return values.sort(1, descending=True).values[:, int(0.01 * values.shape[1])]


def informed_plainly(G, S, layer: str, z: torch.Tensor, batch: int) -> torch.Tensor:
    """The paper's threshold of every unit: a mask for each level and each label of each picture."""
    levels = unit_levels(G, [layer], z, batch)[layer]                       # (U, K)
    (U, K), C = levels.shape, len(S.classes)
    above = torch.zeros(U, K + 2, C, dtype=torch.long)                      # first all of a class, last none
    for r, labels in labelled(G, S, layer, z, batch):
        up = F.interpolate(r, size=labels.shape, mode="bilinear", align_corners=False)[0]
        above[:, 0] += torch.bincount(labels.flatten(), minlength=C)
        for k, t in enumerate(levels.T):
            on = up > t.view(-1, 1, 1)
            above[:, k + 1] += torch.stack([(on & (labels == c)).sum((1, 2)) for c in range(C)], 1)
    return JointHistogram(layer, tuple(S.classes), len(z), levels, above[:, :-1] - above[:, 1:]).thresholds


def labelled(G, S, layer: str, z: torch.Tensor, batch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """r, 1×U×h×w, and the labels, H×W, of each picture."""
    for part in z.split(batch):
        r, f = G.at(part, layer)
        yield from zip(r.split(1), S(f(r)).argmax(1))


def counted_plainly(G, S, layer: str, z: torch.Tensor, batch: int, t: torch.Tensor) -> torch.Tensor:
    """A mask for each label of each picture, one after the other."""
    return sum(bench_dissection.official_counts(r, t, labels, len(S.classes))
               for r, labels in labelled(G, S, layer, z, batch))


def dissected(title: str, G, S, layer: str, batch: int, samples: int, information: bool, rounds: int) -> list[dict]:
    z, other = latents(G, samples, 0), latents(G, samples, 1)
    options = {"samples": samples, "batch": batch, "progress": False}

    def plainly() -> torch.Tensor:
        t = informed_plainly(G, S, layer, other, batch) if information else top_plainly(G, layer, z, batch)
        return counted_plainly(G, S, layer, z, batch, t)

    def ours() -> torch.Tensor:
        d = dissect_by_information(G, [layer], S, **options)[layer] if information else dissect(G, layer, S, **options)
        return d.intersection

    with torch.no_grad():
        took, gave = turns({"a plain loop": plainly, "dissect": ours}, rounds)
    assert torch.equal(*gave.values()), f"{title}: dissect counts something else than the plain loop"
    return rows(f"Dissection, {title}, {samples} pictures", took)


def dissection(quick: bool) -> list[dict]:
    torch.manual_seed(0)
    small = bench_dissection.Net(), bench_dissection.Labels(), "cut", 50
    cases = [("128 units of 16×16, 13 classes", *small, 300, False),
             ("128 units of 16×16, 13 classes, thresholds of greatest information", *small, 60, True)]
    if quick:
        return [row for case in cases for row in dissected(*case[:5], 9, case[6], 1)]
    wide = progan.Generator(bench_official_layout.FULL_WIDTH).eval().requires_grad_(False)
    cases.append(("ProGAN of full width, 512 units of 8×8, 10 classes", wide, bench_official_layout.Ten(), "layer4", 5,
                  60, False))
    return [row for case in cases for row in dissected(*case, 3)]


def processes(quick: bool) -> list[dict]:
    """Wall seconds, with the start of Python; the pages must be equal, byte for byte."""
    found, pages, times, samples = [], set(), {}, 20 if quick else 300
    with tempfile.TemporaryDirectory() as folder:
        for n in (1, 2) if quick else (1, 2, 4):
            page = Path(folder) / f"{n}.html"
            launch = [] if n == 1 else ["-m", "torch.distributed.run", "--standalone", "--max-restarts=1",
                                        f"--nproc_per_node={n}"]
            begun = time.monotonic()
            subprocess.run([sys.executable, *launch, "-m", "gan_teach", "dissect", "scenes-progan", "--device", "cpu",
                            "--samples", str(samples), "--batch", "5" if quick else "25",
                            "--out", str(page)], check=True, capture_output=True,
                           env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})
            times[n] = time.monotonic() - begun
            pages.add(page.read_bytes())
            assert len(pages) == 1, f"{n} processes write another page than one"
            found.append({"what": f"gan-teach dissect scenes-progan, {samples} pictures, {os.cpu_count()} cores",
                          "way": f"{n} processes" if n > 1 else "1 process",
                          "s": round(times[n], 1), "times_faster": round(times[1] / times[n], 2), "than": "1 process"})
    return found


# ------------------------------------------------------------------------------------------ chapters and the browser

def chapters(quick: bool) -> list[dict]:
    found = []
    for chapter in ["00"] if quick else notebooks.chapters():
        told = bench_chapters.run(chapter, Path(sys.executable))
        assert not told["errors"], told["errors"]
        found.append({"what": "Run All", "way": f"chapter {chapter}", "s": told["all_s"],
                      "first_picture_s": told.get("first_picture_s"), "moment_mb": told.get("moment_mb")})
    return found


def catch_up(quick: bool) -> Iterator[dict]:
    yield from bench_catch_up.each(["00"] if quick else [*notebooks.chapters()])


@contextmanager
def training(folder: str):
    """A training beside us, while it lasts."""
    other = subprocess.Popen([sys.executable, "-m", "gan_teach", "train", "scenes-progan", "--out", folder],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        yield
    finally:
        other.kill()
        other.wait()


def browser(quick: bool, when: str = "idle") -> list[dict]:
    import bench_browser

    times = 2 if quick else 100
    return [{"what": f"From a control to its picture in JupyterLab, {when}, {times} moves", "way": name,
             "ms": round(median(ms)), "ms_19_of_20": round(quantiles(ms, n=20)[-1])}
            for name, ms in bench_browser.measure(times).items()]


def browser_busy(quick: bool) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder, training(folder):
        time.sleep(0 if quick else 60)                                      # it has rendered its pictures
        return browser(quick, "while a training runs")


def site(quick: bool) -> Iterator[dict]:
    with tempfile.TemporaryDirectory() as folder:
        yield from bench_site.measure(bench_site.built(Path(folder) / "site"), 6 if quick else 40)


TFJS = ("@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0")


def tfjs(quick: bool) -> list[dict]:
    """CPU milliseconds of Node; the first generation must give the same F."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--silent", "--prefix", folder, *TFJS], check=True)
        done = subprocess.run(["node", str(HERE / "bench_tfjs.mjs"), folder, "1" if quick else "5"], check=True,
                              stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def tfjs_table(rows: list[dict]) -> list[str]:
    lines = ["A generation of E-GAN on the plane, as *Evolve* of the site trains it, in Node: by the page's own lines",
             "([mlp.js](../../gan_teach/site/page/js/mlp.js), [egan.js](../../gan_teach/site/page/js/egan.js)), and by",
             "TensorFlow.js on two of its backends, from the same weights and draws. A library spends most",
             "of its time between operations as small as these. That, and what it adds to the page, is why training in",
             "the page is our own.", "", "| way | a generation | × ours | to load | packed |", "|---|--:|--:|--:|--:|"]
    return lines + ["| {way} | {ms} ms | {times_ours} | {kb:,} kB | {kb_packed:,} kB |".format(**row) for row in rows]


def starts(quick: bool) -> Iterator[dict]:
    yield from bench_starts.measure(["colab"] if quick else bench_starts.WAYS)


# ------------------------------------------------------------------------------------------ the file and the page

SECTIONS = {"stylegan": stylegan, "egan": egan, "dissection": dissection, "processes": processes, "chapters": chapters,
            "catch-up": catch_up, "browser": browser, "browser-busy": browser_busy, "site": site, "tfjs": tfjs,
            "starts": starts}
TABLES = {"catch-up": bench_catch_up.table, "site": bench_site.table, "tfjs": tfjs_table,
          "starts": bench_starts.table}                                                          # their own columns
PAGE = """# What it costs

Written by `OMP_NUM_THREADS=1 python -m tests.benchmarks`, which tells how it measures; `--only NAME` measures a part
of it anew. The ways of a row take turns on one thread, and give equal results: that is asserted, no time is. ms are CPU
milliseconds. *Times faster* is the median over the turns, beside the plain loop, which is written from the authors'
description, one operation after the other. Where the machine was busy, only these ratios say something, and seconds by
the clock nothing. A section that is missing was not measured yet, or on a machine too busy for it.
"""
NOTES = {       # what was aimed at, beside which the rows are read, and what bounds them
    "stylegan": "Aims: 3 × for one picture of the published width, 4 × for 16, prepared in bfloat16.",
    "egan": "Aims: 1.5 × with fresh z, 3 × with one z in bfloat16. In float32, by PyTorch's profiler, nine tenths of a "
            "generation with fresh z are convolutions and their gradients, which the plain loop has to compute too: "
            "children with a z of their own share D's pass over the real pictures alone. If all but the convolutions "
            "cost nothing, it would be 1.27 × with fresh z and 2.5 × with one z in bfloat16, by the time that each "
            "takes alone (2026-11-30).",
    "dissection": "Aim: 3 ×. Drawing and segmenting, which the plain loop does too, take most of what is left "
                  "(2026-11-29: of scenes-progan's 0.76 s for 100 pictures 0.63 s). Weights that lie channels last "
                  "would make that one 1.07 times as fast, and change its counts, so they are not used. Of the "
                  "stand-ins' time the two networks take seven tenths (2026-11-30)."}


def processor() -> str:
    """What the processor calls itself, where that can be known."""
    told = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in told if line.startswith("model name")), "")


def load() -> float | None:
    """How many processes wanted to compute, over the last minute."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def page(result: dict) -> str:
    """All tables as Markdown, each with its machine and its day above it."""
    said = {"ms": "{} ms", "s": "{} s", "ms_19_of_20": "19 of 20 within {} ms", "first_picture_s":
            "first picture after {} s", "peak_mb": "{} MB", "moment_mb": "{} MB at the moment of most"}
    lines = [PAGE]
    for name in (name for name in SECTIONS if name in result):
        part = result[name]
        lines += [f"## {name}", "", f"{part['date']}, {part['machine']}; {part['cores']} cores, {part['load_before']} "
                  f"processes wanted one before, {part['load_after']} after."
                  + ("" if part["fast_bfloat16"] else " It has no fast bfloat16."), ""]
        lines += [NOTES[name], ""] if name in NOTES else []
        if name in TABLES:
            lines += [*TABLES[name](part["rows"]), ""]
            continue
        lines += ["| what | way | cost | times faster |", "|---|---|---|---|"]
        for row in part["rows"]:
            cost = ", ".join(words.format(row[key]) for key, words in said.items() if row.get(key) is not None)
            faster = f"{row['times_faster']} × {row['than']}" if row.get("than", row["way"]) != row["way"] else ""
            lines.append(f"| {row['what']} | {row['way']} | {cost} | {faster} |")
        lines.append("")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> dict:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--out", type=Path, help="a folder (here, or runs/benchmarks with --quick)")
    given.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="some sections")
    given.add_argument("--quick", action="store_true", help="everything tiny, to see that it works")
    given = given.parse_args(arguments)
    out = given.out or (ROOT / "runs" / "benchmarks" if given.quick else HERE)
    path = out / "benchmarks.json"
    result = read_json(path) if path.exists() else {}
    for name in given.only:
        print(f"{name} …", flush=True)
        before, rows = load(), []
        for row in SECTIONS[name](given.quick):
            rows.append(row)
            result[name] = {"rows": rows, "date": date.today().isoformat(),
                            "machine": f"{processor()} ({machine(torch.device('cpu'))})".strip(),
                            "cores": os.cpu_count(), "fast_bfloat16": fast_bfloat16("cpu"), "load_before": before,
                            "load_after": load()}
            write_json(path, result)
            write_text(out / "README.md", page(result))                     # at once: an interrupted run keeps them
    print(page(result))
    return result


if __name__ == "__main__":
    main()

"""Training: the steps, the schedule, and above all that a killed run goes on as if nothing had happened."""

import copy
import os
import signal
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest
import torch

from gan_teach.networks.losses import logistic_d, logits_and_slope, relativistic_d, relativistic_g
from gan_teach.networks.progan import Discriminator, Generator, ProGANConfig
from gan_teach.recipes import growing
from gan_teach.stylegan.discriminator import Discriminator as StyleDiscriminator
from gan_teach.stylegan.generator import Generator as StyleGenerator
from gan_teach.stylegan.generator import StyleGANConfig
from gan_teach.training import (
    NotFinite,
    Resumable,
    Schedule,
    Settings,
    Training,
    advance,
    curve,
    r1_weight,
    run,
    snapshot,
    step,
)

MODELS = """
    import torch
    from gan_teach import stylegan
    from gan_teach.networks import progan

    def pair(kind, resolution, **options):
        if kind == "progan":
            config = progan.ProGANConfig(z_dim=8, widths=(8,) * (resolution.bit_length() - 2), **options)
        else:
            config = stylegan.StyleGANConfig(resolution, 8, 8, fmap_max=8, mapping_layers=2, **options)
        network = progan if kind == "progan" else stylegan
        G, D = network.Generator(config), network.Discriminator(config)
        if kind == "stylegan":      # flat maps have a gradient of 0, up to rounding, and Adam enlarges the rounding
            torch.nn.init.normal_(G.blocks["layer0"].source.value)
        return G, D
"""

SCRIPT = MODELS + """
    import os, signal, sys
    from gan_teach.training import Schedule, Settings, Training, run

    folder, kind, die_at = sys.argv[1], sys.argv[2], int(sys.argv[3])

    class Mortal(Training):
        def step(self):
            if self.steps == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().step()

    torch.set_num_threads(1)
    torch.manual_seed(0)
    real = torch.randint(256, (40, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    settings = Settings(images=160, batch=8, r1_every=4, cool=0.4, schedule=Schedule({8: 24, 16: 40}, {4: 24, 8: 16}))
    run(Mortal(*pair(kind, 16), real, settings, "cpu"), folder, save_every=10, steps=20)
"""


def tiny(**changes) -> Training:
    torch.manual_seed(0)
    config = ProGANConfig(z_dim=8, widths=(8, 8))
    settings = Settings(batch=4, schedule=Schedule({8: 8}, {4: 8}), **changes)
    return Training(Generator(config), Discriminator(config),
                    torch.randint(256, (16, 3, 8, 8), dtype=torch.uint8), settings, "cpu")


def run_here(script: str, *arguments) -> None:
    """In this process, which has loaded torch already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["", *map(str, arguments)])
        exec(textwrap.dedent(script), {})


@pytest.mark.parametrize("kind", ["progan", "stylegan"])
def test_killed_run_continues_bit_for_bit(tmp_path, kind):
    """20 steps, and 13 steps, SIGKILL, resume from the snapshot of step 10: every tensor equal, Adam's and w̄ too."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path / "killed"), kind, "13"],
                          capture_output=True, text=True, timeout=240)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert torch.load(tmp_path / "killed/resume.pt", weights_only=True)["steps"] == 10
    for folder in ("whole", "killed"):
        run_here(SCRIPT, tmp_path / folder, kind, -1)
    a, b = (torch.load(tmp_path / name / "resume.pt", weights_only=True) for name in ("whole", "killed"))
    assert a["steps"] == b["steps"] == 20
    for name in ("G", "D", "G_ema"):
        assert a[name].keys() == b[name].keys()
        assert all(torch.equal(a[name][key], b[name][key]) for key in a[name])
    for one, other in zip(a["optimisers"], b["optimisers"]):
        assert one["param_groups"] == other["param_groups"]
        assert all(torch.equal(one["state"][i][k], other["state"][i][k]) for i in one["state"] for k in one["state"][i])


@pytest.mark.skipif(sys.platform != "linux", reason="kills.py forks a process that has loaded torch")
def test_every_training_that_is_killed_at_random_ends_as_if_it_were_not():
    """More of them: `python tests/kills.py --kills 60`."""
    done = subprocess.run([sys.executable, str(Path(__file__).parents[1] / "kills.py"), "--kills", "8", "--seed", "1"],
                          capture_output=True, text=True, timeout=600, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-2000:]
    assert "in all 8" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="kills.py forks a process that has loaded torch")
def test_a_kill_between_a_grid_and_its_snapshot_leaves_no_trace(tmp_path):
    """Of both loops: in an evolution batch norm would note what is drawn in training mode."""
    script = ("import kills, pathlib, sys\n"
              "for kind in ('stylegan', 'E-GAN on pictures'):\n"
              "    kills.at_grids(kind, pathlib.Path(sys.argv[1]) / kind)")
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=600,
                          cwd=Path(__file__).parents[1], env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(
                              Path(__file__).parents[2])})
    assert done.returncode == 0, done.stderr[-2000:]


PAIR = MODELS + """
    import sys, torch
    from gan_teach.processes import join_group, leave_group
    from gan_teach.training import Schedule, Settings, Training, run

    join_group()
    real = torch.randint(256, (16, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    settings = Settings(images=48, batch=8, bf16=False, r1_every=2, schedule=Schedule({8: 16}, {4: 16}))
    for kind in ("progan", "stylegan"):
        torch.manual_seed(0)
        networks = pair(kind, 8, stddev_group=0)             # its groups would differ in a divided batch
        run(Training(*networks, real, settings, "cpu"), f"{sys.argv[1]}/{kind}")
    leave_group()
"""


def test_two_processes_make_the_steps_of_one(tmp_path):
    (script := tmp_path / "pair.py").write_text(textwrap.dedent(PAIR))
    done = subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
                           "--max-restarts=1", str(script), str(tmp_path / "two")], capture_output=True, text=True,
                          timeout=240, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-2000:]
    run_here(PAIR, tmp_path / "one")
    for kind in ("progan", "stylegan"):
        one, two = (torch.load(tmp_path / name / kind / "resume.pt", weights_only=True) for name in ("one", "two"))
        assert one["steps"] == two["steps"] == 6
        for name in ("G", "D", "G_ema"):
            for key, value in one[name].items():
                assert torch.allclose(two[name][key], value, atol=2e-3), f"{kind} {name} {key}"


def test_restore_goes_back_exactly():
    training = tiny()
    training.step(), training.step()
    state, losses = training.state(), [training.step() for _ in range(2)]
    end = copy.deepcopy(training.G_ema.state_dict())
    training.restore(state)
    assert training.steps == 2 and [training.step() for _ in range(2)] == losses
    assert all(torch.equal(value, end[name]) for name, value in training.G_ema.state_dict().items())


def test_interrupt_finishes_the_step_and_saves(tmp_path):
    class Interrupted(Training):
        def step(self):
            result = super().step()
            if self.steps == 3:
                signal.raise_signal(signal.SIGINT)
            return result

    training, handler = tiny(), signal.getsignal(signal.SIGINT)
    training.__class__ = Interrupted
    run(training, tmp_path, steps=10)
    assert training.steps == 3
    assert torch.load(tmp_path / "resume.pt", weights_only=True)["steps"] == 3
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("kind", ["progan", "stylegan"])
def test_a_fade_mixes_maps_of_two_precisions(monkeypatch, kind):
    """As on CUDA, where autocast enlarges in float32 what a convolution has left in 16 bits."""
    whole = torch.nn.functional.interpolate
    monkeypatch.setattr(torch.nn.functional, "interpolate", lambda x, *args, **more: whole(x.float(), *args, **more))
    if kind == "progan":
        config = ProGANConfig(z_dim=8, widths=(8, 8))
        pair = Generator(config), Discriminator(config)
    else:
        config = StyleGANConfig(8, 8, 8, fmap_max=8, mapping_layers=2)
        pair = StyleGenerator(config), StyleDiscriminator(config)
    settings = Settings(batch=4, schedule=Schedule({8: 16}, {4: 0}))
    training = Training(*pair, torch.randint(256, (16, 3, 8, 8), dtype=torch.uint8), settings, "cpu")
    training.step(), training.step()
    assert training.G.alpha == 0.25 and training.G(torch.zeros(1, 8)).dtype == torch.float32


def test_nan_is_stopped_before_it_reaches_the_weights():
    training = tiny()
    training.step()
    before = {k: v.clone() for k, v in training.D.state_dict().items()}
    training.D.forward = lambda x: torch.full((len(x),), float("nan"), requires_grad=True)
    with pytest.raises(NotFinite, match="loss of D is nan in step 1"):
        training.step()
    assert all(torch.equal(before[k], v) for k, v in training.D.state_dict().items())


def test_a_finite_loss_with_a_gradient_that_is_not_stops_before_the_update():
    training = tiny()
    before = copy.deepcopy(training.G.state_dict())
    loss = sum(p.sum() for p in training.G.parameters()).mul(0).abs().sqrt()          # 0, with the slope ∞ · 0
    assert loss.item() == 0
    with pytest.raises(NotFinite, match="gradient of G is nan in step 0"):
        training._update(0, training.G, loss, loss)
    assert all(torch.equal(a, b) for a, b in zip(before.values(), training.G.state_dict().values(), strict=True))


def test_a_new_discriminator_learns_alone_first():
    """G that can draw already would be led astray by a D that knows nothing."""
    training = tiny(d_first=8)                                             # two steps of 4 pictures
    before = {name: copy.deepcopy(getattr(training, name).state_dict()) for name in ("G", "D", "G_ema")}

    def still(name):
        return all(torch.equal(before[name][key], value) for key, value in getattr(training, name).state_dict().items())

    assert "loss_g" not in training.step() | training.step()
    assert still("G") and still("G_ema") and not still("D")
    assert "loss_g" in training.step()
    assert not still("G") and not still("G_ema")


def test_wgan_gp_trains_too_and_an_unknown_loss_is_refused():
    training = tiny(loss="wgan-gp", r1_gamma=1e9)                          # R1 has no part in it
    before = [p.clone() for p in training.D.parameters()]
    losses = [training.step() for _ in range(3)]
    assert all(abs(loss["loss_d"]) < 100 for loss in losses)               # 10 (‖∇‖ − 1)² and scores near 0
    assert any(not torch.equal(a, b) for a, b in zip(before, training.D.parameters()))
    with pytest.raises(ValueError, match="no loss 'hinge'; there are: logistic, relativistic, wgan-gp"):
        tiny(loss="hinge")


def test_a_growing_r1_holds_the_same_discriminator_as_hard_at_every_size():
    settings = Settings(r1_gamma=40.0, r1_grows=True)
    v = torch.linspace(-1, 1, 3 * 16 * 16).view(1, 3, 16, 16)
    small, large = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 32, 32)

    def judge(x):                                                          # one D, looking at 16×16 averages
        x = x if x.shape[-1] == 16 else torch.nn.functional.avg_pool2d(x, 2)
        return (x * v).sum((1, 2, 3))

    held = [r1_weight(settings, len(x[0, 0]), 64) * logits_and_slope(judge, x)[1].item() for x in (small, large)]
    assert held[0] == pytest.approx(held[1]) and held[0] > 0
    assert r1_weight(settings, 64, 64) == 40 and r1_weight(settings, 32, 64) == 10
    assert r1_weight(Settings(r1_gamma=40.0), 4, 64) == 40


def test_a_growing_r1_is_weaker_while_the_pictures_are_small():
    same = tiny(r1_gamma=8.0, r1_grows=True), tiny(r1_gamma=2.0), tiny(r1_gamma=8.0)         # 4×4 of 8×8 pixels
    for training in same:
        training.step()
    first, second, third = ([p.detach().clone() for p in training.D.parameters()] for training in same)
    assert all(map(torch.equal, first, second)) and not all(map(torch.equal, first, third))


def same_gradients(one, other):
    for ours, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert (ours.grad is None) == (theirs.grad is None)
        assert ours.grad is None or torch.allclose(ours.grad, theirs.grad, rtol=1e-4, atol=1e-6)


def step_d_by_hand(training, d_loss, r2):
    """One step, and D's update by hand: the gradients that are left in D. Returns the G of before, x and the draws."""
    G, D = (copy.deepcopy(net) for net in (training.G, training.D))
    training.step()
    draw = torch.Generator().manual_seed(0)
    for net in (G, D):
        net.grow(4, 1.0)
    real = training.batch(4, 1.0, draw)
    with torch.no_grad():
        fake = G.regularised(4, draw, slice(None))
    penalty = logits_and_slope(D, real)[1] + (logits_and_slope(D, fake)[1] if r2 else 0)
    (d_loss(D(real), D(fake)) + 2 * 3.0 / 2 * penalty).backward()
    same_gradients(D, training.D)
    return G, real, draw


@pytest.mark.parametrize("r2", [False, True])
def test_r2_holds_the_discriminator_on_generated_pictures_too(r2):
    step_d_by_hand(tiny(r2=r2, r1_gamma=3.0, r1_every=2, bf16=False), logistic_d, r2)


def test_styles_are_mixed_over_the_last_part_of_a_run(monkeypatch):
    training, seen = tiny(images=16, mix_last=0.5), []
    draw = training.G.regularised
    monkeypatch.setattr(training.G, "regularised", lambda *given, mixes: seen.append(mixes) or draw(*given))
    for _ in range(4):
        training.step()
    assert seen == [False] * 4 + [True] * 4                                  # D and G in each step


def test_a_relativistic_step_descends_on_pairs_with_both_penalties():
    """Both updates by hand: the gradients that are left in D and in G after one step."""
    training = tiny(loss="relativistic", r2=True, r1_gamma=3.0, r1_every=2, bf16=False, noise_rate=1.0)
    G, real, draw = step_d_by_hand(training, relativistic_d, r2=True)
    with torch.no_grad():
        real_logits = training.D(real)                                     # G learns from the D that has just learnt
    relativistic_g(real_logits, training.D(G.regularised(4, draw, slice(None)))).backward()
    same_gradients(G, training.G)
    with pytest.raises(ValueError, match="relativistic"):
        Settings(loss="hinge")


def test_gamma_falls_over_the_middle_half_of_a_run():
    settings = Settings(r1_gamma=8.0, r1_gamma_end=0.5)
    found = [r1_weight(settings, 64, 64, shown) for shown in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert found == pytest.approx([8.0, 8.0, 2.0, 0.5, 0.5])               # half-way: their geometric mean
    assert r1_weight(Settings(r1_gamma=8.0, r1_gamma_end=0.5, r1_grows=True), 32, 64, 0.5) == pytest.approx(0.5)
    assert r1_weight(Settings(r1_gamma=8.0), 64, 64, 0.9) == 8.0


def test_a_run_keeps_a_curve_and_a_stopped_one_the_same(tmp_path):
    def judge(G):
        return {"mean": float(next(G.parameters()).mean())}

    settings = {"images": 64, "r1_every": 4, "loss": "relativistic", "r2": True, "r1_gamma_end": 1.0}
    run(tiny(**settings), tmp_path / "whole", judge=judge, judge_every=8)
    for steps in (7, 16):
        run(tiny(**settings), tmp_path / "halves", steps=steps, judge=judge, judge_every=8)
    whole = curve(tmp_path / "whole")
    assert [row["images"] for row in whole] == [16, 24, 32, 40, 48, 56, 64]           # from full size on: 8 px after 8
    assert curve(tmp_path / "halves") == whole and curve(tmp_path / "nothing") == []
    assert len({row["mean"] for row in whole}) == len(whole)


@pytest.mark.parametrize("settings", [Settings(), growing.STYLE_SETTINGS, growing.PORTRAIT_SETTINGS])
def test_a_recipe_cut_short_reaches_the_full_size_or_says_what_it_needs(settings):
    with pytest.raises(ValueError, match="320 images end before .* 64×64 pixels: give more than ") as refused:
        growing.shortened(settings, 320)
    needed = int(str(refused.value).rsplit(" ", 1)[1].replace(",", ""))
    with pytest.raises(ValueError):
        growing.shortened(settings, needed)
    short = growing.shortened(settings, needed + 1)
    last = -(-short.images // short.batch) - 1                             # the number of the last step
    assert short.schedule.at(last * short.batch)[0] == 64 and growing.shortened(settings, None) is settings


def test_w_avg_follows_the_mapping_and_reaches_the_kept_generator():
    torch.manual_seed(0)
    config = StyleGANConfig(8, 8, 8, fmap_max=8, mapping_layers=2)
    real = torch.randint(256, (16, 3, 8, 8), dtype=torch.uint8)
    training = Training(StyleGenerator(config), StyleDiscriminator(config), real,
                        Settings(batch=4, schedule=Schedule({8: 8}, {4: 8})), "cpu")
    training.step()
    assert training.G.w_avg.abs().sum() > 0                                # two batches have moved it from 0
    assert torch.equal(training.G_ema.w_avg, training.G.w_avg)


def test_what_is_gone_on_with_was_read_to_the_cpu(tmp_path):
    """There Adam counts its steps: on the device of the weights each update would wait for every counter."""
    class Elsewhere(Resumable):
        device = torch.device("meta")

        def state(self):
            return {"settings": "", "step": torch.ones(())}

        def restore(self, state):
            self.step = state["step"]

    work = Elsewhere()
    work.save(tmp_path / "resume.pt")
    work.resume(tmp_path / "resume.pt")
    assert work.step.device.type == "cpu" and work.step == 1


def test_a_batch_that_the_processes_cannot_share_equally_is_refused(monkeypatch):
    """The mean over processes would weigh the pictures of a small share more."""
    monkeypatch.setattr(step, "place", lambda: (0, 3))
    with pytest.raises(ValueError, match="3 processes cannot share a batch of 4 equally"):
        tiny()


def test_snapshot_of_other_settings_is_refused(tmp_path):
    run(tiny(), tmp_path, steps=1)
    with pytest.raises(ValueError, match="other settings"):
        run(tiny(lr=1e-4), tmp_path, steps=2)


def test_a_snapshot_of_other_pictures_and_a_damaged_one_are_refused_by_name(tmp_path):
    training = tiny()
    training.step()
    path = tmp_path / "resume.pt"
    training.save(path)
    other = tiny()
    other.real = 255 - other.real
    with pytest.raises(ValueError, match=r"resume.pt: this snapshot was made with other pictures"):
        run(other, tmp_path, steps=2)
    other = tiny()
    other.start = "weights"
    with pytest.raises(ValueError, match=r"resume.pt: this snapshot is of a training that began as other weights"):
        run(other, tmp_path, steps=2)
    whole = path.read_bytes()
    for damaged in (b"", whole[:-100], b"text", whole[:len(whole) // 2] + bytes(999) + whole[len(whole) // 2 + 999:]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="resume.pt is damaged: delete it"):
            run(tiny(), tmp_path, steps=2)
    state = training.state()
    torch.save({key: value for key, value in state.items() if key != "data"}, path)
    with pytest.raises(ValueError, match=r"resume.pt: this snapshot was made with other pictures"):
        run(tiny(), tmp_path, steps=2)
    torch.save({"settings": state["settings"], "data": state["data"]}, path)
    with pytest.raises(ValueError, match="resume.pt is damaged: delete it .KeyError"):
        run(tiny(), tmp_path, steps=2)
    path.write_bytes(whole)
    (tmp_path / "curve.json").write_text("{")
    with pytest.raises(ValueError, match="curve.json is damaged: delete it"):
        curve(tmp_path)


def test_a_training_that_has_nothing_to_do_says_so(tmp_path, capsys):
    run(tiny(), tmp_path, steps=1)
    assert "nothing to do" not in capsys.readouterr().out
    run(tiny(), tmp_path, steps=1)
    assert f"nothing to do: the training in {tmp_path} has made 1 of 1 steps" in capsys.readouterr().out
    assert not [*advance(tiny(), None, 0, save_every=1)] and not capsys.readouterr().out    # there is no folder to name


def test_sample_grids_are_written(tmp_path):
    run(tiny(), tmp_path, steps=4, picture_every=2)
    assert sorted(p.name for p in (tmp_path / "samples").iterdir()) == ["00000008.png", "00000016.png"]


def test_schedule_grows_in_order():
    schedule = Schedule({8: 100, 16: 200}, {4: 50, 8: 60})
    assert [schedule.at(n) for n in (0, 49, 50, 100, 150, 209, 210, 310, 410, 10**9)] == [
        (4, 1.0), (4, 1.0), (8, 0.0), (8, 0.5), (8, 1.0), (8, 1.0), (16, 0.0), (16, 0.5), (16, 1.0), (16, 1.0)]


def test_learning_rate_cools_at_the_end():
    training = tiny(images=40, cool=0.5)
    rates = []
    for _ in range(10):
        training.step()
        rates.append(training.optimisers[0].param_groups[0]["lr"] / training.settings.lr)
    assert rates[:5] == [1.0] * 5 and rates == sorted(rates, reverse=True) and 0.1 < rates[-1] < 0.3


def test_noise_learns_at_its_own_rate():
    config = StyleGANConfig(resolution=8, z_dim=8, w_dim=8, fmap_max=8, mapping_layers=1)
    torch.manual_seed(0)
    settings = Settings(images=40, batch=4, lr=1e-3, cool=0.5, noise_rate=0.01, bf16=False,
                        schedule=Schedule({}, {8: 0}))
    t = Training(StyleGenerator(config), StyleDiscriminator(config),
                 torch.randint(256, (16, 3, 8, 8), dtype=torch.uint8), settings, "cpu")
    before = {name: p.detach().clone() for name, p in t.G.named_parameters()}
    t.step()
    moved = {name: (p - before[name]).abs().max().item() for name, p in t.G.named_parameters()}
    assert moved["blocks.layer3.source.weight"] == pytest.approx(1e-3, rel=1e-3), "Adam's first step is the rate"
    assert moved["blocks.layer3.B"] == pytest.approx(1e-5, rel=1e-3)
    shares = []
    for _ in range(9):
        t.step()
        everything, noise = (group["lr"] for group in t.optimisers[0].param_groups)
        shares.append(noise / everything)
    assert shares == pytest.approx([0.01] * 7 + [1.0] * 2), "while the rest cools, the noise is let go"


@pytest.mark.parametrize("steps, kept", [(0, 1 / 20), (10, 11 / 30), (100, 0.75)])
def test_ema_is_the_running_mean(steps, kept):
    """… over a short memory at first, so that the EMA forgets how G began."""
    training = tiny(ema=0.75)
    training.steps = steps
    old = [p.clone() for p in training.G_ema.parameters()]
    training.step()
    for before, after, now in zip(old, training.G_ema.parameters(), training.G.parameters()):
        assert torch.allclose(after, kept * before + (1 - kept) * now, atol=1e-6)


def test_a_compressed_snapshot_could_fill_the_memory_and_is_refused(tmp_path):
    torch.save({"settings": "", "steps": 0, "a": torch.zeros(1000)}, tmp_path / "resume.pt")
    assert snapshot(tmp_path / "resume.pt")["steps"] == 0
    with zipfile.ZipFile(tmp_path / "resume.pt") as read, \
            zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as write:
        for entry in read.infolist():
            write.writestr(entry.filename, read.read(entry))
    with pytest.raises(ValueError, match="bomb.pt is damaged: delete it .*it is compressed"):
        snapshot(tmp_path / "bomb.pt")

"""E-GAN: a generator evolves. Three losses make three children, D judges them, the fittest lives on.

Wang et al. 2018, "Evolutionary Generative Adversarial Networks" (arXiv 1803.00657, version 1). A generation:

    D learns      n_D steps, the survivors' pictures against real ones       `Evolution.train_d(real)`
    variation     each mutation moves a copy of each parent by one Adam step `Evolution.vary()`
    evaluation    F = F_q + γ F_d of every child                             `Evolution.evaluate()`
    selection     the best μ children are the next parents                   `Evolution.select()`

Parents never compete with their children: (μ, λ) selection with λ = μ · (number of mutations). This is the
paper's Algorithm 1; its authors' code lets G go first and shows D the pictures that were judged. One mutation
and μ = 1 is a plain GAN, from the same code and the same draws. Taught in notebooks/03_evolutionary_gan.ipynb.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..networks.device import low_precision, pick_device
from ..networks.layers import check_finite, check_gradients, countable, described
from ..networks.protocols import check_alike, check_weights, evaluating
from ..training import NotFinite, Resumable, check_descent, refill
from . import shared_passes
from .child import Moments, check_each, check_logits, check_loss, clone, descend, follow, mutate, name_of
from .fitness_and_selection import Fitness, judged, select
from .settings import Settings


class Individual(NamedTuple):
    G: nn.Module
    adam: Moments | None = None     # Adam's moments after the step that made it
    parent: int = 0                 # which survivor of the generation before
    mutation: str = ""


@dataclass(frozen=True)
class Generation:
    """What happened: one entry of the lineage. `survivors` are numbers of children, `parents` of survivors before."""

    number: int                       # from 1
    loss_d: tuple[float, ...]         # in each of D's steps
    parents: tuple[int, ...]          # of each child
    mutations: tuple[str, ...]        # of each child
    fitness: tuple[Fitness, ...]      # of each child; NaN where there was nothing to choose and none was judged
    survivors: tuple[int, ...]        # as the selection named them: the best first

    @property
    def winner(self) -> str:
        """The mutation that made the first survivor."""
        return self.mutations[self.survivors[0]]


class Evolution(Resumable):
    """Generators that evolve against one discriminator.

    G: a generator, or μ of them. D: pictures to logits. Both are copied. `step(real)` is one generation; real:
    all the real samples there are (N×…, floats, or uint8 pictures), or a function (n, torch.Generator) -> n
    samples. Every draw is a function of (seed, generation), so `state()` and `restore(state)` hold all that the
    next step depends on. `.G` is the first survivor, the one to keep; with `ema`, `.mean` is the running mean of the
    first survivors' weights, m ← ema · m + (1 − ema) · θ: it is only looked at. `.children` and `.scores` stay until
    the next `vary()`; `.lineage` lists every Generation. `settings` may be exchanged between generations.

    Same z for siblings (`mutate_same_z`) allows one forward pass for all of them and is not only cheaper: siblings
    that saw different z differ mostly because of that (on the plane their gradients' cosine is about .84, of
    clones too), on the same z only by their loss (nearly 1 where D is in doubt), and selection has less to choose
    from. `judge_same_z` takes the luck of the draw out of the comparison, as far as it lies in z. A G with batch norm
    counts in its running averages every batch it draws, those of judgements too.
    """

    def __init__(self, G: nn.Module | Sequence[nn.Module], D: nn.Module, settings: Settings = Settings(), device=None):
        if not isinstance(settings, Settings):
            raise ValueError(f"settings are Settings, such as Settings(batch=32); got a {type(settings).__name__}")
        self.device = pick_device(device)
        parents = list(G) if isinstance(G, (list, tuple)) else [G]
        if len(parents) not in (1, settings.mu):
            raise ValueError(f"{len(parents)} generators for mu = {settings.mu}; give one, or as many as survive")
        for net in (D, *parents):
            if not isinstance(net, nn.Module) or not any(True for _ in net.parameters()):
                raise ValueError(f"an evolution needs networks with weights; got a {type(net).__name__}")
            if net is not D and not hasattr(net, "z_dim"):
                raise ValueError(f"a {type(net).__name__} is no generator: it has no .z_dim, the size of its latents")
        check_weights(D, *parents)
        kinds = {p.dtype for net in (D, *parents) for p in net.parameters()}
        if len(kinds) > 1:
            raise ValueError("the weights of G and D are numbers of one kind; these are of "
                             f"{', '.join(sorted(map(str, kinds)))} (.float() makes them alike)")
        self.D, *parents = (copy.deepcopy(net).train().to(self.device, memory_format=torch.channels_last)
                            for net in (D, *parents * (settings.mu // len(parents))))
        self.survivors = [Individual(net.requires_grad_(True)) for net in parents]
        self.optimiser_d = torch.optim.Adam(self.D.requires_grad_(True).parameters(), foreach=True)
        self.mean = clone(self.G).eval() if settings.ema else None
        self.own: dict[int, Moments] = {}       # Adam's moments of each mutation
        self.settings, self.generation, self.seconds = settings, 0, 0.0
        self.children: list[Individual] = []
        self.scores: list[Fitness] = []
        self.lineage: list[Generation] = []
        self.real, self.loss_d, self.born = None, (), -1        # born: when the children were
        self.data = ""                          # the fingerprint of the pictures of a long run

    @property
    def G(self) -> nn.Module:
        """The first survivor."""
        return self.survivors[0].G

    steps = property(lambda self: self.generation)              # as `training.advance` asks

    # ---------------------------------------------------------------------------------- draws

    def _draw(self, phase: int, again: int = 0) -> torch.Generator:
        number = (self.settings.seed * 1_000_000_007 + self.generation) * 4 + phase
        return torch.Generator().manual_seed((number + again * 0x9E3779B97F4A7C15) % 2**63)

    def _z(self, n: int, draw: torch.Generator) -> Tensor:
        return torch.randn(n, self.G.z_dim, generator=draw, dtype=torch.float32).to(next(self.G.parameters()))

    def _real(self, n: int, draw: torch.Generator) -> Tensor:
        real = self.real
        x = real(n, draw) if callable(real) else real
        if isinstance(real, Tensor):
            x = real[torch.randint(len(real), (n,), generator=draw)]
        if not isinstance(x, Tensor) or not x.ndim or len(x) != n or not countable(x):
            raise ValueError("real must be a tensor of samples, or a function (n, draw) that returns n of them; got "
                             f"{described(x)} for {n}")
        like = next(self.D.parameters())
        x = x.to(like) / 127.5 - 1 if x.dtype == torch.uint8 else x.to(like)
        return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x

    def _falls(self, lr: float) -> float:
        """lr · 2^(−t/`halves`) in generation t."""
        return lr * 0.5 ** (self.generation / self.settings.halves) if self.settings.halves else lr

    def _precision(self) -> torch.autocast:
        """Entered anew around every forward pass: it remembers the weights that it has rounded."""
        return low_precision(self.device, self.settings.bf16)

    # ---------------------------------------------------------------------------------- a generation

    def step(self, real) -> Generation:
        """One generation. Where there is nothing to choose (one mutation) no child is judged."""
        self.train_d(real)
        self.vary()
        if len(self.children) > self.settings.mu:
            self.evaluate()
        return self.select()

    @torch.enable_grad()
    def train_d(self, real) -> tuple[float, ...]:
        """The environment: n_D steps of D on `batch` real and as many fake ones, 1/μ of them from each survivor."""
        check_gradients()
        if not callable(real) and hasattr(real, "__len__") and not len(real):
            raise ValueError("there are no real samples to learn from: real is empty")
        s, draw, known = self.settings, self._draw(0), real is self.real
        self.real, losses = real, []
        self.optimiser_d.param_groups[0].update(lr=self._falls(s.lr_d or s.lr), betas=s.betas_d or s.betas)
        for _ in range(s.d_steps):
            x = self._real(s.batch, draw)
            with self._precision(), torch.no_grad():
                fakes = [one.G(self._z(s.batch // s.mu, draw)) for one in self.survivors]
            if not known:
                self.real = None                                            # a second try is to be refused too
                for drawn in fakes:
                    check_each("what G draws", drawn, s.batch // s.mu)
                check_alike(x, fakes[0])
                with self._precision(), evaluating(self.D):                 # no trace in a batch norm
                    check_logits(self.D(x), len(x))
                self.real, known = real, True
            fake = torch.cat(fakes)
            with self._precision():
                loss = check_loss("D", s.d_loss(self.D, x, fake, draw))
            self.optimiser_d.zero_grad(set_to_none=True)
            loss.backward()
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):                               # then no learning rate is to blame
                check_finite("the real samples", x)
            check_descent("D", f"generation {self.generation + 1}", (p.grad for p in self.D.parameters()),
                          loss.detach())
            self.optimiser_d.step()
        self.loss_d = tuple(losses)
        return self.loss_d

    @torch.enable_grad()
    def vary(self) -> list[Individual]:
        """Variation: μ · (number of mutations) children; child number k of a parent is made by mutation k.

        NotFinite, and no child at all, where a gradient is not finite.
        """
        check_gradients()
        s, draw = self.settings, self._draw(1)
        self.children, self.scores, self.born = [], [], -1
        children, own = [], dict(self.own)
        for j, parent in enumerate(self.survivors):
            if s.mutate_same_z and s.shared:
                with self._precision():
                    moves = shared_passes.gradients(parent.G, self.D, self._z(s.batch, draw), s.mutations)
            else:
                zs = [self._z(s.batch, draw) for _ in s.mutations[:1 if s.mutate_same_z else None]]
                moves = []
                for k, mutation in enumerate(s.mutations):
                    with self._precision():
                        moves.append(mutate(parent.G, self.D, zs[k % len(zs)], mutation))
            for k, (G, gradient) in enumerate(moves):
                name = name_of(s.mutations[k])
                check_descent(f"the child by {name}", f"generation {self.generation + 1}", gradient)
                before = {"own": own.get(k), "inherited": parent.adam, "reset": None}[s.adam]
                own[k] = descend(G, gradient, before, self._falls(s.lr), s.betas)
                children.append(Individual(G, own[k], j, name))
        self.children, self.own, self.born = children, own, self.generation
        return self.children

    @torch.enable_grad()
    def evaluate(self, real=None, again: int = 0) -> list[Fitness]:
        """Evaluation: F of every child, against the same real samples for all of them.

        real: None takes those of the last `train_d`. again: another number, other draws: how much of the
        difference between siblings is luck? Only `again=0` counts in the selection, and in a batch norm's averages.
        """
        if self.settings.gamma:
            check_gradients()
        if not self.children:
            raise RuntimeError("there are no children to judge: call vary() first")
        self.real = self.real if real is None else real
        if self.real is None:
            raise RuntimeError("there is nothing real to compare with: evaluate(real), or train_d(real) before")
        s, draw = self.settings, self._draw(2, again)
        x = self._real(s.fitness_batch, draw)
        zs = [self._z(s.fitness_batch, draw) for _ in self.children[:1 if s.judge_same_z else None]]
        with self._precision(), torch.no_grad():
            fakes = [(clone(child.G) if again else child.G)(zs[k % len(zs)]) for k, child in enumerate(self.children)]
        with self._precision():
            if s.shared and s.gamma:
                pairs = shared_passes.quality_and_diversity(self.D, x, fakes)
                scores = [Fitness.weighed(*pair, s.gamma) for pair in pairs]
            else:
                scores = [judged(self.D, x, fake, s.gamma) for fake in fakes]
        if any(math.isnan(f.total) for f in scores):
            raise NotFinite(f"a fitness is NaN in generation {self.generation + 1}; go on from the last snapshot "
                            "with a smaller learning rate")
        if again == 0:
            self.scores = scores
        return scores

    def select(self) -> Generation:
        """Selection: the chosen children are the survivors now; returns the record of the generation."""
        s, n = self.settings, len(self.children)
        if self.born != self.generation:
            raise RuntimeError("there are no new children to choose from: call vary() first")
        if n > s.mu and not self.scores:
            raise RuntimeError("the children have not been judged: call evaluate() first")
        scores = self.scores or [Fitness(math.nan, math.nan, math.nan)] * n
        chosen = list(range(n)) if n == s.mu else select(scores, s.mu, s.selection, self._draw(3))
        self.generation += 1
        self.lineage.append(Generation(self.generation, self.loss_d, tuple(c.parent for c in self.children),
                                       tuple(c.mutation for c in self.children), tuple(scores), tuple(chosen)))
        self.survivors = [self.children[i] for i in chosen]
        if self.mean is not None:
            follow(self.mean, self.G, self.settings.ema)
        return self.lineage[-1]

    def state(self, lineage: bool = True) -> dict:
        """A copy of everything that the next generation depends on, and the lineage; plain types and tensors."""
        return copy.deepcopy({
            "generation": self.generation, "seconds": self.seconds, "settings": str(self.settings), "data": self.data,
            "survivors": [one._asdict() | {"G": one.G.state_dict()} for one in self.survivors], "own": self.own,
            "mean": None if self.mean is None else self.mean.state_dict(),
            "D": self.D.state_dict(), "optimiser_d": self.optimiser_d.state_dict(),
            "lineage": [vars(g) | {"fitness": tuple(map(tuple, g.fitness))} for g in self.lineage if lineage]})

    def restore(self, state: dict) -> None:
        """Go back, or forward, to a `state()` of the same networks; what follows is equal bit for bit."""
        state, body = copy.deepcopy(state), self.G
        if len(state["survivors"]) != self.settings.mu or type(state["own"]) is not dict:
            raise TypeError("it is no state of such an evolution")
        self.generation, self.seconds, self.own = state["generation"], state["seconds"], state["own"]
        self.survivors = [Individual(**one | {"G": clone(body)}) for one in state["survivors"]]
        for one, saved in zip(self.survivors, state["survivors"]):
            one.G.load_state_dict(saved["G"])
        if self.mean is not None:
            self.mean.load_state_dict(state["mean"])
        self.D.load_state_dict(state["D"])
        refill(self.optimiser_d, state["optimiser_d"], ("lr", "betas"))
        for moments in (*self.own.values(), *(one.adam for one in self.survivors if one.adam is not None)):
            adam = torch.optim.Adam(body.parameters())
            refill(adam, {"state": moments, "param_groups": adam.state_dict()["param_groups"]})
        self.lineage = [Generation(**row | {"fitness": tuple(Fitness(*f) for f in row["fitness"])})
                        for row in state["lineage"]]
        if not all(g.winner and len(g.parents) == len(g.mutations) == len(g.fitness) for g in self.lineage):
            raise ValueError("its lineage is of something else")
        self.children, self.scores, self.loss_d, self.born = [], [], (), -1

"""What path "graph" has to pass on a device that it has not met: `lrlib doctor --gpu`, a minute, no data.

The images are noise of the right shape. Each check compares two ways to the same numbers, or reads one
number off the weights that the record would otherwise take on trust.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from lrlib.runs.config import RunConfig, preset
from lrlib.runs.record import Run
from lrlib.training.dataset import Dataset
from lrlib.training.gpu import Engine
from lrlib.training.loop import set_up
from lrlib.training.machine import Target, resolve
from lrlib.training.metrics import evaluate
from lrlib.training.randomness import draw_augmentation, permutation
from lrlib.training.run import take_turns, training

Result = TypeVar("Result")

#: How far two ways may differ, relative: weights after an epoch of 4 or 11 updates, and a mean loss. Sums
#: in another order differ by 1e-7 in fp32 and by 4e-3 in bf16, and updates amplify that; where the same
#: work done twice differs by more (some kernels add in the order in which they come), ten times that is
#: allowed.
WEIGHTS = {"fp32": 1e-5, "bf16": 3e-2, "fp16": 3e-2}
LOSSES = {"fp32": 1e-3, "bf16": 3e-2, "fp16": 3e-2}
#: Kernels of one captured update in bf16, counted on the list of operations that torch dispatches for an
#: H100. Many more mean that a call over many tensors fell back to one kernel each.
KERNELS = {"source_resnet": 1240, "resnet50": 790, "resnet10": 189}


@dataclass(frozen=True)
class Line:
    """One check: "ok", "FAIL", or "note" for what is only told; and what was found."""

    case: str
    what: str
    verdict: str
    found: str


def noise(config: RunConfig) -> Dataset:
    """Return random images and labels of the shape and number that `config` wants."""
    source = torch.Generator().manual_seed(0)
    channels, side = (1, 8) if config.dataset == "digits" else (3, 32)

    def drawn(n: int) -> tuple[Tensor, Tensor]:
        images = torch.randint(0, 256, (n, channels, side, side), generator=source, dtype=torch.uint8)
        return images, torch.randint(0, 10, (n,), generator=source)

    sets = *drawn(config.images), *drawn(config.tested)
    return Dataset(config.dataset, *sets, (0.5,) * channels, (0.25,) * channels, tuple("0123456789"))


def cases(device: str) -> Iterator[tuple[str, RunConfig]]:
    """Yield what is checked, the most telling first: a small net in all forms, large ones on a GPU."""
    small: dict[str, Any] = dict(
        recipe="cosine", epochs=2, train_images=81, test_images=130, batch_size=26, device=device
    )
    yield "digits fp32", preset("digits", **small, precision="fp32", augmentation="flip_shift")
    yield "digits fp32, Keras momentum", preset("digits", **small, precision="fp32", momentum_form="keras")
    yield "digits bf16, Keras momentum", preset("digits", **small, precision="bf16", momentum_form="keras")
    yield "digits fp16", preset("digits", **small, precision="fp16")
    if device == "cuda":
        large: dict[str, Any] = dict(
            recipe="cosine", epochs=1, train_images=1360, test_images=500, device=device, peak_lr=0.01
        )
        for precision in ("bf16", "fp32"):
            for name in ("source", "resnet50", "laptop"):
                yield f"{name} {precision}", preset(name, **large, precision=precision)


class Bench:
    """A network with its engine, and an epoch that it does again and again from the same start."""

    def __init__(self, config: RunConfig, target: Target) -> None:
        self.config, self.target = config, target
        self.engine = Engine(config, *set_up(config, noise(config), target), target)
        self.start = [tensor.detach().clone() for tensor in self.engine.state()]
        schedule = config.schedule()
        self.rates = [config.peak_lr * schedule(t) for t in range(config.steps_per_epoch)]
        self.order = permutation(config.images, seed=0, epoch=0)
        self.draws = draw_augmentation(config.augmentation, config.images, seed=0, epoch=0)
        groups = self.engine.optimizer.param_groups
        self.weights = [(weight, group["weight_decay"]) for group in groups for weight in group["params"]]

    def epoch(
        self, *, direct: bool = False, each: Callable[[int], None] = lambda t: None
    ) -> dict[str, float]:
        """Do the epoch from the start, by replays or by the same work called directly; return its means."""
        self.back()
        self.engine.lay_out(self.order, self.draws, self.rates)
        for t, update in enumerate(self.engine.direct if direct else self.engine.updates):
            update()
            each(t)
        return self.engine.read_out().means()

    def flat(self, tensors: Iterator[Tensor]) -> Tensor:
        return torch.cat([tensor.detach().double().flatten() for tensor in tensors])

    def values(self) -> Tensor:
        """All weights as one vector."""
        return self.flat(weight for weight, _ in self.weights)

    def momenta(self) -> Tensor:
        """All momentum buffers as one vector, in the order of `values`."""
        return self.flat(
            next(iter(self.engine.optimizer.state[weight].values())) for weight, _ in self.weights
        )

    def rates_off_the_weights(self) -> list[float | None]:
        """Return the rate of each replayed update as its weights moved, and not as anything says it was.

        torch's form moves the weights by -rate b, with b the buffer after the update. Keras's form makes v
        = m v_old - rate (g + d w_old), with the gradients g that the replay left in memory. None stands for
        an update that fp16's scaler left out: nothing moved.
        """
        config, found = self.config, []
        self.back()
        before = self.values(), self.momenta()

        def infer(t: int) -> None:
            nonlocal before
            values, momenta = self.values(), self.momenta()
            if config.momentum_form == "torch":
                moved, along = values - before[0], momenta
            else:
                moved = momenta - config.momentum * before[1]
                decays = torch.cat([torch.full((w.numel(),), d).to(values) for w, d in self.weights])
                along = self.flat(iter(self.engine.gradients(t))) + decays * before[0]
            left_out = config.precision == "fp16" and torch.equal(values, before[0])
            found.append(None if left_out else (-(moved @ along) / (along @ along)).item())
            before = values, momenta

        self.epoch(each=infer)
        return found

    def back(self) -> None:
        """Put everything that an update changes back to the start."""
        with torch.no_grad():
            for tensor, old in zip(self.engine.state(), self.start, strict=True):
                tensor.copy_(old)


def check(device: str, *, seconds: float = 75.0, say: Callable[[str], None] = print) -> list[Line]:
    """Do the checks on "cuda" or "cpu", say one line for each, and return them.

    Cases for which no time is left of `seconds` are named and left out. On a CPU nothing is captured: what
    a GPU would replay is called, and the checks see all but the capture.
    """
    lines: list[Line] = []
    begun = perf_counter()

    def line(case: str, what: str, found: str, ok: bool | None = None) -> None:
        lines.append(Line(case, what, {True: "ok", False: "FAIL", None: "note"}[ok], found))
        say(f"{lines[-1].verdict:5}{case:28} {what:32} {found}")

    def one(case: str, config: RunConfig) -> Generator[None, None, None]:
        tic = perf_counter()
        if tic - begun > seconds:
            line(case, "not run", "no time left")
            return
        try:
            for what, found, ok in _checks_of(config):
                line(case, what, found, ok)
        except (RuntimeError, ValueError) as error:  # the other cases still tell something
            line(case, "it runs", f"{type(error).__name__}: {error}".partition("\n")[0], False)
        line(case, "seconds", f"{perf_counter() - tic:.1f}")
        yield

    # On a stream of its own, as runs are: a capture cannot be made on the default one.
    for _ in take_turns(one(case, config) for case, config in cases(device)):
        pass
    line("all", "seconds", f"{perf_counter() - begun:.0f}")
    return lines


Finding = tuple[str, str, bool | None]


def _checks_of(config: RunConfig) -> Iterator[Finding]:
    target, cuda = resolve(config, path="graph", threads=1), config.device == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    with target.own_settings():
        bench = Bench(config, target)
        first, by_calls = bench.epoch(direct=True), bench.values()
        again, once_more = bench.epoch(direct=True), bench.values()
        floor, loss_floor = _gap(once_more, by_calls), _relative(again["train_loss"], first["train_loss"])
        replayed, by_replays = bench.epoch(), bench.values()
        gap, allowed = _gap(by_replays, by_calls), max(WEIGHTS[config.precision], 10 * floor)
        yield "replays = direct calls", f"weights {gap:.1e} apart; direct twice {floor:.1e}", gap <= allowed
        gap = _relative(replayed["train_loss"], first["train_loss"])
        yield (
            "the same loss",
            f"{replayed['train_loss']:.6f}",
            gap <= max(LOSSES[config.precision], 10 * loss_floor),
        )
        bench.epoch()
        gap = _gap(bench.values(), by_replays)
        yield "the same twice", f"weights {gap:.1e} apart" if gap else "bit for bit", None

        found = bench.rates_off_the_weights()
        made = [(rate, planned) for rate, planned in zip(found, bench.rates, strict=True) if rate is not None]
        worst = max((abs(rate - planned) / config.peak_lr for rate, planned in made), default=math.inf)
        told = f"within {worst:.0e} of the peak rate, {len(made)} of {len(found)} updates"
        yield "the rate that moved the weights", told, worst < 1e-3

        engine = bench.engine
        ours = _exhaust(engine.evaluate("test"))
        plain = evaluate(engine.net, *engine.images_of("test"), engine.data, target)
        close = _relative(ours[0], plain[0]) < 1e-3 and abs(ours[1] - plain[1]) <= 2 / config.tested
        yield "evaluation = the plain one", f"loss {ours[0]:.6f}, plain {plain[0]:.6f}", close
        if cuda:
            yield _kernels(bench)
            yield "peak memory", f"{torch.cuda.max_memory_allocated() / 2**30:.2f} GiB", None
        del bench, engine  # their memory, before the runs below
    yield _against_the_plain_path(config)
    if config.dataset == "digits" or config.precision == "bf16":
        yield _at_once_and_alone(config)
    if config.dataset == "digits":
        yield _cut_and_whole(config)


def _against_the_plain_path(config: RunConfig) -> Finding:
    """Set the first updates of `train` on this path against the plain one, both without TF32.

    Two updates of the large networks, whose rounding grows fast; an epoch of the small one.
    """
    size = config.batch_size
    few = config.changed(epochs=1, **({} if config.dataset == "digits" else {"train_images": 2 * size}))
    settings = resolve(few, path="plain", threads=1)
    plain, graph = (_run(few, path, settings) for path in ("plain", "graph"))
    gap = _relative(graph.epochs[0].train_loss, plain.epochs[0].train_loss)
    alike = (graph.start, graph.column("batches")) == (plain.start, plain.column("batches"))
    return "graph = plain", f"training loss {gap:.1e} apart", alike and gap <= LOSSES[config.precision]


def _at_once_and_alone(config: RunConfig) -> Finding:
    configs = [config.changed(epochs=1, seed=seed) for seed in range(3)]
    alone = [_run(one, "graph") for one in configs]
    target = resolve(config, path="graph", threads=1, together=3)
    with target.own_settings():
        trainings = [training(one, target, data=noise(one)) for one in configs]
        at_once = dict(take_turns(trainings, together=3))
    # None is a run that was stopped, and nothing stops these.
    runs = [cast(Run, at_once[number]) for number in range(3)]
    return _runs_alike("three at once = each alone", runs, alone)


def _cut_and_whole(config: RunConfig) -> Finding:
    whole, target = _run(config, "graph"), resolve(config, path="graph", threads=1)
    with tempfile.TemporaryDirectory() as folder, target.own_settings():
        how: dict[str, Any] = dict(data=noise(config), checkpoint=Path(folder, "run.pt"))
        list(take_turns([training(config, target, **how, stop=lambda: True)]))
        ((_, resumed),) = take_turns([training(config, target, **how, resume=True)])
    return _runs_alike("cut and resumed = whole", [cast(Run, resumed)], [whole])


def _runs_alike(what: str, some: list[Run], others: list[Run]) -> Finding:
    pairs = list(zip(some, others, strict=True))
    if all(a.measured() == b.measured() for a, b in pairs):
        return what, "bit for bit", True
    gap = max(_relative(a.epochs[-1].train_loss, b.epochs[-1].train_loss) for a, b in pairs)
    return what, f"training loss {gap:.1e} apart", gap <= LOSSES[some[0].provenance.precision]


def _kernels(bench: Bench) -> Finding:
    """Count the kernels of one replay; many more than expected are told, and are no failure."""
    try:
        count = kernels_of_a_replay(bench)
    except (RuntimeError, AssertionError) as error:
        return "kernels of an update", f"not counted ({error})".partition("\n")[0], None
    expected = KERNELS.get(bench.config.network) if bench.config.precision == "bf16" else None
    told = f"{count}" if expected is None else f"{count}, expected about {expected}"
    slow = expected is not None and count > 1.1 * expected
    return "kernels of an update", told + (": some call fell back to a kernel a tensor" if slow else ""), None


def kernels_of_a_replay(bench: Bench) -> int:
    """Return how many kernels and copies the device did in one replayed update, by torch's profiler."""
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    bench.engine.lay_out(bench.order, bench.draws, bench.rates)
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        bench.engine.updates[0]()
        torch.cuda.synchronize()
    return sum(event.device_type == DeviceType.CUDA for event in seen.events() or ())


def _run(config: RunConfig, path: str, settings: Target | None = None) -> Run:
    """Return a run over noise; `settings` are the switches of torch, else those of the path itself."""
    target = resolve(config, path=path, threads=1)
    with (settings or target).own_settings():
        ((_, run),) = take_turns([training(config, target, data=noise(config))])
    return cast(Run, run)


def _exhaust(generator: Generator[None, None, Result]) -> Result:
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def _gap(a: Tensor, b: Tensor) -> float:
    return ((a - b).norm() / b.norm()).item()


def _relative(a: float, b: float) -> float:
    return abs(a - b) / abs(b) if math.isfinite(a) and math.isfinite(b) and b else math.inf

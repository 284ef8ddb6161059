"""Other loops than those of public threads: what has to be said of each, and right ones of unusual styles.

Faulty ones by formula come first, then those with torch's own optimizers and schedulers, then right loops.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.optim import LBFGS, SGD, AdamW
from torch.optim import lr_scheduler as torch_lr

import lrlib
from lrlib import (
    Constant,
    CosineAnnealing,
    DropDecay,
    Knots,
    LinearDecay,
    PolynomialDecay,
    Triangle,
    hold,
    join,
    with_warmup,
)
from lrlib.adapters.audit import RateLog, watch
from lrlib.schedules import (
    CyclicTriangle,
    ExponentialDecay,
    InverseSqrt,
    MilestoneDecay,
    OneCycle,
    WarmRestarts,
)

PEAK = 0.1


class Other(NamedTuple):
    """A log, its plan and what is known of the loop; the kinds that may lead, and words of the verdict."""

    run: Callable[[], tuple[RateLog, Any, dict]]
    kinds: set[str]
    words: tuple[str, ...]


OTHERS: dict[str, Other] = {}
RIGHT: dict[str, Callable[[], tuple[RateLog, Any, Any]]] = {}  # log, plan, peaks


def fault(name: str, kinds: str, *words: str, plan: Any, factor: Callable, n: int, **known: int) -> None:
    """Keep a log whose update t has this factor of the peak."""

    def run() -> tuple[RateLog, Any, dict]:
        return RateLog.of([PEAK * float(factor(t)) for t in range(n)]), plan, known

    OTHERS[name] = Other(run, set(kinds.split()), words)


def torch_fault(kinds: str, *words: str) -> Callable:
    def keep(run: Callable) -> Callable:
        OTHERS[run.__name__] = Other(run, set(kinds.split()), words)
        return run

    return keep


def right(run: Callable) -> Callable:
    RIGHT[run.__name__] = run
    return run


# --- By formula -------------------------------------------------------------------------------------------

COSINE = CosineAnnealing(total_steps=200)
LINEAR = LinearDecay(total_steps=200)
WARM = with_warmup(CosineAnnealing(total_steps=270), 30)
COOLED = join([(Constant(), 320), (LinearDecay(total_steps=80), 80)])
PLATEAU = join(
    [(Knots(total_steps=30, factors=[0, 1]), 30), (Constant(), 210), (LinearDecay(total_steps=60), 60)]
)
BEGUN_LOW = with_warmup(CosineAnnealing(total_steps=216), 24, start=0.1)
LOWERED_AT = (30, 60, 90, 120, 150)
DRAWN = Knots(total_steps=160, factors=[0.1, 1, 0.8, 0.9, 0.3, 0.05])
TABLE = [1 - t / 90 for t in range(90)]
CYCLES = CyclicTriangle(half_cycle_steps=7, low=0.1).values(70)


def half_cosine(z: float) -> float:
    return (1 + math.cos(math.pi * z)) / 2


def asserting(t: int) -> float:
    assert 0 <= t < 100
    return 1 - t / 100


# fmt: off
# Ahead and behind: the cause depends on how far.
fault("one ahead", "shift_ahead", r"before optimizer", plan=COSINE, factor=lambda t: COSINE(t + 1), n=200)
fault("no warm-up", "shift_ahead", r"30 ahead", r"warm-up is left out",
      plan=WARM, factor=lambda t: WARM(t + 30), n=300)
fault("an epoch early", "shift_ahead held", r"epochs are counted from 1",
      plan=DropDecay(drop_factor=0.5, drop_steps=100), factor=lambda t: 0.5 ** ((t // 20 + 1) // 5), n=400,
      steps_per_epoch=20)
fault("a log from update 40 on", "shift_ahead", r"start=",
      plan=COSINE, factor=lambda t: COSINE(t + 40), n=160)
# Warm-ups of another length.
fault("warm-up in epochs", "warmup", r"takes 5 updates, not 100", r"95 updates early",
      plan=with_warmup(CosineAnnealing(total_steps=300), 100, start=0.1),
      factor=with_warmup(CosineAnnealing(total_steps=300), 5, start=0.1), n=400)
fault("warm-up twice as long", "warmup", r"takes 80 updates, not 40", r"ends as planned",
      plan=Triangle(total_steps=400, warmup_steps=40), factor=Triangle(total_steps=400, warmup_steps=80),
      n=400)
fault("half of the cycle goes up", "warmup", r"warm-up takes 200 updates, not 120",
      plan=OneCycle(total_steps=400, warmup_steps=120), factor=OneCycle(total_steps=400, warmup_steps=200),
      n=400)
fault("no warm-up, the decay fills the run", "warmup", r"no warm-up, where 30 updates are planned",
      plan=WARM, factor=CosineAnnealing(total_steps=300), n=300)
fault("no warm-up before a plateau", "warmup", r"no warm-up", r"the rest is as planned",
      plan=PLATEAU, factor=lambda t: min(1, (300 - t) / 60), n=300)
fault("Noam of another warm-up", "warmup", r"takes 99 updates, not 39", r"0\.4 of its speed",
      plan=InverseSqrt(warmup_steps=40), factor=InverseSqrt(warmup_steps=100), n=600)
fault("a warm-up on a warm-up", "layered_warmup", r"has one of its own",
      plan=BEGUN_LOW, factor=lambda t: BEGUN_LOW(t) * min(1, (t + 1) / 24), n=240)
fault("a warm-up that is not planned", "layered_warmup", r"15 updates", r"has none",
      plan=LINEAR, factor=lambda t: LINEAR(t) * min(1, (t + 1) / 16), n=200)
fault("a short cooldown", "cooldown", r"begins at update 360, not 320, and takes 40 updates, not 80",
      plan=COOLED, factor=lambda t: min(1, (400 - t) / 40), n=400)
# Times a factor from some update on.
fault("resumed with another rate", "scaled", r"from update 100: the plan times 0\.5", r"resumed with another",
      plan=LINEAR, factor=lambda t: LINEAR(t) * (1 if t < 100 else 0.5), n=200)
fault("lowered five times on a cosine", "scaled", r"times 0\.5", r"times 0\.03125", r"ReduceLROnPlateau",
      plan=COSINE, factor=lambda t: COSINE(t) * 0.5 ** sum(t >= at for at in LOWERED_AT), n=200)
fault("a plateau is found", "frozen scaled", r"\b60\b", r"stays at 0\.1", r"ReduceLROnPlateau",
      plan=Constant(), factor=lambda t: 1 if t < 60 else 0.1, n=90)
fault("a minimum rate behind a warm-up", "floor", r"after the warm-up.* 0\.05 of the peak",
      plan=WARM, factor=lambda t: WARM(t) if t < 30 else 0.05 + 0.95 * WARM(t), n=300)
fault("the linear rule for four processes", "scaled", r"times 4: 4 processes", plan=COSINE,
      factor=lambda t: 4 * COSINE(t), n=200, processes=4)
# Speeds and horizons.
fault("a cosine over 10 updates", "too_fast", r"37 times too fast", r"climbs again",
      plan=CosineAnnealing(total_steps=370), factor=lambda t: half_cosine(t / 10), n=370)
fault("a cosine over a quarter, cut", "horizon_short", r"\b92 updates", r"climbs again",
      plan=CosineAnnealing(total_steps=370), factor=lambda t: half_cosine(t / 92), n=370)
fault("half the epochs, an epoch a step", "horizon_short", r"120 updates", r"once every 12", r"climbs again",
      plan=CosineAnnealing(total_steps=240), factor=lambda t: half_cosine((t // 12) / 10), n=240)
fault("epochs of 7 updates for 8", "too_fast", r"every 7 updates, and the plan once every 8",
      plan=hold(CosineAnnealing(total_steps=160), 8), factor=lambda t: half_cosine(t // 7 / 20), n=140,
      steps_per_epoch=7)
fault("six steps more an epoch", "extra_step", r"6 steps more than updates in every 30", r"validation",
      plan=CosineAnnealing(total_steps=300), factor=lambda t: half_cosine(min(1, (t + 6 * (t // 30)) / 300)),
      n=300)
fault("a linspace", "horizon_short", r"\b119\b", r"linspace", plan=LinearDecay(total_steps=120),
      factor=lambda t: 1 - t / 119, n=120)
fault("milestones in epochs", "too_fast", r"25 times", plan=MilestoneDecay(milestones=(750, 1500, 2000)),
      factor=lambda t: 0.1 ** ((t >= 30) + (t >= 60) + (t >= 80)), n=2250, steps_per_epoch=25)
fault("a cosine without pi", "too_slow", r"502\.655", plan=CosineAnnealing(total_steps=160),
      factor=lambda t: (1 + math.cos(t / 160)) / 2, n=160)
fault("compounds once an epoch", "compounding", r"every 15", n=300, steps_per_epoch=15,
      plan=hold(ExponentialDecay(decay_rate=0.95, decay_steps=15), 15),
      factor=lambda t: 0.95 ** ((t // 15) * (t // 15 + 1) / 2))
# Begun again, or in other ways not in order.
fault("resumed twice", "restarted", r"\b50\b", r"\b120\b", plan=COSINE, n=200,
      factor=lambda t: COSINE(t if t < 50 else t - 50 if t < 120 else t - 120))
fault("restarts, resumed", "restarted", r"\b77\b", plan=WarmRestarts(cycle_steps=20, growth=2), n=227,
      factor=lambda t: WarmRestarts(cycle_steps=20, growth=2)(t if t < 77 else t - 77))
fault("a milestone in epochs", "jump", r"from update 5", r"SequentialLR", n=400,
      plan=with_warmup(LinearDecay(total_steps=300), 100, start=0.01),
      factor=lambda t: 0.01 + 0.99 * t / 100 if t < 5 else 1 - (t - 5) / 300 if t < 305 else 0)
fault("one update", "stretch", r"only update 70 differs: 1 of the peak for 0\.65", plan=LINEAR,
      factor=lambda t: 1 if t == 70 else LINEAR(t), n=200)
fault("soon over", "frozen", r"from update 5 on the rate stays at 0 of", plan=COSINE,
      factor=lambda t: [1, 0.7, 0.45, 0.3, 0.1, 0][min(t, 5)], n=200)
fault("a log that rounds", "unknown", r"rounded to 4 digits.* tolerance=6e-05", plan=COSINE,
      factor=lambda t: round(PEAK * COSINE(t), 4) / PEAK, n=200)
fault("the sign is wrong", "unknown", plan=LINEAR, factor=lambda t: t / 200, n=200)
fault("a jump behind the middle", "jump", r"from update 120: the clock is 1 ahead", plan=COSINE,
      factor=lambda t: COSINE(t + (t >= 120)), n=200)
fault("one update near the end", "stretch", r"only update 190 differs", plan=LINEAR,
      factor=lambda t: 0.5 if t == 190 else LINEAR(t), n=200)
fault("another peak, and one ahead", "scaled", r"times 0\.5, and its clock", r"1 ahead", plan=LINEAR,
      factor=lambda t: 0.5 * LINEAR(t + 1), n=200)
fault("the root rule, and by the epoch", "scaled", r"times 2\.82843, and its clock", r"once every 20 updates",
      plan=COSINE, factor=lambda t: math.sqrt(8) * COSINE(t // 20), n=200)
fault("another warm-up's beginning", "warmup", r"warm-up begins at 0\.1 of the peak; the rest is as planned",
      plan=WARM, factor=with_warmup(CosineAnnealing(total_steps=270), 30, start=0.1), n=300)
# Plans as people write them: they know whole updates, and none behind the last.
fault("drawn", "shift_ahead", plan=DRAWN, factor=lambda t: DRAWN(t + 1), n=160)
fault("a power of less than nothing", "horizon_long", r"\b150\b", plan=lambda t: (1 - t / 120) ** 0.9,
      factor=lambda t: (1 - t / 150) ** 0.9, n=120, total_steps=120)
fault("a table", "shift_ahead", plan=lambda t: TABLE[t], factor=lambda t: 1 - (t + 1) / 90, n=90)
fault("a list, twice too fast", "too_fast", r"2 times", plan=TABLE,
      factor=lambda t: max(0, 1 - 2 * t / 90), n=90)
fault("a list, and a jump", "jump", r"from update 30: the clock is 20 ahead", plan=TABLE,
      factor=lambda t: max(0, 1 - (t + 20 * (t >= 30)) / 90), n=90)
fault("a periodic table, and one update", "stretch", r"only update 7 differs", plan=CYCLES.__getitem__,
      factor=lambda t: 0.77 if t == 7 else CYCLES[t], n=70)
fault("asserts its range", "restarted", r"\b40\b", plan=asserting,
      factor=lambda t: asserting(t if t < 40 else t - 40), n=100)
fault("a root", "power", r"power 2", plan=lambda t: math.sqrt(1 - t / 100),
      factor=lambda t: 1 - t / 100, n=100)
# fmt: on


# --- With torch -------------------------------------------------------------------------------------------


def ready(optimizer_class: type = SGD, groups: int = 1, rate: Any = PEAK, **settings: Any) -> Any:
    """An optimizer whose weights have gradients."""
    params = [torch.nn.Parameter(torch.ones(2)) for _ in range(groups)]
    for param in params:
        param.grad = torch.full_like(param, 0.01)
    return optimizer_class([{"params": [param]} for param in params], lr=rate, **settings)


class Clipped(AdamW):
    """An optimizer as people derive it; once an AdamW was made, torch calls the hooks of both steps."""

    def step(self, closure=None):
        torch.nn.utils.clip_grad_norm_([param for group in self.param_groups for param in group["params"]], 1)
        return super().step(closure)


def stepped(optimizer: Any, scheduler: Any, updates: int) -> RateLog:
    with watch(optimizer, scheduler) as log:
        for _ in range(updates):
            optimizer.step()
            scheduler.step()
    return log


@torch_fault("shift_ahead", r"1 ahead")
def a_derived_optimizer_after_its_scheduler():
    ready(AdamW)
    optimizer = ready(Clipped)
    scheduler = torch_lr.CosineAnnealingLR(optimizer, 100)
    with watch(optimizer, scheduler) as log:
        for _ in range(100):
            scheduler.step()
            optimizer.step()
    return log, CosineAnnealing(total_steps=100), {}


@torch_fault("shift_behind", r"1 behind")
def lbfgs_reads_its_rate_before_the_closure():
    optimizer, done = ready(LBFGS, max_iter=2), 0

    def closure():
        for group in optimizer.param_groups:
            group["lr"] = PEAK * (1 - done / 40)
        return torch.tensor(1.0)

    with watch(optimizer) as log:
        for done in range(40):  # noqa: B007
            optimizer.step(closure)
    return log, LinearDecay(total_steps=40), {}


@torch_fault("scaled", r"from update \d+: the plan times 0\.1", r"ReduceLROnPlateau")
def plateau_on_a_cosine():
    optimizer = ready()
    cosine = torch_lr.CosineAnnealingLR(optimizer, 200)
    plateau = torch_lr.ReduceLROnPlateau(optimizer, patience=5, factor=0.1)
    with watch(optimizer, cosine) as log:
        for t in range(200):
            optimizer.step()
            cosine.step()
            if t % 10 == 9:
                plateau.step(1.0)
    return log, COSINE, {}


@torch_fault("restarted", r"from update 80: the plan begins again from 0, times 0\.6545")
def scheduler_made_anew_on_a_decayed_rate():
    optimizer = ready()
    scheduler = torch_lr.CosineAnnealingLR(optimizer, 200)
    with watch(optimizer) as log:
        for t in range(200):
            if t == 80:
                scheduler = torch_lr.CosineAnnealingLR(optimizer, 200)
            optimizer.step()
            scheduler.step()
    return log, COSINE, {}


@torch_fault("frozen", r"warm-up of 5 updates, from 0\.3333 of the peak, which is not planned", r"5 steps")
def linear_lr_by_default():
    optimizer = ready()
    return stepped(optimizer, torch_lr.LinearLR(optimizer), 150), LinearDecay(total_steps=150), {}


@torch_fault("stretch", r"0 to 4 differ")
def constant_lr_by_default():
    optimizer = ready()
    return stepped(optimizer, torch_lr.ConstantLR(optimizer), 100), Constant(), {}


@torch_fault("warmup", r"takes 119 updates, not 120", r"OneCycleLR")
def one_cycle_as_it_is_called():
    optimizer = ready()
    scheduler = torch_lr.OneCycleLR(optimizer, PEAK, total_steps=400, cycle_momentum=False)
    with watch(optimizer) as log:
        for t in range(400):
            optimizer.step()
            if t < 399:
                scheduler.step()
    return log, OneCycle(total_steps=400, warmup_steps=120), {}


@torch_fault("scaled", r"group 1", r"peak_lr=\[0\.1, 0\.2\]")
def a_group_with_twice_the_rate():
    optimizer = ready(groups=2)
    optimizer.param_groups[1]["lr"] = 2 * PEAK
    return stepped(optimizer, lrlib.to_torch(optimizer, COSINE), 200), COSINE, {}


@torch_fault("stepped_per_epoch", r"every 2 updates", r"SAM")
def two_steps_a_batch():
    optimizer = ready()
    scheduler = torch_lr.LinearLR(optimizer, 1, 0, 200)
    with watch(optimizer, scheduler) as log:
        for _ in range(200):
            optimizer.step()
            optimizer.step()
            scheduler.step()
    return log, LINEAR, {}


@torch_fault("too_fast", r"3 times")
def counter_in_the_loop_over_groups():
    optimizer, count = ready(groups=3), 0
    with watch(optimizer) as log:
        for _ in range(150):
            for group in optimizer.param_groups:
                group["lr"] = PEAK * LINEAR(count)
                count += 1
            optimizer.step()
    return log, LINEAR, {}


# --- Right ------------------------------------------------------------------------------------------------


@right
def a_derived_optimizer():
    ready(AdamW)
    optimizer = ready(Clipped)
    log = stepped(optimizer, lrlib.to_torch(optimizer, COSINE), 200)
    assert len(log) == 200
    return log, COSINE, PEAK


@right
def steps_that_fail_are_tried_again():
    ready(AdamW)
    optimizer, done, tries = ready(Clipped), 0, 0
    scheduler = lrlib.to_torch(optimizer, COSINE)

    def closure():
        if tries % 7 == 3:
            raise ArithmeticError
        return torch.tensor(0.0)

    with watch(optimizer) as log:
        while done < 200:
            tries += 1
            try:
                optimizer.step(closure)
            except ArithmeticError:
                continue
            scheduler.step()
            done += 1
    return log, COSINE, PEAK


@right
def lbfgs_sets_the_next_rate():
    optimizer, done = ready(LBFGS, max_iter=2), 0

    def closure():
        for group in optimizer.param_groups:
            group["lr"] = PEAK * (1 - (done + 1) / 40)
        return torch.tensor(1.0)

    with watch(optimizer) as log:
        for done in range(40):  # noqa: B007
            optimizer.step(closure)
    return log, LinearDecay(total_steps=40), PEAK


@right
def single_precision_adds_up():
    optimizer = ready(rate=torch.tensor(1e-3))
    parts = [torch_lr.LinearLR(optimizer, 1e-3, 1, 500), torch_lr.LinearLR(optimizer, 1, 0, 4500)]
    log = stepped(optimizer, torch_lr.SequentialLR(optimizer, parts, [500]), 5000)
    return log, Triangle(total_steps=5000, warmup_steps=500, start=1e-3), 1e-3


@right
def single_precision_adds_up_in_an_exponential():
    optimizer = ready(rate=torch.tensor(1e-3))
    log = stepped(optimizer, torch_lr.ExponentialLR(optimizer, 0.01 ** (1 / 20_000)), 20_000)
    return log, ExponentialDecay(decay_rate=0.01, decay_steps=20_000), 1e-3


@right
def peaks_in_an_array():
    peaks = np.array([0.1, 0.05])
    optimizer = ready(groups=2)
    scheduler = lrlib.to_torch(optimizer, LINEAR, peak_lr=peaks.tolist())
    return stepped(optimizer, scheduler, 200), LINEAR, peaks


@right
def a_peak_in_a_tensor():
    optimizer = ready()
    return stepped(optimizer, lrlib.to_torch(optimizer, LINEAR), 200), LINEAR, torch.tensor(PEAK).double()


@right
def a_plan_that_knows_its_run_alone():
    optimizer = ready()
    return (
        stepped(optimizer, torch_lr.LambdaLR(optimizer, [*TABLE, 0].__getitem__), 90),
        TABLE.__getitem__,
        PEAK,
    )


@right
def restarts_by_parts_of_an_epoch():
    optimizer = ready()
    scheduler = torch_lr.CosineAnnealingWarmRestarts(optimizer, 5, 2)
    with watch(optimizer) as log:
        for number in range(35 * 16):
            scheduler.step(number / 16)
            optimizer.step()
    return log, WarmRestarts(cycle_steps=80, growth=2), PEAK


@right
def a_group_that_comes_later():
    optimizer = ready()
    with watch(optimizer) as log:
        for t in range(100):
            if t == 40:
                param = torch.nn.Parameter(torch.ones(2))
                param.grad = torch.ones(2)
                optimizer.add_param_group({"params": [param]})
            for group in optimizer.param_groups:
                group["lr"] = PEAK * LINEAR(t)
            optimizer.step()
    return log, LINEAR, PEAK


@right
def resumed_in_the_block():
    optimizer = ready()
    plan = OneCycle(total_steps=100, warmup_steps=30)
    scheduler = lrlib.to_torch(optimizer, plan)
    with watch(optimizer, scheduler) as log:
        for t in range(100):
            if t == 44:
                saved = copy.deepcopy([part.state_dict() for part in (optimizer, scheduler)])
                optimizer.load_state_dict(saved[0])
                scheduler.load_state_dict(saved[1])
            optimizer.step()
            scheduler.step()
    return log, plan, PEAK


@right
def five_updates_of_every_shape():
    plans = [
        COSINE,
        LINEAR,
        WARM,
        COOLED,
        DRAWN,
        PolynomialDecay(total_steps=5, power=2),
        InverseSqrt(warmup_steps=3),
    ]
    optimizer = ready(groups=len(plans))
    return stepped(optimizer, lrlib.to_torch(optimizer, plans), 5), plans, PEAK

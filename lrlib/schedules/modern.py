"""Recipes of the schedules that came into use after the survey's eight, in fractions of a run.

Their shapes are in `lrlib.schedules.modern_shapes`; how fractions become steps is told in
`lrlib.schedules.recipes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lrlib._checks import check_float, check_fraction, check_int
from lrlib.schedules.compose import hold, join, with_warmup
from lrlib.schedules.modern_shapes import (
    Anneal,
    CosineToFloor,
    CyclicTriangle,
    ExponentialDecay,
    InverseSqrt,
    MilestoneDecay,
    OneCycle,
    OneMinusSqrt,
    Rex,
    WarmRestarts,
    check_choice,
)
from lrlib.schedules.recipes import RECIPES, Recipe, warmup_within
from lrlib.schedules.shapes import Constant, LinearDecay, Schedule

Cooldown = Literal["linear", "sqrt"]


@dataclass(frozen=True, kw_only=True)
class ExponentialRecipe(Recipe):
    """Exponential decay to a given factor at the end of the run.

    >>> ExponentialRecipe().build(total_steps=100, steps_per_epoch=10)
    ExponentialDecay(decay_rate=0.01, decay_steps=100)

    Parameters
    ----------
    end : float
        Factor at T, in (0, 1].
    """

    end: float = 0.01
    kind = "exponential_recipe"
    label = "exponential"

    def __post_init__(self) -> None:
        self._set(end=check_fraction("end", self.end, zero=False))

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        return ExponentialDecay(decay_rate=self.end, decay_steps=total_steps)


@dataclass(frozen=True, kw_only=True)
class InverseSqrtRecipe(Recipe):
    """Inverse square root after a warm-up of max(1, round(warmup_fraction * total_steps)) updates (Noam).

    >>> InverseSqrtRecipe().build(total_steps=100, steps_per_epoch=10)
    InverseSqrt(warmup_steps=10)

    Parameters
    ----------
    warmup_fraction : float, in [0, 1)
        0 has no warm-up.
    """

    warmup_fraction: float = 0.1
    kind = "inverse_sqrt_recipe"
    label = "noam"

    def __post_init__(self) -> None:
        self._set(warmup_fraction=check_fraction("warmup_fraction", self.warmup_fraction, one=False))

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        return InverseSqrt(warmup_steps=max(1, round(self.warmup_fraction * total_steps)))


@dataclass(frozen=True, kw_only=True)
class StepRecipe(Recipe):
    """Drops at fractions of the run, after a short warm-up: to a tenth at 1/2 and at 3/4 by default.

    The drops of ResNet on CIFAR-10 [1]_; the warm-up is that of training with large batches [2]_.

    >>> StepRecipe().build(total_steps=100, steps_per_epoch=10)
    with_warmup(MilestoneDecay(milestones=(45, 70), drop_factor=0.1), steps=5, start=0.0)

    Parameters
    ----------
    milestones : tuple of float
        Fractions of the run, in [0, 1], that do not fall.
    drop_factor : float, in (0, 1]
    warmup_fraction : float
        In [0, 1). The warm-up ends at the first milestone at the latest.

    References
    ----------
    .. [1] K. He et al., Deep Residual Learning for Image Recognition, 2015, https://arxiv.org/abs/1512.03385
    .. [2] P. Goyal et al., Accurate, Large Minibatch SGD, 2017, https://arxiv.org/abs/1706.02677
    """

    milestones: tuple[float, ...] = (0.5, 0.75)
    drop_factor: float = 0.1
    warmup_fraction: float = 0.05
    kind = "step_recipe"
    label = "step"

    def __post_init__(self) -> None:
        if not isinstance(self.milestones, (tuple, list)) or not self.milestones:
            raise TypeError(f"milestones must be a tuple of fractions, got {self.milestones!r}")
        milestones = tuple(check_fraction("milestones", part) for part in self.milestones)
        if list(milestones) != sorted(milestones):
            raise ValueError(f"milestones must not fall, got {milestones}")
        factor = MilestoneDecay(milestones=(), drop_factor=self.drop_factor).drop_factor
        warmup = check_fraction("warmup_fraction", self.warmup_fraction, one=False)
        self._set(milestones=milestones, drop_factor=factor, warmup_fraction=warmup)

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        steps = [round(part * total_steps) for part in self.milestones]
        warmup = min(round(self.warmup_fraction * total_steps), steps[0])
        # A part after a warm-up counts its own steps from 0.
        drops = MilestoneDecay(milestones=tuple(s - warmup for s in steps), drop_factor=self.drop_factor)
        return _warmed(drops, warmup)


@dataclass(frozen=True, kw_only=True)
class CosineFloorRecipe(Recipe):
    """A warm-up, then half a cosine to a floor: by default to a tenth, as usual for language models.

    >>> CosineFloorRecipe().build(total_steps=100, steps_per_epoch=10)
    with_warmup(CosineToFloor(total_steps=95, floor=0.1), steps=5, start=0.0)

    Parameters
    ----------
    floor : float, in [0, 1]
    warmup_fraction : float, in [0, 1)
    """

    floor: float = 0.1
    warmup_fraction: float = 0.05
    kind = "cosine_floor_recipe"
    label = "cosine_floor"

    def __post_init__(self) -> None:
        warmup = check_fraction("warmup_fraction", self.warmup_fraction, one=False)
        self._set(floor=check_fraction("floor", self.floor), warmup_fraction=warmup)

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        warmup = warmup_within(self.warmup_fraction, total_steps)
        return _warmed(CosineToFloor(total_steps=total_steps - warmup, floor=self.floor), warmup)


@dataclass(frozen=True)
class MovingMomentum:
    """A momentum that moves against a rate: middle + swing (1 - 2 height(t)), with height in [0, 1].

    >>> momentum = MovingMomentum(middle=0.9, swing=0.05, height=LinearDecay(total_steps=2))
    >>> [round(momentum(t), 3) for t in range(3)]
    [0.85, 0.9, 0.95]
    """

    middle: float
    swing: float
    height: Schedule

    def __call__(self, step: int) -> float:
        return self.middle + self.swing * (1.0 - 2.0 * self.height(step))


@dataclass(frozen=True, kw_only=True)
class OneCycleRecipe(Recipe):
    """One cycle with its momentum, which falls where the rate rises and rises where it falls.

    The momentum moves between `momentum_swing` above the run's own and as much below: from 0.95 to 0.85 and
    back for a run with momentum 0.9, the numbers of torch and of [1]_.

    >>> recipe = OneCycleRecipe()
    >>> recipe.build(total_steps=10, steps_per_epoch=5).warmup_steps
    3
    >>> momentum = recipe.momentum(0.9, total_steps=10, steps_per_epoch=5)
    >>> [round(momentum(t), 3) for t in (0, 1, 2, 3, 10)]
    [0.95, 0.925, 0.875, 0.85, 0.95]

    Parameters
    ----------
    warmup_fraction : float, in [0, 1)
        warmup_steps = round(warmup_fraction * total_steps), and one update at least is left for the way down.
    momentum_swing : float
        In [0, 0.5); 0 leaves the momentum as it is.
    start, end : float, in [0, 1]
    anneal : {"cosine", "linear"}

    References
    ----------
    .. [1] L. N. Smith, N. Topin, Super-Convergence, 2017, https://arxiv.org/abs/1708.07120
    """

    warmup_fraction: float = 0.3
    momentum_swing: float = 0.05
    start: float = 1 / 25
    end: float = 1 / 25e4
    anneal: Anneal = "cosine"
    kind = "one_cycle_recipe"
    label = "1cycle"

    def __post_init__(self) -> None:
        warmup = check_fraction("warmup_fraction", self.warmup_fraction, one=False)
        swing = self.momentum_swing
        swing = check_float("momentum_swing", swing, allowed="in [0, 0.5)", ok=lambda x: 0 <= x < 0.5)
        shape = OneCycle(total_steps=1, warmup_steps=0, start=self.start, end=self.end, anneal=self.anneal)
        self._set(warmup_fraction=warmup, momentum_swing=swing, start=shape.start, end=shape.end)

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        return self._cycle(total_steps, self.start, self.end)

    def _cycle(self, total_steps: int, start: float, end: float) -> Schedule:
        warmup = warmup_within(self.warmup_fraction, total_steps)
        return OneCycle(
            total_steps=total_steps, warmup_steps=warmup, start=start, end=end, anneal=self.anneal
        )

    def momentum(
        self, middle: float, *, total_steps: int, steps_per_epoch: int, held: bool = False
    ) -> Callable[[int], float] | None:
        if self.momentum_swing == 0.0:
            return None
        low, high = self.momentum_swing, 1.0 - self.momentum_swing
        allowed = f"in [{low:g}, {high:g}), as 1cycle moves it by {low:g} to both sides"
        middle = check_float("momentum", middle, allowed=allowed, ok=lambda x: low <= x < high)
        height = self._cycle(total_steps, 0.0, 0.0)
        return MovingMomentum(middle, low, hold(height, steps_per_epoch) if held else height)


@dataclass(frozen=True, kw_only=True)
class RestartsRecipe(Recipe):
    """SGDR with growing cycles: T/7, 2T/7 and 4T/7 by default, the last one shortened by what rounding took.

    The first has ceil(T / (1 + growth + ... + growth**(cycles - 1))) updates.

    >>> RestartsRecipe().build(total_steps=100, steps_per_epoch=10)
    WarmRestarts(cycle_steps=15, growth=2)

    Parameters
    ----------
    cycles : int
        >= 1; none may be left without an update.
    growth : int, >= 1
    """

    cycles: int = 3
    growth: int = 2
    kind = "restarts_recipe"
    label = "sgdr"

    def __post_init__(self) -> None:
        cycles = check_int("cycles", self.cycles, least=1)
        self._set(cycles=cycles, growth=check_int("growth", self.growth, least=1))

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        lengths = [self.growth**k for k in range(self.cycles)]
        first = -(-total_steps // sum(lengths))
        if first * sum(lengths[:-1]) >= total_steps:
            raise ValueError(
                f"cycles must leave no cycle empty, got {self.cycles} cycles of {first}, "
                f"{first * self.growth}, ... steps for total_steps = {total_steps}; take fewer cycles"
            )
        return WarmRestarts(cycle_steps=first, growth=self.growth)


@dataclass(frozen=True, kw_only=True)
class CyclicRecipe(Recipe):
    """Cyclical rates: triangles of half a cycle of max(1, round(T / (2 cycles))) updates.

    >>> CyclicRecipe().build(total_steps=100, steps_per_epoch=10)
    CyclicTriangle(half_cycle_steps=10, low=0.25, peak_factor=1.0)

    Parameters
    ----------
    cycles : int, >= 1
    low : float, in [0, 1]
    peak_factor : float, in (0, 1]
    """

    cycles: int = 5
    low: float = 0.25
    peak_factor: float = 1.0
    kind = "cyclic_recipe"
    label = "clr"

    def __post_init__(self) -> None:
        shape = CyclicTriangle(half_cycle_steps=1, low=self.low, peak_factor=self.peak_factor)
        cycles = check_int("cycles", self.cycles, least=1)
        self._set(cycles=cycles, low=shape.low, peak_factor=shape.peak_factor)

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        steps = max(1, round(total_steps / (2 * self.cycles)))
        return CyclicTriangle(half_cycle_steps=steps, low=self.low, peak_factor=self.peak_factor)


@dataclass(frozen=True, kw_only=True)
class WSDRecipe(Recipe):
    """Warm-up, stable, decay: a constant rate between a warm-up and a cooldown to zero [1]_ [2]_.

    With the linear cooldown it is the trapezoid of [3]_.

    >>> WSDRecipe().build(total_steps=100, steps_per_epoch=10).schedule
    join([(Constant(), 75), (LinearDecay(total_steps=20), 20)])
    >>> WSDRecipe(cooldown="sqrt").label
    'wsd_sqrt'

    Parameters
    ----------
    cooldown_fraction : float
        In (0, 1]; the cooldown has max(1, round(cooldown_fraction * total_steps)) updates.
    cooldown : {"linear", "sqrt"}
        (C - c) / C or 1 - sqrt(c / C) at its update c of C.
    warmup_fraction : float
        In [0, 1); the warm-up ends where the cooldown begins at the latest.

    References
    ----------
    .. [1] S. Hu et al., MiniCPM, 2024, https://arxiv.org/abs/2404.06395
    .. [2] A. Hägele et al., 2024, https://arxiv.org/abs/2405.18392
    .. [3] C. Xing et al., A Walk with SGD, 2018, https://arxiv.org/abs/1802.08770
    """

    cooldown_fraction: float = 0.2
    cooldown: Cooldown = "linear"
    warmup_fraction: float = 0.05
    kind = "wsd_recipe"

    def __post_init__(self) -> None:
        part = check_fraction("cooldown_fraction", self.cooldown_fraction, zero=False)
        check_choice("cooldown", self.cooldown, Cooldown)
        warmup = check_fraction("warmup_fraction", self.warmup_fraction, one=False)
        self._set(cooldown_fraction=part, warmup_fraction=warmup)

    @property
    def label(self) -> str:
        return "wsd" if self.cooldown == "linear" else "wsd_sqrt"

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        down = max(1, round(self.cooldown_fraction * total_steps))
        warmup = min(round(self.warmup_fraction * total_steps), total_steps - down)
        end = (LinearDecay if self.cooldown == "linear" else OneMinusSqrt)(total_steps=down)
        stable = total_steps - down - warmup
        return _warmed(join([(Constant(), stable), (end, down)]) if stable else end, warmup)


@dataclass(frozen=True, kw_only=True)
class RexRecipe(Recipe):
    """REX over the run.

    >>> RexRecipe().build(total_steps=100, steps_per_epoch=10)
    Rex(total_steps=100)
    """

    kind = "rex_recipe"
    label = "rex"

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        return Rex(total_steps=total_steps)


def _warmed(schedule: Schedule, steps: int) -> Schedule:
    return with_warmup(schedule, steps) if steps else schedule


#: The recipes of this module by their names.
MODERN: dict[str, Recipe] = {
    recipe.label: recipe
    for recipe in (
        ExponentialRecipe(),
        InverseSqrtRecipe(),
        StepRecipe(),
        CosineFloorRecipe(),
        OneCycleRecipe(),
        RestartsRecipe(),
        CyclicRecipe(),
        WSDRecipe(),
        WSDRecipe(cooldown="sqrt"),
        RexRecipe(),
    )
}
# Here, as `recipes` has the base class and cannot import this module. `lrlib.schedules` always loads both.
RECIPES.update(MODERN)

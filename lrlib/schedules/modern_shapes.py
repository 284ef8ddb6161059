"""Schedules that came into use after the survey's eight: their shapes, step -> factor.

Those that are compositions have no shape of their own: warm-up, stable phase and cooldown (WSD) is
`with_warmup` of a `join`, for example. Steps, horizon and zero are as in `lrlib.schedules.shapes`. Two
schedules of the literature are there already under other names: D2Z is `Triangle`, and the budgeted schedule
`LinearDecay`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lrlib._checks import check_fraction, check_int, no_such
from lrlib.schedules.shapes import Schedule, check_warmup, half_cosine

Anneal = Literal["cosine", "linear"]


@dataclass(frozen=True, kw_only=True)
class ExponentialDecay(Schedule):
    """Exponential decay: decay_rate ** (t / decay_steps).

    torch's `ExponentialLR` has ``decay_steps=1`` [1]_; Keras and optax have both numbers. It is the schedule
    that a constant rate with weight decay amounts to where layers are normalised [2]_.

    Parameters
    ----------
    decay_rate : float
        In (0, 1]: the factor after `decay_steps` updates.
    decay_steps : int, >= 1

    References
    ----------
    .. [1] https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
    .. [2] Z. Li, S. Arora, An Exponential Learning Rate Schedule for Deep Learning, 2020,
       https://arxiv.org/abs/1910.07454

    Examples
    --------
    >>> ExponentialDecay(decay_rate=0.25, decay_steps=2).values(4)
    [1.0, 0.5, 0.25, 0.125]
    """

    decay_rate: float
    decay_steps: int = 1
    kind = "exponential_decay"
    total_steps = None

    def __post_init__(self) -> None:
        rate = check_fraction("decay_rate", self.decay_rate, zero=False)
        self._set(decay_rate=rate, decay_steps=check_int("decay_steps", self.decay_steps, least=1))

    def _factor(self, t: int) -> float:
        return self.decay_rate ** (t / self.decay_steps)


@dataclass(frozen=True, kw_only=True)
class InverseSqrt(Schedule):
    """Linear warm-up, then the inverse square root (Noam): min((t + 1) / W, sqrt(W / (t + 1))).

    The peak, 1, is at update W - 1. In [1]_ the peak rate is 1 / sqrt(d_model W), and steps count from 1. It
    needs no horizon. With W = 1 it is 1 / sqrt(t + 1).

    Parameters
    ----------
    warmup_steps : int
        W, >= 1.

    References
    ----------
    .. [1] A. Vaswani et al., Attention Is All You Need, 2017, https://arxiv.org/abs/1706.03762

    Examples
    --------
    >>> InverseSqrt(warmup_steps=2).values(8)[::7]
    [0.5, 0.5]
    """

    warmup_steps: int = 1
    kind = "inverse_sqrt"
    total_steps = None

    def __post_init__(self) -> None:
        self._set(warmup_steps=check_int("warmup_steps", self.warmup_steps, least=1))

    def _factor(self, t: int) -> float:
        return min((t + 1) / self.warmup_steps, math.sqrt(self.warmup_steps / (t + 1)))


@dataclass(frozen=True, kw_only=True)
class MilestoneDecay(Schedule):
    """Drops at given updates: drop_factor ** (number of milestones <= t). torch's `MultiStepLR` [1]_.

    Parameters
    ----------
    milestones : tuple of int
        Updates >= 0 that do not fall; at one that stands twice the factor drops twice.
    drop_factor : float, in (0, 1]

    References
    ----------
    .. [1] https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html

    Examples
    --------
    >>> MilestoneDecay(milestones=(1, 3), drop_factor=0.5).values(5)
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    milestones: tuple[int, ...]
    drop_factor: float = 0.1
    kind = "milestone_decay"
    total_steps = None

    def __post_init__(self) -> None:
        if not isinstance(self.milestones, (tuple, list)):
            raise TypeError(f"milestones must be a tuple of updates, got {self.milestones!r}")
        milestones = tuple(check_int("milestones", step, least=0) for step in self.milestones)
        if list(milestones) != sorted(milestones):
            raise ValueError(f"milestones must not fall, got {milestones}")
        factor = check_fraction("drop_factor", self.drop_factor, zero=False)
        self._set(milestones=milestones, drop_factor=factor)

    def _factor(self, t: int) -> float:
        return self.drop_factor ** sum(step <= t for step in self.milestones)


@dataclass(frozen=True, kw_only=True)
class CosineToFloor(Schedule):
    """Half a cosine down to a floor: floor + (1 - floor) (1 + cos(pi t / T)) / 2, and the floor for t >= T.

    torch's `CosineAnnealingLR` with ``eta_min = floor * peak_lr``. A floor of 0.1 was usual for language
    models [1]_.

    Parameters
    ----------
    total_steps : int
        The horizon T in updates, >= 1.
    floor : float, in [0, 1]

    References
    ----------
    .. [1] J. Hoffmann et al., Training Compute-Optimal Large Language Models, 2022,
       https://arxiv.org/abs/2203.15556

    Examples
    --------
    >>> CosineToFloor(total_steps=2, floor=0.5).values(4)
    [1.0, 0.75, 0.5, 0.5]
    """

    total_steps: int
    floor: float = 0.1
    kind = "cosine_to_floor"

    def __post_init__(self) -> None:
        total = check_int("total_steps", self.total_steps, least=1)
        self._set(total_steps=total, floor=check_fraction("floor", self.floor))

    def _factor(self, t: int) -> float:
        return self.floor + (1.0 - self.floor) * half_cosine(max(self.total_steps - t, 0), self.total_steps)


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """One cycle: up from `start` to 1 at update W, then down to `end` at T, along cosines or straight lines.

    start + (1 - start) r(t / W) for t < W, and end + (1 - end) (1 - r((t - W) / (T - W))) after it, with r(z)
    = (1 - cos(pi z)) / 2 or z; `end` for t >= T. torch's `OneCycleLR(total_steps=T)` has its peak one update
    earlier and reaches the end *at* T - 1; with ``total_steps=T + 1, pct_start=(W + 1) / (T + 1)`` it has
    these points [1]_. The policy of [2]_ has straight lines, and a momentum that moves the other way: see
    `OneCycleRecipe`.

    Parameters
    ----------
    total_steps : int
        The horizon T in updates, >= 1.
    warmup_steps : int
        W, in 0..T-1.
    start, end : float
        In [0, 1]; by default those of torch: 1/25, and that over 10,000.
    anneal : {"cosine", "linear"}

    References
    ----------
    .. [1] https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html
    .. [2] L. N. Smith, N. Topin, Super-Convergence, 2017, https://arxiv.org/abs/1708.07120

    Examples
    --------
    >>> OneCycle(total_steps=4, warmup_steps=2, start=0.5, end=0.0).values(6)
    [0.5, 0.75, 1.0, 0.5, 0.0, 0.0]
    """

    total_steps: int
    warmup_steps: int
    start: float = 1 / 25
    end: float = 1 / 25e4
    anneal: Anneal = "cosine"
    kind = "one_cycle"

    def __post_init__(self) -> None:
        total, warmup = check_warmup(self.total_steps, self.warmup_steps)
        check_choice("anneal", self.anneal, Anneal)
        start, end = check_fraction("start", self.start), check_fraction("end", self.end)
        self._set(total_steps=total, warmup_steps=warmup, start=start, end=end)

    def _factor(self, t: int) -> float:
        # Both sides count the updates to their other end: none there, all at the peak.
        if t < self.warmup_steps:
            left, length, low = t, self.warmup_steps, self.start
        else:
            left, length = max(self.total_steps - t, 0), self.total_steps - self.warmup_steps
            low = self.end
        return low + (1.0 - low) * (half_cosine(left, length) if self.anneal == "cosine" else left / length)


@dataclass(frozen=True, kw_only=True)
class WarmRestarts(Schedule):
    """Cosine cycles that grow: (1 + cos(pi c / L)) / 2 at update c of a cycle of L; the next has growth L.

    SGDR [1]_; torch's `CosineAnnealingWarmRestarts(T_0=cycle_steps, T_mult=growth)`. It goes on without end.
    With equal cycles inside a horizon it is `CosineAnnealing`.

    Parameters
    ----------
    cycle_steps : int
        Length of the first cycle in updates, >= 1.
    growth : int, >= 1

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, SGDR, 2017, https://arxiv.org/abs/1608.03983

    Examples
    --------
    >>> WarmRestarts(cycle_steps=1, growth=2).values(4)
    [1.0, 1.0, 0.5, 1.0]
    """

    cycle_steps: int
    growth: int = 2
    kind = "warm_restarts"
    total_steps = None

    def __post_init__(self) -> None:
        steps = check_int("cycle_steps", self.cycle_steps, least=1)
        self._set(cycle_steps=steps, growth=check_int("growth", self.growth, least=1))

    def _factor(self, t: int) -> float:
        length = self.cycle_steps
        if self.growth == 1:
            t %= length
        while t >= length:
            t, length = t - length, length * self.growth
        return half_cosine(length - t, length)


@dataclass(frozen=True, kw_only=True)
class CyclicTriangle(Schedule):
    """Straight lines up and down without end, from `low` to a peak and back in 2 S updates.

    low + (1 - low) peak_factor**k min(c, 2 S - c) / S at update c of cycle k = 0, 1, ...: torch's `CyclicLR`
    with ``step_size_up=S`` in its modes "triangular" (`peak_factor` 1) and "triangular2" (1/2) [1]_ [2]_.

    Parameters
    ----------
    half_cycle_steps : int
        S, >= 1.
    low : float
        Factor of update 0, in [0, 1].
    peak_factor : float
        In (0, 1]; the height above `low` is multiplied by it from cycle to cycle.

    References
    ----------
    .. [1] L. N. Smith, Cyclical Learning Rates for Training Neural Networks, 2017,
       https://arxiv.org/abs/1506.01186
    .. [2] https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html

    Examples
    --------
    >>> CyclicTriangle(half_cycle_steps=2, low=0.5).values(5)
    [0.5, 0.75, 1.0, 0.75, 0.5]
    """

    half_cycle_steps: int
    low: float = 0.25
    peak_factor: float = 1.0
    kind = "cyclic_triangle"
    total_steps = None

    def __post_init__(self) -> None:
        steps = check_int("half_cycle_steps", self.half_cycle_steps, least=1)
        factor = check_fraction("peak_factor", self.peak_factor, zero=False)
        self._set(half_cycle_steps=steps, low=check_fraction("low", self.low), peak_factor=factor)

    def _factor(self, t: int) -> float:
        cycle, at = divmod(t, 2 * self.half_cycle_steps)
        height = min(at, 2 * self.half_cycle_steps - at) / self.half_cycle_steps
        return self.low + (1.0 - self.low) * self.peak_factor**cycle * height


@dataclass(frozen=True, kw_only=True)
class OneMinusSqrt(Schedule):
    """One minus the square root: 1 - sqrt(t / T), and 0 for t >= T. The cooldown that [1]_ found best.

    Parameters
    ----------
    total_steps : int
        The horizon T in updates, >= 1.

    References
    ----------
    .. [1] A. Hägele et al., Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations, 2024,
       https://arxiv.org/abs/2405.18392

    Examples
    --------
    >>> OneMinusSqrt(total_steps=4).values(5)[::4], OneMinusSqrt(total_steps=4)(1)
    ([1.0, 0.0], 0.5)
    """

    total_steps: int
    kind = "one_minus_sqrt"

    def __post_init__(self) -> None:
        self._set(total_steps=check_int("total_steps", self.total_steps, least=1))

    def _factor(self, t: int) -> float:
        # 1 - sqrt(z) as (1 - z) / (1 + sqrt(z)): near the end a difference would keep few digits.
        left = max(self.total_steps - t, 0)
        return left / self.total_steps / (1.0 + math.sqrt(t / self.total_steps)) if left else 0.0


@dataclass(frozen=True, kw_only=True)
class Rex(Schedule):
    """REX, the reflected exponential: (1 - z) / (1 - z/2) with z = t / T, and 0 for t >= T [1]_.

    Between linear decay and a constant rate: it falls late.

    Parameters
    ----------
    total_steps : int
        The horizon T in updates, >= 1.

    References
    ----------
    .. [1] J. Chen, C. Wolfe, A. Kyrillidis, REX: Revisiting Budgeted Training with an Improved Schedule,
       2021, https://arxiv.org/abs/2107.04197

    Examples
    --------
    >>> Rex(total_steps=4).values(5)[::2]
    [1.0, 0.6666666666666666, 0.0]
    """

    total_steps: int
    kind = "rex"

    def __post_init__(self) -> None:
        self._set(total_steps=check_int("total_steps", self.total_steps, least=1))

    def _factor(self, t: int) -> float:
        # A ratio of integers, rounded once.
        return 2 * (self.total_steps - t) / (2 * self.total_steps - t) if t < self.total_steps else 0.0


def check_choice(name: str, value: Any, choices: Any) -> None:
    """Raise unless the value is one of a Literal's."""
    if value not in get_args(choices):
        raise ValueError(no_such(name, value, get_args(choices)))

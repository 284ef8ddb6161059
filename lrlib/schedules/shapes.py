"""Shapes: learning-rate schedules as pure functions of the step.

A schedule is called with a step and returns a *factor*; the learning rate is ``peak_lr * factor``.
Step t is the number of updates completed, so ``schedule(t)`` is the factor of update t and the first update
has number 0. T stands for `total_steps`, the horizon. A shape that reaches zero reaches it *at* T, one step
after the last update of a run of T updates: no update is made with rate zero.

An argument of another type than stated raises TypeError, and one out of its range ValueError; both name the
argument and its value.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrlib._checks import check_float, check_fraction, check_int
from lrlib.schedules._serialize import Spec


class Schedule(Spec, ABC):
    """Base of all schedules: a frozen, pure function from step to factor.

    To add a shape, write a frozen dataclass with a `kind`, a `total_steps` and a `_factor`; composition, JSON
    and the adapters then work with it.

    Attributes
    ----------
    total_steps : int or None
        The horizon in updates, or None for a shape without end.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Halves(Schedule):
    ...     kind = "doc_halves"
    ...     total_steps = None
    ...     def _factor(self, t):
    ...         return 0.5**t
    >>> Halves().values(3)
    [1.0, 0.5, 0.25]
    """

    # A field in some subclasses, computed in others: so read-only to type checkers, which then allow both.
    # Not a property at run time, as a dataclass would take an inherited one for its field's default.
    if TYPE_CHECKING:

        @property
        def total_steps(self) -> int | None: ...

    def __call__(self, step: Any) -> float:
        """Return the factor of update `step` (any integer type, numpy's and torch's too; >= 0)."""
        return self._factor(check_int("step", step, least=0))

    def values(self, n: int) -> list[float]:
        """Return the factors of updates 0 to n - 1 (n >= 0)."""
        return [self._factor(t) for t in range(check_int("n", n, least=0))]

    @abstractmethod
    def _factor(self, t: int) -> float:
        """Return the factor at `t`; the caller has checked that it is an int >= 0."""


def check_schedule(value: Any) -> None:
    """Raise TypeError for what is no schedule."""
    if not isinstance(value, Schedule):
        raise TypeError(f"schedule must be a lrlib Schedule, such as lrlib.Constant(), got {value!r}")


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """The fixed rate: the factor is 1 at every step.

    Examples
    --------
    >>> Constant()(10**6)
    1.0
    """

    kind = "constant"
    total_steps = None

    def _factor(self, t: int) -> float:
        return 1.0


@dataclass(frozen=True, kw_only=True)
class TimeDecay(Schedule):
    """Time-based (inverse time) decay: 1 / (1 + decay t).

    t counts *updates*, as in the `decay` of legacy Keras optimizers and in Keras's `InverseTimeDecay` [1]_.
    The same `decay` applied once an epoch gives an almost constant rate.

    Parameters
    ----------
    decay : float
        Finite and >= 0, per update. The factor is 1/2 after 1/decay updates.

    References
    ----------
    .. [1] https://keras.io/api/optimizers/learning_rate_schedules/inverse_time_decay/

    Examples
    --------
    >>> TimeDecay(decay=0.001)(1000)
    0.5
    """

    decay: float
    kind = "time_decay"
    total_steps = None

    def __post_init__(self) -> None:
        self._set(decay=check_float("decay", self.decay, allowed=">= 0 and finite", ok=lambda x: x >= 0))

    def _factor(self, t: int) -> float:
        return 1.0 / (1.0 + self.decay * t)


@dataclass(frozen=True, kw_only=True)
class DropDecay(Schedule):
    """Drop-based (step) decay: drop_factor ** floor((t + offset_steps) / drop_steps).

    torch's `StepLR` is the case without offset [1]_. Tutorials for Keras often count epochs from 1 inside the
    exponent, so that each drop comes one epoch early: that is ``offset_steps=steps_per_epoch``.

    Parameters
    ----------
    drop_factor : float
        In (0, 1]; each drop multiplies the factor by it.
    drop_steps : int
        Updates from one drop to the next, >= 1.
    offset_steps : int
        Updates by which each drop comes early, >= 0.

    References
    ----------
    .. [1] https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html

    Examples
    --------
    >>> DropDecay(drop_factor=0.5, drop_steps=10).values(21)[9::10]
    [1.0, 0.5]
    >>> DropDecay(drop_factor=0.25, drop_steps=15, offset_steps=1)(14)
    0.25
    """

    drop_factor: float
    drop_steps: int
    offset_steps: int = 0
    kind = "drop_decay"
    total_steps = None

    def __post_init__(self) -> None:
        factor = check_fraction("drop_factor", self.drop_factor, zero=False)
        steps = check_int("drop_steps", self.drop_steps, least=1)
        offset = check_int("offset_steps", self.offset_steps, least=0)
        self._set(drop_factor=factor, drop_steps=steps, offset_steps=offset)

    def _factor(self, t: int) -> float:
        return self.drop_factor ** ((t + self.offset_steps) // self.drop_steps)


@dataclass(frozen=True, kw_only=True)
class LinearDecay(Schedule):
    """Linear decay to zero: (T - t) / T, and 0 for t >= T.

    The last update of a run of T has factor 1/T. torch's `LinearLR` and transformers' linear schedule use the
    same points; in a library that reaches zero *at* update T - 1, the last update changes nothing. Linear
    decay is the "budgeted" schedule of [1]_.

    Parameters
    ----------
    total_steps : int
        The horizon T in updates, >= 1.

    References
    ----------
    .. [1] M. Li, E. Yumer, D. Ramanan, Budgeted Training, 2020, https://arxiv.org/abs/1905.04753

    Examples
    --------
    >>> LinearDecay(total_steps=4).values(6)
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    total_steps: int
    kind = "linear_decay"

    def __post_init__(self) -> None:
        self._set(total_steps=check_int("total_steps", self.total_steps, least=1))

    def _factor(self, t: int) -> float:
        # A ratio of integers, rounded once; 1 - t/T would be rounded twice and miss the last digit.
        return (self.total_steps - t) / self.total_steps if t < self.total_steps else 0.0


@dataclass(frozen=True, kw_only=True)
class PolynomialDecay(Schedule):
    """Polynomial decay: ((T - t) / T) ** power, and 0 for t >= T.

    With ``power=1`` it is `LinearDecay`, bit for bit. torch's `PolynomialLR` has the same points [1]_, up to
    the rounding of the ratios that it multiplies; Keras's ends at a rate of 0.0001 by default.

    Parameters
    ----------
    total_steps : int
        The horizon T in updates, >= 1.
    power : float
        Finite and > 0; above 1 the rate falls early, below 1 late.

    References
    ----------
    .. [1] https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html

    Examples
    --------
    >>> PolynomialDecay(total_steps=4, power=2).values(5)
    [1.0, 0.5625, 0.25, 0.0625, 0.0]
    """

    total_steps: int
    power: float
    kind = "polynomial_decay"

    def __post_init__(self) -> None:
        total = check_int("total_steps", self.total_steps, least=1)
        power = check_float("power", self.power, allowed="> 0 and finite", ok=lambda x: x > 0)
        self._set(total_steps=total, power=power)

    def _factor(self, t: int) -> float:
        return ((self.total_steps - t) / self.total_steps) ** self.power if t < self.total_steps else 0.0


@dataclass(frozen=True, kw_only=True)
class Triangle(Schedule):
    """Linear warm-up, then linear decay, inside one horizon.

    start + (1 - start) t/W for t < W; then (T - t)/(T - W); 0 for t >= T, with W = `warmup_steps`. The peak
    is at update W. Other implementations differ in two places: some warm up with (t+1)/W or (t+1)/(W+1), so
    that update 0 has a rate above zero (for which this one has `start`), and BERT's decays by 1 - t/T after
    the warm-up, so that its rate falls by W/T at update W [1]_. This triangle is continuous.

    Parameters
    ----------
    total_steps : int
        The horizon T in updates, >= 1, warm-up included.
    warmup_steps : int
        W, in 0..T-1; 0 is `LinearDecay`, bit for bit.
    start : float
        Factor of update 0, in [0, 1].

    References
    ----------
    .. [1] J. Devlin et al., BERT, 2019, https://arxiv.org/abs/1810.04805

    Examples
    --------
    >>> Triangle(total_steps=6, warmup_steps=2).values(7)
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """

    total_steps: int
    warmup_steps: int
    start: float = 0.0
    kind = "triangle"

    def __post_init__(self) -> None:
        total, warmup = check_warmup(self.total_steps, self.warmup_steps)
        self._set(total_steps=total, warmup_steps=warmup, start=check_fraction("start", self.start))

    def _factor(self, t: int) -> float:
        if t < self.warmup_steps:
            return ramp(self.start, t, self.warmup_steps)
        decay_steps = self.total_steps - self.warmup_steps
        return (self.total_steps - t) / decay_steps if t < self.total_steps else 0.0


@dataclass(frozen=True, kw_only=True)
class CosineAnnealing(Schedule):
    """Cosine annealing, with warm restarts if there is more than one cycle.

    (1 + cos(pi (t mod L) / L)) / 2 with cycles of L = ceil(T / cycles) updates; 0 for t >= T. This is
    SGDR's shape [1]_ with equal cycles, as in Snapshot Ensembles [2]_, whose equation 2 counts updates from 1
    and not from 0. torch's `CosineAnnealingLR` rises again past its `T_max`; this one stays at 0. Where
    `cycles` does not divide T, the last cycle is shorter than the others.

    Parameters
    ----------
    total_steps : int
        The horizon T in updates, >= 1.
    cycles : int
        Number of cycles M, >= 1, none of them empty: (M - 1) L < T.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, SGDR, 2017, https://arxiv.org/abs/1608.03983
    .. [2] G. Huang et al., Snapshot Ensembles, 2017, https://arxiv.org/abs/1704.00109

    Examples
    --------
    >>> [round(factor, 3) for factor in CosineAnnealing(total_steps=4).values(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    >>> CosineAnnealing(total_steps=4, cycles=2).values(4)
    [1.0, 0.5, 1.0, 0.5]
    """

    total_steps: int
    cycles: int = 1
    kind = "cosine_annealing"

    def __post_init__(self) -> None:
        total = check_int("total_steps", self.total_steps, least=1)
        cycles = check_int("cycles", self.cycles, least=1)
        self._set(total_steps=total, cycles=cycles)
        # Rounding L up may use up T before the last cycle: 5 updates in 4 cycles are 2 + 2 + 1 + 0.
        if (cycles - 1) * self.cycle_steps >= total:
            raise ValueError(
                f"cycles must leave no cycle empty, got {cycles} cycles of {self.cycle_steps} steps "
                f"for total_steps = {total}; take fewer cycles"
            )

    @property
    def cycle_steps(self) -> int:
        """Length L of a cycle in updates: ceil(total_steps / cycles)."""
        return -(-self.total_steps // self.cycles)  # in integers: a float's ceil is off for very long runs

    @property
    def cycle_ends(self) -> list[int]:
        """Last update of each cycle, min(k L, T) - 1 for k = 1, ..., M: where the rate is lowest.

        >>> CosineAnnealing(total_steps=5, cycles=2).cycle_ends
        [2, 4]
        """
        return [min(k * self.cycle_steps, self.total_steps) - 1 for k in range(1, self.cycles + 1)]

    def _factor(self, t: int) -> float:
        if t >= self.total_steps:
            return 0.0
        return half_cosine(self.cycle_steps - t % self.cycle_steps, self.cycle_steps)


def half_cosine(left: int, length: int) -> float:
    """Return (1 + cos(pi (length - left) / length)) / 2: 1 at left = length, and 0 only at left = 0.

    Examples
    --------
    >>> [half_cosine(left, 2) for left in (2, 1, 0)]
    [1.0, 0.5, 0.0]
    >>> f"{half_cosine(1, 300_000_000):.10e}"  # (pi / (2 x 3e8))^2
    '2.7415567781e-17'
    """
    if 2 * left >= length:
        return (1.0 + math.cos(math.pi * (length - left) / length)) / 2.0
    # The same number, but near the end 1 + cos(x) would keep few of its digits, and at last none.
    return math.sin(math.pi * left / (2 * length)) ** 2


@dataclass(frozen=True, kw_only=True)
class Knots(Schedule):
    """A drawn schedule: straight lines between knots at equal distances, from update 0 to T.

    Knot k of n + 1 stands at k T / n and has the factor ``factors[k]``. From update T on the factor is that
    of the last knot, 0 or not. The explorer of the book writes its drawings as 16 knots.

    Parameters
    ----------
    total_steps : int
        The horizon T in updates, >= 1.
    factors : sequence of float
        At least two, each in [0, 1]; kept as a tuple. For a peak rate that is the highest rate, one is 1.

    Examples
    --------
    >>> Knots(total_steps=4, factors=[1, 0.5, 0]).values(6)
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    total_steps: int
    factors: Sequence[float]
    kind = "knots"

    def __post_init__(self) -> None:
        total = check_int("total_steps", self.total_steps, least=1)
        if isinstance(self.factors, str) or not isinstance(self.factors, Iterable):
            raise TypeError(f"factors must be a list of numbers in [0, 1], got {self.factors!r}")
        factors = tuple(check_fraction(f"factors[{k}]", factor) for k, factor in enumerate(self.factors))
        if len(factors) < 2:
            raise ValueError(f"factors must hold at least two numbers, got {list(factors)}")
        self._set(total_steps=total, factors=factors)

    def _factor(self, t: float) -> float:
        if t >= self.total_steps:
            return self.factors[-1]
        # In integers, where t is one: which two knots it is between, and how far behind the first.
        k, rest = divmod(t * (len(self.factors) - 1), self.total_steps)
        before, after = self.factors[int(k) : int(k) + 2]
        # From the nearer knot: from the farther one a factor near 0 would keep few digits, and at last none.
        if 2 * rest <= self.total_steps:
            return before + (after - before) * (rest / self.total_steps)
        return after + (before - after) * ((self.total_steps - rest) / self.total_steps)


def check_warmup(total_steps: Any, warmup_steps: Any) -> tuple[int, int]:
    """Return a horizon >= 1 and a warm-up in it, both in updates, or raise: it must leave one to decay."""
    total = check_int("total_steps", total_steps, least=1)
    warmup = check_int("warmup_steps", warmup_steps, least=0)
    if warmup >= total:
        raise ValueError(f"warmup_steps must be < total_steps = {total}, got {warmup}")
    return total, warmup


def ramp(start: float, t: int, warmup_steps: int) -> float:
    """Return the warm-up's factor at t < warmup_steps: start + (1 - start) t / W."""
    return start + (1.0 - start) * t / warmup_steps

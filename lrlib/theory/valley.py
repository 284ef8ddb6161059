"""The noisy valley: a quadratic loss under gradient noise, whose expected value is computed exactly.

The valley has a curvature l for each direction, and the noise of mini-batches is added to every update. An
update at rate eta changes the mean distance m and the variance v of a direction to

    m <- (1 - eta l) m        v <- (1 - eta l)^2 v + noise eta^2 l

and the expected loss is 1/2 sum l (m^2 + v): the *distance left* plus the *shaking left*. This is a model of
noise against progress, not of a given network: an instance of the noisy quadratic model [1]_, which has
forerunners [2]_ [3]_.

.. [1] G. Zhang et al., Which Algorithmic Choices Matter at Which Batch Sizes? Insights From a Noisy Quadratic
   Model, 2019, https://arxiv.org/abs/1907.04164
.. [2] Y. Wu, M. Ren, R. Liao, R. Grosse, Understanding Short-Horizon Bias in Stochastic Meta-Optimization,
   2018, https://arxiv.org/abs/1803.02021
.. [3] T. Schaul, S. Zhang, Y. LeCun, No More Pesky Learning Rates, 2013, https://arxiv.org/abs/1206.1106
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from lrlib._checks import check_float, check_fraction, check_int
from lrlib.theory.rates import check_peak_lr, rates

#: Peak rates that `Valley.best_peak_lr` tries in each decade before it refines.
GRID_PER_DECADE = 12


class Trajectory(NamedTuple):
    """Expected losses after 0, 1, ..., steps updates: arrays of shape [steps + 1].

    ``loss`` is the sum of ``distance``, 1/2 sum l m^2, and ``shaking``, 1/2 sum l v.

    >>> from lrlib.schedules import Constant
    >>> Valley(directions=1).trajectory(Constant(), steps=2, peak_lr=1.0).shaking.tolist()
    [0.0, 0.05, 0.05]
    """

    loss: np.ndarray
    distance: np.ndarray
    shaking: np.ndarray


class Best(NamedTuple):
    """The peak rate with the smallest expected loss, and that loss.

    >>> Best(peak_lr=0.28, loss=0.0456).peak_lr
    0.28
    """

    peak_lr: float
    loss: float


@dataclass(frozen=True, kw_only=True)
class Valley:
    """A quadratic valley with gradient noise: curvature 1/i in direction i = 1, ..., ``directions``.

    Parameters
    ----------
    directions : int, >= 1
    start_distance : float
        Distance m from the bottom before the first update, the same in every direction.
    start_variance : float, >= 0
        Variance v before the first update.
    noise : float, >= 0
        An update at rate eta adds ``noise * eta**2 * curvature`` to the variance.

    Examples
    --------
    >>> from lrlib.schedules import Constant
    >>> valley = Valley()
    >>> valley.edge
    2.0
    >>> round(valley.final_loss(Constant(), steps=300, peak_lr=0.279), 4)
    0.0456
    """

    directions: int = 64
    start_distance: float = 1.0
    start_variance: float = 0.0
    noise: float = 0.1

    def __post_init__(self) -> None:
        check_int("directions", self.directions, least=1)
        check_float("start_distance", self.start_distance, allowed="finite", ok=lambda x: True)
        check_float("start_variance", self.start_variance, allowed="finite and >= 0", ok=lambda x: x >= 0)
        check_float("noise", self.noise, allowed="finite and >= 0", ok=lambda x: x >= 0)

    @property
    def curvature(self) -> np.ndarray:
        """Curvatures 1, 1/2, ..., 1/directions, of shape [directions].

        >>> Valley(directions=2).curvature.tolist()
        [1.0, 0.5]
        """
        return 1.0 / np.arange(1, self.directions + 1)

    @property
    def edge(self) -> float:
        """Edge of stability, 2 / largest curvature: a fixed rate above it makes the mean grow without end.

        >>> Valley().edge
        2.0
        """
        return float(2.0 / self.curvature.max())

    def noise_floor(self, lr: float) -> float:
        """Return the limit of the expected loss at a fixed rate: 1/2 sum l noise lr / (2 - lr l).

        Setting v equal to its own update gives the variance noise lr / (2 - lr l). From the edge on there is
        no limit (inf). `lr` is finite and > 0: at a rate of 0 nothing moves, and the formula does not hold.

        >>> Valley(directions=1).noise_floor(1.0)
        0.05
        """
        lr = check_float("lr", lr, allowed="finite and > 0", ok=lambda x: x > 0)
        if lr >= self.edge:
            return math.inf
        return float(0.5 * np.sum(self.curvature * self.noise * lr / (2.0 - lr * self.curvature)))

    def trajectory(self, schedule: Callable[[int], float], *, steps: int, peak_lr: float) -> Trajectory:
        """Return the expected losses update by update: the plain reference for :meth:`final_loss`.

        A value too large for a float, and all values after it, are inf.

        Parameters
        ----------
        schedule : callable, step -> factor
            Any schedule of lrlib, or any function of the step.
        steps : int, >= 1
            Number of updates.
        peak_lr : float, >= 0
            The rate of update t is ``peak_lr * schedule(t)``.

        Examples
        --------
        >>> from lrlib.schedules import Constant
        >>> Valley(directions=1, noise=0.0).trajectory(Constant(), steps=2, peak_lr=0.5).loss.tolist()
        [0.5, 0.125, 0.03125]
        """
        l = self.curvature  # noqa: E741 - the letter of the formula
        mean = np.full(l.shape, float(self.start_distance))
        variance = np.full(l.shape, float(self.start_variance))
        distance, shaking = [0.5 * np.sum(l * mean**2)], [0.5 * np.sum(l * variance)]
        with np.errstate(over="ignore", invalid="ignore"):
            for eta in rates(schedule, steps=steps, peak_lr=peak_lr):
                mean = (1.0 - eta * l) * mean
                variance = (1.0 - eta * l) ** 2 * variance + self.noise * eta**2 * l
                distance.append(0.5 * np.sum(l * mean**2))
                shaking.append(0.5 * np.sum(l * variance))
        # After an overflow, a rate of 1 / l would make nan of inf: 0 * inf.
        parts = [_inf_from_first_overflow(np.array(part)) for part in (distance, shaking)]
        return Trajectory(parts[0] + parts[1], *parts)

    def final_loss(self, schedule: Callable[[int], float], *, steps: int, peak_lr: float) -> float:
        """Return the expected loss after ``steps`` updates, in closed form; inf if it has diverged.

        With a_t = 1 - eta_t l and P_t = product of a_s over s > t,

            m_T = m_0 prod a_t,    v_T = v_0 prod a_t^2 + noise l sum_t (eta_t P_t)^2

        so that one reversed cumulative product replaces the loop over updates. Arguments as in
        :meth:`trajectory`. Its last loss is this one, but for values that pass the range of a float on the
        way and are brought back by a rate of exactly 1 / curvature: it is inf then, and this may be a number.

        >>> Valley(directions=1, noise=0.0).final_loss(lambda t: 1.0, steps=2, peak_lr=0.5)
        0.03125
        """
        return self._loss_after(rates(schedule, steps=steps, peak_lr=peak_lr))

    def sweep(self, schedule: Callable[[int], float], *, steps: int, peak_lrs: Iterable[float]) -> np.ndarray:
        """Return the expected loss after ``steps`` updates for each of `peak_lrs`, of shape [len(peak_lrs)].

        >>> Valley(directions=1, noise=0.0).sweep(lambda t: 1.0, steps=1, peak_lrs=[0.0, 1.0]).tolist()
        [0.5, 0.0]
        """
        factors = rates(schedule, steps=steps, peak_lr=1.0)
        return np.array([self._loss_after(factors * check_peak_lr(peak_lr)) for peak_lr in peak_lrs])

    def best_peak_lr(self, schedule: Callable[[int], float], *, steps: int) -> Best:
        """Return the peak rate with the smallest expected loss after ``steps`` updates.

        A grid over eight decades finds the lowest basin, as the loss may have several and be inf between
        them; scipy's bounded search refines between the neighbours of the grid's best. In runs of up to some
        50 updates, beyond the edge, basins can be narrower than the grid's steps (a twelfth of a decade), and
        a lower one is missed: of the recipes at 5 to 47 updates, its loss was up to a seventh lower.

        >>> best = Valley().best_peak_lr(lambda t: 1.0, steps=300)
        >>> round(best.peak_lr, 3), round(best.loss, 4)
        (0.279, 0.0456)
        """
        factors = rates(schedule, steps=steps, peak_lr=1.0)
        if factors.max() == 0.0:
            raise ValueError(f"schedule must have a factor > 0 in its first {steps} steps, got only zeros")
        # Up to 100 times the edge: a schedule that passes it for a few updates may still end low.
        highest = math.log10(100.0 * self.edge / factors.max())
        grid = np.linspace(highest - 8.0, highest, 8 * GRID_PER_DECADE + 1)

        def loss_at(log10_peak: float) -> float:
            # Finite in place of inf: the search fits parabolas through its points.
            return min(self._loss_after(factors * 10.0**log10_peak), sys.float_info.max)

        losses = [loss_at(point) for point in grid]
        best = int(np.argmin(losses))
        bounds = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
        with np.errstate(over="ignore", invalid="ignore"):
            found = minimize_scalar(loss_at, bounds=bounds, method="bounded", options={"xatol": 1e-7})
        # Between its bounds the loss may have two basins, and the search end in the higher one.
        log10_peak = float(found.x) if found.fun <= losses[best] else float(grid[best])
        return Best(10.0**log10_peak, loss_at(log10_peak))

    def _loss_after(self, etas: np.ndarray) -> float:
        l = self.curvature  # noqa: E741
        shrink = 1.0 - etas[:, None] * l
        with np.errstate(over="ignore", invalid="ignore"):
            # Row 0 is the product over all updates, row t + 1 is P_t.
            later = np.cumprod(np.vstack([np.ones_like(l), shrink[::-1]]), axis=0)[::-1]
            whole, later = later[0], later[1:]
            mean = self.start_distance * whole
            variance = self.start_variance * whole**2 + self.noise * l * np.sum(
                (etas[:, None] * later) ** 2, axis=0
            )
            loss = float(0.5 * np.sum(l * (mean**2 + variance)))
        return loss if math.isfinite(loss) else math.inf


def momentum_path(*, curvature: float, lr: float, momentum: float, steps: int) -> np.ndarray:
    """Return the distances w_0 = 1, w_1, ..., w_steps in one direction without noise, under momentum.

    The gradient is l w, the buffer b <- m b + l w adds up past gradients, and the update is w <- w - lr b,
    at a fixed rate. Under a steady gradient b tends to 1 / (1 - m) times it, so that a small rate acts like
    lr / (1 - m); the edge of stability is 2 (1 + m) / l.

    Parameters
    ----------
    curvature : float, > 0
    lr : float, >= 0
    momentum : float
        In [0, 1); 0 is plain gradient descent.
    steps : int, >= 1

    Returns
    -------
    array of shape [steps + 1]

    Examples
    --------
    >>> momentum_path(curvature=1.0, lr=0.5, momentum=0.0, steps=2).tolist()
    [1.0, 0.5, 0.25]
    >>> momentum_path(curvature=1.0, lr=0.5, momentum=0.5, steps=2).tolist()
    [1.0, 0.5, 0.0]
    """
    l = check_float("curvature", curvature, allowed="finite and > 0", ok=lambda x: x > 0)  # noqa: E741
    lr = check_float("lr", lr, allowed="finite and >= 0", ok=lambda x: x >= 0)
    momentum = check_fraction("momentum", momentum, one=False)
    path, buffer = [1.0], 0.0
    for _ in range(check_int("steps", steps, least=1)):
        buffer = momentum * buffer + l * path[-1]
        path.append(path[-1] - lr * buffer)
    return np.array(path)


def _inf_from_first_overflow(part: np.ndarray) -> np.ndarray:
    gone = np.flatnonzero(~np.isfinite(part))
    if gone.size:
        part[gone[0] :] = math.inf
    return part

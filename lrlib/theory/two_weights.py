"""Two weights in a row: the smallest network whose curvature changes while it is trained.

The output is u v, and the targets of two examples, seen in turn, are 1 + spread and 1 - spread. With
r = u v - target, an update at rate eta is

    u <- u - eta r v        v <- v - eta r u        (both at once)

The mean loss is lowest where u v = 1. There the curvature across that line is u**2 + v**2, so the edge of
stability is 2 / (u**2 + v**2): high where u and v are alike, low where one of them is large. Under a rate a
little above the edge the weights oscillate across the line and settle where the curvature is lower. This is
the model of Lewkowycz et al. (2020, https://arxiv.org/abs/2003.02218), with a second example, so that the
gradient does not vanish.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lrlib._checks import check_float
from lrlib.theory.rates import rates


class TwoPath(NamedTuple):
    """Loss and curvature after 0, 1, ..., steps updates: arrays of shape [steps + 1], inf once diverged.

    ``loss`` is 1/2 (u v - 1)**2, the mean loss of the two examples less its lowest value; ``curvature`` is
    u**2 + v**2.

    >>> path = TwoWeights(u=2.0, spread=0.0).trajectory(lambda t: 1.0, steps=1, peak_lr=0.25)
    >>> path.loss.tolist(), path.curvature.tolist()
    ([0.5, 0.0], [4.0, 4.25])
    """

    loss: np.ndarray
    curvature: np.ndarray


@dataclass(frozen=True, kw_only=True)
class TwoWeights:
    """A network of two weights, trained on two examples in turn.

    Parameters
    ----------
    u, v : float
        The weights before the first update, finite and not both 0. One large and one small weight start
        where the curvature is high.
    spread : float
        Distance of the targets from 1, finite and >= 0: the first example's is 1 + spread.

    Examples
    --------
    >>> TwoWeights(u=2.0).edge
    0.5
    """

    u: float = 3.0
    v: float = 0.0
    spread: float = 0.1

    def __post_init__(self) -> None:
        for name in ("u", "v"):
            check_float(name, getattr(self, name), allowed="finite", ok=lambda x: True)
        if self.u == self.v == 0:
            raise ValueError("u and v must not both be 0, where no gradient leads away")
        check_float("spread", self.spread, allowed="finite and >= 0", ok=lambda x: x >= 0)

    @property
    def edge(self) -> float:
        """The edge of stability at the start, 2 / (u**2 + v**2).

        >>> TwoWeights(u=1.0, v=1.0).edge
        1.0
        """
        return 2.0 / (self.u**2 + self.v**2)

    def trajectory(self, schedule: Callable[[int], float], *, steps: int, peak_lr: float) -> TwoPath:
        """Return loss and curvature update by update.

        Parameters
        ----------
        schedule : callable, step -> factor
        steps : int, >= 1
        peak_lr : float, >= 0

        Examples
        --------
        >>> weights = TwoWeights(u=2.0, v=1.0, spread=0.5)  # targets 1.5 and 0.5
        >>> path = weights.trajectory(lambda t: 1.0, steps=2, peak_lr=0.5)
        >>> path.curvature.tolist()  # (2, 1), then (1.75, 0.5), then (1.65625, 0.171875)
        [5.0, 3.3125, 2.772705078125]
        """
        u, v, seen = float(self.u), float(self.v), []
        for t, eta in enumerate(rates(schedule, steps=steps, peak_lr=peak_lr).tolist()):
            seen.append((u, v))
            # The examples take turns: even updates have the target 1 + spread.
            residual = u * v - (1.0 - self.spread if t % 2 else 1.0 + self.spread)
            u, v = u - eta * residual * v, v - eta * residual * u
        u, v = np.array([*seen, (u, v)]).T
        with np.errstate(over="ignore", invalid="ignore"):
            parts = np.array([0.5 * (u * v - 1.0) ** 2, u**2 + v**2])
        # From the first overflow on, both are inf; what follows it, inf - inf, would be nan.
        gone = np.flatnonzero(~np.isfinite(parts).all(axis=0))
        if gone.size:
            parts[:, gone[0] :] = np.inf
        return TwoPath(*parts)

    def highest_peak_lr(
        self, schedule: Callable[[int], float], *, steps: int, peak_lrs: Sequence[float]
    ) -> float:
        """Return the highest of `peak_lrs` up to which no run diverges; 0 if the lowest does.

        A rate above one that diverged does not count, even if its own run is finite by chance.

        Parameters
        ----------
        schedule : callable, step -> factor
        steps : int, >= 1
        peak_lrs : sequence of float
            Rates to try, > 0.

        Examples
        --------
        >>> from lrlib import Constant
        >>> TwoWeights(u=2.0).highest_peak_lr(Constant(), steps=100, peak_lrs=[0.1, 0.5, 5.0])
        0.5
        """
        if not len(peak_lrs):
            raise ValueError("peak_lrs must hold at least one rate, got none")
        highest = 0.0
        for peak_lr in sorted(
            check_float("peak_lrs", float(x), allowed="> 0", ok=lambda x: x > 0) for x in peak_lrs
        ):
            if not np.isfinite(self.trajectory(schedule, steps=steps, peak_lr=peak_lr).loss[-1]):
                break
            highest = peak_lr
        return highest

"""A valley whose walls give way: two weights in a row, the smallest network whose curvature changes.

The output is u v, and two examples want 1 + spread and 1 - spread of it, in turn. An update at rate eta does,
with r = u v - target,

    u <- u - eta r v        v <- v - eta r u        (both at once)

The valley's floor is where u v = 1. There the curvature across it is u**2 + v**2, so the edge of stability
is 2 / (u**2 + v**2): high where u and v are alike, low where one of them is large. A rate a little above the
edge throws the weights from wall to wall, and they come down where the floor is flatter. This is the model of
Lewkowycz and others (2020, https://arxiv.org/abs/2003.02218), with two examples that keep it moving.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lrlib._checks import check_float
from lrlib.theory.valley import rates

__all__ = ["TwoPath", "TwoWeights"]


class TwoPath(NamedTuple):
    """After 0, 1, ..., steps updates: arrays of shape [steps + 1], inf from where the weights flew apart.

    ``loss`` is 1/2 (u v - 1)**2, what the mean loss of the examples is above its lowest value; ``curvature``
    is u**2 + v**2.

    >>> path = TwoWeights(u=2.0, spread=0.0).trajectory(lambda t: 1.0, steps=1, peak_lr=0.25)
    >>> path.loss.tolist(), path.curvature.tolist()
    ([0.5, 0.0], [4.0, 4.25])
    """

    loss: np.ndarray
    curvature: np.ndarray


@dataclass(frozen=True, kw_only=True)
class TwoWeights:
    """Two weights in a row, and two examples in turn.

    Parameters
    ----------
    u, v : float
        The weights before the first update, finite and not both 0. One large and one small start where
        the walls are steep.
    spread : float
        How far the two targets lie from 1, >= 0: the first example wants 1 + spread.

    Raises
    ------
    TypeError, ValueError
        For an argument outside its range.

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
        """Follow the weights update by update.

        Parameters
        ----------
        schedule : callable, step -> factor
        steps : int, >= 1
        peak_lr : float, >= 0

        >>> weights = TwoWeights(u=2.0, v=1.0, spread=0.5)  # targets 1.5 and 0.5
        >>> path = weights.trajectory(lambda t: 1.0, steps=2, peak_lr=0.5)
        >>> path.curvature.tolist()  # (2, 1), then (1.75, 0.5), then (1.65625, 0.171875)
        [5.0, 3.3125, 2.772705078125]
        """
        u, v, seen = float(self.u), float(self.v), []
        for t, eta in enumerate(rates(schedule, steps=steps, peak_lr=peak_lr).tolist()):
            seen.append((u, v))
            residual = u * v - (1.0 - self.spread if t % 2 else 1.0 + self.spread)
            u, v = u - eta * residual * v, v - eta * residual * u
        u, v = np.array([*seen, (u, v)]).T
        with np.errstate(over="ignore", invalid="ignore"):
            parts = np.array([0.5 * (u * v - 1.0) ** 2, u**2 + v**2])
        gone = np.flatnonzero(~np.isfinite(parts).all(axis=0))
        if gone.size:
            parts[:, gone[0] :] = np.inf
        return TwoPath(*parts)

    def highest_peak_lr(
        self, schedule: Callable[[int], float], *, steps: int, peak_lrs: Sequence[float]
    ) -> float:
        """Return the highest of some peak rates up to which the weights never fly apart; 0 if they always do.

        A higher rate that survives by luck, above one that did not, does not count.

        Parameters
        ----------
        schedule : callable, step -> factor
        steps : int, >= 1
        peak_lrs : sequence of float
            Rates to try, > 0.

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

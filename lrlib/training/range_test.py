"""The range test: one epoch at a rate that grows from update to update, and what its losses say."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lrlib._checks import check_float, check_fraction
from lrlib.runs.config import RunConfig
from lrlib.training.dataset import Dataset
from lrlib.training.loop import Loop, set_up
from lrlib.training.machine import resolve
from lrlib.training.metrics import Meter
from lrlib.training.randomness import draw_augmentation, permutation

__all__ = ["RangeTest", "range_test"]

#: The test ends where the smoothed loss is so many times its minimum.
BLOWN_UP = 4.0


@dataclass(frozen=True, eq=False)
class RangeTest:
    """Rates, losses and smoothed losses of a range test, and the rates that three rules read from them.

    Attributes
    ----------
    rates, losses, smoothed : array of shape [updates made]
        `losses` are those of the batches, each before its update; `smoothed` is their exponential mean,
        divided by the sum of its weights.
    window : int
        Updates that the smoothing looks back.
    blown_up : bool
        Whether the test ended because the smoothed loss was four times its minimum, or not finite.

    Examples
    --------
    >>> found = RangeTest(
    ...     rates=np.array([0.001, 0.01, 0.1, 1.0]),
    ...     losses=np.array([2.3, 2.2, 1.2, 9.0]),
    ...     smoothed=np.array([2.3, 2.2, 1.2, 9.0]),
    ...     window=1,
    ...     blown_up=True,
    ... )
    >>> found.steepest, round(found.tenth_of_lowest, 12), found.half_of_blow_up
    (0.01, 0.01, 0.5)
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    window: int
    blown_up: bool

    @property
    def lowest(self) -> float:
        """The rate of the lowest smoothed loss."""
        return float(self.rates[np.nanargmin(self.smoothed)])

    @property
    def steepest(self) -> float | None:
        """The rate in the middle of the `window` updates over which the smoothed loss fell most, or None.

        The first window is left out, as it has no full mean yet; None if no other ends at the lowest loss or
        before.
        """
        first, last = self.window, int(np.nanargmin(self.smoothed))
        falls = self.smoothed[first : last + 1 - self.window] - self.smoothed[first + self.window : last + 1]
        return float(self.rates[first + np.argmax(falls) + self.window // 2]) if len(falls) else None

    @property
    def tenth_of_lowest(self) -> float:
        """A tenth of the rate of the lowest smoothed loss."""
        return self.lowest / 10

    @property
    def half_of_blow_up(self) -> float | None:
        """Half the rate at which the smoothed loss was four times its minimum; None if it never was."""
        return float(self.rates[-1]) / 2 if self.blown_up else None


def range_test(
    config: RunConfig,
    *,
    lowest: float = 1e-5,
    highest: float = 10.0,
    smoothing: float = 0.95,
    data: Dataset | None = None,
) -> RangeTest:
    """Train one epoch at rates that grow geometrically from `lowest` to `highest`, and return its losses.

    Network, data, batches, momentum and weight decay are those of the config; its recipe, peak rate and
    number of epochs play no part, and the momentum stays. Start and batches are those of the run's first
    epoch. The method is that of [1]_. It finds where training becomes unstable with a rate that has only just
    risen, which need not be the best peak rate of any schedule.

    Parameters
    ----------
    config : RunConfig
    lowest, highest : float
        Rates of the first and the last update, 0 < lowest < highest.
    smoothing : float
        In [0, 1): the weight of the past in the exponential mean. 0.95 looks back about 20 updates.
    data : Dataset or None
        None loads ``config.dataset``.

    References
    ----------
    .. [1] L. N. Smith, Cyclical Learning Rates for Training Neural Networks, 2017,
       https://arxiv.org/abs/1506.01186

    Examples
    --------
    >>> from lrlib import preset
    >>> found = range_test(preset("digits", recipe="linear", seed=1))
    >>> len(found.rates) <= 200, found.blown_up, 0.001 < found.lowest < 1
    (True, True, True)
    """
    lowest = check_float("lowest", lowest, allowed="finite and > 0", ok=lambda x: x > 0)
    highest = check_float("highest", highest, allowed=f"> lowest = {lowest:g}", ok=lambda x: x > lowest)
    smoothing = check_fraction("smoothing", smoothing, one=False)
    target = resolve(config.changed(recipe="constant"))
    if target.path == "graph":  # here each update has a loss to be read
        target = replace(target, path="fast")
    rates = np.geomspace(lowest, highest, config.steps_per_epoch)
    losses: list[float] = []
    smoothed: list[float] = []
    mean, least, blown_up = 0.0, math.inf, False
    with target.own_settings():
        loop = Loop(config, *set_up(config, data, target), target)
        order = permutation(config.images, seed=config.seed, epoch=0)
        draws = draw_augmentation(config.augmentation, config.images, seed=config.seed, epoch=0)
        loop.net.train()
        for t, (images, labels) in enumerate(loop.batches(order, draws)):
            for group in loop.optimizer.param_groups:
                group["lr"] = float(rates[t])
            meter = Meter(target.device)
            loop.step(images, labels, meter)
            losses.append(meter.sums["loss"].item() / len(labels))
            mean = smoothing * mean + (1.0 - smoothing) * losses[-1]
            smoothed.append(mean / (1.0 - smoothing ** (t + 1)))
            least = min(least, smoothed[-1])
            # Not "if greater": nan is not.
            if not smoothed[-1] <= BLOWN_UP * least:
                blown_up = True
                break
    window = round(1.0 / (1.0 - smoothing))
    return RangeTest(rates[: len(losses)], np.array(losses), np.array(smoothed), window, blown_up)

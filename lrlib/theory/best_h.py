"""The h with the lowest bound in `lrlib.theory.convex`, where the norms of the gradients differ.

The bound holds for each h > 0. Over log h it can have more than one valley: all of them are looked for on a
path of a few hundred parts, and walks over all updates go to the bottom of each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

__all__ = ["Path"]

EXACT = 500  # updates up to which all walks are over all of them
HEAD, MOST = 2048, 60  # steps of a walk that are taken one by one, and repetitions of the rest
FLAT = 1e-10  # slope of the logarithm of the cost at which a bottom is found
FAR = 20.0  # in log h, how far from the rough place a bottom is looked for


class Path(NamedTuple):
    """Factors > 0, in the order of the updates, and their squared norms: what w_k is made of.

    Examples
    --------
    >>> share, noise = Path([1.0, 0.5], np.array([1.0, 1.0])).lowest()
    >>> round(math.sqrt(share * noise), 9) == round(3**-0.5, 9)  # linear decay over two updates
    True
    """

    factors: list[float]
    norms: np.ndarray | None

    def lowest(self, reach: float | None = None) -> tuple[float, float]:
        """Return share = 1 / w_1^2 and noise for the h with the lowest share * noise.

        With `reach`, D / (peak_lr G) in `at`, for the h with the lowest reach^2 share + noise.
        """
        assert self.norms is not None
        # Equal norms have the best h between the least factor and the larger of sum f and D / (peak_lr G).
        low, high = math.sqrt(self.norms.min()), math.sqrt(self.norms.max())
        least = math.log(min(self.factors) * low / high)
        most = math.log(max(math.fsum(self.factors) * high, reach or 0.0) / low)
        back, norms = np.array(self.factors[::-1]), self.norms[::-1]

        def exact(log_h: float) -> Parts:
            return _walk(back, norms, log_h)

        def slope(parts: Parts) -> float:
            share, noise, share_slope, noise_slope = parts
            # Of the logarithm of the product, or of the sum: relative, so that 1e-9 is nothing in either.
            if reach is None:
                return share_slope / share + noise_slope / noise
            return (reach**2 * share_slope + noise_slope) / (reach**2 * share + noise)

        def cost(parts: tuple[float, float]) -> float:
            return parts[0] * parts[1] if reach is None else reach**2 * parts[0] + parts[1]

        # Where is it? For many updates by a path of few parts; walks over all of them then decide.
        rough = exact if len(back) <= EXACT else _Blocks.of(back, norms).walk
        grid = np.linspace(least, most, 4 * math.ceil(most - least) + 3).tolist()
        signs = [-1.0, *(slope(rough(x)) for x in grid), 1.0]
        grid = [grid[0] - 1, *grid, grid[-1] + 1]
        valleys = [
            _halved(lambda x: slope(rough(x)), low, high)
            for (low, high), (left, right) in zip(pairwise(grid), pairwise(signs), strict=True)
            if left < 0 <= right
        ]
        bends = [(slope(rough(x + 0.01)) - slope(rough(x - 0.01))) / 0.02 for x in valleys]
        bottoms = (_bottom(exact, slope, *place) for place in zip(valleys, bends, strict=True))
        return min(bottoms, key=cost)


def _halved(slope: Callable[[float], float], low: float, high: float) -> float:
    """Return where a slope that is negative at the left goes through 0, to a thousandth or so."""
    for _ in range(10):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return (low + high) / 2


def _bottom(
    walk: Callable[[float], Parts], slope: Callable[[Parts], float], near: float, bend: float
) -> tuple[float, float]:
    """Return share and noise at the bottom next to a place, by the slope's sign and size.

    `bend` is about how fast the slope grows there: it says where the other side of the bottom is.
    """
    here = walk(near)
    now = slope(here)
    if abs(now) < FLAT:
        return here[:2]
    step = min(max(1.2 * abs(now) / bend, 1e-5), 1.0) if bend > 0 else 0.01
    low, high, at_low, at_high = near, near, here, here
    while slope(at_low) >= 0 and near - low < FAR:
        high, at_high = low, at_low
        low, step = low - step, 2 * step
        at_low = walk(low)
    while slope(at_high) < 0 and high - near < FAR:
        low, at_low = high, at_high
        high, step = high + step, 2 * step
        at_high = walk(high)
    if not slope(at_low) < 0 <= slope(at_high):  # it falls to the end of what can be told
        return (at_low if slope(at_low) >= 0 else at_high)[:2]
    # Regula falsi in Illinois form: the slope at an end that stays twice counts half.
    a, b, stayed = slope(at_low), slope(at_high), 0
    while high - low > 1e-8:  # the cost is flat at the bottom: this changes it by about 1e-16 of itself
        x = (low * b - high * a) / (b - a)
        here = walk(x)
        now = slope(here)
        if abs(now) < FLAT:
            break
        if now < 0:
            low, a, b, stayed = x, now, b / 2 if stayed == 1 else b, 1
        else:
            high, b, a, stayed = x, now, a / 2 if stayed == -1 else a, -1
    return here[:2]


Parts = tuple[float, float, float, float]  # share and noise, and their derivatives by log h


def _walk(back: np.ndarray, norms: np.ndarray, log_h: float) -> Parts:
    """Return 1 / w_1^2, sum_k f_k^2 G_k^2 / w_{k+1}^2 + h G_{T+1}^2, and both derivatives, for one h.

    Factors and norms come from the last update to the first, as w_k = w_{k+1} + f_k / w_{k+1} does.
    """
    h = math.exp(log_h)
    square = _squares(back, h)
    ratio = back / square[:-1]
    charge = norms * back * ratio
    # w_{T+1}^2 = h is its own derivative by log h, and each step multiplies that by 1 - f^2 / w^4.
    slopes = np.cumprod(np.concatenate([[h], 1 - ratio**2]))
    share, last = 1 / square[-1], h * norms[0]
    return (
        float(share),
        float(charge.sum() + last),
        float(-slopes[-1] * share**2),
        float(-np.sum(charge * slopes[:-1] / square[:-1]) + last),
    )


def _squares(back: np.ndarray, h: float) -> np.ndarray:
    """Return w_{T+1}^2 = h and, step by step, w_k^2 = w_{k+1}^2 + 2 f_k + f_k^2 / w_{k+1}^2.

    The last term is small but in the first steps. So the first `HEAD` are taken one by one and the rest all
    at once, again and again, each time with the last term of the time before, until nothing changes.
    """
    steps = accumulate(back[:HEAD].tolist(), lambda w, f: w + 2 * f + f * f / w, initial=h)
    head = np.fromiter(steps, float, min(HEAD, len(back)) + 1)
    rest = back[HEAD:]
    if not len(rest):
        return head
    twice, squared = 2 * rest, rest**2
    square = np.concatenate([head[-1:], head[-1] + np.cumsum(twice)])
    for _ in range(MOST):
        again = twice + squared / square[:-1]
        again[0] += head[-1]
        np.cumsum(again, out=again)
        change = np.max(np.abs(again - square[1:]) / again)
        square[1:] = again
        if change < 1e-14:
            return np.concatenate([head, again])
    steps = accumulate(back.tolist(), lambda w, f: w + 2 * f + f * f / w, initial=h)
    return np.fromiter(steps, float, len(back) + 1)


class _Blocks(NamedTuple):
    """A path of a few hundred parts, fine at its end; each part is a step of the sum of its factors.

    Within a part w^2 grows by twice the sum; so it does in the limit of small factors.
    """

    sums: list[float]
    charges: list[float]  # sums of f^2 G^2
    last: float

    @classmethod
    def of(cls, back: np.ndarray, norms: np.ndarray) -> _Blocks:
        cuts = np.unique(np.concatenate([np.arange(64), np.geomspace(64, len(back), 200)]).astype(int))
        starts = cuts[cuts < len(back)]
        return cls(
            np.add.reduceat(back, starts).tolist(),
            np.add.reduceat(norms * back**2, starts).tolist(),
            float(norms[0]),
        )

    def walk(self, log_h: float) -> Parts:
        h = square = math.exp(log_h)
        noise, noise_slope = h * self.last, h * self.last
        for part, charge in zip(self.sums, self.charges, strict=True):
            middle = square + part
            noise += charge / middle
            noise_slope -= charge * h / middle**2
            square += 2 * part
        return 1 / square, noise, -h / square**2, noise_slope

"""Worst-case bounds on the loss after T updates of a convex problem, in one pass over the schedule.

Setting. The loss f is convex, update k = 1, ..., T moves the weights from x_k to x_{k+1} = x_k - eta_k g_k at
the rate eta_k = peak_lr f_k, where f_k is the schedule's factor at step k - 1 and g_k a gradient at x_k,
exact or stochastic, with E|g_k|^2 <= G_k^2. The start is no farther than D from a minimum x*. So x_1 is the
start, x_T the point of the last gradient, and x_{T+1} the network after all updates.

Derivation of `worst_case`. Take weights 0 < v_0 <= ... <= v_T and points z_0 = x*, z_k = (1 - a) x_k +
a z_{k-1} with a = v_{k-1} / v_k. Then x_k - z_k = a (x_k - z_{k-1}), and the update gives

    v_k^2 |x_{k+1} - z_k|^2 = v_{k-1}^2 |x_k - z_{k-1}|^2
                              - 2 eta_k v_k^2 <g_k, x_k - z_k> + eta_k^2 v_k^2 |g_k|^2

By convexity <g_k, x_k - z_k> >= f(x_k) - f(z_k), and f(z_k) is at most the same average of f(x_1), ...,
f(x_k) and f(x*). The sum over k = 1, ..., T + 1, with one more update of some rate h, bounds a sum of the
gaps f(x_k) - f(x*); v_k = 1 / w_{k+1} (v_{T+1} = v_T) with

    w_{T+1} = sqrt(h),    w_k = w_{k+1} + f_k / w_{k+1}    (k = T, ..., 1)

makes all coefficients but that of f(x_{T+1}) zero (a case of the lemma in [1]_). What remains is

    f(x_{T+1}) - f(x*) <= 1/2 [ D^2 / (peak_lr w_1^2) + peak_lr N ]
    N = sum_k f_k^2 G_k^2 / w_{k+1}^2 + h G_{T+1}^2

for each h > 0, and the smallest is the bound. Where all G are equal, f_k^2 / w_{k+1}^2 = w_k^2 - w_{k+1}^2 -
2 f_k telescopes the sum to w_1^2 - 2 sum f_k: only w_1 depends on h, and the best h makes it smallest. Over
all h, w_{k+1} takes every value from its minimum m_{k+1} on, and w + f_k / w is smallest at w = sqrt(f_k), so

    m_{T+1} = 0,    m_k = p + f_k / p  with  p = max(m_{k+1}, sqrt(f_k))

which needs no search.

*Proved:* all of the above. *Numerical:* that this is the exact worst case, the optimum of the performance-
estimation program, and not only above it. With equal norms the two agreed to 1e-9 in all random cases tried,
of up to 8 updates, at any rate; for linear decay the bound is a known minimax optimum [1]_. With unequal
norms they agreed for the schedule of `asked_for` and at rates well above the best one; at lower rates the
bound may be too high, by 13 % at the best rate and by 110 % far below it in the cases tried.

`omega` is the bound of [2]_ on f(x_T), as [3]_ uses it for schedules. eta_k / (S_k S_{k+1}) = 1/S_{k+1} -
1/S_k telescopes its double sum, with S_k = eta_k + ... + eta_T.

All sums start at the end: differences of sums from the start lose all digits where a schedule ends low (a
power of 5 over 1,000 updates).

References
----------
.. [1] M. Zamani, F. Glineur, Exact convergence rate of the last iterate in subgradient methods, 2023,
   https://arxiv.org/abs/2307.11134
.. [2] A. Defazio, A. Cutkosky, H. Mehta, K. Mishchenko, Optimal Linear Decay Learning Rate Schedules and
   Further Refinements, 2023, https://arxiv.org/abs/2310.07831
.. [3] F. Schaipp, A. Hägele, A. Taylor, U. Simsekli, F. Bach, The Surprising Agreement Between Convex
   Optimization Theory and Learning-Rate Scheduling for Large Model Training, 2025,
   https://arxiv.org/abs/2501.18965
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lrlib._checks import check_float, check_int
from lrlib.theory.best_h import Path
from lrlib.theory.rates import rates

Norms = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Bound:
    """A bound on the expected loss above its minimum, as a function of the peak rate.

    1/2 (distance D^2 / peak_lr + noise G^2 peak_lr), which is smallest at ``best_peak_lr``, in units of D /
    G, and there is ``best_value``, in units of D G. A rate r times too large or too small costs the factor (r
    + 1/r) / 2, whatever the schedule.

    >>> bound = Bound(distance=4.0, noise=1.0)
    >>> bound.best_peak_lr, bound.best_value, bound.at(4.0) / bound.best_value
    (2.0, 2.0, 1.25)
    """

    distance: float
    noise: float

    @property
    def best_peak_lr(self) -> float:
        """The peak rate with the lowest bound, for D = G = 1."""
        return math.sqrt(self.distance / self.noise)

    @property
    def best_value(self) -> float:
        """The bound at that rate, for D = G = 1."""
        return math.sqrt(self.distance * self.noise)

    def at(self, peak_lr: float, *, distance: float = 1.0, grad_norm: float = 1.0) -> float:
        """Return the bound at a peak rate.

        Parameters
        ----------
        peak_lr : float, > 0
        distance : float, > 0
            D, the largest distance of the start from a minimum.
        grad_norm : float, > 0
            G, the root mean square of the gradients' norm; with `grad_norm_sq`, a factor for those norms.
        """
        eta, d, g = _positive(peak_lr=peak_lr, distance=distance, grad_norm=grad_norm)
        return (self.distance * d**2 / eta + self.noise * g**2 * eta) / 2


@dataclass(frozen=True)
class WorstCase(Bound):
    """The bound of `worst_case`: its two numbers at the best peak rate; `at` has a best h of its own.

    >>> bound = worst_case(lambda t: 1.0, steps=1)  # w_1 = 2, and the noise 2^2 - 2
    >>> bound.distance, round(bound.noise, 12), bound.at(0.25)
    (0.25, 2.0, 0.75)
    """

    _path: Path = field(repr=False, compare=False)

    def at(self, peak_lr: float, *, distance: float = 1.0, grad_norm: float = 1.0) -> float:
        """Return the bound at a peak rate; arguments as `Bound.at`.

        With equal norms, D^2 / (eta w_1^2) + eta G^2 w_1^2 is smallest at w_1^2 = D / (eta G), which an h
        reaches if it is not below m_1^2. Up to that rate the bound is D G - eta G^2 sum f_k: a straight line,
        as on the loss G |x| while the minimum is out of reach.

        >>> line = worst_case(lambda t: 1.0, steps=2)
        >>> [round(line.at(peak_lr, distance=2.0, grad_norm=3.0), 12) for peak_lr in (0.01, 0.1)]
        [5.82, 4.2]
        """
        eta, d, g = _positive(peak_lr=peak_lr, distance=distance, grad_norm=grad_norm)
        reach = d / (eta * g)
        if self._path.norms is None:
            if reach * self.distance >= 1.0:
                return d * g - eta * g**2 * math.fsum(self._path.factors)
            return super().at(peak_lr, distance=distance, grad_norm=grad_norm)
        share, noise = self._path.lowest(reach)
        return (share * d**2 / eta + noise * g**2 * eta) / 2


def worst_case(
    schedule: Callable[[int], float], *, steps: int, grad_norm_sq: Norms | None = None
) -> WorstCase:
    """Return the worst-case bound Psi on the loss of the network after all T updates.

    Linear decay has 1 / sqrt(T + 1), and no schedule and no method has less [1]_. A step with factor 0 is no
    step. With equal norms it takes one pass. With `grad_norm_sq` the best h is searched: valleys of the cost
    over log h on a path of a few hundred parts, and the bottom of each by a few walks over all updates and
    their derivative. For 39,100 updates either takes 10 to 35 ms.

    Parameters
    ----------
    schedule : callable, step -> factor
        Any schedule of lrlib, or any function of the step with finite factors >= 0, not all 0.
    steps : int
        T, >= 1.
    grad_norm_sq : array of shape [steps] or None
        Mean squared norms G_k^2 of the gradients, finite and > 0; the last is taken for the network after the
        last update too. None stands for equal norms.

    References
    ----------
    .. [1] M. Zamani, F. Glineur, 2023, https://arxiv.org/abs/2307.11134

    Examples
    --------
    >>> from lrlib import Constant, LinearDecay
    >>> bound = worst_case(LinearDecay(total_steps=99), steps=99)
    >>> round(bound.best_value, 12), round(bound.best_peak_lr, 12)  # 1 / sqrt(T + 1), T / (T + 1)^(3/2)
    (0.1, 0.099)
    >>> round(worst_case(Constant(), steps=99).best_value, 4)
    0.1412
    """
    factors, norms = _taken(schedule, steps, grad_norm_sq)
    path = Path(factors.tolist(), norms)
    if norms is not None:
        share, noise = path.lowest()
        return WorstCase(share, noise, path)
    # The pass of m_k. Where w_{k+1}^2 = f_k, the sum so far is f_k - 2 (f_{k+1} + ... + f_T); from there on
    # positive terms are added, as m_1^2 - 2 S_1 at the end would be a small difference of large numbers.
    m, sum_, noise = 0.0, 0.0, 0.0
    for f in reversed(path.factors):
        if m * m <= f:
            m, noise = math.sqrt(f), f - 2.0 * sum_
        step = f / m
        m += step
        noise += step * step
        sum_ += f
    return WorstCase(1.0 / m**2, noise, path)


def omega(schedule: Callable[[int], float], *, steps: int, grad_norm_sq: Norms | None = None) -> Bound:
    """Return the bound Omega on the loss at x_T, where the last gradient is taken [1]_ [2]_.

    With S_k = eta_k + ... + eta_T,

        Omega = 1/2 [ D^2 / S_1 + sum_{k=1}^{T-1} eta_k^2 G_k^2 / S_{k+1} + eta_T G_T^2 ]

    so that every squared step is charged against the rate that is still to come. eta_T is a number of the
    analysis alone, as x_T comes before that update: for a few updates Omega ranks schedules otherwise than
    `worst_case` (at T = 10, constant before linear). For many it is twice as large where the factors reach 0.

    Parameters and the treatment of factors that are 0 are those of `worst_case`.

    References
    ----------
    .. [1] A. Defazio et al., 2023, https://arxiv.org/abs/2310.07831
    .. [2] F. Schaipp et al., 2025, https://arxiv.org/abs/2501.18965

    Examples
    --------
    >>> from lrlib import Constant
    >>> bound = omega(Constant(), steps=2)  # S_1 = 2 and S_2 = 1: the noise is 1 / 1 + 1
    >>> bound.distance, bound.noise
    (0.5, 2.0)
    """
    factors, norms = _taken(schedule, steps, grad_norm_sq)
    to_come = np.cumsum(factors[::-1])[::-1]
    squares = factors**2 if norms is None else factors**2 * norms
    # The last step is charged against itself: eta_T^2 / eta_T.
    return Bound(float(1.0 / to_come[0]), float(np.sum(squares / np.append(to_come[1:], factors[-1]))))


class AreaAndNoise(NamedTuple):
    """The two numbers of a shape: Omega = 1/2 (D^2 / (x area) + x noise G^2) / sqrt(T), x = peak_lr sqrt(T).

    >>> AreaAndNoise(area=0.5, noise=2.0).area
    0.5
    """

    area: float
    noise: float


def area_and_noise(schedule: Callable[[int], float], *, steps: int | None = None) -> AreaAndNoise:
    """Return the two numbers by which `omega` knows a schedule: its area and its noise.

    area = S_1 / T and noise = sum_k f_k^2 / S_{k+1} + f_T. On [0, 1] they tend to the integrals of f(s) and
    of f(s)^2 / rho(s), where rho(s) is the integral of f from s to 1. At low peak rates the area decides, at
    high ones the noise. The best peak rate is 1 / sqrt(area noise) and the best value sqrt(noise / area),
    both over sqrt(T). The noise of a schedule that does not reach zero grows with f(1) ln T.

    Parameters
    ----------
    schedule : callable, step -> factor
    steps : int or None
        Updates T, >= 1; None takes the schedule's own `total_steps`.

    Examples
    --------
    >>> from lrlib import LinearDecay
    >>> area_and_noise(LinearDecay(total_steps=2))  # 1 and 1/2: (1 + 1/2) / 2, and 1 / (1/2) + 1/2
    AreaAndNoise(area=0.75, noise=2.5)
    """
    if steps is None:
        steps = getattr(schedule, "total_steps", None)
        if steps is None:
            raise ValueError(f"steps must be given for a schedule without total_steps, got {schedule!r}")
    bound = omega(schedule, steps=steps)
    return AreaAndNoise(area=1.0 / (bound.distance * steps), noise=bound.noise)


def asked_for(grad_norm_sq: Norms) -> np.ndarray:
    """Return the factors of the schedule that is best for given gradient norms, of shape [T], largest 1.

    f_k is proportional to c_k (c_{k+1} + ... + c_{T+1}) with c_k = 1 / G_k^2 and G_{T+1} = G_T: the
    refinement of [1]_. Its `worst_case` is D / sqrt(c_1 + ... + c_{T+1}). That no schedule has a lower one
    for these norms was found by numerical minimisation over all rates; for equal norms, where it is linear
    decay, it is proved. The norms are those of one run: another schedule would have met others.

    Parameters
    ----------
    grad_norm_sq : array of shape [T]
        Mean squared norms, finite and > 0, of updates, or of equally long parts of a run, which then count as
        one update each: repeat the mean of an epoch over its updates where there are few epochs.

    References
    ----------
    .. [1] A. Defazio et al., 2023, https://arxiv.org/abs/2310.07831

    Examples
    --------
    >>> asked_for([1.0, 1.0, 1.0, 1.0]).tolist()
    [1.0, 0.75, 0.5, 0.25]
    >>> asked_for([4.0, 1.0, 1.0]).round(4).tolist()  # large gradients at the start ask for a warm-up
    [0.375, 1.0, 0.5]
    """
    c = 1.0 / _checked(grad_norm_sq, None)
    factors = c * np.cumsum(np.append(c[1:], c[-1])[::-1])[::-1]
    return factors / factors.max()


def _taken(
    schedule: Callable[[int], float], steps: int, grad_norm_sq: Norms | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the factors that are not 0, and their squared norms."""
    factors = rates(schedule, steps=check_int("steps", steps, least=1), peak_lr=1.0)
    taken = factors > 0
    if not taken.any():
        raise ValueError(f"schedule must have a factor > 0 in its first {steps} steps, got only zeros")
    norms = None if grad_norm_sq is None else _checked(grad_norm_sq, steps)[taken]
    return factors[taken], norms


def _checked(grad_norm_sq: Norms, steps: int | None) -> np.ndarray:
    norms = np.asarray(grad_norm_sq, dtype=float)
    if norms.ndim != 1 or norms.size != (norms.size if steps is None else steps) or not norms.size:
        shape = "[T], T >= 1" if steps is None else f"[{steps}]"
        raise ValueError(f"grad_norm_sq must have the shape {shape}, got {list(norms.shape)}")
    wrong = np.flatnonzero(~(np.isfinite(norms) & (norms > 0)))
    if wrong.size:
        raise ValueError(f"grad_norm_sq must be finite and > 0, got {norms[wrong[0]]} in place {wrong[0]}")
    return norms


def _positive(**values: float) -> list[float]:
    return [check_float(name, x, allowed="finite and > 0", ok=lambda x: x > 0) for name, x in values.items()]

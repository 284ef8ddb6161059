"""Which schedule is better: paired differences over seeds, by rules that were fixed before the runs.

The rules and their reasons are in book/survey/plan.md. Accuracies are fractions in [0, 1], and so are their
differences; percentage points stand only where a name says so.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import correlation, fmean
from typing import TYPE_CHECKING, Any

from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr, stdtr, stdtrit  # what scipy.stats.t calls, fast enough to simulate with
from scipy.stats import chi, nct

from lrlib.schedules.recipes import SURVEY
from lrlib.stats.outcomes import CHANCE, by_seed, chance, final_accuracy

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = [
    "CHANCE",
    "FAMILY",
    "FEWEST",
    "PairedComparison",
    "by_seed",
    "chance",
    "compare_all",
    "detectable",
    "equivalence_power",
    "family",
    "final_accuracy",
    "holm",
    "interval",
    "p_words",
    "reach",
]

#: Values from which figures and tables draw an interval: the length of one of two values is mostly luck.
FEWEST = 3
# Accuracies are counts over at most 10,000 pictures: differences this close differ by rounding only.
SAME = 1e-12


def family(schedules: Iterable[str] = SURVEY) -> tuple[tuple[str, str], ...]:
    """List a study's pairs (schedule, reference): all against constant, all against linear, none twice.

    Examples
    --------
    >>> family(["constant", "linear", "drop"])
    (('linear', 'constant'), ('drop', 'constant'), ('drop', 'linear'))
    >>> len(family())
    13
    """
    schedules, pairs = list(dict.fromkeys(schedules)), []
    for reference in [name for name in ("constant", "linear") if name in schedules]:
        others = [name for name in schedules if name != reference]
        pairs += [(name, reference) for name in others if (reference, name) not in pairs]
    return tuple(pairs)


#: The plan's comparisons: 7 against constant, 6 more against linear.
FAMILY = family()


@dataclass(frozen=True, kw_only=True)
class PairedComparison:
    """A schedule against a reference: d = accuracy of the schedule - of the reference, a seed each.

    Parameters
    ----------
    schedule, reference : str
    seeds : tuple of int
        Those that both have; `n` counts them.
    mean_difference, sd, sd_unpaired : float
        Of d, fractions; the last is what sd would be if a shared seed meant nothing (hypot of the two
        schedules' own). The mean is nan if n = 0, the others if n < 2.
    correlation : float
        Of the two schedules over seeds; nan if n < 3, or if one does not vary.
    interval : tuple of float
        Bonferroni: all intervals of the family hold their truths at once with 1 - alpha.
    p, holm_p, equivalence_p, equivalence_holm_p : float
        Paired t, two-sided, and two one-sided tests inside the margin (the larger p), each by itself and
        adjusted. These and the interval are nan where nothing tells the spread: n < 2, or all d equal.
    verdict : str
        "better" or "worse", perhaps ", by less than a point"; "as good as"; "not decidable".
    diverged : tuple of (str, int)
        Label and seed of the runs among these that count as guessing.
    guessing : float
        What that is, a fraction.

    Examples
    --------
    >>> values = {"constant": {1: 0.77, 2: 0.78, 3: 0.76}, "linear": {1: 0.81, 2: 0.83, 3: 0.82}}
    >>> (linear,) = compare_all(values, pairs=[("linear", "constant")])
    >>> print(linear.sentence())  # doctest: +NORMALIZE_WHITESPACE
    linear against constant: better; +5.00 points (+2.52 to +7.48, Holm p = 0.013, n = 3 seeds);
    sd of the differences 1.00 points, 1.41 if unpaired, correlation of the seeds 0.50.
    """

    schedule: str
    reference: str
    seeds: tuple[int, ...]
    mean_difference: float
    sd: float
    sd_unpaired: float
    correlation: float
    interval: tuple[float, float]
    p: float
    equivalence_p: float
    holm_p: float = math.nan
    equivalence_holm_p: float = math.nan
    verdict: str = "not decidable"
    diverged: tuple[tuple[str, int], ...] = ()
    guessing: float = CHANCE

    @property
    def n(self) -> int:
        """Seeds that both have."""
        return len(self.seeds)

    @property
    def mean_difference_points(self) -> float:
        """Mean difference in percentage points."""
        return 100 * self.mean_difference

    @property
    def interval_points(self) -> tuple[float, float]:
        """Simultaneous interval in percentage points."""
        return 100 * self.interval[0], 100 * self.interval[1]

    @property
    def verdict_p(self) -> float:
        """The p behind the verdict, after Holm's: of equivalence for "as good as", else of a difference."""
        return self.equivalence_holm_p if self.verdict == "as good as" else self.holm_p

    def sentence(self) -> str:
        """Return all of it in one sentence, for under a table or a figure."""
        text = f"{self.schedule} against {self.reference}: {self.verdict}; "
        low, high = self.interval_points
        if self.n:
            text += f"{self.mean_difference_points:+.2f} points"
        if self.sd > 0:
            p = p_words(self.verdict_p) + " of equivalence" * (self.verdict == "as good as")
            text += f" ({low:+.2f} to {high:+.2f}, Holm {p}, n = {self.n} seeds); sd of the differences"
            text += f" {100 * self.sd:.2f} points, {100 * self.sd_unpaired:.2f} if unpaired"
        elif self.n > 1:
            text += f" with each of {self.n} seeds, so that nothing tells how far this varies"
        else:
            text += ", from 1 seed" if self.n else "no seed has both"
        if not math.isnan(self.correlation):
            text += f", correlation of the seeds {self.correlation:.2f}"
        if self.diverged:
            gone = " and ".join(f"{label} with seed {seed}" for label, seed in self.diverged)
            text += f"; diverged, and counted as {self.guessing:.0%}: {gone}"
        return text + "."


def compare_all(
    results: Iterable[Run] | Mapping[str, Mapping[int, float]],
    *,
    pairs: Iterable[tuple[str, str]] = FAMILY,
    margin_points: float = 1.0,
    alpha: float = 0.05,
    shared: bool = True,
) -> list[PairedComparison]:
    """Compare pair by pair and give each its verdict, by the rules of the plan.

    "better", "worse": Holm-adjusted p of the paired t < alpha. "as good as": Holm-adjusted p of the two
    one-sided tests < alpha. Both: the difference is real and small, "better, by less than a point". Neither:
    "not decidable". A pair that cannot be tested keeps its place in the family.

    Parameters
    ----------
    results : runs of one study, or mapping, label -> seed -> fraction in [0, 1]
        A mapping is as `by_seed` gives it; only runs can say which of them diverged.
    pairs : iterable of (schedule, reference)
        The family: the plan's 13, whatever is recorded so far. For another study see `family`.
    margin_points, alpha : float
        Half the width of "as good as", in (0, 100); and level of the family, in (0, 1).
    shared : bool
        As for `by_seed`.

    Raises TypeError or ValueError if an argument is of another type or out of its range, or a schedule is
    in no pair.

    Examples
    --------
    >>> values = {"linear": {1: 0.802, 2: 0.81, 3: 0.80}, "cosine": {1: 0.801, 2: 0.81, 3: 0.801}}
    >>> [comparison.verdict for comparison in compare_all(values, pairs=[("cosine", "linear")])]
    ['as good as']
    """
    runs = [] if isinstance(results, Mapping) else list(results)
    accuracies = results if isinstance(results, Mapping) else by_seed(runs, shared=shared)
    diverged = sorted((run.label, run.config.seed) for run in runs if run.status == "diverged")
    guessing = chance(runs[0].config) if runs else CHANCE
    pairs = tuple(tuple(pair) for pair in pairs)
    once = {frozenset(pair) for pair in pairs}
    if not pairs or len(once) < len(pairs) or any(len(pair) != 2 for pair in (*pairs, *once)):
        raise ValueError(f"pairs must be (schedule, reference), two labels, each pair once, got {pairs}")
    margin, alpha = _between("margin_points", margin_points, 0, 100) / 100, _between("alpha", alpha, 0, 1)
    for label, seeds in accuracies.items():
        if not any(label in pair for pair in pairs):
            raise ValueError(f"results must be of schedules in pairs, got {label!r}; see family()")
        for seed, x in seeds.items():
            if not 0 <= x <= 1:
                raise ValueError(f"accuracy of {label} with seed {seed} must be in [0, 1], got {x!r}")
    alone = [_compare(accuracies, pair, diverged, margin, 1 - alpha / len(pairs)) for pair in pairs]
    adjusted = zip(alone, holm([c.p for c in alone]), holm([c.equivalence_p for c in alone]), strict=True)
    small = ", by less than " + ("a point" if margin_points == 1 else f"{margin_points:g} points")
    compared = []
    for c, p, equivalence_p in adjusted:
        close = equivalence_p < alpha  # a nan is below nothing
        verdict = "as good as" if close else "not decidable"
        if p < alpha:
            verdict = ("better" if c.mean_difference > 0 else "worse") + small * close
        compared.append(
            replace(c, holm_p=p, equivalence_holm_p=equivalence_p, verdict=verdict, guessing=guessing)
        )
    return compared


def p_words(p: float) -> str:
    """Write a p value down, with two digits and nothing smaller than one can mean.

    Examples
    --------
    >>> p_words(0.0304), p_words(3e-7)
    ('p = 0.03', 'p < 0.0001')
    """
    return f"p = {p:.2g}" if p >= 1e-4 else "p < 0.0001"


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p values of a family by Holm's steps, in the order given.

    With p_(1) <= ... <= p_(m): adjusted p_(i) = max over j <= i of min(1, (m - j + 1) p_(j)).
    A nan (no test was possible) stays nan and counts in m. Source: S. Holm, A simple sequentially rejective
    multiple test procedure, Scandinavian Journal of Statistics 6 (1979) 65-70.

    Examples
    --------
    >>> holm([0.25, 0.125])
    [0.25, 0.25]
    """
    adjusted, least, m = [math.nan] * len(p_values), 0.0, len(p_values)
    for p in p_values:
        if not (math.isnan(p) or 0 <= p <= 1):
            raise ValueError(f"p_values must be in [0, 1] or nan, got {p!r}")
    tested = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    for before, (p, i) in enumerate(tested):
        least = adjusted[i] = max(least, min(1.0, (m - before) * p))
    return adjusted


def interval(values: Sequence[float], level: float = 0.95, *, least: int = 2) -> tuple[float, float]:
    """Return the t interval of a mean, mean -+ t_{(1 + level)/2, n - 1} sd / sqrt(n).

    It is (nan, nan) where nothing tells the spread (one value, or all values equal), and for fewer than
    `least` values.

    Examples
    --------
    >>> low, high = interval([1.0, 2.0, 3.0])
    >>> round(low, 3), round(high, 3)
    (-0.484, 4.484)
    """
    if not len(values) or not all(map(math.isfinite, values)):
        raise ValueError(f"values must be at least one number, all finite, got {list(values)}")
    if len(values) < least:
        return math.nan, math.nan
    mean, _, error = _moments(values)
    half = float(stdtrit(len(values) - 1, (1 + _between("level", level, 0, 1)) / 2)) * error
    return mean - half, mean + half


def reach(n: int, *, family: int = 13, alpha: float = 0.05) -> float:
    """Return how many standard deviations of the differences a Bonferroni interval reaches to each side.

    t_{1 - alpha/(2 family), n - 1} / sqrt(n), for n pairs, >= 2, and a family of so many comparisons, >= 1.

    >>> [round(reach(n), 2) for n in (2, 3, 5)]
    [117.04, 9.28, 2.69]
    """
    return _critical(n, family, alpha, sides=2) / math.sqrt(n)


def detectable(*, n: int, sd: float, family: int = 13, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the true difference that a paired t test finds, with its right sign, with this power.

    delta with P(T > t_{1 - alpha/(2 family), n - 1}) = power, where T is noncentral t with n - 1 degrees
    of freedom and noncentrality delta sqrt(n) / sd. Holm's first step is a family of 13, its last of 1.

    Parameters
    ----------
    n, family : int
        Pairs, >= 2, and comparisons still open, >= 1.
    sd, power, alpha : float
        True standard deviation of the differences (the result has its unit); 0 < alpha < power < 1.

    Examples
    --------
    >>> round(detectable(n=5, sd=0.3, family=1), 2)
    0.5
    """
    least, sd = _critical(n, family, alpha, sides=2), _between("sd", sd, 0, math.inf)
    power, high = _between("power", power, alpha, 1), least
    while nct.sf(least, n - 1, high) < power:
        high *= 2
    return sd / math.sqrt(n) * brentq(lambda shift: nct.sf(least, n - 1, shift) - power, 0, high, xtol=1e-9)


def equivalence_power(
    *, n: int, sd: float, margin: float = 1.0, truth: float = 0.0, family: int = 13, alpha: float = 0.05
) -> float:
    """Return the chance that two one-sided tests find a difference to be inside the margin.

    The integral over u = s / sd (chi, over the root of its degrees of freedom) of the chance that the mean
    is farther than t_{1 - alpha/family, n - 1} u sd / sqrt(n) from both ends. Arguments as in `detectable`;
    sd, margin (> 0) and truth, the true difference, have one unit.

    Examples
    --------
    >>> round(equivalence_power(n=5, sd=0.3), 2)
    0.86
    """
    truth = _between("truth", truth, -math.inf, math.inf)
    least, scale = _critical(n, family, alpha, sides=1), math.sqrt(n) / _between("sd", sd, 0, math.inf)
    end, shift = scale * _between("margin", margin, 0, math.inf), scale * truth
    spread = chi(n - 1, scale=1 / math.sqrt(n - 1))

    def found(u: float) -> float:
        return spread.pdf(u) * (ndtr(end - least * u - shift) - ndtr(least * u - end - shift))

    low, high = spread.ppf([1e-13, 1 - 1e-13])
    return float(quad(found, low, max(low, min(high, end / least)))[0])


def _compare(accuracies, pair, diverged, margin: float, level: float) -> PairedComparison:
    """Measure one pair by itself, before the family is looked at."""
    mine, other = (accuracies.get(label, {}) for label in pair)
    seeds = tuple(sorted(mine.keys() & other.keys()))
    a, b = [mine[seed] for seed in seeds], [other[seed] for seed in seeds]
    d = [x - y for x, y in zip(a, b, strict=True)]
    (mean, sd, error), sds = _moments(d), (_moments(a)[1], _moments(b)[1])
    return PairedComparison(
        schedule=pair[0],
        reference=pair[1],
        seeds=seeds,
        mean_difference=mean,
        sd=sd,
        sd_unpaired=math.hypot(*sds),
        correlation=correlation(a, b) if len(d) >= 3 and min(sds) > 0 else math.nan,
        interval=interval(d, level) if d else (math.nan, math.nan),
        p=2 * float(stdtr(len(d) - 1, -abs(mean) / error)),
        # The larger p of the two one-sided tests is that of the nearer end of the margin.
        equivalence_p=float(stdtr(len(d) - 1, (abs(mean) - margin) / error)),
        diverged=tuple((label, seed) for label, seed in diverged if label in pair and seed in seeds),
    )


def _moments(values: Sequence[float]) -> tuple[float, float, float]:
    """Return mean, standard deviation over n - 1, and the mean's standard error.

    The error is nan where nothing tells the spread, so that every p made of it is nan too.
    """
    n = len(values)
    mean, sd = fmean(values) if n else math.nan, math.nan if n < 2 else 0.0
    if n > 1 and max(values) - min(values) > SAME:
        sd = math.sqrt(math.fsum((x - mean) ** 2 for x in values) / (n - 1))
    return mean, sd, sd / math.sqrt(n) if sd > 0 else math.nan


def _critical(n: int, family: int, alpha: float, *, sides: int) -> float:
    """Return the t that a test of n pairs has to pass at alpha / family, shared by its sides."""
    for name, value, least in (("n", n, 2), ("family", family, 1)):
        if not isinstance(value, numbers.Integral) or value < least:
            raise ValueError(f"{name} must be an integer >= {least}, got {value!r}")
    return float(stdtrit(n - 1, 1 - _between("alpha", alpha, 0, 1) / family / sides))


def _between(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r} ({type(value).__name__})")
    if not low < value < high:
        raise ValueError(f"{name} must be in ({low:g}, {high:g}), got {value!r}")
    return float(value)

"""Paired comparisons of schedules over seeds, by rules that were fixed before the runs.

The rules and their reasons are in book/survey/plan.md; "rule 5" below is the fifth there. Accuracies and
their differences are fractions; percentage points stand only where a name says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from statistics import correlation, fmean
from typing import TYPE_CHECKING

from scipy.special import stdtr, stdtrit  # what scipy.stats.t calls, fast enough to simulate with

from lrlib._checks import check_float, check_fraction, check_numbers
from lrlib.schedules.recipes import SURVEY
from lrlib.stats.outcomes import CHANCE, by_seed, chance

if TYPE_CHECKING:
    from lrlib.runs.record import Run

__all__ = [
    "FAMILY",
    "FEWEST",
    "SAME",
    "PairedComparison",
    "compare_all",
    "family",
    "holm",
    "interval",
    "p_words",
    "paired_differences",
]

#: Fewest values from which figures and tables draw an interval. Two values leave one degree of freedom: t is
#: 12.7 at 95 %, and the length of the interval is mostly luck.
FEWEST = 3
#: Accuracies are counts over at most 10,000 pictures: two that are closer than this differ by rounding only.
SAME = 1e-12


def family(schedules: Iterable[str] = SURVEY) -> tuple[tuple[str, str], ...]:
    """Return a study's pairs (schedule, reference): all against constant, all others against linear.

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
        # (constant, linear) asks the same as (linear, constant): counted twice, it would only cost power.
        pairs += [(name, reference) for name in others if (reference, name) not in pairs]
    return tuple(pairs)


#: The plan's 13 comparisons (rule 5): 7 against constant, 6 more against linear.
FAMILY = family()


@dataclass(frozen=True, kw_only=True)
class PairedComparison:
    """A schedule compared with a reference: d = accuracy of the schedule - of the reference, seed by seed.

    Parameters
    ----------
    schedule, reference : str
    seeds : tuple of int
        Those that both have; `n` counts them.
    mean_difference, sd, sd_unpaired : float
        Mean and standard deviation of d, fractions; `sd_unpaired` is the sd that independent seeds would give
        (hypot of the two schedules' own). The mean is nan if n = 0, the others if n < 2.
    correlation : float
        Of the two schedules over seeds; nan if n < 3, or if one does not vary.
    interval : tuple of float
        Bonferroni: all intervals of the family hold their truths at once with probability 1 - alpha.
    p, holm_p, equivalence_p, equivalence_holm_p : float
        Two-sided paired t test, and two one-sided tests inside the margin (the larger p), each by itself and
        adjusted. These and the interval are nan where d has no spread to estimate: n < 2, or all d equal.
    verdict : str
        "better" or "worse", perhaps ", by less than a point"; "as good as"; "not decidable".
    diverged : tuple of (str, int)
        Label and seed of the runs among these that count as guessing.
    guessing : float
        The accuracy that such a run counts as, a fraction.

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
        """Number of seeds that both have."""
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
        """Holm-adjusted p behind the verdict: of equivalence for "as good as", else of a difference."""
        # A large p of the t test shows nothing; printed beside "as good as" it would pass for evidence.
        return self.equivalence_holm_p if self.verdict == "as good as" else self.holm_p

    def sentence(self) -> str:
        """Return the whole comparison in one sentence, for under a table or a figure."""
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
    """Return the comparison of each pair with its verdict, by the rules of the plan.

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

    Raises
    ------
    ValueError
        Also if a pair comes twice (in either order), or a schedule is in no pair.

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
    asked = tuple(tuple(pair) for pair in pairs)
    once = {frozenset(pair) for pair in asked}
    if not asked or len(once) < len(asked) or any(len(pair) != 2 for pair in (*asked, *once)):
        raise ValueError(f"pairs must be (schedule, reference), two labels, each pair once, got {asked}")
    margin = check_float("margin_points", margin_points, allowed="in (0, 100)", ok=lambda x: 0 < x < 100)
    alpha = check_fraction("alpha", alpha, zero=False, one=False)
    for label, seeds in accuracies.items():
        if not any(label in pair for pair in asked):
            # Left out in silence, a misspelt label would read "no seed has both" for all of its pairs.
            raise ValueError(f"results must be of schedules in pairs, got {label!r}; see family()")
        for seed, x in seeds.items():
            if not 0 <= x <= 1:
                raise ValueError(f"accuracy of {label} with seed {seed} must be in [0, 1], got {x!r}")
    # Rule 8: m intervals that each miss with chance alpha / m miss somewhere with at most alpha, however they
    # depend on each other.
    level = 1 - alpha / len(asked)
    alone = [_compare(accuracies, (a, b), diverged, margin / 100, level) for a, b in asked]
    # Rule 7: "better" and "as good as" are claims of two kinds, and each kind errs with at most alpha.
    adjusted = zip(alone, holm([c.p for c in alone]), holm([c.equivalence_p for c in alone]), strict=True)
    small = ", by less than " + ("a point" if margin_points == 1 else f"{margin_points:g} points")
    compared = []
    for c, p, equivalence_p in adjusted:
        # nan < alpha is False: what cannot be tested stays "not decidable" (rule 5).
        close = equivalence_p < alpha
        verdict = "as good as" if close else "not decidable"
        if p < alpha:
            # Rule 6: a small difference can be both real and inside the margin, and then both claims stand.
            verdict = ("better" if c.mean_difference > 0 else "worse") + small * close
        compared.append(
            replace(c, holm_p=p, equivalence_holm_p=equivalence_p, verdict=verdict, guessing=guessing)
        )
    return compared


def p_words(p: float) -> str:
    """Return a p value as text: two significant digits, or "p < 0.0001".

    Examples
    --------
    >>> p_words(0.0304), p_words(3e-7)
    ('p = 0.03', 'p < 0.0001')
    """
    # A p of 1e-9 would need differences that are normal that far out, which five of them cannot show.
    return f"p = {p:.2g}" if p >= 1e-4 else "p < 0.0001"


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values of a family adjusted by Holm's steps, in the order given.

    With p_(1) <= ... <= p_(m): adjusted p_(i) = max over j <= i of min(1, (m - j + 1) p_(j)).
    A nan (no test was possible) stays nan and counts in m. Source: S. Holm, A simple sequentially rejective
    multiple test procedure, Scandinavian Journal of Statistics 6 (1979) 65-70.

    Parameters
    ----------
    p_values : sequence of float
        In [0, 1], or nan.

    Examples
    --------
    >>> holm([0.25, 0.125])
    [0.25, 0.25]
    """
    # Holm and not Bonferroni: the same guarantee under any dependence (the 13 share two references), and
    # never less power. m counts the nan, as 13 questions were planned (rule 5): a look before all is recorded
    # must not be easier to pass.
    none = isinstance(p_values, Sized) and not len(p_values)
    p_values = [] if none else check_numbers("p_values", p_values, finite=False)
    adjusted, least, m = [math.nan] * len(p_values), 0.0, len(p_values)
    for p in p_values:
        if not (math.isnan(p) or 0 <= p <= 1):
            raise ValueError(f"p_values must be in [0, 1] or nan, got {p!r}")
    tested = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    for before, (p, i) in enumerate(tested):
        # The running maximum stops at the first question that fails: no later one may pass where it did not.
        least = adjusted[i] = max(least, min(1.0, (m - before) * p))
    return adjusted


def interval(values: Sequence[float], level: float = 0.95, *, least: int = 2) -> tuple[float, float]:
    """Return the t interval of a mean, mean -+ t_{(1 + level)/2, n - 1} sd / sqrt(n).

    It is (nan, nan) for fewer than `least` values, for one value, and where all values are equal.

    Parameters
    ----------
    values : sequence of float
        At least one, all finite.
    level : float
        In (0, 1).
    least : int
        Fewest values that get an interval.

    Examples
    --------
    >>> low, high = interval([1.0, 2.0, 3.0])
    >>> round(low, 3), round(high, 3)
    (-0.484, 4.484)
    """
    values = check_numbers("values", values)
    if len(values) < least:
        return math.nan, math.nan
    level = check_fraction("level", level, zero=False, one=False)
    mean, _, error = _moments(values)
    half = float(stdtrit(len(values) - 1, (1 + level) / 2)) * error
    return mean - half, mean + half


def paired_differences(
    accuracies: Mapping[str, Mapping[int, float]], schedule: str, reference: str
) -> dict[int, float]:
    """Return seed -> accuracy of a schedule minus that of a reference, over the seeds that both have.

    Examples
    --------
    >>> paired_differences({"linear": {2: 0.75, 1: 0.5}, "drop": {2: 0.5}}, "linear", "drop")
    {2: 0.25}
    """
    # Runs of one seed share the start and the batches, so what a seed does to both cancels (rule 4).
    mine, other = accuracies.get(schedule, {}), accuracies.get(reference, {})
    return {seed: mine[seed] - other[seed] for seed in sorted(mine.keys() & other.keys())}


def _compare(
    accuracies: Mapping[str, Mapping[int, float]],
    pair: tuple[str, str],
    diverged: Sequence[tuple[str, int]],
    margin: float,
    level: float,
) -> PairedComparison:
    """Return one pair compared by itself: all but what the rest of the family decides."""
    differences = paired_differences(accuracies, *pair)
    a, b = ([accuracies[label][seed] for seed in differences] for label in pair)
    d = list(differences.values())
    (mean, sd, error), sds = _moments(d), (_moments(a)[1], _moments(b)[1])
    return PairedComparison(
        schedule=pair[0],
        reference=pair[1],
        seeds=tuple(differences),
        mean_difference=mean,
        sd=sd,
        # Variances of independent runs add; beside sd it shows what pairing gained (rule 4).
        sd_unpaired=math.hypot(*sds),
        # Two points lie on a line, so with two seeds the correlation is always -1 or +1.
        correlation=correlation(a, b) if len(d) >= 3 and min(sds) > 0 else math.nan,
        interval=interval(d, level) if d else (math.nan, math.nan),
        # t with n - 1 degrees of freedom, as the error is estimated from these n differences: with five, the
        # normal distribution would turn p = 0.1 into 0.03. The lower tail keeps digits that 1 - cdf(t) loses.
        p=2 * float(stdtr(len(d) - 1, -abs(mean) / error)),
        # Both one-sided tests must pass, so the larger p counts: that of the nearer end of the margin.
        equivalence_p=float(stdtr(len(d) - 1, (abs(mean) - margin) / error)),
        diverged=tuple((label, seed) for label, seed in diverged if label in pair and seed in differences),
    )


def _moments(values: Sequence[float]) -> tuple[float, float, float]:
    """Return mean, standard deviation over n - 1, and the mean's standard error (nan if sd is 0 or nan)."""
    n = len(values)
    mean, sd = fmean(values) if n else math.nan, math.nan if n < 2 else 0.0
    # Equal accuracies leave differences of about 1e-17; as a spread, that would make every p zero.
    if n > 1 and max(values) - min(values) > SAME:
        # n - 1: deviations from the sample's own mean are too small by that factor on average.
        sd = math.sqrt(math.fsum((x - mean) ** 2 for x in values) / (n - 1))
    # Without a spread the error is nan, not 0: nan makes every p nan, and 0 would make it a certainty.
    return mean, sd, sd / math.sqrt(n) if sd > 0 else math.nan

"""Rules for sentences that rank schedules by accuracy after the last epoch.

A rule is a function of evidence that returns a `Finding`. Runs of ours are compared by the plan
(book/survey/plan.md), single runs in print by the sampling error of their difference. The thresholds, and the
reason for each, stand in `lrbook.chapters.claims.definitions`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from lrbook.chapters.claims import definitions
from lrbook.chapters.claims.definitions import (
    CANNOT_BE_TOLD,
    LAST_EPOCH_ONLY,
    NO_RUN,
    NOT_SEEN,
    SEEN,
    Finding,
)
from lrlib._checks import no_such
from lrlib.runs.config import TEST_IMAGES
from lrlib.runs.published import SourceRow, Table
from lrlib.stats import CHANCE, FAMILY, by_seed, compare_all, p_words, sampling_error

if TYPE_CHECKING:
    from lrlib.runs.record import Run

    Evidence = Sequence[Run] | Table[SourceRow]
    Rule = Callable[[Evidence], Finding]

__all__ = ["ranking", "rates_apart"]

_NO_SEED = "no seed has both sides yet"
#: A label that stands for the mean of several schedules.
GROUPS = {"decaying": definitions.DECAYING}


class Compared(NamedTuple):
    """Two labels: shared seeds, difference as a fraction, a verdict in the plan's words, and the numbers."""

    n: int
    difference: float
    verdict: str
    text: str

    @property
    def points(self) -> float:
        """Size of the difference in percentage points."""
        return round(100 * abs(self.difference), 9)  # accuracies are counts: what is left out is rounding

    def answer(self, word: str) -> bool | None:
        """Return True if a word of the survey holds, False if it does not, and None if undecided."""
        better, worse = self.verdict.startswith("better"), self.verdict.startswith("worse")
        close = self.verdict == "as good as" or self.verdict.endswith("less than a point")
        if not (better or worse or close):
            return None
        if word == "similar":
            # Told apart, and not shown to be within the margin: a yes is out, and a no takes a measured gap
            # of at least the margin. In between it stays open.
            return True if close else None if self.points < definitions.MARGIN_POINTS else False
        if word == "the best":
            # "As good as" is no defeat: it may yet be a win by less than the runs can show.
            return True if better else False if worse else None
        # "Huge" and "a little" have two parts. That there is a difference is tested, how large it is is
        # measured: to test it against 3 points too would leave most sentences open with five seeds.
        if word == "huge":
            return better and self.points >= definitions.HUGE_POINTS
        if word == "a little worse":
            return worse and self.points < definitions.HUGE_POINTS
        return {"better": better, "worse": worse}[word]


def ranking(word: str, *pairs: tuple[str, str]) -> Rule:
    """Return the rule that a word holds for each pair (schedule, reference), by final test accuracy.

    Runs are compared by the committed plan; a pair outside its family of 13 is tested in a family of 14.
    Printed numbers are compared by the sampling error of the difference. All pairs yes: seen again; any pair
    no: not seen.

    Parameters
    ----------
    word : {"better", "worse", "huge", "a little worse", "similar", "the best"}
    *pairs : (str, str)
        Names of schedules; "decaying" is the mean of the four in table 1.1 that decay.

    Examples
    --------
    >>> from lrlib.runs.published import published
    >>> print(ranking("better", ("linear", "constant"))(published().source).because)
    linear - constant: +3.10 points, 6.3 sampling errors
    """
    known = ("better", "worse", "huge", "a little worse", "similar", "the best")
    if word not in known:
        raise ValueError(no_such("word", word, known))

    def rule(evidence: Evidence) -> Finding:
        if isinstance(evidence, Table):
            return _ranked(word, [_printed(evidence, *pair) for pair in pairs])
        if not evidence:
            return NO_RUN
        values = by_seed(evidence)
        for group, members in GROUPS.items():
            # Averaged within a seed, so that the group is paired with the reference as one schedule would be.
            shared = set.intersection(*(set(values.get(name, ())) for name in members))
            values[group] = {seed: fmean(values[name][seed] for name in members) for seed in sorted(shared)}
        gone = [(run.label, run.config.seed) for run in evidence if run.status == "diverged"]
        return _ranked(word, [_compared(values, pair, FAMILY, gone) for pair in pairs])

    return rule


def rates_apart() -> Rule:
    """Return the rule that a rate can be too low and too high: one in between beats both ends of a grid.

    The runs with a constant rate are compared, every rate in between with both ends. Seen again: one of them
    is better than both. Not seen: for one end all are decided, none better.

    Examples
    --------
    >>> rates_apart()([])
    Finding(n=0, verdict='cannot be told', because='no run yet')
    """

    def rule(evidence: Evidence) -> Finding:
        if isinstance(evidence, Table):
            return LAST_EPOCH_ONLY
        by_rate: dict[float, list[Run]] = {}
        for run in evidence:
            if run.label == "constant":
                by_rate.setdefault(run.config.peak_lr, []).append(run)
        if not by_rate:
            return NO_RUN
        if len(by_rate) < 3:
            return Finding(0, CANNOT_BE_TOLD, "fewer than three rates recorded yet")
        names = {rate: f"rate {rate:g}" for rate in sorted(by_rate)}
        low, *between, high = names.values()
        values = {names[rate]: by_seed(runs)["constant"] for rate, runs in by_rate.items()}
        gone = [
            (names[run.config.peak_lr], run.config.seed)
            for runs in by_rate.values()
            for run in runs
            if run.status == "diverged"
        ]
        # All rates in between are one family: the best of them, picked first and tested alone, could win by
        # luck.
        family = [(name, end) for name in between for end in (low, high)]
        compared = {pair: _compared(values, pair, family, gone) for pair in family}
        better = {pair: c.answer("better") for pair, c in compared.items()}
        # One rate must beat both ends. Two rates that beat one each could lie on a slope.
        both = [name for name in between if better[name, low] and better[name, high]]
        # `is False`: an open comparison (None) may still turn out better, so it denies nothing.
        beaten_by_none = any(all(better[name, end] is False for name in between) for end in (low, high))
        verdict = SEEN if both else NOT_SEEN if beaten_by_none else CANNOT_BE_TOLD
        shown = both[0] if both else max(between, key=lambda name: fmean(values[name].values()))
        pair = [compared[shown, end] for end in (low, high)]
        return Finding(min(c.n for c in pair), verdict, "; ".join(c.text for c in pair))

    return rule


def _ranked(word: str, compared: Sequence[Compared]) -> Finding:
    answers = [c.answer(word) for c in compared]
    # One pair that says no refutes a sentence about all pairs, whatever is still open.
    verdict = SEEN if all(answers) else NOT_SEEN if False in answers else CANNOT_BE_TOLD
    text = "; ".join(c.text for c in compared) if any(c.n for c in compared) else _NO_SEED
    return Finding(min(c.n for c in compared), verdict, text)


def _compared(
    values: Mapping[str, Mapping[int, float]],
    pair: tuple[str, str],
    family: Sequence[tuple[str, str]],
    gone: Sequence[tuple[str, int]],
) -> Compared:
    """Return a pair compared by the plan, in a family that may have it the other way round, or not at all."""
    # The t test is symmetric: a pair that the plan has turned is the same question, in its family of 13.
    turned = pair not in family and pair[::-1] in family
    wanted = pair[::-1] if turned else pair
    # A question that the plan does not ask joins it, which makes it only harder to decide: Holm counts 14.
    pairs = [*family, *([] if wanted in family else [wanted])]
    known = {label: seeds for label, seeds in values.items() if any(label in each for each in pairs)}
    (c,) = [c for c in compare_all(known, pairs=pairs) if (c.schedule, c.reference) == wanted]
    difference, verdict = c.mean_difference, c.verdict
    if turned:
        difference, side = -difference, verdict.split(",")[0]
        verdict = verdict.replace(side, {"better": "worse", "worse": "better"}.get(side, side))
    text = f"{pair[0]} - {pair[1]}: " + (f"{100 * difference:+.2f} points" if c.n else "no seed has both")
    if not math.isnan(c.holm_p):
        text += f", Holm {p_words(c.holm_p)}"
    members = {name for label in pair for name in GROUPS.get(label, (label,))}
    lost = [f"{label} with seed {seed}" for label, seed in gone if label in members and seed in c.seeds]
    text += f" (diverged, counted as {CHANCE:.0%}: {', '.join(lost)})" if lost else ""
    return Compared(c.n, difference, verdict, text)


def _printed(table: Table[SourceRow], schedule: str, reference: str) -> Compared:
    """Return two single runs in print, or means of several, compared by their difference's sampling error."""
    accuracy, images = table.column("test_accuracy"), TEST_IMAGES["cifar10"]
    mine, other = (
        [accuracy[name] for name in GROUPS.get(label, (label,))] for label in (schedule, reference)
    )
    difference = round(fmean(mine) - fmean(other), 9)
    # The error of a mean of k accuracies: the hypot of e_i / k. Print gives no second seed, so what a seed
    # moves is not in it; the factor SAMPLING_ERRORS leaves room for that (definitions, "better").
    parts = [sampling_error(a, images=images) / len(side) for side in (mine, other) for a in side]
    error = math.hypot(*parts)
    apart = difference != 0 and abs(difference) >= definitions.SAMPLING_ERRORS * error
    # As in the plan's equivalence: the whole interval, not only its middle, must lie inside the margin.
    close = abs(difference) + definitions.SAMPLING_ERRORS * error < definitions.MARGIN_POINTS / 100
    verdict = "as good as" if close else "not decidable"
    if apart:
        verdict = ("better" if difference > 0 else "worse") + ", by less than a point" * close
    text = f"{schedule} - {reference}: {100 * difference:+.2f} points"
    text += f", {abs(difference) / error:.1f} sampling errors" if error else ""
    return Compared(1, difference, verdict, text)

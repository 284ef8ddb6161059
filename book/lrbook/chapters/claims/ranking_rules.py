"""Rules for sentences that rank: accuracy after the last epoch, by the plan, or by sampling errors in print.

A rule takes evidence, which is the runs of one study or the source's printed table, and gives a `Finding`.
What its words mean in numbers stands in `lrbook.chapters.claims.definitions`.
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
from lrlib.runs.published import SourceRow, Table
from lrlib.runs.sizes import TEST_IMAGES
from lrlib.stats import CHANCE, FAMILY, by_seed, compare_all, sampling_error

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
        return round(100 * abs(self.difference), 9)  # accuracies are counts: what is left out is rounding

    def answer(self, word: str) -> bool | None:
        """Return whether a word holds; None is open."""
        better, worse = self.verdict.startswith("better"), self.verdict.startswith("worse")
        close = self.verdict == "as good as" or self.verdict.endswith("less than a point")
        if not (better or worse or close):
            return None
        if word == "similar":
            return True if close else None if self.points < definitions.MARGIN_POINTS else False
        if word == "the best":
            return True if better else False if worse else None
        if word == "huge":
            return better and self.points >= definitions.HUGE_POINTS
        if word == "a little worse":
            return worse and self.points < definitions.HUGE_POINTS
        return {"better": better, "worse": worse}[word]


def ranking(word: str, *pairs: tuple[str, str]) -> Rule:
    """Make the rule that a word holds for each pair (schedule, reference), by final test accuracy.

    Runs are compared by the committed plan. A pair outside its family of 13 is tested in a family of 14,
    which only makes it harder to decide. Printed numbers are compared by the sampling error of the
    difference. All pairs yes: seen again; any pair no: not seen.

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
            shared = set.intersection(*(set(values.get(name, ())) for name in members))
            values[group] = {seed: fmean(values[name][seed] for name in members) for seed in sorted(shared)}
        gone = [(run.label, run.config.seed) for run in evidence if run.status == "diverged"]
        return _ranked(word, [_compared(values, pair, FAMILY, gone) for pair in pairs])

    return rule


def rates_apart() -> Rule:
    """Make the rule that a rate can be too low and too high: some rate in between beats both ends of a grid.

    It is asked of the runs with a constant rate. Every rate in between against both ends is one family.
    Seen again: one of them is better than both. Not seen: for one end all are decided, none better.

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
        family = [(name, end) for name in between for end in (low, high)]
        compared = {pair: _compared(values, pair, family, gone) for pair in family}
        better = {pair: c.answer("better") for pair, c in compared.items()}
        both = [name for name in between if better[name, low] and better[name, high]]
        beaten_by_none = any(all(better[name, end] is False for name in between) for end in (low, high))
        verdict = SEEN if both else NOT_SEEN if beaten_by_none else CANNOT_BE_TOLD
        shown = both[0] if both else max(between, key=lambda name: fmean(values[name].values()))
        said = [compared[shown, end] for end in (low, high)]
        return Finding(min(c.n for c in said), verdict, "; ".join(c.text for c in said))

    return rule


def _ranked(word: str, compared: Sequence[Compared]) -> Finding:
    answers = [c.answer(word) for c in compared]
    verdict = SEEN if all(answers) else NOT_SEEN if False in answers else CANNOT_BE_TOLD
    text = "; ".join(c.text for c in compared) if any(c.n for c in compared) else _NO_SEED
    return Finding(min(c.n for c in compared), verdict, text)


def _compared(
    values: Mapping[str, Mapping[int, float]],
    pair: tuple[str, str],
    family: Sequence[tuple[str, str]],
    gone: Sequence[tuple[str, int]],
) -> Compared:
    """Compare by the plan, which may have the pair the other way round; if it has it not, the pair joins."""
    turned = pair not in family and pair[::-1] in family
    wanted = pair[::-1] if turned else pair
    pairs = [*family, *([] if wanted in family else [wanted])]
    known = {label: seeds for label, seeds in values.items() if any(label in each for each in pairs)}
    (c,) = [c for c in compare_all(known, pairs=pairs) if (c.schedule, c.reference) == wanted]
    difference, verdict = c.mean_difference, c.verdict
    if turned:
        difference, side = -difference, verdict.split(",")[0]
        verdict = verdict.replace(side, {"better": "worse", "worse": "better"}.get(side, side))
    text = f"{pair[0]} - {pair[1]}: " + (f"{100 * difference:+.2f} points" if c.n else "no seed has both")
    if not math.isnan(c.holm_p):
        text += f", Holm p {'< 0.0001' if c.holm_p < 1e-4 else f'= {c.holm_p:.2g}'}"
    members = {name for label in pair for name in GROUPS.get(label, (label,))}
    lost = [f"{label} with seed {seed}" for label, seed in gone if label in members and seed in c.seeds]
    text += f" (diverged, counted as {CHANCE:.0%}: {', '.join(lost)})" if lost else ""
    return Compared(c.n, difference, verdict, text)


def _printed(table: Table[SourceRow], schedule: str, reference: str) -> Compared:
    """Compare single runs in print, by the sampling error of their difference."""
    accuracy, images = table.column("test_accuracy"), TEST_IMAGES["cifar10"]
    mine, other = (
        [accuracy[name] for name in GROUPS.get(label, (label,))] for label in (schedule, reference)
    )
    difference = round(fmean(mine) - fmean(other), 9)
    parts = [sampling_error(a, images=images) / len(side) for side in (mine, other) for a in side]
    error = math.hypot(*parts)
    apart = difference != 0 and abs(difference) >= definitions.SAMPLING_ERRORS * error
    close = abs(difference) + definitions.SAMPLING_ERRORS * error < definitions.MARGIN_POINTS / 100
    verdict = "as good as" if close else "not decidable"
    if apart:
        verdict = ("better" if difference > 0 else "worse") + ", by less than a point" * close
    text = f"{schedule} - {reference}: {100 * difference:+.2f} points"
    text += f", {abs(difference) / error:.1f} sampling errors" if error else ""
    return Compared(1, difference, verdict, text)

"""Rules for sentences on curves: smooth, steep, level, dropping at the end, much faster.

A rule is a function of evidence (the runs of one study, or the source's printed table) that returns a
`Finding`. Its thresholds, and the reason for each, stand in `lrbook.chapters.claims.definitions`; they are
fractions of a run or of a curve's height, so that runs of any length are judged alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median
from typing import TYPE_CHECKING

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
from lrlib.stats.curves import plateau_start

if TYPE_CHECKING:
    from lrlib.runs.record import Run

    Evidence = Sequence[Run] | Table[SourceRow]
    Rule = Callable[[Evidence], Finding]

__all__ = [
    "curve_of",
    "dropping_at_the_end",
    "fall_at_the_end",
    "fall_between",
    "jags",
    "much_faster",
    "plateau",
    "smooth",
    "steep",
]

#: Quantity -> the columns of a record that sum to it. A loss includes the penalty, as in the source's logs.
QUANTITIES = {
    "training loss": ("train_loss", "penalty"),
    "test loss": ("test_loss", "penalty"),
    "test accuracy": ("test_accuracy",),
}
FEWEST_EPOCHS = 4  # three points are a line or one bend, and no shape
# With fewer epochs, the bend at the start of a smooth curve is itself as large as a jag.
FEWEST_SMOOTH = round(1 / definitions.JAG)


def curve_of(run: Run, quantity: str) -> list[float]:
    """Return a quantity of `QUANTITIES` after each epoch of a run; losses have the penalty in them.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> run = load_runs("pilot-laptop")[0]
    >>> curve_of(run, "test accuracy") == run.column("test_accuracy")
    True
    """
    return [sum(parts) for parts in zip(*map(run.column, QUANTITIES[quantity]), strict=True)]


def jags(curve: Sequence[float]) -> dict[int, float]:
    """Return epoch -> distance from the middle of its neighbours, as a fraction of the curve's height.

    Epochs count from 1. Those of the start are left out, as every loss bends sharply there; so is the last.

    Examples
    --------
    >>> jags([4.0, 3.0, 2.0, 2.0, 0.0])
    {3: 0.125, 4: 0.25}
    """
    height, begin = (
        max(curve) - min(curve),
        _epochs(definitions.START, curve),
    )  # the height a figure would span
    middle = {e: (curve[e - 2] + curve[e]) / 2 for e in range(begin + 2, len(curve))}
    return {e: abs(curve[e - 1] - at) / height if height else 0.0 for e, at in middle.items()}


def fall_at_the_end(curve: Sequence[float]) -> float:
    """Return how far the mean of the last tenth lies below that of the tenth before, in curve heights.

    Examples
    --------
    >>> fall_at_the_end([4.0, 3.0, 2.0, 1.0, 0.0])
    0.25
    """
    w, height = _epochs(definitions.END, curve), max(curve) - min(curve)
    # Means of two stretches, not two epochs: the last epoch is a draw from a curve that shakes.
    return (fmean(curve[-2 * w : -w]) - fmean(curve[-w:])) / height if height else 0.0


def smooth(schedule: str, quantity: str, *, unlike: str | None = None) -> Rule:
    """Return the rule that a curve has no jag after the start, and that another schedule's has one if asked.

    The jag of an epoch is its distance from the middle between its neighbours, as a fraction of the height.

    Parameters
    ----------
    schedule, unlike : str
        Names of schedules; a seed counts if it has both.
    quantity : {"training loss", "test loss", "test accuracy"}

    Examples
    --------
    >>> from lrlib import load_runs
    >>> smooth("linear", "training loss")(load_runs("pilot-laptop"))[:2]
    (1, 'seen again')
    """
    quantity = _known(quantity)

    def rule(evidence: Evidence) -> Finding:
        curves = _curves(evidence, schedule, quantity, fewest=FEWEST_SMOOTH)
        others = _curves(evidence, unlike, quantity, fewest=FEWEST_SMOOTH) if unlike else curves
        for missing in (curves, others):
            if isinstance(missing, Finding):
                return missing
        # Seed by seed: two runs of one seed saw the same batches, so a jag that a batch makes may be in both.
        ours = {seed: max(jags(curves[seed]).values()) for seed in curves.keys() & others.keys()}
        if not ours:
            return Finding(0, CANNOT_BE_TOLD, f"no seed has both {schedule} and {unlike}")
        answers = [jag <= definitions.JAG for jag in ours.values()]
        text = f"largest jag of {schedule} {_range(ours.values())} of the height"
        limit = f"(smooth: up to {definitions.JAG:.0%})"
        if unlike:
            theirs = {seed: max(jags(others[seed]).values()) for seed in ours}
            # "Unlike" claims two things, so where both curves are smooth the sentence is wrong.
            both = all(answers) and max(theirs.values()) <= definitions.JAG
            answers = [ours[seed] <= definitions.JAG < theirs[seed] for seed in ours]
            text += f", of {unlike} {_range(theirs.values())}"
            limit += f"; both are smooth, so {schedule} is not unlike {unlike}" if both else ""
        return Finding(len(ours), _agreed(answers), f"{text} {limit}")

    return rule


def steep(schedule: str, *quantities: str, epochs: tuple[int, int]) -> Rule:
    """Return the rule that curves change steeply from one epoch to another: losses fall, accuracies rise.

    Parameters
    ----------
    schedule, *quantities : str
        As for `smooth`.
    epochs : (int, int)
        First and last, from 1, of the survey's 100; in a run of another length the same fractions of it.

    Examples
    --------
    >>> from lrlib.runs.published import published
    >>> steep("drop", "test loss", epochs=(15, 20))(published().source).verdict
    'cannot be told'
    """
    first, last = epochs

    def look(curve: list[float]) -> tuple[bool, float]:
        fall, average = fall_between(curve, first, last)
        height = max(curve) - min(curve)
        if not height:  # a level curve has pace 0, and a fall of 0 would be PACE times as fast
            return False, 0.0
        # At least a jag too: on a curve that is nearly level, three times its pace is nothing to be seen.
        return fall >= max(definitions.JAG * height, definitions.PACE * average), fall / height

    return _each(schedule, quantities, look, f"{{verb}} by {{}} of its height in epochs {first} to {last}")


def fall_between(curve: Sequence[float], first: int, last: int) -> tuple[float, float]:
    """Return how far a curve falls from epoch `first` to `last`, and how far at its average pace.

    Both of the running median, which passes over a lone spike. The average is that after the start, which is
    steep under every schedule: with it, hardly any later part would be three times as fast.

    Examples
    --------
    >>> fell, average = fall_between([100.0 - e for e in range(100)], 70, 80)  # straight down
    >>> fell, round(average)  # the median has nothing to take beyond the last epoch
    (11.0, 11)
    """
    level, begin = _running_median(list(curve)), _epochs(definitions.START, list(curve))
    # What epoch `first` changed is its value minus that of the epoch before: hence first - 1.
    before, after = (max(0, round(e * len(curve) / definitions.SURVEY_EPOCHS) - 1) for e in (first - 1, last))
    average = (level[begin] - level[-1]) / (len(curve) - 1 - begin) * (after - before)
    return level[before] - level[after], average


def dropping_at_the_end(schedule: str, *quantities: str) -> Rule:
    """Return the rule that curves still drop in the last part of the run; arguments as for `steep`.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> dropping_at_the_end("constant", "training loss")(load_runs("pilot-laptop")).n
    1
    """

    def look(curve: list[float]) -> tuple[bool, float]:
        share = fall_at_the_end(curve)
        return share >= definitions.HAIR, share

    return _each(
        schedule,
        quantities,
        look,
        f"{{verb}} by {{}} of its height at the end (dropping: {definitions.HAIR:.0%})",
    )


def plateau(schedule: str, quantity: str, *, epoch: int) -> Rule:
    """Return the rule that a curve is level from around an epoch on; arguments as for `steep`.

    Examples
    --------
    >>> plateau("poly5", "training loss", epoch=25)([])
    Finding(n=0, verdict='cannot be told', because='no run yet')
    """

    def look(curve: list[float]) -> tuple[bool, float]:
        start = plateau_start(curve, tolerance=definitions.JAG) / len(curve)
        # Both sides count: a curve that is level from epoch 5 on does not level out "after around 25 epochs".
        # 1e-9: the edge belongs to the range, and a difference of fractions may pass it by rounding.
        return abs(start - epoch / definitions.SURVEY_EPOCHS) <= definitions.AROUND + 1e-9, start

    return _each(schedule, [quantity], look, "within reach of its last value from {} of the run on")


def much_faster() -> Rule:
    """Return the rule that some decaying schedule reaches the level of the constant rate much earlier.

    A seed counts if the constant rate and all four decaying schedules of table 1.1 finished it. Seen again:
    one schedule is much faster with every seed. Not seen: none is, with any seed.

    Examples
    --------
    >>> much_faster()([])
    Finding(n=0, verdict='cannot be told', because='no run yet')
    """

    def rule(evidence: Evidence) -> Finding:
        every = {}
        for name in ("constant", *definitions.DECAYING):
            curves = _curves(evidence, name, "test accuracy")
            if isinstance(curves, Finding):
                return curves
            every[name] = {seed: _running_median([-a for a in curve]) for seed, curve in curves.items()}
        # Only seeds that all five have: a schedule with fewer would be judged on easier or harder draws.
        seeds = sorted(set.intersection(*map(set, every.values())))
        if not seeds:
            return Finding(0, CANNOT_BE_TOLD, f"no seed has constant, {', '.join(definitions.DECAYING)}")
        level = {}
        for seed in seeds:
            curve = every["constant"][seed]
            # A median, as the fixed rate keeps shaking: one lucky last epoch would raise the bar for all.
            level[seed] = median(curve[-_epochs(definitions.END, curve) :])
        # Relative to the epoch in which constant itself gets there, which may be long before its last.
        parts = {
            name: [_reach(every[name][s], level[s]) / _reach(every["constant"][s], level[s]) for s in seeds]
            for name in definitions.DECAYING
        }
        answers = {name: [part <= definitions.HALF for part in column] for name, column in parts.items()}
        verdict = CANNOT_BE_TOLD
        if len(seeds) >= definitions.SEEDS:
            # any(all): the sentence asks for "a smart schedule", and it must be the same one with every seed.
            if any(map(all, answers.values())):
                verdict = SEEN
            elif not any(map(any, answers.values())):
                verdict = NOT_SEEN
        shown = ", ".join(f"{name} {_range(column)}" for name, column in parts.items())
        return Finding(len(seeds), verdict, f"of the epochs that constant needs: {shown}")

    return rule


def _known(quantity: str) -> str:
    if quantity not in QUANTITIES:
        raise ValueError(no_such("quantity", quantity, QUANTITIES))
    return quantity


def _curves(
    evidence: Evidence, schedule: str, quantity: str, fewest: int = FEWEST_EPOCHS
) -> dict[int, list[float]] | Finding:
    """Return seed -> curve over the finished runs of a schedule, or the finding that there is none."""
    if isinstance(evidence, Table):
        return LAST_EPOCH_ONLY
    runs = [run for run in evidence if run.label == schedule]
    # A diverged run ends in a loss that is not finite: its curve has no height.
    finished = [run for run in runs if run.status == "finished"]
    if not evidence:
        return NO_RUN
    if not finished:
        gone = f"every run of {schedule} diverged" if runs else f"no run of {schedule} yet"
        return Finding(0, CANNOT_BE_TOLD, gone)
    if min(len(run.epochs) for run in finished) < fewest:
        return Finding(0, CANNOT_BE_TOLD, f"a curve of fewer than {fewest} epochs cannot show this")
    return {run.config.seed: curve_of(run, quantity) for run in finished}


def _each(
    schedule: str,
    quantities: Sequence[str],
    look: Callable[[list[float]], tuple[bool, float]],
    text: str,
) -> Rule:
    """Return the rule that `look` holds for each of the curves of every finished run.

    `look` gets a curve that falls as it gets better, and returns whether the sentence holds and a share that
    `text` shows.
    """
    quantities = [_known(quantity) for quantity in quantities]

    def rule(evidence: Evidence) -> Finding:
        answers: dict[int, bool] = {}
        texts = []
        for quantity in quantities:
            curves = _curves(evidence, schedule, quantity)
            if isinstance(curves, Finding):
                return curves
            sign = -1.0 if quantity.endswith("accuracy") else 1.0
            looks = {seed: look([sign * value for value in curve]) for seed, curve in curves.items()}
            # The sentence names all of these curves, so a seed shows it only if each of its curves does.
            answers = {seed: answers.get(seed, True) and holds for seed, (holds, _) in looks.items()}
            shares = [value for _, value in looks.values()]
            down = sign > 0
            if max(shares) < 0:  # the other way, in every run: "rises by 3 %", not "falls by -3 %"
                shares, down = [-share for share in shares], not down
            texts.append(f"{quantity} {text.format(_range(shares), verb='falls' if down else 'rises')}")
        return Finding(len(answers), _agreed(list(answers.values())), "; ".join(texts))

    return rule


def _agreed(answers: Sequence[bool]) -> str:
    # No majority (definitions, "n"): a chance of one half would pass a vote of five every second time.
    return SEEN if all(answers) else CANNOT_BE_TOLD if any(answers) else NOT_SEEN


def _epochs(fraction: float, curve: Sequence[float]) -> int:
    return max(1, round(fraction * len(curve)))


def _running_median(curve: Sequence[float]) -> list[float]:
    """Return the median of about 5 % of the run around each epoch: 1 epoch of 8, 3 of 30, 5 of 100."""
    # A median and not a mean, which would smear a drop over the window and so make it less steep.
    half = round(definitions.MEDIAN / 2 * len(curve))
    return [median(curve[max(0, i - half) : i + half + 1]) for i in range(len(curve))]


def _reach(curve: Sequence[float], level: float) -> int:
    """Return the first epoch, from 1, that is as low as a level; the last one if none is."""
    return next((epoch for epoch, value in enumerate(curve, 1) if value <= level), len(curve))


def _range(values: Iterable[float]) -> str:
    ordered = sorted(values)
    return " to ".join(dict.fromkeys(f"{value:z.1%}" for value in (ordered[0], ordered[-1])))

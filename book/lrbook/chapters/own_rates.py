"""Each schedule's own peak rate on the digits, chosen by the plan of `studies/modern-digits.toml`.

Written before the first look at that study's records. `studies/fair_digits.py` makes the plan of the race
from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, log10
from statistics import fmean

from lrbook.finding import Records
from lrlib.runs import Run
from lrlib.runs.store import studies
from lrlib.schedules.recipes import RECIPES, in_order

STAGE_A, STAGE_B = "modern-digits", "fair-digits"
#: Stage A, and the rates that its edge rule asks for, at most twice: those that are recorded.
STAGES_A = (STAGE_A, f"{STAGE_A}-edge", f"{STAGE_A}-edge2")
FOLDS = (1, 2, 3, 4, 5)
TIE = 0.01  # a loss within so much of the lowest, as a part of it, ties with it
MOST_STEPS = 2  # half decades that the edge rule may add

SEEDS = range(201, 221)  # of the race

ByFold = dict[str, dict[float, dict[int, float]]]  # schedule -> peak rate -> fold -> held-out loss
HeldOut = dict[str, dict[float, float]]  # schedule -> peak rate -> mean held-out loss


def stage_a(records: Records) -> list[Run]:
    """Return the runs of stage A, with those beyond the edge that are recorded."""
    there = studies()
    return [run for name in STAGES_A if name in there for run in records[name]]


def held_out_loss(run: Run) -> float:
    """Return the loss on the held-out pictures after the last epoch; infinite if the run diverged."""
    return inf if run.status == "diverged" else run.epochs[-1].test_loss


def by_fold(runs: Iterable[Run]) -> ByFold:
    """Return the held-out losses by schedule, peak rate and fold.

    Raises ValueError where a schedule and rate has not each fold once: its mean would be over other pictures.
    """
    found: ByFold = {}
    for run in sorted(runs, key=lambda run: run.config.peak_lr):
        at = found.setdefault(run.label, {}).setdefault(run.config.peak_lr, {})
        if run.config.fold in at:
            raise ValueError(f"runs must have each fold once, got {run.label} at {run.config.peak_lr} twice")
        at[run.config.fold] = held_out_loss(run)
    for label, rates in found.items():
        for rate, folds in rates.items():
            if sorted(folds) != list(FOLDS):
                raise ValueError(f"runs must have the folds 1 to 5, got {sorted(folds)} of {label} at {rate}")
    return {label: found[label] for label in in_order(found)}


def held_out(runs: Iterable[Run]) -> HeldOut:
    """Return the mean held-out loss over the five folds, by schedule and peak rate; see `by_fold`."""
    return {
        label: {rate: fmean(folds.values()) for rate, folds in rates.items()}
        for label, rates in by_fold(runs).items()
    }


def chosen_rate(losses: Mapping[float, float]) -> float:
    """Return the rate with the lowest loss, or the smallest one whose loss is within 1% of the lowest.

    >>> chosen_rate({0.01: 0.2, 0.03: 0.1005, 0.1: 0.1, 0.3: float("inf")})
    0.03
    """
    lowest = min(losses.values())
    if lowest == inf:
        raise ValueError(f"losses must have a finite one, got none at the rates {sorted(losses)}")
    return min(rate for rate, loss in losses.items() if loss <= (1 + TIE) * lowest)


def half_decade(rate: float, steps: int) -> float:
    """Return the rate so many half decades on, of the sequence ... 0.03, 0.1, 0.3, 1, 3, ...

    >>> half_decade(0.03, 1), half_decade(0.001, -1), half_decade(1.0, 2)
    (0.1, 0.0003, 10.0)
    """
    return float(f"{10 ** ((round(2 * log10(rate)) + steps) / 2):.0e}")


def next_rate(losses: Mapping[float, float], grid: Iterable[float]) -> float | None:
    """Return the rate that the edge rule asks for beside those tried, or None.

    The best rate is at an end if the lowest loss or the chosen rate is; both, as a tie at an end says as
    little about what lies beyond. At most two half decades beyond the grid are asked for.

    Parameters
    ----------
    losses : mapping, peak rate -> loss
        Of one schedule: the grid, and what was added before.
    grid : iterable of float
        The rates of the study's plan.
    """
    grid = sorted(grid)
    best = {min(losses, key=lambda rate: (losses[rate], rate)), chosen_rate(losses)}
    for end, planned, step in ((min(losses), grid[0], -1), (max(losses), grid[-1], 1)):
        if end in best and end != half_decade(planned, MOST_STEPS * step):
            return half_decade(end, step)
    return None


def asked_for(losses: HeldOut, grid: Iterable[float]) -> dict[str, float]:
    """Return the next rate of each schedule that the edge rule sends on; empty if the choice is made."""
    grid = list(grid)
    wanted = {label: next_rate(at, grid) for label, at in losses.items()}
    return {label: rate for label, rate in wanted.items() if rate is not None}


def chosen_rates(losses: HeldOut) -> dict[str, float]:
    """Return each schedule's chosen rate."""
    return {label: chosen_rate(at) for label, at in losses.items()}


def at_the_edge(losses: HeldOut) -> list[str]:
    """Return the schedules whose chosen rate is at an end of what was tried."""
    return [label for label, at in losses.items() if chosen_rate(at) in (min(at), max(at))]


def race_plan(losses: HeldOut) -> str:
    """Return the file of stage B: the plan's words, and each schedule's own rate."""
    rates = chosen_rates(losses)
    if list(rates) != list(RECIPES):
        raise ValueError(f"losses must be of the eighteen schedules, got {', '.join(rates)}")
    names = [f'"{label}"' for label in rates]
    listed = "\n".join(f"  {', '.join(names[start : start + 9])}," for start in (0, 9))
    edge = ", ".join(at_the_edge(losses)) or "none"
    seeds = ", ".join(map(str, SEEDS))
    words = RACE.format(edge=edge)
    return f"{words}recipes = [\n{listed}\n]\nseeds = [{seeds}]\n\n[own_peak_lrs]\n{_table(rates)}"


def edge_plan(rates: Mapping[str, float]) -> str:
    """Return the file of the runs that the edge rule asks for: schedule -> the rate to add."""
    names = ", ".join(f'"{label}"' for label in rates)
    folds = "\n".join(f"fold{fold} = {{ fold = {fold} }}" for fold in FOLDS)
    return (
        f"{EDGE}recipes = [{names}]\nseeds = [101]\n\n[own_peak_lrs]\n{_table(rates)}\n[variants]\n{folds}\n"
    )


def _table(rates: Mapping[str, float]) -> str:
    return "".join(f"{label} = {rate!r}\n" for label, rate in rates.items())


RACE = """\
# A fair race on the digits, stage B: eighteen schedules, each at its own peak rate. Made by
# studies/fair_digits.py from the records of stage A (modern-digits) by the rule of that plan, and committed
# before the first of these runs.
#
# Each schedule's rate has the lowest mean held-out loss over five folds of the training pictures. Here all
# 1,000 are trained on, and tested are the 797 test pictures, which stage A did not look at. At the edge of
# the rates tried: {edge}.
#
# Primary: final test accuracy, seventeen schedules against linear, paired by seed: paired t tests, Holm over
# the 17; "as good as" by two one-sided tests with a margin of 1 point, Holm over the 17; Bonferroni
# intervals. No seeds are added after a look.
#
# Predictions: H2 and H3 of modern-digits.toml. H2 is judged by the span of the eighteen means of test
# accuracy here over the span of the eighteen means of held-out accuracy at the common rate 0.1 there.
title = "A fair race of eighteen schedules on the digits, each at its own peak rate"
preset = "digits"
"""

EDGE = """\
# More rates for modern-digits, asked for by the edge rule of its plan: the best rate was at an end of those
# tried. Made by studies/fair_digits.py.
title = "Eighteen schedules over the peak rate: beyond the edge"
preset = "digits"
"""

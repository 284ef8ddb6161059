"""The map of CIFAR-10, judged by its plan, `studies/laptop-map-gpu.toml`: two rules and four predictions."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from scipy.stats import spearmanr

from lrbook.finding import Records
from lrlib.stats import PairedComparison, compare_all
from lrlib.stats.rankings import Chosen, by_peak, leave_one_out

MAP = "laptop-map-gpu"
COMMON = 0.1  # the rate that all share in the survey

#: Prediction 4: orders by training loss, best first, from a worst-case bound. The plan has linear, triangle,
#: cosine and cosine5 within 2 percent at 0.01.
ORDERS = {
    0.01: "constant linear triangle cosine cosine5 drop poly5 time",
    0.03: "linear triangle cosine cosine5 constant drop poly5 time",
    0.1: "linear triangle cosine poly5 drop cosine5 time constant",
    0.3: "time poly5 drop linear triangle cosine cosine5 constant",
}

Accuracies = dict[str, dict[int, float]]  # schedule -> seed -> final test accuracy


def common(records: Records, study: str = MAP) -> Accuracies:
    """Return the accuracies of whole blocks at the common rate."""
    return {name: dict(found[COMMON]) for name, found in by_peak(records.blocks(study)).items()}


def chosen(records: Records, study: str = MAP) -> dict[str, list[Chosen]]:
    """Return, by rule B, each seed's rate, the one that its other seeds find best, and accuracy there."""
    return {name: leave_one_out(found) for name, found in by_peak(records.blocks(study)).items()}


def own(records: Records, study: str = MAP) -> Accuracies:
    """Return the accuracies of rule B."""
    return {
        name: {each.left_out: each.accuracy for each in found}
        for name, found in chosen(records, study).items()
    }


def means(accuracies: Mapping[str, Mapping[int, float]]) -> dict[str, float]:
    """Return each schedule's mean over its seeds."""
    return {name: fmean(seeds.values()) for name, seeds in accuracies.items()}


def span(values: Mapping[str, float]) -> float:
    """Return the largest value minus the smallest."""
    return max(values.values()) - min(values.values())


def comparisons(accuracies: Mapping[str, Mapping[int, float]]) -> dict[str, PairedComparison]:
    """Return each schedule compared with linear decay: paired by seed, Holm over the seven."""
    pairs = [(name, "linear") for name in accuracies if name != "linear"]
    return {each.schedule: each for each in compare_all(accuracies, pairs=pairs)}


def rank_correlations(records: Records) -> dict[float, float]:
    """Return, by peak rate, Spearman's correlation of the predicted order with that of mean training loss."""
    found = {}
    for rate, order in ORDERS.items():
        runs = [run for run in records.blocks(MAP) if run.config.peak_lr == rate and run.final]
        loss = [fmean(run.final.train_loss for run in runs if run.label == name) for name in order.split()]
        found[rate] = float(spearmanr(range(len(loss)), loss).statistic)
    return found


def low_constant(records: Records) -> tuple[float, dict[int, float]]:
    """Return the lowest peak, and the accuracies of the constant rate there."""
    rates = by_peak(records.blocks(MAP))["constant"]
    return min(rates), dict(rates[min(rates)])


def constant_gains(records: Records) -> list[float]:
    """Return, seed by seed, what the constant rate gains at the lowest peak over the common one."""
    _, slow = low_constant(records)
    return [slow[seed] - accuracy for seed, accuracy in common(records)["constant"].items()]


def too_high(records: Records) -> bool:
    """Return whether the common rate is too high for a constant one.

    Each of several constant runs at the lowest peak must end above each at the common one.
    """
    _, slow = low_constant(records)
    return len(slow) > 1 and min(slow.values()) > max(common(records)["constant"].values())


def came_true(records: Records) -> list[bool]:
    """Return which of the plan's four predictions came true, in its order."""
    rates = sorted({run.config.peak_lr for run in records.blocks(MAP)})
    # Places of the own rates on the grid, a seed each.
    place = {name: [rates.index(each.peak_lr) for each in found] for name, found in chosen(records).items()}
    least = place["linear"]

    def at_least(name: str, lower: int) -> bool:
        return all(here >= other - lower for here, other in zip(place[name], least, strict=True))

    return [
        min(constant_gains(records)) > 0.02,
        span(means(own(records))) < span(means(common(records))) / 2,
        set(place["constant"]) == {0}
        and all(at_least(name, 1) for name in place if name != "constant")
        and all(at_least(name, 0) for name in ("time", "poly5")),
        fmean(rank_correlations(records).values()) > 0.5,
    ]

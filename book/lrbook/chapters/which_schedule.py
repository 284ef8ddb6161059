"""What the guide prints: for each situation what the records say about the advice, and how sure that is.

A function that ends in ``_text`` returns Markdown. What is a finding has the decorator, and its claims stand
below its words.
"""

from __future__ import annotations

from statistics import fmean

from lrbook.chapters import fair_race, map_plan, one_bound, own_rates, snapshots
from lrbook.chapters._write import listed
from lrbook.chapters.second_look import looks
from lrbook.finding import (
    Finding,
    Records,
    between,
    comparison,
    count,
    finals,
    finding,
    percent,
    points,
    verdict,
)
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import final_accuracy
from lrlib.theory import WorstCase, worst_case

CIFAR10, BUDGETS, DIGITS, MAP = "survey-laptop", "horizon", "peak-digits", "laptop-map-gpu"
WARM_AND_FALL = {"1cycle", "cosine_floor", "wsd", "wsd_sqrt"}  # a warm-up first, and a low end
NEAR = (0.003, 0.01, 0.03, 0.1)  # rates of the digits at which every schedule learns, a decade and a half


@finding()
def in_short_text(records: Records) -> Finding:
    """Open the page: the path in three lines, with what stands behind them."""
    best = max(SURVEY, key=lambda name: fmean(finals(records.runs(CIFAR10, name))))
    worst = {study: max(lows, key=lows.__getitem__) for study, lows in _lows(records).items()}
    n = len(records.runs(CIFAR10, "linear"))
    by_rate = records.by_rate(MAP)
    ends, grid = [list(found.values()) for found in by_rate.values()], list(by_rate["linear"])
    moved = [max(each) - min(each) for each in ends]
    return Finding(
        """
        > **In short**
        >
        > 1. **If you know when training ends: warm up briefly, then fall in a line to zero, reached at the
        >    last update.** On CIFAR-10 this, the triangle, has the highest accuracy of the survey's
        >    {schedules}, by a lead that {n} seeds cannot tell from luck. Linear decay and cosine are next,
        >    and level.
        > 2. **If you do not know: hold a lower rate, and fall when you stop.** On the digits that is as good
        >    as a line. For large models we only read it.
        > 3. **Whatever you take, tune its peak rate.** Over a factor of {factor} in the rate, accuracy on
        >    CIFAR-10 moves by {least} to {most} points. The schedules, each at its best rate, span {apart}
        >    points. If you cannot tune, take the triangle: at its worst rate it ends highest of the
        >    {schedules}.
        """,
        {
            "schedules": count(len(SURVEY)),
            "n": count(n),
            "factor": f"{max(grid) / min(grid):g}",
            "least": points(min(moved)),
            "most": points(max(moved)),
            "apart": points(max(map(max, ends)) - min(map(max, ends))),
        },
        {
            "holding is as good as a line on the digits": {
                fair_race.comparisons(records)[name].verdict for name in ("wsd", "wsd_sqrt")
            }
            == {"as good as"},
            "the rate moves every schedule by a point or more": min(moved) > 0.01,
            "the triangle is best on CIFAR-10": best == "triangle",
            "its lead over linear is small": 0 < looks(records).all.mean_difference < 0.015,
            "linear is as good as cosine there": verdict(records, "cosine", "linear") == "as good as",
            "they are next, with cosine5": sorted(
                SURVEY, key=lambda name: -fmean(finals(records.runs(CIFAR10, name)))
            )[1:4]
            in ([list(order) for order in _ORDERS]),
            "at its worst rate the triangle ends highest": set(worst.values()) == {"triangle"},
        },
    )


_ORDERS = (
    ("linear", "cosine5", "cosine"),
    ("linear", "cosine", "cosine5"),
    ("cosine", "linear", "cosine5"),
    ("cosine5", "linear", "cosine"),
)


def _lows(records: Records) -> dict[str, dict[str, float]]:
    """Return each schedule's lowest mean accuracy over the rates of a study that one might take."""
    return {
        DIGITS: {name: min(found[rate] for rate in NEAR) for name, found in records.by_rate(DIGITS).items()},
        MAP: {name: min(found.values()) for name, found in records.by_rate(MAP).items()},
    }


def _held_out_lows(records: Records) -> dict[str, float]:
    """Return each of the eighteen's lowest mean held-out accuracy over the same rates of the digits."""
    ends: dict[str, dict[float, list[float]]] = {}
    for run in own_rates.stage_a(records):
        if run.config.peak_lr in NEAR:
            at = ends.setdefault(run.label, {}).setdefault(run.config.peak_lr, [])
            at.append(final_accuracy(run))
    return {name: min(map(fmean, found.values())) for name, found in ends.items()}


@finding(heading="You know when training ends")
def known_end_text(records: Records) -> Finding:
    """Say what decaying to zero is worth, which decays are level, and from which length on."""
    gain = comparison(records, "linear", "constant")
    short = {
        name: fmean(finals(records.runs(BUDGETS, name, epochs=5))) for name in ("linear", "constant", "drop")
    }
    lead = [
        fmean(finals(records.runs(BUDGETS, "linear", epochs=epochs)))
        - fmean(finals(records.runs(BUDGETS, "constant", epochs=epochs)))
        for epochs in (5, 40)
    ]
    tuned = map_plan.comparisons(map_plan.own(records))["constant"]
    shared = map_plan.comparisons(map_plan.common(records))["constant"]
    early, whole = (_linear(steps) for steps in (99, 100))
    return Finding(
        """
        **A line to zero, with or without a brief warm-up; a cosine to zero is as good.** Let zero be reached
        *at* the last update, not one before.

        *Measured, strong:* linear decay gains {gain} points on a constant rate at one shared peak. Cosine is
        as good. *Moderate:* against a constant rate at its own, lower peak it keeps {tuned} of {shared}
        points on a GPU, which {runs} runs of each do not decide. With {short} epochs linear decay ends at
        {linear}, the constant rate at {constant}, drops at {drop}: short runs need the fall most.

        *Proved for convex losses:* [no method has a better worst case](one_bound.ipynb) than linear decay. To
        reach zero one update early costs {early} of it in {steps} updates, and next to nothing in thousands.
        """,
        {
            "gain": between(gain),
            "tuned": points(-tuned.mean_difference),
            "shared": points(-shared.mean_difference),
            "runs": count(tuned.n),
            "short": count(5),
            **{name: percent(value) for name, value in short.items()},
            "early": percent(early.best_value / whole.best_value - 1),
            "steps": 100,
        },
        {
            "linear beats constant": gain.verdict == "better",
            "cosine is as good as linear": verdict(records, "cosine", "linear") == "as good as",
            "against a tuned constant rate less than half is left": 0
            < -tuned.mean_difference
            < -shared.mean_difference / 2,
            "its own peak is lower": max(each.peak_lr for each in map_plan.chosen(records)["constant"])
            < map_plan.COMMON,
            "there it is not decidable": tuned.verdict == "not decidable",
            "its lead is smaller in the longest runs": lead[0] > lead[1] > 0,
            "linear is far ahead when short": short["linear"]
            > short["constant"] + 0.05
            > short["drop"] + 0.05,
            "an update too early costs less than a percent": 0
            < early.best_value / whole.best_value - 1
            < 0.01,
        },
    )


def _linear(steps: int) -> WorstCase:
    return worst_case(lambda t: max(0.0, 1 - t / steps), steps=steps)


@finding(heading="You do not know when training ends")
def unknown_end_text(records: Records) -> Finding:
    """Say how holding the rate and falling at the end compares with linear decay on the digits."""
    found, own = fair_race.comparisons(records), fair_race.own_means(records)
    rates = own_rates.chosen_rates(own_rates.held_out(own_rates.stage_a(records)))
    return Finding(
        """
        **Hold the rate at a lower peak; when you stop, or want to look, let it fall over the last fifth.**

        *Measured, strong on the digits:* with each schedule [at its own rate](fair_race.ipynb), holding and
        falling in a line ends at {wsd}, falling as a root at {sqrt}, linear decay over the whole run at
        {linear} ({n} seeds): as good, within a point. It does so at {part} of linear decay's peak.
        """,
        {
            "wsd": percent(own["wsd"], 2),
            "sqrt": percent(own["wsd_sqrt"], 2),
            "linear": percent(own["linear"], 2),
            "n": found["wsd"].n,
            "part": percent(rates["wsd"] / rates["linear"], 0),
        },
        {
            "both are as good as linear decay": found["wsd"].verdict
            == found["wsd_sqrt"].verdict
            == "as good as",
            "at a lower peak, both alike": rates["wsd"] == rates["wsd_sqrt"] < rates["linear"],
        },
    )


@finding(heading="A small network, minutes of training")
def small_vision_text(records: Records) -> Finding:
    """Say what warm-up adds to linear decay on CIFAR-10, and what restarts do."""
    pair = looks(records).all
    found = records.by_rate(MAP)
    rates = list(found["linear"])
    first = {rate: max(found, key=lambda name: found[name][rate]) for rate in rates}
    return Finding(
        """
        **The triangle**; plain linear decay if you want one number less.

        *Measured, moderate:* the triangle is {gain} points above linear decay, in {n} pairs of runs at
        the survey's peak. On a GPU, in {runs} runs of each, it is first of {schedules} at {ahead} of {rates}
        peak rates; only at {low} is the constant rate ahead of it. Restarts are as good at the end. They pay
        if you must be able to stop early, or can use several networks.
        """,
        {
            "gain": between(pair),
            "n": count(pair.n),
            "runs": count(len(records.whole_seeds(MAP))),
            "schedules": count(len(found)),
            "ahead": count(list(first.values()).count("triangle")),
            "rates": count(len(rates)),
            "low": f"{rates[0]:g}",
        },
        {
            "the second look decides": pair.verdict == "better",
            "on the GPU the triangle is first, but at the lowest rate": list(first.values())
            == ["constant", *["triangle"] * (len(rates) - 1)],
            "several runs of each": len(records.whole_seeds(MAP)) > 1,
            "restarts are as good": verdict(records, "cosine5", "linear") == "as good as",
        },
    )


@finding(heading="You can use several networks")
def several_text(records: Records) -> Finding:
    """Say what averages of networks gain at one budget."""
    found = snapshots.ends()
    return Finding(
        """
        **Train several short runs and average what they answer; or keep the network at each restart of one
        run.**

        *Measured, moderate:* {n} runs of {cycle} epochs on CIFAR-10, averaged, have {short}; {n} networks of
        one run with {n} cosine cycles, {five}; one run of linear decay over all {epochs} epochs, {long}. If
        one network must serve in the end, the mean of the {n} networks' weights has {weights}:
        [snapshots and averages](snapshots.ipynb).
        """,
        {
            "n": count(snapshots.NETWORKS),
            "cycle": count(snapshots.CYCLE),
            "epochs": snapshots.EPOCHS,
            "short": percent(found["five short"]),
            "five": percent(found["five"]),
            "long": percent(found["long"]),
            "weights": percent(found["weights"]),
        },
        {
            "either average beats one long run": min(found["five short"], found["five"])
            > found["long"] + 0.005,
            "so do the mean weights, by less": found["long"] < found["weights"] < found["five"],
        },
    )


@finding(heading="No time to tune")
def untuned_text(records: Records) -> Finding:
    """Say how much each schedule may lose at an unlucky rate."""
    lows = _lows(records)
    order = {study: sorted(each, key=each.__getitem__, reverse=True) for study, each in lows.items()}
    rates = list(records.by_rate(MAP)["linear"])
    folds = _held_out_lows(records)
    better = [name for name in folds if folds[name] > folds["triangle"] + 1e-9]  # a tie is not better
    better.sort(key=folds.__getitem__, reverse=True)
    return Finding(
        """
        **The triangle, at a rate from the literature.**

        *Measured, moderate:* over peak rates from {low} to {high} on the digits, its worst mean accuracy is
        {digits}, linear decay's {digits_linear}, and the {digits_last} schedule's {digits_worst}. On
        CIFAR-10, {map_low} to {map_high}: {map}, {map_linear}, and {map_worst} for the {map_last} one. It is
        the best of the survey's {eight}. Of all eighteen, on held-out digits, {better} came out higher
        ({best} to {least}, and {held} for the triangle): they, too, warm up and then fall.

        *Read:* [schedule-free](https://arxiv.org/abs/2405.15682) methods average the weights instead, and
        need no end date. We did not run them.
        """,
        {
            "low": f"{NEAR[0]:g}",
            "high": f"{NEAR[-1]:g}",
            "digits": percent(lows[DIGITS]["triangle"], 2),
            "digits_linear": percent(lows[DIGITS]["linear"], 2),
            "digits_last": order[DIGITS][-1],
            "digits_worst": percent(min(lows[DIGITS].values())),
            "eight": count(len(SURVEY)),
            "better": listed(better),
            "best": percent(folds[better[0]]),
            "least": percent(folds[better[-1]]),
            "held": percent(folds["triangle"]),
            "map_low": f"{rates[0]:g}",
            "map_high": f"{rates[-1]:g}",
            "map": percent(lows[MAP]["triangle"]),
            "map_linear": percent(lows[MAP]["linear"]),
            "map_worst": percent(min(lows[MAP].values())),
            "map_last": {"time": "time-based"}.get(order[MAP][-1], order[MAP][-1]),
        },
        {
            "the triangle's worst is the best": {each[0] for each in order.values()} == {"triangle"},
            "the constant rate's is the worst, or the worst but one": order[DIGITS][-1] == "constant"
            and set(order[MAP][-2:]) == {"constant", "time"},
            "those that do better on held-out digits warm up and fall": set(better) <= WARM_AND_FALL,
            "three of them": len(better) == 3,
            "by points": all(max(each.values()) - min(each.values()) > 0.02 for each in lows.values()),
        },
    )


@finding(heading="You compare schedules")
def comparing_text(records: Records) -> Finding:
    """Say how much of a ranking is the rate."""
    found = one_bound.digits(records)
    winners = {min(SURVEY, key=lambda name: found.loss[name][rate]) for rate in found.rates}
    common, own = fair_race.common_means(records), fair_race.own_means(records)
    spans = [fair_race.span(each) for each in (common, own)]
    return Finding(
        """
        **Never at one shared rate.** Say each one's rate, and how it was found.

        *Measured, strong on the digits, moderate on CIFAR-10:* over {rates} shared rates, {winners} different
        schedules have the lowest training loss. In [a fair race](fair_race.ipynb) of {schedules} schedules,
        each at its own rate, test accuracies span {after} points; at the shared rate {rate}, on held-out
        images, {before}. On CIFAR-10 [more than half of the span stays](../survey/analysis.ipynb). [The
        bound](one_bound.ipynb) says which rates to try: constant a third of linear decay's, time-based decay
        twice it or more, the others between.
        """,
        {
            "rates": count(len(found.rates)),
            "winners": count(len(winners)),
            "rate": f"{fair_race.COMMON:g}",
            "schedules": len(own),
            "before": points(spans[0]),
            "after": points(spans[1]),
        },
        {
            "the winner changes": len(winners) >= 3,
            "most of the span is the rate": spans[1] < spans[0] / 3,
            "constant wants about a third": abs(
                one_bound.own_rates(records)["constant"] / one_bound.own_rates(records)["linear"] - 1 / 3
            )
            < 0.1,
            "time twice or more": one_bound.own_rates(records)["time"]
            > 2 * one_bound.own_rates(records)["linear"],
        },
    )

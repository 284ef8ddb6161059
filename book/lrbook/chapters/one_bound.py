"""What the chapter on the bound prints: theory beside recorded runs, over the peak rate, and where they part.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, permutations
from math import exp, inf, log
from statistics import fmean, geometric_mean
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import brentq
from scipy.stats import rankdata, spearmanr

from lrbook.chapters import drawn, map_plan, shared
from lrbook.chapters._write import listed
from lrbook.finding import Finding, Records, count, finals, finding, percent, points, rounded
from lrlib.plots.style import note
from lrlib.plots.two_widths import COLOR, INK, NARROW, RULE, WIDE, Label, TwoWidths, label_ends, plain
from lrlib.runs import Run
from lrlib.schedules.recipes import SURVEY
from lrlib.theory import WorstCase, area_and_noise, worst_case

DIGITS, CIFAR10, SHARED = "peak-digits", "survey-laptop", "survey-laptop"
MINUS = "\N{MINUS SIGN}"
MAP, MAP_UNIT = "laptop-map-gpu", 0.055  # the study, and where its plan puts linear decay's best rate
CLEAR = 0.05  # a bound this far from linear decay's, as a part of it, is clearly another
LIVE = 0.003  # the peak rate of the live cell

Losses = Mapping[str, Mapping[float, float]]  # schedule -> peak rate -> training loss at the end


class Chart(NamedTuple):
    """Bounds and training losses of the eight schedules, each by schedule and peak rate."""

    rates: list[float]
    bound: Losses
    loss: Losses


# --- Theory and records -----------------------------------------------------------------------------------


def end_losses(runs: Sequence[Run]) -> list[float]:
    """Return the training losses of the last weights; infinite where a run diverged."""
    return [run.final.train_loss if run.final else inf for run in runs]


def _losses(records: Records, study: str, seeds: Sequence[int] | None = None) -> Losses:
    """Return the mean training losses at the end of a study over peak rates, of some seeds or all."""
    found: dict[str, dict[float, list[Run]]] = {name: {} for name in SURVEY}
    for run in sorted(records.blocks(study), key=lambda run: run.config.peak_lr):
        if seeds is None or run.config.seed in seeds:
            found[run.label].setdefault(run.config.peak_lr, []).append(run)
    return {name: {rate: fmean(end_losses(runs)) for rate, runs in at.items()} for name, at in found.items()}


@functools.cache
def _bounds_of(recipes: tuple, steps: int, per_epoch: int) -> dict[str, WorstCase]:
    return {
        each.label: worst_case(each.build(total_steps=steps, steps_per_epoch=per_epoch), steps=steps)
        for each in recipes
    }


def bounds(records: Records, study: str, names: Iterable[str] = SURVEY) -> dict[str, WorstCase]:
    """Return the bound of each schedule as a study ran it; linear decay must be among them."""
    first = {name: records.runs(study, name)[0].config for name in names}
    any_ = first["linear"]
    recipes = tuple(config.recipe for config in first.values())
    return _bounds_of(recipes, any_.total_steps, any_.steps_per_epoch)


def best_rate(losses: Mapping[float, float]) -> float:
    """Return the vertex of a parabola, log loss over log rate, through the best rate and its neighbors."""
    rates = sorted(losses)
    best = min(range(len(rates)), key=lambda i: losses[rates[i]])
    best = min(max(best, 1), len(rates) - 2)
    near = rates[best - 1 : best + 2]
    a, b, _ = np.polyfit(np.log(near), [log(losses[rate]) for rate in near], 2)
    return exp(-b / (2 * a))


def own_rates(records: Records) -> dict[str, float]:
    """Return the measured best rate of each schedule on the digits: the geometric mean over seeds."""
    seeds = sorted({run.config.seed for run in records[DIGITS]})
    by_seed = [_losses(records, DIGITS, [seed]) for seed in seeds]
    return {name: geometric_mean(best_rate(losses[name]) for losses in by_seed) for name in SURVEY}


def chart(records: Records, study: str, linear_at: float) -> Chart:
    """Return bounds and losses over the peak rate, where linear decay's best rate is put at `linear_at`."""
    found, loss = bounds(records, study), _losses(records, study)
    rates, unit = sorted(loss["linear"]), linear_at / found["linear"].best_peak_lr
    return Chart(
        rates, {name: {rate: found[name].at(rate / unit) for rate in rates} for name in SURVEY}, loss
    )


def digits(records: Records) -> Chart:
    """Return the chart of the digits; its one fitted number is linear decay's own best rate."""
    return chart(records, DIGITS, own_rates(records)["linear"])


def _column(values: Losses, rate: float) -> list[float]:
    return [values[name][rate] for name in SURVEY]


def correlations(found: Chart) -> dict[float, float]:
    """Return for each peak rate the rank correlation of bounds and losses over the eight schedules."""
    return {
        rate: float(spearmanr(_column(found.bound, rate), _column(found.loss, rate)).statistic)
        for rate in found.rates
    }


def clear_signs(found: Chart) -> list[bool]:
    """Return, wherever the bound is clearly above or below linear decay's, whether the loss is too."""
    signs = []
    for name in SURVEY:
        for rate in found.rates:
            over = found.bound[name][rate] / found.bound["linear"][rate]
            if abs(over - 1) > CLEAR:
                signs.append((over > 1) == (found.loss[name][rate] > found.loss["linear"][rate]))
    return signs


def by_chance(found: Chart) -> float:
    """Return the part of all ways to name the schedules anew in which the mean correlation is as high."""
    ranks = [
        np.array([rankdata(_column(values, rate)) for rate in found.rates])
        for values in (found.bound, found.loss)
    ]
    bound, loss = ((each - each.mean(1, keepdims=True)) for each in ranks)
    scale = np.sqrt((bound**2).sum(1) * (loss**2).sum(1))
    orders = np.array(list(permutations(range(len(SURVEY)))))
    means = ((bound[:, orders] * loss[:, None, :]).sum(2) / scale[:, None]).mean(0)
    return float(np.mean(means >= means[0] - 1e-12))  # the first order leaves all names as they are


def crossing(rates: Sequence[float], ratios: Sequence[float]) -> float:
    """Return the first rate at which a ratio rises through 1, on straight lines through the logarithms."""
    points_ = zip(np.log(rates), np.log(ratios), strict=True)
    return next(exp(a - x * (b - a) / (y - x)) for (a, x), (b, y) in pairwise(points_) if x < 0 <= y)


def predicted_crossing(found: Mapping[str, WorstCase], linear_at: float, rates: Sequence[float]) -> float:
    """Return where the bounds of constant and linear decay meet, between first and last of `rates`."""
    unit = linear_at / found["linear"].best_peak_lr

    def gap(log_rate: float) -> float:
        return found["constant"].at(exp(log_rate) / unit) - found["linear"].at(exp(log_rate) / unit)

    return exp(brentq(gap, log(rates[0]), log(rates[-1])))


def out_of_place(found: Chart, rate: float) -> int:
    """Return how many of the eight schedules have another place by training loss than by the bound."""
    bound, loss = (sorted(SURVEY, key=lambda name: each[name][rate]) for each in (found.bound, found.loss))
    return sum(one != other for one, other in zip(bound, loss, strict=True))


# --- Figure 14.1: the two maps ----------------------------------------------------------------------------


def _over_linear(axes: Axes, rates: Sequence[float], values: Losses, *, dots: bool) -> None:
    for name in SURVEY:
        over = [values[name][rate] / values["linear"][rate] for rate in rates]
        axes.plot(rates, over, color=COLOR[name], linewidth=1.8, marker="o" if dots else None, markersize=3)
    axes.set_xscale("log")
    axes.set_yscale("log", subs=())
    axes.axhline(1, color=RULE, linewidth=0.8, zorder=0)


class Place(NamedTuple):
    """Where the name of a line stands: at which rate of the line, and how many points beside it."""

    rate: float
    offset: tuple[float, float]
    ha: str = "center"


def _two_maps(
    found: Chart,
    linear_at: float,
    theory: Mapping[str, WorstCase],
    names: Mapping[str, Place],
    *,
    highest: float,
    alt: str,
) -> TwoWidths:
    """Draw bound and training loss, each over linear decay's, over the peak rate; `names` are of losses."""
    fine = np.geomspace(found.rates[0], found.rates[-1], 60).tolist()
    unit = linear_at / theory["linear"].best_peak_lr
    lines = {name: {rate: theory[name].at(rate / unit) for rate in fine} for name in SURVEY}
    shown = found.rates if len(found.rates) < 6 else found.rates[::2]

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.9) if wide else (NARROW, 7.6))
        panels = figure.subplots(1, 2, sharey=True) if wide else figure.subplots(2, 1, sharex=True)
        _over_linear(panels[0], fine, lines, dots=False)
        _over_linear(panels[1], found.rates, found.loss, dots=True)
        panels[0].set_title("bound, linear decay's = 1")
        panels[1].set_title("training loss, linear decay's = 1")
        for axes in panels:
            axes.set_xticks(shown, [f"{rate:g}" for rate in shown])
            axes.set_ylim(0.16, highest)
            axes.set_yticks([y for y in (0.2, 1, 5, 25, 125) if y < highest])
            plain(axes.yaxis)
            axes.minorticks_off()
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("peak rate")
        for name, (rate, offset, ha) in names.items():
            at = (rate, found.loss[name][rate] / found.loss["linear"][rate])
            note(panels[1], name, at, offset, color=COLOR[name], ha=ha)
        ends = {name: lines[name][fine[-1]] / lines["linear"][fine[-1]] for name in SURVEY}
        label_ends(panels[0], [Label(end, name, COLOR[name]) for name, end in ends.items()])
        return figure

    return TwoWidths(draw, alt=alt)


def map_figure(records: Records | None = None) -> TwoWidths:
    """Draw the bound and the runs on the digits side by side, both over linear decay's."""
    records = Records() if records is None else records
    return _two_maps(
        digits(records),
        own_rates(records)["linear"],
        bounds(records, DIGITS),
        {
            "constant": Place(0.0003, (6, -10), "left"),
            "linear": Place(0.0003, (0, -12)),
            "time": Place(0.01, (-4, -11), "right"),
            "drop": Place(0.03, (0, 6)),
            "poly5": Place(0.3, (5, 1), "left"),
            "cosine5": Place(0.003, (6, 2), "left"),
            "cosine": Place(0.1, (-6, 8), "right"),
            "triangle": Place(0.1, (-4, -12), "right"),
        },
        highest=40,
        alt="Two panels over the peak rate from 0.0001 to 1, both axes logarithmic: the bound and the "
        "measured training loss of eight schedules, divided by linear decay's. In both the constant rate is "
        "lowest at low rates and crosses linear decay near 0.007, and time-based decay goes the other way, "
        "with power 5 and drops beside it. Triangle and cosine stay near linear decay. Measured lines are "
        "steeper in the middle and come together at the right end.",
    )


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check them at length."""
    found = digits(records)
    fits = correlations(found)
    lowest = [min(SURVEY, key=lambda name: found.loss[name][rate]) for rate in found.rates]
    highest = [max(SURVEY, key=lambda name: found.loss[name][rate]) for rate in found.rates]
    beforehand = correlations(chart(records, MAP, MAP_UNIT))
    return Finding(
        """
        > **What we found**
        >
        > 1. **The peak rate decides which schedule wins.** Of {rates} peak rates on the digits, the constant
        >    rate has the lowest training loss at {first}, and the highest at {last}.
        > 2. **One bound of convex optimization draws that map.** With a single fitted number it predicts
        >    the order of the {schedules} schedules at each rate. The rank correlation with the measured order
        >    is {fit} on average; 1 would be the same order. We had seen these runs before.
        > 3. **Written down beforehand, it held on CIFAR-10, but for the highest rate.** Rank correlations
        >    {before}, with {runs} runs in each cell. The bound knows no curvature, and so no warm-up.
        """,
        {
            "rates": count(len(found.rates)),
            "schedules": count(len(SURVEY)),
            "first": count(lowest.count("constant")),
            "last": count(highest.count("constant")),
            "fit": rounded(fmean(fits.values()), 2),
            "before": listed(rounded(fit, 2).replace("-", MINUS) for fit in beforehand.values()),
            "runs": count(len(records.whole_seeds(MAP))),
        },
        {
            "constant is first at low rates": lowest[:4] == ["constant"] * 4,
            "and last at some": "constant" in highest,
            "the mean correlation is high": fmean(fits.values()) > 0.7,
            "on CIFAR-10 it fits at all rates but the highest": min(list(beforehand.values())[:-1]) > 0.7
            and abs(list(beforehand.values())[-1]) < 0.3,
            "several runs in each cell": len(records.whole_seeds(MAP)) > 1,
        },
    )


@finding()
def answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction from the recorded runs."""
    found = digits(records)
    low, high = 0.001, 0.1
    order = {rate: sorted(SURVEY, key=lambda name: found.loss[name][rate]) for rate in (low, high)}
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        At {low} the constant rate, with {low_loss} where linear decay has {low_line}. At {high} the {first},
        with linear decay in place {place} and the constant rate in place {last} of {schedules}.

        </details>
        """,
        {
            "low": f"{low:g}",
            "low_loss": rounded(found.loss["constant"][low], 3),
            "low_line": rounded(found.loss["linear"][low], 3),
            "high": f"{high:g}",
            "first": order[high][0],
            "place": count(order[high].index("linear") + 1),
            "last": count(order[high].index("constant") + 1),
            "schedules": count(len(SURVEY)),
        },
        {
            "constant is first at the low rate": order[low][0] == "constant",
            "the triangle at the high one": order[high][0] == "triangle",
            "constant is in the lower half there": order[high].index("constant") >= 4,
        },
    )


# --- The bound --------------------------------------------------------------------------------------------


@finding(heading="A schedule is two numbers")
def two_numbers_text(records: Records) -> Finding:
    """Say what area and noise decide, with the schedules as the digits ran them."""
    config = {name: records.runs(DIGITS, name)[0].config for name in SURVEY}
    parts = {name: area_and_noise(each.schedule(), steps=each.total_steps) for name, each in config.items()}
    area, noise = ({name: getattr(each, what) for name, each in parts.items()} for what in ("area", "noise"))
    found = digits(records)
    lowest, highest = found.rates[0], found.rates[-2]
    same = [found.loss[name][lowest] for name in ("linear", "triangle", "cosine", "cosine5")]
    return Finding(
        """
        At low rates the first part of the bound is the larger, and only the **area** counts, the mean factor.
        It is {constant} for the constant rate, {linear} for linear decay, triangle and cosine alike, {drop}
        for drops, {poly5} for power 5, and {time} for time-based decay. That is their order at {lowest}, and
        those with the same area end within {apart} of each other.

        At high rates the second part decides, the **noise**. A step near the end, with nothing after it that
        could mend it, costs most. Time-based decay has the least noise ({time_noise}; linear decay
        {linear_noise}), the constant rate the most ({constant_noise}). Their order at {highest} is the other
        way around.
        """,
        {
            **{name: rounded(area[name], 2) for name in ("constant", "linear", "drop", "poly5", "time")},
            "lowest": f"{lowest:g}",
            "apart": percent(max(same) / min(same) - 1, 1),
            **{f"{name}_noise": rounded(noise[name], 2) for name in ("time", "linear", "constant")},
            "highest": f"{highest:g}",
        },
        {
            "the order at the lowest rate is that of the areas, but for equal ones": [
                name
                for name in sorted(SURVEY, key=lambda name: found.loss[name][lowest])
                if name in ("constant", "linear", "drop", "poly5", "time")
            ]
            == sorted(("constant", "linear", "drop", "poly5", "time"), key=lambda name: -area[name]),
            "four have the same area": max(
                abs(area[name] - area["linear"]) for name in ("triangle", "cosine")
            )
            < 0.01,
            "and end within two percent": max(same) / min(same) < 1.02,
            "time has the least noise, constant the most": min(noise, key=noise.__getitem__) == "time"
            and max(noise, key=noise.__getitem__) == "constant",
            "at the high rate time is first and constant last": sorted(
                SURVEY, key=lambda name: found.loss[name][highest]
            )[:: len(SURVEY) - 1]
            == ["time", "constant"],
        },
    )


@finding(heading="On the digits, one fitted number gives the order at nine rates")
def order_text(records: Records) -> Finding:
    """Say how well the bound orders the schedules at each rate, and by how much chance would."""
    found = digits(records)
    fits, signs = correlations(found), clear_signs(found)
    tuned = bounds(records, DIGITS)
    fixed = [
        float(spearmanr([tuned[name].best_value for name in SURVEY], _column(found.loss, rate)).statistic)
        for rate in found.rates
    ]
    worst = min(fits, key=fits.__getitem__)
    predicted = predicted_crossing(tuned, own_rates(records)["linear"], found.rates)
    ratios = [found.loss["constant"][rate] / found.loss["linear"][rate] for rate in found.rates]
    crossed = crossing(found.rates, ratios)
    off = [
        fmean(correlations(chart(records, DIGITS, scale * own_rates(records)["linear"])).values())
        for scale in (0.5, 2)
    ]
    chance = by_chance(found)
    return Finding(
        """
        The bound's unit is not known for a network. We set it by one number: linear decay's own best rate,
        {linear}, is put where the bound has it. All else follows. The rank correlation with the measured
        order is {least} at {worst} and {next} or more elsewhere, {mean} on average. Of all ways to
        shuffle the schedules' names, {chance} do as well. One fixed order for all rates, that of each
        schedule at its best, has {fixed}. With the unit too small or too large by a factor of {factor} the
        mean is {half} or {twice}.

        Constant and linear cross at a peak of {predicted} in theory, and at {crossed} in the runs. Where the
        bound puts a schedule more than {clear} off linear decay, it has the right sign in {right} of {of}
        cells.

        *How sure?* {seeds} seeds, one network, and runs that we knew. The schedules are few, and linear
        decay, triangle and cosine are nearly one at low rates.
        """,
        {
            "linear": rounded(own_rates(records)["linear"], 4),
            "least": rounded(fits[worst], 2),
            "worst": f"{worst:g}",
            "next": rounded(min(fit for rate, fit in fits.items() if rate != worst), 2),
            "mean": rounded(fmean(fits.values()), 2),
            "chance": percent(chance, 2),
            "fixed": rounded(fmean(fixed), 2),
            "factor": count(2),
            "half": rounded(off[0], 2),
            "twice": rounded(off[1], 2),
            "predicted": rounded(predicted, 4),
            "crossed": rounded(crossed, 4),
            "clear": percent(CLEAR, 0),
            "right": sum(signs),
            "of": len(signs),
            "seeds": count(len({run.config.seed for run in records[DIGITS]})).capitalize(),
        },
        {
            "at all rates but one the orders agree well": sorted(fits.values())[1] > 0.65,
            "on average too": fmean(fits.values()) > 0.7,
            "chance does not": chance < 0.01,
            "a fixed order is far worse": fmean(fixed) < fmean(fits.values()) / 2,
            "the unit hardly matters": max(abs(each - fmean(fits.values())) for each in off) < 0.1,
            "the crossing is right within a third": 2 / 3 < crossed / predicted < 3 / 2,
            "nine in ten signs are right": sum(signs) > 0.9 * len(signs),
        },
    )


# --- Figure 14.2: best rates ------------------------------------------------------------------------------


def _relative(records: Records) -> tuple[dict[str, float], dict[str, float]]:
    """Return the best rates by the bound and as measured on the digits, over linear decay's."""
    theory = {name: each.best_peak_lr for name, each in bounds(records, DIGITS).items()}
    ours = own_rates(records)
    return (
        {name: theory[name] / theory["linear"] for name in SURVEY},
        {name: ours[name] / ours["linear"] for name in SURVEY},
    )


def best_rates_figure(records: Records | None = None) -> TwoWidths:
    """Draw each schedule's measured best rate over the bound's, both in units of linear decay's."""
    theory, ours = _relative(Records() if records is None else records)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(0.62 * WIDE, 3.9) if wide else (NARROW, 4.2))
        axes = figure.subplots()
        axes.plot([0.2, 4], [0.2, 4], color=RULE, linewidth=1.2, zorder=0)
        offsets = {"triangle": (-7, 2), "cosine": (7, -9), "cosine5": (-7, -3), "linear": (7, 4)}
        for name in SURVEY:
            axes.plot(theory[name], ours[name], "o", color=COLOR[name], markersize=6)
            side = offsets.get(name, (7, -4))
            note(
                axes,
                name,
                (theory[name], ours[name]),
                side,
                color=COLOR[name],
                ha="right" if side[0] < 0 else "left",
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis, limits in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
            limits(0.22, 4.6)
            axis.set_ticks([0.25, 0.5, 1, 2, 4])
            plain(axis)
        axes.minorticks_off()
        axes.set_xlabel("best rate by the bound, linear = 1")
        axes.set_title("measured best rate, linear = 1")
        note(axes, "theory = records", (3.2, 3.2), (-2, 12), color=INK, ha="right", fontsize=9)
        return figure

    return TwoWidths(
        draw,
        alt="Eight dots, one for each schedule: the best peak rate measured on the digits over that of the "
        "bound, both in units of linear decay's, on logarithmic axes. They rise along the diagonal from the "
        "constant rate at about a third to time-based decay above two. Drop-based decay lies well below it.",
    )


@finding(heading="Each schedule has its own best rate, and the bound knows all but one")
def best_rates_text(records: Records) -> Finding:
    """Say how far measured best rates follow the bound's, and which does not."""
    theory, ours = _relative(records)
    fit = float(spearmanr(list(theory.values()), list(ours.values())).statistic)
    off = {name: max(theory[name] / ours[name], ours[name] / theory[name]) for name in SURVEY}
    worst = max(off, key=off.__getitem__)
    ranges = [max(each.values()) / min(each.values()) for each in (theory, ours)]
    return Finding(
        """
        In a long run the best rate of a schedule is $1/\\sqrt{{\\text{{area}} \\cdot \\text{{noise}}}}$, up
        to the unit. The bound says that the constant rate wants {constant} of linear decay's peak, and
        time-based decay {time} times it. Measured: {constant_ours} and {time_ours}. All span a factor
        of {span} in theory and {span_ours} in the runs; rank correlation {fit}. Only {worst} is far off,
        {theory} in theory and {ours} in the runs; the others are within a factor of {within}.

        A rate too large or too small by a factor of 3 costs the bound {three} times its best value, whatever
        the schedule. Half decades are close enough together: the worst place between neighbors costs {half}.
        """,
        {
            "constant": rounded(theory["constant"], 2),
            "time": rounded(theory["time"], 1),
            "constant_ours": rounded(ours["constant"], 2),
            "time_ours": rounded(ours["time"], 1),
            "span": rounded(ranges[0], 1),
            "span_ours": rounded(ranges[1], 1),
            "fit": rounded(fit, 2),
            "worst": worst,
            "theory": rounded(theory[worst], 2),
            "ours": rounded(ours[worst], 2),
            "within": rounded(sorted(off.values())[-2], 2),
            "three": rounded((3 + 1 / 3) / 2, 2),
            "half": percent((10**0.25 + 10**-0.25) / 2 - 1, 0),
        },
        {
            "the orders agree": fit > 0.85,
            "drop is the one that is off": worst == "drop" and off[worst] > 1.6,
            "the others are within a factor of one and a half": sorted(off.values())[-2] < 1.5,
            "constant wants the lowest, time the highest": min(ours, key=ours.__getitem__) == "constant"
            and max(ours, key=ours.__getitem__) == "time",
        },
    )


# --- Figure 14.3: CIFAR-10, predicted ---------------------------------------------------------------------


def cifar10_figure(records: Records | None = None) -> TwoWidths:
    """Draw the bound and the runs on CIFAR-10 side by side, both over linear decay's."""
    records = Records() if records is None else records
    return _two_maps(
        chart(records, MAP, MAP_UNIT),
        MAP_UNIT,
        bounds(records, MAP),
        {
            "constant": Place(0.1, (0, -15)),
            "drop": Place(0.1, (0, 6)),
            "poly5": Place(0.01, (4, 3), "left"),
            "time": Place(0.1, (0, -14)),
            "cosine5": Place(0.03, (0, -14)),
            "cosine": Place(0.03, (0, 5)),
            "linear": Place(0.1, (0, -12)),
            "triangle": Place(0.3, (-6, -8), "right"),
        },
        highest=900,
        alt="Two panels over the peak rate from 0.01 to 0.3: the bound and the measured training loss of "
        "eight schedules on CIFAR-10, divided by linear decay's, on logarithmic axes. In both the constant "
        "rate rises from below linear decay to far above it, and time-based decay falls. Measured losses of "
        "drops, time-based decay and power 5 stay far above linear decay at all four rates; the triangle "
        "ends below it.",
    )


@finding(heading="On CIFAR-10 the orders were written down first: good at three of four rates")
def cifar10_text(records: Records) -> Finding:
    """Say how the predictions of the map's plan fared."""
    found = chart(records, MAP, MAP_UNIT)
    fits = correlations(found)
    *_, highest = found.rates
    best = min(SURVEY, key=lambda name: found.loss[name][highest])
    first = min(SURVEY, key=lambda name: found.bound[name][highest])
    ratios = [found.loss["constant"][rate] / found.loss["linear"][rate] for rate in found.rates]
    predicted = predicted_crossing(bounds(records, MAP), MAP_UNIT, found.rates)
    wrong = [out_of_place(found, rate) for rate in found.rates]
    return Finding(
        """
        A good fit to runs that one knows is cheap. So for CIFAR-10 the orders at {n} rates were committed
        before the first run (`studies/laptop-map-gpu.toml`), with the prediction that the mean of the rank
        correlations is above a half. It is {mean}: {each}. No order came true to the last place: of the
        {eight} schedules, {wrong} have another place. Constant and linear cross at a peak of {predicted} in
        theory, and at {crossed} in the runs.

        At {highest} it fails. The bound has {first} first there, since its rate falls soonest, and finds
        such a peak far too high for linear decay. The network does not: nothing blows up, and the {best},
        which warms up, has the lowest loss.

        *How sure?* {seeds} runs in each cell, as the plan asks. The runs were new, the data were not: the
        unit comes from linear decay on a CPU, and at {common} we had seen all schedules there. What became
        of the plan's other predictions stands [with the map](../survey/analysis.ipynb).
        """,
        {
            "n": count(len(found.rates)),
            "mean": rounded(fmean(fits.values()), 2),
            "each": ", ".join(
                f"{rounded(fit, 2).replace('-', MINUS)} at {rate:g}" for rate, fit in fits.items()
            ),
            "eight": count(len(SURVEY)),
            "wrong": listed(count(each) for each in wrong),
            "predicted": rounded(predicted, 3),
            "crossed": rounded(crossing(found.rates, ratios), 3),
            "common": f"{map_plan.COMMON:g}",
            "highest": f"{highest:g}",
            "first": {"time": "time-based decay"}.get(first, first),
            "best": best,
            "seeds": count(len(records.whole_seeds(MAP))).capitalize(),
        },
        {
            "the mean is above a half, as predicted": fmean(fits.values()) > 0.5,
            "three fit": sorted(fits.values())[1] > 0.7,
            "none of them to the last place": min(wrong) > 0,
            "the crossing is right within a factor of two": 1 / 2
            < predicted / crossing(found.rates, ratios)
            < 2,
            "the highest rate does not": abs(fits[highest]) < 0.3,
            "the bound has time first there": first == "time",
            "the triangle is first there": best == "triangle",
            "nothing blows up": max(_column(found.loss, highest)) < 1,
            "constant crosses linear": ratios[0] < 1 < ratios[1],
            "three runs in each cell": len(records.whole_seeds(MAP)) == 3,
        },
    )


# --- Where it fails ---------------------------------------------------------------------------------------


@finding(heading="Where it fails: warm-up, restarts, and the edge of stability")
def fails_text(records: Records) -> Finding:
    """Say what the bound charges for warm-up and restarts, and what the runs say."""
    tuned, found = bounds(records, DIGITS), digits(records)
    charge = tuned["triangle"].best_value / tuned["linear"].best_value - 1
    restarts = tuned["cosine5"].best_value / tuned["cosine"].best_value - 1
    high = 0.1
    gain = found.loss["linear"][high] / found.loss["triangle"][high]
    runs = {name: records.runs(CIFAR10, name) for name in ("linear", "triangle", "cosine", "cosine5")}
    loss = {name: fmean(end_losses(each)) for name, each in runs.items()}
    accuracy = {name: fmean(finals(each)) for name, each in runs.items()}
    fits = correlations(found)
    beyond = found.rates[found.rates.index(high) + 1]
    at_edge, lost = (
        finals(run for run in records[DIGITS] if run.config.peak_lr == rate) for rate in (high, beyond)
    )
    return Finding(
        """
        **Warm-up.** At its best rate the triangle is charged {triangle} over linear decay: its small first
        steps are lost. The runs credit it instead, with a {gain} times lower training loss at {high} on the
        digits, and {points} points of accuracy on CIFAR-10 (not decidable there). The bound has no curvature,
        and a network at its start [has much](../survey/triangle.ipynb).

        **Restarts.** Cosine with {cycles} cycles is charged {cosine5} over one cosine. The training loss
        agrees: {times} times as high on CIFAR-10. Test accuracy does not: {five} against {one}.

        **The edge.** The rank correlation is lowest on the digits at {high}, {edge}. That is the last rate
        before training fails: at {next}, {lost} of {runs} runs get most answers wrong. Near the edge of
        stability, orders are made by who is thrown off it, and the bound does not know where it is.
        """,
        {
            "triangle": percent(charge, 1),
            "gain": rounded(gain, 1),
            "high": f"{high:g}",
            "points": points(accuracy["triangle"] - accuracy["linear"]),
            "cycles": count(runs["cosine5"][0].config.recipe.cycles),
            "cosine5": percent(restarts, 0),
            "times": rounded(loss["cosine5"] / loss["cosine"], 1),
            "five": percent(accuracy["cosine5"]),
            "one": percent(accuracy["cosine"]),
            "edge": rounded(fits[high], 2),
            "next": f"{beyond:g}",
            "lost": sum(end < 0.5 for end in lost),
            "runs": len(lost),
        },
        {
            "the triangle is charged a few percent at most": 0 < charge < 0.05,
            "and has a lower loss": gain > 1.2,
            "and no lower accuracy on CIFAR-10": accuracy["triangle"] > accuracy["linear"],
            "restarts are charged a fifth or more": restarts > 0.2,
            "their training loss is several times higher": loss["cosine5"] > 3 * loss["cosine"],
            "their accuracy is the same": abs(accuracy["cosine5"] - accuracy["cosine"]) < 0.003,
            "beyond the edge half of the runs or more fail, before it none": sum(end < 0.5 for end in lost)
            >= len(lost) / 2
            and min(at_edge) > 0.5,
            "the fit is worst at the edge": min(fits, key=fits.__getitem__) == high and fits[high] < 0.5,
        },
    )


# --- Figure 14.4: the reader's own two runs ---------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw two runs that were just trained, thick, over the recorded ones of the same setting, thin."""
    return drawn.live_figure(
        mine,
        records,
        studies=[DIGITS, CIFAR10],
        alt="Your two runs at a low peak rate, constant in gray and linear decay in blue, thick, over "
        "recorded runs of each, thin. The constant rate's training loss is the lower one from the middle on.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of the usual digits, what the recorded ones did."""
    return shared.live_ends(mine, low_rate_text, records, usual=("digits", 8, LIVE))


@finding()
def low_rate_text(records: Records) -> Finding:
    """Say what constant and linear do on the digits at the live cell's low rate."""
    loss = {name: end_losses(records.runs(DIGITS, name, peak_lr=LIVE)) for name in ("constant", "linear")}
    found = digits(records)
    return Finding(
        """
        In our recorded runs, {n} of each at this rate, the constant rate ends at a training loss of
        {constant} and linear decay at {linear}; the bound says {ratio} times, the runs {measured}.
        """,
        {
            "n": count(len(loss["linear"])),
            "constant": rounded(fmean(loss["constant"]), 4),
            "linear": rounded(fmean(loss["linear"]), 4),
            "ratio": rounded(found.bound["constant"][LIVE] / found.bound["linear"][LIVE], 2),
            "measured": rounded(found.loss["constant"][LIVE] / found.loss["linear"][LIVE], 2),
        },
        {
            "every constant run is lower": max(loss["constant"]) < min(loss["linear"]),
            "the bound says so too": found.bound["constant"][LIVE] < found.bound["linear"][LIVE],
        },
    )

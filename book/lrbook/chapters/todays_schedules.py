"""What the chapter on today's schedules prints: ten shapes, and eighteen schedules over the peak rate.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words. Predictions are those of
``studies/modern-digits.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations, pairwise
from math import isfinite
from statistics import fmean, median

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from lrbook.chapters import drawn, one_bound, own_rates, shared
from lrbook.chapters._write import listed
from lrbook.finding import Finding, Records, count, finals, finding, percent, rounded
from lrlib.plots.two_widths import COLOR, GRAY, INK, NARROW, RULE, WIDE, TwoWidths, plain
from lrlib.runs import Run
from lrlib.schedules.modern import MODERN
from lrlib.schedules.recipes import RECIPES
from lrlib.stats import interval
from lrlib.theory import WorstCase

LINEAR_AT = 0.0204  # where the plan puts linear decay's best rate: that of peak-digits
WARMED = ("triangle", "1cycle", "noam", "step", "cosine_floor", "wsd", "wsd_sqrt")  # they warm up
LOW = ("wsd", "wsd_sqrt", "clr")  # H1 says that they want a lower peak than linear decay
LINEAR, WARM = COLOR["linear"], COLOR["triangle"]
STEPS = 1000  # of the drawn shapes
SHARED, HIGH, FAILED = 0.1, 0.3, 0.5  # the survey's rate; a rate that few bear; an accuracy
ASKED = 0.6  # H1's rank correlation
NEAR = 0.5  # a loss within so much of the lowest, as a part of it, is on the floor of the bowl


def _bounds(records: Records) -> tuple[dict[str, WorstCase], float]:
    """Return the bound of each schedule, and the plan's unit: what a peak rate of 1 is on the digits."""
    found = one_bound.bounds(records, own_rates.STAGE_A, RECIPES)
    return found, LINEAR_AT / found["linear"].best_peak_lr


def predicted(records: Records) -> dict[str, float]:
    """Return the bound's best peak rate of each schedule, in the plan's unit."""
    found, unit = _bounds(records)
    return {name: unit * each.best_peak_lr for name, each in found.items()}


def _best(losses: Mapping[float, float]) -> float:
    """Return the vertex of a parabola around the lowest loss; at an end of what was tried, that rate."""
    losses = {rate: loss for rate, loss in losses.items() if isfinite(loss)}
    lowest = min(losses, key=losses.__getitem__)
    at_an_end = lowest in (min(losses), max(losses))
    return lowest if at_an_end else one_bound.best_rate(losses)


def measured(records: Records) -> dict[str, float]:
    """Return the measured best peak rate of each schedule: a parabola through the mean held-out losses."""
    return {name: _best(at) for name, at in own_rates.held_out(own_rates.stage_a(records)).items()}


def measured_in_folds(records: Records) -> dict[str, list[float]]:
    """Return the same for each of the five folds by itself."""
    found = own_rates.by_fold(own_rates.stage_a(records))
    return {
        name: [_best({rate: folds[fold] for rate, folds in at.items()}) for fold in own_rates.FOLDS]
        for name, at in found.items()
    }


def on_training_loss(records: Records) -> dict[str, float]:
    """Return the best peak rates by the mean training loss of the last weights, which no prediction names."""
    found: dict[str, dict[float, list[Run]]] = {name: {} for name in RECIPES}
    for run in sorted(own_rates.stage_a(records), key=lambda run: run.config.peak_lr):
        found[run.label].setdefault(run.config.peak_lr, []).append(run)
    return {
        name: _best({rate: fmean(one_bound.end_losses(runs)) for rate, runs in at.items()})
        for name, at in found.items()
    }


def agreement(theory: Mapping[str, float], ours: Mapping[str, float], names: Iterable[str] = MODERN) -> float:
    """Return the rank correlation of predicted and measured best rates over some schedules."""
    names = list(names)
    return float(spearmanr([theory[name] for name in names], [ours[name] for name in names]).statistic)


def ratios(records: Records) -> dict[str, float]:
    """Return measured over predicted best rate of each schedule."""
    theory, ours = predicted(records), measured(records)
    return {name: ours[name] / theory[name] for name in RECIPES}


def off(ratio: Mapping[str, float]) -> tuple[float, float]:
    """Return the medians of `ratios`: of the schedules that warm up, and of the others."""
    return (
        median(ratio[name] for name in WARMED),
        median(ratio[name] for name in RECIPES if name not in WARMED),
    )


def came_true(records: Records) -> dict[str, bool]:
    """Return each prediction of H1 and H4, in short, and whether it came true."""
    theory, ours = predicted(records), measured(records)
    warmed, others = off(ratios(records))
    return {
        "the best rates of the ten correlate": agreement(theory, ours) >= ASKED,
        "exponential's is the highest": max(MODERN, key=ours.__getitem__) == "exponential",
        "those of wsd, wsd_sqrt and clr are below linear decay's": max(ours[name] for name in LOW)
        < ours["linear"],
        "schedules with a warm-up bear more": warmed > others,
    }


# --- Figure 17.1: the ten shapes --------------------------------------------------------------------------


def shapes_figure() -> TwoWidths:
    """Draw the ten shapes as factors over a run, a panel for each."""
    at = np.arange(STEPS)
    shapes = {
        name: recipe.build(total_steps=STEPS, steps_per_epoch=STEPS // 10) for name, recipe in MODERN.items()
    }
    values = {name: [shape(int(t)) for t in at] for name, shape in shapes.items()}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.5) if wide else (NARROW, 6.6))
        grid = figure.subplots(*((2, 5) if wide else (5, 2)), sharex=True, sharey=True)
        for axes, (name, factors) in zip(grid.ravel(), values.items(), strict=True):
            axes.plot([0, 1], [1, 0], color=LINEAR, linewidth=0.9)
            axes.plot(at / STEPS, factors, color=INK, linewidth=1.8)
            axes.set_title(name)
            axes.set_ylim(0, 1.05)
            axes.set_yticks([0, 0.5, 1])
            axes.set_xticks([0, 0.5, 1])
            for axis in (axes.xaxis, axes.yaxis):
                plain(axis)
        for axes in grid[-1]:
            axes.set_xlabel("part of the run")
        return figure

    return TwoWidths(
        draw,
        alt="Ten panels, the factor on the peak rate over a run, linear decay thin in blue in each. "
        "Exponential falls at once; noam rises for a tenth of the run and falls slowly to a third; step "
        "falls twice, to a tenth each time; cosine_floor ends at a tenth; 1cycle rises for three tenths and "
        "falls to zero; "
        "sgdr starts again twice, in longer and longer cycles; clr zigzags five times; wsd and wsd_sqrt stay "
        "at the peak and fall over the last fifth; rex bends above linear decay.",
    )


# --- Figure 17.2: eighteen schedules over the peak rate ---------------------------------------------------


def map_figure(records: Records | None = None) -> TwoWidths:
    """Draw the held-out loss of each schedule over the peak rate, with the bound's best rate marked."""
    records = Records() if records is None else records
    losses, theory = own_rates.held_out(own_rates.stage_a(records)), predicted(records)

    def line(axes: Axes, name: str, **how) -> None:
        at = {rate: loss for rate, loss in losses[name].items() if isfinite(loss)}
        axes.plot(list(at), list(at.values()), **how)

    def draw(wide: bool) -> Figure:
        rows, columns = (3, 6) if wide else (6, 3)
        figure = Figure(figsize=(WIDE, 5.0) if wide else (NARROW, 8.6))
        grid = figure.subplots(rows, columns, sharex=True, sharey=True)
        for axes, name in zip(grid.ravel(), losses, strict=True):
            line(axes, "linear", color=LINEAR, linewidth=0.9)
            line(axes, name, color=INK, linewidth=1.6, marker="o", markersize=3)
            axes.axvline(theory[name], color=GRAY, linewidth=0.9, linestyle=":")
            axes.set_title(name, color=WARM if name in WARMED else INK)
            axes.set_xscale("log")
            axes.set_yscale("log", subs=())
            axes.set_xlim(0.0006, 1.7)
            axes.set_ylim(0.025, 4)
            axes.set_xticks([0.001, 0.03, 1] if wide else [0.01, 1])
            axes.set_yticks([0.1, 1])
            for axis in (axes.xaxis, axes.yaxis):
                plain(axis)
            axes.minorticks_off()
        for axes in grid[-1]:
            axes.set_xlabel("peak rate")
        return figure

    return TwoWidths(
        draw,
        alt="Eighteen panels, one for each schedule: held-out loss on the digits over peak rates from 0.001 "
        "to 1, both axes logarithmic, linear decay thin in blue in each. All are bowls with a broad floor. "
        "A dotted line at the rate that the bound calls best lies on the floor of most.",
    )


# --- Figure 17.3: best rates ------------------------------------------------------------------------------


def best_rates_figure(records: Records | None = None) -> TwoWidths:
    """Draw the predicted and the measured best rate of each schedule, sorted by the predicted one."""
    records = Records() if records is None else records
    theory, ours, folds = predicted(records), measured(records), measured_in_folds(records)
    names = sorted(theory, key=theory.__getitem__, reverse=True)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(0.8 * WIDE, 4.9) if wide else (NARROW, 5.2))
        axes = figure.subplots()
        for row, name in enumerate(names):
            color = WARM if name in WARMED else INK
            axes.plot([min(folds[name]), max(folds[name])], [row, row], color=color, linewidth=1)
            axes.plot(theory[name], row, "o", color=GRAY, markerfacecolor="none", markersize=7)
            axes.plot(ours[name], row, "o", color=color, markersize=6)
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(axis="y", length=0)
        for label, name in zip(axes.get_yticklabels(), names, strict=True):
            label.set_color(WARM if name in WARMED else INK)
        axes.set_xscale("log")
        axes.set_xticks([0.003, 0.01, 0.03, 0.1])
        plain(axes.xaxis)
        axes.minorticks_off()
        axes.grid(axis="x", color=RULE, linewidth=0.6)
        axes.set_xlabel("best peak rate")
        axes.set_title("ring: the bound; dot: measured")
        return figure

    return TwoWidths(
        draw,
        alt="Eighteen rows, one for each schedule, sorted by the best peak rate of the bound, from constant "
        "at the top to time-based decay: a ring for the bound, a dot for the measured best rate and a line "
        "over the five folds.",
    )


# --- Findings ---------------------------------------------------------------------------------------------


def orders(records: Records) -> dict[float, float]:
    """Return for each peak rate the rank correlation of bound and mean held-out loss over the eighteen."""
    found, unit = _bounds(records)
    losses = own_rates.held_out(records[own_rates.STAGE_A])
    return {
        rate: agreement(
            {name: each.at(rate / unit) for name, each in found.items()},
            {name: at[rate] for name, at in losses.items()},
            RECIPES,
        )
        for rate in losses["linear"]
    }


def breadth(records: Records) -> float:
    """Return the factor over which the rate may vary, in the median; losses stay within `NEAR`."""
    good = [
        [rate for rate, loss in at.items() if loss <= (1 + NEAR) * min(at.values())]
        for at in own_rates.held_out(own_rates.stage_a(records)).values()
    ]
    return median(max(rates) / min(rates) for rates in good)


def in_single_folds(records: Records) -> list[float]:
    """Return the rank correlation of the ten best rates with the bound's, from each fold by itself."""
    theory, folds = predicted(records), measured_in_folds(records)
    return [
        agreement(theory, {name: each[fold] for name, each in folds.items()})
        for fold in range(len(own_rates.FOLDS))
    ]


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check them at length."""
    fits, true = orders(records), came_true(records)
    rates = list(fits)
    return Finding(
        """
        > **What we found**
        >
        > 1. **Staying high is good at a low peak, for today's schedules too.** At {low} the bound's order of
        >    all eighteen has a rank correlation of {first} with that of the held-out losses, at {high} of
        >    {last}; 1 would be the same order.
        > 2. **The bound knew roughly which peaks the ten want.** Of {predictions} predictions, written down
        >    before the runs, {right} came true; one of them by a hair.
        > 3. **The floor is broad.** In the median the peak rate may vary by a factor of {breadth} and leave
        >    the held-out loss within {near} of its lowest.
        """,
        {
            "first": rounded(fits[rates[0]], 2),
            "low": f"{rates[0]:g}",
            "last": rounded(fits[SHARED], 2),
            "high": f"{SHARED:g}",
            "predictions": count(len(true)),
            "right": count(sum(true.values())),
            "breadth": rounded(breadth(records), 0),
            "near": percent(NEAR, 0),
        },
        {
            "at the lowest rate the orders agree": fits[rates[0]] > 0.8,
            "at a high one they do not": abs(fits[SHARED]) < 0.4,
            "all predictions but one came true": sum(true.values()) == len(true) - 1,
            "one by a hair": 0 <= agreement(predicted(records), measured(records)) - ASKED < 0.05,
            "the floor is broad": breadth(records) >= 9,
        },
    )


@finding()
def answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction: what the bound says, and what was measured."""
    theory, ours = predicted(records), measured(records)
    low = sorted(MODERN, key=theory.__getitem__)[: len(LOW)]
    low_ours = sorted(MODERN, key=ours.__getitem__)[: len(LOW)]
    high, high_ours = (max(MODERN, key=rates.__getitem__) for rates in (theory, ours))
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        By the bound {high} wants the highest peak, {times} times linear decay's: it falls at once. The
        three {low} stay high, so that a low peak goes far, and want about half of linear decay's. Measured,
        the same three want the lowest, {part} of linear decay's or less; but the highest is {high_ours}'s.

        </details>
        """,
        {
            "high": high,
            "times": rounded(theory[high] / theory["linear"], 1),
            "low": listed(low),
            "part": percent(max(ours[name] for name in low_ours) / ours["linear"], 0),
            "high_ours": high_ours,
        },
        {
            "by the bound exponential": high == "exponential" and theory[high] > 1.5 * theory["linear"],
            "three want about half by the bound": set(low) == set(LOW)
            and all(0.45 < theory[name] / theory["linear"] < 0.65 for name in low),
            "measured the same three": set(low_ours) == set(low),
            "but another the highest": high_ours != high,
        },
    )


@finding(heading="Over the peak rate: order on the left, a broad floor, a cliff on the right")
def map_text(records: Records) -> Finding:
    """Say what the map shows at low, middle and high rates."""
    losses = own_rates.held_out(records[own_rates.STAGE_A])
    fits, rates = orders(records), list(losses["linear"])
    low = sorted(losses, key=lambda name: losses[name][rates[0]])
    high = [run for run in records[own_rates.STAGE_A] if run.config.peak_lr == HIGH]
    lost = [end < FAILED for end in finals(high)]
    alive = [name for name in losses if fmean(_ends(high, name)) > FAILED]
    best = {name: min(at.values()) for name, at in losses.items()}
    first = min(best, key=best.__getitem__)
    return Finding(
        """
        *Left*, at {low}, the area decides: {first} are ahead, which stay high, and {last} behind. The bound
        orders all of them, with rank correlation {fit}, though it speaks of the training loss.

        *In the middle* nearly everything works. Each at its best, the losses lie between {least} ({best}) and
        {most} ({worst}), and no two neighbors in that order can be told apart by five folds.

        *Right*, at {high}, {dead} of {of} runs end below {failed} accuracy. On average only {alive} get
        through: the first two have left the peak soonest, the third comes to it slowest, with its momentum
        turned down.
        """,
        {
            "low": f"{rates[0]:g}",
            "first": listed(low[:3]),
            "last": listed(low[-2:]),
            "fit": rounded(fits[rates[0]], 2),
            "least": rounded(min(best.values()), 3),
            "best": first,
            "most": rounded(max(best.values()), 3),
            "worst": max(best, key=best.__getitem__),
            "high": f"{HIGH:g}",
            "dead": sum(lost),
            "of": len(lost),
            "failed": percent(FAILED, 0),
            "alive": listed(alive),
        },
        {
            "those ahead on the left stay high": set(low[:3]) == {"constant", "wsd", "wsd_sqrt"},
            "those behind fall soon": set(low[-2:]) == {"time", "poly5"},
            "the bound orders them on the left": fits[rates[0]] > 0.8,
            "neighbors cannot be told apart": _neighbors_overlap(records),
            "most runs fail on the right": sum(lost) > 2 / 3 * len(lost),
            "three get through": alive == ["time", "poly5", "1cycle"],
        },
    )


def _ends(runs: Iterable[Run], name: str) -> list[float]:
    return finals([run for run in runs if run.label == name])


def _neighbors_overlap(records: Records) -> bool:
    """Return whether all neighbors, each at its best, differ by an interval over folds that holds zero."""
    folds = own_rates.by_fold(own_rates.stage_a(records))
    at_best = [
        min(rates.values(), key=lambda losses: fmean(losses.values())).values() for rates in folds.values()
    ]
    order = sorted((list(losses) for losses in at_best), key=fmean)
    for one, other in pairwise(order):
        low, high = interval([a - b for a, b in zip(one, other, strict=True)])
        if not low <= 0 <= high:
            return False
    return True


@finding(heading="Best rates: predicted in rough, and hard to measure")
def best_rates_text(records: Records) -> Finding:
    """Judge H1, the ten best rates against the bound's; and say why they are hard to tell."""
    theory, ours, true = predicted(records), measured(records), came_true(records)
    folds, single = measured_in_folds(records), in_single_folds(records)
    moves = {name: max(folds[name]) / min(folds[name]) for name in MODERN}
    order = sorted(MODERN, key=ours.__getitem__)
    return Finding(
        """
        We had written down three things about the ten (`studies/modern-digits.toml`).

        - Their best rates correlate with the bound's: rank correlation {asked} or more. It is {fit}:
          *came true, by a hair*. Over all eighteen it is {all}.
        - That of {exponential} is the highest. It is second, after {highest}'s: *failed*.
        - Those of {low} are below linear decay's. They are, at {part} of it or less: *came true*.

        *How sure?* Not very. From one fold alone the first number would be anything from {least} to {most}:
        the best rate of one of the ten moves by a factor of {moves} from fold to fold, in the median, while
        the bound's all lie within a factor of {apart}. By the training loss, looked at afterwards, the
        agreement is no better, {trained}. What the bound knows about peak rates is a size, not a number.
        """,
        {
            "asked": f"{ASKED:g}",
            "fit": rounded(agreement(theory, ours), 2),
            "all": rounded(agreement(theory, ours, RECIPES), 2),
            "exponential": order[-2],
            "highest": order[-1],
            "low": listed(LOW),
            "part": percent(max(ours[name] for name in LOW) / ours["linear"], 0),
            "least": rounded(min(single), 2).replace("-", "\N{MINUS SIGN}"),
            "most": rounded(max(single), 2),
            "moves": rounded(median(moves.values()), 1),
            "apart": rounded(max(theory[n] for n in MODERN) / min(theory[n] for n in MODERN), 1),
            "trained": rounded(agreement(theory, on_training_loss(records)), 2),
        },
        {
            "what came true": list(true.values())[:3] == [True, False, True],
            "the first by a hair": agreement(theory, ours) - ASKED < 0.05,
            "exponential is second": order[-2] == "exponential",
            "single folds say everything": min(single) < 0 < ASKED < max(single),
            "a best rate moves further than the bound's lie apart": median(moves.values())
            > max(theory[n] for n in MODERN) / min(theory[n] for n in MODERN),
            "by the training loss it is no better": agreement(theory, on_training_loss(records))
            < agreement(theory, ours),
        },
    )


@finding(heading="Warm-up bears more than the bound says, as predicted; chance could do that too")
def warmup_text(records: Records) -> Finding:
    """Judge H4: schedules with a warm-up bear more rate than the bound says."""
    ratio = ratios(records)
    warmed, others = off(ratio)
    chance = by_chance(ratio)
    return Finding(
        """
        The bound knows no curvature, and so no warm-up. So we had written down where it fails: the {warm}
        schedules that warm up bear more rate than it says. The median of measured over predicted best rate
        is {warmed} for them and {others} for the other {rest}: *came true*. The largest ratio is {most}'s,
        {times}.

        But of all ways to pick {warm} of the eighteen, {chance} have medians as far apart, by their ratio.
        And both medians are below one: linear decay's own best rate is {part} of what the unit had put it
        at, on fewer images and by another loss.
        """,
        {
            "warm": count(len(WARMED)),
            "warmed": rounded(warmed, 2),
            "others": rounded(others, 2),
            "rest": count(len(RECIPES) - len(WARMED)),
            "most": max(ratio, key=ratio.__getitem__),
            "times": rounded(max(ratio.values()), 1),
            "chance": percent(chance, 0),
            "part": percent(ratio["linear"], 0),
        },
        {
            "they bear more": warmed > others,
            "chance may do as well": chance > 0.05,
            "one of those that warm up bears most": max(ratio, key=ratio.__getitem__) in WARMED,
            "both medians are below one": max(warmed, others) < 1,
        },
    )


def by_chance(ratio: Mapping[str, float]) -> float:
    """Return the part of all ways to pick seven schedules whose median is as far above the others'."""
    logs = np.log([ratio[name] for name in RECIPES])
    of_plan = tuple(name in WARMED for name in RECIPES)
    ways = np.array(list(combinations(range(len(logs)), sum(of_plan))))
    picked = np.zeros((len(ways), len(logs)), dtype=bool)
    picked[np.arange(len(ways))[:, None], ways] = True

    def gaps(of: np.ndarray) -> np.ndarray:
        inside, outside = (np.nanmedian(np.where(each, logs, np.nan), axis=1) for each in (of, ~of))
        return inside - outside

    return float(np.mean(gaps(picked) >= gaps(np.array([of_plan])) - 1e-12))


# --- Figure 17.4: the reader's own two runs ---------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw two runs that were just trained, thick, over the recorded ones of the same setting, thin."""
    return drawn.live_figure(
        mine,
        records,
        studies=[own_rates.STAGE_B],
        colors={"wsd": INK, "1cycle": WARM},
        alt="Your two runs, wsd in black and 1cycle in purple, thick, over recorded runs of each, thin: the "
        "training loss and test accuracy over the epochs.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of the usual digits, what the recorded ones did."""
    rates = {"wsd": 0.003, "1cycle": 0.01}
    return shared.live_ends(mine, race_of_two_text, records, usual=("digits", 8, rates))


@finding()
def race_of_two_text(records: Records) -> Finding:
    """Say how wsd and 1cycle go at their own rates, half way and at the end."""
    runs = {name: records.runs(own_rates.STAGE_B, name) for name in ("wsd", "1cycle")}
    half = {
        name: [run.epochs[len(run.epochs) // 2 - 1].train_loss for run in each] for name, each in runs.items()
    }
    end = {name: [run.epochs[-1].train_loss for run in each] for name, each in runs.items()}
    return Finding(
        """
        In our {n} runs of each the two are level halfway, with training losses of {wsd_half} (wsd) and
        {cycle_half} (1cycle); in the last epoch they have {wsd_end} and {cycle_end}. On the test images
        they end at {wsd} and {cycle}.
        """,
        {
            "n": len(runs["wsd"]),
            "wsd_half": rounded(fmean(half["wsd"]), 3),
            "cycle_half": rounded(fmean(half["1cycle"]), 3),
            "wsd_end": rounded(fmean(end["wsd"]), 4),
            "cycle_end": rounded(fmean(end["1cycle"]), 4),
            "wsd": percent(fmean(finals(runs["wsd"]))),
            "cycle": percent(fmean(finals(runs["1cycle"]))),
        },
        {
            "half way they are level": 0.8 < fmean(half["wsd"]) / fmean(half["1cycle"]) < 1.25,
            "at the end 1cycle is far lower": fmean(end["1cycle"]) < 0.7 * fmean(end["wsd"]),
            "accuracies are the same": abs(fmean(finals(runs["wsd"])) - fmean(finals(runs["1cycle"])))
            < 0.003,
        },
    )

"""What the analysis prints: the survey's table, what luck does to a table of single runs, and fairer races.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, product
from statistics import fmean, stdev

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbook.chapters import drawn, map_plan, shared, table_1_1
from lrbook.chapters._write import Table, listed
from lrbook.chapters.analysis_decisions import CIFAR10, DIGITS, TITLES
from lrbook.chapters.analysis_decisions import decision_table as decision_table
from lrbook.chapters.analysis_decisions import decisions_table as decisions_table
from lrbook.chapters.analysis_decisions import decisions_text as decisions_text
from lrbook.chapters.analysis_decisions import details_text as details_text
from lrbook.chapters.analysis_decisions import images_text as images_text
from lrbook.chapters.analysis_rates import rates_table as rates_table
from lrbook.chapters.analysis_rates import rates_table_text as rates_table_text
from lrbook.chapters.first_page import FIVE, rankings
from lrbook.finding import (
    Finding,
    Records,
    count,
    finals,
    finding,
    percent,
    points,
    rounded,
    verdict,
)
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import COLOR, INK, NARROW, RULE, WIDE, Label, TwoWidths, label_ends
from lrlib.runs import Run
from lrlib.runs.experiments import study_of
from lrlib.runs.published import published
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import PairedComparison, final_accuracy
from lrlib.stats.rankings import Chosen, by_peak, leave_one_out

RESNET50, MAP = "resnet50-gpu", map_plan.MAP
DIGITS_MAP, MORE_SEEDS = "peak-digits", "rates-digits"  # seeds 1 to 3, and 4 to 10 of the constant rate
SHARED = map_plan.COMMON

GRAY, LINEAR = COLOR["constant"], COLOR["linear"]

#: Schedule -> peak rate -> seed -> accuracy, as `lrlib.stats.rankings.by_peak` gives it.
Grid = Mapping[str, Mapping[float, Mapping[int, float]]]


# --- Figure 7.1: all seeds --------------------------------------------------------------------------------


def seeds_figure(records: Records | None = None) -> TwoWidths:
    """Draw the final test accuracy of each seed of each schedule, on CIFAR-10 and on the digits."""
    records = Records() if records is None else records
    ends = {study: {name: finals(records.runs(study, name)) for name in SURVEY} for study in TITLES}
    width = 1.12 * max(max(map(max, each.values())) - min(map(min, each.values())) for each in ends.values())

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.1) if wide else (NARROW, 5.8))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        for axes, (study, found) in zip(panels, ends.items(), strict=True):
            for row, (name, values) in enumerate(found.items()):
                axes.scatter(values, [row] * len(values), s=26, color=COLOR[name], alpha=0.55, linewidth=0)
                axes.plot([fmean(values)] * 2, [row - 0.32, row + 0.32], color=COLOR[name], linewidth=2.4)
                at = (1.0, row)
                how = {"xycoords": ("axes fraction", "data"), "va": "center", "color": COLOR[name]}
                note(axes, percent(fmean(values)), at, (6, 0), **how)
            axes.set_title(TITLES[study])
            # The same width in points in both panels, so that gaps and spreads can be compared by eye.
            middle = (max(map(max, found.values())) + min(map(min, found.values()))) / 2
            axes.set_xlim(middle - width / 2, middle + width / 2)
            _rows(axes, list(found))
            axes.axhline(len(FIVE) - 0.5, color=RULE, linewidth=1.0)
            axes.grid(False)
            axes.grid(axis="x")
            in_per_cent(axes.xaxis)
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("test accuracy")
        return figure

    spread = {study: max(found["constant"]) - min(found["constant"]) for study, found in ends.items()}
    return TwoWidths(
        draw,
        alt="Two panels, CIFAR-10 and the digits, with a row of five dots for each of eight schedules: their "
        "test accuracies at the end. On CIFAR-10 the rows of constant, time, drop and linear do not "
        f"overlap. On the digits most rows do; the constant rate's dots lie {points(spread[DIGITS])} points "
        f"apart there, and {points(spread[CIFAR10])} on CIFAR-10.",
    )


def _rows(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows of a panel after schedules, from the top, in their colors."""
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), names)
    for label, name in zip(axes.get_yticklabels(), names, strict=True):
        label.set_color(COLOR[name])


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check them at length."""
    ends = {name: finals(records.runs(CIFAR10, name)) for name in SURVEY}
    spread = {name: stdev(values) for name, values in ends.items()}
    calm = [spread[name] for name in SURVEY if name != "constant"]
    n = len(ends["constant"])
    few, many = (len(rankings(records, study)) for study in TITLES)
    found = records.by_rate(MAP)
    at, own = (
        [rate[name] for name in ("linear", "constant")]
        for rate in ({k: v[SHARED] for k, v in found.items()}, {k: max(v.values()) for k, v in found.items()})
    )
    return Finding(
        """
        > **What we found**
        >
        > 1. **One run finds the big gaps. It cannot tell you which gaps are big.** {N} seeds of the survey's
        >    {schedules} schedules make {tables} tables of single runs. On CIFAR-10 they hold {few} rankings,
        >    on the digits {many}.
        > 2. **Decay makes results repeatable.** On CIFAR-10, runs at a constant rate typically end {constant}
        >    points from their mean, under the other {others} schedules {least} to {most}. (A rate of
        >    {shared} is too high for a constant one.)
        > 3. **One rate for all is not a fair race.** On CIFAR-10 linear decay leads the constant rate by
        >    {gap} points at {shared}, and by {own} where each has the best of {rates} rates.
        """,
        {
            "N": count(n).capitalize(),
            "schedules": count(len(FIVE)),
            "tables": f"{n ** len(FIVE):,}",
            "few": count(few),
            "many": count(many),
            "constant": points(spread["constant"]),
            "others": count(len(calm)),
            "least": points(min(calm)),
            "most": points(max(calm)),
            "shared": f"{SHARED:g}",
            "gap": points(at[0] - at[1]),
            "own": points(own[0] - own[1]),
            "rates": count(len(found["constant"])),
        },
        {
            "as many seeds of each schedule on both": {
                len(records.runs(study, name)) for study in TITLES for name in SURVEY
            }
            == {n},
            "few rankings on CIFAR-10, several on the digits": few == 2 and many >= 5,
            "the constant rate spreads most, by half as much again": spread["constant"] > 1.5 * max(calm),
            "less than half of the gap is left": 0 < own[0] - own[1] < (at[0] - at[1]) / 2,
            "several runs in each cell": len(records.blocks(MAP)) >= 2 * sum(map(len, found.values())),
        },
    )


# --- Table 7.1: the survey's table ------------------------------------------------------------------------


def survey_table() -> Table:
    """Return the survey's table 1.1: as printed, from its source's logs, and from three studies of ours."""
    return Table(table_1_1.table_1_1())


@finding(heading="A training loss stands beside a test accuracy")
def columns_text(records: Records) -> Finding:
    """Say how the survey's two columns mislead."""
    survey, source = published().survey, published().source
    loss, accuracy = survey.column("loss"), survey.column("accuracy")
    logged, tested = source.column("train_loss"), source.column("test_loss")
    return Finding(
        """
        The survey's Loss is its source's *training* loss, with a penalty on the weights in it. Its Accuracy
        is measured on *test* images. So time-based decay can have a lower Loss than drop-based decay, and yet
        a lower accuracy: on the test images its loss is the higher one. [Where the table comes
        from](table_source.ipynb) goes through the numbers.
        """,
        {},
        {
            "the survey's loss is the training loss of the logs": loss == {k: logged[k] for k in loss},
            "time-based decay has the lower loss and the lower accuracy": loss["time"] < loss["drop"]
            and accuracy["time"] < accuracy["drop"],
            "and the higher test loss": tested["time"] > tested["drop"],
        },
    )


@finding(heading="ResNet-50, as the survey's words say")
def resnet50_text(records: Records) -> Finding:
    """Set ResNet-50, one seed, beside the accuracies that the survey prints."""
    printed = published().survey.column("accuracy")
    every = {run.label: final_accuracy(run) for run in records[RESNET50]}
    ours = {name: every[name] for name in printed}
    order = sorted(ours, key=ours.__getitem__, reverse=True)
    off = {name: ours[name] - printed[name] for name in ours}
    runs = records[RESNET50]
    return Finding(
        """
        The survey's text describes a ResNet-50, a peak rate of {peak} and {epochs} epochs. We trained that,
        on flipped and shifted images, one run for each schedule of the table. **Linear decay comes first
        with {linear}**, {lead} points ahead of drops; power 5, time-based decay and the constant rate follow.
        The triangle, which the table does not have, ends level with linear decay, at {triangle}.

        Drops and power 5 end within {near} points of the survey's numbers, which come from [another
        network](table_source.ipynb), without such images. Linear decay ends {above} points above its
        number. The constant rate ends {below} points below, and *behind* time-based decay, where the survey
        has it ahead. In our {seeds} seeds of a small network it is behind, too.

        One run each shows gaps of many points. The {close} points between drops and power 5 rank nothing.
        """,
        {
            "peak": f"{runs[0].config.peak_lr:g}",
            "epochs": runs[0].config.epochs,
            "linear": percent(every["linear"]),
            "triangle": percent(every["triangle"]),
            "lead": points(ours["linear"] - ours["drop"]),
            "near": points(max(abs(off["drop"]), abs(off["poly5"]))),
            "above": points(off["linear"]),
            "below": points(-off["constant"]),
            "close": points(ours["drop"] - ours["poly5"]),
            "seeds": count(len(records.runs("survey-laptop", "time"))),
        },
        {
            "the order": order == ["linear", "drop", "poly5", "time", "constant"],
            "one run of each, the five and the triangle": len(runs) == len(every) == len(printed) + 1,
            "the triangle is within a quarter of a point": abs(every["triangle"] - ours["linear"]) < 0.0025,
            "linear decay leads by more than a point": ours["linear"] - ours["drop"] > 0.01,
            "drops and power 5 within a point": max(abs(off["drop"]), abs(off["poly5"])) < 0.01,
            "linear decay above its number": off["linear"] > 0.01,
            "the constant rate more than five points below": off["constant"] < -0.05,
            "the survey has the constant rate ahead of time-based decay": printed["constant"]
            > printed["time"],
            "on the small network time-based decay is better by the plan": verdict(
                records, "time", "constant"
            )
            == "better",
            "drops and power 5 less than a point apart": 0 < ours["drop"] - ours["poly5"] < 0.01,
        },
    )


# --- Figure 7.2: what one run each could have shown -------------------------------------------------------


def ends(study: str, records: Records | None = None) -> dict[str, list[float]]:
    """Return the final test accuracies of the survey's five schedules, one per seed."""
    records = Records() if records is None else records
    return {name: finals(records.runs(study, name)) for name in FIVE}


def places(records: Records, study: str) -> dict[str, list[float]]:
    """Return the share of all tables of single runs in which each schedule comes first, second, and so on.

    Schedules that end level share their places.
    """
    found = ends(study, records)
    tables = list(product(*found.values()))
    shares = {name: [0.0] * len(found) for name in found}
    for table in tables:
        for name, value in zip(found, table, strict=True):
            above, level = sum(x > value for x in table), table.count(value)
            for place in range(above, above + level):
                shares[name][place] += 1 / (level * len(tables))
    return shares


def places_figure(records: Records | None = None) -> TwoWidths:
    """Draw in how many tables of single runs each schedule takes each place, on both data sets."""
    records = Records() if records is None else records
    shares = {study: places(records, study) for study in TITLES}
    order = {  # by the mean place, so that a sure ranking is a diagonal
        study: sorted(found, key=lambda name: sum(k * share for k, share in enumerate(found[name])))
        for study, found in shares.items()
    }

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.5) if wide else (NARROW, 4.8))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        for axes, (study, found) in zip(panels, shares.items(), strict=True):
            for row, name in enumerate(order[study]):
                for place, share in enumerate(found[name], 1):
                    if share:
                        how = {"color": COLOR[name], "alpha": 0.08 + 0.4 * share, "linewidth": 0}
                        axes.barh(row, 0.96, height=0.92, left=place - 0.48, **how)
                        note(axes, percent(share, 0), (place, row), ha="center", va="center", color=INK)
            axes.set_title(TITLES[study])
            axes.set_xlim(0.5, len(FIVE) + 0.5)
            _rows(axes, order[study])
            axes.set_xticks(range(1, len(FIVE) + 1), ["1st", "2nd", "3rd", "4th", "5th"])
            axes.grid(False)
            axes.tick_params(length=0)
        return figure

    first = {study: percent(found["linear"][0], 0) for study, found in shares.items()}
    return TwoWidths(
        draw,
        alt="Two grids, CIFAR-10 and the digits: a row for each of five schedules, a column for each place "
        "from first to fifth, and in the cells the share of tables in which the schedule takes the place. "
        f"On CIFAR-10 linear is first in {first[CIFAR10]}, time fourth and constant fifth in all; drop and "
        "poly5 share second and third. On the digits no row has a single cell; linear is first in "
        f"{first[DIGITS]}.",
    )


@finding()
def draws_answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction from all tables of single runs."""
    cifar10, digits = (places(records, study) for study in TITLES)
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        On CIFAR-10 linear decay comes first in *every* table, and the constant rate last. On the digits
        linear decay comes first in {linear} of them and time-based decay in the others; the constant rate
        comes third in {third}, ahead of drops and power 5.

        </details>
        """,
        {"linear": percent(digits["linear"][0], 0), "third": percent(digits["constant"][2], 0)},
        {
            "on CIFAR-10 linear decay is always first": cifar10["linear"][0] > 1 - 1e-9,
            "and the constant rate always last": cifar10["constant"][-1] > 1 - 1e-9,
            "on the digits the rest is time-based decay's": digits["linear"][0] + digits["time"][0]
            > 1 - 1e-9,
            "linear decay has more than half": 0.5 < digits["linear"][0] < 0.9,
            "where the constant rate is third, linear and time-based decay are ahead": max(
                digits["constant"][:2]
            )
            == 0
            < digits["constant"][2],
        },
    )


@finding(heading="One run finds the big gaps. It cannot tell you which gaps are big")
def big_gaps_text(records: Records) -> Finding:
    """Compare two equal gaps, one safe and one not: what makes a gap big is the spread over seeds."""
    cifar10, digits = (ends(study, records) for study in TITLES)
    shares = places(records, CIFAR10)
    small = fmean(cifar10["linear"]) - fmean(cifar10["drop"])
    same = fmean(digits["drop"]) - fmean(digits["constant"])
    pairs = list(product(digits["constant"], digits["drop"]))
    reversed_in = sum(constant > drop for constant, drop in pairs) / len(pairs)
    return Finding(
        """
        On CIFAR-10 all {tables} tables agree but for one pair: drops and power 5, {close} points apart on
        average, change places. On the digits no place is safe.

        The size of a gap does not tell you which case you have. Linear decay leads drops by {small} points on
        CIFAR-10, and no choice of runs reverses that. On the digits drops lead the constant rate by {same}
        points, and {reversed} of the pairs of single runs say the opposite. A gap is big if it is wide beside
        the spread over seeds, and one run of each shows no spread.
        """,
        {
            "tables": f"{len(list(product(*cifar10.values()))):,}",
            "close": points(fmean(cifar10["drop"]) - fmean(cifar10["poly5"])),
            "small": points(small),
            "same": points(same),
            "reversed": percent(reversed_in, 0),
        },
        {
            "on CIFAR-10 drops and power 5 share second and third place, the others have one each": all(
                max(shares[name]) > 1 - 1e-9 for name in ("linear", "time", "constant")
            )
            and all(0 < shares[name][1] < 1 for name in ("drop", "poly5")),
            "on the digits no schedule always has the same place": all(
                max(each) < 0.999 for each in places(records, DIGITS).values()
            ),
            "the two gaps are alike, within a fifth of a point": abs(small - same) < 0.002,
            "one is never reversed": min(cifar10["linear"]) > max(cifar10["drop"]),
            "the other is in a third of the pairs or more": 1 / 3 <= reversed_in < 1 / 2,
        },
    )


# --- Figure 7.3: the spread over seeds --------------------------------------------------------------------


def _moves(runs: Iterable[Run]) -> float:
    """Return how far test accuracy moves from one epoch to the next in the last third, in the mean."""
    columns = [run.column("test_accuracy") for run in runs]
    return fmean(abs(b - a) for column in columns for a, b in pairwise(column[-1 - len(column) // 3 :]))


def spread_figure(records: Records | None = None) -> TwoWidths:
    """Draw the last third of training under two schedules, and the standard deviations of all."""
    records = Records() if records is None else records
    spread = {
        study: {name: 100 * stdev(finals(records.runs(study, name))) for name in SURVEY} for study in TITLES
    }

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.9) if wide else (NARROW, 5.6))
        curves, dots = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        for name in ("constant", "linear"):
            for run in records.runs(CIFAR10, name):
                last = len(run.epochs) // 3 + 1
                epochs = drawn.epochs_of(run, 0.0)
                values = run.column("test_accuracy")
                curves.plot(epochs[-last:], values[-last:], color=COLOR[name], linewidth=1.4)
        curves.set_title("CIFAR-10, the last third of training")
        curves.set_xlabel("epoch")
        in_per_cent(curves.yaxis)
        ends = [
            Label(fmean(finals(records.runs(CIFAR10, name))), name, COLOR[name])
            for name in ("constant", "linear")
        ]
        label_ends(curves, ends)
        for row, name in enumerate(SURVEY):
            at = [spread[study][name] for study in TITLES]
            dots.plot(at, [row, row], color=COLOR[name], linewidth=0.8, alpha=0.6)
            for value, fill in zip(at, (COLOR[name], "none"), strict=True):
                dots.plot([value], [row], "o", color=COLOR[name], markerfacecolor=fill, markersize=6)
        for study, value in zip(TITLES, (spread[study]["constant"] for study in TITLES), strict=True):
            note(dots, TITLES[study], (value, 0), (0, -13), ha="center", color=GRAY)
        dots.set_title("standard deviation over seeds, in points")
        dots.set_xlim(left=0)
        _rows(dots, SURVEY)
        dots.grid(False)
        dots.grid(axis="x")
        return figure

    return TwoWidths(
        draw,
        alt="First: test accuracy in the last third of training on CIFAR-10, five runs at a constant rate, "
        "which jump up and down by a point or more until they stop, and five with linear decay, which run "
        "level. Second: the standard deviation over five seeds for eight schedules on both data sets. The "
        "constant "
        f"rate has by far the largest, {rounded(spread[CIFAR10]['constant'])} points on CIFAR-10 and "
        f"{rounded(spread[DIGITS]['constant'])} on the digits.",
    )


@finding(heading="Decay makes results repeatable")
def repeatable_text(records: Records) -> Finding:
    """Say how far runs spread over seeds, why, and what that costs."""
    spread = {study: {name: stdev(finals(records.runs(study, name))) for name in SURVEY} for study in TITLES}
    calm = {
        study: [value for name, value in each.items() if name != "constant"] for study, each in spread.items()
    }
    constant, linear = (records.runs(CIFAR10, name) for name in ("constant", "linear"))
    times = (spread[CIFAR10]["constant"] / spread[CIFAR10]["linear"]) ** 2
    low = [run for study in (DIGITS_MAP, MORE_SEEDS) for run in records.runs(study, "constant", peak_lr=0.01)]
    return Finding(
        """
        The **standard deviation** says how far values typically lie from their mean. Over {n} seeds on
        CIFAR-10 it is {constant} points at the constant rate, and {least} to {most} under the other {others}
        schedules; on the digits {digits} against {digits_least} to {digits_most}.

        The first panel shows why. A constant rate keeps shaking the network. In the last third of training
        its test accuracy still moves by {moves} points from one epoch to the next, and where it stops is
        luck; linear decay moves by {calm}. What counts is the small rate at the end. A small constant rate
        has it, too: at {low} it [spreads no more than the others](constant.ipynb).

        For a mean that is equally sharp, the constant rate of {shared} needs {times} times as many seeds as
        linear decay.
        """,
        {
            "n": count(len(constant)),
            "constant": points(spread[CIFAR10]["constant"]),
            "least": points(min(calm[CIFAR10])),
            "most": points(max(calm[CIFAR10])),
            "others": count(len(calm[CIFAR10])),
            "digits": points(spread[DIGITS]["constant"]),
            "digits_least": points(min(calm[DIGITS])),
            "digits_most": points(max(calm[DIGITS])),
            "moves": points(_moves(constant)),
            "calm": points(_moves(linear)),
            "low": f"{low[0].config.peak_lr:g}",
            "shared": f"{SHARED:g}",
            "times": count(round(times)),
        },
        {
            "the constant rate spreads most on both, by half as much again": all(
                spread[study]["constant"] > 1.5 * max(calm[study]) for study in TITLES
            ),
            "its accuracy moves by a point per epoch": _moves(constant) > 0.01,
            "that of linear decay by a fifth of it at most": _moves(linear) < _moves(constant) / 5,
            "a small constant rate spreads like the others": stdev(finals(low)) < max(calm[DIGITS]),
            "there are many runs at it": len(low) >= 8,
            "the constant rate needs several times as many seeds": times > 4,
        },
    )


# --- Figures 7.4 and 7.5: over the peak rate --------------------------------------------------------------


def rates(schedule: str, records: Records | None = None) -> Mapping[float, Mapping[int, float]]:
    """Return a schedule's final test accuracies on the digits: peak rate -> seed -> accuracy."""
    return by_peak((Records() if records is None else records)[DIGITS_MAP])[schedule]


def _panels(grid: Grid, *, error: bool, alt: str) -> TwoWidths:
    """Draw a panel for each schedule but the constant rate, which is gray in all, over the peak rate.

    Lines are means over seeds; dots are seeds. The dotted line is the shared rate.
    """
    names = [name for name in SURVEY if name != "constant"]

    def line(axes: Axes, name: str) -> None:
        seeds = {rate: [1 - x if error else x for x in found.values()] for rate, found in grid[name].items()}
        alone = all(len(values) == 1 for values in seeds.values())
        means = [fmean(values) for values in seeds.values()]
        axes.plot(list(seeds), means, color=COLOR[name], marker="o" if alone else None)
        if not alone:
            at = [(rate, value) for rate, values in seeds.items() for value in values]
            axes.scatter(*zip(*at, strict=True), s=9, color=COLOR[name], alpha=0.6, linewidth=0)

    def draw(wide: bool) -> Figure:
        shape = (2, 4) if wide else (4, 2)
        figure = Figure(figsize=(WIDE, 4.2) if wide else (NARROW, 7.4))
        panels = figure.subplots(*shape, sharex=True, sharey=True).ravel()
        every = sorted(grid["constant"])
        for axes, name in zip(panels, names, strict=False):
            line(axes, "constant")
            line(axes, name)
            axes.set_title(name, color=COLOR[name])
            axes.set_xscale("log")
            axes.set_xmargin(0.12)  # the outer numbers of two panels must not touch
            shown = every if len(every) < 6 else every[::4]
            axes.set_xticks(shown, [f"{rate:g}" for rate in shown])
            axes.minorticks_off()
            if error:
                axes.set_yscale("log")
                axes.set_yticks([0.01, 0.1, 1])
                axes.minorticks_off()
            in_per_cent(axes.yaxis)
        for axes in panels[:-1]:
            axes.vlines(
                SHARED, 0, 1, transform=axes.get_xaxis_transform(), color=INK, linewidth=0.8, linestyle=":"
            )
        panels[-1].axis("off")
        text = "gray: the\nconstant rate\n\ndotted: the\nshared rate"
        how = {"xycoords": "axes fraction", "ha": "center", "va": "center", "color": GRAY}
        note(panels[-1], text, (0.5, 0.5), **how)
        for axes in panels[-shape[1] - 1 : -1]:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("peak rate")
        return figure

    return TwoWidths(draw, alt=alt)


def digits_map_figure(records: Records | None = None) -> TwoWidths:
    """Draw test error on the digits over nine peak rates, constant in gray."""
    grid = by_peak((Records() if records is None else records)[DIGITS_MAP])
    every = sorted(grid["constant"])
    best = {name: max(found, key=lambda rate: fmean(found[rate].values())) for name, found in grid.items()}
    return _panels(
        grid,
        error=True,
        alt=f"Seven panels, test error on the digits over {len(every)} peak rates from {every[0]:g} to "
        f"{every[-1]:g}, both axes logarithmic, the constant rate in gray in each. All lines are bowls: high "
        "at the lowest rates, near one per cent in the middle, and guessing at the highest. Gray is lowest "
        "at "
        f"{best['constant']:g} and rises sooner than the others; at 0.1 most lie clearly below it.",
    )


@finding(heading="On the digits, most of the gap was the rate")
def own_rates_text(records: Records) -> Finding:
    """Say how far the schedules lie apart at one rate and each at its own, and what choosing it costs."""
    grid = by_peak(records[DIGITS_MAP])
    chosen = {name: leave_one_out(found) for name, found in grid.items()}
    shared = {name: fmean(found[SHARED].values()) for name, found in grid.items()}
    own = {name: _mean(each) for name, each in chosen.items()}
    promised = {name: max(fmean(seeds.values()) for seeds in found.values()) for name, found in grid.items()}
    picked = sorted(each.peak_lr for each in chosen["constant"])
    constants = [run for run in records[DIGITS_MAP] + records[MORE_SEEDS] if run.label == "constant"]
    ten = leave_one_out(by_peak(constants)["constant"])
    return Finding(
        """
        At {shared} the {schedules} schedules span {before} points; each at the rate that its other seeds
        chose, the smaller one at a tie, {after}. The constant rate gains most, {gain} points, at a tenth of
        the shared rate or less.

        With {few} seeds the choice is luck as well. For the constant rate the others chose {picked}, and it
        reports {reported}. With {many} seeds all choose {sure} and report {more}, and linear decay's lead is
        down to {lead} points. Had we chosen and reported with the same seeds, the span would have shrunk to
        {flattered}: the best cell of a grid is partly a lucky one.
        """,
        {
            "shared": f"{SHARED:g}",
            "schedules": count(len(grid)),
            "before": points(map_plan.span(shared)),
            "after": points(map_plan.span(own)),
            "gain": points(own["constant"] - shared["constant"]),
            "few": count(len(chosen["constant"])),
            "picked": listed(f"{rate:g}" for rate in picked),
            "reported": percent(own["constant"]),
            "many": count(len(ten)),
            "sure": f"{ten[0].peak_lr:g}",
            "more": percent(_mean(ten)),
            "lead": points(own["linear"] - _mean(ten)),
            "flattered": points(map_plan.span(promised)),
        },
        {
            "less than half of the span is left": map_plan.span(own) < map_plan.span(shared) / 2,
            "the constant rate gains most": max(own, key=lambda name: own[name] - shared[name]) == "constant",
            "at a tenth of the shared rate or less": max(picked) <= SHARED / 10,
            "each seed left out gives another choice": len(set(picked)) == len(picked) > 1,
            "with many seeds all choose the same": len({each.peak_lr for each in ten}) == 1 and len(ten) >= 8,
            "and linear decay is ahead": own["linear"] > _mean(ten) > own["constant"],
            "choosing by the seeds that report leaves less": map_plan.span(promised) < map_plan.span(own),
            "no choice is at an end of the grid": not {
                each.peak_lr for found in chosen.values() for each in found
            }
            & {min(grid["constant"]), max(grid["constant"])},
        },
    )


def _mean(chosen: Sequence[Chosen]) -> float:
    return fmean(each.accuracy for each in chosen)


def map_figure(records: Records | None = None) -> TwoWidths:
    """Draw test accuracy on CIFAR-10 over the peak rate, constant in gray."""
    records = Records() if records is None else records
    grid, found = by_peak(records.blocks(MAP)), records.by_rate(MAP)
    every = sorted(found["constant"])
    best = max(((name, rate) for name in found for rate in every), key=lambda at: found[at[0]][at[1]])
    return _panels(
        grid,
        error=False,
        alt=f"Seven panels, test accuracy over four peak rates from {every[0]:g} to {every[-1]:g}, the "
        f"constant rate in gray in each. Gray falls from {percent(found['constant'][every[0]])} to "
        f"{percent(found['constant'][every[-1]])}. The highest of all is {best[0]} at {best[1]:g}, "
        f"{percent(found[best[0]][best[1]])}.",
    )


@finding(heading="On CIFAR-10, tuning gives the constant rate back more than half of the gap")
def map_text(records: Records) -> Finding:
    """Say what other peak rates than the shared one change, as the map's plan judges it."""
    seeds = records.whole_seeds(MAP)
    found, *each_seed = (records.by_rate(MAP, seed) for seed in (None, *seeds))
    shared, own = map_plan.common(records), map_plan.own(records)
    before, after = map_plan.means(shared), map_plan.means(own)
    picked = {name: {each.peak_lr for each in rates} for name, rates in map_plan.chosen(records).items()}
    lowest, highest = min(found["constant"]), max(found["constant"])
    spans = map_plan.span(before), map_plan.span(after)
    digits = [map_plan.means(of(records, DIGITS_MAP)) for of in (map_plan.common, map_plan.own)]
    left = map_plan.span(digits[1]) / map_plan.span(digits[0])
    verdicts, true = map_plan.comparisons(own), map_plan.came_true(records)
    decided = [name for name, each in verdicts.items() if each.verdict != "not decidable"]
    gains, fits = map_plan.constant_gains(records), map_plan.rank_correlations(records)
    fit = [fits[rate] for rate in fits if rate != highest]
    leads = [[x["linear"][s] - x["constant"][s] for s in x["linear"]] for x in (shared, own)]
    return Finding(
        """
        Let each run have the rate that its schedule's other two seeds find best, so that none chooses for
        itself. The constant rate goes to {lowest} and gains {gain} points; there it is *ahead* of linear
        decay at that same rate, {slow} against {line}. Linear decay stays at {shared}, and its lead falls
        from {gap} points to {own}.

        Tuning does not make the schedules equal. At {shared} the eight span {span} points, each at its own
        rate still {left}: more than half, where on the digits {most} of the span goes. The triangle, which
        warms up, is the only one that gains from a peak of {highest}, and is the best of all there: {record}.

        *How sure?* {Runs} runs in each cell; all of this holds for each seed by itself. A test in pairs, with
        [Holm's correction](../reference/glossary.md#holm-s-correction) over {pairs}, decides one thing:
        {worse} decay is worse than linear decay, by {by} points. The lead over the constant rate ({constant})
        and the triangle's over linear decay ({triangle}) stay open.

        <details>
        <summary>{Four} predictions, of which {true} came true</summary>

        They were committed before the first run, with the rules that judge (`studies/laptop-map-gpu.toml`).

        - *The constant rate gains more than 2 points at {lowest}, in each seed.* It gains {gains}:
          **failed**.
        - *Each at its own rate the eight span less than half as much.* {kept} of it stays: **failed**.
        - *Constant's own rate is the lowest; no other's is more than a place of the grid below linear's, and
          those of time-based and polynomial decay are not below it:* **came true**.
        - *The orders by training loss, from a worst-case bound, have a mean rank correlation above 0.5.* It
          is {mean}: **came true**. At three rates it is {least} or more, at {highest} {none}.

        </details>
        """,
        {
            "shared": f"{SHARED:g}",
            "lowest": f"{lowest:g}",
            "highest": f"{highest:g}",
            "gain": points(after["constant"] - before["constant"]),
            "slow": percent(found["constant"][lowest]),
            "line": percent(found["linear"][lowest]),
            "gap": points(fmean(leads[0])),
            "own": points(fmean(leads[1])),
            "span": points(spans[0]),
            "left": points(spans[1]),
            "most": percent(1 - left, 0),
            "record": percent(found["triangle"][highest]),
            "Runs": count(len(seeds)).capitalize(),
            "pairs": count(len(verdicts)),
            "worse": "time-based" if decided == ["time"] else listed(decided),
            "by": points(-verdicts["time"].mean_difference),
            "constant": _interval(verdicts["constant"], -1),
            "triangle": _interval(verdicts["triangle"], 1),
            "Four": count(len(true)).capitalize(),
            "true": count(sum(true)),
            "gains": listed(points(x) for x in gains),
            "kept": percent(spans[1] / spans[0], 0),
            "mean": rounded(fmean(fits.values()), 2),
            "least": rounded(min(fit), 2),
            "none": rounded(fits[highest], 2).replace("-", "\N{MINUS SIGN}"),
        },
        {
            "three runs in each cell": len(seeds) == 3,
            "the constant rate is best at the lowest peak": picked["constant"] == {lowest},
            "linear decay stays": picked["linear"] == {SHARED},
            "there constant is ahead of linear decay, in each block": all(
                each["constant"][lowest] > each["linear"][lowest] for each in each_seed
            ),
            "less than half of the gap is left, in each block": all(
                0 < small < large / 2 for large, small in zip(*leads, strict=True)
            ),
            "more than half of the span is left, in each block": all(
                map_plan.span(_of_seed(own, seed)) > map_plan.span(_of_seed(shared, seed)) / 2
                for seed in seeds
            ),
            "on the digits less than half of it": left < 1 / 2,
            "the triangle at the highest peak is the best of all, in each block": all(
                each["triangle"][highest] == max(max(rates.values()) for rates in each.values())
                for each in each_seed
            ),
            "no other schedule gains there, in each block": all(
                rates[highest] < rates[SHARED]
                for each in each_seed
                for name, rates in each.items()
                if name != "triangle"
            ),
            "only time-based decay is decided, as worse": decided == ["time"]
            and verdicts["time"].verdict == "worse",
            "what came true": true == [False, False, True, True],
            "the bound's orders fit at three rates": min(fit) > 0.7,
            "and not at the highest": abs(fits[highest]) < 0.3,
        },
    )


def _of_seed(accuracies: Mapping[str, Mapping[int, float]], seed: int) -> dict[str, float]:
    """Return each schedule's accuracy of one seed."""
    return {name: seeds[seed] for name, seeds in accuracies.items()}


def _interval(found: PairedComparison, sign: int) -> str:
    """Return a mean difference and its simultaneous interval in points, turned round if `sign` is -1."""
    low, high = sorted(sign * end for end in found.interval_points)
    return f"{sign * found.mean_difference_points:.1f} points, from {low:.1f} to {high:.1f}".replace("-", "−")


# --- Figure 7.6: the reader's own draw; beside the survey -------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw a run that was just trained, thick, over the recorded ones of the same setting, thin."""
    return drawn.live_figure(
        mine,
        records,
        alt="Your run, thick, over the recorded runs of the same schedule, thin: training loss and test "
        "accuracy over the epochs.",
    )


def live_text(mine: Mapping[str, Run]) -> Finding:
    """Say where the reader's run ended among the recorded ones."""
    said = [shared.place_in(run, shared.recorded(study_of(run.config))) for run in mine.values()]
    return Finding("{said}", {"said": " ".join(said)}, {})


@finding()
def beside_the_survey_text(records: Records) -> Finding:
    """Set the survey's conclusion beside its source and ours, in one box."""
    printed = published().survey.column("accuracy")
    return Finding(
        """
        > **Beside the survey** (section 1.1.7). "The linear decay method performs the best" rests on one run
        > of each schedule at one rate, and the table prints the same {printed} for drops. In our {n} seeds
        > linear decay beats drops and the constant rate. That no schedule suits every task, and that one has
        > to try, stands. Triangle and cosine are described, not run.
        """,
        {"printed": f"{printed['linear']:.2f}", "n": count(len(records.runs(CIFAR10, "linear")))},
        {
            "the survey prints the same for both": printed["linear"] == printed["drop"],
            "ours are better by the plan": verdict(records, "linear", "constant") == "better"
            and verdict(records, "drop", "linear") == "worse",
            "the survey has no triangle and no cosine": not {"triangle", "cosine"} & set(printed),
        },
    )

"""What the chapter on the survey's five factors prints: its figures, and the sentences with their checks.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from math import factorial
from statistics import fmean
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbook.chapters import drawn
from lrbook.finding import (
    Finding,
    Records,
    between,
    count,
    finals,
    finding,
    percent,
    points,
    rounded,
)
from lrlib import Constant, Valley
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import COLOR, INK, NARROW, WIDE, Label, TwoWidths, label_ends, plain
from lrlib.runs import Run
from lrlib.schedules.recipes import RECIPES, SURVEY
from lrlib.stats import (
    FAILED,
    PairedComparison,
    alike,
    by_seed,
    compare_all,
    differing,
    final_accuracy,
    interval,
    paired_differences,
)
from lrlib.stats.levels import Factor, accuracies_at

CIFAR10, BUDGETS, MAP, SLOW, RESNET50 = (
    "survey-laptop",
    "horizon",
    "laptop-map-gpu",
    "peak-laptop",
    "resnet50-gpu",
)
DIGITS, LENGTHS, PEAKS = "survey-digits", "horizon-digits", "peak-digits"
IMAGES, QUESTIONS, NETWORKS, RULE = "data-digits", "task-digits", "network-digits", "warmup-rule"
PATHS = ("path-fast", "path-plain")

#: The studies that have all three schedules, and the schedules: constant is the gray one.
ALL = (CIFAR10, BUDGETS, MAP, RESNET50, DIGITS, LENGTHS, PEAKS, IMAGES, QUESTIONS, NETWORKS)
THREE = ("constant", "drop", "linear")
GRAY, DROP, LINEAR = (COLOR[name] for name in THREE)

#: Level -> schedule -> seed -> final test accuracy.
Levels = Mapping[float | str, Mapping[str, Mapping[int, float]]]


def _levels(records: Records, factor: Factor, *studies: str, **config) -> Levels:
    """Return the final test accuracies of the three schedules over the levels of a factor."""
    runs = [run for study in studies for name in THREE for run in records.runs(study, name, **config)]
    return accuracies_at(runs, factor)


def _rates(records: Records) -> Levels:
    """Return the levels of the peak rate; at the shared one stand the five seeds of the main study."""
    return _levels(records, "peak_lr", PEAKS) | _levels(records, "peak_lr", DIGITS)


def _images(records: Records) -> Levels:
    return _levels(records, "images", IMAGES, DIGITS)


def _questions(records: Records) -> Levels:
    return _levels(records, "task", DIGITS, QUESTIONS)


def _networks(records: Records, rate: float) -> Levels:
    small = DIGITS if rate == _peak(records) else PEAKS
    return _levels(records, "network", small, NETWORKS, peak_lr=rate)


def _lengths(records: Records) -> Levels:
    return _levels(records, "epochs", LENGTHS)


def _budgets(records: Records) -> Levels:
    return _levels(records, "epochs", BUDGETS, CIFAR10)


def _peak(records: Records) -> float:
    """Return the peak rate that the survey gives all schedules."""
    return records[DIGITS][0].config.peak_lr


def _means(levels: Levels, name: str) -> dict[float | str, float]:
    return {level: fmean(accuracies[name].values()) for level, accuracies in levels.items()}


def _ends(levels: Levels, name: str, level: float | str) -> list[float]:
    return list(levels[level][name].values())


def _compared(levels: Levels, level: float | str, name: str = "linear") -> PairedComparison:
    """Return a schedule against the constant rate at one level; its interval is this pair's alone."""
    pair = {each: levels[level][each] for each in (name, "constant")}
    return compare_all(pair, pairs=[(name, "constant")])[0]


def _order(accuracies: Mapping[str, float]) -> tuple[str, ...]:
    """Return schedules, the highest first."""
    return tuple(sorted(accuracies, key=accuracies.__getitem__, reverse=True))


def _draw_levels(axes: Axes, levels: Levels, *, error: bool = False) -> None:
    """Draw the three schedules over levels that are numbers: dots are seeds, lines join their means."""
    for name in THREE:
        color = COLOR[name]
        for level, accuracies in levels.items():
            values = [1 - value if error else value for value in accuracies[name].values()]
            axes.plot([level] * len(values), values, "o", color=color, markersize=4.5, alpha=0.55, mew=0)
        mean = [1 - value if error else value for value in _means(levels, name).values()]
        axes.plot(list(levels), mean, color=color, linewidth=2.2)


def _log_axis(axes: Axes, ticks: Sequence[float]) -> None:
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.set_xticks(ticks)
    plain(axes.xaxis)


# --- Figure 10.1: one setting, and five ways to leave it --------------------------------------------------


def overview_figure(records: Records | None = None) -> TwoWidths:
    """Draw the mean lead over the constant rate on the digits as one factor changes: a panel for each."""
    records = Records() if records is None else records
    learned = {rate: each for rate, each in _rates(records).items() if 0.0003 <= rate <= _peak(records)}
    words = {"classes": "which\ndigit", "parity": "even\nor odd", "resnet8": "small", "resnet10": "large"}
    factors = {
        "peak rate": learned,
        "images": _images(records),
        "question": _questions(records),
        "network": _networks(records, 0.01),
        "epochs": _lengths(records),
    }
    middle = {"peak rate": _peak(records), "images": 1000, "question": 0, "epochs": 8}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.7) if wide else (NARROW, 6.6))
        if wide:
            panels = list(figure.subplots(1, 5, sharey=True))
        else:
            panels = list(figure.subplots(3, 2, sharey=True).ravel())
            panels.pop().axis("off")
        for axes, (title, levels) in zip(panels, factors.items(), strict=True):
            numbers = not isinstance(next(iter(levels)), str)
            places = list(levels) if numbers else list(range(len(levels)))
            if numbers:
                _log_axis(axes, [0.001, 0.01, 0.1] if title == "peak rate" else places)
            else:
                axes.set_xticks(places, [words[str(level)] for level in levels])
                axes.set_xlim(-0.5, len(places) - 0.5)
            axes.set_title(title)
            if title in middle:
                axes.axvline(middle[title], color=INK, linewidth=0.8, linestyle=":", zorder=0)
            axes.axhline(0, color=GRAY, linewidth=2.2)
            for name in ("drop", "linear"):
                lead = [
                    100 * fmean(paired_differences(accuracies, name, "constant").values())
                    for accuracies in levels.values()
                ]
                axes.plot(places, lead, "o-", color=COLOR[name], markersize=4.5, linewidth=2.2)
        panels[0].set_ylim(-18, 15)
        panels[0].set_yticks(
            [-15, -10, -5, 0, 5, 10],
            ["\N{MINUS SIGN}15", "\N{MINUS SIGN}10", "\N{MINUS SIGN}5", "0", "+5", "+10"],
        )
        lengths = panels[-1]
        note(lengths, "linear", (2.6, 12.2), (4, 0), color=LINEAR)
        note(lengths, "drop", (2.6, -10), (4, -8), color=DROP)
        note(panels[1], "constant", (220, 0), (0, -15), color=GRAY, ha="center")
        figure.supylabel("points ahead of the constant rate", fontsize=10)
        return figure

    lengths = _lengths(records)
    first = min(lengths)
    lead = {name: _means(lengths, name)[first] - _means(lengths, "constant")[first] for name in THREE}
    return TwoWidths(
        draw,
        alt="Five panels, the mean lead of drops and of linear decay over the constant rate on the digits, "
        "in points, as one factor changes: peak rate, number of images, question, network, number of epochs. "
        "Drops are below linear decay everywhere. At the lowest rate both are well below zero; in the "
        f"shortest training, {first} epochs, linear decay leads by {points(lead['linear'])} points and "
        f"drops are {points(lead['drop'])} behind.",
    )


# --- Figure 10.2: four handles in the valley --------------------------------------------------------------

#: The noisy valley as it was: updates, noise, directions; and what a prediction changes, one at a time.
STEPS, NOISE, DIRECTIONS = 300, 0.1, 64
CHANGES = {"rate": 3, "updates": 3000, "noise": 1.0, "directions": 8}

#: The values of each handle in figure 10.2, from where it was.
HANDLES = {
    "rate": (1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5),
    "updates": (300, 400, 500, 700, 1000, 1500, 2000, 3000),
    "noise": (0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3),
    "directions": (64, 48, 32, 24, 16, 12, 8),
}
TICKS = {
    "rate": (1, 2, 5),
    "updates": (300, 1000, 3000),
    "noise": (0.1, 0.3, 1, 3),
    "directions": (64, 16, 8),
}
#: The orders in figure 10.2, lowest loss first, from left to right.
ORDERS = (("constant", "linear", "drop"), ("linear", "constant", "drop"), ("linear", "drop", "constant"))


@cache
def _best_constant_rate() -> float:
    valley = Valley(noise=NOISE, directions=DIRECTIONS)
    return valley.best_peak_lr(Constant(), steps=STEPS).peak_lr


def _valley_losses(handle: str, value: float) -> dict[str, float]:
    """Return the final loss of the three schedules, each planned for its length, with one handle changed."""
    at = {"rate": 1.0, "updates": STEPS, "noise": NOISE, "directions": DIRECTIONS} | {handle: value}
    valley, steps = Valley(noise=at["noise"], directions=int(at["directions"])), int(at["updates"])
    plans = {name: RECIPES[name].build(total_steps=steps, steps_per_epoch=1) for name in THREE}
    peak = at["rate"] * _best_constant_rate()
    return {name: valley.final_loss(plan, steps=steps, peak_lr=peak) for name, plan in plans.items()}


def valley_figure() -> TwoWidths:
    """Draw the expected loss of the three schedules over four handles of the valley, all from one point."""
    found = {handle: [_valley_losses(handle, x) for x in values] for handle, values in HANDLES.items()}
    titles = {
        "rate": "peak rate",
        "updates": "updates",
        "noise": "noise",
        "directions": "directions",
    }

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.7) if wide else (NARROW, 5.4))
        panels = figure.subplots(1, 4, sharey=True) if wide else figure.subplots(2, 2, sharey=True).ravel()
        for axes, (handle, losses) in zip(panels, found.items(), strict=True):
            values = HANDLES[handle]
            for name in THREE:
                axes.plot(values, [loss[name] for loss in losses], color=COLOR[name], linewidth=2.2)
            _log_axis(axes, TICKS[handle])
            axes.set_xlim(values[0], values[-1])
            axes.set_title(titles[handle])
            axes.set_xlabel(
                "times the first" if handle == "rate" else "fewer and fewer" if handle == "directions" else ""
            )
            axes.set_yscale("log", subs=())
        figure.get_layout_engine().set(wspace=0.07)
        panels[0].set_ylim(0.0025, 1.6)
        panels[0].set_yticks([0.01, 0.1, 1])
        plain(panels[0].yaxis)
        figure.supylabel("expected loss", fontsize=10)
        last = found["rate"][-1]
        note(panels[0], "constant", (5, last["constant"]), (-2, 6), color=GRAY, ha="right")
        note(panels[0], "drop", (5, last["drop"]), (-2, 10), color=DROP, ha="right")
        note(panels[0], "linear", (5, last["linear"]), (-2, -15), color=LINEAR, ha="right")
        return figure

    return TwoWidths(
        draw,
        alt="Four panels, expected loss in the valley, on a logarithmic axis, over the peak rate, the number "
        "of updates, the noise, and ever fewer directions. All start from one point, where the constant "
        "rate is lowest and drops are highest. To the right the constant rate is passed first by linear "
        "decay, and later by drops as well.",
    )


@finding()
def valley_answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction. It is computed, not recorded; the claims keep the words true."""
    before = _valley_losses("rate", 1.0)
    after = {handle: _valley_losses(handle, value) for handle, value in CHANGES.items()}
    pair = {
        handle: f"{rounded(loss['linear'], 3)} against {rounded(loss['constant'], 3)}"
        for handle, loss in after.items()
    }
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        Each of them. As it was, the constant rate ends at {constant}, linear decay at {linear}. Now linear
        decay is the lower one: {rate} with {rate_times} times the rate, {updates} with {updates_times} times
        the updates, {noise} with {noise_times} times the noise, and {directions} in {few} directions.

        </details>
        """,
        {
            "constant": rounded(before["constant"], 3),
            "linear": rounded(before["linear"], 3),
            "rate_times": count(CHANGES["rate"]),
            "updates_times": count(CHANGES["updates"] // STEPS),
            "noise_times": count(round(CHANGES["noise"] / NOISE)),
            "few": count(CHANGES["directions"]),
            **pair,
        },
        {
            "as it was the constant rate is lower": before["constant"] < before["linear"],
            "linear decay is lower with a higher rate": after["rate"]["linear"] < after["rate"]["constant"],
            "and with more updates": after["updates"]["linear"] < after["updates"]["constant"],
            "and with more noise": after["noise"]["linear"] < after["noise"]["constant"],
            "and with fewer directions": after["directions"]["linear"] < after["directions"]["constant"],
        },
    )


@finding()
def valley_why_text(records: Records) -> Finding:
    """Say what the four changes have in common, and why drops pass the constant rate last."""
    seen = {
        handle: [
            order
            for order, _ in groupby(
                _order({n: -x for n, x in _valley_losses(handle, v).items()}) for v in values
            )
        ]
        for handle, values in HANDLES.items()
    }
    plans = {name: RECIPES[name].build(total_steps=1000, steps_per_epoch=1) for name in THREE}
    areas = {name: fmean(plan.values(1000)) for name, plan in plans.items()}
    return Finding(
        """
        A falling rate calms the shaking and pays with distance: the sum of its rates, its
        [area](polynomial.ipynb), is {linear} of a constant one's for linear decay, and only {drop} for drops.
        A higher rate or more updates leave less distance, fewer flat directions have less to begin with, and
        more noise is more shaking. In all four panels the order turns in the same steps: linear decay passes
        the constant rate first; drops, which pay more, pass it later.

        The five factors are handles on these four: the initial rate on the peak, epochs on the updates, data
        and task on the noise and on what there is to learn, architecture on the curvatures.
        """,
        {"linear": rounded(areas["linear"]), "drop": rounded(areas["drop"])},
        {
            "all handles go through the same three orders": all(
                orders == list(ORDERS) for orders in seen.values()
            ),
            "drops have less than half the area of linear decay": areas["drop"] < areas["linear"] / 2,
        },
    )


# --- Figure 10.3: the reader's own runs -------------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw runs that were just trained, thick, over the recorded ones of the same setting, thin."""
    return drawn.live_figure(
        mine,
        records,
        studies=ALL,
        alt="Your runs with a constant rate, with drops and with linear decay, thick, over the recorded runs "
        "of the same setting, thin. Left the training loss falls; right the test accuracy at the end of "
        "each epoch. With two epochs on the digits linear decay ends highest and drops lowest.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of two epochs of the digits, what the recorded runs show."""
    records = Records() if records is None else records
    ends = [f"{percent(final_accuracy(run))} ({label})" for label, run in mine.items()]
    short = min(_lengths(records))
    usual = all(
        run.config.epochs == short and alike(run, records[LENGTHS]) for run in mine.values()
    )  # of another setting, the sentence below says nothing
    ours = two_epochs_text(records) if usual else Finding("", {}, {})
    text = f"{', '.join(ends[:-1])} and {ends[-1]}" if len(ends) > 1 else ends[0]
    return Finding("Your runs ended at {yours}. {ours}", {"yours": text, "ours": ours.text}, ours.holds)


@finding()
def two_epochs_text(records: Records) -> Finding:
    """Say how the recorded runs of the shortest training on the digits end."""
    levels = _lengths(records)
    short = min(levels)
    ends = {name: _ends(levels, name, short) for name in THREE}
    return Finding(
        """
        Our recorded runs, {n} of each, end at {constant}, {drop} and {linear} on average. Every run with
        drops is below every one at the constant rate, and those are below every run with linear decay.
        """,
        {"n": count(len(ends["drop"])), **{name: percent(fmean(values)) for name, values in ends.items()}},
        {
            "as many runs of each": len({len(values) for values in ends.values()}) == 1,
            "every run with drops is below every constant one": max(ends["drop"]) < min(ends["constant"]),
            "every constant one is below every linear one": max(ends["constant"]) < min(ends["linear"]),
        },
    )


# --- Figure 10.4: epochs ----------------------------------------------------------------------------------


def budgets_figure(records: Records | None = None) -> TwoWidths:
    """Draw final test accuracy over the length of training, on CIFAR-10 and on the digits."""
    records = Records() if records is None else records
    cifar, digits = _budgets(records), _lengths(records)
    best = max(x for level in cifar for x in _ends(cifar, "constant", level))

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.3) if wide else (NARROW, 6.2))
        panels = figure.subplots(1, 2, width_ratios=[1.25, 1]) if wide else figure.subplots(2, 1)
        for axes, levels, title in zip(panels, (cifar, digits), ("CIFAR-10", "digits"), strict=True):
            _draw_levels(axes, levels)
            _log_axis(axes, list(levels))
            axes.set_title(f"test accuracy, {title}")
            in_per_cent(axes.yaxis)
            axes.set_xlabel("epochs of training")
        left, right = panels
        left.axhline(best, color=GRAY, linewidth=0.9, linestyle=":")
        note(left, "best constant run", (min(cifar), best), (0, 3), color=GRAY, fontsize=9)
        left.set_ylim(0.67, 0.84)
        right.set_ylim(0.48, 1.01)
        last = {name: _means(cifar, name)[max(cifar)] for name in THREE}
        label_ends(left, [Label(x, f"{name} {percent(x)}", COLOR[name]) for name, x in last.items()])
        note(right, "linear", (2.2, 0.955), (0, 6), color=LINEAR)
        note(right, "constant", (4.6, 0.84), color=GRAY)
        note(right, "drop", (2.6, 0.72), (10, -8), color=DROP)
        return figure

    first = min(cifar)
    ends = {name: _means(cifar, name)[first] for name in THREE}
    return TwoWidths(
        draw,
        alt="Test accuracy at the end over the epochs of training, logarithmic, for constant, drop and "
        "linear; left CIFAR-10 from 5 to 40 epochs, right the digits from 2 to 16. Linear decay is highest "
        f"at every length. With {first} epochs on CIFAR-10 it ends at {percent(ends['linear'])}, above the "
        f"best constant run of any length; drops end at {percent(ends['drop'])}, below the constant rate, "
        "and come close to linear decay as the training gets longer.",
    )


@finding(heading="Epochs: five with linear decay beat forty at a constant rate")
def budgets_text(records: Records) -> Finding:
    """Say what the length of training does to three schedules, each planned for its length."""
    levels, digits = _budgets(records), _lengths(records)
    lengths, main = list(levels), records[CIFAR10][0].config.epochs
    short, long = lengths[0], lengths[-1]
    mean = {name: _means(levels, name) for name in THREE}
    every_constant = [x for level in lengths for x in _ends(levels, "constant", level)]
    lead = {e: mean["linear"][e] - mean["constant"][e] for e in lengths}
    over_drop = {e: mean["linear"][e] - mean["drop"][e] for e in lengths}
    ten = lengths[1]
    twenty = lengths[2]
    few, seeds = len(levels[short]["linear"]), len(levels[main]["linear"])
    apart = max(max(x) - min(x) for x in (_ends(levels, name, short) for name in THREE))
    (slow_run,) = records.runs(SLOW, "constant", peak_lr=0.01)
    slow = final_accuracy(slow_run)
    digits_lead = {e: _means(digits, "linear")[e] - _means(digits, "constant")[e] for e in digits}
    return Finding(
        """
        Each plan is made for its own length. With {short} epochs linear decay ends at {linear}, above every
        constant run of any length. Drops end at {drop}: **{lost} points *below* the constant rate**. Their
        first cut, to a quarter, comes after {first} of an epoch, when there is far to go and little to calm.
        From {twenty} epochs on they too beat every constant run; but {main} epochs with drops ({drop_main})
        are worth {ten} with linear decay ({linear_ten}).

        So the shorter the training, the more its plan matters: linear decay leads drops by {over_short}
        points at {short} epochs, by {over_long} at {long}. On the digits, its lead over the constant rate
        falls from {digits_first} points with {digits_short} epochs to {digits_last} with {digits_long}.

        *How sure? {Few} seeds at each length of CIFAR-10, {seeds} at {main}; with {short} epochs, those of
        one schedule are within {apart} points. The peak of {peak} is too high for a constant rate: at
        {slow_rate}, one run of {main} epochs reaches {slow}.*
        """,
        {
            "short": short,
            "linear": percent(mean["linear"][short]),
            "drop": percent(mean["drop"][short]),
            "lost": points(mean["constant"][short] - mean["drop"][short]),
            "first": rounded(RECIPES["drop"].drop_fraction * short, 2),
            "twenty": twenty,
            "main": main,
            "drop_main": percent(mean["drop"][main]),
            "ten": ten,
            "linear_ten": percent(mean["linear"][ten]),
            "long": long,
            "over_short": points(over_drop[short]),
            "over_long": points(over_drop[long]),
            "digits_first": points(digits_lead[min(digits)]),
            "digits_short": min(digits),
            "digits_last": points(digits_lead[max(digits)]),
            "digits_long": max(digits),
            "Few": count(few).capitalize(),
            "seeds": count(seeds),
            "apart": points(apart),
            "peak": f"{_peak(records):g}",
            "slow_rate": f"{slow_run.config.peak_lr:g}",
            "slow": percent(slow),
        },
        {
            "the shortest has five epochs and the longest forty": (short, long) == (5, 40),
            "every short run with linear decay is above every constant run": min(
                _ends(levels, "linear", short)
            )
            > max(every_constant),
            "every short run with drops is below every constant one of its length": max(
                _ends(levels, "drop", short)
            )
            < min(_ends(levels, "constant", short)),
            "at ten epochs the two overlap": min(_ends(levels, "drop", ten))
            < max(_ends(levels, "constant", ten)),
            "from the third length on every run with drops is above every constant one": all(
                min(_ends(levels, "drop", e)) > max(every_constant) for e in lengths[2:]
            ),
            "the first cut is to a quarter": {
                run.config.recipe for run in records.runs(BUDGETS, "drop", epochs=short)
            }
            == {RECIPES["drop"]},
            "linear decay with ten epochs is level with drops after thirty": (ten, main) == (10, 30)
            and abs(mean["linear"][ten] - mean["drop"][main]) < 0.005,
            "linear decay is highest in every run, at every length": all(
                min(_ends(levels, "linear", e)) > max(_ends(levels, "drop", e) + _ends(levels, "constant", e))
                for e in lengths
            ),
            "its lead over drops shrinks with the length": list(over_drop.values())
            == sorted(over_drop.values(), reverse=True),
            "on the digits its lead over the constant rate shrinks with the length": list(
                digits_lead.values()
            )
            == sorted(digits_lead.values(), reverse=True),
            "the gaps are more than twice as wide as the seeds": 2 * apart
            < min(lead[short], mean["constant"][short] - mean["drop"][short]),
            "a lower constant rate does better than five epochs of linear decay": slow
            > mean["linear"][short],
            "two seeds at all other lengths": {len(levels[e]["drop"]) for e in lengths if e != main} == {few},
        },
    )


# --- Figure 10.5: the initial rate ------------------------------------------------------------------------


def rates_figure(records: Records | None = None) -> TwoWidths:
    """Draw test error over the peak rate: nine rates on the digits, four on CIFAR-10."""
    records = Records() if records is None else records
    digits, cifar = _rates(records), _levels(records, "peak_lr", MAP)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.2) if wide else (NARROW, 6.2))
        left, right = figure.subplots(1, 2, width_ratios=[1.35, 1]) if wide else figure.subplots(2, 1)
        _draw_levels(left, digits, error=True)
        _draw_levels(right, cifar, error=True)
        _log_axis(left, [0.0001, 0.001, 0.01, 0.1, 1])
        _log_axis(right, list(cifar))
        left.set_yscale("log", subs=())
        left.set_ylim(0.003, 1.3)
        left.set_yticks([0.01, 0.03, 0.1, 0.3, 0.9])
        left.minorticks_off()
        left.set_title("test error, digits")
        right.set_title("test error, CIFAR-10, one run each")
        right.set_ylim(0.16, 0.27)
        right.set_yticks([0.16, 0.18, 0.2, 0.22, 0.24, 0.26])
        for axes in (left, right):
            in_per_cent(axes.yaxis)
            axes.set_xlabel("peak learning rate")
        low = sorted(digits)[0]
        peak = _peak(records)
        note(left, "drop", (low, 1 - _means(digits, "drop")[low]), (9, 2), color=DROP)
        note(left, "constant", (0.0001, 0.0095), color=GRAY)
        note(left, "linear", (peak, 1 - _means(digits, "linear")[peak]), (8, -4), color=LINEAR)
        ends = [Label(1 - _means(cifar, name)[max(cifar)], name, COLOR[name]) for name in THREE]
        label_ends(right, ends)
        return figure

    return TwoWidths(
        draw,
        alt="Test error over the peak rate, which is logarithmic, for constant, drop and linear. Left, the "
        "digits: three bowls. At the lowest rates the constant rate has the smallest error and drops the "
        "largest; in the middle they come together; at 0.1 linear decay is lowest and constant highest; from "
        "0.3 on nothing is learned well. Right, CIFAR-10: the constant rate is best at 0.01 and gets "
        "worse with every higher rate, linear decay and drops are best at 0.1.",
    )


@finding(heading="Initial rate: at a low peak, the constant rate wins")
def rates_text(records: Records) -> Finding:
    """Say who wins at which peak rate, and how little is left where each has its own."""
    digits, cifar = _rates(records), _levels(records, "peak_lr", MAP)
    mean = {name: _means(digits, name) for name in THREE}
    low, peak = 0.0003, _peak(records)
    best = {name: max(each, key=each.__getitem__) for name, each in mean.items()}
    top = {name: mean[name][rate] for name, rate in best.items()}
    level = [rate for rate in digits if 0.001 <= rate <= 0.01]
    failed = [rate for rate in digits if max(_ends(digits, "constant", rate)) < FAILED]
    high = _compared(digits, peak)
    ends = {name: _means(cifar, name) for name in THREE}
    own = {name: max(each, key=each.__getitem__) for name, each in ends.items()}
    return Finding(
        """
        Low rates leave distance, and whoever spends most rate is ahead. On the digits at {low}, every
        constant run ends above every run with linear decay ({constant} and {linear} on average); drops end at
        {drop}. From {level_low} to {level_high}, constant and linear are within {level} points. At {peak}
        linear decay leads, by {lead} points on {n} seeds. From {failed} on the constant rate only guesses.

        Each at its own best rate ({best_constant}, {best_drop}, {best_linear}), the three lie within {span}
        points. On CIFAR-10 more is left: in one run of each, the constant rate does best at {own_constant}
        with {top_constant}, linear decay at {own_linear} with {top_linear} ([all](analysis.ipynb)). A
        race at a single rate asks which schedule that rate suits.
        """,
        {
            "low": f"{low:g}",
            "constant": percent(mean["constant"][low]),
            "linear": percent(mean["linear"][low]),
            "drop": percent(mean["drop"][low]),
            "level_low": f"{min(level):g}",
            "level_high": f"{max(level):g}",
            "level": points(max(abs(mean["linear"][rate] - mean["constant"][rate]) for rate in level)),
            "peak": f"{peak:g}",
            "lead": between(high),
            "n": count(high.n),
            "failed": f"{min(failed):g}",
            "best_constant": f"{best['constant']:g}",
            "best_drop": f"{best['drop']:g}",
            "best_linear": f"{best['linear']:g}",
            "span": points(max(top.values()) - min(top.values())),
            "own_constant": f"{own['constant']:g}",
            "top_constant": percent(ends["constant"][own["constant"]]),
            "own_linear": f"{own['linear']:g}",
            "top_linear": percent(ends["linear"][own["linear"]]),
        },
        {
            "at the low rate every constant run is above every linear one": min(
                _ends(digits, "constant", low)
            )
            > max(_ends(digits, "linear", low)),
            "and every linear one is above every one with drops": min(_ends(digits, "linear", low))
            > max(_ends(digits, "drop", low)),
            "in the middle constant and linear are level": all(
                abs(mean["linear"][rate] - mean["constant"][rate]) < 0.003 for rate in level
            ),
            "at the shared peak linear decay leads with every seed": min(
                paired_differences(digits[peak], "linear", "constant").values()
            )
            > 0,
            "the rates that fail are the highest": min(failed) > peak
            and len(failed) == sum(r > peak for r in digits),
            "the three best are within a point": max(top.values()) - min(top.values()) < 0.01,
            "the constant rate's best is the lowest of the three": best["constant"]
            < min(best["drop"], best["linear"]),
            "on CIFAR-10 linear decay at its own best rate is more than a point ahead": ends["linear"][
                own["linear"]
            ]
            - ends["constant"][own["constant"]]
            > 0.01,
            "its best rate is the higher one there": own["linear"] > own["constant"],
            "one run of each there": all(
                len(seeds) == 1 for level in cifar.values() for seeds in level.values()
            ),
        },
    )


# --- Figure 10.6: dataset and task ------------------------------------------------------------------------


def data_figure(records: Records | None = None) -> TwoWidths:
    """Draw test accuracy over the number of training images, and for two questions about the same images."""
    records = Records() if records is None else records
    images, questions = _images(records), _questions(records)
    words = {"classes": "which digit?", "parity": "even or odd?"}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.0) if wide else (NARROW, 5.8))
        left, right = figure.subplots(1, 2, width_ratios=[1.25, 1]) if wide else figure.subplots(2, 1)
        _draw_levels(left, images)
        _log_axis(left, list(images))
        left.set_title("test accuracy over the number of images")
        left.set_xlabel("training images")
        left.set_ylim(0.68, 1.005)
        label_ends(left, [Label(_means(images, name)[max(images)], name, COLOR[name]) for name in THREE])
        for shift, name in zip((-0.2, 0.0, 0.2), THREE, strict=True):
            color = COLOR[name]
            for place, question in enumerate(questions):
                values = _ends(questions, name, question)
                axes_x = place + shift
                right.plot(
                    [axes_x] * len(values), values, "o", color=color, markersize=4.5, alpha=0.55, mew=0
                )
                mean = fmean(values)
                right.plot([axes_x - 0.08, axes_x + 0.08], [mean, mean], color=color, linewidth=2.8)
        right.set_xticks(range(len(questions)), [words[str(question)] for question in questions])
        right.set_xlim(-0.5, 1.5)
        right.set_ylim(0.915, 1.0)
        right.set_title("the same images, two questions")
        right.grid(axis="x", visible=False)
        for axes in (left, right):
            in_per_cent(axes.yaxis)
        lowest = min(_ends(questions, "constant", "classes"))
        note(right, "constant", (-0.2, lowest), (0, -16), color=GRAY, ha="center")
        top = {name: max(_ends(questions, name, "classes")) for name in ("drop", "linear")}
        for place, (name, value) in zip((0.0, 0.2), top.items(), strict=True):
            note(right, name, (place, value), (0, 6), color=COLOR[name], ha="center")
        return figure

    fewest, most = min(images), max(images)
    return TwoWidths(
        draw,
        alt=f"Left: test accuracy on the digits with {fewest} to {most} training images, for constant, drop "
        "and linear; all three rise by far more than they differ, and with few images the seeds overlap. "
        "Right: the same images with two questions. Under linear decay which digit is answered better than "
        "even or odd; under the constant rate it is the other way round, with wide scatter.",
    )


@finding(heading="Dataset: the images matter more than the schedule")
def data_text(records: Records) -> Finding:
    """Compare what fewer images change with what the schedule changes, and two data sets."""
    levels = _images(records)
    mean = {name: _means(levels, name) for name in THREE}
    few, most = min(levels), max(levels)
    fall = [mean[name][most] - mean[name][few] for name in THREE]
    span = max(max(x) - min(x) for x in ([mean[name][level] for name in THREE] for level in levels))
    lead = {level: _compared(levels, level) for level in levels}
    places = {
        study: _order({name: fmean(finals(records.runs(study, name))) for name in SURVEY})
        for study in (DIGITS, CIFAR10)
    }
    updates = {run.config.total_steps for study in (IMAGES, DIGITS) for run in records[study]}
    ordinal = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
    middle = sorted(levels)[1]
    return Finding(
        """
        With fewer images an epoch has fewer updates, so these runs have more epochs: all have {updates}
        updates. From {most} to {few} images, test accuracy falls by {fall_low} to {fall_high} points; at no
        size do the schedules differ by more than {span}. Linear decay leads the constant rate by {lead_most}
        points with {most} images, {lead_middle} with {middle} and {lead_few} with {few}: {seeds} seeds cannot
        tell whether the lead changes.

        Another data set changes the ranking: time-based decay is {time_digits} of {eight} on the digits,
        {time_cifar} on CIFAR-10. On both, triangle and linear decay come first and the constant rate last.
        But network, batch and length differ, too.
        """,
        {
            "updates": f"{updates.pop():,}" if len(updates) == 1 else "?",
            "most": f"{most:,}",
            "few": few,
            "middle": middle,
            "fall_low": points(min(fall)),
            "fall_high": points(max(fall)),
            "span": points(span),
            "lead_most": between(lead[most]),
            "lead_middle": between(lead[middle]),
            "lead_few": between(lead[few]),
            "seeds": count(lead[few].n),
            "time_digits": ordinal[places[DIGITS].index("time")],
            "time_cifar": ordinal[places[CIFAR10].index("time")],
            "eight": count(len(SURVEY)),
        },
        {
            "every run has as many updates": len(
                {run.config.total_steps for study in (IMAGES, DIGITS) for run in records[study]}
            )
            == 1,
            "the images change more than four times what the schedule does": min(fall) > 4 * span,
            "linear decay has the highest mean at each size": all(
                mean["linear"][level] == max(each[level] for each in mean.values()) for level in levels
            ),
            "with few images the interval holds zero, and the other means": lead[few].interval[0]
            < 0
            < lead[most].mean_difference
            < lead[few].interval[1],
            "triangle and linear come first on both data sets": all(
                order[:2] == ("triangle", "linear") for order in places.values()
            ),
            "the constant rate comes last on both": all(order[-1] == "constant" for order in places.values()),
            "time-based decay moves by three places or more": places[CIFAR10].index("time")
            - places[DIGITS].index("time")
            >= 3,
            "the same number of seeds at each size": len({each.n for each in lead.values()}) == 1,
        },
    )


@finding(heading="Task: the schedule changes which question looks easier")
def task_text(records: Records) -> Finding:
    """Compare two questions about the same images under linear decay and under the constant rate."""
    levels = _questions(records)
    mean = {name: _means(levels, name) for name in THREE}
    ahead = {  # which digit, less even or odd, seed by seed
        name: list(
            paired_differences({task: levels[task][name] for task in levels}, "classes", "parity").values()
        )
        for name in THREE
    }
    lead = {task: _compared(levels, task) for task in levels}
    gains = [
        a - b
        for a, b in zip(
            *(
                paired_differences(levels[task], "linear", "constant").values()
                for task in ("classes", "parity")
            ),
            strict=True,
        )
    ]
    low, high = interval(gains)
    return Finding(
        """
        The same images, the same network up to its last layer: *which digit is it?* or *is it even or
        odd?* (figure 10.6, right). By guessing, the second is right half the time. Yet under linear decay
        the first is answered better, with each of the {n} seeds: {linear_digit} against {linear_parity}.
        At the constant rate it is answered worse, {constant_digit} against {constant_parity}, with
        {worse} of {n} seeds.

        Linear decay leads the constant rate on both: by {lead_digit} points for the digit, {lead_parity}
        for even or odd. That the second lead is smaller may be luck.
        """,
        {
            "n": count(len(gains)),
            "linear_digit": percent(mean["linear"]["classes"]),
            "linear_parity": percent(mean["linear"]["parity"]),
            "constant_digit": percent(mean["constant"]["classes"]),
            "constant_parity": percent(mean["constant"]["parity"]),
            "worse": count(sum(x < 0 for x in ahead["constant"])),
            "lead_digit": between(lead["classes"]),
            "lead_parity": between(lead["parity"]),
        },
        {
            "under linear decay the digit is answered better with each seed": min(ahead["linear"]) > 0,
            "at the constant rate it is worse on average, and with most seeds": fmean(ahead["constant"]) < 0
            and sum(x < 0 for x in ahead["constant"]) > len(ahead["constant"]) / 2,
            "linear decay has the higher mean on both, with each seed": all(
                min(paired_differences(levels[task], "linear", "constant").values()) > 0 for task in levels
            ),
            "the second lead is smaller, and the interval of the difference holds zero": low
            < 0
            < fmean(gains)
            and high > 0,
        },
    )


# --- Figure 10.7: architecture ----------------------------------------------------------------------------


def networks_figure(records: Records | None = None) -> TwoWidths:
    """Draw test error over the peak rate on the digits, a panel for each of two networks."""
    records = Records() if records is None else records
    found = {
        "small network": _rates(records),
        "network forty times as large": _levels(records, "peak_lr", NETWORKS),
    }

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.0) if wide else (NARROW, 5.8))
        panels = (
            figure.subplots(1, 2, sharey=True, sharex=True) if wide else figure.subplots(2, 1, sharex=True)
        )
        for axes, (title, levels) in zip(panels, found.items(), strict=True):
            within = {rate: each for rate, each in levels.items() if 0.001 <= rate <= 0.3}
            _draw_levels(axes, within, error=True)
            _log_axis(axes, [0.001, 0.01, 0.1, 0.3])
            axes.set_title(title)
            axes.set_yscale("log", subs=())
            axes.set_ylim(0.003, 1.3)
            axes.set_yticks([0.01, 0.03, 0.1, 0.3, 0.9])
            axes.minorticks_off()
            in_per_cent(axes.yaxis)
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("peak learning rate")
        figure.supylabel("test error", fontsize=10)
        small = found["small network"]
        note(panels[0], "drop", (0.001, 1 - _means(small, "drop")[0.001]), (8, 3), color=DROP)
        large = found["network forty times as large"]
        note(panels[1], "constant", (0.055, 0.62), color=GRAY, ha="right")
        note(panels[1], "drop", (0.04, 0.3), color=DROP, ha="right")
        note(
            panels[1],
            "linear",
            (_peak(records), 1 - _means(large, "linear")[_peak(records)]),
            (6, -10),
            color=LINEAR,
        )
        return figure

    return TwoWidths(
        draw,
        alt="Test error on the digits over the peak rate, both axes logarithmic, for constant, drop and "
        "linear. Left, the small network: small errors up to 0.1, then failure at 0.3. Right, a network "
        "forty times as large, at two rates: at 0.01 all three learn, at 0.1 nearly all runs fail, and only "
        "the dots of linear decay scatter from guessing to a good result.",
    )


@finding(heading="Architecture: the rate that suits one network breaks another")
def networks_text(records: Records) -> Finding:
    """Say what a larger network changes at two rates, and what one run of ResNet-50 can bear."""
    peak, low = _peak(records), 0.01
    high, calm = _networks(records, peak), _networks(records, low)
    lead = {network: _compared(calm, network) for network in calm}
    large = {name: _ends(high, name, "resnet10") for name in THREE}
    good = [x for x in large["linear"] if x > 0.9]
    resnet50 = {name: finals(records.runs(RESNET50, name)) for name in THREE}
    far, near = records.runs(RESNET50, "linear")[0], records.runs(MAP, "linear", peak_lr=peak)[0]
    others = differing(far, near)
    apart = max(max(x) - min(x) for x in (finals(records.runs(CIFAR10, name)) for name in SURVEY))
    return Finding(
        """
        At {peak}, the small network learns the digits with each schedule. One forty times as large does not:
        all {n} constant runs end near guessing, at {constant} at most, and {good} of those with linear decay
        gets above {good_is}. At {low} both networks learn, and linear decay leads by {lead_large} points in
        the large one, {lead_small} in the small one. Two networks at *one* rate differ in two things: the
        architecture, and how far this rate is from what each tolerates.

        **What one run can bear.** ResNet-50 on CIFAR-10 has [one run of each schedule](analysis.ipynb).
        Linear decay leads by {resnet50} points, against {ours} in our smaller network, where seeds of one
        schedule are within {apart} points: luck alone hardly makes such a gap. But the two settings differ in
        {others} things: network, length, augmentation, weight penalty, and images held back from training.
        Which one widens the gap, single runs cannot say.
        """,
        {
            "peak": f"{peak:g}",
            "n": count(len(large["constant"])),
            "constant": percent(max(large["constant"]), 0),
            "good": count(len(good)),
            "good_is": percent(0.9, 0),
            "low": f"{low:g}",
            "lead_large": between(lead["resnet10"]),
            "lead_small": between(lead["resnet8"]),
            "resnet50": points(fmean(resnet50["linear"]) - fmean(resnet50["constant"])),
            "ours": points(
                fmean(finals(records.runs(CIFAR10, "linear")))
                - fmean(finals(records.runs(CIFAR10, "constant")))
            ),
            "others": count(len(others)),
            "apart": points(apart),
        },
        {
            "at the shared rate every run of the small network learns": min(
                x for name in THREE for x in _ends(high, name, "resnet8")
            )
            > 0.9,
            "the large one guesses in all its constant runs": max(large["constant"]) < 0.2,
            "one run with linear decay is good": len(good) == 1,
            "at the lower rate all runs of both learn": min(
                x for network in calm for name in THREE for x in _ends(calm, name, network)
            )
            > 0.9,
            "both intervals hold zero there": all(
                each.interval[0] < 0 < each.interval[1] for each in lead.values()
            ),
            "it is forty times as large": round(_weights("resnet10") / _weights("resnet8")) == 40,
            "one run of ResNet-50 for each": all(len(ends) == 1 for ends in resnet50.values()),
            "its gap is more than five times what seeds differ by": fmean(resnet50["linear"])
            - fmean(resnet50["constant"])
            > 5 * apart,
            "its gap is more than twice ours": fmean(resnet50["linear"]) - fmean(resnet50["constant"])
            > 2
            * (
                fmean(finals(records.runs(CIFAR10, "linear")))
                - fmean(finals(records.runs(CIFAR10, "constant")))
            ),
            "the settings that differ": others
            == {"network", "epochs", "augmentation", "weight_decay", "held"},
        },
    )


# --- Not on the list, and what all settings have in common -----------------------------------------------


@finding(heading="Not on the list: momentum and batch size move the usable rate")
def not_on_the_list_text(records: Records) -> Finding:
    """Say how the peak rates that linear decay can use depend on momentum and batch size."""
    ends: dict[tuple[float, int], dict[float, list[float]]] = {}
    for study in (RULE, PEAKS):
        for run in records[study]:
            config = run.config
            if run.label == "linear" and config.peak_lr >= 0.01:
                at = ends.setdefault((config.momentum, config.batch_size), {})
                at.setdefault(config.peak_lr, []).append(final_accuracy(run))
    mean = {setting: {rate: fmean(x) for rate, x in at.items()} for setting, at in ends.items()}
    restless, calm = (0.9, 5), (0.0, 80)
    low, high = 0.01, 0.3
    top = [max(at.values()) for at in mean.values()]
    return Finding(
        """
        The survey calls its list incomplete, and rightly. With momentum {much} and batches of {small}, linear
        decay on the digits reaches {restless_low} from a peak of {low}, and fails from {high}
        ({restless_high}). Without momentum, in batches of {large}, it is the other way round: {calm_low} and
        {calm_high}. With the best of the recorded rates, each of {n} settings ends between {least} and
        {most}.

        So these two change above all *which* rate is right. How they change the lead over a constant rate is
        not in these runs; augmentation and weight penalty we have not varied alone.
        """,
        {
            "n": count(len(ends)),
            "much": restless[0],
            "small": restless[1],
            "large": calm[1],
            "low": f"{low:g}",
            "high": f"{high:g}",
            "restless_low": percent(mean[restless][low]),
            "restless_high": percent(mean[restless][high]),
            "calm_low": percent(mean[calm][low]),
            "calm_high": percent(mean[calm][high]),
            "least": percent(min(top)),
            "most": percent(max(top)),
        },
        {
            "at the low rate every run with momentum and small batches is ahead": min(ends[restless][low])
            > max(ends[calm][low]),
            "at the high rate every run without, in large batches, is ahead": min(ends[calm][high])
            > max(ends[restless][high]),
            "the former fails at the high rate": max(ends[restless][high]) < FAILED,
            "at their best rates all settings are within a point": max(top) - min(top) < 0.01,
            "there is no constant run": not records.runs(RULE, "constant"),
            "augmentation and weight penalty vary in no study but one": {
                study
                for study in (*ALL, RULE)
                if {(run.config.augmentation, run.config.weight_decay) for run in records[study]}
                != {("none", 1e-4)}
            }
            == {RESNET50},
        },
    )


class Setting(NamedTuple):
    """What runs share but schedule and seed: its peak rate, its number of seeds, and mean accuracies."""

    peak_lr: float
    seeds: int
    mean: dict[str, float]


def _settings(records: Records) -> list[Setting]:
    """Return the recorded settings of all three schedules in which the constant rate learns."""
    groups: dict[str, list[Run]] = {}
    for run in (run for study in ALL for run in records[study] if run.label in THREE):
        groups.setdefault(run.config.model_dump_json(exclude={"seed", "recipe"}), []).append(run)
    found = []
    for runs in groups.values():
        # several studies hold the middle of the star, with the same seeds: each counts once
        ends = {name: {r.config.seed: final_accuracy(r) for r in runs if r.label == name} for name in THREE}
        if min(ends["constant"].values()) > FAILED:
            mean = {name: fmean(each.values()) for name, each in ends.items()}
            found.append(Setting(runs[0].config.peak_lr, len(ends["constant"]), mean))
    return found


@finding(heading="All together: three orders of six")
def three_orders_text(records: Records) -> Finding:
    """Say in which orders the three schedules stand, over all recorded settings."""
    settings = _settings(records)
    found = [_order(setting.mean) for setting in settings]
    times = [found.count(order) for order in ORDERS]
    gains = [setting.mean["linear"] - setting.mean["drop"] for setting in settings]
    seeds = {setting.seeds for setting in settings}
    close = sum(
        abs(setting.mean[a] - setting.mean[b]) < 0.005
        for setting in settings
        for a, b in [_order(setting.mean)[:2]]
    )
    levels = _rates(records)
    learned = [rate for rate in levels if min(_ends(levels, "constant", rate)) > FAILED]
    by_rate = [
        order for order, _ in groupby(_order({n: _means(levels, n)[rate] for n in THREE}) for rate in learned)
    ]
    return Finding(
        """
        We have constant, drop and linear in {n} settings in which the constant rate learns. They could stand
        in {six} orders. {Three} occur, those of figure 10.2: {first} times constant, linear, drop; {second}
        times linear, constant, drop; {third} times linear, drop, constant. On the digits, a rising peak rate
        goes through all of them in turn. Linear decay is ahead of drops in every setting, by {least} to
        {most} points.

        *How sure? Each is a mean over {few} to {many} seeds; in {close} settings the first two are within
        half a point, and their order may be luck. Most settings have the peak rate of {peak}.*
        """,
        {
            "n": len(found),
            "six": count(factorial(len(THREE))),
            "Three": count(len(set(found))).capitalize(),
            "first": count(times[0]),
            "second": count(times[1]),
            "third": count(times[2]),
            "least": points(min(gains)),
            "most": points(max(gains)),
            "close": count(close),
            "few": count(min(seeds)),
            "many": count(max(seeds)),
            "peak": f"{_peak(records):g}",
        },
        {
            "no other order occurs": sum(times) == len(found),
            "each of the three occurs": min(times) > 0,
            "linear decay is ahead of drops in every setting": min(gains) > 0,
            "on the digits the rate goes through all three in turn": by_rate == list(ORDERS),
            "more than half have the shared peak rate": 2
            * sum(setting.peak_lr == _peak(records) for setting in settings)
            > len(settings),
            "in some settings the first two are close": close > 0,
        },
    )


@finding()
def path_text(records: Records) -> Finding:
    """Say whether it matters how the sums are computed."""
    runs = {
        path: by_seed(records[study])["linear"] for path, study in zip(("fast", "plain"), PATHS, strict=True)
    }
    compared = compare_all(runs, pairs=[("fast", "plain")])[0]
    epochs = {run.config.epochs for study in PATHS for run in records[study]}
    shown = [run for study in (CIFAR10, BUDGETS) for run in records[study] if run.label in THREE]
    plain_path = [run for run in shown if run.provenance.path == "plain"]
    largest = max(abs(a) for a in paired_differences(runs, "fast", "plain").values())
    return Finding(
        """
        <details>
        <summary>What should not matter: how the sums are computed</summary>

        All but {plain} of the CIFAR-10 runs of figure 10.4 were trained by a fast path, which adds the same
        numbers in another order. Rounding then differs, and training amplifies it: to the same seed, the
        other path is a new draw. Over {n} seeds of linear decay, {epochs} epochs each, a pair is up to
        {largest} points apart. On average the fast path ends {difference} points below the plain one: as good
        as it, by [our plan](plan.md).

        </details>
        """,
        {
            "plain": count(len(plain_path)),
            "n": count(compared.n),
            "largest": points(largest),
            "difference": between(compared),
            "epochs": count(min(epochs)),
        },
        {
            "the fast path is as good": compared.verdict == "as good as",
            "it is a little lower": compared.mean_difference < 0,
            "all runs have one length": len(epochs) == 1,
            "few runs of the figure took the plain path": 0 < len(plain_path) < 10,
            "each study was computed by its path": all(
                {run.provenance.path for run in records[study]} == {path}
                for path, study in zip(("fast", "plain"), PATHS, strict=True)
            ),
        },
    )


# --- What we found ----------------------------------------------------------------------------------------


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Say the chapter's three results, each with its number and its limit."""
    budgets, digits = _budgets(records), _rates(records)
    short, long, low, peak = min(budgets), max(budgets), 0.0003, _peak(records)
    mean = {name: _means(budgets, name) for name in THREE}
    at = {name: _means(digits, name) for name in THREE}
    settings = _settings(records)
    return Finding(
        """
        > **What we found**
        >
        > 1. **Short of time, drops lose and linear decay wins most.** With {short} epochs of CIFAR-10, at a
        >    peak of {peak}, too high for a constant rate, drops still end {lost} points below one and linear
        >    decay {won} above it. With {long} epochs they are {drop_long} and {linear_long} above.
        > 2. **At a low peak, the constant rate wins.** On the digits it leads linear decay by {behind} points
        >    at {low}; at {peak} it is {ahead} behind.
        > 3. **In {n} settings, linear decay always ends above drops.** The constant rate is first, second or
        >    last. {Few} to {many} seeds each: where two are level, their order may be luck.
        """,
        {
            "short": count(short),
            "peak": f"{peak:g}",
            "lost": points(mean["constant"][short] - mean["drop"][short]),
            "won": points(mean["linear"][short] - mean["constant"][short]),
            "long": long,
            "drop_long": points(mean["drop"][long] - mean["constant"][long]),
            "linear_long": points(mean["linear"][long] - mean["constant"][long]),
            "behind": points(at["constant"][low] - at["linear"][low]),
            "low": f"{low:g}",
            "ahead": points(at["linear"][peak] - at["constant"][peak]),
            "n": len(settings),
            "Few": count(min(setting.seeds for setting in settings)).capitalize(),
            "many": count(max(setting.seeds for setting in settings)),
        },
        {
            "with the fewest epochs every run with drops is below every constant one": max(
                _ends(budgets, "drop", short)
            )
            < min(_ends(budgets, "constant", short)),
            "that peak is too high for a constant rate": final_accuracy(
                records.runs(SLOW, "constant", peak_lr=0.01)[0]
            )
            > max(max(_ends(budgets, "constant", e)) for e in budgets),
            "linear decay leads the constant rate most there": mean["linear"][short] - mean["constant"][short]
            == max(mean["linear"][e] - mean["constant"][e] for e in budgets),
            "with the most epochs both are ahead of every constant run": min(
                _ends(budgets, "drop", long) + _ends(budgets, "linear", long)
            )
            > max(_ends(budgets, "constant", long)),
            "at the low rate every constant run is above every linear one": min(
                _ends(digits, "constant", low)
            )
            > max(_ends(digits, "linear", low)),
            "at the shared one linear decay is ahead with each seed": min(
                paired_differences(digits[peak], "linear", "constant").values()
            )
            > 0,
            "three orders occur": {_order(setting.mean) for setting in settings} == set(ORDERS),
            "linear decay is ahead of drops in every setting": all(
                setting.mean["linear"] > setting.mean["drop"] for setting in settings
            ),
        },
    )


# --- What the functions above share -----------------------------------------------------------------------


@cache
def _weights(network: str) -> int:
    """Return how many numbers a network for the digits trains."""
    from lrlib.training.networks import build  # loads torch, which the figures do without

    return sum(part.numel() for part in build(network, in_channels=1, classes=10, seed=0).parameters())

"""What the chapter on cosine annealing prints: its figures, and the sentences under them with their checks.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from math import pi
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure

from lrbook.chapters import drawn, snapshots
from lrbook.chapters._write import listed
from lrbook.chapters.batches import digit_batches as digit_batches
from lrbook.chapters.drawn import draw_mean, name_at
from lrbook.finding import (
    Finding,
    Records,
    between,
    comparison,
    count,
    finals,
    finding,
    means,
    percent,
    points,
    rounded,
)
from lrlib import CosineAnnealing, LinearDecay, Valley
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import (
    COLOR,
    NARROW,
    RULE,
    SEED,
    TEST,
    TRAINING,
    WIDE,
    Label,
    TwoWidths,
    label_ends,
    plain,
)
from lrlib.runs import Run, published
from lrlib.runs.experiments import study_of
from lrlib.stats import alike, final_accuracy
from lrlib.stats.curves import at_cycle_ends, whole_cycles
from lrlib.theory import Trajectory

CIFAR10, BUDGETS, DIGITS, PEAKS = "survey-laptop", "horizon", "survey-digits", "peak-digits"
RESNET50 = "resnet50-gpu"

ONE, FIVE, LINEAR, GRAY = (COLOR[name] for name in ("cosine", "cosine5", "linear", "constant"))

#: The noisy valley: updates, cycles, the end of the cycle that the prediction asks about, and a low peak
#: rate as a part of the best one.
STEPS, CYCLES, EARLY, LOW = 300, 5, 120, 1 / 3


# --- Figure 9.1: the curve --------------------------------------------------------------------------------


def shapes_figure(records: Records | None = None) -> TwoWidths:
    """Draw the rate of every update of the recorded runs, and one cycle beside linear decay."""
    records = Records() if records is None else records
    first = {name: records.runs(CIFAR10, name)[0] for name in ("cosine", "cosine5", "linear")}
    config = first["cosine5"].config
    epochs, peak, total = config.epochs, config.peak_lr, config.total_steps
    times = np.arange(total) / config.steps_per_epoch
    rates = {name: peak * np.array(run.config.schedule().values(total)) for name, run in first.items()}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.55) if wide else (NARROW, 4.7))
        restarts, shape = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        restarts.axhline(peak, color=GRAY, linewidth=2.0)
        restarts.plot(times, rates["cosine5"], color=FIVE, linewidth=2.0)
        for axes in (restarts, shape):
            axes.plot(times, rates["cosine"], color=ONE, linewidth=2.4)
            axes.set_xlim(0, epochs)
            axes.set_xticks(range(0, epochs + 1, 6))
            axes.set_ylim(0, 0.118)
            axes.set_yticks([0, 0.025, 0.05, 0.075, 0.1])
            plain(axes.yaxis)
        shape.plot(times, rates["linear"], color=LINEAR, linewidth=1.6)
        restarts.set_title("learning rate")
        shape.set_title("one cycle, and a straight line")
        note(restarts, "constant", (epochs, peak), (-2, 4), color=GRAY, ha="right")
        note(restarts, "one cycle", (0.3, peak), (0, 4), color=ONE)
        note(restarts, "five cycles", (11, peak), (0, 4), color=FIVE)
        note(shape, "cosine", (7, rates["cosine"][7 * config.steps_per_epoch]), (5, 3), color=ONE)
        note(shape, "linear", (22, rates["linear"][22 * config.steps_per_epoch]), (4, 3), color=LINEAR)
        for axes in (restarts, shape) if wide else (shape,):
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt="Two panels over 30 epochs. Left: one cosine cycle leaves 0.1 gently, is steepest in the middle "
        "and glides into zero; five cycles do the same every six epochs and jump back to 0.1 four times; "
        "the constant rate is a gray line. Right: the one cycle beside a straight line to zero, above it in "
        "the first half and below it in the second.",
    )


# --- Figure 9.2: in the valley ----------------------------------------------------------------------------


@cache
def _valley_paths(steps: int, cycles: int, part: float = 1.0) -> tuple[float, dict[str, Trajectory]]:
    """Return a peak rate, this part of the best one for a single cycle, and both paths at it."""
    plans = {
        "one": CosineAnnealing(total_steps=steps),
        "more": CosineAnnealing(total_steps=steps, cycles=cycles),
    }
    peak = part * Valley().best_peak_lr(plans["one"], steps=steps).peak_lr
    return peak, {name: Valley().trajectory(plan, steps=steps, peak_lr=peak) for name, plan in plans.items()}


def valley_figure() -> TwoWidths:
    """Draw one cycle and five in the noisy valley: loss, its two parts, and the rate."""
    peak, paths = _valley_paths(STEPS, CYCLES)
    cycle = STEPS // CYCLES
    plans = {
        "more": (CosineAnnealing(total_steps=STEPS, cycles=CYCLES), FIVE),
        "one": (CosineAnnealing(total_steps=STEPS), ONE),
    }

    def draw(wide: bool) -> Figure:
        if wide:
            figure = Figure(figsize=(WIDE, 4.0))
            grid = figure.subplots(2, 2, sharex=True)
            loss, distance, rate, shaking = grid[0, 0], grid[0, 1], grid[1, 0], grid[1, 1]
        else:
            figure = Figure(figsize=(NARROW, 7.4))
            loss, distance, shaking, rate = figure.subplots(4, 1, sharex=True, height_ratios=[3, 3, 3, 1.6])
        for axes, title in ((loss, "expected loss"), (distance, "distance left"), (shaking, "shaking left")):
            axes.set_title(title)
        for axes in (loss, distance):
            axes.set_yscale("log", subs=())
            plain(axes.yaxis)
        loss.set_ylim(0.014, 3)
        loss.set_yticks([0.1, 1])
        distance.set_ylim(0.0012, 3)
        distance.set_yticks([0.01, 0.1, 1])
        shaking.set_ylim(0, 0.15)
        shaking.set_yticks([0, 0.05, 0.1, 0.15])
        rate.set_title("learning rate")
        rate.set_ylim(0, 1)
        ends = {axes: [] for axes in (loss, distance, shaking)}
        for name, (plan, color) in plans.items():
            style = {"color": color, "linewidth": 2.0}
            rate.plot(range(STEPS), [peak * plan(t) for t in range(STEPS)], **style)
            path = paths[name]
            for axes, values in ((loss, path.loss), (distance, path.distance), (shaking, path.shaking)):
                axes.plot(range(STEPS + 1), values, **style)
                decimals = 4 if axes is distance else 3
                ends[axes].append(Label(values[-1], rounded(values[-1], decimals), color))
                if name == "more":
                    at = range(cycle, STEPS + 1, cycle)
                    axes.plot(at, values[list(at)], "o", color=color, markersize=4.5, zorder=4)
        note(loss, "five cycles", (cycle * 3 + 8, 0.18), (0, 4), color=FIVE)
        note(loss, "one cycle", (cycle * 3 + 12, 0.03), (0, -5), color=ONE, ha="right")
        note(shaking, "one cycle", (cycle * 0.6, 0.122), (0, 4), color=ONE)
        for axes in (loss, distance, shaking, rate):
            for restart in range(cycle, STEPS, cycle):
                axes.axvline(restart, color=RULE, linewidth=1.0, zorder=0)
            axes.set_xlim(0, STEPS)
            axes.set_xticks(range(0, STEPS + 1, cycle))
        for axes in (rate, shaking) if wide else (rate,):
            axes.set_xlabel("update")
        for axes, labels in ends.items():
            label_ends(axes, labels)
        return figure

    return TwoWidths(
        draw,
        alt="Four panels over 300 updates: one cosine cycle and five. The loss of the five dips at every "
        "cycle end and jumps up after every restart; its last dips hardly get lower. Distance left falls "
        "to the same value under both. Shaking left comes down to the same height at every end of the "
        "five cycles, more than twice as high as the end of the single one.",
    )


@finding()
def valley_answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction. It is computed, not recorded; the claims keep the words true."""
    _, paths = _valley_paths(STEPS, CYCLES)
    one, five = paths["one"], paths["more"]
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        After {early}, the short cycles, by a little: {five_early} against {one_early}. Their second one is
        over and they are calm, while the long cycle still shakes. After {steps}, the long cycle, by far:
        {one} against {five}.

        </details>
        """,
        {
            "early": EARLY,
            "five_early": rounded(five.loss[EARLY], 3),
            "one_early": rounded(one.loss[EARLY], 3),
            "steps": STEPS,
            "one": rounded(one.loss[-1], 3),
            "five": rounded(five.loss[-1], 3),
        },
        {
            "a second cycle ends there": 2 * (STEPS // CYCLES) == EARLY,
            "the short cycles are a little lower then": 0.75 * one.loss[EARLY]
            < five.loss[EARLY]
            < one.loss[EARLY],
            "they shake less": five.shaking[EARLY] < one.shaking[EARLY] / 2,
            "the long one ends at less than two thirds of theirs": one.loss[-1] < 2 / 3 * five.loss[-1],
        },
    )


@finding()
def valley_why_text(records: Records) -> Finding:
    """Say which part of the loss restarts cost, and when they cannot gain."""
    _, paths = _valley_paths(STEPS, CYCLES)
    _, low = _valley_paths(STEPS, CYCLES, LOW)
    cycle = STEPS // CYCLES
    ends = range(cycle, STEPS + 1, cycle)
    shaking = [paths["more"].shaking[t] for t in ends]
    one, five = paths["one"], paths["more"]
    return Finding(
        """
        Distance is covered by the *sum* of the rates, which is the same for one cycle and several: half of
        what a constant rate spends. Both end with next to none left, {one_distance} and {five_distance}. But
        a restart brings the noise back, and a short cycle has {cycle} updates to get rid of it. Each ends
        with nearly the same shaking, between {low} and {high}; the long one with half of that, {one}.

        Calm helps only where there is noise. At a third of this peak rate most of the loss is distance, and
        the short cycles are never ahead at a cycle end.
        """,
        {
            "one_distance": rounded(one.distance[-1], 4),
            "five_distance": rounded(five.distance[-1], 4),
            "cycle": cycle,
            "low": rounded(min(shaking), 3),
            "high": rounded(max(shaking), 3),
            "one": rounded(one.shaking[-1], 3),
        },
        {
            "the sums of the rates agree, and are half": all(
                abs(fmean(CosineAnnealing(total_steps=STEPS, cycles=n).values(STEPS)) - 0.5) < 0.01
                for n in (1, CYCLES)
            ),
            "at the end distance is less than a tenth of both losses": all(
                path.distance[-1] < path.loss[-1] / 10 for path in paths.values()
            ),
            "shaking at cycle ends differs by a seventh at most": max(shaking) < 8 / 7 * min(shaking),
            "the long cycle ends at half of it": 0.45 * max(shaking) < one.shaking[-1] < 0.55 * min(shaking),
            "at a third of the peak the short cycles are never ahead": all(
                low["more"].loss[t] >= low["one"].loss[t] for t in ends
            ),
            "and up to the last restart most of both losses is distance": all(
                path.distance[t] > path.loss[t] / 2 for path in low.values() for t in ends[:-1]
            ),
        },
    )


# --- Figure 9.3: the reader's own two runs ----------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw two runs that were just trained, thick, over the recorded ones of the same setting, thin."""
    return drawn.live_figure(
        mine,
        records,
        alt="Your two runs, one cosine cycle and five, thick, over the recorded runs of the same setting, "
        "thin. Under one cycle training loss falls steadily and test accuracy grows calm. Under five "
        "cycles both jump up and down from epoch to epoch, and the training loss ends higher.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of the usual digits, what the recorded runs show."""
    records = Records() if records is None else records
    ends = [f"{percent(final_accuracy(run))} ({label})" for label, run in mine.items()]
    usual = all(
        study_of(run.config) == DIGITS and alike(run, records[DIGITS]) for run in mine.values()
    )  # of another length, none is like it
    ours = moment_on_digits_text(records) if usual else Finding("", {}, {})
    return Finding(
        "Your runs ended at {yours}. {ours}", {"yours": " and ".join(ends), "ours": ours.text}, ours.holds
    )


@finding()
def moment_on_digits_text(records: Records) -> Finding:
    """Say that the accuracy on the digits depends on where in a cycle it is measured."""
    runs = records.runs(DIGITS, "cosine5")
    calm, before, after = 6, 5, 7
    config = runs[0].config
    rate = {epoch: runs[0].epochs[epoch - 1].last_lr / config.peak_lr for epoch in (before, calm, after)}
    lengths = config.epochs / config.recipe.cycles
    return Finding(
        """
        A cycle has {length} epochs here, so most measurements fall into the middle of one. After epoch
        {calm} the rate is at {low} of its peak, after epochs {before} and {after} at {high} and {middle}.
        Each of our {n} recorded runs with restarts is better after epoch {calm} than after those.
        """,
        {
            "length": f"{lengths:g}",
            "calm": calm,
            "low": percent(rate[calm], 0),
            "before": before,
            "after": after,
            "high": percent(rate[before], 0),
            "middle": percent(rate[after], 0),
            "n": count(len(runs)),
        },
        {
            "most cycles end inside an epoch": len(at_cycle_ends(runs[0])) < config.recipe.cycles / 2,
            "the rate is low then, and high before and after": rate[calm] < 0.2
            and min(rate[before], rate[after]) > 0.6,
            "every run is better then than before and after": all(
                run.column("test_accuracy")[calm - 1]
                > max(run.column("test_accuracy")[epoch - 1] for epoch in (before, after))
                for run in runs
            ),
        },
    )


# --- The box, and figure 9.4: CIFAR-10 --------------------------------------------------------------------


def _cycle_epochs(run: Run) -> list[int]:
    """Return the epochs after which a cycle is complete."""
    return [epoch for epoch, _ in at_cycle_ends(run)]


def _at(runs: list[Run], column: str, epoch: int) -> list[float]:
    """Return what the runs measured in an epoch, counted from 1."""
    return [run.column(column)[epoch - 1] for run in runs]


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check the last two at length."""
    one, five, linear = (records.runs(CIFAR10, name) for name in ("cosine", "cosine5", "linear"))
    *restarts, _ = _cycle_epochs(five[0])
    falls = [
        fmean(_at(five, "test_accuracy", epoch)) - fmean(_at(five, "test_accuracy", epoch + 1))
        for epoch in restarts
    ]
    early = restarts[1]
    losses = [fmean(_at(runs, "train_loss", len(five[0].epochs))) for runs in (one, five)]
    return Finding(
        """
        > **What we found**
        >
        > 1. **One cosine cycle is as good as a straight line.** {one} test accuracy on CIFAR-10, against
        >    {linear} with linear decay ({n} seeds each, peak rate {peak}).
        > 2. **Restarts pay if you must stop early.** Each of the {restarts} costs {low} to {high} points of
        >    test accuracy, for most of a cycle. But after {early} of {epochs} epochs, restarts stand at
        >    {five_early}, one cycle at {one_early}.
        > 3. **At the end test accuracy is the same,** {five} with restarts and without. With them training
        >    loss is {times} times as high, and test loss lower: {test_five} against {test_one}.
        """,
        {
            "one": percent(fmean(finals(one))),
            "linear": percent(fmean(finals(linear))),
            "n": count(len(one)),
            "peak": f"{one[0].config.peak_lr:g}",
            "restarts": count(len(restarts)),
            "low": points(min(falls)),
            "high": points(max(falls)),
            "early": early,
            "epochs": len(one[0].epochs),
            "five_early": percent(fmean(_at(five, "test_accuracy", early))),
            "one_early": percent(fmean(_at(one, "test_accuracy", early))),
            "times": count(round(losses[1] / losses[0])),
            "five": percent(fmean(finals(five))),
            "test_five": rounded(fmean(_at(five, "test_loss", len(five[0].epochs))), 2),
            "test_one": rounded(fmean(_at(one, "test_loss", len(one[0].epochs))), 2),
        },
        {
            "one cycle is as good as linear decay by the plan": comparison(
                records, "cosine", "linear"
            ).verdict
            == "as good as",
            "each restart costs accuracy": min(falls) > 0,
            "half a cycle later none has won it back": all(
                run.column("test_accuracy")[epoch + restarts[0] // 2 - 1]
                < run.column("test_accuracy")[epoch - 1]
                for run in five
                for epoch in restarts
            ),
            "early on every restarted run is ahead": min(_at(five, "test_accuracy", early))
            > max(_at(one, "test_accuracy", early)),
            "the loss ends within a tenth of a whole multiple": abs(
                losses[1] / losses[0] - round(losses[1] / losses[0])
            )
            < 0.1,
            "test loss ends lower in every restarted run": max(_at(five, "test_loss", len(five[0].epochs)))
            < min(_at(one, "test_loss", len(one[0].epochs))),
            "the final accuracies agree as they are printed": percent(fmean(finals(five)))
            == percent(fmean(finals(one))),
            "as many seeds of each": len(one) == len(five) == len(linear),
        },
    )


def cifar10_figure(records: Records | None = None) -> TwoWidths:
    """Draw training loss, test accuracy and rate of one cycle, of five, and of the constant rate in gray."""
    records = Records() if records is None else records
    groups = {name: records.runs(CIFAR10, name) for name in ("constant", "cosine", "cosine5")}
    run = groups["cosine5"][0]
    epochs, peak = len(run.epochs), run.config.peak_lr
    times = np.arange(run.config.total_steps) / run.config.steps_per_epoch

    def draw(wide: bool) -> Figure:
        if wide:
            figure = Figure(figsize=(WIDE, 4.3))
            grid = figure.subplots(2, 2, sharex=True, height_ratios=[3.4, 1])
            loss, accuracy, rates = grid[0, 0], grid[0, 1], list(grid[1])
        else:
            figure = Figure(figsize=(NARROW, 7.0))
            loss, accuracy, *rates = figure.subplots(3, 1, sharex=True, height_ratios=[3.4, 3.4, 1])
        loss.set_title("training cross-entropy")
        loss.set_yscale("log", subs=())
        loss.set_ylim(0.0008, 2)
        loss.set_yticks([0.001, 0.01, 0.1, 1])
        plain(loss.yaxis)
        accuracy.set_title("test accuracy")
        accuracy.set_ylim(0.65, 0.85)
        accuracy.set_yticks([0.65, 0.7, 0.75, 0.8, 0.85])
        in_per_cent(accuracy.yaxis)
        ends = {loss: [], accuracy: []}
        for label, runs in groups.items():
            color = COLOR[label]
            end = draw_mean(loss, runs, "train_loss", color, TRAINING, seeds=False)[-1]
            ends[loss].append(Label(end, rounded(end, 2 if end >= 0.01 else 4), color))
            end = draw_mean(accuracy, runs, "test_accuracy", color, TEST, seeds=True)[-1]
            ends[accuracy].append(Label(end, percent(end), color))
        note(loss, "constant", (epochs, 0.27), color=GRAY, ha="right")
        note(loss, "five cycles", (12.2, 0.47), (0, 2), color=FIVE)
        note(loss, "one cycle", (16.5, 0.0037), (-4, -2), color=ONE, ha="right")
        name_at(accuracy, groups["cosine5"], "test_accuracy", 6, "five cycles", FIVE, (-4, 6), ha="center")
        note(accuracy, "one cycle", (21, 0.831), (0, 1), color=ONE, ha="center")
        note(accuracy, "constant", (21, 0.72), (0, -8), color=GRAY, ha="center")
        for axes in rates:
            axes.axhline(peak, color=GRAY, linewidth=2.0)
            for label in ("cosine", "cosine5"):
                schedule = groups[label][0].config.schedule()
                values = [peak * factor for factor in schedule.values(len(times))]
                axes.plot(times, values, color=COLOR[label], linewidth=1.8)
            axes.set_ylim(0, 0.115)
            axes.set_xlabel("epoch")
        for axes in rates if wide else rates[:1]:
            axes.set_title("learning rate")
        for axes in figure.axes:
            for epoch in _cycle_epochs(run)[:-1]:
                axes.axvline(epoch, color=RULE, linewidth=1.0, zorder=0)
            axes.set_xlim(0, epochs)
            axes.set_xticks(range(0, epochs + 1, 6))
        for axes, labels in ends.items():
            label_ends(axes, labels)
        return figure

    return TwoWidths(
        draw,
        alt="Training cross-entropy on a logarithmic axis, test accuracy and rate over 30 epochs. Five "
        "cycles: the loss falls within each cycle, jumps up at each of four restarts and falls lower than "
        "before; test accuracy makes five arches whose ends rise quickly and then stay level. One cycle: "
        "the loss comes down to a quarter of that, and accuracy climbs late to the same height. The "
        "constant rate, in gray, stays above in loss and below in accuracy.",
    )


@finding(heading="A restart sets training back by most of a cycle")
def restarts_cost_text(records: Records) -> Finding:
    """Say what each restart costs in accuracy and training loss, and how long it takes to win it back."""
    runs = records.runs(CIFAR10, "cosine5")
    *restarts, _ = ends = _cycle_epochs(runs[0])
    cycle = ends[0]
    accuracy, loss = (means(run.column(name) for run in runs) for name in ("test_accuracy", "train_loss"))
    falls = [accuracy[epoch - 1] - accuracy[epoch] for epoch in restarts]
    each = [
        run.column("test_accuracy")[epoch - 1] > run.column("test_accuracy")[epoch]
        for run in runs
        for epoch in restarts
    ]
    back = [
        next(n for n in range(1, cycle + 1) if run.column("train_loss")[epoch + n - 1] < before)
        for run in runs
        for epoch in restarts
        for before in [run.column("train_loss")[epoch - 1]]
    ]
    first, last = restarts[0], restarts[-1]
    floors = [loss[epoch - 1] for epoch in ends]
    return Finding(
        """
        At every restart test accuracy falls: in all {cases} cases, and on average by {low} to {high} points.
        Training cross-entropy doubles at the first one, from {first} to {first_after}. At the last one it
        grows {fold}-fold, from {last} to {last_after}: the lower the loss, the more a restart undoes.

        The loss is back at its old mark after {soon} to {late} epochs of a cycle of {cycle}. Little of each
        cycle is left for progress, yet every cycle ends lower than the one before: {floors}.
        """,
        {
            "cases": len(each),
            "low": points(min(falls)),
            "high": points(max(falls)),
            "first": rounded(loss[first - 1], 2),
            "first_after": rounded(loss[first], 2),
            "last": rounded(loss[last - 1], 4),
            "last_after": rounded(loss[last], 2),
            "fold": rounded(loss[last] / loss[last - 1], 0),
            "soon": count(min(back)),
            "late": count(max(back)),
            "cycle": count(cycle),
            "floors": listed(f"{value:.2g}" for value in floors),
        },
        {
            "every cycle ends with an epoch": whole_cycles(runs[0]),
            "accuracy falls in every case": all(each),
            "the first restart doubles the loss": abs(loss[first] / loss[first - 1] - 2) < 0.15,
            "the lower it was, the larger the factor": all(
                loss[a] / loss[a - 1] < loss[b] / loss[b - 1] for a, b in pairwise(restarts)
            ),
            "getting back takes more than half of every cycle": min(back) > cycle / 2,
            "every cycle ends lower than the one before, in every run": all(
                run.column("train_loss")[b - 1] < run.column("train_loss")[a - 1]
                for run in runs
                for a, b in pairwise(ends)
            ),
        },
    )


# --- Figure 9.5: where it stops ---------------------------------------------------------------------------


def _planned(records: Records) -> dict[int, list[Run]]:
    """Return epochs that linear decay was planned for -> runs, up to the length of the main study."""
    main = records.runs(CIFAR10, "linear")
    epochs = main[0].config.epochs
    lengths = sorted({run.config.epochs for run in records[BUDGETS] if run.config.epochs < epochs})
    return {n: records.runs(BUDGETS, "linear", epochs=n) for n in lengths} | {epochs: main}


def stops_figure(records: Records | None = None) -> TwoWidths:
    """Draw test accuracy at and after cycle ends, of one cycle, and of plans made for the length."""
    records = Records() if records is None else records
    one, five = (records.runs(CIFAR10, name) for name in ("cosine", "cosine5"))
    planned = _planned(records)
    ends = _cycle_epochs(five[0])
    epochs = len(five[0].epochs)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.3) if wide else (NARROW, 3.9))
        axes = figure.subplots()
        draw_mean(axes, one, "test_accuracy", ONE, {"linewidth": 1.8}, seeds=False)
        means_of = [fmean(finals(runs)) for runs in planned.values()]
        axes.plot(list(planned), means_of, color=LINEAR, linewidth=1.0, linestyle=(0, (1, 2)))
        axes.plot(list(planned), means_of, "s", color=LINEAR, markersize=6)
        mean = means(run.column("test_accuracy") for run in five)
        for epoch in ends:
            axes.plot(
                [epoch] * len(five),
                _at(five, "test_accuracy", epoch),
                "o",
                color=FIVE,
                markersize=3,
                alpha=0.5,
            )
            axes.plot([epoch], [mean[epoch - 1]], "o", color=FIVE, markersize=7, zorder=4)
            if epoch < epochs:
                pair = [mean[epoch - 1], mean[epoch]]
                axes.plot([epoch, epoch + 1], pair, color=FIVE, linewidth=SEED["linewidth"] + 0.5)
                axes.plot(
                    [epoch + 1],
                    pair[1:],
                    "o",
                    color=FIVE,
                    markerfacecolor="none",
                    markersize=7,
                    zorder=4,
                )
                down = f"\N{MINUS SIGN}{points(pair[0] - pair[1])}"
                note(axes, down, (epoch + 1, pair[1]), (0, -15), color=FIVE, ha="center")
        note(axes, "one epoch later", (ends[0], mean[ends[0]]), (2, -27), color=FIVE)
        top = (ends[1], mean[ends[1] - 1])
        note(axes, "five cycles,\nat a cycle end", top, (0, 8), color=FIVE, ha="center")
        note(axes, "one cycle", (8.6, 0.766), (0, -16), color=ONE)
        note(axes, "linear decay\nplanned for\nthis length", (0.3, means_of[0]), (0, 19), color=LINEAR)
        axes.set_title("test accuracy")
        axes.set_ylim(0.70, 0.845)
        axes.set_xlim(0, epochs + 0.4)
        axes.set_xticks(range(0, epochs + 1, 6))
        axes.set_xlabel("epoch after which training stops")
        in_per_cent(axes.yaxis)
        return figure

    return TwoWidths(
        draw,
        alt="Test accuracy over the epoch at which training stops. Filled dots: the ends of five cosine "
        "cycles, at 6, 12, 18, 24 and 30 epochs; they rise until the third and then stay level. Hollow "
        "dots, one epoch later, lie about seven points lower. The single cycle lies far below the filled "
        "dots until epoch 12 and reaches them at the end. Squares, linear decay planned for 5, 10, 20 and "
        "30 epochs, lie just below the filled dots and end with them.",
    )


@finding(heading="Restarts pay if training may have to stop early")
def stop_early_text(records: Records) -> Finding:
    """Say what the cycle ends are worth beside one cycle cut short, and beside plans for the length."""
    one, five = (records.runs(CIFAR10, name) for name in ("cosine", "cosine5"))
    ends = _cycle_epochs(five[0])
    early = ends[:3]
    leads = {
        epoch: fmean(_at(five, "test_accuracy", epoch)) - fmean(_at(one, "test_accuracy", epoch))
        for epoch in early
    }
    second, third, last = ends[1], ends[2], ends[-2]
    short, medium = 10, 20
    planned, longer = (finals(records.runs(BUDGETS, "linear", epochs=n)) for n in (short, medium))
    after = {name: fmean(_at(runs, "test_accuracy", last + 1)) for name, runs in (("o", one), ("f", five))}
    gain = fmean(finals(five)) - fmean(_at(five, "test_accuracy", third))
    return Finding(
        """
        At the first {early} cycle ends every run with restarts is ahead of every run of one cycle, by {leads}
        points on average. They stand at {five} after {second} epochs and at {five_third} after {third}.
        Linear decay planned for {short} epochs ends at {planned}, for {medium} at {planned_medium} ({few}
        seeds each), and had to know its length. [SGDR](https://arxiv.org/abs/1608.03983), which introduced
        warm restarts for SGD, calls this *anytime performance*.

        One epoch after the last restart the same runs are {behind} points behind the single cycle: do not
        judge them there. And from epoch {third} to the end, their test accuracy moves by {gain} points.
        """,
        {
            "early": count(len(early)),
            "leads": listed(points(lead) for lead in leads.values()),
            "short": short,
            "planned": percent(fmean(planned)),
            "medium": medium,
            "planned_medium": percent(fmean(longer)),
            "few": count(len(planned)),
            "second": second,
            "third": third,
            "five": percent(fmean(_at(five, "test_accuracy", second))),
            "five_third": percent(fmean(_at(five, "test_accuracy", third))),
            "behind": points(after["o"] - after["f"]),
            "gain": points(gain),
        },
        {
            "at each of these ends every restarted run is ahead": all(
                min(_at(five, "test_accuracy", epoch)) > max(_at(one, "test_accuracy", epoch))
                for epoch in early
            ),
            "each is above both plans for the shorter length": min(_at(five, "test_accuracy", second))
            > max(planned),
            "with less training, the next are above the longer plans on average": third < medium
            and fmean(_at(five, "test_accuracy", third)) > fmean(longer),
            "as many seeds of both plans": len(planned) == len(longer),
            "one epoch after the last restart they are far behind": after["o"] - after["f"] > 0.05,
            "from the third end on, accuracy moves by less than two tenths of a point": abs(gain) < 0.002,
        },
    )


# --- What remains at the end ------------------------------------------------------------------------------


@finding(heading="At the end: more training loss, the same accuracy")
def at_the_end_text(records: Records) -> Finding:
    """Say what restarts leave in training loss and test accuracy, at this peak rate and at others."""
    one, five = (records.runs(CIFAR10, name) for name in ("cosine", "cosine5"))
    (large_one,), (large_five,) = (records.runs(RESNET50, name) for name in ("cosine", "cosine5"))
    losses = [_at(runs, "train_loss", len(runs[0].epochs)) for runs in (one, five)]
    to_linear = {name: comparison(records, name, "linear") for name in ("cosine", "cosine5")}
    pairs = {
        peak: list(zip(*(records.runs(PEAKS, name, peak_lr=peak) for name in to_linear), strict=True))
        for peak in sorted({run.config.peak_lr for run in records[PEAKS]})
    }
    learned = {
        peak: each for peak, each in pairs.items() if min(finals(run for p in each for run in p)) > 0.5
    }
    digits = [pair for each in learned.values() for pair in each]
    gaps = [fmean(final_accuracy(b) - final_accuracy(a) for a, b in each) for each in learned.values()]
    return Finding(
        """
        As in the valley, every run with restarts ends with a higher training loss than every run of one
        cycle, {five_loss} against {one_loss} on average. But test accuracy is level, {five} against {one}. In
        a ResNet-50 trained for {epochs} epochs, one run each, training loss ends at {large_five_loss} against
        {large_one_loss}, test accuracy at {large_five} against {large_one}.

        *How sure? One cycle is {cosine} points from linear decay, restarts {cosine5}: both as good as it by
        [our plan](plan.md), which does not compare them with each other.*

        The digits agree, at {peaks} peak rates from {low} to {high} with {seeds} seeds (higher up, runs
        fail). In all {pairs} pairs training loss ends higher with restarts, and at no rate do mean test
        accuracies differ by more than {gap} points.
        """,
        {
            "five_loss": rounded(fmean(losses[1]), 4),
            "one_loss": rounded(fmean(losses[0]), 4),
            "five": percent(fmean(finals(five))),
            "one": percent(fmean(finals(one))),
            "epochs": large_one.config.epochs,
            "large_five_loss": rounded(large_five.epochs[-1].train_loss, 2),
            "large_one_loss": rounded(large_one.epochs[-1].train_loss, 2),
            "large_five": percent(final_accuracy(large_five)),
            "large_one": percent(final_accuracy(large_one)),
            "cosine": between(to_linear["cosine"]),
            "cosine5": between(to_linear["cosine5"]),
            "peaks": count(len(learned)),
            "low": f"{min(learned):g}",
            "high": f"{max(learned):g}",
            "seeds": count(len(learned[min(learned)])),
            "pairs": len(digits),
            "gap": points(max(map(abs, gaps))),
        },
        {
            "every restarted run ends with the higher loss": min(losses[1]) > max(losses[0]),
            "the valley orders them alike": _valley_paths(STEPS, CYCLES)[1]["one"].loss[-1]
            < _valley_paths(STEPS, CYCLES)[1]["more"].loss[-1],
            "the accuracies are level": abs(fmean(finals(five)) - fmean(finals(one))) < 0.001,
            "ResNet-50 ends with more than twice the training loss": large_five.epochs[-1].train_loss
            > 2 * large_one.epochs[-1].train_loss,
            "and within a point in accuracy": abs(final_accuracy(large_five) - final_accuracy(large_one))
            < 0.01,
            "both are as good as linear decay by the plan": {each.verdict for each in to_linear.values()}
            == {"as good as"},
            "on the digits each pair has the same order": all(
                b.epochs[-1].train_loss > a.epochs[-1].train_loss for a, b in digits
            ),
            "and the rates that train are all below those that do not": max(learned)
            < min(set(pairs) - set(learned)),
            "the mean accuracies are close": max(map(abs, gaps)) < 0.01,
        },
    )


@finding(heading="What the valley cannot explain: a better test loss")
def test_loss_text(records: Records) -> Finding:
    """Say that restarts end with the lower test loss, and what their networks are worth together."""
    one, five = (records.runs(CIFAR10, name) for name in ("cosine", "cosine5"))
    loss, penalty = (
        [_at(runs, name, len(runs[0].epochs)) for runs in (one, five)] for name in ("test_loss", "penalty")
    )
    large = [records.runs(RESNET50, name)[0].epochs[-1] for name in ("cosine", "cosine5")]
    ends = _cycle_epochs(five[0])
    accuracy = [fmean(_at(five, "test_accuracy", epoch)) for epoch in ends[2:]]
    return Finding(
        """
        In every run with restarts the *test* loss ends lower, {five} against {one}, though training loss and
        weight penalty ({five_penalty} against {one_penalty}) are higher. In the ResNet-50 it does, too:
        {large_five} against {large_one}. The valley knows neither [test set
        nor penalty](beyond_the_valley.md). And it has one bottom only: it cannot show the hope behind a
        restart, to come down somewhere else.

        [Snapshot Ensembles](https://arxiv.org/abs/1704.00109) build on that hope: they average what the
        networks of several cycle ends predict. The last {n} cycle ends are good members, {low} to {high}
        each. We trained {runs} such runs again and kept all their networks: the average gains {gain} points
        on the last, though two of them differ on fewer images than two independent runs do:
        [snapshots and averages](../beyond/snapshots.ipynb).
        """,
        {
            "five": rounded(fmean(loss[1]), 2),
            "one": rounded(fmean(loss[0]), 2),
            "five_penalty": rounded(fmean(penalty[1]), 2),
            "one_penalty": rounded(fmean(penalty[0]), 2),
            "large_five": rounded(large[1].test_loss, 2),
            "large_one": rounded(large[0].test_loss, 2),
            "n": count(len(accuracy)),
            "runs": count(len(snapshots.SEEDS)),
            "gain": points(fmean(snapshots.gains())),
            "low": percent(min(accuracy)),
            "high": percent(max(accuracy)),
        },
        {
            "every restarted run ends with the lower test loss": max(loss[1]) < min(loss[0]),
            "and with the higher training loss": min(run.epochs[-1].train_loss for run in five)
            > max(run.epochs[-1].train_loss for run in one),
            "in the ResNet-50, too": large[1].test_loss < large[0].test_loss - 0.01
            and large[1].train_loss > large[0].train_loss,
            "and with the larger penalty": min(penalty[1]) > max(penalty[0]),
            "the last ends are as accurate as the end of one cycle": min(accuracy)
            > fmean(finals(one)) - 0.002,
            "the average gains in each run": min(snapshots.gains()) > 0,
            "snapshots differ less than independent runs": max(
                snapshots.pairs_differ(snapshots.snapshots_of(seed)) for seed in snapshots.SEEDS
            )
            < min(snapshots.pairs_differ(snapshots.short(group)) for group in snapshots.GROUPS),
        },
    )


@finding()
def beside_the_survey_text(records: Records) -> Finding:
    """Set the survey's statements beside its source and beside the schedule itself, in one box."""
    rows = {row.schedule for row in published().survey.rows}
    total = 11_730
    one, line = CosineAnnealing(total_steps=total), LinearDecay(total_steps=total)
    steepest = max(a - b for a, b in pairwise(one.values(total))) * total
    return Finding(
        """
        > **Beside the survey** (section 1.1.7). It describes cosine annealing and does not train it. On the
        > way from Snapshot Ensembles the ceiling brackets around total_epochs/num_of_cycles became square
        > ones. That source changes the rate at every update, where the survey writes epochs. *Aggressive*
        > fits the restarts; one cycle spends as much rate as linear decay, at most {steep} times as steep.
        """,
        {"steep": rounded(steepest)},
        {
            "the survey's table has no cosine": not any("osine" in name for name in rows),
            "one cycle and the line have the same sum": abs(
                fmean(one.values(total)) - fmean(line.values(total))
            )
            < 1e-4,
            "it is steeper by half of pi": abs(steepest - pi / 2) < 1e-3,
        },
    )

"""What the chapter on drop-based decay prints: its figures, and the sentences under them with their checks.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import sqrt
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure

from lrbook.chapters import drawn, map_plan
from lrbook.chapters.batches import digit_batches as digit_batches
from lrbook.chapters.drawn import epochs_of, name_at
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
    verdict,
)
from lrlib import Constant, DropDecay, Valley
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import COLOR, INK, NARROW, RULE, WIDE, Label, TwoWidths, label_ends, plain
from lrlib.runs import Run, published
from lrlib.stats import final_accuracy
from lrlib.stats.curves import drops, largest_fall, largest_rise

CIFAR10, BUDGETS, DIGITS = "survey-laptop", "horizon", "survey-digits"
UNDROPPED = ("constant", "time", "linear", "poly5", "triangle", "cosine")  # no drop, no restart

DROP, GRAY = COLOR["drop"], COLOR["constant"]


# --- Figure 4.1: the staircase ----------------------------------------------------------------------------


def shapes_figure() -> TwoWidths:
    """Draw the survey's example and what its source ran, on a plain and a logarithmic axis."""
    epochs = np.arange(100)
    example, source = 0.1 * 0.5 ** (epochs // 10), 0.1 * 0.25 ** ((1 + epochs) // 15)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.55) if wide else (NARROW, 4.5))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        for axes in panels:
            axes.axhline(0.1, color=GRAY, linewidth=2.0)
            axes.step(epochs, example, where="post", color=INK, linewidth=1.6)
            axes.step(epochs, source, where="post", color=DROP, linewidth=2.4)
            axes.set_xlim(0, 100)
        panels[0].set_title("learning rate")
        panels[0].set_ylim(0, 0.108)
        panels[0].set_yticks([0, 0.025, 0.05, 0.1])
        plain(panels[0].yaxis)
        panels[1].set_title("the same on a logarithmic axis")
        panels[1].set_yscale("log", subs=())
        panels[1].set_ylim(1.5e-5, 0.16)
        panels[1].set_yticks([0.1, 0.01, 0.001, 0.0001])
        plain(panels[1].yaxis)
        note(panels[0], "constant", (99, 0.1), (0, -12), color=GRAY, ha="right")
        note(panels[0], "half every 10 epochs\n(the survey's example)", (20, 0.05), (4, 4), color=INK)
        note(
            panels[0],
            "a quarter every 15 epochs\n(the run behind its figure)",
            (40, 0.016),
            (4, 0),
            color=DROP,
        )
        note(panels[1], "a quarter every 15", (57, 0.00039), (-2, -2), color=DROP, ha="right")
        note(panels[1], "half every 10", (61, 0.0016), (2, 5), color=INK)
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt="Two staircases of the learning rate over 100 epochs, both from 0.1, and a constant rate in "
        "gray. The survey's example halves the rate every 10 epochs; the run behind its figure "
        "quarters it about every 15 and is soon lower. On a logarithmic axis all steps of a staircase "
        "are equally high.",
    )


# --- Figure 4.2: one cut in the valley --------------------------------------------------------------------

STEPS, RATE, EARLY, LATE, MOMENTS = 300, 0.5, 60, 150, (70, 100, 300)


def _valley_paths() -> dict:
    """Return the paths through the noisy valley: constant rate, cut early, cut late; with their schedules."""
    plans = {"constant": Constant()}
    for name, at in (("early", EARLY), ("late", LATE)):
        plans[name] = DropDecay(drop_factor=0.25, drop_steps=STEPS, offset_steps=STEPS - at)
    return {
        name: (plan, Valley().trajectory(plan, steps=STEPS, peak_lr=RATE)) for name, plan in plans.items()
    }


def valley_figure() -> TwoWidths:
    """Draw a constant rate and one cut to a quarter, early and late: loss, and its two parts."""
    paths = _valley_paths()
    colors = {"constant": GRAY, "late": DROP, "early": INK}
    updates = np.arange(STEPS + 1)

    def draw(wide: bool) -> Figure:
        if wide:
            figure = Figure(figsize=(WIDE, 4.0))
            grid = figure.subplots(2, 2, sharex=True)
            loss, distance, rate, shaking = grid[0, 0], grid[0, 1], grid[1, 0], grid[1, 1]
        else:
            figure = Figure(figsize=(NARROW, 7.4))
            loss, distance, shaking, rate = figure.subplots(4, 1, sharex=True, height_ratios=[3, 3, 3, 1.6])
        ends = {axes: [] for axes in (loss, distance, shaking)}
        for name, (plan, path) in paths.items():
            style = {"color": colors[name], "linewidth": 2.2, "zorder": 3 if name == "late" else 2}
            rate.step(updates[:-1], [RATE * plan(t) for t in updates[:-1]], where="post", **style)
            for axes, values in ((loss, path.loss), (distance, path.distance), (shaking, path.shaking)):
                axes.plot(updates, values, **style)
                ends[axes].append(Label(values[-1], rounded(values[-1], 3), colors[name]))
        for axes, title in ((loss, "expected loss"), (distance, "distance left"), (shaking, "shaking left")):
            axes.set_title(title)
        for axes in (loss, distance):
            axes.set_yscale("log", subs=())
            plain(axes.yaxis)
        loss.set_ylim(0.021, 0.4)
        loss.set_yticks([0.03, 0.1, 0.3])
        distance.set_yticks([0.001, 0.01, 0.1, 1])
        shaking.set_ylim(0, 0.078)
        rate.set_title("learning rate")
        rate.set_ylim(0, 0.6)
        for at in MOMENTS[:2]:
            loss.axvline(at, color=RULE, linewidth=1.0, zorder=0)
            note(loss, f"{at}", (at, 0.4), (2, -9), color=INK, fontsize=9)
            for name, (_, path) in paths.items():
                loss.plot([at], [path.loss[at]], "o", color=colors[name], markersize=4, zorder=4)
        note(rate, "early cut", (EARLY, 0.125), (3, 5), color=INK)
        note(rate, "late cut", (LATE, 0.125), (3, 5), color=DROP)
        note(rate, "constant", (STEPS, 0.5), (-2, 4), color=GRAY, ha="right")
        note(shaking, "calmer at once", (EARLY + 15, 0.009), color=INK)
        note(distance, "slower at once", (EARLY + 60, 0.085), (0, 6), color=INK)
        note(distance, "constant", (205, 0.0042), (-6, -8), color=GRAY, ha="right")
        note(distance, "late", (240, 0.0095), (0, 6), color=DROP)
        for axes in (rate, shaking) if wide else (rate,):
            axes.set_xlabel("update")
        axes.set_xlim(0, STEPS)
        for axes, labels in ends.items():
            label_ends(axes, labels)
        return figure

    return TwoWidths(
        draw,
        alt="Four panels over 300 updates for a constant rate, a cut to a quarter after 60 updates, and "
        "one after 150. Expected loss falls abruptly at each cut; the early cut is soon overtaken, "
        "and the late cut ends lowest. Distance left, on a logarithmic axis: each line bends to a "
        "flatter slope at its cut. Shaking left: each falls steeply at its cut, and the constant rate "
        "stays high.",
    )


@finding()
def valley_answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction. It is computed, not recorded; the claims keep the words true."""
    loss = {name: path.loss for name, (_, path) in _valley_paths().items()}
    first, second, last = ({name: loss[name][t] for name in loss} for t in MOMENTS)
    say = {
        f"{when}_{name}": rounded(values[name], 3)
        for when, values in (("first", first), ("second", second), ("last", last))
        for name in ("early", "late", "constant")
    }
    del say["first_late"], say["second_late"]  # until its cut, the late one is the constant rate
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        After {first} updates the *early* cut leads, {first_early} against {first_constant}: its shaking has
        gone down already. After {second} it is *behind*, {second_early} against {second_constant}: the
        others have travelled on at four times its speed. At the end the *late* cut has {last_late}, the
        early one {last_early}, and the constant rate, which still shakes, {last_constant}.

        </details>
        """,
        {"first": MOMENTS[0], "second": MOMENTS[1], **say},
        {
            "the early cut leads after the first moment": first["early"] < first["late"] == first["constant"],
            "it is behind after the second": second["early"] > second["late"] == second["constant"],
            "the late cut ends lowest, the constant rate last": last["late"]
            < last["early"]
            < last["constant"],
        },
    )


# --- Figure 4.3: the reader's own two runs ----------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw two runs that were just trained, thick, over the recorded ones of the same setting, thin."""
    return drawn.live_figure(
        mine,
        records,
        alt="Your two runs, constant rate in gray and drop-based decay in color, thick, over five "
        "recorded runs of each, thin. Training loss under drop-based decay falls faster and then goes "
        "level; its test accuracy is almost flat in the second half, where the constant rate still "
        "wobbles.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of the digits, what the recorded runs of both schedules did."""
    ends = [f"{percent(final_accuracy(run))} ({label})" for label, run in mine.items()]
    on_digits = all(run.config.dataset == "digits" for run in mine.values())
    ours = calm_on_digits_text(records) if on_digits else Finding("", {}, {})
    return Finding(
        "Your runs ended at {yours}. {ours}", {"yours": " and ".join(ends), "ours": ours.text}, ours.holds
    )


@finding()
def calm_on_digits_text(records: Records) -> Finding:
    """Say how far apart the seeds of both schedules end on the digits."""
    ends = {name: finals(records.runs(DIGITS, name)) for name in ("constant", "drop")}
    spread = {name: max(values) - min(values) for name, values in ends.items()}
    n = len(ends["drop"])
    return Finding(
        """
        Our {n} recorded runs with drops end between {drop_low} and {drop_high}, our {n} at the constant
        rate anywhere from {low} to {high}. On average drops gain {gain} points, but a single pair of runs
        may show the opposite. What they surely buy here is calm.
        """,
        {
            "n": count(n),
            "drop_low": percent(min(ends["drop"])),
            "drop_high": percent(max(ends["drop"])),
            "low": percent(min(ends["constant"])),
            "high": percent(max(ends["constant"])),
            "gain": points(fmean(ends["drop"]) - fmean(ends["constant"])),
        },
        {
            "as many runs of both": n == len(ends["constant"]),
            "the seeds of drop lie at least three times closer": 3 * spread["drop"] < spread["constant"],
            "drop is better on average": fmean(ends["drop"]) > fmean(ends["constant"]),
            "some pair shows the opposite": min(ends["drop"]) < max(ends["constant"]),
        },
    )


# --- The box, and figure 4.4: CIFAR-10 --------------------------------------------------------------------


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check the second and third at length."""
    drop, constant, linear = (records.runs(CIFAR10, name) for name in ("drop", "constant", "linear"))
    n, end = (
        len(drop),
        {name: fmean(finals(runs)) for name, runs in zip("dcl", (drop, constant, linear), strict=True)},
    )
    accuracy = means(run.column("test_accuracy") for run in drop)
    epoch, level = _whole_epochs_before_drop(drop), _level_from(drop)
    low_rate, slow = map_plan.low_constant(records)
    on_gpu = map_plan.means(map_plan.common(records))
    short = {name: records.runs(BUDGETS, name, epochs=5) for name in ("drop", "constant")}
    loss_when_short = fmean(finals(short["constant"])) - fmean(finals(short["drop"]))
    late = [run.column("test_accuracy")[level - 1 :] for run in drop]
    return Finding(
        """
        > **What we found**
        >
        > 1. **Dropping the rate pays.** {drop} test accuracy on CIFAR-10, against {constant} at a constant
        >    rate of {peak} ({n} seeds each). But that rate is too high for a constant one: in {runs} runs of
        >    each on a GPU, {low_rate} held constant ends at {slow}, drops from {peak} at {drop_gpu}.
        > 2. **A leap, then a standstill.** The first drop lifts test accuracy from {before} to {after}
        >    within an epoch. The last {still} of {epochs} epochs add nothing to it, and linear decay ends
        >    {behind} points higher.
        > 3. **Short of time, drops lose.** With {short} epochs they end {lost} points *below* the constant
        >    rate.
        """,
        {
            "drop": percent(end["d"]),
            "constant": percent(end["c"]),
            "peak": f"{drop[0].config.peak_lr:g}",
            "n": count(n),
            "runs": count(len(slow)),
            "low_rate": f"{low_rate:g}",
            "slow": percent(fmean(slow.values())),
            "drop_gpu": percent(on_gpu["drop"]),
            "before": percent(accuracy[epoch - 1]),
            "after": percent(accuracy[epoch]),
            "still": len(drop[0].epochs) - level,
            "epochs": len(drop[0].epochs),
            "behind": points(end["l"] - end["d"]),
            "short": short["drop"][0].config.epochs,
            "lost": points(loss_when_short),
        },
        {
            "drop beats the constant rate by the plan": verdict(records, "drop", "constant") == "better",
            "drop loses to linear by the plan": verdict(records, "drop", "linear") == "worse",
            "that rate is too high for a constant one": map_plan.too_high(records),
            "at the lowest rate a constant one is level with drop": abs(fmean(slow.values()) - on_gpu["drop"])
            < 0.005,
            "the map has the same peak": drop[0].config.peak_lr == map_plan.COMMON,
            "the first drop lifts accuracy by more than 5 points": accuracy[epoch] - accuracy[epoch - 1]
            > 0.05,
            "no run ends higher than it was when the standstill began": all(
                run[-1] <= run[0] for run in late
            ),
            "with 5 epochs every run with drops ends below every constant one": max(finals(short["drop"]))
            < min(finals(short["constant"])),
        },
    )


def cifar10_figure(records: Records | None = None) -> TwoWidths:
    """Draw loss, accuracy and rate of all recorded runs on CIFAR-10, constant in gray."""
    records = Records() if records is None else records
    groups = {name: records.runs(CIFAR10, name) for name in ("constant", "drop")}
    run = groups["drop"][0]

    def draw(wide: bool) -> Figure:
        figure, loss, accuracy, rates = drawn.performance(wide, groups)
        note(loss, "constant, test", (21, 1.42), color=GRAY, ha="center")
        name_at(loss, groups["drop"], "test_loss", 17, "drop, test", DROP, (0, -15), ha="center")
        name_at(loss, groups["constant"], "train_loss", 12, "constant, training", GRAY, (6, 6))
        note(loss, "drop,\ntraining", (0.6, 0.1), color=DROP)
        note(accuracy, "drop,\ntraining", (0.7, 0.915), color=DROP)
        name_at(accuracy, groups["constant"], "train_accuracy", 11, "constant, training", GRAY, (7, -12))
        name_at(accuracy, groups["drop"], "test_accuracy", 20, "drop, test", DROP, (0, 6), ha="center")
        name_at(
            accuracy, groups["constant"], "test_accuracy", 20, "constant, test", GRAY, (0, -24), ha="center"
        )
        for axes in rates:
            axes.axhline(run.config.peak_lr, color=GRAY, linewidth=2.0)
            axes.step(*_staircase(run), where="post", color=DROP, linewidth=2.2)
        rates[0].set_ylim(0, 0.115)
        if wide:
            rates[1].set_title("the same, logarithmic")
            rates[1].set_yscale("log", subs=())
            rates[1].set_yticks([0.1, 0.001, 0.00001])
            rates[1].set_ylim(8e-6, 0.3)
            plain(rates[1].yaxis)
        for axes in figure.axes:
            for time in drops(run):
                axes.axvline(time, color=RULE, linewidth=0.8, zorder=0)
        return figure

    return TwoWidths(
        draw,
        alt="Cross-entropy, accuracy and learning rate over 30 epochs for the constant rate in gray and "
        "drop-based decay in color; training dashed, test solid, thin lines the seeds. At the first "
        "drop all curves of drop-based decay leap, then they grow flat; its test loss turns and "
        "rises, its training accuracy nears 100 per cent. The constant rate's test curves keep "
        "jumping up and down, lower in accuracy.",
    )


@finding(heading="On CIFAR-10, a leap and then a standstill")
def leap_then_standstill_text(records: Records) -> Finding:
    """Say what figure 4.4 shows: the leap, the calm, and the price."""
    drop, constant, linear = (records.runs(CIFAR10, name) for name in ("drop", "constant", "linear"))
    n, epochs = len(drop), len(drop[0].epochs)
    tests = {
        name: [run.column("test_accuracy") for run in runs]
        for name, runs in zip("dcl", (drop, constant, linear), strict=True)
    }
    mean = {name: means(columns) for name, columns in tests.items()}
    moved = {
        name: fmean(abs(b - a) for run in tests[name] for a, b in pairwise(run[epochs // 2 - 1 :]))
        for name in "dc"
    }
    before, level = _whole_epochs_before_drop(drop), _level_from(drop)
    passed = next(e for e in range(level, epochs) if mean["l"][e] > mean["d"][e])
    gain, loss = (comparison(records, "drop", other) for other in ("constant", "linear"))
    last = drop[0].epochs[-1].last_lr
    losses = {
        name: means(run.column("train_loss") for run in runs)
        for name, runs in zip("dl", (drop, linear), strict=True)
    }
    then, still = 20, linear[0].epochs[passed].first_lr
    return Finding(
        """
        At the first drop, in the middle of epoch {epoch}, test accuracy leaps from {before} to {after}; the
        constant rate has {constant} by then. In the second half of training it moves by {calm} points per
        epoch, against {restless} at the constant rate. That is the calm.

        The price is the standstill. All {n} runs end slightly below where they stood in epoch {level},
        {ago} epochs earlier. The rate falls on, to {last_rate}, and then nothing moves, training loss
        included: {loss_then} in epoch {then}, {loss_end} in the last. Linear decay is behind until epoch
        {passed}. Then, still at a rate of {still}, it passes, and ends at {linear} with a training loss of
        {linear_loss}.

        *How sure? Drops gain {gain} points on the constant rate and lose {loss} to linear decay: [how we
        decide](plan.md).*
        """,
        {
            "epoch": before + 1,
            "before": percent(mean["d"][before - 1]),
            "after": percent(mean["d"][before]),
            "constant": percent(mean["c"][before]),
            "calm": points(moved["d"]),
            "restless": points(moved["c"]),
            "n": count(n),
            "level": level,
            "ago": epochs - level,
            "last_rate": rounded(last, 6),
            "loss_then": rounded(losses["d"][then - 1], 3),
            "then": then,
            "loss_end": rounded(losses["d"][-1], 3),
            "passed": passed,
            "still": rounded(still, 2),
            "linear": percent(mean["l"][-1]),
            "linear_loss": rounded(losses["l"][-1], 4),
            "gain": between(gain),
            "loss": between(loss),
        },
        {
            "drop beats the constant rate": gain.verdict == "better",
            "drop loses to linear decay": loss.verdict == "worse",
            "it leaps by more than 5 points, and the constant rate does not rise": mean["d"][before]
            - mean["d"][before - 1]
            > 0.05
            and mean["c"][before] < mean["c"][before - 1],
            "it is at least ten times calmer": 10 * moved["d"] < moved["c"],
            "every run ends below where the standstill began, by less than a point": all(
                0 < run[level - 1] - run[-1] < 0.01 for run in tests["d"]
            ),
            "training loss stands still, ten times or more above where linear decay ends": losses["d"][
                then - 1
            ]
            - losses["d"][-1]
            < 0.1 * losses["d"][-1]
            and losses["d"][-1] > 10 * losses["l"][-1],
            "linear still has more than twenty times the rate when it passes": still
            > 20 * drop[0].epochs[passed].first_lr,
            "linear is behind in each epoch from the drop until it passes, and ahead ever after": all(
                mean["l"][e] < mean["d"][e] for e in range(before, passed)
            )
            and all(mean["l"][e] > mean["d"][e] for e in range(passed, epochs)),
        },
    )


# --- Figure 4.5: the first drop ---------------------------------------------------------------------------


def first_drop_figure(records: Records | None = None) -> TwoWidths:
    """Draw the epochs around the first drop: each seed, and its twin at the constant rate in gray."""
    records = Records() if records is None else records
    groups = {name: records.runs(CIFAR10, name) for name in ("constant", "drop")}
    times, last = drops(groups["drop"][0]), 10

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.1) if wide else (NARROW, 5.6))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        for axes, name in zip(panels, ("train_loss", "test_accuracy"), strict=True):
            for label, runs in groups.items():
                shift = 0.5 if name.startswith("train") else 0.0
                for run in runs:
                    axes.plot(
                        epochs_of(run, shift)[: last + 1],
                        run.column(name)[: last + 1],
                        "o-",
                        markersize=2.5,
                        color=COLOR[label],
                        linewidth=0.9,
                    )
            for time in times[:2]:
                axes.axvline(time, color=INK, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)
            axes.set_xlim(1.3, last + 0.2)
            axes.set_xticks(range(2, last + 1))
        loss, accuracy = panels
        loss.set_title("training cross-entropy")
        loss.set_ylim(0, 1.08)
        accuracy.set_title("test accuracy")
        accuracy.set_ylim(0.59, 0.83)
        in_per_cent(accuracy.yaxis)
        note(loss, "first drop", (times[0], 1.08), (3, -11), color=INK)
        note(loss, "second", (times[1], 1.08), (3, -11), color=INK)
        note(loss, "constant", (7.6, 0.40), (0, 4), color=GRAY)
        note(loss, "drop", (6.5, 0.25), (-4, -14), color=DROP)
        note(accuracy, "drop", (6.6, 0.806), (0, 5), color=DROP)
        note(accuracy, "constant", (7.2, 0.70), (0, -4), color=GRAY)
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt=f"Epochs 2 to {last}, one line per seed, drop-based decay in color and the constant rate in "
        f"gray. Until the first drop, in epoch {int(times[0]) + 1}, the lines lie on each other. Then "
        "training loss falls away from the gray lines in each run, and test accuracy, scattered "
        "before, comes together.",
    )


@finding(heading="All five runs jump at the drop")
def the_drop_did_it_text(records: Records) -> Finding:
    """Say whether the jump comes from the drop: when do curves with and without drops change most?"""
    drop = records.runs(CIFAR10, "drop")
    others = [run for name in UNDROPPED for run in records.runs(CIFAR10, name)]
    skip = 0.1  # the rule's first tenth
    fell, others_fell = (
        [largest_fall(run.column("train_loss"), skip=skip).epoch for run in runs] for runs in (drop, others)
    )
    rose, others_rose = (
        [largest_rise(run.column("test_accuracy"), skip=skip).epoch for run in runs]
        for runs in (drop, others)
    )
    before = _whole_epochs_before_drop(drop)  # the drop is in the next epoch, the one after is whole
    skipped = round(skip * len(drop[0].epochs))
    apart = {
        e: max(run.column("test_accuracy")[e - 1] for run in drop)
        - min(run.column("test_accuracy")[e - 1] for run in drop)
        for e in (before, before + 1)
    }
    return Finding(
        """
        Eyes find jumps where they look for them, so we use a rule, fixed when only seed 1 was recorded.
        Skip the first {skipped} epochs, in which every loss falls fast, and take the epoch in which
        training loss falls most. With drops that is epoch {whole}, the first whole one at the lower rate,
        in all {n} runs. In {others} runs of {schedules} schedules without a drop it is epoch {counts}, the
        first that counts, in all {others}.

        Test accuracy is a weaker witness: it rises most in epoch {dropped} in {rose} of the {n} runs, but
        also in {others_rose} of the {others}. What the drop does to it is pull the runs together, from
        {apart} points apart to {together}.
        """,
        {
            "skipped": count(skipped),
            "whole": before + 2,
            "n": count(len(drop)),
            "others": len(others),
            "schedules": count(len({run.label for run in others})),
            "counts": skipped + 1,
            "dropped": before + 1,
            "rose": count(rose.count(before + 1)),
            "others_rose": others_rose.count(before + 1),
            "apart": points(apart[before]),
            "together": points(apart[before + 1]),
        },
        {
            "there are five runs": len(drop) == 5,
            "training loss falls most in the first whole epoch after the drop, in each run": set(fell)
            == {before + 2},
            "without drops it falls most in the first epoch that counts, in each run": set(others_fell)
            == {skipped + 1},
            "test accuracy rises most in the epoch of the drop in most runs, not in all": len(drop) / 2
            < rose.count(before + 1)
            < len(drop),
            "and in a third or more of those without": 3 * others_rose.count(before + 1) >= len(others),
            "the runs come at least five times closer together": 5 * apart[before + 1] < apart[before],
        },
    )


# --- Figure 4.6: the budget -------------------------------------------------------------------------------


def _budgets(records: Records) -> dict[str, dict[int, list[float]]]:
    """Return schedule -> epochs -> final test accuracies, shortest first."""
    budgets: dict[str, dict[int, list[float]]] = {}
    for name in ("constant", "drop", "linear"):
        lengths = sorted({run.config.epochs for run in records[BUDGETS]})
        ends = {epochs: finals(records.runs(BUDGETS, name, epochs=epochs)) for epochs in lengths}
        main = records.runs(CIFAR10, name)
        ends[main[0].config.epochs] = finals(main)
        budgets[name] = dict(sorted(ends.items()))
    return budgets


def budget_figure(records: Records | None = None) -> TwoWidths:
    """Draw final test accuracy over the length of training, and the lead over the constant rate."""
    budgets = _budgets(Records() if records is None else records)
    mean = {name: {epochs: fmean(ends) for epochs, ends in found.items()} for name, found in budgets.items()}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.9) if wide else (NARROW, 5.2))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        accuracy, lead = panels
        ends = {axes: [] for axes in panels}
        for name, found in budgets.items():
            color = COLOR[name]
            for epochs, values in found.items():
                accuracy.plot(
                    [epochs] * len(values),
                    values,
                    "o",
                    markersize=4.5,
                    color=color,
                    alpha=0.6,
                    markeredgewidth=0,
                )
            accuracy.plot(list(found), list(mean[name].values()), color=color, linewidth=2.2)
            gap = [100 * (mean[name][epochs] - mean["constant"][epochs]) for epochs in found]
            lead.plot(
                list(found),
                gap,
                "o-" if name != "constant" else "-",
                color=color,
                markersize=4,
                linewidth=2.2,
            )
            ends[accuracy].append(Label(mean[name][max(found)], name, color))
            ends[lead].append(Label(gap[-1], name, color))
        accuracy.set_title("test accuracy at the end")
        in_per_cent(accuracy.yaxis)
        lead.set_title("points ahead of the constant rate")
        lead.set_yticks([-4, 0, 4, 8])
        lead.set_yticklabels(["\N{MINUS SIGN}4", "0", "+4", "+8"])
        for axes in panels:
            axes.set_xlim(3, 40.6)
            axes.set_xticks([5, 10, 20, 30, 40])
            label_ends(axes, ends[axes])
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("epochs of training")
        return figure

    return TwoWidths(
        draw,
        alt="Final test accuracy on CIFAR-10 for trainings of 5, 10, 20, 30 and 40 epochs. Linear decay "
        "is highest at every length. Drop-based decay is below the constant rate at 5 epochs and "
        "above it from 10 on, and comes closer to linear decay the longer the training.",
    )


@finding(heading="Short of time, drops lose to a constant rate")
def short_of_time_text(records: Records) -> Finding:
    """Say how the worth of dropping depends on the length of training."""
    budgets = _budgets(records)
    lengths = list(budgets["drop"])
    short, long = lengths[0], lengths[-1]
    lead = {e: fmean(budgets["drop"][e]) - fmean(budgets["constant"][e]) for e in lengths}
    behind = {e: fmean(budgets["linear"][e]) - fmean(budgets["drop"][e]) for e in lengths}
    first = drops(records.runs(BUDGETS, "drop", epochs=short)[0])[0]
    safe = next(
        e
        for e in lengths
        if all(min(budgets["drop"][x]) > max(budgets["constant"][x]) for x in lengths if x >= e)
    )
    between, main = lengths[1], records.runs(CIFAR10, "drop")[0].config.epochs
    return Finding(
        """
        The recipe is always a quarter every 15% of the training. In {short} epochs, the first drop comes
        after {first} of an epoch. The network slows down before it has got anywhere, and ends at {end}:
        {lost} points *below* the constant rate. At {between} epochs drops are ahead on average, but the
        seeds overlap. From {safe} on, every run with drops beats every run at the constant rate, at {long}
        epochs by {won} points on average.

        Linear decay is ahead of both at every length. Its lead over drops shrinks from {behind} points at
        {short} epochs to {close} at {long}: the more time, the less it matters when you slow down. ({Few}
        seeds at each length, {many} at {main}.)
        """,
        {
            "short": short,
            "first": rounded(first, 2),
            "end": percent(fmean(budgets["drop"][short])),
            "lost": points(lead[short]),
            "between": between,
            "safe": safe,
            "long": long,
            "won": points(lead[long]),
            "behind": points(behind[short]),
            "close": points(behind[long]),
            "Few": count(len(budgets["drop"][short])).capitalize(),
            "many": count(len(budgets["drop"][main])),
            "main": main,
        },
        {
            "with the fewest epochs every run with drops is below every constant one": max(
                budgets["drop"][short]
            )
            < min(budgets["constant"][short]),
            "at the second length drops are ahead on average, and the seeds overlap": lead[between] > 0
            and min(budgets["drop"][between]) < max(budgets["constant"][between]),
            "the safe lengths begin right after it": safe == lengths[2],
            "linear is ahead at every length": all(
                min(budgets["linear"][e]) > max(budgets["drop"][e] + budgets["constant"][e]) for e in lengths
            ),
            "its lead shrinks from each length to the next": all(
                behind[a] > behind[b] for a, b in pairwise(lengths)
            ),
            "the other lengths have the same number of seeds": len(
                {len(budgets["drop"][e]) for e in lengths if e != main}
            )
            == 1,
            "the recipe is a quarter every 15 %": {
                (run.config.recipe.drop_factor, run.config.recipe.drop_fraction)
                for run in records.runs(BUDGETS, "drop")
            }
            == {(0.25, 0.15)},
        },
    )


# --- What the valley cannot explain; beside the survey ----------------------------------------------------


@finding(heading="What the valley cannot explain: test loss rises")
def test_loss_rises_text(records: Records) -> Finding:
    """Say that the test loss rises while accuracy does not fall, and what that is called."""
    drop = records.runs(CIFAR10, "drop")
    losses = [run.column("test_loss") for run in drop]
    lowest = [min(range(len(column)), key=column.__getitem__) + 1 for column in losses]
    epoch, mean = lowest[0], means(losses)
    accuracy = means(run.column("test_accuracy") for run in drop)
    learned = fmean(run.final.train_accuracy for run in drop)
    return Finding(
        """
        One curve of figure 4.4 does not fit the valley. Test loss is lowest in epoch {epoch}, in all {n}
        runs, at {lowest}, and then rises to {end}. Yet test accuracy ends {gain} points *higher*. The
        network has memorized the training set ({learned} right at the end). The usual explanation is that it
        has grown too sure of itself: a confident mistake costs more
        [cross-entropy](../reference/glossary.md#cross-entropy) than a hesitant one, but accuracy counts both
        alike. This is **overfitting**. The valley is a model of the
        *training* loss; why the test set likes one schedule better than another is
        [a question of its own](beyond_the_valley.md).
        """,
        {
            "epoch": epoch,
            "n": count(len(drop)),
            "lowest": rounded(mean[epoch - 1], 2),
            "end": rounded(mean[-1], 2),
            "gain": points(accuracy[-1] - accuracy[epoch - 1]),
            "learned": percent(learned, 2),
        },
        {
            "test loss is lowest in the same epoch in each run": len(set(lowest)) == 1,
            "it rises by a third or more": mean[-1] > 4 / 3 * mean[epoch - 1],
            "test accuracy ends higher": accuracy[-1] > accuracy[epoch - 1],
            "the training set is learned by heart": learned > 0.999,
        },
    )


@finding()
def beside_the_survey_text(records: Records) -> Finding:
    """Set the survey's statements beside its source and beside our runs, in one box."""
    rows = {name: published().source.row(name) for name in ("drop", "constant")}
    high, low = rows["drop"].test_accuracy, rows["constant"].test_accuracy
    error = sqrt(sum(p * (1 - p) / 10_000 for p in (high, low)))
    ends = [
        run.column("test_loss")[-1] - min(run.column("test_loss")) for run in records.runs(CIFAR10, "drop")
    ]
    return Finding(
        r"""
        > **Beside the survey** (section 1.1.4). The printed formula has lost its exponent. The example,
        > half every 10 epochs, is from [its
        > source](https://pyimagesearch.com/2019/07/22/keras-learning-rate-schedules-and-decay/), whose run
        > for the figure has a quarter every 15, with the exponent
        > $\lfloor (1 + \text{{epoch}})/15 \rfloor$, so that each drop comes one epoch early. "87%
        > from 84%" is one run against one, {high} and {low}: {errors} times what 10,000 test images leave
        > open, but other seeds may differ. The jump that it calls characteristic is real. That both losses
        > are "dropping at the end" we do not see: our test loss rises.
        """,
        {"high": f"{high:.4f}", "low": f"{low:.4f}", "errors": count(int((high - low) / error))},
        {
            "the source's run with drops is better, by five errors or more": (high - low) / error > 5,
            "the survey's two numbers are these, rounded": (f"{high:.2f}", f"{low:.2f}") == ("0.87", "0.84"),
            "our test loss ends above its lowest value in each run": min(ends) > 0.1,
        },
    )


# --- What the functions above share -----------------------------------------------------------------------


def _staircase(run: Run) -> tuple[list[float], list[float]]:
    """Return where the rate changes, in epochs, and the rates from there on, as the optimizer had them."""
    per_epoch, schedule, peak = run.config.steps_per_epoch, run.config.schedule(), run.config.peak_lr
    times = [0.0, *drops(run), float(len(run.epochs))]
    return times, [
        peak * schedule(min(round(time * per_epoch), run.config.total_steps - 1)) for time in times
    ]


def _whole_epochs_before_drop(runs: list[Run]) -> int:
    return int(drops(runs[0])[0])


def _level_from(runs: list[Run]) -> int:
    """Return the first epoch that ends after the second drop: there the standstill begins."""
    return int(drops(runs[0])[1]) + 1

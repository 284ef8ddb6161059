"""What the chapter on linear decay prints: its figures, and the sentences under them with their checks.

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
from lrbook.chapters.drawn import name_at
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
from lrlib import LinearDecay, Valley
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import COLOR, INK, NARROW, RULE, WIDE, TwoWidths, plain
from lrlib.runs import Run, published
from lrlib.runs.experiments import study_of
from lrlib.stats import alike, compare_all, final_accuracy

CIFAR10, BUDGETS, DIGITS = "survey-laptop", "horizon", "survey-digits"

LINEAR, GRAY = COLOR["linear"], COLOR["constant"]


# --- Figure 5.1: the line ---------------------------------------------------------------------------------


def shapes_figure(records: Records | None = None) -> TwoWidths:
    """Draw the rate of every update of the recorded runs, and their last epochs beside the survey's rule."""
    run = (Records() if records is None else records).runs(CIFAR10, "linear")[0]
    per_epoch, epochs, peak = run.config.steps_per_epoch, len(run.epochs), run.config.peak_lr
    total, schedule = per_epoch * epochs, run.config.schedule()
    times, rates = np.arange(total) / per_epoch, [peak * schedule(t) for t in range(total)]
    once = [peak * (1 - epoch / epochs) for epoch in [*range(epochs), epochs - 1]]

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.55) if wide else (NARROW, 4.7))
        whole, end = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        for axes in (whole, end):
            axes.plot(times, rates, color=LINEAR, linewidth=2.4)
        whole.axhline(peak, color=GRAY, linewidth=2.0)
        whole.set_title("learning rate")
        whole.set_xlim(0, epochs)
        whole.set_ylim(0, 0.108)
        whole.set_yticks([0, 0.025, 0.05, 0.075, 0.1])
        plain(whole.yaxis)
        note(whole, "constant", (epochs, peak), (-2, -12), color=GRAY, ha="right")
        note(whole, "linear", (16, peak * (1 - 16 / epochs)), (5, 3), color=LINEAR)
        end.set_title("the last three epochs, enlarged")
        end.step(range(epochs + 1), once, where="post", color=INK, linewidth=1.4)
        end.set_xlim(epochs - 3, epochs + 0.04)
        end.set_xticks(range(epochs - 3, epochs + 1))
        end.set_ylim(0, 0.0125)
        end.set_yticks([0, once[-1], 2 * once[-1], 3 * once[-1]])
        end.set_yticklabels(["0", "0.0033", "0.0067", "0.01"])
        note(end, "once per epoch", (epochs - 2, once[-3]), (5, 4), color=INK)
        note(end, "every update", (epochs - 2.1, peak * 2.1 / epochs), (-8, -18), color=LINEAR, ha="right")
        for axes in (whole, end):
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt="The learning rate over 30 epochs: a straight line from 0.1 down to zero, below a constant rate "
        "in gray. Enlarged, the last three epochs: set at every update, the line comes down to zero at "
        "the right edge; set once per epoch, a black staircase lies above it, and the last epoch still "
        "has a thirtieth of the peak, 0.0033.",
    )


# --- Figure 5.2: cut short, or planned short --------------------------------------------------------------

STEPS, STOP = 300, 150


def _valley_paths() -> tuple[float, dict]:
    """Return the peak rate, and name -> schedule, path and length of three trainings in the valley."""
    long, short = LinearDecay(total_steps=STEPS), LinearDecay(total_steps=STOP)
    peak = Valley().best_peak_lr(long, steps=STEPS).peak_lr
    plans = {"whole": (long, STEPS), "cut": (long, STOP), "short": (short, STOP)}
    return peak, {
        name: (plan, Valley().trajectory(plan, steps=steps, peak_lr=peak), steps)
        for name, (plan, steps) in plans.items()
    }


def valley_figure() -> TwoWidths:
    """Draw linear decay over 300 updates, the same stopped at 150, and linear decay over 150."""
    peak, paths = _valley_paths()
    styles = {
        "whole": {"color": LINEAR, "linewidth": 1.2, "linestyle": (0, (3.2, 1.8))},
        "cut": {"color": LINEAR, "linewidth": 2.4},
        "short": {"color": INK, "linewidth": 2.0},
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
        loss.set_ylim(0.014, 0.4)
        loss.set_yticks([0.03, 0.1, 0.3])
        distance.set_ylim(0.0012, 3)
        distance.set_yticks([0.01, 0.1, 1])
        shaking.set_ylim(0, 0.105)
        rate.set_title("learning rate")
        rate.set_ylim(0, 1)
        for name, (plan, path, steps) in paths.items():
            rate.plot(range(steps), [peak * plan(t) for t in range(steps)], **styles[name])
            for axes, values in ((loss, path.loss), (distance, path.distance), (shaking, path.shaking)):
                axes.plot(range(steps + 1), values, **styles[name])
                axes.plot([steps], [values[-1]], "o", color=styles[name]["color"], markersize=5, zorder=4)
        for name, axes, values, offset in (
            ("cut", loss, paths["cut"][1].loss, (6, 3)),
            ("short", loss, paths["short"][1].loss, (6, -12)),
            ("cut", distance, paths["cut"][1].distance, (-4, -14)),
            ("short", distance, paths["short"][1].distance, (6, 3)),
            ("cut", shaking, paths["cut"][1].shaking, (6, 3)),
            ("short", shaking, paths["short"][1].shaking, (6, -12)),
        ):
            how = {"color": styles[name]["color"], "ha": "right" if offset[0] < 0 else "left"}
            note(axes, rounded(values[-1], 3), (STOP, values[-1]), offset, **how)
        for axes in figure.axes:
            axes.axvline(STOP, color=RULE, linewidth=1.0, zorder=0)
            axes.set_xlim(0, STEPS + 3)
        note(rate, "planned\nfor 150", (4, 0.06), color=INK)
        note(rate, "planned for 300", (90, peak * (1 - 90 / STEPS)), (3, 4), color=LINEAR)
        note(loss, "you stop", (STOP, 0.4), (4, -10), color=LINEAR)
        note(shaking, "yours", (90, 0.082), (2, 5), color=LINEAR)
        note(shaking, "your friend's", (92, 0.045), (-2, -14), color=INK, ha="right")
        for axes in (rate, shaking) if wide else (rate,):
            axes.set_xlabel("update")
        return figure

    return TwoWidths(
        draw,
        alt="Four panels over 300 updates: linear decay over 300 updates, the same stopped at 150, and "
        "linear decay over 150 in black. At update 150 the stopped run has less distance left and more "
        "than twice the shaking; its loss is higher. The dashed rest of the long plan goes on to 300, "
        "where its shaking has died away and its loss is the lowest of all.",
    )


@finding()
def valley_answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction. It is computed, not recorded; the claims keep the words true."""
    _, paths = _valley_paths()
    whole, cut, short = (path for _, path, _ in paths.values())
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        Your friend: {short} against {cut}. You have covered more distance, for your rates were larger.
        But when you stop, your rate is still at half its peak, and so your loss is nearly all shaking. Go
        on to {steps}, and you end at {whole}, far below your friend: more distance covered, *and* calm.

        </details>
        """,
        {
            "short": rounded(short.loss[-1], 3),
            "cut": rounded(cut.loss[-1], 3),
            "steps": STEPS,
            "whole": rounded(whole.loss[-1], 3),
        },
        {
            "the plan that was made for the length ends lower": short.loss[-1] < cut.loss[-1],
            "the stopped one has less distance left": cut.distance[-1] < short.distance[-1],
            "it is stopped at half its rate": 2 * STOP == STEPS,
            "nine tenths of its loss are shaking": cut.shaking[-1] > 0.9 * cut.loss[-1],
            "the whole plan ends at less than half of the short one's loss": whole.loss[-1]
            < short.loss[-1] / 2,
            "with less distance left, and calmer": whole.distance[-1] < short.distance[-1]
            and whole.shaking[-1] < short.shaking[-1],
        },
    )


# --- Figure 5.3: the reader's own two runs ----------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw two runs that were just trained, thick, over the recorded ones of the same setting, thin."""
    return drawn.live_figure(
        mine,
        records,
        alt="Your two runs, constant rate in gray and linear decay in color, thick, over the recorded runs "
        "of the same setting, thin. Under linear decay training loss falls to nearly zero and test "
        "accuracy grows calm towards the end; at the constant rate both go on moving up and down.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of the usual digits, where the recorded runs of both did."""
    records = Records() if records is None else records
    ends = [f"{percent(final_accuracy(run))} ({label})" for label, run in mine.items()]
    usual = all(
        study_of(run.config) == DIGITS and alike(run, records[DIGITS]) for run in mine.values()
    )  # of another length, none is like it
    ours = apart_on_digits_text(records) if usual else Finding("", {}, {})
    return Finding(
        "Your runs ended at {yours}. {ours}", {"yours": " and ".join(ends), "ours": ours.text}, ours.holds
    )


@finding()
def apart_on_digits_text(records: Records) -> Finding:
    """Say how far apart both schedules end on the digits."""
    linear, constant = (finals(records.runs(DIGITS, name)) for name in ("linear", "constant"))
    return Finding(
        """
        Our {n} recorded runs with linear decay end between {linear_low} and {linear_high}, above all {n}
        at the constant rate, which end between {low} and {high}.
        """,
        {
            "n": count(len(linear)),
            "linear_low": percent(min(linear)),
            "linear_high": percent(max(linear)),
            "low": percent(min(constant)),
            "high": percent(max(constant)),
        },
        {
            "as many runs of both": len(linear) == len(constant),
            "every linear run is above every constant one": min(linear) > max(constant),
        },
    )


# --- The box, and figure 5.4: CIFAR-10 --------------------------------------------------------------------


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check the second and third at length."""
    linear, constant, drop = (records.runs(CIFAR10, name) for name in ("linear", "constant", "drop"))
    low_rate, slow = map_plan.low_constant(records)
    on_gpu = map_plan.common(records)["linear"]
    end, low = fmean(finals(linear)), fmean(finals(constant))
    short, tiny = 10, 5
    planned = finals(records.runs(BUDGETS, "linear", epochs=short))
    cut = [run.column("test_accuracy")[short - 1] for run in linear]
    brief = finals(records.runs(BUDGETS, "linear", epochs=tiny))
    verdicts = {each.verdict for each in compare_all(records[CIFAR10]) if each.reference == "linear"}
    return Finding(
        """
        > **What we found**
        >
        > 1. **A straight line to zero is hard to beat.** {linear} test accuracy on CIFAR-10, against
        >    {constant} at a constant rate of {peak} and {drop} with drops ({n} seeds each). That rate is too
        >    high for a constant one. But {low_rate} held constant ends at {slow}, and the line from {peak} at
        >    {linear_gpu}, in {runs} runs of each on a GPU.
        > 2. **The length is part of the plan.** Planned for {short} epochs, it ends at {planned}. Planned for
        >    {epochs}, it stands at {cut} after {short}.
        > 3. **Planned well, little time goes far.** {Tiny} epochs to zero end at {brief}, above every run of
        >    {epochs} epochs at the same rate held constant.
        """,
        {
            "linear": percent(end),
            "constant": percent(low),
            "peak": f"{linear[0].config.peak_lr:g}",
            "drop": percent(fmean(finals(drop))),
            "n": count(len(linear)),
            "runs": count(len(slow)),
            "low_rate": f"{low_rate:g}",
            "slow": percent(fmean(slow.values())),
            "linear_gpu": percent(fmean(on_gpu.values())),
            "short": short,
            "planned": percent(fmean(planned)),
            "epochs": len(linear[0].epochs),
            "cut": percent(fmean(cut)),
            "Tiny": count(tiny).capitalize(),
            "brief": percent(fmean(brief)),
        },
        {
            "no other schedule is better by the plan": "better" not in verdicts,
            "linear beats the constant rate by the plan": comparison(records, "linear", "constant").verdict
            == "better",
            "drop loses to it by the plan": comparison(records, "drop", "linear").verdict == "worse",
            "that rate is too high for a constant one": map_plan.too_high(records),
            "at the lowest rate each constant run ends below each linear one": max(slow.values())
            < min(on_gpu.values()),
            "the map has the same peak": linear[0].config.peak_lr == map_plan.COMMON,
            "every run planned for the short length ends above each long one there": min(planned) > max(cut),
            "the shortest plans end above every constant run": min(brief) > max(finals(constant)),
            "as many seeds of each": len(linear) == len(constant) == len(drop),
        },
    )


def cifar10_figure(records: Records | None = None) -> TwoWidths:
    """Draw loss, accuracy and rate of all recorded runs on CIFAR-10, constant in gray."""
    records = Records() if records is None else records
    groups = {name: records.runs(CIFAR10, name) for name in ("constant", "linear")}
    run = groups["linear"][0]
    epochs, peak = len(run.epochs), run.config.peak_lr

    def draw(wide: bool) -> Figure:
        _, loss, accuracy, rates = drawn.performance(wide, groups)
        note(loss, "constant, test", (21, 1.42), color=GRAY, ha="center")
        name_at(loss, groups["linear"], "test_loss", 23, "linear, test", LINEAR, (0, -15), ha="center")
        name_at(loss, groups["constant"], "train_loss", 12, "constant, training", GRAY, (6, 6))
        note(loss, "linear,\ntraining", (2.6, 0.12), color=LINEAR)
        note(accuracy, "linear,\ntraining", (1.0, 0.935), color=LINEAR)
        name_at(accuracy, groups["constant"], "train_accuracy", 14, "constant, training", GRAY, (7, -14))
        name_at(accuracy, groups["linear"], "test_accuracy", 23, "linear, test", LINEAR, (0, 5), ha="center")
        name_at(
            accuracy, groups["constant"], "test_accuracy", 20, "constant, test", GRAY, (0, -24), ha="center"
        )
        for axes in rates:
            axes.axhline(peak, color=GRAY, linewidth=2.0)
            axes.plot([0, epochs], [peak, 0], color=LINEAR, linewidth=2.2)
            axes.set_ylim(0, 0.115)
        if wide:
            rates[1].set_title("learning rate")
        return loss.figure

    return TwoWidths(
        draw,
        alt="Cross-entropy, accuracy and learning rate over 30 epochs for the constant rate in gray and "
        "linear decay in color; training dashed, test solid, thin lines the seeds. For ten epochs the "
        "two are hard to tell apart. Then linear decay's training loss falls to zero, its test accuracy "
        "climbs above the gray lines and its seeds draw together into one flat line. Its test loss "
        "turns and rises before it grows flat. The constant rate's test curves keep jumping.",
    )


@finding(heading="On CIFAR-10, calm comes with the end")
def calm_at_the_end_text(records: Records) -> Finding:
    """Say what figure 5.4 shows: no difference at first, the lead, the calm, and how smoothly it learns."""
    groups = {name: records.runs(CIFAR10, name) for name in ("linear", "constant")}
    linear, constant = groups.values()
    mean = {name: means(run.column("test_accuracy") for run in runs) for name, runs in groups.items()}
    level, epochs, last = 10, len(linear[0].epochs), 5
    moved = {
        name: fmean(
            abs(b - a) for run in runs for a, b in pairwise(run.column("test_accuracy")[epochs - last - 1 :])
        )
        for name, runs in groups.items()
    }
    rose = {
        name: sum(b > a for run in runs for a, b in pairwise(run.column("train_loss")))
        for name, runs in groups.items()
    }
    apart = {name: max(finals(runs)) - min(finals(runs)) for name, runs in groups.items()}
    lead = comparison(records, "linear", "constant")
    rate = linear[0].epochs[level].first_lr
    return Finding(
        """
        In epoch {level} both schedules stand at {then}, though the rate of one has come down by a third.
        From epoch {after} on linear decay is ahead in every epoch, and it ends at {linear} against
        {constant}. In the last {last} epochs its test accuracy moves by {calm} points per epoch, at the
        constant rate still by {restless}. The calm reaches the seeds too: {n} runs of linear decay end within
        {close} points of one another, {n} at the constant rate within {wide}.

        Training loss comes down smoothly. From one epoch to the next it rises in {rose} of {steps} steps, at
        the constant rate in {rose_constant}.

        *How sure? Linear decay gains {lead} points on the constant rate: [how we decide](plan.md).*
        """,
        {
            "level": level,
            "then": percent(mean["linear"][level - 1]),
            "after": level + 1,
            "linear": percent(mean["linear"][-1]),
            "constant": percent(mean["constant"][-1]),
            "last": count(last),
            "calm": points(moved["linear"], 2),
            "restless": points(moved["constant"]),
            "n": count(len(linear)),
            "close": points(apart["linear"]),
            "wide": points(apart["constant"]),
            "rose": count(rose["linear"]),
            "steps": len(linear) * (epochs - 1),
            "rose_constant": rose["constant"],
            "lead": between(lead),
        },
        {
            "linear beats the constant rate by the plan": lead.verdict == "better",
            "both stand at the same accuracy": percent(mean["linear"][level - 1])
            == percent(mean["constant"][level - 1]),
            "the rate has come down by a third": abs(rate / linear[0].config.peak_lr - 2 / 3) < 0.01,
            "linear is ahead in each epoch from then on": all(
                a > b for a, b in zip(mean["linear"][level:], mean["constant"][level:], strict=True)
            ),
            "at the end it moves ten times less": 10 * moved["linear"] < moved["constant"],
            "its seeds lie at least three times closer": 3 * apart["linear"] < apart["constant"],
            "its training loss rises at most a third as often": 3 * rose["linear"] < rose["constant"],
            "as many runs of both": len(linear) == len(constant),
        },
    )


# --- Figure 5.5: planned short, or cut short --------------------------------------------------------------


def _plans(records: Records) -> dict[int, list[Run]]:
    """Return epochs that linear decay was planned for -> runs, shortest first."""
    lengths = sorted({run.config.epochs for run in records[BUDGETS]})
    plans = {epochs: records.runs(BUDGETS, "linear", epochs=epochs) for epochs in lengths}
    main = records.runs(CIFAR10, "linear")
    return dict(sorted({**plans, main[0].config.epochs: main}.items()))


def plans_figure(records: Records | None = None) -> TwoWidths:
    """Draw test accuracy and rate of linear decay planned for several lengths."""
    records = Records() if records is None else records
    plans, constant = _plans(records), records.runs(CIFAR10, "constant")

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.2) if wide else (NARROW, 5.4))
        grid = {"width_ratios": [2, 1]} if wide else {"height_ratios": [2.4, 1]}
        accuracy, rate = figure.subplots(*((1, 2) if wide else (2, 1)), sharex=not wide, **grid)
        times = range(1, len(constant[0].epochs) + 1)
        accuracy.plot(
            times, means(run.column("test_accuracy") for run in constant), color=GRAY, linewidth=1.4
        )
        for epochs, runs in plans.items():
            style = {"color": LINEAR, "linewidth": 1.4}
            values = means(run.column("test_accuracy") for run in runs)
            peak = runs[0].config.peak_lr
            accuracy.plot(range(1, epochs + 1), values, **style)
            rate.plot([0, epochs], [peak, 0], **style)
            accuracy.plot([epochs], [values[-1]], "o", color=LINEAR, markersize=6, zorder=4)
            note(accuracy, f"{epochs}", (epochs, values[-1]), (0, 7), color=LINEAR, ha="center")
        accuracy.set_title("test accuracy")
        accuracy.set_ylim(0.69, 0.84)
        in_per_cent(accuracy.yaxis)
        note(accuracy, "constant", (26, 0.757), (0, -16), color=GRAY, ha="center")
        rate.set_title("learning rate")
        rate.set_ylim(0, 0.115)
        for axes in (accuracy, rate):
            axes.set_xlim(0, 41)
            axes.set_xticks([0, 5, 10, 20, 30, 40])
        for axes in (accuracy, rate) if wide else (rate,):
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt="Test accuracy of linear decay planned for 5, 10, 20, 30 and 40 epochs, means over seeds, and "
        "the constant rate in gray. Each plan climbs in its last third and ends in a dot; at the end of "
        "a shorter plan the longer ones lie well below its dot. From 20 epochs on the dots are nearly "
        "level. Beside it the rates: five straight lines from 0.1, each to zero at its own length.",
    )


@finding(heading="Planned short beats cut short")
def planned_or_cut_text(records: Records) -> Finding:
    """Say what a plan is worth that was made for the length, and what the cut costs when it comes later."""
    plans = _plans(records)
    main = records.runs(CIFAR10, "linear")
    epochs, early, late = len(main[0].epochs), 10, 20
    ends = {length: finals(runs) for length, runs in plans.items()}
    cut = {at: [run.column("test_accuracy")[at - 1] for run in main] for at in (early, late)}
    longer = [
        run.column("test_accuracy")[early - 1] for n, runs in plans.items() if n > early for run in runs
    ]
    costs = {at: fmean(ends[at]) - fmean(cut[at]) for at in (early, late)}
    shortest, longest = min(plans), max(plans)
    left = {at: main[0].epochs[at].first_lr / main[0].config.peak_lr for at in (early, late)}
    return Finding(
        """
        Look above epoch {early}. The plan that was made for it is done, at {planned}. Longer plans are under
        way: the one for {epochs} epochs is at {cut}, {cost} points lower, and no run of any longer plan
        reaches the dot. What the cut costs depends on the rate at which it comes. After {late} of {epochs}
        epochs the rate is at a third of its peak, and {late_cost} points are missing.

        So choose the length first, then train to its end. With {shortest} epochs you get {brief}, with
        {epochs} epochs {main}, and with {longest} no more. ({Few} seeds at each length, {many} at {epochs}.)
        """,
        {
            "early": early,
            "planned": percent(fmean(ends[early])),
            "epochs": epochs,
            "cut": percent(fmean(cut[early])),
            "cost": points(costs[early]),
            "late": late,
            "late_cost": points(costs[late]),
            "shortest": count(shortest),
            "brief": percent(fmean(ends[shortest])),
            "main": percent(fmean(ends[epochs])),
            "longest": longest,
            "Few": count(len(ends[shortest])).capitalize(),
            "many": count(len(main)),
        },
        {
            "no run of a longer plan is as high at that epoch": max(longer) < min(ends[early]),
            "the early cut costs at least ten times what the late one costs": 0
            < 10 * costs[late]
            < costs[early],
            "the late cut comes at a third of the peak": abs(left[late] - 1 / 3) < 0.01,
            "the longest plan ends no higher": fmean(ends[longest]) <= fmean(ends[epochs]),
            "up to the main length, longer is better": all(
                fmean(ends[a]) < fmean(ends[b]) for a, b in pairwise(n for n in ends if n <= epochs)
            ),
            "the other lengths have the same number of seeds": len(
                {len(ends[n]) for n in ends if n != epochs}
            )
            == 1,
        },
    )


@finding(heading="Read too early, the ranking is wrong")
def ranking_turns_text(records: Records) -> Finding:
    """Say how a comparison in the middle of the plans would have come out."""
    linear, drop = (
        [run.column("test_accuracy") for run in records.runs(CIFAR10, name)] for name in ("linear", "drop")
    )
    early, n = 10, len(linear)
    then = fmean(run[early - 1] for run in drop) - fmean(run[early - 1] for run in linear)
    end = fmean(run[-1] for run in linear) - fmean(run[-1] for run in drop)
    return Finding(
        """
        The same holds between schedules. Stop [all runs of the last chapter](drop_based.ipynb) after epoch
        {early}, and every run with drops is ahead of every run of linear decay, by {then} points on average.
        At the end of the plans all {n} are behind, by {end}. A schedule that keeps its rate up longer looks
        poor on the way, for its accuracy still carries the shaking. Compare schedules when their plans are
        complete.
        """,
        {"early": early, "then": points(then), "n": count(n), "end": points(end)},
        {
            "at that epoch every run with drops is ahead": min(run[early - 1] for run in drop)
            > max(run[early - 1] for run in linear),
            "at the end every one is behind": max(run[-1] for run in drop) < min(run[-1] for run in linear),
            "as many runs of both": n == len(drop),
        },
    )


# --- What the valley cannot explain; beside the survey ----------------------------------------------------


@finding(heading="What the valley cannot explain: who does well on the test set")
def beyond_training_loss_text(records: Records) -> Finding:
    """Say that the training loss, of which the valley is a model, does not settle the test accuracy."""
    linear, time = (records.runs(CIFAR10, name) for name in ("linear", "time"))
    learned = [run.final.train_accuracy for run in linear + time]
    losses = {n: fmean(r.epochs[-1].train_loss for r in runs) for n, runs in (("l", linear), ("t", time))}
    gap = comparison(records, "time", "linear")
    return Finding(
        """
        [Time-based decay](time_based.ipynb) also brings training loss close to zero, {time} against {linear}
        here, and both schedules end with every training image right. Yet on images that they have not seen
        they are {gap} points apart. The valley is a model of the *training* loss. The next page
        collects [what it cannot explain](beyond_the_valley.md).
        """,
        {
            "time": rounded(losses["t"], 4),
            "linear": rounded(losses["l"], 4),
            "gap": points(gap.mean_difference),
        },
        {
            "every run of both has the whole training set right": min(learned) == 1.0,
            "both losses are below a hundredth": max(losses.values()) < 0.01,
            "time-based decay loses by the plan": gap.verdict == "worse",
        },
    )


@finding()
def beside_the_survey_text(records: Records) -> Finding:
    """Set the survey's statements beside its source and beside our runs, in one box."""
    rows = {name: published().source.row(name) for name in ("linear", "drop")}
    high, low = rows["linear"].test_accuracy, rows["drop"].test_accuracy
    error = sqrt(sum(p * (1 - p) / 10_000 for p in (high, low)))
    ahead = comparison(records, "drop", "linear")
    return Finding(
        """
        > **Beside the survey** (section 1.1.5). It says that the rate is 0 at the last epoch. By its own
        > formula, with epochs counted from 0, that epoch has $1/\\text{{epochs}}$ of the peak, and so
        > [its source](https://pyimagesearch.com/2019/07/22/keras-learning-rate-schedules-and-decay/) trained.
        > It says that the initial rate is the only number to choose; `total_epochs` is a second. Its linear
        > and drop-based runs are level, {high} and {low}: the difference is within what 10,000 test images
        > leave open. Ours are {ahead} points apart.
        """,
        {"high": f"{high:.4f}", "low": f"{low:.4f}", "ahead": points(ahead.mean_difference)},
        {
            "the source's two runs are within one error": 0 < high - low < error,
            "ours are told apart by the plan": ahead.verdict == "worse",
        },
    )

"""What the chapter on the constant rate prints: its figures, and the sentences under them with their checks.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from statistics import fmean, stdev

import numpy as np
from matplotlib.figure import Figure

from lrbook.chapters import drawn, map_plan
from lrbook.chapters.drawn import draw_mean, name_at
from lrbook.finding import (
    Finding,
    Records,
    comparison,
    count,
    finals,
    finding,
    means,
    percent,
    points,
    rounded,
)
from lrlib import Constant, LinearDecay, Valley, preset
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import (
    COLOR,
    INK,
    NARROW,
    RULE,
    TEST,
    TRAINING,
    WIDE,
    Label,
    TwoWidths,
    label_ends,
    plain,
)
from lrlib.runs import Run, published
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import FAILED, final_accuracy
from lrlib.stats.rankings import by_peak

CIFAR10, PEAKS = "survey-laptop", "peak-laptop"
DIGITS, DIGITS_RATES = "survey-digits", ("peak-digits", "rates-digits")  # seeds 1 to 3, and 4 to 10
MAP = "laptop-map-gpu"  # three seeds at four peak rates, on a GPU

GRAY, LINEAR = COLOR["constant"], COLOR["linear"]
LOW, GOOD, HIGH, HIGHEST = 0.0001, 0.01, 0.1, 1.0  # rates on the digits that the chapter talks about


# --- Figure 2.1: eight plans ------------------------------------------------------------------------------


def plans_figure() -> TwoWidths:
    """Draw the eight schedules of the survey as the recorded runs on CIFAR-10 had them, constant in gray."""

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.9) if wide else (NARROW, 5.2))
        grid = figure.subplots(*(2, 4) if wide else (4, 2), sharex=True, sharey=True)
        for axes, label in zip(grid.flat, SURVEY, strict=True):
            config = preset("laptop", recipe=label)
            schedule, t = config.schedule(), np.arange(config.total_steps)
            axes.axhline(config.peak_lr, color=GRAY, linewidth=1.0)
            rates = [config.peak_lr * schedule(step) for step in t]
            axes.plot(t / config.steps_per_epoch, rates, color=COLOR[label], linewidth=2.2)
            axes.set_title(label, color=COLOR[label])
            axes.set_xlim(0, config.epochs)
            axes.set_ylim(0, 0.115)
            axes.set_yticks([0, 0.05, 0.1])
            axes.set_xticks([0, 10, 20, 30])
            plain(axes.yaxis)
        for axes in grid[-1]:
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt="Eight small panels of the learning rate over 30 epochs. Constant is a level line at 0.1, and is "
        "repeated in gray in the others: time falls in a curve that flattens, drop in stairs, linear in "
        "a straight line to zero, poly5 steeply and then flat, triangle climbs and then falls in "
        "straight lines, cosine falls in a soft S, and cosine5 does so five times over.",
    )


# --- Figure 2.2: the noise floor --------------------------------------------------------------------------

STEPS, FAST, SLOW, EARLY = 2000, 1.0, 0.1, 50


def _valley_losses() -> dict[str, np.ndarray]:
    """Return the expected loss in the noisy valley after each update: two fixed rates, and a falling one."""
    plans = {
        "fast": (Constant(), FAST),
        "slow": (Constant(), SLOW),
        "falling": (LinearDecay(total_steps=STEPS), FAST),
    }
    return {
        name: Valley().trajectory(plan, steps=STEPS, peak_lr=lr).loss for name, (plan, lr) in plans.items()
    }


def floor_figure() -> TwoWidths:
    """Draw two fixed rates that end on their noise floors and a falling one; and the floor over the rate."""
    losses, valley = _valley_losses(), Valley()
    colors = {"fast": GRAY, "slow": INK, "falling": LINEAR}
    rates = np.geomspace(0.01, 1.9, 60)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.1) if wide else (NARROW, 5.8))
        loss, floor = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        ends = []
        for name, values in losses.items():
            loss.plot(np.arange(STEPS + 1), values, color=colors[name], linewidth=2.2)
            ends.append(Label(values[-1], rounded(values[-1], 3), colors[name]))
        for name, rate in (("fast", FAST), ("slow", SLOW)):
            loss.axhline(valley.noise_floor(rate), color=colors[name], linewidth=0.8, linestyle=(0, (1, 2)))
            floor.plot([rate], [valley.noise_floor(rate)], "o", color=colors[name], markersize=7, zorder=3)
        floor.plot(rates, [valley.noise_floor(rate) for rate in rates], color=INK, linewidth=1.2)
        loss.set_title("expected loss")
        floor.set_title("noise floor, over the rate")
        for axes in (loss, floor):
            axes.set_yscale("log", subs=())
            plain(axes.yaxis)
        loss.set_ylim(0.005, 3)
        loss.set_yticks([0.01, 0.1, 1])
        loss.set_xlim(0, STEPS)
        loss.set_xlabel("update")
        note(loss, "rate 1", (STEPS, losses["fast"][-1]), (-2, 5), color=GRAY, ha="right")
        note(loss, "rate 0.1", (820, losses["slow"][820]), (-4, -11), color=INK, ha="right")
        note(loss, "falling from 1 to 0", (1230, losses["falling"][1230]), (5, 2), color=LINEAR)
        floor.set_ylim(0.0009, 1.2)
        floor.set_yticks([0.001, 0.01, 0.1, 1])
        floor.set_xscale("log", subs=())
        floor.set_xticks([0.01, 0.1, 1])
        plain(floor.xaxis)
        floor.set_xlabel("learning rate")
        note(floor, "rate 1", (FAST, valley.noise_floor(FAST)), (-9, 2), color=GRAY, ha="right")
        note(floor, "rate 0.1", (SLOW, valley.noise_floor(SLOW)), (-7, 4), color=INK, ha="right")
        label_ends(loss, ends)
        return figure

    return TwoWidths(
        draw,
        alt="Left, the expected loss over 2,000 updates on a logarithmic axis. Rate 1 falls fast and is "
        "level after some 100 updates; rate 0.1 falls slowly and levels off more than ten times lower; a "
        "rate that falls from 1 to 0 is as fast as the first at the start and ends below both. Dotted "
        "lines mark the noise floors. Right, the noise floor over the rate, both logarithmic: nearly a "
        "straight line upward that bends up before rate 2.",
    )


@finding()
def valley_answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction. It is computed, not recorded; the claims keep the words true."""
    losses = _valley_losses()
    early, late = ({name: values[t] for name, values in losses.items()} for t in (EARLY, STEPS))
    floors = {name: Valley().noise_floor(rate) for name, rate in (("fast", FAST), ("slow", SLOW))}
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        After {early} updates rate {FAST} is ahead, {early_fast} against {early_slow}: it travels faster. At
        the end rate {SLOW} is ahead, {late_slow} against {late_fast}: its floor is {times} times lower. The
        order depends on when you look. And yes: the falling rate is as fast as the first at the start, and
        ends at {falling}, below both.

        </details>
        """,
        {
            "early": EARLY,
            "FAST": f"{FAST:g}",
            "SLOW": f"{SLOW:g}",
            "early_fast": rounded(early["fast"], 2),
            "early_slow": rounded(early["slow"], 2),
            "late_slow": rounded(late["slow"], 3),
            "late_fast": rounded(late["fast"], 3),
            "times": rounded(floors["fast"] / floors["slow"], 0),
            "falling": rounded(late["falling"], 3),
        },
        {
            "early on the large rate leads, at the end the small one": early["fast"] < early["slow"]
            and late["slow"] < late["fast"],
            "both have reached their floors, within two per cent": all(
                abs(late[name] - floor) < 0.02 * floor for name, floor in floors.items()
            ),
            "the falling rate keeps up at the start and ends lowest": early["falling"] < 1.05 * early["fast"]
            and late["falling"] < min(late["fast"], late["slow"]),
        },
    )


# --- Figure 2.3: the reader's own two runs ----------------------------------------------------------------


def live_figure(mine: Mapping[float, Run], records: Records | None = None) -> TwoWidths:
    """Draw two runs that were just trained, by rate, over the recorded ones of the same setting."""
    labels = {f"rate {rate:g}": run for rate, run in mine.items()}
    return drawn.live_figure(
        labels,
        records,
        studies=DIGITS_RATES if _on_digits(mine) else (CIFAR10, PEAKS),
        colors={next(iter(labels)): GRAY},
        alt="Your two runs, rate 0.1 in gray and 0.01 in black, thick, over recorded runs of the same rates, "
        "thin. At 0.01 training loss falls sooner and lower, and test accuracy is soon nearly level; at 0.1 "
        "both lag behind, and test accuracy jumps up and down.",
    )


def live_text(mine: Mapping[float, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of the digits, where the recorded ones of both rates did."""
    ends = [f"{percent(final_accuracy(run))} (rate {rate:g})" for rate, run in mine.items()]
    ours = ten_times_apart_text(records) if _on_digits(mine) else Finding("", {}, {})
    return Finding(
        "Your runs ended at {yours}. {ours}", {"yours": " and ".join(ends), "ours": ours.text}, ours.holds
    )


@finding()
def ten_times_apart_text(records: Records) -> Finding:
    """Say how far apart two rates end on the digits."""
    ends = {rate: finals(_at_rate(records, rate)) for rate in (GOOD, HIGH)}
    return Finding(
        """
        Our {n} recorded runs at {HIGH} end between {high_low} and {high_high}, our {n} at {GOOD} between
        {good_low} and {good_high}: each of these above each of those.
        """,
        {
            "n": count(len(ends[GOOD])),
            "HIGH": f"{HIGH:g}",
            "GOOD": f"{GOOD:g}",
            "high_low": percent(min(ends[HIGH])),
            "high_high": percent(max(ends[HIGH])),
            "good_low": percent(min(ends[GOOD])),
            "good_high": percent(max(ends[GOOD])),
        },
        {
            "as many runs of both": len(ends[GOOD]) == len(ends[HIGH]),
            "every run at the lower rate ends above every run at the higher": min(ends[GOOD])
            > max(ends[HIGH]),
        },
    )


# --- The box ----------------------------------------------------------------------------------------------


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check them at length."""
    digits = {rate: finals(_at_rate(records, rate)) for rate in (LOW, GOOD, HIGHEST)}
    on_gpu = _on_gpu(records)
    lowest, middle, peak = (on_gpu[rate] for rate in (GOOD, 0.03, HIGH))
    spread = _spreads(records, CIFAR10)
    own, others = spread.pop("constant"), spread
    return Finding(
        """
        > **What we found**
        >
        > 1. **A constant rate can be too low, good, or too high.** On the digits {GOOD} gets {good} of the
        >    test images right, {LOW} in the same time {low}, and {HIGHEST} only guesses ({n} seeds each).
        > 2. **{HIGH} is too high for a constant rate on CIFAR-10.** In {runs} runs of each on a GPU it ends
        >    at {constant}, 0.03 at {middle} and {GOOD} at {slow}.
        > 3. **At {HIGH} the end is partly luck.** Seeds differ with a [standard
        >    deviation](../reference/glossary.md#standard-deviation) of {own} points,
        >    under the {seven} other schedules with {least} to {most}.
        """,
        {
            "GOOD": f"{GOOD:g}",
            "LOW": f"{LOW:g}",
            "HIGH": f"{HIGH:g}",
            "HIGHEST": f"{HIGHEST:g}",
            "good": percent(fmean(digits[GOOD])),
            "low": percent(fmean(digits[LOW])),
            "n": count(len(digits[GOOD])),
            "runs": count(len(peak)),
            "constant": percent(fmean(peak.values())),
            "middle": percent(fmean(middle.values())),
            "slow": percent(fmean(lowest.values())),
            "own": points(own, 2),
            "seven": count(len(others)),
            "least": points(min(others.values()), 2),
            "most": points(max(others.values()), 2),
        },
        {
            "on the digits every run at the good rate beats every one at the two others": min(digits[GOOD])
            > max(digits[LOW] + digits[HIGHEST]),
            "at the highest rate all guess": max(digits[HIGHEST]) < 0.12,
            "on CIFAR-10 each of several runs at it ends above each at the high one": map_plan.too_high(
                records
            ),
            "between them lies the middle one": fmean(peak.values())
            < fmean(middle.values())
            < fmean(lowest.values()),
            "no other schedule's seeds differ as much": max(others.values()) < own,
        },
    )


# --- Figure 2.4: nine rates on the digits -----------------------------------------------------------------


def rates_figure(records: Records | None = None) -> TwoWidths:
    """Draw training loss over epochs for four rates, and the test error at the end over all nine."""
    records = Records() if records is None else records
    rates = _rates(records)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.4) if wide else (NARROW, 6.2))
        loss, error = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        ends = []
        for rate in (LOW, GOOD, HIGH, HIGHEST):
            color = INK if rate == GOOD else GRAY
            values = draw_mean(
                loss, _at_rate(records, rate), "train_loss", color, {"linewidth": 2.2}, seeds=True
            )
            ends.append(Label(values[-1], f"{rate:.4f}".rstrip("0").rstrip("."), color))
        loss.set_title("training cross-entropy")
        loss.set_xlim(0, 8)
        loss.set_ylim(0, 3.2)
        loss.set_xlabel("epoch")
        loss.axhline(np.log(10), color=RULE, linewidth=1.2, zorder=0)
        note(loss, "guessing", (8, np.log(10)), (-2, -12), color=INK, ha="right")
        mean = []
        for rate in rates:
            errors = [1 - end for end in finals(_at_rate(records, rate))]
            color = INK if rate == GOOD else GRAY
            error.plot(
                [rate] * len(errors), errors, "o", color=color, markersize=4.5, alpha=0.55, markeredgewidth=0
            )
            mean.append(fmean(errors))
        error.plot(rates, mean, color=GRAY, linewidth=1.6, zorder=1)
        error.set_title("test error at the end")
        error.set_xscale("log", subs=())
        error.set_yscale("log", subs=())
        error.set_ylim(0.004, 1.6)
        error.set_yticks([0.01, 0.03, 0.1, 0.3, 0.9])
        error.minorticks_off()
        in_per_cent(error.yaxis)
        error.set_xticks([0.0001, 0.001, 0.01, 0.1, 1])
        plain(error.xaxis)
        error.set_xlabel("learning rate")
        note(error, "too low", (LOW, 0.2), (-4, 0), color=GRAY)
        note(error, "good", (GOOD, 0.024), (0, 0), color=INK, ha="center")
        note(error, "too high", (HIGHEST, 0.9), (4, 7), color=GRAY, ha="right")
        label_ends(loss, ends)
        return figure

    return TwoWidths(
        draw,
        alt="Left, training cross-entropy on the digits over 8 epochs, thin lines the seeds. At 0.0001 it "
        "falls slowly and is still high at the end; at 0.01, in black, it falls steeply to almost zero; "
        "at 0.1 it falls later and ends higher; at 1 it stays above the level of guessing. Right, the "
        "test error at the end over nine rates, ten dots each: a bowl that is lowest at 0.01, rises "
        "gently to the left and jumps to 90% from 0.3 on.",
    )


@finding(heading="Too low, good, too high: ten seeds on the digits")
def rates_text(records: Records) -> Finding:
    """Say what nine constant rates do on the digits, with ten seeds each."""
    rates = _rates(records)
    ends = {rate: finals(_at_rate(records, rate)) for rate in rates}
    mean = {rate: fmean(values) for rate, values in ends.items()}
    learned = {rate: fmean(run.final.train_loss for run in _at_rate(records, rate)) for rate in rates}
    best = max(rates, key=mean.__getitem__)
    near = [rate for rate in rates if mean[best] - mean[rate] < 0.01]
    failed = [end for rate in rates if rate > HIGH for end in ends[rate]]
    middle = next(rate for rate in rates if best < rate < HIGH)
    return Finding(
        """
        At {LOW} the network has not arrived after {epochs} epochs: its loss is still falling, and it gets
        {low} of the test images right. At {best} it gets {good}, the highest mean. At {HIGH} it arrives, but
        shakes: {high}, with seeds anywhere from {high_low} to {high_high}. At higher rates {guess} of {lost}
        runs end no better than guessing.

        The bowl's floor is wide, and its right wall is steep: from {first} to {last}, a factor of {wide}, the
        means lie within a point of the best. If you must guess a rate, guess low.

        The valley's noise floor is there too. Training loss after the last update is {floor_high} at {HIGH},
        {floor_middle} at {middle} and {floor_good} at {GOOD}. Below that it rises again: those runs have not
        arrived.
        """,
        {
            "LOW": f"{LOW:g}",
            "HIGH": f"{HIGH:g}",
            "GOOD": f"{GOOD:g}",
            "epochs": _at_rate(records, best)[0].config.epochs,
            "low": percent(mean[LOW]),
            "best": f"{best:g}",
            "good": percent(mean[best]),
            "high": percent(mean[HIGH]),
            "high_low": percent(min(ends[HIGH])),
            "high_high": percent(max(ends[HIGH])),
            "guess": sum(end < 0.12 for end in failed),
            "lost": len(failed),
            "first": f"{near[0]:g}",
            "last": f"{near[-1]:g}",
            "wide": f"{near[-1] / near[0]:.0f}",
            "middle": f"{middle:g}",
            "floor_high": rounded(learned[HIGH], 3),
            "floor_middle": rounded(learned[middle], 3),
            "floor_good": rounded(learned[GOOD], 3),
        },
        {
            "ten seeds at each of nine rates": {rate: len(values) for rate, values in ends.items()}
            == dict.fromkeys(rates, 10)
            and len(rates) == 9,
            "at the lowest rate every run's loss still falls in the last epoch, by 0.05 or more": all(
                run.column("train_loss")[-2] - run.column("train_loss")[-1] > 0.05
                for run in _at_rate(records, LOW)
            ),
            "0.01 is the best rate: each of its runs beats each at the lowest rate and at 0.1": best == GOOD
            and min(ends[GOOD]) > max(ends[LOW] + ends[HIGH]),
            "at 0.1 the seeds lie at least three times as far apart as at 0.01": max(ends[HIGH])
            - min(ends[HIGH])
            > 3 * (max(ends[GOOD]) - min(ends[GOOD])),
            "above 0.1 no run gets half right, and all but one guess": max(failed) < FAILED
            and sum(end < 0.12 for end in failed) == len(failed) - 1,
            "the rates near the best are one stretch of the grid": near
            == [rate for rate in rates if near[0] <= rate <= near[-1]],
            "the loss at the end rises with the rate from 0.01 on, and falls with it below": learned[GOOD]
            < learned[middle]
            < learned[HIGH]
            and all(learned[a] > learned[b] for a, b in pairwise(rate for rate in rates if rate <= GOOD)),
        },
    )


# --- Figure 2.5: CIFAR-10 at 0.1 --------------------------------------------------------------------------


def cifar10_figure(records: Records | None = None) -> TwoWidths:
    """Draw loss and accuracy of the recorded runs on CIFAR-10 at the constant rate of the survey."""
    records = Records() if records is None else records
    runs = records.runs(CIFAR10, "constant")
    whole = fmean(run.final.train_accuracy for run in runs)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.4) if wide else (NARROW, 6.2))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        loss, accuracy = panels
        labels = {}
        for axes, name, numbers in (
            (loss, "loss", lambda value: rounded(value, 2)),
            (accuracy, "accuracy", percent),
        ):
            ends = []
            for part, style in (("train", TRAINING), ("test", TEST)):
                values = draw_mean(axes, runs, f"{part}_{name}", GRAY, style, seeds=part == "test")
                ends.append(Label(values[-1], numbers(values[-1]), GRAY))
            if axes is accuracy:
                axes.plot(
                    [len(runs[0].epochs)], [whole], "o", color=INK, markersize=6, clip_on=False, zorder=4
                )
                ends.append(Label(whole, percent(whole), INK))
            axes.set_xlim(0, len(runs[0].epochs))
            labels[axes] = ends
        loss.set_title("cross-entropy")
        loss.set_ylim(0, 1.62)
        loss.set_yticks([0, 0.5, 1, 1.5])
        accuracy.set_title("accuracy")
        accuracy.set_ylim(0.4, 1.02)
        in_per_cent(accuracy.yaxis)
        note(loss, "test", (21, 1.28), color=GRAY, ha="center")
        name_at(loss, runs, "train_loss", 9, "training", GRAY, (6, 5))
        name_at(accuracy, runs, "test_accuracy", 20, "test", GRAY, (0, -26), ha="center")
        name_at(accuracy, runs, "train_accuracy", 10, "while training", GRAY, (-6, 7), ha="right")
        note(accuracy, "after the last update", (29.3, whole), (0, -16), color=INK, ha="right")
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("epoch")
        for axes, ends in labels.items():  # last, as they stand where the scales put them
            label_ends(axes, ends)
        return figure

    return TwoWidths(
        draw,
        alt="Two panels over 30 epochs on CIFAR-10 at the constant rate 0.1; training dashed, test solid, "
        "thin lines the seeds. Training cross-entropy falls towards zero, test cross-entropy turns and "
        "rises, jagged. Training accuracy climbs high, test accuracy flattens far below it and keeps "
        "jumping. A black dot at the end, below the dashed line, is the training accuracy after the last "
        "update.",
    )


@finding(heading="On CIFAR-10, a rate of 0.1 shakes to the end")
def shakes_to_the_end_text(records: Records) -> Finding:
    """Say how a constant rate goes on shaking, and that every other schedule beats it there."""
    runs = records.runs(CIFAR10, "constant")
    epochs = len(runs[0].epochs)
    tests = [run.column("test_accuracy") for run in runs]
    moved = fmean(abs(b - a) for test in tests for a, b in pairwise(test[epochs // 2 - 1 :]))
    last = 5
    apart = fmean(max(test[-last:]) - min(test[-last:]) for test in tests)
    against = [comparison(records, name, "constant") for name in SURVEY if name != "constant"]
    gains = [each.mean_difference for each in against]
    return Finding(
        """
        In the second half of training, test accuracy moves by {moved} points from one epoch to the next. The
        same {images} images are tested each time: what moves is the *weights*. So the result depends on when
        you stop. In a run's last {last} epochs alone, its best and worst accuracy are {apart} points apart,
        on average.

        *How sure? All {seven} other schedules do better at this rate, by {least} to {most} points: [how we
        decide](plan.md).*
        """,
        {
            "moved": points(moved),
            "images": f"{10_000:,}",
            "last": count(last),
            "apart": points(apart),
            "seven": count(len(against)),
            "least": points(min(gains)),
            "most": points(max(gains)),
        },
        {
            "it moves by more than a point per epoch": moved > 0.01,
            "the last epochs are further apart than that": apart > moved,
            "all others are better by the plan": {each.verdict for each in against} == {"better"},
        },
    )


# --- Figure 2.6: lower rates ------------------------------------------------------------------------------


def lower_rates_figure(records: Records | None = None) -> TwoWidths:
    """Draw training loss and test accuracy on CIFAR-10 at three constant rates."""
    records = Records() if records is None else records
    groups = {rate: _cifar10_at(records, rate) for rate in (0.1, 0.03, 0.01)}
    looks = {
        0.1: {"color": GRAY, "style": TEST},
        0.03: {"color": INK, "style": {"linewidth": 1.0}},
        0.01: {"color": INK, "style": TEST},
    }

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.1) if wide else (NARROW, 5.8))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        loss, accuracy = panels
        labels = {}
        for axes, name in ((loss, "train_loss"), (accuracy, "test_accuracy")):
            ends = []
            for rate, runs in groups.items():
                how = looks[rate]
                values = draw_mean(axes, runs, name, how["color"], how["style"], seeds=len(runs) > 1)
                ends.append(Label(values[-1], f"{rate:g}", how["color"]))
            axes.set_xlim(0, len(groups[0.1][0].epochs))
            labels[axes] = ends
        loss.set_title("training cross-entropy")
        loss.set_yscale("log", subs=())
        loss.set_yticks([0.001, 0.01, 0.1, 1])
        plain(loss.yaxis)
        accuracy.set_title("test accuracy")
        accuracy.set_ylim(0.6, 0.84)
        in_per_cent(accuracy.yaxis)
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("epoch")
        for axes, ends in labels.items():
            label_ends(axes, ends)
        return figure

    return TwoWidths(
        draw,
        alt="CIFAR-10 over 30 epochs at the constant rates 0.1 in gray, 0.03 as a thin black and 0.01 as a "
        "thick black line. Training cross-entropy, on a logarithmic axis: the lower the rate, the lower "
        "it ends. Test accuracy: all three jump up and down for twenty epochs; then 0.01 is calm and "
        "highest, 0.03 in between.",
    )


def _on_gpu(records: Records) -> dict[float, dict[int, float]]:
    """Return the constant runs on a GPU: rate -> seed -> final test accuracy."""
    return by_peak(records.blocks(MAP))["constant"]


@finding(heading="A tenth of that rate ends higher")
def lower_rates_text(records: Records) -> Finding:
    """Say what lower constant rates do on CIFAR-10: on average, and to the loss that is drawn."""
    _, slow = map_plan.low_constant(records)
    on_gpu = map_plan.common(records)
    constant, drop, linear = (list(on_gpu[name].values()) for name in ("constant", "drop", "linear"))
    ends, gains = list(slow.values()), map_plan.constant_gains(records)
    high, (middle,), (low,) = (_cifar10_at(records, rate) for rate in (0.1, 0.03, 0.01))
    loss = {run.config.peak_lr: run.column("train_loss")[-1] for run in (middle, low)}
    loss[0.1] = fmean(run.column("train_loss")[-1] for run in high)
    return Finding(
        """
        So 0.1 is too high for a *constant* rate here. The figure draws one run at each lower rate. [On a
        GPU](analysis.ipynb) each rate has {n}: at 0.01 they end between {low} and {top}, at 0.1 between
        {least} and {most}. The mean rises by {gain} points, to {slow}: level with drop-based decay from 0.1
        ({drop}). Linear decay from 0.1 is still ahead ({linear}).

        Training loss has the order that the valley predicts: in the runs drawn it is {loss_high} in the last
        epoch at 0.1, {loss_middle} at 0.03, {loss_low} at 0.01.
        """,
        {
            "n": count(len(ends)),
            "low": percent(min(ends)),
            "top": percent(max(ends)),
            "least": percent(min(constant)),
            "most": percent(max(constant)),
            "gain": points(fmean(gains)),
            "slow": percent(fmean(ends)),
            "drop": percent(fmean(drop)),
            "linear": percent(fmean(linear)),
            "loss_high": rounded(loss[0.1], 3),
            "loss_middle": rounded(loss[0.03], 3),
            "loss_low": rounded(loss[0.01], 3),
        },
        {
            "each of several runs at the lowest ends above each at 0.1": map_plan.too_high(records),
            "it is a tenth of that": (map_plan.low_constant(records)[0], map_plan.COMMON) == (0.01, 0.1),
            "the lowest is within half a point of drop": abs(fmean(ends) - fmean(drop)) < 0.005,
            "linear from 0.1 is ahead of it, each run of each": min(linear) > max(ends),
            "training loss is in the order of the rates, by factors of three and more": loss[0.1]
            > 3 * loss[0.03]
            > 9 * loss[0.01],
        },
    )


# --- Two training accuracies ------------------------------------------------------------------------------


@finding(heading="Two training accuracies, two measurements")
def two_training_accuracies_text(records: Records) -> Finding:
    """Say why the training accuracy while training is not that of the last weights."""
    runs = records.runs(CIFAR10, "constant")
    during = [run.column("train_accuracy")[-1] for run in runs]
    after = [run.final.train_accuracy for run in runs]
    digits = _at_rate(records, HIGH)
    others = [run for name in SURVEY if name != "constant" for run in records.runs(CIFAR10, name)]
    low = records.runs(MAP, "constant", peak_lr=0.01)
    return Finding(
        """
        In figure 2.5, {during} of the training images are right *while training* and {after} *after the last
        update*. The first number is a mean over the last epoch: each image is judged just before the update
        that uses it, by weights that go on changing. Batch normalization goes by the batch then. The second
        number judges all images by the last weights, with the running means that new images will get.

        Either can be higher: on CIFAR-10 at {peak} the first, in all {all_n} runs; on the digits at {HIGH},
        where a batch is {batch} images, the second, in all {ten}. They agree where nothing moves any more, to
        {close} points in every run of the {seven} other schedules and, on a GPU, in all {three} at the
        constant rate 0.01. To compare networks, take the second.
        """,
        {
            "during": percent(fmean(during)),
            "after": percent(fmean(after)),
            "all_n": count(len(runs)),
            "peak": f"{runs[0].config.peak_lr:g}",
            "HIGH": f"{HIGH:g}",
            "batch": count(digits[0].config.batch_size),
            "ten": count(len(digits)),
            "close": rounded(100 * max(abs(_gap(run)) for run in [*others, *low]), 1),
            "seven": count(len({run.label for run in others})),
            "three": count(len(low)),
        },
        {
            "on CIFAR-10 it is lower after the last update by half a point or more, in each run": all(
                a - b > 0.005 for a, b in zip(during, after, strict=True)
            ),
            "on the digits it is higher by a point or more, in each run": min(map(_gap, digits)) > 0.01,
            "with every other schedule the two agree to a fifth of a point": max(
                abs(_gap(run)) for run in others
            )
            < 0.002,
            "and at the constant rate 0.01, in several runs": len(low) > 1
            and max(abs(_gap(run)) for run in low) < 0.002,
        },
    )


# --- Figure 2.7: luck -------------------------------------------------------------------------------------


def spread_figure(records: Records | None = None) -> TwoWidths:
    """Draw how far the seeds of each schedule end from their mean, on both data sets."""
    records = Records() if records is None else records
    rows = {
        "CIFAR-10": {name: finals(records.runs(CIFAR10, name)) for name in SURVEY},
        "digits": {"constant": [], f"constant, {GOOD:g}": finals(_at_rate(records, GOOD))}
        | {name: finals(records.runs(DIGITS, name)) for name in SURVEY},
    }

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.1) if wide else (NARROW, 5.8))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        for axes, (dataset, groups) in zip(panels, rows.items(), strict=True):
            for place, (name, ends) in enumerate(groups.items()):
                off = [100 * (end - fmean(ends)) for end in ends]
                axes.plot(
                    off,
                    [place] * len(off),
                    "o",
                    color=COLOR[name.partition(",")[0]],
                    markersize=5.5,
                    alpha=0.7,
                    markeredgewidth=0,
                )
                note(
                    axes, points(stdev(ends), 2), (1.0, place), (5, 0), xycoords=("axes fraction", "data"),
                    va="center", color=COLOR[name.partition(",")[0]],
                )  # fmt: skip
            axes.set_yticks(range(len(groups)), list(groups))
            axes.set_ylim(len(groups) - 0.4, -0.6)
            axes.grid(visible=False)
            axes.axvline(0, color=RULE, linewidth=1.0, zorder=0)
            axes.set_title(dataset)
            note(axes, "sd", (1.0, 1.0), (5, 7), xycoords="axes fraction", color=INK)
        panels[0].set_xlim(-1.6, 1.6)
        panels[0].set_xticks([-1, 0, 1], ["\N{MINUS SIGN}1", "0", "+1"])
        panels[1].set_xlim(-3.5, 3.5)
        panels[1].set_xticks([-2, 0, 2], ["\N{MINUS SIGN}2", "0", "+2"])
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("points from the schedule's mean")
        return figure

    return TwoWidths(
        draw,
        alt="Dots for seeds, a row for each schedule: how far its runs end from their mean, on CIFAR-10 and "
        "on the digits, with the standard deviation at the right. The dots of the constant rate are "
        "spread widest in both panels, those of the other schedules lie close together. On the digits so "
        "do those of the constant rate 0.01.",
    )


@finding(heading="A high constant rate leaves more to chance")
def spread_text(records: Records) -> Finding:
    """Say how much seeds differ at a constant rate, against the other schedules and against a lower rate."""
    spread = {study: _spreads(records, study) for study in (CIFAR10, DIGITS)}
    own = {study: found.pop("constant") for study, found in spread.items()}
    high, good = (stdev(finals(_at_rate(records, rate))) for rate in (HIGH, GOOD))
    n = len(_at_rate(records, GOOD))
    on_gpu = _on_gpu(records)
    apart = {rate: max(found.values()) - min(found.values()) for rate, found in on_gpu.items()}
    return Finding(
        """
        At the constant rate, seeds end far apart. Their standard deviation is {own} points on CIFAR-10,
        against {least} to {most} under the {seven} other schedules. On the digits it is {own_digits}, against
        {least_digits} to {most_digits}. {Five} seeds measure a spread roughly, but it is the largest of
        {eight} on both.

        Is it the schedule, or the rate? On the digits at {GOOD}, just as constant, {ten} seeds spread by
        {good} points, at {HIGH} by {high}. On CIFAR-10, {three} runs on a GPU end within {near} points of one
        another at {GOOD}, within {far} at {HIGH}. A rate that is too high leaves the end to chance, not one
        that is constant.
        """,
        {
            "own": points(own[CIFAR10], 2),
            "least": points(min(spread[CIFAR10].values()), 2),
            "most": points(max(spread[CIFAR10].values()), 2),
            "own_digits": points(own[DIGITS], 2),
            "least_digits": points(min(spread[DIGITS].values()), 2),
            "most_digits": points(max(spread[DIGITS].values()), 2),
            "seven": count(len(spread[CIFAR10])),
            "eight": count(len(spread[CIFAR10]) + 1),
            "Five": count(len(records.runs(CIFAR10, "constant"))).capitalize(),
            "GOOD": f"{GOOD:g}",
            "HIGH": f"{HIGH:g}",
            "ten": count(n),
            "good": points(good, 2),
            "high": points(high, 2),
            "three": count(len(on_gpu[GOOD])),
            "near": points(apart[GOOD]),
            "far": points(apart[HIGH]),
        },
        {
            "the constant rate's spread is the largest on both data sets": all(
                own[study] > max(found.values()) for study, found in spread.items()
            ),
            "as many seeds on both": len(records.runs(CIFAR10, "constant"))
            == len(records.runs(DIGITS, "constant")),
            "on the digits it is less than a third at the good rate": good < high / 3,
            "and on CIFAR-10, too": apart[GOOD] < apart[HIGH] / 3,
            "there are as many runs at both": len(on_gpu[GOOD]) == len(on_gpu[HIGH]) > 1,
            "and then no larger than that of the calmer half of the other schedules": good
            < sorted(spread[DIGITS].values())[len(spread[DIGITS]) // 2],
        },
    )


# --- What the valley cannot explain; beside the survey ----------------------------------------------------


@finding(heading="What the valley cannot explain: test accuracy stands still")
def test_stands_still_text(records: Records) -> Finding:
    """Say that training goes on while test accuracy hardly rises."""
    runs = records.runs(CIFAR10, "constant")
    middle, epochs = len(runs[0].epochs) // 2, len(runs[0].epochs)
    mean = {
        name: means(run.column(name) for run in runs) for name in ("train_loss", "test_accuracy", "test_loss")
    }
    tests = [run.column("test_accuracy") for run in runs]
    moved = fmean(abs(b - a) for test in tests for a, b in pairwise(test[middle - 1 :]))
    risen = mean["test_accuracy"][-1] - mean["test_accuracy"][middle - 1]
    lowest = min(range(epochs), key=mean["test_loss"].__getitem__)
    return Finding(
        """
        The valley knows one loss, that of training. On CIFAR-10 it fell on in the second half of training,
        from {loss} to {loss_end}. But test accuracy rose by {risen} points only, less than it moves in an
        epoch, and test loss, lowest in epoch {lowest} at {low}, ended at {test_loss}. Better on images that
        it has seen, hardly on new ones: that is *overfitting*, and [a question of its
        own](beyond_the_valley.md).
        """,
        {
            "loss": rounded(mean["train_loss"][middle - 1], 2),
            "loss_end": rounded(mean["train_loss"][-1], 2),
            "risen": points(risen),
            "lowest": lowest + 1,
            "low": rounded(mean["test_loss"][lowest], 2),
            "test_loss": rounded(mean["test_loss"][-1], 2),
        },
        {
            "training loss falls by a third or more in the second half, in each run": all(
                run.column("train_loss")[-1] < 2 / 3 * run.column("train_loss")[middle - 1] for run in runs
            ),
            "test accuracy rises by less than it moves in an epoch": 0 < risen < moved,
            "test loss ends higher than its lowest by a fifth or more, in each run": all(
                run.column("test_loss")[-1] > 1.2 * min(run.column("test_loss")) for run in runs
            ),
        },
    )


@finding()
def beside_the_survey_text(records: Records) -> Finding:
    """Set the survey's statements beside its source, in one box."""
    survey, source = (table.row("constant") for table in (published().survey, published().source))
    return Finding(
        """
        > **Beside the survey** (section 1.1.2). Details got lost on the way from its
        > [source](https://pyimagesearch.com/2019/07/22/keras-learning-rate-schedules-and-decay/). The network
        > is no ResNet-50 but a small residual network, trained once per schedule, without augmentation. What
        > is called validation is the test set. The accuracy of {accuracy} is that test's, but the loss of
        > {loss} is the *training* loss, with a penalty for large weights in it; ours leave it out. And "a
        > quick *rise* in the objective" should be a fall: the loss is minimized.
        """,
        {"accuracy": f"{survey.accuracy:.2f}", "loss": f"{survey.loss:.4f}"},
        {
            "the survey's accuracy is the source's test accuracy, rounded": f"{source.test_accuracy:.2f}"
            == f"{survey.accuracy:.2f}",
            "its loss is the source's training loss, not its test loss": survey.loss
            == source.train_loss
            != source.test_loss,
        },
    )


# --- What the functions above share -----------------------------------------------------------------------


def _at_rate(records: Records, rate: float) -> list[Run]:
    """Return the runs on the digits at a constant rate, by seed."""
    runs = [run for study in DIGITS_RATES for run in records.runs(study, "constant", peak_lr=rate)]
    return sorted(runs, key=lambda run: run.config.seed)


def _rates(records: Records) -> list[float]:
    return sorted(
        {run.config.peak_lr for study in DIGITS_RATES for run in records[study] if run.label == "constant"}
    )


def _cifar10_at(records: Records, rate: float) -> list[Run]:
    """Return the runs on CIFAR-10 at a constant rate: five seeds at 0.1, one at a lower one."""
    return [run for study in (CIFAR10, PEAKS) for run in records.runs(study, "constant", peak_lr=rate)]


def _gap(run: Run) -> float:
    """Return training accuracy after the last update, minus that while training in the last epoch."""
    return run.final.train_accuracy - run.column("train_accuracy")[-1]


def _spreads(records: Records, study: str) -> dict[str, float]:
    return {name: stdev(finals(records.runs(study, name))) for name in SURVEY}


def _on_digits(mine: Mapping[float, Run]) -> bool:
    return all(run.config.dataset == "digits" for run in mine.values())

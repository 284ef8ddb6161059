"""What the chapter on polynomial decay prints: its figures, and the sentences under them with their checks.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbook.chapters import drawn, map_plan
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
    verdict,
)
from lrlib import Constant, PolynomialDecay, Schedule, Valley
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import COLOR, INK, NARROW, WIDE, Label, TwoWidths, label_ends, plain
from lrlib.runs import Run, published
from lrlib.stats import final_accuracy
from lrlib.stats.curves import fall_done
from lrlib.stats.rankings import by_peak
from lrlib.theory import Trajectory
from lrlib.theory.area import area, spent

CIFAR10, PEAKS, PEAKS_DIGITS = "survey-laptop", "peak-laptop", "peak-digits"

POLY, LINEAR, GRAY = COLOR["poly5"], COLOR["linear"], COLOR["constant"]
DOTTED = {"linestyle": (0, (1, 1.4)), "linewidth": 1.8}
POWER = 5  # of the survey, and of the recorded runs: poly5

NAMES = ("constant", "time", "drop", "linear", "triangle", "cosine", "cosine5", "poly5")
HALVES = ("linear", "triangle", "cosine", "cosine5")  # schedules whose area is a half
LOW, LIVE = 0.0001, 0.001  # peak rates on the digits: the lowest recorded one, and the reader's
THREE = 3  # linear decay has three times the area of power 5, so at a third of the peak it reaches as far
LADDER = (LOW, LIVE, 0.01, 0.1)  # peak rates of linear decay; power 5 gets three times as much
SHOWN = (0.0001, 0.0003, 0.001, 0.01)  # peak rates of figure 6.6


# --- Figure 6.1: powers, and the areas under them ---------------------------------------------------------


def shapes_figure(records: Records | None = None) -> TwoWidths:
    """Draw the rates of the recorded runs for powers 0, 1, 2, 3 and 5, and the area under each so far."""
    config = (Records() if records is None else records).runs(CIFAR10, "poly5")[0].config
    total, peak = config.total_steps, config.peak_lr
    times = np.arange(total) / config.steps_per_epoch
    styles = {
        0: {"color": GRAY, "linewidth": 2.0},
        1: {"color": LINEAR, "linewidth": 2.0},
        2: {"color": INK, "linewidth": 1.3},
        3: {"color": INK, **DOTTED},
        POWER: {"color": POLY, "linewidth": 2.6},
    }
    factors = {power: (1 - np.arange(total) / total) ** power for power in styles}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.75) if wide else (NARROW, 5.0))
        rate, areas = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        ends = []
        for power, style in styles.items():
            so_far = np.cumsum(factors[power]) / total
            rate.plot(times, peak * factors[power], **style)
            areas.plot(times, so_far, **style)
            ends.append(Label(so_far[-1], "1" if power == 0 else f"1/{power + 1}", style["color"]))
        rate.set_title("learning rate")
        rate.set_ylim(0, 0.108)
        rate.set_yticks([0, 0.025, 0.05, 0.075, 0.1])
        plain(rate.yaxis)
        note(rate, "constant", (30, peak), (-2, -12), color=GRAY, ha="right")
        for power, text, epoch in ((1, "power 1: linear", 13), (2, "2", 10.5), (3, "3", 8.7)):
            at = (epoch, peak * (1 - epoch / 30) ** power)
            note(rate, text, at, (4, 3) if power < 3 else (-9, -10), color=styles[power]["color"])
        note(rate, "power 5", (0.8, 0.011), color=POLY)
        areas.set_title("area covered so far")
        areas.set_ylim(0, 1.02)
        areas.set_yticks([0, 0.25, 0.5, 0.75, 1])
        plain(areas.yaxis)
        for axes in (rate, areas) if wide else (areas,):
            axes.set_xlabel("epoch")
        areas.set_xlim(0, 30)
        rate.set_xlim(0, 30)
        label_ends(areas, ends)
        return figure

    return TwoWidths(
        draw,
        alt="Left, the learning rate over 30 epochs from 0.1 to zero: constant in gray, power 1 a straight "
        "line, powers 2 and 3 sagging below it, and power 5 plunging at first and then close to zero for "
        "half of the run. Right, the area under each curve so far: the constant rate's grows to 1, that of "
        "power 1 to a half, of 2 to a third, of 3 to a quarter. That of power 5 has its sixth by half-time "
        "and then stays level.",
    )


# --- The box ----------------------------------------------------------------------------------------------


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check them at length."""
    runs = {name: records.runs(CIFAR10, name) for name in ("poly5", "constant", "linear")}
    end = {name: fmean(finals(each)) for name, each in runs.items()}
    low_rate, slow = map_plan.low_constant(records)
    on_gpu = map_plan.means(map_plan.common(records))
    low, third = LOW, THREE * LOW
    far = {
        "linear": fmean(finals(_at(records, "linear", low))),
        "poly5": fmean(finals(_at(records, "poly5", low))),
        "more": fmean(finals(_at(records, "poly5", third))),
    }
    late = {peak: _second_half(_at(records, "poly5", peak)) for peak in _flat_peaks(records)}
    learned = [_learned(_at(records, "poly5", peak)) for peak in late]
    return Finding(
        """
        > **What we found**
        >
        > 1. **Better than a constant rate, behind linear decay.** With power 5, {poly} test accuracy on
        >    CIFAR-10, against {constant} at a constant rate of {peak} and {linear} with linear decay ({n}
        >    seeds each). That rate is too high for a constant one: in {runs} runs of each on a GPU,
        >    {low_rate} held constant ends at {slow}, power 5 from {peak} at {poly_gpu}.
        > 2. **The area decides how far training gets.** On the digits, at the low peak rate {low}, linear
        >    decay ends at {far} and power 5 at {near}. At three times the peak, power 5 ends at {more}.
        > 3. **A flat loss is not a finished one.** In the second half of its runs on the digits, power 5 does
        >    at most {late} of the fall of its training loss, at all {rates} peak rates up to {up_to}. At one
        >    of them it then has {few} of the training images right, at another {many}.
        """,
        {
            "poly": percent(end["poly5"]),
            "constant": percent(end["constant"]),
            "linear": percent(end["linear"]),
            "peak": f"{runs['poly5'][0].config.peak_lr:g}",
            "n": count(len(runs["poly5"])),
            "runs": count(len(slow)),
            "low_rate": f"{low_rate:g}",
            "slow": percent(fmean(slow.values())),
            "poly_gpu": percent(on_gpu["poly5"]),
            "low": f"{low:g}",
            "far": percent(far["linear"]),
            "near": percent(far["poly5"]),
            "more": percent(far["more"]),
            "late": percent(max(late.values()), 0),
            "rates": count(len(late)),
            "up_to": f"{max(late):g}",
            "few": percent(min(learned)),
            "many": percent(max(learned)),
        },
        {
            "power 5 beats the constant rate by the plan": verdict(records, "poly5", "constant") == "better",
            "it loses to linear decay by the plan": verdict(records, "poly5", "linear") == "worse",
            "as many seeds of each": len({len(each) for each in runs.values()}) == 1,
            "that rate is too high for a constant one": map_plan.too_high(records),
            "at the lowest rate a constant one is level with power 5": abs(
                fmean(slow.values()) - on_gpu["poly5"]
            )
            < 0.005,
            "the map has the same peak": runs["poly5"][0].config.peak_lr == map_plan.COMMON,
            "at one low peak rate power 5 is more than thirty points behind": far["linear"] - far["poly5"]
            > 0.3,
            "at three times the peak it comes within two": abs(far["linear"] - far["more"]) < 0.02,
            "the last halves do less than a twentieth of the fall": max(late.values()) < 0.05,
            "fewer than half the images right at one rate, nearly all at another": min(learned) < 0.5
            and max(learned) > 0.99,
        },
    )


# --- Figure 6.2: the same reach, in the valley ------------------------------------------------------------

STEPS, EARLY = 300, 75
MEAN_RATE = 0.3  # of all plans: peak rate times area


def _valley_paths() -> dict[int, tuple[Schedule, float, Trajectory]]:
    """Return power -> schedule, peak rate and path of four plans of equal reach; power 0 is constant."""
    plans = {0: Constant()} | {power: PolynomialDecay(total_steps=STEPS, power=power) for power in (1, 2, 5)}
    peaks = {power: MEAN_RATE / area(plan, total_steps=STEPS) for power, plan in plans.items()}
    return {
        power: (plan, peaks[power], Valley().trajectory(plan, steps=STEPS, peak_lr=peaks[power]))
        for power, plan in plans.items()
    }


def valley_figure() -> TwoWidths:
    """Draw four plans of equal reach through the noisy valley: loss, its two parts, and the rate."""
    paths = _valley_paths()
    styles = {
        0: {"color": GRAY, "linewidth": 2.0},
        1: {"color": LINEAR, "linewidth": 2.0},
        2: {"color": INK, "linewidth": 1.3},
        POWER: {"color": POLY, "linewidth": 2.4},
    }
    updates = np.arange(STEPS + 1)

    def draw(wide: bool) -> Figure:
        if wide:
            figure = Figure(figsize=(WIDE, 4.6))
            grid = figure.subplots(2, 2, sharex=True)
            loss, distance, rate, shaking = grid[0, 0], grid[0, 1], grid[1, 0], grid[1, 1]
        else:
            figure = Figure(figsize=(NARROW, 7.4))
            loss, distance, shaking, rate = figure.subplots(4, 1, sharex=True, height_ratios=[3, 3, 3, 2.0])
        ends = {axes: [] for axes in (loss, distance, shaking)}
        for power, (plan, peak, path) in paths.items():
            rate.plot(updates[:-1], [peak * plan(t) for t in updates[:-1]], **styles[power])
            for axes, values in ((loss, path.loss), (distance, path.distance), (shaking, path.shaking)):
                axes.plot(updates, values, **styles[power])
                ends[axes].append(Label(values[-1], rounded(values[-1], 3), styles[power]["color"]))
        # four equal ends would be pushed apart by their labels
        ends[distance] = [Label(paths[1][2].distance[-1], rounded(paths[1][2].distance[-1], 3), INK)]
        for axes, title in ((loss, "expected loss"), (distance, "distance left"), (shaking, "shaking left")):
            axes.set_title(title)
        for axes in (loss, distance, shaking):
            axes.set_yscale("log", subs=())
            plain(axes.yaxis)
        loss.set_ylim(0.018, 3)
        loss.set_yticks([0.03, 0.1, 0.3, 1])
        distance.set_ylim(0.006, 3)
        distance.set_yticks([0.01, 0.1, 1])
        shaking.set_ylim(0.008, 0.6)
        shaking.set_yticks([0.01, 0.03, 0.1, 0.3])
        rate.set_title("learning rate")
        rate.set_ylim(0, 1.9)
        note(rate, "power 5", (28, paths[POWER][1] * (1 - 28 / STEPS) ** POWER), (6, 4), color=POLY)
        note(rate, "2", (105, paths[2][1] * (1 - 105 / STEPS) ** 2), (4, 5), color=INK)
        note(rate, "constant", (STEPS, MEAN_RATE), (-2, 4), color=GRAY, ha="right")
        note(distance, "constant", (130, paths[0][2].distance[130]), (6, 3), color=GRAY)
        note(distance, "linear", (105, paths[1][2].distance[105]), (4, 2), color=LINEAR)
        note(distance, "2", (84, paths[2][2].distance[84]), (8, 2), color=INK)
        note(distance, "power 5", (4, 0.0085), color=POLY)
        note(shaking, "power 5", (30, paths[POWER][2].shaking[30]), (8, 4), color=POLY)
        note(shaking, "constant", (215, paths[0][2].shaking[215]), (0, 5), color=GRAY)
        for axes in (rate, shaking) if wide else (rate,):
            axes.set_xlabel("update")
        axes.set_xlim(0, STEPS)
        for axes, labels in ends.items():
            label_ends(axes, labels)
        return figure

    return TwoWidths(
        draw,
        alt="Four panels over 300 updates for a constant rate and for powers 1, 2 and 5, all with the same "
        "reach. Rate: the higher the power, the higher the start and the lower the second half. Distance "
        "left, on a logarithmic axis: power 5 is far ahead in the first third, then grows flat, and all "
        "four lines meet at update 300. Shaking left: power 5 peaks high and early, comes down, and is level "
        "in the second half; powers 1 and 2 end lowest, and the constant rate, level early on, highest.",
    )


@finding()
def valley_answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction. It is computed, not recorded; the claims keep the words true."""
    paths = {power: path for power, (_, _, path) in _valley_paths().items()}
    early = {power: path.distance[EARLY] for power, path in paths.items()}
    last = {power: path.distance[-1] for power, path in paths.items()}
    shaking = {power: path.shaking[-1] for power, path in paths.items()}
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        After {early} updates power 5 is far ahead: {early_5} of the distance is left, against {early_1} with
        linear decay and {early_0} at the constant rate. At the end all are level, at {last}. The calmest are
        powers 1 and 2, with {calm} of shaking left; power 5 has {restless}, the constant rate {constant}.

        </details>
        """,
        {
            "early": EARLY,
            "early_5": rounded(early[POWER], 3),
            "early_1": rounded(early[1], 3),
            "early_0": rounded(early[0], 3),
            "last": rounded(fmean(last.values()), 3),
            "calm": rounded(shaking[1], 3),
            "restless": rounded(shaking[POWER], 3),
            "constant": rounded(shaking[0], 3),
        },
        {
            "early on power 5 has a quarter of linear decay's distance left, or less": 4 * early[POWER]
            < early[1]
            < early[0],
            "at the end the distances agree to a twentieth": max(last.values()) < 1.05 * min(last.values()),
            "powers 1 and 2 shake alike": rounded(shaking[1], 3) == rounded(shaking[2], 3),
            "power 5 shakes more than they, and the constant rate most": max(shaking[1], shaking[2])
            < 0.75 * shaking[POWER]
            < shaking[POWER]
            < shaking[0],
        },
    )


# --- Figure 6.3: the reader's own three runs --------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw runs that were just trained, thick, over the recorded ones of the same setting, thin."""
    colors = {label: COLOR[run.label] for label, run in mine.items()}
    peaks = [run.config.peak_lr for run in mine.values()]
    colors |= {
        label: INK for label, run in mine.items() if run.label == "poly5" and run.config.peak_lr > min(peaks)
    }
    return drawn.live_figure(
        mine,
        records,
        studies=(PEAKS_DIGITS,),
        colors=colors,
        alt="Your three runs, thick, over recorded runs of the same settings, thin. At one peak rate power "
        "5, in color, grows flat early, with a higher training loss and a lower test accuracy than linear "
        "decay. At three times the peak, in black, it comes close to linear decay.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of the usual digits, where the recorded ones did."""
    ends = [f"{percent(final_accuracy(run))} ({label})" for label, run in mine.items()]
    settings = {(run.label, run.config.peak_lr) for run in mine.values()}
    usual = {("linear", LIVE), ("poly5", LIVE), ("poly5", THREE * LIVE)}
    on_digits = {(run.config.dataset, run.config.epochs) for run in mine.values()} == {("digits", 8)}
    ours = three_times_the_peak_text(records) if on_digits and settings == usual else Finding("", {}, {})
    return Finding(
        "Your runs ended at {yours}. {ours}",
        {"yours": f"{', '.join(ends[:-1])} and {ends[-1]}", "ours": ours.text},
        ours.holds,
    )


@finding()
def three_times_the_peak_text(records: Records) -> Finding:
    """Say what a peak three times as high does for power 5 on the digits."""
    linear, same, more = (
        finals(_at(records, label, peak))
        for label, peak in (("linear", LIVE), ("poly5", LIVE), ("poly5", THREE * LIVE))
    )
    return Finding(
        """
        In our recorded runs, {n} of each, power 5 ends at {same} on average and linear decay at {linear}; no
        run with power 5 reaches one with linear decay. At three times the peak power 5 ends at {more}.
        """,
        {
            "n": count(len(linear)),
            "same": percent(fmean(same)),
            "linear": percent(fmean(linear)),
            "more": percent(fmean(more)),
        },
        {
            "as many runs of each": len(linear) == len(same) == len(more),
            "at one peak rate every run with power 5 is below every linear one": max(same) < min(linear),
            "at three times the peak they are level within half a point": abs(fmean(more) - fmean(linear))
            < 0.005,
        },
    )


# --- Figure 6.4: CIFAR-10 ---------------------------------------------------------------------------------


def cifar10_figure(records: Records | None = None) -> TwoWidths:
    """Draw loss, accuracy, rate and area spent of all recorded runs on CIFAR-10, constant in gray."""
    records = Records() if records is None else records
    groups = {name: records.runs(CIFAR10, name) for name in ("constant", "poly5")}
    config = groups["poly5"][0].config
    times = np.arange(config.total_steps) / config.steps_per_epoch
    factors = np.array(config.schedule().values(config.total_steps))

    def draw(wide: bool) -> Figure:
        _, loss, accuracy, rates = drawn.performance(wide, groups)
        note(loss, "constant, test", (21, 1.42), color=GRAY, ha="center")
        name_at(loss, groups["poly5"], "test_loss", 23, "power 5, test", POLY, (0, -15), ha="center")
        name_at(loss, groups["constant"], "train_loss", 13, "constant, training", GRAY, (6, 6))
        note(loss, "power 5,\ntraining", (0.6, 0.1), color=POLY)
        note(accuracy, "power 5,\ntraining", (1.0, 0.935), color=POLY)
        name_at(accuracy, groups["constant"], "train_accuracy", 14, "constant, training", GRAY, (7, -14))
        name_at(accuracy, groups["poly5"], "test_accuracy", 23, "power 5, test", POLY, (0, 6), ha="center")
        name_at(
            accuracy, groups["constant"], "test_accuracy", 20, "constant, test", GRAY, (0, -24), ha="center"
        )
        rates[0].axhline(config.peak_lr, color=GRAY, linewidth=2.0)
        rates[0].plot(times, config.peak_lr * factors, color=POLY, linewidth=2.2)
        rates[0].set_ylim(0, 0.115)
        if wide:
            rates[1].set_title("part of the area spent")
            rates[1].plot(times, (np.arange(len(times)) + 1) / len(times), color=GRAY, linewidth=2.0)
            rates[1].plot(times, np.cumsum(factors) / factors.sum(), color=POLY, linewidth=2.2)
            rates[1].set_ylim(0, 1.06)
            rates[1].set_yticks([0, 0.5, 1])
            in_per_cent(rates[1].yaxis)
        return loss.figure

    return TwoWidths(
        draw,
        alt="Cross-entropy, accuracy and learning rate over 30 epochs for the constant rate in gray and "
        "power 5 in color; training dashed, test solid, thin lines the seeds. Training loss of power 5 "
        "falls to nearly zero by epoch 13 and its training accuracy to 100 per cent; its test accuracy "
        "climbs above the gray lines and is level from then on, its test loss rises and grows flat. The "
        "constant rate's test curves keep jumping to the end.",
    )


AHEAD, DONE = 4, 13  # epochs from which on power 5 leads linear decay, and stands still


@finding(heading="On CIFAR-10, power 5 is done before half-time")
def done_before_half_time_text(records: Records) -> Finding:
    """Say what figure 6.4 shows: the early lead, the standstill, and that linear decay passes."""
    poly, linear = (records.runs(CIFAR10, name) for name in ("poly5", "linear"))
    mean = {
        name: means(run.column("test_accuracy") for run in runs)
        for name, runs in (("p", poly), ("l", linear))
    }
    config, epochs = poly[0].config, len(poly[0].epochs)
    ahead, done = AHEAD, DONE
    passed = next(e for e in range(ahead, epochs) if mean["l"][e] > mean["p"][e]) + 1
    late = [run.column("test_accuracy")[done - 1 :] for run in poly]
    part = spent(config.schedule(), step=done * config.steps_per_epoch, total_steps=config.total_steps)
    learned = fmean(run.epochs[done - 1].train_accuracy for run in poly)
    gain, loss = (comparison(records, "poly5", other) for other in ("constant", "linear"))
    return Finding(
        """
        Power 5 slows down early, so its calm comes early. From epoch {ahead} on it is ahead of linear decay.
        Epoch {done} ends with {then} test accuracy, {part} of the area spent, and {learned} of the
        training images right. In the {rest} epochs that are left no run moves by more than a point: they end
        at {end}. Linear decay passes in epoch {passed}, still at a rate of {rate}, and ends at {linear}.

        *How sure? Power 5 gains {gain} points on the constant rate and loses {loss} to linear decay: [how we
        decide](plan.md).*
        """,
        {
            "ahead": ahead,
            "done": done,
            "then": percent(mean["p"][done - 1]),
            "part": percent(part, 0),
            "learned": percent(learned),
            "rest": epochs - done,
            "end": percent(mean["p"][-1]),
            "passed": passed,
            "rate": rounded(linear[0].epochs[passed - 1].first_lr, 2),
            "linear": percent(mean["l"][-1]),
            "gain": between(gain),
            "loss": between(loss),
        },
        {
            "power 5 beats the constant rate by the plan": gain.verdict == "better",
            "it loses to linear decay by the plan": loss.verdict == "worse",
            "it is ahead of linear decay in each epoch until that passes, and behind ever after": all(
                mean["p"][e] > mean["l"][e] for e in range(ahead - 1, passed - 1)
            )
            and all(mean["p"][e] < mean["l"][e] for e in range(passed - 1, epochs)),
            "in the epoch before it was not": mean["p"][ahead - 2] < mean["l"][ahead - 2],
            "it is done before half of the epochs": done < epochs / 2,
            "from then on no run moves by more than a point": max(max(run) - min(run) for run in late) < 0.01,
            "hardly a training image is wrong by then": learned > 0.995,
        },
    )


# --- Figure 6.5: over the peak rate, and over the reach ---------------------------------------------------


def _at(records: Records, label: str, peak_lr: float) -> list[Run]:
    """Return the runs of a schedule on the digits at a peak rate, by seed."""
    rate = min({run.config.peak_lr for run in records[PEAKS_DIGITS]}, key=lambda x: abs(x - peak_lr))
    return records.runs(PEAKS_DIGITS, label, peak_lr=rate)


def _peaks(records: Records) -> list[float]:
    return sorted({run.config.peak_lr for run in records[PEAKS_DIGITS]})


def _area_of(runs: list[Run]) -> float:
    return area(runs[0].config.schedule(), total_steps=runs[0].config.total_steps)


def _last_loss(runs: list[Run]) -> float:
    """Return the training loss of the last epoch, the mean over runs."""
    return fmean(run.epochs[-1].train_loss for run in runs)


def reach_figure(records: Records | None = None) -> TwoWidths:
    """Draw the training loss at the end over the peak rate, and over peak rate times area."""
    records = Records() if records is None else records
    peaks = _peaks(records)
    areas = {name: _area_of(_at(records, name, peaks[0])) for name in NAMES}
    losses = {name: [_last_loss(_at(records, name, peak)) for peak in peaks] for name in NAMES}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.5) if wide else (NARROW, 6.4))
        over_peak, over_reach = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        for name in NAMES:
            main = name in ("constant", "linear", "poly5")
            style = {
                "color": COLOR[name],
                "linewidth": 2.2 if main else 1.1,
                "marker": "o",
                "markersize": 4 if main else 3,
                "zorder": 3 if main else 2,
            }
            over_peak.plot(peaks, losses[name], **style)
            over_reach.plot([peak * areas[name] for peak in peaks], losses[name], **style)
        for axes in (over_peak, over_reach):
            axes.set_xscale("log", subs=())
            axes.set_yscale("log", subs=())
            axes.set_ylim(0.007, 4)
            axes.set_yticks([0.01, 0.1, 1])
            axes.minorticks_off()
            axes.set_xlim(1e-5, 1.6)
            axes.set_xticks([0.0001, 0.001, 0.01, 0.1, 1])
            plain(axes.xaxis)
            plain(axes.yaxis)
        over_peak.set_title("training cross-entropy at the end")
        over_reach.set_title("the same, over peak rate times area")
        over_peak.set_xlabel("peak rate")
        over_reach.set_xlabel("peak rate × area")
        _name_curves(over_peak, {name: (peaks, losses[name]) for name in NAMES})
        return figure

    return TwoWidths(
        draw,
        alt="Training cross-entropy of eight schedules on the digits at the end, both axes logarithmic. "
        "Left, over the peak rate: three bundles that fall side by side. The constant rate is lowest, then "
        "four schedules with linear decay among them, then power 5 with two others. Right, over peak rate "
        "times area: one curve, until the loss is about a tenth. There it splits: linear decay and two "
        "others go lowest. At the highest rates all are at the level of guessing.",
    )


def _name_curves(axes: Axes, curves: Mapping[str, tuple[list[float], list[float]]]) -> None:
    """Name three curves where they are apart, over the peak rate."""
    for name, text, i, offset, align in (
        ("constant", "constant", 1, (-4, -10), "right"),
        ("linear", "linear", 6, (7, -6), "left"),
        ("poly5", "power 5", 2, (5, 3), "left"),
    ):
        x, y = curves[name]
        note(axes, text, (x[i], y[i]), offset, color=COLOR[name], ha=align)


@finding(heading="On the digits, the area decides how far training gets")
def area_decides_text(records: Records) -> Finding:
    """Say that training losses follow peak rate times area while rates are low, and where that ends."""
    areas = {name: _area_of(_at(records, name, LOW)) for name in NAMES}
    losses = {name: _last_loss(_at(records, name, LOW)) for name in NAMES}
    halves = [losses[name] for name in HALVES]
    ladder = {peak: (_at(records, "linear", peak), _at(records, "poly5", THREE * peak)) for peak in LADDER}
    loss = {peak: (_last_loss(one), _last_loss(other)) for peak, (one, other) in ladder.items()}
    ends = {peak: (fmean(finals(one)), fmean(finals(other))) for peak, (one, other) in ladder.items()}
    best = {
        name: max(_peaks(records), key=lambda peak: fmean(finals(_at(records, name, peak))))
        for name in ("linear", "poly5")
    }
    low, live, good, high = LADDER
    return Finding(
        """
        We trained {schedules} schedules at {peaks} peak rates, {n} seeds each. At the lowest, {low}, the
        training losses at the end follow the areas, from {least} (constant) to {most} (time-based). {Halves}
        shapes have the area one half: linear, triangle, cosine, and cosine with restarts. They end within
        {apart} of one another.

        So give power 5 three times the peak of linear decay. At {low_3} its loss is {low_poly}; that of
        linear decay at {low} is {low_linear}. At {live_3} and {live} the losses are {live_poly} and
        {live_linear}, the test accuracies {live_end_poly} and {live_end}. Higher up, distance is no longer
        scarce. At {good_3} power 5 has {times} times the loss of linear decay at {good}, and {high_3} is too
        high a start ({high_end_poly} test accuracy). Of the {peaks} peaks, both schedules do best at the
        same, {best}.
        """,
        {
            "peaks": count(len(_peaks(records))),
            "low": f"{low:g}",
            "schedules": count(len(NAMES)),
            "Halves": count(len(HALVES)).capitalize(),
            "n": count(len(_at(records, "poly5", low))),
            "low_3": f"{THREE * low:g}",
            "least": rounded(min(losses.values()), 2),
            "most": rounded(max(losses.values()), 2),
            "apart": rounded(max(halves) - min(halves), 2),
            "low_linear": rounded(loss[low][0], 2),
            "low_poly": rounded(loss[low][1], 2),
            "live": f"{live:g}",
            "live_3": f"{THREE * live:g}",
            "live_linear": rounded(loss[live][0], 2),
            "live_poly": rounded(loss[live][1], 2),
            "live_end": percent(ends[live][0]),
            "live_end_poly": percent(ends[live][1]),
            "good": f"{good:g}",
            "good_3": f"{THREE * good:g}",
            "times": count(round(loss[good][1] / loss[good][0])),
            "high_3": f"{THREE * high:g}",
            "high_end_poly": percent(ends[high][1]),
            "best": f"{best['poly5']:g}",
        },
        {
            "of two schedules with different areas the one with more has the lower loss": all(
                losses[a] < losses[b] for a in NAMES for b in NAMES if areas[a] > 1.05 * areas[b]
            ),
            "the lowest and the highest are those": min(losses, key=losses.__getitem__) == "constant"
            and max(losses, key=losses.__getitem__) == "time",
            "four areas are a half": all(abs(areas[name] - 0.5) < 0.005 for name in HALVES)
            and sum(abs(each - 0.5) < 0.1 for each in areas.values()) == len(HALVES),
            "their losses differ little": max(halves) - min(halves) < 0.03,
            "three times the peak makes the same reach": abs(THREE * areas["poly5"] / areas["linear"] - 1)
            < 0.01,
            "at the two lower rates the losses are close": all(
                abs(loss[peak][1] - loss[peak][0]) < 0.05 for peak in (low, live)
            ),
            "and the test accuracies level": abs(ends[live][1] - ends[live][0]) < 0.005,
            "further up power 5 has at least twice the loss": loss[good][1] > 2 * loss[good][0],
            "at the top it fails where linear decay does not": ends[high][0] - ends[high][1] > 0.1,
            "both have their best peak in common": best["linear"] == best["poly5"],
        },
    )


# --- Figure 6.6: flat is not finished ---------------------------------------------------------------------


def _flat_peaks(records: Records) -> list[float]:
    """Return the peak rates at which power 5 learns at all: up to 0.1."""
    return [peak for peak in _peaks(records) if peak <= 0.1]


def _second_half(runs: list[Run]) -> float:
    """Return the part of the fall of the mean training loss that is done in the second half of the epochs."""
    loss = means(run.column("train_loss") for run in runs)
    return (loss[len(loss) // 2 - 1] - loss[-1]) / (loss[0] - loss[-1])


def _learned(runs: list[Run]) -> float:
    """Return the part of the training images that the last weights have right, the mean over runs."""
    return fmean(run.final.train_accuracy for run in runs)


def flat_figure(records: Records | None = None) -> TwoWidths:
    """Draw training loss and accuracy of power 5 at four peak rates, and of linear decay at the lowest."""
    records = Records() if records is None else records

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.2) if wide else (NARROW, 5.8))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        linear = _at(records, "linear", LOW)
        for axes, name in zip(panels, ("train_loss", "train_accuracy"), strict=True):
            ends = []
            for peak in SHOWN:
                style = {"linewidth": 2.2}
                values = draw_mean(axes, _at(records, "poly5", peak), name, POLY, style, seeds=True)
                ends.append(Label(values[-1], f"{peak:.4f}".rstrip("0"), POLY))
            draw_mean(axes, linear, name, LINEAR, {"linewidth": 1.6}, seeds=False)
            axes.set_xlim(0, 8)
            label_ends(axes, ends)
        loss, accuracy = panels
        loss.set_title("training cross-entropy")
        loss.set_ylim(0, 2.4)
        accuracy.set_title("training accuracy")
        accuracy.set_ylim(0, 1.02)
        in_per_cent(accuracy.yaxis)
        name_at(loss, linear, "train_loss", 5, f"linear, {LOW:.4f}", LINEAR, (-6, 5))
        name_at(accuracy, linear, "train_accuracy", 3, f"linear, {LOW:.4f}", LINEAR, (8, -10))
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt="Training cross-entropy and training accuracy on the digits over 8 epochs for power 5 at the "
        "peak rates 0.0001, 0.0003, 0.001 and 0.01. All eight curves are level in the second half, at four "
        "different heights: the lower the peak, the higher the loss and the lower the accuracy. Linear "
        "decay at 0.0001 goes on learning where power 5 at the same peak has stopped.",
    )


@finding(heading="A flat loss is not a finished one")
def flat_is_not_finished_text(records: Records) -> Finding:
    """Say that power 5 is flat in its second half at every rate, and what tells that it is not done."""
    peaks = _flat_peaks(records)
    late = {peak: _second_half(_at(records, "poly5", peak)) for peak in peaks}
    config = _at(records, "poly5", LOW)[0].config
    half = spent(config.schedule(), step=config.total_steps // 2, total_steps=config.total_steps)
    linear = _second_half(_at(records, "linear", LOW))
    learned = {peak: _learned(_at(records, "poly5", peak)) for peak in SHOWN}
    few, many = SHOWN[0], SHOWN[-1]
    return Finding(
        """
        At half-time power 5 has spent {half} of its area. What is left of the run cannot move much, and does
        not: in the second half, training loss does between {least} and {most} of its fall, at {n} peak rates
        from {low} to {high}. Linear decay at {low} does {linear}.

        All these curves are flat, and they mean opposite things. At a peak of {many} the network has
        {many_right} of the training images right: it has learned what there is. At {few} it has {few_right}:
        the plan is used up, and the network has hardly begun. The loss curve cannot tell you which. Training
        accuracy can, and so can a run with a higher peak.
        """,
        {
            "half": percent(half, 0),
            "least": percent(min(late.values()), 0),
            "most": percent(max(late.values()), 0),
            "n": count(len(peaks)),
            "low": f"{min(peaks):g}",
            "high": f"{max(peaks):g}",
            "linear": percent(linear, 0),
            "many": f"{many:g}",
            "many_right": percent(learned[many]),
            "few": f"{few:g}",
            "few_right": percent(learned[few]),
        },
        {
            "nearly all of the area is spent": half > 0.98,
            "the second half does less than a twentieth at each peak rate": max(late.values()) < 0.05,
            "at the lowest, linear decay does five times as much": linear > 5 * late[min(peaks)],
            "nearly all images are learned at one peak": learned[many] > 0.99,
            "fewer than half at the other": learned[few] < 0.5,
            "the lower the peak, the fewer": list(learned.values()) == sorted(learned.values()),
        },
    )


# --- What the valley cannot explain; beside the survey ----------------------------------------------------


@finding(heading="What the valley cannot explain: the same reach, another test accuracy")
def area_is_not_all_text(records: Records) -> Finding:
    """Say that on CIFAR-10 power 5 does not lack area: linear decay with less ends higher."""
    poly, (linear,) = records.runs(CIFAR10, "poly5"), records.runs(PEAKS, "linear", peak_lr=0.03)
    reach = {run.label: run.config.peak_lr * _area_of([run]) for run in (poly[0], linear)}
    learned = min(run.final.train_accuracy for run in [*poly, linear])
    grid = by_peak(records.blocks(map_plan.MAP))
    lower, usual = grid["linear"][linear.config.peak_lr], grid["poly5"][map_plan.COMMON]
    leads = [end - usual[seed] for seed, end in lower.items()]
    return Finding(
        """
        Does power 5 lose to linear decay on CIFAR-10 because it has a third of the area? One run speaks
        against it: linear decay at a peak of {peak}. Its peak rate times area is {linear_reach}, *less* than
        the {poly_reach} of power 5, and it ends at {linear}, above all {n} runs with power 5. In pairs on a
        GPU it is ahead with {ahead} of {pairs} seeds, by {lead} points on average. In none of the runs above
        are more than {wrong} of the 50,000 training images wrong at the end: the reach was enough. What
        differs is the test accuracy, and [the valley has no test set](beyond_the_valley.md).
        """,
        {
            "peak": f"{linear.config.peak_lr:g}",
            "linear_reach": rounded(reach["linear"], 3),
            "poly_reach": rounded(reach["poly5"], 3),
            "linear": percent(final_accuracy(linear)),
            "n": count(len(poly)),
            "ahead": count(sum(lead > 0 for lead in leads)),
            "pairs": count(len(leads)),
            "lead": points(fmean(leads)),
            "wrong": count(round(50_000 * (1 - learned))),
        },
        {
            "linear decay has the smaller reach": reach["linear"] < reach["poly5"],
            "linear decay ends above each run with power 5": final_accuracy(linear) > max(finals(poly)),
            "on a GPU it is ahead with most seeds, and on average": sum(lead > 0 for lead in leads)
            > len(leads) / 2
            and fmean(leads) > 0,
            "power 5 has a third of its area": abs(3 * _area_of(poly) / _area_of([linear]) - 1) < 0.01,
            "all have the training set by heart": learned > 0.999,
        },
    )


@finding()
def beside_the_survey_text(records: Records) -> Finding:
    """Set the survey's statements beside its source and beside our runs, in one box."""
    source, survey = published().source, published().survey
    logged, printed = source.row("poly5").test_accuracy, survey.row("poly5").accuracy
    near = [source.row(name).test_accuracy for name in ("drop", "linear")]
    poly, drop = (records.runs(CIFAR10, name) for name in ("poly5", "drop"))
    apart = [one - other for one, other in zip(finals(poly), finals(drop), strict=True)]
    epochs = len(poly[0].epochs)
    quarter = round(epochs / 4)
    config = poly[0].config
    part = spent(config.schedule(), step=quarter * config.steps_per_epoch, total_steps=config.total_steps)
    fell = fmean(fall_done(run, fraction=quarter / epochs) for run in poly)
    gap = comparison(records, "poly5", "linear")
    return Finding(
        """
        > **Beside the survey** (section 1.1.6). Its formula stands. Its table prints {printed} where [its
        > source](https://pyimagesearch.com/2019/07/22/keras-learning-rate-schedules-and-decay/) logged
        > {logged}. That is "similar" to drops and linear decay, {drop} and {linear}, single runs. Ours lose
        > {gap} points to linear decay; with drops the pairs go both ways. The survey's training loss
        > levels off after about 25 of 100 epochs. After a quarter of ours, {part} of the area was spent and
        > {fell} of the fall done. The power makes the *schedule* more flexible, not the model.
        """,
        {
            "printed": f"{printed:.2f}",
            "logged": f"{logged:.4f}",
            "drop": f"{near[0]:.4f}",
            "linear": f"{near[1]:.4f}",
            "gap": points(gap.mean_difference),
            "part": percent(part, 0),
            "fell": percent(fell, 0),
        },
        {
            "what was printed is not what was logged, rounded": f"{logged:.2f}" != f"{printed:.2f}",
            "the source's three runs lie within three errors": max(near) - logged
            < 3 * sqrt(2 * logged * (1 - logged) / 10_000),
            "ours are told apart from linear decay by the plan": gap.verdict == "worse",
            "with drops some pairs go one way and some the other": min(apart) < 0 < max(apart),
            "most of the area was spent by then, and most of the fall done": min(part, fell) > 0.8,
        },
    )

"""What the chapter on the triangle prints: its figures, and the sentences under them with their checks.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from math import exp, log
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbook.chapters import drawn, second_look
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
    percent,
    points,
    rounded,
)
from lrlib import LinearDecay, Triangle, Valley
from lrlib.plots.style import note
from lrlib.plots.two_widths import COLOR, INK, NARROW, RULE, WIDE, TwoWidths, plain
from lrlib.runs import Run
from lrlib.stats import FAILED, FAMILY, alike, final_accuracy, p_words
from lrlib.stats.rankings import by_peak
from lrlib.theory.two_weights import TwoPath, TwoWeights

CIFAR10, DIGITS = "survey-laptop", "survey-digits"
PEAKS, HIGH_PEAKS = "peak-digits", "warmup-digits"  # together one grid of peak rates
SETTINGS = "warmup-rule"
MAP = "laptop-map-gpu"  # eight schedules at four peak rates

TRIANGLE, LINEAR = COLOR["triangle"], COLOR["linear"]
NAMES = ("linear", "triangle")


# --- Figure 8.1: up, then down ----------------------------------------------------------------------------


def shapes_figure(records: Records | None = None) -> TwoWidths:
    """Draw the rate of every update of the recorded runs, and beside it the jump of the code of BERT."""
    records = Records() if records is None else records
    run = records.runs(CIFAR10, "triangle")[0]
    per_epoch, epochs, peak = run.config.steps_per_epoch, len(run.epochs), run.config.peak_lr
    total, schedule = per_epoch * epochs, run.config.schedule()
    up = schedule.warmup_steps
    times = np.arange(total) / per_epoch
    rates = [peak * schedule(t) for t in range(total)]
    bert = [peak * (t / up if t < up else 1 - t / total) for t in range(total)]

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.55) if wide else (NARROW, 4.7))
        whole, start = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        whole.plot([0, epochs], [peak, 0], color=LINEAR, linewidth=1.6)
        whole.plot(times, rates, color=TRIANGLE, linewidth=2.4)
        whole.set_title("learning rate")
        whole.set_xlim(0, epochs)
        note(
            whole, "triangle", (15, peak * (epochs - 15) / (epochs - up / per_epoch)), (6, 4), color=TRIANGLE
        )
        note(whole, "linear", (11, peak * (1 - 11 / epochs)), (-6, -14), color=LINEAR, ha="right")
        part = slice(0, 6 * per_epoch)
        start.plot(times[part], bert[part], color=INK, linewidth=1.4)
        start.plot(times[part], rates[part], color=TRIANGLE, linewidth=2.4)
        start.set_title("the first six epochs, enlarged")
        start.set_xlim(0, 6)
        note(start, "triangle", (4.4, peak * (epochs - 4.4) / (epochs - 3)), (0, 4), color=TRIANGLE)
        note(start, "not moved:\na jump", (4.2, 0.0835), (0, -26), color=INK)
        for axes in (whole, start):
            axes.set_ylim(0, 0.112)
            axes.set_yticks([0, 0.025, 0.05, 0.075, 0.1])
            plain(axes.yaxis)
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt="The learning rate over 30 epochs: the triangle climbs from zero in a straight line to 0.1 at "
        "epoch 3, and falls in a straight line to zero at the end, a little above linear decay. Enlarged, "
        "the first six epochs: a black line climbs with the triangle, drops at once by a tenth of the peak "
        "at epoch 3, and falls below it from there.",
    )


# --- The prediction: the noisy valley ---------------------------------------------------------------------

STEPS, WARMUP = 300, 30


def _plans() -> dict[str, Callable[[int], float]]:
    """Return the two schedules of the computed experiments."""
    return {
        "linear": LinearDecay(total_steps=STEPS),
        "triangle": Triangle(total_steps=STEPS, warmup_steps=WARMUP),
    }


@finding()
def valley_answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction. It is computed, not recorded; the claims keep the words true."""
    valley = Valley()
    best = {name: valley.best_peak_lr(plan, steps=STEPS) for name, plan in _plans().items()}
    paths = {
        name: valley.trajectory(plan, steps=STEPS, peak_lr=best[name].peak_lr)
        for name, plan in _plans().items()
    }
    areas = {name: sum(plan(t) for t in range(STEPS)) / STEPS for name, plan in _plans().items()}
    linear, triangle = best["linear"], best["triangle"]
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        Linear decay, by a little: {linear} against {triangle}, with a best peak of {high} against {low}. The
        valley's edge of stability stays at {edge}; to come near it slowly moves nothing. The sum of the rates
        is the same, too. The triangle only has them later, and so ends with a little more shaking.

        </details>
        """,
        {
            "linear": rounded(linear.loss, 4),
            "triangle": rounded(triangle.loss, 4),
            "high": rounded(linear.peak_lr, 3),
            "low": rounded(triangle.peak_lr, 3),
            "edge": f"{valley.edge:g}",
        },
        {
            "linear decay ends lower": linear.loss < triangle.loss,
            "by less than a tenth": triangle.loss < 1.1 * linear.loss,
            "at a higher peak": triangle.peak_lr < linear.peak_lr,
            "the peaks differ by at most a twentieth": triangle.peak_lr > 0.95 * linear.peak_lr,
            "the sums of the rates are alike": abs(areas["linear"] - areas["triangle"]) < 0.002,
            "the triangle ends with more shaking": paths["triangle"].shaking[-1]
            > paths["linear"].shaking[-1],
        },
    )


# --- Figure 8.2: walls that give way ----------------------------------------------------------------------

PEAK, GRID = 0.6, [k / 100 for k in range(1, 201)]
FAR = 1e3  # of the curvature: from there on no rate of the figure leads back


def _two_weights() -> tuple[dict[str, TwoPath], dict[str, float]]:
    """Return the path of each schedule at the peak rate of figure 8.2, and the highest peak that it has."""
    weights, plans = TwoWeights(), _plans()
    paths = {name: weights.trajectory(plan, steps=STEPS, peak_lr=PEAK) for name, plan in plans.items()}
    highest = {
        name: weights.highest_peak_lr(plan, steps=STEPS, peak_lrs=GRID) for name, plan in plans.items()
    }
    return paths, highest


def two_weights_figure() -> TwoWidths:
    """Draw rates, edges of stability and losses of two weights in a row over the first updates."""
    paths, _ = _two_weights()
    plans, shown = _plans(), 100

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.2) if wide else (NARROW, 5.9))
        rate, loss = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        for name, color in (("linear", LINEAR), ("triangle", TRIANGLE)):
            path = paths[name]
            gone = np.flatnonzero(path.curvature > FAR)
            last = min(int(gone[0]) if gone.size else STEPS, shown)
            rates = [PEAK * plans[name](t) for t in range(last)]
            rate.plot(range(last), rates, color=color, linewidth=2.4)
            rate.plot(range(last), 2 / path.curvature[:last], color=color, linewidth=1.0)
            loss.plot(range(last), np.maximum(path.loss[:last], 1e-6), color=color, linewidth=1.6)
            if gone.size:
                rate.plot([last - 1], rates[-1:], "X", color=color, markersize=9)
                loss.plot([last - 1], [path.loss[last - 1]], "X", color=color, markersize=9)
                note(rate, "linear decay\nflies apart", (2, 1), color=color)
                note(loss, "linear decay", (last - 1, path.loss[last - 1]), (8, -4), color=color)
        rate.set_title("rate (thick) and edge of stability (thin)")
        rate.set_ylim(0, 1.35)
        rate.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
        note(rate, "its rate", (62, PEAK * plans["triangle"](62)), (0, -16), color=TRIANGLE)
        note(rate, "triangle: the edge", (54, 1.18), color=TRIANGLE)
        loss.set_title("loss")
        loss.set_yscale("log", subs=())
        loss.set_ylim(5e-4, 1000)
        loss.set_yticks([0.001, 0.1, 10, 1000])
        loss.minorticks_off()
        note(loss, "triangle", (17, 3), (4, 2), color=TRIANGLE)
        for axes in (rate, loss):
            plain(axes.yaxis)
            axes.set_xlim(0, shown)
        for axes in (rate, loss) if wide else (loss,):
            axes.set_xlabel("update")
        return figure

    return TwoWidths(
        draw,
        alt="Two panels over the first 100 of 300 updates of two weights in a row. The rate of linear decay "
        "starts at 0.6, far above the thin edge of stability at 0.22, and ends in a cross within a few "
        "updates. The triangle's rate climbs, meets the edge from below, and the edge jumps up to about 0.7 "
        "and more and stays above the rate. Its loss rises to several times its first value at that "
        "moment, and then falls far below it.",
    )


@finding(heading="Why: a climb makes the curvature give way")
def gives_way_text(records: Records) -> Finding:
    """Say what figure 8.2 shows, and how much higher a peak the triangle has."""
    paths, highest = _two_weights()
    plan, weights = _plans()["triangle"], TwoWeights()
    path = paths["triangle"]
    rates = PEAK * np.array([plan(t) for t in range(STEPS)])
    edges = 2 / path.curvature[:STEPS]
    above = np.flatnonzero(rates > edges)
    top = max(path.loss[np.isfinite(path.loss)])
    return Finding(
        """
        At a peak of {peak}, linear decay starts at {over} times the edge and flies apart at once. The
        triangle meets the edge from below, in update {meet}. For {steps} updates it is above, and the weights
        swing from wall to wall, wider each time: the loss climbs to {times} times its first value. The swings
        carry them to where the floor is flatter, and there the edge stays above the rate to the end.

        So the climb buys a higher peak: linear decay stays finite up to {linear}, the triangle up to
        {triangle}, {ratio} times as high.
        """,
        {
            "peak": f"{PEAK:g}",
            "over": rounded(PEAK / weights.edge),
            "meet": above[0],
            "steps": count(len(above)),
            "times": count(round(top / path.loss[0])),
            "linear": f"{highest['linear']:g}",
            "triangle": f"{highest['triangle']:g}",
            "ratio": count(round(highest["triangle"] / highest["linear"])),
        },
        {
            "linear decay is gone within ten updates": not np.all(paths["linear"].curvature[:10] < FAR),
            "the triangle stays finite": bool(np.isfinite(path.loss[-1])),
            "it is above the edge in one go, and in the warm-up only": list(above)
            == list(range(above[0], above[-1] + 1))
            and above[-1] < WARMUP,
            "the loss is highest right then": above[0] <= int(np.argmax(path.loss)) <= above[-1] + 2,
            "the loss ends below a hundredth of its first value": path.loss[-1] < path.loss[0] / 100,
            "linear decay fails on the grid, the triangle too": 0
            < highest["linear"]
            < highest["triangle"]
            < GRID[-1],
        },
    )


# --- Figure 8.3: the reader's own two runs ----------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw two runs that were just trained, thick, over the recorded ones of the same setting, thin."""
    return drawn.live_figure(
        mine,
        records,
        studies=(HIGH_PEAKS,),
        alt="Your two runs, linear decay and the triangle, thick, over the recorded runs of the same "
        "setting, thin. Of the recorded ones the triangle's learn from the first epoch on, while those "
        "of linear decay stay behind from the start and end lower.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of the usual digits, where the recorded runs of both did."""
    records = Records() if records is None else records
    ends = [f"{percent(final_accuracy(run))} ({label})" for label, run in mine.items()]
    usual = all(alike(run, records[HIGH_PEAKS]) for run in mine.values())
    ours = apart_at_high_peak_text(records) if usual else Finding("", {}, {})
    return Finding(
        "Your runs ended at {yours}. {ours}", {"yours": " and ".join(ends), "ours": ours.text}, ours.holds
    )


@finding()
def apart_at_high_peak_text(records: Records) -> Finding:
    """Say where the recorded runs end at the peak rate of the live cell, and when they part."""
    linear, triangle = (records.runs(HIGH_PEAKS, name, peak_lr=0.15) for name in NAMES)
    early = 2
    then = [[run.column("test_accuracy")[early - 1] for run in runs] for runs in (linear, triangle)]
    apart = [max(finals(runs)) - min(finals(runs)) for runs in (linear, triangle)]
    return Finding(
        """
        All {n} of our runs with warm-up end above all {n} without, {triangle} on average against {linear}.
        They part at once: after {early} epochs linear decay stands at {linear_then}, the triangle at
        {triangle_then}. Without warm-up much depends on the seed: our runs end within {wide} points of one
        another, with it within {close}.
        """,
        {
            "n": count(len(linear)),
            "triangle": percent(fmean(finals(triangle))),
            "linear": percent(fmean(finals(linear))),
            "early": count(early),
            "linear_then": percent(fmean(then[0])),
            "triangle_then": percent(fmean(then[1])),
            "wide": points(apart[0]),
            "close": points(apart[1]),
        },
        {
            "as many runs of both": len(linear) == len(triangle),
            "every run with warm-up ends above every one without": min(finals(triangle))
            > max(finals(linear)),
            "and stands above every one early on": min(then[1]) > max(then[0]),
            "the seeds end at least three times as far apart without it": apart[0] > 3 * apart[1],
        },
    )


# --- Figure 8.4: the peak rate on the digits --------------------------------------------------------------

AtPeaks = dict[float, dict[str, list[Run]]]  # peak rate -> schedule -> its runs, by seed


def _by_peak(runs: list[Run]) -> AtPeaks:
    """Return peak rate -> schedule -> runs by seed, lowest rate first."""
    found: AtPeaks = {}
    for run in sorted(runs, key=lambda run: (run.config.peak_lr, run.config.seed)):
        if run.label in NAMES:
            found.setdefault(run.config.peak_lr, {name: [] for name in NAMES})[run.label].append(run)
    return found


def _digits(records: Records) -> AtPeaks:
    """Return the digits' own setting over all its peak rates."""
    return _by_peak([*records[PEAKS], *records[HIGH_PEAKS]])


def _final_losses(runs: list[Run]) -> list[float]:
    """Return the training loss of the last weights of each run; none of these runs diverged."""
    return [run.final.train_loss for run in runs]


def _draw_over_peaks(axes: Axes, at: AtPeaks, value: Callable[[list[Run]], list[float]]) -> None:
    """Draw a value of each run over its peak rate, as dots, and the means of the seeds as lines."""
    for name in NAMES:
        found = {peak: value(runs[name]) for peak, runs in at.items()}
        for peak, values in found.items():
            dots = {"markersize": 3.5, "alpha": 0.6, "markeredgewidth": 0}
            axes.plot([peak] * len(values), values, "o", color=COLOR[name], **dots)
        axes.plot(list(found), [fmean(values) for values in found.values()], color=COLOR[name], linewidth=1.8)
    axes.set_xscale("log", subs=())
    axes.set_yscale("log", subs=())


def peaks_figure(records: Records | None = None) -> TwoWidths:
    """Draw test error and training loss at the end over the peak rate, on the digits."""
    at = _digits(Records() if records is None else records)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.2) if wide else (NARROW, 5.9))
        error, loss = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        _draw_over_peaks(error, at, lambda runs: [100 * (1 - x) for x in finals(runs)])
        _draw_over_peaks(loss, at, _final_losses)
        error.set_title("test error at the end, in %")
        error.set_ylim(0.4, 130)
        error.set_yticks([1, 10, 100])
        loss.set_title("training loss at the end")
        loss.set_ylim(0.0005, 4)
        loss.set_yticks([0.001, 0.01, 0.1, 1])
        note(error, "linear", (0.15, 6.5), (-8, 0), color=LINEAR, ha="right")
        note(error, "triangle", (0.17, 1.9), (6, -12), color=TRIANGLE)
        note(loss, "linear", (0.15, 0.1), (-8, 0), color=LINEAR, ha="right")
        note(loss, "triangle", (0.17, 0.009), (6, -8), color=TRIANGLE)
        for axes in (error, loss):
            axes.set_xticks([0.0001, 0.001, 0.01, 0.1, 1])
            for axis in (axes.xaxis, axes.yaxis):
                plain(axis)
        for axes in (error, loss) if wide else (loss,):
            axes.set_xlabel("peak rate")
        return figure

    return TwoWidths(
        draw,
        alt="Two panels over the peak rate, all axes logarithmic: test error and training loss at the end on "
        "the digits, for linear decay and the triangle. From the lowest rates to 0.1 the two lines lie on "
        "each other, falling to a floor. At 0.15 linear decay has left the floor and the triangle has not; "
        "at 0.25 both are near guessing.",
    )


def _failed(runs: list[Run]) -> int:
    return sum(x < FAILED for x in finals(runs))


def _safe(at: AtPeaks) -> dict[str, float]:
    """Return the highest peak rate of each schedule up to which no run has more than a twentieth wrong.

    Rates before the lowest such one are too small, and do not count.
    """
    good = {name: [peak for peak, runs in at.items() if min(finals(runs[name])) >= 0.95] for name in NAMES}
    return {name: max(found) for name, found in good.items()}


@finding(heading="On the digits, warm-up moves the wall a little")
def wall_text(records: Records) -> Finding:
    """Say up to which peak rate both schedules train, and where only the triangle does."""
    at = _digits(records)
    safe = _safe(at)
    low = [peak for peak in at if peak <= safe["linear"]]
    apart = max(abs(fmean(finals(at[peak]["triangle"])) - fmean(finals(at[peak]["linear"]))) for peak in low)
    wall = at[safe["triangle"]]
    losses = {name: exp(fmean(map(log, _final_losses(wall[name])))) for name in NAMES}
    beyond = [peak for peak in at if peak > safe["triangle"]]
    first, rest = beyond[0], beyond[1:]
    lost = sum(_failed(runs) for peak in rest for runs in at[peak].values())
    tried = sum(len(runs) for peak in rest for runs in at[peak].values())
    return Finding(
        """
        Up to a peak of {last}, no run of either fails, and their means are within {apart} points of each
        other at every rate. At {wall}, every run with warm-up ends above every run without, with a training
        loss that is {times} times smaller. At {first} one run of each ends with most of its answers wrong,
        and from {second} on {lost} of {tried} do.

        So warm-up moves the wall from {last} to {wall}, not by the factor of {ratio} of the two weights.
        ({Seeds} seeds per rate; the rates between {last} and {next} were added after a first look.)
        """,
        {
            "last": f"{safe['linear']:g}",
            "apart": points(apart),
            "wall": f"{safe['triangle']:g}",
            "times": count(round(losses["linear"] / losses["triangle"])),
            "first": f"{first:g}",
            "second": f"{rest[0]:g}",
            "lost": lost,
            "tried": tried,
            "ratio": count(round(_two_weights()[1]["triangle"] / _two_weights()[1]["linear"])),
            "Seeds": count(len(wall["linear"])).capitalize(),
            "next": f"{rest[1]:g}",
        },
        {
            "no run fails up to there": not any(_failed(runs) for peak in low for runs in at[peak].values()),
            "the means are within a point there": apart < 0.01,
            "the triangle has the next rate of the grid": list(at).index(safe["triangle"]) == len(low),
            "there every run with warm-up is above every one without": min(finals(wall["triangle"]))
            > max(finals(wall["linear"])),
            "the loss is more than ten times smaller": losses["linear"] > 10 * losses["triangle"],
            "above it one of each fails first": [_failed(runs) for runs in at[first].values()] == [1, 1],
            "from the rate after that nearly all do": tried - 2 <= lost < tried,
            "the grid has the same seeds of both everywhere": len(
                {tuple(run.config.seed for run in runs) for each in at.values() for runs in each.values()}
            )
            == 1,
            "the wall moves by far less than in the two weights": safe["triangle"] < 2 * safe["linear"],
        },
    )


# --- Figure 8.5: nine settings ----------------------------------------------------------------------------

Setting = tuple[float, int]  # momentum, batch size


def by_setting(records: Records) -> dict[Setting, AtPeaks]:
    """Return the settings by momentum and batch size; that of figure 8.4 is one of them."""
    found: dict[Setting, list[Run]] = {}
    for run in (*records[SETTINGS], *records[PEAKS], *records[HIGH_PEAKS]):
        found.setdefault((run.config.momentum, run.config.batch_size), []).append(run)
    return {setting: _by_peak(found[setting]) for setting in sorted(found)}


def loss_ratio(runs: Mapping[str, list[Run]]) -> float:
    """Return the geometric mean over seeds of the triangle's final training loss over linear decay's."""
    pairs = zip(*(_final_losses(runs[name]) for name in reversed(NAMES)), strict=True)
    return exp(fmean(log(triangle / linear) for triangle, linear in pairs))


LIMIT = 2 / 3  # of the ratio, by the study's plan


def onset_of(at: AtPeaks, limit: float = LIMIT) -> float | None:
    """Return the lowest peak rate at which warm-up takes off a third of the training loss."""
    return next((peak for peak, runs in at.items() if loss_ratio(runs) < limit), None)


def _at_first_learning(at: AtPeaks) -> float:
    """Return the ratio at the lowest peak rate at which every run of both learns."""
    return next(
        loss_ratio(runs)
        for runs in at.values()
        if max(loss for name in NAMES for loss in _final_losses(runs[name])) < 0.5
    )


def rule_of(settings: Mapping[Setting, AtPeaks], limit: float = LIMIT) -> dict[str, bool]:
    """Return whether each prediction of the study's plan (studies/warmup-rule.toml) came true."""
    sharpness = 3.9  # at the start, measured before the runs
    onset = {setting: onset_of(at, limit) for setting, at in settings.items()}
    grid = sorted({peak for at in settings.values() for peak in at if at is not settings[0.9, 5]})

    def near(setting: Setting) -> bool:
        edge = 2 * (1 - setting[0]) / sharpness
        found = onset[setting]
        above = next(peak for peak in grid if peak > edge)
        return found is not None and (edge / 2 <= found <= 2 * edge or found == above)

    plain_ones = [onset[0.0, size] for size in (5, 20, 80)]
    places = [None if found is None else grid.index(found) for found in plain_ones]
    small, large = onset[0.9, 5], onset[0.9, 80]
    return {
        "H1": near((0.0, 5)) and near((0.5, 5)),
        "H2": small is not None and large is not None and small < large,
        "H3": None not in places and all(abs(b - a) <= 1 for a, b in pairwise(places)),
        "H4": all(
            0.8 <= _at_first_learning(at) <= 1.25 for setting, at in settings.items() if setting != (0.9, 5)
        ),
    }


def settings_figure(records: Records | None = None) -> TwoWidths:
    """Draw the training loss at the end over the peak rate, a panel for each momentum and batch size."""
    settings = by_setting(Records() if records is None else records)
    momenta, sizes = (sorted({setting[i] for setting in settings}) for i in (0, 1))

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 5.6) if wide else (NARROW, 5.2))
        grid = figure.subplots(len(momenta), len(sizes), sharex=True, sharey=True)
        for row, momentum in zip(grid, momenta, strict=True):
            for axes, size in zip(row, sizes, strict=True):
                _draw_over_peaks(axes, settings[momentum, size], _final_losses)
                axes.set_xlim(0.004, 6)
                axes.set_ylim(0.0004, 8)
                axes.set_xticks([0.01, 0.1, 1] if wide else [0.01, 1])
                axes.set_yticks([0.001, 0.01, 0.1, 1])
                for axis in (axes.xaxis, axes.yaxis):
                    plain(axis)
            row[0].set_ylabel(f"momentum {momentum:g}")
        for axes, size in zip(grid[0], sizes, strict=True):
            axes.set_title(f"batches of {size}" if wide else f"batch {size}")
        for axes in grid[-1]:
            axes.set_xlabel("peak rate")
        note(grid[0, -1], "linear", (2.6, 1.2), (-4, 3), color=LINEAR, ha="right")
        note(grid[0, -1], "triangle", (3, 0.05), (4, -30), color=TRIANGLE, ha="right")
        return figure

    return TwoWidths(
        draw,
        alt="Nine panels, three momenta by three batch sizes: training loss at the end over the peak rate, "
        "both axes logarithmic, for linear decay and the triangle. In each panel the two lines lie on each "
        "other as they fall to their floor. Where they turn up towards guessing, at the highest rates, the "
        "triangle's is in most panels the lower one.",
    )


@finding(heading="Below the wall it buys nothing")
def settings_text(records: Records) -> Finding:
    """Say what nine settings of momentum and batch size have in common."""
    settings = by_setting(records)
    first = [_at_first_learning(at) for at in settings.values()]
    onset = {setting: place for setting, at in settings.items() if (place := onset_of(at)) is not None}
    below = [
        abs(fmean(finals(runs["triangle"])) - fmean(finals(runs["linear"])))
        for setting, place in onset.items()
        for peak, runs in settings[setting].items()
        if peak < place
    ]
    gains = _gains_at_best(settings)
    momenta, sizes = (sorted({setting[i] for setting in settings}) for i in (0, 1))
    heaviest = momenta[-1]
    seeds = {len(runs) for at in settings.values() for each in at.values() for runs in each.values()}
    return Finding(
        """
        In all {n} settings the lines start as one: where both begin to learn, training loss with warm-up is
        {low} to {high} times that without. In {paying}, warm-up takes off a third or more at some rate of
        {lowest} or above; below that rate the test accuracies are within {below} points. Larger batches move
        the rate up, momentum {heaviest} moves it down.

        The best result hardly changes. With each schedule at its own best rate, test accuracies are at most
        {apart} points apart, and linear decay is ahead in {ahead} of {n}. Can one tell beforehand where
        warm-up begins to pay? [Is warm-up needed?](../beyond/warmup_needed.ipynb) tries.
        """,
        {
            "n": count(len(settings)),
            "low": rounded(min(first), 2),
            "high": rounded(max(first), 2),
            "paying": count(len(onset)),
            "lowest": f"{min(onset.values()):g}",
            "below": points(max(below)),
            "heaviest": f"{heaviest:g}",
            "apart": points(max(map(abs, gains))),
            "ahead": count(sum(gain < 0 for gain in gains)),
        },
        {
            "all start within a quarter of each other": all(0.8 <= x <= 1.25 for x in first),
            "nearly all settings have a rate at which it pays": len(onset) >= len(settings) - 1,
            "below it the test accuracies are within a point": max(below) < 0.01,
            "it grows with the batch at every momentum": all(
                onset[momentum, small] < onset[momentum, large]
                for momentum in momenta
                for small, large in pairwise(sizes)
                if (momentum, small) in onset and (momentum, large) in onset
            ),
            "the heaviest momentum has the lowest of its batch size": all(
                onset.get((heaviest, setting[1]), 99.0) < place
                for setting, place in onset.items()
                if setting[0] != heaviest
            ),
            "the best accuracies are within half a point": max(map(abs, gains)) <= 0.005,
            "linear decay is ahead in most": sum(gain < 0 for gain in gains) > len(settings) / 2,
            "the same number of seeds everywhere": len(seeds) == 1,
        },
    )


def _gains_at_best(settings: Mapping[Setting, AtPeaks]) -> list[float]:
    """Return for each setting the triangle's best mean test accuracy less linear decay's."""
    best = [
        [max(fmean(finals(runs[name])) for runs in at.values()) for name in NAMES] for at in settings.values()
    ]
    return [triangle - linear for linear, triangle in best]


# --- Figure 8.6: CIFAR-10 ---------------------------------------------------------------------------------


def cifar10_figure(records: Records | None = None) -> TwoWidths:
    """Draw loss, accuracy and rate of all recorded runs of both schedules on CIFAR-10."""
    records = Records() if records is None else records
    groups = {name: second_look.runs_of(records, name) for name in NAMES}
    run = groups["triangle"][0]
    epochs, peak, schedule = len(run.epochs), run.config.peak_lr, run.config.schedule()
    top = schedule.warmup_steps / run.config.steps_per_epoch

    def draw(wide: bool) -> Figure:
        _, loss, accuracy, rates = drawn.performance(wide, groups)
        name_at(loss, groups["linear"], "test_loss", 15, "linear, test", LINEAR, (0, 16), ha="center")
        name_at(loss, groups["triangle"], "test_loss", 23, "triangle, test", TRIANGLE, (0, -16), ha="center")
        name_at(loss, groups["linear"], "train_loss", 10, "both, training", INK, (8, 4))
        note(accuracy, "both,\ntraining", (1.0, 0.935), color=INK)
        name_at(
            accuracy, groups["triangle"], "test_accuracy", 22, "triangle, test", TRIANGLE, (0, 6), ha="center"
        )
        name_at(
            accuracy, groups["linear"], "test_accuracy", 20, "linear, test", LINEAR, (0, -24), ha="center"
        )
        for axes in rates:
            axes.plot([0, epochs], [peak, 0], color=LINEAR, linewidth=1.6)
            axes.plot([0, top, epochs], [0, peak, 0], color=TRIANGLE, linewidth=2.2)
            axes.set_ylim(0, 0.115)
            axes.axhline(0, color=RULE, linewidth=0.6, zorder=0)
        if wide:
            rates[1].set_title("learning rate")
        return loss.figure

    return TwoWidths(
        draw,
        alt="Cross-entropy, accuracy and learning rate over 30 epochs for linear decay and the triangle; "
        "training dashed, test solid, thin lines the seeds. The curves of the two run close together "
        "throughout. In the second half the triangle's test accuracy is a little the higher one, and its "
        "test loss the lower one.",
    )


@finding(heading="On CIFAR-10, ahead by about a point")
def ahead_text(records: Records) -> Finding:
    """Say how the triangle fares at the survey's peak rate: five seeds left it open, ten do not."""
    first, digits = (comparison(records, "triangle", "linear", study=study) for study in (CIFAR10, DIGITS))
    found = second_look.looks(records)
    losses = second_look.differences(records, "test_loss").values()
    groups = {name: second_look.runs_of(records, name) for name in NAMES}
    linear, triangle = groups["linear"], groups["triangle"]
    start = {name: [run.column("train_loss")[0] for run in runs] for name, runs in groups.items()}
    peak = triangle[0].config.peak_lr
    fastest = triangle[0].epochs[0].last_lr / peak
    later = triangle[0].epochs[10].first_lr / linear[0].epochs[10].first_lr
    grid = by_peak(records.blocks(MAP))
    on_gpu = [grid["triangle"][peak][seed] - end for seed, end in grid["linear"][peak].items()]
    return Finding(
        """
        At the survey's peak of {peak} the triangle ends {lead} points above linear decay in {n} pairs of
        runs, {p}. Its test loss is the lower one in each of them, by {loss} on average.

        The first {few} pairs [had not decided it](plan.md): {first} points, with an interval wide enough for
        all {family} questions of that plan. Before we made the others we wrote down how a second look would
        judge (`studies/triangle-laptop.toml`): all {n} together, and p below {level}, which is what
        [two looks](https://doi.org/10.1093/biomet/64.2.191) leave of five percent. The {more} new pairs
        alone say {new}, with the triangle ahead in {won} of {more}. What the plan predicted came true.

        Is it the warm-up? That helps at the very start: in the first epoch, at a third of the peak or less,
        every run with it has a lower training loss than every run without, {quick} against {slow} on
        average. But after the climb the triangle's rate is a ninth above linear decay's to the end, and
        these runs cannot tell one from the other.

        *How sure? One network, at one peak rate. On a GPU, {gpu_n} pairs at this
        rate differ by {gpu} points on average. On the digits the {digits} points are not decidable.*
        """,
        {
            "peak": f"{peak:g}",
            "lead": between(found.all),
            "n": count(found.all.n),
            "p": p_words(found.all.p),
            "loss": rounded(-fmean(losses), 2),
            "few": count(first.n),
            "first": between(first),
            "family": len(FAMILY),
            "level": f"{second_look.LEVEL:g}",
            "more": count(found.new.n),
            "new": between(found.new),
            "won": count(found.ahead),
            "quick": rounded(fmean(start["triangle"]), 2),
            "slow": rounded(fmean(start["linear"]), 2),
            "gpu_n": count(len(on_gpu)),
            "gpu": points(fmean(on_gpu)),
            "digits": between(digits),
        },
        {
            "the first look is not decided": first.verdict == "not decidable",
            "the second look is, for the triangle": found.all.verdict == "better",
            "its whole interval is above zero": found.all.interval[0] > 0,
            "by about a point": 0.005 < found.all.mean_difference < 0.015,
            "the test loss is lower in each pair": max(losses) < 0,
            "the new pairs lean the same way, by most of them": found.new.mean_difference > 0
            and found.ahead > found.new.n / 2,
            "on the GPU it is ahead on average": fmean(on_gpu) > 0,
            "not decidable on the digits": digits.verdict == "not decidable",
            "in the first epoch every run with warm-up is below every one without": max(start["triangle"])
            < min(start["linear"]),
            "that epoch stays within a third of the peak": fastest <= 1 / 3,
            "its rate is a ninth higher after the climb": abs(later - 10 / 9) < 1e-6,
            "all predictions came true": all(second_look.predictions(records).values()),
            "as many new pairs as old": found.new.n == first.n,
            "no run fails": not _failed(linear + triangle),
        },
    )


@finding()
def higher_peak_text(records: Records) -> Finding:
    """Say what a higher peak than the survey's does on CIFAR-10, from a few runs of each schedule."""
    usual = records.runs(CIFAR10, "triangle")[0].config.peak_lr
    grid = by_peak(records.blocks(MAP))
    high = max(grid["triangle"])
    end = records.by_rate(MAP)
    triangle, linear = end["triangle"], end["linear"]
    return Finding(
        """
        **A peak of {high} takes them apart**, in {n} runs of each schedule on a GPU. There the triangle ends
        at {top}, linear decay at {line}. Of all our schedules it alone has a climb, and it alone ends higher
        than from {usual}, in each run and by {gain} points on average; linear decay loses {loss}.
        """,
        {
            "high": f"{high:g}",
            "usual": f"{usual:g}",
            "n": count(len(records.whole_seeds(MAP))),
            "top": percent(triangle[high]),
            "line": percent(linear[high]),
            "gain": points(triangle[high] - triangle[usual]),
            "loss": points(linear[usual] - linear[high]),
        },
        {
            "at the higher peak the triangle leads by more than two points": triangle[high] - linear[high]
            > 0.02,
            "it alone ends higher than from the usual peak, in each run": all(
                (found[high][seed] > found[usual][seed]) == (name == "triangle")
                for name, found in grid.items()
                for seed in found[high]
            ),
            "several runs of each": len(records.whole_seeds(MAP)) > 1,
        },
    )


# --- What we found ----------------------------------------------------------------------------------------


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Say the chapter's three results, each with its number and its limit."""
    at, settings = _digits(records), by_setting(records)
    safe, gains = _safe(at), _gains_at_best(settings)
    wall = at[safe["triangle"]]
    lead = second_look.looks(records).all
    grid = by_peak(records.blocks(MAP))
    top = max(grid["triangle"])
    above = [grid["triangle"][top][seed] - end for seed, end in grid["linear"][top].items()]
    return Finding(
        """
        > **What we found**
        >
        > 1. **Warm-up makes a peak usable that is a little too high.** On the digits at {wall}, {n} runs
        >    with it end at {triangle} on average, {n} without it at {linear}; at {last} both are fine.
        > 2. **There it does not make the best rate better.** In {settings} settings of momentum and batch
        >    size, each schedule at its own best rate, the two are at most {apart} points apart.
        > 3. **On CIFAR-10 at {peak} it ends {lead} points above linear decay.** It took {seeds} seeds to
        >    tell. At a peak of {top} it is {above} points ahead, in {few} runs of each.
        """,
        {
            "wall": f"{safe['triangle']:g}",
            "n": count(len(wall["triangle"])),
            "triangle": percent(fmean(finals(wall["triangle"]))),
            "linear": percent(fmean(finals(wall["linear"]))),
            "last": f"{safe['linear']:g}",
            "settings": count(len(settings)),
            "apart": points(max(map(abs, gains))),
            "peak": f"{records.runs(CIFAR10, 'triangle')[0].config.peak_lr:g}",
            "lead": between(lead),
            "seeds": count(lead.n),
            "top": f"{top:g}",
            "above": points(fmean(above)),
            "few": count(len(above)),
        },
        {
            "at the higher peak every run with warm-up is above every one without": min(
                finals(wall["triangle"])
            )
            > max(finals(wall["linear"])),
            "the peak is higher by half": safe["linear"] < safe["triangle"] <= 1.5001 * safe["linear"],
            "as many runs of both": len(wall["triangle"]) == len(wall["linear"]),
            "the best accuracies are within half a point": max(map(abs, gains)) <= 0.005,
            "the second look decides for the triangle": lead.verdict == "better",
            "the first did not": comparison(records, "triangle", "linear").verdict == "not decidable",
            "at the higher peak it is ahead in each run, by more than two points": min(above) > 0
            and fmean(above) > 0.02,
            "several runs of each there": len(above) > 1,
        },
    )

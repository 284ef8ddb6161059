"""What the chapter on measuring the need of warm-up prints: sharpness at a start, onsets, and along runs.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words. Runs come from the study `warmup-rule` and the two
that fill its ninth setting; sharpness from ``lrlib/recorded/sharpness.json`` (``studies/sharpness.py``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from statistics import fmean
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbook.chapters import drawn, shared
from lrbook.chapters._write import listed
from lrbook.chapters.batches import digit_batches as digit_batches
from lrbook.chapters.second_look import looks
from lrbook.chapters.triangle import LIMIT, AtPeaks, Setting, by_setting, loss_ratio, onset_of, rule_of
from lrbook.finding import Finding, Records, between, count, finals, finding, percent, points, rounded
from lrlib.plots.style import note
from lrlib.plots.two_widths import COLOR, INK, NARROW, RULE, WIDE, TwoWidths, plain
from lrlib.runs import Run
from lrlib.runs.store import RECORDED
from lrlib.stats.rankings import by_peak

MAP, CIFAR10, DIGITS = "laptop-map-gpu", "survey-laptop", "peak-digits"
LIVE = 0.03  # the peak rate of the live cell
RISING = (80, 160)  # updates of the triangle's rise in which its sharpness has met the line of stability
LINEAR, TRIANGLE = COLOR["linear"], COLOR["triangle"]


class Edge(NamedTuple):
    """The two rates of `lrlib.training.edges`, from the mean sharpness at the start over seeds."""

    small: float
    large: float


def sharpness() -> list[dict]:
    """Return the measured runs of ``sharpness.json``; a point is step, rate, value and standard error."""
    return json.loads((RECORDED / "sharpness.json").read_text(encoding="utf-8"))["runs"]


def starts(preset: str = "digits") -> dict[int, list[float]]:
    """Return the sharpness at the start by batch size, of one seed after the other."""
    found: dict[int, dict[int, float]] = {}
    for run in sharpness():
        if run["preset"] == preset:
            found.setdefault(run["batch_size"], {})[run["seed"]] = run["points"][0][2]
    return {size: list(by_seed.values()) for size, by_seed in sorted(found.items())}


def edge(setting: Setting) -> Edge:
    """Return the rates from which a setting's first updates are unstable, by its own start."""
    momentum, size = setting
    value = fmean(starts()[size])
    return Edge(2 * (1 - momentum) / value, 2 * (1 + momentum) / value)


# --- Figure 15.1: nine settings ---------------------------------------------------------------------------


def ratio_figure(records: Records | None = None) -> TwoWidths:
    """Draw loss with warm-up over loss without, over the peak rate, with the two edges of each setting."""
    settings = by_setting(Records() if records is None else records)
    momenta, sizes = (sorted({setting[i] for setting in settings}) for i in (0, 1))

    def panel(axes: Axes, setting: Setting) -> None:
        at, (small, large) = settings[setting], edge(setting)
        axes.axvspan(small, max(large, 1.02 * small), color=RULE, linewidth=0, alpha=0.6, zorder=0)
        axes.axvline(small, color=INK, linewidth=0.9, linestyle=":")
        axes.axhline(1, color=RULE, linewidth=0.8, zorder=0)
        axes.axhline(LIMIT, color=TRIANGLE, linewidth=0.8, linestyle=(0, (4, 2)))
        rates = [rate for rate in at if rate >= 0.003]
        axes.plot(rates, [loss_ratio(at[rate]) for rate in rates], "o-", color=TRIANGLE, markersize=3.5)
        axes.set_xscale("log")
        axes.set_yscale("log", subs=())

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 5.4) if wide else (NARROW, 5.2))
        grid = figure.subplots(len(momenta), len(sizes), sharex=True, sharey=True)
        for row, momentum in zip(grid, momenta, strict=True):
            for axes, size in zip(row, sizes, strict=True):
                panel(axes, (momentum, size))
                axes.set_xlim(0.002, 6)
                axes.set_ylim(0.02, 4)
                axes.set_xticks([0.01, 0.1, 1] if wide else [0.01, 1])
                axes.set_yticks([0.1, 1])
                for axis in (axes.xaxis, axes.yaxis):
                    plain(axis)
                axes.minorticks_off()
            row[0].set_ylabel(f"momentum {momentum:g}")
        for axes, size in zip(grid[0], sizes, strict=True):
            axes.set_title(f"batches of {size}" if wide else f"batch {size}")
        for axes in grid[-1]:
            axes.set_xlabel("peak rate")
        return figure

    return TwoWidths(
        draw,
        alt="Nine panels, three momenta by three batch sizes: training loss with warm-up over that without, "
        "over the peak rate, on logarithmic axes, with a dotted line at the lower edge, a gray band from it "
        "to the upper one, and a dashed line at two thirds. Left of the dotted line all points lie near 1. "
        "Right of it they fall below the dashed line, the later the larger the batch.",
    )


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check them at length."""
    settings = by_setting(records)
    below, onsets = _below(settings), _onsets(settings)
    seconds = max(run["seconds"] for run in sharpness() if _is_a_start(run) and run["preset"] == "digits")
    rule = rule_of(settings)
    return Finding(
        """
        > **What we found**
        >
        > 1. **A measurement of seconds gives a rate below which warm-up never paid.** We tried {cells} peak
        >    rates below it, in {settings} settings of momentum and batch size on the digits. At none did
        >    warm-up take off a third of the training loss.
        > 2. **It does not say where warm-up begins to pay.** That is {nearest} to {farthest} times higher in
        >    {paying} of the settings, and nowhere in the other; large batches begin last. Of the
        >    {predictions} predictions that we had written down, {right} came true.
        > 3. **A warm-up pulls the sharpness down.** While the rate rises to a high peak, the sharpness falls
        >    with the line where updates just stay stable, at up to {over} times its height.
        """,
        {
            "cells": len(below),
            "settings": count(len(settings)),
            "paying": count(len(onsets)),
            "over": rounded(max(_over_the_line()), 1),
            "nearest": rounded(min(onsets.values()), 1),
            "farthest": rounded(max(onsets.values()), 1),
            "predictions": count(len(rule)),
            "right": count(sum(rule.values())),
        },
        {
            "a measurement takes less than a minute": seconds < 60,
            "warm-up takes off no third in any cell below": min(below) > LIMIT,
            "wherever it pays, it is above the edge": min(onsets.values()) > 1,
            "and sometimes five times": max(onsets.values()) > 5,
            "in one setting it pays nowhere": len(onsets) == len(settings) - 1,
            "half of the predictions came true": sum(rule.values()) == len(rule) / 2,
        },
    )


def _is_a_start(run: Mapping) -> bool:
    return len(run["points"]) == 1


def _below(settings: Mapping[Setting, AtPeaks]) -> list[float]:
    """Return the ratio in each cell below the lower edge of its setting, from the first learning rate on."""
    return [
        loss_ratio(runs)
        for setting, at in settings.items()
        for rate, runs in at.items()
        if rate < edge(setting).small
    ]


def _onsets(settings: Mapping[Setting, AtPeaks]) -> dict[Setting, float]:
    """Return the onset of each setting that has one, over its lower edge."""
    found = {setting: onset_of(at) for setting, at in settings.items()}
    return {setting: rate / edge(setting).small for setting, rate in found.items() if rate is not None}


@finding()
def answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction from the recorded runs."""
    settings = by_setting(records)
    heavy, plain_one = settings[0.9, 5], settings[0.0, 5]
    high = 0.15
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        At {low} the triangle ends at {low_ratio} times linear decay's training loss. At {high} it is
        {high_ratio} times: there the run does need its warm-up. Without momentum it is {plain} times at a
        peak of {rate}: an update with momentum {momentum} goes {far} times as far in the end.

        </details>
        """,
        {
            "low": f"{LIVE:g}",
            "low_ratio": rounded(loss_ratio(heavy[LIVE]), 2),
            "high": f"{high:g}",
            "high_ratio": rounded(loss_ratio(heavy[high]), 2),
            "plain": rounded(loss_ratio(plain_one[0.1]), 2),
            "rate": "0.1",
            "momentum": "0.9",
            "far": count(round(1 / (1 - 0.9))),
        },
        {
            "no gain at the low rate": 0.8 < loss_ratio(heavy[LIVE]) < 1.25,
            "a large one at the high rate": loss_ratio(heavy[high]) < 0.3,
            "none without momentum": 0.8 < loss_ratio(plain_one[0.1]) < 1.25,
        },
    )


@finding(heading="At the start, seeds differ up to threefold")
def measured_text(records: Records) -> Finding:
    """Say what was measured at the start, for each batch size, and which edges follow."""
    at = starts()
    smallest = min(at)
    lines = edge((0.9, smallest))
    apart = {size: max(values) / min(values) for size, values in at.items()}
    mean = {size: fmean(values) for size, values in at.items()}
    return Finding(
        """
        On the digits, with batches of {smallest}, the sharpness at the start is {values} for {n} seeds. With
        momentum {momentum} the mean puts the lower edge at {small} and the upper one at {large}. Larger
        batches have less: {others}. Their gradients point along less extreme directions.

        Seeds lie up to a factor of {apart} apart. So read an edge as a rough size. Measure your own start,
        and take a few seeds if you can.
        """,
        {
            "smallest": smallest,
            "values": listed(rounded(value, 1) for value in at[smallest]),
            "n": count(len(at[smallest])),
            "momentum": "0.9",
            "small": rounded(lines.small, 3),
            "large": rounded(lines.large, 2),
            "others": " and ".join(
                f"{rounded(mean[size], 1)} on average for {size}" for size in at if size != smallest
            ),
            "apart": rounded(max(apart.values()), 1),
        },
        {
            "larger batches have less": all(mean[size] < mean[smallest] for size in at if size != smallest),
            "seeds lie up to threefold apart, about": 2.5 < max(apart.values()) < 3.5,
            "three batch sizes": len(at) == 3,
        },
    )


@finding(heading="Below the edge, warm-up never paid")
def below_text(records: Records) -> Finding:
    """Say how training with and without warm-up compares below the lower edge."""
    settings = by_setting(records)
    below = _below(settings)
    ends = [
        abs(fmean(finals(runs["triangle"])) - fmean(finals(runs["linear"])))
        for setting, at in settings.items()
        for rate, runs in at.items()
        if rate < edge(setting).small
    ]
    seeds = {len(runs) for at in settings.values() for each in at.values() for runs in each.values()}
    return Finding(
        """
        A cell is one peak rate in one setting; {cells} cells lie left of the dotted lines. In all of them the
        triangle's training loss is {low} to {high} times linear decay's, and test accuracies are within
        {apart} points. So if your peak rate is below the edge, leave the warm-up out, or keep it: it does not
        matter.

        *How sure?* {seeds} seeds in each cell, one network, one data set. We wrote down beforehand that
        warm-up is worth nothing at low rates. That the *lower* edge bounds these in all settings we saw
        afterwards.
        """,
        {
            "cells": len(below),
            "low": rounded(min(below), 2),
            "high": rounded(max(below), 2),
            "apart": points(max(ends)),
            "seeds": count(min(seeds)).capitalize(),
        },
        {
            "no third is gained anywhere": min(below) > LIMIT,
            "nothing is lost either": max(below) < 1.25,
            "accuracies are close": max(ends) < 0.02,
            "each setting has a cell below its edge": all(
                min(at) < edge(setting).small for setting, at in settings.items()
            ),
            "the same number of seeds everywhere": len(seeds) == 1,
        },
    )


@finding(heading="Above it warm-up may pay, and large batches begin last")
def above_text(records: Records) -> Finding:
    """Say where warm-up begins to pay, and how the written rule fared."""
    settings = by_setting(records)
    over, rule = _onsets(settings), rule_of(settings)
    missed, wider = loss_ratio(settings[0.0, 5][1.0]), 0.68
    *small, large = sorted({size for _, size in settings})
    momenta = sorted({momentum for momentum, _ in settings})
    heaviest = (momenta[-1], large)
    best = min(loss_ratio(runs) for at in settings.values() for runs in at.values())
    (never,) = (setting for setting in settings if setting not in over)
    nearly = min(loss_ratio(runs) for runs in settings[never].values())
    return Finding(
        """
        Where warm-up pays, it can pay much: the best cell has {best} of linear decay's loss. It begins to pay
        (a third of the loss) at {few} times the lower edge with the smaller batches, and at {many} times with
        batches of {large}. At every momentum the largest batches begin last, on the way to the upper edge.
        With momentum {momentum} and batches of {large} the edges are {lower} and {upper}, and it begins
        at {at}. Momentum {no_momentum} with batches of {smallest} stays just short of a third, at {nearly}
        of linear decay's loss at best.

        The rule that we had committed before the runs (`studies/warmup-rule.toml`) named the place, by a
        sharpness that we took for all batch sizes alike. {Right} of {predictions} predictions came true.
        Those of the place missed by a hair: {missed} of linear decay's loss, where less than {limit} was
        asked. A measurement at the start is a warning sign, not a forecast.
        """,
        {
            "best": percent(best, 0),
            "few": _span([value for (_, size), value in over.items() if size in small]),
            "many": _span([value for (_, size), value in over.items() if size == large]),
            "large": large,
            "momentum": f"{heaviest[0]:g}",
            "lower": rounded(edge(heaviest).small, 2),
            "upper": rounded(edge(heaviest).large, 1),
            "at": f"{onset_of(settings[heaviest]):g}",
            "no_momentum": f"{never[0]:g}",
            "smallest": never[1],
            "nearly": rounded(nearly, 2),
            "Right": count(sum(rule.values())).capitalize(),
            "predictions": count(len(rule)),
            "missed": rounded(missed, 3),
            "limit": rounded(LIMIT, 3),
        },
        {
            "at best nine tenths of the loss go": best < 0.1,
            "the largest batch begins last at every momentum": all(
                over[momentum, large] > 1.5 * over[momentum, size]
                for momentum in momenta
                for size in small
                if (momentum, size) in over
            ),
            "the one that never gets there comes close": nearly < LIMIT + 0.05,
            "with the largest it begins between the edges": edge(heaviest).small
            < over[heaviest] * edge(heaviest).small
            < edge(heaviest).large,
            "the predictions of the place failed": rule == {"H1": False, "H2": True, "H3": False, "H4": True},
            "with a slightly wider limit all had come true": LIMIT <= missed < wider
            and all(rule_of(settings, wider).values()),
        },
    )


def _span(values: list[float]) -> str:
    low, high = rounded(min(values), 1), rounded(max(values), 1)
    return low if low == high else f"{low} to {high}"


# --- Figure 15.2: along two runs --------------------------------------------------------------------------


def _along(recipe: str, peak: float) -> tuple[list[int], list[float], list[float]]:
    """Return updates, rates and mean sharpness over seeds along a run on the digits."""
    runs = [
        run["points"]
        for run in sharpness()
        if (run["recipe"], run["peak_lr"]) == (recipe, peak) and not _is_a_start(run)
    ]
    mean = [fmean(values) for values in zip(*([point[2] for point in run] for run in runs), strict=True)]
    return [point[0] for point in runs[0]], [point[1] for point in runs[0]], mean


def _over_the_line(peak: float = 0.2) -> list[float]:
    """Return the triangle's sharpness over the line of stability, in the later part of its rise."""
    points_ = zip(*_along("triangle", peak), strict=True)
    return [value / _stable(rate) for step, rate, value in points_ if RISING[0] <= step <= RISING[1]]


def _stable(rate: float) -> float:
    """Return the sharpness from which updates at this rate are unstable, for small batches, momentum 0.9."""
    return 2 * (1 - 0.9) / rate


def along_figure() -> TwoWidths:
    """Draw the sharpness along the triangle and linear decay, with the line of each one's rates."""
    panels = {"with warm-up (triangle)": ("triangle", TRIANGLE), "without (linear)": ("linear", LINEAR)}
    peaks = {0.05: (0, (1.2, 1.4)), 0.2: "-"}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.4) if wide else (NARROW, 6.2))
        both = figure.subplots(1, 2, sharey=True) if wide else figure.subplots(2, 1, sharex=True)
        for axes, (title, (recipe, color)) in zip(both, panels.items(), strict=True):
            for peak, style in peaks.items():
                steps, rates, values = _along(recipe, peak)
                axes.plot(steps, values, "o", linestyle=style, color=color, markersize=3.5, linewidth=1.6)
                drawn_ = [(t, _stable(rate)) for t, rate in zip(steps, rates, strict=True) if rate > 0]
                axes.plot(*zip(*drawn_, strict=True), color=INK, linestyle=style, linewidth=1.0)
            axes.set_title(title)
            axes.set_yscale("log", subs=())
            axes.set_ylim(0.04, 40)
            axes.set_yticks([0.1, 1, 10])
            plain(axes.yaxis)
            axes.minorticks_off()
        for axes in both if wide else both[1:]:
            axes.set_xlabel("update")
        note(both[0], "peak rate 0.05", (130, 13), color=TRIANGLE)
        note(both[0], "peak rate 0.2", (560, 0.72), color=TRIANGLE)
        note(both[1], "above plain lines: unstable", (200, 17), color=INK, fontsize=9)
        return figure

    return TwoWidths(
        draw,
        alt="Two panels, sharpness over updates on a logarithmic axis, with warm-up and without, at peak "
        "rates 0.05 and 0.2; plain lines show where updates at the current rate become unstable. With "
        "warm-up the sharpness at the high peak falls with the plain line while the rate rises, and stays "
        "near it. Without, it starts above the line, drops far below it within twenty updates, and comes "
        "back slowly.",
    )


@finding(heading="A warm-up pulls the sharpness down, and without one the run is thrown")
def along_text(records: Records) -> Finding:
    """Say how the sharpness moves along runs with and without warm-up at a high peak rate."""
    peak = 0.2
    steps, rates, values = _along("triangle", peak)
    rising, over = [steps.index(step) for step in RISING], _over_the_line(peak)
    _, line_rates, thrown = _along("linear", peak)
    seeds = len({run["seed"] for run in sharpness() if run["preset"] == "digits"})
    return Finding(
        """
        A peak of {peak} is stable up to a sharpness of {bears}, and the start has {start}. With warm-up the
        rate comes there slowly, and the sharpness gives way. From update {first} to {last} it is {low} to
        {high} times the line, while the line itself falls to a half. Without warm-up the first updates are
        unstable at once. After {after} of them the sharpness is {thrown}: the weights were thrown far off, to
        where gradients and curvature are small, and have to come back.

        Smaller batches settle at the lower line, as [Andreyev and
        others](https://arxiv.org/abs/2604.14108) found with momentum; that warm-up forces a network to
        better conditioned places, so that it bears a higher rate, is what [Kalra and
        Barkeshli](https://arxiv.org/abs/2406.09405) found. *How sure?* {seeds} seeds, measured after the same
        had been seen in one.
        """,
        {
            "peak": f"{peak:g}",
            "start": rounded(values[0], 1),
            "bears": rounded(_stable(peak), 1),
            "first": steps[rising[0]],
            "last": steps[rising[-1]],
            "low": rounded(min(over), 1),
            "high": rounded(max(over), 1),
            "after": steps[1],
            "thrown": rounded(thrown[1], 2),
            "seeds": count(seeds).capitalize(),
        },
        {
            "the start is above the line of the peak": values[0] > 2 * _stable(peak),
            "while the rate rises it is within a factor of 2.5 of the line": max(over) < 2.5
            and min(over) > 0.4,
            "the line falls to a half": abs(rates[rising[0]] / rates[rising[-1]] - 0.5) < 0.01,
            "without warm-up it collapses": thrown[1] < values[0] / 10,
            "linear decay starts at its peak": line_rates[0] == peak,
        },
    )


# --- CIFAR-10 ---------------------------------------------------------------------------------------------


@finding(heading="On CIFAR-10 the usual rate lies between the edges")
def cifar10_text(records: Records) -> Finding:
    """Say where the laptop network's edges lie, and what warm-up does at rates around them."""
    (values,) = starts("laptop").values()
    seconds = [run["seconds"] for run in sharpness() if run["preset"] == "laptop"]
    small, large = (2 * (1 + sign * 0.9) / fmean(values) for sign in (-1, 1))
    grid = by_peak(records.blocks(MAP))
    low, *_, high = sorted(grid["linear"])
    gains = {
        rate: [grid["triangle"][rate][seed] - end for seed, end in at.items()]
        for rate, at in grid["linear"].items()
    }
    usual = looks(records).all
    return Finding(
        """
        The small residual network of our CIFAR-10 runs starts at a sharpness of {values} with {seeds} seeds,
        in batches of {size}. That puts the edges at {small} and {large}. On a CPU it took {fastest} to
        {slowest} seconds per start.

        The survey's peak rate of 0.1 lies between. There warm-up gains
        [{usual} points](../survey/triangle.ipynb) in {n} pairs of runs on a CPU, and {usual_gpu} in {runs}
        pairs on a GPU. On the GPU it gains {gain} at {high}, the upper edge, and {low_gain} at {low}, below
        the lower one.
        """,
        {
            "values": listed(rounded(value, 1) for value in values),
            "seeds": count(len(values)),
            "size": 128,
            "small": rounded(small, 3),
            "large": rounded(large, 2),
            "fastest": rounded(min(seconds), 0),
            "slowest": rounded(max(seconds), 0),
            "usual": between(usual),
            "n": count(usual.n),
            "usual_gpu": points(fmean(gains[0.1])),
            "high": f"{high:g}",
            "gain": points(fmean(gains[high])),
            "low": f"{low:g}",
            "low_gain": points(fmean(gains[low])),
            "runs": count(len(gains[high])),
        },
        {
            "the usual rate lies between the edges": low < small < 0.1 < large,
            "the high one is near the upper edge": 0.7 < high / large < 1.5,
            "warm-up gains at the usual rate, a little": 0 < usual.mean_difference < 0.015
            and 0 < fmean(gains[0.1]) < 0.015,
            "more at the high one, in each run": min(gains[high]) > 0.015,
            "hardly at the low one": abs(fmean(gains[low])) < 0.005,
            "several runs of each": len(gains[high]) > 1,
            "a start takes a minute or two": max(seconds) < 120,
        },
    )


# --- Figure 15.3: the reader's own runs -------------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw two runs that were just trained, thick, over the recorded ones of the same setting, thin."""
    return drawn.live_figure(
        mine,
        records,
        studies=[DIGITS, CIFAR10],
        alt="Your two runs below the edge, linear decay and the triangle, thick, over recorded runs of "
        "each, thin. But for the first epoch or two their curves lie on each other.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of the usual digits, what the recorded ones did."""
    return shared.live_ends(mine, live_rate_text, records, usual=("digits", 8, LIVE))


@finding()
def live_rate_text(records: Records) -> Finding:
    """Say how the recorded runs end at the live cell's rate."""
    ends = {name: finals(records.runs(DIGITS, name, peak_lr=LIVE)) for name in ("linear", "triangle")}
    apart = fmean(ends["triangle"]) - fmean(ends["linear"])
    return Finding(
        """
        Our recorded runs at this rate, {n} of each, end {apart} points apart on average, and within {span}
        points of each other all together.
        """,
        {
            "n": count(len(ends["linear"])),
            "apart": points(apart, 2),
            "span": points(max(map(max, ends.values())) - min(map(min, ends.values()))),
        },
        {
            "within half a point": abs(apart) < 0.005,
            "as many of both": len(ends["linear"]) == len(ends["triangle"]),
        },
    )

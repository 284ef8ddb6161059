"""What the introduction prints: its figures, and the sentences under them with their checks.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbook.chapters import drawn, map_plan
from lrbook.chapters.batches import digit_batches as digit_batches
from lrbook.finding import Finding, Records, comparison, count, finals, finding, percent, points, rounded
from lrlib import Constant, Valley, preset
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import (
    COLOR,
    INK,
    NARROW,
    RULE,
    WIDE,
    Label,
    TwoWidths,
    label_ends,
    plain,
)
from lrlib.runs import Run
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import final_accuracy
from lrlib.theory.valley import Trajectory, momentum_path

CIFAR10, PEAKS = "survey-laptop", "peak-laptop"
DIGITS = ("peak-digits", "rates-digits")  # constant: seeds 1 to 3, and 4 to 10; linear: the first only

GRAY, LINEAR = COLOR["constant"], COLOR["linear"]


# --- Figure 1.1: three rates ------------------------------------------------------------------------------

RATES = {"too small": 0.02, "good": 0.3, "too large": 2.1}


def steps_figure() -> TwoWidths:
    """Draw six updates at three rates down the parabola w^2 / 2."""
    parabola = np.linspace(-1.9, 1.9, 101)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.7) if wide else (NARROW, 5.6))
        panels = figure.subplots(1, 3, sharey=True) if wide else figure.subplots(3, 1, sharex=True)
        for axes, (name, rate) in zip(panels, RATES.items(), strict=True):
            axes.plot(parabola, parabola**2 / 2, color=RULE, linewidth=2.4)
            places = -((1 - rate) ** np.arange(7))
            axes.plot(places, places**2 / 2, "o-", color=INK, linewidth=1.0, markersize=4)
            axes.plot(places[:1], places[:1] ** 2 / 2, "o", color=INK, markersize=9)
            axes.set_title(f"{name}: rate {rate:g}")
            axes.set_ylim(-0.06, 1.75)
            axes.set_xticks([-1, 0, 1], ["\N{MINUS SIGN}1", "0", "1"])
            axes.set_yticks([0, 0.5, 1, 1.5])
            plain(axes.yaxis)
        for axes in panels if wide else panels[-1:]:
            axes.set_xlabel("weight")
        for axes in panels[:1] if wide else panels:
            axes.set_ylabel("loss")
        return figure

    return TwoWidths(
        draw,
        alt="Three copies of one valley, a parabola, each with six updates from a large dot on the left "
        "wall. At rate 0.02 the dots hardly leave the start. At 0.3 they walk to the bottom, in shorter and "
        "shorter steps. At 2.1 they jump from wall to wall and climb higher each time.",
    )


# --- The box ----------------------------------------------------------------------------------------------


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the book: three findings, a line each. The texts below check them at length."""
    constant, linear = (_ends(records, label) for label in ("constant", "linear"))
    mean = {rate: fmean(ends) for rate, ends in constant.items()}
    best, worst = max(mean, key=mean.__getitem__), min(mean, key=mean.__getitem__)
    against = [comparison(records, name, "constant") for name in SURVEY if name != "constant"]
    gains = [each.mean_difference for each in against]
    return Finding(
        """
        > **What we found**
        >
        > 1. **The rate decides whether training works.** One network, {n} constant rates, {seeds} runs each:
        >    at {best} it reads {most} of new digits, at {worst} it guesses.
        > 2. **A falling rate forgives a peak that is too high.** From {high} down to zero it reads {linear};
        >    constant at {high}, {constant}.
        > 3. **On CIFAR-10, all {seven} schedules that lower the rate beat the constant one**, by {least} to
        >    {largest} percentage points of test accuracy, at a shared peak of {peak}. That peak is too high
        >    for a constant rate.
        """,
        {
            "n": count(len(constant)),
            "seeds": count(len(constant[best])),
            "best": f"{best:g}",
            "most": percent(mean[best]),
            "worst": f"{worst:g}",
            "high": f"{HIGH:g}",
            "linear": percent(fmean(linear[HIGH])),
            "constant": percent(mean[HIGH]),
            "seven": count(len(against)),
            "least": points(min(gains)),
            "largest": points(max(gains)),
            "peak": f"{records.runs(CIFAR10, 'constant')[0].config.peak_lr:g}",
        },
        {
            "as many seeds at every constant rate": len({len(ends) for ends in constant.values()}) == 1,
            "at the worst rate every run guesses": max(constant[worst]) < GUESSING,
            "at the high peak every linear run ends above every constant one": min(linear[HIGH])
            > max(constant[HIGH]),
            "all others are better by the plan": {each.verdict for each in against} == {"better"},
            "it is too high for a constant one": map_plan.too_high(records),
        },
    )


# --- Figure 1.2: four walks -------------------------------------------------------------------------------

UPDATES, START, NOISE, PICTURED, SEEDS = 120, (-4.0, 4.0), 1.5, 1, 1000
LOOK = {"constant": GRAY, "decay": LINEAR, "drop": COLOR["drop"], "restart": COLOR["cosine5"]}


def _plans() -> dict[str, np.ndarray]:
    """Return the rates of the four walks, of shape [UPDATES]."""
    t, half = np.arange(UPDATES), UPDATES // 2
    return {
        "constant": np.full(UPDATES, 0.25),
        "decay": 0.25 * (1 - t / UPDATES),
        "drop": np.where(t < half, 0.25, 0.025),
        "restart": 0.25 * (1 - t % half / half),
    }


def _height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the loss: a valley whose floor follows y = x^2 / 5 and sinks to 0 at the origin."""
    return 0.3 * x**2 + (y - x**2 / 5) ** 2


def _walks(rates: np.ndarray, seeds: range) -> np.ndarray:
    """Return the places of many walks at once, of shape [updates + 1, 2, seeds].

    A walk depends on its seed alone: it is the one that the page's `walk` makes, one seed at a time.
    """
    draws = [np.random.default_rng(seed).normal(scale=NOISE, size=(len(rates), 2)) for seed in seeds]
    noise = np.stack(draws, axis=-1)
    places = [np.repeat(np.array(START)[:, None], len(seeds), axis=1)]
    for rate, kick in zip(rates, noise, strict=True):
        x, y = places[-1]
        across = y - x**2 / 5
        slope = np.stack([0.6 * x - 0.8 * x * across, 2 * across])
        places.append(places[-1] - rate * (slope + kick))
    return np.stack(places)


def landscape_figure(
    plans: Mapping[str, np.ndarray] | None = None, walks: Mapping[str, np.ndarray] | None = None
) -> TwoWidths:
    """Draw four walks on one contour map, with the rate of each above; those of one seed if none are given.

    Parameters
    ----------
    plans : mapping
        Name -> rates, of shape [updates].
    walks : mapping
        Name -> places after 0, 1, ... updates, of shape [updates + 1, 2].
    """
    plans = _plans() if plans is None else plans
    if walks is None:
        walks = {name: _walks(rates, range(PICTURED, PICTURED + 1))[..., 0] for name, rates in plans.items()}
    x, y = np.meshgrid(np.linspace(-4.7, 2.0, 80), np.linspace(-1.5, 4.5, 80))

    def draw(wide: bool) -> Figure:
        columns = 4 if wide else 2
        figure = Figure(figsize=(WIDE, 3.0) if wide else (NARROW, 5.9))
        grid = figure.subplots(8 // columns, columns, height_ratios=[1, 4.2] * (4 // columns))
        for k, (name, places) in enumerate(walks.items()):
            row, column = 2 * (k // columns), k % columns
            _draw_walk(grid[row, column], grid[row + 1, column], plans[name], places, LOOK[name], (x, y))
            grid[row, column].set_title(name, color=LOOK[name])
        return figure

    ends = {name: rounded(float(_height(*places[-1])), 2) for name, places in walks.items()}
    return TwoWidths(
        draw,
        alt="Four copies of one contour map, a valley that bends like a banana, each with a jagged walk from "
        "the upper left to the lowest point; above each, its rate over the updates. At the constant rate "
        "the walk ends in a wide tangle around the lowest point; under decay the tangle tightens to a dot; "
        "with a drop it is wide first, then tiny; with a restart it tightens twice. Losses at the end: "
        + ", ".join(f"{name} {end}" for name, end in ends.items())
        + ".",
    )


def _draw_walk(above: Axes, below: Axes, rates: np.ndarray, places: np.ndarray, color: str, grid) -> None:
    above.fill_between(np.arange(len(rates)), rates, color=color, alpha=0.18, linewidth=0)
    above.plot(rates, color=color, linewidth=1.6)
    above.set_xlim(0, len(rates))
    above.set_ylim(0, 1.15 * rates.max())
    above.set_xticks([])
    above.set_yticks([])
    below.contour(
        *grid, _height(*grid), levels=[0.1, 0.5, 1.2, 2.2, 3.5, 5, 7, 10, 14], colors=RULE, linewidths=0.8
    )
    half = len(rates) // 2
    below.plot(*places[: half + 1].T, "-", color=color, linewidth=0.9, alpha=0.75)
    below.plot(*places[half:].T, "-", color=INK, linewidth=0.9)
    below.plot(*places[0], "o", color=color, markersize=6)
    below.plot(*places[-1], "o", color=INK, markersize=4)
    note(
        below, f"loss {rounded(float(_height(*places[-1])), 2)}", (1, 1), (-2, -12),
        xycoords="axes fraction", ha="right", color=INK,
    )  # fmt: skip
    below.set_aspect("equal")
    below.set_xlim(-4.7, 2.0)
    below.set_ylim(-1.5, 4.5)
    below.set_xticks([])
    below.set_yticks([])
    below.grid(visible=False)


@finding()
def walks_answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction from many seeds. It is computed; the claims keep the words true."""
    half, later = UPDATES // 2, UPDATES // 2 + 10
    losses = {}
    for name, rates in _plans().items():
        x, y = _walks(rates, range(SEEDS)).swapaxes(0, 1)
        losses[name] = np.median(_height(x, y), axis=1)
    end = {name: float(loss[-1]) for name, loss in losses.items()}
    middle = {name: float(loss[half]) for name, loss in losses.items()}
    after = float(losses["restart"][later])
    falling = [name for name in end if name != "constant"]
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        The constant rate ends highest: it has arrived by half time, at a loss of {middle}, and stays there
        ({constant} at the end). Decay ends at {decay}, the drop at {drop}, the restart at {restart}. At half
        time the restart leads, with {restart_middle}; ten updates later it is back at {after}, since its
        steps are long again. (Medians of {seeds} walks.)

        </details>
        """,
        {
            "middle": rounded(middle["constant"], 2),
            "constant": rounded(end["constant"], 2),
            "decay": rounded(end["decay"], 3),
            "drop": rounded(end["drop"], 3),
            "restart": rounded(end["restart"], 3),
            "restart_middle": rounded(middle["restart"], 2),
            "after": rounded(after, 2),
            "seeds": f"{SEEDS:,}",
        },
        {
            "the constant rate ends highest, at more than four times every other": end["constant"]
            > 4 * max(end[name] for name in falling),
            "it stands still in the second half, within a fifth": abs(end["constant"] - middle["constant"])
            < 0.2 * middle["constant"],
            "decay ends lowest, the restart last of the three": end["decay"] < end["drop"] < end["restart"],
            "the restart is lowest at half time, and has tripled ten updates later": middle["restart"]
            < 0.5 * min(loss for name, loss in middle.items() if name != "restart")
            and after > 3 * middle["restart"],
        },
    )


# --- Figure 1.3: a grid search in the noisy valley --------------------------------------------------------

STEPS, SMALL, LARGE = 300, 0.01, 2.1


def _at_fixed(rate: float) -> Trajectory:
    """Return the expected losses in the noisy valley after each update at a fixed rate."""
    return Valley().trajectory(Constant(), steps=STEPS, peak_lr=rate)


def bowl_figure() -> TwoWidths:
    """Draw the expected loss of the noisy valley at three fixed rates, and at the end over the rate."""
    valley = Valley()
    best = valley.best_peak_lr(Constant(), steps=STEPS)
    rates = np.geomspace(0.005, 1.99, 81)
    ends = valley.sweep(Constant(), steps=STEPS, peak_lrs=rates)
    curves = {SMALL: GRAY, best.peak_lr: INK, LARGE: GRAY}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.1) if wide else (NARROW, 5.8))
        loss, bowl = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        labels = []
        for rate, color in curves.items():
            values = _at_fixed(rate).loss
            seen = values[values < 20]
            loss.plot(seen, color=color, linewidth=2.2)
            if len(seen) == len(values):
                labels.append(Label(values[-1], rounded(values[-1], 2), color))
        bowl.plot(rates, ends, color=GRAY, linewidth=2.2)
        bowl.plot([best.peak_lr], [best.loss], "o", color=INK, markersize=7, zorder=3)
        bowl.axvline(valley.edge, color=INK, linewidth=1.0, linestyle=(0, (1, 2)))
        for axes in (loss, bowl):
            axes.set_yscale("log", subs=())
            axes.set_ylim(0.012, 20)
            axes.set_yticks([0.1, 1, 10])
            plain(axes.yaxis)
        loss.set_title("expected loss")
        loss.set_xlim(0, STEPS)
        loss.set_xlabel("update")
        note(loss, f"rate {LARGE:g}", (24, 9), (4, 0), color=GRAY)
        note(loss, f"rate {SMALL:g}", (150, _at_fixed(SMALL).loss[150]), (0, 6), color=GRAY)
        note(
            loss, f"rate {rounded(best.peak_lr, 2)}", (150, _at_fixed(best.peak_lr).loss[150]), (0, -13),
            color=INK, ha="right",
        )  # fmt: skip
        bowl.set_title(f"after {STEPS} updates, over the rate")
        bowl.set_xscale("log", subs=())
        bowl.set_xlim(0.005, 3)
        bowl.set_xticks([0.01, 0.1, 1])
        plain(bowl.xaxis)
        bowl.set_xlabel("fixed learning rate")
        note(
            bowl,
            f"best: {rounded(best.peak_lr, 2)}",
            (best.peak_lr, best.loss),
            (0, -18),
            color=INK,
            ha="center",
        )
        note(bowl, "edge of\nstability", (valley.edge, 6), (-5, 0), color=INK, ha="right")
        label_ends(loss, labels)
        return figure

    return TwoWidths(
        draw,
        alt="Left, the expected loss over 300 updates on a logarithmic axis. At rate 0.01 it falls "
        "slowly and ends high; at the best it falls fast and ends low; at 2.1 it leaves through the top. "
        "Right, the loss after 300 updates over the fixed rate, both logarithmic: a lopsided bowl, its "
        "lowest point a dot well to the left of the edge, a dotted line at rate 2, where it rises steeply.",
    )


@finding(heading="The best fixed rate is far below the edge")
def bowl_text(records: Records) -> Finding:
    """Say where the best fixed rate of the noisy valley is, and what is left there and beside it."""
    valley = Valley()
    best = valley.best_peak_lr(Constant(), steps=STEPS)
    low, middle, high = (_at_fixed(times * best.peak_lr) for times in (0.1, 1.0, 2.0))
    left = [each.distance[-1] / each.loss[-1] for each in (low, middle, high)]
    return Finding(
        """
        The best fixed rate is {best}, {times} times below the edge. At a tenth of it, {low} of the loss that
        is left is distance; at twice it, {high} is shaking. Even the winner is a compromise, {distance}
        distance and {shaking} shaking. *One* number cannot be large for the way and small for the calm.
        A **schedule**, a plan for the rate, can.
        """,
        {
            "best": rounded(best.peak_lr, 2),
            "times": count(round(valley.edge / best.peak_lr)),
            "low": percent(left[0], 0),
            "high": percent(1 - left[2], 0),
            "distance": percent(left[1], 0),
            "shaking": percent(1 - left[1], 0),
        },
        {
            "the edge is at more than five times the best rate": valley.edge > 5 * best.peak_lr,
            "at a tenth, nearly all is distance": left[0] > 0.9,
            "at twice, nearly all is shaking": left[2] < 0.1,
            "at the best rate neither is less than a fifth": 0.2 < left[1] < 0.8,
        },
    )


# --- Momentum ---------------------------------------------------------------------------------------------

MOMENTUM, AFTER = 0.9, 100


@finding()
def momentum_text(records: Records) -> Finding:
    """Say what momentum does to a rate: in the flattest direction, and at the edge of the steepest."""
    flat, steep = float(Valley().curvature.min()), float(Valley().curvature.max())
    settings = {"small": (0.1, 0.0), "large": (1.0, 0.0), "momentum": (0.1, MOMENTUM)}
    left = {
        name: momentum_path(curvature=flat, lr=lr, momentum=m, steps=AFTER)
        for name, (lr, m) in settings.items()
    }
    edge = 2 * (1 + MOMENTUM) / steep
    swing = {
        times: abs(momentum_path(curvature=steep, lr=times * edge, momentum=MOMENTUM, steps=30 * AFTER)[-1])
        for times in (0.99, 1.01)
    }
    return Finding(
        """
        In the valley's flattest direction, without noise, {n} updates leave {small} of the distance at rate
        0.1, {large} at rate 1, and {momentum} at 0.1 with momentum. In the steepest, where the gradient keeps
        changing its sign, little adds up: the edge only moves from {plain} to {edge}.
        """,
        {
            "n": AFTER,
            "small": percent(left["small"][-1], 0),
            "large": percent(left["large"][-1], 0),
            "momentum": percent(left["momentum"][-1], 0),
            "plain": f"{2 / steep:g}",
            "edge": f"{edge:g}",
        },
        {
            "with momentum it is where the tenfold rate is, within five per cent of the way": abs(
                left["momentum"][-1] - left["large"][-1]
            )
            < 0.05,
            "without, far behind": left["small"][-1] > left["large"][-1] + 0.3,
            "below that edge a steep direction dies out, above it grows": swing[0.99] < 1e-3
            and swing[1.01] > 1e3,
        },
    )


# --- Figure 1.4: the reader's own three runs --------------------------------------------------------------

LOW, GOOD, HIGH, TOO_HIGH, GUESSING = 0.0001, 0.01, 0.1, 0.3, 0.12


def live_figure(mine: Mapping[float, Run], records: Records | None = None) -> TwoWidths:
    """Draw runs that were just trained, by rate, over the recorded ones of the same setting."""
    return drawn.live_figure(
        {f"rate {rate:g}": run for rate, run in mine.items()},
        records,
        studies=DIGITS if _on_digits(mine) else (CIFAR10, PEAKS),
        colors={f"rate {rate:g}": GRAY for rate in mine if rate != GOOD},
        alt="Your three runs, thick, over recorded runs of the same rates, thin: training loss and test "
        "accuracy by epoch. At 0.0001 the loss falls slowly; at 0.01, in black, it falls at once to almost "
        "zero; at 0.3 it stays about that of guessing, and test accuracy near 10 per cent.",
    )


def live_text(mine: Mapping[float, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of the digits, where the recorded ones did."""
    ends = [f"{percent(final_accuracy(run))} (rate {rate:g})" for rate, run in mine.items()]
    ours = three_rates_text(records) if _on_digits(mine) else Finding("", {}, {})
    return Finding(
        "Your runs ended at {yours}. {ours}", {"yours": ", ".join(ends), "ours": ours.text}, ours.holds
    )


@finding()
def three_rates_text(records: Records) -> Finding:
    """Say where the recorded runs on the digits end at three constant rates."""
    low, good, high = (_ends(records, "constant")[rate] for rate in (LOW, GOOD, TOO_HIGH))
    return Finding(
        """
        Of our {n} recorded runs at each rate, those at {GOOD} end between {good_low} and {good_high}, each
        above all {n} at {LOW} ({low_low} to {low_high}). Of those at {TOO_HIGH}, {guess} only guess.
        """,
        {
            "n": count(len(good)),
            "GOOD": f"{GOOD:g}",
            "LOW": f"{LOW:g}",
            "TOO_HIGH": f"{TOO_HIGH:g}",
            "good_low": percent(min(good)),
            "good_high": percent(max(good)),
            "low_low": percent(min(low)),
            "low_high": percent(max(low)),
            "guess": count(sum(end < GUESSING for end in high)),
        },
        {
            "as many runs at each rate": len(low) == len(good) == len(high),
            "every run at the good rate ends above every one at the low and the high rate": min(good)
            > max(low + high),
            "all but one at the high rate guess": sum(end < GUESSING for end in high) == len(high) - 1,
        },
    )


# --- Figure 1.5: two grid searches on the digits ----------------------------------------------------------


def grids_figure(records: Records | None = None) -> TwoWidths:
    """Draw the test error on the digits over the peak rate: constant in gray, linear decay in color."""
    records = Records() if records is None else records
    ends = {label: _ends(records, label) for label in ("constant", "linear")}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.2) if wide else (NARROW, 3.2))
        axes = figure.subplots()
        for label, shift in (("constant", 0.96), ("linear", 1.04)):
            color = COLOR[label]
            for rate, values in ends[label].items():
                errors = [1 - value for value in values]
                axes.plot(
                    [shift * rate] * len(errors), errors, "o",
                    color=color, markersize=4.5, alpha=0.5, markeredgewidth=0,
                )  # fmt: skip
            mean = [1 - fmean(values) for values in ends[label].values()]
            axes.plot(list(ends[label]), mean, color=color, linewidth=2.2, zorder=1)
        axes.set_title("test error at the end")
        axes.set_xscale("log", subs=())
        axes.set_yscale("log", subs=())
        axes.set_ylim(0.003, 1.3)
        axes.set_yticks([0.01, 0.03, 0.1, 0.3, 0.9])
        axes.minorticks_off()
        in_per_cent(axes.yaxis)
        axes.set_xticks([0.0001, 0.001, 0.01, 0.1, 1])
        plain(axes.xaxis)
        axes.set_xlabel("peak learning rate")
        note(axes, "linear\ndecay", (LOW, 1 - fmean(ends["linear"][LOW])), (14, 2), color=LINEAR)
        note(axes, "constant", (HIGH, 1 - fmean(ends["constant"][HIGH])), (-6, 12), color=GRAY, ha="right")
        return figure

    return TwoWidths(
        draw,
        alt="Test error on the digits over nine peak rates, both axes logarithmic; dots are seeds, lines "
        "join means. Both schedules give a bowl. Linear decay, in blue, is above the constant rate, in "
        "gray, at the lowest rates, and clearly below it at 0.1; from 0.3 on both fail.",
    )


@finding(heading="A falling rate forgives a peak that is too high")
def forgives_text(records: Records) -> Finding:
    """Say what a grid search finds for the constant rate and for linear decay, on the digits."""
    ends = {label: _ends(records, label) for label in ("constant", "linear")}
    mean = {label: {rate: fmean(values) for rate, values in each.items()} for label, each in ends.items()}
    best = {label: max(each, key=each.__getitem__) for label, each in mean.items()}
    top = {label: mean[label][best[label]] for label in mean}
    failed = [end for each in ends.values() for rate in each if rate > HIGH for end in each[rate]]
    return Finding(
        """
        The constant rate is best at {best} ({constant}), linear decay from {best_linear} ({linear}): only
        {apart} points apart. The difference is the *margin*: at {HIGH} the constant rate is {lost} points
        below its best, decay {lost_linear}. It has a price: at {LOW}, where neither arrives, decay is behind,
        {low_linear} against {low}. And from {TOO_HIGH} on both fail.

        Change the network, the data or the length of training, and search again. (Choosing by test images is
        fine for a picture, not for a report: exercise 3.)
        """,
        {
            "best": f"{best['constant']:g}",
            "constant": percent(top["constant"]),
            "best_linear": f"{best['linear']:g}",
            "linear": percent(top["linear"]),
            "apart": points(top["linear"] - top["constant"]),
            "HIGH": f"{HIGH:g}",
            "lost": points(top["constant"] - mean["constant"][HIGH]),
            "lost_linear": points(top["linear"] - mean["linear"][HIGH]),
            "LOW": f"{LOW:g}",
            "low": percent(mean["constant"][LOW]),
            "low_linear": percent(mean["linear"][LOW]),
            "TOO_HIGH": f"{TOO_HIGH:g}",
        },
        {
            "the best rate of decay is the higher one": best["linear"] > best["constant"],
            "at their best rates they are less than a point apart": abs(top["linear"] - top["constant"])
            < 0.01,
            "at 0.1 every run with decay ends above every constant one": min(ends["linear"][HIGH])
            > max(ends["constant"][HIGH]),
            "it loses less there": top["linear"] - mean["linear"][HIGH]
            < 0.5 * (top["constant"] - mean["constant"][HIGH]),
            "at the lowest rate every run with decay ends below every constant one": max(ends["linear"][LOW])
            < min(ends["constant"][LOW]),
            "above 0.1 no run gets half right": max(failed) < 0.5,
        },
    )


# --- Figure 1.6: eight plans ------------------------------------------------------------------------------

PEAK = 1.0


def _eight(peak: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the factors and the expected losses of the eight schedules over 300 updates in the valley.

    The shapes are those of the recorded runs on CIFAR-10, every 39th update or so: time-based decay then ends
    at 1/40 as theirs does, though its decay per update is another.
    """
    found = {}
    for name in SURVEY:
        config = preset("laptop", recipe=name)
        whole = config.schedule()
        factors = np.array([whole(t * config.total_steps // STEPS) for t in range(STEPS)])
        run = Valley().trajectory(lambda t, factors=factors: factors[t], steps=STEPS, peak_lr=peak)
        found[name] = factors, run.loss
    return found


def eight_plans_figure() -> TwoWidths:
    """Draw the eight schedules, and below each the expected loss in the noisy valley from one peak rate."""
    found = _eight(PEAK)

    def draw(wide: bool) -> Figure:
        columns = 4 if wide else 2
        rows = 8 // columns
        figure = Figure(figsize=(WIDE, 4.1) if wide else (NARROW, 7.4))
        grid = figure.subplots(2 * rows, columns, height_ratios=[1, 2] * rows)
        for k, (name, (factors, loss)) in enumerate(found.items()):
            above, below = (grid[2 * (k // columns) + part, k % columns] for part in (0, 1))
            above.fill_between(np.arange(STEPS), factors, color=COLOR[name], alpha=0.18, linewidth=0)
            above.plot(factors, color=COLOR[name], linewidth=1.6)
            above.set_ylim(0, 1.12)
            above.set_title(name, color=COLOR[name])
            above.set_xticks([])
            above.set_yticks([])
            below.plot(found["constant"][1], color=GRAY, linewidth=1.4)
            below.plot(loss, color=COLOR[name], linewidth=2.2)
            below.set_yscale("log", subs=())
            below.set_ylim(0.012, 3)
            below.set_yticks([0.1, 1])
            plain(below.yaxis)
            if k % columns:
                below.set_yticklabels([])
            note(
                below, rounded(loss[-1], 3), (STEPS, 1.6), (0, 0), color=COLOR[name], ha="right", va="center"
            )
            below.set_xticks([0, 150, 300])
            for axes in (above, below):
                axes.set_xlim(0, STEPS)
            if k >= 8 - columns:
                below.set_xlabel("update")
            else:
                below.set_xticklabels([])
        return figure

    return TwoWidths(
        draw,
        alt="Eight pairs of panels: a schedule, and below it its loss in the noisy valley, over the constant "
        "rate's in gray. Constant is a level line; time falls in a curve that flattens, drop in stairs, "
        "linear in a straight line to zero, poly5 steeply and then flat; triangle climbs and then falls; "
        "cosine falls in a soft S, cosine5 does so five times over. Every loss but the first ends below "
        "the gray one.",
    )


@finding(heading="From a high peak all other plans reach a lower loss, from a low peak a higher one")
def eight_plans_text(records: Records) -> Finding:
    """Say what eight schedules do from one peak rate, in the valley and on CIFAR-10."""
    end = {name: float(loss[-1]) for name, (_, loss) in _eight(PEAK).items()}
    constant = end.pop("constant")
    best = Valley().best_peak_lr(Constant(), steps=STEPS).peak_lr
    tuned = {name: float(loss[-1]) for name, (_, loss) in _eight(best).items()}
    reference = tuned.pop("constant")
    against = [comparison(records, name, "constant") for name in SURVEY if name != "constant"]
    low_rate, slow = map_plan.low_constant(records)
    return Finding(
        """
        {Eight} shapes, one idea: large steps first, small ones before you stop. From a peak of {peak} the
        constant rate ends at {constant} in the noisy valley, the {seven} others between {least} and {most}.
        But from {best}, the best constant rate, all {seven} end *higher*, at {tuned_least} to {tuned_most}
        against {tuned}: their rate is gone before they arrive.

        On CIFAR-10, from {shared}, all {seven} beat the constant rate. But {shared} is too high for a
        constant rate: in {runs} runs of each on a GPU it ends at {mean}, and {low_rate} at {ahead}.

        *How sure? That all {seven} are ahead is judged on {seeds} seeds each, by [a plan](plan.md) that was
        fixed before the first run.*
        """,
        {
            "peak": f"{PEAK:g}",
            "Eight": count(len(end) + 1).capitalize(),
            "constant": rounded(constant, 2),
            "seven": count(len(end)),
            "least": rounded(min(end.values()), 3),
            "most": rounded(max(end.values()), 3),
            "best": rounded(best, 2),
            "tuned": rounded(reference, 2),
            "tuned_least": rounded(min(tuned.values()), 2),
            "tuned_most": rounded(max(tuned.values()), 2),
            "shared": f"{records.runs(CIFAR10, 'constant')[0].config.peak_lr:g}",
            "runs": count(len(slow)),
            "low_rate": f"{low_rate:g}",
            "ahead": percent(fmean(slow.values())),
            "mean": percent(map_plan.means(map_plan.common(records))["constant"]),
            "seeds": count(len(records.runs(CIFAR10, "constant"))),
        },
        {
            "in the valley every other plan ends lower from the high peak": max(end.values()) < constant,
            "and higher from the constant rate's best, by half or more": min(tuned.values())
            > 1.5 * reference,
            "on CIFAR-10 all are better by the plan": {each.verdict for each in against} == {"better"},
            "the shared peak is too high for a constant rate": map_plan.too_high(records),
            "it is that of the map": {run.config.peak_lr for run in records[CIFAR10]} == {map_plan.COMMON},
            "as many seeds of every schedule": len({len(records.runs(CIFAR10, name)) for name in SURVEY})
            == 1,
        },
    )


# --- What the functions above share -----------------------------------------------------------------------


def _ends(records: Records, label: str) -> dict[float, list[float]]:
    """Return the test accuracies on the digits at the end, by peak rate in order."""
    runs = [run for study in DIGITS for run in records[study] if run.label == label]
    rates = sorted({run.config.peak_lr for run in runs})
    return {rate: finals(run for run in runs if run.config.peak_lr == rate) for rate in rates}


def _on_digits(mine: Mapping[float, Run]) -> bool:
    return all(run.config.dataset == "digits" for run in mine.values())

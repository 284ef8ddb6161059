"""What the slides of the 90-minute lesson show and say: figures, and sentences with their checks.

The slides are written by hand in book/teach/lesson_deck.md, which calls these functions and those of the
chapters. A figure function returns a `TwoWidths`; what ends in ``_text`` is a finding as short as a slide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure

from lrbook.chapters import introduction, linear, time_based
from lrbook.chapters.first_page import FIVE, rankings
from lrbook.classroom.assignment import SCHEDULES, assignment
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
from lrlib import Constant, LinearDecay, TimeDecay, Valley
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import COLOR, INK, NARROW, WIDE, Label, TwoWidths, label_ends, plain
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import by_seed, compare_all, interval
from lrlib.stats.rankings import by_peak
from lrlib.theory.valley import Best

CIFAR10, DIGITS, MAP = "survey-laptop", "survey-digits", "laptop-map-gpu"
STEPS, STUDENTS = 300, 30


# --- Draw -------------------------------------------------------------------------------------------------


@finding()
def draw_text(records: Records) -> Finding:
    """Set the task of the first five minutes."""
    return Finding(
        """
        Training has {steps} updates. In each, the weights take a step against the gradient. You choose how
        large every step is. **Draw it.**
        """,
        {"steps": STEPS},
        {"the valley of the slides that follow has as many": introduction.STEPS == linear.STEPS == STEPS},
    )


def board_figure() -> TwoWidths:
    """Draw empty axes, as on page 2 of the handout."""

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.4) if wide else (NARROW, 2.6))
        axes = figure.subplots()
        axes.set_xlim(0, STEPS)
        axes.set_ylim(0, 1)
        axes.set_xticks(range(0, STEPS + 1, 50))
        axes.set_yticks(np.linspace(0, 1, 5), [""] * 5)
        axes.grid(axis="x")
        axes.set_xlabel("update")
        axes.set_ylabel("learning rate")
        return figure

    return TwoWidths(draw, alt="Empty axes: the learning rate upwards, updates 0 to 300 to the right.")


def four_lines_figure() -> TwoWidths:
    """Draw the four lines that the board should have, without their names."""
    t = np.arange(STEPS) / STEPS
    lines = {
        "A": np.full_like(t, 0.8),
        "B": 0.9 * (1 - t),
        "C": 0.9 * 0.5 ** np.floor(4 * t),
        "D": 0.9 * np.minimum(t / 0.15, (1 - t) / 0.85),
    }

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.2) if wide else (NARROW, 4.2))
        grid = figure.subplots(*(1, 4) if wide else (2, 2), sharex=True, sharey=True)
        for axes, (name, values) in zip(grid.flat, lines.items(), strict=True):
            axes.plot(t, values, color=INK, linewidth=2.6)
            axes.set_title(name)
            axes.set_xlim(0, 1)
            axes.set_ylim(0, 1)
            axes.set_xticks([])
            axes.set_yticks([])
        for axes in grid.flat if wide else grid[-1]:
            axes.set_xlabel("update")
        for axes in grid.flat[:1] if wide else grid[:, 0]:
            axes.set_ylabel("rate")
        return figure

    return TwoWidths(
        draw,
        alt="Four panels of a rate over the updates: A is level, B falls in a straight line to zero, C falls "
        "in four stairs, D rises at first and then falls to zero.",
    )


# --- Valley -----------------------------------------------------------------------------------------------


def _race() -> dict[str, tuple[Constant | LinearDecay, Best]]:
    """Return a constant and a linear schedule, each with its own best peak rate in the noisy valley."""
    raced = {"constant": Constant(), "linear": LinearDecay(total_steps=STEPS)}
    return {name: (plan, Valley().best_peak_lr(plan, steps=STEPS)) for name, plan in raced.items()}


@finding()
def best_fixed_question_text(records: Records) -> Finding:
    """Ask where the best fixed rate is."""
    return Finding(
        """
        Above a rate of {edge} the weights fly apart. Of all fixed rates below it, which leaves the smallest
        loss after {steps} updates?

        - **A** one just below {edge}
        - **B** one far below {edge}
        """,
        {"edge": f"{Valley().edge:g}", "steps": STEPS},
        {"above the edge the loss grows": _at(1.05 * Valley().edge)[-1] > _at(1.05 * Valley().edge)[0]},
    )


@finding()
def best_fixed_answer_text(records: Records) -> Finding:
    """Answer it."""
    valley, best = Valley(), _race()["constant"][1]
    low, high = _at(best.peak_lr / 10)[-1], _at(0.95 * valley.edge)[-1]
    return Finding(
        """
        **B.** The best fixed rate is {best}, and leaves a loss of {loss}. A tenth of it leaves {low}: too
        slow. Just below the edge, {near} leaves {high}: it never comes to rest.
        """,
        {
            "best": rounded(best.peak_lr, 2),
            "loss": rounded(best.loss, 2),
            "low": rounded(low, 2),
            "near": rounded(0.95 * valley.edge, 1),
            "high": rounded(high, 1),
        },
        {
            "the best is at less than a fifth of the edge": best.peak_lr < valley.edge / 5,
            "a tenth of it and the edge leave more than twice as much": min(low, high) > 2 * best.loss,
        },
    )


def race_figure() -> TwoWidths:
    """Draw rate and expected loss of a constant and a linear schedule, each at its own best peak rate."""
    race = _race()

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.3) if wide else (NARROW, 5.4))
        rate, loss = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        ends = []
        for name, (plan, best) in race.items():
            rates = [best.peak_lr * plan(t) for t in range(STEPS)]
            path = Valley().trajectory(plan, steps=STEPS, peak_lr=best.peak_lr)
            rate.plot(rates, color=COLOR[name], linewidth=2.4)
            loss.plot(path.loss, color=COLOR[name], linewidth=2.4)
            ends.append(Label(path.loss[-1], rounded(path.loss[-1], 3), COLOR[name]))
        constant, falling = (best.peak_lr for _, best in race.values())
        gray, blue = COLOR["constant"], COLOR["linear"]
        note(rate, f"constant at {rounded(constant, 2)}", (0, constant), (6, -13), color=gray)
        note(rate, f"linear from {rounded(falling, 2)}", (60, 0.8 * falling), (6, 4), color=blue)
        rate.set_title("learning rate")
        rate.set_ylim(0, 1)
        loss.set_title("expected loss")
        loss.set_yscale("log", subs=())
        loss.set_ylim(0.012, 3)
        loss.set_yticks([0.03, 0.1, 0.3, 1])
        plain(loss.yaxis)
        for axes in (rate, loss):
            axes.set_xlim(0, STEPS)
        for axes in (rate, loss) if wide else (loss,):
            axes.set_xlabel("update")
        label_ends(loss, ends)
        return figure

    return TwoWidths(
        draw,
        alt="Two panels over 300 updates. The constant rate is a level gray line; the linear one begins "
        "about three times as high and falls to zero. Both losses fall; the linear rate's ends far below the "
        "gray one.",
    )


@finding()
def race_text(records: Records) -> Finding:
    """Say who ends lower."""
    (_, fixed), (_, falling) = _race().values()
    return Finding(
        """
        From its own best peak, {peak}, linear decay ends at {low}. The best constant rate ends at {high},
        more than twice as high.
        """,
        {
            "peak": rounded(falling.peak_lr, 2),
            "low": rounded(falling.loss, 3),
            "high": rounded(fixed.loss, 3),
        },
        {"linear ends lower, by a factor of more than two": fixed.loss > 2 * falling.loss},
    )


def why_figure() -> TwoWidths:
    """Draw what is left of the way and of the shaking for the two runs of the race."""
    race = _race()

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.3) if wide else (NARROW, 5.4))
        distance, shaking = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        ends = {distance: [], shaking: []}
        for name, (plan, best) in race.items():
            path = Valley().trajectory(plan, steps=STEPS, peak_lr=best.peak_lr)
            for axes, values in ((distance, path.distance), (shaking, path.shaking)):
                axes.plot(values, color=COLOR[name], linewidth=2.4)
                text = f"{name}\n{rounded(values[-1], 3)}"
                ends[axes].append(Label(values[-1], text, COLOR[name]))
        distance.set_title("distance left")
        distance.set_yscale("log", subs=())
        distance.set_ylim(0.0012, 3)
        distance.set_yticks([0.01, 0.1, 1])
        plain(distance.yaxis)
        shaking.set_title("shaking")
        shaking.set_ylim(0, 0.14)
        for axes in (distance, shaking):
            axes.set_xlim(0, STEPS)
            label_ends(axes, ends[axes])
        for axes in (distance, shaking) if wide else (shaking,):
            axes.set_xlabel("update")
        return figure

    return TwoWidths(
        draw,
        alt="Two panels over 300 updates. Distance left falls for both, for linear decay sooner and lower. "
        "Shaking: the constant rate rises to its level and stays; linear decay rises higher at first, and "
        "falls nearly to zero at the end.",
    )


@finding()
def why_text(records: Records) -> Finding:
    """Say the sentence that the second part is to reach."""
    paths = [Valley().trajectory(plan, steps=STEPS, peak_lr=best.peak_lr) for plan, best in _race().values()]
    fixed, falling = paths
    return Finding(
        """
        A fixed rate must be **large for the way** and **small for the shaking**. It cannot be both. A falling
        rate is one after the other.
        """,
        {},
        {
            "linear decay has less distance left": falling.distance[-1] < fixed.distance[-1],
            "and shakes less at the end": falling.shaking[-1] < fixed.shaking[-1] / 2,
            "though it shook more at first": falling.shaking[:100].max() > fixed.shaking.max(),
        },
    )


def _at(rate: float) -> np.ndarray:
    return Valley().trajectory(Constant(), steps=STEPS, peak_lr=rate).loss


# --- Schedules --------------------------------------------------------------------------------------------


def _last_rates() -> tuple[int, int, float, float]:
    """Return the last update, the last epoch, and the rate there, of time-based decay by either unit."""
    decay = TimeDecay(decay=time_based.DECAY)
    last = [time_based.EPOCHS * time_based.PER_EPOCH - 1, time_based.EPOCHS - 1]
    return (*last, *(time_based.PEAK * decay(t) for t in last))


@finding()
def unit_question_text(records: Records) -> Finding:
    """Ask for the unit of t."""
    return Finding(
        r"""
        A program trains for {epochs} epochs of {per_epoch} updates, with

        $$\eta = {peak} / (1 + {decay}\,t).$$

        **Of what is $t$ the number?** Which rate does the training end with?
        """,
        {
            "epochs": time_based.EPOCHS,
            "per_epoch": time_based.PER_EPOCH,
            "peak": f"{time_based.PEAK:g}",
            "decay": f"{time_based.DECAY:g}",
        },
        {"the two answers are far apart": _last_rates()[3] > 10 * _last_rates()[2]},
    )


@finding()
def unit_answer_text(records: Records) -> Finding:
    """Answer it: both rates are right."""
    update, epoch, by_update, by_epoch = _last_rates()
    return Finding(
        """
        Updates: the last has $t$ = {update}, and a rate of **{low}**. Epochs: $t$ = {epoch}, **{high}**. Ask
        for the unit.
        """,
        {
            "update": f"{update:,}",
            "epoch": epoch,
            "low": f"{by_update:.2g}",
            "high": f"{by_epoch:.2g}",
        },
        {"counted in epochs it keeps nine tenths of the peak": by_epoch > 0.9 * time_based.PEAK},
    )


@finding()
def cut_question_text(records: Records) -> Finding:
    """Ask whether a plan that is cut is the plan for that length."""
    return Finding(
        """
        Your rate falls in a straight line to zero at update {steps}. You stop at update {stop}. Your friend's
        rate falls from the same peak to zero at update {stop}. **Who has the lower loss now?**
        """,
        {"steps": linear.STEPS, "stop": linear.STOP},
        {"you stop at half time": 2 * linear.STOP == linear.STEPS},
    )


@finding()
def cut_answer_text(records: Records) -> Finding:
    """Answer it."""
    whole, short_plan = (LinearDecay(total_steps=steps) for steps in (linear.STEPS, linear.STOP))
    peak = Valley().best_peak_lr(whole, steps=linear.STEPS).peak_lr
    cut, short = (
        Valley().trajectory(plan, steps=linear.STOP, peak_lr=peak).loss[-1] for plan in (whole, short_plan)
    )
    return Finding(
        """
        Your friend, {short} against {cut}. Your rate is still at half its peak, and you shake.
        """,
        {"short": rounded(short, 3), "cut": rounded(cut, 3)},
        {"the short plan ends lower": short < cut},
    )


# --- The class study --------------------------------------------------------------------------------------


@finding()
def assignment_text(records: Records) -> Finding:
    """Say how a class is dealt schedules and seeds."""
    seeds = Counter(each.schedule for each in assignment(STUDENTS))
    return Finding(
        """
        With {students} students: {schedules}, **{n} seeds each**. The seed decides the first weights and the
        order of the images.
        """,
        {
            "students": STUDENTS,
            "schedules": " · ".join(seeds),
            "n": count(min(seeds.values())),
        },
        {"each schedule as often as the others": len(set(seeds.values())) == 1},
    )


@finding()
def cifar10_text(records: Records) -> Finding:
    """Say what the eight schedules did on photographs, with the caution about the shared rate."""
    compared = [each for each in compare_all(records[CIFAR10]) if each.reference == "constant"]
    gains = [each.mean_difference for each in compared]
    peak = records.runs(CIFAR10, "constant")[0].config.peak_lr
    grid = by_peak(records.blocks(MAP))
    mean = {
        name: {rate: fmean(found.values()) for rate, found in grid[name].items()}
        for name in ("constant", "linear")
    }
    left = {name: max(found.values()) for name, found in mean.items()}
    at_peak = {name: found[peak] for name, found in mean.items()}
    runs = {len(found) for name in mean for found in grid[name].values()}
    gap, tuned = at_peak["linear"] - at_peak["constant"], left["linear"] - left["constant"]
    return Finding(
        """
        At one shared peak rate, {peak}, all {n} that lower the rate beat the constant one, by {least} to
        {most} points. **But {peak} is too high for a constant rate:** where constant and linear each have the
        best of {rates} rates ({runs} runs at each), {gap} points between them become {tuned}.
        """,
        {
            "peak": f"{peak:g}",
            "n": count(len(compared)),
            "least": points(min(gains)),
            "most": points(max(gains)),
            "rates": count(len(mean["linear"])),
            "runs": count(max(runs)),
            "gap": points(gap),
            "tuned": points(tuned),
        },
        {
            "all are better by the plan": all(each.verdict == "better" for each in compared)
            and len(compared) == len(SURVEY) - 1,
            "with as many runs at each rate, several": len(runs) == 1 and min(runs) > 1,
            "with own rates less than half of the gap is left, and linear still ahead": 0 < tuned < gap / 2,
        },
    )


# --- Luck -------------------------------------------------------------------------------------------------


def ends_figure(*seeds: int, records: Records | None = None) -> TwoWidths:
    """Draw the final test accuracy of recorded runs on the digits, of these seeds; of all, with intervals.

    The schedules are those of a class, and the axis is the same whichever seeds are drawn.
    """
    records = Records() if records is None else records
    ends = {name: _ends(records, name) for name in SCHEDULES}
    whole = [value for found in ends.values() for value in found.values()]

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.7) if wide else (NARROW, 2.6))
        axes = figure.subplots()
        for row, (name, found) in enumerate(reversed(ends.items())):
            color = COLOR[name]
            if seeds:
                for seed in seeds:
                    axes.plot(found[seed], row, "o", color=color, markersize=11)
                    note(axes, percent(found[seed]), (found[seed], row), (9, 0), color=color, va="center")
                continue
            values = list(found.values())
            axes.plot(interval(values), [row - 0.28] * 2, color=color, linewidth=2.4)
            axes.plot(fmean(values), row - 0.28, "D", color=color, markersize=7)
            axes.plot(values, [row] * len(values), "o", color=color, markersize=9, alpha=0.65, mew=0)
        axes.set_yticks(range(len(ends)), list(reversed(ends)))
        axes.set_ylim(-0.6, len(ends) - 0.5)
        # room for the widest interval, and for a label at the right
        axes.set_xlim(min(whole) - 0.012, max(whole) + 0.014)
        axes.set_title(_heading(seeds))
        in_per_cent(axes.xaxis)
        axes.grid(axis="x")
        return figure

    drawn = (
        f"one dot for each schedule, of seed {', '.join(map(str, seeds))}, with its accuracy"
        if seeds
        else "a dot for each of the recorded seeds, and below them the mean with its 95% interval"
    )
    return TwoWidths(
        draw,
        alt=f"Final test accuracy on the digits, one row each for {', '.join(SCHEDULES)}: {drawn}.",
    )


def _heading(seeds: Sequence[int]) -> str:
    return f"test accuracy, seed {', '.join(map(str, seeds))}" if seeds else "test accuracy, all seeds"


def _ends(records: Records, name: str) -> dict[int, float]:
    return by_seed(records.runs(DIGITS, name))[name]


def _order(records: Records, seed: int) -> list[str]:
    """Return the schedules of a class as runs of one seed rank them, the best first."""
    return sorted(SCHEDULES, key=lambda name: -_ends(records, name)[seed])


@finding()
def first_seed_text(records: Records) -> Finding:
    """Read the ranking off one seed."""
    seed, order = 1, _order(records, 1)
    return Finding(
        """**Seed {seed}:** {first}, then {second}, then {third}.""",
        {"seed": seed, "first": order[0], "second": order[1], "third": order[2]},
        {"no two are level": len({_ends(records, name)[seed] for name in SCHEDULES}) == len(SCHEDULES)},
    )


@finding()
def next_seed_text(records: Records) -> Finding:
    """Read it off another: the second and the third have changed places."""
    seed, order, before = 2, _order(records, 2), _order(records, 1)
    return Finding(
        """
        **Seed {seed}:** {first}, then {second}, then {third}. The last two have changed places. Who has
        changed their mind?
        """,
        {"seed": seed, "first": order[0], "second": order[1], "third": order[2]},
        {"the first is the same, the others have changed": order == [before[0], before[2], before[1]]},
    )


@finding()
def all_seeds_text(records: Records) -> Finding:
    """Say what all seeds say that one could not."""
    runs = {name: list(_ends(records, name).values()) for name in SCHEDULES}
    reach = {name: max(values) - min(values) for name, values in runs.items()}
    tables = [dict(zip(runs, ends, strict=True)) for ends in product(*runs.values())]
    above = sum(table["drop"] > table["constant"] for table in tables)
    return Finding(
        """
        Take one run of each: of {tables} possible tables, linear is first in **all**. In {above} of them
        drop is above constant, in the others below. The ends of the constant rate reach over {wide} points,
        those of linear decay over {narrow}.
        """,
        {
            "tables": len(tables),
            "above": above,
            "wide": points(reach["constant"]),
            "narrow": points(reach["linear"]),
        },
        {
            "linear is first in each table": all(max(table, key=table.get) == "linear" for table in tables),
            "drop is above constant in a third to two thirds": 1 / 3 < above / len(tables) < 2 / 3,
            "constant reaches farthest, more than five times as far as linear": reach["constant"]
            == max(reach.values())
            and reach["constant"] > 5 * reach["linear"],
        },
    )


def gaps_figure(records: Records | None = None) -> TwoWidths:
    """Draw every recorded end of five schedules on photographs and on digits, on axes of one scale."""
    records = Records() if records is None else records
    titles = {CIFAR10: "photographs (CIFAR-10)", DIGITS: "digits"}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.2) if wide else (NARROW, 5.2))
        panels = figure.subplots(1, 2, sharey=True) if wide else figure.subplots(2, 1)
        for axes, (study, title) in zip(panels, titles.items(), strict=True):
            ends = {name: finals(records.runs(study, name)) for name in FIVE}
            for row, (name, values) in enumerate(reversed(ends.items())):
                axes.plot(
                    values, [row] * len(values), "o", color=COLOR[name], markersize=8, alpha=0.65, mew=0
                )
                axes.plot([fmean(values)] * 2, [row - 0.3, row + 0.3], color=COLOR[name], linewidth=2.4)
            whole = [value for values in ends.values() for value in values]
            middle = (min(whole) + max(whole)) / 2  # axes of one scale: eight points are equally wide on both
            axes.set_xlim(middle - 0.04, middle + 0.04)
            axes.set_yticks(range(len(ends)), list(reversed(ends)))
            axes.set_ylim(-0.6, len(ends) - 0.4)
            axes.set_title(f"test accuracy on {title}")
            in_per_cent(axes.xaxis)
            axes.grid(axis="x")
        return figure

    return TwoWidths(
        draw,
        alt="Two panels with a row of dots for each of five schedules, a dot for each seed and a bar for the "
        "mean. On photographs the rows lie apart: constant, time, then poly5 and drop close together, then "
        "linear. On the digits the dots of constant spread over those of drop and poly5, and time and linear "
        "lie on each other.",
    )


@finding()
def big_gaps_text(records: Records) -> Finding:
    """Say what one run each finds, and what it cannot tell."""
    few, many = (len(rankings(records, study)) for study in (CIFAR10, DIGITS))
    tables = [
        len(list(product(*(records.runs(study, name) for name in FIVE)))) for study in (CIFAR10, DIGITS)
    ]
    return Finding(
        """
        One run each of {five} schedules gives one of {tables} tables. On the photographs they hold **{few}**
        rankings, on the digits **{many}**. From one table you cannot tell which case is yours.
        """,
        {"five": count(len(FIVE)), "tables": f"{tables[0]:,}", "few": count(few), "many": count(many)},
        {
            "as many tables on both": tables[0] == tables[1],
            "few where gaps are wide, at least twice as many where they are narrow": 2 * few <= many,
        },
    )


@finding()
def not_decidable_text(records: Records) -> Finding:
    """Say what five seeds settle on the digits, and what they leave open."""
    drop = comparison(records, "drop", "linear", study=DIGITS)
    constant = comparison(records, "linear", "constant", study=DIGITS)
    return Finding(
        """
        Our {n} seeds on the digits:

        - linear above drop by {settled} points: **settled**.
        - linear above constant by {open} points: **not decidable**, though the gap is larger.

        *Had I been alone, with one run each, what would I have published?*
        """,
        {"n": count(drop.n), "settled": between(drop), "open": between(constant)},
        {
            "drop is worse than linear by the plan": drop.verdict == "worse",
            "linear against constant is not decidable": constant.verdict == "not decidable",
            "linear is above both, and the open gap is the larger one": constant.mean_difference
            > -drop.mean_difference
            > 0,
            "as many seeds of both": drop.n == constant.n,
        },
    )

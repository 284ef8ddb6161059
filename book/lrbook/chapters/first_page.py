"""What the first page prints: five findings, eight small pictures, and the counts in its promise."""

from __future__ import annotations

import html
from itertools import product
from statistics import fmean, stdev

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from lrbook.chapters import map_plan
from lrbook.chapters.second_look import looks
from lrbook.finding import Finding, Records, count, finding, means, percent, points
from lrlib.plots.style import note
from lrlib.plots.two_widths import COLOR, INK, RULE, STYLE, svg
from lrlib.runs.store import studies
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import compare_all, final_accuracy

CIFAR10, BUDGETS, DIGITS, DIGIT_PEAKS = "survey-laptop", "horizon", "survey-digits", "peak-digits"

#: Full name and chapter of each schedule. Short names come later, where code needs them.
CHAPTER = {
    "constant": ("Constant", "constant"),
    "time": ("Time-based", "time_based"),
    "drop": ("Drop-based", "drop_based"),
    "linear": ("Linear", "linear"),
    "poly5": ("Polynomial (5)", "polynomial"),
    "triangle": ("Warm-up", "triangle"),
    "cosine": ("Cosine", "cosine"),
    "cosine5": ("Cosine, restarts", "cosine"),
}


def counts_text(exercises: int, records: Records | None = None) -> Finding:
    """Say how much there is, counted and not typed; the page counts the exercises."""
    records = Records() if records is None else records
    runs = sum(len(records[study]) for study in studies())
    return Finding(
        "{Schedules} schedules · {runs} recorded trainings · {exercises} exercises that check themselves · "
        "everything runs on a laptop",
        {"Schedules": count(len(SURVEY)).capitalize(), "runs": f"{runs:,}", "exercises": exercises},
        {},
    )


# --- Eight small pictures ---------------------------------------------------------------------------------


def small_multiples(records: Records | None = None, *, chapters: str = "survey") -> _Html:
    """Draw all schedules, each a link to its chapter: the rate above, test accuracy on CIFAR-10 below.

    `chapters` is the way from the page to their folder. The page lays them out, four in a row where there is
    room and two on a phone; so one form serves both.
    """
    records = Records() if records is None else records
    reference = means(run.column("test_accuracy") for run in records.runs(CIFAR10, "constant"))
    cells = []
    for name, (title, page) in CHAPTER.items():
        runs = records.runs(CIFAR10, name)
        end = fmean(final_accuracy(run) for run in runs)
        with mpl.rc_context(STYLE):
            picture = svg(_small(runs, reference, COLOR[name]))
        shown = html.escape(title)
        cells.append(
            f'<a href="{chapters}/{page}.html" aria-label="{shown}: {percent(end)} test accuracy">'
            f"<span><b>{shown}</b> {percent(end)}</span>{picture}</a>"
        )
    return _Html(f'<div class="lr-multiples"><style>{MULTIPLES_CSS}</style>{"".join(cells)}</div>')


MULTIPLES_CSS = (
    ".lr-multiples{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.6rem,1fr));gap:.4rem 1.1rem}"
    ".lr-multiples a{color:inherit;text-decoration:none}"
    ".lr-multiples a{display:flex;flex-direction:column;justify-content:flex-end}"
    ".lr-multiples a:hover b{text-decoration:underline}"
    ".lr-multiples span{display:flex;justify-content:space-between;font-size:.84em;line-height:1.4}"
    ".lr-multiples svg{display:block;width:100%;height:auto}"
)


class _Html:
    def __init__(self, code: str) -> None:
        self.code = code

    def _repr_html_(self) -> str:
        return self.code


def _small(runs, reference, color) -> Figure:
    figure = Figure(figsize=(2.35, 1.28))
    rate, accuracy = figure.subplots(2, 1, height_ratios=[1, 1.9])
    schedule, total = runs[0].config.schedule(), runs[0].config.total_steps
    at = np.arange(0, total, 15)
    rate.fill_between(at, [schedule(int(t)) for t in at], color=color, alpha=0.18, linewidth=0)
    rate.plot(at, [schedule(int(t)) for t in at], color=color, linewidth=1.6)
    rate.set_ylim(0, 1.12)
    rate.set_xlim(0, total)
    epochs = np.arange(1, len(reference) + 1)
    accuracy.plot(epochs, reference, color=COLOR["constant"], linewidth=1.8)
    for run in runs:
        accuracy.plot(epochs, run.column("test_accuracy"), color=color, linewidth=0.6, alpha=0.7)
    accuracy.plot(epochs, means(run.column("test_accuracy") for run in runs), color=color, linewidth=1.8)
    accuracy.set_ylim(0.645, 0.85)
    accuracy.set_xlim(0, len(reference))
    accuracy.set_yticks([0.7, 0.8])
    accuracy.set_yticklabels([])
    for axes in (rate, accuracy):
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[["left", "bottom"]].set_visible(False)
    rate.set_yticks([])
    rate.axhline(0, color=RULE, linewidth=0.8)
    # where no curve goes
    note(accuracy, "80%", (0, 0.8), (0, 2), fontsize=9, color=INK, alpha=0.7)
    note(accuracy, "70%", (len(reference), 0.7), (0, 2), fontsize=9, color=INK, alpha=0.7, ha="right")
    return figure


# --- Five findings ----------------------------------------------------------------------------------------


@finding()
def lowering_helps(records: Records) -> Finding:
    """Finding 1: every schedule that lowers the rate beats the constant one at the shared peak rate."""
    compared = [c for c in compare_all(records[CIFAR10]) if c.reference == "constant"]
    gains = [c.mean_difference for c in compared]
    return Finding(
        """
        **Lowering the rate helps.** At one shared peak rate of {peak}, all {n} schedules that lower it beat
        the constant rate, by {least} to {most} points of test accuracy ({seeds} seeds each).
        [Analysis](survey/analysis.ipynb)
        """,
        {
            "peak": f"{at_peak(records):g}",
            "n": count(len(gains)),
            "seeds": count(compared[0].n),
            "least": points(min(gains)),
            "most": points(max(gains)),
        },
        {
            "all are better by the plan": all(c.verdict == "better" for c in compared),
            "as many seeds of each": len({c.n for c in compared}) == 1,
        },
    )


@finding()
def much_of_it_is_the_rate(records: Records) -> Finding:
    """Finding 2: the shared rate is too high for a constant one; at its own rate it catches up with some."""
    low_rate, slow = map_plan.low_constant(records)
    at, tuned = (map_plan.means(of(records)) for of in (map_plan.common, map_plan.own))
    shared, own = (
        map_plan.span(map_plan.means(of(records, DIGIT_PEAKS))) for of in (map_plan.common, map_plan.own)
    )
    gap, left = (each["linear"] - each["constant"] for each in (at, tuned))
    return Finding(
        """
        **Much of that is the rate, not the schedule.** {peak} is too high for a constant rate. In {n} runs of
        each on a GPU, a constant {low_rate} is level with drop-based and polynomial decay from {peak}. Linear
        decay leads the constant rate by {gap} points at {peak}, by {left} with each at the rate that its
        other seeds find best. On the digits, such rates shrink the span of the {all} schedules from {shared}
        points to {own}.
        [Analysis](survey/analysis.ipynb), [A fair race](beyond/fair_race.ipynb)
        """,
        {
            "peak": f"{at_peak(records):g}",
            "low_rate": f"{low_rate:g}",
            "n": count(len(slow)),
            "gap": points(gap),
            "left": points(left),
            "all": count(len(SURVEY)),
            "shared": points(shared),
            "own": points(own),
        },
        {
            "the map's common rate is the shared one": at_peak(records) == map_plan.COMMON,
            "it is too high for a constant one": map_plan.too_high(records),
            "at the lowest that is level with drop and poly5, within half a point": all(
                abs(at[name] - fmean(slow.values())) < 0.005 for name in ("drop", "poly5")
            ),
            "less than half of the gap is left, and linear still ahead": 0 < left < gap / 2,
            "on the digits own rates shrink the span to less than a half": 2 * own < shared,
        },
    )


@finding()
def linear_is_as_good_as_any(records: Records) -> Finding:
    """Finding 3: linear decay is as good as cosine, and leads at every budget; warm-up adds a little."""
    second = looks(records).all
    by = {c.schedule: c for c in compare_all(records[CIFAR10]) if c.reference == "linear"}
    at = {name: fmean(map(final_accuracy, records.runs(CIFAR10, name))) for name in SURVEY}
    lengths = sorted({run.config.epochs for run in records[BUDGETS]} | {records[CIFAR10][0].config.epochs})
    leads = [
        min(map(final_accuracy, linear)) > max(map(final_accuracy, others))
        for linear, others in (
            (_budget(records, e, ["linear"]), _budget(records, e, ["constant", "drop"])) for e in lengths
        )
    ]
    return Finding(
        """
        **Linear decay is a safe choice.** It is as good as cosine ({linear} and {cosine}), and beats
        constant and drop-based at every length from {short} to {long} epochs. With warm-up it
        ends {lead} points higher, in {n} pairs of runs. [Linear decay](survey/linear.ipynb)
        """,
        {
            "linear": percent(at["linear"]),
            "cosine": percent(at["cosine"]),
            "short": lengths[0],
            "long": lengths[-1],
            "lead": points(second.mean_difference),
            "n": count(second.n),
        },
        {
            "cosine is as good as linear by the plan": by["cosine"].verdict == "as good as",
            "linear beats both at every length, each run each run": all(leads),
            "triangle is highest": at["triangle"] == max(at.values()),
            "and above linear by the second look": second.verdict == "better",
        },
    )


@finding()
def drops_need_time(records: Records) -> Finding:
    """Finding 4: a staircase loses when training is short."""
    lengths = sorted({run.config.epochs for run in records[BUDGETS]})
    lead = {
        e: fmean(map(final_accuracy, _budget(records, e, ["drop"])))
        - fmean(map(final_accuracy, _budget(records, e, ["constant"])))
        for e in lengths
    }
    first, last = lengths[0], lengths[-1]
    return Finding(
        """
        **Step drops need time.** Trained for {first} epochs, drop-based decay ends {lost} points *below*
        the constant rate; trained for {last}, {won} above. [Drop-based decay](survey/drop_based.ipynb)
        """,
        {"first": first, "lost": points(lead[first]), "last": last, "won": points(lead[last])},
        {
            "below at the shortest, in every run": max(map(final_accuracy, _budget(records, first, ["drop"])))
            < min(map(final_accuracy, _budget(records, first, ["constant"]))),
            "above at the longest, in every run": min(map(final_accuracy, _budget(records, last, ["drop"])))
            > max(map(final_accuracy, _budget(records, last, ["constant"]))),
        },
    )


@finding()
def decay_makes_repeatable(records: Records) -> Finding:
    """Finding 5: the spread over seeds."""
    ends = {name: [final_accuracy(run) for run in records.runs(CIFAR10, name)] for name in SURVEY}
    spread = {name: stdev(values) for name, values in ends.items()}
    others = [spread[name] for name in spread if name != "constant"]
    constant = ends["constant"]
    return Finding(
        """
        **Decay makes results repeatable.** {N} runs at the constant rate, alike but for the seed, end
        anywhere from {low} to {high}. That is a [standard
        deviation](reference/glossary.md#standard-deviation) of {constant} points, against {least} to {most}
        under the other {others}. [Analysis](survey/analysis.ipynb)
        """,
        {
            "N": count(len(constant)).capitalize(),
            "low": percent(min(constant)),
            "high": percent(max(constant)),
            "constant": points(spread["constant"]),
            "least": points(min(others)),
            "most": points(max(others)),
            "others": count(len(others)),
        },
        {"the constant rate spreads most, by half as much again": spread["constant"] > 1.5 * max(others)},
    )


@finding()
def one_run_finds_the_big_gaps(records: Records) -> Finding:
    """Say what a table of single runs is worth: how many rankings can it give?"""
    few, many = (len(rankings(records, study)) for study in (CIFAR10, DIGITS))
    draws = [np.prod([len(records.runs(study, name)) for name in FIVE]) for study in (CIFAR10, DIGITS)]
    return Finding(
        """
        **One run finds the big gaps. It cannot tell you which gaps are big.** Take one run for each of the
        survey's {five} schedules, and you have one of {tables} possible tables. On CIFAR-10, where the gaps
        are wide, they hold {few} rankings. On the digits, where they are narrow, they hold {many}. From a
        single table you cannot know which case is yours.
        """,
        {"five": count(len(FIVE)), "tables": f"{draws[0]:,}", "few": count(few), "many": count(many)},
        {
            "as many tables on both": draws[0] == draws[1],
            "few rankings where gaps are wide, several where they are not": few == 2 and many >= 5,
        },
    )


FIVE = ("constant", "time", "drop", "linear", "poly5")
FIVE_FINDINGS = (
    lowering_helps,
    much_of_it_is_the_rate,
    linear_is_as_good_as_any,
    drops_need_time,
    decay_makes_repeatable,
)


def five_findings_text(records: Records | None = None) -> Finding:
    """List the five."""
    records = Records() if records is None else records
    lines = [
        f"{number}. " + " ".join(write(records).text.split()) for number, write in enumerate(FIVE_FINDINGS, 1)
    ]
    return Finding("{five}", {"five": "\n".join(lines)}, {})


def rankings(records: Records, study: str) -> set[tuple[str, ...]]:
    """Return the rankings that one run of each of the survey's five schedules could give."""
    ends = [[final_accuracy(run) for run in records.runs(study, name)] for name in FIVE]
    return {
        tuple(name for _, name in sorted(zip(draw, FIVE, strict=True), key=lambda pair: -pair[0]))
        for draw in product(*ends)
    }


def at_peak(records: Records) -> float:
    """Return the peak rate that all schedules share on CIFAR-10."""
    (peak,) = {run.config.peak_lr for run in records[CIFAR10]}
    return peak


def _budget(records: Records, epochs: int, names) -> list:
    runs = [run for name in names for run in records.runs(BUDGETS, name, epochs=epochs)]
    return runs or [run for name in names for run in records.runs(CIFAR10, name, epochs=epochs)]

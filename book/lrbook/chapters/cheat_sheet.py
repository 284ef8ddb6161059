"""What the cheat sheet prints, on its page and as a PDF of one page: eight schedules.

Each has its shape, formula, line of PyTorch, use, and what we measured; page and PDF are made from the same
rows and findings. A finding here has two paragraphs: when to use the schedule, and what was measured.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from lrbook.chapters import map_plan
from lrbook.chapters.first_page import CHAPTER
from lrbook.chapters.second_look import looks
from lrbook.finding import (
    Finding,
    Records,
    comparison,
    count,
    finals,
    finding,
    percent,
    points,
    verdict,
)
from lrlib.plots.two_widths import COLOR, GRAY, INK, RULE, STYLE, svg
from lrlib.schedules.recipes import SURVEY, get_recipe

CIFAR10, BUDGETS = "survey-laptop", "horizon"
POLY5 = get_recipe("poly5")


class Row(NamedTuple):
    """A schedule's formula in LaTeX and its scheduler in PyTorch, with the numbers that both leave open."""

    formula: str
    code: str


ROWS = {
    "constant": Row("1", "ConstantLR(opt, factor=1.0)"),
    "time": Row(r"\frac{1}{1 + d\,t}", "LambdaLR(opt, lambda t: 1 / (1 + d * t))"),
    "drop": Row(r"q^{\lfloor t/s \rfloor}", "StepLR(opt, step_size=s, gamma=q)"),
    "linear": Row(r"1 - t/T", "LinearLR(opt, 1.0, 0.0, T)"),
    "poly5": Row(r"(1 - t/T)^{5}", "PolynomialLR(opt, T, power=5)"),
    "triangle": Row(
        r"\min\left(\frac{t}{W}, \frac{T - t}{T - W}\right)",
        "LambdaLR(opt, lambda t: min(t / W, (T - t) / (T - W)))",
    ),
    "cosine": Row(r"\frac{1}{2}\left(1 + \cos\frac{\pi\, t}{T}\right)", "CosineAnnealingLR(opt, T)"),
    "cosine5": Row(
        r"\frac{1}{2}\left(1 + \cos\frac{\pi\, (t\ \mathrm{mod}\ L)}{L}\right)",
        "CosineAnnealingWarmRestarts(opt, L)",
    ),
}
LETTERS = (
    "t counts updates from 0, T is their number in the whole run. Time-based: d is the decay per update. "
    "Drop-based: q is the drop factor, s the updates between drops. Warm-up takes W updates. With restarts, "
    "a cycle has L updates."
)
LOOP = (
    "opt = torch.optim.SGD(model.parameters(), lr=peak, momentum=0.9). The classes are in "
    "torch.optim.lr_scheduler. Call scheduler.step() once after every opt.step()."
)


# --- What we measured -------------------------------------------------------------------------------------


@finding()
def setting_text(records: Records) -> Finding:
    """Say what the accuracies below are of, and the caution that limits them all."""
    runs = records[CIFAR10]
    seeds = {name: len(records.runs(CIFAR10, name)) for name in SURVEY}
    (peaks, epochs) = ({getattr(run.config, name) for run in runs} for name in ("peak_lr", "epochs"))
    return Finding(
        """
        Test accuracy of a small residual network on CIFAR-10 after {epochs} epochs, mean of {n} seeds, all at
        the peak rate {peak}. That rate is too high for a constant one.
        """,
        {"epochs": max(epochs), "n": count(max(seeds.values())), "peak": f"{max(peaks):g}"},
        {
            "all runs have this length and this peak": len(peaks) == len(epochs) == 1,
            "all schedules have as many seeds": len(set(seeds.values())) == 1,
            "it is too high for a constant one": peaks == {map_plan.COMMON} and map_plan.too_high(records),
        },
    )


@finding()
def constant_text(records: Records) -> Finding:
    """The constant rate: lowest at the shared peak, better at a tenth of it."""
    rate, slow = map_plan.low_constant(records)
    gains, at = map_plan.constant_gains(records), _means(records)
    return Finding(
        """
        As the reference that others must beat, or while the length of training is open.

        {end}, the lowest of all. At {rate} it gains {gain} points, in {n} runs of each on a GPU.
        """,
        {
            "end": percent(at["constant"]),
            "rate": f"{rate:g}",
            "gain": points(fmean(gains)),
            "n": count(len(slow)),
        },
        {
            "every other schedule is better by the plan": all(
                verdict(records, name, "constant") == "better" for name in SURVEY if name != "constant"
            ),
            "it is lowest": min(at, key=at.get) == "constant",
            "the lower rate gains, each run on each": map_plan.too_high(records),
        },
    )


@finding()
def time_text(records: Records) -> Finding:
    """Time-based decay: between the constant rate and linear decay."""
    gain, loss = comparison(records, "time", "constant"), comparison(records, "time", "linear")
    return Finding(
        """
        Where nobody knows when training will end. Say whether the decay is per update or per epoch.

        {end}: {gain} points above the constant rate, {behind} below linear decay.
        """,
        {
            "end": percent(_means(records)["time"]),
            "gain": points(gain.mean_difference),
            "behind": points(loss.mean_difference),
        },
        {
            "better than constant by the plan": gain.verdict == "better",
            "worse than linear by the plan": loss.verdict == "worse",
        },
    )


@finding()
def drop_text(records: Records) -> Finding:
    """Drop-based decay: better than constant in a long training, worse in a short one."""
    gain, short = comparison(records, "drop", "constant"), min(run.config.epochs for run in records[BUDGETS])
    drop, constant = (finals(records.runs(BUDGETS, name, epochs=short)) for name in ("drop", "constant"))
    return Finding(
        """
        In long trainings. Each drop needs time before and after it.

        {end}: {gain} points above the constant rate. With {short} epochs it ends {lost} points below it.
        """,
        {
            "end": percent(_means(records)["drop"]),
            "gain": points(gain.mean_difference),
            "short": short,
            "lost": points(fmean(constant) - fmean(drop)),
        },
        {
            "better than constant by the plan": gain.verdict == "better",
            "in the short training every run is below every constant one": max(drop) < min(constant),
        },
    )


@finding()
def linear_text(records: Records) -> Finding:
    """Linear decay: ahead of constant and drop-based at every length."""
    lengths = sorted({run.config.epochs for run in records[BUDGETS] + records[CIFAR10]})
    leads = []
    for epochs in lengths:
        study = BUDGETS if records.runs(BUDGETS, "linear", epochs=epochs) else CIFAR10
        linear, constant, drop = (
            finals(records.runs(study, name, epochs=epochs)) for name in ("linear", "constant", "drop")
        )
        leads.append(min(linear) > max(constant + drop))
    return Finding(
        """
        First choice when you know how long you will train.

        {end}. Ahead of the constant rate and of drops at every length from {short} to {long} epochs.
        """,
        {"end": percent(_means(records)["linear"]), "short": lengths[0], "long": lengths[-1]},
        {
            "at every length each run beats each run of both": all(leads),
            "no schedule is better by the plan": all(
                verdict(records, name, "linear") != "better"
                for name in SURVEY
                if name not in ("linear", "constant")
            ),
        },
    )


@finding()
def poly5_text(records: Records) -> Finding:
    """Polynomial decay of power 5: behind linear decay, as its rate is soon gone."""
    loss = comparison(records, "poly5", "linear")
    left = POLY5.build(total_steps=2, steps_per_epoch=1)(1)
    return Finding(
        """
        Rarely: halfway, only 1/{part} of the peak is left. Lower powers are closer to linear decay.

        {end}: {behind} points below linear decay.
        """,
        {
            "part": round(1 / left),
            "end": percent(_means(records)["poly5"]),
            "behind": points(loss.mean_difference),
        },
        {
            "worse than linear by the plan": loss.verdict == "worse",
            "that part is left": abs(1 / left - round(1 / left)) < 0.01,
        },
    )


@finding()
def triangle_text(records: Records) -> Finding:
    """Warm-up and linear decay: the highest mean, a little above linear decay."""
    at, compared = _means(records), looks(records).all
    return Finding(
        """
        Where the peak rate is so high that training fails at its start.

        {end}, the highest mean; in {n} pairs {lead} points above linear decay.
        """,
        {"end": percent(at["triangle"]), "n": count(compared.n), "lead": points(compared.mean_difference)},
        {
            "it is highest": max(at, key=at.get) == "triangle",
            "above linear decay by the second look": compared.verdict == "better",
        },
    )


@finding()
def cosine_text(records: Records) -> Finding:
    """Cosine annealing: as good as linear decay."""
    return Finding(
        """
        In place of linear decay, where the length of training is known.

        {end}: as good as linear decay.
        """,
        {"end": percent(_means(records)["cosine"])},
        {"as good as linear decay by the plan": verdict(records, "cosine", "linear") == "as good as"},
    )


@finding()
def cosine5_text(records: Records) -> Finding:
    """Cosine annealing with restarts: as good as linear decay at the end of its last cycle."""
    return Finding(
        """
        To have a calm network at the end of each cycle, not only of the run. Let a cycle end when training
        does.

        {end} after the last cycle: as good as linear decay.
        """,
        {"end": percent(_means(records)["cosine5"])},
        {"as good as linear decay by the plan": verdict(records, "cosine5", "linear") == "as good as"},
    )


TEXTS: dict[str, Callable[..., Finding]] = {
    "constant": constant_text,
    "time": time_text,
    "drop": drop_text,
    "linear": linear_text,
    "poly5": poly5_text,
    "triangle": triangle_text,
    "cosine": cosine_text,
    "cosine5": cosine5_text,
}


def _means(records: Records) -> dict[str, float]:
    return {name: fmean(finals(records.runs(CIFAR10, name))) for name in SURVEY}


def use_and_result(name: str, records: Records) -> tuple[str, str]:
    """Return when to use a schedule, and what was measured, each in one line."""
    use, result = TEXTS[name](records).text.split("\n\n")
    return " ".join(use.split()), " ".join(result.split())


# --- The page ---------------------------------------------------------------------------------------------


def sheet(records: Records | None = None) -> Finding:
    """Return the cards of the page in Markdown: shape, name, formula, code, use, result."""
    records = Records() if records is None else records
    cards = []
    for name, row in ROWS.items():
        title, page = CHAPTER[name]
        use, result = use_and_result(name, records)
        with mpl.rc_context(STYLE):
            picture = svg(_shape(name))
        cards.append(
            f'<div class="lr-card">\n<div class="lr-shape">{picture}</div>\n\n'
            f"**[{title}](../survey/{page}.ipynb)**<br>$f(t) = {row.formula}$\n\n"
            f"```python\n{row.code}\n```\n\n"
            f"*Use:* {use}\n\n*Measured:* {result}\n\n</div>\n"
        )
    text = '<div class="lr-sheet">\n\n' + "\n".join(cards) + "\n</div>"
    return Finding("{cards}", {"cards": text}, {})


def loop_text() -> Finding:
    """Say what the letters mean, and what stands around the lines of code."""
    code = re.sub(
        r"(opt = .*?\)|scheduler\.step\(\)|opt\.step\(\)|torch\.optim\.lr_scheduler)(?=[ .])", r"`\1`", LOOP
    )
    letters = re.sub(r"\b([tTdqsWL])\b", r"$\1$", LETTERS)
    return Finding("{code}\n\n{letters}", {"code": code, "letters": letters}, {})


def _shape(name: str) -> Figure:
    figure = Figure(figsize=(1.6, 0.62))
    _draw(figure.subplots(), name)
    return figure


def _draw(axes, name: str) -> None:
    """Draw the factor over the recorded runs' 30 epochs of 391 updates, every tenth."""
    schedule = get_recipe(name).build(total_steps=11_730, steps_per_epoch=391)
    at = range(0, 11_730, 10)
    values = [schedule(t) for t in at]
    axes.fill_between(at, values, color=COLOR[name], alpha=0.18, linewidth=0)
    axes.plot(at, values, color=COLOR[name], linewidth=1.8)
    axes.set_xlim(0, at[-1])
    axes.set_ylim(0, 1.12)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.axhline(0, color=RULE, linewidth=0.8)


# --- The PDF ----------------------------------------------------------------------------------------------

A4 = (11.69, 8.27)  # inches, landscape
#: Left edges of the columns, top and height of the rows, as parts of the page.
SHAPE, NAME, CODE, USE, RESULT = 0.03, 0.125, 0.3, 0.58, 0.79
TOP, ROW = 0.865, 0.094
PDF = {**STYLE, "pdf.fonttype": 42, "figure.constrained_layout.use": False, "savefig.transparent": False}


def sheet_figure(records: Records | None = None) -> Figure:
    """Draw the whole sheet on one page of A4, landscape."""
    records = Records() if records is None else records
    with mpl.rc_context(PDF):
        figure = Figure(figsize=A4, facecolor="white")
        figure.text(SHAPE, 0.955, "Learning-rate schedules", fontsize=17, weight="bold", va="center")
        setting = textwrap.fill(" ".join(setting_text(records).text.split()), 98)
        figure.text(CODE + 0.04, 0.955, setting, fontsize=8, color=INK, va="center")
        for x, head in ((NAME, "schedule, factor"), (CODE, "PyTorch"), (USE, "use"), (RESULT, "measured")):
            figure.text(x, TOP + 0.02, head, fontsize=8, color=GRAY, va="bottom")
        for number, (name, row) in enumerate(ROWS.items()):
            top = TOP - number * ROW
            figure.add_artist(
                mpl.lines.Line2D([SHAPE, 0.97], [top + 0.008, top + 0.008], color=RULE, linewidth=0.8)
            )
            middle = top - ROW / 2 + 0.008
            _draw(figure.add_axes((SHAPE, top - ROW + 0.024, 0.08, ROW - 0.032)), name)
            figure.text(NAME, middle + 0.022, CHAPTER[name][0], weight="bold", color=COLOR[name], va="center")
            figure.text(NAME, middle - 0.018, f"${row.formula}$", fontsize=10.5, va="center")
            code = row.code.replace(", lambda", ",\n    lambda")
            figure.text(CODE, middle, code, fontsize=7.4, family="monospace", va="center", linespacing=1.4)
            for x, text, width in zip((USE, RESULT), use_and_result(name, records), (37, 38), strict=True):
                figure.text(x, middle, textwrap.fill(text, width), fontsize=8, va="center", linespacing=1.35)
        foot = "\n".join(textwrap.fill(text, 172) for text in (LOOP, LETTERS))
        figure.text(SHAPE, 0.068, foot, fontsize=8, va="center", linespacing=1.4)
        figure.text(
            0.97,
            0.018,
            "Big Steps, Small Steps. Text and figures: CC BY 4.0.",
            fontsize=7,
            color=GRAY,
            ha="right",
        )
    return figure


def write_pdf(path: Path) -> None:
    """Write the sheet as a PDF; the same records give the same file."""
    title = {"Title": "Learning-rate schedules: cheat sheet", "CreationDate": None}
    with mpl.rc_context(PDF):
        sheet_figure().savefig(path, format="pdf", metadata=title)

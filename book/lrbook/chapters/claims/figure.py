"""The figures of the claims page: one verdict a sentence beside its experiments, and the reader's own run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from matplotlib.figure import Figure

from lrbook.chapters.claims import definitions
from lrbook.chapters.claims.curve_rules import curve_of
from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, FAILS, HOLDS, IN_PART, NOT_SEEN, OPEN, SEEN
from lrbook.chapters.claims.sentences import CLAIMS
from lrbook.chapters.claims.verdicts import Decided, deciding, number_of
from lrbook.chapters.drawn import epochs_of
from lrbook.finding import Records
from lrlib.plots.style import note
from lrlib.plots.two_widths import (
    COLOR,
    GRAY,
    INK,
    NARROW,
    RULE,
    SEED,
    TEST,
    TRAINING,
    WIDE,
    Label,
    TwoWidths,
    label_ends,
)
from lrlib.runs import Run
from lrlib.runs.experiments import EXPERIMENTS, study_of
from lrlib.stats import alike

__all__ = ["draw_curves", "draw_run", "draw_verdicts"]

#: How a verdict is drawn: marker, and which part of it is filled.
MARKS = {
    HOLDS: ("o", "full"),
    IN_PART: ("o", "left"),
    FAILS: ("x", "none"),
    OPEN: ("o", "none"),
    SEEN: ("o", "full"),
    NOT_SEEN: ("x", "none"),
    CANNOT_BE_TOLD: ("o", "none"),
}


def draw_verdicts(decisions: Mapping[str, Decided]) -> TwoWidths:
    """Draw a row for each sentence: its verdict, and small beside it what each experiment says.

    Experiments without a run have no column; nothing stands where one may not judge. Those that decide are
    black, the others gray.

    Examples
    --------
    >>> from lrbook.chapters.claims.verdicts import decide_all
    >>> [text.get_text() for text in draw_verdicts(decide_all()).wide.axes[0].texts[:2]]
    ['1  rate too high, too low', 'holds']
    """
    shown = [name for name in EXPERIMENTS if any(_runs(each, name) for each in decisions.values())]

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 5.0) if wide else (NARROW, 6.8))
        axes = figure.subplots()
        # In places of a column: where names begin, the first experiment stands, and how far apart they are.
        left, first, step = (-2.5, 2.1, 1.0) if wide else (-5.3, 1.2, 0.8)
        place = {name: first + step * k for k, name in enumerate(shown)}
        for row, decided in enumerate(decisions.values()):
            claim = CLAIMS[decided.claim]
            note(axes, f"{number_of(claim)}  {claim.short}", (left, row), (0, 0 if wide else 6), va="center")
            at, where = ((0, row), (11, 0)) if wide else ((left, row), (0, -6))
            note(axes, decided.verdict, at, where, va="center", fontweight="bold")
            _mark(axes, 0, row, decided.verdict, INK, size=9)
            decides = deciding(decided.findings)
            for name in shown:
                if _runs(decided, name):
                    color = INK if name in decides else GRAY
                    _mark(axes, place[name], row, decided.findings[name].verdict, color, size=6)
            if row:
                axes.axhline(row - 0.5, color=RULE, linewidth=0.6, zorder=0)
        titles = ["verdict", *(EXPERIMENTS[name].title.replace(" ", "\n") for name in shown)]
        axes.xaxis.tick_top()
        axes.set_xticks([0, *place.values()], titles, rotation=0 if wide else 90)
        axes.get_xticklabels()[0].set_fontweight("bold")
        axes.set_yticks([])
        axes.tick_params(length=0)
        axes.set_ylim(len(decisions) - 0.5, -0.5)
        axes.set_xlim(left, max(place.values(), default=first) + 0.5)
        axes.spines[:].set_visible(False)
        return figure

    counts = [
        f"{sum(each.verdict == verdict for each in decisions.values())} {verdict}"
        for verdict in definitions.OVERALL
    ]
    return TwoWidths(
        draw,
        alt=f"A grid with a row for each of the {len(decisions)} sentences: its verdict, and smaller beside "
        f"it what each experiment says. Of the verdicts, {', '.join(counts)}. "
        "The verdicts are listed in words further down the page.",
    )


#: The curves that the sentences describe: schedule -> the survey's figure, and epochs that a sentence names.
CURVES = {
    "time": ("1.4", None),
    "drop": ("1.6", definitions.DROP_EPOCHS),
    "linear": ("1.8", definitions.LINEAR_EPOCHS),
    "poly5": ("1.10", (25, 100)),
}


def draw_curves(runs: Iterable[Run]) -> TwoWidths:
    """Draw a panel for each figure of the survey that its sentences describe, from runs of that experiment.

    Both losses have the weight penalty, as they were logged; the epochs that a sentence names are shaded.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> draw_curves(load_runs("source-gpu")).wide.axes[0].get_title(loc="left")
    'time (survey: figure 1.4)'
    """
    by_name = {run.label: run for run in runs}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 4.6) if wide else (NARROW, 8.4))
        panels = (
            figure.subplots(2, 2, sharex=True, sharey=True) if wide else figure.subplots(4, 1, sharex=True)
        )
        for axes, (name, (number, named)) in zip(panels.flat, CURVES.items(), strict=True):
            run, color = by_name[name], COLOR[name]
            if named:
                axes.axvspan(*named, color=RULE, alpha=0.55, linewidth=0, zorder=0)
            curves = {
                "accuracy": (run.column("test_accuracy"), {"color": GRAY, "linewidth": 1.2}),
                "test loss": (curve_of(run, "test loss"), {"color": color, **TEST}),
                "training": (curve_of(run, "training loss"), {"color": color, **TRAINING}),
            }
            for curve, how in curves.values():
                axes.plot(range(1, len(curve) + 1), curve, **how)
            axes.set_title(f"{name} (survey: figure {number})")
            axes.set_xlim(0, len(run.epochs))
            axes.set_ylim(0, 1.6)
            label_ends(axes, [Label(curve[-1], what, how["color"]) for what, (curve, how) in curves.items()])
        for axes in panels[-1] if wide else panels[-1:]:
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt="Four panels, one for each figure of the survey that its sentences describe: training loss, test "
        "loss and test accuracy over 100 epochs. Under drops all three jump at the left edge of the shaded "
        "epochs 15 to 20. Under linear decay the test loss falls through epochs 70 to 80 and on. Under power "
        "5 the training loss is nearly level from epoch 25 on. Under time-based decay, where no sentence "
        "names an epoch, the losses fall early, and the test loss levels off high.",
    )


def draw_run(mine: Run, records: Records) -> TwoWidths:
    """Draw both losses of a run, thick, over the recorded ones like it, thin; lines bound its last tenths.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> (run,) = load_runs("pilot-laptop", schedules=["linear"])
    >>> len(draw_run(run, Records()).wide.axes)
    2
    """
    color, epochs = COLOR.get(mine.label, INK), len(mine.epochs)
    width = max(1, round(definitions.END * epochs))
    others = alike(mine, records[study_of(mine.config)])

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.6) if wide else (NARROW, 4.7))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        for axes, (title, shift) in zip(panels, (("training loss", 0.5), ("test loss", 0.0)), strict=True):
            for other in others:
                axes.plot(epochs_of(other, shift), curve_of(other, title), color=color, **SEED)
            axes.plot(epochs_of(mine, shift), curve_of(mine, title), color=color, linewidth=2.8)
            for end in (epochs - 2 * width, epochs - width):
                axes.axvline(end, color=RULE, linewidth=1.0, zorder=0)
            axes.set_title(f"{title}, with the weight penalty")
            axes.set_xlim(0, epochs)
            axes.set_ylim(0, 1.15 * max(curve_of(mine, title)))
            label_ends(axes, [Label(curve_of(mine, title)[-1], mine.label, color)])
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt="Your run, thick, over recorded runs of the same setting, thin: training loss and test loss. "
        "Both fall fast in the first epochs and are nearly level at the end. Vertical lines bound the last "
        "tenth of the run and the tenth before it.",
    )


def _runs(decided: Decided, experiment: str) -> int:
    return decided.findings[experiment].n if experiment in decided.findings else 0


def _mark(axes, x: float, y: float, verdict: str, color: str, *, size: float) -> None:
    marker, filled = MARKS[verdict]
    how = {"markerfacecoloralt": "none", "markeredgewidth": 1.6, "color": color, "label": verdict}
    axes.plot([x], [y], marker, markersize=size, fillstyle=filled, **how)

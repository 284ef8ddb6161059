"""An exercise of the chapter "Analysis": recorded curves without their names."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrbook.exercises.task import Draw, Mistake, Picture, Refused, Seen, Task, exercise, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHAPTER = "analysis"
STUDY = "survey-laptop"
PUBLIC = ("drop", "constant", "cosine5", "time")
PANELS = "ABCD"
SEEN_IN = {
    "constant": "it rises, and then moves up and down by a point or more between epochs until the end",
    "time": "it moves up and down less and less, without any step, and is flat in the last third",
    "drop": "it climbs in a step near epoch 5, in a smaller one near epoch 10, and is flat from there on",
    "cosine5": "it falls back by several points every six epochs, four times, and recovers each time",
}


@dataclass(frozen=True, kw_only=True)
class Order:
    """Judges which name belongs to which panel: a list of names, each once."""

    names: tuple[str, ...]

    def ask(self, answer: str) -> str:
        return f"Put a list of the four names into `{answer}`, in the order of the panels A, B, C, D."

    def see(self, answer: Any) -> Seen:
        wanted = f"a list of the names {', '.join(sorted(self.names))} is wanted, each once"
        if not isinstance(answer, (list, tuple)) or not all(isinstance(name, str) for name in answer):
            raise Refused(f"{wanted}, got {shown(answer)}.")
        names = [name.strip().lower() for name in answer]
        if Counter(names) != Counter(self.names):
            raise Refused(f"{wanted}, got {', '.join(names) or 'none'}.")
        return tuple(float(sorted(self.names).index(name)) for name in names)

    def right(self, seen: Seen) -> bool:
        return seen == self.see(self.names)

    def apart(self, seen: Seen, wrong: Seen) -> float:
        return 0.0 if seen == wrong else math.inf

    def describe(self, seen: Seen) -> str:
        fit = sum(a == b for a, b in zip(seen, self.see(self.names), strict=True))
        return (
            f"{fit} of the 4 are right. Ask of each panel: when does it step, when does it fall back, and "
            "does it come to rest?"
        )


def _drawn(draw: Draw) -> tuple[tuple[str, ...], int]:
    orders = [order for order in itertools.permutations(PUBLIC) if order != PUBLIC]
    return draw("order", PUBLIC, orders), draw("seed of the runs", 1, [2, 3, 4, 5])


@exercise(chapter=CHAPTER, kind="diagnosis", level="medium", title="Four curves without names")
def four_curves(draw: Draw) -> Task:
    names, _ = _drawn(draw)
    call = f"seed={draw.seed}" if draw.seed else ""

    def swapped(one: str, other: str) -> str:
        turn = {one: other, other: one}
        return f"my_curves = {[turn.get(name, name) for name in names]!r}".replace("'", '"')

    placed = list(zip(PANELS, names, strict=True))
    return Task(
        answer="my_curves",
        prompt="""
            Four recorded runs on CIFAR-10, with the same seed and the same peak rate of 0.1, over 30
            epochs: *constant*, time-based decay (*time*), drop-based decay (*drop*: a quarter every 4.5
            epochs), and five cosine cycles (*cosine5*: from the peak to zero every six epochs). Which is
            which? Say first what the rate does in each, and then what the accuracy must do.
        """,
        picture=Picture(
            code=f"from lrbook.exercises.curves import plot_four_curves\n\nplot_four_curves({call})",
            alt="Four panels with one curve each, test accuracy over 30 epochs, without names. "
            + "; ".join(f"{panel}: {SEEN_IN[name]}" for panel, name in placed)
            + ".",
            caption=(
                "**Figure 7.7.** *Test accuracy after each epoch of four recorded runs, one for each of "
                "four schedules. Which is which?*"
            ),
        ),
        starter="my_curves = None  # four names",
        solution=f"my_curves = {list(names)!r}".replace("'", '"'),
        reveal="; ".join(f"{panel} is *{name}*: {SEEN_IN[name]}" for panel, name in placed) + ".",
        judge=Order(names=names),
        mistakes=[
            Mistake(
                swapped("drop", "cosine5"),
                "two are right. Both of the others change at fixed times; but only one rate ever goes up "
                "again, and then the accuracy falls.",
            ),
            Mistake(
                swapped("constant", "time"),
                "two are right. Both of the others are without steps; but only one rate gets smaller, and "
                "comes to rest.",
            ),
            Mistake(
                swapped("drop", "time"),
                "two are right. Both of the others come to rest; but one does so in steps, at the drops, the "
                "other little by little.",
            ),
            Mistake(
                swapped("constant", "cosine5"),
                "two are right. Both of the others go up and down; but one does so at regular times, when "
                "its rate starts again.",
            ),
        ],
    )


def plot_four_curves(*, seed: int = 0) -> Figure:
    """Draw the test accuracy of the exercise's four runs in panels A to D; the variant of a seed has its own.

    Examples
    --------
    >>> [axes.get_title(loc="left") for axes in plot_four_curves().axes]
    ['A', 'B', 'C', 'D']
    """
    from matplotlib.figure import Figure

    from lrlib import load_runs
    from lrlib.plots.style import WIDTH, in_per_cent, use_style

    use_style()  # in a notebook it is shown as SVG, and nothing else on its page asks for that
    names, run_seed = _drawn(Draw(four_curves.name, seed))
    runs = {run.label: run for run in load_runs(STUDY) if run.config.seed == run_seed}
    figure = Figure(figsize=(WIDTH, 0.75 * WIDTH), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True, sharey=True).flat
    for axes, panel, name in zip(panels, PANELS, names, strict=True):
        accuracy = runs[name].column("test_accuracy")
        axes.plot(range(1, len(accuracy) + 1), accuracy, color="#0072B2", linewidth=1.5)
        axes.set_title(panel)
        in_per_cent(axes.yaxis)
        axes.set_ylim(0.4, 0.88)
    figure.supxlabel("epoch", fontsize="medium")
    return figure

"""The picture that stands beside a link to the book: all schedules, the page's own in color."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from lrlib.plots.two_widths import COLOR, GRAY
from lrlib.schedules.recipes import RECIPES, SURVEY

#: Page -> the schedules that it is about. All others show the survey's set.
ABOUT = {
    "constant": ("constant",),
    "time_based": ("time",),
    "drop_based": ("drop",),
    "linear": ("linear",),
    "polynomial": ("poly5",),
    "triangle": ("triangle",),
    "cosine": ("cosine", "cosine5"),
}
TITLE, LINE = "Big Steps, Small Steps", "Learning-rate schedules, measured"
SIZE = (1200, 630)  # what the large networks ask for


class Card(NamedTuple):
    """A picture in _static, and what is seen on it."""

    file: str
    alt: str


def draw_all(folder: Path) -> dict[str, Card]:
    """Draw the picture of each page that has one of its own, and "index" for all others."""
    cards = {}
    for page, own in {"index": SURVEY, **ABOUT}.items():
        figure = draw(own)
        name = f"card-{page}.png"
        figure.savefig(folder / name, dpi=100)
        named = "all eight schedules" if own == SURVEY else " and ".join(RECIPES[name].label for name in own)
        cards[page] = Card(
            name, f"{TITLE}: {LINE}. Curves of the learning rate over training, {named} in color."
        )
    return cards


def draw(own: tuple[str, ...]) -> Figure:
    """Draw the rates of all schedules over a training, those of ``own`` in color on top."""
    figure = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), facecolor="white")
    axes = figure.add_axes((0.06, 0.09, 0.88, 0.58))
    steps = np.arange(800)
    for name in sorted(SURVEY, key=lambda name: name in own):
        schedule = RECIPES[name].build(total_steps=len(steps), steps_per_epoch=8)
        color, width = (COLOR[name], 5) if name in own else (GRAY, 2)
        axes.plot(
            steps,
            [schedule(int(step)) for step in steps],
            color=color,
            linewidth=width,
            alpha=1 if name in own else 0.35,
        )
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xticks=[], yticks=[], xlim=(0, len(steps)), ylim=(0, 1.03))
    axes.set_xlabel("training", fontsize=22, color="#444444", loc="right")
    axes.set_ylabel("rate", fontsize=22, color="#444444", loc="top")
    figure.text(0.06, 0.86, TITLE, fontsize=46, weight="bold")
    figure.text(0.06, 0.765, LINE, fontsize=27, color="#444444")
    return figure

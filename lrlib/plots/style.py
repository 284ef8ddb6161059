"""What all figures share: the book's style, a line style for each schedule, stacked panels, labels."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

WIDTH = 4.3  # inches; shown 340 px wide on a phone, 10 points become 11 px

#: Line of each schedule, the same in every figure. After Okabe and Ito's palette, whose hues colour-blind
#: readers can tell apart, darkened to a contrast of at least 4.5 to white, as labels have these colours too.
STYLE_OF: dict[str, dict] = {
    "constant": {"color": "#000000", "linestyle": "-"},
    "time": {"color": "#9F6A00", "linestyle": (0, (1.2, 1.2))},
    "drop": {"color": "#C44E00", "linestyle": (0, (4, 1.2))},
    "linear": {"color": "#0072B2", "linestyle": (0, (8, 1.2))},
    "poly5": {"color": "#007D5A", "linestyle": (0, (5, 1.2, 1.2, 1.2))},
    "triangle": {"color": "#A8487F", "linestyle": (0, (5, 1.2, 1.2, 1.2, 1.2, 1.2))},
    "cosine": {"color": "#6A4C9C", "linestyle": (0, (8, 1.2, 3, 1.2))},
    "cosine5": {"color": "#00748A", "linestyle": (0, (2.5, 1.2))},
    # The modern ones. Eighteen hues cannot all be told apart: each has a dash of its own as well.
    "exponential": {"color": "#8A3B00", "linestyle": (0, (3, 1.2))},
    "noam": {"color": "#6B6B00", "linestyle": (0, (1.2, 1.2, 4, 1.2))},
    "step": {"color": "#B3261E", "linestyle": (0, (6, 1.2))},
    "cosine_floor": {"color": "#4B3F9E", "linestyle": (0, (8, 1.2, 1.2, 1.2))},
    "1cycle": {"color": "#A0206C", "linestyle": (0, (3, 1.2, 1.2, 1.2))},
    "sgdr": {"color": "#005A70", "linestyle": (0, (2, 1.2, 2, 2.4))},
    "clr": {"color": "#7A5C3E", "linestyle": (0, (1.8, 1.8))},
    "wsd": {"color": "#3B6E22", "linestyle": (0, (10, 1.2))},
    "wsd_sqrt": {"color": "#005F3C", "linestyle": (0, (10, 1.2, 1.2, 1.2))},
    "rex": {"color": "#204F9E", "linestyle": (0, (7, 1.2, 2, 1.2))},
}
# Second, third, ... line of one schedule in a figure: the same colour, told apart by dash and label.
MORE_DASHES = ((0, (1.2, 1.8)), (0, (4, 2.4)), (0, (6, 1.2, 1.2, 1.2)), (0, (10, 4)))

STYLE: dict[RcKeyType, Any] = {
    "figure.facecolor": "white",  # the ink is dark, and so may be a notebook; the book's pages turn both over
    "axes.facecolor": "none",
    "savefig.facecolor": "auto",
    "svg.hashsalt": "lrlib",  # the same figure gives the same file
    "font.size": 10.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.labelsize": 10.0,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#D0D0D0",
    "grid.linewidth": 0.6,
    "lines.linewidth": 2.0,
}


class End(NamedTuple):
    """A label for the right end of a line: the line's last value, the text, its colour."""

    value: float
    text: str
    color: str


def use_style() -> None:
    """Set the book's style for this session, and SVG as the picture format if it runs in a notebook.

    Examples
    --------
    >>> import matplotlib
    >>> with matplotlib.rc_context():
    ...     use_style()
    ...     matplotlib.rcParams["figure.facecolor"]
    'white'
    """
    mpl.rcParams.update(STYLE)
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:  # no notebook here
        return
    if get_ipython() is not None:
        set_matplotlib_formats("svg", bbox_inches=None, metadata={"Date": None})


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Return a function that draws in the book's style, whatever the session's style is."""

    @functools.wraps(draw)
    def drawn(*args, **kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def style_of(label: str) -> dict:
    """Return colour and dash of a label: those of the schedule its first word names, else those of constant.

    Examples
    --------
    >>> style_of("linear, cut at half")["color"]
    '#0072B2'
    """
    words = label.replace(",", " ").split()
    return dict(STYLE_OF.get(words[0] if words else "", STYLE_OF["constant"]))


def styles(labels: Iterable[str]) -> dict[str, dict]:
    """Return the style of each label of one figure; a second line of one schedule gets another dash.

    Examples
    --------
    >>> [style["linestyle"] for style in styles(["time", "time, by epoch"]).values()]
    [(0, (1.2, 1.2)), (0, (4, 2.4))]
    """
    chosen: dict[str, dict] = {}
    for label in labels:
        style = style_of(label)
        before = sum(other["color"] == style["color"] for other in chosen.values())
        if before:
            # not one whose strokes are as long as the schedule's own: eyes cannot tell them apart
            own = style["linestyle"][1][0] if isinstance(style["linestyle"], tuple) else None
            others = [dash for dash in MORE_DASHES if dash[1][0] != own]
            style["linestyle"] = others[(before - 1) % len(others)]
        chosen[label] = style
    return chosen


def stacked(heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels of these heights in inches, stacked over one horizontal axis."""
    top, gap, bottom = 0.30, 0.38, 0.50
    height = top + sum(heights) + gap * (len(heights) - 1) + bottom
    figure = Figure(figsize=(WIDTH, height))
    panels = figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    figure.subplots_adjust(left=0.56 / WIDTH, right=1 - 0.12 / WIDTH)
    figure.subplots_adjust(
        top=1 - top / height, bottom=bottom / height, hspace=gap * len(heights) / sum(heights)
    )
    return figure, list(panels)


def note(
    axes: Axes, text: str, at: tuple[float, float], offset: tuple[float, float] = (0, 0), **how
) -> Annotation:
    """Write a text at an offset in points from a place of the axes."""
    return axes.annotate(text, at, xytext=offset, textcoords="offset points", annotation_clip=False, **how)


def finish(figure: Figure, ends: Mapping[Axes, Sequence[End]]) -> Figure:
    """Write the labels at the right ends of the lines, pushed apart, and make room for them."""
    texts = []
    gap = 1.2 * mpl.rcParams["font.size"] * figure.dpi / 72
    for axes, labels in ends.items():
        labels = sorted(label for label in labels if np.isfinite(label.value))
        box = axes.get_window_extent()
        low, high = box.y0, box.y1
        # a value of 0 has no place on a logarithmic axis: its label stands at the foot
        values = [max(label.value, axes.get_ylim()[0]) for label in labels]
        wanted = [np.clip(axes.transData.transform((1.0, value))[1], low, high) for value in values]
        for label, place in zip(labels, apart(wanted, gap, high), strict=True):
            at, how = (1.0, (place - low) / (high - low)), {"va": "center", "color": label.color}
            texts.append(note(axes, label.text, at, (4, 0), xycoords="axes fraction", **how))
    if texts:
        room = max(text.get_window_extent().width for text in texts) / figure.dpi + 0.12
        figure.subplots_adjust(right=1 - room / WIDTH)
    return figure


def apart(places: Sequence[float], gap: float, high: float) -> list[float]:
    """Return ascending places moved so that neighbours are at least ``gap`` apart and none is above ``high``.

    Examples
    --------
    >>> apart([0.0, 1.0, 9.5, 10.0], gap=2.0, high=10.0)
    [0.0, 2.0, 8.0, 10.0]
    """
    places = [float(place) for place in places]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    above = high
    for i in reversed(range(len(places))):
        places[i] = min(places[i], above)
        above = places[i] - gap
    return places


def check_labels(name: str, labelled: Mapping) -> Mapping:
    """Return a mapping from labels to what is drawn, or raise an error that names the argument.

    >>> check_labels("schedules", {"constant": 1.0})
    {'constant': 1.0}
    """
    if not isinstance(labelled, Mapping):
        raise TypeError(f"{name} must map labels to values, got {labelled!r}")
    if not labelled:
        raise ValueError(f"{name} must hold at least one label, got none")
    return labelled


def plain_log(axis) -> None:
    """Mark a logarithmic axis with plain numbers, few enough to read on a phone."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0,) if high / low > 200 else (1.0, 2.0, 5.0), numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def beside(axes: Axes, row: int, text: str) -> Annotation:
    """Write a row's text at its right."""
    return note(axes, text, (1.0, row), (6, 0), xycoords=("axes fraction", "data"), va="center")


def name_rows(figure: Figure, axes: Axes, labels: Sequence[str], texts: Sequence[Annotation]) -> Figure:
    """Name the rows at the left, from the top, and make room for names and for the texts at the right."""
    axes.set_yticks(range(len(labels)), labels)
    for tick in axes.get_yticklabels():
        tick.set_color(style_of(tick.get_text())["color"])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    in_per_cent(axes.xaxis)
    names = max(tick.get_window_extent().width for tick in axes.get_yticklabels()) / figure.dpi
    room = max(text.get_window_extent().width for text in texts) / figure.dpi
    figure.subplots_adjust(left=(names + 0.15) / WIDTH, right=1 - (room + 0.15) / WIDTH)
    return figure


def in_per_cent(axis) -> None:
    """Write an axis of fractions in per cent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))

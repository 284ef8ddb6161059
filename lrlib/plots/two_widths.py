"""Figures in two widths: one drawing function, a wide and a narrow form; the page shows the one that fits.

Both forms stand in the output as inline SVG. A container query, four lines of CSS that travel with the
figure, shows one of them, by the width of the place where it stands and not of the screen: a half-width pane
of JupyterLab gets the narrow form as a phone does. There is no script. Where a viewer drops the CSS, both
are seen.

Colors are CSS variables that fall back on the light theme's, and black is `currentColor`: on a dark page ink
turns light without a filter. Text stays text: it can be selected, translated, searched, in the page's font.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from lrlib.plots.style import apart, note

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

INK, GRAY = "#000000", "#767676"  # gray: the constant rate, in every comparison
RULE = "#d0d0d0"  # grid lines and other quiet marks

#: A color for each schedule, after Okabe and Ito, darkened to a contrast of 4.5 on white: labels wear them.
COLOR = {
    "constant": GRAY,
    "time": "#9f6a00",
    "drop": "#c44e00",
    "linear": "#0072b2",
    "poly5": "#007d5a",
    "triangle": "#a8487f",
    "cosine": "#6a4c9c",
    "cosine5": "#00748a",
}
#: The same on a dark ground: lighter, to a contrast of 3.6 on the lightest of the dark notebooks.
DARK = {
    "constant": "#8d949c",
    "time": "#dba63f",
    "drop": "#ff9d5c",
    "linear": "#62b5f5",
    "poly5": "#41c79c",
    "triangle": "#ea90c4",
    "cosine": "#b9a0ea",
    "cosine5": "#4cc3d9",
}
#: How JupyterLab and Notebook, Colab, and VS Code say that they are dark. The book's pages have a sheet.
DARK_NOTEBOOKS = ('[data-jp-theme-light="false"]', 'html[theme="dark"]', ".vscode-dark")
VARIABLE = {color: f"var(--lr-{name}, {color})" for name, color in COLOR.items()} | {
    INK: "currentColor",
    RULE: "var(--lr-rule, #80808059)",  # the same gray on white, and quiet on a dark page without our CSS
}

# Test is what counts: a solid, thick line. Training: dashed and thin, whatever the color.
TEST = {"linestyle": "-", "linewidth": 2.2}
TRAINING = {"linestyle": (0, (3.2, 1.8)), "linewidth": 1.3}
SEED = {"linestyle": "-", "linewidth": 0.7, "alpha": 0.45}

WIDE, NARROW = 8.7, 4.4  # inches: 10 points become about 11.5 px in a column of 720 px, and 11 px on a phone

STYLE: dict[RcKeyType, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "lrlib",  # the same figure gives the same file
    "font.size": 10.0,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 7.0,
    "axes.labelsize": 10.0,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "butt",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.03,
    "figure.constrained_layout.h_pad": 0.04,
}

CSS = (
    ".lr-figure{container-type:inline-size;margin:0}"
    ".lr-figure svg{display:block;width:100%;height:auto}"
    ".lr-figure .lr-narrow{display:none}"
    "@container (max-width:35rem){"
    ".lr-figure .lr-wide{display:none}.lr-figure .lr-narrow{display:block;max-width:30rem}}"
    f"{','.join(f'{dark} .lr-figure' for dark in DARK_NOTEBOOKS)}"
    f"{{{';'.join(f'--lr-{name}:{color}' for name, color in DARK.items())}}}"
)


class TwoWidths:
    """A figure in a wide and a narrow form, with the text that stands for it where it cannot be seen.

    Parameters
    ----------
    draw : callable, wide -> Figure
        Called with True and with False, when that form is first asked for.
    alt : str
        What is seen, in sentences. A screen reader reads this and nothing of the drawing.
    """

    def __init__(self, draw: Callable[[bool], Figure], *, alt: str) -> None:
        if not alt.rstrip().endswith("."):
            raise ValueError(f"alt must be made of sentences, got {alt!r}")
        self.alt, self._draw = alt, draw

    @cached_property
    def wide(self) -> Figure:
        with mpl.rc_context(STYLE):
            return self._draw(True)

    @cached_property
    def narrow(self) -> Figure:
        with mpl.rc_context(STYLE):
            return self._draw(False)

    def _repr_html_(self) -> str:
        wide, narrow = svg(self.wide), svg(self.narrow)
        return (
            f'<div class="lr-figure" role="img" aria-label="{html.escape(self.alt)}"><style>{CSS}</style>'
            f'<div class="lr-wide">{wide}</div><div class="lr-narrow">{narrow}</div></div>'
        )


def svg(figure: Figure) -> str:
    """Return a figure as inline SVG: no fixed size, text as text, colors as variables, ids of its own."""
    file = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    code = file.getvalue()
    code = code[code.index("<svg") :]
    code = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", code, flags=re.S)
    code = re.sub(r'(<svg [^>]*?) width="[^"]*"', r"\1", code, count=1)
    code = re.sub(r'(<svg [^>]*?) height="[^"]*"', r"\1", code, count=1)
    code = re.sub(
        r'(<svg [^>]*?) version="[^"]*"', r'\1 aria-hidden="true" fill="currentColor"', code, count=1
    )
    # the page's own font, at the drawing's sizes; matplotlib writes one property or, since 3.11, several
    code = re.sub(r"font: (?:(\d+) )?([\d.]+)px [^;\"]*", _font, code)
    code = re.sub(r"font-family: [^;\"]*(; )?", "", code)
    for color, variable in VARIABLE.items():
        code = re.sub(color, variable, code, flags=re.I)
    used = set(re.findall(r'(?:href="|url\()#([\w-]+)', code))
    code = re.sub(r' id="([\w-]+)"', lambda found: found[0] if found[1] in used else "", code)
    own = "f" + hashlib.sha256(code.encode()).hexdigest()[:6]  # two figures of a page must not share ids
    code = re.sub(r'(id="|href="#|url\(#)([\w-]+)', rf"\g<1>{own}-\2", code)
    code = re.sub(r' transform="rotate\(-0 [^"]*"', "", code)
    code = re.sub(r' (d|x|y|transform)="([^"]*)"', _short, code)
    return re.sub(r"\s*\n\s*", "\n", code).strip()


def _short(found: re.Match) -> str:
    """Write coordinates no finer than a screen shows: tenths of a point in long paths, else hundredths."""
    decimals = 1 if len(found[2]) > 400 else 2
    # matplotlib thins lines but not areas, which have a point at every step
    number = (
        re.sub(r"(?:M|L) [^MLCQz]*(?: ?L [^MLCQz]*){20,}", _thin, found[2]) if found[1] == "d" else found[2]
    )
    number = re.sub(r"-?\d+\.\d+", lambda x: f"{float(x[0]):.{decimals}f}".rstrip("0").rstrip("."), number)
    number = re.sub(r"\s*([MLCQzHV])\s*", r"\1", number) if found[1] == "d" else number
    return f' {found[1]}="{number.strip()}"'


def _thin(found: re.Match) -> str:
    """Leave out the points of a line that lie within a tenth of a point of what is drawn without them."""
    points = np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", found[0]), dtype=float)
    keep = {0, len(points) - 1}
    spans = [(0, len(points) - 1)]
    while spans:  # Ramer, Douglas and Peucker
        first, last = spans.pop()
        along = points[last] - points[first]
        away = points[first + 1 : last] - points[first]
        length = float(along @ along)
        # where the span is closed, or a point lies beyond its ends, the distance is that to a point
        foot = np.clip(away @ along / length, 0, 1) if length else np.zeros(len(away))
        off = np.hypot(*(away - np.outer(foot, along)).T)
        if len(off) and off.max() > 0.1:
            middle = first + 1 + int(off.argmax())
            keep.add(middle)
            spans += [(first, middle), (middle, last)]
    kept = " L ".join(f"{x:.2f} {y:.2f}" for x, y in points[sorted(keep)])
    return f"{found[0][0]} {kept} "


def _font(found: re.Match) -> str:
    weight = f"; font-weight: {found[1]}" if found[1] else ""
    return f"font-size: {found[2]}px{weight}"


class Label(NamedTuple):
    """A label for the right end of a line: where it ends, the text, its color."""

    value: float
    text: str
    color: str


def label_ends(axes: Axes, labels: Sequence[Label], *, gap: float = 1.18) -> None:
    """Write labels right of the axes at the ends of their lines, pushed apart where they would touch."""
    figure = cast(Figure, axes.figure)  # no figure of the book has subfigures
    figure.draw_without_rendering()  # the layout decides how high the axes are
    labels = sorted(labels, key=lambda label: label.value)
    box = axes.get_window_extent()
    low, high = box.y0, box.y1
    line = gap * mpl.rcParams["font.size"] * figure.dpi / 72
    rows = [label.text.count("\n") for label in labels]
    wanted = [np.clip(axes.transData.transform((1.0, label.value))[1], low, high) for label in labels]
    if any(rows):  # two lines take twice the room
        places, floor = [], -np.inf
        for want, extra in zip(wanted, rows, strict=True):
            half = line * (1 + extra) / 2
            places.append(max(want, floor + half))
            floor = places[-1] + half
    else:
        places = apart(wanted, line, high)
    for label, place in zip(labels, places, strict=True):
        at = (1.0, (place - low) / (high - low))
        note(axes, label.text, at, (5, 0), xycoords="axes fraction", va="center", color=label.color)


def plain(axis) -> None:
    """Write the numbers of an axis as they are spoken: 0.1, not 10 to the minus 1."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6f}".rstrip("0").rstrip(".")))

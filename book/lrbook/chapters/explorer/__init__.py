"""The explorer: choose or draw a schedule and see at once what it leaves in the noisy valley.

`explorer.js` computes the valley in the reader's browser, by the recursion of `lrlib.theory.valley`, and asks
no server for anything. This module gives it what only Python knows: the numbers to beat and recorded runs.
A page, a notebook and Colab show the same text: markup, look, script and numbers in one piece.
"""

from __future__ import annotations

import functools
import html
import itertools
import json
import math
from collections.abc import Iterator
from importlib import resources
from statistics import fmean

from lrbook.chapters.explorer.choices import CHOICES, ICON, SURVEYS, TODAYS, Choice, Slider
from lrbook.chapters.first_page import CHAPTER, CIFAR10
from lrbook.chapters.map_plan import MAP
from lrbook.chapters.own_rates import STAGE_B as DIGITS
from lrbook.finding import Finding, Records, count, finals, means, percent, rounded
from lrlib import Constant, CosineAnnealing, Knots, LinearDecay, PolynomialDecay, Schedule, Valley, join
from lrlib.runs import RunConfig
from lrlib.schedules.recipes import SURVEY

__all__ = ["BEST_DRAWING", "Explorer", "board", "for_page", "hero", "recorded_runs", "show", "summary_text"]

#: Updates of the contest.
STEPS = 300
#: Peak rate and knots, in thousandths of it, of the drawing with the lowest loss after 300 updates that a
#: search found (L-BFGS-B from six starts), among those whose loss never rises above its start.
BEST_DRAWING = (1.986, (948, 1000, 757, 485, 265, 198, 178, 131, 107, 83, 64, 56, 40, 29, 17, 12))
#: Factors by which the recorded schedules are compared with the one on show.
SAMPLES = 40

#: What to do next: the loss rose above its start, or most of it is distance, or shaking, or neither.
ADVICE = {
    "rose": "Above rate 2 it is thrown out of the valley. No network comes back from there.",
    "distance": "Mostly distance left: it has not arrived. Walk faster early.",
    "shaking": "Mostly shaking left: it has arrived and cannot keep still. End lower.",
    "balance": "Distance and shaking are in balance: now the shape counts.",
}

_NUMBER = itertools.count(1)
NEEDS_SCRIPT = "This figure needs JavaScript."
NO_SCRIPT = NEEDS_SCRIPT + " Losses after 300 updates in the noisy valley: {board}."


class Explorer:
    """An explorer that shows itself in a notebook and on a page.

    Parameters
    ----------
    state : str
        What it begins with, as in the explorer's links: ``"s=poly&power=2&peak=1.4&T=300"``. Empty is a flat
        line to draw on.
    small : bool
        True leaves out settings, loss, landscape, recorded runs and code.
    in_address : bool
        True keeps the state in the address of the page; for one explorer a page.
    page : str
        Where the large form is, for the small form's link.

    Examples
    --------
    >>> Explorer("s=linear&peak=0.855&T=300").state
    's=linear&peak=0.855&T=300'
    """

    def __init__(
        self, state: str = "", *, small: bool = False, in_address: bool = False, page: str = ""
    ) -> None:
        self.state, self.small, self.in_address, self.page = state, small, in_address, page

    def _repr_html_(self) -> str:
        facts: dict = {"board": {name: loss for name, (_, loss) in board().items()}}
        facts |= {"stars": _stars(), "advice": ADVICE}
        if not self.small:
            facts["runs"] = recorded_runs()
        what = {"data-small": self.small, "data-hash": self.in_address, "data-page": self.page}
        marks = "".join(f" {name}" for name, on in what.items() if on)
        listed = ", ".join(f"{name} {loss:.4f}" for name, (_, loss) in board().items())
        markup = _file("explorer.html").format(
            chips=_chips(),
            sliders=_sliders(),
            knots=_knots(),
            grid=_grid(),
            hills=_hills(),
            constant=recorded_runs()[0]["points"],
            page=html.escape(self.page),
        )
        return (
            f"<style>{_file('explorer.css')}</style>"
            f'<div class="lrx" data-lrx="{html.escape(self.state)}"{marks}>'
            f"<noscript><p>{NO_SCRIPT.format(board=listed)}</p></noscript>{markup}"
            f'<script type="application/json" class="lrx-facts">{json.dumps(facts)}</script>'
            # A module has names of its own: several explorers of one page do not meet. The mark: tools.light.
            f'</div><script type="module" data-keep>{_file("explorer.js")}</script>'
        )


def show(state: str = "") -> Explorer:
    """Return the explorer for a notebook cell, in Jupyter, Colab or VS Code.

    Parameters
    ----------
    state : str
        The part after ``#`` of an explorer's link.

    Examples
    --------
    >>> show("s=cosine&cycles=2&peak=0.9&T=300")._repr_html_()[:7]
    '<style>'
    """
    return Explorer(state)


def for_page() -> Explorer:
    """Return the explorer of the book's own page.

    >>> for_page().in_address
    True
    """
    return Explorer(in_address=True)


def hero() -> Explorer:
    """Return the small form for the first page.

    >>> hero().small
    True
    """
    return Explorer(small=True, page="explorer.html")


@functools.cache
def board() -> dict[str, tuple[float, float]]:
    """Return the peak rate and the loss after 300 updates of schedules at their best, from worst to best.

    >>> {name: round(loss, 4) for name, (_, loss) in board().items()}["linear"]
    0.0192
    """
    cooldown = join([(Constant(), 240), (LinearDecay(total_steps=60), None)])
    shapes: dict[str, Schedule] = {
        "constant": Constant(),
        "cooldown in the last fifth": cooldown,
        "cosine": CosineAnnealing(total_steps=STEPS),
        "linear": LinearDecay(total_steps=STEPS),
    }
    found = {name: tuple(Valley().best_peak_lr(shape, steps=STEPS)) for name, shape in shapes.items()}
    powers = [tenths / 10 for tenths in range(12, 25)]
    tried = {power: _best(PolynomialDecay(total_steps=STEPS, power=power)) for power in powers}
    power = min(tried, key=lambda power: tried[power][1])
    found[f"polynomial, power {power:g}"] = tried[power]
    peak, knots = BEST_DRAWING
    drawing = Knots(total_steps=STEPS, factors=[knot / 1000 for knot in knots])
    found["best drawing known"] = (peak, Valley().final_loss(drawing, steps=STEPS, peak_lr=peak))
    return dict(sorted(found.items(), key=lambda item: -item[1][1]))


def _best(schedule: Schedule) -> tuple[float, float]:
    return tuple(Valley().best_peak_lr(schedule, steps=STEPS))


def _stars() -> list[tuple[float, str]]:
    """Return the three losses to get below, and what has been beaten then."""
    losses = {name.partition(",")[0]: loss for name, (_, loss) in board().items()}
    within = f"within {(share := 5)}% of the best drawing known"
    return [
        (losses["linear"], "tuned linear"),
        (losses["polynomial"], "every polynomial"),
        ((1 + share / 100) * losses["best drawing known"], within),
    ]


@functools.cache
def recorded_runs() -> list[dict]:
    """Return shape and test accuracy of the recorded schedules, for the explorer.

    The survey's are on CIFAR-10, with a curve; today's on the digits, without.

    >>> [schedule["name"] for schedule in recorded_runs()][6:10]
    ['Cosine', 'Cosine, restarts', 'exponential', 'Noam']
    """
    records = Records()
    return [*_on_cifar10(records), *_on_digits(records)]


def _on_cifar10(records: Records) -> Iterator[dict]:
    by_rate, each = records.by_rate(MAP), count(len(records.whole_seeds(MAP)))
    constant = percent(fmean(finals(records.runs(CIFAR10, "constant"))))
    for name in SURVEY:
        runs = records.runs(CIFAR10, name)
        config = runs[0].config
        others = {rate: end for rate, end in by_rate[name].items() if rate != config.peak_lr}
        accuracy = means(run.column("test_accuracy") for run in runs)
        title, end = CHAPTER[name][0], percent(fmean(finals(runs)))
        beside = "" if name == "constant" else f"; the constant rate {constant}"
        yield {
            "name": title,
            "color": "poly" if name == "poly5" else name,
            "factors": _factors(config),
            "points": " ".join(
                f"{100 * e / (config.epochs - 1):.1f},{_height(x):.1f}" for e, x in enumerate(accuracy)
            ),
            "text": f"{title}: {end} test accuracy on CIFAR-10 after {config.epochs} epochs at peak rate "
            f"{config.peak_lr:g}, the mean of {count(len(runs))} runs{beside}. At other peak rates, {each} "
            f"runs each: {', '.join(f'{percent(end)} at {rate:g}' for rate, end in others.items())}.",
        }


def _on_digits(records: Records) -> Iterator[dict]:
    constant = percent(fmean(finals(records.runs(DIGITS, "constant"))))
    for name, choice in TODAYS.items():
        runs = records.runs(DIGITS, name)
        config, end = runs[0].config, percent(fmean(finals(runs)))
        yield {
            "name": choice.label,
            "factors": _factors(config),
            "text": f"{choice.label}: {end} test accuracy on the digits after {config.epochs} epochs at its "
            f"own peak rate of {config.peak_lr:g}, the mean of {count(len(runs))} runs; the constant rate at "
            f"its own {constant}.",
        }


def _factors(config: RunConfig) -> list[float]:
    schedule, total = config.schedule(), config.total_steps
    return [round(schedule(math.floor((i + 0.5) / SAMPLES * total)), 3) for i in range(SAMPLES)]


#: Test accuracies at the foot and the top of the picture of recorded runs.
LOW, HIGH = 0.5, 0.85


def _height(accuracy: float) -> float:
    """Return where an accuracy stands in a picture of height 100, from its top."""
    return 100 * (HIGH - max(accuracy, LOW)) / (HIGH - LOW)


def _grid() -> str:
    lines = (f'<i style="top:{_height(x / 100):.1f}%">{x}%</i>' for x in (60, 70, 80))
    return "".join(lines)


def _hills() -> str:
    """Return lines of equal loss: eight times as long as wide, as the curvatures are 1 and 1/64."""
    heights = (1.5, 1.2, 0.96, 0.76, 0.6, 0.46, 0.34, 0.24, 0.16, 0.095, 0.045)
    return "".join(f'<ellipse rx="{8 * r:g}" ry="{r:g}"/>' for r in heights)


def _chips() -> str:
    # A fresh name for each explorer: radio buttons of one name are one group, on the whole page.
    name = f"lrx-{next(_NUMBER)}"
    return "".join(
        f'<div role="group" aria-label="{said}"><b aria-hidden="true">{title}</b>'
        f"{''.join(_chip(name, key, choice) for key, choice in choices.items())}</div>"
        for title, said, choices in (
            ("Survey", "The survey’s schedules", SURVEYS),
            ("Today", "Today’s schedules", TODAYS),
        )
    )


def _chip(name: str, key: str, choice: Choice) -> str:
    points = " ".join(f"{2 + t},{18 - 15 * choice.icon(t):.1f}" for t in range(ICON + 1))
    return (
        f'<label data-shape="{key}"><input type="radio" name="{name}" value="{key}">'
        f'<svg viewBox="0 0 34 20" aria-hidden="true"><polyline points="{points}"/></svg>'
        f"<span>{choice.label}</span></label>"
    )


def _sliders() -> str:
    """Return the sliders of all schedules, and their notes; the script shows those of one."""
    return "".join(
        "".join(_slider(key, slider) for slider in choice.sliders)
        + (f'<p data-of="{key}" hidden>{choice.note}</p>' if choice.note else "")
        for key, choice in CHOICES.items()
    )


def _slider(of: str, slider: Slider) -> str:
    numbers: dict[str, float] = {"min": slider.min, "max": slider.max, "value": slider.value}
    if slider.log:
        numbers = {name: math.log10(number) for name, number in numbers.items()} | {"step": 0.01}
    else:
        numbers["step"] = slider.step
    at = "".join(f' {name}="{number:.12g}"' for name, number in numbers.items())
    return (
        f'<label data-of="{of}" hidden>{slider.label} <b></b>'
        f'<input type="range" name="{slider.key}"{at}{" data-log" * slider.log}></label>'
    )


def _knots() -> str:
    return "".join(
        f'<input type="range" min="0" max="1000" tabindex="{0 if k == 0 else -1}" aria-label="Knot {k + 1}">'
        for k in range(len(BEST_DRAWING[1]))
    )


def summary_text() -> Finding:
    """Say what the contest is about, with lrlib's numbers.

    >>> summary_text().text.split(".")[0]
    'Lowering the rate pays'
    """
    losses = {name: loss for name, (_, loss) in board().items()}
    return Finding(
        """
        Lowering the rate pays. After {steps} updates in the
        [noisy valley](reference/glossary.md#noisy-valley) the best constant rate leaves a loss of {constant},
        linear decay {linear}. The best drawing that we know leaves {drawing}. Draw yours.
        """,
        {
            "steps": STEPS,
            "constant": rounded(losses["constant"], 4),
            "linear": rounded(losses["linear"], 4),
            "drawing": rounded(losses["best drawing known"], 4),
        },
        {"every other line leaves less than the constant rate": max(losses, key=losses.get) == "constant"},
    )


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8").strip()

"""The four handles of the valley that turn the order of constant, drop and linear."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from statistics import fmean

from matplotlib.figure import Figure

from lrbook.chapters.factors_levels import (
    DROP,
    GRAY,
    LINEAR,
    THREE,
    log_axis,
    ranked,
)
from lrbook.finding import (
    Finding,
    Records,
    count,
    finding,
    rounded,
)
from lrlib import Constant, Valley
from lrlib.plots.style import note
from lrlib.plots.two_widths import COLOR, NARROW, WIDE, TwoWidths, plain
from lrlib.schedules.recipes import RECIPES

# --- Figure 10.2: four handles in the valley --------------------------------------------------------------

#: The noisy valley as it was: updates, noise, directions; and what a prediction changes, one at a time.
STEPS, NOISE, DIRECTIONS = 300, 0.1, 64
CHANGES = {"rate": 3, "updates": 3000, "noise": 1.0, "directions": 8}

#: The values of each handle in figure 10.2, from where it was.
HANDLES = {
    "rate": (1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5),
    "updates": (300, 400, 500, 700, 1000, 1500, 2000, 3000),
    "noise": (0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3),
    "directions": (64, 48, 32, 24, 16, 12, 8),
}
TICKS = {
    "rate": (1, 2, 5),
    "updates": (300, 1000, 3000),
    "noise": (0.1, 0.3, 1, 3),
    "directions": (64, 16, 8),
}
#: The orders in figure 10.2, lowest loss first, from left to right.
ORDERS = (("constant", "linear", "drop"), ("linear", "constant", "drop"), ("linear", "drop", "constant"))


@cache
def _best_constant_rate() -> float:
    valley = Valley(noise=NOISE, directions=DIRECTIONS)
    return valley.best_peak_lr(Constant(), steps=STEPS).peak_lr


def _valley_losses(handle: str, value: float) -> dict[str, float]:
    """Return the final loss of the three schedules, each planned for its length, with one handle changed."""
    at = {"rate": 1.0, "updates": STEPS, "noise": NOISE, "directions": DIRECTIONS} | {handle: value}
    valley, steps = Valley(noise=at["noise"], directions=int(at["directions"])), int(at["updates"])
    plans = {name: RECIPES[name].build(total_steps=steps, steps_per_epoch=1) for name in THREE}
    peak = at["rate"] * _best_constant_rate()
    return {name: valley.final_loss(plan, steps=steps, peak_lr=peak) for name, plan in plans.items()}


def valley_figure() -> TwoWidths:
    """Draw the expected loss of the three schedules over four handles of the valley, all from one point."""
    found = {handle: [_valley_losses(handle, x) for x in values] for handle, values in HANDLES.items()}
    titles = {
        "rate": "peak rate",
        "updates": "updates",
        "noise": "noise",
        "directions": "directions",
    }

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.7) if wide else (NARROW, 5.4))
        panels = figure.subplots(1, 4, sharey=True) if wide else figure.subplots(2, 2, sharey=True).ravel()
        for axes, (handle, losses) in zip(panels, found.items(), strict=True):
            values = HANDLES[handle]
            for name in THREE:
                axes.plot(values, [loss[name] for loss in losses], color=COLOR[name], linewidth=2.2)
            log_axis(axes, TICKS[handle])
            axes.set_xlim(values[0], values[-1])
            axes.set_title(titles[handle])
            axes.set_xlabel(
                "times the first" if handle == "rate" else "fewer and fewer" if handle == "directions" else ""
            )
            axes.set_yscale("log", subs=())
        figure.get_layout_engine().set(wspace=0.07)
        panels[0].set_ylim(0.0025, 1.6)
        panels[0].set_yticks([0.01, 0.1, 1])
        plain(panels[0].yaxis)
        figure.supylabel("expected loss", fontsize=10)
        last = found["rate"][-1]
        note(panels[0], "constant", (5, last["constant"]), (-2, 6), color=GRAY, ha="right")
        note(panels[0], "drop", (5, last["drop"]), (-2, 10), color=DROP, ha="right")
        note(panels[0], "linear", (5, last["linear"]), (-2, -15), color=LINEAR, ha="right")
        return figure

    return TwoWidths(
        draw,
        alt="Four panels, expected loss in the valley, on a logarithmic axis, over the peak rate, the number "
        "of updates, the noise, and ever fewer directions. All start from one point, where the constant "
        "rate is lowest and drops are highest. To the right the constant rate is passed first by linear "
        "decay, and later by drops as well.",
    )


@finding()
def valley_answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction. It is computed, not recorded; the claims keep the words true."""
    before = _valley_losses("rate", 1.0)
    after = {handle: _valley_losses(handle, value) for handle, value in CHANGES.items()}
    pair = {
        handle: f"{rounded(loss['linear'], 3)} against {rounded(loss['constant'], 3)}"
        for handle, loss in after.items()
    }
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        Each of them. As it was, the constant rate ends at {constant}, linear decay at {linear}. After each
        change linear decay is the lower one:

        - {rate} with {rate_times} times the rate,
        - {updates} with {updates_times} times the updates,
        - {noise} with {noise_times} times the noise,
        - {directions} in {few} directions.

        </details>
        """,
        {
            "constant": rounded(before["constant"], 3),
            "linear": rounded(before["linear"], 3),
            "rate_times": count(CHANGES["rate"]),
            "updates_times": count(CHANGES["updates"] // STEPS),
            "noise_times": count(round(CHANGES["noise"] / NOISE)),
            "few": count(CHANGES["directions"]),
            **pair,
        },
        {
            "as it was the constant rate is lower": before["constant"] < before["linear"],
            "linear decay is lower with a higher rate": after["rate"]["linear"] < after["rate"]["constant"],
            "and with more updates": after["updates"]["linear"] < after["updates"]["constant"],
            "and with more noise": after["noise"]["linear"] < after["noise"]["constant"],
            "and with fewer directions": after["directions"]["linear"] < after["directions"]["constant"],
        },
    )


@finding()
def valley_why_text(records: Records) -> Finding:
    """Say what the four changes have in common, and why drops pass the constant rate last."""
    seen = {
        handle: [
            order
            for order, _ in groupby(
                ranked({n: -x for n, x in _valley_losses(handle, v).items()}) for v in values
            )
        ]
        for handle, values in HANDLES.items()
    }
    plans = {name: RECIPES[name].build(total_steps=1000, steps_per_epoch=1) for name in THREE}
    areas = {name: fmean(plan.values(1000)) for name, plan in plans.items()}
    return Finding(
        """
        A falling rate calms the shaking and pays with distance. The sum of its rates, its
        [area](polynomial.ipynb), is {linear} of a constant one's for linear decay, and only {drop} for drops.
        A higher rate or more updates leave less distance, fewer flat directions have less to begin with, and
        more noise is more shaking. In all four panels the order turns in the same steps: linear decay passes
        the constant rate first; drops, which pay more, pass it later.

        The survey's five factors act on these four. The initial rate sets the peak, and epochs the updates.
        Data and task change the noise and what there is to learn, the architecture the curvatures.
        """,
        {"linear": rounded(areas["linear"]), "drop": rounded(areas["drop"])},
        {
            "all handles go through the same three orders": all(
                orders == list(ORDERS) for orders in seen.values()
            ),
            "drops have less than half the area of linear decay": areas["drop"] < areas["linear"] / 2,
        },
    )

"""Figures of audits: the rates that were applied over those that were planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from lrlib.plots.style import End, finish, stacked, styled

if TYPE_CHECKING:
    from lrlib.adapters.audit import Verdict

__all__ = ["plot_verdict"]

PLANNED, APPLIED = "#0072B2", "#C44E00"


@styled
def plot_verdict(verdict: Verdict) -> Figure:
    """Draw the planned rates as a broken line, the applied ones over them, and where they part.

    Parameters
    ----------
    verdict : Verdict
        Of `lrlib.audit.compare`.

    Examples
    --------
    >>> from lrlib import LinearDecay, audit
    >>> plan = LinearDecay(total_steps=10)
    >>> figure = plot_verdict(audit.compare(plan.values(10)[1:], plan, peak_lr=1.0))
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['planned', 'applied', 'part at update 0']
    """
    figure, (axes,) = stacked([1.9])
    updates = np.arange(verdict.start, verdict.start + len(verdict.rates))
    axes.plot(updates, verdict.planned, color=PLANNED, linestyle=(0, (4, 2)), label="planned")
    axes.plot(updates, verdict.rates, color=APPLIED, linewidth=1.4, label="applied")
    ends = [End(verdict.planned[-1], "planned", PLANNED), End(verdict.rates[-1], "applied", APPLIED)]
    if verdict.first is not None:
        axes.axvline(verdict.first, color="#555555", linewidth=0.8, label=f"part at update {verdict.first:,}")
    kind = verdict.kind.replace("_", " ")
    axes.set_title(f"learning rate: {kind}")
    axes.set_xlabel("update")
    top = max(verdict.planned.max(), verdict.rates.max())
    axes.set_ylim(min(0.0, 1.05 * verdict.rates.min()), 1.05 * top if top > 0 else 1.0)
    return finish(figure, {axes: ends})

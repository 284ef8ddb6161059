"""Figures of schedules, of audits, of the theory, of runs and of final accuracies, in one style.

They are narrow and stacked for phones, with dark ink on no ground (in dark mode a page inverts them). They
are made without pyplot: a notebook shows the returned figure once, and no state is left behind.
"""

from lrlib.plots.accuracies import plot_intervals, plot_levels, plot_sampling, plot_shares
from lrlib.plots.audit import plot_verdict
from lrlib.plots.runs import plot_over, plot_runs
from lrlib.plots.schedules import plot_shapes
from lrlib.plots.style import STYLE_OF, style_of, use_style
from lrlib.plots.theory import (
    plot_descents,
    plot_distances,
    plot_edges,
    plot_parts,
    plot_peak_sweep,
    plot_valley_rates,
)

__all__ = [
    "STYLE_OF",
    "plot_descents",
    "plot_distances",
    "plot_edges",
    "plot_intervals",
    "plot_levels",
    "plot_over",
    "plot_parts",
    "plot_peak_sweep",
    "plot_runs",
    "plot_sampling",
    "plot_shapes",
    "plot_shares",
    "plot_valley_rates",
    "plot_verdict",
    "style_of",
    "use_style",
]

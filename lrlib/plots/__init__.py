"""Pictures of schedules, of the theory, and of runs, in one style."""

from lrlib.plots.schedules import (
    plot_descents,
    plot_parts,
    plot_peak_sweep,
    plot_runs,
    plot_shapes,
    plot_valley_rates,
)
from lrlib.plots.style import STYLE_OF, style_of, use_style

__all__ = [
    "STYLE_OF",
    "plot_descents",
    "plot_parts",
    "plot_peak_sweep",
    "plot_runs",
    "plot_shapes",
    "plot_valley_rates",
    "style_of",
    "use_style",
]

"""The figure of the claims page: every sentence in every experiment that may judge it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, NOT_SEEN, SEEN
from lrbook.chapters.claims.sentences import CLAIMS
from lrbook.chapters.claims.verdicts import Judged, number_of
from lrlib.plots.style import WIDTH, stacked, styled
from lrlib.runs.experiments import EXPERIMENTS

__all__ = ["NO_RUN_YET", "plot_ledger"]

NO_RUN_YET = "no run yet"
#: How a finding is drawn: marker, size, ink, filled. One that lacks a run, and nothing else, is only a point.
MARKS = {
    SEEN: ("o", 8.0, "#000000", True),
    NOT_SEEN: ("x", 7.0, "#000000", True),
    CANNOT_BE_TOLD: ("o", 7.0, "#6B6B6B", False),
    NO_RUN_YET: ("o", 1.5, "#6B6B6B", True),
}


@styled
def plot_ledger(judged: Sequence[Judged]) -> Figure:
    """Draw the findings, a row a sentence and a column an experiment; nothing stands where one may not judge.

    Examples
    --------
    >>> from lrbook.chapters.claims.verdicts import ledger
    >>> figure = plot_ledger(ledger({}))
    >>> len(figure.axes[0].get_yticklabels()), len(figure.axes[0].get_xticklabels())
    (16, 6)
    """
    claims, experiments = list(CLAIMS.values()), list(EXPERIMENTS)
    figure, (axes,) = stacked([0.21 * len(claims)])
    for mark, (marker, size, color, filled) in MARKS.items():
        at = [
            (experiments.index(each.experiment), number_of(CLAIMS[each.claim]) - 1)
            for each in judged
            if _mark(each) == mark
        ]
        how = {"color": color, "markerfacecolor": color if filled else "none", "markeredgewidth": 1.6}
        axes.plot(*zip(*at, strict=True) if at else ((), ()), marker, markersize=size, label=mark, **how)
    axes.set_yticks(range(len(claims)), [f"{number_of(claim)} {claim.short}" for claim in claims])
    titles = [experiment.title for experiment in EXPERIMENTS.values()]
    axes.set_xticks(range(len(experiments)), titles, rotation=45, ha="left")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_ylim(len(claims) - 0.5, -0.5)
    axes.set_xlim(-0.5, len(experiments) - 0.5)
    for side in axes.spines.values():
        side.set_visible(False)
    names = max(tick.get_window_extent().width for tick in axes.get_yticklabels()) / figure.dpi
    heads = max(tick.get_window_extent().height for tick in axes.get_xticklabels()) / figure.dpi
    height = 0.21 * len(claims) + heads + 0.7
    figure.set_size_inches(WIDTH, height)
    figure.subplots_adjust(
        left=(names + 0.12) / WIDTH,
        right=1 - 0.45 / WIDTH,
        top=1 - (heads + 0.1) / height,
        bottom=0.55 / height,
    )
    figure.legend(loc="lower center", ncols=2, frameon=False, handletextpad=0.2, columnspacing=1.2)
    return figure


def _mark(judged: Judged) -> str:
    finding = judged.finding
    return finding.verdict if finding.n or finding.verdict != CANNOT_BE_TOLD else NO_RUN_YET

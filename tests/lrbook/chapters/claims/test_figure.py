"""The figure of the claims page. All runs are synthetic."""

from __future__ import annotations

from claim_cases import (
    accuracies,
    printed,
)
from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, NOT_SEEN, SEEN
from lrbook.chapters.claims.figure import NO_RUN_YET, plot_ledger
from lrbook.chapters.claims.sentences import CLAIMS
from lrbook.chapters.claims.verdicts import ledger
from lrlib.runs.experiments import EXPERIMENTS


def test_the_figure_shows_each_finding_once():
    judged = ledger(
        {"logs": printed(linear=0.81, drop=0.81), "laptop": accuracies({"constant": 0, "time": -1})}
    )
    axes = plot_ledger(judged).axes[0]
    drawn = {
        (line.get_label(), int(x), int(y))
        for line in axes.lines
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }
    expected = {
        (
            NO_RUN_YET if each.finding.n == 0 else each.finding.verdict,
            list(EXPERIMENTS).index(each.experiment),
            list(CLAIMS).index(each.claim),
        )
        for each in judged
    }
    assert drawn == expected
    assert {mark for mark, _, _ in drawn} == {SEEN, NOT_SEEN, CANNOT_BE_TOLD, NO_RUN_YET}
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names[2] == "3 time a little worse"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [
        experiment.title for experiment in EXPERIMENTS.values()
    ]
    text = plot_ledger(judged)
    width = text.get_figwidth() * text.dpi
    for tick in text.axes[0].get_yticklabels():
        assert tick.get_window_extent().x0 >= 0
    for tick in text.axes[0].get_xticklabels():
        assert tick.get_window_extent().x1 <= width
    legend = text.legends[0].get_window_extent()
    assert legend.x0 >= 0
    assert legend.x1 <= width
    assert legend.y1 <= text.axes[0].get_window_extent().y0

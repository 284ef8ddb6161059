"""The figures of the claims page. All runs are synthetic, but for those of the live figure."""

from __future__ import annotations

import pytest

import findings as rules
from claim_cases import accuracies, printed
from lrbook.chapters.claims.curve_rules import curve_of
from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, HOLDS, IN_PART, NOT_SEEN, OPEN, SEEN
from lrbook.chapters.claims.figure import MARKS, draw_run, draw_verdicts
from lrbook.chapters.claims.sentences import CLAIMS
from lrbook.chapters.claims.verdicts import decide_all, deciding
from lrbook.finding import Records
from lrlib.plots.two_widths import INK, TwoWidths
from lrlib.runs.experiments import EXPERIMENTS


@pytest.fixture(scope="module")
def decisions():
    given = {"logs": printed(linear=0.81, drop=0.81), "laptop": accuracies({"constant": 0, "time": -1})}
    return decide_all(given)


@pytest.fixture(scope="module")
def drawn(decisions) -> TwoWidths:
    return draw_verdicts(decisions)


def columns(axes) -> list[tuple[float, str]]:
    titles = [tick.label2.get_text().replace("\n", " ") for tick in axes.xaxis.get_major_ticks()]
    return list(zip(axes.get_xticks(), titles, strict=True))


@pytest.mark.parametrize("form", ["wide", "narrow"])
def test_each_verdict_and_each_finding_with_runs_is_marked_once(drawn, decisions, form):
    axes = getattr(drawn, form).axes[0]
    title = dict(columns(axes))
    marks = {
        (title[line.get_xdata()[0]], int(line.get_ydata()[0])): (
            line.get_label(),
            line.get_marker(),
            line.get_color() == INK,
        )
        for line in axes.lines
        if line.get_marker() in ("o", "x")
    }
    expected = {}
    for row, decided in enumerate(decisions.values()):
        expected["verdict", row] = (decided.verdict, MARKS[decided.verdict][0], True)
        for name, finding in decided.findings.items():
            if finding.n:
                mark = (finding.verdict, MARKS[finding.verdict][0], name in deciding(decided.findings))
                expected[EXPERIMENTS[name].title, row] = mark
    assert marks == expected
    assert [title for _, title in columns(axes)] == ["verdict", "published logs", "laptop"]  # none is empty
    assert {label for label, _, _ in marks.values()} >= {HOLDS, OPEN, SEEN, NOT_SEEN, CANNOT_BE_TOLD}


def test_marks_of_verdicts_differ():
    verdicts = [*MARKS][:4]
    assert verdicts[1] == IN_PART
    assert len({MARKS[verdict] for verdict in verdicts}) == 4


@pytest.mark.parametrize("form", ["wide", "narrow"])
def test_names_and_verdicts_are_written_where_they_fit(drawn, decisions, form):
    figure = getattr(drawn, form)
    axes = figure.axes[0]
    texts = {text.get_text(): text for text in axes.texts}
    assert "3  time a little worse" in texts
    assert [text.get_text() for text in axes.texts[1::2]] == [each.verdict for each in decisions.values()]
    marks = [line for line in axes.lines if line.get_xdata()[0] == 0 and line.get_marker() in ("o", "x")]
    left = min(mark.get_window_extent().x0 for mark in marks)
    for claim, text in zip(CLAIMS.values(), axes.texts[::2], strict=True):
        box = text.get_window_extent()
        assert claim.short in text.get_text()
        assert box.x0 >= 0
        assert box.x1 <= left, claim.short
    others = [text.get_window_extent() for text in axes.texts]
    assert not any(a.overlaps(b) for a, b in zip(others[::2], others[1::2], strict=True))
    width = figure.get_figwidth() * figure.dpi
    assert all(tick.get_window_extent().x1 <= width for tick in axes.get_xticklabels())


def test_two_widths_one_name_and_ids_of_its_own(drawn):
    rules.check_figure(drawn)
    assert "of the 16 sentences" in drawn.alt
    assert f"1 {HOLDS}, 0 {IN_PART}" in drawn.alt


def test_a_live_run_is_drawn_as_the_rule_takes_it():
    records = Records()
    mine, *others = records.runs("survey-digits", "drop")
    figure = draw_run(mine, records)
    rules.check_figure(figure)
    for axes, quantity in zip(figure.wide.axes, ("training loss", "test loss"), strict=True):
        curves = [list(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) == 8]
        assert curves[-1] == curve_of(mine, quantity)
        assert all(curve_of(other, quantity) in curves for other in others)
        # 8 epochs: a tenth is one epoch
        assert [line.get_xdata()[0] for line in axes.lines if len(set(line.get_xdata())) == 1] == [6, 7]

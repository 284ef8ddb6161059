"""The lesson's slides: every sentence of them stands on the records or the valley, and falls with them."""

from __future__ import annotations

import numpy as np
import pytest

import findings as rules
from findings import constants, measured, swapped, without
from lrbook.chapters import linear, time_based
from lrbook.classroom import lesson_deck
from lrbook.classroom.assignment import SCHEDULES
from lrbook.finding import Records, finals
from lrlib import Constant, LinearDecay
from lrlib.plots.two_widths import COLOR
from lrlib.theory.valley import Best
from plain_valley import valley_loss, valley_parts

CIFAR10, DIGITS, MAP = "survey-laptop", "survey-digits", "laptop-map-gpu"
FIVE = "constant time drop linear poly5"


def accuracy(study, label, value, **config):
    return measured(study, label, "test_accuracy", value, **config)


def raced(constant: Best, falling: Best):
    """The best peaks of the race are others."""
    race = {"constant": (Constant(), constant), "linear": (LinearDecay(total_steps=300), falling)}
    return constants(lesson_deck, _race=lambda: race)


ALTERATIONS = {
    "fewer updates": constants(lesson_deck, STEPS=200),
    "above the edge all is well": constants(lesson_deck, _at=lambda rate: np.array([1.0, 0.05])),
    "the best rate is near the edge": raced(Best(1.5, 0.01), Best(0.1, 0.5)),
    "linear is twice as calm and twice as slow": raced(Best(0.28, 0.046), Best(0.02, 0.04)),
    "linear never comes to rest": raced(Best(0.01, 0.046), Best(1.9, 0.04)),
    "hardly any decay": constants(time_based, DECAY=1e-6),
    "strong decay": constants(time_based, DECAY=0.1),
    "a stop after five updates": constants(linear, STOP=5),
    "one student more": constants(lesson_deck, STUDENTS=31),
    "CIFAR-10: drop and constant swapped": swapped(CIFAR10, "drop", "constant"),
    "map: constant worse at 0.01": accuracy(MAP, "constant", lambda e, x: x - 0.03, peak_lr=0.01),
    "map: one block": rules.of_seeds(MAP, 1),
    "map: linear better at 0.3": accuracy(MAP, "linear", lambda e, x: x + 0.03, peak_lr=0.3),
    "digits: constant and drop alike": accuracy(DIGITS, "constant drop", lambda e, x: 0.95),
    "digits: drop ahead": accuracy(DIGITS, "drop", lambda e, x: x + 0.2),
    "digits: drop far behind": accuracy(DIGITS, "drop", lambda e, x: x - 0.1),
    "digits: linear and constant swapped": swapped(DIGITS, "linear", "constant"),
    "digits: linear and drop swapped": swapped(DIGITS, "linear", "drop"),
    "digits: constant steady": accuracy(DIGITS, "constant", lambda e, x: 0.95),
    "digits: a constant run is missing": without(DIGITS, "constant", 5),
    "digits: all five far apart": accuracy(DIGITS, "drop time", lambda e, x: x + 0.2),
}


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(lesson_deck, ALTERATIONS, r"with one run each|The last two|One run each|/ \(1 \+")
)


FIGURES = {
    "board": lesson_deck.board_figure,
    "four lines": lesson_deck.four_lines_figure,
    "race": lesson_deck.race_figure,
    "why": lesson_deck.why_figure,
    "one seed": lambda: lesson_deck.ends_figure(1),
    "all seeds": lesson_deck.ends_figure,
    "gaps": lesson_deck.gaps_figure,
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_two_widths_one_name_and_ids_of_its_own(name):
    rules.check_figure(FIGURES[name]())


def test_the_board_is_empty_and_the_four_lines_are_those_of_the_minute_sheet():
    (board,) = lesson_deck.board_figure().wide.axes
    assert (board.lines[:], board.get_xlim()) == ([], (0, 300))
    flat, smooth, stairs, rises = (
        axes.lines[0].get_ydata() for axes in lesson_deck.four_lines_figure().wide.axes
    )
    assert len(set(flat)) == 1
    assert (np.diff(smooth) < 0).all()
    assert len(set(stairs)) == 4
    assert sorted(set(stairs), reverse=True) == list(dict.fromkeys(stairs))
    top = rises.argmax()
    assert 0 < top < 100
    assert rises[0] == 0
    assert (np.diff(rises[top:]) < 0).all()


def test_the_race_is_the_valley_of_plain_loops():
    rate, loss = lesson_deck.race_figure().wide.axes
    distance, shaking = lesson_deck.why_figure().wide.axes
    for name in ("constant", "linear"):
        (rates,) = (line.get_ydata() for line in rules.lines_of(rate, COLOR[name]))
        left = [rules.lines_of(axes, COLOR[name])[0].get_ydata()[-1] for axes in (loss, distance, shaking)]
        assert left[0] == pytest.approx(valley_loss(rates), rel=1e-9)
        assert left[1:] == pytest.approx(valley_parts(rates), rel=1e-9)
        for times in (0.97, 1.03):  # each has its best peak
            assert valley_loss(times * np.array(rates)) > left[0]


def test_the_ends_are_those_of_the_records():
    records = Records()
    for seed in (1, 2):
        (axes,) = lesson_deck.ends_figure(seed).wide.axes
        drawn = {COLOR[name]: records.runs(DIGITS, name, seed=seed) for name in SCHEDULES}
        for line in axes.lines:
            assert list(line.get_xdata()) == finals(drawn[line.get_color()])
    (axes,) = lesson_deck.ends_figure().wide.axes
    for name in SCHEDULES:
        ends = finals(records.runs(DIGITS, name))
        drawn = [list(line.get_xdata()) for line in rules.lines_of(axes, COLOR[name])]
        mean = sum(ends) / 5
        half = 2.776 * np.std(ends, ddof=1) / 5**0.5  # t of four degrees of freedom
        assert ends in drawn
        assert any(values == pytest.approx([mean]) for values in drawn if len(values) == 1)
        assert any(
            values == pytest.approx([mean - half, mean + half], abs=1e-5)
            for values in drawn
            if len(values) == 2
        )
    limits = {tuple(FIGURES[name]().wide.axes[0].get_xlim()) for name in ("one seed", "all seeds")}
    assert len(limits) == 1, "on other axes the same dot would seem to have moved"


def test_gaps_are_drawn_on_axes_of_one_scale():
    panels = lesson_deck.gaps_figure().wide.axes
    for axes, study in zip(panels, (CIFAR10, DIGITS), strict=True):
        for name in FIVE.split():
            ends = finals(Records().runs(study, name))
            dots, mean = (list(line.get_xdata()) for line in rules.lines_of(axes, COLOR[name]))
            assert dots == ends
            assert mean == pytest.approx([sum(ends) / len(ends)] * 2)
            low, high = axes.get_xlim()
            assert low < min(ends) <= max(ends) < high
    widths = [high - low for low, high in (axes.get_xlim() for axes in panels)]
    assert widths[0] == pytest.approx(widths[1])


def test_numbers_of_the_sentences_by_hand():
    answer = lesson_deck.unit_answer_text().text
    assert f"**{0.1 / (1 + 0.001 * 39_099):.4f}**" in answer
    assert f"**{0.1 / (1 + 0.001 * 99):.3f}**" in answer
    peak = lesson_deck.race_figure().wide.axes[0].lines[1].get_ydata()[0]  # linear, at its best for 300
    cut, short = (valley_loss([peak * (1 - t / total) for t in range(150)]) for total in (300, 150))
    assert f"{short:.3f} against {cut:.3f}" in lesson_deck.cut_answer_text().text
    assert "constant · drop · linear, **ten seeds each**" in lesson_deck.assignment_text().text

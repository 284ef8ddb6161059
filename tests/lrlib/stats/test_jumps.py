"""Jumps that were put into made-up runs are found, dated, and not credited to drops that are not there."""

import math

import pytest

from jumping import JUMPS, SMOOTH, of_ten
from lrlib.stats.jumps import date_jumps, searched


def test_a_jump_at_the_drop_is_dated():
    twin = of_ten(SMOOTH, recipe="constant")
    loss, accuracy, lead = date_jumps([JUMPS], [twin], skip=0.2)
    assert (loss.change.epoch, loss.change.size, loss.drop) == (6, 1.5, 5.0)
    assert (accuracy.change.epoch, accuracy.change.size, accuracy.drop) == (7, 0.25, 5.0)
    # the twin falls by 0.5 in epoch 6 too: the lead grows by 1 there, and shrinks after
    assert (lead.change.epoch, lead.change.size, lead.drop) == (6, 1.0, 5.0)


def test_the_opening_is_left_out_and_can_be_kept():
    assert [jump.change.epoch for jump in date_jumps([JUMPS], skip=0.0)] == [2, 2]
    assert [jump.drop for jump in date_jumps([JUMPS], skip=0.0)] == [None, None]


def test_twins_share_the_seed_and_are_as_long():
    twin = of_ten(SMOOTH, recipe="constant", seed=2)
    assert len(date_jumps([JUMPS], [twin])) == 2
    gone = of_ten([9.0, math.nan], recipe="constant", status="diverged")
    assert len(date_jumps([JUMPS], [gone])) == 2
    short = of_ten(SMOOTH[:4], recipe="constant")
    assert len(date_jumps([JUMPS], [short])) == 2


@pytest.mark.parametrize(
    ("epochs", "times", "skip", "counts"),
    [
        # changes end in epochs 2 to 10 of 10; a drop after epoch 5 is near epochs 6 and 7
        (10, [5.0], 0.1, (9, 2)),
        (10, [5.0], 0.2, (8, 2)),
        (10, [5.0], 0.6, (4, 1)),  # epochs 7 to 10
        # source: drops at 14, 29, ... 89 of 100, each near two epochs, none before epoch 11
        (100, [14.0, 29.0, 44.0, 59.0, 74.0, 89.0], 0.1, (90, 12)),
        # the book's own arm: 4.50, 9.00, 13.50, 18.01, 22.51, 27.01 of 30: two epochs each
        (30, [1760 * k / 391 for k in range(1, 7)], 0.1, (27, 12)),
        (10, [], 0.1, (9, 0)),
    ],
)
def test_the_chance_of_a_blind_epoch(epochs, times, skip, counts):
    assert searched(epochs, times, skip=skip) == counts


def test_a_wrong_skip_is_refused():
    with pytest.raises(ValueError, match=r"skip must be in \[0, 1\), got 1.5"):
        date_jumps([JUMPS], skip=1.5)
    with pytest.raises(ValueError, match=r"skip must be in \[0, 1\), got -1"):
        searched(10, [5.0], skip=-1)


def test_a_jump_elsewhere_is_not_the_drops():
    late = of_ten([9.0, 5.0, 4.0, 3.5, 3.0, 2.5, 2.0, 1.5, 0.0, 0.0])
    loss = date_jumps([late], skip=0.2)[0]
    assert (loss.change.epoch, loss.drop) == (9, None)
    assert date_jumps([of_ten([9.0, math.nan], status="diverged")]) == []

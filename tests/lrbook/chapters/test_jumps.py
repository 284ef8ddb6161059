"""Jumps that were put into made-up runs are found, dated, and not credited to drops that are not there.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

import math

import pytest

from grids import grids
from lrbook.chapters.jumps import date_jumps, jump_report, searched
from lrlib.schedules.recipes import DropRecipe
from synthetic import synthetic_run

HALF = DropRecipe(drop_fraction=0.5)  # of 10 epochs: one drop, after epoch 5
SMOOTH = [9.0, 5.0, 4.0, 3.5, 3.0, 2.5, 2.0, 1.5, 1.0, 0.5]
FLAT = [0.25] * 10


def synthetic(losses, accuracies=None, *, recipe=HALF, seed=1, status="finished"):
    columns = {
        "train_loss": losses,
        "test_loss": losses,
        "test_accuracy": (accuracies or FLAT)[: len(losses)],
        "penalty": [0.0] * len(losses),
    }
    return synthetic_run(recipe, columns, seed=seed, status=status, epochs=10)


# The loss falls by 1.5 in epoch 6, the accuracy rises by 0.25 in epoch 7: the drop comes after epoch 5.
JUMPS = synthetic(
    [9.0, 5.0, 4.0, 3.5, 3.0, 1.5, 1.25, 1.0, 0.75, 0.5],
    [0.125, 0.5, 0.5, 0.5, 0.5, 0.5, 0.75, 0.75, 0.75, 0.875],
)


def counts(html):
    """The rows of the last table."""
    return grids(html)[-1][1]


def row(what, seed, *cells):
    numbers = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{what}<br><small>seed {seed}</small></th>{numbers}</tr>'


def test_a_jump_at_the_drop_is_dated():
    twin = synthetic(SMOOTH, recipe="constant")
    loss, accuracy, lead = date_jumps([JUMPS], [twin], skip=0.2)
    assert (loss.change.epoch, loss.change.size, loss.drop) == (6, 1.5, 5.0)
    assert (accuracy.change.epoch, accuracy.change.size, accuracy.drop) == (7, 0.25, 5.0)
    # the twin falls by 0.5 in epoch 6 too: the lead grows by 1 there, and shrinks after
    assert (lead.change.epoch, lead.change.size, lead.drop) == (6, 1.0, 5.0)


def test_the_opening_is_left_out_and_can_be_kept():
    assert [jump.change.epoch for jump in date_jumps([JUMPS], skip=0.0)] == [2, 2]
    assert [jump.drop for jump in date_jumps([JUMPS], skip=0.0)] == [None, None]


def test_a_jump_elsewhere_is_not_the_drops():
    late = synthetic([9.0, 5.0, 4.0, 3.5, 3.0, 2.5, 2.0, 1.5, 0.0, 0.0])
    loss = date_jumps([late], skip=0.2)[0]
    assert (loss.change.epoch, loss.drop) == (9, None)
    html = jump_report([late], skip=0.2)
    assert row("training loss fell", 1, "1.500", 9, "none") in html


def test_twins_share_the_seed_and_are_as_long():
    twin = synthetic(SMOOTH, recipe="constant", seed=2)
    assert len(date_jumps([JUMPS], [twin])) == 2
    gone = synthetic([9.0, math.nan], recipe="constant", status="diverged")
    assert len(date_jumps([JUMPS], [gone])) == 2
    short = synthetic(SMOOTH[:4], recipe="constant")
    assert len(date_jumps([JUMPS], [short])) == 2


def test_what_diverged_is_left_out():
    gone = synthetic([9.0, math.nan], status="diverged")
    assert date_jumps([gone]) == []
    assert jump_report([gone]) == "<p>No run is recorded yet whose jump could be dated.</p>"


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


def test_the_report_counts():
    other = synthetic([9.0, 5.0, 4.0, 3.5, 3.0, 2.5, 2.0, 1.5, 0.0, 0.0], seed=2)
    text = jump_report([JUMPS, other], [synthetic(SMOOTH, recipe="constant")], skip=0.2)
    assert text.count("<small>seed 1</small>") == 3
    assert text.count("<small>seed 2</small>") == 2
    assert row("test accuracy rose", 1, "25.0 points", 7, "after 5.00") in text
    # seed 2: the loss falls most in epoch 9, and its flat accuracy changes by 0 first in epoch 3
    assert "The rate drops after 5.00 epochs. An epoch picked blindly" in text
    assert "in 2 of 8 cases, and the first drop in 2 of 8." in text
    assert counts(text) == [
        ["", "near a drop", "near the first"],
        ["training loss fell", "1 of 2", "1 of 2"],
        ["test accuracy rose", "1 of 2", "1 of 2"],
        ["lead in training loss grew", "1 of 1", "1 of 1"],
    ]
    # until epoch 5 the made-up twins are equal
    assert text.endswith(
        "<p>Before the first drop, with 1 of 1 seeds the twins' losses are the same to the last digit.</p>"
    )


def test_the_report_says_what_comes_without_a_drop():
    # Of what is looked at, SMOOTH falls most in epoch 3, and its flat accuracy "rises" there too; the second
    # falls and rises most in epoch 6, the first after the drop of JUMPS; the third is of another length.
    rise = [0.125] * 5 + [0.5] * 5
    late = synthetic([9.0, 8.9, 8.8, 8.7, 8.6, 4.0, 3.9, 3.8, 3.7, 3.6], rise, recipe="linear", seed=2)
    short = synthetic([9.0, 5.0, 4.0, 0.5], recipe="constant", seed=3)
    text = jump_report([JUMPS], undropped=[synthetic(SMOOTH, recipe="constant"), late, short], skip=0.2)
    assert counts(text) == [
        ["", "near a drop", "near the first", "without drops: near", "near the first"],
        ["training loss fell", "1 of 1", "1 of 1", "1 of 2", "1 of 2"],
        ["test accuracy rose", "1 of 1", "1 of 1", "1 of 2", "1 of 2"],
    ]
    assert text.endswith("<p>Without drops: 2 runs (constant and linear), at the same times.</p>")
    with_twin = jump_report([JUMPS], [synthetic(SMOOTH, recipe="constant")], undropped=[late], skip=0.2)
    assert counts(with_twin)[-1] == ["lead in training loss grew", "1 of 1", "1 of 1", "–", "–"]


def test_the_report_says_how_far_twins_were_apart_before():
    twin = synthetic([9.5, 5.0, 4.0, 3.25, 3.0, *SMOOTH[5:]], recipe="constant")
    apart = "Before the first drop, with seed 1 they differ by up to 0.500.</p>"
    assert jump_report([JUMPS], [twin]).endswith(apart)
    ahead = synthetic([8.5, *SMOOTH[1:]], recipe="constant")  # a lead of -0.5, and then of 0
    assert jump_report([JUMPS], [ahead]).endswith(apart)
    second = [synthetic(SMOOTH, seed=2), synthetic(SMOOTH, recipe="constant", seed=2)]
    assert jump_report([JUMPS, second[0]], [twin, second[1]]).endswith(
        "Before the first drop, with 1 of 2 seeds the twins' losses are the same to the last digit, and with "
        "seed 1 they differ by up to 0.500.</p>"
    )
    at_once = synthetic(SMOOTH, recipe=DropRecipe(drop_fraction=0.05))  # a drop in the middle of epoch 1
    assert "Before the first" not in jump_report([at_once], [twin])


def test_later_drops_are_told_from_the_first():
    thrice = synthetic(
        [9.0, 5.0, 4.0, 3.5, 3.0, 2.5, 2.0, 0.5, 0.5, 0.5], recipe=DropRecipe(drop_fraction=0.3)
    )
    text = jump_report([thrice], skip=0.2)
    # drops after 3, 6 and 9 epochs: near are epochs 4, 5, 7, 8 and 10, of 3 to 10
    assert "drops after 3.00, 6.00, 9.00 epochs. An epoch picked blindly" in text
    assert "in 5 of 8 cases, and the first drop in 2 of 8." in text
    # the loss falls most in epoch 8; the flat accuracy changes by 0 first in epoch 3, before all drops
    assert counts(text)[1:] == [
        ["training loss fell", "1 of 1", "0 of 1"],
        ["test accuracy rose", "0 of 1", "0 of 1"],
    ]


def test_a_rate_that_never_drops_says_so():
    assert jump_report([synthetic(SMOOTH, recipe="constant")]).endswith(
        "<p>The rate of these runs never drops.</p>"
    )


def test_runs_that_drop_at_different_times_are_not_counted_together():
    other = synthetic(SMOOTH, recipe=DropRecipe(drop_fraction=0.3), seed=2)
    with pytest.raises(ValueError, match="must drop at the same times"):
        jump_report([JUMPS, other])


def test_a_wrong_skip_is_refused():
    with pytest.raises(ValueError, match=r"skip must be in \[0, 1\), got 1.5"):
        date_jumps([JUMPS], skip=1.5)
    with pytest.raises(ValueError, match=r"skip must be in \[0, 1\), got -1"):
        searched(10, [5.0], skip=-1)

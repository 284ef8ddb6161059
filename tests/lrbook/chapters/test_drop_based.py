"""The report on jumps: what is counted, and said beside it, on made-up runs worked out by hand."""

import math

import pytest

from grids import grids
from jumping import JUMPS, SMOOTH, of_ten
from lrbook.chapters.drop_based import jump_report
from lrlib.schedules.recipes import DropRecipe


def counts(html):
    """The rows of the last table."""
    return grids(html)[-1][1]


def row(what, seed, *cells):
    numbers = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{what}<br><small>seed {seed}</small></th>{numbers}</tr>'


def test_a_jump_elsewhere_is_not_the_drops():
    late = of_ten([9.0, 5.0, 4.0, 3.5, 3.0, 2.5, 2.0, 1.5, 0.0, 0.0])
    html = jump_report([late], skip=0.2)
    assert row("training loss fell", 1, "1.500", 9, "none") in html


def test_what_diverged_is_left_out():
    gone = of_ten([9.0, math.nan], status="diverged")
    assert jump_report([gone]) == "<p>No run is recorded yet whose jump could be dated.</p>"


def test_the_report_counts():
    other = of_ten([9.0, 5.0, 4.0, 3.5, 3.0, 2.5, 2.0, 1.5, 0.0, 0.0], seed=2)
    text = jump_report([JUMPS, other], [of_ten(SMOOTH, recipe="constant")], skip=0.2)
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
    late = of_ten([9.0, 8.9, 8.8, 8.7, 8.6, 4.0, 3.9, 3.8, 3.7, 3.6], rise, recipe="linear", seed=2)
    short = of_ten([9.0, 5.0, 4.0, 0.5], recipe="constant", seed=3)
    text = jump_report([JUMPS], undropped=[of_ten(SMOOTH, recipe="constant"), late, short], skip=0.2)
    assert counts(text) == [
        ["", "near a drop", "near the first", "without drops: near", "near the first"],
        ["training loss fell", "1 of 1", "1 of 1", "1 of 2", "1 of 2"],
        ["test accuracy rose", "1 of 1", "1 of 1", "1 of 2", "1 of 2"],
    ]
    assert text.endswith("<p>Without drops: 2 runs (constant and linear), at the same times.</p>")
    with_twin = jump_report([JUMPS], [of_ten(SMOOTH, recipe="constant")], undropped=[late], skip=0.2)
    assert counts(with_twin)[-1] == ["lead in training loss grew", "1 of 1", "1 of 1", "–", "–"]


def test_the_report_says_how_far_twins_were_apart_before():
    twin = of_ten([9.5, 5.0, 4.0, 3.25, 3.0, *SMOOTH[5:]], recipe="constant")
    apart = "Before the first drop, with seed 1 they differ by up to 0.500.</p>"
    assert jump_report([JUMPS], [twin]).endswith(apart)
    ahead = of_ten([8.5, *SMOOTH[1:]], recipe="constant")  # a lead of -0.5, and then of 0
    assert jump_report([JUMPS], [ahead]).endswith(apart)
    second = [of_ten(SMOOTH, seed=2), of_ten(SMOOTH, recipe="constant", seed=2)]
    assert jump_report([JUMPS, second[0]], [twin, second[1]]).endswith(
        "Before the first drop, with 1 of 2 seeds the twins' losses are the same to the last digit, and with "
        "seed 1 they differ by up to 0.500.</p>"
    )
    at_once = of_ten(SMOOTH, recipe=DropRecipe(drop_fraction=0.05))  # a drop in the middle of epoch 1
    assert "Before the first" not in jump_report([at_once], [twin])


def test_later_drops_are_told_from_the_first():
    thrice = of_ten([9.0, 5.0, 4.0, 3.5, 3.0, 2.5, 2.0, 0.5, 0.5, 0.5], recipe=DropRecipe(drop_fraction=0.3))
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
    assert jump_report([of_ten(SMOOTH, recipe="constant")]).endswith(
        "<p>The rate of these runs never drops.</p>"
    )


def test_runs_that_drop_at_different_times_are_not_counted_together():
    other = of_ten(SMOOTH, recipe=DropRecipe(drop_fraction=0.3), seed=2)
    with pytest.raises(ValueError, match="must drop at the same times"):
        jump_report([JUMPS, other])

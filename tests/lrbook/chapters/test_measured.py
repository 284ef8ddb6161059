"""What pages say of recorded runs: every branch, on values that are worked out by hand.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

import pytest

import synthetic
from lrbook.chapters.measured import (
    Peak,
    at_cycle_ends,
    cycle_table,
    fall_done,
    higher_peak,
    peak_table,
    peaks,
    whole_cycles,
)
from lrlib.runs.record import Final


def synthetic_run(recipe="linear", accuracies=(0.5, 0.75), *, seed=1, status="finished", **changes):
    """A run with these test accuracies after its epochs; training losses 1 - accuracy."""
    losses = [1.0 - accuracy for accuracy in accuracies]
    columns = {
        "train_loss": losses,
        "train_accuracy": accuracies,
        "test_loss": losses,
        "test_accuracy": accuracies,
    }
    run = synthetic.synthetic_run(recipe, columns, seed=seed, status=status, **changes)
    return run.model_copy(update={"final": run.final and Final(train_loss=0.1, train_accuracy=0.75)})


# ---------------------------------------------------------------- which study


# ---------------------------------------------------------------- how they ended


def test_fall_done():
    run = synthetic_run("linear", (0.0, 0.5, 0.25, 1.0))  # losses 1, 0.5, 0.75, 0
    assert [fall_done(run, fraction=x) for x in (0.01, 0.25, 0.5, 0.75, 1.0)] == [0.0, 0.0, 0.5, 0.25, 1.0]
    assert fall_done(run, fraction=0.5, quantity="test_loss") == 0.5
    back = synthetic_run("linear", (0.0, 1.0, 0.5))  # losses 1, 0, 0.5
    assert fall_done(back, fraction=2 / 3) == 2.0
    with pytest.raises(ValueError, match=r"must fall from its first epoch to its last; got 0\.5 and 1\.0"):
        fall_done(synthetic_run("linear", (0.5, 0.0)), fraction=0.5)
    with pytest.raises(ValueError, match="diverged"):
        fall_done(synthetic_run("linear", (0.0, 0.5), epochs=3, status="diverged"), fraction=0.5)
    with pytest.raises(ValueError, match=r"fraction must be in \(0, 1\], got 0"):
        fall_done(run, fraction=0)


# ---------------------------------------------------------------- cycles


def test_cycle_ends_that_fall_on_epochs():
    ten = synthetic_run("cosine5", [k / 16 for k in range(10)])  # cycles of 2 epochs
    assert at_cycle_ends(ten) == [(2, 1 / 16), (4, 3 / 16), (6, 5 / 16), (8, 7 / 16), (10, 9 / 16)]
    assert at_cycle_ends(ten, "train_loss")[0] == (2, 15 / 16)
    eight = synthetic_run("cosine5", [k / 16 for k in range(8)])  # of 1.6 epochs
    assert at_cycle_ends(eight) == [(8, 7 / 16)]
    assert at_cycle_ends(synthetic_run("cosine", (0.5, 0.75))) == [(2, 0.75)]
    held = synthetic.synthetic_run("cosine5", {"test_accuracy": [k / 16 for k in range(10)]}, of="resnet50")
    assert type(held.config.schedule()).__name__ == "Hold"
    assert at_cycle_ends(held) == at_cycle_ends(ten)
    assert whole_cycles(held)
    gone = synthetic_run("cosine5", [0.5] * 5, epochs=10, status="diverged")
    assert at_cycle_ends(gone) == [(2, 0.5), (4, 0.5)]
    assert [whole_cycles(run) for run in (ten, eight, gone, synthetic_run("cosine"))] == [1, 0, 1, 1]
    for ask in (at_cycle_ends, whole_cycles):
        with pytest.raises(TypeError, match="run must follow CosineAnnealing"):
            ask(synthetic_run("linear"))


def test_cycle_table():
    five = [
        synthetic_run("cosine5", (0.5, 0.75, 0.5, 1.0, 0.5, 1.0, 1.0, 1.0, 0.5, 1.0)),
        synthetic_run("cosine5", (0.5, 0.25, 0.0, 0.5, 0.0, 0.5, 0.75, 1.0, 0.5, 0.5), seed=2),
        synthetic_run("cosine5", (0.5,), seed=3, epochs=10, status="diverged"),
    ]
    one = [synthetic_run("cosine", [k / 8 for k in range(8)] + [1.0, 1.0])]
    assert cycle_table(five, one).splitlines() == [
        "| epoch | cycle ends | one epoch later | single cycle |",
        "| ---: | ---: | ---: | ---: |",
        "| 2 | 50.0% | 25.0% | 12.5% |",
        "| 4 | 75.0% | 25.0% | 37.5% |",
        "| 6 | 75.0% | 87.5% | 62.5% |",
        "| 8 | 100.0% | 50.0% | 87.5% |",
        "| 10 | 75.0% | - | 100.0% |",
        "",
        "One epoch after a restart, mean accuracy was lower in 3 of 4 cases.",
    ]
    short = [synthetic_run("cosine5", [0.5] * 8)]
    assert cycle_table(short, []).splitlines()[2:] == [
        "| 8 | 50.0% | - | - |",
        "",
        "4 of the 5 cycles end inside an epoch, where nothing was measured.",
    ]
    with pytest.raises(ValueError, match="restarted must hold at least one run that finished"):
        cycle_table(five[2:], one)


# ---------------------------------------------------------------- peaks

GOOD, BAD, SOME = Peak((0.9, 0.9), 0), Peak((0.1, 0.2), 2), Peak((0.1, 0.9), 1)


def test_peaks_are_on_the_seeds_that_all_have():
    runs = [
        synthetic_run("linear", (0.5, 0.5), seed=1),
        synthetic_run("triangle", (0.5, 0.75), seed=1),
        synthetic_run("triangle", (0.5, 0.25), seed=2),  # no partner
        synthetic_run("drop", (0.5, 0.5), seed=1),
        synthetic_run("linear", (0.5, 0.25), seed=1, peak_lr=0.3),
        synthetic_run("linear", (0.5,), seed=2, peak_lr=0.3, epochs=2, status="diverged"),
        synthetic_run("triangle", (0.5, 0.49), seed=2, peak_lr=0.3),
        synthetic_run("triangle", (0.5, 0.5), seed=1, peak_lr=0.3),
        synthetic_run("linear", (0.5, 0.5), seed=1, peak_lr=1.0),
    ]
    assert peaks(runs, schedules=["linear", "triangle"]) == {
        0.1: {"linear": Peak((0.5,), 0), "triangle": Peak((0.75,), 0)},
        0.3: {"linear": Peak((0.25, 0.1), 2), "triangle": Peak((0.5, 0.49), 1)},
    }
    assert peaks([], schedules=["linear", "triangle"]) == {}


def test_peak_table():
    assert peak_table({0.1: {"linear": GOOD, "triangle": SOME}}).splitlines() == [
        "| peak rate | linear (failed) | triangle (failed) |",
        "| ---: | ---: | ---: |",
        "| 0.1 | 90.0% (0/2) | 50.0% (1/2) |",
    ]
    with pytest.raises(ValueError, match="found must hold at least one peak rate, got none"):
        peak_table({})


@pytest.mark.parametrize(
    ("triangle", "linear", "said"),
    [
        ((GOOD, GOOD, BAD), (GOOD, BAD, BAD), "triangle bore a higher peak than linear: 0.3 against 0.1"),
        ((GOOD, BAD, BAD), (SOME, BAD, BAD), "triangle bore a higher peak than linear: 0.1 against none of"),
        ((GOOD, SOME, BAD), (GOOD, GOOD, GOOD), "triangle bore a lower peak than linear: 0.1 against 1"),
        ((BAD, BAD, BAD), (GOOD, BAD, BAD), "triangle bore a lower peak than linear: none of these rates"),
        # a rate that works above one that does not is luck
        (
            (GOOD, SOME, GOOD),
            (GOOD, BAD, BAD),
            "no higher peak than linear: no run of either failed up to 0.1",
        ),
        ((GOOD, SOME, GOOD), (GOOD, BAD, BAD), "and above it 1 of triangle and 4 of linear did"),
        ((GOOD, GOOD, GOOD), (GOOD, GOOD, GOOD), "no run of triangle or linear failed, so it cannot tell"),
        ((BAD, GOOD, GOOD), (SOME, GOOD, GOOD), "neither bore even the lowest rate; of all its runs, 2 of"),
    ],
)
def test_higher_peak_has_a_sentence_for_each_outcome(triangle, linear, said):
    rows = zip((0.1, 0.3, 1.0), triangle, linear, strict=True)
    found = {rate: {"triangle": a, "linear": b} for rate, a, b in rows}
    sentence = higher_peak(found, schedule="triangle", reference="linear")
    assert sentence.startswith("On this grid ")
    assert said in sentence
    assert sentence.endswith(".")

"""What several chapters print of recorded runs: every branch, on values that are worked out by hand.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

import math

import pytest

from lrbook.chapters.shared import (
    place_in,
    recorded,
    study_line,
)
from lrlib.runs import store
from lrlib.runs.record import Final
from synthetic import synthetic_run, two_epochs, with_accuracies


def ended(recipe="linear", accuracies=(0.5, 0.75), *, seed=1, **changes):
    """A run with these accuracies after its epochs, and 75 % on the training pictures in the end."""
    run = with_accuracies(recipe, accuracies, seed=seed, **changes)
    return run.model_copy(update={"final": run.final and Final(train_loss=0.1, train_accuracy=0.75)})


# ---------------------------------------------------------------- which runs, and where they come from


def on(day=2, *, recipe="linear", seed=1, commit="a" * 40):
    """A run of one epoch that was recorded on this day of January."""
    provenance = dict(
        started=f"2026-01-{day:02d}T03:04:05+00:00",
        commit=commit,
        versions={"torch": "9.9"},
        hardware="A Processor",
    )
    return synthetic_run(recipe, seed=seed, provenance=provenance)


RUNS = [
    on(recipe="linear", seed=2),
    *(on(recipe="constant", seed=seed) for seed in (1, 2)),
    on(recipe="linear", seed=1),
    *(on(recipe="constant", seed=seed) for seed in (1, 2)),
    on(recipe="linear", seed=1),
]


def test_one_line_for_many_runs():
    line = study_line([*RUNS, on(5, recipe="drop", seed=3, commit="b" * 40)])
    assert line == (
        "8 runs of resnet8 on digits (constant, drop and linear; seeds 1 to 3), recorded from 2 January 2026 "
        "to 5 January 2026 on A Processor (1 thread, fp32) with torch 9.9; commit aaaaaaaaaa and bbbbbbbbbb."
    )
    assert study_line(RUNS[:1], study="toy").startswith(
        "Study toy: 1 run of resnet8 on digits (linear; seed 2), recorded on 2 January 2026 on A Processor"
    )
    gap = [on(seed=seed) for seed in (1, 2, 5)]
    assert study_line(gap).startswith("3 runs of resnet8 on digits (linear; seeds 1, 2 and 5), recorded on")
    with pytest.raises(ValueError, match="runs must hold at least one run, got none"):
        study_line([])
    with pytest.raises(ValueError, match="runs of toy must hold at least one run, got none"):
        study_line([], study="toy")


def test_recorded_takes_what_is_there(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "RECORDED", tmp_path)
    for study, runs in {"a": RUNS[:2], "c": RUNS[4:]}.items():
        for number, run in enumerate(runs):
            store.write_run(run, tmp_path / study / f"{number}.json")
    assert recorded("b") == []
    assert recorded("c", "b", "a") == [*RUNS[4:], *RUNS[:2]]
    assert recorded("c", "a", schedules=["linear"]) == [RUNS[6], RUNS[0]]


# ---------------------------------------------------------------- how they ended


# ---------------------------------------------------------------- a reader's run among ours

OURS = [two_epochs(seed=seed, accuracies=(0.5, end)) for seed, end in ((1, 0.8), (2, 0.75), (3, 0.85))]


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (0.8, "Your run ended at 80.0%, inside the range of our three (75.0% to 85.0%)."),
        (0.85, "Your run ended at 85.0%, inside the range of our three (75.0% to 85.0%)."),
        (
            0.9,
            "Your run ended at 90.0%, above the range of our three (75.0% to 85.0%); "
            "outside it, above or below, one more run ends by luck alone in 2 of 4 cases.",
        ),
        (
            0.5,
            "Your run ended at 50.0%, below the range of our three (75.0% to 85.0%); "
            "outside it, above or below, one more run ends by luck alone in 2 of 4 cases.",
        ),
        (
            0.7496,
            "Your run ended at 74.96%, below the range of our three (75.00% to 85.00%); "
            "outside it, above or below, one more run ends by luck alone in 2 of 4 cases.",
        ),
    ],
)
def test_the_place_of_a_run_among_ours(end, sentence):
    assert place_in(two_epochs(accuracies=(0.5, end)), OURS) == sentence


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (0.8, "Your run ended at 80.0%, level with our only recorded run (80.0%)."),
        (0.9, "Your run ended at 90.0%, above our only recorded run (80.0%)."),
        (0.7, "Your run ended at 70.0%, below our only recorded run (80.0%)."),
    ],
)
def test_one_recorded_run_is_no_range(end, sentence):
    assert place_in(two_epochs(accuracies=(0.5, end)), OURS[:1]) == sentence


def test_runs_that_diverged_count_as_guessing():
    gone = two_epochs(seed=4, accuracies=(math.nan,), status="diverged")
    assert place_in(gone, OURS) == (
        "Your run diverged, which counts as 10%, below the range of our three (75.0% to 85.0%); "
        "outside it, above or below, one more run ends by luck alone in 2 of 4 cases."
    )
    assert place_in(two_epochs(), [*OURS, gone]) == (
        "Your run ended at 75.0%, inside the range of our four (10.0% to 85.0%); one of ours diverged (10%)."
    )


@pytest.mark.parametrize(
    ("mine", "sentence"),
    [
        (two_epochs("constant"), "No recorded run is like yours (differing: recipe), so"),
        (two_epochs(epochs=3, accuracies=(0.5, 0.5, 0.5)), r"yours \(differing: epochs\), so"),
        (two_epochs(peak_lr=0.3), r"yours \(differing: peak_lr\), so"),
        (two_epochs("drop", batch_size=8), r"yours \(differing: batch_size, recipe\), so"),
    ],
)
def test_another_preset_or_schedule_is_refused_in_one_sentence(mine, sentence):
    text = place_in(mine, OURS)
    assert sentence.replace("\\", "") in text
    assert text.endswith("no range to place it in.")
    assert place_in(mine, []) == ("No recorded run is like yours, so there is no range to place it in.")


def test_what_is_no_run_has_no_place():
    with pytest.raises(TypeError, match=r"a Run is needed.*got float"):
        place_in(0.9, OURS)

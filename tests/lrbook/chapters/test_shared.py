"""What several chapters print of recorded runs: every branch, on values that are worked out by hand.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

import math

import pytest

from lrbook.chapters import shared
from lrbook.chapters.shared import (
    ends,
    first_with,
    mean_and_range,
    place_in,
    recorded,
    study_line,
    what_is_shown,
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


def test_a_mean_says_its_range_only_where_there_is_one():
    assert mean_and_range([0.5, 0.6, 0.7]) == "60.0% (50.0% to 70.0%, n = 3)"
    assert mean_and_range([0.25]) == "25.0% (n = 1)"
    with pytest.raises(ValueError, match="at least one value, got none"):
        mean_and_range([])


def test_recorded_takes_what_is_there(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "RECORDED", tmp_path)
    for study, runs in {"a": RUNS[:2], "c": RUNS[4:]}.items():
        for number, run in enumerate(runs):
            store.write_run(run, tmp_path / study / f"{number}.json")
    assert recorded("b") == []
    assert recorded("c", "b", "a") == [*RUNS[4:], *RUNS[:2]]
    assert recorded("c", "a", schedules=["linear"]) == [RUNS[6], RUNS[0]]


def test_the_first_study_that_has_all(monkeypatch):
    studies = {
        "laptop": [ended("linear")],
        "digits": [ended("linear"), ended("poly5"), ended("drop")],
    }
    monkeypatch.setattr(
        shared,
        "recorded",
        lambda study, schedules: [run for run in studies.get(study, ()) if run.label in schedules],
    )
    assert first_with("laptop", "digits", schedules=["linear"]) == studies["laptop"]
    both = first_with("none", "laptop", "digits", schedules=["linear", "poly5"])
    assert [run.label for run in both] == ["linear", "poly5"]
    assert first_with("laptop", "digits", schedules=["linear", "time"]) == []
    studies["laptop"].append(ended("poly5"))  # a new record file alone
    assert first_with("laptop", "digits", schedules=["linear", "poly5"]) == studies["laptop"]


def test_what_is_shown_says_what_is_missing():
    runs = [ended("linear"), ended("poly5")]
    there = what_is_shown(runs, dataset="digits", schedules=["linear", "poly5"])
    assert there == "Shown: 2 runs on digits (linear and poly5)."
    away = what_is_shown(runs, dataset="cifar10", schedules=["linear", "poly5"])
    assert away == (
        "Shown: 2 runs on digits (linear and poly5). On cifar10, runs of both linear and poly5 are not "
        "recorded yet; once they are, they stand here."
    )
    one = what_is_shown(runs[:1], dataset="cifar10", schedules=["linear"])
    assert "Shown: 1 run on digits (linear). On cifar10, the runs of linear are not recorded yet" in one
    assert what_is_shown([], dataset="cifar10", schedules=["linear", "poly5"]) == (
        "No study has runs of both linear and poly5 on record yet."
    )


# ---------------------------------------------------------------- how they ended


def test_ends():
    runs = [
        ended("linear", (0.25, 0.5)),
        ended("linear", (0.25, 0.75), seed=2),
        ended("poly5", (0.25, 0.875)),
    ]
    assert ends(runs).splitlines() == [
        "- **linear** (n = 2): test accuracy 62.5% (50.0% to 75.0%); "
        "training accuracy with the last weights 75.0%.",
        "- **poly5** (n = 1): test accuracy 87.5%; training accuracy with the last weights 75.0%.",
    ]
    # 0.5, 0.75 and 0.55: mean 0.6, sd 0.1323, half interval 4.30265 * 0.1323 / sqrt(3) = 0.3286
    third = ended("linear", (0.25, 0.55), seed=3)
    assert "60.0% (50.0% to 75.0%, 95% interval 27.1% to 92.9%);" in ends([*runs, third])
    gone = [ended("linear", (0.25,), epochs=2, status="diverged")]
    assert ends(gone) == "- **linear** (n = 1): test accuracy 10.0%."
    both = [ended("linear", seed=2), *gone]
    assert ends(both) == "- **linear** (n = 2): test accuracy 42.5% (10.0% to 75.0%)."
    alike = [ended("linear"), ended("linear", seed=2)]
    assert "75.0% (75.0% to 75.0%);" in ends(alike)
    assert ends([]) == ""


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

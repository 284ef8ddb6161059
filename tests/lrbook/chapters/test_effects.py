"""Accuracies over the levels of a factor: tables and sentences, worked out by hand.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

from bs4 import BeautifulSoup

import synthetic
from lrbook.chapters.effects import effect_report, effect_table, leaders_text
from lrbook.chapters.shared import study_line


def synthetic_run(recipe, accuracy, *, seed=1, commit="a" * 40, day=2, path="plain", **changes):
    """A run of one epoch that ended at this test accuracy."""
    provenance = dict(
        started=f"2026-01-{day:02d}T03:04:05+00:00",
        commit=commit,
        versions={"torch": "9.9"},
        hardware="A Processor",
        path=path,
    )
    changes = {"epochs": 1, "seed": seed, "provenance": provenance, **changes}
    return synthetic.synthetic_run(recipe, {"test_accuracy": [accuracy]}, **changes)


def table_of(html):
    """The texts of a table, row by row."""
    rows = BeautifulSoup(html, "html.parser").find_all("tr")
    return [
        [cell.get_text(" ").replace("\N{NO-BREAK SPACE}", " ") for cell in row.find_all(["th", "td"])]
        for row in rows
    ]


# Two levels of the rate, seeds 1 and 2; the better schedule is another one at each.
RUNS = [
    synthetic_run("linear", 0.75, seed=2, peak_lr=0.1),
    synthetic_run("constant", 0.50, seed=1, peak_lr=0.1),
    synthetic_run("constant", 0.60, seed=2, peak_lr=0.1),
    synthetic_run("linear", 0.70, seed=1, peak_lr=0.1),
    synthetic_run("constant", 0.90, seed=1, peak_lr=0.01),
    synthetic_run("constant", 0.92, seed=2, peak_lr=0.01),
    synthetic_run("linear", 0.80, seed=1, peak_lr=0.01),
]


def test_the_table_has_means_and_the_paired_difference_with_its_interval():
    # At 0.1: d = 0.20 and 0.15, mean 17.5 points: two values, and no interval. At 0.01 seed 1 alone has both.
    assert table_of(effect_table(RUNS, "peak_lr", name="rate")) == [
        ["rate", "constant", "linear", "linear - constant, points"],
        ["0.01", "91.0%", "80.0%", "-10.0 n = 1"],
        ["0.1", "55.0%", "72.5%", "+17.5 +20.0 and +15.0, n = 2"],
    ]
    # d = 20, 15 and 10 points: mean 15, sd 5, t(0.975, 2) = 4.30265, half = 4.30265 * 5 / sqrt(3) = 12.42.
    third = [
        synthetic_run(name, at, seed=3, peak_lr=0.1) for name, at in (("linear", 0.7), ("constant", 0.6))
    ]
    assert table_of(effect_table([*RUNS, *third], "peak_lr", name="rate"))[2] == [
        *("0.1", "56.7%", "71.7%", "+15.0 +2.6 to +27.4, n = 3")
    ]


def test_a_schedule_that_a_level_lacks_is_a_dash():
    runs = [synthetic_run("linear", 0.5, peak_lr=0.1), synthetic_run("constant", 0.5, peak_lr=0.2)]
    assert table_of(effect_table(runs, "peak_lr", name="rate"))[1:] == [
        ["0.1", "–", "50.0%", "–"],
        ["0.2", "50.0%", "–", "–"],
    ]


def test_levels_broken_into_lines_stand_in_one_line_of_the_table():
    table = effect_table(RUNS[:4], lambda run: f"net\n{run.config.peak_lr:g}", name="net, rate")
    assert table_of(table)[1][:3] == ["net, 0.1", "55.0%", "72.5%"]


def test_the_report_has_the_table_the_leaders_and_where_the_runs_come_from():
    html = effect_report(RUNS, "peak_lr", name="rate", study="made-up", unit="rate ")
    assert table_of(html) == table_of(effect_table(RUNS, "peak_lr", name="rate"))
    text = BeautifulSoup(html, "html.parser")
    assert [p.get_text() for p in text.find_all("p")] == [
        "Highest mean: constant at rate 0.01; linear at rate 0.1.",
        study_line(RUNS),
    ]
    turned = effect_report(
        RUNS, "peak_lr", name="rate", study="made-up", schedule="constant", reference="linear"
    )
    assert table_of(turned)[1][3] == "+10.0 n = 1"


def level_of(*accuracies, recipe, peak_lr):
    return [
        synthetic_run(recipe, accuracy, seed=seed, peak_lr=peak_lr)
        for seed, accuracy in enumerate(accuracies, 1)
    ]


def test_leaders_where_they_change():
    first = "Highest mean: constant at rate 0.01; linear at rate 0.1."
    assert leaders_text(RUNS, "peak_lr", name="rate ") == first
    # d = 20, 15 and -5 points at 0.1: mean 10, sd 13.2, half = 4.303 * 13.2 / sqrt(3) = 32.9, zero is inside.
    third = [
        synthetic_run(name, at, seed=3, peak_lr=0.1) for name, at in (("linear", 0.5), ("constant", 0.55))
    ]
    assert leaders_text([*RUNS, *third], "peak_lr", name="rate ") == (
        f"{first} The interval of linear - constant leaves out zero at 0 of 1 level."
    )


def test_leaders_where_one_leads_everywhere_and_an_interval_leaves_out_zero():
    # At 0.1: d = 0.10, 0.11, 0.12, mean 0.11, half = 4.303 * 0.01 / sqrt(3) = 0.025: zero is out.
    # At 0.2: d = 0.30, -0.10, 0.05: the mean is above zero, and zero is inside.
    runs = [
        *level_of(0.50, 0.50, 0.50, recipe="constant", peak_lr=0.1),
        *level_of(0.60, 0.61, 0.62, recipe="linear", peak_lr=0.1),
        *level_of(0.60, 0.60, 0.60, recipe="constant", peak_lr=0.2),
        *level_of(0.90, 0.50, 0.65, recipe="linear", peak_lr=0.2),
    ]
    assert leaders_text(runs, "peak_lr") == (
        "Highest mean at each of the 2 levels: linear. "
        "The interval of linear - constant leaves out zero at 1 of 2 levels, 0.1."
    )
    down = leaders_text(runs, "peak_lr", schedule="constant", reference="linear")
    assert down.endswith("The interval of constant - linear leaves out zero at 1 of 2 levels, 0.1.")


def test_a_report_says_the_differences_of_another_schedule_too():
    runs = [
        *level_of(0.50, 0.60, recipe="constant", peak_lr=0.1),
        *level_of(0.75, 0.75, recipe="linear", peak_lr=0.1),
        *level_of(0.40, 0.55, recipe="drop", peak_lr=0.1),
        *level_of(0.50, recipe="constant", peak_lr=0.2),
        *level_of(0.60, recipe="drop", peak_lr=0.2),
        *level_of(0.60, recipe="drop", peak_lr=0.4),  # nothing to compare with
    ]
    report = effect_report(runs, "peak_lr", name="rate", study="s", unit="rate ", also="drop")
    said = (
        "drop - constant: -7.5 points at rate 0.1 (-10.0 and -5.0, n = 2), +10.0 points at rate 0.2 (n = 1)."
    )
    assert said in report.replace("\N{NO-BREAK SPACE}", " ")
    other = effect_report(
        runs[:6], "peak_lr", name="rate", study="s", also="drop", schedule="linear", reference="linear"
    )
    assert "drop - linear: -27.5 points at 0.1 (-35.0 and -20.0" in other
    assert "drop - " not in effect_report(runs, "peak_lr", name="rate", study="s")


def test_who_runs_alone_does_not_lead():
    both = [*level_of(0.5, recipe="constant", peak_lr=0.1), *level_of(0.6, recipe="linear", peak_lr=0.1)]
    alone = level_of(0.9, recipe="constant", peak_lr=0.2)
    assert leaders_text([*both, *alone], "peak_lr") == "Highest mean: linear at 0.1."
    apart = [*level_of(0.6, recipe="linear", peak_lr=0.1), *alone]
    assert leaders_text(apart, "peak_lr") == "No level has runs of two schedules yet that could be compared."
    assert "<p></p>" not in effect_report(apart, "peak_lr", name="rate", study="s", also="linear")
    other = level_of(0.8, recipe="constant", peak_lr=0.1)
    assert leaders_text([*other, *alone], "peak_lr") == "Highest mean at each of the 2 levels: constant."


def test_failed_runs_are_said_and_lead_nowhere():
    runs = [
        *level_of(0.90, 0.91, recipe="constant", peak_lr=0.1),
        *level_of(0.90, 0.40, recipe="linear", peak_lr=0.1),
        *level_of(0.10, 0.12, recipe="constant", peak_lr=1.0),
        *level_of(0.10, 0.11, recipe="linear", peak_lr=1.0),
    ]
    assert leaders_text(runs, "peak_lr", name="rate ") == (
        "Highest mean: constant at rate 0.1. "
        "Every run failed (most answers wrong) at rate 1.0, where a difference in the table is one between "
        "failures. Some runs failed at rate 0.1."
    )
    assert leaders_text(runs[:4], "peak_lr").endswith(" Some runs failed (most answers wrong) at 0.1.")
    assert leaders_text(runs[4:], "peak_lr") == "Every run failed: most of its answers are wrong."


def test_leaders_that_are_level():
    runs = [synthetic_run(recipe, 0.5) for recipe in ("linear", "constant", "drop")]
    assert leaders_text(runs, "epochs", name="epochs ") == (
        "Highest mean: constant, drop and linear (tied) at epochs 1."
    )

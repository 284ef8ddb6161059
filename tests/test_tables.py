"""Table 1.1 and the decisions below it: cells by hand from synthetic runs and from print.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

import math
import re

import pytest
from bs4 import BeautifulSoup
from test_charts import synthetic_run
from test_published import SOURCE, SURVEY

from lrlib import records, tables
from lrlib.recipes import RECIPES
from lrlib.stats import FAMILY, compare_all
from lrlib.tables import Entry

NONE_YET = [Entry("no run yet", columns=5)]


def filled(runs, **how):
    return tables.measured(runs, title="t", note="n", **how)


def words(tag):
    return [cell.get_text(" ", strip=True) for cell in tag.find_all(["th", "td"])]


def grids(html):
    """Each table as caption and rows of cell texts."""
    found = BeautifulSoup(html, "html.parser").find_all("table")
    return [
        (
            table.caption.get_text(" ", strip=True) if table.caption else "",
            [*map(words, table.find_all("tr"))],
        )
        for table in found
    ]


def width(html):
    """The columns that each row fills."""
    rows = BeautifulSoup(html, "html.parser").find_all("tr")
    return [sum(int(cell.get("colspan", 1)) for cell in row.find_all(["th", "td"])) for row in rows]


# ---------------------------------------------------------------- measured arms


def test_one_run_is_its_last_epoch():
    # synthetic_run: losses are 1 - accuracy, the penalty is 0.01
    arm = filled([synthetic_run("linear", accuracies=(0.5, 0.75))])
    assert arm.rows["linear"] == [
        Entry("0.2500"),
        Entry("0.0100"),
        Entry("0.2500"),
        Entry("75.0%"),
        Entry("75.0%"),
    ]
    assert arm.counts == {"linear": 1}
    assert list(arm.rows) == list(RECIPES)
    assert all(arm.rows[name] == NONE_YET for name in RECIPES if name != "linear")


def test_seeds_give_the_mean_and_half_an_interval():
    # accuracies 0.74, 0.75, 0.76: mean 0.75, sd 0.01; t (97.5 %, 2 degrees) = 4.30265, / sqrt(3): 0.0248
    runs = [
        synthetic_run("drop", seed=s, accuracies=(0.5, end)) for s, end in ((1, 0.74), (2, 0.75), (3, 0.76))
    ]
    assert filled(runs).rows["drop"] == [
        Entry("0.2500", "±\N{NO-BREAK SPACE}0.0248"),
        Entry("0.0100"),
        Entry("0.2500", "±\N{NO-BREAK SPACE}0.0248"),
        Entry("75.0%", "±\N{NO-BREAK SPACE}2.5"),
        Entry("75.0%", "±\N{NO-BREAK SPACE}2.5"),
    ]
    assert filled(runs).counts == {"drop": 3}


def test_a_diverged_run_counts_as_guessing_and_is_named():
    # test accuracy: (0.7 + 0.1) / 2, and two values instead of an interval
    gone = synthetic_run("constant", seed=2, accuracies=(0.5, math.nan), status="diverged")
    arm = filled([synthetic_run("constant", seed=1, accuracies=(0.5, 0.7)), gone])
    assert [entry.text for entry in arm.rows["constant"]] == ["0.3000", "0.0100", "0.3000", "70.0%", "40.0%"]
    assert arm.rows["constant"][4].spread == "10.0 and 70.0"
    assert arm.diverged == (("constant", 2),)
    (caption, _), *_ = grids(tables.table_1_1([arm]))
    assert "Diverged, 10% in test accuracy and left out elsewhere: constant with seed 2." in caption
    alone = filled([gone]).rows["constant"]
    assert [entry.text for entry in alone] == ["diverged"] * 4 + ["10.0%"]


def test_a_schedule_outside_the_study_is_told_from_a_missing_run():
    arm = filled([], schedules=["constant"])
    assert arm.rows["constant"] == NONE_YET
    assert arm.rows["cosine"] == [Entry("not in this study", columns=5)]
    assert arm.counts == {}
    there = filled([synthetic_run("cosine")], schedules=["constant"])
    assert there.rows["cosine"][4] == Entry("75.0%")


def test_a_new_record_alone_fills_its_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RECORDED", tmp_path)
    before = tables.arms()
    assert [arm.counts for arm in before] == [{}] * 5
    folder = tmp_path / "survey-laptop"
    folder.mkdir()
    run = synthetic_run("poly5", seed=1, epochs=8, accuracies=[0.5] * 7 + [0.875])
    records.write_run(run, folder / "poly5-seed1.json")
    after = tables.arms()
    assert after[:4] == before[:4]
    changed = {name for name in RECIPES if after[4].rows[name] != before[4].rows[name]}
    assert changed == {"poly5"}
    assert after[4].rows["poly5"][4] == Entry("87.5%")
    assert after[4].counts == {"poly5": 1}


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ([synthetic_run("linear"), synthetic_run("linear", peak_lr=0.3)], "differ in schedule and seed only"),
        ([synthetic_run("linear"), synthetic_run("linear")], "linear, seed 0, twice"),
    ],
)
def test_runs_of_two_studies_are_refused(runs, sentence):
    with pytest.raises(ValueError, match=sentence):
        filled(runs)


def test_a_schedule_that_is_none_of_the_eight_is_refused():
    from lrlib.recipes import PolynomialRecipe

    with pytest.raises(ValueError, match=r"schedule must be one of .*got 'poly2'"):
        filled([synthetic_run(PolynomialRecipe(power=2))])


# ---------------------------------------------------------------- printed arms


def test_the_survey_is_as_printed():
    rows = tables.arms({})[0].rows
    for line in SURVEY.strip().splitlines():
        name, accuracy, loss = line.split()
        assert rows[name] == [
            Entry(loss, "with penalty", columns=2),
            Entry("–"),
            Entry("–"),
            Entry(accuracy),
        ]
    for name in ("triangle", "cosine", "cosine5"):
        assert rows[name] == [Entry("not in the survey's table", columns=5)]


def test_the_source_is_as_logged():
    rows = tables.arms({})[1].rows
    for line in SOURCE.strip().splitlines():
        name, loss, accuracy, test_loss, test_accuracy, _ = line.split()
        assert rows[name] == [
            Entry(loss, "with penalty", columns=2),
            Entry(test_loss, "with penalty"),
            Entry(accuracy),
            Entry(test_accuracy),
        ]
    assert rows["triangle"] == [Entry("not in the source", columns=5)]


# ---------------------------------------------------------------- as HTML


def names(head):
    """The schedules that a row is about; its head may end in n."""
    return head.split(" n = ")[0].split(", ")


def test_five_tables_with_a_head_and_all_eight_schedules():
    html = tables.table_1_1(tables.arms({"survey-laptop": [synthetic_run("linear")]}))
    found = grids(html)
    titles = [re.match(r"([a-e])\. (.*?)\.", caption) for caption, _ in found]
    assert [title[1] for title in titles] == list("abcde")
    head = ["schedule", *tables.COLUMNS.values()]
    for _, rows in found:
        assert rows[0] == head
        assert [name for row in rows[1:] for name in names(row[0])] == list(RECIPES)
    assert set(width(html)) == {6}
    laptop = {row[0]: row[1:] for row in found[4][1]}
    assert laptop["linear n = 1"] == ["0.2500", "0.0100", "0.2500", "75.0%", "75.0%"]
    # Neighbours without a run share a row, within their reason.
    assert [row for row in found[4][1] if len(row) == 2] == [
        ["constant, time, drop", "no run yet"],
        ["poly5, triangle, cosine, cosine5", "no run yet"],
    ]
    assert found[1][1][-1] == ["triangle, cosine, cosine5", "not in the source"]
    assert found[2][1][1:] == [
        ["constant, time, drop, linear, poly5", "no run yet"],
        ["triangle, cosine, cosine5", "not in this study"],
    ]
    assert found[3][1][1:] == [[", ".join(RECIPES), "no run yet"]]


def test_text_is_escaped():
    html = tables.table_1_1([tables.measured([], title="a < b", note="c & d")])
    assert "a &lt; b" in html
    assert "c &amp; d" in html


# ---------------------------------------------------------------- decisions


def test_decisions_are_those_of_the_plan():
    # differences 0.04, 0.05, 0.06: mean 5 points, sd 1; family of 1: 5 -+ 4.30265 / sqrt(3) = 2.52 to 7.48
    values = {"constant": {1: 0.77, 2: 0.78, 3: 0.76}, "linear": {1: 0.81, 2: 0.83, 3: 0.82}}
    compared = compare_all(values, pairs=[("linear", "constant")])
    ((caption, rows),) = grids(tables.decision_table(compared))
    assert caption == "Against constant"
    # t = 5 / (1 / sqrt(3)) = 8.66 with 2 degrees of freedom: p = 1 - t / sqrt(t^2 + 2) = 0.0131
    assert rows == [
        ["schedule", "points", "n", "verdict"],
        ["linear", "+5.00 +2.52 to +7.48", "3", "better p = 0.013"],
    ]


def test_the_p_below_as_good_as_is_that_of_equivalence():
    # d = 0.01, 0, 0, 0.01 points, far inside the margin of one point; it may be no difference at all
    compared = compare_all({"linear": HIGH, "cosine": NEAR}, pairs=[("cosine", "linear")])
    assert compared[0].verdict_p == compared[0].equivalence_holm_p < 1e-4 < compared[0].holm_p
    ((_, rows),) = grids(tables.decision_table(compared))
    assert rows[1][-1] == "as good as p < 0.0001"
    assert "Holm p < 0.0001 of equivalence, n = 4" in compared[0].sentence()


def test_a_difference_whose_interval_holds_zero_is_explained():
    # d = 4, 1, 3, 2 points (test_stats.py, on paper): p = 0.030466 alone; two intervals reach 4.1765 standard
    # errors of 0.6455 points, past zero. Holm asks for 0.05 of it once drop, with its tiny p, is settled.
    values = {
        "constant": dict.fromkeys(range(4), 0.7),
        "time": {0: 0.74, 1: 0.71, 2: 0.73, 3: 0.72},
        "drop": {0: 0.8, 1: 0.803, 2: 0.806, 3: 0.803},
    }
    compared = compare_all(values, pairs=[("drop", "constant"), ("time", "constant")])
    assert [c.verdict for c in compared] == ["better", "better"]
    assert [c.interval[0] > 0 for c in compared] == [True, False]
    said = tables.past_zero(compared)
    assert said.startswith("Told apart though its interval holds zero: time against constant. An interval is")
    assert tables.past_zero(compared[:1]) == ""
    down = compare_all(values, pairs=[("constant", "drop"), ("constant", "time")])
    assert "zero: constant against time." in tables.past_zero(down)  # worse counts as well as better
    alone = {name: values[name] for name in ("constant", "time")}
    assert tables.past_zero(compare_all(alone, pairs=[("time", "constant")])) == ""  # one question, one rule
    both = compare_all(
        {**values, "linear": values["time"]},
        pairs=[("drop", "constant"), ("time", "constant"), ("linear", "drop"), ("linear", "constant")],
    )
    assert [c.verdict for c in both][1] == "not decidable"  # two such p, each doubled
    assert tables.past_zero(both) == ""


def test_a_table_for_each_reference_with_every_pair():
    compared = compare_all({"constant": {1: 0.5}, "linear": {1: 0.75}})
    found = dict(grids(tables.decision_table(compared)))
    assert list(found) == ["Against constant", "Against linear"]
    assert [row[0] for rows in found.values() for row in rows[1:]] == [pair[0] for pair in FAMILY]
    by_name = {row[0]: row[1:] for row in found["Against constant"]}
    assert by_name["linear"] == ["+25.00", "1", "not decidable"]
    assert by_name["drop"] == ["–", "0", "not decidable"]


UP = {1: 0.504, 2: 0.505, 3: 0.506, 4: 0.505}  # better than LEVEL, by half a point
LEVEL = {1: 0.5, 2: 0.5, 3: 0.501, 4: 0.5}
HIGH = {1: 0.91, 2: 0.92, 3: 0.93, 4: 0.92}
NEAR = {1: 0.9101, 2: 0.92, 3: 0.93, 4: 0.9201}  # within 0.01 points of HIGH


@pytest.mark.parametrize(
    ("values", "pairs", "sentence"),
    [
        (
            {"constant": {1: 0.5}, "linear": {1: 0.75}},
            [("linear", "constant"), ("drop", "constant")],
            "Of 2 comparisons, none can be tested yet: no pair shares two seeds. Nothing is decided.",
        ),
        (
            {"constant": {1: 0.5, 2: 0.5}, "linear": {1: 0.75, 2: 0.75}},
            [("linear", "constant")],
            "Of 1 comparison, none can be tested yet: the differences do not vary over the seeds. "
            "Nothing is decided.",
        ),
        (
            {"constant": LEVEL, "linear": HIGH},
            [("linear", "constant")],
            "Of 1 comparison, 1 is *better*, on 4 seeds each.",
        ),
        (
            {"constant": LEVEL, "linear": HIGH, "cosine": NEAR, "drop": {1: 0.4, 2: 0.7, 3: 0.5}},
            [("linear", "constant"), ("cosine", "linear"), ("constant", "cosine"), ("drop", "linear")],
            "Of 4 comparisons, 1 is *better*, 1 is *worse*, 1 is *as good as* and 1 is *not decidable*, "
            "on between 3 and 4 shared seeds.",
        ),
        (
            {"constant": {1: 0.5, 2: 0.6}, "linear": {1: 0.7, 2: 0.5}, "drop": {1: 0.5, 2: 0.7}},
            [("linear", "constant"), ("drop", "linear")],
            "None of the 2 comparisons can be decided yet, on 2 seeds each.",
        ),
        (
            {"constant": LEVEL, "linear": HIGH, "cosine": NEAR},
            [("linear", "constant"), ("cosine", "constant")],
            "Of 2 comparisons, 2 are *better*, on 4 seeds each.",
        ),
        # by less than a point is decided too
        (
            {"constant": LEVEL, "linear": UP, "drop": UP},
            [("linear", "constant"), ("constant", "drop")],
            "Of 2 comparisons, 1 is *better* and 1 is *worse*, on 4 seeds each.",
        ),
    ],
)
def test_what_is_decided_is_said_from_the_comparisons(values, pairs, sentence):
    assert tables.decided(compare_all(values, pairs=pairs)) == sentence


ALL = [synthetic_run(name, seed=seed) for seed in (1, 2, 3) for name in RECIPES]


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ([], "None of the 24 planned runs is recorded yet."),
        (ALL, "All 24 planned runs are recorded."),
        (ALL[:1], "So far 1 of the 24 planned runs are recorded, one a schedule at most"),
        (ALL[:8], "So far 8 of the 24 planned runs are recorded, one a schedule at most"),
        (ALL[:9], "So far 9 of the 24 planned runs are recorded: a schedule with one run has no interval"),
        (
            ALL[:16],
            "So far 16 of the 24 planned runs are recorded, at least 2 of each schedule. With so few seeds",
        ),
        ([*ALL, synthetic_run("drop", seed=4)], "All 24 planned runs are recorded."),
    ],
)
def test_what_is_recorded_so_far(runs, sentence):
    assert tables.so_far(runs, seeds=3).startswith(sentence)


def test_from_four_seeds_on_intervals_shrink():
    assert tables.so_far(ALL, seeds=5).startswith(
        "So far 24 of the 40 planned runs are recorded, at least 3 of each schedule. With so few seeds"
    )
    fourth = [synthetic_run(name, seed=4) for name in RECIPES]
    assert tables.so_far([*ALL, *fourth], seeds=5) == (
        "So far 32 of the 40 planned runs are recorded, at least 4 of each schedule: "
        "most intervals will shrink."
    )


def test_how_far_an_interval_reaches():
    # Of a family of 13: t(1 - 0.05 / 26) is 165.5 with 1 degree (the cotangent of 0.05 pi / 26), and 16.08
    # with 2, by (1 - t / sqrt(2 + t^2)) / 2 = 0.05 / 26. The plan has 2.69 for five seeds.
    comparisons = compare_all({"constant": {1: 0.5, 2: 0.6, 3: 0.5}, "linear": {1: 0.7, 2: 0.5}})
    assert tables.reached(comparisons, planned=5) == (
        "An interval over 2 seeds reaches 117.0 standard deviations to each side, one over 5 seeds 2.7."
    )
    comparisons = compare_all({name: {1: 0.5, 2: 0.6, 3: 0.5} for name in ("constant", "linear")})
    assert "over 3 seeds reaches 9.3 standard" in tables.reached(comparisons, planned=5)

"""Table 1.1: cells by hand from synthetic runs and from print.

All runs in this file are synthetic: made here, never measured, never shipped.
"""

import math
import re

import pytest
from bs4 import BeautifulSoup

from grids import grids
from lrbook import finding
from lrbook.chapters import shared, table_1_1
from lrbook.chapters._write import Entry
from lrbook.chapters.claims import verdicts
from lrlib import load_runs
from lrlib.runs import store
from lrlib.schedules.recipes import SURVEY as SCHEDULES
from printed_tables import SOURCE, SURVEY
from synthetic import two_epochs

NONE_YET = [Entry("no run yet", columns=5)]


def filled(runs, **how):
    return table_1_1.from_runs(runs, title="t", note="n", **how)


def width(html):
    """The columns that each row fills."""
    rows = BeautifulSoup(html, "html.parser").find_all("tr")
    return [sum(int(cell.get("colspan", 1)) for cell in row.find_all(["th", "td"])) for row in rows]


# ---------------------------------------------------------------- recorded parts


def test_one_run_is_its_last_epoch():
    # two_epochs: losses are 1 - accuracy, the penalty is 0.01
    part = filled([two_epochs("linear", accuracies=(0.5, 0.75))])
    assert part.rows["linear"] == [
        Entry("0.2500"),
        Entry("0.0100"),
        Entry("0.2500"),
        Entry("75.0%"),
        Entry("75.0%"),
    ]
    assert part.counts == {"linear": 1}
    assert list(part.rows) == list(SCHEDULES)
    assert all(part.rows[name] == NONE_YET for name in SCHEDULES if name != "linear")


def test_seeds_give_the_mean_and_half_an_interval():
    # accuracies 0.74, 0.75, 0.76: mean 0.75, sd 0.01; t (97.5 %, 2 degrees) = 4.30265, / sqrt(3): 0.0248
    runs = [two_epochs("drop", seed=s, accuracies=(0.5, end)) for s, end in ((1, 0.74), (2, 0.75), (3, 0.76))]
    assert filled(runs).rows["drop"] == [
        Entry("0.2500", "± 0.0248"),
        Entry("0.0100"),
        Entry("0.2500", "± 0.0248"),
        Entry("75.0%", "± 2.5"),
        Entry("75.0%", "± 2.5"),
    ]
    assert filled(runs).counts == {"drop": 3}


def test_a_spread_too_small_to_print_is_no_zero():
    # three seeds apart by 1e-6: a loss of 0.25 -+ 2.5e-6, and 75.0 % -+ 0.00025 points
    runs = [two_epochs("drop", seed=i, accuracies=(0.5, 0.75 + i * 1e-6)) for i in (0, 1, 2)]
    spreads = [entry.spread for entry in filled(runs).rows["drop"]]
    assert spreads == [f"± {x}" if x else "" for x in ("<0.0001", "", "<0.0001", "<0.1", "<0.1")]


def test_a_diverged_run_counts_as_guessing_and_is_named():
    # test accuracy: (0.7 + 0.1) / 2, and two values instead of an interval
    gone = two_epochs("constant", seed=2, accuracies=(0.5, math.nan), status="diverged")
    part = filled([two_epochs("constant", seed=1, accuracies=(0.5, 0.7)), gone])
    assert [entry.text for entry in part.rows["constant"]] == ["0.3000", "0.0100", "0.3000", "70.0%", "40.0%"]
    assert part.rows["constant"][4].spread == "10.0 and 70.0"
    assert part.diverged == (("constant", 2),)
    (caption, _), *_ = grids(table_1_1.table_1_1([part]))
    assert "Diverged, 10% in test accuracy and left out elsewhere: constant with seed 2." in caption
    alone = filled([gone]).rows["constant"]
    assert [entry.text for entry in alone] == ["diverged"] * 4 + ["10.0%"]


def test_a_schedule_outside_the_study_is_told_from_a_missing_run():
    part = filled([], schedules=["constant"])
    assert part.rows["constant"] == NONE_YET
    assert part.rows["cosine"] == [Entry("not in this study", columns=5)]
    assert part.counts == {}
    there = filled([two_epochs("cosine")], schedules=["constant"])
    assert there.rows["cosine"][4] == Entry("75.0%")


def test_a_new_record_alone_fills_its_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "RECORDED", tmp_path)
    before = table_1_1.parts()
    assert [part.counts for part in before] == [{}] * 5
    folder = tmp_path / "survey-laptop"
    folder.mkdir()
    run = two_epochs("poly5", seed=1, epochs=8, accuracies=[0.5] * 7 + [0.875])
    store.write_run(run, folder / "poly5-seed1.json")
    after = table_1_1.parts()
    assert after[:4] == before[:4]
    changed = {name for name in SCHEDULES if after[4].rows[name] != before[4].rows[name]}
    assert changed == {"poly5"}
    assert after[4].rows["poly5"][4] == Entry("87.5%")
    assert after[4].counts == {"poly5": 1}


def test_what_a_gpu_recorded_stands_for_the_experiment_and_is_never_mixed(tmp_path, monkeypatch):
    """One run of the CPU's study, one of the GPU's: table, ledger and chapters take the GPU's alone."""
    monkeypatch.setattr(store, "RECORDED", tmp_path)
    # what was read of the true records is kept for the pages
    monkeypatch.setattr(finding, "_read", finding._read.__wrapped__)
    for study, seed, accuracy in (("source", 0, 0.5), ("source-gpu", 1, 0.875)):
        run = two_epochs("linear", of="source", seed=seed, epochs=8, accuracies=[accuracy] * 8)
        (tmp_path / study).mkdir()
        store.write_run(run, tmp_path / study / f"linear-seed{seed}.json")
        assert store.preferred_study("source") == study
        source = table_1_1.parts()[2]
        assert source.rows["linear"][4] == Entry(f"{accuracy:.1%}")
        assert source.counts == {"linear": 1}
        for runs in (verdicts.evidence()["source"], shared.recorded("source", "source-gpu")):
            assert [run.config.seed for run in runs] == [seed]


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ([two_epochs("linear"), two_epochs("linear", peak_lr=0.3)], "differ in schedule and seed only"),
        ([two_epochs("linear"), two_epochs("linear")], "linear, seed 0, twice"),
    ],
)
def test_runs_of_two_studies_are_refused(runs, sentence):
    with pytest.raises(ValueError, match=sentence):
        filled(runs)


def test_a_schedule_that_is_none_of_the_eight_is_refused():
    from lrlib.schedules.recipes import PolynomialRecipe

    with pytest.raises(ValueError, match=r"schedule must be one of .*got 'poly2'"):
        filled([two_epochs(PolynomialRecipe(power=2))])


# ---------------------------------------------------------------- printed parts


def test_the_survey_is_as_printed():
    rows = table_1_1.parts({})[0].rows
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
    rows = table_1_1.parts({})[1].rows
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


def test_a_part_without_a_run_is_one_sentence():
    html = table_1_1.table_1_1(table_1_1.parts({"laptop": [two_epochs("linear")]}))
    sentences = [p.get_text() for p in BeautifulSoup(html, "html.parser").find_all("p")]
    assert sentences == [
        "c. Our runs of the source's experiment. No run of it is recorded.",
        "d. Our runs of what the survey's words say. No run of it is recorded.",
    ]


def test_five_tables_with_a_head_and_all_eight_schedules():
    runs = {name: [two_epochs("linear")] for name in ("source", "resnet50", "laptop")}
    html = table_1_1.table_1_1(table_1_1.parts(runs))
    found = grids(html)
    assert "<p>" not in html
    titles = [re.match(r"([a-e])\. (.*?)\.", caption) for caption, _ in found]
    assert [title[1] for title in titles] == list("abcde")
    head = ["schedule", *table_1_1.COLUMNS.values()]
    for _, rows in found:
        assert rows[0] == head
        assert [name for row in rows[1:] for name in names(row[0])] == list(SCHEDULES)
    assert set(width(html)) == {6}
    laptop = {row[0]: row[1:] for row in found[4][1]}
    assert laptop["linear n = 1"] == ["0.2500", "0.0100", "0.2500", "75.0%", "75.0%"]
    # Neighbours without a run share a row, within their reason.
    assert [row for row in found[4][1] if len(row) == 2] == [
        ["constant, time, drop", "no run yet"],
        ["poly5, triangle, cosine, cosine5", "no run yet"],
    ]
    assert found[1][1][-1] == ["triangle, cosine, cosine5", "not in the source"]
    assert [row for row in found[2][1] if len(row) == 2] == [
        ["constant, time, drop", "no run yet"],
        ["poly5", "no run yet"],
        ["triangle, cosine, cosine5", "not in this study"],
    ]


@pytest.mark.parametrize(
    ("letter", "study", "missing"),
    [
        ("c", "source-gpu", ["triangle, cosine, cosine5"]),
        ("d", "resnet50-gpu", []),
    ],
)
def test_the_page_has_the_runs_that_a_gpu_recorded(letter, study, missing):
    html = table_1_1.table_1_1()
    found = [(caption[0], rows) for caption, rows in grids(html)]
    assert [each for each, _ in found] == list("abcde")
    assert "No run of it is recorded." not in html
    ours = {row[0].split(" n = ")[0]: row[1:] for row in dict(found)[letter][1:]}
    for run in load_runs(study):
        last = run.epochs[-1]
        assert ours[run.label] == [
            *(f"{value:.4f}" for value in (last.train_loss, last.penalty, last.test_loss)),
            *(f"{100 * value:.1f}%" for value in (last.train_accuracy, last.test_accuracy)),
        ]
    assert [head for head, cells in ours.items() if len(cells) == 1] == missing


def test_halves_are_rounded_up_as_in_the_sentences():
    # their mean is 82.25 %
    runs = [two_epochs("drop", seed=s, accuracies=(0.5, end)) for s, end in ((1, 0.822), (2, 0.823))]
    assert filled(runs).rows["drop"][-1] == Entry("82.3%", "82.2 and 82.3")


def test_text_is_escaped():
    html = table_1_1.table_1_1([table_1_1.from_runs([two_epochs("linear")], title="a < b", note="c & d")])
    assert "a &lt; b" in html
    assert "c &amp; d" in html


# ---------------------------------------------------------------- how far the study is


ALL = [two_epochs(name, seed=seed) for seed in (1, 2, 3) for name in SCHEDULES]

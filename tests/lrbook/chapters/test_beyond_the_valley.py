"""What the valley cannot explain: every finding stands on the records, and falls when they change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import findings as rules
from findings import configured, constants, learned_less, measured, swapped, without
from lrbook.chapters import beyond_the_valley
from lrbook.finding import Records
from lrlib.plots.two_widths import COLOR
from lrlib.schedules.recipes import SURVEY, LinearRecipe

ROOT = Path(__file__).parents[3]
CIFAR10 = "survey-laptop"
EIGHT = "constant time drop linear poly5 triangle cosine cosine5"


def final_training(label: str, accuracy: float):
    """The last weights of some runs have another part of the training images right."""

    def alter(records: Records) -> None:
        records[CIFAR10] = [
            run.model_copy(update={"final": run.final.model_copy(update={"train_accuracy": accuracy})})
            if label in (run.label, "all")
            else run
            for run in records[CIFAR10]
        ]

    return alter


ALTERATIONS = {
    "linear and constant swapped": swapped(CIFAR10, "linear", "constant"),
    "linear and time swapped": swapped(CIFAR10, "linear", "time"),
    "drop and linear swapped": swapped(CIFAR10, "drop", "linear"),
    "cosine5 and time swapped": swapped(CIFAR10, "cosine5", "time"),
    "test loss turns late in one run": measured(
        CIFAR10, "linear", "test_loss", lambda e, x: x - 0.5 * (e == 20), seeds=[3]
    ),
    "test loss hardly rises": measured(CIFAR10, EIGHT, "test_loss", lambda e, x: 0.8 + abs(e - 6) / 1e3),
    "test loss falls": measured(CIFAR10, EIGHT, "test_loss", lambda e, x: 1.5 / e),
    "mistakes are cheap": measured(CIFAR10, EIGHT, "test_loss", lambda e, x: x / 3),
    "test accuracy falls": measured(CIFAR10, "poly5", "test_accuracy", lambda e, x: x - 0.002 * e),
    "all of CIFAR-10 alike": measured(CIFAR10, EIGHT, "test_accuracy", lambda e, x: 0.8),
    "linear forgets some training images": learned_less(CIFAR10, "linear"),
    "nobody has all": final_training("all", 0.9995),
    "constant learns by heart": final_training("constant", 1.0),
    "drops learn as much as time-based": measured(CIFAR10, "drop", "train_loss", lambda e, x: x / 10),
    "cosine5's weights small": measured(CIFAR10, "cosine5", "penalty", lambda e, x: 0.8 * x),
    "constant's weights small": measured(CIFAR10, "constant", "penalty", lambda e, x: x / 2),
    "time's weights large": measured(CIFAR10, "time", "penalty", lambda e, x: 3 * x),
    "linear's penalty rises to the end": measured(CIFAR10, "linear", "penalty", lambda e, x: 0.0042 * e),
    "constant is best": measured(CIFAR10, "constant", "test_accuracy", lambda e, x: x + 0.1),
    "a run is missing": without(CIFAR10, "time", 5),
    "a run with another weight decay": configured(CIFAR10, "linear", weight_decay=0.0),
    "a run with another peak rate": configured(CIFAR10, "linear", peak_lr=0.05),
    "an augmented run": configured(CIFAR10, "linear", augmentation="flip_shift"),
    "time-based decay spends a third": constants(
        beyond_the_valley, _spent=lambda run: {"time": 0.3, "drop": 0.2, "poly5": 0.2}.get(run.label, 0.5)
    ),
}
NAMES = rules.findings(beyond_the_valley)
# What may stand in an author's words with a number: the classes of CIFAR-10, and what is compared.
ALLOWED = r"ten classes|The same two groups|Figure 5\.6|arxiv\.org/abs/[\d.]+"


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(beyond_the_valley, ALTERATIONS, ALLOWED)
)


def test_headings_and_findings_of_the_page():
    rules.check_page(beyond_the_valley, plain_headings=set())


test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(beyond_the_valley)


def test_figure_5_6_shows_gaps_and_penalties_of_the_records():
    gap, penalty = beyond_the_valley.gap_figure().wide.axes
    for name in SURVEY:
        runs = Records().runs(CIFAR10, name)
        assert len(runs) == 5  # the caption
        (gaps,), (weights,) = (
            [line for line in axes.lines if line.get_color() == COLOR[name]] for axes in (gap, penalty)
        )
        for epoch in (0, 14, 29):
            here = [run.epochs[epoch] for run in runs]
            wanted = sum(each.test_loss - each.train_loss for each in here) / 5
            assert gaps.get_ydata()[epoch] == pytest.approx(wanted)
            assert weights.get_ydata()[epoch] == pytest.approx(sum(each.penalty for each in here) / 5)
        assert gaps.get_xdata()[0] == 1.0  # after the epoch; the penalty is an average over it
        assert weights.get_xdata()[0] == 0.5


def test_what_a_schedule_spends_by_hand():
    run = Records().runs(CIFAR10, "linear")[0]
    total = run.config.total_steps
    assert run.config.recipe == LinearRecipe()
    assert beyond_the_valley._spent(run) == pytest.approx((total + 1) / (2 * total))  # 1 + ... + T over T * T
    half, little = beyond_the_valley._by_spending(Records())
    assert (half, little) == (["linear", "triangle", "cosine", "cosine5"], ["time", "drop", "poly5"])


def test_it_stands_after_linear_decay_and_leads_to_the_next_page():
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    pages = [chapter["file"].rpartition("/")[2] for part in parts for chapter in part["chapters"]]
    place = pages.index("beyond_the_valley")
    assert pages[place - 1] == "linear"
    text = (rules.BOOK / "survey" / "beyond_the_valley.md").read_text(encoding="utf-8")
    (target,) = re.findall(r"^Next: \[[^]]+\]\((\w+)\.ipynb\)", text, re.M)
    assert target == pages[place + 1]


def test_the_page_has_600_to_900_words():
    said = [getattr(beyond_the_valley, name.partition(".")[2])().text for name in NAMES]
    prose = [each["source"] for each in rules.cells("beyond_the_valley") if each["cell_type"] == "markdown"]
    assert 600 <= len("\n".join([*said, *prose]).split()) <= 900

"""A fair race: findings stand on the records of both stages, and the race is judged again another way."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from scipy import stats

import findings as rules
from findings import constants, measured, swapped
from lrbook.chapters import fair_race, own_rates
from lrbook.finding import Records
from lrlib.runs.store import RECORDED
from lrlib.schedules.recipes import RECIPES, SURVEY
from run_page import run_page

STAGE_A, RACE, MAP = "modern-digits", "fair-digits", "laptop-map-gpu"
ALL, EIGHT = " ".join(RECIPES), " ".join(SURVEY)


def accuracy(study: str, labels: str, value, **config):
    """The test accuracies of some runs are others."""
    return measured(study, labels, "test_accuracy", lambda epoch, x: value(x), seeds=range(1, 300), **config)


def best_rate_at(rate: float, labels: str):
    """Some schedules have by far their lowest held-out loss at this rate."""
    return measured(STAGE_A, labels, "test_loss", lambda e, x: x / 100, seeds=range(1, 300), peak_lr=rate)


ALTERATIONS = {
    "race: linear better": accuracy(RACE, "linear", lambda x: x + 0.008),
    "race: linear poor": accuracy(RACE, "linear", lambda x: x - 0.03),
    "race: far apart": accuracy(RACE, ALL, lambda x: 1 - 20 * (1 - x)),
    "race: all alike": accuracy(RACE, ALL, lambda x: 0.98 + x / 1000),
    "race: constant last": accuracy(RACE, "constant", lambda x: x - 0.05),
    "race: constant first": accuracy(RACE, "constant", lambda x: x + 0.006),
    "race: poor": accuracy(RACE, ALL, lambda x: x - 0.2),
    "race: exponential poor": accuracy(RACE, "exponential", lambda x: x - 0.003),
    "race: wsd and constant swapped": swapped(RACE, "wsd", "constant"),
    "race: 1cycle and drop swapped": swapped(RACE, "1cycle", "drop"),
    "shared: all alike at 0.1": accuracy(STAGE_A, ALL, lambda x: 0.97 + x / 100, peak_lr=0.1),
    "shared: constant good at 0.1": accuracy(STAGE_A, "constant", lambda x: 0.97, peak_lr=0.1),
    "shared: only constant poor at 0.1": accuracy(
        STAGE_A, ALL.replace("constant ", ""), lambda x: 0.97 + x / 100, peak_lr=0.1
    ),
    "shared: apart at the chosen rates": accuracy(STAGE_A, "drop", lambda x: x - 0.05, peak_lr=0.01),
    "best at an end": best_rate_at(1.0, "wsd"),
    "all best at 0.03": best_rate_at(0.03, ALL),
    "map: constant and triangle swapped": swapped(MAP, "constant", "triangle"),
    "map: poly5 and triangle swapped": swapped(MAP, "poly5", "triangle"),
    "map: all alike": accuracy(MAP, EIGHT, lambda x: 0.8 + x / 100),
    "map: all best at 0.03": accuracy(MAP, EIGHT, lambda x: x + 0.1, peak_lr=0.03),
    "map: one block": rules.of_seeds(MAP, 1),
    "map: alike at the best rates": accuracy(MAP, "time drop poly5 constant", lambda x: x + 0.01),
    "map: constant good at 0.1": accuracy(MAP, "constant", lambda x: x + 0.1, peak_lr=0.1),
    "map: constant very poor at 0.1": accuracy(MAP, "constant", lambda x: x - 0.1, peak_lr=0.1),
    "map: two blocks": rules.of_seeds(MAP, 1, 2),
    "map: cosine poor in each seed": accuracy(MAP, "cosine", lambda x: x - 0.03),
    "race: cosine_floor better": accuracy(RACE, "cosine_floor", lambda x: (1 + x) / 2),
    "a narrower margin for level": constants(fair_race, APART=0.001),
}
ALLOWED = r"two sides of figure 18\.2|last two are|eight schedules, rates chosen|then five seeds"


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(fair_race, ALTERATIONS, ALLOWED)
)
test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(fair_race)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "Eighteen schedules, each at its own rate",
        "Predict: how much of the spread is the rate?",
        "Choose the rate on other images than those you report",
        "Try it: two rates for two schedules",
        "What is new here, and how sure it is",
    }
    rules.check_page(fair_race, plain_headings=plain, inside={"two_of_the_race_text"})


# The race, judged again from the files


def ends(study: str, *, rate: float | None = None) -> dict[str, dict[str, float]]:
    """The last test accuracies from the files: schedule -> what the name says further -> accuracy."""
    found: dict[str, dict[str, float]] = {}
    for path in (RECORDED / study).glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        if rate in (None, record["config"]["peak_lr"]):
            name, _, rest = path.stem.partition("-")
            found.setdefault(name, {})[rest] = record["epochs"][-1]["test_accuracy"]
    return found


def test_the_verdicts_are_those_of_a_count_by_hand():
    """scipy's paired t test, two one-sided ones, and Holm's steps from the largest p down."""
    found = ends(RACE)
    seeds = sorted(found["linear"])
    assert len(seeds) == 20
    others = [name for name in found if name != "linear"]
    d = {name: np.array([found[name][s] - found["linear"][s] for s in seeds]) for name in others}
    differ = {name: stats.ttest_1samp(each, 0).pvalue for name, each in d.items()}
    close = {
        name: max(
            stats.ttest_1samp(each, -0.01, alternative="greater").pvalue,
            stats.ttest_1samp(each, 0.01, alternative="less").pvalue,
        )
        for name, each in d.items()
    }
    for p_values, of in ((differ, "holm_p"), (close, "equivalence_holm_p")):
        least = 0.0
        for rank, name in enumerate(sorted(p_values, key=p_values.get)):
            least = max(least, min(1.0, (len(others) - rank) * p_values[name]))
            assert getattr(fair_race.comparisons(Records())[name], of) == pytest.approx(least, rel=1e-6), name
    for name, each in fair_race.comparisons(Records()).items():
        half = stats.t.ppf(1 - 0.025 / 17, 19) * d[name].std(ddof=1) / math.sqrt(20)
        assert each.interval == pytest.approx((d[name].mean() - half, d[name].mean() + half)), name


def test_the_predictions_are_judged_the_same_from_the_files():
    own = {name: np.mean(list(each.values())) for name, each in ends(RACE).items()}
    common = {name: np.mean(list(each.values())) for name, each in ends(STAGE_A, rate=0.1).items()}
    assert {len(each) for each in ends(STAGE_A, rate=0.1).values()} == {5}
    level = [own[name] for name in ("linear", "rex", "triangle", "cosine", "wsd_sqrt", "wsd", "1cycle")]
    came_true = [
        np.ptp(list(own.values())) < np.ptp(list(common.values())) / 2,
        np.ptp(level) <= 0.003,
        set(sorted(own, key=own.get)[:2]) <= {"constant", "clr", "noam"},
    ]
    assert list(fair_race.came_true(Records()).values()) == came_true
    words = " ".join(fair_race.spans_text().text.split())
    assert f"They span {100 * np.ptp(list(own.values())):.2f} points" in words
    assert f"They lie within {100 * np.ptp(level):.2f}" in words


def test_the_seven_and_the_three_are_those_of_the_plan():
    plan = (rules.BOOK.parent / "studies" / f"{STAGE_A}.toml").read_text(encoding="utf-8")
    words = " ".join(plan.replace("#", " ").split())
    (seven,) = re.findall(r"In stage B ([\w, ]+) and 1cycle lie within 0\.3 points", words)
    assert (*seven.split(", "), "1cycle") == fair_race.LEVEL
    assert "among constant, clr and noam, which do not end low" in words
    assert {"constant", "clr", "noam"} == fair_race.LAST


def test_the_page_chooses_as_the_rule_does(capsys):
    page = run_page("fair_race")
    assert set(page.figures) == {"18.1", "18.2", "18.3", "18.4"}
    held_out = own_rates.held_out(own_rates.stage_a(Records()))["constant"]
    printed = dict(
        line.split() for line in capsys.readouterr().out.splitlines() if re.match(r"[\d.]+ +\d", line)
    )
    assert {float(peak): loss for peak, loss in printed.items()} == {
        peak: f"{loss:.3f}" for peak, loss in held_out.items()
    }


def test_the_live_rates_are_the_chosen_ones():
    chosen = own_rates.chosen_rates(own_rates.held_out(own_rates.stage_a(Records())))
    code = "".join("".join(cell["source"]) for cell in rules.cells("fair_race"))
    pairs = re.findall(r'\("(constant|linear)", ([\d.]+)\)', code)
    assert len(pairs) == 2
    assert all(chosen[name] == float(rate) for name, rate in pairs)

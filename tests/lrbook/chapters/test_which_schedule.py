"""Which schedule should I use: the advice stands on the records, and falls when they change."""

from __future__ import annotations

import json
import re

import findings as rules
from findings import constants, measured, swapped
from lrbook.chapters import one_bound, snapshots, which_schedule
from lrbook.finding import Records
from lrlib.runs.store import RECORDED
from lrlib.schedules.recipes import RECIPES, SURVEY
from lrlib.theory import worst_case

CIFAR10, BUDGETS, DIGITS, MAP = "survey-laptop", "horizon", "peak-digits", "laptop-map-gpu"
STAGE_A, RACE = "modern-digits", "fair-digits"
EIGHT, EIGHTEEN = " ".join(SURVEY), " ".join(RECIPES)


LINEAR = which_schedule._linear


ENDS = snapshots.ends()

ALTERATIONS = {
    "second look: triangle and linear swapped": swapped("triangle-laptop", "triangle", "linear"),
    "one long run excellent": constants(snapshots, ends=lambda: ENDS | {"long": 0.9}),
    "laptop: triangle and constant swapped": swapped(CIFAR10, "triangle", "constant"),
    "laptop: linear and constant swapped": swapped(CIFAR10, "linear", "constant"),
    "laptop: cosine and drop swapped": swapped(CIFAR10, "cosine", "drop"),
    "laptop: cosine5 and time swapped": swapped(CIFAR10, "cosine5", "time"),
    "laptop: triangle clearly ahead": measured(CIFAR10, "triangle", "test_accuracy", lambda e, x: x + 0.05),
    "map: constant excellent at 0.01": measured(
        MAP, "constant", "test_accuracy", lambda e, x: x + 0.03, peak_lr=0.01
    ),
    "budgets: linear poor when short": measured(
        BUDGETS, "linear", "test_accuracy", lambda e, x: x - 0.08, epochs=5
    ),
    "budgets: linear far ahead when long": measured(
        BUDGETS, "linear", "test_accuracy", lambda e, x: x + 0.1, epochs=40
    ),
    "map: triangle and time swapped": swapped(MAP, "triangle", "time"),
    "map: all alike": measured(MAP, EIGHT, "test_accuracy", lambda e, x: 0.8),
    "map: one block": rules.of_seeds(MAP, 1),
    "digits: triangle and constant swapped": swapped(DIGITS, "triangle", "constant"),
    "digits: constant and time swapped": swapped(DIGITS, "constant", "time"),
    "digits: nearly alike": measured(DIGITS, EIGHT, "test_accuracy", lambda e, x: 0.98 + x / 1000),
    "digits: nearly alike at 0.1": measured(
        DIGITS, EIGHT, "test_accuracy", lambda e, x: 0.98 + x / 1000, peak_lr=0.1
    ),
    "digits: linear always first": lambda records: first_everywhere(records),
    "a line that is half as long": constants(
        which_schedule, _linear=lambda steps: LINEAR(steps if steps == 100 else 50)
    ),
    "map: constant excellent": measured(
        MAP, "constant", "test_accuracy", lambda e, x: x + 0.03, peak_lr=0.01
    ),
    "map: constant best at 0.1": measured(
        MAP, "constant", "test_accuracy", lambda e, x: x + 0.1, peak_lr=0.1
    ),
    "map: constant poor in each block": measured(
        MAP, "constant", "test_accuracy", lambda e, x: 0.7, seeds=range(9)
    ),
    "race: the triangle poor at 0.1": measured(
        STAGE_A, "triangle", "test_accuracy", lambda e, x: x - 0.2, seeds=[101], peak_lr=0.1
    ),
    "race: wsd poor": measured(RACE, "wsd", "test_accuracy", lambda e, x: x - 0.02, seeds=range(300)),
    "race: eighteen alike at 0.1": measured(
        STAGE_A, EIGHTEEN, "test_accuracy", lambda e, x: 0.97 + x / 100, seeds=[101], peak_lr=0.1
    ),
    "race: wsd best at 0.1": measured(
        STAGE_A, "wsd", "test_loss", lambda e, x: x / 100, seeds=[101], peak_lr=0.1
    ),
    "own rates all alike": constants(one_bound, own_rates=lambda records: dict.fromkeys(SURVEY, 0.02)),
}
ALLOWED = "|".join(
    (
        r"2405\.15682|1704\.00109|[aA] line to zero|one number less|first two are",
        r"a third of linear decay's|twice it or more",
    )
)


def first_everywhere(records: Records) -> None:
    """Linear decay's training losses are far below all others, at every rate."""
    records[DIGITS] = [
        run.model_copy(update={"final": run.final.model_copy(update={"train_loss": 1e-9})})
        if run.label == "linear"
        else run
        for run in records[DIGITS]
    ]


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(which_schedule, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "The path",
        "Pre-training a language model",
        "AdamW",
        "Fine-tuning",
        "What this page does not know",
    }
    rules.check_page(which_schedule, plain_headings=plain)


def test_each_situation_says_what_stands_behind_it():
    """Every piece of advice is marked as measured, proved or read, and how strong it is."""
    page = "\n".join("".join(cell["source"]) for cell in rules.cells("which_schedule"))
    for call in re.findall(r"chapter\.(\w+)\(\)", page):
        page = page.replace(f"chapter.{call}()", getattr(which_schedule, call)().text)
    parts = re.split(r"^## ", page, flags=re.M)[1:]
    advice = [part for part in parts if not part.startswith(("The path", "What this page"))]
    assert len(advice) == 9
    for part in advice:
        assert re.search(r"\*(Measured|Read|Proved)", part), part[:40]
        assert re.search(r"strong|moderate|weak", part, re.I), part[:40]
        assert part.partition("\n")[2].lstrip().startswith("**"), part[:40]


def test_the_worst_rates_of_the_eighteen_are_counted_again():
    """From the files: the lowest mean over five folds, of the rates from 0.003 to 0.1."""
    ends = {}
    for path in (RECORDED / STAGE_A).glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        at = (path.stem.partition("-")[0], record["config"]["peak_lr"])
        ends.setdefault(at, []).append(round(200 * record["epochs"][-1]["test_accuracy"]))
    right = {at: sum(folds) for at, folds in ends.items() if 0.002 < at[1] < 0.2}
    low = {name: min(right[name, rate] for rate in (0.003, 0.01, 0.03, 0.1)) for name in RECIPES}
    better = sorted((name for name in low if low[name] > low["triangle"]), key=low.get, reverse=True)
    words = " ".join(which_schedule.untuned_text().text.split())
    assert f"{', '.join(better[:-1])} and {better[-1]} came out higher" in words
    ends_at = [f"{low[name] / 10:.1f}%" for name in (better[0], better[-1], "triangle")]
    assert "({} to {}, and {} for the triangle)".format(*ends_at) in words


def test_a_cooldown_over_the_last_fifth_costs_less_than_a_tenth():
    """Said on the page; by the bound, for 1,000 updates and for 10,000."""
    for steps in (1_000, 10_000):
        held = worst_case(lambda t, steps=steps: min(1.0, (steps - t) / (0.2 * steps)), steps=steps)
        line = worst_case(lambda t, steps=steps: 1 - t / steps, steps=steps)
        assert 1.05 < held.best_value / line.best_value < 1.1

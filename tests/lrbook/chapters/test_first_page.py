"""The first page: five findings that stand on the records, and eight small pictures."""

from __future__ import annotations

import json

import findings as rules
from findings import constants, measured, swapped, without
from lrbook.chapters import first_page, map_plan
from lrbook.finding import Records
from lrlib.schedules.recipes import SURVEY

CIFAR10, DIGITS, BUDGETS, DIGIT_PEAKS = "survey-laptop", "survey-digits", "horizon", "peak-digits"
MAP = "laptop-map-gpu"
EIGHT = "constant time drop linear poly5 triangle cosine cosine5"
ALTERATIONS = {
    "second look: triangle and linear swapped": swapped("triangle-laptop", "triangle", "linear"),
    "map: constant worse at 0.01": measured(
        MAP, "constant", "test_accuracy", lambda e, x: x - 0.03, peak_lr=0.01
    ),
    "map: one block": rules.of_seeds(MAP, 1),
    "map: linear better at 0.3": measured(MAP, "linear", "test_accuracy", lambda e, x: x + 0.03, peak_lr=0.3),
    "drop and constant swapped": swapped(CIFAR10, "drop", "constant"),
    "drop and linear swapped": swapped(CIFAR10, "drop", "linear"),
    "cosine and time swapped": swapped(CIFAR10, "cosine", "time"),
    "constant and cosine5 swapped": swapped(CIFAR10, "constant", "cosine5"),
    "triangle far ahead": measured(CIFAR10, "triangle", "test_accuracy", lambda e, x: x + 0.05),
    "triangle far behind": measured(CIFAR10, "triangle", "test_accuracy", lambda e, x: x - 0.05),
    "all of CIFAR-10 alike": measured(CIFAR10, EIGHT, "test_accuracy", lambda e, x: 0.8),
    "constant steady": measured(CIFAR10, "constant", "test_accuracy", lambda e, x: 0.774),
    "a constant run is missing": without(CIFAR10, "constant", 5),
    "a drop run is missing": without(CIFAR10, "drop", 5),
    "digits: drop and constant swapped": swapped(DIGITS, "drop", "constant"),
    "digits: a drop run is missing": without(DIGITS, "drop", 1),
    "digits: all five far apart": measured(DIGITS, "drop time", "test_accuracy", lambda e, x: x + 0.2),
    "budgets: drop and constant swapped": swapped(BUDGETS, "drop", "constant"),
    "budgets: drop far behind at 40": measured(
        BUDGETS, "drop", "test_accuracy", lambda e, x: x - 0.06, epochs=40
    ),
    "budgets: drop better at 5": measured(BUDGETS, "drop", "test_accuracy", lambda e, x: x + 0.05, epochs=5),
    "budgets: linear worse at 5": measured(
        BUDGETS, "linear", "test_accuracy", lambda e, x: x - 0.08, epochs=5
    ),
    "map: another common rate": constants(map_plan, COMMON=0.3),
    "digits: the peak rate does not matter": measured(DIGIT_PEAKS, EIGHT, "test_accuracy", lambda e, x: 0.9),
}
NAMES = rules.findings(first_page)


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(first_page, ALTERATIONS, r"(?!)")
)


def test_the_page_has_five_findings_and_eight_pictures_each_with_its_chapter():
    assert first_page.five_findings_text().text.count("\n") == 4
    pictures = first_page.small_multiples()._repr_html_()
    assert pictures.count("<svg") == pictures.count("<a href=") == 8
    assert list(first_page.CHAPTER) == list(SURVEY)
    for _, page in first_page.CHAPTER.values():
        assert f'href="survey/{page}.html"' in pictures
        assert (rules.BOOK / "survey" / f"{page}.ipynb").is_file()


def test_the_page_shows_every_finding_of_its_module():
    page = (rules.BOOK / "index.md").read_text(encoding="utf-8")
    for name in ("counts_text", "five_findings_text", "small_multiples", "one_run_finds_the_big_gaps"):
        assert page.count(f"first_page.{name}(") == 1
    shown = {write.__name__ for write in first_page.FIVE_FINDINGS} | {"one_run_finds_the_big_gaps"}
    assert {name.partition(".")[2] for name in NAMES} == shown


def test_counts_are_those_of_the_records():
    from lrlib.runs.store import RECORDED

    files = len(list(RECORDED.glob("*/*.json")))
    assert f"Eight schedules · {files:,} recorded trainings · 3 exercises" in first_page.counts_text(3).text


def test_spans_on_the_digits_are_counted_again():
    """From the files, in images: at the shared rate, and each seed at what the other two find best."""
    from lrlib.runs.store import RECORDED

    right: dict[str, dict[float, dict[int, int]]] = {}
    for path in (RECORDED / "peak-digits").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        rate, seed = record["config"]["peak_lr"], record["config"]["seed"]
        at = right.setdefault(path.stem.partition("-")[0], {}).setdefault(rate, {})
        at[seed] = round(797 * record["epochs"][-1]["test_accuracy"])
    shared, own = [], []
    for at in right.values():
        shared.append(sum(at[0.1].values()))
        seeds = sorted(at[0.1])
        # at a tie the smaller rate
        best = {
            seed: max(sorted(at), key=lambda rate: sum(at[rate][one] for one in seeds if one != seed))
            for seed in seeds
        }
        own.append(sum(at[best[seed]][seed] for seed in seeds))
    spans = [100 * (max(each) - min(each)) / 3 / 797 for each in (shared, own)]
    words = " ".join(first_page.much_of_it_is_the_rate().text.split())
    assert f"span of the eight schedules from {spans[0]:.1f} points to {spans[1]:.1f}." in words


def test_rankings_by_hand():
    """Two runs each of two schedules that overlap, three others far apart: two rankings."""
    records = Records()
    ends = {
        "constant": (0.1, 0.1),
        "time": (0.2, 0.4),
        "drop": (0.3, 0.3),
        "linear": (0.6, 0.6),
        "poly5": (0.5, 0.5),
    }
    runs = []
    for name, values in ends.items():
        for run, value in zip(Records().runs(CIFAR10, name)[:2], values, strict=True):
            last = run.epochs[-1].model_copy(update={"test_accuracy": value})
            runs.append(run.model_copy(update={"epochs": (*run.epochs[:-1], last)}))
    records["made up"] = runs
    assert first_page.rankings(records, "made up") == {
        ("linear", "poly5", "drop", "time", "constant"),
        ("linear", "poly5", "time", "drop", "constant"),
    }

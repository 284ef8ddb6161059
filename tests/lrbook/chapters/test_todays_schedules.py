"""Today's schedules: findings stand on the records of stage A; predictions are judged again another way."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from scipy.stats import rankdata

import findings as rules
from findings import constants, measured, swapped
from lrbook.chapters import own_rates, todays_schedules
from lrbook.finding import Records
from lrlib.runs.store import RECORDED
from lrlib.schedules.modern import MODERN
from lrlib.schedules.recipes import RECIPES
from lrlib.theory import worst_case
from run_page import run_page

STUDY, RACE = "modern-digits", "fair-digits"
ALL = " ".join(RECIPES)
PLAN = (rules.BOOK.parent / "studies" / f"{STUDY}.toml").read_text(encoding="utf-8")
PREDICTED = todays_schedules.predicted


def with_loss(labels: str, value, column: str = "test_loss"):
    """Some runs end with another loss: `value` of peak rate and loss, held out or of the training."""

    def alter(records: Records) -> None:
        records[STUDY] = [
            _ending(run, column, value) if run.label in labels.split() else run for run in records[STUDY]
        ]

    return alter


def _ending(run, column: str, value):
    rate = run.config.peak_lr
    if column == "train_loss":
        final = run.final.model_copy(update={"train_loss": value(rate, run.final.train_loss)})
        return run.model_copy(update={"final": final})
    last = run.epochs[-1]
    last = last.model_copy(update={column: value(rate, getattr(last, column))})
    return run.model_copy(update={"epochs": (*run.epochs[:-1], last)})


def as_predicted(column: str = "test_loss", only=None):
    """All losses, or those at one rate, are the bounds themselves."""

    def alter(records: Records) -> None:
        for name in RECIPES:
            config = records.runs(STUDY, name)[0].config
            bound = worst_case(config.schedule(), steps=config.total_steps)
            unit = PREDICTED(records)[name] / bound.best_peak_lr

            def value(rate, loss, bound=bound, unit=unit):
                return bound.at(rate / unit) if only in (None, rate) else loss

            with_loss(name, value, column)(records)

    return alter


ALTERATIONS = {
    "as the bound says": as_predicted(),
    "at 0.1 as the bound says": as_predicted(only=0.1),
    "training as the bound says": as_predicted("train_loss"),
    "turned round": with_loss(ALL, lambda rate, x: 1 / x),
    "turned round at 0.001": with_loss(ALL, lambda rate, x: 1 / x if rate == 0.001 else x),
    "steep bowls": with_loss(ALL, lambda rate, x: x**4),
    "exponential and noam swapped": swapped(STUDY, "exponential", "noam"),
    "wsd and noam swapped": swapped(STUDY, "wsd", "noam"),
    "constant and time swapped": swapped(STUDY, "constant", "time"),
    "poly5 and wsd swapped": swapped(STUDY, "poly5", "wsd"),
    "linear far worse": with_loss("linear", lambda rate, x: 20 * x),
    "all learn at 0.3": measured(STUDY, ALL, "test_accuracy", lambda e, x: 0.9, seeds=[101], peak_lr=0.3),
    "with a warm-up less": with_loss(" ".join(todays_schedules.WARMED), lambda rate, x: x * rate),
    "with a warm-up far more": with_loss(" ".join(todays_schedules.WARMED), lambda rate, x: x / rate),
    "time bears most": with_loss("time", lambda rate, x: x / rate**4),
    "all bear more": with_loss(ALL, lambda rate, x: x / rate**2),
    "wsd learns slowly": measured(RACE, "wsd", "train_loss", lambda e, x: 3 * x, seeds=range(300)),
    "1cycle learns little": measured(RACE, "1cycle", "train_loss", lambda e, x: 3 * x, seeds=range(300)),
    "wsd ends poor": measured(RACE, "wsd", "test_accuracy", lambda e, x: x - 0.05, seeds=range(300)),
    "other bounds": constants(
        todays_schedules,
        predicted=lambda records: dict(zip(RECIPES, reversed(PREDICTED(records).values()), strict=True)),
    ),
    "linear's bound is lower": constants(
        todays_schedules, predicted=lambda records: {**PREDICTED(records), "linear": 0.03}
    ),
}
ALLOWED = (
    r"the ten|[Tt]he three|same three|three things|first two|no two neighbors|five folds|the two are|1cycle"
    r"|; 1 would be the same order"
)


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(todays_schedules, ALTERATIONS, ALLOWED)
)
test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(todays_schedules)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "Ten shapes that the survey does not have",
        "Predict: who wants a high peak, who a low one?",
        "What each is, and what it is for",
        "Try it: hold, or cycle",
        "What is new here, and how sure it is",
    }
    rules.check_page(todays_schedules, plain_headings=plain, inside={"race_of_two_text"})


# The plan, read as text


def test_the_bounds_best_rates_are_those_of_the_plan():
    words = " ".join(PLAN.replace("#", " ").split())
    written = dict(re.findall(r"(\w+) (\.\d{4})\b", words))
    assert len(written) == len(RECIPES)
    found = PREDICTED(Records())
    assert list(found) == list(RECIPES)
    for name, number in written.items():
        assert f"{found[name]:.4f}".lstrip("0") == number, name


def test_those_that_warm_up_are_those_of_the_plan():
    (named,) = re.findall(r"schedules with a warm-up \(([^)]+)\)", PLAN)
    assert tuple(named.split(", ")) == todays_schedules.WARMED
    for name, recipe in RECIPES.items():
        rates = [recipe.build(total_steps=1280, steps_per_epoch=160)(t) for t in range(60)]
        rises = rates[0] < 0.5 and rates == sorted(rates)
        assert rises == (name in (*todays_schedules.WARMED, "clr")), name


# The judgement, again: from the files, with a parabola solved by hand


def vertex(losses: dict[float, float]) -> float:
    """The lowest point of the parabola through three points, by Newton's divided differences."""
    rates = sorted(losses)
    i = rates.index(min(losses, key=losses.get))
    (x, y, z), (a, b, c) = (
        [math.log(rate) for rate in rates[i - 1 : i + 2]],
        [math.log(losses[rate]) for rate in rates[i - 1 : i + 2]],
    )
    first, second = (b - a) / (y - x), (c - b) / (z - y)
    bend = (second - first) / (z - x)
    return math.exp((x + y) / 2 - first / (2 * bend))


def judged() -> tuple[dict[str, float], dict[str, float]]:
    """Predicted best rates as the plan prints them, and measured ones."""
    found: dict[str, dict[float, float]] = {}
    for path in (RECORDED / STUDY).glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        at = found.setdefault(path.stem.split("-")[0], {})
        rate = record["config"]["peak_lr"]
        at[rate] = at.get(rate, 0.0) + record["epochs"][-1]["test_loss"] / 5
    words = " ".join(PLAN.replace("#", " ").split())
    theory = {name: float(number) for name, number in re.findall(r"(\w+) (\.\d{4})\b", words)}
    return theory, {name: vertex(losses) for name, losses in found.items()}


def spearman(a, b) -> float:
    """The correlation of the ranks."""
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def test_the_predictions_are_judged_the_same_from_the_files():
    theory, ours = judged()
    for name, rate in todays_schedules.measured(Records()).items():
        assert ours[name] == pytest.approx(rate, rel=1e-6), name
    fit = spearman([theory[name] for name in MODERN], [ours[name] for name in MODERN])
    ratio = {name: ours[name] / theory[name] for name in RECIPES}
    warmed = np.median([ratio[name] for name in todays_schedules.WARMED])
    others = np.median([x for name, x in ratio.items() if name not in todays_schedules.WARMED])
    came_true = [
        fit >= 0.6,
        sorted(MODERN, key=ours.get)[-1] == "exponential",
        all(ours[name] < ours["linear"] for name in ("wsd", "wsd_sqrt", "clr")),
        warmed > others,
    ]
    assert list(todays_schedules.came_true(Records()).values()) == came_true
    words = " ".join(todays_schedules.best_rates_text().text.split())
    assert f"It is {fit:.2f}: *came true, by a hair*" in words
    words = " ".join(todays_schedules.warmup_text().text.split())
    assert f"is {warmed:.2f} for them and {others:.2f} for the other" in words


def test_scatter_from_fold_to_fold_is_counted_again():
    """Of the ten: single folds' rank correlations, the median move of a best rate, and the bound's span."""
    theory, _ = judged()
    losses: dict[tuple[str, int], dict[float, float]] = {}
    for path in (RECORDED / STUDY).glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        at = losses.setdefault((path.stem.split("-")[0], record["config"]["fold"]), {})
        at[record["config"]["peak_lr"]] = record["epochs"][-1]["test_loss"]
    best = {at: vertex(each) for at, each in losses.items() if at[0] in MODERN}
    fits = [
        spearman([theory[name] for name in MODERN], [best[name, fold] for name in MODERN])
        for fold in range(1, 6)
    ]
    moves = []
    for name in MODERN:
        folds = [best[name, fold] for fold in range(1, 6)]
        moves.append(max(folds) / min(folds))
    apart = max(theory[name] for name in MODERN) / min(theory[name] for name in MODERN)
    words = " ".join(todays_schedules.best_rates_text().text.split())
    assert f"anything from \N{MINUS SIGN}{-min(fits):.2f} to {max(fits):.2f}:" in words
    assert f"of the ten moves by a factor of {np.median(moves):.1f} from fold to fold" in words
    assert f"all lie within a factor of {apart:.1f}." in words


def test_chance_is_counted_over_all_ways_to_pick():
    """Where the seven of the plan are the seven highest, no other pick has a gap as large."""
    ratio = {name: 2.0 if name in todays_schedules.WARMED else 1.0 for name in RECIPES}
    # a pick has that gap if both medians stay: at least four of the seven, and six of the eleven, are theirs
    ways = sum(math.comb(7, k) * math.comb(11, 7 - k) for k in range(4, 8))
    assert todays_schedules.by_chance(ratio) == pytest.approx(ways / math.comb(18, 7))


def test_the_code_of_the_page_is_the_librarys(capsys):
    page = run_page("todays_schedules")
    for name in ("wsd", "rex"):
        shape = MODERN[name].build(total_steps=1000, steps_per_epoch=100)
        by_hand = [page.names[name](t, 1000) for t in range(1000)]
        assert by_hand == pytest.approx([shape(t) for t in range(1000)], abs=1e-12)
    assert set(page.figures) == {"17.1", "17.2", "17.3", "17.4"}
    # the bound of 1,000 updates, after the tables of the theory for 100 and 10,000: 1.08 and 1.0085 times
    assert re.search(r"wsd: 0\.5\d of linear's peak, 1\.0[89] of its bound", capsys.readouterr().out)


def test_the_live_rates_are_the_chosen_ones():
    chosen = own_rates.chosen_rates(own_rates.held_out(own_rates.stage_a(Records())))
    code = "".join("".join(cell["source"]) for cell in rules.cells("todays_schedules"))
    pairs = re.findall(r'\("(\w+)", ([\d.]+)\)', code)
    assert len(pairs) == 2
    assert all(chosen[name] == float(rate) for name, rate in pairs)

"""The choice of each schedule's own rate, on small tables that are invented; and the plan that it makes."""

import json
import tomllib
from math import inf, nan
from pathlib import Path
from types import SimpleNamespace

import pytest

from lrbook.chapters import own_rates
from lrbook.finding import Records
from lrlib.runs.store import RECORDED
from lrlib.schedules.recipes import RECIPES
from lrlib.sweeps.study import plan

GRID = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
STUDIES = Path(__file__).parents[3] / "studies"


def run(label, rate, fold, loss, *, diverged=False):
    return SimpleNamespace(
        label=label,
        config=SimpleNamespace(peak_lr=rate, fold=fold),
        status="diverged" if diverged else "finished",
        epochs=[SimpleNamespace(test_loss=9.0), SimpleNamespace(test_loss=loss)],
    )


def table(*losses, grid=GRID):
    return dict(zip(grid, losses, strict=True))


def test_the_mean_is_over_five_folds_of_the_last_epoch():
    runs = [run("linear", 0.1, fold, loss) for fold, loss in enumerate((0.1, 0.2, 0.3, 0.4, 0.5), 1)]
    runs += [run("linear", 0.01, fold, 0.25) for fold in range(1, 6)]
    assert own_rates.held_out(runs) == {"linear": {0.01: 0.25, 0.1: pytest.approx(0.3)}}


def test_one_diverged_fold_makes_the_mean_infinite():
    runs = [run("constant", 1.0, fold, nan if fold == 3 else 0.1, diverged=fold == 3) for fold in range(1, 6)]
    assert own_rates.held_out(runs) == {"constant": {1.0: inf}}


def test_a_fold_that_is_missing_or_doubled_is_refused():
    runs = [run("linear", 0.1, fold, 0.1) for fold in range(1, 6)]
    with pytest.raises(ValueError, match=r"folds 1 to 5, got \[1, 2, 3, 4\] of linear at 0\.1"):
        own_rates.held_out(runs[:4])
    with pytest.raises(ValueError, match=r"got linear at 0\.1 twice"):
        own_rates.held_out([*runs, runs[0]])


@pytest.mark.parametrize(
    ("losses", "rate"),
    [
        ((5, 4, 3, 2, 1, 2, 3), 0.1),
        ((5, 4, 3, 1.0099, 1, 2, 3), 0.03),  # within 1% of the lowest: the smaller
        ((5, 4, 3, 1.0101, 1, 2, 3), 0.1),
        ((5, 4, 3, 1, 1.005, 2, 3), 0.03),
        ((1.02, 1.009, 1, 2, 3, inf, inf), 0.003),  # ties are with the lowest, not with each other
    ],
)
def test_the_lowest_loss_and_the_smaller_rate_at_a_tie(losses, rate):
    assert own_rates.chosen_rate(table(*losses)) == rate
    assert own_rates.next_rate(table(*losses), GRID) is None


def test_no_rate_can_be_chosen_where_all_diverged():
    with pytest.raises(ValueError, match="must have a finite one"):
        own_rates.chosen_rate({0.1: inf, 0.3: inf})


def test_the_edge_rule_goes_on_twice_at_most():
    falls = table(7, 6, 5, 4, 3, 2, 1)
    assert own_rates.next_rate(falls, GRID) == 3.0
    assert own_rates.next_rate({**falls, 3.0: 2}, GRID) is None
    assert own_rates.next_rate({**falls, 3.0: 0.5}, GRID) == 10.0
    assert own_rates.next_rate({**falls, 3.0: 0.5, 10.0: 0.1}, GRID) is None
    rises = table(1, 2, 3, 4, 5, inf, inf)
    assert own_rates.next_rate(rises, GRID) == 0.0003
    assert own_rates.next_rate({**rises, 0.0003: 0.9}, GRID) == 0.0001
    assert own_rates.next_rate({**rises, 0.0003: 0.9, 0.0001: 0.8}, GRID) is None


def test_a_tie_at_an_end_is_at_the_end():
    assert own_rates.next_rate(table(7, 6, 5, 4, 3, 1.005, 1), GRID) == 3.0
    assert own_rates.next_rate(table(1.005, 1, 2, 3, 4, 5, 6), GRID) == 0.0003


def test_what_is_asked_for_and_what_stays_at_the_edge():
    losses = {"linear": table(3, 2, 1, 2, 3, 4, 5), "constant": table(1, 2, 3, 4, 5, 6, 7)}
    assert own_rates.asked_for(losses, GRID) == {"constant": 0.0003}
    assert own_rates.at_the_edge(losses) == ["constant"]
    assert own_rates.chosen_rates(losses) == {"linear": 0.01, "constant": 0.001}


def test_the_plan_of_the_race_is_a_study_of_the_chosen_rates():
    losses = {label: table(4, 3, 2, 1, 2, 3, 4) for label in RECIPES}
    losses["constant"] = table(2, 1, 2, 3, 4, 5, 6)
    losses["1cycle"] = table(7, 6, 5, 4, 3, 2, 1)
    text = own_rates.race_plan(losses)
    runs = plan("race", tomllib.loads(text), Path()).runs
    assert len(runs) == 18 * 20
    rates = {run.config.recipe.label: run.config.peak_lr for run in runs}
    assert (rates.pop("constant"), rates.pop("1cycle")) == (0.003, 1.0)
    assert set(rates.values()) == {0.03}
    assert {run.config.seed for run in runs} == set(range(201, 221))
    assert {(run.config.fold, run.config.total_steps) for run in runs} == {(None, 1600)}
    assert "the rates tried: 1cycle." in text
    with pytest.raises(ValueError, match="the eighteen schedules, got constant"):
        own_rates.race_plan({"constant": losses["constant"]})


def test_the_plan_of_more_rates_has_the_folds_of_stage_a():
    text = own_rates.edge_plan({"constant": 0.0003, "1cycle": 3.0})
    runs = plan("edge", tomllib.loads(text), Path()).runs
    assert [(run.config.recipe.label, run.config.peak_lr, run.config.fold) for run in runs] == [
        (label, rate, fold) for fold in range(1, 6) for label, rate in (("constant", 0.0003), ("1cycle", 3.0))
    ]
    assert {run.config.seed for run in runs} == {101}


def test_the_plan_of_the_race_is_what_the_rule_gives_from_the_records():
    losses = own_rates.held_out(own_rates.stage_a(Records()))
    assert {len(at) for at in losses.values()} == {7}
    assert own_rates.asked_for(losses, GRID) == {}
    text = (STUDIES / f"{own_rates.STAGE_B}.toml").read_text(encoding="utf-8")
    assert text == own_rates.race_plan(losses)


def test_the_rates_of_the_plan_are_those_of_a_count_by_hand():
    """From the files, without the chapter's functions: mean, lowest, one part in a hundred."""
    found = {}
    for path in (RECORDED / own_rates.STAGE_A).glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        name, rate = path.stem.split("-")[0], record["config"]["peak_lr"]
        loss = record["epochs"][-1]["test_loss"] if record["status"] == "finished" else inf
        found.setdefault(name, {}).setdefault(rate, []).append(loss)
    own = tomllib.loads((STUDIES / f"{own_rates.STAGE_B}.toml").read_text(encoding="utf-8"))["own_peak_lrs"]
    assert own.keys() == found.keys()
    for name, rates in found.items():
        sums = {rate: sum(losses) for rate, losses in rates.items() if len(losses) == 5}
        low = min(sums.values())
        good = [rate for rate in sums if sums[rate] / low <= 1.01]
        assert own[name] == sorted(good)[0], name

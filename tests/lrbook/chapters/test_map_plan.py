"""The plan of the map of CIFAR-10, judged again from the files."""

from __future__ import annotations

import json
from statistics import fmean, stdev

import pytest
from scipy.stats import spearmanr, t

from findings import measured, of_seeds
from lrbook.chapters import map_plan
from lrbook.finding import Records
from lrlib.runs.store import RECORDED
from lrlib.schedules.recipes import SURVEY

SEEDS = (1, 2, 3)


def from_files(value) -> dict[tuple[str, int, float], float]:
    found = {}
    for path in (RECORDED / map_plan.MAP).glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        found[path.stem.split("-")[0], record["config"]["seed"], record["config"]["peak_lr"]] = value(record)
    return found


def accuracies() -> dict[tuple[str, int, float], float]:
    return from_files(lambda record: record["epochs"][-1]["test_accuracy"])


def own_of(cells, name: str, seed: int) -> float:
    others = [other for other in SEEDS if other != seed]
    rates = sorted({rate for _, _, rate in cells})
    best = max(rates, key=lambda rate: sum(cells[name, other, rate] for other in others))
    return cells[name, seed, best]


def test_each_seed_runs_at_the_rate_that_the_others_find_best():
    cells, own = accuracies(), map_plan.own(Records())
    assert set(own) == set(SURVEY)
    for name in SURVEY:
        assert own[name] == {seed: own_of(cells, name, seed) for seed in SEEDS}, name


def test_its_verdicts_are_paired_t_tests_with_holms_correction():
    cells, found = accuracies(), map_plan.comparisons(map_plan.own(Records()))
    p_values = {}
    for name in found:
        gaps = [own_of(cells, name, seed) - own_of(cells, "linear", seed) for seed in SEEDS]
        assert found[name].mean_difference == pytest.approx(fmean(gaps))
        p_values[name] = 2 * t.sf(abs(fmean(gaps)) / (stdev(gaps) / 3**0.5), 2)
    assert len(found) == 7
    first, second = sorted(p_values, key=p_values.get)[:2]
    assert found[first].holm_p == pytest.approx(7 * p_values[first])
    assert (first, found[first].holm_p < 0.05 < 6 * p_values[second]) == ("time", True)


def test_the_constant_rate_at_the_lowest_peak_and_what_it_gains():
    cells, records = accuracies(), Records()
    slow = {seed: cells["constant", seed, 0.01] for seed in SEEDS}
    assert map_plan.low_constant(records) == (0.01, slow)
    assert map_plan.constant_gains(records) == [slow[s] - cells["constant", s, 0.1] for s in SEEDS]


def test_the_common_rate_is_too_high_if_each_run_at_the_lowest_ends_above_each_at_it():
    records = Records()
    assert map_plan.too_high(records)
    for alter in (
        measured(map_plan.MAP, "constant", "test_accuracy", lambda e, x: 0.79, seeds=[2], peak_lr=0.01),
        of_seeds(map_plan.MAP, 1),
    ):
        other = Records(records)
        alter(other)
        assert not map_plan.too_high(other)


def test_rank_correlations_are_those_of_the_files():
    losses = from_files(lambda record: record["final"]["train_loss"])
    for rate, found in map_plan.rank_correlations(Records()).items():
        names = map_plan.ORDERS[rate].split()
        means = [fmean(losses[name, seed, rate] for seed in SEEDS) for name in names]
        assert found == pytest.approx(spearmanr(range(8), means).statistic)


def test_orders_and_predictions_are_those_of_the_plan():
    plan = (RECORDED.parents[1] / "studies" / f"{map_plan.MAP}.toml").read_text(encoding="utf-8")
    for rate, order in map_plan.ORDERS.items():
        (line,) = [x for x in plan.splitlines() if x.startswith(f"#        {rate:g} ")]
        words = [word.strip(";,") for word in line.split()]
        assert [word for word in words if word in SURVEY] == order.split()
    assert "more than 2 points above itself at 0.1, in each seed" in plan
    assert "will be above 0.5" in plan


def lifted(label: str, by: float, **config):
    return measured(map_plan.MAP, label, "test_accuracy", lambda e, x: x + by, seeds=SEEDS, **config)


@pytest.mark.parametrize(
    ("alter", "prediction", "now"),
    [
        (lifted("constant", 0.02, peak_lr=0.01), 0, True),
        (lifted("time drop poly5 constant", 0.04, peak_lr=0.03), 1, True),
        (lifted("constant", 0.05, peak_lr=0.03), 2, False),
        (lifted("poly5", 0.1, peak_lr=0.03), 2, False),
        (lifted("cosine", 0.1, peak_lr=0.01), 2, False),
        (lifted("cosine", 0.1, peak_lr=0.03), 2, True),
    ],
)
def test_a_prediction_is_judged_by_its_own_numbers(alter, prediction, now):
    records = Records()
    assert map_plan.came_true(records) == [False, False, True, True]
    alter(records)
    assert map_plan.came_true(records)[prediction] is now

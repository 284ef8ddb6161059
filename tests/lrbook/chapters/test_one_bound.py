"""One bound, eight schedules: findings stand on the records, and the map is counted again in another way."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import rankdata

import findings as rules
from findings import constants, swapped
from lrbook.chapters import map_plan, one_bound
from lrbook.finding import Records
from lrlib import load_runs
from lrlib.schedules.recipes import SURVEY
from lrlib.theory import AreaAndNoise, worst_case
from run_page import run_page

DIGITS, CIFAR10, MAP = "peak-digits", "survey-laptop", "laptop-map-gpu"
EIGHT = " ".join(SURVEY)


def final(study: str, labels: str, value, **config):
    """The last weights of some runs have another training loss: `value` of peak rate and loss."""

    def alter(records: Records) -> None:
        chosen = {id(run) for label in labels.split() for run in records.runs(study, label, **config)}
        records[study] = [
            run.model_copy(
                update={
                    "final": run.final.model_copy(
                        update={"train_loss": value(run.config.peak_lr, run.final.train_loss)}
                    )
                }
            )
            if id(run) in chosen
            else run
            for run in records[study]
        ]

    return alter


BOUNDS = one_bound.bounds


def turned(records: Records, study: str) -> dict:
    """The bounds of the schedules, each under another's name."""
    return dict(zip(SURVEY, reversed(BOUNDS(records, study).values()), strict=True))


def shifted(records: Records, study: str) -> dict:
    """The bounds of the schedules, each under the next one's name."""
    *most, last = BOUNDS(records, study).values()
    return dict(zip(SURVEY, [last, *most], strict=True))


def as_predicted(study: str, chart):
    """The training losses of a study are the bounds themselves."""

    def alter(records: Records) -> None:
        bound = chart(records).bound
        records[study] = [
            run.model_copy(
                update={
                    "final": run.final.model_copy(update={"train_loss": bound[run.label][run.config.peak_lr]})
                }
            )
            for run in records[study]
        ]

    return alter


ALTERATIONS = {
    "digits: constant and linear swapped": swapped(DIGITS, "constant", "linear"),
    "digits: constant and time swapped": swapped(DIGITS, "constant", "time"),
    "digits: triangle and linear swapped": swapped(DIGITS, "triangle", "linear"),
    "digits: drop and poly5 swapped": swapped(DIGITS, "drop", "poly5"),
    "digits: the order is turned round": final(DIGITS, EIGHT, lambda rate, x: 1 / x),
    "digits: constant never last": final(DIGITS, "constant", lambda rate, x: x / 100),
    "digits: constant best at 0.1": final(DIGITS, "constant", lambda rate, x: x / 100, peak_lr=0.1),
    "digits: cosine ends apart": final(DIGITS, "cosine", lambda rate, x: 1.5 * x),
    "digits: time best everywhere": final(DIGITS, "time", lambda rate, x: x / 1e3),
    "digits: drop wants a high rate": final(DIGITS, "drop", lambda rate, x: x / rate**1.5),
    "digits: poly5 wants a low rate": final(DIGITS, "poly5", lambda rate, x: x * rate**2),
    "digits: the triangle is poor": final(DIGITS, "triangle", lambda rate, x: 5 * x),
    "digits: turned round at 0.003": final(DIGITS, EIGHT, lambda rate, x: 1 / x, peak_lr=0.003),
    "digits: constant crosses late": final(DIGITS, "constant", lambda rate, x: 0.0001 if rate < 0.1 else x),
    "digits: nothing fails": swapped(DIGITS, "linear", "cosine", peak_lr=0.3),
    "map: nothing fits": final(MAP, EIGHT, lambda rate, x: x if rate > 0.2 else 1 / x),
    "map: the highest rate fits": final(
        MAP, "triangle linear cosine cosine5", lambda rate, x: 100 * x, peak_lr=0.3
    ),
    "map: a run blows up": final(MAP, "time", lambda rate, x: 2.3, peak_lr=0.3),
    "map: linear and triangle swapped": swapped(MAP, "linear", "triangle"),
    "map: constant poor everywhere": final(MAP, "constant", lambda rate, x: x + 1),
    "map: one block": rules.of_seeds(MAP, 1),
    "map: another unit": constants(one_bound, MAP_UNIT=0.0005),
    "map: a unit of a third": constants(one_bound, MAP_UNIT=0.0183),
    "laptop: triangle and linear swapped": swapped(CIFAR10, "linear", "triangle"),
    "laptop: cosine and cosine5 swapped": swapped(CIFAR10, "cosine", "cosine5"),
    "laptop: constant for cosine5": swapped(CIFAR10, "constant", "cosine5"),
    "bounds under wrong names": constants(one_bound, bounds=lambda *of: turned(*of)),
    "bounds under the next names": constants(one_bound, bounds=lambda *of: shifted(*of)),
    "digits: as the bound says": as_predicted(DIGITS, one_bound.digits),
    "map: as the bound says": as_predicted(
        MAP, lambda records: one_bound.chart(records, MAP, one_bound.MAP_UNIT)
    ),
    "digits: all train at 0.3": rules.measured(DIGITS, EIGHT, "test_accuracy", lambda e, x: 0.9, peak_lr=0.3),
    "other areas, other noise": constants(
        one_bound,
        area_and_noise=lambda f, steps: AreaAndNoise(area=f(steps // 3), noise=1 - f(steps // 3)),
    ),
    "clear means little": constants(one_bound, CLEAR=0.0),
}
ALLOWED = r"\$1/|by a factor of 3 costs|power 5|; 1 would be the same order"


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(one_bound, ALTERATIONS, ALLOWED)
)
test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(one_bound)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "Two maps that look alike",
        "Predict: who wins at which rate?",
        "The bound: what is left to do, and what cannot be mended",
        "Try it: where a constant rate wins",
        "What is new here, and how sure it is",
    }
    rules.check_page(one_bound, plain_headings=plain, inside={"low_rate_text"})


# The map, counted again without the chapter's functions


def over_h(runs, name, every_h) -> tuple[np.ndarray, np.ndarray]:
    """Distance and noise of a schedule for each h; the bound at rate x is half of distance / x + x noise."""
    config = next(run.config for run in runs if run.label == name)
    schedule, w, noise = config.schedule(), np.sqrt(every_h), every_h.copy()
    for t in reversed(range(config.total_steps)):
        if f := schedule(t):
            noise += (f / w) ** 2
            w = w + f / w
    return 1 / w**2, noise


def unit_of(runs, linear_at) -> float:
    """The unit that puts linear decay's best rate, which is Zamani and Glineur's, at `linear_at`."""
    steps = runs[0].config.total_steps
    return linear_at / (steps / (steps + 1) ** 1.5)


def recounted() -> tuple[list[float], dict, dict, dict, float]:
    """Peak rates; bound and mean loss by (schedule, rate); distance and noise over a grid of h; the unit."""
    runs = load_runs(DIGITS)
    rates = sorted({run.config.peak_lr for run in runs})
    loss = {
        (name, rate): np.mean(
            [run.final.train_loss for run in runs if (run.label, run.config.peak_lr) == (name, rate)]
        )
        for name in SURVEY
        for rate in rates
    }
    best_of_linear = math.exp(
        np.mean([vertex(rates, [one(runs, "linear", rate, seed) for rate in rates]) for seed in (1, 2, 3)])
    )
    unit = unit_of(runs, best_of_linear)
    parts = {name: over_h(runs, name, np.geomspace(1e-9, 1e7, 2000)) for name in SURVEY}
    bound = {
        (name, rate): np.min(distance / (rate / unit) + rate / unit * noise) / 2
        for name, (distance, noise) in parts.items()
        for rate in rates
    }
    return rates, bound, loss, parts, unit


def one(runs, name, rate, seed):
    (run,) = [run for run in runs if (run.label, run.config.peak_lr, run.config.seed) == (name, rate, seed)]
    return run.final.train_loss


def vertex(rates, losses) -> float:
    """The log of the rate at the vertex of the parabola through the lowest point and its neighbors."""
    x, y = np.log(rates), np.log(losses)
    i = min(max(int(np.argmin(y)), 1), len(x) - 2)
    (x0, x1, x2), (y0, y1, y2) = x[i - 1 : i + 2], y[i - 1 : i + 2]
    slopes = (y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)
    return (x0 + x1) / 2 - slopes[0] * (x2 - x0) / 2 / (slopes[1] - slopes[0])


def rank_correlation(a, b) -> float:
    """Spearman's, from its definition: no two values are equal."""
    places = [np.argsort(np.argsort(values)) for values in (a, b)]
    n = len(a)
    return 1 - 6 * np.sum((places[0] - places[1]) ** 2) / (n * (n**2 - 1))


@pytest.fixture(scope="module")
def again():
    return recounted()


def test_bounds_losses_and_correlations_of_the_map(again):
    rates, bound, loss, *_ = again
    found = one_bound.digits(Records())
    assert found.rates == rates
    for name in SURVEY:
        for rate in rates:
            assert found.bound[name][rate] == pytest.approx(bound[name, rate], rel=2e-4)
            assert found.loss[name][rate] == pytest.approx(loss[name, rate], rel=1e-12)
    fits = one_bound.correlations(found)
    for rate in rates[2:]:  # below, four bounds tie to more digits than a grid of h gives
        mine = rank_correlation([bound[n, rate] for n in SURVEY], [loss[n, rate] for n in SURVEY])
        assert fits[rate] == pytest.approx(mine, abs=1e-9), rate


def test_clear_signs_and_the_crossing(again):
    rates, bound, loss, *_ = again
    right, clear = 0, 0
    for name in SURVEY[:3] + SURVEY[4:]:
        for rate in rates:
            if abs(bound[name, rate] / bound["linear", rate] - 1) > 0.05:
                clear += 1
                right += (bound[name, rate] > bound["linear", rate]) == (
                    loss[name, rate] > loss["linear", rate]
                )
    signs = one_bound.clear_signs(one_bound.digits(Records()))
    assert (sum(signs), len(signs)) == (right, clear)
    words = " ".join(one_bound.order_text().text.split())
    assert f"it has the right sign in {right} of {clear} cells" in words
    for a, b in pairwise(rates):
        before, after = (math.log(loss["constant", r] / loss["linear", r]) for r in (a, b))
        if before < 0 < after:
            crossed = a * (b / a) ** (before / (before - after))
    assert f"at {crossed:.4f} in the runs" in words


def test_a_unit_off_by_two(again):
    """Bounds as over the grid of h, in the library's order: four tie to more digits than the grid has."""
    rates, _, loss, parts, unit = again
    words = " ".join(one_bound.order_text().text.split())
    found, means = one_bound.bounds(Records(), DIGITS), []
    for scale in (0.5, 2):
        fits = []
        for rate in rates:
            x = rate / (scale * unit)
            exact = [found[name].at(x) for name in SURVEY]
            mine = [np.min(distance / x + x * noise) / 2 for distance, noise in parts.values()]
            assert mine == pytest.approx(exact, rel=2e-4)
            ranks = [rankdata(values) for values in (exact, [loss[name, rate] for name in SURVEY])]
            fits.append(np.corrcoef(ranks)[0, 1])  # equal areas tie, and share their ranks
        means.append(np.mean(fits))
    assert f"by a factor of two the mean is {means[0]:.2f} or {means[1]:.2f}." in words


def test_charges_for_warm_up_and_restarts(again):
    best = {name: np.min(np.sqrt(distance * noise)) for name, (distance, noise) in again[3].items()}
    words = " ".join(one_bound.fails_text().text.split())
    assert f"is charged {100 * (best['cosine5'] / best['cosine'] - 1):.0f}% over one cosine" in words
    assert f"is charged {100 * (best['triangle'] / best['linear'] - 1):.1f}% over linear decay" in words


def test_crossing_and_places_on_cifar10():
    """The crossing by bisection of bounds over a grid of h; the places from the orders that the plan has."""
    runs = load_runs(MAP)
    unit = unit_of(runs, 0.055)
    constant, linear = (over_h(runs, name, np.geomspace(1e-6, 1e6, 300)) for name in ("constant", "linear"))
    low, high = 0.01, 0.3
    while high / low > 1.0001:
        middle = math.sqrt(low * high)
        x = middle / unit
        ahead = np.min(constant[0] / x + x * constant[1]) < np.min(linear[0] / x + x * linear[1])
        low, high = (middle, high) if ahead else (low, middle)
    words = " ".join(one_bound.cifar10_text().text.split())
    assert f"cross at a peak of {low:.3f} in theory" in words
    found = one_bound.chart(Records(), MAP, one_bound.MAP_UNIT)
    for rate, order in map_plan.ORDERS.items():
        at_rate = [run for run in runs if run.config.peak_lr == rate]
        loss = {
            name: np.mean([run.final.train_loss for run in at_rate if run.label == name]) for name in SURVEY
        }
        measured = sorted(SURVEY, key=loss.__getitem__)
        wrong = sum(one != other for one, other in zip(order.split(), measured, strict=True))
        assert one_bound.out_of_place(found, rate) == wrong, rate


def test_chance_is_counted_over_all_names():
    """Where all agree, one of the 8! ways to name the schedules does as well: the true one."""
    values = {name: {0.1: float(i), 0.3: float(i)} for i, name in enumerate(SURVEY)}
    perfect = one_bound.Chart([0.1, 0.3], values, values)
    assert one_bound.by_chance(perfect) == pytest.approx(1 / math.factorial(8))
    assert one_bound.crossing([1.0, 4.0], [0.5, 2.0]) == pytest.approx(2.0)


def test_the_best_rate_is_the_vertex():
    losses = {rate: math.exp((math.log(rate) - math.log(0.02)) ** 2 + 1) for rate in (0.003, 0.01, 0.03, 0.1)}
    assert one_bound.best_rate(losses) == pytest.approx(0.02)


def test_the_code_of_the_page_is_the_librarys_bound(capsys):
    page = run_page("one_bound")
    by_hand = page.names["bound"]
    for peak in (0.01, 0.1, 1):
        smallest = min(by_hand(page.names["linear"], peak, h) for h in page.names["every_h"])
        found = worst_case(lambda t: page.names["linear"][t], steps=100).at(peak)
        assert smallest == pytest.approx(found, rel=1e-3)
    printed = capsys.readouterr().out
    assert f"{100 / 101**1.5:.4f} {1 / math.sqrt(101):.4f}" in printed
    assert set(page.figures) == {"14.1", "14.2", "14.3", "14.4"}


def test_the_orders_of_the_map_are_those_of_the_plan():
    """The plan has them in words; the first and the last schedule of each are unambiguous."""
    plan = (rules.BOOK.parent / "studies" / f"{MAP}.toml").read_text(encoding="utf-8")
    found = one_bound.chart(Records(), MAP, one_bound.MAP_UNIT)
    for rate in found.rates:
        (line,) = [x for x in plan.splitlines() if x.startswith(f"#        {rate:g} ")]
        order = sorted(SURVEY, key=lambda name: found.bound[name][rate])
        named = [word.strip(";,") for word in line.split() if word.strip(";,") in SURVEY]
        assert (named[0], named[-1]) == (order[0], order[-1])

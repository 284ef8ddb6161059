"""Polynomial decay: every finding of the chapter stands on the records, and falls when they change."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import findings as rules
from findings import configured, constants, learned_less, lines_of, measured, swapped, without
from lrbook.chapters import map_plan, polynomial
from lrbook.finding import Records
from plain_valley import valley_loss, valley_parts

CIFAR10, PEAKS, DIGITS, MAP = "survey-laptop", "peak-laptop", "peak-digits", "laptop-map-gpu"


def printed(logged: float, drop: float = 0.868, linear: float = 0.8724):
    """The source's test accuracies are others."""
    rows = {"poly5": logged, "drop": drop, "linear": linear}
    source = SimpleNamespace(row=lambda name: SimpleNamespace(test_accuracy=rows[name]))
    survey = SimpleNamespace(row=lambda name: SimpleNamespace(accuracy=0.86))
    return lambda: SimpleNamespace(source=source, survey=survey)


def losses(label: str, value, **config):
    return measured(DIGITS, label, "train_loss", value, **config)


def accuracies(label: str, value, **config):
    return measured(DIGITS, label, "test_accuracy", value, **config)


ALTERATIONS = {
    "poly5 and constant swapped": swapped(CIFAR10, "poly5", "constant"),
    "poly5 and linear swapped": swapped(CIFAR10, "poly5", "linear"),
    "poly5 well above drop": measured(CIFAR10, "poly5", "test_accuracy", lambda e, x: x + 0.01),
    "poly5 ahead in epoch 3": measured(CIFAR10, "poly5", "test_accuracy", lambda e, x: x + 0.05 * (e == 3)),
    "poly5 behind in epoch 9": measured(CIFAR10, "poly5", "test_accuracy", lambda e, x: x - 0.05 * (e == 9)),
    "poly5 restless": measured(CIFAR10, "poly5", "test_accuracy", lambda e, x: x + 0.006 * (-1) ** e),
    "poly5 learns late": measured(CIFAR10, "poly5", "train_accuracy", lambda e, x: x - 0.1 * (e < 20)),
    "poly5 falls late": measured(CIFAR10, "poly5", "train_loss", lambda e, x: x + 1.0 * (e < 20)),
    "poly5 forgets some training images": learned_less(CIFAR10, "poly5"),
    "it is done in epoch 16": constants(polynomial, DONE=16),
    "a poly5 run is missing": without(CIFAR10, "poly5", 5),
    "map: another common rate": constants(map_plan, COMMON=0.3),
    "map: constant at 0.01 poor": measured(
        MAP, "constant", "test_accuracy", lambda e, x: x - 0.05, peak_lr=0.01
    ),
    "linear at 0.03 poor": measured(PEAKS, "linear", "test_accuracy", lambda e, x: x - 0.02),
    "map: linear at 0.03 poor": measured(
        MAP, "linear", "test_accuracy", lambda e, x: x - 0.02, seeds=range(9), peak_lr=0.03
    ),
    "poly5 ran at half the peak": configured(CIFAR10, "poly5", peak_lr=0.05),
    "all areas are one": constants(polynomial, area=lambda schedule, total_steps: 1.0),
    "digits: poly5 and linear swapped": swapped(DIGITS, "poly5", "linear", peak_lr=0.0001),
    "digits: poly5 as far as linear": accuracies("poly5", lambda e, x: x + 0.4, peak_lr=0.0001),
    "digits: poly5 no farther at three times the peak": accuracies(
        "poly5", lambda e, x: x - 0.3, peak_lr=0.0003
    ),
    "digits: poly5 at 0.001 as good as linear": accuracies("poly5", lambda e, x: x + 0.06, peak_lr=0.001),
    "digits: poly5 at 0.003 poor": accuracies("poly5", lambda e, x: x - 0.02, peak_lr=0.003),
    "digits: a poly5 run is missing": without(DIGITS, "poly5", 2, peak_lr=0.001),
    "digits: poly5 falls to the end": losses("poly5", lambda e, x: x + 0.2 * (8 - e)),
    "digits: linear is flat": losses("linear", lambda e, x: x if e > 4 else x + 9, peak_lr=0.0001),
    "digits: poly5 and time swapped": swapped(DIGITS, "poly5", "time"),
    "digits: constant and linear swapped": swapped(DIGITS, "constant", "linear"),
    "digits: cosine is slower than linear": losses("cosine", lambda e, x: x + 0.05),
    "digits: poly5 is slower at its thirds": losses("poly5", lambda e, x: x + 0.1),
    "digits: poly5 ends low": losses("poly5", lambda e, x: 0.5 * x),
    "digits: poly5 at 0.3 is fine": accuracies("poly5", lambda e, x: 0.98, peak_lr=0.3),
    "digits: poly5 best at 0.3": accuracies("poly5", lambda e, x: 1.0, peak_lr=0.3),
    "digits: poly5 learns nothing": learned_less(DIGITS, "poly5"),
    "another area counts as a half": constants(polynomial, HALVES=("linear", "drop")),
    "twice the peak": constants(polynomial, THREE=2),
    "half-time comes early": constants(polynomial, spent=lambda *a, **k: 0.5),
    "valley: one update in 300 is early": constants(polynomial, EARLY=1),
    "valley: higher rates": constants(polynomial, MEAN_RATE=0.5),
    "valley: ten updates": constants(polynomial, STEPS=10, EARLY=3),
    "the log ends at 0.86": constants(polynomial, published=printed(0.8601)),
    "the log ends far below": constants(polynomial, published=printed(0.8401)),
}

# What may stand in an author's words with a number: powers, the ratio of the areas, the survey's words.
ALLOWED = (
    r"2019/07/22|power 5|Power 5|powers 1 and 2|[Tt]hree times the peak|three times as high"
    r"|about 25 of 100 epochs|50,000 training images"
)


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(polynomial, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "One more number: the power",
        "Predict: one reach, spent early or late",
        "Why: the area decides how far, the order how calm",  # computed in the valley
        "The code: one exponent, and its area",
        "Try it: three times the peak",
    }
    rules.check_page(polynomial, plain_headings=plain, inside={"three_times_the_peak_text"})


test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(polynomial)


# The figures, by other means


def test_figure_6_1_is_the_power_of_what_is_left_and_its_sum():
    total, per_epoch = 11_730, 391  # 50,000 images are 390 batches of 128, and one of 80
    rate, areas = polynomial.shapes_figure().wide.axes
    for drawn, covered, power in zip(rate.lines, areas.lines, (0, 1, 2, 3, 5), strict=True):
        factors = [float(Fraction(total - t, total) ** power) for t in range(total)]
        assert drawn.get_ydata() == pytest.approx([0.1 * factor for factor in factors], rel=1e-12)
        assert drawn.get_xdata() == pytest.approx([t / per_epoch for t in range(total)])
        for t in (0, 1, 5_000, total - 1):
            assert covered.get_ydata()[t] == pytest.approx(math.fsum(factors[: t + 1]) / total)
    labels = {text.get_text() for text in areas.texts}
    assert labels == {"1", "1/2", "1/3", "1/4", "1/6"}
    for line, wanted in zip(areas.lines, (1, 1 / 2, 1 / 3, 1 / 4, 1 / 6), strict=True):
        assert line.get_ydata()[-1] == pytest.approx(wanted, abs=1e-4)


def test_figure_6_2_is_four_plans_of_one_reach():
    loss, distance, rate, shaking = polynomial.valley_figure().wide.axes
    for i, power in enumerate((0, 1, 2, 5)):
        factors = [(1 - t / 300) ** power for t in range(300)]
        peak = 0.3 * 300 / math.fsum(factors)
        rates = [peak * factor for factor in factors]
        assert list(rate.lines[i].get_ydata()) == pytest.approx(rates)
        for steps in (0, 1, 75, 300):
            far, shake = valley_parts(rates[:steps])
            assert distance.lines[i].get_ydata()[steps] == pytest.approx(far)
            assert shaking.lines[i].get_ydata()[steps] == pytest.approx(shake)
            assert loss.lines[i].get_ydata()[steps] == pytest.approx(valley_loss(rates[:steps]))
        # the prediction: twice, and about six times the constant rate
        assert peak / 0.3 == pytest.approx({0: 1, 1: 2, 2: 3, 5: 6}[power], rel=0.02)


@pytest.mark.parametrize("panel", [0, 1])
def test_figure_6_4_is_all_recorded_runs(panel):
    axes = polynomial.cifar10_figure().wide.axes[panel]
    name = ("loss", "accuracy")[panel]
    for label, color in (("poly5", polynomial.POLY), ("constant", polynomial.GRAY)):
        rules.check_runs_are_drawn(lines_of(axes, color), Records().runs(CIFAR10, label), name)


def test_the_rate_below_figure_6_4_is_what_the_optimizer_had():
    rate, part = polynomial.cifar10_figure().wide.axes[2:]
    (drawn,), (done,) = lines_of(rate, polynomial.POLY), lines_of(part, polynomial.POLY)
    for run in Records().runs(CIFAR10, "poly5"):
        for epoch in run.epochs:
            starts = [epoch.epoch, epoch.epoch + 390 / 391]  # of the first and the last update, in epochs
            applied = [epoch.first_lr, epoch.last_lr]
            assert applied == pytest.approx(np.interp(starts, drawn.get_xdata(), drawn.get_ydata()))
    for epochs in (1, 10, 29):  # the part of the area, by its integral
        spent = np.interp(epochs, done.get_xdata(), done.get_ydata())
        assert spent == pytest.approx(1 - (1 - epochs / 30) ** 6, abs=1e-3)


def test_figure_6_5_is_every_run_over_its_peak_and_over_its_peak_times_area():
    over_peak, over_reach = polynomial.reach_figure().wide.axes
    total = 8 * 200  # 1,000 images in batches of 5
    areas = {
        "constant": 1.0,
        "linear": math.fsum(1 - t / total for t in range(total)) / total,
        "poly5": math.fsum((1 - t / total) ** 5 for t in range(total)) / total,
    }
    assert len(over_peak.lines) == len(over_reach.lines) == 8
    for name, area in areas.items():
        (left,) = lines_of(over_peak, polynomial.COLOR[name])
        (right,) = lines_of(over_reach, polynomial.COLOR[name])
        assert right.get_xdata() == pytest.approx([area * peak for peak in left.get_xdata()])
        assert list(left.get_ydata()) == list(right.get_ydata())
        assert len(left.get_xdata()) == 9
        for peak, loss in zip(*left.get_data(), strict=True):
            runs = Records().runs(DIGITS, name, peak_lr=peak)
            assert loss == pytest.approx(sum(run.epochs[-1].train_loss for run in runs) / len(runs))


def test_figure_6_6_is_the_means_of_recorded_runs():
    for axes, name in zip(polynomial.flat_figure().wide.axes, ("train_loss", "train_accuracy"), strict=True):
        drawn = [list(line.get_ydata()) for line in lines_of(axes, polynomial.POLY)]
        assert len(drawn) == 4 * (3 + 1)
        for peak in (0.0001, 0.0003, 0.001, 0.01):
            columns = [run.column(name) for run in Records().runs(DIGITS, "poly5", peak_lr=peak)]
            mean = [sum(values) / len(values) for values in zip(*columns, strict=True)]
            assert all(column in drawn for column in columns)
            assert any(line == pytest.approx(mean) for line in drawn)


def test_numbers_of_the_text_by_other_means():
    poly = Records().runs(CIFAR10, "poly5")
    falls = []
    for run in poly:
        loss = run.column("train_loss")
        falls.append((loss[0] - loss[7]) / (loss[0] - loss[-1]))
    # the area spent by its integral: 1 - (1 - x) ** 6 after the part x of a run
    box = " ".join(polynomial.beside_the_survey_text().text.replace(">", " ").split())
    assert f"{1 - (22 / 30) ** 6:.0%} of the area was spent and {sum(falls) / 5:.0%} of the fall done" in box
    done = " ".join(polynomial.done_before_half_time_text().text.split())
    assert f"Epoch 13 ends with 80.7% test accuracy, {1 - (17 / 30) ** 6:.0%} of the area spent" in done
    flat = " ".join(polynomial.flat_is_not_finished_text().text.split())
    assert f"At half-time power 5 has spent {1 - 0.5**6:.0%} of its area" in flat
    reaches = " ".join(polynomial.area_is_not_all_text().text.split())
    assert f"{0.03 / 2:.3f}, *less* than the {0.1 / 6:.3f}" in reaches


def test_captions_tell_how_the_runs_were_made():
    records = Records()
    poly = records.runs(CIFAR10, "poly5")
    assert {run.config.epochs for run in poly} == {30}
    assert {run.config.peak_lr for run in poly} == {0.1}
    assert {run.config.recipe.power for run in [*poly, *records.runs(DIGITS, "poly5")]} == {5.0}
    assert {run.config.epochs for run in records[DIGITS]} == {8}
    assert {run.config.network for run in records[DIGITS]} == {"resnet8"}
    for name in polynomial.NAMES:
        for peak in polynomial._peaks(records):
            assert len(records.runs(DIGITS, name, peak_lr=peak)) == 3
    for one, other in zip(poly, records.runs(CIFAR10, "linear"), strict=True):
        assert one.start == other.start
        assert one.column("batches") == other.column("batches")


def test_the_readers_runs_are_laid_over_those_of_their_own_setting():
    def trained(*settings, study=DIGITS):
        return {f"{label}, {peak}": Records().runs(study, label, peak_lr=peak)[0] for label, peak in settings}

    mine = trained(("linear", 0.001), ("poly5", 0.001), ("poly5", 0.003))
    assert "In our recorded runs, three of each" in polynomial.live_text(mine).text
    loss = polynomial.live_figure(mine).wide.axes[0]
    assert len(loss.lines) == 3 * (3 + 1)
    for color in (polynomial.LINEAR, polynomial.POLY, polynomial.INK):
        assert len(lines_of(loss, color)) == 3 + 1
    high = trained(("linear", 0.1), ("poly5", 0.1), ("poly5", 0.3))
    assert "recorded runs" not in polynomial.live_text(high).text
    assert len(polynomial.live_figure(high).wide.axes[0].lines) == 3 * (3 + 1)
    cifar = trained(("linear", 0.1), ("poly5", 0.1), study=CIFAR10)
    assert polynomial.live_text(cifar).text.startswith("Your runs ended at ")
    assert len(polynomial.live_figure(cifar).wide.axes[0].lines) == 2


@pytest.mark.parametrize(
    "words",
    [
        "Its table prints 0.86 where",
        "logged 0.8651",
        "makes the *schedule* more flexible, not the model",
    ],
)
def test_each_erratum_stands_in_its_box(words):
    text = re.sub(r"\s*\n> ?", " ", polynomial.beside_the_survey_text().text)
    assert words in re.sub(r"\[its source\]\([^)]*\)", "its source", text)


def test_the_frameworks_do_what_the_table_says(monkeypatch):
    """PyTorch and Keras, which are installed here; the rows of the others were run by hand."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    page = "\n".join("".join(cell["source"]) for cell in rules.cells("polynomial"))
    rows = {row[0]: row[1:] for row in re.findall(r"^\| (\w+) \| `([^`]*)` \| (.*) \|$", page, re.M)}
    assert list(rows) == ["PyTorch", "Keras", "Optax", "timm", "transformers"]
    steps = 60

    applied = partial(rules.rates_applied, steps=steps)

    for framework in ("PyTorch", "Keras"):
        rates = [0.1 * ((steps - t) / steps) ** 5 for t in range(steps)]
        assert applied(framework, rows[framework][0]) == pytest.approx([*rates, 0.0], rel=1e-4, abs=1e-12)
    (short,) = re.findall(r"`([^`]*)`", rows["PyTorch"][1])
    assert applied("PyTorch", short)[:8] == pytest.approx([0.1 * max(0, 1 - t / 5) for t in range(8)])
    assert "a line to zero in 5 updates" in rows["PyTorch"][1]
    (short,) = re.findall(r"`([^`]*)`", rows["Keras"][1])
    line = [0.0001 + (0.1 - 0.0001) * (1 - t / steps) for t in range(steps + 1)]
    assert applied("Keras", short) == pytest.approx(line, rel=1e-5)
    assert "a line to 0.0001" in rows["Keras"][1]

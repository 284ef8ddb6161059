"""Linear decay: every finding of the chapter stands on the records, and falls when they change."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import partial
from types import SimpleNamespace

import pytest

import findings as rules
from findings import constants, learned_less, lines_of, measured, swapped, without
from lrbook.chapters import linear, map_plan
from lrbook.finding import Records
from plain_valley import valley_loss

CIFAR10, DIGITS, BUDGETS, MAP = "survey-laptop", "survey-digits", "horizon", "laptop-map-gpu"


def source(**accuracies: float):
    """The source's runs with other test accuracies."""
    rows = {name: SimpleNamespace(test_accuracy=value) for name, value in accuracies.items()}
    return lambda: SimpleNamespace(source=SimpleNamespace(row=rows.__getitem__))


ALTERATIONS = {
    "linear and constant swapped": swapped(CIFAR10, "linear", "constant"),
    "linear and drop swapped": swapped(CIFAR10, "linear", "drop"),
    "linear and time swapped": swapped(CIFAR10, "linear", "time"),
    "triangle far ahead": measured(CIFAR10, "triangle", "test_accuracy", lambda e, x: x + 0.03),
    "linear ahead in epoch 10": measured(
        CIFAR10, "linear", "test_accuracy", lambda e, x: x + 0.05 * (e == 10)
    ),
    "linear behind in epoch 20": measured(
        CIFAR10, "linear", "test_accuracy", lambda e, x: x - 0.05 * (e == 20)
    ),
    "linear restless": measured(CIFAR10, "linear", "test_accuracy", lambda e, x: x + 0.004 * (-1) ** e),
    "linear scattered": measured(CIFAR10, "linear", "test_accuracy", lambda e, x: x - 0.02, seeds=[2]),
    "linear learns in jumps": measured(CIFAR10, "linear", "train_loss", lambda e, x: x + 0.5 * (e % 2)),
    "linear cools sooner": measured(CIFAR10, "linear", "first_lr", lambda e, x: x * 0.8),
    "linear learns less": measured(CIFAR10, "linear", "train_loss", lambda e, x: x + 0.02),
    "linear forgets some training images": learned_less(CIFAR10, "linear"),
    "linear done by epoch 20": measured(
        CIFAR10, "linear", "test_accuracy", lambda e, x: x + 0.02 * (e == 20)
    ),
    "linear low at 20": measured(CIFAR10, "linear", "test_accuracy", lambda e, x: x - 0.03 * (e == 20)),
    "a linear run is missing": without(CIFAR10, "linear", 5),
    "digits: linear and constant swapped": swapped(DIGITS, "linear", "constant"),
    "digits: a linear run is missing": without(DIGITS, "linear", 1),
    "budgets: linear poor at 10": measured(
        BUDGETS, "linear", "test_accuracy", lambda e, x: x - 0.03, epochs=10
    ),
    "budgets: linear poor at 5": measured(
        BUDGETS, "linear", "test_accuracy", lambda e, x: x - 0.03, epochs=5
    ),
    "budgets: linear good at 40": measured(
        BUDGETS, "linear", "test_accuracy", lambda e, x: x + 0.01, epochs=40
    ),
    "budgets: a run is missing": without(BUDGETS, "linear", 2, epochs=5),
    "map: constant at 0.01 poor": measured(
        MAP, "constant", "test_accuracy", lambda e, x: x - 0.05, peak_lr=0.01
    ),
    "map: constant at 0.01 excellent": measured(
        MAP, "constant", "test_accuracy", lambda e, x: x + 0.02, peak_lr=0.01
    ),
    "map: another common rate": constants(map_plan, COMMON=0.3),
    "the source's drops win": constants(linear, published=source(linear=0.868, drop=0.8724)),
    "valley: cut at a tenth": constants(linear, STOP=30),
    "valley: the friend plans for longer": constants(linear, STEPS=150, STOP=300),
}

# What may stand in an author's words with a number: what the survey says itself, and formulas.
ALLOWED = r"2019/07/22|the rate is 0 at|counted from 0|\$1/|10,000 test images|both schedules|and both "


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(linear, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "A straight line to zero",
        "Predict: cut short, or planned short?",
        "Why: the end of the plan pays the noise back",  # computed in the valley
        "The code: what is left, divided by the whole",
        "Try it: a small network on digits",
    }
    rules.check_page(linear, plain_headings=plain, inside={"apart_on_digits_text"})


test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(linear)


# The figures, by other means


def test_figure_5_1_is_a_line_from_the_peak_to_one_update_above_zero():
    total, per_epoch = 11_730, 391  # 50,000 images are 390 batches of 128, and one of 80
    whole, end = linear.shapes_figure().wide.axes
    for axes in (whole, end):
        (drawn,) = lines_of(axes, linear.LINEAR)
        rates = [float(Fraction(total - t, 10 * total)) for t in range(total)]
        assert drawn.get_ydata() == pytest.approx(rates, rel=1e-12)
        assert drawn.get_xdata() == pytest.approx([t / per_epoch for t in range(total)])
    (once,) = lines_of(end, linear.INK)  # as its source had it: epochs from 0, set as each begins
    assert list(once.get_ydata()[:30]) == pytest.approx([0.1 * (1 - epoch / 30) for epoch in range(30)])
    assert once.get_ydata()[29] == pytest.approx(0.1 / 30)


def test_figure_5_2_is_the_plan_the_stopped_plan_and_the_short_plan():
    loss, _, rate, _ = linear.valley_figure().wide.axes
    (whole, *_), _ = (lines_of(rate, color) for color in (linear.LINEAR, linear.INK))
    peak = whole.get_ydata()[0]
    plans = {
        "whole": [peak * (300 - t) / 300 for t in range(300)],
        "cut": [peak * (300 - t) / 300 for t in range(150)],
        "short": [peak * (150 - t) / 150 for t in range(150)],
    }
    for axes, values in ((rate, plans.values()), (loss, ([valley_loss(plan)] for plan in plans.values()))):
        drawn = [line for line in axes.lines if len(line.get_xdata()) > 100]
        assert len(drawn) == len(plans)
        for line, wanted in zip(drawn, values, strict=True):
            assert list(line.get_ydata()[-len(wanted) :]) == pytest.approx(wanted)
    near = [valley_loss([peak * factor * (300 - t) / 300 for t in range(300)]) for factor in (0.98, 1, 1.02)]
    assert min(near) == near[1]  # the caption: the best peak rate for 300 updates


@pytest.mark.parametrize("panel", [0, 1])
def test_figure_5_4_is_all_recorded_runs(panel):
    axes = linear.cifar10_figure().wide.axes[panel]
    name = ("loss", "accuracy")[panel]
    for label, color in (("linear", linear.LINEAR), ("constant", linear.GRAY)):
        rules.check_runs_are_drawn(lines_of(axes, color), Records().runs(CIFAR10, label), name)


def test_the_rate_below_figure_5_4_is_what_the_optimizer_had():
    for rate in linear.cifar10_figure().wide.axes[2:]:
        (drawn,) = lines_of(rate, linear.LINEAR)
        rules.check_rate_is_the_optimizers(drawn, Records().runs(CIFAR10, "linear"))


def test_captions_tell_how_the_runs_were_made():
    records = Records()
    assert {run.config.epochs for run in records.runs(CIFAR10, "linear")} == {30}
    assert {run.config.peak_lr for run in records.runs(CIFAR10, "linear")} == {0.1}
    assert len(records.runs(DIGITS, "linear")) == len(records.runs(DIGITS, "constant")) == 5
    assert {run.config.epochs for run in records[DIGITS]} == {8}
    assert list(linear._plans(records)) == [5, 10, 20, 30, 40]
    for one, other in zip(records.runs(CIFAR10, "linear"), records.runs(CIFAR10, "constant"), strict=True):
        assert one.start == other.start
        assert one.column("batches") == other.column("batches")


def test_the_readers_runs_are_laid_over_those_of_their_own_setting():
    digits = {name: Records().runs(DIGITS, name)[0] for name in ("constant", "linear")}
    assert "Our five recorded runs" in linear.live_text(digits).text
    assert len(linear.live_figure(digits).wide.axes[0].lines) == 2 * (5 + 1)
    short = {name: Records().runs("horizon-digits", name, epochs=4)[0] for name in ("constant", "linear")}
    assert "recorded runs" not in linear.live_text(short).text
    assert len(linear.live_figure(short).wide.axes[0].lines) == 2
    cifar = {name: Records().runs(CIFAR10, name)[0] for name in ("constant", "linear")}
    assert linear.live_text(cifar).text.startswith("Your runs ended at ")
    assert "recorded runs" not in linear.live_text(cifar).text


@pytest.mark.parametrize(
    "words", ["the rate is 0 at the last epoch", "the initial rate is the only number to choose"]
)
def test_each_erratum_stands_in_its_box(words):
    assert words in re.sub(r"\s*\n> ?", " ", linear.beside_the_survey_text().text)


def test_the_frameworks_do_what_the_table_says(monkeypatch):
    """PyTorch and Keras, which are installed here; the rows of the others were run by hand."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    page = "\n".join("".join(cell["source"]) for cell in rules.cells("linear"))
    rows = {row[0]: row[1:] for row in re.findall(r"^\| (\w+) \| `([^`]*)` \| (.*) \|$", page, re.M)}
    assert list(rows) == ["PyTorch", "Keras", "Optax", "timm", "transformers"]
    steps = 60

    applied = partial(rules.rates_applied, steps=steps)

    for framework in ("PyTorch", "Keras"):
        rates = [0.1 * (steps - t) / steps for t in range(steps)]
        assert applied(framework, rows[framework][0]) == pytest.approx([*rates, 0.0], rel=1e-5, abs=1e-12)
    (short,) = re.findall(r"`([^`]*)`", rows["PyTorch"][1])
    assert applied("PyTorch", short)[:7] == pytest.approx(
        [0.1 * (1 + 2 * min(t, 5) / 5) / 3 for t in range(7)]
    )
    assert "from a third of the peak, over 5 updates" in rows["PyTorch"][1]
    (short,) = re.findall(r"`([^`]*)`", rows["Keras"][1])
    assert applied("Keras", short)[-1] == pytest.approx(0.0001)
    assert "ends at 0.0001" in rows["Keras"][1]

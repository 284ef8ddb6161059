"""Drop-based decay: every finding of the chapter stands on the records, and falls when they change."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import torch

import findings as rules
from findings import configured, constants, learned_less, measured, swapped, without
from lrbook.chapters import drop_based, map_plan
from lrbook.finding import NotBorneOut, Records
from plain_valley import valley_parts
from run_page import run_page

CIFAR10, DIGITS, BUDGETS, MAP = "survey-laptop", "survey-digits", "horizon", "laptop-map-gpu"
EIGHT = "constant time drop linear poly5 triangle cosine cosine5"

ALTERATIONS = {
    "drop and constant swapped": swapped(CIFAR10, "drop", "constant"),
    "drop and linear swapped": swapped(CIFAR10, "drop", "linear"),
    "drop restless": measured(CIFAR10, "drop", "test_accuracy", lambda e, x: x + 0.02 * (-1) ** e * (e > 15)),
    "drop scattered": measured(CIFAR10, "drop", "test_accuracy", lambda e, x: x - 0.06, seeds=[2]),
    "drop still rising": measured(CIFAR10, "drop", "test_accuracy", lambda e, x: x + 0.002 * max(0, e - 10)),
    "drop without a leap": measured(CIFAR10, "drop", "test_accuracy", lambda e, x: 0.5 + 0.31 * e / 30),
    "drop leaps everywhere in epoch 5": measured(
        CIFAR10, EIGHT, "test_accuracy", lambda e, x: x - 0.3 * (e < 5)
    ),
    "nobody rises in epoch 5": measured(CIFAR10, EIGHT, "test_accuracy", lambda e, x: min(x, 0.7) + 0.01 * e),
    "drop falls to where it was in epoch 5": measured(
        CIFAR10, "drop", "test_accuracy", lambda e, x: min(x, 0.79) - 0.001 * e
    ),
    "constant leaps too": measured(CIFAR10, "constant", "test_accuracy", lambda e, x: x + 0.05 * (e >= 5)),
    "linear ahead early": measured(CIFAR10, "linear", "test_accuracy", lambda e, x: x + 0.05 * (e < 12)),
    "linear cools sooner": measured(CIFAR10, "linear", "first_lr", lambda e, x: x / 100),
    "drop keeps learning": measured(CIFAR10, "drop", "train_loss", lambda e, x: x * 0.8 ** max(0, e - 15)),
    "drop falls in epoch 12": measured(
        CIFAR10, "drop", "train_loss", lambda e, x: x + 0.5 * (e < 12), seeds=[3]
    ),
    "linear falls in epoch 12": measured(
        CIFAR10, "linear", "train_loss", lambda e, x: x + 0.5 * (e < 12), seeds=[3]
    ),
    "drop's test loss falls": measured(CIFAR10, "drop", "test_loss", lambda e, x: 1.5 / e),
    "drop's test loss turns later in one run": measured(
        CIFAR10, "drop", "test_loss", lambda e, x: x - 0.4 * (e == 9), seeds=[4]
    ),
    "drop forgets some training images": learned_less(CIFAR10, "drop"),
    "a drop run is missing": without(CIFAR10, "drop", 5),
    "a constant run is missing": without(CIFAR10, "constant", 5),
    "digits: drop and constant swapped": swapped(DIGITS, "drop", "constant"),
    "digits: constant far behind": measured(DIGITS, "constant", "test_accuracy", lambda e, x: x - 0.2),
    "digits: constant ahead": measured(DIGITS, "constant", "test_accuracy", lambda e, x: x + 0.02),
    "digits: a drop run is missing": without(DIGITS, "drop", 1),
    "budgets: drop and constant swapped": swapped(BUDGETS, "drop", "constant"),
    "budgets: drop and linear swapped at 20": swapped(BUDGETS, "drop", "linear", epochs=20),
    "budgets: drop far behind at 40": measured(
        BUDGETS, "drop", "test_accuracy", lambda e, x: x - 0.06, epochs=40
    ),
    "budgets: drop far ahead at 10": measured(
        BUDGETS, "drop", "test_accuracy", lambda e, x: x + 0.03, epochs=10
    ),
    "budgets: drop better at 5": measured(BUDGETS, "drop", "test_accuracy", lambda e, x: x + 0.05, epochs=5),
    "budgets: linear worse at 5": measured(
        BUDGETS, "linear", "test_accuracy", lambda e, x: x - 0.08, epochs=5
    ),
    "budgets: a run is missing": without(BUDGETS, "drop", 2, epochs=5),
    "budgets: another recipe": configured(
        BUDGETS,
        "drop",
        recipe=Records().runs(BUDGETS, "drop")[0].config.recipe.__class__(drop_factor=0.5),
    ),
    "map: constant at 0.01 poor": measured(
        MAP, "constant", "test_accuracy", lambda e, x: x - 0.05, peak_lr=0.01
    ),
    "map: another common rate": constants(map_plan, COMMON=0.3),
    "the source's logs say less": constants(
        drop_based,
        published=lambda: SimpleNamespace(
            source=SimpleNamespace(row=lambda _: SimpleNamespace(test_accuracy=0.85))
        ),
    ),
    "valley: nearly no noise": constants(drop_based, RATE=0.001),
    "valley: an early cut that is right": constants(drop_based, EARLY=149),
    "valley: a late cut that is too late": constants(drop_based, LATE=299),
    "valley: compared before the cut": constants(drop_based, MOMENTS=(40, 50, 300)),
}

# What may stand in an author's words with a number: what the survey says itself, and formulas.
ALLOWED = (
    r"only seed 1 |87% from 84%|half every 10|a quarter every 15|\(1 \+ |/15 |10,000 test images|2019/07/22|"
    r"at four times its speed"  # a cut to a quarter
)


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(drop_based, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "The rate comes down a staircase",
        "Predict: when should the cut come?",
        "Why: a cut calms and slows at once",  # computed in the valley
        "The code: one exponent, rounded down",
        "Try it: a small network on digits",
    }
    rules.check_page(drop_based, plain_headings=plain, inside={"calm_on_digits_text"})


test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(drop_based)


def test_a_finding_that_fell_is_not_printed_and_says_why():
    records = Records()
    ALTERATIONS["budgets: drop better at 5"](records)
    claim = "with the fewest epochs every run with drops is below every constant one"
    with pytest.raises(NotBorneOut, match=claim):
        drop_based.short_of_time_text(records)


def test_numbers_follow_the_records():
    records = Records()
    measured(CIFAR10, "drop", "test_accuracy", lambda e, x: x + 0.001)(records)
    before, after = (drop_based.what_we_found_text(r).text for r in (Records(), records))
    assert "81.0%" in before
    assert "81.1%" in after
    assert "81.0%" not in after


def test_captions_tell_how_the_runs_were_made():
    records = Records()
    assert {run.config.epochs for run in records.runs(CIFAR10, "drop")} == {30}
    assert len(records.runs(DIGITS, "drop")) == len(records.runs(DIGITS, "constant")) == 5
    assert {run.config.epochs for run in records[DIGITS]} == {8}
    lengths = {run.config.epochs for run in records[BUDGETS]}
    assert (min(lengths), max(lengths)) == (5, 40)
    for one, other in zip(records.runs(CIFAR10, "drop"), records.runs(CIFAR10, "constant"), strict=True):
        assert one.start == other.start
        assert one.column("batches") == other.column("batches")
    recipe = records.runs(CIFAR10, "drop")[0].config.recipe
    assert (recipe.drop_factor, recipe.drop_fraction) == (0.25, 0.15)


def test_the_readers_runs_are_laid_over_those_of_their_own_setting():
    digits = {name: Records().runs(DIGITS, name)[0] for name in ("constant", "drop")}
    assert "Our five recorded runs" in drop_based.live_text(digits).text
    cifar = {name: Records().runs(CIFAR10, name)[0] for name in ("constant", "drop")}
    assert drop_based.live_text(cifar).text.startswith("Your runs ended at ")
    assert "recorded runs" not in drop_based.live_text(cifar).text
    for mine in (digits, cifar):
        lines = drop_based.live_figure(mine).wide.axes[0].lines
        assert len(lines) == 2 * (5 + 1)


def test_figure_4_2_is_the_valley_of_plain_loops():
    loss, distance, _, shaking = drop_based.valley_figure().wide.axes
    plans = {
        "constant": [0.5] * 300,
        "early": [0.5] * 60 + [0.125] * 240,
        "late": [0.5] * 150 + [0.125] * 150,
    }
    for number, rates in enumerate(plans.values()):
        for steps in (1, 61, 70, 100, 300):
            far, shaken = valley_parts(rates[:steps])
            wanted = ((loss, far + shaken), (distance, far), (shaking, shaken))
            for axes, value in wanted:
                curves = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 301]
                assert curves[number][steps] == pytest.approx(value)


def test_the_vertical_lines_are_where_the_recorded_rate_falls():
    run = Records().runs(CIFAR10, "drop")[0]
    for axes in drop_based.cifar10_figure().wide.axes:
        marks = [line.get_xdata()[0] for line in axes.lines if len(set(line.get_xdata())) == 1]
        # a quarter every 15 % of 11,730 updates: every 1,760
        assert marks == pytest.approx([1760 * k / 391 for k in range(1, 7)])
        for mark in marks:
            before, within = run.epochs[int(mark) - 1], run.epochs[int(mark)]
            assert within.last_lr == pytest.approx(before.last_lr / 4)


def test_until_the_first_drop_the_live_runs_are_one():
    a, b = run_page("drop_based").names["mine"].values()
    assert a.column("batches") == b.column("batches")
    assert a.start == b.start


def test_the_frameworks_do_what_the_table_says(monkeypatch):
    """PyTorch and Keras, which are installed here; the rows of Optax and timm were run by hand."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    from keras.optimizers import schedules as keras

    page = "\n".join("".join(cell["source"]) for cell in rules.cells("drop_based"))
    rows = {row[0]: row[1:] for row in re.findall(r"^\| (\w+) \| `([^`]*)` \| `([^`]*)` \|$", page, re.M)}
    assert list(rows) == ["PyTorch", "Keras", "Optax", "timm"]
    steps, b = 60, 20
    wanted = [
        [0.1 * 0.25 ** (t // 15) for t in range(steps)],
        [0.1 * 0.25 ** (t >= b) for t in range(steps)],
    ]
    for framework, room in (("PyTorch", torch.optim.lr_scheduler), ("Keras", keras)):
        for code, rates in zip(rows[framework], wanted, strict=True):
            opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
            made = eval(code, {**vars(room), "opt": opt, "b": b})
            applied = []
            for t in range(steps):
                if framework == "Keras":
                    applied.append(float(made(t)))
                    continue
                applied.append(opt.param_groups[0]["lr"])
                opt.step()
                made.step()
            assert applied == pytest.approx(rates, rel=1e-6), (framework, code)

"""Cosine annealing: every finding of the chapter stands on the records, and falls when they change."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import findings as rules
from findings import configured, constants, measured, swapped, without
from lrbook.chapters import cosine, snapshots
from lrbook.finding import Records
from lrlib import LinearDecay, PolynomialDecay
from plain_valley import valley_loss, valley_parts

CIFAR10, BUDGETS, DIGITS, PEAKS = "survey-laptop", "horizon", "survey-digits", "peak-digits"
RESNET50 = "resnet50-gpu"
TOTAL, PER_EPOCH = 11_730, 391  # 50,000 images are 390 batches of 128, and one of 80


def changed(labels: str, column: str, value, **which):
    return measured(CIFAR10, labels, column, value, **which)


def table_of_the_survey(*names: str):
    rows = [SimpleNamespace(schedule=name) for name in names]
    return lambda: SimpleNamespace(survey=SimpleNamespace(rows=rows))


ALTERATIONS = {
    "snapshots: one average is no better": constants(snapshots, gains=lambda: [0.01, -0.001, 0.01]),
    "snapshots differ as much as any": constants(snapshots, pairs_differ=lambda names: 0.15),
    "one cycle and five swapped": swapped(CIFAR10, "cosine", "cosine5"),
    "ResNet-50: one cycle and five swapped": swapped(RESNET50, "cosine", "cosine5"),
    "ResNet-50: five cycles poor": measured(
        RESNET50, "cosine5", "test_accuracy", lambda e, x: x - 0.02, seeds=[0]
    ),
    "one cycle poor": changed("cosine", "test_accuracy", lambda e, x: x - 0.03),
    "five cycles good at the end": changed("cosine5", "test_accuracy", lambda e, x: x + 0.01 * (e == 30)),
    "five cycles low at 18": changed("cosine5", "test_accuracy", lambda e, x: x - 0.02 * (e == 18)),
    "restarts cost no accuracy": changed("cosine5", "test_accuracy", lambda e, x: x + 0.1 * (e % 6 == 1)),
    "a restart costs a seed no accuracy": changed(
        "cosine5", "test_accuracy", lambda e, x: x + 0.1 * (e == 13), seeds=[2]
    ),
    "back after half a cycle": changed("cosine5", "test_accuracy", lambda e, x: x + 0.1 * (e % 6 == 3)),
    "a run is missing": without(CIFAR10, "cosine5", 5),
    "a loss that is no multiple": changed("cosine5", "train_loss", lambda e, x: x * (1 + 0.1 * (e == 30))),
    "cycles that end inside epochs": configured(CIFAR10, "cosine5", epochs=32, batch_size=25_000),
    "the first restart costs more": changed("cosine5", "train_loss", lambda e, x: x * (1 + (e == 7))),
    "the last restart costs less": changed("cosine5", "train_loss", lambda e, x: x * (1 - 0.9 * (e == 25))),
    "back at once": changed("cosine5", "train_loss", lambda e, x: x * (1 - 0.9 * (e == 8))),
    "a last cycle that ends high": changed("cosine5", "train_loss", lambda e, x: x + (e == 30), seeds=[1]),
    "a good plan for 10 epochs": measured(
        BUDGETS, "linear", "test_accuracy", lambda e, x: x + 0.05, epochs=10
    ),
    "a good plan for 20 epochs": measured(
        BUDGETS, "linear", "test_accuracy", lambda e, x: x + 0.02, epochs=20
    ),
    "a plan is missing": without(BUDGETS, "linear", 2, epochs=20),
    "digits: cycles that end with epochs": configured(DIGITS, "cosine5", epochs=10),
    "digits: a constant rate": measured(DIGITS, "cosine5", "last_lr", lambda e, x: 0.1),
    "digits: a run poor after epoch 6": measured(
        DIGITS, "cosine5", "test_accuracy", lambda e, x: x - 0.3 * (e == 6), seeds=[3]
    ),
    "digits: swapped at one peak": swapped(PEAKS, "cosine", "cosine5", peak_lr=0.01),
    "digits: fails at a low peak": measured(
        PEAKS, "cosine cosine5", "test_accuracy", lambda e, x: 0.1, peak_lr=0.001
    ),
    "digits: far apart at one peak": measured(
        PEAKS, "cosine", "test_accuracy", lambda e, x: x - 0.05, peak_lr=0.01
    ),
    "valley: asked in the middle of a cycle": constants(cosine, EARLY=90),
    "valley: asked at the first cycle end": constants(cosine, EARLY=60),
    "valley: asked at the end": constants(cosine, EARLY=300),
    "valley: no restarts": constants(cosine, CYCLES=1),
    "valley: a very short run": constants(cosine, STEPS=20, EARLY=8),
    "valley: no lower peak": constants(cosine, LOW=1.0),
    "the survey trained it": constants(cosine, published=table_of_the_survey("Constant", "Cosine Annealing")),
    "another line": constants(
        cosine, LinearDecay=lambda total_steps: PolynomialDecay(total_steps=total_steps, power=2)
    ),
    "another cosine": constants(
        cosine, CosineAnnealing=lambda total_steps, cycles=1: LinearDecay(total_steps=total_steps)
    ),
}

# What may stand in an author's words with a number: addresses.
ALLOWED = r"ResNet-50|one run each|arxiv\.org/abs/\d+\.\d+|two of them differ|than two independent runs"


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(cosine, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "The rate glides down, and may start again",
        "Predict: one long cycle, or five short ones?",
        "Why: a restart brings the noise back, not the distance",  # computed in the valley
        "The code: the place in the cycle, and half a cosine",
        "Try it: one cycle and five on digits",
    }
    rules.check_page(cosine, plain_headings=plain, inside={"moment_on_digits_text"})


test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(cosine)


# The figures, by other means


def lines_of(axes, color: str) -> list:
    return [line for line in axes.lines if line.get_color() == color]


def factors(total: int, cycles: int) -> list[float]:
    """By the half-angle formula, so that not even the cosine's argument is the library's."""
    length = math.ceil(total / cycles)
    return [math.cos(math.pi / 2 * (t % length) / length) ** 2 for t in range(total)]


def test_figure_9_1_is_equation_2_counted_from_0():
    left, right = cosine.shapes_figure().wide.axes
    for axes, color, cycles in ((left, cosine.ONE, 1), (left, cosine.FIVE, 5), (right, cosine.ONE, 1)):
        (drawn,) = lines_of(axes, color)
        rates = [0.1 * factor for factor in factors(TOTAL, cycles)]
        assert drawn.get_ydata() == pytest.approx(rates, rel=1e-9, abs=1e-15)
        assert drawn.get_xdata() == pytest.approx([t / PER_EPOCH for t in range(TOTAL)])
    (five,) = lines_of(left, cosine.FIVE)
    assert [t / PER_EPOCH for t in range(TOTAL) if five.get_ydata()[t] == 0.1] == [0, 6, 12, 18, 24]
    (line,) = lines_of(right, cosine.LINEAR)
    assert line.get_ydata() == pytest.approx([0.1 * (1 - t / TOTAL) for t in range(TOTAL)])


def test_figure_9_2_is_one_cycle_and_five_at_the_best_peak_of_one():
    loss, distance, rate, shaking = cosine.valley_figure().wide.axes
    (one,) = lines_of(rate, cosine.ONE)
    peak = one.get_ydata()[0]
    for color, cycles in ((cosine.ONE, 1), (cosine.FIVE, 5)):
        plan = [peak * factor for factor in factors(300, cycles)]
        (drawn,) = lines_of(rate, color)
        assert list(drawn.get_ydata()) == pytest.approx(plan, abs=1e-12)
        for steps in (60, 120, 180, 240, 300):
            parts = valley_parts(plan[:steps])
            for axes, wanted in ((distance, parts[0]), (shaking, parts[1]), (loss, sum(parts))):
                curve = max(lines_of(axes, color), key=lambda line: len(line.get_xdata()))
                assert curve.get_ydata()[steps] == pytest.approx(wanted, rel=1e-9)
    near = [valley_loss([peak * part * factor for factor in factors(300, 1)]) for part in (0.98, 1, 1.02)]
    assert min(near) == near[1]  # the page: the best peak rate for a single cycle


@pytest.mark.parametrize(("panel", "column"), [(0, "train_loss"), (1, "test_accuracy")])
def test_figure_9_4_is_all_recorded_runs(panel, column):
    axes = cosine.cifar10_figure().wide.axes[panel]
    for label, color in (("cosine", cosine.ONE), ("cosine5", cosine.FIVE), ("constant", cosine.GRAY)):
        columns = [run.column(column) for run in Records().runs(CIFAR10, label)]
        mean = [sum(values) / len(values) for values in zip(*columns, strict=True)]
        drawn = [list(line.get_ydata()) for line in lines_of(axes, color)]
        assert any(line == pytest.approx(mean) for line in drawn), label
        assert column == "train_loss" or all(each in drawn for each in columns)


def test_the_rate_below_figure_9_4_is_what_the_optimizer_had():
    for rate in cosine.cifar10_figure().wide.axes[2:]:
        for label, color in (("cosine", cosine.ONE), ("cosine5", cosine.FIVE)):
            (drawn,) = lines_of(rate, color)
            for run in Records().runs(CIFAR10, label):
                for epoch in run.epochs:
                    starts = [epoch.epoch, epoch.epoch + 390 / 391]  # of the first and the last update
                    wanted = np.interp(starts, drawn.get_xdata(), drawn.get_ydata())
                    assert [epoch.first_lr, epoch.last_lr] == pytest.approx(wanted, rel=1e-9)


def test_figure_9_5_shows_cycle_ends_what_follows_and_plans():
    records = Records()
    (axes,) = cosine.stops_figure().wide.axes
    five = records.runs(CIFAR10, "cosine5")
    mean = [sum(values) / 5 for values in zip(*(run.column("test_accuracy") for run in five), strict=True)]
    large = [line for line in lines_of(axes, cosine.FIVE) if line.get_markersize() == 7]
    dots = {int(line.get_xdata()[0]): line.get_ydata()[0] for line in large}
    assert dots == {epoch: pytest.approx(mean[epoch - 1]) for epoch in (6, 7, 12, 13, 18, 19, 24, 25, 30)}
    assert {int(line.get_xdata()[0]) for line in large if line.get_markerfacecolor() == "none"} == {
        7,
        13,
        19,
        25,
    }
    written = [text.get_text() for text in axes.texts if text.get_text().startswith("\N{MINUS SIGN}")]
    assert [float(text[1:]) for text in written] == [
        pytest.approx(100 * (mean[epoch - 1] - mean[epoch]), abs=0.0501) for epoch in (6, 12, 18, 24)
    ]
    (squares,) = (line for line in lines_of(axes, cosine.LINEAR) if line.get_marker() == "s")
    assert list(squares.get_xdata()) == [5, 10, 20, 30]
    for epochs, value in zip(squares.get_xdata(), squares.get_ydata(), strict=True):
        study = CIFAR10 if epochs == 30 else BUDGETS
        runs = [run for run in records[study] if run.label == "linear" and run.config.epochs == epochs]
        assert value == pytest.approx(sum(run.column("test_accuracy")[-1] for run in runs) / len(runs))


def test_captions_tell_how_the_runs_were_made():
    records = Records()
    runs = {name: records.runs(CIFAR10, name) for name in ("cosine", "cosine5", "constant")}
    assert {run.config.epochs for each in runs.values() for run in each} == {30}
    assert {run.config.peak_lr for each in runs.values() for run in each} == {0.1}
    assert {run.config.steps_per_epoch for run in runs["cosine5"]} == {PER_EPOCH}
    assert {run.config.recipe.cycles for run in runs["cosine5"]} == {5}
    assert len(records.runs(DIGITS, "cosine")) == len(records.runs(DIGITS, "cosine5")) == 5
    assert {run.config.epochs for run in records[DIGITS]} == {8}
    for one, five in zip(runs["cosine"], runs["cosine5"], strict=True):
        assert one.start == five.start
        assert one.column("batches") == five.column("batches")


def test_the_prediction_is_the_valley_that_is_computed():
    page = "\n".join("".join(cell["source"]) for cell in rules.cells("cosine"))
    asked = re.search(r"two runs of (\d+) updates .* five of (\d+) updates.* after (\d+) updates", page, re.S)
    assert [int(text) for text in asked.groups()] == [cosine.STEPS, 60, cosine.EARLY]
    assert cosine.STEPS == 60 * cosine.CYCLES


def test_the_readers_runs_are_laid_over_those_of_their_own_setting():
    digits = {name: Records().runs(DIGITS, name)[0] for name in ("cosine", "cosine5")}
    assert "our five recorded runs" in cosine.live_text(digits).text
    loss = cosine.live_figure(digits).wide.axes[0]
    assert len(loss.lines) == 2 * (5 + 1)
    names = {text.get_text(): text.get_color() for text in loss.texts}
    assert names == {"cosine": cosine.ONE, "cosine5": cosine.FIVE}
    assert cosine.ONE != cosine.FIVE  # two labels, two colors
    cifar = {name: Records().runs(CIFAR10, name)[0] for name in ("cosine", "cosine5")}
    assert "recorded runs" not in cosine.live_text(cifar).text


@pytest.mark.parametrize(
    "words",
    [
        "ceiling brackets around total_epochs/num_of_cycles",
        "changes the rate at every update, where the survey writes epochs",
    ],
)
def test_each_erratum_stands_in_its_box(words):
    assert words in re.sub(r"\s*\n> ?", " ", cosine.beside_the_survey_text().text)


def test_a_number_of_cycles_that_does_not_divide_the_run():
    """The page: neither rounding ends near zero. Epoch 99 is number 9 of a cycle of 15, 1 of one of 14."""
    for place, length in ((9, 15), (1, 14)):
        assert 99 % length == place
        assert math.cos(math.pi / 2 * place / length) ** 2 > 0.3


def test_the_frameworks_do_what_the_table_says(monkeypatch):
    """PyTorch and Keras, which are installed here; the rows of the others were run by hand."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    from keras.optimizers import schedules as keras

    page = "\n".join("".join(cell["source"]) for cell in rules.cells("cosine"))
    rows = {row[0]: row[1:] for row in re.findall(r"^\| (\w+) \| `([^`]*)` \| `([^`]*)` \|$", page, re.M)}
    assert list(rows) == ["PyTorch", "Keras", "Optax", "timm", "transformers"]
    steps, length = 60, 12

    def applied(framework: str, code: str) -> list[float]:
        """The rates of updates 0 to T - 1, and of some that would come after them."""
        opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        room = torch.optim.lr_scheduler if framework == "PyTorch" else keras
        made = eval(code, {**vars(room), "opt": opt, "T": steps, "L": length})
        if framework == "Keras":
            return [float(made(t)) for t in range(steps + 4)]
        found = []
        for _ in range(steps + 4):
            found.append(opt.param_groups[0]["lr"])
            opt.step()
            made.step()
        return found

    for framework in ("PyTorch", "Keras"):
        one, five = rows[framework]
        for code, cycles in ((one, 1), (five, 5)):
            rates = [0.1 * factor for factor in factors(steps, cycles)]
            assert applied(framework, code)[:steps] == pytest.approx(rates, rel=1e-4, abs=1e-8)
        rest = applied(framework, one)[steps:]
        assert rest[0] == pytest.approx(0, abs=1e-9)
        assert (rest[3] > 1e-4) == (framework == "PyTorch")  # the page: it climbs back, Keras stays at zero
    twice = applied("Keras", rows["Keras"][1].replace(", t_mul=1.0", ""))
    assert [t for t in range(1, steps) if twice[t] > twice[t - 1] + 0.05] == [
        12,
        36,
    ]  # the page: twice as long

"""Time-based decay: every finding of the chapter stands on the records, and falls when they change."""

from __future__ import annotations

import contextlib
import functools
import io
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import findings as rules
from findings import configured, constants, learned_less, measured, swapped, without
from lrbook.chapters import map_plan, time_based
from lrbook.finding import NotBorneOut, Records
from lrlib.schedules import TimeRecipe
from plain_valley import valley_parts
from run_page import run_page

CIFAR10, DIGITS, PEAKS_DIGITS = "survey-laptop", "survey-digits", "peak-digits"
SOURCE = "source-gpu"
MAP = "laptop-map-gpu"
PER_EPOCH = 391  # 50,000 images are 390 batches of 128, and one of 80


def accuracy(study, label, value, **config):
    return measured(study, label, "test_accuracy", value, **config)


def printed(time: float, constant: float):
    """The survey and its source printed these accuracies, and losses in the same order."""
    rows = {
        name: SimpleNamespace(test_accuracy=value, accuracy=value, loss=value)
        for name, value in (("time", time), ("constant", constant))
    }
    table = SimpleNamespace(row=rows.__getitem__)
    return constants(time_based, published=lambda: SimpleNamespace(survey=table, source=table))


def slower_decay(records: Records) -> None:
    """The runs on CIFAR-10 have a tenth of the decay."""
    recipe = TimeRecipe(decay_times_epochs=0.01)
    records[CIFAR10] = [
        run.model_copy(update={"config": run.config.model_copy(update={"recipe": recipe})})
        if run.label == "time"
        else run
        for run in records[CIFAR10]
    ]


ALTERATIONS = {
    "time and constant swapped": swapped(CIFAR10, "time", "constant"),
    "time and linear swapped": swapped(CIFAR10, "time", "linear"),
    "time far ahead of all": accuracy(CIFAR10, "time", lambda e, x: x + 0.1),
    "time restless": accuracy(CIFAR10, "time", lambda e, x: x + 0.02 * (-1) ** e * (e > 15)),
    "time still rising": accuracy(CIFAR10, "time", lambda e, x: x + 0.002 * max(0, e - 20)),
    "one run of time is poor": accuracy(CIFAR10, "time", lambda e, x: x - 0.03, seeds=[2]),
    "linear passes early": accuracy(CIFAR10, "linear", lambda e, x: x + 0.05),
    "linear learns sooner": measured(CIFAR10, "linear", "train_loss", lambda e, x: x * 0.1 ** (e >= 12)),
    "linear forgets some training images": learned_less(CIFAR10, "linear"),
    "a run of time is missing": without(CIFAR10, "time", 5),
    "a constant run is missing": without(CIFAR10, "constant", 5),
    "another peak rate": configured(CIFAR10, "time", peak_lr=0.05),
    "another decay": slower_decay,
    "map: constant best at 0.1": accuracy(MAP, "constant", lambda e, x: x + 0.1, peak_lr=0.1),
    "map: decay good for a seed": accuracy(MAP, "time", lambda e, x: x + 0.05, seeds=[2]),
    "one run of linear is poor": accuracy(CIFAR10, "linear", lambda e, x: x - 0.06, seeds=[1]),
    "map: another common rate": constants(map_plan, COMMON=0.3),
    "map: constant at 0.01 poor": accuracy(MAP, "constant", lambda e, x: x - 0.05, peak_lr=0.01),
    "digits: time and constant swapped": swapped(DIGITS, "time", "constant"),
    "digits: a run of time is missing": without(DIGITS, "time", 1),
    "peaks: time and constant swapped": swapped(PEAKS_DIGITS, "time", "constant"),
    "peaks: constant worse everywhere": accuracy(PEAKS_DIGITS, "constant", lambda e, x: x - 0.03),
    "peaks: constant learns at 0.3": accuracy(PEAKS_DIGITS, "constant", lambda e, x: 0.3, peak_lr=0.3),
    "peaks: time learns at 1": accuracy(PEAKS_DIGITS, "time", lambda e, x: 0.9, peak_lr=1.0),
    "peaks: a run is missing": without(PEAKS_DIGITS, "time", 1, peak_lr=0.1),
    "its experiment, run again: swapped": swapped(SOURCE, "time", "constant"),
    "the survey and its source printed the reverse": printed(time=0.85, constant=0.84),
    "nearly no decay": constants(time_based, DECAY=0.00001),
    "valley: per update, a third of the rate is left": constants(time_based, PER_UPDATE_ENDS=3.0),
    "valley: per update, nearly all of the rate is left": constants(time_based, PER_UPDATE_ENDS=1.2),
    "valley: per epoch, little of the rate is left": constants(time_based, PER_EPOCH_ENDS=30.0),
}

# What may stand in an author's words with a number: what the survey says itself, and formulas.
ALLOWED = (
    r"\$d = 0\.001\$|1/(?= of its peak)|0\.1/100, makes 0\.001, not 0\.01|2019/07/22|"
    r"One formula, two schedules|which of the two"
)


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(time_based, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "The rate falls fast, then creeps",
        "Predict: how far does it come?",
        "Why: calm early, and far from the bottom",  # computed in the valley
        "The code: one division, and the unit of t",
        "Try it: the same decay, per update and per epoch",
    }
    rules.check_page(time_based, plain_headings=plain, inside={"on_digits_text"})


test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(time_based)


def test_a_finding_that_fell_is_not_printed_and_says_why():
    records = Records()
    ALTERATIONS["one run of time is poor"](records)
    with pytest.raises(NotBorneOut, match="every run with decay ends above every constant one"):
        time_based.ahead_and_behind_text(records)


def test_numbers_follow_the_records():
    records = Records()
    accuracy(CIFAR10, "time", lambda e, x: x + 0.001)(records)
    before, after = (time_based.what_we_found_text(r).text for r in (Records(), records))
    assert "79.5%" in before
    assert "79.6%" in after
    assert "79.5%" not in after


# --- Formulas, worked out by other means ------------------------------------------------------------------


def valley_loss(peak: float, end: float) -> float:
    """What is left after 300 updates at peak / (1 + d t), where 1 + 300 d is `end`."""
    return sum(valley_parts([peak / (1 + (end - 1) * t / 300) for t in range(300)]))


def drawn_last(axes) -> list[float]:
    return [line.get_ydata()[-1] for line in axes.lines]


def test_figure_3_1_is_one_decay_read_in_three_ways():
    axes = time_based.shapes_figure().wide.axes[0]
    _, epoch, compounded, update = axes.lines
    assert update.get_xdata() == pytest.approx(np.arange(39_100) / PER_EPOCH)
    # As the survey prints it: initial_lr / (1 + decay * (epoch * iterations_per_epoch)).
    assert update.get_ydata() == pytest.approx([0.1 / (1 + 0.001 * t) for t in range(39_100)], rel=1e-12)
    by_epoch = [0.1 / (1 + 0.001 * e) for e in range(100)]
    assert epoch.get_ydata() == pytest.approx(np.repeat(by_epoch, PER_EPOCH), rel=1e-12)
    # 0.1 / 40.099, 0.1 / 1.099, and 0.1 e^-(4.95 - 0.164175 + 0.008168 - 0.000487): ln(1 + x) as a series
    wanted = [0.1, 0.0909918, 0.1 * math.exp(-4.793506), 0.00249383]
    assert drawn_last(axes) == pytest.approx(wanted, rel=1e-4)
    lr = 0.1
    for e in range(38):
        lr = lr / (1 + 0.001 * e)
    assert compounded.get_ydata()[37 * PER_EPOCH] == pytest.approx(lr, rel=1e-12)
    text = time_based.what_we_found_text().text
    assert re.search(r"1/40 of its peak rate.* 91%", text, re.S)


def test_the_valley_and_the_answer():
    loss, distance, _, shaking = time_based.valley_figure().wide.axes
    peak = 0.27876912863375336
    ends = {"constant": 1.0, "per epoch": 1.1, "per update": 40.1}
    parts = [valley_parts([peak / (1 + (end - 1) * t / 300) for t in range(300)]) for end in ends.values()]
    assert drawn_last(loss) == pytest.approx([sum(part) for part in parts])
    assert drawn_last(distance) == pytest.approx([part[0] for part in parts])
    assert drawn_last(shaking) == pytest.approx([part[1] for part in parts])
    # the best constant rate: a little more and a little less are worse
    assert min((0.9, 1, 1.1), key=lambda times: valley_loss(times * peak, 1.0)) == 1
    text = time_based.valley_answer_text().text
    assert re.findall(r"0\.\d{3}", text) == ["0.525", "0.046", "0.044"]
    # half of 1 / (1 + 39.1 t / 300) at t = 7.67
    assert "after eight updates" in text
    assert f"{parts[2][0] / sum(parts[2]):.0%} of its loss" in " ".join(text.split())
    # the mean of 1 / (1 + 39.1 x) over [0, 1] is ln(40.1) / 39.1
    assert f"{math.log(40.1) / 39.1:.0%}" == "9%"  # the integral; the sum of 300 rates is a little more
    mean = sum(1 / (1 + 39.1 * t / 300) for t in range(300)) / 300
    assert f"{mean:.0%} of the peak" in " ".join(time_based.sum_of_rates_text().text.split())


def test_the_peak_at_which_both_end_alike_and_the_best_of_decay():
    text = " ".join(time_based.peak_decides_text().text.split())
    best, times, level, own = map(
        float,
        re.search(r"rate, ([\d.]+)\. Raise it ([\d.]+) times, to ([\d.]+),.* At ([\d.]+),", text).groups(),
    )
    assert valley_loss(level - 0.005, 40.1) > valley_loss(level - 0.005, 1.0)
    assert valley_loss(level + 0.005, 40.1) < valley_loss(level + 0.005, 1.0)
    assert times == pytest.approx(level / best, abs=0.05)
    assert min((own - 0.3, own, own + 0.3), key=lambda peak: valley_loss(peak, 40.1)) == own
    above = [t for t in range(300) if 4.253 / (1 + 39.1 * t / 300) > 2]
    assert len(above) == 9
    assert "For nine updates" in text


def test_the_cells_print_what_the_text_says():
    """1/2 and 1/10 of the rate; half of the last rate at half of the batch; and what compounds."""
    cells = [cell for cell in rules.cells("time_based") if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    chosen = [source for source in sources if "print(" in source and "colab" not in source]
    out, space = io.StringIO(), {}
    with contextlib.redirect_stdout(out):
        for source in chosen:
            exec(source, space)
    numbers = [float(word) for word in out.getvalue().split() if word not in ("instead", "of")]
    # updates: 100 epochs of 782, 391 or 196
    wanted = [0, 0.1, 100, 0.05, 900, 0.01, 64, 0.1 / 79.199, 128, 0.1 / 40.099, 256, 0.1 / 20.599]
    wanted += [0.1 * math.exp(-4.793506), 0.1 / 1.099]
    assert numbers == pytest.approx(wanted, abs=5.1e-6)


def test_both_sums_of_robbins_and_monro():
    """The sum of 1 / (1 + d t) grows like ln(T) / d, that of its squares stays below 1 + 1 / d."""
    rates = 1 / (1 + 0.1 * np.arange(10**6))
    sums = [rates[:steps].sum() for steps in (10**4, 10**5, 10**6)]
    assert np.diff(sums) == pytest.approx([10 * math.log(10)] * 2, rel=0.01)
    assert (rates**2).sum() < 1 + 1 / 0.1
    assert sum(0.5**k for k in range(1000)) <= 2  # halving: the first sum ends


# --- Records ----------------------------------------------------------------------------------------------


def test_figure_3_4_is_all_recorded_runs_of_both_schedules():
    loss, accuracy, *_ = time_based.cifar10_figure().wide.axes
    for axes, name in ((loss, "test_loss"), (accuracy, "test_accuracy")):
        drawn = [list(line.get_ydata()) for line in axes.lines]
        for label in ("constant", "time"):
            columns = [run.column(name) for run in Records().runs(CIFAR10, label)]
            assert all(list(column) in drawn for column in columns)
            mean = [sum(values) / 5 for values in zip(*columns, strict=True)]
            assert any(len(line) == 30 and line == pytest.approx(mean) for line in drawn)


def test_the_recorded_rates_are_the_formula_of_the_chapter():
    for run in Records().runs(CIFAR10, "time"):
        for number, epoch in enumerate(run.epochs):  # decay = 0.1 / 30 per update
            assert epoch.first_lr == pytest.approx(0.1 / (1 + PER_EPOCH * number / 300), rel=1e-9)
            last = PER_EPOCH * (number + 1) - 1
            assert epoch.last_lr == pytest.approx(0.1 / (1 + last / 300), rel=1e-9)
    assert epoch.last_lr == pytest.approx(0.1 / 40, rel=0.01)  # "to 1/40"
    *_, rates, _ = time_based.cifar10_figure().wide.axes
    assert rates.lines[1].get_ydata() == pytest.approx([0.1 / (1 + t / 300) for t in range(11_730)])


def test_captions_tell_how_the_runs_were_made():
    records = Records()
    assert {run.config.epochs for run in records.runs(CIFAR10, "time")} == {30}
    assert len(records.runs(DIGITS, "time")) == len(records.runs(DIGITS, "constant")) == 5
    for one, other in zip(records.runs(CIFAR10, "time"), records.runs(CIFAR10, "constant"), strict=True):
        assert one.start == other.start
        assert one.column("batches") == other.column("batches")
    assert {run.config.dataset for run in records[PEAKS_DIGITS]} == {"digits"}


def test_the_readers_runs_are_laid_over_those_of_their_own_setting():
    digits = {"time": Records().runs(DIGITS, "time")[0], "per epoch": Records().runs(DIGITS, "constant")[0]}
    assert "Our five recorded runs per update" in " ".join(time_based.live_text(digits).text.split())
    cifar = {"time": Records().runs(CIFAR10, "time")[0], "per epoch": Records().runs(CIFAR10, "constant")[0]}
    assert "recorded runs" not in time_based.live_text(cifar).text
    text = " ".join(time_based.live_text(cifar).text.split())
    assert "a rate of 0.0025 with 79.5%; per epoch, at 0.1 with 77.7%" in text


@functools.cache
def page():
    return run_page("time_based")


def test_the_live_runs_differ_in_the_unit_alone():
    per_update, per_epoch = (run.config for run in page().names["mine"].values())
    assert {key for key, value in per_update if dict(per_epoch)[key] != value} == {"recipe"}
    # 0.1 / epochs per update, and the same per epoch: the preset has 1,000 images in batches of 5
    assert per_update.recipe.decay_times_epochs == 0.1
    assert per_epoch.recipe.decay_times_epochs == pytest.approx(0.1 / 200)


# --- Words about others -----------------------------------------------------------------------------------


def test_the_box_beside_the_survey():
    text = re.sub(r"\s*\n> ?", " ", time_based.beside_the_survey_text().text)
    assert "0.1/100, makes 0.001, not 0.01" in text
    assert "0.8151 and 0.8414" in text
    assert len(text.split()) < 100


def test_the_frameworks_do_what_the_table_says(monkeypatch):
    """PyTorch and Keras, which are installed here, and the functions that Optax takes."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    from keras.optimizers import schedules as keras

    text = "\n".join("".join(cell["source"]) for cell in rules.cells("time_based"))
    rows = {row[0]: row[1:] for row in re.findall(r"^\| (\w+) \| `([^`]*)` \| `([^`]*)` \|$", text, re.M)}
    assert list(rows) == ["PyTorch", "Keras", "Optax"]
    steps, n = 60, 20
    wanted = [
        [0.1 / (1 + 0.01 * t) for t in range(steps)],
        [0.1 / (1 + 0.01 * (t // n)) for t in range(steps)],
    ]
    rooms = {"PyTorch": torch.optim.lr_scheduler, "Keras": keras, "Optax": math}
    for framework, codes in rows.items():
        for code, rates in zip(codes, wanted, strict=True):
            opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
            made = eval(code, {**vars(rooms[framework]), "opt": opt, "n": n})
            applied = []
            for t in range(steps):
                if framework != "PyTorch":
                    applied.append(float(made(t)))
                    continue
                applied.append(opt.param_groups[0]["lr"])
                opt.step()
                made.step()
            assert applied == pytest.approx(rates, rel=1e-6), (framework, code)


def test_the_two_traps_in_keras(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    decay = keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.01)
    weight = keras.Variable(np.zeros(1))
    optimizer = keras.optimizers.SGD(decay, gradient_accumulation_steps=4)
    for _ in range(8):  # 8 batches are 2 updates
        optimizer.apply([keras.ops.ones(1)], [weight])
    assert float(optimizer.learning_rate) == pytest.approx(0.1 / (1 + 0.01 * 8))
    with pytest.warns(UserWarning, match="decay"):
        old = keras.optimizers.SGD(0.1, decay=0.001)
    for _ in range(8):
        old.apply([keras.ops.ones(1)], [weight])
    assert float(old.learning_rate) == pytest.approx(0.1)

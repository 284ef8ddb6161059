"""The constant rate: every finding of the chapter stands on the records, and falls when they change."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import findings as rules
import lrlib.runs.store
from findings import Alteration, constants, learned_less, measured, swapped, without
from lrbook.chapters import constant, map_plan
from lrbook.finding import Records
from lrlib import preset
from lrlib.training.dataset import load
from lrlib.training.networks import build
from lrlib.training.randomness import permutation
from lrlib.training.run import train
from plain_valley import valley_loss

CIFAR10, PEAKS, DIGITS = "survey-laptop", "peak-laptop", "survey-digits"
THREE, SEVEN, MAP = "peak-digits", "rates-digits", "laptop-map-gpu"


def ended(study: str, label: str, *, peak_lr: float, **final: float) -> Alteration:
    """The last weights of the runs at one rate measure something else on the training set."""

    def alter(records: Records) -> None:
        chosen = {id(run) for run in records.runs(study, label, peak_lr=peak_lr)}
        records[study] = [
            run.model_copy(update={"final": run.final.model_copy(update=final)}) if id(run) in chosen else run
            for run in records[study]
        ]

    return alter


def both(*alterations: Alteration) -> Alteration:
    """Two alterations at once."""

    def alter(records: Records) -> None:
        for each in alterations:
            each(records)

    return alter


def at(rate: float, value, *, column: str = "test_accuracy") -> Alteration:
    """All ten seeds at a rate on the digits measure something else."""
    return both(*(measured(study, "constant", column, value, peak_lr=rate) for study in (THREE, SEVEN)))


ALTERATIONS = {
    "valley: too short for the small rate's floor": constants(constant, STEPS=300),
    "valley: compared late": constants(constant, EARLY=1500),
    "valley: the large rate is small": constants(constant, FAST=0.01, SLOW=0.1),
    "digits: a run at the good rate is missing": without(SEVEN, "constant", 4, peak_lr=0.01),
    "digits: a run at the good rate fails": measured(
        THREE, "constant", "test_accuracy", lambda e, x: x - 0.2, seeds=[2], peak_lr=0.01
    ),
    "digits: the good rate is a little worse": at(0.01, lambda e, x: x - 0.008),
    "digits: 0.003 poor": at(0.003, lambda e, x: x - 0.05),
    "digits: a run at the highest rate learns a little": measured(
        SEVEN, "constant", "test_accuracy", lambda e, x: x + 0.05, seeds=[4], peak_lr=1.0
    ),
    "digits: a run at a high rate learns": measured(
        SEVEN, "constant", "test_accuracy", lambda e, x: x + 0.5, seeds=[6], peak_lr=0.3
    ),
    "digits: level at the lowest rate": at(0.0001, lambda e, x: 1.0, column="train_loss"),
    "digits: all seeds alike at 0.1": at(0.1, lambda e, x: 0.95),
    "digits: loss at 0.1 low": ended(THREE, "constant", peak_lr=0.1, train_loss=-0.5),
    "digits: 0.01 scattered": measured(
        SEVEN, "constant", "test_accuracy", lambda e, x: x - 0.03, seeds=[4, 5, 6], peak_lr=0.01
    ),
    "digits: last weights poor at 0.1": ended(THREE, "constant", peak_lr=0.1, train_accuracy=0.5),
    "digits, five seeds: linear scattered": measured(
        DIGITS, "linear", "test_accuracy", lambda e, x: x - 0.2, seeds=[2]
    ),
    "linear scattered": measured(CIFAR10, "linear", "test_accuracy", lambda e, x: x - 0.06, seeds=[2]),
    "linear a little worse": measured(CIFAR10, "linear", "test_accuracy", lambda e, x: x - 0.01),
    "drop worse": measured(CIFAR10, "drop", "test_accuracy", lambda e, x: x - 0.03),
    "drop and constant swapped": swapped(CIFAR10, "drop", "constant"),
    "a constant run is missing": without(CIFAR10, "constant", 5),
    "constant rises slowly and calmly": measured(
        CIFAR10, "constant", "test_accuracy", lambda e, x: 0.6 + 0.005 * e
    ),
    "constant stands still at the end": measured(
        CIFAR10, "constant", "test_accuracy", lambda e, x: 0.77 if e > 25 else x
    ),
    "constant's training loss level": measured(CIFAR10, "constant", "train_loss", lambda e, x: 0.1),
    "constant's test loss falls": measured(CIFAR10, "constant", "test_loss", lambda e, x: 1.5 / e),
    "constant's last weights better": ended(CIFAR10, "constant", peak_lr=0.1, train_accuracy=0.99),
    "linear's last weights worse": learned_less(CIFAR10, "linear"),
    "map: 0.01's last weights worse": ended(MAP, "constant", peak_lr=0.01, train_accuracy=0.9),
    "map: 0.03 poor": measured(MAP, "constant", "test_accuracy", lambda e, x: x - 0.05, peak_lr=0.03),
    "map: linear poor": measured(MAP, "linear", "test_accuracy", lambda e, x: x - 0.03),
    "map: another common rate": constants(map_plan, COMMON=0.3),
    "map: 0.01 poor for a seed": measured(
        MAP, "constant", "test_accuracy", lambda e, x: x - 0.05, seeds=[2], peak_lr=0.01
    ),
    "map: one seed": rules.of_seeds(MAP, 1),
    "0.03 learns less": measured(PEAKS, "constant", "train_loss", lambda e, x: 3 * x, peak_lr=0.03),
    "the source's logs say something else": constants(
        constant,
        published=lambda: SimpleNamespace(
            survey=SimpleNamespace(row=lambda _: SimpleNamespace(accuracy=0.84, loss=0.9788)),
            source=SimpleNamespace(
                row=lambda _: SimpleNamespace(test_accuracy=0.87, train_loss=0.5, test_loss=0.9788)
            ),
        ),
    ),
}

# What may stand in an author's words with a number: rates that are settings, what the survey says, a count
# of runs that the code insists on.
ALLOWED = r"\b0\.1\b|\b0\.03\b|\b0\.01\b|ResNet-50|2019/07/22"


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(constant, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "A schedule is a plan for the rate; the simplest keeps it",
        "Predict: a large step or a small one?",
        "Why: a fixed rate ends on a noise floor",  # computed in the valley
        "The code: one training loop, one line for the schedule",
        "Try it: ten times apart",
    }
    rules.check_page(constant, plain_headings=plain, inside={"ten_times_apart_text"})


test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(constant)


def test_captions_tell_how_the_runs_were_made():
    records = Records()
    for study in (THREE, SEVEN):
        assert {run.config.network for run in records[study]} == {"resnet8"}
    assert {run.config.epochs for run in records.runs(CIFAR10, "constant")} == {30}
    assert {run.config.peak_lr for run in [*records[CIFAR10], *records[DIGITS]]} == {0.1}
    rates = {rate: len(constant._at_rate(records, rate)) for rate in constant._rates(records)}
    assert list(rates.values()) == [10] * 9
    assert [len(constant._cifar10_at(records, rate)) for rate in (0.1, 0.03, 0.01)] == [5, 1, 1]
    one, other = (constant._at_rate(records, rate)[0] for rate in (0.1, 0.01))
    assert one.start == other.start
    assert one.column("batches") == other.column("batches")


def test_the_readers_runs_are_laid_over_those_of_their_own_setting():
    records = Records()
    digits = {rate: constant._at_rate(records, rate)[0] for rate in (0.1, 0.01)}
    assert "Our ten recorded runs at 0.1" in constant.live_text(digits).text
    assert len(constant.live_figure(digits).wide.axes[0].lines) == 2 * (10 + 1)
    cifar = {rate: constant._cifar10_at(records, rate)[0] for rate in (0.1, 0.01)}
    text = constant.live_text(cifar).text
    assert text.startswith("Your runs ended at 77.7% (rate 0.1) and 80.9% (rate 0.01).")
    assert "recorded runs" not in text
    assert len(constant.live_figure(cifar).wide.axes[0].lines) == (5 + 1) + (1 + 1)


# The figures, read by other means


def files(study: str, kind: str = "constant_recipe") -> list[dict]:
    """The records of a schedule as they are in their files, by seed."""
    paths = (lrlib.runs.store.RECORDED / study).glob("*.json")
    found = [json.loads(Path(path).read_text()) for path in paths]
    found = [file for file in found if file["config"]["recipe"]["kind"] == kind]
    return sorted(found, key=lambda file: file["config"]["seed"])


def column(record: dict, name: str) -> list[float]:
    return [epoch[name] for epoch in record["epochs"]]


def drawn(axes, wanted: list[float]) -> list:
    """The lines of a panel that have these values."""
    return [
        line
        for line in axes.lines
        if len(line.get_ydata()) == len(wanted) and np.allclose(line.get_ydata(), wanted, rtol=1e-9)
    ]


def test_the_first_plan_is_one_rate_for_all_updates():
    axes = constant.plans_figure().wide.axes[0]
    line = axes.lines[-1]
    assert line.get_ydata().tolist() == [0.1] * 30 * 391
    assert line.get_xdata()[[0, 391, -1]] == pytest.approx([0, 1, 30 - 1 / 391])


def test_the_valleys_curves_end_on_the_floors_of_the_formula():
    loss, floor = constant.floor_figure().wide.axes
    floors = {rate: sum(0.1 * rate / (2 - rate / i) / i / 2 for i in range(1, 65)) for rate in (1.0, 0.1)}
    levels = [line.get_ydata()[0] for line in loss.lines if len(line.get_ydata()) == 2]
    assert levels == pytest.approx([floors[1.0], floors[0.1]])
    fast, slow, falling = (line.get_ydata() for line in loss.lines if len(line.get_ydata()) == 2001)
    assert fast[30] == pytest.approx(valley_loss([1.0] * 30))
    assert slow[30] == pytest.approx(valley_loss([0.1] * 30))
    assert falling[30] == pytest.approx(valley_loss([1 - t / 2000 for t in range(30)]))
    (curve,) = (line for line in floor.lines if len(line.get_ydata()) == 60)
    for k in (0, 30, 59):
        rate = curve.get_xdata()[k]
        wanted = sum(0.1 * rate / (2 - rate / i) / i / 2 for i in range(1, 65))
        assert curve.get_ydata()[k] == pytest.approx(wanted)


def test_the_bowl_is_the_recorded_error_at_every_rate():
    _, error = constant.rates_figure().wide.axes
    records = [*files(THREE), *files(SEVEN)]
    rates = sorted({record["config"]["peak_lr"] for record in records})
    ends = {
        rate: [1 - column(r, "test_accuracy")[-1] for r in records if r["config"]["peak_lr"] == rate]
        for rate in rates
    }
    *dots, mean = error.lines
    assert mean.get_xdata() == pytest.approx(rates)
    assert mean.get_ydata() == pytest.approx([fmean(ends[rate]) for rate in rates])
    for line, rate in zip(dots, rates, strict=True):
        assert sorted(line.get_ydata()) == pytest.approx(sorted(ends[rate]))


def test_the_figure_of_the_survey_is_all_recorded_runs_at_the_constant_rate():
    runs = files(CIFAR10)
    assert len(runs) == 5
    loss, accuracy = constant.cifar10_figure().wide.axes
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        for part in ("train", "test"):
            columns = [column(run, f"{part}_{name}") for run in runs]
            (mean,) = drawn(axes, [fmean(values) for values in zip(*columns, strict=True)])
            assert mean.get_xdata()[0] == (0.5 if part == "train" else 1.0)
            if part == "test":
                assert all(len(drawn(axes, values)) == 1 for values in columns)
    (dot,) = drawn(accuracy, [fmean(run["final"]["train_accuracy"] for run in runs)])
    assert dot.get_xdata()[0] == 30
    for run in runs:
        assert set(column(run, "first_lr")) == set(column(run, "last_lr")) == {0.1}


def test_three_constant_rates_are_drawn_as_they_are_recorded():
    loss, accuracy = constant.lower_rates_figure().wide.axes
    single = {run["config"]["peak_lr"]: run for run in files(PEAKS)}
    assert set(single) == {0.03, 0.01}
    for axes, name in ((loss, "train_loss"), (accuracy, "test_accuracy")):
        groups = [files(CIFAR10), [single[0.03]], [single[0.01]]]
        for runs in groups:
            columns = [column(run, name) for run in runs]
            assert len(drawn(axes, [fmean(values) for values in zip(*columns, strict=True)])) == 1


# The code of the page


@functools.cache
def shown() -> list[str]:
    """The cells of code that a reader sees, but those that train through lrbook."""
    hidden = {"remove-input", "remove-cell", "exercise"}
    code = [
        "".join(cell["source"])
        for cell in rules.cells("constant")
        if cell["cell_type"] == "code" and not hidden & set(cell["metadata"].get("tags", []))
    ]
    return [source for source in code if "train_or_resume(" not in source]


def test_the_loop_on_the_page_makes_the_updates_of_our_own(monkeypatch):
    """Given our network, start and order of 200 images, it measures what our loop records."""
    config = preset("digits", recipe="constant", seed=1, epochs=1, train_images=200)
    run = train(config, data=load("digits"))
    data, model, optimizer, accuracy, loop, two = shown()
    names: dict = {}
    for source in (data, model):
        exec(source, names)
    names["model"] = build("resnet8", in_channels=1, classes=10, seed=1)
    names["images"], names["labels"] = names["images"][:200], names["labels"][:200]
    names["range"] = lambda epochs: range(1)
    order = permutation(200, seed=1, epoch=0)
    monkeypatch.setattr(torch, "randperm", lambda n: order)
    for source in (optimizer, accuracy, loop):
        exec(source, names)
    assert names["t"] == 40
    assert fmean(names["right"]) == pytest.approx(run.epochs[0].train_accuracy, abs=0.011)
    on_test = names["accuracy"](names["test_images"], names["test_labels"])
    assert on_test == pytest.approx(run.epochs[0].test_accuracy, abs=0.011)
    exec(two, names)
    assert names["after_it"] == pytest.approx(run.final.train_accuracy, abs=0.011)
    assert (config.peak_lr, config.momentum, config.weight_decay, config.batch_size) == (0.1, 0.9, 1e-4, 5)


def test_the_network_on_the_page_learns(capsys):
    names: dict = {}
    for source in shown():
        exec(source, names)
    *epochs, last = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in epochs] == [str(number) for number in range(1, 9)]
    assert names["accuracy"](names["test_images"], names["test_labels"]) > 0.9
    assert re.fullmatch(r"[\d.]+% while training, [\d.]+% after", last)
    assert names["t"] == 1600


def test_the_frameworks_do_what_the_table_says(monkeypatch):
    """PyTorch and Keras, which are installed here; the other rows were run by hand."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    page = "\n".join("".join(cell["source"]) for cell in rules.cells("constant"))
    rows = {row[0]: row[1:] for row in re.findall(r"^\| (\w+) \| `?([^`|]*)`? \|(.*)\|$", page, re.M)}
    assert list(rows) == ["PyTorch", "Keras", "Optax", "timm", "Transformers"]

    def applied(code: str) -> Iterator[float]:
        opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        scheduler = eval(code, {**vars(torch.optim.lr_scheduler), "opt": opt, "constant": lambda t: 1.0})
        for _ in range(20):
            yield opt.param_groups[0]["lr"]
            opt.step()
            scheduler.step()

    assert list(applied(rows["PyTorch"][0])) == [0.1] * 20
    (surprise,) = re.findall(r"`([^`]*)`", rows["PyTorch"][1])
    assert list(applied(surprise)) == pytest.approx([0.1 / 3] * 5 + [0.1] * 15)
    (surprise,) = re.findall(r"`([^`]*)`", rows["Keras"][1])
    with pytest.warns(UserWarning, match="decay"):
        old = eval(surprise, {"SGD": keras.optimizers.SGD})
    for optimizer in (old, eval(rows["Keras"][0], {"SGD": keras.optimizers.SGD})):
        weight, before = keras.Variable(1.0), 1.0
        optimizer.build([weight])
        for _ in range(5):
            optimizer.apply([keras.ops.convert_to_tensor(1.0)])
            now = weight.value.detach().item()
            assert before - now == pytest.approx(0.1, rel=1e-5)
            before = now


def test_the_survey_is_corrected_in_its_box():
    box = constant.beside_the_survey_text().text.replace("\n> ", " ")
    assert 'a quick *rise* in the objective" should be a fall' in box
    assert "0.5328 is the *training* loss" in box

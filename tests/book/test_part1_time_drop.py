"""Figures 1.3 to 1.6 show what formulas and records say; both are worked out here by other means."""

from __future__ import annotations

import functools
import json
import math
import re
from fractions import Fraction
from pathlib import Path
from statistics import fmean

import nbformat
import numpy as np
import pytest

from run_page import SURVEY, line, rows, run_page

RECORDED = Path(__file__).parents[2] / "lrlib" / "recorded"
PER_EPOCH = 391  # 50,000 pictures are 390 batches of 128, and one of 80
SOURCE_TOTAL = 100 * PER_EPOCH
PANELS = (("train_loss", "test_loss"), ("train_accuracy", "test_accuracy"))

page = functools.cache(run_page)


def records(study: str, kind: str) -> list[dict]:
    """The records of a schedule as they are in their files, by seed."""
    files = [json.loads(path.read_text()) for path in (RECORDED / study).glob("*.json")]
    found = [file for file in files if file["config"]["recipe"]["kind"] == f"{kind}_recipe"]
    return sorted(found, key=lambda file: file["config"]["seed"])


def column(record: dict, name: str) -> list[float]:
    return [epoch[name] for epoch in record["epochs"]]


def valley_parts(rates: list[float]) -> tuple[float, float]:
    """The noisy valley's distance and shaking left, direction by direction, in plain loops."""
    distance = shaking = 0.0
    for i in range(1, 65):
        mean, variance = 1.0, 0.0
        for rate in rates:
            mean *= 1 - rate / i
            variance = (1 - rate / i) ** 2 * variance + 0.1 * rate**2 / i
        distance += mean**2 / i / 2
        shaking += variance / i / 2
    return distance, shaking


def table(html: str) -> dict[str, list[str]]:
    """The rows of a table below its head, by their first cell."""
    return {name: cells for name, *cells in rows(html)[1:]}


def said(name: str, words: str) -> str:
    (found,) = [text for text in page(name).said if words in text]
    return found


ENDS = ((0, "first_lr"), (1, "last_lr"))


def check_runs(figure, pair: tuple[str, str]) -> None:
    """Each quantity of each seed of both schedules is drawn, and their means; the strip has the rates."""
    *panels, strip = figure.axes
    for kind in pair:
        runs = records("survey-laptop", kind)
        if not runs:
            drawn = [each.get_label() for axes in figure.axes for each in axes.lines]
            assert not [label for label in drawn if label.startswith(f"{kind},")]
            continue
        for axes, names in zip(panels, PANELS, strict=True):
            for name in names:
                mean = line(axes, f"{kind}, {name}")
                assert mean.get_xdata().tolist() == list(range(1, 31))
                expected = [
                    fmean(values) for values in zip(*(column(run, name) for run in runs), strict=True)
                ]
                assert mean.get_ydata() == pytest.approx(expected)
                for run in runs if len(runs) > 1 else ():
                    seed = line(axes, f"{kind}, {name}, seed {run['config']['seed']}")
                    assert seed.get_ydata() == pytest.approx(column(run, name))
        drawn = line(strip, f"{kind}, rate")
        ends = [(k + at, epoch[name]) for k, epoch in enumerate(runs[0]["epochs"]) for at, name in ENDS]
        if kind == "drop":  # a quarter every 1,760 updates: a step within epochs 5, 10, 14, 19, 23 and 28
            rates = [0.1 / 4**k for k in range(7)]
            ends += [(1760 * k / 391, rates[k - before]) for k in range(1, 7) for before in (1, 0)]
        ends.sort(key=lambda point: (point[0], -point[1]))
        assert drawn.get_xdata() == pytest.approx([x for x, _ in ends])
        assert drawn.get_ydata() == pytest.approx([y for _, y in ends])


def check_endings(name: str, pair: tuple[str, str]) -> None:
    """The list under a figure says n, mean and range of the last accuracies, or that none is recorded."""
    text = said(name, "- **constant** (n = ")
    for kind in pair:
        ends = [column(run, "test_accuracy")[-1] for run in records("survey-laptop", kind)]
        if not ends:
            assert f"- **{kind}**: not recorded yet." in text
            continue
        spread = f", from {min(ends):.1%} to {max(ends):.1%}" if len(ends) > 1 else ""
        assert f"- **{kind}** (n = {len(ends)}): test accuracy {fmean(ends):.1%}{spread}; " in text
    runs = sum(len(records("survey-laptop", kind)) for kind in pair)
    assert f"*{runs} run{'s' * (runs > 1)} of resnet10 on cifar10 (" in text


# ---------------------------------------------------------------- 1.3: time-based decay


def test_figure_1_3_is_one_decay_read_in_three_ways():
    (axes,) = page("time_based").figures["1.3"].axes
    drawn = {
        reading: line(axes, f"time, {reading}").get_ydata()
        for reading in ("by update", "by epoch", "compounded")
    }
    assert line(axes, "time, by update").get_xdata() == pytest.approx(np.arange(SOURCE_TOTAL) / PER_EPOCH)
    # As the survey prints it: initial_lr / (1 + decay * (epoch * iterations_per_epoch)).
    by_update = [float(Fraction(1, 10) / (1 + Fraction(t, 1000))) for t in range(SOURCE_TOTAL)]
    assert drawn["by update"] == pytest.approx(by_update, rel=1e-12)
    by_epoch = [float(Fraction(1, 10) / (1 + Fraction(e, 1000))) for e in range(100)]
    assert drawn["by epoch"] == pytest.approx(np.repeat(by_epoch, PER_EPOCH), rel=1e-12)
    lr, compounded = 0.1, []
    for epoch in range(100):
        lr = lr / (1 + 0.001 * epoch)  # the line of the chapter, as it stands in a loop
        compounded.append(lr)
    assert drawn["compounded"] == pytest.approx(np.repeat(compounded, PER_EPOCH), rel=1e-12)
    ends = [values[-1] for values in drawn.values()]
    # 0.1 / 40.099, 0.1 / 1.099, and 0.1 e^-(4.95 - 0.164175 + 0.008168 - 0.000487): ln(1 + x) as a series
    assert ends == pytest.approx([0.00249383, 0.0909918, 0.1 * math.exp(-4.793506)], rel=1e-4)


def test_the_table_of_last_rates():
    text = said("time_based", "t counts")
    # updates: 100 epochs of 391, 782 or 196; 0.1 / (1 + 39.099), / (1 + 78.199), / (1 + 19.599)
    assert table(text) == {
        "update, batch 128": ["0.00249"],
        "update, batch 64": ["0.00126"],
        "update, batch 256": ["0.00485"],
        "epoch, any batch": ["0.091"],
        "compounded": ["0.000828"],
    }
    # half after 1,000 of 391 updates an epoch; the mean of 1 / (1 + t / 1000) is near ln(40.1) / 39.1
    assert "half of the rate is gone after 2.6 epochs" in text
    assert f"{math.log(40.1) / 39.1:.1%} of the peak" in text


def test_the_folded_answer_about_compounding():
    cells = nbformat.read(SURVEY / "time_based.ipynb", as_version=4).cells
    (text,) = [cell.source for cell in cells if "Where does this loop end?" in cell.source]
    product = math.prod(1 / (1 + 0.001 * e) for e in range(1, 100))
    assert "Near 0.0008, a hundred times lower" in text
    assert round(0.1 * product, 4) == 0.0008
    assert 95 < 0.091 / (0.1 * product) < 115
    assert "is about $e^{-4.8}$" in text
    assert round(math.log(product), 1) == -4.8


def test_figure_1_3b_is_the_valley_at_one_peak_rate():
    rate, loss = page("time_based").figures["1.3b"].axes
    peak = page("time_based").names["lr"]
    plans = {
        "constant": [peak] * 300,
        "time, by update": [peak / (1 + 39.1 * t / 300) for t in range(300)],
        "time, by epoch": [peak / (1 + 0.1 * t / 300) for t in range(300)],
    }
    assert abs(peak - 0.279) < 0.0005
    cells = table(said("time_based", "best peak"))
    for label, rates in plans.items():
        assert line(rate, label).get_ydata() == pytest.approx(rates)
        distance, shaking = valley_parts(rates)
        assert line(loss, label).get_ydata()[-1] == pytest.approx(distance + shaking)
        assert cells[label][:2] == [f"{distance:.4f}", f"{shaking:.4f}"]
    # What the text says: by update is highest, nearly all distance, half its rate gone after eight updates.
    (constant, update, epoch) = (sum(valley_parts(rates)) for rates in plans.values())
    assert epoch < constant < update
    distance, shaking = valley_parts(plans["time, by update"])
    assert distance > 0.99 * (distance + shaking)
    assert plans["time, by update"][8] < peak / 2 < plans["time, by update"][7]


def test_each_plan_at_its_own_best_peak():
    cells = table(said("time_based", "best peak"))
    best = {label: (float(row[2]), float(row[3])) for label, row in cells.items()}
    for label, decay in (("constant", 0.0), ("time, by update", 39.1 / 300), ("time, by epoch", 0.1 / 300)):
        peak, loss = best[label]
        around = {
            p: sum(valley_parts([p / (1 + decay * t) for t in range(300)]))
            for p in (0.8 * peak, peak, 1.2 * peak)
        }
        assert min(around, key=around.get) == peak
        assert around[peak] == pytest.approx(loss, abs=6e-5)
    # What the text says: by update wins, at a peak more than ten times as high, above the edge at first.
    assert min(best, key=lambda label: best[label][1]) == "time, by update"
    peak = best["time, by update"][0]
    assert peak > 10 * best["constant"][0]
    above = [t for t in range(300) if peak / (1 + 39.1 / 300 * t) > 2]
    assert above == list(range(len(above)))
    assert 1 < len(above) < 12


# ---------------------------------------------------------------- 1.4: its performance


def test_figure_1_4_is_all_recorded_runs_of_both_schedules():
    check_runs(page("time_based").figures["1.4"], ("constant", "time"))
    check_endings("time_based", ("constant", "time"))


def test_the_recorded_rates_are_the_formula_of_the_chapter():
    strip = page("time_based").figures["1.4"].axes[-1]
    steps = [PER_EPOCH * epoch + at for epoch in range(30) for at in (0, PER_EPOCH - 1)]
    # decay = 0.1 / 30 per update
    rates = [float(Fraction(1, 10) / (1 + Fraction(step, 300))) for step in steps]
    assert line(strip, "time, rate").get_ydata() == pytest.approx(rates, rel=1e-9)
    assert rates[-1] == pytest.approx(0.1 / 40, rel=0.01)  # "the rate ends at 1/40 of the peak"


def test_who_ended_higher_is_counted():
    ends = {
        kind: {
            run["config"]["seed"]: column(run, "test_accuracy")[-1] for run in records("survey-laptop", kind)
        }
        for kind in ("constant", "time")
    }
    both = ends["constant"].keys() & ends["time"].keys()
    higher = sum(ends["time"][seed] > ends["constant"][seed] for seed in both)
    assert f"for **{higher} of {len(both)}** seeds" in said("time_based", "- **constant** (n = ")


def test_the_logs_of_the_source():
    assert table(said("time_based", "source, epoch 100")) == {
        "training loss": ["0.5328", "0.1732"],
        "test loss": ["0.9788", "0.9210"],
        "training accuracy": ["0.9516", "1.0000"],
        "test accuracy": ["0.8414", "0.8151"],
    }


def test_the_live_runs_differ_in_the_unit_alone():
    names = page("time_based").names
    mine, other = names["mine"].config, names["other"].config
    assert {key for key, value in mine if dict(other)[key] != value} == {"recipe"}
    # 0.1 / epochs per update, and the same per epoch: the preset has 1,000 pictures in batches of 5.
    assert mine.recipe.decay_times_epochs == 0.1
    assert other.recipe.decay_times_epochs == pytest.approx(0.1 / 200)


# ---------------------------------------------------------------- 1.5: drop-based decay


def test_figure_1_5_is_the_survey_s_formula_with_its_exponent():
    (axes,) = page("drop_based").figures["1.5"].axes
    example = [0.1 / 2 ** (epoch // 10) for epoch in range(100)]
    source = [0.1 / 4 ** ((1 + epoch) // 15) for epoch in range(100)]
    for label, rates in (("drop, example", example), ("drop, source", source)):
        drawn = line(axes, label)
        assert drawn.get_xdata() == pytest.approx(np.arange(SOURCE_TOTAL) / PER_EPOCH)
        assert drawn.get_ydata() == pytest.approx(np.repeat(rates, PER_EPOCH), rel=1e-12)
    # 0.1 / 2^9 and 0.1 / 4^6
    text = said("drop_based", "- **example**")
    assert "- **example**: epoch 11 is the first with 0.05; the last has 0.000195." in text
    assert "- **source**: epoch 15 is the first with 0.025; the last has 2.44e-05." in text


def test_figure_1_5b_is_distance_and_shaking():
    rate, far, calm = page("drop_based").figures["1.5b"].axes
    plans = {
        "constant": [0.5] * 300,
        "drop, at 150": [0.5] * 150 + [0.125] * 150,
        "drop, at 60": [0.5] * 60 + [0.125] * 240,
    }
    cells = table(said("drop_based", "loss after"))
    for label, rates in plans.items():
        assert line(rate, label).get_ydata() == pytest.approx(rates)
        for steps in (1, 61, 300):
            distance, shaking = valley_parts(rates[:steps])
            assert line(far, label).get_ydata()[steps] == pytest.approx(distance)
            assert line(calm, label).get_ydata()[steps] == pytest.approx(shaking)
        assert cells[label] == [f"{sum(valley_parts(rates[:steps])):.4f}" for steps in (70, 100, 300)]
    loss = {
        label: {steps: sum(valley_parts(rates[:steps])) for steps in (70, 100, 300)}
        for label, rates in plans.items()
    }
    early, late, constant = (loss[label] for label in ("drop, at 60", "drop, at 150", "constant"))
    # The folded answer. Until update 150 the late drop and the constant rate are one run.
    assert early[70] < late[70] == constant[70]
    assert early[100] > late[100] == constant[100]
    assert late[300] < early[300] < constant[300]


# ---------------------------------------------------------------- 1.6: its performance


def test_figure_1_6_is_all_recorded_runs_of_both_schedules():
    figure = page("drop_based").figures["1.6"]
    check_runs(figure, ("constant", "drop"))
    check_endings("drop_based", ("constant", "drop"))


def test_the_grey_lines_are_where_the_recorded_rate_falls():
    runs = records("survey-laptop", "drop")
    for axes in page("drop_based").figures["1.6"].axes:
        marks = [each.get_xdata()[0] for each in axes.lines if each.get_label() == "drop"]
        if not runs:
            assert marks == []
            continue
        # a quarter every 15 % of 11,730 updates: every 1,760
        assert marks == pytest.approx([1760 * k / 391 for k in range(1, 7)])
        for mark in marks:
            before, within = runs[0]["epochs"][int(mark) - 1], runs[0]["epochs"][int(mark)]
            assert within["last_lr"] == pytest.approx(before["last_lr"] / 4)


def test_the_jump_is_dated_from_the_records():
    runs = records("survey-laptop", "drop")
    if not runs:
        assert "<p>No run is recorded yet whose jump could be dated.</p>" in page("drop_based").said
        return
    text = said("drop_based", "largest change")
    found = table(text)
    near_a_drop = {int(1760 * k / 391) + at for k in range(1, 7) for at in (1, 2)}  # epochs from 1
    near = {}
    for run in runs:
        seed = run["config"]["seed"]
        loss, accuracy = column(run, "train_loss"), column(run, "test_accuracy")
        falls = {e: loss[e - 2] - loss[e - 1] for e in range(4, 31)}  # the first tenth is left out
        rises = {e: accuracy[e - 1] - accuracy[e - 2] for e in range(4, 31)}
        changes = {"training loss fell": falls, "test accuracy rose": rises}
        for twin in records("survey-laptop", "constant"):
            if twin["config"]["seed"] == seed:
                lead = [b - a for a, b in zip(loss, column(twin, "train_loss"), strict=True)]
                changes["lead in training loss grew"] = {e: lead[e - 1] - lead[e - 2] for e in range(4, 31)}
        for what, sizes in changes.items():
            epoch = max(sizes, key=sizes.get)
            by = f"{100 * sizes[epoch]:.1f} points" if "accuracy" in what else f"{sizes[epoch]:.3f}"
            assert found[f"{what} seed {seed}"][:2] == [by, str(epoch)]
            assert (found[f"{what} seed {seed}"][2] == "none") == (epoch not in near_a_drop)
            near.setdefault(what, []).append((epoch in near_a_drop, epoch in (5, 6)))
    plain = {}
    for kind in ("constant", "time", "linear", "polynomial", "triangle", "cosine"):
        for run in records("survey-laptop", kind):
            if run["config"]["recipe"].get("cycles", 1) > 1:
                continue  # restarts are jumps of their own
            loss, accuracy = column(run, "train_loss"), column(run, "test_accuracy")
            fell = max(range(4, 31), key=lambda e: loss[e - 2] - loss[e - 1])
            rose = max(range(4, 31), key=lambda e: accuracy[e - 1] - accuracy[e - 2])
            for what, epoch in (("training loss fell", fell), ("test accuracy rose", rose)):
                plain.setdefault(what, []).append((epoch in near_a_drop, epoch in (5, 6)))
    for what in near:
        counted = [
            f"{sum(each[i] for each in kind[what])} of {len(kind[what])}" if what in kind else "–"
            for kind in (near, plain)
            for i in (0, 1)
        ]
        assert [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in found[what]] == counted
    assert "in 12 of 27 cases, and the first drop in 2 of 27." in text


# ---------------------------------------------------------------- both


@pytest.mark.parametrize(("name", "number"), [("time_based", "1.4b"), ("drop_based", "1.6b")])
def test_the_readers_run_lies_over_the_recorded_ones(name, number):
    (axes,) = page(name).figures[number].axes
    # The test's training is shorter than the recorded ones: nothing is like it, and the page says so.
    assert [each.get_label() for each in axes.lines] == ["yours"]
    assert any("No recorded run is like yours" in text for text in page(name).said)
    given = [run.label for run in page(name).names["ours"]]
    wanted = {"constant", "time" if name == "time_based" else "drop"}
    assert {label: given.count(label) for label in given} == {
        label: len(found) for label in wanted if (found := records("survey-digits", label))
    }


def test_until_the_first_drop_the_live_runs_are_one():
    a, b = page("drop_based").names["mine"].values()
    assert a.column("batches") == b.column("batches")
    assert a.start == b.start


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("time_based", "$0.1/100$ is 0.001, not 0.01"),
        ("time_based", 'the rate falls "after every epoch", while the formula'),
        ("time_based", "iterations per epoch depend on the batch size"),
        ("drop_based", "Its formula lost an exponent"),
        ("drop_based", "half every 10 epochs, is not the run in its figure, a quarter every 15"),
        ("drop_based", '"87% from 84%" is one run against one'),
    ],
)
def test_each_erratum_stands_in_its_box(name, words):
    cells = nbformat.read(SURVEY / f"{name}.ipynb", as_version=4).cells
    boxes = [cell.source.partition("> **Beside the survey.**")[2] for cell in cells]
    assert words in re.sub(r"\s*\n> ?", " ", " ".join(boxes))


@pytest.mark.parametrize("name", ["time_based", "drop_based"])
def test_a_chapter_is_short_and_has_four_figures(name):
    cells = nbformat.read(SURVEY / f"{name}.ipynb", as_version=4).cells
    own = [cell for cell in cells if "exercise" not in cell.metadata.get("tags", [])]
    words = sum(len(cell.source.split()) for cell in own if cell.cell_type == "markdown")
    assert words < 1350  # formulas, addresses and marks are counted too
    assert sum("figure" in cell.metadata.get("tags", []) for cell in own) == 4

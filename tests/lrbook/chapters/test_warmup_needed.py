"""Is warm-up needed: findings stand on records and on the measured sharpness, and fall when these change."""

from __future__ import annotations

import copy
import json
from itertools import product
from math import exp, log
from statistics import fmean

import pytest

import findings as rules
from findings import constants, measured, swapped, without
from lrbook.chapters import warmup_needed
from lrbook.finding import Records
from lrlib import load_runs, preset
from lrlib.runs.store import RECORDED
from lrlib.training import edges, measure_sharpness
from run_page import run_page

RULE, DIGITS, HIGH, MAP, CIFAR10 = (
    "warmup-rule",
    "peak-digits",
    "warmup-digits",
    "laptop-map-gpu",
    "survey-laptop",
)
MEASURED = warmup_needed.sharpness()


def sharper(change):
    """Each measured run is another: `change` gets a copy of it."""

    def found() -> list[dict]:
        runs = copy.deepcopy(MEASURED)
        for run in runs:
            change(run)
        return runs

    return constants(warmup_needed, sharpness=found)


def times(factor, *, starts=None, **which):
    """The sharpness of some runs times a factor: at all points, or at the start alone, or after it."""

    def change(run) -> None:
        if all(run[name] == value for name, value in which.items()):
            for number, point in enumerate(run["points"]):
                if starts is None or (number == 0) == starts:
                    point[2] *= factor

    return change


def losses(label, value, study=RULE, **config):
    """The last weights of some runs have another training loss."""

    def alter(records: Records) -> None:
        chosen = {id(run) for run in records.runs(study, label, **config)}
        records[study] = [
            run.model_copy(
                update={"final": run.final.model_copy(update={"train_loss": value * run.final.train_loss})}
            )
            if id(run) in chosen
            else run
            for run in records[study]
        ]

    return alter


def together(*alterations):
    def alter(records: Records) -> None:
        for each in alterations:
            each(records)

    return alter


ALTERATIONS = {
    "second look: triangle and linear swapped": swapped("triangle-laptop", "triangle", "linear"),
    "the triangle far better everywhere": together(
        *(losses("triangle", 0.01, study) for study in (RULE, DIGITS, HIGH))
    ),
    "the triangle far worse everywhere": together(
        *(losses("triangle", 100, study) for study in (RULE, DIGITS, HIGH))
    ),
    "linear far better, batches of 80": losses("linear", 0.01, batch_size=80),
    "triangle far better, batches of 80": losses("triangle", 0.01, batch_size=80),
    "triangle far better, batches of 20": losses("triangle", 0.01, batch_size=20),
    "triangle poor without momentum, batches of 5": losses("triangle", 2, momentum=0.0, batch_size=5),
    "digits: triangle poor at 0.03": measured(
        DIGITS, "triangle", "test_accuracy", lambda e, x: x - 0.1, peak_lr=0.03
    ),
    "digits: a run is missing": without(DIGITS, "linear", 1, peak_lr=0.03),
    "digits: a triangle is missing": without(DIGITS, "triangle", 1, peak_lr=0.03),
    "rule: the narrow miss is a hit": losses("triangle", 0.99, momentum=0.0, batch_size=5, peak_lr=1.0),
    "rule: the narrow miss is a wide one": losses("triangle", 1.1, momentum=0.0, batch_size=5, peak_lr=1.0),
    "rule: one accuracy low": measured(RULE, "triangle", "test_accuracy", lambda e, x: x - 0.5, peak_lr=0.01),
    "rule: one seed less in a cell": together(
        *(without(RULE, name, 3, peak_lr=0.01, momentum=0.0, batch_size=5) for name in ("linear", "triangle"))
    ),
    "the best cells are poor": together(
        losses("triangle", 4, batch_size=80, momentum=0.0, peak_lr=3.0),
        losses("triangle", 4, batch_size=80, momentum=0.5, peak_lr=3.0),
        losses("triangle", 4, HIGH, peak_lr=0.15),
    ),
    "laptop: triangle and linear swapped": swapped(CIFAR10, "triangle", "linear"),
    "map: triangle poor at the highest rate": measured(
        MAP, "triangle", "test_accuracy", lambda e, x: x - 0.1, peak_lr=0.3
    ),
    "map: triangle poor at the lowest rate": measured(
        MAP, "triangle", "test_accuracy", lambda e, x: x - 0.1, peak_lr=0.01
    ),
    "map: one block": rules.of_seeds(MAP, 1),
    "a start a hundred times as sharp": sharper(times(100.0)),
    "a start a hundred times as flat": sharper(times(0.01)),
    "starts alike": sharper(lambda run: run["points"][0].__setitem__(2, 2.0)),
    "large batches sharper": sharper(times(10.0, batch_size=80)),
    "one more batch size": sharper(
        lambda run: run.update(batch_size=10) if (run["seed"], run["batch_size"]) == (3, 20) else None
    ),
    "along: nothing is thrown": sharper(times(100.0, starts=False, recipe="linear")),
    "along: the triangle far above": sharper(times(10.0, starts=False, recipe="triangle")),
    "along: other rates": sharper(
        lambda run: [point.__setitem__(1, 0.01) for point in run["points"]] and None
    ),
    "measured for hours": sharper(lambda run: run.update(seconds=9999.0)),
}
ALLOWED = r"2604\.14108|2406\.09405|peak rate of 0\.1|\(a third of the loss\)"


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(warmup_needed, ALTERATIONS, ALLOWED)
)
test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(warmup_needed)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "Nine settings, and two edges",
        "Predict: which of these runs need a warm-up?",
        "The measurement: curvature along a batch's own gradient",
        "Try it: measure, then decide",
    }
    rules.check_page(warmup_needed, plain_headings=plain, inside={"live_rate_text"})


def test_the_file_is_what_the_library_measures():
    """One start of the file, measured again; and all runs of a seed and batch size share their start."""
    (run,) = [run for run in MEASURED if (run["seed"], run["batch_size"], run["preset"]) == (2, 80, "digits")]
    config = preset("digits", recipe="linear", seed=2, batch_size=80)
    (point,) = measure_sharpness(config, batches=60)
    assert run["points"][0][2] == pytest.approx(point.value, rel=1e-3)
    assert run["batches"] == point.batches == 12
    shared: dict = {}
    for run in MEASURED:
        shared.setdefault((run["preset"], run["seed"], run["batch_size"]), set()).add(run["points"][0][2])
    assert {len(values) for values in shared.values()} == {1}
    assert len(shared) == 12


def test_rates_along_the_runs_are_those_of_their_schedules():
    for run in MEASURED:
        if len(run["points"]) > 1:
            config = preset("digits", recipe=run["recipe"], seed=run["seed"], peak_lr=run["peak_lr"])
            for step, rate, *_ in run["points"]:
                assert rate == pytest.approx(run["peak_lr"] * config.schedule()(step))


def test_cells_below_the_edges_are_counted_again():
    runs = [run for study in (RULE, DIGITS, HIGH) for run in load_runs(study)]
    start = {}
    for run in json.loads((RECORDED / "sharpness.json").read_text(encoding="utf-8"))["runs"]:
        if run["preset"] == "digits" and len(run["points"]) == 1:
            start.setdefault(run["batch_size"], []).append(run["points"][0][2])
    ratios = []
    for momentum, size in product((0.0, 0.5, 0.9), (5, 20, 80)):
        lower = edges(fmean(start[size]), momentum=momentum).small_batches
        assert warmup_needed.edge((momentum, size)).small == pytest.approx(lower)
        mine = [
            run
            for run in runs
            if (run.config.momentum, run.config.batch_size) == (momentum, size) and run.config.peak_lr < lower
        ]
        for rate in {run.config.peak_lr for run in mine}:
            loss = {
                (run.label, run.config.seed): log(run.final.train_loss)
                for run in mine
                if run.config.peak_lr == rate
            }
            seeds = {seed for _, seed in loss}
            ratios.append(exp(fmean(loss["triangle", s] - loss["linear", s] for s in seeds)))
    text = " ".join(warmup_needed.below_text().text.split())
    assert f"{len(ratios)} cells" in text
    assert f"{min(ratios):.2f} to {max(ratios):.2f} times" in text


def test_onsets_are_counted_again():
    """The first rate at which the mean difference of the logarithms is below log 2/3, over the lower edge."""
    runs = [run for study in (RULE, DIGITS, HIGH) for run in load_runs(study)]
    start, cells = {}, {}
    for run in json.loads((RECORDED / "sharpness.json").read_text(encoding="utf-8"))["runs"]:
        if run["preset"] == "digits" and len(run["points"]) == 1:
            start.setdefault(run["batch_size"], []).append(run["points"][0][2])
    for run in runs:
        if run.label in ("linear", "triangle"):
            sign = 1 if run.label == "triangle" else -1
            at = (run.config.momentum, run.config.batch_size, run.config.peak_lr)
            cells.setdefault(at, []).append(sign * log(run.final.train_loss))
    onsets = {}
    for (momentum, size, rate), logs in sorted(cells.items()):
        assert len(logs) == 6
        if sum(logs) / 3 < log(2 / 3):
            onsets.setdefault((momentum, size), rate * fmean(start[size]) / (2 * (1 - momentum)))
    assert len({at[:2] for at in cells}) - len(onsets) == 1
    words = " ".join(warmup_needed.what_we_found_text().text.replace(">", " ").split())
    assert f"That is {min(onsets.values()):.1f} to {max(onsets.values()):.1f} times higher in eight" in words
    small, large = (
        [onset for (_, size), onset in onsets.items() if (size == 80) == big] for big in (False, True)
    )
    words = " ".join(warmup_needed.above_text().text.split())
    assert f"at {min(small):.1f} to {max(small):.1f} times the lower edge with the smaller batches" in words
    assert f"at {min(large):.1f} to {max(large):.1f} times with batches of 80" in words


def test_gains_of_warm_up_on_cifar10_are_those_of_one_machine_each():
    """On the CPU at the survey's rate; on the GPU at that rate, at the highest and at the lowest."""
    ends = {}
    for study in (CIFAR10, "triangle-laptop", MAP):
        for run in load_runs(study):
            where = MAP if study == MAP else CIFAR10
            at = ends.setdefault((where, run.config.peak_lr), {"linear": [], "triangle": []})
            if run.label in at:
                at[run.label].append(100 * run.epochs[-1].test_accuracy)
    gain = {at: fmean(each["triangle"]) - fmean(each["linear"]) for at, each in ends.items()}
    words = " ".join(warmup_needed.cifar10_text().text.split())
    assert f"gains [{gain[CIFAR10, 0.1]:.1f} (" in words
    assert "in ten pairs of runs on a CPU" in words
    assert f"and {gain[MAP, 0.1]:.1f} in three pairs on a GPU" in words
    assert f"gains {gain[MAP, 0.3]:.1f} at 0.3" in words
    assert f"and {gain[MAP, 0.01]:.1f} at 0.01" in words


def test_the_code_of_the_page_is_the_librarys(capsys):
    from lrlib.training import batch_sharpness

    page = run_page("warmup_needed")
    model, images, labels = (page.names[name] for name in ("model", "images", "labels"))
    by_hand = page.names["batch_sharpness"](model, images, labels)
    assert by_hand == pytest.approx(batch_sharpness(model, images, labels), rel=1e-4)
    assert set(page.figures) == {"15.1", "15.2", "15.3"}
    assert "at the start" in capsys.readouterr().out

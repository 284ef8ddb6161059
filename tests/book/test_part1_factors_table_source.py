"""The five factors' figures are the records."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from statistics import fmean

import nbformat
import pytest

from run_page import SURVEY, line, rows, run_page

RECORDED = Path(__file__).parents[2] / "lrlib" / "recorded"
KINDS = {"constant": "constant_recipe", "drop": "drop_recipe", "linear": "linear_recipe"}

page = functools.cache(run_page)


def ends(*studies: str) -> list[tuple[str, dict, float]]:
    """Schedule, config and last test accuracy of each record, read from the files."""
    names = {kind: label for label, kind in KINDS.items()}
    found = []
    for study in studies:
        for path in sorted((RECORDED / study).glob("*.json")):
            record = json.loads(path.read_text())
            label = names.get(record["config"]["recipe"]["kind"])
            if label:
                found.append((label, record["config"], record["epochs"][-1]["test_accuracy"]))
    return found


def slow_or_not(config: dict) -> str:
    return f"{config['network']}\n{config['peak_lr']:g}"


FACTORS = [
    ("1.14", ["peak-digits"], lambda config: config["peak_lr"]),
    ("1.14b", ["data-digits", "survey-digits"], lambda config: config["train_images"] or 1000),
    (
        "1.14c",
        ["survey-digits", "task-digits"],
        # records that are older than the field asked for the digit
        lambda config: {"classes": "which digit", "parity": "even or odd"}[config.get("task", "classes")],
    ),
    ("1.14d", ["survey-digits", "network-digits"], slow_or_not),
    ("1.14e", ["horizon-digits"], lambda config: config["epochs"]),
    ("1.14f", ["horizon"], lambda config: config["epochs"]),
]


@pytest.mark.parametrize(("number", "studies", "level"), FACTORS, ids=[number for number, *_ in FACTORS])
def test_the_figures_are_means_over_the_records(number, studies, level):
    runs = ends(*studies)
    if number == "1.14d":
        runs += [run for run in ends("peak-digits") if run[1]["peak_lr"] == 0.01]
    if not runs:
        assert number not in page("factors").figures
        return
    (axes,) = page("factors").figures[number].axes
    for label in KINDS:
        expected: dict[object, list[float]] = {}
        for name, config, accuracy in runs:
            if name == label:
                expected.setdefault(level(config), []).append(accuracy)
        drawn = line(axes, label)
        if any(isinstance(at, str) for at in expected):
            places = [tick.get_text() for tick in axes.get_xticklabels()]
            assert set(places) == set(expected)
            at = [places[int(x)] for x in drawn.get_xdata()]
        else:
            at = [float(x) for x in drawn.get_xdata()]
            assert at == sorted(expected)
        means = [fmean(expected[x]) for x in at]
        if number in ("1.14", "1.14d"):  # drawn as errors, on a logarithmic axis
            assert axes.get_yscale() == "log"
            means = [1 - mean for mean in means]
        assert drawn.get_ydata() == pytest.approx(means)


def valley_loss(rates: list[float], *, directions: int = 64, noise: float = 0.1) -> float:
    total = 0.0
    for i in range(1, directions + 1):
        mean, variance = 1.0, 0.0
        for rate in rates:
            mean *= 1 - rate / i
            variance = (1 - rate / i) ** 2 * variance + noise * rate**2 / i
        total += (mean**2 + variance) / i / 2
    return total


def test_each_of_the_four_changes_turns_the_order_round_in_the_valley():
    lr = page("factors").names["lr"]
    assert lr == pytest.approx(0.279, abs=0.001)  # the design's check value
    settings = {
        "as it was": (lr, 300, {}),
        "rate x 3": (3 * lr, 300, {}),
        "updates x 10": (lr, 3000, {}),
        "noise x 10": (lr, 300, {"noise": 1.0}),
        "8 directions": (lr, 300, {"directions": 8}),
    }
    (table,) = [text for text in page("factors").said if "as it was" in text]
    for name, (peak, steps, valley) in settings.items():
        constant = valley_loss([peak] * steps, **valley)
        linear = valley_loss([peak * (steps - t) / steps for t in range(steps)], **valley)
        lower = "constant" if name == "as it was" else "linear"
        assert (linear < constant) is (lower == "linear")
        assert [name, f"{constant:.4f}", f"{linear:.4f}", lower] in rows(table)


def test_a_study_without_records_says_how_to_record_it(monkeypatch):
    from lrlib.runs import store

    monkeypatch.setattr(store, "studies", lambda: [])
    bare = run_page("factors")
    assert bare.figures == {}
    assert bare.said.count("*Not recorded yet.*") == len(FACTORS)
    for study in ("peak", "data", "task", "network", "horizon"):
        assert any(f"<code>lrlib study run {study}-digits</code>" in text for text in bare.said)


@pytest.mark.parametrize("name", ["introduction", "factors", "table_source"])
def test_prose_types_no_measured_percentage(name):
    prose = [cell.source for cell in nbformat.read(SURVEY / f"{name}.ipynb", as_version=4).cells]
    kinds = [cell.cell_type for cell in nbformat.read(SURVEY / f"{name}.ipynb", as_version=4).cells]
    text = "\n".join(source for source, kind in zip(prose, kinds, strict=True) if kind == "markdown")
    assert set(re.findall(r"\d+(?:\.\d+)?\s?%", text)) <= {"95 %", "95%"}  # the level of an interval

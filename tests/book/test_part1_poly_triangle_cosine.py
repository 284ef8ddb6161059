"""Figures 1.9 to 1.11 show what formulas and records say; both are written down or read again here."""

from __future__ import annotations

import functools
import json
import math
import re
from fractions import Fraction
from pathlib import Path
from statistics import fmean

import nbformat
import pytest

from run_page import SURVEY, line, run_page

RECORDED = Path(__file__).parents[2] / "lrlib" / "recorded"
PER_EPOCH = 391  # 50,000 pictures are 390 batches of 128, and one of 80
TOTAL = 30 * PER_EPOCH
PAGES = ("polynomial", "triangle")
#: What each page sets side by side: kinds of recipes as they stand in the records.
PAIRS = {
    "polynomial": {"linear": "linear_recipe", "poly5": "polynomial_recipe"},
    "triangle": {"linear": "linear_recipe", "triangle": "triangle_recipe"},
}

page = functools.cache(run_page)


def records(study: str, label: str, pairs: dict[str, str]) -> list[dict]:
    """The records of a schedule as they are in their files, by seed."""
    files = [json.loads(path.read_text()) for path in (RECORDED / study).glob("*.json")]
    found = [file for file in files if file["config"]["recipe"]["kind"] == pairs[label]]
    return sorted(found, key=lambda file: (file["config"]["peak_lr"], file["config"]["seed"]))


def shown(name: str) -> dict[str, list[dict]]:
    """What the measured figure of a page has to show: the first study that has both schedules."""
    for study in ("survey-laptop", "survey-digits"):
        found = {label: records(study, label, PAIRS[name]) for label in PAIRS[name]}
        if all(found.values()):
            return found
    return {}


def column(record: dict, name: str) -> list[float]:
    return [epoch[name] for epoch in record["epochs"]]


def mean_column(runs: list[dict], name: str) -> list[float]:
    return [fmean(values) for values in zip(*(column(run, name) for run in runs), strict=True)]


def valley(rates: list[float]) -> tuple[float, float]:
    """Distance and shaking left in the noisy valley, direction by direction, in plain loops."""
    distance = shaking = 0.0
    for i in range(1, 65):
        mean, variance = 1.0, 0.0
        for rate in rates:
            mean *= 1 - rate / i
            variance = (1 - rate / i) ** 2 * variance + 0.1 * rate**2 / i
        distance, shaking = distance + mean**2 / i / 2, shaking + variance / i / 2
    return distance, shaking


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the Markdown tables in a text, by their first cell."""
    cells = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\|.*\|$", text, re.M)
    ]
    return {first: rest for first, *rest in cells if not first.startswith("---")}


def said(name: str, words: str) -> str:
    (text,) = [text for text in page(name).said if words in text]
    return text


# ---------------------------------------------------------------- 1.9: polynomial decay


def test_figure_1_9_is_the_power_of_what_is_left():
    (axes,) = page("polynomial").figures["1.9"].axes
    for label, power in (("linear", 1), ("power 2", 2), ("poly5", 5)):
        rates = [float(Fraction(TOTAL - t, TOTAL) ** power / 10) for t in range(TOTAL)]
        assert line(axes, label).get_ydata() == pytest.approx(rates, rel=1e-12)
        assert line(axes, label).get_xdata() == pytest.approx([t / PER_EPOCH for t in range(TOTAL)])


POWERS = {"constant": 0, "linear": 1, "power 2": 2, "poly5": 5}


def test_figure_1_9b_is_the_distance_over_the_sum_of_the_rates():
    (axes,) = page("polynomial").figures["1.9b"].axes
    for label, power in POWERS.items():
        rates = [0.5 * (1 - t / 300) ** power for t in range(300)]
        drawn = line(axes, label)
        for steps in (0, 1, 40, 300):
            assert drawn.get_xdata()[steps] == pytest.approx(math.fsum(rates[:steps]))
            assert drawn.get_ydata()[steps] == pytest.approx(valley(rates[:steps])[0], rel=1e-9)
        assert line(axes, f"end of {label}").get_xdata() == pytest.approx([math.fsum(rates)])


def test_the_same_area_leaves_the_same_distance():
    found = rows(said("polynomial", "Every plan with the area"))
    shapes = {name: [(1 - t / 300) ** power for t in range(300)] for name, power in POWERS.items()}
    shapes["drop"] = [0.25 ** (t // 45) for t in range(300)]
    for name, factors in shapes.items():
        peak = 0.3 * 300 / math.fsum(factors)
        distance, shaking = valley([peak * factor for factor in factors])
        assert found[name] == [f"{peak:.2f}", f"{distance:.4f}", f"{shaking:.4f}"]
    distances = [float(found[name][1]) for name in shapes]
    assert max(distances) < 1.05 * min(distances)  # "the distances agree"
    shaking = {name: float(found[name][2]) for name in shapes}
    assert max(shaking["linear"], shaking["power 2"]) < min(shaking[x] for x in ("constant", "poly5", "drop"))


def test_the_table_of_areas():
    text = said("polynomial", "spent in the first quarter")
    factors = {
        "constant": [1.0] * TOTAL,
        "time": [1 / (1 + 0.1 / 30 * t) for t in range(TOTAL)],
        "drop": [0.25 ** (t // 1760) for t in range(TOTAL)],
        "linear": [1 - t / TOTAL for t in range(TOTAL)],
        "poly5": [(1 - t / TOTAL) ** 5 for t in range(TOTAL)],
    }
    for name, values in factors.items():
        whole, part = math.fsum(values), math.fsum(values[: TOTAL // 4])
        assert rows(text)[name] == [f"{whole / TOTAL:.3f}", f"{part / whole:.0%}"]
    assert "has area 0.190" in text  # (14 + 15 (1/4 + ... + 1/4^5) + 11/4^6) / 100
    assert "at power 4.41" in text


# ---------------------------------------------------------------- 1.11: the triangle


def test_figure_1_11_is_up_and_down():
    (axes,) = page("triangle").figures["1.11"].axes
    up = TOTAL // 10
    factors = [Fraction(t, up) if t < up else Fraction(TOTAL - t, TOTAL - up) for t in range(TOTAL)]
    assert line(axes, "triangle").get_ydata() == pytest.approx([float(f / 10) for f in factors], rel=1e-12)
    assert line(axes, "triangle").get_xdata()[[0, PER_EPOCH]] == pytest.approx([0, 1])
    assert max(factors) == factors[up] == 1


UP = [t / 30 if t < 30 else (300 - t) / 270 for t in range(300)]
DOWN = [1 - t / 300 for t in range(300)]


def test_in_the_fixed_valley_warmup_buys_nothing():
    found = rows(said("triangle", "best peak"))
    for name, factors in (("linear", DOWN), ("triangle", UP)):
        area, peak, loss = map(float, found[name])
        assert area == 0.5
        losses = {p: sum(valley([p * f for f in factors])) for p in (0.98 * peak, peak, 1.02 * peak)}
        assert min(losses, key=losses.get) == peak
        assert loss == pytest.approx(losses[peak], abs=6e-5)
    # what the answer says: linear ends lower, and bears the higher peak
    assert float(found["linear"][1]) > float(found["triangle"][1])
    assert float(found["linear"][2]) < float(found["triangle"][2])


def two_weights(factors: list[float], peak: float) -> list[tuple[float, float]]:
    """Two weights from (3, 0), targets 1.1 and 0.9 in turn, until they have flown apart."""
    u, v, seen = 3.0, 0.0, [(3.0, 0.0)]
    for t, factor in enumerate(factors):
        error = u * v - (0.9 if t % 2 else 1.1)
        u, v = u - peak * factor * error * v, v - peak * factor * error * u
        if u * u + v * v > 1e6:
            break
        seen.append((u, v))
    return seen


def test_figure_1_11b_is_the_edge_where_the_weights_are():
    (axes,) = page("triangle").figures["1.11b"].axes
    path = two_weights(UP, 0.6)
    assert len(path) == 301
    assert line(axes, "triangle").get_ydata() == pytest.approx([0.6 * f for f in UP])
    edge = [2 / (u * u + v * v) for u, v in path]
    # the two examples pull back and forth at the edge, which makes rounding grow a little
    assert line(axes, "edge of triangle").get_ydata() == pytest.approx(edge, rel=1e-6)
    assert edge[0] == pytest.approx(2 / 9)
    assert min(edge[30:]) > 0.6
    lost = two_weights(DOWN, 0.6)
    assert len(lost) < 30
    assert line(axes, "end of linear").get_xdata() == [len(lost) - 1]


def test_the_highest_peaks_of_the_two_weights():
    bears = {}
    for name, factors in (("linear", DOWN), ("triangle", UP)):
        bears[name] = 0.0
        for k in range(1, 201):
            if len(two_weights(factors, k / 100)) < 301:
                break
            bears[name] = k / 100
    text = said("triangle", "Highest peak rate borne")
    assert f"linear {bears['linear']:g}, triangle {bears['triangle']:g}, which is" in text
    assert bears["triangle"] > 3 * bears["linear"]


def test_figure_1_11c_is_the_recorded_grid():
    labels = PAIRS["triangle"]
    grid = {
        label: [r for study in ("peak-digits", "warmup-digits") for r in records(study, label, labels)]
        for label in labels
    }
    if not any(grid.values()):
        assert "1.11c" not in page("triangle").figures
        assert "Not recorded yet." in page("triangle").said
        return
    (axes,) = page("triangle").figures["1.11c"].axes
    ends = {
        label: {
            (r["config"]["peak_lr"], r["config"]["seed"]): column(r, "test_accuracy")[-1]
            if r["status"] == "finished"
            else 0.1
            for r in runs
        }
        for label, runs in grid.items()
    }
    for label, found in ends.items():
        rates = sorted({rate for rate, _ in found})
        means = [fmean(x for (at, _), x in found.items() if at == rate) for rate in rates]
        assert line(axes, label).get_xdata() == pytest.approx(rates)
        assert line(axes, label).get_ydata() == pytest.approx([1 - mean for mean in means])
    table = rows(said("triangle", "On the seeds that both have"))
    shared = ends["linear"].keys() & ends["triangle"].keys()
    for rate in {rate for rate, _ in shared}:
        cells = []
        for label in ("linear", "triangle"):
            values = [ends[label][key] for key in sorted(shared) if key[0] == rate]
            cells.append(f"{fmean(values):.1%} ({sum(x < 0.5 for x in values)}/{len(values)})")
        assert table[f"{rate:g}"] == cells


# ---------------------------------------------------------------- measured


MEASURED = {
    "1.10": ("polynomial", ["poly5"], (("train_loss", "test_loss"), ("train_accuracy", "test_accuracy"))),
    "1.11e": ("triangle", ["linear", "triangle"], (("train_loss",), ("test_accuracy",))),
}


@pytest.mark.parametrize("number", list(MEASURED))
def test_what_is_measured_is_the_records_columns(number):
    name, labels, panels = MEASURED[number]
    found = shown(name)
    if not found:
        assert number not in page(name).figures
        assert any("Not recorded yet" in text for text in page(name).said)
        return
    axes_of_panels = page(name).figures[number].axes
    for axes, names in zip(axes_of_panels, panels, strict=False):
        for label in labels:
            for quantity in names:
                runs = found[label]
                drawn = line(axes, f"{label}, {quantity}")
                assert drawn.get_xdata().tolist() == list(range(1, len(runs[0]["epochs"]) + 1))
                assert drawn.get_ydata() == pytest.approx(mean_column(runs, quantity))
                for run in runs if len(runs) > 1 else ():
                    seed = line(axes, f"{label}, {quantity}, seed {run['config']['seed']}")
                    assert seed.get_ydata() == pytest.approx(column(run, quantity))


@pytest.mark.parametrize("name", PAGES)
def test_ends_and_where_they_were_measured(name):
    found = shown(name)
    if not found:
        return
    text = said(name, "Shown: ")
    for label, runs in found.items():
        values = [column(run, "test_accuracy")[-1] for run in runs]
        assert f"- **{label}** (n = {len(runs)}): test accuracy {fmean(values):.1%}" in text
    dataset = next(iter(found.values()))[0]["config"]["dataset"]
    assert f"on {dataset} (" in text
    assert ("On cifar10" in text) == (dataset != "cifar10")


def test_the_rate_under_figure_1_10_is_the_optimizers():
    runs = shown("polynomial").get("poly5")
    if runs:
        strip = page("polynomial").figures["1.10"].axes[-1]
        pairs = zip(column(runs[0], "first_lr"), column(runs[0], "last_lr"), strict=True)
        assert line(strip, "poly5, rate").get_ydata() == pytest.approx([x for pair in pairs for x in pair])


def test_area_spent_and_fall_done():
    found = shown("polynomial")
    for label, power in (("linear", 1), ("poly5", 5)):
        runs = found.get(label, [])
        if not runs:
            continue
        epochs = len(runs[0]["epochs"])
        k = round(epochs / 4)
        spent = 1 - (1 - k / epochs) ** (power + 1)  # in the continuous limit
        falls = []
        for run in runs:
            loss = column(run, "train_loss")
            falls.append((loss[0] - loss[k - 1]) / (loss[0] - loss[-1]))
        text = said("polynomial", f"**{label}** had spent")
        got = re.search(
            rf"After epoch {k} of {epochs}, \*\*{label}\*\* had spent (\d+)% of its area, and its training "
            r"loss had done (\d+)% of its fall",
            text,
        )
        assert float(got[1]) == pytest.approx(100 * spent, abs=0.6)
        assert got[2] == f"{100 * fmean(falls):.0f}"


@pytest.mark.parametrize(
    ("name", "number", "label"),
    [("polynomial", "1.10b", "poly5"), ("triangle", "1.11d", "triangle")],
)
def test_the_readers_run_lies_over_the_recorded_ones(name, number, label):
    (axes,) = page(name).figures[number].axes
    # The test's training is shorter than the recorded ones: nothing is like it, and the page says so.
    assert [each.get_label() for each in axes.lines] == ["yours"]
    assert said(name, "No recorded run is like yours")
    ours = page(name).names["ours"]
    assert len(ours) == len(records("survey-digits", label, PAIRS[name]))
    assert {run.label for run in ours} <= {label}


@pytest.mark.parametrize(
    ("name", "label"),
    [("polynomial", "poly5"), ("triangle", "triangle")],
)
def test_the_plans_verdicts_come_from_the_laptop_study(name, label):
    text = said(name, "By [the plan](plan.md)")
    kinds = {**PAIRS[name], "constant": "constant_recipe", "linear": "linear_recipe"}
    ends = {
        each: {
            run["config"]["seed"]: run["epochs"][-1]["test_accuracy"]
            for run in records("survey-laptop", each, kinds)
            if run["status"] == "finished"
        }
        for each in (label, "constant", "linear")
    }
    for reference in ("constant", "linear"):
        shared = ends[label].keys() & ends[reference].keys()
        points = 100 * fmean(ends[label][seed] - ends[reference][seed] for seed in shared)
        (found,) = re.findall(rf"^- {label} against {reference}: .*", text, re.M)
        assert f"; {points:+.2f} points (" in found
        assert f", n = {len(shared)} seeds);" in found


# ---------------------------------------------------------------- errata


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("polynomial", "the source's log has 0.8651"),
        ("polynomial", "makes the *schedule* more flexible, not the model"),
        ("triangle", '"initial learning rate" no longer fits'),
    ],
)
def test_each_erratum_stands_in_its_box(name, words):
    cells = nbformat.read(SURVEY / f"{name}.ipynb", as_version=4).cells
    boxes = [c.source.partition("> **Beside the survey.**")[2] for c in cells if "> **Beside" in c.source]
    assert words in re.sub(r"\s*\n> ?", " ", " ".join(boxes))


@pytest.mark.parametrize("name", PAGES)
def test_a_chapter_is_short(name):
    cells = nbformat.read(SURVEY / f"{name}.ipynb", as_version=4).cells
    text = [
        cell.source
        for cell in cells
        if cell.cell_type == "markdown" and "exercise" not in cell.metadata.get("tags", [])
    ]
    assert sum(len(each.split()) for each in text) < 1300  # about 1,200

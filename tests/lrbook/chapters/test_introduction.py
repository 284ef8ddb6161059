"""The introduction: every finding of the chapter stands on the records, and falls when they change."""

from __future__ import annotations

import functools
import io
import json
import math
import re
from contextlib import redirect_stdout
from fractions import Fraction
from statistics import fmean, median

import numpy as np
import pytest

import findings as rules
import lrlib.runs.store
from findings import constants, measured, swapped, without
from lrbook.chapters import introduction, map_plan
from lrbook.finding import NotBorneOut, Records
from plain_valley import valley_loss, valley_parts

CIFAR10, PEAKS, MAP = "survey-laptop", "peak-laptop", "laptop-map-gpu"
THREE, SEVEN = "peak-digits", "rates-digits"


def accuracy(study: str, label: str, value, **config):
    return measured(study, label, "test_accuracy", value, **config)


ALTERATIONS = {
    "walks: no noise": constants(introduction, NOISE=0.0),
    "walks: too short to arrive": constants(introduction, UPDATES=20),
    "walks: much noise": constants(introduction, NOISE=4.0),
    "walks: few of them": constants(introduction, SEEDS=3),
    "valley: short": constants(introduction, STEPS=2),
    "valley: very long": constants(introduction, STEPS=20_000),
    "valley: from the constant rate's best peak": constants(introduction, PEAK=0.28),
    "valley: rates act fivefold": constants(
        introduction, _at_fixed=lambda rate, real=introduction._at_fixed: real(5 * rate)
    ),
    "momentum: none": constants(introduction, MOMENTUM=0.0),
    "momentum: more": constants(introduction, MOMENTUM=0.99),
    "momentum: not there yet": constants(introduction, AFTER=5),
    "digits: a run at the good rate is missing": without(SEVEN, "constant", 4, peak_lr=0.01),
    "digits: a run at the good rate fails": accuracy(
        THREE, "constant", lambda e, x: x - 0.2, seeds=[2], peak_lr=0.01
    ),
    "digits: a run at a high rate learns": accuracy(
        SEVEN, "constant", lambda e, x: x + 0.5, seeds=[6], peak_lr=0.3
    ),
    "digits: a run at the highest rate learns": accuracy(
        SEVEN, "constant", lambda e, x: x + 0.5, seeds=[6], peak_lr=1.0
    ),
    "digits: one constant run at 0.1 does well": accuracy(
        SEVEN, "constant", lambda e, x: 0.99, seeds=[5], peak_lr=0.1
    ),
    "digits: linear from 0.1 poor": accuracy(THREE, "linear", lambda e, x: x - 0.02, peak_lr=0.1),
    "digits: linear from 0.03 poor": accuracy(THREE, "linear", lambda e, x: x - 0.1, peak_lr=0.03),
    "digits: linear best from 0.001": accuracy(THREE, "linear", lambda e, x: 1.0, peak_lr=0.001),
    "digits: linear ahead by more": accuracy(THREE, "linear", lambda e, x: x + 0.01),
    "digits: linear at the lowest rate fine": accuracy(THREE, "linear", lambda e, x: 0.95, peak_lr=0.0001),
    "a constant run is missing": without(CIFAR10, "constant", 5),
    "time and constant swapped": swapped(CIFAR10, "time", "constant"),
    "map: 0.01 poor": accuracy(MAP, "constant", lambda e, x: x - 0.05, peak_lr=0.01),
    "map: another common rate": constants(map_plan, COMMON=0.3),
}

# What may stand in an author's words with a number: rates of the valley and of one run, which are settings.
ALLOWED = (
    r"at rate\s+0\.1,|at rate 1,|at 0\.1 with momentum|exercise 3|ten updates later"
    r"|One network|\*One\* number"
)


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(introduction, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "The learning rate is the length of a step",
        "Predict: four walks through one valley",
        "Why: long steps travel, and they shake",  # computed in the valley
        "The code: one line sets the rate",
        "Try it: too low, good, too high",
        "What the valley cannot explain",
    }
    rules.check_page(introduction, plain_headings=plain, inside={"three_rates_text"})


test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(introduction)


def test_a_finding_that_fell_is_not_printed_and_says_why():
    records = Records()
    ALTERATIONS["digits: linear from 0.1 poor"](records)
    with pytest.raises(NotBorneOut, match="every run with decay ends above every constant one"):
        introduction.forgives_text(records)


# --- The valleys, worked out by other means ---------------------------------------------------------------


def test_figure_1_1_steps_down_a_parabola():
    axes = introduction.steps_figure().wide.axes
    assert list(introduction.RATES.values()) == [0.02, 0.3, 2.1]
    for panel, rate in zip(axes, introduction.RATES.values(), strict=True):
        # Curvature 1: each update multiplies the distance by 1 - rate, from -1 on; the height is w^2 / 2.
        places = [-float((1 - Fraction(str(rate))) ** k) for k in range(7)]
        _, walk, start = panel.lines
        assert walk.get_xdata() == pytest.approx(places, rel=1e-12)
        assert walk.get_ydata() == pytest.approx([x * x / 2 for x in places], rel=1e-12)
        assert (start.get_xdata().tolist(), start.get_ydata().tolist()) == ([-1], [0.5])
        assert panel.get_title(loc="left").endswith(f"rate {rate:g}")
        assert max(walk.get_ydata()) < panel.get_ylim()[1]


def walked(rates, seed: int) -> list[tuple[float, float]]:
    """One walk in plain numbers: the slope is a difference quotient of the loss."""

    def loss(x, y):
        return 0.3 * x**2 + (y - x**2 / 5) ** 2

    draws = np.random.default_rng(seed).normal(scale=1.5, size=2 * len(rates)).tolist()
    x, y, h = -4.0, 4.0, 1e-6
    places = [(x, y)]
    for t, rate in enumerate(rates):
        along = (loss(x + h, y) - loss(x - h, y)) / (2 * h)
        across = (loss(x, y + h) - loss(x, y - h)) / (2 * h)
        x, y = x - rate * (along + draws[2 * t]), y - rate * (across + draws[2 * t + 1])
        places.append((x, y))
    return places


RATES = {
    "constant": [0.25] * 120,
    "decay": [0.25 * (120 - t) / 120 for t in range(120)],
    "drop": [0.25] * 60 + [0.025] * 60,
    "restart": 2 * [0.25 * (60 - t) / 60 for t in range(60)],
}


def test_figure_1_2_is_four_walks_with_the_noise_of_one_seed():
    axes = introduction.landscape_figure().wide.axes
    for name, rates in RATES.items():
        places = walked(rates, seed=1)
        plan = next(panel for panel in axes[:4] if panel.get_title(loc="left") == name)
        assert plan.lines[0].get_ydata() == pytest.approx(rates)
        below = axes[axes.index(plan) + 4]
        first, last, start, end = below.lines
        drawn = list(zip(first.get_xdata(), first.get_ydata(), strict=True))
        drawn += list(zip(last.get_xdata(), last.get_ydata(), strict=True))[1:]
        assert np.allclose(drawn, places, atol=1e-6)
        assert (start.get_xdata()[0], start.get_ydata()[0]) == (-4, 4)
        assert (end.get_xdata()[0], end.get_ydata()[0]) == pytest.approx(places[-1], abs=1e-6)
        assert below.texts[0].get_text() == f"loss {height(places[-1]):.2f}"
        x, y = zip(*places, strict=True)
        assert below.get_xlim()[0] < min(x) < max(x) < below.get_xlim()[1]
        assert below.get_ylim()[0] < min(y) < max(y) < below.get_ylim()[1]


def height(place: tuple[float, float]) -> float:
    return 0.3 * place[0] ** 2 + (place[1] - place[0] ** 2 / 5) ** 2


def test_the_answer_is_that_of_plain_walks():
    """Medians of 200 plain walks, of another set of seeds, lie near those of the text."""
    text = " ".join(introduction.walks_answer_text().text.split())
    numbers = [float(number) for number in re.findall(r"\b0\.\d+", text)]
    walks = {name: [walked(rates, seed) for seed in range(2000, 2200)] for name, rates in RATES.items()}
    at = {name: lambda t, each=each: median(height(w[t]) for w in each) for name, each in walks.items()}
    plain = [at["constant"](60), at["constant"](120), at["decay"](120), at["drop"](120)]
    plain += [at["restart"](120), at["restart"](60), at["restart"](70)]
    assert numbers == pytest.approx(plain, rel=0.35)


def test_figure_1_3_is_the_loss_of_the_noisy_valley():
    loss, bowl = introduction.bowl_figure().wide.axes
    best = 0.27876912863375336
    for line, rate in zip(loss.lines, (0.01, best, 2.1), strict=True):
        for t in (0, 1, 7, 12):
            assert line.get_ydata()[t] == pytest.approx(valley_loss([rate] * t), rel=1e-9)
    curve, dot, edge = bowl.lines
    for k in (0, 40, 80):
        rate = curve.get_xdata()[k]
        assert curve.get_ydata()[k] == pytest.approx(valley_loss([rate] * 300), rel=1e-9)
    assert dot.get_xdata()[0] == pytest.approx(best, rel=1e-5)
    ends = [valley_loss([rate] * 300) for rate in (best - 0.005, best, best + 0.005)]
    assert min(ends) == ends[1] == pytest.approx(dot.get_ydata()[0])
    assert list(edge.get_xdata()) == [2, 2]
    (label,) = [text for text in bowl.texts if text.get_text().startswith("best")]
    bottom = label.get_window_extent().y0
    assert bottom > bowl.get_window_extent().y0 + 5, "the label of the best rate stands clear of the axis"


def test_what_is_left_at_the_best_rate_and_beside_it():
    text = introduction.bowl_text().text
    best = 0.27876912863375336
    parts = [valley_parts([times * best] * 300) for times in (0.1, 2, 1)]
    shares = [distance / (distance + shaking) for distance, shaking in parts]
    wanted = [shares[0], 1 - shares[1], shares[2], 1 - shares[2]]
    assert re.findall(r"(\d+)%", text) == [f"{100 * share:.0f}" for share in wanted]
    assert f"{2 / best:.0f}" == "7"
    assert "seven times below" in text


def test_momentum_makes_a_tenth_act_like_one():
    place, buffer = 1.0, 0.0
    for _ in range(100):
        buffer = 0.9 * buffer + place / 64
        place -= 0.1 * buffer
    left = [(1 - 0.1 / 64) ** 100, (1 - 1 / 64) ** 100, place]
    text = introduction.momentum_text().text
    assert re.findall(r"(\d+)%", text) == [f"{100 * value:.0f}" for value in left]
    assert "from 2 to 3.8" in text
    assert sum(0.9**k for k in range(1000)) == pytest.approx(10)


#: The eight shapes as functions of x = t / T in the survey's run of 30 epochs of 391 updates.
SHAPES = {
    "constant": lambda x: 1.0,
    "time": lambda x: 1 / (1 + 39.1 * x),
    "linear": lambda x: 1 - x,
    "poly5": lambda x: (1 - x) ** 5,
    "cosine": lambda x: (1 + math.cos(math.pi * x)) / 2,
    "cosine5": lambda x: (1 + math.cos(math.pi * (5 * x % 1))) / 2,
    "triangle": lambda x: 10 * x if x < 0.1 else (1 - x) / 0.9,
    "drop": lambda x: 0.25 ** (int(11_730 * x) // 1760),  # every 4.5 epochs, rounded to updates
}


def test_figure_1_6_is_the_eight_schedules_in_the_noisy_valley():
    axes = introduction.eight_plans_figure().wide.axes
    seen = {}
    for above in axes:
        name = above.get_title(loc="left")
        if name:
            seen[name] = (above.lines[0].get_ydata(), axes[axes.index(above) + 4].lines)
    assert set(seen) == set(SHAPES)
    for name, (factors, (gray, own)) in seen.items():
        plan = [SHAPES[name](t / 300) for t in range(300)]
        assert factors == pytest.approx(plan, abs=1e-3), name
        assert own.get_ydata()[-1] == pytest.approx(valley_loss(list(factors)))
        assert gray.get_ydata()[-1] == pytest.approx(valley_loss([1.0] * 300))


# --- Records ----------------------------------------------------------------------------------------------


@functools.cache
def files(study: str, kind: str) -> list[dict]:
    """The records of a schedule as they are in their files."""
    found = [json.loads(path.read_text()) for path in (lrlib.runs.store.RECORDED / study).glob("*.json")]
    return [file for file in found if file["config"]["recipe"]["kind"] == kind]


def test_figure_1_5_is_the_recorded_error_at_every_rate():
    (axes,) = introduction.grids_figure().wide.axes
    blue, gray = introduction.LINEAR, introduction.GRAY
    groups = {
        gray: files(THREE, "constant_recipe") + files(SEVEN, "constant_recipe"),
        blue: files(THREE, "linear_recipe"),
    }
    for color, records in groups.items():
        lines = [line for line in axes.lines if line.get_color() == color]
        dots, (mean,) = [each for each in lines if each.get_marker() == "o"], lines[-1:]
        rates = sorted({record["config"]["peak_lr"] for record in records})
        ends = [
            [1 - r["epochs"][-1]["test_accuracy"] for r in records if r["config"]["peak_lr"] == rate]
            for rate in rates
        ]
        assert mean.get_xdata() == pytest.approx(rates)
        assert mean.get_ydata() == pytest.approx([fmean(values) for values in ends])
        for line, values in zip(dots, ends, strict=True):
            assert sorted(line.get_ydata()) == pytest.approx(sorted(values))


def test_captions_tell_how_the_runs_were_made():
    records = Records()
    runs = [run for study in (THREE, SEVEN) for run in records[study] if run.label in ("constant", "linear")]
    assert {(run.config.dataset, run.config.network, run.config.epochs) for run in runs} == {
        ("digits", "resnet8", 8)
    }
    assert {run.config.momentum for run in [*runs, *records[CIFAR10]]} == {0.9}
    seeds = {
        label: {rate: len(ends) for rate, ends in introduction._ends(records, label).items()}
        for label in ("constant", "linear")
    }
    assert set(seeds["constant"].values()) == {10}
    assert set(seeds["linear"].values()) == {3}
    assert list(seeds["constant"]) == list(seeds["linear"])


def test_the_readers_runs_are_laid_over_those_of_their_own_setting():
    records = Records()
    digits = {rate: records.runs(THREE, "constant", peak_lr=rate)[0] for rate in (0.0001, 0.01, 0.3)}
    assert "Of our ten recorded runs at each rate" in introduction.live_text(digits).text
    assert len(introduction.live_figure(digits).wide.axes[0].lines) == 3 * (10 + 1)
    cifar = {0.01: records.runs(PEAKS, "constant", peak_lr=0.01)[0]}
    text = introduction.live_text(cifar).text
    assert text.startswith("Your runs ended at 80.9% (rate 0.01).")
    assert "recorded runs" not in text


# --- The page ---------------------------------------------------------------------------------------------


@functools.cache
def shown() -> list[str]:
    """The cells of code that a reader sees, but those that train through lrbook."""
    hidden = {"remove-input", "remove-cell", "exercise"}
    code = [
        "".join(cell["source"])
        for cell in rules.cells("introduction")
        if cell["cell_type"] == "code" and not hidden & set(cell["metadata"].get("tags", []))
    ]
    return [source for source in code if "train_or_resume(" not in source]


def test_the_walks_on_the_page_are_those_of_the_figure_and_of_the_answer():
    names: dict = {"chapter": introduction}
    for source in shown()[:4]:
        exec(source, names)
    ours = introduction._plans()
    assert set(names["plans"]) == set(ours) == set(RATES)
    for name, rates in names["plans"].items():
        assert rates == pytest.approx(ours[name])
        assert rates == pytest.approx(RATES[name])
        assert names["walks"][name] == pytest.approx(introduction._walks(rates, range(1, 2))[..., 0])
        many = introduction._walks(rates, range(3))
        assert names["walk"](rates, seed=2) == pytest.approx(many[..., 2])


def test_the_cells_print_what_the_text_says():
    names: dict = {"chapter": introduction}
    out = io.StringIO()
    with redirect_stdout(out):
        for source in shown():
            exec(source, names)
    lines = out.getvalue().splitlines()
    assert [float(line.split()[1]) for line in lines[:6]] == pytest.approx(
        [-(0.7**k) for k in range(1, 7)], abs=6e-4
    )
    (best,) = re.findall(r"best rate: ([\d.]+)", out.getvalue())
    assert float(best) == pytest.approx(0.28, abs=0.02)
    losses = [float(loss) for loss in re.findall(r"loss ([\d.]+)", out.getvalue())]
    assert losses[0] == pytest.approx(math.log(10), abs=0.2)
    assert losses[-1] < 0.6 * losses[0]
    rates = [float(rate) for rate in re.findall(r"rate ([\d.]+),", out.getvalue())]
    assert rates == pytest.approx([0.5 * (1 - t / 120) for t in range(0, 120, 20)], abs=6e-4)
    assert names["optimizer"].param_groups[0]["lr"] == 0.5 * (1 - 119 / 120)


def text_of_page() -> str:
    return " ".join(
        " ".join("".join(cell["source"]).replace("\n> ", " ").split())
        for cell in rules.cells("introduction")
        if cell["cell_type"] == "markdown"
    )


def test_the_survey_is_introduced_and_corrected():
    text = text_of_page()
    assert "Its author is unknown to us" in text
    assert "sections 1.1.1 to 1.1.7" in text
    assert "](table_source.ipynb)" in text
    box = text.partition("**Beside the survey**")[2]
    assert '"miss the global minima"' in box
    assert '"Adaptive" there means following a plan' in box


def test_the_valley_is_credited_where_it_is_introduced():
    text = text_of_page()
    credit = text[text.index("We call it the **noisy valley**") :]
    assert "*noisy quadratic model*" in credit[:120]
    for who, where in {"Zhang": "1907.04164", "Wu": "1803.02021", "Schaul": "1206.1106"}.items():
        assert re.search(rf"\[{who} et al\. \(\d+\)\]\(https://arxiv\.org/abs/{where}\)", credit)

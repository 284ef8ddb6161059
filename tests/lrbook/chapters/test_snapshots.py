"""Snapshots: findings stand on what the networks answered, and fall when they answer otherwise."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from statistics import fmean

import numpy as np
import pytest

import findings as rules
from findings import constants
from lrbook.chapters import snapshots as chapter
from lrlib.runs.store import RECORDED
from lrlib.sweeps.study import read_study
from run_page import run_page

FOUND = json.loads((RECORDED / "snapshot-answers.json").read_text(encoding="utf-8"))
LABELS = list(zlib.decompress(base64.b64decode(FOUND["labels"])))
REAL = chapter.answers()
FIVE = range(1, 6)


def answered(pattern: str, change: Callable[[np.ndarray, np.ndarray], np.ndarray]):
    """The networks whose names match answer otherwise: `change` gets their classes and the labels."""
    classes = {
        name: change(each, REAL.labels) if re.fullmatch(pattern, name) else each
        for name, each in REAL.classes.items()
    }
    return constants(chapter, answers=lambda: chapter.Answers(REAL.labels, classes))


def renamed(pattern: str, other: Callable[[str], str]):
    """The networks whose names match answer as another one does."""
    classes = {
        name: REAL.classes[other(name)] if re.fullmatch(pattern, name) else each
        for name, each in REAL.classes.items()
    }
    return constants(chapter, answers=lambda: chapter.Answers(REAL.labels, classes))


def worse(part: float):
    """A part of the images, the first ones, is answered wrongly."""

    def change(classes, labels):
        wrong = np.arange(len(labels)) < part * len(labels)
        return np.where(wrong, (labels + 1) % 10, classes).astype(np.uint8)

    return change


def better(part: float):
    """A part of the images, the first ones, is answered rightly."""
    return lambda classes, labels: np.where(np.arange(len(labels)) < part * len(labels), labels, classes)


def of_seed(name: str) -> str:
    return name.partition("-seed")[2].partition("-")[0]


ALTERATIONS = {
    "five snapshots poor, one seed": answered("cosine5-seed2-last5", worse(0.1)),
    "five snapshots a little poorer": answered("cosine5-seed.-last5", worse(0.01)),
    "five snapshots poor": answered("cosine5-seed.-last5", worse(0.1)),
    "two snapshots poor": answered("cosine5-seed.-last2", worse(0.1)),
    "linear decay better, one seed": answered("linear-seed2-epoch30", better(0.3)),
    "linear decay better": answered("linear-seed.-epoch30", better(0.3)),
    "short runs better": answered(r"linear-seed3\d\d-.*", better(0.3)),
    "two short runs poor": answered("group.-first2", worse(0.1)),
    "short runs averaged: poor": answered("group.-first5", worse(0.1)),
    "mean weights as good as probabilities": renamed(
        "cosine5-seed.-weights5", lambda name: chapter.last(int(of_seed(name)), 5)
    ),
    "mean weights perfect": answered("cosine5-seed.-weights5", better(1)),
    "mean weights poor": answered("cosine5-seed.-weights5", worse(0.1)),
    "independent weights can be averaged": renamed("group.-weights5", lambda name: f"{name[:6]}-first5"),
    "the fourth snapshot is another network": renamed(
        "cosine5-seed.-epoch24", lambda name: chapter.short(1)[0]
    ),
}
ALLOWED = r"had two pred|[Ss]o two things|Two (?:snapshots|independent|short)|the last two|The two even out"

test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(chapter, ALTERATIONS, ALLOWED)
)
test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(chapter)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "Five networks from one run",
        "Predict: is the average better than one long run?",
        "Keep a network where a cycle ends, and average the answers",
        "The price",
        "What is new here, and how sure it is",
    }
    rules.check_page(chapter, plain_headings=plain)


# From the file, without the chapter's code


def classes(name: str) -> list[int]:
    return list(zlib.decompress(base64.b64decode(FOUND["answers"][name])))


def right(name: str) -> int:
    return sum(map(int.__eq__, classes(name), LABELS))


def test_the_file_has_the_answers_of_the_plan_to_all_test_images():
    assert FOUND["pictures"] == len(LABELS) == 10_000
    assert Counter(LABELS) == dict.fromkeys(range(10), 1000)
    plan = read_study(rules.BOOK.parent / "studies" / "snapshots.toml")
    for planned in plan.runs:
        run = planned.recorded()
        assert right(f"{planned.name}-epoch6") / 10_000 == run.epochs[-1].test_accuracy, planned.name
    assert len(FOUND["answers"]) == 15 + 3 * (5 + 4 + 4) + 3 + 3 * (4 + 1)


def test_the_predictions_are_judged_the_same_from_the_file():
    seeds = (1, 2, 3)
    last = {seed: right(f"cosine5-seed{seed}-epoch30") for seed in seeds}
    five = {seed: right(f"cosine5-seed{seed}-last5") for seed in seeds}
    long = {seed: right(f"linear-seed{seed}-epoch30") for seed in seeds}
    mean = {seed: right(f"cosine5-seed{seed}-weights5") for seed in seeds}
    snapshots = [[f"cosine5-seed{seed}-epoch{epoch}" for epoch in (6, 12, 18, 24, 30)] for seed in seeds]
    groups = [[f"linear-seed{seed}-epochs6-epoch6" for seed in range(n, n + 5)] for n in (301, 306, 311)]

    def differing(names: list[str]) -> float:
        pairs = list(combinations(map(classes, names), 2))
        return sum(sum(map(int.__ne__, *pair)) for pair in pairs) / len(pairs)

    assert list(chapter.came_true().values()) == [
        all(five[seed] - last[seed] > 50 for seed in seeds),
        abs(fmean(five[seed] - long[seed] for seed in seeds)) < 100,
        min(map(differing, groups)) > max(map(differing, snapshots))
        and max(right(name) for group in groups for name in group) < min(last.values()),
        all(mean[seed] < five[seed] for seed in seeds),
    ]
    words = " ".join(chapter.averages_text().text.split())
    leads = [f"{(five[seed] - long[seed]) / 100:.2f}" for seed in seeds]
    assert f"The lead over linear decay is {leads[0]}, {leads[1]} and {leads[2]} points" in words
    words = " ".join(chapter.differ_text().text.split())
    assert f"Two snapshots differ on {fmean(map(differing, snapshots)) / 100:.1f}% of the images" in words
    assert f"Two independent runs differ on {fmean(map(differing, groups)) / 100:.1f}%" in words


def test_the_predictions_are_those_of_the_plan():
    plan = (rules.BOOK.parent / "studies" / "snapshots.toml").read_text(encoding="utf-8")
    words = " ".join(plan.replace("#", " ").split())
    assert "beats the last snapshot by more than 0.5 points in each of three seeds" in words
    assert "within 1 point of one linear run of equal length, in the mean over three seeds" in words
    assert (chapter.GAIN, chapter.NEAR) == (0.005, 0.01)


def test_the_error_of_a_gap_counts_the_images_on_which_one_of_two_is_right():
    labels = np.zeros(100, dtype=np.uint8)
    one, other = labels.copy(), labels.copy()
    one[:30] = 1  # wrong on 30, of which the other has 20 right
    other[20:30] = other[90:95] = 1  # wrong on 15
    found = chapter.Answers(labels, {"one": one, "other": other})
    only_other, only_one = 20, 5
    by_hand = (only_other + only_one - (only_other - only_one) ** 2 / 100) ** 0.5 / 100
    assert found.error_of_gap("one", "other") == pytest.approx(by_hand)
    assert found.accuracy("other") - found.accuracy("one") == pytest.approx(0.15)


def test_the_lines_of_the_figure_are_the_means():
    axes = chapter.averages_figure().wide.axes[0]
    drawn = [list(line.get_ydata()) for line in axes.lines]
    for groups, name in (
        ((1, 2, 3), lambda seed, n: f"cosine5-seed{seed}-" + ("epoch30" if n == 1 else f"last{n}")),
        ((1, 2, 3), lambda seed, n: f"cosine5-seed{seed}-" + ("epoch30" if n == 1 else f"weights{n}")),
    ):
        mean = [fmean(right(name(group, n)) / 10_000 for group in groups) for n in FIVE]
        assert any(line == pytest.approx(mean) for line in drawn)
    assert any(line == pytest.approx([drawn[0][0]] * len(line)) for line in drawn)


def test_the_page_keeps_a_network_at_each_cycles_end(capsys):
    page = run_page("snapshots", cut=False)
    assert set(page.figures) == {"19.1", "19.2"}
    config = page.names["config"]
    updates = config.steps_per_epoch
    ends = [t for t in range(1, config.total_steps) if config.schedule()(t) == 1]  # restarts
    assert ends == [updates * epoch for epoch in (1, 2, 3, 4)]
    assert len(page.names["kept"]) == 5
    printed = re.findall(r"([\d.]+)%", capsys.readouterr().out)
    assert len(printed) == 5 + 1 + 2
    each = [float(one) for one in printed[:5]]
    assert each[-1] / 100 == pytest.approx(page.names["run"].epochs[-1].test_accuracy, abs=6e-4)
    *_, before, after = map(float, printed)
    assert before < 40 < 85 < after  # hardly better than a guess, and mended

"""What Python gives the explorer; tests/book/test_explorer.py has the explorer itself, in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lrbook.chapters import explorer
from lrbook.finding import Records, percent
from lrlib import Knots, LinearDecay, Valley
from lrlib.plots.two_widths import COLOR
from lrlib.schedules.modern import MODERN
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import final_accuracy

ROOT = Path(__file__).parents[3]
CSS = (Path(explorer.__file__).parent / "explorer.css").read_text()


def test_the_numbers_to_beat_are_the_valleys():
    losses = {name: loss for name, (_, loss) in explorer.board().items()}
    linear = Valley().best_peak_lr(LinearDecay(total_steps=300), steps=300)
    assert explorer.board()["linear"] == tuple(linear)
    assert list(losses.values()) == sorted(losses.values(), reverse=True)
    assert losses["constant"] == pytest.approx(0.0456, abs=5e-5)
    assert losses["linear"] == pytest.approx(0.0192, abs=5e-5)


def test_the_best_drawing_never_rises_above_its_start():
    peak, knots = explorer.BEST_DRAWING
    assert max(knots) == 1000
    drawing = Knots(total_steps=300, factors=[knot / 1000 for knot in knots])
    loss = Valley().trajectory(drawing, steps=300, peak_lr=peak).loss
    assert loss.max() == loss[0]
    assert loss[-1] == explorer.board()["best drawing known"][1]


def test_the_recorded_runs_are_the_records():
    records, found = Records(), explorer.recorded_runs()
    for name, schedule in zip(SURVEY, found[: len(SURVEY)], strict=True):
        ends = [final_accuracy(run) for run in records.runs("survey-laptop", name)]
        assert schedule["text"].startswith(
            f"{schedule['name']}: {percent(sum(ends) / len(ends))} test accuracy"
        )
        for rate in (0.01, 0.03, 0.3):
            three = [*map(final_accuracy, records.runs("laptop-map-gpu", name, peak_lr=rate))]
            assert len(three) == 3
            assert f"{percent(sum(three) / 3)} at {rate:g}" in schedule["text"]
        places = [tuple(map(float, point.split(","))) for point in schedule["points"].split()]
        assert len(places) == 30
        assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in places)
    for name, schedule in zip(MODERN, found[len(SURVEY) :], strict=True):
        runs = records.runs("fair-digits", name)
        mean, constant = (
            sum(map(final_accuracy, of)) / len(of) for of in (runs, records.runs("fair-digits", "constant"))
        )
        assert f": {percent(mean)} test accuracy on the digits" in schedule["text"]
        assert f"at its own peak rate of {runs[0].config.peak_lr:g}, the mean of 20 runs" in schedule["text"]
        assert f"the constant rate at its own {percent(constant)}." in schedule["text"]
        assert max(schedule["factors"]) > 0.9
        assert "points" not in schedule
    assert len(json.dumps(found)) < 12_000  # it travels with each explorer


@pytest.mark.parametrize("key", explorer.CHOICES)
def test_a_schedule_has_a_button_and_a_slider_for_each_parameter(key):
    markup, choice = explorer.for_page()._repr_html_(), explorer.CHOICES[key]
    assert markup.count(f'value="{key}"') == 1
    assert f"<span>{choice.label}</span>" in markup
    named = re.findall(
        rf'<label data-of="{key}" hidden>(.*?) <b></b><input type="range" name="(\w+)"', markup
    )
    assert named == [(slider.label, slider.key) for slider in choice.sliders]
    for slider in choice.sliders:
        assert slider.min <= slider.value <= slider.max


def test_todays_schedules_are_those_of_lrlib():
    assert list(explorer.TODAYS) == list(MODERN)


def test_its_colors_are_the_books():
    light, dark = re.findall(r"\.lrx(?:\.dark)? \{(.*?)\n\}", CSS, re.S)[:2]
    book = (ROOT / "book/_static/book.css").read_text()
    for name in SURVEY:
        key = "poly" if name == "poly5" else name
        assert f"--{key}: {COLOR[name]};" in light
        (color,) = re.findall(rf"--lr-{name}: (#\w+);", book)
        assert f"--{key}: {color};" in dark


def test_a_state_is_text_and_never_markup():
    shown = explorer.show('"><script>alert(1)</script>')._repr_html_()
    assert "<script>alert" not in shown
    assert shown.count("<script") == 2
    assert "https://" not in shown


def test_the_first_page_carries_no_recorded_runs():
    large, small = (shown._repr_html_() for shown in (explorer.for_page(), explorer.hero()))
    assert len(large) - len(small) > 10_000
    assert "test accuracy on the digits" in large
    assert "test accuracy on the digits" not in small


def test_without_javascript_there_are_the_numbers():
    assert "linear 0.0192" in re.search(r"<noscript>(.*?)</noscript>", explorer.hero()._repr_html_())[1]

"""The schedule a run asks for: findings stand on the recorded gradient norms, and fall when these change."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest

import findings as rules
from findings import measured, swapped
from lrbook.chapters import asked_for
from lrbook.finding import Records

CIFAR10, DIGITS = "survey-laptop", "survey-digits"
ALL = "constant linear triangle cosine"


def norms(labels, value, study=CIFAR10, **which):
    return measured(study, labels, "grad_norm_sq", value, **which)


ALTERATIONS = {
    "constant and linear swapped": swapped(CIFAR10, "constant", "linear"),
    "constant and triangle swapped": swapped(CIFAR10, "constant", "triangle"),
    "all norms alike": norms(ALL, lambda e, x: 1.0),
    "constant: norms rise": norms("constant", lambda e, x: float(e)),
    "constant: norms fall": norms("constant", lambda e, x: 1 / e),
    "constant: one seed apart": norms("constant", lambda e, x: x * (1 + (e > 15)), seeds=[2]),
    "constant: a lone peak": norms("constant", lambda e, x: x / (1 + 3 * (e == 9))),
    "constant: small gradients first": norms("constant", lambda e, x: 0.9 + 0.01 * e),
    "digits: norms alike": norms("constant", lambda e, x: 1.0, study=DIGITS),
    "digits: norms fall": norms("constant", lambda e, x: 1 / e**2, study=DIGITS),
}
ALLOWED = r"a line to zero"

test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(asked_for, ALTERATIONS, ALLOWED)
)
test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(asked_for)


def test_headings_findings_and_code_of_the_page():
    plain = {"The recipe", "What is new here, and how sure it is"}
    rules.check_page(asked_for, plain_headings=plain)


def by_hand(run) -> list[float]:
    """Mean factors of each epoch, by plain sums: 1 / G_t^2 times the sum over later updates and the end."""
    inverse = [1 / x for x in run.column("grad_norm_sq")]
    n = run.config.total_steps // len(inverse)
    factors, later = [], inverse[-1]
    for each in reversed(inverse):
        for _ in range(n):
            factors.append(each * later)
            later += each
    factors.reverse()
    return [sum(factors[k * n : (k + 1) * n]) / n / max(factors) for k in range(len(inverse))]


def test_the_lines_of_the_figure_are_the_recipe():
    first, second = asked_for.asked_figure().wide.axes
    drawn = [list(line.get_ydata()) for line in first.lines]
    for number, run in enumerate(Records().runs(CIFAR10, "constant")):
        assert drawn[number] == pytest.approx(by_hand(run))
    runs = Records().runs(CIFAR10, "linear")
    mean = [fmean(values) for values in zip(*map(by_hand, runs), strict=True)]
    assert list(second.lines[0].get_ydata()) == pytest.approx(mean)


def test_gain_and_correlations_are_counted_again():
    """The best value is 1 / root of the sum of 1 / G^2; linear's bound is the smallest over a grid of h."""
    gains = []
    for run in Records().runs(CIFAR10, "constant"):
        squares = [x for x in run.column("grad_norm_sq") for _ in range(run.config.steps_per_epoch)]
        steps, h = len(squares), np.geomspace(1e-6, 1e-2, 60)
        w, noise = np.sqrt(h), h * squares[-1]
        for t in reversed(range(steps)):
            step = (1 - t / steps) / w
            noise += step**2 * squares[t]
            w = w + step
        line = np.min(np.sqrt(noise) / w)
        best = (sum(1 / x for x in squares) + 1 / squares[-1]) ** -0.5
        gains.append(line / best - 1)
    assert f"{100 * fmean(gains):.1f}% over linear decay" in " ".join(asked_for.constant_text().text.split())
    mean = [fmean(values) for values in zip(*map(by_hand, Records().runs(CIFAR10, "constant")), strict=True)]
    words = " ".join(asked_for.what_we_found_text().text.replace(">", " ").split())
    assert f"(correlation {np.corrcoef(mean, range(30, 0, -1))[0, 1]:.2f})" in words
    digits = [np.corrcoef(by_hand(run), range(8, 0, -1))[0, 1] for run in Records().runs(DIGITS, "constant")]
    assert f"from {min(digits):.2f} to {max(digits):.2f}." in words

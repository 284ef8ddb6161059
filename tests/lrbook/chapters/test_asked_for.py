"""The schedule a run asks for: findings stand on the recorded gradient norms, and fall when these change."""

from __future__ import annotations

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
}
ALLOWED = r"a line to zero"

test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(asked_for, ALTERATIONS, ALLOWED)
)
test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(asked_for)


def test_headings_findings_and_code_of_the_page():
    plain = {"The recipe", "What is new here, and how sure it is"}
    rules.check_page(asked_for, plain_headings=plain)


def test_the_lines_of_the_figure_are_the_recipe():
    """By two plain loops: 1 / G_t^2 times the sum of what follows, the last taken twice."""
    first, _ = asked_for.asked_figure().wide.axes
    drawn = [list(line.get_ydata()) for line in first.lines]
    for number, run in enumerate(Records().runs(CIFAR10, "constant")):
        inverse = [1 / x for x in run.column("grad_norm_sq")]
        factors = [x * (sum(inverse[t + 1 :]) + inverse[-1]) for t, x in enumerate(inverse)]
        assert drawn[number] == pytest.approx([factor / max(factors) for factor in factors])

"""What a plan decides, as a table and in words: numbers by hand."""

import pytest

from grids import grids
from lrbook.chapters import decisions
from lrlib.stats import FAMILY, compare_all


def test_decisions_are_those_of_the_plan():
    # differences 0.04, 0.05, 0.06: mean 5 points, sd 1; family of 1: 5 -+ 4.30265 / sqrt(3) = 2.52 to 7.48
    values = {"constant": {1: 0.77, 2: 0.78, 3: 0.76}, "linear": {1: 0.81, 2: 0.83, 3: 0.82}}
    compared = compare_all(values, pairs=[("linear", "constant")])
    ((caption, rows),) = grids(decisions.decision_table(compared))
    assert caption == "Against constant"
    # t = 5 / (1 / sqrt(3)) = 8.66 with 2 degrees of freedom: p = 1 - t / sqrt(t^2 + 2) = 0.0131
    assert rows == [
        ["schedule", "points", "n", "verdict"],
        ["linear", "+5.00 +2.52 to +7.48", "3", "better p = 0.013"],
    ]


def test_the_p_below_as_good_as_is_that_of_equivalence():
    # d = 0.01, 0, 0, 0.01 points, far inside the margin of one point; it may be no difference at all
    compared = compare_all({"linear": HIGH, "cosine": NEAR}, pairs=[("cosine", "linear")])
    assert compared[0].verdict_p == compared[0].equivalence_holm_p < 1e-4 < compared[0].holm_p
    ((_, rows),) = grids(decisions.decision_table(compared))
    assert rows[1][-1] == "as good as p < 0.0001"
    assert "Holm p < 0.0001 of equivalence, n = 4" in compared[0].sentence()


def test_a_difference_whose_interval_holds_zero_is_explained():
    # d = 4, 1, 3, 2 points (test_paired.py): p = 0.030466 alone; two intervals reach 4.1765 standard
    # errors of 0.6455 points, past zero. Holm asks for 0.05 of it once drop, with its tiny p, is settled.
    values = {
        "constant": dict.fromkeys(range(4), 0.7),
        "time": {0: 0.74, 1: 0.71, 2: 0.73, 3: 0.72},
        "drop": {0: 0.8, 1: 0.803, 2: 0.806, 3: 0.803},
    }
    compared = compare_all(values, pairs=[("drop", "constant"), ("time", "constant")])
    assert [c.verdict for c in compared] == ["better", "better"]
    assert [c.interval[0] > 0 for c in compared] == [True, False]
    said = decisions.past_zero(compared)
    assert said.startswith("Told apart though its interval holds zero: time against constant. An interval is")
    assert decisions.past_zero(compared[:1]) == ""
    down = compare_all(values, pairs=[("constant", "drop"), ("constant", "time")])
    assert "zero: constant against time." in decisions.past_zero(down)  # worse counts as well as better
    alone = {name: values[name] for name in ("constant", "time")}
    assert (
        decisions.past_zero(compare_all(alone, pairs=[("time", "constant")])) == ""
    )  # one question, one rule
    both = compare_all(
        {**values, "linear": values["time"]},
        pairs=[("drop", "constant"), ("time", "constant"), ("linear", "drop"), ("linear", "constant")],
    )
    assert [c.verdict for c in both][1] == "not decidable"  # two such p, each doubled
    assert decisions.past_zero(both) == ""


def test_a_table_for_each_reference_with_every_pair():
    compared = compare_all({"constant": {1: 0.5}, "linear": {1: 0.75}})
    found = dict(grids(decisions.decision_table(compared)))
    assert list(found) == ["Against constant", "Against linear"]
    assert [row[0] for rows in found.values() for row in rows[1:]] == [pair[0] for pair in FAMILY]
    by_name = {row[0]: row[1:] for row in found["Against constant"]}
    assert by_name["linear"] == ["+25.00", "1", "not decidable"]
    assert by_name["drop"] == ["–", "0", "not decidable"]


UP = {1: 0.504, 2: 0.505, 3: 0.506, 4: 0.505}  # better than LEVEL, by half a point
LEVEL = {1: 0.5, 2: 0.5, 3: 0.501, 4: 0.5}
HIGH = {1: 0.91, 2: 0.92, 3: 0.93, 4: 0.92}
NEAR = {1: 0.9101, 2: 0.92, 3: 0.93, 4: 0.9201}  # within 0.01 points of HIGH


@pytest.mark.parametrize(
    ("values", "pairs", "sentence"),
    [
        (
            {"constant": {1: 0.5}, "linear": {1: 0.75}},
            [("linear", "constant"), ("drop", "constant")],
            "Of 2 comparisons, none can be tested yet: no pair shares two seeds. Nothing is decided.",
        ),
        (
            {"constant": {1: 0.5, 2: 0.5}, "linear": {1: 0.75, 2: 0.75}},
            [("linear", "constant")],
            "Of 1 comparison, none can be tested yet: the differences do not vary over the seeds. "
            "Nothing is decided.",
        ),
        (
            {"constant": LEVEL, "linear": HIGH},
            [("linear", "constant")],
            "Against constant, linear is *better*. On 4 seeds each.",
        ),
        (
            {"constant": LEVEL, "linear": HIGH, "cosine": NEAR, "drop": {1: 0.4, 2: 0.7, 3: 0.5}},
            [("linear", "constant"), ("cosine", "linear"), ("constant", "cosine"), ("drop", "linear")],
            "Against constant, linear is *better*. Against linear, 1 is *as good* and 1 *not decidable*. "
            "Against cosine, constant is *worse*. On between 3 and 4 shared seeds.",
        ),
        (
            {"constant": {1: 0.5, 2: 0.6}, "linear": {1: 0.7, 2: 0.5}, "drop": {1: 0.5, 2: 0.7}},
            [("linear", "constant"), ("drop", "linear")],
            "None of the 2 comparisons can be decided yet, on 2 seeds each.",
        ),
        (
            {"constant": LEVEL, "linear": HIGH, "cosine": NEAR},
            [("linear", "constant"), ("cosine", "constant")],
            "Against constant, all 2 are *better*. On 4 seeds each.",
        ),
        # by less than a point is decided too
        (
            {"constant": LEVEL, "linear": UP, "drop": UP},
            [("linear", "constant"), ("constant", "drop")],
            "Against constant, linear is *better*. Against drop, constant is *worse*. On 4 seeds each.",
        ),
    ],
)
def test_what_is_decided_is_said_from_the_comparisons(values, pairs, sentence):
    assert decisions.decided(compare_all(values, pairs=pairs)) == sentence


def test_what_sharing_a_seed_gained():
    # up with constant's seeds: differences 0.10, 0.10, 0.11; against them: 0.12, 0.10, 0.08
    values = {
        "constant": {1: 0.70, 2: 0.72, 3: 0.74},
        "up": {1: 0.80, 2: 0.82, 3: 0.85},
        "down": {1: 0.82, 2: 0.82, 3: 0.82 + 1e-9},
        "against": {1: 0.84, 2: 0.82, 3: 0.80},
    }
    compared = compare_all(values, pairs=[(name, "constant") for name in ("up", "down", "against")])
    assert decisions.pairing(compared) == (  # down does not vary: its sd with and without is constant's
        "Sharing a seed made the differences vary less than without it in 1 of 3 comparisons, and more in 1."
    )
    assert decisions.pairing(compared[:1]).endswith("in 1 of 1 comparison, and more in none.")
    assert decisions.pairing(compared[2:]).endswith("in none of 1 comparison, and more in 1.")
    one = compare_all({"constant": {1: 0.5}, "up": {1: 0.6}}, pairs=[("up", "constant")])
    assert decisions.pairing(one) == ""


def test_how_far_an_interval_reaches():
    # Of a family of 13: t(1 - 0.05 / 26) is 165.5 with 1 degree (the cotangent of 0.05 pi / 26), and 16.08
    # with 2, by (1 - t / sqrt(2 + t^2)) / 2 = 0.05 / 26. The plan has 2.69 for five seeds.
    comparisons = compare_all({"constant": {1: 0.5, 2: 0.6, 3: 0.5}, "linear": {1: 0.7, 2: 0.5}})
    assert decisions.reached(comparisons, planned=5) == (
        "An interval over 2 seeds reaches 117.0 standard deviations to each side, one over 5 seeds 2.7."
    )
    comparisons = compare_all({name: {1: 0.5, 2: 0.6, 3: 0.5} for name in ("constant", "linear")})
    assert "over 3 seeds reaches 9.3 standard" in decisions.reached(comparisons, planned=5)

"""What every refusal is made of: a value on one line, and numbers that can be counted with."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lrlib import LinearDecay
from lrlib._checks import MOST, check_float, check_int, check_numbers, shown
from lrlib.adapters import audit
from lrlib.sweeps.study import StudyError, read_study


class Unshowable:
    def __repr__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        (np.zeros((2, 2)), "array([[0., 0.], [0., 0.]])"),
        (Unshowable(), "an object of type Unshowable"),
        (2**20_000, "an integer of 20001 bits"),
    ],
    ids=["float", "array", "unshowable", "integer"],  # pytest cannot show the integer either
)
def test_any_value_is_shown_on_one_line(value, text):
    assert shown(value) == text


def test_a_long_value_is_cut_in_its_middle():
    text = shown("a" * 5000 + "b")
    assert text == "'" + "a" * 99 + "..." + "a" * 98 + "b'"


def test_counts_have_64_bits():
    assert check_int("steps", MOST, least=1) == 2**63 - 1
    with pytest.raises(ValueError, match=r"^steps must be < 2\^63, got 9223372036854775808$"):
        check_int("steps", 2**63, least=1)
    with pytest.raises(ValueError, match=r"^steps must be >= 1, got an integer of 20001 bits$"):
        check_int("steps", -(2**20_000), least=1)
    with pytest.raises(ValueError, match=r"^peak must be > 0, got an integer of 20001 bits$"):
        check_float("peak", 2**20_000, allowed="> 0", ok=lambda x: x > 0)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (None, TypeError),
        ("12", TypeError),
        (3, TypeError),
        ([], ValueError),
        (["x"], ValueError),
        ([1.0, None], ValueError),
        ([math.nan], ValueError),
        ([1e200], ValueError),
        ([[1.0]], ValueError),
    ],
)
def test_numbers_are_a_list_of_floats_or_refused(values, error):
    with pytest.raises(error, match=r"^rates must be at least one number, all finite, got "):
        check_numbers("rates", values)
    assert check_numbers("rates", (1, 0.5)) == [1.0, 0.5]
    assert math.isnan(check_numbers("rates", [math.nan], finite=False)[0])


def test_a_plan_too_long_to_be_searched_is_still_compared():
    plan = LinearDecay(total_steps=10**11)
    assert audit.compare([0.1, 0.1], plan, peak_lr=0.1).agrees
    verdict = audit.compare([0.1, 0.09, 0.07], plan, peak_lr=0.1)
    assert not verdict.agrees
    assert (verdict.first, verdict.differ) == (1, 2)
    said = " ".join(str(verdict).split())
    assert "a plan of more than 10,000,000 updates is not searched for a cause" in said


def test_a_study_with_a_number_that_python_does_not_read(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text("seeds = [" + "9" * 5000 + "]")
    with pytest.raises(StudyError, match=r"study\.toml: a number in it has too many digits to be read$"):
        read_study(file)

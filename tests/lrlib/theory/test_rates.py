"""The rates of a run: values, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from lrlib import Constant, LinearDecay
from lrlib.theory.rates import rates


def test_the_peak_times_the_factors():
    assert rates(LinearDecay(total_steps=4), steps=5, peak_lr=2).tolist() == [2.0, 1.5, 1.0, 0.5, 0.0]
    found = rates(lambda step: 1, steps=3, peak_lr=0)
    assert found.dtype == np.float64
    assert found.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: rates(Constant(), steps=0, peak_lr=1.0), ValueError, "steps must be >= 1, got 0"),
        (
            lambda: rates(Constant(), steps=2.0, peak_lr=1.0),
            TypeError,
            "steps must be an integer >= 1, got 2.0",
        ),
        (
            lambda: rates(Constant(), steps=1, peak_lr=-1),
            ValueError,
            "peak_lr must be finite and >= 0, got -1",
        ),
        (
            lambda: rates(0.1, steps=1, peak_lr=1.0),
            TypeError,
            "schedule must be callable with a step, got 0.1",
        ),
        (
            lambda: rates([1.0, -0.5].__getitem__, steps=2, peak_lr=1.0),
            ValueError,
            "schedule must give finite factors >= 0, got -0.5 at step 1",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()

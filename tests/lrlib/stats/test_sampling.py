"""Test sampling: the formula, many drawn tests, and the survey's main finding."""

import math

import numpy as np
import pytest

from lrlib.stats import gap, sampling_error


def test_the_sampling_error_is_the_spread_of_many_tests():
    # 10,000 pictures, 84.14 % of them right: sqrt(0.8414 * 0.1586 / 10,000) = 0.003653.
    assert sampling_error(0.8414, images=10_000) == pytest.approx(0.003653, abs=5e-7)
    tests = np.random.default_rng(0).binomial(10_000, 0.8414, size=20_000) / 10_000
    assert sampling_error(0.8414, images=10_000) == pytest.approx(tests.std(), rel=0.02)
    assert sampling_error(1.0, images=5) == 0.0


@pytest.mark.parametrize(
    ("accuracy", "images", "words"),
    [
        (84.1, 10, "accuracy must be a fraction in [0, 1], got 84.1"),
        (-0.1, 10, "accuracy must be a fraction in [0, 1], got -0.1"),
        (math.nan, 10, "accuracy must be a fraction in [0, 1], got nan"),
        (0.5, 0, "images must be >= 1, got 0"),
    ],
)
def test_bad_arguments_are_one_sentence(accuracy, images, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are compared below
        sampling_error(accuracy, images=images)
    assert str(caught.value) == words


def test_the_surveys_main_finding_stands_in_its_source():
    # 87.24 % and 84.14 %: 3.10 points; errors 0.3336 and 0.3653, together 0.4947; 3.10 / 0.4947 = 6.27.
    lead = gap(0.8724, 0.8414, images=10_000)
    assert lead.difference == 0.0310
    assert lead.error == pytest.approx(0.004947, abs=1e-6)
    assert lead.errors == pytest.approx(6.27, abs=0.005)
    assert gap(0.8414, 0.8724, images=10_000).errors == -lead.errors
    assert math.isnan(gap(1.0, 1.0, images=10).errors)

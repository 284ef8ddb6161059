"""The range test: its losses are those of the loop, and its rules are worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import lrlib
from lrlib import preset
from lrlib.training import range_test as module
from lrlib.training.dataset import load
from lrlib.training.metrics import prepared
from lrlib.training.networks import build
from lrlib.training.randomness import permutation
from lrlib.training.range_test import RangeTest, range_test


def made_up(losses, *, window=1, blown_up=False):
    losses = np.array(losses, dtype=float)
    rates = 10.0 ** np.arange(-4, -4 + len(losses))
    return RangeTest(rates, losses, losses, window, blown_up)


def test_the_losses_are_those_of_a_textbook_loop():
    config = preset("digits", recipe="cosine", seed=3, train_images=50, momentum=0.5, weight_decay=0.0)
    found = range_test(config, lowest=1e-3, highest=0.5, smoothing=0.0)
    data = load("digits").subset(50)
    net = build("resnet8", in_channels=1, classes=10, seed=3).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.5)
    order, losses = permutation(50, seed=3, epoch=0), []
    for t in range(10):
        optimizer.param_groups[0]["lr"] = 1e-3 * (0.5 / 1e-3) ** (t / 9)
        part = order[5 * t : 5 * t + 5]
        loss = F.cross_entropy(net(prepared(data.train_images[part], data)), data.train_labels[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    n = len(found.losses)
    assert n >= 3
    assert found.losses == pytest.approx(losses[:n], rel=1e-3)
    assert found.rates == pytest.approx(1e-3 * 500 ** (np.arange(n) / 9), rel=1e-12)
    assert found.smoothed == pytest.approx(found.losses)


def test_recipe_peak_rate_and_epochs_play_no_part():
    one = range_test(preset("digits", recipe="linear", train_images=60))
    other = range_test(preset("digits", recipe="1cycle", train_images=60, peak_lr=3.0, epochs=2))
    assert one.losses.tolist() == other.losses.tolist()


def test_the_smoothed_loss_is_a_mean_with_its_weights():
    found = range_test(preset("digits", recipe="linear", train_images=100), smoothing=0.8)
    for t in (0, 1, len(found.losses) - 1):
        weights = 0.8 ** np.arange(t, -1, -1)
        assert found.smoothed[t] == pytest.approx(np.average(found.losses[: t + 1], weights=weights))
    assert found.window == 5


def test_it_ends_where_the_loss_has_blown_up():
    found = range_test(preset("digits", recipe="linear", seed=2))
    assert found.blown_up
    assert len(found.rates) <= 200
    least = found.smoothed.min()
    assert found.smoothed[-1] > 4 * least
    assert all(found.smoothed[:-1] <= 4 * np.minimum.accumulate(found.smoothed)[:-1])
    assert found.half_of_blow_up == found.rates[-1] / 2
    calm = range_test(preset("digits", recipe="linear", train_images=100), highest=1e-4)
    assert (calm.blown_up, calm.half_of_blow_up, len(calm.rates)) == (False, None, 20)


def test_a_loss_that_is_not_finite_ends_it(monkeypatch):
    config = preset("digits", recipe="linear", train_images=100)
    found = range_test(config, lowest=1e20, highest=1e30)
    assert found.blown_up
    assert len(found.rates) < 20


def test_the_rules_by_hand():
    found = made_up([3.0, 2.9, 1.5, 1.2, 1.0, 4.5], blown_up=True)
    assert found.lowest == pytest.approx(1.0)
    assert found.tenth_of_lowest == pytest.approx(0.1)
    assert found.steepest == pytest.approx(1e-3)  # from 2.9 to 1.5, and window // 2 = 0
    assert found.half_of_blow_up == pytest.approx(5.0)
    # Windows of two updates: 2.9 to 1.2 begins before the first is over; 1.5 to 1.0 is left.
    assert made_up([3.0, 2.9, 1.5, 1.2, 1.0, 4.5], window=2).steepest == pytest.approx(1e-1)
    assert made_up([1.0, 2.0, 3.0]).steepest is None
    with_nan = made_up([3.0, 2.0, 1.0, math.nan], blown_up=True)
    assert with_nan.lowest == pytest.approx(1e-2)


def test_a_graph_is_not_asked_for(monkeypatch):
    monkeypatch.setattr(module, "resolve", lambda config, wanted=module.resolve: wanted(config, path="graph"))
    seen = []
    monkeypatch.setattr(module, "Loop", lambda *args, made=module.Loop: seen.append(args[-1]) or made(*args))
    range_test(preset("digits", recipe="linear", train_images=20))
    assert [target.path for target in seen] == ["fast"]


def test_it_is_reached_from_lrlib():
    assert lrlib.range_test is range_test


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(lowest=0.0), "lowest must be finite and > 0, got 0.0"),
        (dict(lowest=1.0, highest=1.0), "highest must be > lowest = 1, got 1.0"),
        (dict(smoothing=1.0), r"smoothing must be in \[0, 1\), got 1.0"),
    ],
)
def test_bad_input_is_one_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        range_test(preset("digits", recipe="linear", train_images=20), **arguments)

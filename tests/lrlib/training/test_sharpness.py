"""The sharpness meter: differences of gradients, a formula worked on paper, and an undisturbed run."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lrlib import preset
from lrlib.training.loop import Loop, set_up
from lrlib.training.machine import resolve
from lrlib.training.networks import build
from lrlib.training.randomness import generator, permutation
from lrlib.training.sharpness import batch_sharpness, edges, measure_sharpness


def a_batch(n=8, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(n, 1, 8, 8, generator=draw), torch.randint(10, (n,), generator=draw)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_is_the_difference_of_two_gradients(seed):
    """(g(w + e g) - g(w - e g)) . g / (2 e |g|^2), with batch norm in training mode, in float64."""
    net = build("resnet8", in_channels=1, classes=10, seed=seed).double().train()
    images, labels = a_batch(seed=seed)
    images = images.double()
    weights = list(net.parameters())
    found = batch_sharpness(net, images, labels)

    def gradient():
        return torch.autograd.grad(F.cross_entropy(net(images), labels), weights)

    g, e = gradient(), 1e-6
    ends = []
    for sign in (1, -1):
        with torch.no_grad():
            for w, d in zip(weights, g, strict=True):
                w.add_(d, alpha=sign * e)
        ends.append(gradient())
        with torch.no_grad():
            for w, d in zip(weights, g, strict=True):
                w.sub_(d, alpha=sign * e)
    along = sum(((a - b) * d).sum() for a, b, d in zip(*ends, g, strict=True)) / (2 * e)
    assert found == pytest.approx((along / sum(d.square().sum() for d in g)).item(), rel=1e-4)


def test_on_paper():
    """A linear layer of two classes on one picture x, with probability p of the wrong class.

    The loss is log(1 + exp(z)), z the difference of the logits; its gradient has the squared norm
    2 p^2 |x|^2. Along it z changes by 2 p |x|^2, and the second derivative is p (1 - p) times the square
    of that.
    """
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False)).double()
    x = torch.tensor([[1.0, 2.0, -1.0, 0.5]]).double()
    label = torch.tensor([0])
    p = net(x).softmax(1)[0, 1].item()
    assert batch_sharpness(net, x, label) == pytest.approx(
        2 * p * (1 - p) * x.square().sum().item(), rel=1e-12
    )


def test_the_network_is_left_as_it_was():
    net = build("resnet8", in_channels=1, classes=10, seed=0)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    batch_sharpness(net, *a_batch())
    assert all(value.equal(before[name]) for name, value in net.state_dict().items())
    assert all(weight.grad is None for weight in net.parameters())
    assert all(module.track_running_stats for module in net.modules() if isinstance(module, nn.BatchNorm2d))


def test_training_mode_whatever_the_mode_before():
    net = build("resnet8", in_channels=1, classes=10, seed=0)
    one = batch_sharpness(net.train(), *a_batch())
    assert batch_sharpness(net.eval(), *a_batch()) == one


def test_evaluation_mode_has_another_sharpness():
    """A tenth or so at the start, ten times or so after 40 updates: here 8 batches of one seed."""
    config = preset("digits", recipe="triangle", seed=2)
    loop = Loop(config, *set_up(config, None, target := resolve(config, path="plain")), target)
    batches = list(loop.batches(torch.arange(40), ()))

    def sharpness(net: nn.Module) -> float:
        """The mean of g' H g / |g|^2 over batches, in the network's present mode."""
        values = []
        for images, labels in batches:
            weights = list(net.parameters())
            g = torch.autograd.grad(F.cross_entropy(net(images), labels), weights, create_graph=True)
            v = torch.cat([each.detach().flatten() for each in g])
            along = torch.autograd.grad(torch.cat([each.flatten() for each in g]) @ v, weights)
            values.append(float(torch.cat([each.flatten() for each in along]) @ v / (v @ v)))
        return sum(values) / len(values)

    def both() -> tuple[float, float]:
        evaluation = sharpness(loop.net.eval())
        running = {name: value.clone() for name, value in loop.net.state_dict().items()}
        training = sharpness(loop.net.train())
        loop.net.load_state_dict(running)
        return training, evaluation

    training, evaluation = both()
    assert evaluation < 0.2 * training
    order = permutation(config.images, seed=config.seed, epoch=0)
    updates = loop.epoch(order, (), [config.peak_lr * config.schedule()(step) for step in range(200)])
    for _ in range(40):
        next(updates)
    training, evaluation = both()
    assert evaluation > 8 * training


def test_a_batch_without_a_gradient_is_nan():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    images, labels = a_batch()
    nn.init.constant_(net[1].weight, math.nan)
    assert math.isnan(batch_sharpness(net, images, labels))
    nn.init.zeros_(net[1].weight)
    with torch.no_grad():
        net[1].bias.copy_(1000.0 * F.one_hot(torch.tensor(3), 10))
    assert math.isnan(batch_sharpness(net, images, torch.full((8,), 3)))


def test_measuring_does_not_disturb_the_run():
    config = preset("digits", recipe="1cycle", epochs=2, train_images=60)
    points = measure_sharpness(config, at=(24, 0, 7, 12, 7), batches=3)
    assert [point.step for point in points] == [0, 7, 12, 24]
    schedule, momentum = config.schedule(), config.momentum_schedule()
    assert [point.lr for point in points] == [0.1 * schedule(t) for t in (0, 7, 12, 23)]
    assert [point.momentum for point in points] == [momentum(t) for t in (0, 7, 12, 23)]
    assert all(point.batches == 3 for point in points)
    # The same point, measured alone and by hand.
    assert measure_sharpness(config, at=(12,), batches=3) == points[2:3]
    target = resolve(config, path="plain")
    with target.own_settings():
        loop = Loop(config, *set_up(config, None, target), target)
        order = permutation(60, seed=0, epoch=0)
        rates = [0.1 * schedule(t) for t in range(12)]
        for _ in loop.epoch(order, (), rates, momenta=[momentum(t) for t in range(12)]):
            pass
        drawn = torch.randperm(60, generator=generator(0, "sharpness", 12))[:15]
        values = [batch_sharpness(loop.net, *batch) for batch in loop.batches(drawn, ())]
    assert points[2].value == pytest.approx(sum(values) / 3, rel=1e-6)
    spread = torch.tensor(values).double().std().item() / math.sqrt(3)
    assert points[2].standard_error == pytest.approx(spread, rel=1e-6)


def test_at_its_start_the_digits_network_has_the_sharpness_of_the_registered_rule():
    """`studies/warmup-rule.toml` took 3.9, measured by other code; seeds 1 to 3, batches of 5."""
    configs = [preset("digits", recipe="linear", seed=seed) for seed in (1, 2, 3)]
    values = [point.value for config in configs for point in measure_sharpness(config, batches=100)]
    assert sum(values) / 3 == pytest.approx(3.9, rel=0.15)


def test_batches_larger_than_the_data_and_single_ones():
    config = preset("digits", recipe="linear", epochs=1, train_images=7, batch_size=20)
    (point,) = measure_sharpness(config)
    assert point.batches == 1
    assert math.isnan(point.standard_error)
    assert measure_sharpness(config, at=()) == []


def test_edges():
    assert edges(2.0, momentum=0.0) == (1.0, 1.0)
    assert edges(3.9, momentum=0.9) == pytest.approx((0.2 / 3.9, 3.8 / 3.9))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda c: measure_sharpness(c, at=(13,)), ValueError, "at must be <= total_steps = 12, got 13"),
        (lambda c: measure_sharpness(c, at=(-1,)), ValueError, "at must be >= 0, got -1"),
        (lambda c: measure_sharpness(c, batches=0), ValueError, "batches must be >= 1, got 0"),
        (lambda c: edges(0.0, momentum=0.9), ValueError, "sharpness must be finite and > 0, got 0.0"),
        (lambda c: edges(1.0, momentum=1.0), ValueError, r"momentum must be in \[0, 1\), got 1.0"),
        (
            lambda c: measure_sharpness(c.changed(peak_lr=1e30), at=(12,)),
            ValueError,
            "after 12 updates no batch has a gradient that is finite and not 0",
        ),
    ],
)
def test_bad_input_is_one_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call(preset("digits", recipe="linear", epochs=1, train_images=60))

"""The source's run, piece by piece: padding, start, penalty, momentum, rates, and the loop that uses them."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from lrlib import preset
from lrlib.schedules.recipes import DropRecipe
from lrlib.training import dataset as data
from lrlib.training import networks
from lrlib.training.metrics import Meter, unit_pixels
from lrlib.training.networks import keras_conv, source_penalty_groups, source_resnet
from lrlib.training.optimizers import VelocitySGD, optimizer_for
from lrlib.training.randomness import permutation
from lrlib.training.run import train


@pytest.fixture(scope="module")
def net():
    return networks.build("source_resnet", in_channels=3, classes=10, seed=0)


def test_stride_2_pads_after_the_picture_only():
    # Rows of 0..3, 4..7, 8..11, 12..15. A kernel that sees only its window's first pixel finds the pixels of
    # rows and columns 0 and 2; one that sees only the last finds row and column 2, and zeros beyond the edge.
    picture = torch.arange(16.0).view(1, 1, 4, 4)
    layer = keras_conv(1, 1, size=3, stride=2)
    kernel = layer[1].weight
    for (row, column), expected in {
        (0, 0): [0, 2, 8, 10],
        (2, 2): [10, 0, 0, 0],
        (1, 1): [5, 7, 13, 15],
    }.items():
        with torch.no_grad():
            kernel.zero_()[0, 0, row, column] = 1
        assert layer(picture).flatten().tolist() == expected
    # Without a stride the padding is the same on both sides.
    plain = keras_conv(1, 1, size=3)
    with torch.no_grad():
        plain.weight.zero_()[0, 0, 0, 0] = 1
    assert plain(picture).flatten().tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 0, 4, 5, 6, 0, 8, 9, 10]


def test_stages_projections_and_batch_norms(net):
    sides, projections = [], []
    hooks = [
        block.register_forward_hook(lambda _, __, out: sides.append(tuple(out.shape[1:3])))
        for block in net.blocks
    ]
    net.eval()(torch.zeros(1, 3, 32, 32))
    for hook in hooks:
        hook.remove()
    assert sides == [(64, 32)] * 9 + [(128, 16)] * 9 + [(256, 8)] * 9
    projections = [number for number, block in enumerate(net.blocks) if block.projection is not None]
    assert projections == [0, 9, 18]
    norms = [layer for layer in net.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert len(norms) == 1 + 27 * 3 + 1
    assert {(norm.eps, norm.momentum) for norm in norms} == {(2e-5, 0.1)}
    biases = [name for name, layer in net.named_modules() if getattr(layer, "bias", None) is not None]
    assert [name for name in biases if not isinstance(net.get_submodule(name), torch.nn.BatchNorm2d)] == [
        "dense"
    ]


def test_shortcuts_start_from_x_or_from_the_activated_input():
    blocks, picture = source_resnet(3, 10, blocks=2).eval().blocks, torch.randn(2, 64, 4, 4)
    for block in blocks[1], blocks[2]:
        torch.nn.init.zeros_(block.branch[4].weight)  # the branch gives nothing
    assert torch.equal(blocks[1](picture), picture)
    # A fresh batch norm divides by sqrt(1 + 2e-5); the projection takes every other pixel.
    activated = torch.relu(picture / math.sqrt(1 + 2e-5))[:, :, ::2, ::2]
    kernel = blocks[2].projection.weight[:, :, 0, 0]
    torch.testing.assert_close(blocks[2](picture), torch.einsum("oi,nihw->nohw", kernel, activated))


def test_glorot_uniform_and_zero_biases(net):
    # Uniform in +-sqrt(6 / (fan in + fan out)), fans times the area of the kernel; variance limit^2 / 3.
    for layer, limit in (
        (net.stem, math.sqrt(6 / (27 + 576))),
        (net.dense, math.sqrt(6 / (256 + 10))),
        (net.blocks[26].branch[2], math.sqrt(6 / (576 + 576))),
        (net.blocks[18].projection, math.sqrt(6 / (128 + 256))),
    ):
        largest = layer.weight.abs().max().item()
        assert 0.99 * limit < largest <= limit
        assert layer.weight.var().item() == pytest.approx(limit**2 / 3, rel=0.1)
    assert not net.dense.bias.any()


def test_penalty_of_each_kind_of_layer(net):
    (ends, kernels, rest), names = source_penalty_groups(net), {p: name for name, p in net.named_parameters()}
    assert [group["weight_decay"] for group in (ends, kernels, rest)] == [1e-3, 2e-4, 0.0]
    assert [names[p] for p in ends["params"]] == ["stem.weight", "dense.weight"]
    # Three convolutions in each of 27 blocks, three projections; two weights in each of 83 norms; a bias.
    assert [len(group["params"]) for group in (ends, kernels, rest)] == [2, 27 * 3 + 3, 2 * 83 + 1]
    assert {p.ndim for p in kernels["params"]} == {4}
    assert all("norm" in names[p] or p.ndim == 1 for p in rest["params"])


def test_the_recorded_penalty_is_the_sources():
    one = source_resnet(3, 10, blocks=1)
    with torch.no_grad():
        for p in one.parameters():
            p.fill_(2.0)
    meter = Meter(torch.device("cpu"))
    for p in one.parameters():
        p.grad = torch.zeros_like(p)
    optimizer = optimizer_for(preset("source", recipe="linear"), one)
    meter.add(optimizer, torch.zeros(4, 10), torch.tensor(1.0), torch.zeros(4, dtype=torch.long))
    # Keras's terms: 5e-4 times the squares of stem (27 x 64) and dense kernel (256 x 10); 1e-4 times those of
    # the blocks, i-w, 9 w w, w-o and projection i-o: 64-16-64, 64-32-128 and 128-64-256. Each square is 4.
    blocks = (1024 + 2304 + 1024 + 4096) + (2048 + 9216 + 4096 + 8192) + (8192 + 36864 + 16384 + 32768)
    assert meter.means()["penalty"] == pytest.approx(4 * (5e-4 * (1728 + 2560) + 1e-4 * blocks), rel=1e-6)
    assert meter.means()["first_lr"] == 0.1


GRADIENTS, RATES = (1.0, 2.0, 4.0), (0.1, 0.1, 0.025)


@pytest.mark.parametrize(
    ("form", "weight_decay", "expected"),
    [
        # v: -0.1, then 0.9 (-0.1) - 0.1 x 2 = -0.29, then 0.9 (-0.29) - 0.025 x 4 = -0.361; w starts at 1.
        (VelocitySGD, 0.0, [0.9, 0.61, 0.249]),
        # b: 1, 2.9, 0.9 x 2.9 + 4 = 6.61, of which the third step takes 0.025 x 6.61 = 0.16525.
        (torch.optim.SGD, 0.0, [0.9, 0.61, 0.44475]),
        # g + w/2: 1.5, 2.425, 4.23625; v: -0.15, -0.135 - 0.2425 = -0.3775, -0.33975 - 0.10590625.
        (VelocitySGD, 0.5, [0.85, 0.4725, 0.02684375]),
    ],
    ids=["velocity", "torch", "velocity with weight decay"],
)
def test_three_updates_by_hand_across_a_drop(form, weight_decay, expected):
    w = torch.ones(1, dtype=torch.float64, requires_grad=True)
    optimizer = form([w], lr=0.1, momentum=0.9, weight_decay=weight_decay)
    for gradient, rate, value in zip(GRADIENTS, RATES, expected, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        (gradient * w).sum().backward()
        optimizer.step()
        assert w.item() == pytest.approx(value, rel=1e-12)


def test_torchs_form_gives_keras_with_its_momentum_rescaled():
    # momentum_t = m lr_{t-1} / lr_t ties the two forms, here at a rate that changes all the time.
    source = torch.Generator().manual_seed(0)
    gradients = torch.randn(8, 5, generator=source, dtype=torch.float64)
    rates = [0.1, 0.08, 0.09, 0.02, 0.02, 0.3, 0.001, 0.05]
    ours, theirs = (torch.ones(5, dtype=torch.float64, requires_grad=True) for _ in range(2))
    velocity = VelocitySGD([ours], lr=0.1, momentum=0.9, weight_decay=0.01)
    outside = torch.optim.SGD([theirs], lr=0.1, momentum=0.9, weight_decay=0.01)
    before = rates[0]
    for gradient, rate in zip(gradients, rates, strict=True):
        outside.param_groups[0].update(lr=rate, momentum=0.9 * before / rate)
        velocity.param_groups[0]["lr"] = before = rate
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        velocity.step()
        outside.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_the_velocity_survives_a_checkpoint_and_leaves_alone_what_has_no_gradient():
    w, idle = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    first = VelocitySGD([w, idle], lr=0.5, momentum=0.5)
    w.grad = torch.tensor([1.0, 2.0])
    first.step()
    second = VelocitySGD([w, idle], lr=0.1, momentum=0.0)
    second.load_state_dict(first.state_dict())
    assert second.param_groups[0]["lr"] == second.param_groups[0]["momentum"] == 0.5
    w.grad = torch.zeros(2)
    second.step()
    # v = -0.5 (1, 2), then half of it.
    assert w.tolist() == [1 - 0.5 - 0.25, 1 - 1.0 - 0.5]
    assert idle.tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="closure must be None"):
        second.step(lambda: 0.0)


def test_every_config_gets_its_optimizer():
    net = torch.nn.Linear(2, 2)
    config = preset("laptop", recipe="linear")
    assert type(optimizer_for(config, net)) is torch.optim.SGD
    (group,) = optimizer_for(config.changed(momentum_form="keras"), net).param_groups
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.1, 0.9, 1e-4)


# (recipe, update) and the rate in force: epoch e starts at update 391 e. As the source's logs print them, or
# by its formulas: 0.1 / (1 + 0.001 t), 0.1 x 0.25 ** floor((1 + e) / 15), 0.1 (1 - e / 100) ** power.
APPLIED = [
    ("constant", 39_099, 0.1),
    ("time", 0, 0.1),
    ("time", 390, 0.1 / 1.390),
    ("time", 391, 0.1 / 1.391),
    ("time", 39_099, 0.1 / 40.099),
    ("drop", 14 * 391 - 1, 0.1),
    ("drop", 14 * 391, 0.025),
    ("drop", 29 * 391 - 1, 0.025),
    ("drop", 29 * 391, 0.00625),
    ("drop", 39_099, 2.44140625e-05),
    ("linear", 390, 0.1),
    ("linear", 391, 0.099),
    ("linear", 39_099, 0.001),
    ("poly5", 391, 0.0950990049900),
    ("poly5", 97 * 391, 2.43e-09),
    ("poly5", 98 * 391 + 390, 3.2e-10),
    ("poly5", 39_099, 1e-11),
]


@pytest.mark.parametrize(("recipe", "update", "rate"), APPLIED)
def test_the_rates_of_the_source(recipe, update, rate):
    config = preset("source", recipe=recipe)
    assert (config.steps_per_epoch, config.total_steps) == (391, 39_100)
    assert config.peak_lr * config.schedule()(update) == pytest.approx(rate, rel=1e-9)


@pytest.fixture
def shallow(monkeypatch):
    """One block a stage: the loop is under test, and 27 blocks on 8x8 pictures amplify rounding a lot."""
    spec = replace(networks.NETWORKS["source_resnet"], make=partial(source_resnet, blocks=1))
    monkeypatch.setitem(networks.NETWORKS, "source_resnet", spec)


def small(**changes):
    """The arm on 8x8 digits: four epochs of two updates, held; the rate drops at epochs 1 and 3."""
    fields = dict(
        dataset="digits",
        train_images=45,
        test_images=30,
        batch_size=25,
        epochs=4,
        peak_lr=0.02,
        precision="fp32",
        recipe=DropRecipe(drop_factor=0.25, drop_fraction=0.5, offset_fraction=0.25),
    )
    return preset("source", **{**fields, **changes})


def textbook(config):
    """The same run by the source's own formulas, slow and plain."""
    digits = data.load("digits").subset(config.train_images, config.test_images)
    x, y = digits.train_images / 255, digits.train_labels
    net = networks.build("source_resnet", in_channels=1, classes=10, seed=config.seed)
    velocity = {name: torch.zeros_like(p) for name, p in net.named_parameters()}

    def reg(name, p):
        """Keras's factor of ||w||^2."""
        if name in ("stem.weight", "dense.weight"):
            return 5e-4
        return 1e-4 if p.ndim == 4 else 0.0

    rows = []
    for epoch in range(config.epochs):
        net.train()
        rate, total, total_penalty = 0.02 * 0.25 ** ((epoch + 1) // 2), 0.0, 0.0
        for chosen in permutation(len(y), seed=config.seed, epoch=epoch).split(config.batch_size):
            cross_entropy = F.cross_entropy(net(x[chosen]), y[chosen])
            penalty = sum(reg(name, p) * (p**2).sum() for name, p in net.named_parameters())
            net.zero_grad()
            (cross_entropy + penalty).backward()
            with torch.no_grad():
                for name, p in net.named_parameters():
                    velocity[name] = 0.9 * velocity[name] - rate * p.grad
                    p += velocity[name]
            total += len(chosen) * cross_entropy.item()
            total_penalty += len(chosen) * penalty.item()
        net.eval()
        with torch.no_grad():
            logits = net(digits.test_images / 255)
        rows.append(
            (rate, total / len(y), total_penalty / len(y), F.cross_entropy(logits, digits.test_labels).item())
        )
    return rows


def test_the_loop_runs_the_source_as_its_formulas_say(shallow, monkeypatch):
    monkeypatch.setattr("lrlib.training.metrics.EVALUATED", 20)  # the textbook evaluates all 30 at once
    config = small()
    # On the plain path: after some updates in fp32, another order of the sums is another run.
    run = train(config, progress=False, path="plain")
    for epoch, (rate, loss, penalty, test_loss) in zip(run.epochs, textbook(config), strict=True):
        assert epoch.first_lr == epoch.last_lr == pytest.approx(rate, rel=1e-12)
        assert epoch.train_loss == pytest.approx(loss, rel=1e-5)
        assert epoch.penalty == pytest.approx(penalty, rel=1e-5)
        assert epoch.test_loss == pytest.approx(test_loss, rel=1e-5)
    # What makes it the source's run is in force: each choice undone gives another run.
    for change in ({"momentum_form": "torch"}, {"penalty": "uniform"}, {"pixels": "standardised"}):
        assert train(config.changed(**change), progress=False, path="plain").column(
            "test_loss"
        ) != run.column("test_loss")


def test_a_cut_run_of_the_source_goes_on_bit_for_bit(shallow, tmp_path, monkeypatch):
    config, add, count = small(epochs=3), Meter.add, iter(range(100))
    whole = train(config, progress=False)

    def cut(self, *args):
        if next(count) == 3:
            raise KeyboardInterrupt
        add(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Meter, "add", cut)
        with pytest.raises(KeyboardInterrupt):
            train(config, checkpoint=tmp_path / "run.pt", progress=False)
    resumed = train(config, checkpoint=tmp_path / "run.pt", resume=True, progress=False)
    assert resumed.measured() == whole.measured()
    assert resumed.provenance.parts == 2


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_the_source_in_half_precision(shallow, precision):
    run = train(small(precision=precision, epochs=2), progress=False)
    assert (run.status, run.provenance.precision) == ("finished", precision)
    assert run.start == train(small(epochs=1), progress=False).start


def test_channels_last_and_bf16_reach_every_layer(net):
    twin = source_resnet(3, 10, blocks=1).to(memory_format=torch.channels_last)
    seen = []
    for block in twin.blocks:
        block.register_forward_hook(
            lambda _, __, out: seen.append((out.dtype, out.is_contiguous(memory_format=torch.channels_last)))
        )
    with torch.autocast("cpu", dtype=torch.bfloat16):
        twin(torch.rand(2, 3, 32, 32).contiguous(memory_format=torch.channels_last))
    assert seen == [(torch.bfloat16, True)] * 3


def test_unit_pixels_are_pixels_over_255():
    digits = unit_pixels(data.load("digits"))
    pictures = data.normalise(digits.train_images[:20], digits.mean, digits.std)
    assert torch.equal(pictures, digits.train_images[:20] / 255)
    assert (pictures.min(), pictures.max()) == (0, 1)


def test_the_network_sees_unit_pixels_in_training_and_in_testing(shallow, monkeypatch):
    seen, build = [], networks.build

    def watched(*args, **kwargs):
        net = build(*args, **kwargs)
        net.register_forward_pre_hook(lambda net, inputs: seen.append((net.training, inputs[0].clone())))
        return net

    monkeypatch.setattr(networks, "build", watched)
    config = small(epochs=1)
    train(config, progress=False)
    digits = data.load("digits").subset(45, 30)
    order = permutation(45, seed=0, epoch=0)
    assert [training for training, _ in seen] == [True, True, False, False]
    assert torch.equal(seen[0][1], digits.train_images[order[:25]] / 255)
    assert torch.equal(
        seen[1][1], digits.train_images[order[25:]] / 255
    )  # the last batch is smaller, and counts
    assert torch.equal(seen[2][1], digits.test_images / 255)


@pytest.mark.cifar10
def test_two_updates_of_the_source_on_the_real_cifar10(cifar10_root):
    config = preset("source", recipe="drop", epochs=1, train_images=208, test_images=64)
    run = train(config, data=data.load("cifar10", root=cifar10_root), progress=False)
    assert run.parameters == 873_872
    (epoch,) = run.epochs
    assert epoch.updates == 2  # of 128 and of 80, the last two of an epoch of 391
    assert all(map(math.isfinite, (epoch.train_loss, epoch.test_loss)))
    # At the start the weights have Glorot's variance, and two updates hardly change their squares.
    assert epoch.penalty == pytest.approx(expected_penalty(), rel=0.05)


def expected_penalty():
    """Sum over kernels of r n 2 / (fan in + fan out); n is area x inputs x outputs, a fan area x channels."""
    blocks = [(64, 64), *[(64, 64)] * 8, (64, 128), *[(128, 128)] * 8, (128, 256), *[(256, 256)] * 8]
    total = 5e-4 * 2 * (3 * 64 / (3 + 64) + 256 * 10 / (256 + 10))
    for number, (i, o) in enumerate(blocks):
        kernels = [(i, o // 4), (o // 4, o // 4), (o // 4, o)] + ([(i, o)] if number % 9 == 0 else [])
        total += 1e-4 * 2 * sum(a * b / (a + b) for a, b in kernels)
    return total

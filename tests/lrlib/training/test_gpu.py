"""The engine for a GPU, on a CPU: the same body, called where a GPU would replay it.

"Equal" means to the last bit. Against the plain path only "within rounding" can hold where the update is
torch's fused kernel there and a loop over tensors here; each test says which of the two it is.
"""

from __future__ import annotations

import copy
import math
import warnings
import weakref
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lrlib import preset
from lrlib.schedules import OneCycleRecipe
from lrlib.sweeps.gpu_check import noise
from lrlib.training import gpu
from lrlib.training.checkpoint import CheckpointError
from lrlib.training.dataset import Dataset
from lrlib.training.gpu import CastOnce, Engine
from lrlib.training.loop import Loop, set_up
from lrlib.training.machine import resolve
from lrlib.training.metrics import evaluate
from lrlib.training.optimizers import VelocitySGD, optimizer_for
from lrlib.training.randomness import draw_augmentation, permutation
from lrlib.training.run import take_turns, train, training

# 203 images in batches of 26: eight updates, of which the last has 21 images.
DIGITS = dict(recipe="cosine", epochs=2, train_images=203, test_images=150, batch_size=26)
# Noise of CIFAR-10's shape: two whole batches and one of 2 images.
COLOUR = dict(recipe="cosine", epochs=1, train_images=10, test_images=6, batch_size=4, peak_lr=0.01)

CASES = {
    "digits": preset("digits", **DIGITS),
    "digits, Keras momentum": preset("digits", **DIGITS, momentum_form="keras"),
    "digits, augmented": preset("digits", **DIGITS, augmentation="flip_shift", weight_decay=0.01),
    "digits, bf16": preset("digits", **DIGITS, precision="bf16"),
    "digits, Keras momentum, bf16": preset("digits", **DIGITS, precision="bf16", momentum_form="keras"),
    "digits, fp16": preset("digits", **DIGITS, precision="fp16"),
    # The groups of the source's L2 penalty, its padding and projections.
    "source, bf16": preset("source", **COLOUR, precision="bf16"),
    "resnet50": preset("resnet50", **{**COLOUR, "peak_lr": 1e-6}, precision="fp32"),
}


def data_for(config) -> Dataset | None:
    return noise(config) if config.dataset == "cifar10" else None


def made(config, kind=Engine):
    target = resolve(config, path="graph", threads=1)
    return kind(config, *set_up(config, data_for(config), target), target)


def exhaust(generator):
    try:
        while True:
            next(generator)
    except StopIteration as end:
        return end.value


def layout(config, epoch=0):
    """What an epoch is given: order, draws, rates."""
    schedule, n = config.schedule(), config.steps_per_epoch
    return (
        permutation(config.images, seed=config.seed, epoch=epoch),
        draw_augmentation(config.augmentation, config.images, seed=config.seed, epoch=epoch),
        [config.peak_lr * schedule(epoch * n + t) for t in range(n)],
    )


def epochs_of(loop) -> list:
    """Do all epochs; return what they measured, with both evaluations.

    The plain loop gets its rates as tensors too: the Keras form rounds twice then, and once with numbers.
    """
    found = []
    with loop.target.own_settings():
        for epoch in range(loop.config.epochs):
            order, draws, rates = layout(loop.config, epoch)
            if not isinstance(loop, Engine):
                rates = [torch.tensor(rate, dtype=torch.float64) for rate in rates]
            meter = exhaust(loop.epoch(order, draws, rates))
            meter.rates = [float(rate) for rate in meter.rates]
            looks = [exhaust(loop.evaluate(split)) for split in ("test", "train")]
            found.append((meter.means(), meter.rates, *looks))
    return found


@pytest.mark.parametrize("config", CASES.values(), ids=CASES)
def test_it_equals_the_plain_loop_with_the_same_optimizer_kernels(config):
    """All means, rates, evaluations, weights, buffers, momenta and the scaler: to the last bit."""
    engine, loop = made(config), made(config, Loop)
    assert type(loop.optimizer) is type(engine.optimizer)
    found = epochs_of(engine)
    assert all(math.isfinite(number) for _, _, *looks in found for look in looks for number in look)
    assert found == epochs_of(loop)
    ours, theirs = engine.net.state_dict(), loop.net.state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert engine.scaler.state_dict() == loop.scaler.state_dict()
    for a, b in zip(engine.net.parameters(), loop.net.parameters(), strict=True):
        (ours,), (theirs,) = engine.optimizer.state[a].values(), loop.optimizer.state[b].values()
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", CASES)
def test_it_is_within_rounding_of_the_plain_path(name):
    config = CASES[name].changed(epochs=1)
    plain, graph = (
        train(config, data=data_for(config), progress=False, path=path) for path in ("plain", "graph")
    )
    assert (graph.start, graph.column("batches")) == (plain.start, plain.column("batches"))
    assert graph.provenance.path == "graph"
    rel = 1e-5 if config.precision == "fp32" else 2e-2
    for column in ("train_loss", "test_loss", "penalty", "grad_norm_sq"):
        assert graph.column(column) == pytest.approx(plain.column(column), rel=rel), column


@pytest.mark.parametrize("momentum_form", ["torch", "keras"])
def test_the_rate_that_moved_the_weights_is_that_of_the_schedule(momentum_form):
    """Without momentum and penalty an update moves the weights by -rate times the gradient: read off them."""
    changes = dict(momentum=0.0, weight_decay=0.0, momentum_form=momentum_form)
    config = preset("digits", **{**DIGITS, "recipe": "triangle"}, **changes)
    engine = made(config)
    weights = [w for group in engine.optimizer.param_groups for w in group["params"]]
    for epoch in range(2):
        order, draws, rates = layout(config, epoch)
        engine.lay_out(order, draws, rates)
        for rate, update in zip(rates, engine.updates, strict=True):
            before = torch.cat([w.detach().double().flatten() for w in weights])
            update()
            moved = torch.cat([w.detach().double().flatten() for w in weights]) - before
            gradient = torch.cat([w.grad.double().flatten() for w in weights])
            inferred = (-(moved @ gradient) / (gradient @ gradient)).item()
            assert inferred == pytest.approx(rate, rel=1e-4, abs=1e-8)
        assert engine.read_out().rates == rates


def test_a_rate_that_was_not_applied_is_found_and_never_recorded():
    config = CASES["digits"]
    engine = made(config)
    engine.lay_out(*layout(config))
    engine.updates[0]()
    for update in engine.updates[1:]:
        update()
    engine.rates[3] += 1e-12  # by less than a record would show
    with pytest.raises(
        RuntimeError, match=r"^update 3 of this epoch was to have the rate .*use --path fast$"
    ):
        engine.read_out()


def test_another_rate_in_the_optimizer_is_found():
    """Somebody's scheduler writes a number into the group: the captured update would go on without it."""
    config = CASES["digits"]
    engine = made(config)
    engine.lay_out(*layout(config))
    for update in engine.updates:
        update()
    engine.optimizer.param_groups[0]["lr"] = 0.1
    with pytest.raises(RuntimeError, match="the optimizer held"):
        engine.read_out()


def test_an_update_that_was_left_out_is_found():
    config = CASES["digits"]
    engine = made(config)
    engine.lay_out(*layout(config))
    for update in engine.updates[:-1]:
        update()
    with pytest.raises(RuntimeError, match=r"^update 7 of this epoch .* held nan"):
        engine.read_out()


@pytest.mark.parametrize("name", ["digits, augmented", "digits, Keras momentum", "digits, fp16"])
def test_a_cut_run_goes_on_bit_for_bit(name, tmp_path):
    config, file = CASES[name].changed(epochs=3), tmp_path / "run.pt"
    whole = train(config, progress=False, path="graph")
    asked = iter([False, True])
    target = resolve(config, path="graph", threads=1)
    ((_, cut),) = take_turns([training(config, target, checkpoint=file, stop=lambda: next(asked))])
    assert cut is None  # after the second epoch
    resumed = train(config, progress=False, path="graph", checkpoint=file, resume=True)
    assert resumed.measured() == whole.measured()
    assert resumed.provenance.parts == 2


def test_a_run_does_not_change_its_path_half_way(tmp_path):
    config, file = CASES["digits"], tmp_path / "run.pt"
    train(config, progress=False, path="graph", checkpoint=file)
    with pytest.raises(
        CheckpointError, match="begun by path graph, and would go on by path plain; go on as it"
    ):
        train(config, progress=False, path="plain", checkpoint=file, resume=True)


def test_runs_that_take_turns_are_each_what_they_are_alone():
    """Four runs of different lengths in two slots: a run's numbers do not depend on its company."""
    configs = [
        CASES["digits"].changed(seed=1),
        CASES["digits, Keras momentum"].changed(epochs=1),
        CASES["digits, bf16"].changed(recipe="linear"),
        CASES["digits, augmented"].changed(epochs=1, seed=3),
    ]
    target = {c: resolve(c, path="graph", threads=1, together=2) for c in configs}
    done = dict(take_turns((training(c, target[c]) for c in configs), together=2))
    for number, config in enumerate(configs):
        assert done[number].provenance.together == 2
        alone = train(config, progress=False, path="graph", threads=1)
        assert done[number].measured() == alone.measured()


def test_warming_up_leaves_no_trace():
    """Three updates and evaluations come before a capture; the state after them is the state before them."""
    for config in (CASES["digits, fp16"], CASES["digits, Keras momentum"]):
        target = resolve(config, path="graph", threads=1)
        data, net, optimizer, scaler = set_up(config, None, target)
        before = copy.deepcopy(net.state_dict())
        scale = scaler.get_scale()
        engine = Engine(config, data, net, optimizer, scaler, target)
        assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
        assert scaler.get_scale() == scale
        momenta = [value for state in optimizer.state.values() for value in state.values()]
        assert len(momenta) == len(list(net.parameters()))
        assert not any(value.any() for value in momenta)
        assert not any(tensor.grad_fn for tensor in engine.state())


@pytest.mark.parametrize(
    "name", ["digits, augmented", "digits, bf16", "digits, Keras momentum", "digits, fp16"]
)
def test_nothing_in_an_update_or_an_evaluation_reads_a_value_back(name):
    """Tensors without values cannot be read: whatever would make a GPU's host wait raises here."""
    from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

    config = CASES[name]
    epochs_of(made(config.changed(epochs=1)))  # what is kept for later (means of channels) is real by now
    engine = made(config)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        fake = copy.copy(engine)
        for word in ("order", "rates", "applied", "done", "rate"):
            setattr(fake, word, mode.from_tensor(getattr(engine, word)))
        fake.draws = tuple(mode.from_tensor(draw) for draw in engine.draws)
        for size in (26, 21):
            fake._update(torch.arange(size))
        part = gpu._Evaluation.__new__(gpu._Evaluation)
        vars(part).update(vars(engine.evaluations["test"]))
        part.at = mode.from_tensor(part.at)
        part._part(torch.arange(25))
        with pytest.raises(DataDependentOutputException):  # the rule bites
            mode.from_tensor(torch.ones(1)).item()


def test_weights_cast_in_one_call_are_those_of_autocast():
    """Logits and every gradient, in bf16 and fp16, with kernels of 1x1 and 3x3, channels last, and a bias."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 6, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 4),
    ).to(memory_format=torch.channels_last)
    images = torch.randn(5, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    for dtype in (torch.bfloat16, torch.float16):
        nets = [net, copy.deepcopy(net)]
        outs = []
        for one, forward in ((nets[0], nets[0]), (nets[1], CastOnce(nets[1], dtype))):
            one.zero_grad()
            with torch.autocast("cpu", dtype=dtype):
                outs.append(forward(images))
            outs[-1].float().square().sum().backward()
        assert torch.equal(*outs)
        for a, b in zip(*(one.parameters() for one in nets), strict=True):
            assert b.grad.dtype == torch.float32
            assert torch.equal(a.grad, b.grad)
            assert b.grad.stride() == b.stride()  # so that autograd hands it over, and does not copy it


def test_the_keras_form_over_all_tensors_is_that_of_one_weight_at_a_time():
    """v <- m v - lr (g + wd w), w <- w + v, in double precision by hand; and lr as a tensor."""
    source = torch.Generator().manual_seed(3)
    shapes = [(4, 3, 2, 2), (5, 4, 1, 1), (7,)]
    starts = [torch.randn(shape, generator=source) for shape in shapes]
    orders = [torch.channels_last, torch.channels_last, torch.contiguous_format]
    weights = [nn.Parameter(w.clone(memory_format=order)) for w, order in zip(starts, orders, strict=True)]
    optimizer = VelocitySGD(weights, lr=0.1, momentum=0.9, weight_decay=0.01)
    expected = [start.double() for start in starts]
    velocities = [torch.zeros_like(w) for w in expected]
    for lr in (0.1, 0.05, torch.tensor(0.025, dtype=torch.float64)):
        optimizer.param_groups[0]["lr"] = lr
        for i, w in enumerate(weights):
            w.grad = torch.randn(shapes[i], generator=source)  # not channels last
            velocities[i] = 0.9 * velocities[i] - float(lr) * (w.grad.double() + 0.01 * expected[i])
            expected[i] = expected[i] + velocities[i]
        optimizer.step()
    for w, wanted in zip(weights, expected, strict=True):
        assert torch.allclose(w.double(), wanted, rtol=1e-6, atol=1e-6)


def test_a_rate_on_the_device_is_cast_as_a_number_is():
    """0.1 in float64, cast to fp32 by the optimizer, moves weights as the Python number 0.1 does.

    Equal in torch's form; in Keras's, whose step is then rounded before it is added, to the last digit.
    """
    for form, apart in (("torch", 0.0), ("keras", 1e-7)):
        config = preset("laptop", recipe="linear", momentum_form=form)
        ends = []
        for lr in (0.1, torch.tensor(0.1, dtype=torch.float64)):
            net = nn.Linear(3, 2)
            nn.init.constant_(net.weight, 0.3)
            nn.init.constant_(net.bias, -0.2)
            optimizer = optimizer_for(config, net, fused=True)
            for group in optimizer.param_groups:
                group["lr"] = lr
            for gradient in (0.7, -0.1):
                for w in net.parameters():
                    w.grad = torch.full_like(w, gradient)
                optimizer.step()
            ends.append(torch.cat([w.detach().flatten() for w in net.parameters()]))
        assert torch.allclose(*ends, rtol=apart, atol=0)


def test_the_evaluation_in_parts_is_that_of_the_plain_path():
    """150 images: one part of 125 and one of 25; sums in float64: equal."""
    engine = made(CASES["digits"])
    for _ in range(2):  # a second look begins at nothing
        found = exhaust(engine.evaluate("test"))
        assert found == evaluate(engine.net, *engine.images_of("test"), engine.data, engine.target)


def cannot(*_):
    raise RuntimeError("operation not permitted when stream is capturing\nand more lines")


def test_what_a_graph_reads_lives_as_long_as_its_replay(monkeypatch):
    """On a first card an evaluation's offsets were freed, and it read what came in their place."""
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: SimpleNamespace(replay=lambda: None))
    monkeypatch.setattr(torch.cuda, "graph", lambda *_, **__: nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: None)
    offsets = torch.arange(3)
    there = weakref.ref(offsets)
    replay = gpu.captured(partial(torch.add, offsets, 1), lambda: None, torch.device("cuda"))
    del offsets
    assert there() is not None
    replay()
    del replay
    assert there() is None


def test_a_device_that_cannot_capture_gets_the_fast_path_and_the_record_says_so(monkeypatch):
    config = CASES["digits"].changed(epochs=1)
    target = replace(resolve(config, path="graph", threads=1), chosen=True)  # as "auto" does with a GPU
    monkeypatch.setattr(gpu, "captured", cannot)
    said = (
        r"cannot capture the update \(operation not permitted when stream is capturing\); .* by path 'fast'"
    )
    with pytest.warns(RuntimeWarning, match=said) as warned:
        ((_, run),) = take_turns([training(config, target)])
    assert len(warned) == 1
    assert run.provenance.path == "fast"
    assert run.measured() == train(config, progress=False, path="fast").measured()


def test_who_asked_for_it_gets_the_error(monkeypatch):
    monkeypatch.setattr(gpu, "captured", cannot)
    with pytest.raises(RuntimeError, match="operation not permitted when stream is capturing"):
        train(CASES["digits"], progress=False, path="graph")


def test_what_cannot_be_captured_is_refused_before_anything_is_made():
    config = preset("digits", **DIGITS, precision="fp16", momentum_form="keras")
    with pytest.raises(
        ValueError, match=r"^path: 'graph' cannot do fp16 with momentum_form 'keras'.* use path"
    ):
        train(config, path="graph")
    with pytest.raises(ValueError, match=r"^together must be at most 32, got 33$"):
        resolve(config, together=33)


@pytest.mark.parametrize(
    ("precision", "momentum_form", "path"),
    [("bf16", "keras", "graph"), ("fp16", "torch", "graph"), ("fp16", "keras", "fast")],
)
def test_on_a_gpu_auto_means_graph_where_it_can(precision, momentum_form, path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    config = preset("digits", **DIGITS, precision=precision, momentum_form=momentum_form)
    target = resolve(config)
    assert (target.device.type, target.path, target.chosen) == ("cuda", path, True)
    assert not resolve(config, path="fast").chosen


def test_a_graph_refuses_a_momentum_that_moves_and_auto_takes_the_fast_path(monkeypatch):
    config = preset("digits", **{**DIGITS, "recipe": "1cycle"})
    with pytest.raises(
        ValueError, match=r"^path: 'graph' cannot move the momentum, as the recipe '1cycle' does"
    ):
        train(config, path="graph")
    # Whoever makes a target without `resolve` gets no graph either.
    target = resolve(config.changed(recipe="linear"), path="graph")
    with pytest.raises(RuntimeError, match="a graph keeps the momentum that it was captured with"):
        gpu.prepare(config, None, replace(target, chosen=False))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    target = resolve(config)
    assert (target.device.type, target.path) == ("cuda", "fast")
    still = preset("digits", **{**DIGITS, "recipe": OneCycleRecipe(momentum_swing=0.0)})
    assert resolve(still).path == "graph"


def test_no_warning_where_nothing_goes_wrong():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(CASES["digits"].changed(epochs=1), progress=False, path="graph")

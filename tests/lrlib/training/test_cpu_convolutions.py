"""The fast path against the plain one: logits and all gradients, on every network and on odd shapes."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from lrlib import preset
from lrlib.training import networks
from lrlib.training.cpu_convolutions import MOST_FOR_PATCHES, MatrixConv2d, hasten
from lrlib.training.machine import resolve
from lrlib.training.metrics import norm_sq
from lrlib.training.optimizers import memory_order, optimizer_for
from lrlib.training.run import train

LARGE = ("resnet10", "resnet50", "source_resnet")


def batch(dtype, n=8):
    source = torch.Generator().manual_seed(0)
    images = torch.randn(n, 3, 32, 32, generator=source, dtype=torch.float64).to(dtype)
    return images.contiguous(memory_format=torch.channels_last), torch.arange(n) % 10


def pair(name, dtype):
    plain = networks.build(name, in_channels=3, classes=10, seed=3).to(memory_format=torch.channels_last)
    plain = plain.to(dtype)
    return plain, hasten(copy.deepcopy(plain))


def distance(fast, plain):
    return ((fast - plain).norm() / plain.norm()).item()


@pytest.mark.parametrize("name", LARGE)
def test_in_fp64_logits_and_every_gradient_agree(name):
    plain, fast = pair(name, torch.float64)
    images, labels = batch(torch.float64)
    logits = [net(images) for net in (plain, fast)]
    assert distance(*reversed(logits)) < 1e-9
    for out in logits:
        F.cross_entropy(out, labels).backward()
    named = dict(fast.named_parameters())
    for key, weights in plain.named_parameters():
        assert distance(named[key].grad, weights.grad) < 1e-9, key
    buffers = dict(fast.named_buffers())
    for key, values in plain.named_buffers():
        assert torch.allclose(buffers[key].double(), values.double(), rtol=1e-9), key


@pytest.mark.parametrize("name", LARGE)
def test_in_fp32_logits_agree(name):
    plain, fast = pair(name, torch.float32)
    images, _ = batch(torch.float32)
    with torch.no_grad():
        assert distance(fast(images), plain(images)) < 1e-4


@pytest.mark.parametrize("name", LARGE)
def test_names_and_values_stay(name):
    plain, fast = pair(name, torch.float32)
    before, after = plain.state_dict(), fast.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_it_is_not_the_plain_network_under_another_name():
    _, fast = pair("resnet50", torch.float32)
    assert sum(isinstance(module, MatrixConv2d) for module in fast.modules()) == 53
    # the stem's 32x32 map is too large; 16 of the 3x3 kernels see at most 8x8, 4x4, 2x2 and 1x1 pixels
    seen = []
    for module in fast.modules():
        if isinstance(module, MatrixConv2d):
            module.register_forward_hook(lambda m, i, o: seen.append(i[0].shape[2] * i[0].shape[3]))
    fast(batch(torch.float32, n=2)[0])
    assert sum(pixels <= MOST_FOR_PATCHES for pixels in seen) > 30


# Odd shapes, so that rows, columns, strides and kernels cannot be mistaken for one another.
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [
        ((1, 1), 3, 1, 1),
        ((2, 2), 3, 2, 1),
        ((4, 4), 3, 1, 1),
        ((3, 5), (3, 2), (2, 1), (1, 0)),
        ((2, 7), (1, 3), (1, 2), (0, 2)),
        ((4, 4), 1, 2, 0),
        ((4, 3), 1, 1, 1),
        ((1, 4), 5, 3, 2),
    ],
    ids=str,
)
def test_convolutions_of_odd_shapes(size, kernel, stride, padding):
    source = torch.Generator().manual_seed(1)
    x = torch.randn(3, 5, *size, generator=source, dtype=torch.float64)
    conv = nn.Conv2d(5, 7, kernel, stride, padding, bias=False).double()
    fast = hasten(nn.Sequential(copy.deepcopy(conv)))[0]
    assert isinstance(fast, MatrixConv2d)
    xs = [x.clone().requires_grad_() for _ in range(2)]
    ys = [net(z) for net, z in zip((conv, fast), xs, strict=True)]
    assert ys[1].shape == ys[0].shape
    grad = torch.randn(ys[0].shape, generator=source, dtype=torch.float64)
    for y in ys:
        y.backward(grad)
    for got, wanted in ((ys[1], ys[0]), (xs[1].grad, xs[0].grad), (fast.weight.grad, conv.weight.grad)):
        assert torch.allclose(got, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(4, 4, 3, groups=2, bias=False),
        nn.Conv2d(4, 4, 3, dilation=2, bias=False),
        nn.Conv2d(4, 4, 3, bias=True),
        nn.Conv2d(4, 4, 3, padding="same", bias=False),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular", bias=False),
    ],
    ids=["groups", "dilation", "bias", "same", "circular"],
)
def test_what_it_does_not_know_stays_as_it_was(conv):
    assert type(hasten(nn.Sequential(conv))[0]) is nn.Conv2d


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bf16", "fp16"])
def test_half_precision_stays_near_its_own_plain_path(name, dtype):
    plain, fast = pair(name, torch.float32)
    images, _ = batch(torch.float32)
    with torch.no_grad():
        exact = plain(images)
        with torch.autocast("cpu", dtype=dtype):
            far = [distance(net(images).float(), exact) for net in (plain, fast)]
    assert far[1] < 2 * far[0] + 1e-3  # no worse than what the precision costs the plain path


def test_one_switch_and_a_record_that_names_the_path():
    config = preset("digits", recipe="linear", network="resnet10", epochs=1, train_images=40, test_images=20)
    runs = {path: train(config, progress=False, path=path) for path in ("plain", "fast", "auto")}
    assert [run.provenance.path for run in runs.values()] == ["plain", "fast", "fast"]
    assert runs["plain"].start == runs["fast"].start
    assert runs["plain"].epochs[0].batches == runs["fast"].epochs[0].batches
    assert resolve(preset("digits", recipe="linear")).path == "plain"
    with pytest.raises(
        ValueError, match="path must be one of auto, plain, fast, compiled, graph, got 'fsat'"
    ):
        train(config, path="fsat")


def test_a_run_goes_on_on_the_other_path(tmp_path):
    config = preset("digits", recipe="linear", network="resnet10", epochs=2, train_images=40, test_images=20)
    file = tmp_path / "run.pt"
    train(config, progress=False, path="fast", checkpoint=file)  # the checkpoint is that of the first epoch
    run = train(config, progress=False, path="plain", checkpoint=file, resume=True)
    assert (len(run.epochs), run.provenance.path, run.provenance.parts) == (2, "plain", 2)


class Waits(TorchDispatchMode):
    """Counts what makes the host wait for the device: every reading of a number out of a tensor."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_nothing_in_the_loop_waits_for_a_result(precision):
    """Four times the updates read no more numbers: all reading is once an epoch."""
    counts = []
    for images in (30, 120):  # an evaluation is one batch for both
        config = preset(
            "digits",
            recipe="linear",
            network="resnet10",
            epochs=1,
            train_images=images,
            test_images=20,
            precision=precision,
        )
        with Waits() as waits:
            train(config, progress=False, path="fast")
        counts.append(waits.count)
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize("name", ["resnet10", "resnet50"])
def test_fused_updates_equal_the_plain_ones_and_memory_lies_as_the_weights_do(name):
    """torch's fused form on a CPU takes memory as it lies."""
    config = preset({"resnet10": "laptop", "resnet50": "resnet50"}[name], recipe="linear")
    net = pair(name, torch.float32)[1]
    nets = [net, copy.deepcopy(net)]
    optimizers = [
        optimizer_for(config, net, fused=fused) for net, fused in zip(nets, (False, True), strict=True)
    ]
    images, labels = batch(torch.float32, n=2)
    for net in nets:
        F.cross_entropy(net(images), labels).backward()
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        b.grad.copy_(a.grad)
    for _ in range(3):  # one gradient for all: batch norm would amplify what rounding the first update has
        for optimizer in optimizers:
            optimizer.step()
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-6, atol=1e-8)
        state = optimizers[1].state[b]["momentum_buffer"]
        for other in (b.grad, state):
            assert lie(other) == lie(b)


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last], ids=str)
def test_a_fused_update_reads_a_gradient_in_any_memory_order(order):
    """torch's own misreads one that lies in another order than its weights."""
    source = torch.Generator().manual_seed(2)
    start, *gradients = (torch.randn(6, 4, 3, 2, generator=source) for _ in range(4))
    ends = []
    for fused in (False, True):
        net = nn.Conv2d(4, 6, (3, 2), bias=False).to(memory_format=torch.channels_last)
        with torch.no_grad():
            net.weight.copy_(start)
        optimizer = optimizer_for(preset("laptop", recipe="linear"), net, fused=fused)
        for gradient in gradients:
            net.weight.grad = gradient.contiguous(memory_format=order)
            optimizer.step()
        ends.append(net.weight.detach())
    assert torch.allclose(*ends, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("fused", [False, True])
def test_an_update_that_the_scaler_skips_changes_nothing(fused):
    net = nn.Linear(3, 2)
    before = [p.detach().clone() for p in net.parameters()]
    optimizer = optimizer_for(preset("laptop", recipe="linear"), net, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    scaler.scale(net(torch.full((1, 3), torch.inf)).sum()).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() == 2.0**9
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_a_fused_update_takes_no_closure():
    optimizer = optimizer_for(preset("laptop", recipe="linear"), nn.Linear(3, 2), fused=True)
    with pytest.raises(ValueError, match="closure must be None: compute the gradient before step"):
        optimizer.step(lambda: 0.0)


def lie(tensor):
    """Strides of a tensor, but for dimensions of length 1, which have no order."""
    return [stride for stride, length in zip(tensor.stride(), tensor.shape, strict=True) if length > 1]


def test_the_sum_of_squares_is_that_of_double_precision_in_any_memory_order():
    source = torch.Generator().manual_seed(0)
    tensors = [torch.randn(shape, generator=source) for shape in ((7,), (3, 5), (4, 6, 3, 2), (5, 3, 1, 1))]
    tensors += [tensors[2].contiguous(memory_format=torch.channels_last), tensors[1].t(), tensors[2][:, ::2]]
    wanted = sum((tensor.double() ** 2).sum() for tensor in tensors)
    assert torch.isclose(norm_sq(tensors).double(), wanted, rtol=1e-6)
    row = tensors[4].permute(memory_order(tensors[4])).reshape(-1)
    assert row.data_ptr() == tensors[4].data_ptr()  # a view: nothing is copied


#: Written down on 2026-11-25, before the first comparison: accuracies of two runs that differ by rounding are
#: two draws, and five pairs of such draws on 797 pictures should differ by less than this, in points.
MARGIN_OF_THE_MEAN, MARGIN_OF_ONE = 1.0, 4.0


def test_in_bf16_final_accuracy_on_the_digits_is_that_of_the_plain_path():
    differences = []
    for seed in range(5):
        config = preset(
            "digits",
            recipe="linear",
            network="resnet10",
            epochs=3,
            batch_size=25,
            peak_lr=0.02,
            precision="bf16",
            seed=seed,
        )
        ends = [train(config, progress=False, path=path).epochs[-1] for path in ("fast", "plain")]
        assert min(end.test_accuracy for end in ends) > 0.9  # both have learnt: a comparison means something
        differences.append(100 * (ends[0].test_accuracy - ends[1].test_accuracy))
    assert abs(sum(differences) / 5) < MARGIN_OF_THE_MEAN, differences
    assert max(map(abs, differences)) < MARGIN_OF_ONE, differences


def test_the_compiled_path_trains_is_cut_and_goes_on(monkeypatch, tmp_path):
    """With torch's compiler as far as it traces: generating code takes a minute, and is torch's to test."""
    compiled = []

    def traced(net, **kwargs):
        compiled.append(net)
        return original(net, backend="eager", **kwargs)

    original = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", traced)
    config = preset("digits", recipe="linear", epochs=2, train_images=40, test_images=20)
    file = tmp_path / "run.pt"
    whole = train(config, progress=False, path="compiled", checkpoint=file)
    assert (whole.provenance.path, len(compiled)) == ("compiled", 1)
    again = train(config, progress=False, path="compiled", checkpoint=file, resume=True)
    plain = train(config, progress=False, path="plain")
    assert again.provenance.parts == 2
    for run in (again, plain):
        assert run.start == whole.start
        assert run.epochs[-1].train_loss == pytest.approx(whole.epochs[-1].train_loss, rel=1e-3)

"""The update of the training loop captured once for a GPU, and replayed for every batch.

A GPU runs the kernels of a small network faster than Python starts them: one update of `source_resnet` is
about 1,240 kernels. A CUDA graph starts all of them with one call, but repeats exactly what was captured:
the same kernels on the same memory. So whatever differs between two updates (batch, augmentation, rate) is
laid out on the device for a whole epoch, beside a counter that each update reads and moves on.

On an H200 an update took 7.0 ms for `source_resnet` and 3.1 ms for ResNet-50, alone; of five runs side by
side, 4.8 and 1.4 ms for each. benchmarks/gpu/README.md sets predictions and outcomes side by side. On a CPU,
where nothing is captured, its numbers are those of the plain loop with the same optimizer kernels, bit for
bit (tests/lrlib/training/test_gpu.py). The kernels were counted on a false CUDA runtime (tests/false_gpu).

How the rate stays the one that was planned, from the schedule to the record:

1. the host computes ``peak_lr * schedule(t)`` in float64, as the plain loop does, for the epoch's updates;
2. update t copies the t-th of them into the tensor that the optimizer holds as its ``lr``; the kernels of the
   optimizer read that tensor, cast to fp32 as a Python number would be;
3. after the optimizer's step, the update copies *the optimizer's* ``lr`` into place t of another list;
4. at the end of the epoch the host reads that list and compares it exactly with what was laid out. The rates
   in the record are taken from it.

`Engine._update` is the body of `Loop.epoch` around the same `Loop.step`. Only `captured` knows graphs: on a
CPU it returns the update itself.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lrlib.runs.config import RunConfig
from lrlib.training.dataset import Dataset
from lrlib.training.loop import Loop, set_up
from lrlib.training.machine import Target
from lrlib.training.metrics import EVALUATED, Meter, prepared
from lrlib.training.networks import batch_norms, batch_norms_with
from lrlib.training.optimizers import memory_order, row
from lrlib.training.randomness import augment, draw_augmentation

# Calls before a capture: cuDNN chooses its algorithms, and whatever is made on first use is made. A capture
# allows neither. torch recommends 3, and 11 only for DistributedDataParallel.
WARM_UP = 3


def prepare(
    config: RunConfig, data: Dataset | None, target: Target, state: dict[str, Any] | None = None
) -> Loop:
    """Return what makes a run's updates: an `Engine` on path "graph", else a `Loop`.

    `state` is the content of a checkpoint to go on from, or None. If path "graph" was not asked for
    (`target.chosen`) and the device cannot capture the update, there is a warning and the `Loop` that is
    returned has path "fast" in its `target`.
    """
    seen, net, optimizer, scaler = set_up(config, data, target)
    if state is not None:
        net.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        scaler.load_state_dict(state["scaler"])
    if target.path != "graph":
        return Loop(config, seen, net, optimizer, scaler, target)
    try:
        return Engine(config, seen, net, optimizer, scaler, target)
    except RuntimeError as error:
        if not target.chosen or state is not None:  # what was begun by this path does not go on by another
            raise
        reason = f"{error}".partition("\n")[0]
        warnings.warn(
            f"this device cannot capture the update ({reason}); going on by path 'fast', kernel by kernel",
            RuntimeWarning,
            stacklevel=2,
        )
    # Outside of the handler, whose traceback would keep the failed engine and its memory.
    return prepare(config, data, replace(target, path="fast"))


class Engine(Loop):
    """A run's updates and evaluations, ready to be replayed.

    It is made when network, optimizer and scaler are in the state that the run starts from: the warm-up
    before a capture changes them, and the constructor puts everything back.

    Raises
    ------
    RuntimeError
        If the device cannot capture the work.
    """

    def __init__(self, config, data, net, optimizer, scaler, target) -> None:
        if config.momentum_schedule() is not None:  # `machine.resolve` says so before; see there
            raise RuntimeError("a graph keeps the momentum that it was captured with")
        super().__init__(config, data, net, optimizer, scaler, target)
        device = target.device
        # One epoch. These tensors stay in place: a graph knows addresses, not names.
        draws = draw_augmentation(config.augmentation, config.images, seed=0, epoch=0)  # for their shapes
        self.order = torch.zeros(config.images, dtype=torch.int64, device=device)
        self.draws = tuple(torch.zeros_like(draw, device=device) for draw in draws)
        # float64: a record promises rates to 1e-9, and fp32 has them to 6e-8.
        self.rates = torch.zeros(config.steps_per_epoch, dtype=torch.float64, device=device)
        self.applied = torch.zeros_like(self.rates)
        self.done = torch.zeros(1, dtype=torch.int64, device=device)
        self.meter = Meter(device)
        # One tensor for all groups and for good: the optimizer's kernels are captured with its address, so a
        # number in its place would be the rate of every update.
        self.rate = torch.zeros((), dtype=torch.float64, device=device)
        for group in optimizer.param_groups:
            group["lr"] = self.rate
        if target.half is not None:
            self.forward = CastOnce(net, target.half)

        # A graph has fixed shapes: one for full batches, one for the smaller batch at the end.
        whole, rest = divmod(config.images, config.batch_size)
        sizes = [config.batch_size] * whole + [rest] * (rest > 0)
        scaler.scale(self.rate)  # makes the scaler's tensors, which are part of the state
        # detach: the clone of a weight with a history keeps autograd's nodes for it, made on the default
        # stream, and these may break the capture on another one.
        before = [(tensor, tensor.detach().clone()) for tensor in self.state()]
        known = {id(tensor) for tensor, _ in before}
        bodies: dict[int, Callable[[], None]] = {
            size: partial(self._update, torch.arange(size, device=device)) for size in dict.fromkeys(sizes)
        }
        ready, self._grads = {}, {}
        for size, body in bodies.items():
            ready[size] = captured(body, self.done.zero_, device)
            # Memory that backward takes during a capture is the graph's own: replays leave gradients there.
            self._grads[size] = self._gradients_now()
        self.direct = [bodies[size] for size in sizes]  # the same work without a graph, for comparison
        self.updates = [ready[size] for size in sizes]
        self._sizes = sizes
        self.evaluations = {split: _Evaluation(self, split) for split in ("test", "train")}
        with torch.no_grad():
            for tensor, old in before:
                tensor.copy_(old)
            for tensor in self.state():
                if id(tensor) not in known:  # momentum, which the first update makes from 0
                    tensor.zero_()

    def epoch(self, order, draws, rates, tell=lambda lr: None, momenta=None) -> Generator[None, None, Meter]:
        """As `Loop.epoch`; the updates are replays, and their sums are read once, at the end."""
        assert momenta is None  # the constructor refuses such a config
        self.lay_out(order, draws, rates)
        for lr, update in zip(rates, self.updates, strict=True):
            update()
            tell(lr)
            yield
        return self.read_out()

    def lay_out(self, order: Tensor, draws: tuple[Tensor, ...], rates: list[float]) -> None:
        """Put an epoch's order, draws and rates on the device, and set counter and sums to 0."""
        for place, new in ((self.order, order), *zip(self.draws, draws, strict=True)):
            place.copy_(new)
        self.rates.copy_(torch.tensor(rates, dtype=torch.float64))
        self.applied.fill_(math.nan)  # equals nothing: an update that is left out is found at the end
        for tensor in (self.done, *self.meter.sums.values()):
            tensor.zero_()
        self.meter.images, self.meter.rates, self.meter.momenta = 0, [], []

    def read_out(self) -> Meter:
        """Wait for the epoch and return its sums, with the rates that the optimizer held.

        Raises
        ------
        RuntimeError
            If those are not, exactly, the rates that were laid out.
        """
        for norm in batch_norms(self.net):  # here, as `_update` keeps them from counting
            if norm.num_batches_tracked is not None:  # None: a norm without running statistics
                norm.num_batches_tracked += len(self.updates)
        laid_out, applied = self.rates.tolist(), self.applied.tolist()
        # `is`: a scheduler of torch that set a number would leave the graph at its old tensor.
        if applied != laid_out or any(group["lr"] is not self.rate for group in self.optimizer.param_groups):
            t = next((t for t, (a, b) in enumerate(zip(applied, laid_out, strict=True)) if a != b), 0)
            raise RuntimeError(
                f"update {t} of this epoch was to have the rate {laid_out[t]!r}, and the optimizer held "
                f"{applied[t]!r}: path 'graph' does not work here; use --path fast"
            )
        self.meter.images, self.meter.rates = self.config.images, applied
        return self.meter

    def evaluate(self, split: str) -> Generator[None, None, tuple[float, float]]:
        """As `Loop.evaluate`, in replays."""
        evaluation = self.evaluations[split]
        evaluation.start()
        yield  # before reading: while the host waits for these numbers, the other runs' work is on the device
        return evaluation.read_out()

    def state(self) -> list[Tensor]:
        """Return all tensors that an update changes and the next one reads."""
        kept = [value for state in self.optimizer.state.values() for value in state.values()]
        scale = [getattr(self.scaler, name, None) for name in ("_scale", "_growth_tracker")]
        everything = [*self.net.parameters(), *self.net.buffers(), *kept, *scale]
        return [value for value in everything if isinstance(value, Tensor)]

    def gradients(self, t: int) -> list[Tensor]:
        """Return the gradients of the t-th update of an epoch, if it was the last that was made."""
        return self._grads[self._sizes[t]] if self.target.device.type == "cuda" else self._gradients_now()

    def _gradients_now(self) -> list[Tensor]:
        return [weight.grad for group in self.optimizer.param_groups for weight in group["params"]]

    def _update(self, offsets: Tensor) -> None:
        """One update; `offsets` counts the images of its batch, 0, 1, 2, ..."""
        # Indices from the counter on the device: a slice would be captured as the numbers it has now. `done`
        # has shape [1]: of a 0-dimensional index torch reads the value back, which a capture forbids.
        part = self.done * self.config.batch_size + offsets
        chosen = self.order[part]
        images, labels = self.data.train_images[chosen], self.data.train_labels[chosen]
        if self.draws:
            images = augment(images, *(draw[part] for draw in self.draws))
        self.rate.copy_(self.rates[self.done].squeeze())
        self.net.train()  # here, as an evaluation may have been captured or called before
        # Batch norm counts no update, which takes a kernel a layer: `read_out` adds their known number.
        with batch_norms_with(self.net, "num_batches_tracked", None):
            self.step(prepared(images, self.data), labels, self.meter)
        self.applied.index_copy_(0, self.done, self.optimizer.param_groups[0]["lr"].reshape(1))
        self.done += 1


class _Evaluation:
    """Loss and accuracy over a split, in replays of `EVALUATED` images and one of what is left over."""

    def __init__(self, engine: Engine, split: str) -> None:
        self.net, self.data = engine.net, engine.data
        self.target, self.forward = engine.target, engine.forward
        self.images, self.labels = engine.images_of(split)
        device = self.images.device
        self.at = torch.zeros(1, dtype=torch.int64, device=device)
        self.correct = torch.zeros((), dtype=torch.int64, device=device)
        # float64: the plain path adds the same fp32 sums of batches as Python numbers.
        self.loss = torch.zeros((), dtype=torch.float64, device=device)
        whole, rest = divmod(len(self.labels), EVALUATED)
        sizes = [EVALUATED] * whole + [rest] * (rest > 0)
        ready = {
            size: captured(partial(self._part, torch.arange(size, device=device)), self.at.zero_, device)
            for size in dict.fromkeys(sizes)
        }
        self.parts = [ready[size] for size in sizes]

    @torch.no_grad()
    def _part(self, offsets: Tensor) -> None:
        part = self.at + offsets
        self.net.eval()
        with self.target.autocast():
            logits = self.forward(prepared(self.images[part], self.data))
        self.loss += F.cross_entropy(logits.float(), self.labels[part], reduction="sum")
        self.correct += (logits.argmax(1) == self.labels[part]).sum()
        self.at += len(offsets)

    def start(self) -> None:
        """Start all replays, without waiting for any."""
        for tensor in (self.at, self.loss, self.correct):
            tensor.zero_()
        for part in self.parts:
            part()

    def read_out(self) -> tuple[float, float]:
        """Wait for the replays and return mean cross-entropy and accuracy."""
        n = len(self.labels)
        return self.loss.item() / n, self.correct.item() / n


class CastOnce:
    """A network whose convolutions and linear layers take half-precision weights, all cast in one call.

    Autocast casts them one by one, and their gradients back one by one: 170 of the kernels of an update of
    `source_resnet`, 106 of ResNet-50's. The values are the same, to the last bit.
    """

    def __init__(self, net: nn.Module, dtype: torch.dtype) -> None:
        self.net, self.dtype = net, dtype
        self.weights: dict[str, nn.Parameter] = {}
        for name, module in net.named_modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                own = module.named_parameters(recurse=False)
                self.weights |= {f"{name}.{key}": weight for key, weight in own}

    def __call__(self, images: Tensor) -> Tensor:
        # Autocast finds weights that have its type already, and casts none. The network keeps its own fp32
        # parameters, which the optimizer updates: `functional_call` replaces them for this call alone.
        halves = _Cast.apply(self.dtype, *self.weights.values())
        return torch.func.functional_call(self.net, dict(zip(self.weights, halves, strict=True)), (images,))


class _Cast(torch.autograd.Function):
    """fp32 tensors to a half precision; their gradients back to fp32, in the memory order of the tensors."""

    @staticmethod
    def forward(ctx, dtype: torch.dtype, *wholes: Tensor) -> tuple[Tensor, ...]:
        ctx.save_for_backward(*wholes)
        return tuple(_copied(wholes, wholes, dtype))

    @staticmethod
    def backward(ctx, *grads: Tensor):
        return None, *_copied(grads, ctx.saved_tensors, torch.float32)


def _copied(tensors, like, dtype: torch.dtype) -> list[Tensor]:
    """Return copies in another dtype, laid out in memory as `like`, by one call over all of them."""
    copies = [torch.empty_like(other, dtype=dtype) for other in like]
    orders = [memory_order(other) for other in like]
    # As rows: a call over many tensors falls back to one kernel each unless all strides are equal, even
    # those of dimensions of size 1, which say nothing and differ between a 1x1 kernel and its gradient.
    torch._foreach_copy_(
        [row(copy, order) for copy, order in zip(copies, orders, strict=True)],
        [row(tensor, order) for tensor, order in zip(tensors, orders, strict=True)],
    )
    return copies


def captured(
    work: Callable[[], None], reset: Callable[[], object], device: torch.device
) -> Callable[[], None]:
    """Return a call that does `work` once more: the replay of a CUDA graph, or on a CPU `work` itself.

    The capture is on the current stream, which must not be the default one; `lrlib.training.run.take_turns`
    gives each run its own. It has to be its own: graphs captured on one stream share a scratch memory of
    cuBLAS, so two runs whose graphs came from one stream would overwrite each other's while they run at the
    same time.
    """
    for _ in range(WARM_UP):
        reset()
        work()
    reset()
    if device.type != "cuda":
        return work
    graph = torch.cuda.CUDAGraph()
    # thread_local: what another thread asks of CUDA meanwhile does not break the capture. A stream is named,
    # as torch's default is one stream for all captures of the process.
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
        work()
    # With `work`: the graph reads the tensors that it was captured with, and their memory must stay theirs.
    return partial(_replay, graph, work)


def _replay(graph: torch.cuda.CUDAGraph, work: Callable[[], None]) -> None:
    graph.replay()

"""The sharpness that an update meets: the curvature of a batch's loss along that batch's own gradient.

    s = mean over batches B of  g_B' H_B g_B / |g_B|^2

with gradient g_B and Hessian H_B of the mean cross-entropy of batch B, without weight decay. A gradient step
at rate r multiplies the slope of the batch's loss along it by 1 - r s (to first order), so one update without
momentum is unstable from r = 2 / s on. With momentum m, runs settle at 2 (1 - m) / r where batches are small
and at 2 (1 + m) / r where they are large [1]_: `edges` turns that round.

One batch costs two backward passes, that of the gradient and that of its product with itself. No power
iteration is needed, which is slower, and early in a run finds the eigenvalue of largest modulus, which is
negative. Batch norm works as in training, on the batch's own mean and variance. In evaluation mode the
network of the digits preset has a tenth of that sharpness at its start, as its running statistics are not yet
those of the data, and 10 to 70 times as much after 40 updates (three seeds, peak rates 0.03 and 0.1).

References
----------
.. [1] A. Andreyev et al., Momentum Further Constrains Sharpness at the Edge of Stochastic Stability, 2026,
   https://arxiv.org/abs/2604.14108
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lrlib._checks import check_float, check_fraction, check_int
from lrlib.runs.config import RunConfig
from lrlib.training.dataset import Dataset
from lrlib.training.loop import Loop, set_up
from lrlib.training.machine import resolve
from lrlib.training.networks import batch_norms_with
from lrlib.training.randomness import draw_augmentation, generator, permutation

__all__ = ["Edges", "Sharpness", "batch_sharpness", "edges", "measure_sharpness"]


class Sharpness(NamedTuple):
    """The sharpness of a network after `step` updates of a run.

    `lr` and `momentum` are those of the next update (after the last one, of that one), `value` is the mean
    over `batches` batches and `standard_error` its standard error (nan for one batch).

    >>> Sharpness(step=0, lr=0.1, momentum=0.9, value=3.9, standard_error=0.2, batches=60).value
    3.9
    """

    step: int
    lr: float
    momentum: float
    value: float
    standard_error: float
    batches: int


class Edges(NamedTuple):
    """The rates from which updates are unstable: for small batches and for large ones.

    >>> Edges(small_batches=0.05, large_batches=0.97).small_batches
    0.05
    """

    small_batches: float
    large_batches: float


def edges(sharpness: float, *, momentum: float) -> Edges:
    """Return 2 (1 - momentum) / sharpness and 2 (1 + momentum) / sharpness.

    Parameters
    ----------
    sharpness : float, > 0
    momentum : float, in [0, 1)

    Examples
    --------
    >>> [round(rate, 3) for rate in edges(3.9, momentum=0.9)]
    [0.051, 0.974]
    """
    s = check_float("sharpness", sharpness, allowed="finite and > 0", ok=lambda x: x > 0)
    m = check_fraction("momentum", momentum, one=False)
    return Edges(2 * (1 - m) / s, 2 * (1 + m) / s)


def batch_sharpness(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return g' H g / |g|^2 of one batch; nan where the gradient is 0 or not finite.

    The network is left in training mode, with its weights, gradients and running statistics as they were.

    Parameters
    ----------
    net : nn.Module
    images : Tensor
        As the network takes them.
    labels : Tensor, int64 [n]

    Examples
    --------
    A linear layer of two classes on the picture (1, 2), at zero weights: each class has probability 1/2, and
    the sharpness is |x|^2 / 2.

    >>> net = nn.Linear(2, 2, bias=False)
    >>> _ = nn.init.zeros_(net.weight)
    >>> batch_sharpness(net, torch.tensor([[1.0, 2.0]]), torch.tensor([0]))
    2.5
    """
    weights = [weight for weight in net.parameters() if weight.requires_grad]
    net.train()
    # Batch norm uses a batch's own mean and variance, and remembers neither.
    with batch_norms_with(net, "track_running_stats", False):
        loss = F.cross_entropy(net(images), labels)
        grads = torch.autograd.grad(loss, weights, create_graph=True)
        still = [grad.detach() for grad in grads]
        # The gradient of g . v with v held fixed is H v.
        products = [(g * v).sum() for g, v in zip(grads, still, strict=True)]
        along = torch.autograd.grad(torch.stack(products).sum(), weights)
    # In float64: the squares of small gradients leave the range of fp32.
    norm_sq = sum(v.double().square().sum() for v in still)
    curvature = sum((h.double() * v.double()).sum() for h, v in zip(along, still, strict=True))
    ratio = float(curvature / norm_sq)  # 0 / 0 is nan
    return ratio if math.isfinite(ratio) else math.nan


def measure_sharpness(
    config: RunConfig, *, at: Iterable[int] = (0,), batches: int = 60, data: Dataset | None = None
) -> list[Sharpness]:
    """Return the sharpness of a run at its start, and after as many updates as asked for.

    The run is trained as `lrlib.train` does, in fp32 by path "plain", up to the last of `at`. The batches to
    measure on are drawn from the training images anew for each point, with a key of their own: the updates
    are those of the run without any measurement.

    Parameters
    ----------
    config : RunConfig
    at : iterable of int
        Numbers of updates made, in 0..config.total_steps.
    batches : int
        At most so many batches of ``config.batch_size``, >= 1; an epoch's full batches are the upper limit.
    data : Dataset or None
        None loads ``config.dataset``.

    Raises
    ------
    ValueError
        If a point lies after the run, or the sharpness is not a number in any of the batches.

    Examples
    --------
    >>> from lrlib import preset
    >>> config = preset("digits", recipe="linear", seed=1, epochs=1)
    >>> start, later = measure_sharpness(config, at=(0, 100), batches=20)
    >>> start.step, start.lr, later.step, later.lr
    (0, 0.1, 100, 0.05)
    >>> 2 < start.value < 8
    True
    """
    wanted = sorted({check_int("at", step, least=0) for step in at})
    if wanted and wanted[-1] > config.total_steps:
        raise ValueError(f"at must be <= total_steps = {config.total_steps}, got {wanted[-1]}")
    batches = check_int("batches", batches, least=1)
    target = resolve(config.changed(precision="fp32"), path="plain")
    found = []
    with target.own_settings():
        loop = Loop(config, *set_up(config, data, target), target)
        for step in _after_updates(loop, wanted[-1] if wanted else -1):
            if step in wanted:
                found.append(_point(loop, step, batches))
    return found


def _after_updates(loop: Loop, last: int) -> Iterator[int]:
    """Yield 0, 1, ..., last, each after so many updates."""
    config, schedule, momentum = loop.config, loop.config.schedule(), loop.config.momentum_schedule()
    for epoch in range(-(-(last + 1) // config.steps_per_epoch)):
        steps = range(epoch * config.steps_per_epoch, (epoch + 1) * config.steps_per_epoch)
        order = permutation(config.images, seed=config.seed, epoch=epoch)
        draws = draw_augmentation(config.augmentation, config.images, seed=config.seed, epoch=epoch)
        rates = [config.peak_lr * schedule(step) for step in steps]
        momenta = momentum and [momentum(step) for step in steps]
        updates = loop.epoch(order, draws, rates, momenta=momenta)
        for step in steps:
            yield step
            if step == last:
                return
            next(updates)


def _point(loop: Loop, step: int, batches: int) -> Sharpness:
    config, size = loop.config, loop.config.batch_size
    n = min(batches * size, max(config.images // size, 1) * size, config.images)
    drawn = torch.randperm(config.images, generator=generator(config.seed, "sharpness", step))[:n]
    draws = tuple(
        draw[drawn]
        for draw in draw_augmentation(config.augmentation, config.images, seed=config.seed, epoch=step)
    )
    values = torch.tensor([batch_sharpness(loop.net, *batch) for batch in loop.batches(drawn, draws)])
    values = values[values.isfinite()].double()
    if not len(values):
        raise ValueError(f"after {step} updates no batch has a gradient that is finite and not 0")
    error = float(values.std() / math.sqrt(len(values))) if len(values) > 1 else math.nan
    last = min(step, config.total_steps - 1)
    momentum = config.momentum_schedule()
    return Sharpness(
        step=step,
        lr=config.peak_lr * config.schedule()(last),
        momentum=momentum(last) if momentum else config.momentum,
        value=float(values.mean()),
        standard_error=error,
        batches=len(values),
    )

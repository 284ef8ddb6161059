"""How fast this machine does the updates of a config: timed on a network that is thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor

from lrlib import _machine
from lrlib._measure import Meter, evaluate
from lrlib.config import RunConfig
from lrlib.data import Dataset, draw_augmentation, permutation
from lrlib.train import _batches, _set_up

UPDATES, WARM_UP = 20, 3


@dataclass(frozen=True)
class Pace:
    """Seconds that `UPDATES` updates took, and seconds to evaluate one image."""

    updates: float
    image: float

    def epoch(self, config: RunConfig) -> float:
        """Return the seconds of an epoch: its updates, and the test after it."""
        return config.steps_per_epoch * self.updates / UPDATES + config.tested * self.image

    def run(self, config: RunConfig) -> float:
        """Return the seconds of a run: its epochs, and the training set evaluated once at the end."""
        return config.epochs * self.epoch(config) + config.images * self.image


def pace(config: RunConfig, *, data: Dataset | None = None) -> Pace:
    """Time `UPDATES` updates after `WARM_UP` others, then one evaluation of up to 1,000 images after another.

    The updates are those of `train`, on a network of their own: start and batches of a later run come from
    generators of their own, so it does not notice.
    """
    target = _machine.resolve(config)
    data, net, optimizer, scaler = _set_up(config, data, target)
    meter = Meter(target.device)

    def now() -> float:
        if target.device.type == "cuda":
            torch.cuda.synchronize()  # a GPU works on after the call that started it
        return perf_counter()

    net.train()
    with target.own_threads():
        for number, (images, labels) in enumerate(islice(_endless(config, data), WARM_UP + UPDATES)):
            if number == WARM_UP:
                start = now()
            with target.autocast():
                logits = net(images)
            loss = F.cross_entropy(logits.float(), labels)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            meter.add(optimizer, logits.detach(), loss.detach(), labels)
            scaler.step(optimizer)
            scaler.update()
        updates = now() - start
        some, wanted = data.test_images[:1000], data.test_labels[:1000]
        evaluate(net, some, wanted, data, target)
        start = now()
        evaluate(net, some, wanted, data, target)
        image = (now() - start) / len(wanted)
    return Pace(updates, image)


def _endless(config: RunConfig, data: Dataset) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches of epoch 0, 1, 2, ...: one epoch may have fewer than are to be timed."""
    for epoch in count():
        order = permutation(config.images, seed=config.seed, epoch=epoch)
        draws = draw_augmentation(config.augmentation, config.images, seed=config.seed, epoch=epoch)
        yield from _batches(data, order, draws, config.batch_size)

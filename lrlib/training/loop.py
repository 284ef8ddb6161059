"""The training loop, as a textbook has it: set the rate, compute the gradient, read the rate back, update.

`Loop` is the reference. `lrlib.training.gpu.Engine` does the same updates on a GPU, by the same `step`, with
fewer calls from Python; what stands around an epoch (checkpoints, the record) is in `lrlib.training.run`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lrlib.runs.config import RunConfig
from lrlib.training import networks
from lrlib.training.dataset import Dataset, load, parity
from lrlib.training.machine import Target
from lrlib.training.metrics import Meter, evaluate, prepared, unit_pixels
from lrlib.training.optimizers import optimizer_for
from lrlib.training.randomness import augment


class Loop:
    """The updates and evaluations of one run.

    `epoch` and `evaluate` are generators: at each `yield` another run on the same device may have its turn
    (`lrlib.training.run.take_turns`). What they return is what was measured.
    """

    def __init__(
        self,
        config: RunConfig,
        data: Dataset,
        net: nn.Module,
        optimizer: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
        target: Target,
    ) -> None:
        self.config, self.data, self.target = config, data, target
        self.net, self.optimizer, self.scaler = net, optimizer, scaler
        self.forward: Callable[[Tensor], Tensor] = net

    def epoch(
        self,
        order: Tensor,
        draws: tuple[Tensor, ...],
        rates: list[float],
        tell: Callable[[float], None] = lambda lr: None,
    ) -> Generator[None, None, Meter]:
        """Make an update on each batch, the t-th at ``rates[t]``, and `tell` each rate.

        `order` holds the numbers of the images, int64 [n]; `draws` what augments them, each [n].
        """
        meter = Meter(self.target.device)
        self.net.train()
        batches = self._batches(order, draws)
        for lr, (images, labels) in zip(rates, batches, strict=True):
            for group in self.optimizer.param_groups:
                group["lr"] = lr
            self.step(images, labels, meter)
            tell(lr)
            yield
        return meter

    def step(self, images: Tensor, labels: Tensor, meter: Meter) -> None:
        """Make one update on one batch, at the rate that the optimizer holds."""
        with self.target.autocast():
            logits = self.forward(images)
        loss = F.cross_entropy(logits.float(), labels)
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        # What the record says was applied is read from the optimizer, just before it is.
        meter.add(self.optimizer, logits.detach(), loss.detach(), labels)
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def evaluate(self, split: str) -> Generator[None, None, tuple[float, float]]:
        """Return mean cross-entropy and accuracy in evaluation mode, over "test" or "train"."""
        yield
        return evaluate(self.net, *self.images_of(split), self.data, self.target)

    def images_of(self, split: str) -> tuple[Tensor, Tensor]:
        """Return images and labels of "test" or "train"."""
        data = self.data
        return {
            "test": (data.test_images, data.test_labels),
            "train": (data.train_images, data.train_labels),
        }[split]

    def _batches(self, order: Tensor, draws: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the epoch's batches: images augmented, then normalised; and their labels."""
        data, size = self.data, self.config.batch_size
        order, draws = order.to(self.target.device), tuple(draw.to(self.target.device) for draw in draws)
        for start in range(0, len(order), size):
            part = slice(start, start + size)
            images = data.train_images[order[part]]
            if draws:
                images = augment(images, *(draw[part] for draw in draws))
            yield prepared(images, data), data.train_labels[order[part]]


def set_up(config: RunConfig, data: Dataset | None, target: Target):
    """Return the data as the network sees them, the network at its start, its optimizer and its scaler."""
    data = (data or load(config.dataset)).subset(config.train_images, config.test_images).to(target.device)
    if data.name != config.dataset or len(data.train_labels) != config.images:
        raise ValueError(f"data must be {config.images} images of {config.dataset}, got {data}")
    if config.pixels == "unit":
        data = unit_pixels(data)
    if config.task == "parity":
        data = parity(data)
    net = networks.build(
        config.network,
        in_channels=data.train_images.shape[1],
        classes=len(data.class_names),
        seed=config.seed,
    )
    net = target.prepared(net)
    optimizer = optimizer_for(config, net, fused=target.fused)
    scaler = torch.amp.GradScaler(target.device.type, enabled=target.precision == "fp16")
    return data, net, optimizer, scaler
